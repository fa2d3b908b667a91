"""What strategies are given, and what they answer."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from lists.models.site import Strategy
from lists.words import Word


@dataclass(frozen=True, slots=True)
class Weighing:
    """A strategy, and for the strategy *rules* the sources that are believed first about a field, by their ids."""

    strategy: str = Strategy.PRIORITY
    preferred: Mapping[str, Sequence[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Choice:
    """A value, and the words that it was taken from: several where lists were united."""

    value: Any
    words: tuple[Word, ...]

    @property
    def origin(self) -> Any:
        """The source, or the list of them."""
        sources = list(dict.fromkeys(word.source for word in self.words))
        return sources[0] if len(sources) == 1 else sources


@dataclass(frozen=True)
class Contest:
    """Words of one entry in the sources' order, and by field those that speak of it: two at least."""

    heard: Sequence[Word]
    contested: Mapping[str, Sequence[Word]]
    preferred: Mapping[str, Sequence[int]] = field(default_factory=dict)

    @cached_property
    def feeds(self) -> list[Word]:
        return [word for word in self.heard if word.feed]

    @cached_property
    def by_age(self) -> list[Word]:
        """The words of sources, the one that has stood longest without a change first."""
        return sorted(self.feeds, key=lambda word: (word.changed_at, *word.order))


def said_by(word: Word, name: str) -> Choice:
    return Choice(word.values[name], (word,))


def by_ranking(contest: Contest, ranked: Iterable[Word]) -> dict[str, Choice]:
    """One record speaks for every field that it has, the next for what is left."""
    chosen: dict[str, Choice] = {}
    for word in ranked:
        for name in contest.contested:
            if name not in chosen and name in word.values:
                chosen[name] = said_by(word, name)
    return chosen
