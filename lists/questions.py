"""Questions that a published change puts, puts anew or takes back: rows of Conflict."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from lists.judging import of_modification
from lists.models import Conflict, Item, MediaList, SitePolicy, Version
from lists.plan import Ask, Plan
from lists.spool import BLOCK


def put_questions(plan: Plan, list_: MediaList, version: Version | None, ids: Mapping[int, int]) -> None:
    """ids: slot of a new entry -> its id."""
    deadline = _deadline(plan) if plan.questions else None
    settled: list[Conflict] = []
    for slot, doubt, asks in plan.questions:
        entry = slot if slot > 0 else ids[slot]
        if doubt is not None:
            _doubt(doubt, entry, list_, version)
        for ask in asks:
            if ask.state == Conflict.State.DECIDED:
                settled.append(_settled(ask, entry, list_, version, plan))
            else:
                _put(ask, entry, list_, version, deadline)
    if settled:
        Conflict.objects.bulk_create(settled, batch_size=BLOCK)


def _settled(ask: Ask, entry: int, list_: MediaList, version: Version | None, plan: Plan) -> Conflict:
    """Without a history: nothing becomes of it any more."""
    return Conflict(
        entry_id=entry, kind=Conflict.Kind.FIELD, field=ask.field, list=list_, version=version, state=ask.state,
        options=ask.options, before=ask.before, after=ask.after, strategy=ask.choice, choice=ask.choice, decided_at=plan.at,
    )  # fmt: skip


def _deadline(plan: Plan) -> Any:
    days = SitePolicy.current().conflict_days
    return None if days is None else plan.at + timedelta(days=days)


def _doubt(doubt: Any, entry: int, list_: MediaList, version: Version | None) -> None:
    """Several things fit, or ids disagree: asked once. Who something is waits for a person, however long."""
    if Conflict.objects.filter(entry_id=entry, kind=doubt.doubt, field="", state__in=Conflict.WAITING).exists():
        return
    fitting = Item.objects.filter(pk__in=doubt.candidates).order_by("id")
    Conflict.objects.create(
        entry_id=entry, kind=doubt.doubt, list=list_, version=version,
        options=[{"item": item.pk, "title": str(item)} for item in fitting],
    )  # fmt: skip


def _put(ask: Ask, entry: int, list_: MediaList, version: Version | None, deadline: Any) -> None:
    said = next((option["value"] for option in ask.options if option["value"] != ask.before), None)
    judged = of_modification({ask.field: ask.before}, {ask.field: said}) if ask.options else None
    severity, confidence = (judged.severity, judged.confidence / 100) if judged is not None else ("", None)
    if ask.pk is None:
        Conflict.objects.create(
            entry_id=entry, kind=Conflict.Kind.FIELD, field=ask.field, list=list_, version=version, deadline=deadline,
            options=ask.options, recommendation=ask.recommendation, before=ask.before, strategy=list_.strategy(),
            severity=severity, confidence=confidence,
        )  # fmt: skip
        return
    conflict = Conflict.objects.get(pk=ask.pk)
    conflict.state = ask.state
    if ask.state == Conflict.State.OPEN:
        conflict.options, conflict.recommendation, conflict.before = ask.options, ask.recommendation, ask.before
        conflict.version, conflict.deadline = version or conflict.version, deadline
        conflict.severity, conflict.confidence = severity, confidence
    conflict.save()


def withdraw(conflicts: Sequence[Conflict]) -> None:
    for conflict in conflicts:
        conflict.state = Conflict.State.WITHDRAWN
        conflict.save()
