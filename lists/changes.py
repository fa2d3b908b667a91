"""What a list would become: the plan of a change, made without touching a row.

A sync brings one source's records; a refold brings none and looks at entries again. Both go the same way:

    read      records against the source's claims by key and digest: what is the same costs nothing more
    leave     what the source lacks, judged by the guard
    place     the list's order out of its sources' orders
    fold      only entries that something happened to; the outcome is spooled as drafts

lists/writer.py publishes a plan, all or nothing for readers; a preview only looks at it.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from lists import fields, order
from lists.align import align_records
from lists.folding import EntryFolder, EntryState
from lists.guard import Limits, must_ask
from lists.match import Match, Matcher
from lists.models import Claim, Entry, MediaList, SitePolicy, Source
from lists.plan import ClaimDraft, Draft, Plan, Reading
from lists.records import About, NotTaken, Record, Row, Unreadable
from lists.spool import BLOCK, Spool
from lists.titles import name_key


@dataclass(slots=True)
class Held:
    """A stored claim as the plan reads it."""

    pk: int
    entry: int
    digest: bytes
    position: int | None
    missing: int


PROBLEMS_KEPT = 200


def digest_of(record: Record, salt: str) -> bytes:
    """16 bytes over what a record says; its place is not part of it."""
    content = fields.canonical([salt, record.kind, record.ids, record.values])
    return hashlib.blake2b(content, digest_size=16).digest()


class Planner:
    """Plans one change of one list. `source` None with an unsaved list plans a list that does not exist yet."""

    def __init__(self, list_: MediaList, source: Source | None, *, at: datetime, matcher: Matcher):
        self.list_, self.source, self.matcher = list_, source, matcher
        self.site = SitePolicy.current()
        self.plan = Plan(list_, source, list_.current_id, at)
        self.folder = EntryFolder(list_, self.site, at)
        self._stored: dict[str, Held] = {}
        self._seen: set[str] = set()
        self._unread: set[str] = set()  # keys of rows that could not be read
        self._order = order.SourceOrder()
        self._held_at: dict[int, Held] = {}  # index in it -> the claim that was there before
        self._all_in_order: list[int] = []  # the list's new order, if it is made anew
        self._left: set[int] = set()
        self._changed: set[int] = set()
        self._slot_of_item: dict[int, int] = {}
        self._slot_of_name: dict[str, int] = {}
        self._next_slot = -1
        self._touched: dict[int, list[ClaimDraft]] = {}  # slots with more than one new word
        self._once: set[int] = set()  # slots that a new or changed word speaks of
        self._named: set[int] = set()  # slots that the source names, as far as it is read

    # -- a sync -------------------------------------------------------------------------------------------------------

    def sync(self, rows: Iterable[Row], how: Reading) -> Plan:
        """The plan of a sync: every record of the source in its order."""
        self._load()
        if self.list_.content == MediaList.Content.TRACKS:
            rows = list(rows)
            if any(isinstance(row, Unreadable) for row in rows):
                # Plays have no keys, so nobody can say which of them the unread row is: none of them leaves.
                how = replace(how, may_remove=False)
        with Spool[ClaimDraft]() as fresh:
            self._read(self._aligned(rows), how, fresh)
            self._leave(how)
            self._place(fresh)
            self._fold(fresh)
        self._count_moved()
        return self.plan

    def refold(self, entries: Iterable[int] | None = None) -> Plan:
        """The plan of looking at entries again, all of them if None: rules, edits or sources have changed."""
        if entries is None:
            entries = Entry.objects.filter(list=self.list_).order_by("id").values_list("id", flat=True)
        self._reorder(None)
        for pks in _blocks(list(entries)):
            self._fold_existing(pks)
        self._count_moved()
        return self.plan

    def _load(self) -> None:
        if self.source is not None and self.source.pk:
            rows = Claim.objects.filter(source=self.source).values_list(
                "key", "id", "entry_id", "digest", "position", "missing"
            )
            for key, pk, entry, digest, position, missing in rows.iterator(chunk_size=5000):
                self._stored[key] = Held(pk, entry, bytes(digest), position, missing)
        if self.list_.pk and self.list_.once:
            known = Entry.objects.filter(list=self.list_).annotate(root=self.folder.root)
            for pk, item in known.filter(item__isnull=False).order_by("-id").values_list("id", "root").iterator():
                self._slot_of_item[item] = pk
            # Never by a title alone: without a year it is found again only by the source that brought it.
            others = Claim.objects.filter(source__list=self.list_).exclude(source=self.source)
            nameless = known.filter(item__isnull=True).order_by("-id")
            nameless = nameless.exclude(year__isnull=True, pk__in=others.values("entry"))
            for pk, kind, title, year, artist in nameless.values_list(
                "id", "kind", "title", "year", "artist"
            ).iterator():
                self._slot_of_name[_nameless_key(kind, title, year, artist)] = pk

    def _aligned(self, rows: Iterable[Row]) -> Iterable[Row]:
        """Plays get lasting keys by aligning them with what the source said last; films carry their own."""
        if self.list_.content != MediaList.Content.TRACKS:
            return rows
        rows = list(rows)
        keyed = align_records([row for row in rows if isinstance(row, Record)], self.source, self.list_)
        self._slot_of_name = keyed.entries
        records = iter(keyed.records)
        return [next(records) if isinstance(row, Record) else row for row in rows]

    # -- reading ------------------------------------------------------------------------------------------------------

    def _read(self, rows: Iterable[Row], how: Reading, fresh: Spool[ClaimDraft]) -> None:
        block: list[ClaimDraft] = []
        for row in rows:
            if not isinstance(row, Record):
                self._note(row)
                continue
            if row.key in self._seen:
                self._note_double(row)
                continue
            self._seen.add(row.key)
            self.plan.counts.found += 1
            digest = digest_of(row, how.salt)
            held = self._stored.pop(row.key, None)
            place = self._order.append(held.entry if held else 0, row.position)
            if held is not None:
                self._named.add(held.entry)
                self._held_at[place] = held
                if held.missing:
                    self.plan.back.append(held.pk)
                if held.digest == digest:
                    self.plan.counts.unchanged += 1
                    continue
            block.append(ClaimDraft(held.pk if held else None, held.entry if held else 0, row, digest, None, place))
            if len(block) >= BLOCK:
                self._identify(block, fresh)
                block = []
        self._identify(block, fresh)

    def _note(self, row: Row) -> None:
        plan = self.plan
        if isinstance(row, About):
            plan.about = row
        elif isinstance(row, NotTaken):
            plan.counts.not_taken += 1
            plan.not_taken[row.what] = plan.not_taken.get(row.what, 0) + 1
        elif isinstance(row, Unreadable):
            plan.counts.skipped += 1
            if row.key is not None and (held := self._stored.get(row.key)) is not None:
                # We know that it is there, only not what it says; another row of this key may still say it.
                self._held_at[self._order.append(held.entry, None)] = held
                self._unread.add(row.key)
            if len(plan.problems) < PROBLEMS_KEPT:
                plan.problems.append({"line": row.line, "reason": row.reason, "text": row.text[:200]})
            else:
                plan.more_problems += 1

    def _note_double(self, row: Record) -> None:
        self.plan.counts.duplicates += 1
        if len(self.plan.doubles) < PROBLEMS_KEPT:
            self.plan.doubles.append({"line": row.line, "title": row.values.get("title") or row.key})

    def _identify(self, block: Sequence[ClaimDraft], fresh: Spool[ClaimDraft]) -> None:
        if not block:
            return
        matches = self.matcher.match([draft.record for draft in block])
        for draft, match in zip(block, matches, strict=True):
            draft.match = match
            if draft.pk is None:
                if match.by_name and self._slot_of_item.get(match.item or 0) in self._named:
                    # Two rows of one source that share title and year and nothing else: one of them is another film.
                    match = draft.match = Match(None, "match", [match.item or 0])
                draft.slot = self._slot_for(draft.record, match)
                self.plan.counts.known += match.item is not None and not match.new
            self._order.name(draft.place, draft.slot)
            self._named.add(draft.slot)
            if draft.slot in self._once:
                self._touched.setdefault(draft.slot, []).append(draft)
            else:
                self._once.add(draft.slot)
                fresh.append(draft)

    def _slot_for(self, record: Record, match: Match) -> int:
        """The entry that a new record speaks of: one that is there or was there, else a row to be made."""
        if self.list_.content == MediaList.Content.TRACKS:
            slot = self._slot_of_name.get(record.key)
        elif match.item is not None:
            slot = self._slot_of_item.get(match.item)
        else:
            values = record.values
            slot = self._slot_of_name.get(
                _nameless_key(record.kind, values.get("title"), values.get("year"), values.get("artist"))
            )
        if slot is None:
            slot, self._next_slot = self._next_slot, self._next_slot - 1
            if match.item is not None and self.list_.once:
                self._slot_of_item[match.item] = slot
        return slot

    # -- leaving ------------------------------------------------------------------------------------------------------

    def _leave(self, how: Reading) -> None:
        """Judge what the source lacks: gone now, missing for the first time, or held for a person."""
        unread = [held for key in self._unread if (held := self._stored.pop(key, None)) is not None]
        self.plan.back += [held.pk for held in unread if held.missing]
        absent = list(self._stored.values())
        self.plan.positions |= {held.pk: None for held in absent if held.position is not None}
        if not absent or not how.may_remove:
            return
        leaving = self._would_leave(absent)
        if not how.confirmed and leaving:
            supported = len(leaving) + self._supported()
            if must_ask(len(leaving), supported, Limits.of(self.list_, self.site)):
                self.plan.held = sorted(leaving)
                self.plan.counts.held = len(leaving)
                self.plan.back += [held.pk for held in absent if held.missing]
                return
        for held in absent:
            leaves_now = held.missing >= how.grace or held.entry not in leaving
            (self.plan.gone if leaves_now else self.plan.missing).append(held.pk)

    def _would_leave(self, absent: Sequence[Held]) -> set[int]:
        """Listed entries that nothing else supports."""
        leaving: set[int] = set()
        for block in _blocks(absent):
            entries = {held.entry for held in block}
            listed = set(
                Entry.objects.filter(pk__in=entries, state=Entry.State.LISTED)
                .exclude(edits__field="presence")
                .values_list("id", flat=True)
            )
            others = Claim.objects.filter(entry__in=listed, source__removed_at__isnull=True)
            supported = set(others.exclude(source=self.source).values_list("entry_id", flat=True))
            leaving |= listed - supported
        still = {slot for slot in self._order.slots if slot in leaving}  # the source lists it under another key
        return leaving - still

    def _supported(self) -> int:
        """Listed entries that the source still names and that it named before."""
        return sum(slot > 0 for slot in self._order.slots)

    # -- placing ------------------------------------------------------------------------------------------------------

    def _place(self, fresh: Spool[ClaimDraft]) -> None:
        """The order is a fold too: whatever a source adds, moves or lets go may shift what follows it elsewhere."""
        plan = self.plan
        self._order.settle()
        for place, held in self._held_at.items():
            if held.position != (number := self._order.number(place)):
                plan.positions[held.pk] = number
        if plan.positions or plan.gone or any(draft.pk is None for draft in fresh):
            self._reorder(self._order.slots)

    def _count_moved(self) -> None:
        """As a diff counts it: what is listed before and after and out of step, and has not changed besides."""
        ranks, listed = self.folder.ranks(), self.folder.listed()
        stay = [slot for slot in self._all_in_order if slot in listed and slot not in self._left]
        steady = order.longest_rising([ranks[slot] for slot in stay])
        moved = (slot for at, slot in enumerate(stay) if at not in steady)
        self.plan.counts.moved = sum(slot not in self._changed for slot in moved)

    def _reorder(self, own: list[int] | None) -> None:
        """Ranks for new slots, and for what has moved. own: the source's order as just read; None if none was read."""
        ranks = self.folder.ranks()
        if self.list_.order_mode == MediaList.OrderMode.SOURCE:
            sequences = [
                own if own is not None and self.source and pk == self.source.pk else self._source_order(pk)
                for pk in self.folder.source_ranks
            ]
        else:
            sequences = [list(ranks)]
        if own is not None and (self.source is None or self.list_.order_mode != MediaList.OrderMode.SOURCE):
            sequences.append(own)
        sequence = order.merge([*sequences, list(ranks)])
        self.plan.ranks = order.rerank(sequence, ranks)
        self._all_in_order = sequence

    def _source_order(self, source: int) -> list[int]:
        placed = Claim.objects.filter(source_id=source, position__isnull=False).order_by("position", "id")
        return list(dict.fromkeys(placed.values_list("entry_id", flat=True)))

    # -- folding ------------------------------------------------------------------------------------------------------

    def _fold(self, fresh: Spool[ClaimDraft]) -> None:
        gone = set(self.plan.gone)
        self.folder.forget(gone)
        for block in fresh.blocks():
            words: dict[int, list[ClaimDraft]] = {}
            for draft in block:
                words[draft.slot] = [draft, *self._touched.get(draft.slot, ())]
            self._draft(self.folder.fold(self._states(words), words, self.source))
            for drafts in words.values():
                for draft in drafts:
                    draft.record = replace(draft.record, position=self._order.number(draft.place))
                self.plan.claims.extend(drafts)
        for pks in _blocks(sorted(gone)):
            left = Claim.objects.filter(pk__in=pks).values_list("entry_id", flat=True)
            self._fold_existing(sorted(set(left) - self._once))

    def _states(self, words: dict[int, list[ClaimDraft]]) -> dict[int, EntryState]:
        states = self.folder.load([slot for slot in words if slot > 0])
        for slot, drafts in words.items():
            match = drafts[0].match or Match(None)
            if slot < 0:
                states[slot] = EntryState.new(slot, drafts[0].record.kind, match.item, self.plan.ranks.get(slot, 0))
            elif states[slot].item is None and match.item is not None and self._item_is_free(match.item, slot):
                states[slot].item = match.item
            elif (
                match.item is not None
                and match.item != states[slot].root
                and not match.by_name
                and drafts[0].record.ids
            ):
                # The key stayed and its ids name another thing: the entry stays what it is until a person decides.
                drafts[0].match = Match(states[slot].item, "ids", [states[slot].root or 0, match.item])
        return states

    def _item_is_free(self, item: int, slot: int) -> bool:
        if not self.list_.once:
            return True
        return self._slot_of_item.setdefault(item, slot) == slot

    def _fold_existing(self, pks: Sequence[int]) -> None:
        if pks:
            self._draft(self.folder.fold(self.folder.load(pks), {}, self.source))

    def _draft(self, drafts: Iterator[Draft]) -> None:
        counts = self.plan.counts
        for draft in drafts:
            if draft.slot < 0 or draft.slot in self.plan.ranks:
                draft.row = self.folder.with_rank(draft.row, self.plan.ranks.get(draft.slot))
            counts.added += draft.op in ("add", "restore")
            counts.changed += draft.op == "change"
            counts.removed += draft.op == "remove" or (draft.op == "exclude" and draft.before is not None)
            counts.excluded += draft.excluded
            counts.conflicts += draft.doubt is not None
            if draft.before is not None and draft.after is None:
                self._left.add(draft.slot)
            elif draft.op == "change":
                self._changed.add(draft.slot)
            if draft.op != "same" or draft.doubt is not None:
                self.plan.drafts.append(draft)


def _nameless_key(kind: str, title: str | None, year: int | None, artist: str | None) -> str:
    return f"{kind}|{name_key(title or '', year, artist or '')}"


def _blocks(values: Sequence[Any], size: int = BLOCK) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]


def plan_sync(
    list_: MediaList, source: Source | None, rows: Iterable[Row], how: Reading, *, at: datetime, create: bool
) -> Plan:
    """Plan a sync. create=False only reads: a preview."""
    return Planner(list_, source, at=at, matcher=Matcher(create=create)).sync(rows, how)


def plan_refold(list_: MediaList, *, at: datetime, entries: Iterable[int] | None = None) -> Plan:
    return Planner(list_, None, at=at, matcher=Matcher(create=False)).refold(entries)
