"""Folding entries in blocks: what is stored of them, what is newly said, and the drafts that come of it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

import orjson
from django.db.models.functions import Coalesce

from lists import labels, rows
from lists.fields import FIELDS
from lists.models import Claim, Edit, Entry, MediaList, SitePolicy, Source
from lists.plan import ClaimDraft, Draft
from lists.resolve import ABSENT, PRESENCE, Block, Resolved, Values, Word, resolve

_AT = {name: place for place, name in enumerate(rows.COLUMNS)}
# What a reader sees of an entry. A difference in anything else is written without a version.
SEEN = tuple(
    _AT[name]
    for name in rows.COLUMNS
    if name not in {
        "list_id", "item_id", "once", "state", "reason", "rank", "first_listed_at", "sort_title", "search", "completeness", "origins",
    }
)  # fmt: skip


@dataclass(slots=True)
class EntryState:
    """An entry as it stands: its row (lists.rows.COLUMNS; None for one to be made), the stored words by claim, edits."""

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
    edits: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def new(cls, slot: int, kind: str, item: int | None, rank: int) -> "EntryState":
        return cls(slot, kind, item, "", "", rank, None)


class EntryFolder:
    """Reads and folds entries of one list."""

    root = Coalesce("item__root_id", "item_id")

    def __init__(self, list_: MediaList, site: SitePolicy, at: datetime, blocks: Sequence[Block] = ()):
        self.list_, self.at, self.blocks = list_, at, blocks
        self.strategy = list_.strategy(site)
        self._forgotten: Collection[int] = frozenset()

    @cached_property
    def source_ranks(self) -> dict[int, int]:
        """Source id -> its place among the sources whose word counts."""
        if not self.list_.pk:
            return {}
        speaking = Source.objects.filter(list=self.list_).speaking()
        return {pk: rank for rank, pk in enumerate(speaking.values_list("id", flat=True))}

    @cached_property
    def _ranks(self) -> dict[int, tuple[int, str]]:
        if not self.list_.pk:
            return {}
        placed = Entry.objects.filter(list=self.list_).exclude(state=Entry.State.REMOVED).order_by("rank", "id")
        return {pk: (rank, state) for pk, rank, state in placed.values_list("id", "rank", "state").iterator()}

    def ranks(self) -> dict[int, int]:
        """Entry id -> rank, in list order, of what has a place: listed and excluded entries."""
        return {pk: rank for pk, (rank, _) in self._ranks.items()}

    def listed(self) -> set[int]:
        return {pk for pk, (_, state) in self._ranks.items() if state == Entry.State.LISTED}

    def forget(self, claims: Collection[int]) -> None:
        """Fold as if these claims were not there."""
        self._forgotten = claims

    def load(self, pks: Sequence[int]) -> dict[int, EntryState]:
        """Entries with their words and edits: three queries however many."""
        if not pks:
            return {}
        states: dict[int, EntryState] = {}
        stored = Entry.objects.filter(pk__in=pks).annotate(root=self.root)
        for pk, root, *values in stored.values_list("id", "root", *rows.COLUMNS):
            row = _stored_row(values)
            states[pk] = EntryState(
                pk, row[_AT["kind"]], row[_AT["item_id"]], row[_AT["state"]], row[_AT["reason"]], row[_AT["rank"]],
                row[_AT["first_listed_at"]], row, root,
            )  # fmt: skip
        claims = Claim.objects.filter(entry__in=pks).values_list(
            "id", "entry_id", "source_id", "key", "values", "first_at", "times", "kind"
        )
        for pk, entry, source, key, values, first_at, times, kind in claims:
            if pk not in self._forgotten and source in self.source_ranks:
                rank = self.source_ranks[source]
                states[entry].words[pk] = Word(source, rank, key, values, int(first_at.timestamp()), times, kind)
        for entry, name, value in Edit.objects.filter(entry__in=pks).values_list("entry_id", "field", "value"):
            states[entry].edits[name] = value
        return states

    def fold(
        self, states: Mapping[int, EntryState], fresh: Mapping[int, Sequence[ClaimDraft]], source: Source | None
    ) -> Iterator[Draft]:
        """A draft for each entry; new ones in the order in which they came. Fills in the times of the fresh claims."""
        from_source = (source.pk if source is not None else None) or 0
        rank = self.source_ranks.get(from_source, len(self.source_ranks))
        for slot in sorted(states, key=lambda slot: (slot > 0, abs(slot))):
            state = states[slot]
            words = dict(state.words)
            doubt = None
            for number, draft in enumerate(fresh.get(slot, ())):
                old = words.pop(draft.pk, None) if draft.pk is not None else None
                draft.first_at, draft.times = _times(draft.record.values, old, int(self.at.timestamp()))
                words[-1 - number] = Word(
                    from_source,
                    rank,
                    draft.record.key,
                    draft.record.values,
                    draft.first_at,
                    draft.times,
                    draft.record.kind,
                )
                if draft.match is not None and draft.match.doubt:
                    doubt = draft.match
            resolved = resolve(words.values(), state.edits, self.strategy, self.blocks, item=state.item)
            yield self._draft(state, resolved, doubt)

    def _draft(self, state: EntryState, resolved: Resolved, doubt: Any) -> Draft:
        listed = resolved.present and not resolved.excluded
        new_state = "listed" if listed else "excluded" if resolved.excluded else "removed"
        reason = "" if listed else resolved.excluded or _why_removed(state)
        was_listed = state.state == Entry.State.LISTED
        if not resolved.present and state.row is not None:
            # What left keeps the values that it last showed.
            row = _with(state.row, state=new_state, reason=reason)
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
        return Draft(state.slot, op, row, before, after, bool(resolved.excluded), doubt)

    def with_rank(self, row: tuple[Any, ...], rank: int | None) -> tuple[Any, ...]:
        return row if rank is None else _with(row, rank=rank)


def _op(state: EntryState, row: tuple[Any, ...], was_listed: bool, listed: bool, new_state: str) -> str:
    if state.row is None:
        return "add" if listed else "exclude"
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
    return "Removed by hand." if state.edits.get(PRESENCE) == ABSENT else "No source lists it any more."


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
