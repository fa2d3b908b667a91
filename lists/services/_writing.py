"""What every change to a list's content goes through: the lock, what is owed, the plan, the version."""

from collections.abc import Iterable
from typing import Any

from django.db.models import F
from django.utils import timezone

from lists import writer
from lists.changes import plan_refold
from lists.errors import InTheBin, NotThere
from lists.models import Entry, MediaList, Refold, Version
from lists.plan import Plan


def locked(list_: MediaList) -> MediaList:
    """The list, locked until the transaction ends, with everything that it owes written first. Raises InTheBin."""
    found = MediaList.objects.locked(list_.pk)
    if found.deleted_at:
        raise InTheBin("The list lies in the bin. Bring it back first.")
    settle_due(found)
    # A sync that was planned before this act sees that it has to plan again, even if the act makes no version.
    MediaList.objects.filter(pk=found.pk).update(fence=F("fence") + 1)
    found.refresh_from_db()
    return found


def publish(plan: Plan, *, kind: str, by: Any, summary: str = "", correlation_id: str = "") -> Version | None:
    """Write a plan of a locked list as one version; None if nothing changed."""
    try:
        return writer.publish(plan, kind=kind, author=by, summary=summary, correlation_id=correlation_id)
    finally:
        plan.close()


def settle_due(list_: MediaList, *, by: Any = None) -> Version | None:
    """Look again at what changed elsewhere (who is who, wider rules); the list is locked. The last version made, or
    None. by: whose act it was, if it was the owner's own."""
    owed = list(Refold.objects.filter(list=list_).order_by("id"))
    version = None
    for kind in (Version.Kind.MERGE, Version.Kind.RULES):
        mine = [row for row in owed if row.kind == kind]
        if not mine:
            continue
        entries = None if any(row.entry_id is None for row in mine) else {row.entry_id or 0 for row in mine}
        plan = plan_refold(list_, at=timezone.now(), entries=entries, rebase=kind == Version.Kind.MERGE)
        reasons = ", ".join(dict.fromkeys(row.reason for row in mine))
        version = publish(plan, kind=kind, by=by, summary=reasons) or version
    if owed:
        Refold.objects.filter(pk__in=[row.pk for row in owed]).delete()
        list_.refresh_from_db()
    return version


def owe(lists: dict[int, Any], *, kind: str, reason: str) -> None:
    """Have entries looked at again by the next write to their list. lists: list id -> entry ids, or None for all."""
    rows = [
        Refold(list_id=list_id, entry_id=entry, kind=kind, reason=reason[:300])
        for list_id, entries in lists.items()
        for entry in ([None] if entries is None else sorted(entries))
    ]
    Refold.objects.bulk_create(rows, batch_size=500)


def of_list(list_: MediaList, pks: Iterable[int]) -> list[Entry]:
    """These entries, in this order, each once. Raises NotThere if one is none of the list's."""
    wanted = list(dict.fromkeys(pks))
    found: dict[int, Entry] = {}
    for at in range(0, len(wanted), 500):
        found |= Entry.objects.filter(list=list_).defer("search").in_bulk(wanted[at : at + 500])
    if len(found) < len(wanted):
        raise NotThere("This is no entry of the list. Nothing was changed.")
    return [found[pk] for pk in wanted]


def described(entries: list[Any]) -> str:
    """ "“Heat”", or "3 entries"."""
    return f"“{entries[0].title}”"[:120] if len(entries) == 1 else f"{len(entries):,} entries"
