"""Any state that a list ever had, and the difference of any two.

A version is no copy: it is the history rows that were open when it was current, in the order of its blob. Ids of
versions rise with their numbers, so a row belongs to a version if it was written at or before it and closed after it.
"""

from collections import namedtuple
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from typing import Any

import orjson
from django.db.models import Q, QuerySet

from lists.dialects import Among, fetched
from lists.fields import COLUMNS, FIELDS
from lists.labels import part
from lists.models import Edit, Entry, MediaList, Version
from lists.order import longest_rising
from lists.packed import unpack
from lists.spool import blocks

HistoricalEntry = Entry.history.model
HistoricalEdit = Edit.history.model
UNSEEN = "unseen"  # history_change_reason of a row that no reader may look for: see lists/writer.py
# What a comparison reads of a row: instances of the model would cost ten times as much.
_ROW = ("id", "history_id", "version_id", "closed_by_id", "history_type", "kind", "state", "reason", *COLUMNS, "extra")
_row: Any = namedtuple("Row", _ROW)._make  # type: ignore[attr-defined]


def rows_of(version: Version) -> QuerySet[Any]:
    """History rows of the entries that the version lists, without order."""
    return HistoricalEntry.objects.filter(
        Q(closed_by__isnull=True) | Q(closed_by__gt=version.pk), list_id=version.list_id, version__lte=version.pk
    ).exclude(history_type="-")


def _read(rows: QuerySet[Any]) -> list[Any]:
    return [_row((*said, orjson.loads(extra))) for *said, extra in fetched(rows.values_list(*_ROW))]


def edits_of(version: Version, *, entries: Iterable[int] | None = None) -> QuerySet[Any]:
    """History rows of the edits that stood at a version; of some entries only, if they are named."""
    rows = HistoricalEdit.objects.filter(
        Q(closed_by__isnull=True) | Q(closed_by__gt=version.pk), version__lte=version.pk
    ).exclude(history_type="-")
    if entries is not None:
        return rows.filter(Among("entry_id", entries))
    return rows.filter(entry__list=version.list_id)


def touched_since(version: Version) -> set[int]:
    """Entries of which anything was written after a version: all others show what they showed then."""
    entries = HistoricalEntry.objects.filter(list_id=version.list_id, version__gt=version.pk).order_by()
    later = Version.objects.filter(list=version.list_id, pk__gt=version.pk)
    edits = HistoricalEdit.objects.filter(version__in=later.values("pk")).order_by()
    return set(entries.values_list("id", flat=True)) | set(edits.values_list("entry_id", flat=True))


def between(parts: Sequence[Version]) -> list[Version]:
    """Versions of the same list that others made since the first of these."""
    if not parts:
        return []
    return list(Version.objects.filter(list=parts[0].list_id, pk__gt=parts[0].pk).exclude(pk__in=[v.pk for v in parts]))


def touched_by(made: Sequence[Version]) -> set[int]:
    """Entries that these versions wrote, or an edit of them."""
    by = {"version__in": [version.pk for version in made]}
    entries = HistoricalEntry.objects.filter(**by).values_list("id", flat=True)
    edits = HistoricalEdit.objects.filter(**by).values_list("entry_id", flat=True)
    return set(entries) | set(edits) if made else set()


def last_rows(version: Version, entries: Iterable[int]) -> dict[int, Any]:
    """Entry -> its last history row up to a version, one of type "-" included; nothing for one that had none."""
    found: dict[int, Any] = {}
    for pks in blocks(sorted(entries)):
        rows = HistoricalEntry.objects.filter(
            Q(closed_by__isnull=True) | Q(closed_by__gt=version.pk), Among("id", pks), version__lte=version.pk
        )
        found |= {row.id: row for row in _read(rows)}
    return found


def changes_of(entry: int) -> QuerySet[Any]:
    """History rows of one entry, of each version in which it came, changed or left."""
    return HistoricalEntry.objects.filter(id=entry).exclude(history_change_reason=UNSEEN)


def order_of(version: Version) -> list[int]:
    """Ids of the version's entries in order; empty once it is pruned."""
    return unpack(version.order)


def entries_of(version: Version, *, start: int = 0, limit: int | None = None) -> list[Any]:
    """The entries (history rows) that the version shows, in its order; `start` and `limit` count places."""
    wanted = order_of(version)[start : None if limit is None else start + limit]
    found: dict[int, Any] = {}
    for at in range(0, len(wanted), 900):
        found |= {row.id: row for row in rows_of(version).filter(id__in=wanted[at : at + 900])}
    return [found[pk] for pk in wanted if pk in found]


def values_of(row: Any) -> dict[str, Any]:
    """What a history row shows, by field, nothing empty."""
    shown = {}
    for name in COLUMNS:
        if (value := getattr(row, name)) not in (None, "", []):
            shown[name] = part(value) if name == "genres" and isinstance(value, str) else value
    return shown | row.extra


@dataclass(frozen=True, slots=True)
class Difference:
    """One entry in two versions. kind: added, removed, changed or moved. fields: [(name, before, after)].

    before_place and after_place: 1-based, None where it is not listed.
    """

    entry: int
    kind: str
    title: str
    year: int | None
    artist: str
    before_place: int | None
    after_place: int | None
    fields: list[tuple[str, Any, Any]] = field(default_factory=list)


@dataclass
class Diff:
    """What lies between two versions of one list, aligned by entry: an insert at the top is one insert."""

    before: Version
    after: Version

    @cached_property
    def _places(self) -> tuple[dict[int, int], dict[int, int]]:
        return _places_in(self.before), _places_in(self.after)

    @cached_property
    def rows(self) -> list[Difference]:
        """Every difference, in the order of the newer version; what left stands where it stood."""
        low, high = sorted((self.before.pk, self.after.pk))
        if low == high:
            return []
        touched = _rows_between(self.before.list_id, low, high)
        old, new = ({row.id: row for row in touched if _stands(row, v)} for v in (self.before, self.after))
        found = [self._compare(pk, old.get(pk), new.get(pk)) for pk in old | new]
        differences = {d.entry: d for d in found if d is not None}
        differences |= {d.entry: d for d in self._moved(differences)}
        return sorted(
            differences.values(), key=lambda d: (d.after_place or d.before_place or 0, d.after_place is None, d.entry)
        )

    @cached_property
    def facts(self) -> list[tuple[str, Any, Any]]:
        """What is said of the list itself and differs: [(name, before, after)]."""
        before, after = self.before.facts, self.after.facts
        both = [(name, before.get(name), after.get(name)) for name in sorted({**before, **after})]
        return [each for each in both if each[1] != each[2]]

    @cached_property
    def counts(self) -> dict[str, int]:
        counts = dict.fromkeys(("added", "removed", "changed", "moved"), 0)
        for row in self.rows:
            counts[row.kind] += 1
        return counts

    def _compare(self, pk: int, old: Any, new: Any) -> Difference | None:
        if old is None and new is None:
            return None
        if old is None or new is None:
            return self._difference(pk, "removed" if new is None else "added", old or new)
        before, after = values_of(old), values_of(new)
        changed = [(name, before.get(name), after.get(name)) for name in FIELDS if before.get(name) != after.get(name)]
        if old.kind != new.kind:
            changed.append(("kind", old.kind, new.kind))
        return self._difference(pk, "changed", new, changed) if changed else None

    def _moved(self, known: Container[int]) -> list[Difference]:
        """Entries that are in both and out of step: as few as explain the new order."""
        before, after = self._places
        common = list(filter(before.__contains__, after))
        if common == list(filter(after.__contains__, before)):
            return []
        steady = longest_rising([before[pk] for pk in common])
        moved = [pk for n, pk in enumerate(common) if n not in steady and pk not in known]
        rows = last_rows(self.after, moved)
        return [self._difference(pk, "moved", rows[pk]) for pk in moved if pk in rows]

    def _difference(
        self, pk: int, kind: str, row: Any, changed: list[tuple[str, Any, Any]] | None = None
    ) -> Difference:
        before, after = self._places
        return Difference(pk, kind, row.title, row.year, row.artist, before.get(pk), after.get(pk), changed or [])


def _places_in(version: Version) -> dict[int, int]:
    return dict(zip(order_of(version), count(1)))


def _rows_between(list_id: int, low: int, high: int) -> list[Any]:
    """Rows, at one of two versions, of the entries that were written in between."""
    between = HistoricalEntry.objects.filter(list_id=list_id, version__gt=low, version__lte=high)
    # By the ids alone: with the list beside them a planner would walk all of its history.
    rows = HistoricalEntry.objects.filter(
        Q(closed_by__isnull=True) | Q(closed_by__gt=low), id__in=between.values("id"), version__lte=high
    )
    return _read(rows.exclude(history_type="-"))


def _stands(row: Any, version: Version) -> bool:
    return row.version_id <= version.pk and (row.closed_by_id is None or row.closed_by_id > version.pk)


def diff(before: Version, after: Version) -> Diff:
    return Diff(before, after)


def version_at(list_: MediaList, at: Any) -> Version | None:
    """The version that was current at a moment; None if the list had none yet."""
    return list_.versions.filter(created_at__lte=at).order_by("-number").first()
