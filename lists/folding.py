"""Folding entries in blocks: what is stored of them, what is newly said, and the drafts that come of it.

Entries of one list whose items turned out to be one thing are folded together: the one that came first shows it, the
others are removed. Everywhere else a group has one member.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

import orjson
from django.db.models import Q
from django.db.models.functions import Coalesce

from lists import asking, labels, rows
from lists.fields import FIELDS
from lists.models import Claim, Conflict, Edit, Entry, Item, MediaList, SitePolicy, Source
from lists.plan import Ask, ClaimDraft, Draft, EditDraft
from lists.records import Record
from lists.resolve import ABSENT, PRESENCE, PRESENT, Block, Resolved, Values, Word, resolve

_AT = {name: place for place, name in enumerate(rows.COLUMNS)}
# What a reader sees of an entry. A difference in anything else is written without a version.
SEEN = tuple(
    _AT[name]
    for name in rows.COLUMNS
    if name not in {
        "list_id", "item_id", "once", "state", "reason", "rank", "first_listed_at", "sort_title", "search", "completeness", "origins",
    }
)  # fmt: skip
MERGED = "The same thing stands on the list already."


@dataclass(slots=True)
class EntryState:
    """An entry as it stands: its row (lists.rows.COLUMNS; None for one to be made), words by claim, edits by field.

    leaving: words that count no more once this change is published, each with whether the entry stays all the same.
    """

    slot: int
    kind: str
    item: int | None
    state: str
    reason: str
    rank: int
    first_listed_at: datetime | None
    row: tuple[Any, ...] | None = None
    root: int | None = None  # the item that its item was merged into, or itself
    words: dict[int, Word] = field(default_factory=dict)
    edits: dict[str, EditDraft] = field(default_factory=dict)
    leaving: list[tuple[Word, bool]] = field(default_factory=list)
    doubt: Any = None
    asked: dict[str, asking.Standing] = field(default_factory=dict)

    @classmethod
    def new(cls, slot: int, kind: str, item: int | None, rank: int, root: int | None = None) -> "EntryState":
        return cls(slot, kind, item, "", "", rank, None, root=root)

    @property
    def is_shown(self) -> bool:
        """Whether the list shows it now, itself or as another entry."""
        return self.state == Entry.State.LISTED or self.reason == MERGED

    @property
    def is_claimed(self) -> bool:
        """Whether somebody but a person says that it is on the list."""
        return any(word.listing for word in self.words.values())

    @property
    def is_present(self) -> bool:
        edit = self.edits.get(PRESENCE)
        return edit.value == PRESENT if edit else self.is_claimed


@dataclass(slots=True)
class Effects:
    """What folding does besides the drafts of entries."""

    ended: list[int] = field(default_factory=list)  # yielding edits that have yielded
    rebased: dict[int, Any] = field(default_factory=dict)
    claims_ended: list[int] = field(default_factory=list)  # kept claims of what a source lists again
    kept: list[ClaimDraft] = field(default_factory=list)


class EntryFolder:
    """Reads and folds entries of one list.

    keep: claims whose entries stay when they go. rebase: the fold has another reason than a source's word (a merge, a
    split), so yielding edits do not yield to it.
    """

    root = Coalesce("item__root_id", "item_id")

    def __init__(self, list_: MediaList, site: SitePolicy, at: datetime, blocks: Sequence[Block] = ()):
        self.list_, self.at, self.blocks = list_, at, blocks
        self.strategy = list_.strategy(site)
        self.rebase = False
        self.effects = Effects()
        self._forgotten: Collection[int] = frozenset()
        self._keep: Collection[int] = frozenset()
        self._made: set[tuple[int, str]] = set()  # edits of this very change
        self._new_of: dict[int, int] = {}  # root -> the first new entry of it
        self.removed_source: int | None = None  # a source that was just taken away, and whose entries stay

    @cached_property
    def sources(self) -> dict[int, tuple[int, str]]:
        """Source id -> (its place among the sources whose word counts, its role)."""
        if not self.list_.pk:
            return {}
        speaking = Source.objects.filter(list=self.list_).speaking().values_list("id", "role")
        return {pk: (rank, role) for rank, (pk, role) in enumerate(speaking)}

    @property
    def feeds(self) -> list[int]:
        return [pk for pk, (_, role) in self.sources.items() if role == Source.Role.FEED]

    @cached_property
    def _ranks(self) -> dict[int, tuple[int, str]]:
        if not self.list_.pk:
            return {}
        placed = Entry.objects.filter(list=self.list_).order_by("rank", "id")
        return {pk: (rank, state) for pk, rank, state in placed.values_list("id", "rank", "state").iterator()}

    def ranks(self, *, also: Collection[int] = frozenset()) -> dict[int, int]:
        """Entry id -> rank, in list order, of what has a place: listed and excluded entries, and those of `also`."""
        return {
            pk: rank for pk, (rank, state) in self._ranks.items() if state != Entry.State.REMOVED or pk in also
        }  # fmt: skip

    def listed(self) -> set[int]:
        return {pk for pk, (_, state) in self._ranks.items() if state == Entry.State.LISTED}

    def excluded(self) -> set[int]:
        return {pk for pk, (_, state) in self._ranks.items() if state == Entry.State.EXCLUDED}

    @cached_property
    def groups(self) -> dict[int, list[int]]:
        """Root -> its entries on this list, the first one first; only of things that were merged."""
        if not self.list_.pk or not self.list_.once:
            return {}
        ends = Item.objects.filter(root__isnull=False)
        if not ends.exists():
            return {}
        mine = Entry.objects.filter(list=self.list_)
        merged: dict[int, list[int]] = {}
        for by in (Q(item__root__isnull=False), Q(item__in=ends.values("root"))):
            roots = mine.filter(by).annotate(end=self.root).values_list("end", flat=True)
            merged |= {root: [] for root in roots}
        if merged:
            found = mine.filter(Q(item__root__in=merged) | Q(item__in=merged)).annotate(root=self.root)
            for pk, root in found.order_by("id").values_list("id", "root"):
                merged[root].append(pk)
        return merged

    @cached_property
    def _group_of(self) -> dict[int, list[int]]:
        return {pk: group for group in self.groups.values() for pk in group}

    def lead(self, slot: int) -> int:
        """The entry that shows what this one is: itself, but for merged ones."""
        return self._group_of[slot][0] if slot in self._group_of else slot

    def members(self, slot: int) -> list[int]:
        """The entries that are the same thing on this list, this one included."""
        return self._group_of.get(slot, [slot])

    def join(self, slot: int, root: int | None) -> None:
        """A new entry: of what another entry of this list is too, if their items were merged."""
        if root is None:
            return
        first = self._new_of.setdefault(root, slot)
        if root in self.groups or first != slot:
            group = self.groups.setdefault(root, [first])
            group.append(slot)
            self._group_of |= dict.fromkeys(group, group)

    def forget(self, claims: Collection[int], *, keep: Collection[int] = frozenset()) -> None:
        """Fold as if these claims were not there; what only a claim of `keep` supports stays all the same."""
        self._forgotten, self._keep = claims, keep

    def made(self, edit: EditDraft) -> None:
        """An edit of this change does not yield to it."""
        self._made.add((edit.slot, edit.field))

    # -- reading ------------------------------------------------------------------------------------------------------

    def load(self, pks: Iterable[int]) -> dict[int, EntryState]:
        """Entries with their words and edits, and those that are the same things: a few queries however many."""
        wanted = sorted({each for pk in pks if pk > 0 for each in self.members(pk) if each > 0})
        if not wanted:
            return {}
        states: dict[int, EntryState] = {}
        stored = Entry.objects.filter(list=self.list_, pk__in=wanted).annotate(root=self.root)
        for pk, root, *values in stored.values_list("id", "root", *rows.COLUMNS):
            row = _stored_row(values)
            states[pk] = EntryState(
                pk, row[_AT["kind"]], row[_AT["item_id"]], row[_AT["state"]], row[_AT["reason"]], row[_AT["rank"]],
                row[_AT["first_listed_at"]], row, root,
            )  # fmt: skip
        self._load_words(states)
        self._load_edits(states)
        self._load_questions(states)
        return states

    def _load_words(self, states: dict[int, EntryState]) -> None:
        claims = Claim.objects.filter(entry__in=list(states)).values_list(
            "id", "entry_id", "source_id", "key", "values", "first_at", "times", "kind", "listing", "ids"
        )
        for pk, entry, source, key, values, first_at, times, kind, listing, ids in claims:
            if source not in self.sources and source != self.removed_source:
                continue
            word = self.word(source, key, values, int(first_at.timestamp()), times, kind, listing=listing, ids=ids)
            if source == self.removed_source:
                states[entry].leaving.append((word, True))
            elif pk in self._forgotten:
                states[entry].leaving.append((word, pk in self._keep))
            else:
                states[entry].words[pk] = word

    def _load_edits(self, states: dict[int, EntryState]) -> None:
        edits = Edit.objects.filter(entry__in=list(states)).values_list(
            "entry_id", "field", "value", "made_at", "firm", "base", "words", "rollback_to", "author_id", "author_name",
            "id",
        )  # fmt: skip
        for values in edits:
            edit = EditDraft(*values)
            states[edit.slot].edits[edit.field] = edit

    @cached_property
    def _has_questions(self) -> bool:
        return Conflict.objects.filter(list=self.list_, kind=Conflict.Kind.FIELD).exists()

    def _load_questions(self, states: dict[int, EntryState]) -> None:
        if not self._has_questions:
            return
        standing = [Conflict.State.EXPIRED, Conflict.State.OPEN, Conflict.State.SKIPPED]
        rows_ = Conflict.objects.filter(entry__in=list(states), kind=Conflict.Kind.FIELD, state__in=standing)
        for pk, entry, name, state, options in rows_.order_by("id").values_list(
            "id", "entry_id", "field", "state", "options"
        ):
            states[entry].asked[name] = asking.Standing(pk, state, options)

    def word(self, source: int, key: str, values: Any, first_at: int, times: Any, kind: str, **more: Any) -> Word:
        rank, role = self.sources.get(source, (len(self.sources), Source.Role.FEED))
        return Word(source, rank, key, values, first_at, times, kind, feed=role == Source.Role.FEED, **more)

    def hear(self, state: EntryState, fresh: Sequence[ClaimDraft], source: Source | None) -> None:
        """Take what is newly said of an entry; fills in the times of the claims."""
        for number, draft in enumerate(fresh):
            old = state.words.pop(draft.pk, None) if draft.pk is not None else None
            draft.first_at, draft.times = _times(draft.record.values, old, int(self.at.timestamp()))
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
            yield from self._fold_group(group)

    def grouped(self, states: Mapping[int, EntryState]) -> list[list[EntryState]]:
        """Entries that are one thing together, the one that came first leading."""
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
        for state in group:
            self._end_kept(state)
            self._keep_word(state)
            self._yield_presence(state)
            if state.is_present and not state.words:
                self._hold_word(state)
        alone = self.alone(group).values
        for state in group:
            for name in [name for name in state.edits if name != PRESENCE]:
                self._yield(state, name, alone.get(name))

    def alone(self, group: Sequence[EntryState]) -> Resolved:
        """What the sources give, without any edit."""
        words = [word for state in group for word in state.words.values()]
        return resolve(words, {}, self.strategy)

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
            last = resolve([word for word, _ in state.leaving], {}, self.strategy)
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
        draft = ClaimDraft(None, state.slot, record, b"", None, 0, int(self.at.timestamp()), kept=True, listing=listing)
        self.effects.kept.append(draft)
        kept = next((pk for pk, (_, role) in self.sources.items() if role == Source.Role.KEPT), 0)
        rank = self.sources.get(kept, (len(self.sources), ""))[0]
        state.words[0] = Word(
            kept, rank, f"entry {state.slot}", values, draft.first_at, {}, record.kind, listing=listing, feed=False,
            ids=record.ids,
        )  # fmt: skip

    def _yield_presence(self, state: EntryState) -> None:
        if PRESENCE in state.edits:
            self._yield(state, PRESENCE, PRESENT if state.is_claimed else ABSENT)

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
        edits = {name: standing[0].value for name, standing in self.combined(group).items()}
        words = [word for state in group for word in state.words.values()]
        present = any(state.is_present for state in group)
        return resolve(
            words, edits, self.strategy, self.blocks if blocks else (), item=group[0].root, present=present
        )  # fmt: skip

    def _fold_group(self, group: Sequence[EntryState]) -> Iterator[Draft]:
        resolved = self.resolved(group)
        yield self._draft(group[0], resolved, self._asks(group, resolved), _doubt(group))
        for state in group[1:]:
            yield self._draft(state, None, self._asks([state], None), None)

    def _asks(self, group: Sequence[EntryState], resolved: Resolved | None) -> list[Ask]:
        """Questions to put or take back; about what is listed only."""
        wanted: dict[str, Ask] = {}
        if resolved is not None and resolved.present and not resolved.excluded:
            words = [word for state in group for word in state.words.values()]
            wanted = asking.questions(words, list(self.combined(group).values()), self.strategy, resolved.values)
        if not wanted and not group[0].asked:
            return []
        return asking.reconcile(wanted, group[0].asked)

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
        before = shown_values(state.row) if state.row is not None and was_listed else None
        after = shown_values(row) if listed else None
        op = _op(state, row, was_listed, listed, new_state)
        return Draft(state.slot, op, row, before, after, bool(excluded), doubt, asks)

    def _left_row(self, state: EntryState, new_state: str, reason: str) -> tuple[Any, ...]:
        if state.row is not None:
            return _with(state.row, state=new_state, reason=reason, item_id=state.item)
        own = resolve(state.words.values(), {}, self.strategy)
        return rows.entry_row(
            own, list_id=self.list_.pk or 0, item_id=state.item, once=self.list_.once, kind=own.kind or state.kind,
            state=new_state, reason=reason, rank=state.rank, first_listed_at=self.at,
        )  # fmt: skip

    def with_rank(self, row: tuple[Any, ...], rank: int | None) -> tuple[Any, ...]:
        return row if rank is None else _with(row, rank=rank)


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
    return "same" if state.row == row else "quiet"


def _why_removed(state: EntryState) -> str:
    edit = state.edits.get(PRESENCE)
    if edit is None or edit.value != ABSENT:
        return "No source lists it any more."
    return "Removed by hand." if edit.firm else f"Held back by the rollback to {edit.rollback_to}."


def _with(row: tuple[Any, ...], **changes: Any) -> tuple[Any, ...]:
    changed = list(row)
    for name, value in changes.items():
        changed[_AT[name]] = value
    return tuple(changed)


def _stored_row(values: Sequence[Any]) -> tuple[Any, ...]:
    """A row as read, in the form in which rows are written, so that the two can be compared."""
    row = list(values)
    row[_AT["genres"]] = labels.join(row[_AT["genres"]])
    for name in ("extra", "origins"):
        row[_AT[name]] = orjson.dumps(row[_AT[name]], option=orjson.OPT_SORT_KEYS).decode()
    return tuple(row)


def shown_values(row: Sequence[Any]) -> Values:
    """The values of a row by field, nothing empty."""
    values: Values = {}
    for name, spec in FIELDS.items():
        if spec.column and (value := row[_AT[name]]) not in (None, ""):
            values[name] = labels.part(value) if name == "genres" else value
    return values | orjson.loads(row[_AT["extra"]])


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
