"""What a list would become: the plan of a change, made without touching a row.

A sync brings one source's records; a refold brings none and looks at entries again. Both go the same way:

    read      records against the source's claims by key and digest: what is the same costs nothing more
    leave     what the source lacks, judged by the guard
    place     the list's order out of its sources' orders
    fold      only entries that something happened to; the outcome is spooled as drafts

lists/writer.py publishes a plan, all or nothing for readers; a preview only looks at it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from lists import rows
from lists.align import align_records
from lists.blocking import planned_against
from lists.filters import counted
from lists.folding import EntryFolder
from lists.guard import Limits, must_ask
from lists.intake import Intake
from lists.known import Known
from lists.leaving import StoredClaim, explain, noun_of, supported_by, would_leave
from lists.match import Match, Matcher
from lists.models import Claim, Entry, MediaList, SitePolicy, Source
from lists.placing import Placer, sort_key_of
from lists.plan import ClaimDraft, Draft, Plan, Reading
from lists.records import Read, Record, Unreadable
from lists.slots import Slots
from lists.spool import blocks
from lists.states import EntryState, changed_row


class Planner:
    """Plans one change of one list. `source` None with an unsaved list plans a list that does not exist yet."""

    def __init__(self, list_: MediaList, source: Source | None, *, at: datetime, matcher: Matcher):
        self.list_, self.source, self.matcher = list_, source, matcher
        self.site = SitePolicy.current()
        self.plan = Plan(list_, source, list_.current_id, at, written=planned_against(list_))
        self.folder = EntryFolder(list_, self.site, at)
        self.placer = Placer(list_, source, self.plan, self.folder)
        self.slots = Slots(list_, source, self.folder)
        self.intake: Intake
        self._left: set[int] = set()
        self._changed: set[int] = set()
        self._excluded: dict[int, str] = {}  # entries that are kept out, and why
        self._back: set[int] = set()  # entries that were excluded and are not any more
        self._keys: dict[int, Any] = {}  # in an order by field: what each drafted entry goes by

    # -- a sync -------------------------------------------------------------------------------------------------------

    def sync(self, found: Iterable[Read], how: Reading, known: Known) -> Plan:
        """The plan of a sync: every record of the source in its order."""
        if self.list_.content == MediaList.Content.TRACKS:
            found = list(found)
            if any(isinstance(row, Unreadable) for row in found):
                # Plays have no keys, so nobody can say which of them the unread row is: none of them leaves.
                how = replace(how, may_remove=False)
            found = self._aligned(found)
        self.plan.may_remove = how.may_remove
        self.folder.adapter = how.adapter
        self.intake = Intake(self.plan, known, self.folder, self.slots, self.matcher, how)
        self.intake.read(found)
        self._leave(how)
        self._place()
        self._fold()
        self._finish()
        return self.plan

    def refold(self, entries: Iterable[int] | None = None, *, rebase: bool = False) -> Plan:
        """The plan of looking at entries again, all of them if None: rules, edits or sources have changed.

        rebase: not the sources' words but who is who has changed, so yielding edits stay.
        """
        self.folder.rebase = rebase
        if entries is None:
            entries = Entry.objects.filter(list=self.list_).order_by("id").values_list("id", flat=True)
        entries = list(entries)
        self.placer.returning = set(entries)
        self.placer.place(None)
        self._fold_existing(entries)
        self._finish()
        return self.plan

    def _finish(self) -> None:
        """What is known once everything is folded."""
        effects, plan = self.folder.effects, self.plan
        plan.ended += effects.ended
        plan.questions += effects.questions
        plan.counts.conflicts = plan.asked
        plan.rebased |= effects.rebased
        plan.gone += effects.claims_ended
        plan.folded.extend(effects.kept)
        if new := {name: fact for name, fact in plan.about.said.items() if name not in self.list_.facts}:
            plan.facts = {**self.list_.facts, **new}  # what the list says already stands
        self.placer.sort(self._keys)
        plan.moved = self.placer.out_of_step(self._left)
        plan.counts.moved = len(plan.moved - self._changed)  # as a diff counts them
        if len(plan.drafts):
            plan.leads = {slot: group[0] for group in self.folder.groups.values() for slot in group[1:]}
        if not plan.may_remove:
            plan.named = self._named
        if self.list_.excluded_count or self._excluded:
            still = (self.folder.excluded() & self._named) - self._back - self._excluded.keys()
            plan.counts.excluded = len(still) + len(self._excluded)
            if self.folder.sieve is not None:
                plan.filtered = counted([*self._excluded.values(), *self.folder.reasons(still)])

    @property
    def _named(self) -> set[int]:
        """Entries that the source names. Of a large list this is large."""
        return self.intake.order.named if self.source is not None else set()

    def _aligned(self, rows: list[Read]) -> list[Read]:
        """Plays get lasting keys by aligning them with what the source said last; films carry their own."""
        keyed = align_records([row for row in rows if isinstance(row, Record)], self.source, self.list_)
        self.slots.plays = keyed.entries
        records = iter(keyed.records)
        return [next(records) if isinstance(row, Record) else row for row in rows]

    # -- leaving ------------------------------------------------------------------------------------------------------

    def _leave(self, how: Reading) -> None:
        """Judge what the source lacks: gone now, missing for the first time, or held for a person."""
        known = self.intake.known
        absent = [known.held(number) for number in known.absent()]
        self.plan.positions |= {held.pk: None for held in absent if held.position is not None}
        if not absent or not how.may_remove:
            return
        leaving = would_leave(absent, self.folder, self.intake.order.named)
        self.plan.supported = supported_by(known.accepted, self.folder)
        if leaving and not (how.confirmed or how.keep):
            limits = Limits.of(self.list_, self.site)
            if how.ask or (not how.replaces and must_ask(len(leaving), self.plan.supported, limits)):
                self._hold(absent, leaving)
                return
        kept = []
        for held in absent:
            leaves = self.folder.lead(held.entry) in leaving
            leaves_now = held.missing >= how.grace or not leaves
            (self.plan.gone if leaves_now else self.plan.missing).append(held.pk)
            if leaves_now and leaves and how.keep:
                kept.append(held.pk)
        self.folder.forget(set(self.plan.gone), keep=frozenset(kept))

    def _hold(self, absent: Sequence[StoredClaim], leaving: set[int]) -> None:
        """Nothing at all is removed; what was missing starts anew."""
        plan = self.plan
        plan.held, plan.counts.held = sorted(leaving), len(leaving)
        plan.back += [held.pk for held in absent if held.missing]
        plan.explanation = explain(
            [held.position for held in absent], self.intake.known.placed(), found=plan.counts.found,
            noun=noun_of(self.list_.content),
        )  # fmt: skip

    # -- placing ------------------------------------------------------------------------------------------------------

    def _place(self) -> None:
        """The order is a fold too: whatever a source adds, moves or lets go may shift what follows it elsewhere."""
        if self.plan.positions or self.plan.gone or self.plan.has_new:
            self.placer.place(self.intake.order.slots)

    # -- folding ------------------------------------------------------------------------------------------------------

    def _fold(self) -> None:
        self.plan.places = self.intake.order.number
        for block in self.plan.fresh.blocks():
            words: dict[int, list[ClaimDraft]] = {}
            further: list[ClaimDraft] = []  # that only the fold can settle
            for first in block:
                touched = self.intake.touched.get(self.folder.lead(first.slot), ())
                for draft in (first, *touched):
                    words.setdefault(draft.slot, []).append(draft)
                further += touched if first.pk is None else (first, *touched)
            self._draft(self.folder.fold(self._states(words)))
            for draft in further:
                draft.position, draft.match = self.intake.order.number(draft.place), None
            self.plan.folded.extend(further)
        gone = list(self.plan.gone)
        left: list[int] = []
        for pks in blocks(sorted(gone)):
            left += Claim.objects.filter(pk__in=pks).values_list("entry_id", flat=True)
        self._fold_existing(pk for pk in left if self.folder.lead(pk) not in self.intake.spoken)

    def _states(self, words: dict[int, list[ClaimDraft]]) -> dict[int, EntryState]:
        states = self.folder.load(self.folder.lead(slot) for slot in words)
        for slot, drafts in words.items():
            match = drafts[0].match or Match(None)
            if slot < 0:
                states[slot] = EntryState.new(
                    slot, drafts[0].record.kind, match.item, self.plan.ranks.get(slot, 0), match.root
                )
            elif states[slot].item is None and match.item is not None and self.slots.take(match.item, slot):
                states[slot].item = match.item
                if match.root in self.folder.groups:
                    self.plan.late.append(slot)  # it turns out to be what another entry is
                else:
                    states[slot].root = match.root
            else:
                drafts[0].match = _questioned(match, states[slot], drafts[0])
            self.folder.hear(states[slot], drafts, self.source)
        return states

    def _fold_existing(self, pks: Iterable[int]) -> None:
        """Fold entries to which nothing new was said; each thing once."""
        for block in blocks(sorted({self.folder.lead(pk) for pk in pks})):
            self._draft(self.folder.fold(self.folder.load(block)))

    def _draft(self, drafts: Iterable[Draft]) -> None:
        counts = self.plan.counts
        by_field = self.placer.mode[0] == MediaList.OrderMode.FIELD
        for draft in drafts:
            rank = self.plan.ranks.get(draft.slot)
            if rank is not None and rank != draft.row[rows.AT["rank"]]:
                draft.row = changed_row(draft.row, rank=rank)
            counts.take(draft)
            if draft.excluded:
                self._excluded[draft.slot] = draft.row[rows.AT["reason"]]
            elif self.list_.excluded_count:
                self._back.add(draft.slot)
            if draft.leaves:
                self._left.add(draft.slot)
            elif draft.op == "change":
                self._changed.add(draft.slot)
            if by_field:
                name = self.placer.mode[1]
                row = dict(zip(rows.COLUMNS, draft.row, strict=True))
                self._keys[draft.slot] = sort_key_of(draft, row, name)
            if draft.op != "same":
                self.plan.drafts.append(draft)


def _questioned(match: Match, state: EntryState, draft: ClaimDraft) -> Match:
    """What a source means by an entry that cannot become it: the entry stays what it is until a person decides."""
    if match.item is None:
        return match
    if state.item is None:  # another entry of the list is it already
        return match if match.doubt else Match(None, "match", [match.item])
    if match.root != state.root and draft.record.ids and not (match.by_name or match.decided):
        # The key stayed and its ids name another thing.
        return Match(state.item, "ids", [state.root or state.item, match.item])
    return match


def plan_sync(
    list_: MediaList, source: Source | None, found: Iterable[Read], how: Reading, *, at: datetime, create: bool,
    known: Known | None = None,
) -> Plan:  # fmt: skip
    """Plan a sync. create=False only reads: a preview. known: what the numbers of unchanged rows are of."""
    catalogue = list_.content == MediaList.Content.CHANNELS
    planner = Planner(list_, source, at=at, matcher=Matcher(create=create, source=source, catalogue=catalogue))
    planner.folder.only_looks = not create
    return planner.sync(found, how, known if known is not None else Known(source))


def plan_refold(
    list_: MediaList, *, at: datetime, entries: Iterable[int] | None = None, rebase: bool = False, preview: bool = False
) -> Plan:
    """preview: nothing at all may be written."""
    planner = Planner(list_, None, at=at, matcher=Matcher(create=False))
    planner.folder.only_looks = preview
    return planner.refold(entries, rebase=rebase)
