"""The source of the measurements: a file of one JSON object a line, as an adapter reads a service's answer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import orjson

from lists.records import Raw, Record, Row
from sync.adapters import Adapter, Context, register


def parse_row(row: dict[str, Any], line: int) -> Record:
    ids = row["ids"]
    values = {
        "title": row["title"], "original_title": row["original_title"], "year": row["year"],
        "release_date": row["released"], "runtime_s": row["runtime"] * 60, "genres": row["genres"],
        "language": row["language"], "release_status": row["status"], "popularity": row["popularity"],
        "poster": row["poster"], "backdrop": row["backdrop"], "rating": row["rating"], "votes": row["votes"],
        "overview": row["overview"],
    }  # fmt: skip
    known = {"imdb": ids["imdb"], "tmdb": f"movie/{ids['tmdb']}"}
    if "tvdb" in ids:
        known["tvdb"] = f"movie/{ids['tvdb']}"
    return Record(key=ids["imdb"], kind="movie", values=values, ids=known, line=line)


@register
class Listing(Adapter):
    key, label, kinds = "bench_listing", "Made-up films", frozenset({"movie"})
    total: ClassVar[int] = 0  # how many rows the file has, as a service says that it lists so many
    way: ClassVar[str] = "parsed"  # what it hands on; no answer of the source's form, for that would be another source

    def fetch(self, ctx: Context) -> Iterator[Row | Raw]:
        path = Path(ctx.config["path"])
        if self.total:
            ctx.expect(self.total)
        if self.way == "body":
            with path.open("rb") as answer:
                ctx.compare(answer)
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if self.way == "parsed":
                    yield parse_row(orjson.loads(line), number)
                else:
                    yield Raw(line, _parse, number)


def _parse(raw: Raw) -> Row:
    return parse_row(orjson.loads(raw.data), raw.line or 0)
