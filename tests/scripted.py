"""Sources that live in the tests: JSON rows that say exactly what a Record says, uploaded or fetched."""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from django import forms
from django.db import DatabaseError

from lists.records import About, NotTaken, Raw, Record, Row, Unreadable
from sync.adapters import Adapter, Context, FileAdapter, register
from sync.errors import (
    AccessRefused,
    BadPayload,
    NotFound,
    NotModified,
    RateLimited,
    SourceRefused,
    SourceUnavailable,
)
from sync.http import CATALOGUE
from sync.text import Sniff

FAILURES = {
    "network": SourceUnavailable, "rate_limited": RateLimited, "not_found": NotFound, "auth": AccessRefused,
    "refused": SourceRefused, "parse": BadPayload, "database": DatabaseError, "memory": MemoryError, "internal": RuntimeError,
}  # fmt: skip


def meet(folder: Path, of: int) -> None:
    """Until so many processes are here, or half a minute has passed: then the test will see who did not come."""
    folder.mkdir(exist_ok=True)
    (folder / str(os.getpid())).touch()
    give_up = time.monotonic() + 30
    while len(list(folder.iterdir())) < of and time.monotonic() < give_up:
        time.sleep(0.005)


@register
class Scripted(FileAdapter):
    """[{"key", "kind", "title", "ids", ...}]; {"broken": "key"} and {"person": true} stand for rows that are none,
    {"sleep": seconds} for a source that hangs, {"hog": MiB} for one that takes memory, {"cut": "..."} for one that breaks
    off, {"meet": folder, "of": n} for one that waits until so many processes have come there, {"read_log": path} for one that
    writes down each time that it is read."""

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
            elif "about" in row:
                yield About("", row["about"])
            elif "sleep" in row:
                time.sleep(row["sleep"])
            elif "cut" in row:
                raise SourceUnavailable(row["cut"])
            elif "meet" in row:
                meet(Path(row["meet"]), row["of"])
            elif "read_log" in row:
                with Path(row["read_log"]).open("a") as notes:
                    notes.write(f"{os.getpid()}\n")
            elif "hog" in row:
                self.hoard = bytearray(b"x" * (row["hog"] << 20))
            else:
                row = dict(row)
                yield Record(
                    key=row.pop("key"), kind=row.pop("kind", "movie"), ids=row.pop("ids", {}), ref=row.pop("ref", None),
                    position=row.pop("position", place), line=place, values=row,
                )  # fmt: skip


@register
class ScriptedLive(Adapter):
    """A source that is fetched: the rows of a file that a test rewrites; {"fail": "..."} stands for a bad day, of the kind
    that "how" names. Two requests, one of which it knew the answer of."""

    key, label, kinds = "scripted_live", "Scripted source", frozenset({"movie", "show", "track"})

    class Config(forms.Form):
        path = forms.CharField(required=False)

    def fetch(self, ctx: Context) -> Iterator[Row | Raw]:
        body = Path(ctx.config.get("path") or ctx.address).read_bytes()
        ctx.meter.requests += 2
        ctx.meter.cache_hits += 1
        ctx.meter.cache_misses += 1
        answer = json.loads(body)
        if isinstance(answer, dict):
            raise FAILURES[answer.get("how", "network")](answer["fail"])
        yield from Scripted().fetch(Context(body))


@register
class ScriptedRaw(ScriptedLive):
    """The same, row by row and unread; {"same": true} stands for a service that says that nothing has changed."""

    key, label = "scripted_raw", "Scripted bytes"
    parsed: ClassVar[list[str]] = []  # titles of the rows that were read

    def fetch(self, ctx: Context) -> Iterator[Row | Raw]:
        answer = json.loads(Path(ctx.config["path"]).read_bytes())
        if isinstance(answer, dict):
            raise NotModified if "same" in answer else SourceUnavailable(answer["fail"])
        ctx.expect(len(answer))
        for line, row in enumerate(answer, 1):
            yield Raw(json.dumps(row).encode(), self.read, line)

    def read(self, raw: Raw) -> Row:
        self.parsed.append(json.loads(raw.data).get("title", "broken"))
        [row] = Scripted().fetch(Context(b"[%s]" % raw.data))
        return replace(row, position=raw.position, line=raw.line) if isinstance(row, Record) else row


@register
class ScriptedWhole(ScriptedLive):
    """The same, from an adapter that has its whole answer in hand before it reads it."""

    key, label = "scripted_whole", "Scripted answer"

    def fetch(self, ctx: Context) -> Iterator[Row | Raw]:
        ctx.compare(Path(ctx.config["path"]).read_bytes())
        yield from super().fetch(ctx)


@register
class ScriptedStamped(ScriptedLive):
    """{"stamp": "...", "rows": [...]}: its service says beside the rows when these last changed; "body": true compares them,
    too. `looked` counts how often the rows were asked for."""

    key, label = "scripted_stamped", "Scripted and stamped"
    looked: ClassVar[int] = 0

    def fetch(self, ctx: Context) -> Iterator[Row | Raw]:
        answer = json.loads(Path(ctx.config["path"]).read_bytes())
        ctx.compare_stamp(answer["stamp"].encode())
        type(self).looked += 1
        rows = json.dumps(answer["rows"]).encode()
        if answer.get("body"):
            ctx.compare(rows)
        yield from Scripted().fetch(Context(rows))


@register
class ScriptedCounted(ScriptedLive):
    """The same, and it states how many rows it has."""

    key, label = "scripted_counted", "Scripted and counted"

    def fetch(self, ctx: Context) -> Iterator[Row | Raw]:
        answer = json.loads(Path(ctx.config["path"]).read_bytes())
        if isinstance(answer, list):
            ctx.expect(len(answer))
        yield from super().fetch(ctx)


@register
class ScriptedRemote(Adapter):
    """A source that asks a service: rows at an address, with its account's token if it has one."""

    key, label, kinds = "scripted_remote", "Scripted service", frozenset({"movie", "show", "track"})
    service = "scripted:"

    def fetch(self, ctx: Context) -> Iterator[Row | Raw]:
        headers = {"Authorization": f"Bearer {ctx.secret('token')}"} if ctx.secrets else {}
        answer = ctx.http.get(ctx.address, headers=headers, conditional=True)
        yield from Scripted().fetch(Context(json.dumps(answer.json()).encode()))


@register
class ScriptedCatalogue(ScriptedRemote):
    """The same, as large as one likes: its rows are read one by one, and what else stands in them is passed over."""

    key, label = "scripted_catalogue", "Scripted catalogue"
    limits = CATALOGUE

    def fetch(self, ctx: Context) -> Iterator[Row | Raw]:
        for place, row in enumerate(ctx.http.items(ctx.address, "item"), 1):
            yield Record(
                key=row["key"], kind="movie", ids={}, position=place, line=place, values={"title": row["title"]}
            )
