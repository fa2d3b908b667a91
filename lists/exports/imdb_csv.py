"""CSV in the layout of IMDb's own list exports, with columns of ours behind it."""

import csv
import io
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from lists.exports._base import BLOCK, Export, Line, register, snapshot
from lists.models import MediaList, Version

IMDB = (
    "Position", "Const", "Created", "Modified", "Description", "Title", "Original Title", "URL", "Title Type",
    "IMDb Rating", "Runtime (mins)", "Year", "Genres", "Num Votes", "Release Date", "Directors", "Your Rating",
    "Date Rated",
)  # fmt: skip
OURS = ("Listkeeper", "TMDb", "TVDb", "Kind")
PLAYS = ("Artist", "Start")  # IMDb has no word for them; a tracklist without them would be a list of song titles

# A spreadsheet would run such a cell as a formula. Apostrophes before it count, so that taking one off is the inverse.
# The full-width forms are taken for the plain ones where a spreadsheet speaks Chinese or Japanese.
_FORMULA = re.compile(r"'*[=+\-@\t\r＝＋－＠]")


@register
class ImdbCsv(Export):
    """A cell holds what the list shows and nothing else: read back, an untouched file changes nothing."""

    key, label, content_type, extension = "csv", "CSV (IMDb layout)", "text/csv; charset=utf-8", "csv"

    def write(self, list_: MediaList, *, user: Any, version: Version | None = None) -> Iterator[bytes]:
        shown = snapshot(list_, version)
        plays = list_.content == MediaList.Content.TRACKS
        yield _rows([(*IMDB, *OURS, *(PLAYS if plays else ()))])
        while block := list(islice(shown.lines, BLOCK)):
            yield _rows([_cells(line, f"{list_.uid}/{line.entry.pk}@{shown.version}", plays) for line in block])


def _rows(rows: list[tuple[str, ...]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([[guarded(cell) for cell in row] for row in rows])
    return out.getvalue().encode()


def guarded(cell: str) -> str:
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _cells(line: Line, ref: str, plays: bool) -> tuple[str, ...]:
    shown, ids = line.entry.values, line.ids
    cells = (
        str(line.position), ids.get("imdb", ""), shown.get("added_on", ""), "", shown.get("note", ""),
        shown.get("title", ""), shown.get("original_title", ""), shown.get("address", ""), shown.get("title_type", ""),
        _number(shown.get("rating")), _minutes(shown.get("runtime_s")), _number(shown.get("year")),
        ", ".join(shown.get("genres", ())), _number(shown.get("votes")), shown.get("release_date", ""),
        ", ".join(shown.get("directors", ())), _number(shown.get("your_rating")), shown.get("rated_on", ""),
        ref, ids.get("tmdb", ""), ids.get("tvdb", ""), line.entry.kind,
    )  # fmt: skip
    return (*cells, shown.get("artist", ""), _clock(shown.get("cue_ms"))) if plays else cells


def _number(value: float | None) -> str:
    return "" if value is None else str(value).removesuffix(".0")


def _minutes(seconds: int | None) -> str:
    """Whole minutes as IMDb writes them; what is no whole minute as 0:03:25, which loses nothing."""
    if seconds is None:
        return ""
    return str(seconds // 60) if seconds % 60 == 0 else _clock(seconds * 1000)


def _clock(ms: int | None) -> str:
    if ms is None:
        return ""
    seconds, part = divmod(ms, 1000)
    text = f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{text}.{part:03}" if part else text
