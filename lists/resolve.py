"""The fold of one entry: what its sources say and what people want, made into what the list shows.

Pure and total: a function of the *sets* of words and edits. Every tie is decided by the sources' order, then by key, so
the order in which words arrive never matters.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lists.fields import FIELDS
from lists.models.site import Strategy
from lists.titles import fold

PRESENCE = "presence"
PRESENT, ABSENT = "present", "absent"
HAND = "hand"
EMPTY: tuple[Any, ...] = (None, "", [])  # what shows nothing, and is a word all the same

Values = dict[str, Any]
Ids = frozenset[tuple[str, str]]
# What a block or a filter says of the values that would be shown, the item (the end of its merges) and the ids that
# sources state: the reason why they must not come, or "".
Block = Callable[[Values, int | None, Ids], str]


@dataclass(frozen=True, slots=True)
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

    def first_said(self, name: str) -> int:
        return self.times[name][0] if name in self.times else self.first_at

    def last_changed(self, name: str) -> int:
        return self.times[name][1] if name in self.times else self.first_at


@dataclass(frozen=True, slots=True)
class Resolved:
    """origins: field -> source id, a list of them where values were united, or "hand". "*" stands for all fields that
    are not named. excluded: why it must not be listed, or ""."""

    values: Values
    origins: dict[str, Any]
    present: bool
    excluded: str = ""
    kind: str = ""  # as the first source says; "" if none says any


def in_order(words: Iterable[Word]) -> list[Word]:
    """Words as they are weighed: by the sources' order; of one source the entry's own before those of its doubles."""
    return sorted(words, key=lambda word: (word.rank, word.source, word.member, word.key))


def resolve(
    words: Iterable[Word],
    edits: Mapping[str, Any],
    strategy: str = Strategy.PRIORITY,
    blocks: Sequence[Block] = (),
    *,
    item: int | None = None,
    present: bool | None = None,
) -> Resolved:
    """What the entry shows. edits: field -> value; an empty value shows nothing, PRESENCE decides whether it is listed.

    present: whether it is, where that was judged already (entries that are the same thing are judged one by one).
    """
    heard = in_order(words)
    if len(heard) == 1:
        values: Values = dict(heard[0].values)
        origins: dict[str, Any] = {"*": heard[0].source} if values else {}
    else:
        values, origins = _weigh(heard, strategy)
    for name, value in edits.items():
        if name == PRESENCE:
            continue
        origins[name] = HAND
        if value in EMPTY:
            values.pop(name, None)
        else:
            values[name] = value
    if present is None:
        present = edits[PRESENCE] == PRESENT if PRESENCE in edits else any(word.listing for word in heard)
    excluded = ""
    if present and blocks:
        ids = frozenset(pair for word in heard for pair in word.ids.items())
        excluded = next((reason for block in blocks if (reason := block(values, item, ids))), "")
    kind = next((word.kind for word in heard if word.kind), "")
    return Resolved(values, origins, present, excluded, kind)


def _weigh(heard: Sequence[Word], strategy: str) -> tuple[Values, dict[str, Any]]:
    values: Values = {}
    origins: dict[str, Any] = {}
    choose = STRATEGIES[strategy]
    said: dict[str, list[Word]] = {}
    for word in heard:
        for name in word.values:
            said.setdefault(name, []).append(word)
    for name in FIELDS:
        if name in said:
            values[name], origins[name] = choose(name, said[name])
    return values, _compact(origins)


def _compact(origins: dict[str, Any]) -> dict[str, Any]:
    """Name the commonest source once: most entries have every field but a few from one source."""
    plain = [source for source in origins.values() if isinstance(source, int)]
    if not plain:
        return origins
    # The smallest id breaks a tie, so that equal inputs give equal rows.
    commonest = min(set(plain), key=lambda source: (-plain.count(source), source))
    return {"*": commonest} | {name: source for name, source in origins.items() if source != commonest}


Chosen = tuple[Any, Any]


def _first_source(name: str, saying: Sequence[Word]) -> Chosen:
    return saying[0].values[name], saying[0].source


def _keep_existing(name: str, saying: Sequence[Word]) -> Chosen:
    word = min(saying, key=lambda word: (word.first_said(name), word.rank, word.source, word.member, word.key))
    return word.values[name], word.source


def _use_new(name: str, saying: Sequence[Word]) -> Chosen:
    word = min(saying, key=lambda word: (-word.last_changed(name), word.rank, word.source, word.member, word.key))
    return word.values[name], word.source


def _merge(name: str, saying: Sequence[Word]) -> Chosen:
    if FIELDS[name].type != "list":
        return _first_source(name, saying)
    united: dict[str, str] = {}
    sources: list[int] = []
    for word in saying:
        new = {fold(value): value for value in word.values[name] if fold(value) not in united}
        united |= new
        if new and word.source not in sources:
            sources.append(word.source)
    return list(united.values()), sources[0] if len(sources) == 1 else sources


STRATEGIES: dict[str, Callable[[str, Sequence[Word]], Chosen]] = {
    Strategy.PRIORITY: _first_source,
    Strategy.KEEP: _keep_existing,
    Strategy.NEW: _use_new,
    Strategy.MERGE: _merge,
    Strategy.ASK: _keep_existing,  # what stands until a person has decided
}
