"""The rules of a list and of the site: how sources are weighed, what happens to what leaves."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils import timezone

from lists import writer
from lists.audit import audit
from lists.changes import plan_refold
from lists.errors import Unfit
from lists.models import MediaList, Refold, Removals, Strategy, Version
from lists.services import _writing

RULES: dict[str, Any] = {
    "strategy": Strategy.values, "removals": Removals.values, "held_share": range(101), "held_share_always": range(101),
    "held_floor": range(10_001),
}  # fmt: skip
# What the fold goes by: a change of another rule alters nothing that is listed.
FOLDED = {"strategy"}


@transaction.atomic
def change_rules(list_: MediaList, *, by: Any, **rules: Any) -> Version | None:
    """Set rules of a list (RULES); "" or None: as the site says. The list is folded again where that matters.

    Raises Unfit for a value that a rule does not know.
    """
    list_ = _writing.locked(list_)
    for name, value in rules.items():
        if name not in RULES or (value not in ("", None) and value not in RULES[name]):
            raise Unfit(f"{name} cannot be {value!r}. Nothing was changed.")
    policy = {**list_.policy, **rules}
    policy = {name: value for name, value in policy.items() if value not in ("", None)}
    before = {name: list_.policy.get(name) for name in rules if list_.policy.get(name) != policy.get(name)}
    if not before:
        return None
    list_.policy = policy
    list_.updated_at = timezone.now()
    list_.save()
    version = None
    if FOLDED & before.keys():
        plan = plan_refold(list_, at=timezone.now())
        version = _writing.publish(plan, kind=Version.Kind.RULES, by=by, summary="Rules of the list")
    audit(by, "changed rules", list_, before=before, after={name: policy.get(name) for name in before}, version=version)
    return version


@transaction.atomic
def site_rules_changed(*, by: Any = None) -> int:
    """Lists that follow the site are looked at again, by the workers or by their next write; returns how many."""
    following = MediaList.objects.filter(current__isnull=False, deleted_at=None).exclude(policy__has_key="strategy")
    lists: dict[int, Any] = dict.fromkeys(following.values_list("pk", flat=True))
    _writing.owe(lists, kind=Version.Kind.RULES, reason="Rules of the site")
    return len(lists)


@transaction.atomic
def settle_due(list_: MediaList) -> Version | None:
    """Write what a list owes before anything else: entries whose rules or identity changed elsewhere."""
    list_ = MediaList.objects.locked(list_.pk)
    return _writing.settle_due(list_)


def settle_rules() -> int:
    """Write what lists owe because a wider rule changed; returns how many lists. Called by the workers.

    What is owed because things were merged waits for each list's own next write.
    """
    owing = Refold.objects.filter(kind=Version.Kind.RULES, list__deleted_at=None).values_list("list", flat=True)
    lists = MediaList.objects.filter(pk__in=set(owing))
    for list_ in lists:
        settle_due(list_)
    return len(lists)


def refold(
    list_: MediaList, *, kind: str, entries: Iterable[int] | None = None, author: Any = None, summary: str = ""
) -> Version | None:
    """Look at entries again (all if None) and publish what differs; None if nothing does."""
    entries = None if entries is None else list(entries)
    while True:
        list_.refresh_from_db()
        plan = plan_refold(list_, at=timezone.now(), entries=entries)
        try:
            return writer.publish(plan, kind=kind, author=author, summary=summary)
        except writer.ListMoved:
            continue
        finally:
            plan.close()
