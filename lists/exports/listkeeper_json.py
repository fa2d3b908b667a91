"""JSON with everything that a list shows: the format to keep, to edit by program and to read back."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import orjson
from django.utils import timezone

from lists.exports._base import BLOCK, Export, Line, register, snapshot
from lists.models import MediaList, Version

FORMAT = 1


@register
class ListkeeperJson(Export):
    """{"listkeeper": 1, "list": {...}, "entries": [{"entry", "position", "kind", "ids", "first_listed_at", fields}]}

    Fields stand under their names in lists/fields.py; what an entry does not show is left out.
    """

    key, label, content_type, extension = "json", "JSON (everything)", "application/json", "json"

    def write(self, list_: MediaList, *, user: Any, version: Version | None = None) -> Iterator[bytes]:
        shown = snapshot(list_, version)
        facts = list_.facts if version is None else version.facts
        yield b'{"listkeeper":%d,"list":%b,"entries":[' % (FORMAT, orjson.dumps(_head(list_, shown.version, facts)))
        between = b"\n"
        while block := list(islice(shown.lines, BLOCK)):
            yield between + b",\n".join(orjson.dumps(_entry(line)) for line in block)
            between = b",\n"
        yield b"\n]}\n"


def _head(list_: MediaList, version: int, facts: dict[str, Any]) -> dict[str, Any]:
    return {
        "uid": str(list_.uid),
        "name": list_.name,
        "description": list_.description,
        "content": list_.content,
        "tags": list_.tags,
        "facts": facts,
        "version": version,
        "exported_at": timezone.now(),
    }


def _entry(line: Line) -> dict[str, Any]:
    entry = line.entry
    return {
        "entry": entry.pk,
        "position": line.position,
        "kind": entry.kind,
        "ids": line.ids,
        "first_listed_at": entry.first_listed_at,
        **entry.values,
    }
