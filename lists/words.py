"""What one claim says of an entry, and the order in which words are weighed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Values = dict[str, Any]


@dataclass(slots=True)  # not frozen: see lists/records.py
class Word:
    """What one claim says. rank: its source's place among the list's sources, 0 first. first_at and times: epoch
    seconds, as Claim has them.

    listing: whether it says that the entry is on the list. feed: whether it comes from outside, not from the list itself.
    member: of entries that are the same thing, whose word it is: 0 of the one that came first.
    """

    source: int
    rank: int
    key: str
    values: Mapping[str, Any]
    first_at: int
    times: Mapping[str, Sequence[int]]
    kind: str = ""
    listing: bool = True
    feed: bool = True
    ids: Mapping[str, str] = field(default_factory=dict)
    member: int = 0

    @property
    def order(self) -> tuple[int, int, int, str]:
        """By the sources' order; of one source the entry's own words before those of its doubles."""
        return self.rank, self.source, self.member, self.key

    @property
    def changed_at(self) -> int:
        """When anything in it changed last."""
        return max([self.first_at, *(times[1] for times in self.times.values())])

    def first_said(self, name: str) -> int:
        return self.times[name][0] if name in self.times else self.first_at

    def last_changed(self, name: str) -> int:
        return self.times[name][1] if name in self.times else self.first_at


def in_order(words: Iterable[Word]) -> list[Word]:
    heard = list(words)
    return heard if len(heard) == 1 else sorted(heard, key=lambda word: word.order)
