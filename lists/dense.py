"""Many whole numbers that lie close to each other, as ids and slots do: a tenth of what sets and dicts take of the memory."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, MutableMapping
from typing import Any

BITS = 12  # of a number that stand within one block
MASK = (1 << BITS) - 1
FEW_BITS = 5  # the same where each has a number: one that stands alone takes 300 bytes
FEW = (1 << FEW_BITS) - 1
NOTHING = -(2**63)
_NONE_OF_THEM = array("q", [NOTHING]) * (FEW + 1)


class IdSet:
    """A set of ids or slots: a bit for each, in blocks that come with the first of their neighbours."""

    def __init__(self) -> None:
        self._blocks: dict[int, bytearray] = {}

    def add(self, number: int) -> None:
        block = self._blocks.get(number >> BITS)
        if block is None:
            block = self._blocks[number >> BITS] = bytearray((MASK + 1) // 8)
        block[(number & MASK) >> 3] |= 1 << (number & 7)

    def update(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            self.add(number)

    def __contains__(self, number: int) -> bool:
        block = self._blocks.get(number >> BITS)
        return block is not None and bool(block[(number & MASK) >> 3] & 1 << (number & 7))


class TextSet:
    """Which of very many texts were met, by eight bytes of each: keys of rows, of which a set would take a hundred. The hash is
    of this process, so nobody can choose texts that share one; of a million two do in one of some 30 million runs."""

    def __init__(self) -> None:
        self._some: dict[int, array[int]] = {}

    def add(self, text: str) -> bool:
        """False if it was met before."""
        number = hash(text)
        some = self._some.get(number & MASK)
        if some is None:
            some = self._some[number & MASK] = array("q")
        at = bisect_left(some, number)
        if at < len(some) and some[at] == number:
            return False
        some.insert(at, number)
        return True


class Marked:
    """Id -> a mark of 16 bytes, each id noted once."""

    SIZE = 16

    def __init__(self) -> None:
        self._ids, self._marks = array("q"), bytearray()

    def note(self, number: int, mark: bytes) -> None:
        self._ids.append(number)
        self._marks += mark

    def items(self) -> Iterator[tuple[int, bytes]]:
        for at, number in enumerate(self._ids):
            yield number, bytes(self._marks[at * self.SIZE : (at + 1) * self.SIZE])

    def __len__(self) -> int:
        return len(self._ids)


class BySlot(MutableMapping[int, int]):
    """Slot (or id) -> a number. Slots are numbered one by one, and so are ids, so the numbers of neighbours lie in an array."""

    def __init__(self, numbers: Iterable[tuple[int, int]] = ()) -> None:
        self._blocks: dict[int, array[int]] = {}
        self._count = 0
        self.update(numbers)

    def __getitem__(self, slot: int) -> int:
        block = self._blocks.get(slot >> FEW_BITS)
        if block is None or (number := block[slot & FEW]) == NOTHING:
            raise KeyError(slot)
        return number

    def get(self, slot: int, otherwise: Any = None) -> Any:  # Mapping's own goes by an exception
        block = self._blocks.get(slot >> FEW_BITS)
        return otherwise if block is None or (number := block[slot & FEW]) == NOTHING else number

    def __setitem__(self, slot: int, number: int) -> None:
        block = self._blocks.get(slot >> FEW_BITS)
        if block is None:
            block = self._blocks[slot >> FEW_BITS] = array("q", _NONE_OF_THEM)
        self._count += block[slot & FEW] == NOTHING
        block[slot & FEW] = number

    def __delitem__(self, slot: int) -> None:
        self[slot]  # raises KeyError
        self._blocks[slot >> FEW_BITS][slot & FEW] = NOTHING
        self._count -= 1

    def __contains__(self, slot: object) -> bool:
        block = self._blocks.get(slot >> FEW_BITS)  # type: ignore[operator]
        return block is not None and block[slot & FEW] != NOTHING  # type: ignore[operator]

    def __iter__(self) -> Iterator[int]:
        for place, block in self._blocks.items():
            for at, number in enumerate(block):
                if number != NOTHING:
                    yield (place << FEW_BITS) + at

    def __len__(self) -> int:
        return self._count
