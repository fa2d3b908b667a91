"""What every change to a list's content goes through: the lock, what is owed, the plan, the version."""

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar
from uuid import uuid4

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from lists import writer
from lists.changes import plan_refold
from lists.errors import InTheBin, ListMoved, NotThere, TooLate
from lists.filling import refuse_while_filled
from lists.models import Entry, MediaList, Refold, Version
from lists.parts import is_large
from lists.plan import Plan

P = ParamSpec("P")
T = TypeVar("T")


def changes_list(do: Callable[Concatenate[MediaList, P], T]) -> Callable[Concatenate[MediaList, P], T]:
    """A service in one transaction, with what the list owes written before it: in parts, if it is very much."""

    @wraps(do)
    def changed(list_: MediaList, /, *args: P.args, **kwargs: P.kwargs) -> T:
        settle_before(list_)
        with transaction.atomic():
            return do(list_, *args, **kwargs)

    return changed


def settle_before(list_: MediaList) -> None:
    """Before the transaction of an act begins. Raises InTheBin, BeingFilled."""
    if Refold.objects.filter(list=list_).exists():
        standing(list_)


def locked(list_: MediaList) -> MediaList:
    """The list, locked until the transaction ends, with what it owes written first, as far as that fits into one
    transaction. Raises InTheBin, BeingFilled."""
    found = MediaList.objects.locked(list_.pk)
    _refuse_if_out_of_use(found)
    settle_due(found)
    bump(found)
    found.refresh_from_db()
    return found


def publish(
    plan: Plan, *, kind: str, by: Any, summary: str = "", correlation_id: str = "",
    before_commit: Callable[[Version | None], None] | None = None,
) -> Version | None:  # fmt: skip
    """Write a plan; None if nothing changed. Raises ListMoved, which cannot be where the list is locked."""
    try:
        return writer.publish(
            plan, kind=kind, author=by, summary=summary, correlation_id=correlation_id, before_commit=before_commit
        )
    finally:
        plan.close()


def standing(list_: MediaList, *, seen: int | None = None) -> MediaList:
    """The list as it stands, not locked, with everything that it owes written first: for a change that may go in parts,
    which is planned and published as a sync is.

    seen: the number of the version that it has to be at. Raises InTheBin, BeingFilled, TooLate.
    """
    found = MediaList.objects.get(pk=list_.pk)
    _refuse_if_out_of_use(found)
    settle_due(found)
    number = found.current.number if found.current else 0  # that which a plan will be made against
    if seen is not None and number != seen:
        raise TooLate(f"The list is at version {number} by now. Nothing was changed. This is how it looks today.")
    return found


def _refuse_if_out_of_use(list_: MediaList) -> None:
    if list_.deleted_at:
        raise InTheBin("The list lies in the bin. Bring it back first.")
    refuse_while_filled(list_)


def bump(list_: MediaList) -> None:
    """A sync that was planned before this act sees that it has to plan again, even if the act makes no version."""
    MediaList.objects.filter(pk=list_.pk).update(fence=F("fence") + 1)


def settle_due(list_: MediaList, *, by: Any = None) -> Version | None:
    """Look again at what changed elsewhere (who is who, wider rules). The last version made, or None. by: whose act it was,
    if it was the owner's own. In a transaction, other rules about very many entries stay owed."""
    if list_.filling is not None:
        return None  # it stays owed
    version = None
    for kind in (Version.Kind.MERGE, Version.Kind.RULES):
        version = _settle_kind(list_, kind, by) or version
    return version


def _settle_kind(list_: MediaList, kind: str, by: Any) -> Version | None:
    correlation_id = str(uuid4())  # of all its versions, also where somebody wrote between two of them
    while owed := list(Refold.objects.filter(list=list_, kind=kind).order_by("id")):
        list_.refresh_from_db()
        entries = None if any(row.entry_id is None for row in owed) else {row.entry_id or 0 for row in owed}
        if kind == Version.Kind.RULES and connection.in_atomic_block and is_large(list_, entries):
            return None
        plan = plan_refold(list_, at=timezone.now(), entries=entries, rebase=kind == Version.Kind.MERGE)
        reasons = ", ".join(dict.fromkeys(row.reason for row in owed))
        try:
            version = publish(
                plan, kind=kind, by=by, summary=reasons, correlation_id=correlation_id,
                before_commit=partial(_settled, owed),
            )  # fmt: skip
        except ListMoved:
            continue
        list_.refresh_from_db()
        return version
    return None


def settle_own(lists: Iterable[int], *, by: Any) -> None:
    """Of lists that owe something the person's own follow at once, others' by the workers or at their next write."""
    for list_ in MediaList.objects.filter(pk__in=list(lists), owner=by, deleted_at=None).order_by("pk"):
        settle_due(list_, by=by)


def _settled(owed: Sequence[Refold], version: Version | None) -> None:
    Refold.objects.filter(pk__in=[row.pk for row in owed]).delete()


def folded_again(
    list_: MediaList, *, by: Any, summary: str, entries: Collection[int] | None = None
) -> Version | None:  # fmt: skip
    """Look at entries of a locked list again, all if None. What may be too much for one transaction is owed instead, and
    None: the caller calls settle_due() when it holds the list no more."""
    if is_large(list_, entries):
        owe({list_.pk: None}, kind=Version.Kind.RULES, reason=summary)
        return None
    plan = plan_refold(list_, at=timezone.now(), entries=entries)
    return publish(plan, kind=Version.Kind.RULES, by=by, summary=summary)


def owe(lists: dict[int, Any], *, kind: str, reason: str) -> None:
    """Have entries looked at again by the next write to their list. lists: list id -> entry ids, or None for all."""
    rows = [
        Refold(list_id=list_id, entry_id=entry, kind=kind, reason=reason[:300])
        for list_id, entries in lists.items()
        for entry in ([None] if entries is None or len(entries) > settings.LARGE_CHANGE else sorted(entries))
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
