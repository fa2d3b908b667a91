"""The rules of a list and of the site: how sources are weighed, what happens to what leaves."""

from collections.abc import Callable, Iterable
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from lists import writer
from lists.audit import audit
from lists.changes import plan_refold
from lists.errors import Unfit
from lists.filling import refuse_while_filled
from lists.models import MediaList, Refold, Removals, Strategy, Version
from lists.preferences import fault_of
from lists.services import _writing

UNSAID: tuple[Any, ...] = ("", None, {})  # as the site says
# Rule -> whether it may have a value.
RULES: dict[str, Callable[[Any], bool]] = {
    "strategy": lambda value: value in Strategy.values,
    "preferred": lambda value: isinstance(value, dict),
    "removals": lambda value: value in Removals.values,
    "review_unsure": lambda value: isinstance(value, bool),
    "accept_confidence": lambda value: isinstance(value, int | float) and 0 <= value <= 1,
    "held_share": lambda value: value in range(101),
    "held_share_always": lambda value: value in range(101),
    "held_floor": lambda value: value in range(10_001),
}
# What the fold goes by: a change of another rule alters nothing that is listed.
FOLDED = {"strategy", "preferred"}


def change_rules(list_: MediaList, *, by: Any, **rules: Any) -> Version | None:
    """Set rules of a list (RULES); "" or None: as the site says. The list is folded again where that matters.

    Raises Unfit for a value that a rule does not know.
    """
    with transaction.atomic():
        list_ = _writing.locked(list_)
        version = _change(list_, by, rules)
    return version or settle_due(list_, by=by)


def _change(list_: MediaList, by: Any, rules: dict[str, Any]) -> Version | None:
    for name, value in rules.items():
        if name not in RULES or (value not in UNSAID and not RULES[name](value)):
            raise Unfit(f"{name} cannot be {value!r}. Nothing was changed.")
    if fault := fault_of(rules.get("preferred") or {}, list_):
        raise Unfit(f"{fault} Nothing was changed.")
    policy = {**list_.policy, **rules}
    policy = {name: value for name, value in policy.items() if value not in UNSAID}
    before = {name: list_.policy.get(name) for name in rules if list_.policy.get(name) != policy.get(name)}
    if not before:
        return None
    list_.policy = policy
    list_.updated_at = timezone.now()
    list_.save()
    folded = FOLDED & before.keys()
    version = _writing.folded_again(list_, by=by, summary="Rules of the list") if folded else None
    audit(by, "changed rules", list_, before=before, after={name: policy.get(name) for name in before}, version=version)
    return version


@transaction.atomic
def site_rules_changed(*, by: Any = None) -> int:
    """Lists that follow the site are looked at again, by the workers or by their next write; returns how many."""
    follows = ~Q(policy__has_key="strategy") | Q(policy__strategy=Strategy.RULES)
    following = MediaList.objects.filter(follows, current__isnull=False, deleted_at=None)
    lists: dict[int, Any] = dict.fromkeys(following.values_list("pk", flat=True))
    _writing.owe(lists, kind=Version.Kind.RULES, reason="Rules of the site")
    return len(lists)


def settle_due(list_: MediaList, *, by: Any = None) -> Version | None:
    """Write what a list owes before anything else: entries whose rules or identity changed elsewhere."""
    return _writing.settle_due(MediaList.objects.get(pk=list_.pk), by=by)


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
        refuse_while_filled(list_)
        plan = plan_refold(list_, at=timezone.now(), entries=entries)
        try:
            return writer.publish(plan, kind=kind, author=author, summary=summary)
        except writer.ListMoved:
            continue
        finally:
            plan.close()
