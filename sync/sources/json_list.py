"""Lists in plain JSON, as StevenLu, MDBList, Radarr's custom lists and many scripts write them."""

import re
from collections.abc import Iterator
from typing import Any

from django import forms

from lists.records import About, NotTaken, Record, Row, Unreadable
from sync.adapters import Context, FileAdapter, register
from sync.errors import BadPayload
from sync.sources._cells import filled, text
from sync.sources._columns import readable, target_named
from sync.sources._ids import ids_in_address
from sync.sources._json import Document, excerpt
from sync.sources._rows import known_key, media_only, parse_cells
from sync.text import Sniff

# Where an object keeps its list, and what the name says of the items.
_LISTS = {
    "items": "", "movies": "movie", "films": "movie", "shows": "show", "series": "show", "tv": "show", "results": "",
    "data": "", "tracks": "track",
}  # fmt: skip
_WRAPPED = ("movie", "show")
_KINDS = [("", "As the items say"), ("movie", "Films"), ("show", "Shows"), ("track", "Tracks")]
_VITAL = {"title", "year", "position"}  # what cannot be read among the rest is left out; here the item is unreadable
_LONE_IMDB = re.compile(r"tt\d{7,10}")


@register
class JsonList(FileAdapter):
    key = "json_list"
    label = "JSON list"
    help = "A list of titles, ids or objects: StevenLu, MDBList, Radarr custom lists and the like."
    kinds = frozenset({"movie", "show", "season", "episode", "track", "other"})

    class Config(FileAdapter.Config):
        kind = forms.ChoiceField(choices=_KINDS, required=False, label="What the items are")

    @classmethod
    def recognises(cls, sniff: Sniff) -> float:
        if sniff.json is None:
            return 0
        if isinstance(sniff.document, list) and sniff.document:
            return 0.6 if _named(sniff.document[0]) or isinstance(sniff.document[0], str | int) else 0.3
        return 0.5 if isinstance(sniff.document, dict) and _lists_in(sniff.document) else 0.2

    def fetch(self, ctx: Context) -> Iterator[Row]:
        document = Document(ctx.text)
        if _is_of_provider(document.value):
            raise BadPayload(
                "This is a part of an IPTV provider's catalogue. Nothing was read. Upload the provider's playlist (M3U) instead."
            )
        stated = ctx.config.get("kind") or ""
        if isinstance(document.value, list):
            yield from media_only(_rows(document.value, stated, document, None))
        else:
            yield from media_only(_of_object(document, stated))


def _is_of_provider(value: Any) -> bool:
    """An answer of the Xtream kind: its numbers are the provider's own, and its channels are no films."""
    first = value[0] if isinstance(value, list) and value else None
    return isinstance(first, dict) and bool(first.keys() & {"stream_id", "series_id"}) and "category_id" in first


def _named(item: Any) -> bool:
    return isinstance(item, dict) and any(target_named(key) for key in item)


def _lists_in(top: dict[str, Any]) -> list[str]:
    return [key for key in top if key.lower() in _LISTS and isinstance(top[key], list)]


def _of_object(document: Document, stated: str) -> Iterator[Row]:
    top: dict[str, Any] = document.value
    if refusal := _refusal(top):
        raise BadPayload(f'The file holds an error in place of a list: "{refusal}". Nothing was read.')
    keys = _lists_in(top)
    if not keys:
        seen = ", ".join(key[:40] for key in list(top)[:20]) or "none"
        raise BadPayload(f"There is no list in this object. Its keys are: {seen}. Nothing was read.")
    if title := text(top.get("name")) or text(top.get("title")):
        yield About(title)
    before = 0
    for key in keys:
        yield from _rows(top[key], _LISTS[key.lower()] or stated, document, key, before)
        before += len(top[key])


def _refusal(top: dict[str, Any]) -> str | None:
    """The text of an error that a service sends with a good status: {"errors": [...]}, {"response": false, "error": ...}."""
    if errors := top.get("errors"):
        first = errors[0] if isinstance(errors, list) else errors
        return text(first.get("message") if isinstance(first, dict) else first)[:200] or "it gives no reason"
    failed = top.get("response") is False or top.get("success") is False
    error = text(top.get("error")) or text(top.get("status_message"))
    return (error[:200] or "it gives no reason") if failed or (error and not _lists_in(top)) else None


def _rows(items: list[Any], kind: str, document: Document, key: str | None, before: int = 0) -> Iterator[Row]:
    for place, item in enumerate(items, 1):
        try:
            row = parse_row(item, place=before + place, kind=kind)
        except BadPayload as e:
            line = document.line_of(place, key)
            yield Unreadable(
                line, str(e), excerpt(item), known_key(_cells_of(item, kind), place=before + place, default=kind)
            )
        else:
            yield NotTaken(document.line_of(place, key), row.what) if isinstance(row, NotTaken) else row


def parse_row(item: Any, *, place: int, kind: str = "") -> Record | NotTaken:
    """An item of a list: a title, an id or an object. kind: what the list is known to hold; "" if nobody says.

    Raises BadPayload.
    """
    return parse_cells(_cells_of(item, kind), place=place, default=kind)


def parse_item(item: Any, place: int) -> Record | NotTaken:
    """As parse_row() does, of a list that says nothing of what it holds."""
    return parse_row(item, place=place)


def known_key_of(item: Any) -> str | None:
    """The key of an item that cannot be read otherwise."""
    return known_key(_cells_of(item, ""), place=0)


def _cells_of(item: Any, kind: str) -> dict[str, Any]:
    """By target, as sync.sources._columns names them."""
    if isinstance(item, bool) or not isinstance(item, str | int | dict):
        return {}
    if isinstance(item, int):
        return {"id:tmdb": item}
    if isinstance(item, str):
        return _cells_of_text(item)
    wrapped = next((word for word in _WRAPPED if isinstance(item.get(word), dict)), None)
    if wrapped:  # {"rank": 1, "movie": {...}}
        outer = {key: item[key] for key in ("rank", "position", "listed_at", "added_at") if key in item}
        return _cells_of_object(outer | item[wrapped]) | {"kind": wrapped}
    return _cells_of_object(item, typed=bool(kind))


def _cells_of_text(item: str) -> dict[str, Any]:
    if _LONE_IMDB.fullmatch(item.strip()):
        return {"id:imdb": item}
    return {"address": item} if ids_in_address(item.strip()) else {"title": item}


def _cells_of_object(item: dict[str, Any], typed: bool = True) -> dict[str, Any]:
    """typed: the list says what it holds, so that a bare number called "id" can be TMDb's."""
    cells: dict[str, Any] = {}
    for name, cell in item.items():
        target = target_named(name)
        if target is None or (target in cells and name.lower() != target):  # "title" goes before "name"
            continue
        if target in _VITAL or readable(target, [cell]):
            cells[target] = cell
    nested = next((ids for name, ids in item.items() if name.lower() == "ids" and isinstance(ids, dict)), {})
    for namespace, cell in nested.items():
        cells.setdefault(f"id:{namespace.lower()}", cell)
    bare = next((cell for name, cell in item.items() if name.lower() == "id"), None)
    if _LONE_IMDB.fullmatch(text(bare)):
        cells.setdefault("id:imdb", bare)
    elif typed or "kind" in cells or not cells:
        cells.setdefault("id:tmdb", bare)
    return filled(cells)
