"""Tables in text: rows with their lines, whatever sign parts the cells."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from sync.errors import BadPayload
from sync.text import HEAD, delimiter_of, looks_like

# The standard limit of 131,072 refuses a whole file for one long review; fields are cut to size later.
MAX_CELL = 8 * 2**20
csv.field_size_limit(MAX_CELL)

# A line of our own after the last: if the reader does not give it back alone, a quotation mark is still open.
_END = "\x1eend of file\x1e"


@dataclass(frozen=True, slots=True)
class Line:
    """number: the line of the file on which the row begins, 1-based. last: nothing follows, not even a line break."""

    number: int
    cells: list[str]
    last: bool = False


def read_table(text: str, wanted: str) -> Iterator[Line]:
    """Every row that is not blank, the header among them.

    Raises BadPayload with the line where the text is none of a table (wanted: "an IMDb export").
    """
    if other := looks_like(text[:HEAD]):
        raise BadPayload(f"This is {other}, not {wanted}. Nothing was read.")
    skipped = 0
    delimiter = delimiter_of(text[:HEAD])
    if text[:4].lower() == "sep=":  # Excel's own first line
        delimiter, skipped = text[4:5] if text[4:5] in (";", "|", "\t") else ",", 1
    before: Line | None = None
    for row in _lines(text, delimiter, skipped):
        if before:
            yield before
        before = row
    if before:
        yield Line(before.number, before.cells, last=not text.endswith(("\n", "\r")))


def _lines(text: str, delimiter: str, skipped: int) -> Iterator[Line]:
    source = io.StringIO(text, newline="")
    for _ in range(skipped):
        source.readline()
    reader = csv.reader(chain(source, [_END]), delimiter=delimiter)
    start = skipped + 1
    try:
        for cells in reader:
            if cells == [_END]:
                return
            if cells and cells[-1].endswith(_END):
                raise BadPayload("A quotation mark is opened and never closed. Nothing was read.", line=start)
            if any(cell.strip() for cell in cells):
                yield Line(start, cells)
            start = skipped + reader.line_num + 1
    except csv.Error as e:
        raise BadPayload(f"This is no row of a table: {e}. Nothing was read.", line=start) from None


def width(cells: list[str]) -> int:
    """Cells up to the last that holds something: spreadsheets fill rows up with empty ones."""
    return max((n for n, cell in enumerate(cells, 1) if cell.strip()), default=0)


def misfit(row: Line, columns: int) -> str | None:
    """Why a row cannot be laid under a header of so many columns, as a sentence; None if it can."""
    if width(row.cells) > columns:
        return f"There are {width(row.cells)} cells where the header has {columns}: is a quotation mark missing?"
    if row.last and len(row.cells) < columns:
        return f"The row breaks off after {len(row.cells)} of {columns} cells."
    return None
