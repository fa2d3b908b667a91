"""Questions that a published change puts, puts anew or takes back: rows of Conflict."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from lists.models import Conflict, Item, MediaList, SitePolicy, Version
from lists.plan import Ask, Plan

WAITING = (Conflict.State.OPEN, Conflict.State.SKIPPED)


def put_questions(plan: Plan, list_: MediaList, version: Version | None, ids: dict[int, int]) -> None:
    """ids: slot of a new entry -> its id."""
    deadline = _deadline(plan)
    for draft in plan.drafts:
        entry = draft.slot if draft.slot > 0 else ids[draft.slot]
        if draft.doubt is not None:
            _doubt(draft.doubt, entry, list_, version, deadline)
        for ask in draft.asks:
            _put(ask, entry, list_, version, deadline)


def _deadline(plan: Plan) -> Any:
    days = SitePolicy.current().conflict_days
    return None if days is None else plan.at + timedelta(days=days)


def _doubt(doubt: Any, entry: int, list_: MediaList, version: Version | None, deadline: Any) -> None:
    """Several things fit, or ids disagree: asked once."""
    if Conflict.objects.filter(entry_id=entry, kind=doubt.doubt, field="", state__in=WAITING).exists():
        return
    fitting = Item.objects.filter(pk__in=doubt.candidates).order_by("id")
    Conflict.objects.create(
        entry_id=entry, kind=doubt.doubt, list=list_, version=version, deadline=deadline,
        options=[{"item": item.pk, "title": str(item)} for item in fitting],
    )  # fmt: skip


def _put(ask: Ask, entry: int, list_: MediaList, version: Version | None, deadline: Any) -> None:
    if ask.pk is None:
        Conflict.objects.create(
            entry_id=entry, kind=Conflict.Kind.FIELD, field=ask.field, list=list_, version=version, deadline=deadline,
            options=ask.options, recommendation=ask.recommendation, before=ask.before, strategy=list_.strategy(),
        )  # fmt: skip
        return
    conflict = Conflict.objects.get(pk=ask.pk)
    conflict.state = ask.state
    if ask.state == Conflict.State.OPEN:
        conflict.options, conflict.recommendation, conflict.before = ask.options, ask.recommendation, ask.before
        conflict.version, conflict.deadline = version or conflict.version, deadline
    conflict.save()


def withdraw(conflicts: Sequence[Conflict]) -> None:
    for conflict in conflicts:
        conflict.state = Conflict.State.WITHDRAWN
        conflict.save()
