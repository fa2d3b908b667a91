"""How sources are weighed against each other where they differ: one function for each member of Strategy.

A strategy is asked only about fields of which more than one source speaks; what a single one says is shown whatever the
strategy. Each is a pure function of the set of words: whatever is equal is decided by the sources' order.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lists.fields import FIELDS
from lists.models.site import Strategy
from lists.strategies._contest import Choice, Contest, Weighing
from lists.strategies.by_field import first_source, keep_existing, use_new
from lists.strategies.by_record import highest_confidence, newest
from lists.strategies.by_rules import by_rules
from lists.strategies.intelligent import intelligent
from lists.strategies.merge import merge
from lists.words import Values, Word

__all__ = ["STRATEGIES", "Weighing", "weigh"]

STRATEGIES: dict[str, Callable[[Contest], Mapping[str, Choice]]] = {
    Strategy.PRIORITY: first_source,
    Strategy.KEEP: keep_existing,
    Strategy.NEW: use_new,
    Strategy.NEWEST: newest,
    Strategy.CONFIDENCE: highest_confidence,
    Strategy.INTELLIGENT: intelligent,
    Strategy.RULES: by_rules,
    Strategy.MERGE: merge,
    Strategy.ASK: keep_existing,  # what stands until a person has decided
}


def weigh(heard: Sequence[Word], weighing: Weighing) -> tuple[Values, dict[str, Any]]:
    """(values, origins) of words in their order. The list's own words only fill what no source says."""
    said: dict[str, list[Word]] = {}
    for word in heard:
        for name in word.values:
            said.setdefault(name, []).append(word)
    contested: dict[str, list[Word]] = {}
    alone: dict[str, Word] = {}
    for name, saying in said.items():
        feeds = [word for word in saying if word.feed] if len(saying) > 1 else saying
        if len(feeds) > 1:
            contested[name] = feeds
        else:
            alone[name] = feeds[0] if feeds else saying[0]
    chosen: Mapping[str, Choice] = {}
    if contested:
        chosen = STRATEGIES[weighing.strategy](Contest(heard, contested, weighing.preferred))
    values: Values = {}
    origins: dict[str, Any] = {}
    for name in FIELDS:
        if name in alone:
            values[name], origins[name] = alone[name].values[name], alone[name].source
        elif name in chosen:
            values[name], origins[name] = chosen[name].value, chosen[name].origin
    return values, origins
