"""The order of a list: several sources' orders made one, and sparse ranks that hold it with few rows rewritten."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import pairwise

STEP = 2**20


def merge(sequences: Sequence[Sequence[int]]) -> list[int]:
    """One order out of several, the first leading: what only a later one has follows its nearest predecessor there that
    is already placed, or comes first. Each sequence names an entry by its id; a second naming is passed over."""
    placed: dict[int, None] = dict.fromkeys(sequences[0]) if sequences else {}
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
    return list(placed)


def longest_rising(values: Sequence[int]) -> set[int]:
    """Indexes of one longest strictly rising subsequence (patience sorting, O(n log n))."""
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


def rerank(sequence: Sequence[int], ranks: Mapping[int, int]) -> dict[int, int]:
    """The ranks to write so that `sequence` is the order: as few as can be, everything else keeps the one it has.

    An id without a rank is new. If there is no room between two neighbours, all are numbered afresh.
    """
    known = [(at, entry) for at, entry in enumerate(sequence) if entry in ranks]
    steady = longest_rising([ranks[entry] for _, entry in known])
    fixed = [(at, ranks[entry]) for n, (at, entry) in enumerate(known) if n in steady]
    if not fixed:
        return {entry: (n + 1) * STEP for n, entry in enumerate(sequence)}
    out: dict[int, int] = {}
    edges = [(-1, None), *fixed, (len(sequence), None)]
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
                return {entry: (n + 1) * STEP for n, entry in enumerate(sequence)}
        for n in range(count):
            out[sequence[left_at + 1 + n]] = start + step * (n + 1)
    return out


class SourceOrder:
    """The order in which a source names entries, as it is read: by the positions that it states, else by its rows.

    What comes out is counted from 1 without gaps, so that what is stored gives the same order as what was read.
    """

    def __init__(self) -> None:
        self._slots: list[int] = []
        self._stated: list[int] = []
        self._numbers: list[int] = []

    def append(self, slot: int, stated: int | None) -> int:
        """Take the next row; returns its index. A row that states nothing stands behind the one before."""
        before = self._stated[-1] if self._stated else 0
        self._slots.append(slot)
        self._stated.append(before if stated is None else stated)
        return len(self._slots) - 1

    def name(self, index: int, slot: int) -> None:
        """Say which entry the row at an index speaks of, once that is known."""
        self._slots[index] = slot

    def settle(self) -> None:
        """All rows are read: count the places."""
        self._numbers = [0] * len(self._slots)
        by_place = sorted(range(len(self._slots)), key=self._stated.__getitem__)
        for number, index in enumerate(by_place, 1):
            self._numbers[index] = number
        self._slots = [self._slots[index] for index in by_place]

    def number(self, index: int) -> int:
        return self._numbers[index]

    @property
    def slots(self) -> list[int]:
        """The entries, each once; in order after settle()."""
        return list(dict.fromkeys(self._slots))
