"""Making an older version the newest.

A rollback never takes away what is: it is a new version. The firm edits become those of its target; what the sources say
otherwise by now is held by edits that yield to their next word. Blocks, filters, rules and who is who stay as they are
today, so an entry may be missing, and the plan says which and why.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef, QuerySet

from lists import order, rows, versions
from lists.acts import ActPlanner
from lists.dense import IdSet
from lists.fields import FIELDS
from lists.models import Edit, Entry, MediaList, Version
from lists.plan import EditDraft, Plan
from lists.resolve import ABSENT, PRESENCE, PRESENT
from lists.spool import blocks
from lists.states import MERGED, EntryState


@dataclass(frozen=True, slots=True)
class Missing:
    """An entry that the target shows and the list cannot show today."""

    entry: int
    title: str
    year: int | None
    reason: str


@dataclass
class Then:
    """How one entry was at the target. listed: it was on the list; excluded: it was kept out by a block or a filter;
    merged: another entry showed it; else it was not there."""

    state: str = "removed"
    values: dict[str, Any] = field(default_factory=dict)
    kind: str = ""

    @property
    def is_present(self) -> bool:
        return self.state in ("listed", "excluded")


class RollbackPlanner(ActPlanner):
    """Plans the rollback of a list, or of some of its entries, to a version. parts: versions of this very rollback that
    stand already; what others have written since the first of them is left as it is."""

    def __init__(self, list_: MediaList, to: Version, *, at: Any, by: Any, parts: Sequence[Version] = ()):
        super().__init__(list_, at=at, by=by)
        self.to = to
        self.others = versions.between(parts)
        self.missing: list[Missing] = []
        self.other_kind = 0  # entries that stay the kind of thing which their sources say today
        self._after: dict[int, bool] = {}  # entry -> listed, of those that were folded

    def roll_back(self, entries: Iterable[int] | None = None) -> Plan:
        whole = entries is None
        touched = self._touched_entries() if entries is None else {e for pk in entries for e in self.folder.members(pk)}
        touched -= {e for pk in versions.touched_by(self.others) for e in self.folder.members(pk)}
        leads = sorted({self.folder.lead(pk) for pk in touched})
        self.placer.returning = touched
        self.placer.place(None)
        for pks in blocks(leads):
            states = self.folder.load(pks)
            then = self._then(states)
            firm = self._firm_edits(states)
            groups = self.folder.grouped(states)
            for group in groups:
                self._wind_back(group, then, firm)
            self._draft(self._noted(groups, then))
        if whole:
            self._set_back_facts()
            self._set_back_order()
        self._finish()
        return self.plan

    def _touched_entries(self) -> set[int]:
        touched = versions.touched_since(self.to) | set(yielding(self.list_).values_list("entry_id", flat=True))
        return {member for pk in touched for member in self.folder.members(pk)}

    # -- then ---------------------------------------------------------------------------------------------------------

    def _then(self, states: Mapping[int, EntryState]) -> dict[int, Then]:
        found = versions.last_rows(self.to, states)
        return {slot: self._state_then(state, found.get(slot)) for slot, state in states.items()}

    def _state_then(self, state: EntryState, row: Any) -> Then:
        if row is None:
            # Never listed up to then. If it was there at all, another entry showed it or a rule kept it out from the start.
            if self.folder.lead(state.slot) != state.slot:
                return Then("merged")
            was_there = state.first_listed_at is not None and state.first_listed_at <= self.to.created_at
            return Then("excluded" if was_there else "removed")
        if row.history_type != "-":
            return Then("listed", versions.values_of(row), row.kind)
        if row.state == Entry.State.EXCLUDED:
            return Then("excluded")
        return Then("merged" if row.reason == MERGED else "removed")

    def _firm_edits(self, states: Iterable[int]) -> dict[int, dict[str, Any]]:
        """Entry -> field -> the firm edit (a history row) that stood at the target."""
        firm: dict[int, dict[str, Any]] = {}
        found = list(versions.edits_of(self.to, entries=states).filter(firm=True))
        authors = get_user_model().objects.filter(pk__in={row.author_id for row in found})
        there = set(authors.values_list("pk", flat=True))
        for row in found:
            if row.author_id not in there:
                row.author_id = None  # the account is deleted; the name stays
            firm.setdefault(row.entry_id, {})[row.field] = row
        return firm

    # -- back ---------------------------------------------------------------------------------------------------------

    def _wind_back(
        self, group: Sequence[EntryState], then: Mapping[int, Then], firm: Mapping[int, Mapping[str, Any]]
    ) -> None:
        held: dict[tuple[int, str], EditDraft] = {}
        for state in group:
            for name, edit in list(state.edits.items()):
                if not edit.firm:
                    held[state.slot, name] = state.edits.pop(name)
        for state in group:
            self._set_back_edits(state, group, firm.get(state.slot, {}), held)
        self._hold_presence(group, then, held)
        self.folder.settle(group)
        self._hold_values(group, then, held)
        self.plan.ended += [edit.pk for edit in held.values() if edit.pk is not None]

    def _set_back_edits(
        self, state: EntryState, group: Sequence[EntryState], firm: Mapping[str, Any], held: dict[tuple[int, str], EditDraft]
    ) -> None:  # fmt: skip
        """(1) The firm edits become those of the target; one that already stands with that value is left."""
        for name in [name for name in state.edits if name not in firm]:
            self._end(state, name)
        for name, row in firm.items():
            now = state.edits.get(name)
            if now is not None and now.value == row.value:
                continue
            if now is None and (old := held.pop((state.slot, name), None)) is not None:
                state.edits[name] = old  # its row becomes the firm edit
            self._want(state, group, name, row.value, author=row.author_id, author_name=row.author_name)

    def _hold_presence(
        self, group: Sequence[EntryState], then: Mapping[int, Then], held: dict[tuple[int, str], EditDraft]
    ) -> None:
        """(2) Whether it is there. Of entries that are one thing today, one is enough."""
        wanted = any(then[state.slot].is_present for state in group)
        merged = all(then[state.slot].state == "merged" for state in group)
        if merged or wanted == any(state.is_present for state in group):
            return
        if wanted:
            first = next(state for state in group if then[state.slot].is_present)
            self._hold_as_then(first, group, PRESENCE, PRESENT, held, base=first.claimed)
        else:
            for state in group:
                if state.is_present:
                    self._hold_as_then(state, group, PRESENCE, ABSENT, held, base=state.claimed)

    def _hold_values(
        self, group: Sequence[EntryState], then: Mapping[int, Then], held: dict[tuple[int, str], EditDraft]
    ) -> None:
        """(2) What it shows."""
        shown = next((state for state in group if then[state.slot].state == "listed"), None)
        if shown is None:
            return
        wanted = then[shown.slot].values
        resolved = self.folder.resolved(group, blocks=False)
        kind = resolved.kind or group[0].kind
        now = {**resolved.values, "title": rows.shown_title(resolved.values, kind)}
        if now == wanted:
            return
        said = now.keys() | wanted.keys()
        differing = [name for name in FIELDS if name in said and now.get(name) != wanted.get(name)]
        edited = any(state.edits for state in group)
        alone = self.folder.alone(group).values if differing and edited else resolved.values
        for name in differing:
            self._hold_as_then(group[0], group, name, wanted.get(name), held, base=alone.get(name))

    def _hold_as_then(
        self, state: EntryState, group: Sequence[EntryState], name: str, value: Any,
        held: dict[tuple[int, str], EditDraft], *, base: Any,
    ) -> None:  # fmt: skip
        """A yielding edit against what the sources alone give now. One that says so already is left as it is."""
        before = state.edits.get(name)
        old = held.pop((state.slot, name), None)
        if (
            old is not None
            and before is None
            and (old.value, old.base, old.rollback_to) == (value, base, self.to.number)
        ):
            state.edits[name] = old
            self.folder.made(old)
            return
        if before is None and old is not None:
            state.edits[name] = old
        elif before is not None and name != PRESENCE:
            return  # a firm edit of the target stands; what it shows is its own
        self._want(state, group, name, value, firm=False, base=base, rollback_to=self.to.number)

    # -- the whole ----------------------------------------------------------------------------------------------------

    def _noted(self, groups: Iterable[Sequence[EntryState]], then: Mapping[int, Then]) -> Iterable[Any]:
        """The drafts, with what the target shows and today's rules or identities keep out."""
        for draft in chain.from_iterable(map(self.folder.drafts, groups)):
            self._after[draft.slot] = draft.listed
            was, place = then[draft.slot], rows.AT
            self.other_kind += was.state == "listed" and draft.listed and draft.row[place["kind"]] != was.kind
            if was.state == "listed" and not draft.listed:
                self.missing.append(
                    Missing(draft.slot, was.values.get("title", ""), was.values.get("year"), draft.row[place["reason"]])
                )
            yield draft

    def _set_back_facts(self) -> None:
        if self.to.facts != self.list_.facts:
            self.plan.facts = self.to.facts

    def _set_back_order(self) -> None:
        """(3) If the order differs, it becomes the list's own."""
        if any(version.moved for version in self.others):
            return
        listed, shared = IdSet(), IdSet()
        listed.update(pk for pk in self.folder.listed() if self._after.get(pk, True))
        listed.update(pk for pk, after in self._after.items() if after)
        self.placer.sort(self._keys)  # in an order by field the values as they will be give it
        sequence = self.placer.sequence or []
        target = array("q", (pk for pk in self._target_order if pk in listed))
        shared.update(target)
        if array("q", (pk for pk in sequence if pk in listed and pk in shared)) == target:
            return
        if self.list_.order_mode != MediaList.OrderMode.HAND:
            self.plan.order_mode = (MediaList.OrderMode.HAND, "")
        self.placer.put(order.merge([self._target_order, sequence]))

    @cached_property
    def _target_order(self) -> "array[int]":
        """The target's entries as they are called today, each once."""
        return order.distinct(array("q", map(self.folder.lead, versions.order_of(self.to))))


def yielding(list_: MediaList) -> QuerySet[Edit]:
    """The edits of a list that rollbacks made."""
    # Not by a join: SQLite may begin it with all the entries that there are.
    of_list = Entry.objects.filter(pk=OuterRef("entry_id"), list=list_)
    return Edit.objects.filter(Exists(of_list), firm=False)


def plan_rollback(
    list_: MediaList, to: Version, *, at: Any, by: Any, entries: Iterable[int] | None = None, parts: Sequence[Version] = ()
) -> tuple[Plan, list[Missing], int]:  # fmt: skip
    """The plan, what the target shows that the list cannot show today, and how many entries stay of another kind than
    there. parts: as for RollbackPlanner."""
    planner = RollbackPlanner(list_, to, at=at, by=by, parts=parts)
    return planner.roll_back(entries), planner.missing, planner.other_kind
