"""CSV in the layout that Letterboxd's importer takes, with a mark of ours behind it.

https://letterboxd.com/about/importing-data/
"""

import csv
import io
from collections.abc import Iterator
from itertools import islice
from typing import Any

from lists.exports._base import BLOCK, Export, Line, register, snapshot
from lists.exports.imdb_csv import guarded
from lists.models import Entry, Item, MediaList, Version

LETTERBOXD = (
    "LetterboxdURI", "tmdbID", "imdbID", "Title", "Year", "Directors", "Rating10", "WatchedDate", "Tags", "Review",
)  # fmt: skip


@register
class LetterboxdCsv(Export):
    """Films only: shows and episodes are left out, because the importer would take them for films of that name or number.

    A cell holds what the list shows and nothing else: read back, an untouched file changes nothing. So a rating of 7.5
    stays one, although the importer takes whole numbers.
    """

    key, label, content_type, extension = "letterboxd", "CSV (Letterboxd layout)", "text/csv; charset=utf-8", "csv"
    contents = frozenset({MediaList.Content.FILMS.value})

    def fits(self, list_: MediaList) -> bool:
        """A list of shows alone would come out as a table of nothing."""
        listed = Entry.objects.filter(list=list_).listed()
        return super().fits(list_) and (listed.filter(kind=Item.Kind.MOVIE).exists() or not listed.exists())

    def write(self, list_: MediaList, *, user: Any, version: Version | None = None) -> Iterator[bytes]:
        shown = snapshot(list_, version)
        yield _rows([(*LETTERBOXD, "Listkeeper")])
        while block := list(islice(shown.lines, BLOCK)):
            films = [line for line in block if line.entry.kind == Item.Kind.MOVIE]
            yield _rows([_cells(line, f"{list_.uid}/{line.entry.pk}@{shown.version}") for line in films])


def _rows(rows: list[tuple[str, ...]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([[guarded(cell) for cell in row] for row in rows])
    return out.getvalue().encode()


def _cells(line: Line, ref: str) -> tuple[str, ...]:
    shown, ids = line.entry.values, line.ids
    letterboxd = ids.get("letterboxd")
    kind, _, tmdb = ids.get("tmdb", "").partition("/")
    return (
        f"https://boxd.it/{letterboxd}" if letterboxd else "", tmdb if kind == Item.Kind.MOVIE else "", ids.get("imdb", ""),
        shown.get("title", ""), str(shown.get("year", "")), ", ".join(shown.get("directors", ())),
        str(shown.get("your_rating", "")).removesuffix(".0"), shown.get("watched_on", ""),
        ", ".join(shown.get("labels", ())), shown.get("note", ""), ref,
    )  # fmt: skip
