"""What a column (or a key of a JSON item) is called in files, and what its cells become."""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from typing import Any

from lists.fields import FIELDS, Field
from lists.titles import fold, split_year
from sync.errors import BadPayload
from sync.sources import _cells
from sync.sources._cells import filled, text
from sync.sources._ids import STRENGTH, own_ref

IDS = tuple(f"id:{namespace}" for namespace in STRENGTH)
# What a column may become: a field, an id, the place in the list, the kind, or the mark of our own exports.
TARGETS = (*FIELDS, *IDS, "position", "kind", "ref")

# Folded names (lists.titles.fold) beside the labels of the fields themselves.
_ALIASES = {
    "title": "name; film; movie; primary title; movie title; film title; track; track title; song; titel; titre; titolo",
    "original_title": "originaltitle; original name",
    "artist": "performer; artists; track artist",
    "year": "release year; releaseyear; start year; jahr; annee; anno; ano",
    "release_date": "released; first air date; first aired; release date month day year; date published",
    "runtime_s": "runtime; runtime mins; runtime min; runtime minutes; duration; running time; laufzeit",
    "rating": "imdb rating; tmdb rating; vote average; average rating",
    "votes": "num votes; vote count; imdb votes; number of votes",
    "language": "original language; lang",
    "poster": "poster url; poster address; image",
    "backdrop": "backdrop url; fanart",
    "overview": "description; plot; summary; synopsis",
    "genres": "genre",
    "cue_ms": "cue; start; starts; start time; time; timestamp; index 01",
    "group": "category",
    "directors": "director; directed by; regie",
    "title_type": "title type",
    "your_rating": "you rated; my rating; user rating; own rating",
    "rated_on": "date rated; rated at; rated",
    "added_on": "created; added; date added; added at; listed at; date",
    "note": "notes; comment; comments; review; your notes",
    "address": "url; link; uri; letterboxd uri; page; web page",
    "end_ms": "end; ends; end time",
    "season": "season number",
    "episode": "episode number",
    "show_title": "series; show title; series title; show name",
    "id:imdb": "imdb; imdb id; imdbid; const; tconst; imdb url; imdb link",
    "id:tmdb": "tmdb; tmdb id; tmdbid; themoviedb; themoviedb id; moviedb id; tmdb url",
    "id:tvdb": "tvdb; tvdb id; tvdbid; thetvdb id",
    "id:trakt": "trakt; trakt id; traktid",
    "id:simkl": "simkl; simkl id; simklid",
    "id:anilist": "anilist; anilist id; anilistid",
    "id:mal": "mal id; malid; idmal; myanimelist; myanimelist id",
    "watched_on": "watched date; date watched; watched at; last watched; last watched at",
    "labels": "tags",
    "position": "position; pos; rank; nr; no; order; index; place; track number",
    "kind": "kind; type; media type; mediatype; item type",
    "ref": "listkeeper",
}  # fmt: skip
# "Played" is a yes or a number in other people's tables.
_NAMED = {fold(field.label): name for name, field in FIELDS.items() if name != "played_as"}
_NAMED |= {alias.strip(): target for target, aliases in _ALIASES.items() for alias in aliases.split(";")}

_GUARD = re.compile(r"^'(?='*[=+\-@\t\r＝＋－＠])")


def _reader(field: Field) -> Callable[[Any], Any]:
    """What makes a value of that field of a cell; None, "" and [] are nothing. It raises BadPayload."""
    own: dict[str, Callable[..., Any]] = {
        "year": _cells.year, "rating": _cells.rating, "runtime_s": _cells.runtime, "cue_ms": _cells.clock,
        "end_ms": _cells.clock,
    }  # fmt: skip
    by_type: dict[str, Callable[..., Any]] = {"int": _cells.whole, "float": _cells.decimal, "date": _cells.day}
    if read := own.get(field.name) or by_type.get(field.type):
        return partial(read, label=field.label)
    if field.name == "genres":
        return _cells.genres
    if field.type == "list":
        return partial(_cells.words, parted_by=",;")
    if field.name in ("poster", "backdrop", "address"):
        return _cells.web_address
    return lambda cell: text(cell)[: field.limit]


_READERS = {field.name: _reader(field) for field in FIELDS.values()}
_MONTH_FIRST = {
    field.name: partial(_cells.day, label=field.label, month_first=True)
    for field in FIELDS.values()
    if field.type == "date"
}
_AS_WRITTEN = {"genres": _cells.words}
_OF_PLAYS = {"runtime_s": _cells.play_length}


@lru_cache(maxsize=4096)
def target_named(name: str) -> str | None:
    """What a column called "releaseYear", "Num. Votes" or "IMDb ID" holds; None if we do not know it."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name[:100])
    return _NAMED.get(fold(parted)) or _NAMED.get(fold(name[:100]))


def read_cell(name: str, cell: Any) -> Any:
    """The cell as the value of a field. Raises BadPayload."""
    return _READERS[name](cell)


@lru_cache(maxsize=8)
def _readers(month_first: bool, as_written: bool, plays: bool) -> dict[str, Callable[[Any], Any]]:
    readers = dict(_READERS)
    for special, wanted in ((_MONTH_FIRST, month_first), (_AS_WRITTEN, as_written), (_OF_PLAYS, plays)):
        readers |= special if wanted else {}
    return readers


def read_cells(
    cells: dict[str, Any], *, month_first: bool = False, as_written: bool = False, plays: bool = False
) -> dict[str, Any]:
    """Cells by target -> the values of a Record. Without a year, that of the release date is the year.

    month_first: what 3/4/2010 means. as_written: the row comes out of one of our own exports, where another spelling or
    a year would be taken for an edit. plays: the rows are tracks.
    """
    readers = _readers(month_first, as_written, plays)
    stated = ((name, cell) for name, cell in cells.items() if cell not in ("", None) and name in FIELDS)
    values = filled({name: readers[name](cell) for name, cell in stated})
    if "year" not in values and "release_date" in values and not as_written:
        values["year"] = int(values["release_date"][:4])
    return values


def year_from_title(values: dict[str, Any]) -> dict[str, Any]:
    """ "Heat (1995)" without a year of its own is Heat of 1995. For films and shows: a track may be called so."""
    if "title" not in values or "year" in values:
        return values
    title, year = split_year(values["title"])
    return values | filled({"title": title, "year": year})


def date_of_parts(stated: Any) -> str | None:
    """ "2022-12-28" of {"year": 2022, "month": 12, "day": 28}, as much as is known."""
    numbers = [stated.get(name) for name in ("year", "month", "day")] if isinstance(stated, dict) else [None]
    known = numbers[: numbers.index(None)] if None in numbers else numbers
    return "-".join(text(number).zfill(2) for number in known) or None


def unguarded(cells: dict[str, Any]) -> tuple[str | None, dict[str, Any]]:
    """(the mark of our own export or None, the cells as the list showed them).

    Our exports put an apostrophe before what a spreadsheet would run as a formula; elsewhere it belongs to the text.
    """
    ref = own_ref(cells.get("ref"))
    if ref is None:
        return None, cells
    return ref, {name: _GUARD.sub("", cell) if isinstance(cell, str) else cell for name, cell in cells.items()}


def ids_of(cells: dict[str, Any]) -> dict[str, Any]:
    """ "id:imdb" -> "imdb", as external_ids() takes them."""
    return {name.removeprefix("id:"): cell for name, cell in cells.items() if name.startswith("id:")}


def place_of(cell: Any, place: int) -> int:
    """The place that the source states, or the row's own. Raises BadPayload if the cell is no number."""
    stated = _cells.whole(cell, "Position")
    return stated if stated is not None and 0 < stated < 2**31 else place


def readable(name: str, examples: Iterable[str]) -> bool:
    """Whether most of a column's cells can be read as that field, so that a guess by its name holds."""
    if name not in FIELDS:
        return True
    good = bad = 0
    for cell in examples:
        try:
            read_cell(name, cell)
            good += 1
        except BadPayload:
            bad += 1
    return bad == 0 or good > bad


def described(header: list[str], targets: list[str | None], rows: list[list[str]]) -> list[dict[str, Any]]:
    """What the preview shows of the columns: [{"name", "field": target or None, "example": its first cell with text}]."""
    return [
        {
            "name": name,
            "field": target,
            "example": _cells.shown(next((row[at] for row in rows if len(row) > at and row[at].strip()), ""), 200),
        }
        for at, (name, target) in enumerate(zip(header, targets, strict=True))
    ]
