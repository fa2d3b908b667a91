"""Removals that the guard held: a person lets them happen, some of them, or none."""

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from lists.acts import ActPlanner
from lists.audit import audit
from lists.collecting import few_collections
from lists.dialects import Among
from lists.errors import ListMoved, NotThere, NotWaiting
from lists.fence import fenced
from lists.models import Entry, MediaList, Proposal, Source, Version
from lists.plan import Plan
from lists.services._writing import bump, publish, standing


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


def apply_held(proposal: Proposal, *, by: Any, entries: Collection[int] | None = None) -> Version | None:
    """Let the held entries leave; of `entries`, if they are named, only those: the others are kept by the list.

    Raises NotWaiting if it was decided, replaced or withdrawn since it was read.
    """
    return _Decision(proposal, by, entries).run()


def keep_held(proposal: Proposal, *, by: Any) -> Version | None:
    """The list keeps them all, and nobody is asked again about them. Raises NotWaiting."""
    return _Decision(proposal, by, ()).run()


@dataclass
class _Decision:
    """May be of very many, and goes in parts then (lists/parts.py): if it dies in between, the rest still waits."""

    proposal: Proposal
    by: Any
    chosen: Collection[int] | None  # that leave; None: all
    correlation_id: str = field(default_factory=lambda: str(uuid4()))
    gone: int = 0  # with versions of it that stand

    @few_collections()
    def run(self) -> Version | None:
        proposal = self.proposal
        assert proposal.list is not None
        waiting = set(proposal.result.get("entries", []))
        leaving = waiting if self.chosen is None else set(self.chosen)
        if not leaving <= waiting:
            raise NotThere("This entry does not wait to leave. Nothing was changed.")
        while True:
            with transaction.atomic():
                self._refuse_if_decided()
            list_ = standing(proposal.list)
            planner = ActPlanner(list_, at=timezone.now(), by=self.by)
            plan = planner.leave(proposal.source_id or 0, leaving, keep=waiting - leaving)
            gone = self.gone + plan.counts.removed
            try:
                with fenced(self._refuse_if_decided):
                    return publish(
                        plan, kind=Version.Kind.DECISION, by=self.by, summary=f"Held by {proposal.source}: {gone:,} left",
                        correlation_id=self.correlation_id,
                        before_commit=partial(self._finish, list_, gone, leaving, len(waiting - leaving)),
                    )  # fmt: skip
            except ListMoved as moved:
                self.gone += sum(version.removed for version in moved.parts)

    def _refuse_if_decided(self) -> None:
        """Asked in every transaction: a sync that lists the entries again need not make a version."""
        found = Proposal.objects.select_for_update(of=("self",)).get(pk=self.proposal.pk)
        waits = found.kind == Proposal.Kind.HELD and found.state == Proposal.State.OPEN
        if not waits or found.result.get("entries") != self.proposal.result.get("entries"):
            state = "other entries wait now" if waits else found.get_state_display().lower()
            begun = Version.objects.filter(list=found.list_id, correlation_id=self.correlation_id).exists()
            done = "A part was done by then." if begun else "Nothing was changed."
            raise NotWaiting(f"This does not wait any more ({state}). {done}")

    def _finish(self, list_: MediaList, gone: int, leaving: set[int], kept: int, version: Version | None) -> None:
        bump(list_)
        stayed = Entry.objects.filter(Among("id", leaving), list=list_).listed().count()
        proposal = self.proposal
        proposal.state = Proposal.State.CONFIRMED if leaving else Proposal.State.KEPT
        proposal.decided_by, proposal.decided_at = self.by, timezone.now()
        # What was asked to leave and did not: something else supports it by now.
        proposal.result = {**proposal.result, "left": gone, "kept": kept, "stayed": stayed}
        proposal.save(update_fields=["state", "decided_by", "decided_at", "result"])
        action = "let go" if leaving else "kept"
        audit(self.by, action, proposal, after={"left": gone, "kept": kept}, version=version)
