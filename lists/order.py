"""The order of a list: several sources' orders made one, and sparse ranks that hold it with few rows rewritten."""

from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain, islice, pairwise
from operator import gt, lt

from lists.dense import BySlot

STEP = 2**20
NOWHERE = -(2**62)  # less than any place


def distinct(entries: "array[int]") -> "array[int]":
    """Each once, where it comes first."""
    following = islice(entries, 1, None)
    # New rows are numbered downwards: the first sync of a large list needs no dict of them all.
    return entries if all(map(gt, entries, following)) else array("q", dict.fromkeys(entries))


def merge(sequences: Sequence[Sequence[int]]) -> "array[int]":
    """One order out of several, the first leading: what only a later one has follows its nearest predecessor there that
    is already placed, or comes first. Each sequence names an entry by its id; a second naming is passed over."""
    if not any(map(len, sequences[1:])):
        return distinct(array("q", sequences[0] if sequences else ()))
    placed: dict[int, None] = dict.fromkeys(sequences[0])
    for sequence in sequences[1:]:
        after: dict[int | None, list[int]] = {}
        anchor: int | None = None
        waiting: set[int] = set()
        for entry in sequence:
            if entry in placed:
                anchor = entry
            elif entry not in waiting:
                waiting.add(entry)
                after.setdefault(anchor, []).append(entry)
        if waiting:
            spliced = list(after.get(None, ()))
            for entry in placed:
                spliced.append(entry)
                spliced.extend(after.get(entry, ()))
            placed = dict.fromkeys(spliced)
    return array("q", placed)


def longest_rising(values: Sequence[int]) -> Collection[int]:
    """Indexes of one longest strictly rising subsequence (patience sorting, O(n log n))."""
    if all(map(lt, values, islice(values, 1, None))):
        return range(len(values))
    tails: list[int] = []
    tail_at: list[int] = []
    before = [-1] * len(values)
    for index, value in enumerate(values):
        place = bisect_left(tails, value)
        if place == len(tails):
            tails.append(value)
            tail_at.append(index)
        else:
            tails[place] = value
            tail_at[place] = index
        before[index] = tail_at[place - 1] if place else -1
    kept = set()
    index = tail_at[-1] if tail_at else -1
    while index >= 0:
        kept.add(index)
        index = before[index]
    return kept


def rerank(sequence: Sequence[int], ranks: Mapping[int, int]) -> BySlot:
    """The ranks to write so that `sequence` is the order: as few as can be, everything else keeps the one it has.

    An id without a rank is new. If there is no room between two neighbours, all are numbered afresh.
    """
    places = array("q", (at for at, entry in enumerate(sequence) if entry in ranks))
    known = array("q", (ranks[sequence[at]] for at in places))
    steady = longest_rising(known)
    if not steady:
        return _afresh(sequence)
    out = BySlot()
    fixed = ((places[n], known[n]) for n in range(len(known)) if n in steady)
    edges: Iterable[tuple[int, int | None]] = chain([(-1, None)], fixed, [(len(sequence), None)])
    for (left_at, left), (right_at, right) in pairwise(edges):
        count = right_at - left_at - 1
        if not count:
            continue
        if left is None:
            start, step = (right or 0) - STEP * (count + 1), STEP
        elif right is None:
            start, step = left, STEP
        else:
            start, step = left, (right - left) // (count + 1)
            if not step:
                return _afresh(sequence)
        for n in range(count):
            out[sequence[left_at + 1 + n]] = start + step * (n + 1)
    return out


def _afresh(sequence: Sequence[int]) -> BySlot:
    return BySlot((entry, (n + 1) * STEP) for n, entry in enumerate(sequence))


class SourceOrder:
    """The order in which a source names entries, as it is read: by the positions that it states, else by its rows.

    What comes out is a sparse number for each row. A row keeps the one that it had, as far as these still rise: what comes or
    goes at the top of a long list moves none of the others.
    """

    def __init__(self) -> None:
        self._slots, self._stated = array("q"), array("q")
        self._rising = True  # whether the rows come in their order, as most do
        self._numbers = array("q")
        self._named: set[int] | None = None

    def append(self, slot: int, stated: int | None) -> int:
        """Take the next row; returns its index. A row that states nothing stands behind the one before."""
        before = self._stated[-1] if self._stated else 0
        if stated is None:
            stated = before
        elif stated < before:
            self._rising = False
        self._slots.append(slot)
        self._stated.append(stated)
        if self._named is not None:
            self._named.add(slot)
        return len(self._slots) - 1

    def extend(self, slots: Sequence[int], stated: Sequence[int | None]) -> None:
        """Take further rows."""
        if stated.count(None) < len(stated):
            for slot, place in zip(slots, stated, strict=True):
                self.append(slot, place)
            return
        before = self._stated[-1] if self._stated else 0
        self._slots.extend(slots)
        self._stated.extend([before] * len(slots))
        if self._named is not None:
            self._named.update(slots)

    def state(self, index: int, stated: int | None) -> None:
        """Say where the row at an index states that it stands, once that is known."""
        if stated is not None:
            self._stated[index], self._rising = stated, False

    def name(self, index: int, slot: int) -> None:
        """Say which entry the row at an index speaks of, once that is known."""
        self._slots[index] = slot
        if self._named is not None:
            self._named.add(slot)

    @property
    def named(self) -> set[int]:
        """The entries that are named so far."""
        if self._named is None:
            self._named = set(self._slots)
        return self._named

    def names(self, slot: int | None) -> bool:
        return slot is not None and slot in self.named

    def settle(self, before: "array[int]") -> Mapping[int, int]:
        """All rows are read: number them. before: what each had, NOWHERE for none; empty if the source was never read.
        Returns the numbers that are new or others, by the index of the row; of a first reading in order, none."""
        sequence: Sequence[int] = range(len(self._slots))
        if not self._rising:
            sequence = sorted(sequence, key=self._stated.__getitem__)
            self._slots = array("q", map(self._slots.__getitem__, sequence))
        elif not before:
            return {}
        self._numbers = before or array("q", [NOWHERE]) * len(sequence)
        numbers = self._numbers if self._rising else array("q", map(self._numbers.__getitem__, sequence))
        if all(map(lt, chain([NOWHERE], numbers), numbers)):  # by far the most are where they were
            return {}
        others = rerank(sequence, BySlot((index, n) for index, n in enumerate(self._numbers) if n != NOWHERE))
        for index, number in others.items():
            self._numbers[index] = number
        return others

    def number(self, index: int) -> int:
        return self._numbers[index] if self._numbers else (index + 1) * STEP

    @property
    def slots(self) -> "array[int]":
        """The entries, each once; in order after settle()."""
        return distinct(self._slots)
