"""Any earlier version made the newest, and what holds it released again."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from lists.acts import ActPlanner
from lists.audit import audit
from lists.errors import NotThere, Pruned
from lists.models import Edit, MediaList, Version
from lists.rollback import Missing, plan_rollback
from lists.services._writing import locked, of_list, publish, settle_due


@dataclass(frozen=True, slots=True)
class RollbackPreview:
    """counts: added, removed, changed, moved. missing: what the version shows and the list cannot show today."""

    counts: dict[str, int]
    missing: list[Missing]


@transaction.atomic
def preview_rollback(list_: MediaList, to: Version, *, entries: Collection[int] | None = None) -> RollbackPreview:
    """What a rollback would do; nothing is written. Raises Pruned."""
    list_ = MediaList.objects.locked(list_.pk)
    _check(list_, to, entries)
    settle_due(list_)
    plan, missing = plan_rollback(list_, to, at=timezone.now(), by=None, entries=entries)
    try:
        counts = {name: getattr(plan.counts, name) for name in ("added", "removed", "changed", "moved")}
        return RollbackPreview(counts, missing)
    finally:
        plan.close()
        transaction.set_rollback(True)


def _check(list_: MediaList, to: Version, entries: Collection[int] | None) -> None:
    if entries is not None:
        of_list(list_, entries)
    if to.list_id != list_.pk:
        raise NotThere("This is no version of the list. Nothing was changed.")
    if to.pruned_at is not None:
        raise Pruned(f"Version {to.number} is too old: its content is not kept any more. Nothing was changed.")


@transaction.atomic
def rollback(list_: MediaList, to: Version, *, by: Any, entries: Collection[int] | None = None) -> Version | None:
    """Make a version the newest, or only some entries as they were in it; None if the list shows it already.

    Blocks, filters, rules and who is who stay as they are today. Raises Pruned.
    """
    list_ = locked(list_)
    _check(list_, to, entries)
    plan, missing = plan_rollback(list_, to, at=timezone.now(), by=by, entries=entries)
    what = f"{len(entries):,} entries as in version" if entries is not None else "Rollback to version"
    if entries is not None and len(entries) == 1:
        what = "One entry as in version"
    version = publish(plan, kind=Version.Kind.ROLLBACK, by=by, summary=f"{what} {to.number}")
    if version is not None:
        after: dict[str, Any] = {"version": to.number}
        if entries is not None:
            after["entries"] = sorted(entries)[:100]
        if missing:
            after["missing"] = len(missing)
        before = {"version": version.number - 1}
        audit(by, "rolled back", list_, before=before, after=after, version=version)
    return version


def held(list_: MediaList) -> dict[int, int]:
    """Version number that the list was rolled back to -> number of fields that are still held as they were in it."""
    yielding = Edit.objects.filter(entry__list=list_, firm=False).order_by()
    return dict(yielding.values_list("rollback_to").annotate(Count("id")).order_by("rollback_to"))


@transaction.atomic
def release(list_: MediaList, *, by: Any, entries: Collection[int] | None = None) -> Version | None:
    """Let the sources speak again where a rollback holds them; what people said stays."""
    list_ = locked(list_)
    yielding = Edit.objects.filter(entry__list=list_, firm=False)
    if entries is not None:
        yielding = yielding.filter(entry__in=list(entries))
    pks = sorted(set(yielding.values_list("entry_id", flat=True)))
    if not pks:
        return None
    count = yielding.count()
    plan = ActPlanner(list_, at=timezone.now(), by=by).release(pks)
    version = publish(plan, kind=Version.Kind.EDIT, by=by, summary="Released from the rollback")
    audit(by, "released", list_, before={"held": count}, version=version)
    return version
