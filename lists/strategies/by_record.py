"""Strategies by which one record speaks for all its fields."""

from lists.confidence import of_record
from lists.strategies._contest import Choice, Contest, by_ranking


def newest(contest: Contest) -> dict[str, Choice]:
    """The record in which anything changed last."""
    return by_ranking(contest, sorted(contest.feeds, key=lambda word: (-word.changed_at, *word.order)))


def highest_confidence(contest: Contest) -> dict[str, Choice]:
    """The record that is surest of itself."""
    return by_ranking(contest, sorted(contest.feeds, key=lambda word: (-of_record(word.values), *word.order)))
