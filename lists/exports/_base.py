"""What an export is made of, and the registry that finds each one by its place in lists/exports/."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, ClassVar

from lists import versions
from lists.errors import Pruned
from lists.models import Entry, ExternalId, Item, MediaList, Version

BLOCK = 500  # entries whose ids are asked for at once
ATTEMPTS = 5  # the list got another version while its first rows were read: read again

_NO_FILENAME = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]+')


class Export:
    """One format that a list can be downloaded in.

    contents: members of MediaList.Content that the format can hold.
    """

    key: ClassVar[str]
    label: ClassVar[str]
    content_type: ClassVar[str]
    extension: ClassVar[str]
    contents: ClassVar[frozenset[str]] = frozenset(MediaList.Content.values)

    def write(self, list_: MediaList, *, user: Any, version: Version | None = None) -> Iterator[bytes]:
        """The file in parts, as it is read from the database. user: who asks, for formats that show what is theirs.
        version: the list as it was then; now if None."""
        raise NotImplementedError  # an abstract method: every format writes its own

    def fits(self, list_: MediaList) -> bool:
        return list_.content in self.contents

    def filename(self, list_: MediaList) -> str:
        """A name that every system can store: without control characters and path signs."""
        stem = " ".join(_NO_FILENAME.sub(" ", list_.name).split()).strip(" .")[:120] or "list"
        return f"{stem}.{self.extension}"


EXPORTS: dict[str, Export] = {}


def register(cls: type[Export]) -> type[Export]:
    if cls.key in EXPORTS:
        raise ValueError(f"two exports call themselves {cls.key!r}")
    EXPORTS[cls.key] = cls()
    return cls


@dataclass(frozen=True, slots=True)
class Line:
    """One entry at its place (from 1), with the ids of its item by namespace ({"imdb": "tt0113277"})."""

    position: int
    entry: Entry
    ids: dict[str, str]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The list as one version shows it. version: its number, 0 for a list that has none. lines: read once, streaming."""

    version: int
    lines: Iterator[Line]


def snapshot(list_: MediaList, version: Version | None = None) -> Snapshot:
    """What the list shows, or showed. The rows of now come from one statement, and so from one version: the one named.

    Raises Pruned for a version whose content is not kept any more.
    """
    if version is not None:
        if version.pruned_at is not None:
            raise Pruned(f"Version {version.number} is too old: its content is not kept any more, only its counts.")
        return Snapshot(version.number, _lines(_entries_then(version)))
    shown = Entry.objects.filter(list=list_).for_page().defer("item__facts").order_by("rank", "id")
    for _ in range(ATTEMPTS):
        current = _current(list_)
        rows = shown.iterator(chunk_size=BLOCK)
        first = list(islice(rows, 1))
        if _current(list_) == current:
            break
    number = Version.objects.only("number").get(pk=current).number if current else 0
    return Snapshot(number, _lines(chain(first, rows)))


def _entries_then(version: Version) -> Iterator[Entry]:
    """The entries of a version in its order, with their items; ids are those of today."""
    for start in range(0, version.item_count, BLOCK):
        rows = versions.entries_of(version, start=start, limit=BLOCK)
        items = Item.objects.in_bulk({row.item_id for row in rows if row.item_id})
        for row in rows:
            entry = row.instance
            entry.item = items.get(row.item_id)
            yield entry


def _current(list_: MediaList) -> int | None:
    return MediaList.objects.filter(pk=list_.pk).values_list("current_id", flat=True).first()


def _lines(rows: Iterable[Entry]) -> Iterator[Line]:
    position, rows = 0, iter(rows)
    while block := list(islice(rows, BLOCK)):
        ids = ids_of(block)
        for entry in block:
            position += 1
            yield Line(position, entry, ids.get(entry.pk, {}))


def ids_of(entries: Iterable[Entry]) -> dict[int, dict[str, str]]:
    """Entry id -> {namespace: value}, of its item and of what was merged with it; the id known first leads. Two queries."""
    roots = {entry.pk: entry.item.root_id or entry.item.pk for entry in entries if entry.item is not None}
    wanted = sorted(set(roots.values()))
    known = ExternalId.objects.values_list("id", "item_id", "item__root_id", "namespace", "value")
    rows = [*known.filter(item__in=wanted), *known.filter(item__root__in=wanted)] if wanted else []
    found: dict[int, dict[str, str]] = {}
    for _, item, root, namespace, value in sorted(rows):
        found.setdefault(root or item, {}).setdefault(namespace, value)
    return {entry: found[root] for entry, root in roots.items() if root in found}
