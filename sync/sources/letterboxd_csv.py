"""What Letterboxd exports of an account (watchlist, watched, ratings, diary, reviews, likes/films, lists/*), and the layout
that its importer takes, in which we export too.

Layouts: https://letterboxd.com/settings/data/ and https://letterboxd.com/about/importing-data/
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice, pairwise
from typing import Any

from lists.fields import FIELDS
from lists.records import About, NotTaken, Record, Row, Unreadable
from sync.adapters import Context, FileAdapter, register
from sync.errors import BadPayload
from sync.sources._cells import decimal, filled, shown, text
from sync.sources._columns import described
from sync.sources._csv import Line, misfit, read_table
from sync.sources._ids import own_ref
from sync.sources._letterboxd import folded, other_part
from sync.sources._rows import known_key, parse_cells
from sync.text import Sniff

_LIST = "letterboxd list export"  # how the first line of a list begins
_PREAMBLE = 10  # rows in which the header of the films is looked for: a list says first what it is
_YES = {"yes", "true", "1"}
_COLUMNS = {
    "date": "added_on", "name": "title", "title": "title", "year": "year", "directors": "directors", "position": "position",
    "letterboxd uri": "address", "letterboxduri": "address", "url": "address", "rating": "your_rating",
    "rating10": "your_rating", "rewatch": "rewatch", "watched date": "watched_on", "watcheddate": "watched_on",
    "tags": "labels", "review": "note", "description": "note", "tmdbid": "id:tmdb", "imdbid": "id:imdb", "listkeeper": "ref",
}  # fmt: skip


@register
class LetterboxdCsv(FileAdapter):
    key = "letterboxd_csv"
    label = "Letterboxd (CSV)"
    help = (
        "A file of the account's export (watchlist, ratings, diary, a list), or a table in the layout of its importer."
    )
    kinds = frozenset({"movie"})

    @classmethod
    def recognises(cls, sniff: Sniff) -> float:
        own = sniff.head[:200].lstrip().lower().startswith(_LIST) or "boxd.it/" in sniff.head
        return max((_likeness(row, own) for row in sniff.rows), default=0)

    def fetch(self, ctx: Context) -> Iterator[Row]:
        table = _Table.of(ctx.text)
        if table.about:
            yield table.about
        rows = (_row(row, table.layout, place) for place, row in enumerate(table.rows, 1))
        yield from _once_a_film(rows) if table.layout.logs else rows

    def columns(self, ctx: Context) -> list[dict[str, Any]]:
        table = _Table.of(ctx.text)
        return described(table.header, table.layout.targets, [row.cells for row in islice(table.rows, 20)])


@dataclass(frozen=True, slots=True)
class _Layout:
    """targets: what each column holds. stars: ratings are of five. logs: each row is an entry of a diary: its address is
    the entry's, not the film's, and a film may come several times."""

    targets: list[str | None]
    stars: bool
    logs: bool

    @classmethod
    def of(cls, header: Iterable[str]) -> "_Layout | None":
        """None if these are not the columns of a table of films."""
        names = folded(header)
        there = set(names)
        exported = _is_export(there)
        if not exported and not _is_import(there):
            return None
        logs = exported and bool(there & {"watched date", "rewatch"})
        targets: list[str | None] = []
        for name in names:
            target = _COLUMNS.get(name)
            if name == "date" and "rating" in there and not logs:
                target = "rated_on"
            elif name == "rating" and "rating10" in there:
                target = None
            targets.append(None if target in targets else target)
        return cls(targets, stars="rating10" not in there, logs=logs)


def _is_export(names: set[str]) -> bool:
    return names >= {"name", "year", "letterboxd uri"} or names >= {"position", "name", "year", "url"}


def _is_import(names: set[str]) -> bool:
    """LetterboxdURI alone is enough for its importer; the other marks need something that says which film it is."""
    return "letterboxduri" in names or bool(
        names & {"rating10", "watcheddate"} and names & {"title", "imdbid", "tmdbid"}
    )


def _likeness(row: tuple[str, ...], own: bool) -> float:
    names = set(folded(row))
    if names >= {"name", "year", "letterboxd uri"} or "letterboxduri" in names:
        return 0.95
    if _is_export(names):
        return 0.95 if own else 0
    return 0.9 if _is_import(names) else 0


@dataclass(frozen=True, slots=True)
class _Table:
    """rows: those below the header, read once."""

    header: list[str]
    layout: _Layout
    about: About | None
    rows: Iterator[Line]

    @classmethod
    def of(cls, content: str) -> "_Table":
        """Raises BadPayload if there is no table of films."""
        rows = read_table(content, "an export of Letterboxd")
        start = list(islice(rows, _PREAMBLE))
        for at, row in enumerate(start):
            if layout := _Layout.of(row.cells):
                header = [cell.strip() for cell in row.cells]
                return cls(header, layout, _about(start[:at]), chain(start[at + 1 :], rows))
        if start and (what := other_part(start[0].cells)):
            raise BadPayload(
                f"This is {what} of a Letterboxd account and holds no films. Nothing was read. Take watchlist.csv, "
                "ratings.csv, diary.csv or a file of the folder lists."
            )
        raise BadPayload(
            "There is no header with the columns Name, Year and Letterboxd URI: this is no list of Letterboxd. "
            "Nothing was read. Take a file as Letterboxd exported it, or read this one as a table."
        )


def _about(before: list[Line]) -> About | None:
    """A list has a table of its own before its films: one row that says what it is."""
    for head, row in pairwise(before):
        said = dict(zip(folded(head.cells), row.cells, strict=False))
        if said.keys() >= {"date", "name"}:
            facts = {"url": text(said.get("url"))[:1000], "tags": text(said.get("tags"))[:1000]}
            facts["description"] = text(said.get("description"))[: FIELDS["overview"].limit]
            return About(text(said["name"])[:200], filled(facts))
    return None


def _row(row: Line, layout: _Layout, place: int) -> Row:
    cells = {target: cell for target, cell in zip(layout.targets, row.cells, strict=False) if target}
    try:
        if reason := misfit(row, len(layout.targets)):
            raise BadPayload(reason)
        return parse_row(cells, layout, place=place, line=row.number)
    except BadPayload as e:
        key = known_key(_named(cells, layout), place=place, default="movie")
        return Unreadable(row.number, str(e), shown(",".join(row.cells), 200), key)


def parse_row(cells: dict[str, Any], layout: _Layout, *, place: int, line: int | None = None) -> Record | NotTaken:
    """cells: by target, as they stand in the file. Raises BadPayload."""
    cells = _named(cells, layout)
    if layout.stars and "your_rating" in cells:
        cells["your_rating"] = _of_ten(cells["your_rating"])
    if "rewatch" in cells:  # a No says nothing more than an empty cell
        cells["rewatch"] = 1 if text(cells["rewatch"]).lower() in _YES else None
    return parse_cells(cells, place=place, line=line, default="movie")


def _named(cells: dict[str, Any], layout: _Layout) -> dict[str, Any]:
    """With the film's id where the address is the film's. In our own exports the address was made of the id, so it is no
    word of its own there."""
    cells = dict(cells)
    if not layout.logs:
        cells["id:letterboxd"] = cells.get("address")
        if own_ref(cells.get("ref")):
            cells.pop("address", None)
    return cells


def _of_ten(stars: Any) -> float | None:
    number = decimal(stars, "Rating")
    if number is not None and number > 5:
        raise BadPayload(f'Rating must be a number from 0 to 5, not "{shown(stars)}".')
    return None if number is None else number * 2


def _once_a_film(rows: Iterable[Row]) -> Iterator[Row]:
    """A diary has a row each time that a film was seen; a list has each film once."""
    films: dict[str, Record] = {}
    for row in rows:
        if isinstance(row, Record):
            films[row.key] = _later(films[row.key], row) if row.key in films else row
        else:
            yield row
    for place, film in enumerate(films.values(), 1):
        yield replace(film, position=place)


def _later(one: Record, other: Record) -> Record:
    """What the later log says, and where it is silent the earlier. A film that was watched again stays so."""
    earlier, later = sorted(
        (one, other), key=lambda log: log.values.get("watched_on") or log.values.get("added_on") or ""
    )
    return replace(one, values=earlier.values | later.values)
