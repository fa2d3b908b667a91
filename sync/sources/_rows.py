"""What the table-like formats share: a row's cells, named by target, become a Record."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

from lists.records import NotTaken, Record, Row, Unreadable
from sync.errors import BadPayload
from sync.sources._cells import kind_of, web_address
from sync.sources._columns import ids_of, place_of, read_cells, unguarded, year_from_title
from sync.sources._ids import external_ids, ids_in_address, kind_beside, row_key
from sync.sources._json import excerpt

_OF_TRACKS = {"artist", "cue_ms", "isrc"}


def parse_cells(
    cells: dict[str, Any], *, place: int, line: int | None = None, default: str = "", month_first: bool = False
) -> Record | NotTaken:
    """cells: by target (sync.sources._columns.TARGETS). default: the kind of a row that does not say.

    month_first: what 3/4/2010 means. Raises BadPayload for a cell that cannot be read and a row that says nothing.
    """
    ref, cells = unguarded(cells)
    linked = {} if ref else _linked(cells)
    kind = _kind(cells, linked, default)
    if kind == "person":
        return NotTaken(line, "person")
    values = read_cells(cells, month_first=month_first, as_written=bool(ref), plays=kind == "track")
    if kind in ("movie", "show") and not ref:
        values = year_from_title(values)
    ids = linked | external_ids(ids_of(cells), kind)
    return Record(
        key=row_key(kind, ids, values, place),
        kind=kind,
        values=values,
        ids=ids,
        position=place_of(cells.get("position"), place),
        line=line,
        ref=ref,
    )


def known_key(cells: dict[str, Any], *, place: int, default: str = "") -> str | None:
    """The key of a row that cannot be read otherwise, so that it counts as present; None if it cannot be told."""
    linked = _linked(cells)
    kind = _kind(cells, linked, default)
    names: dict[str, Any] = {}
    for name in ("title", "year", "artist"):
        with suppress(BadPayload):
            names |= read_cells({name: cells.get(name)})
    if kind in ("movie", "show"):
        names = year_from_title(names)
    try:
        return row_key(kind, linked | external_ids(ids_of(cells), kind), names, place)
    except BadPayload:
        return None


def _linked(cells: dict[str, Any]) -> dict[str, str]:
    return ids_in_address(web_address(cells.get("address")) or "")


def _kind(cells: dict[str, Any], linked: dict[str, str], default: str) -> str:
    """What the row says; else what stands beside its ids; else what the list holds; else what its columns look like."""
    stated = kind_of(cells.get("kind")) or kind_of(cells.get("title_type"))
    beside = (kind for cell in (*ids_of(cells).values(), linked.get("tmdb")) if (kind := kind_beside(cell)))
    by_columns = "track" if _OF_TRACKS & cells.keys() and not ids_of(cells) else "movie"
    return stated or next(beside, None) or default or by_columns


def each_item(
    items: Iterable[Any],
    parse: Callable[[Any, int], Record | NotTaken],
    *,
    key_of: Callable[[Any], str | None],
    line_of: Callable[[int], int | None] = lambda place: None,
    before: int = 0,
) -> Iterator[Row]:
    """The items of a JSON list as rows. parse: of an item and its place; raises BadPayload. key_of: of an item that cannot be
    read otherwise. line_of: of a place in this list; before: places that other lists of the file have taken."""
    for place, item in enumerate(items, 1):
        try:
            row = parse(item, before + place)
        except BadPayload as e:
            yield Unreadable(line_of(place), str(e), excerpt(item), key_of(item))
        else:
            yield NotTaken(line_of(place), row.what) if isinstance(row, NotTaken) else row


def media_only(rows: Iterable[Row]) -> Iterator[Row]:
    """The rows as they are; raises BadPayload at the end if every one was read well and none is a medium."""
    others: Counter[str] = Counter()
    media = False
    for row in rows:
        if isinstance(row, NotTaken):
            others[row.what] += 1
        media = media or isinstance(row, Record | Unreadable)
        yield row
    if others and not media:
        counts = ", ".join(f"{n} {what}{'s' if n > 1 else ''}" for what, n in others.items())
        raise BadPayload(f"The file holds no media: {counts}. Nothing was read.")
