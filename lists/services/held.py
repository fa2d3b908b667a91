"""Removals that the guard held: a person lets them happen, some of them, or none."""

from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from lists.acts import ActPlanner
from lists.audit import audit
from lists.errors import NotThere, NotWaiting
from lists.models import Entry, MediaList, Proposal, Source, Version
from lists.plan import Plan
from lists.services._writing import locked, publish


def hold_removals(source: Source, plan: Plan, *, complete: bool, run: int) -> Proposal | None:
    """What a sync leaves waiting; in its publishing transaction. A complete fetch replaces what waited, or withdraws it;
    another one takes out what it names. Returns the proposal that waits now."""
    open_ = Proposal.objects.select_for_update(of=("self",)).filter(
        source=source, kind=Proposal.Kind.HELD, state=Proposal.State.OPEN
    )
    before = open_.first()
    entries = plan.held if complete else _still(before, plan.named)
    if before is not None:
        if before.result.get("entries") == entries:
            return before
        if entries and not complete:
            before.result = {**before.result, "entries": entries}
            before.save(update_fields=["result"])
            return before
        before.state, before.decided_at = Proposal.State.WITHDRAWN, timezone.now()
        before.save(update_fields=["state", "decided_at"])
    if not (complete and entries):
        return None
    return Proposal.objects.create(
        kind=Proposal.Kind.HELD, state=Proposal.State.OPEN, list_id=source.list_id, source=source, adapter=source.adapter,
        result={
            "entries": entries, "supported": plan.supported, "found": plan.counts.found, "run": run,
            "explanation": plan.explanation, "base": plan.base,
        },
    )  # fmt: skip


def _still(before: Proposal | None, named: Collection[int]) -> list[int]:
    return [] if before is None else [pk for pk in before.result.get("entries", []) if pk not in named]


def held_entries(proposal: Proposal) -> QuerySet[Entry]:
    """The entries whose removal waits, as the list shows them now."""
    return Entry.objects.filter(list=proposal.list_id, pk__in=proposal.result.get("entries", []))


@transaction.atomic
def apply_held(proposal: Proposal, *, by: Any, entries: Collection[int] | None = None) -> Version | None:
    """Let the held entries leave; of `entries`, if they are named, only those: the others are kept by the list.

    Raises NotWaiting if it was decided, replaced or withdrawn meanwhile.
    """
    list_, proposal = _open(proposal)
    waiting = set(proposal.result.get("entries", []))
    chosen = waiting if entries is None else set(entries)
    if not chosen <= waiting:
        raise NotThere("This entry does not wait to leave. Nothing was changed.")
    return _decide(list_, proposal, chosen, waiting - chosen, by=by)


@transaction.atomic
def keep_held(proposal: Proposal, *, by: Any) -> Version | None:
    """The list keeps them all, and nobody is asked about them again."""
    list_, proposal = _open(proposal)
    return _decide(list_, proposal, set(), set(proposal.result.get("entries", [])), by=by)


def _open(proposal: Proposal) -> tuple[MediaList, Proposal]:
    assert proposal.list is not None
    list_ = locked(proposal.list)
    found = Proposal.objects.select_for_update(of=("self",)).select_related("source").get(pk=proposal.pk)
    if found.kind != Proposal.Kind.HELD or found.state != Proposal.State.OPEN:
        raise NotWaiting(f"This does not wait any more ({found.get_state_display().lower()}). Nothing was changed.")
    return list_, found


def _decide(list_: MediaList, proposal: Proposal, leaving: set[int], keeping: set[int], *, by: Any) -> Version | None:
    planner = ActPlanner(list_, at=timezone.now(), by=by)
    plan = planner.leave(proposal.source_id or 0, leaving, keep=keeping)
    gone = plan.counts.removed
    version = publish(plan, kind=Version.Kind.DECISION, by=by, summary=f"Held by {proposal.source}: {gone:,} left")
    proposal.state = Proposal.State.CONFIRMED if leaving else Proposal.State.KEPT
    proposal.decided_by, proposal.decided_at = by, timezone.now()
    # What was asked to leave and did not: something else supports it by now.
    proposal.result = {**proposal.result, "left": gone, "kept": len(keeping), "stayed": len(leaving) - gone}
    proposal.save(update_fields=["state", "decided_by", "decided_at", "result"])
    action = "let go" if leaving else "kept"
    audit(by, action, proposal, after={"left": gone, "kept": len(keeping)}, version=version)
    return version
