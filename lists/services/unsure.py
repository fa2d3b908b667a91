"""Changes of a source that look unsure: they wait as one proposal, each of them a question, until a person has looked.

Nothing of such a fetch stands in the list before. What is decided against is not asked again for as long as the source
stands by it: later fetches are taken as if it had not said that.
"""

import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from lists import writer
from lists.blocking import planned_against
from lists.changeset import Change, changes_of, facts_of, nothing_of, pack, restructure_of, without
from lists.confidence import of_changes
from lists.fence import still_ours
from lists.judging import is_restructure
from lists.models import Conflict, MediaList, Proposal, SitePolicy, Source
from lists.plan import Plan, Reading
from lists.records import Row

MOST = 500  # changes that are asked about one by one; more are one question
CLOSED = (Conflict.State.DECIDED, Conflict.State.EXPIRED)
OF_ENTRIES = (Conflict.Kind.ADDED, Conflict.Kind.MODIFIED, Conflict.Kind.REMOVED)


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a sync would change. open: what nobody has decided yet. score and threshold: of 100."""

    all: list[Change]
    open: list[Change]
    facts: list[Change]
    whole: str  # the subject of all that are open together
    score: int
    threshold: float
    counts: tuple[int, int, int]  # of those that are open: added, modified, removed

    @property
    def is_unsure(self) -> bool:
        return self.score < self.threshold


def weigh_changes(plan: Plan, source: Source) -> Weighed | None:
    """Weigh a plan, and take out of it what was decided against. None where nobody weighs: on a list that takes
    everything, and while it is empty."""
    list_ = plan.list_
    if not list_.item_count or not list_.reviews_unsure():
        return None
    changes = changes_of(plan)
    refused = refused_of(source)
    rest = [change for change in changes if change.subject not in refused]
    whole = restructure_of(rest, 0).subject if rest else ""
    open_ = [] if whole in refused else rest
    standing = {change.subject for change in open_}
    without(plan, [change for change in changes if change.subject not in standing])
    kinds = [change.kind for change in open_]
    counts = (kinds.count(Conflict.Kind.ADDED), kinds.count(Conflict.Kind.MODIFIED), kinds.count(Conflict.Kind.REMOVED))
    threshold = round(100 * list_.accept_confidence(), 6)
    return Weighed(changes, open_, facts_of(plan, list_), whole, of_changes(*counts), threshold, counts)


def refused_of(source: Source) -> set[str]:
    """Subjects of changes that were decided against and that the source stands by."""
    closed = Conflict.objects.filter(source=source, state__in=CLOSED).exclude(subject="")
    return set(closed.values_list("subject", flat=True))


@dataclass(frozen=True, slots=True)
class Fetch:
    """What a source answered. whole: none of it is missing. run: id of the run that brought it."""

    rows: Sequence[Row]
    how: Reading
    whole: bool
    run: int


@transaction.atomic
def hold_changes(source: Source, plan: Plan, weighed: Weighed, fetch: Fetch) -> Proposal:
    """Keep a fetch for a person to look at; one that is not whole takes no other's place. Raises ListMoved if the list
    was written to since the plan was made."""
    list_ = MediaList.objects.locked(source.list_id)
    still_ours()
    if list_.current_id != plan.base or planned_against(list_) != plan.written:
        raise writer.ListMoved
    nothing_of(plan.counts)
    plan.counts.held = len(weighed.open)
    standing = open_proposal(source)
    if standing is not None and not fetch.whole:
        return standing
    proposal = standing or Proposal(
        kind=Proposal.Kind.UNSURE, state=Proposal.State.OPEN, list=list_, source=source, adapter=source.adapter
    )
    added, modified, removed = weighed.counts
    proposal.body = zlib.compress(pack(fetch.rows, fetch.how), 3)
    proposal.result = {
        **proposal.result, "confidence": weighed.score / 100, "threshold": weighed.threshold / 100, "added": added,
        "changed": modified, "removed": removed, "found": plan.counts.found, "run": fetch.run, "base": plan.base,
    }  # fmt: skip
    proposal.save()
    asked = weighed.open if len(weighed.open) <= MOST else []
    if not asked or is_restructure(added, modified, removed):
        asked = [*asked, restructure_of(weighed.open, weighed.score)]
    _ask(list_, source, [*asked, *weighed.facts], weighed, plan)
    plan.counts.conflicts = len(asked) + len(weighed.facts)
    return proposal


def settle_changes(source: Source, plan: Plan, weighed: Weighed | None, *, complete: bool) -> None:
    """What a sync that was taken leaves of what waited; in its publishing transaction. An answer that is not complete
    leaves it as it is."""
    if weighed is None or not complete:
        return
    proposal = open_proposal(source)
    if proposal is not None:
        end(proposal, Proposal.State.WITHDRAWN)
    if weighed.facts or Conflict.objects.filter(source=source).exclude(subject="").exists():
        _ask(plan.list_, source, weighed.facts, weighed, plan)


def withdraw_changes(source: Source) -> None:
    """The source is gone: nothing of it waits any more."""
    proposal = open_proposal(source)
    if proposal is not None:
        end(proposal, Proposal.State.WITHDRAWN)
    for conflict in Conflict.objects.filter(source=source, state__in=Conflict.WAITING):
        conflict.state = Conflict.State.WITHDRAWN
        conflict.save()


def _ask(list_: MediaList, source: Source, wanted: Collection[Change], weighed: Weighed, plan: Plan) -> None:
    """Put what is new, and take back what the source does not stand by any more."""
    standing = {row.subject: row for row in Conflict.objects.filter(source=source).exclude(subject="")}
    days = SitePolicy.current().conflict_days
    deadline = None if days is None else plan.at + timedelta(days=days)
    for change in wanted:
        row = standing.get(change.subject)
        if row is None:
            _put(list_, source, change, deadline, plan)
        elif row.state == Conflict.State.WITHDRAWN:
            row.state, row.deadline = Conflict.State.OPEN, deadline
            row.save()
    asked = {change.subject for change in wanted}
    said = asked | {change.subject for change in (*weighed.all, *weighed.facts)}
    for subject, row in standing.items():
        if row.state in Conflict.WAITING and subject not in asked:
            row.state = Conflict.State.WITHDRAWN
            row.save()
        elif row.state in CLOSED and subject not in said and subject != weighed.whole:
            row.subject = ""  # the source has given it up
            row.save()


def _put(list_: MediaList, source: Source, change: Change, deadline: Any, plan: Plan) -> None:
    judged = change.judged
    Conflict.objects.create(
        list=list_, source=source, entry_id=change.slot if change.slot > 0 else None, kind=change.kind,
        subject=change.subject, before=change.before, deadline=deadline, version_id=plan.base,
        options=[{"source": source.pk, "value": change.after, "at": int(plan.at.timestamp())}],
        severity=judged.severity, confidence=judged.confidence / 100,
        recommendation={"choice": judged.choice, "source": source.pk, "value": change.after, "why": judged.why},
    )  # fmt: skip


def open_proposal(source: Source) -> Proposal | None:
    open_ = Proposal.objects.select_for_update(of=("self",))
    return open_.filter(source=source, kind=Proposal.Kind.UNSURE, state=Proposal.State.OPEN).first()


def end(proposal: Proposal, state: str, *, by: Any = None) -> None:
    proposal.state, proposal.body, proposal.decided_by, proposal.decided_at = state, None, by, timezone.now()
    proposal.save()


def questions_of(proposal: Proposal) -> list[Conflict]:
    """What waits of it, in order."""
    found = Conflict.objects.filter(source=proposal.source, state__in=Conflict.WAITING).exclude(
        kind=Conflict.Kind.METADATA
    )
    return list(found.select_related("entry", "list").order_by("id"))
