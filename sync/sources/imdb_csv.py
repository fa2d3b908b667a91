"""The exports of IMDb (lists, watchlists, ratings), of every year since 2011, and our own in the same layout."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from lists.records import NotTaken, Record, Row, Unreadable
from lists.titles import fold
from sync.adapters import Context, FileAdapter, register
from sync.errors import BadPayload
from sync.sources._cells import shown, text
from sync.sources._columns import described, target_named
from sync.sources._csv import Line, misfit, read_table
from sync.sources._rows import media_only, parse_cells
from sync.text import Sniff

# Where IMDb's word means something else than the same word in other tables.
_COLUMNS = {"description": "note", "modified": None, "type": "title_type"}


@register
class ImdbCsv(FileAdapter):
    key = "imdb_csv"
    label = "IMDb export (CSV)"
    help = "A list, watchlist or ratings export from imdb.com/exports, as it was downloaded."
    kinds = frozenset({"movie", "show", "episode", "other"})

    @classmethod
    def recognises(cls, sniff: Sniff) -> float:
        return 0.95 if any(_is_header(row) for row in sniff.rows) else 0

    def fetch(self, ctx: Context) -> Iterator[Row]:
        yield from media_only(_rows(ctx.text))

    def columns(self, ctx: Context) -> list[dict[str, Any]]:
        rows = _table(ctx.text)
        header = next(rows).cells
        return described(header, _targets(header), [row.cells for row in islice(rows, 20)])


def _is_header(cells: tuple[str, ...] | list[str]) -> bool:
    names = {fold(cell) for cell in cells}
    return "const" in names and bool(names & {"title", "name"})


def _table(content: str) -> Iterator[Line]:
    """The rows from the header on."""
    rows = read_table(content, "an IMDb export")
    for row in rows:
        if _is_header(row.cells):
            yield row
            yield from rows
            return
    raise BadPayload("There is no header with the columns Const and Title: this is no IMDb export.")


def _targets(header: list[str]) -> list[str | None]:
    """What each column holds. Older ratings exports name the column after its user: "jdoe rated"."""
    targets: list[str | None] = []
    for name in map(fold, header):
        target = _COLUMNS[name] if name in _COLUMNS else target_named(name)
        if target is None and name.endswith(" rated"):
            target = "your_rating"
        targets.append(None if target in targets else target)
    return targets


def _rows(content: str) -> Iterator[Row]:
    rows = _table(content)
    targets = _targets(next(rows).cells)
    for place, row in enumerate(rows, 1):
        yield _row(row, targets, place)


def _row(row: Line, targets: list[str | None], place: int) -> Row:
    cells = {target: cell for target, cell in zip(targets, row.cells, strict=False) if target}
    try:
        if reason := misfit(row, len(targets)):
            raise BadPayload(reason)
        return parse_row(cells, place=place, line=row.number)
    except BadPayload as e:
        const = text(cells.get("id:imdb"))
        key = const if re.fullmatch(r"tt\d{7,10}", const) else None
        return Unreadable(row.number, str(e), shown(",".join(row.cells), 200), key)


def parse_row(cells: dict[str, str], *, place: int, line: int | None = None) -> Record | NotTaken:
    """cells: by field name ("title", "runtime_s" in minutes, "id:imdb", "position", "kind", "ref"). Raises BadPayload."""
    if text(cells.get("id:imdb")).startswith("nm"):
        return NotTaken(line, "person")
    row = parse_cells(cells, place=place, line=line, default="movie", month_first=True)
    return replace(row, key=row.ids["imdb"]) if isinstance(row, Record) and "imdb" in row.ids else row
