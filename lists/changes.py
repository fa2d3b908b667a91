"""What a list would become: the plan of a change, made without touching a row.

A sync brings one source's records; a refold brings none and looks at entries again. Both go the same way:

    read      records against the source's claims by key and digest: what is the same costs nothing more
    leave     what the source lacks, judged by the guard
    place     the list's order out of its sources' orders
    fold      only entries that something happened to; the outcome is spooled as drafts

lists/writer.py publishes a plan, all or nothing for readers; a preview only looks at it.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from lists import fields, rows
from lists.align import align_records
from lists.blocking import planned_against, rules_for
from lists.folding import EntryFolder
from lists.guard import Limits, must_ask
from lists.leaving import Held, explain, noun_of, supported_by, would_leave
from lists.match import Match, Matcher
from lists.models import Claim, Entry, MediaList, SitePolicy, Source
from lists.order import SourceOrder
from lists.placing import Placer, sort_key_of
from lists.plan import ClaimDraft, Draft, Plan, Reading
from lists.records import About, NotTaken, Record, Row, Unreadable
from lists.spool import BLOCK, Spool, blocks
from lists.states import EntryState
from lists.titles import name_key

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
        self.plan = Plan(list_, source, list_.current_id, at, written=planned_against(list_))
        self.folder = EntryFolder(list_, self.site, at, rules_for(list_))
        self.placer = Placer(list_, source, self.plan, self.folder)
        self._stored: dict[str, Held] = {}
        self._before: set[int] = set()  # entries that the source named when it was last read
        self._last_place = 0
        self._seen: set[str] = set()
        self._unread: set[str] = set()  # keys of rows that could not be read
        self._order = SourceOrder()
        self._held_at: dict[int, Held] = {}  # index in it -> the claim that was there before
        self._left: set[int] = set()
        self._changed: set[int] = set()
        self._excluded: set[int] = set()
        self._back: set[int] = set()  # entries that were excluded and are not any more
        self._keys: dict[int, Any] = {}  # in an order by field: what each drafted entry goes by
        self._slot_of_item: dict[int, int] = {}
        self._slot_of_name: dict[str, int] = {}
        self._next_slot = -1
        self._touched: dict[int, list[ClaimDraft]] = {}  # entries with more than one new word, by the one that shows it
        self._once: set[int] = set()  # entries that a new or changed word speaks of
        self._named = self.plan.named  # slots that the source names, as far as it is read

    # -- a sync -------------------------------------------------------------------------------------------------------

    def sync(self, found: Iterable[Row], how: Reading) -> Plan:
        """The plan of a sync: every record of the source in its order."""
        self._load()
        if self.list_.content == MediaList.Content.TRACKS:
            found = list(found)
            if any(isinstance(row, Unreadable) for row in found):
                # Plays have no keys, so nobody can say which of them the unread row is: none of them leaves.
                how = replace(how, may_remove=False)
        self.plan.may_remove = how.may_remove
        with Spool[ClaimDraft]() as fresh:
            self._read(self._aligned(found), how, fresh)
            self._leave(how)
            self._place(fresh)
            self._fold(fresh)
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
        plan.rebased |= effects.rebased
        plan.gone += effects.claims_ended
        plan.claims.extend(effects.kept)
        self.placer.sort(self._keys)
        plan.counts.moved = self.placer.count_moved(self._left, self._changed)
        if self.list_.excluded_count or self._excluded:
            before = self.folder.excluded() & plan.named if self.source is not None else set()
            plan.counts.excluded = len(before - self._back | self._excluded)

    def _load(self) -> None:
        if self.source is not None and self.source.pk:
            claims = Claim.objects.filter(source=self.source).values_list(
                "key", "id", "entry_id", "digest", "position", "missing"
            )
            for key, pk, entry, digest, position, missing in claims.iterator(chunk_size=5000):
                self._stored[key] = Held(pk, entry, bytes(digest), position, missing)
                self._before.add(entry)
                self._last_place = max(self._last_place, position or 0)
        if self.list_.pk and self.list_.once:
            known = Entry.objects.filter(list=self.list_)
            for pk, item in known.filter(item__isnull=False).values_list("id", "item_id").iterator():
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
        unknown: list[ClaimDraft] = []  # rows without an id and with a new key, of a source that was read before
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
            draft = ClaimDraft(held.pk if held else None, held.entry if held else 0, row, digest, None, place)
            if held is None and not row.ids and self._before and self.list_.once:
                unknown.append(draft)
                continue
            block.append(draft)
            if len(block) >= BLOCK:
                self._identify(block, fresh)
                block = []
        self._identify(block, fresh)
        self._recognise(unknown)
        for drafts in blocks(unknown):
            self._identify(drafts, fresh)

    def _recognise(self, unknown: Sequence[ClaimDraft]) -> None:
        """A row without an id whose title was corrected has another key: it is known by title and year as the list shows
        them, where its source lacks what it called so."""
        lacking = {held.entry: key for key, held in self._stored.items()} if unknown else {}
        shown: dict[tuple[str, str], str] = {}
        for pks in blocks(sorted(lacking)):
            for pk, kind, title, year, artist in Entry.objects.filter(pk__in=pks).values_list(
                "id", "kind", "title", "year", "artist"
            ):
                shown[kind, name_key(title, year, artist)] = lacking[pk]
        for draft in unknown:
            values = draft.record.values
            name = name_key(values.get("title") or "", values.get("year"), values.get("artist") or "")
            key = shown.pop((draft.record.kind, name), None)
            if key is None:
                continue
            held = self._stored.pop(key)
            draft.pk, draft.slot = held.pk, held.entry
            self._held_at[draft.place] = held
            self._named.add(held.entry)
            self._order.name(draft.place, held.entry)
            if held.missing:
                self.plan.back.append(held.pk)

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
            lead = self.folder.lead(draft.slot)
            if lead in self._once:
                self._touched.setdefault(lead, []).append(draft)
            else:
                self._once.add(lead)
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
        return self.new_slot(match) if slot is None else slot

    def new_slot(self, match: Match) -> int:
        """The number of an entry to be made."""
        slot, self._next_slot = self._next_slot, self._next_slot - 1
        if match.item is not None and self.list_.once:
            self._slot_of_item[match.item] = slot
            self.folder.join(slot, match.root)
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
        leaving = would_leave(absent, self.folder, self._named)
        self.plan.supported = supported_by(self._before, self.folder)
        if leaving and not (how.confirmed or how.keep):
            limits = Limits.of(self.list_, self.site)
            if how.ask or must_ask(len(leaving), self.plan.supported, limits):
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

    def _hold(self, absent: Sequence[Held], leaving: set[int]) -> None:
        """Nothing at all is removed; what was missing starts anew."""
        plan = self.plan
        plan.held, plan.counts.held = sorted(leaving), len(leaving)
        plan.back += [held.pk for held in absent if held.missing]
        plan.explanation = explain(
            [held.position for held in absent], last=self._last_place, found=plan.counts.found,
            noun=noun_of(self.list_.content),
        )  # fmt: skip

    # -- placing ------------------------------------------------------------------------------------------------------

    def _place(self, fresh: Spool[ClaimDraft]) -> None:
        """The order is a fold too: whatever a source adds, moves or lets go may shift what follows it elsewhere."""
        plan = self.plan
        self._order.settle()
        for place, held in self._held_at.items():
            if held.position != (number := self._order.number(place)):
                plan.positions[held.pk] = number
        if plan.positions or plan.gone or any(draft.pk is None for draft in fresh):
            self.placer.place(self._order.slots)

    # -- folding ------------------------------------------------------------------------------------------------------

    def _fold(self, fresh: Spool[ClaimDraft]) -> None:
        for block in fresh.blocks():
            words: dict[int, list[ClaimDraft]] = {}
            for first in block:
                for draft in (first, *self._touched.get(self.folder.lead(first.slot), ())):
                    words.setdefault(draft.slot, []).append(draft)
            self._draft(self.folder.fold(self._states(words)))
            for drafts in words.values():
                for draft in drafts:
                    draft.record = replace(draft.record, position=self._order.number(draft.place))
                self.plan.claims.extend(drafts)
        gone = list(self.plan.gone)
        left: list[int] = []
        for pks in blocks(sorted(gone)):
            left += Claim.objects.filter(pk__in=pks).values_list("entry_id", flat=True)
        self._fold_existing(pk for pk in left if self.folder.lead(pk) not in self._once)

    def _states(self, words: dict[int, list[ClaimDraft]]) -> dict[int, EntryState]:
        states = self.folder.load(self.folder.lead(slot) for slot in words)
        for slot, drafts in words.items():
            match = drafts[0].match or Match(None)
            if slot < 0:
                states[slot] = EntryState.new(
                    slot, drafts[0].record.kind, match.item, self.plan.ranks.get(slot, 0), match.root
                )
            elif states[slot].item is None and match.item is not None and self._item_is_free(match.item, slot):
                states[slot].item = match.item
                if match.root in self.folder.groups:
                    self.plan.late.append(slot)  # it turns out to be what another entry is
                else:
                    states[slot].root = match.root
            elif (
                match.item is not None
                and match.root != states[slot].root
                and not match.by_name
                and not match.decided
                and drafts[0].record.ids
            ):
                # The key stayed and its ids name another thing: the entry stays what it is until a person decides.
                drafts[0].match = Match(states[slot].item, "ids", [states[slot].root or 0, match.item])
            self.folder.hear(states[slot], drafts, self.source)
        return states

    def _item_is_free(self, item: int, slot: int) -> bool:
        if not self.list_.once:
            return True
        return self._slot_of_item.setdefault(item, slot) == slot

    def _fold_existing(self, pks: Iterable[int]) -> None:
        """Fold entries to which nothing new was said; each thing once."""
        for block in blocks(sorted({self.folder.lead(pk) for pk in pks})):
            self._draft(self.folder.fold(self.folder.load(block)))

    def _draft(self, drafts: Iterable[Draft]) -> None:
        counts = self.plan.counts
        by_field = self.placer.mode[0] == MediaList.OrderMode.FIELD
        for draft in drafts:
            if draft.slot < 0 or draft.slot in self.plan.ranks:
                draft.row = self.folder.with_rank(draft.row, self.plan.ranks.get(draft.slot))
            counts.added += draft.op in ("add", "restore")
            counts.changed += draft.op == "change"
            counts.removed += draft.op == "remove" or (draft.op == "exclude" and draft.before is not None)
            counts.conflicts += (draft.doubt is not None) + sum(ask.state == "open" for ask in draft.asks)
            if draft.excluded:
                self._excluded.add(draft.slot)
            elif self.list_.excluded_count:
                self._back.add(draft.slot)
            if draft.before is not None and draft.after is None:
                self._left.add(draft.slot)
            elif draft.op == "change":
                self._changed.add(draft.slot)
            if by_field:
                name = self.placer.mode[1]
                row = dict(zip(rows.COLUMNS, draft.row, strict=True))
                self._keys[draft.slot] = sort_key_of(draft, row, name)
            if draft.op != "same" or draft.doubt is not None or draft.asks:
                self.plan.drafts.append(draft)


def _nameless_key(kind: str, title: str | None, year: int | None, artist: str | None) -> str:
    return f"{kind}|{name_key(title or '', year, artist or '')}"


def plan_sync(
    list_: MediaList, source: Source | None, found: Iterable[Row], how: Reading, *, at: datetime, create: bool
) -> Plan:
    """Plan a sync. create=False only reads: a preview."""
    planner = Planner(list_, source, at=at, matcher=Matcher(create=create, source=source))
    planner.folder.only_looks = not create
    return planner.sync(found, how)


def plan_refold(list_: MediaList, *, at: datetime, entries: Iterable[int] | None = None, rebase: bool = False) -> Plan:
    return Planner(list_, None, at=at, matcher=Matcher(create=False)).refold(entries, rebase=rebase)
