"""Tables in text: rows with their lines, whatever sign parts the cells."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from django.conf import settings

from sync.errors import BadPayload
from sync.text import HEAD, delimiter_of, looks_like

# The standard limit of 131,072 refuses a whole file for one long review; fields are cut to size later.
csv.field_size_limit(settings.CSV_CELL_MIB * 2**20)

MAX_CELLS = 1_000_000  # of one row, commas in its text among them: the reader would fill the memory with empty cells
_LINE = re.compile(r"(?=[\s\S])[^\r\n]*+(?:\r\n?|\n)?")

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
    lines = _Lines(text, delimiter)
    for _ in range(skipped):
        next(lines, None)
    reader = csv.reader(chain(lines, [_END]), delimiter=delimiter)
    start = skipped + 1
    try:
        for cells in reader:
            lines.signs = 0
            if cells == [_END]:
                return
            if cells and cells[-1].endswith(_END):
                raise BadPayload("A quotation mark is opened and never closed. Nothing was read.", line=start)
            if any(cell.strip() for cell in cells):
                yield _narrow(Line(start, cells))
            start = skipped + reader.line_num + 1
    except csv.Error as e:
        raise BadPayload(f"This is no row of a table: {e}. Nothing was read.", line=start) from None


class _Lines:
    """The lines of a text with their ends, one at a time: a StringIO would take four bytes for every letter.

    signs: how many delimiters came since somebody set it to 0. Raises BadPayload where there are too many.
    """

    def __init__(self, text: str, delimiter: str):
        self._found = _LINE.finditer(text)
        self._delimiter = delimiter
        self.signs = 0
        self._number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._found)[0]
        self._number += 1
        self.signs += line.count(self._delimiter)
        if self.signs > MAX_CELLS:
            raise BadPayload(f"A row has more than {MAX_CELLS:,} cells. Nothing was read.", line=self._number)
        return line


def _narrow(row: Line) -> Line:
    """Raises BadPayload for a row that is no row of a list."""
    if width(row.cells) > settings.CSV_COLUMNS:
        raise BadPayload(
            f"A row has {width(row.cells):,} cells; {settings.CSV_COLUMNS} are read. Nothing was read.", line=row.number
        )
    return row


def width(cells: list[str]) -> int:
    """Cells up to the last that holds something: spreadsheets fill rows up with empty ones."""
    return next((n for n in range(len(cells), 0, -1) if cells[n - 1].strip()), 0)


def misfit(row: Line, columns: int) -> str | None:
    """Why a row cannot be laid under a header of so many columns, as a sentence; None if it can."""
    if width(row.cells) > columns:
        return f"There are {width(row.cells)} cells where the header has {columns}: is a quotation mark missing?"
    if row.last and len(row.cells) < columns:
        return f"The row breaks off after {len(row.cells)} of {columns} cells."
    return None
