"""The plan of what a person does to a list: edits, additions, removals, order, which record means what.

It goes the way of every change: the entries are folded with what the person wants, and lists/writer.py publishes the
outcome. Nothing here asks who may do it (lists/services/).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lists.asking import known_words
from lists.changes import Planner
from lists.errors import Unfit
from lists.match import Match, Matcher
from lists.models import Claim, MediaList
from lists.plan import EditDraft, Plan
from lists.resolve import ABSENT, PRESENCE, PRESENT
from lists.spool import blocks
from lists.states import EntryState


@dataclass(frozen=True, slots=True)
class Addition:
    """An entry that a person adds. match: who it is; ids: as they typed them."""

    values: dict[str, Any]
    kind: str
    match: Match
    ids: dict[str, str] = field(default_factory=dict)


@dataclass
class Act:
    """What a person wants, all of it one version.

    edits: entry -> field -> value; PRESENCE is a field. given_back: entry -> fields. order: every entry in its new order;
    None leaves it. mode: how the list is ordered from now on.
    """

    edits: dict[int, dict[str, Any]] = field(default_factory=dict)
    given_back: dict[int, Collection[str]] = field(default_factory=dict)
    added: list[Addition] = field(default_factory=list)
    order: list[int] | None = None
    mode: tuple[str, str] | None = None


class ActPlanner(Planner):
    """Plans acts of one person."""

    def __init__(self, list_: MediaList, *, at: Any, by: Any):
        super().__init__(list_, None, at=at, matcher=Matcher(create=False))
        self.author: int | None = by.pk if by else None
        self.author_name: str = by.get_username() if by else ""

    def act(self, act: Act) -> Plan:
        """The plan. Raises Unfit if a title would be given back that nobody else names."""
        if act.mode is not None and act.mode != (self.list_.order_mode, self.list_.order_field):
            self.plan.order_mode = act.mode
        added = [self._state_of(addition) for addition in act.added]
        self._place_act(act, [state.slot for state in added])
        for state, addition in zip(added, act.added, strict=True):
            state.rank = self.plan.ranks.get(state.slot, 0)
            self._want(state, [state], PRESENCE, PRESENT)
            self.folder.say(state, addition.values, addition.kind, listing=False, ids=addition.ids)
        for pks in blocks(sorted({self.folder.lead(pk) for pk in (*act.edits, *act.given_back)})):
            states = self.folder.load(pks)
            for group in self.folder.grouped(states):
                self._apply(group, act)
            self._draft(self.folder.fold(states))
        self._draft(self.folder.fold({state.slot: state for state in added}))
        self._finish()
        return self.plan

    def _state_of(self, addition: Addition) -> EntryState:
        slot = self.slots.new(addition.match)
        return EntryState.new(slot, addition.kind, addition.match.item, 0, addition.match.root)

    def _place_act(self, act: Act, new: Sequence[int]) -> None:
        presence = {pk for pk, values in act.edits.items() if values.get(PRESENCE) == PRESENT}
        self.placer.returning = presence
        if act.order is not None:
            known = set(act.order)
            self.placer.put([*act.order, *(slot for slot in new if slot not in known)])
        elif act.mode is not None or presence or new:
            self.placer.place(None, new=new)

    def _apply(self, group: Sequence[EntryState], act: Act) -> None:
        shown = group[0]
        for state in group:
            for name, value in act.edits.get(state.slot, {}).items():
                # Removing what the list shows removes everything that it is; any other word is about what is shown.
                for each in group if (name, value) == (PRESENCE, ABSENT) else [shown]:
                    self._want(each, group, name, value)
            for name in act.given_back.get(state.slot, ()):
                self._give_back(group, name)

    def _give_back(self, group: Sequence[EntryState], name: str) -> None:
        if name == "title" and not self.folder.alone(group).values.get("title"):
            raise Unfit("Nobody else names a title, so it cannot be given back. Nothing was changed.")
        for state in group:
            self._end(state, name)

    def _end(self, state: EntryState, name: str) -> None:
        if (edit := state.edits.pop(name, None)) is not None and edit.pk is not None:
            self.plan.ended.append(edit.pk)

    def _want(self, state: EntryState, group: Sequence[EntryState], name: str, value: Any, **more: Any) -> None:
        """An edit against the words of now; the same word once more leaves the one that stands."""
        words = [word for each in group for word in each.words.values()]
        twins = [edit for each in group if each is not state for edit in each.edits.values()]
        known = known_words(name, words, twins) if name != PRESENCE else {}
        old = state.edits.get(name)
        firm = more.get("firm", True)
        if firm and old is not None and old.firm and old.value == value and old.words == known:
            return
        who = {"author": self.author, "author_name": self.author_name} | more
        edit = EditDraft(
            state.slot, name, value, self.plan.at, words=known, pk=old.pk if old is not None else None, **who
        )  # fmt: skip
        state.edits[name] = self.plan.edits[state.slot, name] = edit
        self.folder.made(edit)

    def release(self, entries: Iterable[int], *, until: Any) -> Plan:
        """Edits that a rollback made until then end; what people said stays."""
        entries = list(entries)
        self.placer.returning = set(entries)
        self.placer.place(None)
        for pks in blocks(sorted({self.folder.lead(pk) for pk in entries})):
            states = self.folder.load(pks)
            for state in states.values():
                for name in [name for name, edit in state.edits.items() if not edit.firm and edit.made_at <= until]:
                    self._end(state, name)
            self._draft(self.folder.fold(states))
        self._finish()
        return self.plan

    # -- held removals ------------------------------------------------------------------------------------------------

    def leave(self, source: int, entries: Collection[int], *, keep: Collection[int]) -> Plan:
        """Entries that a source lacks leave, those of `keep` stay without it."""
        members = {pk for entry in (*entries, *keep) for pk in self.folder.members(entry)}
        kept = {pk for entry in keep for pk in self.folder.members(entry)}
        going: dict[int, int] = {}
        for pks in blocks(sorted(members)):
            going |= dict(Claim.objects.filter(source=source, entry__in=pks).values_list("id", "entry_id"))
        self.plan.gone += going
        self.folder.forget(set(going), keep={pk for pk, entry in going.items() if entry in kept})
        self.placer.place(None)
        self._fold_existing(members)
        self._finish()
        return self.plan

    # -- which record means what --------------------------------------------------------------------------------------

    def pick(self, claims: Mapping[int, int], match: Match) -> Plan:
        """Claims (id -> entry) of one entry mean another item: the entry becomes it where nothing else speaks of it
        and no entry of the list is it already; else the claims go over."""
        [old] = set(claims.values())
        target = self.slots.of_item(match.item)
        states = self.folder.load([old, *([target] if target is not None else [])])
        whole = all(pk in claims for pk, word in states[old].words.items() if word.feed)
        if target is None and whole:
            states[old].item, states[old].root = match.item, match.root
            if match.root in self.folder.groups:
                self.plan.late.append(old)
        elif target != old:
            self._move(claims, old, target, states, match, whole=whole)
        self.placer.place(None, new=[slot for slot in states if slot < 0])
        for slot in states:
            if slot < 0:
                states[slot].rank = self.plan.ranks.get(slot, 0)
        self._draft(self.folder.fold(states))
        self._finish()
        return self.plan

    def _move(
        self, claims: Mapping[int, int], old: int, target: int | None, states: dict[int, EntryState], match: Match, *, whole: bool
    ) -> None:  # fmt: skip
        if target is None:
            target = self.slots.new(match)
            states[target] = EntryState.new(target, states[old].kind, match.item, 0, match.root)
        for pk in claims:
            if (word := states[old].words.pop(pk, None)) is not None:
                states[target].words[pk] = word
                self.plan.moved_claims[pk] = target
        if not whole:
            return
        held = states[old].edits.get(PRESENCE)
        if held is not None and held.value == PRESENT:  # it was kept as what it is now called
            if PRESENCE not in states[target].edits and held.firm:
                self._want(states[target], [states[target]], PRESENCE, PRESENT)
            self._end(states[old], PRESENCE)
        # What a person said of the entry goes along; where the other has a word of its own, that one stands.
        group = [states[target]]
        for name, edit in list(states[old].edits.items()):
            if edit.firm and name not in states[target].edits and name != PRESENCE:
                self._want(states[target], group, name, edit.value, author=edit.author, author_name=edit.author_name)
                self._end(states[old], name)


def plan_act(list_: MediaList, act: Act, *, at: Any, by: Any, preview: bool = False) -> Plan:
    """The plan of an act. preview: nothing at all may be written, not even the list's own source."""
    planner = ActPlanner(list_, at=at, by=by)
    planner.folder.only_looks = preview
    return planner.act(act)
