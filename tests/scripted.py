"""Sources that live in the tests: JSON rows that say exactly what a Record says, uploaded or fetched."""

import json
from collections.abc import Iterator
from pathlib import Path

from lists.records import NotTaken, Record, Row, Unreadable
from sync.adapters import Adapter, Context, FileAdapter, register
from sync.errors import BadPayload, SourceUnavailable
from sync.text import Sniff


@register
class Scripted(FileAdapter):
    """[{"key", "kind", "title", "ids", ...}]; {"broken": "key"} and {"person": true} stand for rows that are none."""

    key, label, kinds = "scripted", "Scripted rows", frozenset({"movie", "show", "track"})

    @classmethod
    def recognises(cls, sniff: Sniff) -> float:
        return 0.0

    def fetch(self, ctx: Context) -> Iterator[Row]:
        try:
            rows = json.loads(ctx.body)
        except ValueError as e:
            raise BadPayload("This is not JSON.") from e
        for place, row in enumerate(rows, 1):
            if "broken" in row:
                yield Unreadable(place, "It is broken.", key=row["broken"])
            elif "person" in row:
                yield NotTaken(place, "person")
            else:
                row = dict(row)
                yield Record(
                    key=row.pop("key"), kind=row.pop("kind", "movie"), ids=row.pop("ids", {}), ref=row.pop("ref", None),
                    position=row.pop("position", place), line=place, values=row,
                )  # fmt: skip


@register
class ScriptedLive(Adapter):
    """A source that is fetched: the rows of a file that a test rewrites; {"fail": "..."} stands for a bad day."""

    key, label, kinds = "scripted_live", "Scripted source", frozenset({"movie", "show", "track"})

    def fetch(self, ctx: Context) -> Iterator[Row]:
        body = Path(ctx.config["path"]).read_bytes()
        answer = json.loads(body)
        if isinstance(answer, dict):
            raise SourceUnavailable(answer["fail"])
        yield from Scripted().fetch(Context(body))
