"""The fold of one entry: what its sources say and what people want, made into what the list shows.

Pure and total: a function of the *sets* of words and edits. Every tie is decided by the sources' order, then by key, so
the order in which words arrive never matters.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lists.models.site import Strategy
from lists.strategies import Weighing, weigh
from lists.words import Values, Word, in_order

PRESENCE = "presence"
PRESENT, ABSENT = "present", "absent"
HAND = "hand"
EMPTY: tuple[Any, ...] = (None, "", [])  # what shows nothing, and is a word all the same

Ids = frozenset[tuple[str, str]]
# What a block says of the values that would be shown, the item (the end of its merges) and the ids that sources state: the
# reason why they must not come, or "".
Block = Callable[[Values, int | None, Ids], str]
# The same of filters, which go by the values, the kind and who says what.
Filters = Callable[[Values, str, Sequence[Word]], str]


@dataclass(slots=True)  # not frozen: see lists/records.py
class Resolved:
    """origins: field -> source id, a list of them where values were united, or "hand". "*" stands for all fields that
    are not named. excluded: why it must not be listed, or ""."""

    values: Values
    origins: dict[str, Any]
    present: bool
    excluded: str = ""
    kind: str = ""  # as the first source says; "" if none says any
    ids: int = 0  # how many ids its sources state


def resolve(
    words: Iterable[Word],
    edits: Mapping[str, Any],
    strategy: str | Weighing = Strategy.PRIORITY,
    blocks: Sequence[Block] = (),
    *,
    item: int | None = None,
    present: bool | None = None,
    filters: Filters | None = None,
) -> Resolved:
    """What the entry shows. edits: field -> value; an empty value shows nothing, PRESENCE decides whether it is listed.

    present: whether it is, where that was judged already (entries that are the same thing are judged one by one).
    """
    heard = in_order(words)
    if len(heard) == 1:
        values: Values = dict(heard[0].values)
        origins: dict[str, Any] = {"*": heard[0].source} if values else {}
    else:
        values, origins = weigh(heard, strategy if isinstance(strategy, Weighing) else Weighing(strategy))
        origins = _compact(origins)
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
        stated = frozenset(pair for word in heard for pair in word.ids.items())
        excluded = next((reason for block in blocks if (reason := block(values, item, stated))), "")
    kind = next((word.kind for word in heard if word.kind), "")
    if present and not excluded and filters is not None:
        excluded = filters(values, kind, heard)
    ids = heard[0].ids if len(heard) == 1 else {name for word in heard for name in word.ids}
    return Resolved(values, origins, present, excluded, kind, len(ids))


def _compact(origins: dict[str, Any]) -> dict[str, Any]:
    """Name the commonest source once: most entries have every field but a few from one source."""
    plain = [source for source in origins.values() if isinstance(source, int)]
    if not plain:
        return origins
    # The smallest id breaks a tie, so that equal inputs give equal rows.
    commonest = min(set(plain), key=lambda source: (-plain.count(source), source))
    return {"*": commonest} | {name: source for name, source in origins.items() if source != commonest}
