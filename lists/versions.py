"""Any state that a list ever had, and the difference of any two.

A version is no copy: it is the history rows that were open when it was current, in the order of its blob. Ids of
versions rise with their numbers, so a row belongs to a version if it was written at or before it and closed after it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db.models import Q, QuerySet

from lists.fields import FIELDS
from lists.labels import part
from lists.models import Edit, Entry, MediaList, Version
from lists.order import longest_rising
from lists.packed import unpack

HistoricalEntry = Entry.history.model
HistoricalEdit = Edit.history.model


def rows_of(version: Version) -> QuerySet[Any]:
    """History rows of the entries that the version lists, without order."""
    return HistoricalEntry.objects.filter(
        Q(closed_by__isnull=True) | Q(closed_by__gt=version.pk), list_id=version.list_id, version__lte=version.pk
    ).exclude(history_type="-")


def edits_of(version: Version, *, entries: Iterable[int] | None = None) -> QuerySet[Any]:
    """History rows of the edits that stood at a version; of some entries only, if they are named."""
    rows = HistoricalEdit.objects.filter(
        Q(closed_by__isnull=True) | Q(closed_by__gt=version.pk), version__lte=version.pk
    ).exclude(history_type="-")
    if entries is not None:
        return rows.filter(entry_id__in=list(entries))
    return rows.filter(entry__list=version.list_id)


def touched_since(version: Version) -> set[int]:
    """Entries of which anything was written after a version: all others show what they showed then."""
    later: dict[str, Any] = {"version__gt": version.pk}
    entries = HistoricalEntry.objects.filter(list_id=version.list_id, **later).values_list("id", flat=True)
    edits = HistoricalEdit.objects.filter(entry__list=version.list_id, **later).values_list("entry_id", flat=True)
    return set(entries) | set(edits)


def last_rows(version: Version, entries: Iterable[int]) -> dict[int, Any]:
    """Entry -> its last history row up to a version, one of type "-" included; nothing for one that had none."""
    found: dict[int, Any] = {}
    ids = sorted(entries)
    for at in range(0, len(ids), 500):
        rows = HistoricalEntry.objects.filter(id__in=ids[at : at + 500], version__lte=version.pk)
        for row in rows.order_by("version_id", "history_id"):
            found[row.id] = row
    return found


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
    for name, spec in FIELDS.items():
        if spec.column and (value := getattr(row, name)) not in (None, "", []):
            shown[name] = part(value) if isinstance(value, str) and spec.type == "list" else value
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
        return tuple({pk: n for n, pk in enumerate(order_of(v), 1)} for v in (self.before, self.after))  # type: ignore[return-value]

    @cached_property
    def rows(self) -> list[Difference]:
        """Every difference, in the order of the newer version; what left stands where it stood."""
        low, high = sorted((self.before, self.after), key=lambda version: version.pk)
        if low.pk == high.pk:
            return []
        written = HistoricalEntry.objects.filter(list_id=low.list_id, version__gt=low.pk, version__lte=high.pk)
        touched = set(written.values_list("id", flat=True))
        old, new = self._rows_of(self.before, touched), self._rows_of(self.after, touched)
        found = [self._compare(pk, old.get(pk), new.get(pk)) for pk in touched]
        differences = {d.entry: d for d in found if d is not None}
        differences |= {d.entry: d for d in self._moved(set(differences))}
        return sorted(
            differences.values(), key=lambda d: (d.after_place or d.before_place or 0, d.after_place is None, d.entry)
        )

    @cached_property
    def counts(self) -> dict[str, int]:
        counts = dict.fromkeys(("added", "removed", "changed", "moved"), 0)
        for row in self.rows:
            counts[row.kind] += 1
        return counts

    def _rows_of(self, version: Version, touched: set[int]) -> dict[int, Any]:
        found: dict[int, Any] = {}
        ids = sorted(touched)
        for at in range(0, len(ids), 900):
            found |= {row.id: row for row in rows_of(version).filter(id__in=ids[at : at + 900])}
        return found

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

    def _moved(self, known: set[int]) -> Iterable[Difference]:
        """Entries that are in both and out of step: as few as explain the new order."""
        before, after = self._places
        common = [pk for pk in after if pk in before]
        steady = longest_rising([before[pk] for pk in common])
        moved = [pk for n, pk in enumerate(common) if n not in steady and pk not in known]
        rows = self._rows_of(self.after, set(moved))
        return [self._difference(pk, "moved", rows[pk]) for pk in moved if pk in rows]

    def _difference(
        self, pk: int, kind: str, row: Any, changed: list[tuple[str, Any, Any]] | None = None
    ) -> Difference:
        before, after = self._places
        return Difference(pk, kind, row.title, row.year, row.artist, before.get(pk), after.get(pk), changed or [])


def diff(before: Version, after: Version) -> Diff:
    return Diff(before, after)


def version_at(list_: MediaList, at: Any) -> Version | None:
    """The version that was current at a moment; None if the list had none yet."""
    return list_.versions.filter(created_at__lte=at).order_by("-number").first()
