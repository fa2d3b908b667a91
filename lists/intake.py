"""Reading a source against what it said before: what is the same is counted, what is not becomes a draft of a claim."""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from lists.dense import IdSet, TextSet
from lists.dialects import Dialect
from lists.folding import EntryFolder
from lists.known import NEW, Known
from lists.match import Match, Matcher
from lists.models import Claim, Entry
from lists.order import NOWHERE, SourceOrder
from lists.plan import ClaimDraft, Plan, Reading
from lists.records import Read, Record, Row, Unchanged, Unreadable
from lists.slots import Slots
from lists.spool import blocks
from lists.titles import name_key

Found = Mapping[str, tuple[int, bytes, bytes]]  # key -> (number in Known, digest, mark)


class Intake:
    """Takes the rows of one source in, in their order. What is new or changed lies in the plan's `fresh` then."""

    def __init__(self, plan: Plan, known: Known, folder: EntryFolder, slots: Slots, matcher: Matcher, how: Reading):
        self.plan, self.known, self.folder, self.slots = plan, known, folder, slots
        self.matcher, self.how, self.once = matcher, how, plan.list_.once
        self.order = SourceOrder()
        self.claims = array("q")  # the claim that each place of the order stood for before, by its number
        self.spoken = IdSet()  # entries that a new or changed word speaks of
        self.touched: dict[int, list[ClaimDraft]] = {}  # those with more than one, by the entry that shows it
        self._keys = TextSet()  # of rows that are new
        self._unread: dict[int, int] = {}  # claims whose row could not be read, and its index in the order
        self._waiting = frozenset(how.waiting)

    def read(self, rows: Iterable[Read]) -> None:
        block: list[ClaimDraft] = []
        unknown: list[ClaimDraft] = []  # rows without an id and with a new key, of a source that was read before
        size = Dialect.of().rows
        for some in _some(rows, size):
            found = self.known.find(row.key for row in some if isinstance(row, Record | Unreadable) and row.key)
            for row in some:
                if isinstance(row, Unchanged):
                    self._unchanged(row)
                elif not isinstance(row, Record):
                    self._note(row, found)
                elif (draft := self._record(row, found)) is None:
                    continue
                elif draft.pk is None and not row.ids and len(self.known) and self.once:
                    unknown.append(draft)
                else:
                    block.append(draft)
            if len(block) >= size:
                self._identify(block)
                block = []
        self._identify(block)
        self._recognise(unknown)
        for drafts in blocks(unknown):
            self._identify(drafts)
        self._settle()
        self._take_unread()

    def _unchanged(self, row: Unchanged) -> None:
        known, plan = self.known, self.plan
        numbers, stated = row
        if any(map(known.here.__getitem__, numbers)):  # an earlier row has spoken under the same key
            doubles = {n for n in numbers if known.here[n]}
            keys = Claim.objects.filter(pk__in=[known.pks[n] for n in doubles]).values_list("key", "values")
            for key, values in keys.order_by("id"):
                plan.note_double(Record(key, "", values))
            stated = [place for n, place in zip(numbers, stated, strict=True) if n not in doubles]
            numbers = [n for n in numbers if n not in doubles]
        for number in numbers:
            known.here[number] = 1
        plan.counts.found += len(numbers)
        plan.counts.unchanged += len(numbers)
        if any(map(known.missing.__getitem__, numbers)):
            plan.back += [known.pks[n] for n in numbers if known.missing[n]]
        if self._unread:  # these have their place: the first row of a key counts
            placed = self._unread.keys() & set(numbers)
            for number, place in zip(numbers, stated, strict=True):
                if number in placed:
                    self.order.state(self._unread.pop(number), place)
            stated = [place for number, place in zip(numbers, stated, strict=True) if number not in placed]
            numbers = [number for number in numbers if number not in placed]
        self.claims.extend(numbers)
        self.order.extend(list(map(known.entries.__getitem__, numbers)), stated)

    def _place(self, number: int, stated: int | None) -> int:
        """The next place of the order is that of a claim which was there before."""
        if self.known.missing[number]:
            self.plan.back.append(self.known.pks[number])
        if (index := self._unread.pop(number, None)) is not None:
            self.order.state(index, stated)
            return index
        self.claims.append(number)
        return self.order.append(self.known.entries[number], stated)

    def _record(self, row: Record, found: Found) -> ClaimDraft | None:
        """The claim to be written; None where it stands already."""
        hit = found.get(row.key)
        if not (self._keys.add(row.key) if hit is None else self.known.see(hit[0])):
            self.plan.note_double(row)
            return None
        self.plan.counts.found += 1
        digest = self.how.digest_of(row)
        if hit is None:
            if row.key in self._waiting:
                self.plan.counts.waiting += 1
                return None
            self.claims.append(NEW)
            return ClaimDraft(None, 0, row, digest, None, self.order.append(0, row.position))
        number, before, mark = hit
        place = self._place(number, row.position)
        pk = self.known.pks[number]
        if before != digest:
            return ClaimDraft(pk, self.known.entries[number], row, digest, None, place)
        self.plan.counts.unchanged += 1
        if row.mark and mark != row.mark:
            self.plan.marks.note(pk, row.mark)
        return None

    def _note(self, row: Row, found: Found) -> None:
        self.plan.note(row)
        hit = found.get(row.key) if isinstance(row, Unreadable) and row.key else None
        if hit is not None and not self.known.here[hit[0]] and hit[0] not in self._unread:
            # We know that it is there, only not what it says; another row of this key may still say it.
            self.claims.append(hit[0])
            self._unread[hit[0]] = self.order.append(self.known.entries[hit[0]], None)

    def _settle(self) -> None:
        """The order is read: claims that stand elsewhere in it now are to be moved."""
        known = self.known
        places = known.positions + array("q", [NOWHERE])  # the last one is that of NEW
        before = array("q", map(places.__getitem__, self.claims)) if len(known) else array("q")
        for index, place in self.order.settle(before).items():
            if (number := self.claims[index]) != NEW:
                self.plan.positions[known.pks[number]] = place

    def _take_unread(self) -> None:
        for number in self._unread:
            if self.known.see(number) and self.known.missing[number]:
                self.plan.back.append(self.known.pks[number])

    def _recognise(self, unknown: Sequence[ClaimDraft]) -> None:
        """A row without an id whose title was corrected has another key: it is known by title and year as the list shows
        them, where its source lacks what it called so."""
        lacking = {self.known.entries[n]: n for n in self.known.absent()} if unknown else {}
        shown: dict[tuple[str, str], int] = {}
        for pks in blocks(sorted(lacking)):
            for pk, kind, title, year, artist in Entry.objects.filter(pk__in=pks).values_list(
                "id", "kind", "title", "year", "artist"
            ):
                shown[kind, name_key(title, year, artist)] = lacking[pk]
        for draft in unknown:
            values = draft.record.values
            name = name_key(values.get("title") or "", values.get("year"), values.get("artist") or "")
            number = shown.pop((draft.record.kind, name), None)
            if number is None or not self.known.see(number):
                continue
            self._unread.pop(number, None)
            draft.pk, draft.slot = self.known.pks[number], self.known.entries[number]
            self.claims[draft.place] = number
            self.order.name(draft.place, draft.slot)
            if self.known.missing[number]:
                self.plan.back.append(draft.pk)

    # -- identity -----------------------------------------------------------------------------------------------------

    def _identify(self, block: Sequence[ClaimDraft]) -> None:
        if not block:
            return
        matches = self.matcher.match([draft.record for draft in block])
        new = [match for draft, match in zip(block, matches, strict=True) if draft.pk is None]
        self.slots.ask(match.item for match in new if not match.new)
        for draft, match in zip(block, matches, strict=True):
            draft.match = match
            if draft.pk is None:
                self._find_slot(draft, match)
            self.order.name(draft.place, draft.slot)
            lead = self.folder.lead(draft.slot)
            if lead in self.spoken:
                self.touched.setdefault(lead, []).append(draft)
            else:
                self.spoken.add(lead)
                self.plan.fresh.append(draft)

    def _find_slot(self, draft: ClaimDraft, match: Match) -> None:
        self.plan.has_new = True
        if match.by_name and match.item is not None and self.order.names(self.slots.of_item(match.item)):
            # Two rows of one source that share title and year and nothing else: one of them is another film.
            match = draft.match = Match(None, "match", [match.item])
        slot = self.slots.of(draft.record, match)
        draft.slot = self.slots.new(match) if slot is None else slot
        self.plan.counts.known += match.item is not None and not match.new


def _some(rows: Iterable[Read], size: int) -> Iterator[list[Read]]:
    """As many rows as one look-up takes."""
    walking = iter(rows)
    while block := list(islice(walking, size)):
        yield block
