"""Thinning out old versions: their rows stay with their counts, what only they showed goes.

Kept are the newest versions, those of the last days, and what an open question or an undecided change names. A history
row goes if no version that is kept shows it; so each entry keeps its last row before a kept version, and a rollback does
not take an old entry for a new one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from lists.fields import canonical
from lists.models import Conflict, Entry, MediaList, Proposal, Version
from lists.spool import blocks
from lists.versions import HistoricalEdit, HistoricalEntry

AT_ONCE = 200  # versions whose rows one statement deletes
FACTS_KEPT = 1000  # bytes of a list's facts that a pruned version may keep

# Undecided, or confirmed and not carried out yet: its file is kept until then.
WAITING = Q(state__in=(Proposal.State.READING, Proposal.State.OPEN)) | Q(
    state=Proposal.State.CONFIRMED, body__isnull=False
)


@dataclass(frozen=True, slots=True)
class Cleared:
    """versions: that were emptied. entries and edits: history rows that went."""

    versions: int = 0
    entries: int = 0
    edits: int = 0


def lists_to_prune(*, at: datetime | None = None) -> QuerySet[MediaList]:
    """Lists with versions that are old enough; what lies in the bin is left as it is."""
    old = Version.objects.filter(
        list=OuterRef("pk"), pruned_at=None, created_at__lt=_horizon(at),
        number__lte=OuterRef("current__number") - settings.VERSIONS_KEPT,
    )  # fmt: skip
    return MediaList.objects.filter(Exists(old), deleted_at=None).order_by("pk")


@transaction.atomic
def prune_versions(list_: MediaList, *, at: datetime | None = None, dry_run: bool = False) -> Cleared:
    """Empty the versions of a list that the rule lets go, under its lock: no run writes meanwhile.

    dry_run: says what would go, and takes it back.
    """
    list_ = MediaList.objects.locked(list_.pk, publishes=False)
    kept = _kept(list_, at) if list_.deleted_at is None else []
    emptied = entries = edits = 0
    for low, high in pairwise([0, *kept]):
        between = Version.objects.filter(list=list_, pk__gt=low, pk__lt=high).order_by("pk")
        going = list(between.filter(pruned_at=None).values_list("pk", flat=True))
        if not going:
            continue
        for block in blocks(list(between.values_list("pk", flat=True)), AT_ONCE):
            entries += _delete(_entry_rows(list_, high), block)
            edits += _delete(_edit_rows(list_, low, high), block)
        emptied += len(going)
        _empty(going)
    if dry_run:
        transaction.set_rollback(True)
    return Cleared(emptied, entries, edits)


@transaction.atomic
def prune_settled(*, at: datetime | None = None) -> int:
    """Delete what rules settled that long ago; returns how many. A list that is folded again may write thousands of these
    records a night. What a person decided stays."""
    old = Conflict.objects.by_rule().filter(decided_at__lt=_horizon(at))
    return old._raw_delete(old.db)  # they have no history


def _horizon(at: datetime | None) -> datetime:
    return (at or timezone.now()) - timedelta(days=settings.VERSION_DAYS)


def _kept(list_: MediaList, at: datetime | None) -> list[int]:
    """Ids of the first version from which on all are kept, and of those before it that something names; rising."""
    found = Version.objects.filter(list=list_)
    newest = found.order_by("-number").values_list("number", flat=True).first()
    if newest is None:
        return []
    recent = found.filter(Q(number__gt=newest - settings.VERSIONS_KEPT) | Q(created_at__gte=_horizon(at)))
    first = recent.order_by("number").values_list("pk", flat=True)[0]
    named = found.filter(_named(list_), pk__lt=first, pruned_at=None)
    return [*named.order_by("pk").values_list("pk", flat=True), first]


def _named(list_: MediaList) -> Q:
    """Versions that somebody still has to decide about, or that a file names which is about to be read back."""
    waiting = Proposal.objects.filter(WAITING, list=list_)
    bases, numbers = set(), set()
    for base, own in waiting.values_list("result__base", "result__own_export__version"):
        bases.add(base)
        numbers.add(own)
    asked = Conflict.objects.filter(list=list_, state=Conflict.State.OPEN, version__isnull=False)
    bases |= set(asked.order_by().values_list("version", flat=True).distinct())
    return Q(pk__in=bases - {None}) | Q(number__in=numbers - {None})


def _entry_rows(list_: MediaList, high: int) -> QuerySet[Any]:
    """Rows of entries that had ended when a kept version was made."""
    return HistoricalEntry.objects.filter(list_id=list_.pk, closed_by__lte=high)


def _edit_rows(list_: MediaList, low: int, high: int) -> QuerySet[Any]:
    """The same of edits. low: the kept version before, 0 if there is none."""
    mine = Entry.objects.filter(list=list_).values("pk")
    rows = HistoricalEdit.objects.filter(entry_id__in=mine, closed_by__lte=high)
    # That an edit has ended since `low` is known by its last row alone, and a rollback to it needs to know.
    return rows.exclude(history_type="-") if low else rows


def _delete(rows: QuerySet[Any], versions: Sequence[int]) -> int:
    """Of these rows those that the versions wrote, which stand between two kept ones: neither shows them."""
    return rows.filter(version__gte=versions[0], version__lte=versions[-1])._raw_delete(rows.db)


def _empty(versions: Sequence[int]) -> None:
    for block in blocks(versions):
        told = Version.objects.filter(pk__in=block).exclude(facts={}).values_list("pk", "facts")
        long = [pk for pk, facts in told.iterator() if len(canonical(facts)) > FACTS_KEPT]
        Version.objects.filter(pk__in=long).update(facts={})
        Version.objects.filter(pk__in=block).update(order=None, pruned_at=timezone.now())
