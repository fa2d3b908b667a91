"""Records weighed in the order of their age: each newer one meets what those before it gave.

The order is a property of the words, not of their arrival, so this too is a function of the set.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from lists.strategies._contest import Choice, Contest, said_by
from lists.strategies.merge import best_of
from lists.words import Word


class Verdict(Enum):
    UPDATE = "update"  # the newer record speaks for what is contested
    KEEP = "keep"
    MERGE = "merge"


@dataclass(slots=True)
class Standing:
    """What the records up to here give."""

    choices: dict[str, Choice]
    ids: set[str] = field(default_factory=set)  # namespaces
    at: int = 0  # when it changed last, epoch seconds

    @property
    def values(self) -> dict[str, Any]:
        return {name: choice.value for name, choice in self.choices.items()}

    def take(self, word: Word, verdict: Verdict, *, always: Collection[str] = ()) -> None:
        """always: fields that the newer record speaks for, whatever the verdict."""
        for name in word.values:
            new, old = said_by(word, name), self.choices.get(name)
            if old is None or name in always or verdict is Verdict.UPDATE:
                self.choices[name] = new
            elif verdict is Verdict.MERGE:
                self.choices[name] = best_of(name, sorted((old, new), key=lambda choice: choice.words[0].order))
        self.ids |= word.ids.keys()
        self.at = max(self.at, word.changed_at)


def through_ages(contest: Contest, meet: Callable[[Standing, Word], None]) -> dict[str, Choice]:
    oldest, *later = contest.by_age
    standing = Standing({})
    standing.take(oldest, Verdict.UPDATE)
    for word in later:
        meet(standing, word)
    return {name: standing.choices[name] for name in contest.contested}
