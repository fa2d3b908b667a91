"""Folding entries in blocks: what is stored of them, what is newly said, and the drafts that come of it.

Entries of one list whose items turned out to be one thing are folded together: the one that came first shows it, the
others are removed. Everywhere else a group has one member.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from lists import asking, rows
from lists.blocking import rules_for
from lists.filters import Sieve, sieve_of
from lists.match import Match
from lists.models import Entry, MediaList, SitePolicy, Source
from lists.plan import Ask, ClaimDraft, Draft, EditDraft
from lists.preferences import weighing_of
from lists.reader import EntryReader
from lists.records import Record
from lists.resolve import ABSENT, PRESENCE, Block, Resolved, resolve
from lists.rows import shown_values
from lists.states import MERGED, SEEN, EntryState, changed_row
from lists.words import Values, Word


@dataclass(slots=True)
class Effects:
    """What folding does besides the drafts of entries."""

    ended: list[int] = field(default_factory=list)  # yielding edits that have yielded
    rebased: dict[int, Any] = field(default_factory=dict)
    claims_ended: list[int] = field(default_factory=list)  # kept claims of what a source lists again
    kept: list[ClaimDraft] = field(default_factory=list)
    questions: list[tuple[int, Match | None, list[Ask]]] = field(default_factory=list)  # as in Plan


class EntryFolder(EntryReader):
    """Folds entries of one list.

    rebase: the fold has another reason than a source's word (a merge, a split), so yielding edits do not yield to it.
    """

    def __init__(self, list_: MediaList, site: SitePolicy, at: datetime):
        super().__init__(list_)
        self.at, self._now = at, int(at.timestamp())
        self.weighing = weighing_of(list_, site)
        self.rebase = False
        self.only_looks = False  # a preview writes nothing, not even the list's own source
        self.adapter = ""  # of a source that is read and still to be made
        self.effects = Effects()
        self._made: set[tuple[int, str]] = set()  # edits of this very change

    @cached_property
    def blocks(self) -> list[Block]:
        """Asked for with the first entry that is folded; who plans has noted before which ones hold (planned_against)."""
        return rules_for(self.list_)

    @cached_property
    def sieve(self) -> Sieve | None:
        return sieve_of(self.list_, adapter=self.adapter)

    def made(self, edit: EditDraft) -> None:
        """An edit of this change does not yield to it."""
        self._made.add((edit.slot, edit.field))

    def hear(self, state: EntryState, fresh: Sequence[ClaimDraft], source: Source | None) -> None:
        """Take what is newly said of an entry; fills in the times of the claims."""
        for number, draft in enumerate(fresh):
            old = state.words.pop(draft.pk, None) if draft.pk is not None else None
            draft.first_at, draft.times = _times(draft.record.values, old, self._now)
            record = draft.record
            state.words[-1 - number] = self.word(
                (source.pk if source is not None else None) or 0, record.key, record.values, draft.first_at, draft.times,
                record.kind, ids=record.ids,
            )  # fmt: skip
            if draft.match is not None and draft.match.doubt:
                state.doubt = draft.match

    # -- folding ------------------------------------------------------------------------------------------------------

    def fold(self, states: Mapping[int, EntryState]) -> Iterator[Draft]:
        """A draft for each entry; new ones in the order in which they came."""
        for group in self.grouped(states):
            self.settle(group)
            yield from self.drafts(group)

    def grouped(self, states: Mapping[int, EntryState]) -> list[list[EntryState]]:
        """Entries that are one thing together, the one that came first leading."""
        if not self.groups:
            new = sorted((slot for slot in states if slot < 0), reverse=True)
            return [[states[slot]] for slot in (*new, *sorted(slot for slot in states if slot > 0))]
        groups: dict[int, list[EntryState]] = defaultdict(list)
        for slot in sorted(states, key=lambda slot: (slot < 0, abs(slot))):
            groups[self.lead(slot)].append(states[slot])
        order = sorted(groups.values(), key=lambda group: (group[0].slot > 0, abs(group[0].slot)))
        for group in order:
            for number, state in enumerate(group):
                if number:
                    state.words = {pk: _of_member(word, number) for pk, word in state.words.items()}
        return order

    def settle(self, group: Sequence[EntryState]) -> None:
        """Kept words end where a source speaks again and begin where the last one goes; yielding edits yield."""
        if len(group) == 1 and group[0].row is None and group[0].words and not group[0].edits:
            return  # a new entry, of which nobody but its source has spoken
        for state in group:
            self._end_kept(state)
            self._keep_word(state)
            self._yield_presence(state)
            if state.is_present and not state.words:
                self._hold_word(state)
        yielding = [(s, name) for s in group for name, edit in s.edits.items() if not edit.firm and name != PRESENCE]
        yielding = [(state, name) for state, name in yielding if (state.slot, name) not in self._made]
        alone = self.alone(group).values if yielding else {}
        for state, name in yielding:
            self._yield(state, name, alone.get(name))

    def alone(self, group: Sequence[EntryState]) -> Resolved:
        """What the sources give, without any edit."""
        words = [word for state in group for word in state.words.values()]
        return resolve(words, {}, self.weighing)

    def _end_kept(self, state: EntryState) -> None:
        if not any(word.feed and word.listing for word in state.words.values()):
            return
        for pk, word in list(state.words.items()):
            if self.sources.get(word.source, (0, ""))[1] == Source.Role.KEPT and pk > 0:
                self.effects.claims_ended.append(pk)
                del state.words[pk]

    def _keep_word(self, state: EntryState) -> None:
        """An entry that its last source leaves, and that stays by the list's rule or a person's word."""
        if not state.leaving or state.is_claimed:
            return
        by_rule = any(keep for _, keep in state.leaving) and state.is_shown
        if by_rule or state.is_present:
            last = resolve([word for word, _ in state.leaving], {}, self.weighing)
            self.say(state, last.values, last.kind, listing=by_rule)
            state.leaving = []

    def _hold_word(self, state: EntryState) -> None:
        """An entry that a person holds and nobody speaks of: it has the values that it last showed."""
        last = {} if state.row is None else dict(shown_values(state.row))
        for name, edit in state.edits.items():
            if name in last and edit.value == last[name]:
                del last[name]
        self.say(state, last, state.kind, listing=False)

    def say(
        self, state: EntryState, values: Values, kind: str, *, listing: bool, ids: Mapping[str, str] | None = None
    ) -> None:
        """The list's own word about an entry."""
        record = Record(key="", kind=kind or state.kind, values=values, ids=dict(ids or {}))
        draft = ClaimDraft(None, state.slot, record, b"", None, 0, self._now, kept=True, listing=listing)
        self.effects.kept.append(draft)
        kept = self._kept_source()
        rank = self.sources.get(kept, (len(self.sources), ""))[0]
        state.words[0] = Word(
            kept, rank, f"entry {state.slot}", values, draft.first_at, {}, record.kind, listing=listing, feed=False,
            ids=record.ids,
        )  # fmt: skip

    def _kept_source(self) -> int:
        kept = next((pk for pk, (_, role) in self.sources.items() if role == Source.Role.KEPT), 0)
        if not kept and not self.only_looks:
            kept = Source.objects.kept(self.list_).pk
            del self.sources  # read anew
        return kept

    def _yield_presence(self, state: EntryState) -> None:
        if PRESENCE in state.edits:
            self._yield(state, PRESENCE, state.claimed)

    def _yield(self, state: EntryState, name: str, now: Any) -> None:
        edit = state.edits[name]
        if edit.firm or edit.base == now or (state.slot, name) in self._made:
            return
        if self.rebase:
            edit.base = now
            self.effects.rebased[edit.pk or 0] = now
            return
        self.effects.ended.append(edit.pk or 0)
        del state.edits[name]

    def combined(self, group: Sequence[EntryState]) -> dict[str, list[EditDraft]]:
        """Field -> the edits that stand, the one that is shown first: firm before yielding, of firm ones the latest."""
        standing: dict[str, list[EditDraft]] = defaultdict(list)
        if not any(state.edits for state in group):
            return standing
        for state in group:
            for name, edit in state.edits.items():
                if name != PRESENCE:
                    standing[name].append(edit)
        for edits in standing.values():
            if len(edits) > 1:
                edits.sort(key=lambda edit: (edit.firm, edit.made_at if edit.firm else self.at, edit.pk or 0))
                edits.reverse()
        return standing

    def resolved(self, group: Sequence[EntryState], *, blocks: bool = True) -> Resolved:
        """blocks: whether blocks and filters are asked, too. Filters pass what a person put here."""
        filters = self.sieve if blocks else None
        if filters is not None and any(state.is_put_here for state in group):
            filters = None
        edits = {name: standing[0].value for name, standing in self.combined(group).items()}
        words = [word for state in group for word in state.words.values()]
        present = any(state.is_present for state in group)
        return resolve(
            words, edits, self.weighing, self.blocks if blocks else (), item=group[0].root, present=present, filters=filters
        )  # fmt: skip

    def drafts(self, group: Sequence[EntryState]) -> Iterator[Draft]:
        """Of a group that is settled."""
        resolved = self.resolved(group)
        yield self._draft(group[0], resolved, self._asks(group, resolved), _doubt(group))
        for state in group[1:]:
            yield self._draft(state, None, self._asks([state], None), None)

    def _asks(self, group: Sequence[EntryState], resolved: Resolved | None) -> list[Ask]:
        """Questions to put or take back; about what is listed only."""
        wanted: dict[str, Ask] = {}
        settled: list[Ask] = []
        if resolved is not None and resolved.present and not resolved.excluded and not _says_all(group):
            words = [word for state in group for word in state.words.values()]
            first = group[0]
            if first.row is not None and first.state == Entry.State.LISTED:
                settled = asking.settled(words, rows.shown_values(first.row), resolved, self.weighing.strategy)
            wanted = asking.questions(
                words, list(self.combined(group).values()), self.weighing.strategy, resolved.values
            )
        if not wanted and not group[0].asked:
            return settled
        return [*asking.reconcile(wanted, group[0].asked), *settled]

    def _draft(self, state: EntryState, resolved: Resolved | None, asks: list[Ask], doubt: Any) -> Draft:
        """resolved None: another entry of the list shows the same thing."""
        present = resolved is not None and resolved.present
        excluded = resolved.excluded if resolved is not None else ""
        listed = present and not excluded
        new_state = "listed" if listed else "excluded" if excluded else "removed"
        reason = "" if listed else excluded or (MERGED if resolved is None else _why_removed(state))
        was_listed = state.state == Entry.State.LISTED
        if resolved is None or (not present and state.row is not None):
            # What left keeps the values that it last showed.
            row = self._left_row(state, new_state, reason)
        else:
            row = rows.entry_row(
                resolved,
                list_id=self.list_.pk or 0,
                item_id=state.item,
                once=self.list_.once,
                kind=resolved.kind or state.kind,
                state=new_state,
                reason=reason,
                rank=state.rank,
                first_listed_at=state.first_listed_at or self.at,
            )
        op = _op(state, row, was_listed, listed, new_state)
        if doubt is not None or asks:
            self.effects.questions.append((state.slot, doubt, asks))
        return Draft(state.slot, op, row, state.row if was_listed else None, listed, bool(excluded))

    def _left_row(self, state: EntryState, new_state: str, reason: str) -> tuple[Any, ...]:
        if state.row is not None:
            return changed_row(state.row, state=new_state, reason=reason, item_id=state.item)
        own = resolve(state.words.values(), {}, self.weighing)
        return rows.entry_row(
            own, list_id=self.list_.pk or 0, item_id=state.item, once=self.list_.once, kind=own.kind or state.kind,
            state=new_state, reason=reason, rank=state.rank, first_listed_at=self.at,
        )  # fmt: skip


def _says_all(group: Sequence[EntryState]) -> bool:
    """Whether there is one word only, so that nothing can contradict it."""
    return len(group) == 1 and len(group[0].words) == 1 and not group[0].edits


def _doubt(group: Sequence[EntryState]) -> Any:
    return next((state.doubt for state in group if state.doubt), None)


def _of_member(word: Word, number: int) -> Word:
    return word if word.member == number else Word(
        word.source, word.rank, word.key, word.values, word.first_at, word.times, word.kind, word.listing, word.feed,
        word.ids, number,
    )  # fmt: skip


def _op(state: EntryState, row: tuple[Any, ...], was_listed: bool, listed: bool, new_state: str) -> str:
    if state.row is None:
        return "add" if listed else "exclude" if new_state == "excluded" else "quiet"
    if was_listed and listed:
        if any(state.row[place] != row[place] for place in SEEN):
            return "change"
        return "same" if state.row == row else "quiet"
    if listed:
        return "restore"
    if was_listed:
        return "exclude" if new_state == "excluded" else "remove"
    if state.row == row:
        return "same"
    return "quiet" if _kept_out(state.row) == _kept_out(row) else "aside"


def _kept_out(row: tuple[Any, ...]) -> tuple[str, bool]:
    return row[rows.AT["state"]], row[rows.AT["reason"]] == MERGED


def _why_removed(state: EntryState) -> str:
    edit = state.edits.get(PRESENCE)
    if edit is None or edit.value != ABSENT:
        return "No source lists it any more."
    return "Removed by hand." if edit.firm else f"Held back by the rollback to {edit.rollback_to}."


def _times(values: Mapping[str, Any], old: Word | None, now: int) -> tuple[int, dict[str, list[int]]]:
    """(when the claim was first made, field -> [first said, last changed] where that differs)."""
    if old is None:
        return now, {}
    times: dict[str, list[int]] = {}
    for name, value in values.items():
        if name not in old.values:
            times[name] = [now, now]
        elif old.values[name] != value:
            times[name] = [old.first_said(name), now]
        elif name in old.times:
            times[name] = list(old.times[name])
    return old.first_at, times
