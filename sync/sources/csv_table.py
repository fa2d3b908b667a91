"""Any table with a header: CSV, TSV or with semicolons. Columns are guessed by name and content, or mapped by a person."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, ClassVar

from django import forms

from lists.fields import FIELDS
from lists.records import Row, Unreadable
from sync.adapters import Context, FileAdapter, register
from sync.errors import BadPayload
from sync.sources._cells import is_blank, shown
from sync.sources._columns import IDS, TARGETS, described, readable, target_named
from sync.sources._csv import Line, misfit, read_table
from sync.sources._letterboxd import other_part
from sync.sources._rows import known_key, media_only, parse_cells
from sync.text import Sniff, looks_like

_IMDB_ID = re.compile(r"tt\d{7,10}")
_IDENTIFYING = {"title", *IDS}
# Letterboxd means its user's own words by these two; its short links give its files away.
_LETTERBOXD = {"overview": "note", "rating": "your_rating"}
_PREAMBLE = 10  # rows in which a header is looked for
_EXAMPLES = 20  # rows that a guess looks at

_KINDS = [("", "Films, unless the rows say otherwise"), ("movie", "Films"), ("show", "Shows"), ("track", "Tracks")]
_LABELS = {"position": "Position", "kind": "Type", "ref": "Listkeeper's own mark"}
_LABELS |= {"id:imdb": "IMDb id", "id:tmdb": "TMDb id", "id:tvdb": "TVDb id", "id:trakt": "Trakt id"}
_LABELS |= {"id:simkl": "Simkl id", "id:anilist": "AniList id", "id:mal": "MyAnimeList id"}


@register
class CsvTable(FileAdapter):
    key = "csv_table"
    label = "Table (CSV)"
    help = "Any table with a header. What each column holds is guessed, and can be changed."
    kinds = frozenset({"movie", "show", "season", "episode", "track", "other"})
    # What a person may map a column to, for the form that shows the guess.
    targets: ClassVar = [("", "Not read"), *((t, _LABELS.get(t) or FIELDS[t].label) for t in TARGETS)]

    class Config(FileAdapter.Config):
        kind = forms.ChoiceField(choices=_KINDS, required=False, label="What the rows are")
        mapping = forms.JSONField(required=False, help_text='column -> field, for example {"0": "title", "3": ""}')

    @classmethod
    def recognises(cls, sniff: Sniff) -> float:
        if looks_like(sniff.head) or (sniff.rows and other_part(sniff.rows[0])):
            return 0
        _, named = _header_at(sniff.rows)
        if named:
            return 0.5 if named == 1 else 0.6
        if any(_IMDB_ID.fullmatch(cell) for row in sniff.rows for cell in row):
            return 0.4
        widths = {len(row) for row in sniff.rows}
        return 0.1 if len(sniff.rows) > 1 and len(widths) == 1 and widths != {1} else 0

    def fetch(self, ctx: Context) -> Iterator[Row]:
        yield from media_only(_rows(_Table.of(ctx), ctx.config.get("kind") or ""))

    def columns(self, ctx: Context) -> list[dict[str, Any]]:
        table = _Table.of(ctx, usable=False)
        return described(table.header, table.targets, [row.cells for row in table.first])


def _named(row: tuple[str, ...] | list[str]) -> int:
    """How many columns a row names if it is a header; 0 if it names no title and no id."""
    targets = {target_named(cell) for cell in row} - {None}
    return len(targets) if targets & _IDENTIFYING else 0


def _header_at(rows: Sequence[tuple[str, ...] | list[str]]) -> tuple[int, int]:
    """(which row is the header, how many columns it names). Further down one known word is a title, not a header."""
    counts = [(n if n > 1 or at == 0 else 0) for at, n in enumerate(map(_named, rows))]
    most = max(counts, default=0)
    return (counts.index(most), most) if most else (0, 0)


@dataclass(frozen=True, slots=True)
class _Table:
    """targets: what each column of the header holds, or None. first: the rows that the guess looked at."""

    header: list[str]
    targets: list[str | None]
    first: list[Line]
    rows: Iterator[Line]

    @classmethod
    def of(cls, ctx: Context, *, usable: bool = True) -> "_Table":
        """usable: raise BadPayload if no column holds a title or an id."""
        rows = read_table(ctx.text, "a table")
        start = list(islice(rows, _PREAMBLE))
        if not start:
            raise BadPayload("The table has no rows. Nothing was read.")
        at, _ = _header_at([row.cells for row in start])
        if any(_IMDB_ID.fullmatch(cell.strip()) for cell in start[at].cells):
            header = [f"Column {n}" for n in range(1, len(start[at].cells) + 1)]
        else:
            header = [cell.strip() for cell in start[at].cells]
            at += 1
        rows = chain(start[at:], rows)
        first = list(islice(rows, _EXAMPLES))
        targets = _mapped(header, _guessed(header, [row.cells for row in first]), ctx.config.get("mapping") or {})
        if usable and not _IDENTIFYING & set(targets):
            seen = ", ".join(name[:40] for name in header[:20])
            raise BadPayload(f"No column holds a title or an id. The columns are: {seen}. Nothing was read.")
        return cls(header, targets, first, chain(first, rows))


def _guessed(header: list[str], rows: list[list[str]]) -> list[str | None]:
    letterboxd = any("boxd.it/" in cell for row in rows for cell in row)
    targets: list[str | None] = [None] * len(header)
    for at in sorted(range(len(header)), key=lambda at: header[at].lower() not in TARGETS):  # "Title" before "Name"
        cells = [row[at].strip() for row in rows if len(row) > at and not is_blank(row[at])]
        target = target_named(header[at])
        if target is None and cells and all(_IMDB_ID.fullmatch(cell) for cell in cells):
            target = "id:imdb"
        if letterboxd and target:
            target = _LETTERBOXD.get(target, target)
        if target and target not in targets and readable(target, cells):
            targets[at] = target
    if "title" not in targets and header[0] == "Column 1":
        worded = (at for at, target in enumerate(targets) if not target and _holds_words(rows, at))
        for at in islice(worded, 1):
            targets[at] = "title"
    return targets


def _holds_words(rows: list[list[str]], at: int) -> bool:
    return any(len(row) > at and re.search(r"[^\W\d]", row[at]) for row in rows)


def _mapped(header: list[str], guessed: list[str | None], mapping: Any) -> list[str | None]:
    """The guess, overruled by a person column by column ("" is: not read). Raises BadPayload for what is no field."""
    if not isinstance(mapping, dict):
        raise BadPayload("The mapping must name a field for each column.")
    places = {str(at): at for at in range(len(header))}
    wanted: dict[int, str] = {}
    for column, target in mapping.items():
        if str(column) not in places:
            raise BadPayload(f"There is no column {column} in the table: it has {len(header)}, counted from 0.")
        if target and target not in TARGETS:
            raise BadPayload(f"There is no field called {target}.")
        wanted[places[str(column)]] = target or ""
    taken = set(wanted.values())
    return [
        (wanted[at] or None) if at in wanted else (None if target in taken else target)
        for at, target in enumerate(guessed)
    ]


def _rows(table: _Table, kind: str) -> Iterator[Row]:
    for place, row in enumerate(table.rows, 1):
        yield _row(row, table.targets, place, kind)


def _row(row: Line, targets: list[str | None], place: int, kind: str) -> Row:
    cells = {target: cell for target, cell in zip(targets, row.cells, strict=False) if target}
    try:
        if reason := misfit(row, len(targets)):
            raise BadPayload(reason)
        return parse_cells(cells, place=place, line=row.number, default=kind)
    except BadPayload as e:
        return Unreadable(
            row.number, str(e), shown(",".join(row.cells), 200), known_key(cells, place=place, default=kind)
        )
