"""What the Trakt API and its backups write: lists, watchlists, ratings, history, collections and charts.

Items come typed ({"type": "show", "show": {...}}), wrapped with counts ({"watchers": 9, "movie": {...}}) or bare.
"""

from collections.abc import Iterator
from typing import Any

from lists.records import NotTaken, Record, Row, Unreadable
from sync.adapters import Context, FileAdapter, register
from sync.errors import BadPayload
from sync.sources._cells import filled, text, whole
from sync.sources._columns import place_of, read_cells
from sync.sources._ids import external_ids, row_key
from sync.sources._json import Document, as_object, excerpt
from sync.sources._rows import media_only
from sync.text import Sniff

# The narrower first: an episode's item holds its show too.
_THINGS = ("episode", "season", "movie", "show", "person")
# Only shows have these where an item comes bare.
_OF_SHOWS = {"tvdb", "tvrage"}


@register
class TraktJson(FileAdapter):
    key = "trakt_json"
    label = "Trakt (JSON)"
    help = "A page of the Trakt API or a file of a Trakt backup."
    kinds = frozenset({"movie", "show", "season", "episode"})

    @classmethod
    def recognises(cls, sniff: Sniff) -> float:
        if sniff.document == []:
            return 0.3  # an empty page
        if not isinstance(sniff.document, list):
            return 0
        own = sum(_has_trakt_ids(item) for item in sniff.document)
        return 0.95 if own * 2 > len(sniff.document) else 0

    def fetch(self, ctx: Context) -> Iterator[Row]:
        document = Document(ctx.text)
        if not isinstance(document.value, list):
            raise BadPayload("This is not a list of Trakt items. Nothing was read.")
        yield from media_only(_row(item, place, document) for place, item in enumerate(document.value, 1))


def _has_trakt_ids(item: Any) -> bool:
    """Whether the item, or the thing wrapped in it, has ids in Trakt's manner. Seasons may lack Trakt's own number."""
    if not isinstance(item, dict):
        return False
    things = [item.get("ids"), *(part.get("ids") for part in item.values() if isinstance(part, dict))]
    return any(isinstance(ids, dict) and "trakt" in ids for ids in things)


def _row(item: Any, place: int, document: Document) -> Row:
    try:
        row = parse_row(item, place=place)
    except BadPayload as e:
        return Unreadable(document.line_of(place), str(e), excerpt(item), known_key(item))
    return NotTaken(document.line_of(place), row.what) if isinstance(row, NotTaken) else row


def parse_row(item: Any, *, place: int) -> Record | NotTaken:
    """One item of any answer of Trakt. Raises BadPayload."""
    kind, thing = _thing(item)
    if kind == "person":
        return NotTaken(None, "person")
    show = as_object(item.get("show")) if kind in ("season", "episode") else {}
    values = _values(item, thing) | _place_in_show(kind, thing, show)
    ids = external_ids(_ids(thing), kind)
    return Record(
        key=_own_key(kind, thing, show, values) or row_key(kind, ids, values, place),
        kind=kind,
        values=values,
        ids=ids,
        position=place_of(item.get("rank"), place),
    )


def _thing(item: Any) -> tuple[str, dict[str, Any]]:
    if not isinstance(item, dict):
        raise BadPayload("This is no Trakt item.")
    stated = item.get("type")
    for kind in (stated, *_THINGS):
        if kind in _THINGS and isinstance(item.get(kind), dict):
            return kind, item[kind]
    if stated in _THINGS or not isinstance(item.get("ids"), dict):
        raise BadPayload(f"There is no {stated if stated in _THINGS else 'film or show'} in this item.")
    if "number" in item:
        return "episode" if "season" in item else "season", item
    if "title" not in item and "name" in item:
        return "person", item
    return "show" if _OF_SHOWS & set(item["ids"]) else "movie", item


def _ids(thing: dict[str, Any]) -> dict[str, Any]:
    return as_object(thing.get("ids"))


def _own_key(kind: str, thing: dict[str, Any], show: dict[str, Any], values: dict[str, Any]) -> str | None:
    """Trakt's own number; seasons and episodes without one go by their show's and theirs."""
    if number := whole(_ids(thing).get("trakt"), "Trakt's id"):
        return f"{kind}/{number}"
    if "season" in values and (number := whole(_ids(show).get("trakt"), "Trakt's id")):
        episode = f"/episode/{values['episode']}" if "episode" in values else ""
        return f"show/{number}/season/{values['season']}{episode}"
    return None


def known_key(item: Any) -> str | None:
    try:
        kind, thing = _thing(item)
        return _own_key(kind, thing, {}, {})
    except BadPayload:
        return None


def _values(item: dict[str, Any], thing: dict[str, Any]) -> dict[str, Any]:
    told = {
        "title": "title", "original_title": "original_title", "year": "year", "runtime_s": "runtime", "votes": "votes",
        "rating": "rating", "language": "language", "release_status": "status", "overview": "overview", "genres": "genres",
    }  # fmt: skip
    cells = {name: thing.get(key) for name, key in told.items()}
    cells["release_date"] = thing.get("released") or thing.get("first_aired")
    if thing is not item:  # a rating beside the thing is its user's own
        cells["your_rating"], cells["rated_on"] = item.get("rating"), item.get("rated_at")
        cells["added_on"] = item.get("listed_at") or item.get("collected_at")
        cells["note"] = item.get("notes")
    return read_cells(cells)


def _place_in_show(kind: str, thing: dict[str, Any], show: dict[str, Any]) -> dict[str, Any]:
    if kind not in ("season", "episode"):
        return {}
    number = whole(thing.get("number"), "The number")
    season = number if kind == "season" else whole(thing.get("season"), "The season")
    show_title, title = text(show.get("title")), text(thing.get("title"))
    values: dict[str, Any] = {"show_title": show_title, "season": season}
    if kind == "season":
        name = title or ("Specials" if season == 0 else f"Season {season}")
        values["title"] = f"{show_title}: {name}" if show_title else name
    else:
        values |= {"episode": number, "title": title or f"Episode {number}"}
    return filled(values)
