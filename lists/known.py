"""What a source said when it was last read, small enough to be held whole: a claim is a number in a few arrays.

A row whose mark is known says what it said then, so it is neither cleaned nor spooled nor looked up. Every other row is
looked up by its key, block by block.
"""

import hashlib
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from functools import cached_property
from itertools import count

import orjson
from xxhash import xxh3_128_digest

from lists.dialects import Dialect
from lists.errors import ListMoved
from lists.leaving import StoredClaim
from lists.models import Claim, Source
from lists.order import NOWHERE
from lists.records import Raw, Read, Record, Row, Unchanged

CLAIM = Claim._meta.db_table
NEW = -1  # in the place of a claim's number


class Marker:
    """Marks rows by what stands in them before we have touched it. salt: a mark made under another one is unequal."""

    def __init__(self, salt: str):
        # Nobody gains by two rows of one mark but a source that wants its own change unseen, so speed is all that counts.
        self._seed = int.from_bytes(hashlib.sha256(salt.encode()).digest()[:8])

    def __call__(self, row: Row | Raw) -> bytes:
        """16 bytes; none for a row that is no record, or has a value which no JSON has."""
        if type(row) is Raw:
            said = row.data
        elif isinstance(row, Record):
            try:
                said = orjson.dumps((row.key, row.kind, row.ids, row.values))
            except TypeError:
                return b""
        else:
            return b""
        return xxh3_128_digest(said, self._seed)


class Known:
    """The claims of one source, numbered as their ids rise. `here` tells which of them the source still makes."""

    def __init__(self, source: Source | None, *, marks: bool = False):
        self.source = source.pk if source is not None else None
        # Claims after this one came with parts of a sync that has not come to its end (lists/parts.py).
        self._last_accepted = source.accepted.get("last_claim") if source is not None else None
        self.pks, self.entries = array("q"), array("q")
        self.positions, self.missing = array("q"), array("q")
        self.marks: dict[bytes, int] = {}
        if self.source is not None:
            self._load(marks)
        self.here = bytearray(len(self.pks))

    def _load(self, with_marks: bool) -> None:
        numbers = ("id", "entry_id", "position", "missing")
        marked = ("mark",) if with_marks else ()
        pieces = Dialect.of().columns(CLAIM, numbers, marked, "source_id", self.source, null=NOWHERE)
        for pks, entries, positions, missing, *marks in pieces:
            for mark in marks:
                self.marks.update(zip(mark, count(len(self.pks)), strict=False))
            self.pks.extend(pks)
            self.entries.extend(entries)
            self.positions.extend(positions)
            self.missing.extend(missing)
        self.marks.pop(b"", None)

    @property
    def accepted(self) -> Sequence[int]:
        """Entries that the source stood for when its last answer was accepted."""
        last = self._last_accepted
        return self.entries if last is None else self.entries[: bisect_right(self.pks, last)]

    def __len__(self) -> int:
        return len(self.pks)

    def afresh(self) -> "Known":
        """The same claims by the same numbers, none of which the source has made yet."""
        found = copy(self)
        found.here = bytearray(len(self.pks))
        return found

    def find(self, keys: Iterable[str]) -> Mapping[str, tuple[int, bytes, bytes]]:
        """Key -> (number, digest, mark) of the claims that are known by these keys. Raises ListMoved if one has come since."""
        if not self.pks:
            return {}
        rows = Dialect.of().look_up(
            CLAIM,
            ("key",),
            [(key,) for key in keys],
            ("key", "id", "digest", "mark"),
            source_id=self.source,
        )
        return {key: (self._number(pk), bytes(digest), bytes(mark)) for key, pk, digest, mark in rows}

    def _number(self, pk: int) -> int:
        number = bisect_left(self.pks, pk)
        if self.pks[number : number + 1] != array("q", [pk]):
            raise ListMoved
        return number

    def spelled_out(self, rows: Iterable[Read]) -> Iterator[Row]:
        """Rows with those that are only known by number as records, as the source said them before. Raises ListMoved if one
        of these claims has gone since."""
        for row in rows:
            if not isinstance(row, Unchanged):
                yield row
                continue
            pks = [self.pks[number] for number in row.numbers]
            said = Claim.objects.in_bulk(pks)
            for pk, stated in zip(pks, row.stated, strict=True):
                claim = said.get(pk)
                if claim is None:
                    raise ListMoved
                yield Record(claim.key, claim.kind, claim.values, claim.ids, stated)

    def see(self, number: int) -> bool:
        """Take a claim as made anew; False if an earlier row did that."""
        first, self.here[number] = not self.here[number], 1
        return first

    def held(self, number: int) -> StoredClaim:
        position = self.positions[number]
        return StoredClaim(
            self.pks[number], self.entries[number], None if position == NOWHERE else position, self.missing[number]
        )  # fmt: skip

    def placed(self) -> list[int]:
        """Where the rows of the last reading stood, in their order."""
        return sorted(position for position in self.positions if position != NOWHERE)

    def absent(self) -> list[int]:
        """Numbers of the claims that the source does not make any more, as far as it is read."""
        return [] if 0 not in self.here else [number for number, here in enumerate(self.here) if not here]

    def is_like(self, other: "Known") -> bool:
        """Whether numbers of the other are numbers of this one: nobody has taken claims away meanwhile. New ones come last."""
        return self.pks[: len(other)] == other.pks


class Knowing:
    """What a source said, loaded when it is first asked for: a source that says nothing new needs none of it."""

    def __init__(self, source: Source, *, marks: bool):
        self._source, self._marks = source, marks

    @cached_property
    def known(self) -> Known:
        return Known(self._source, marks=self._marks)

    def marks(self) -> Mapping[bytes, int]:
        return self.known.marks
