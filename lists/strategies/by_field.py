"""Strategies that look at one field at a time."""

from lists.strategies._contest import Choice, Contest, said_by


def first_source(contest: Contest) -> dict[str, Choice]:
    """The source that stands first."""
    return {name: said_by(saying[0], name) for name, saying in contest.contested.items()}


def keep_existing(contest: Contest) -> dict[str, Choice]:
    """The word that was said first."""
    return {
        name: said_by(min(saying, key=lambda word: (word.first_said(name), *word.order)), name)
        for name, saying in contest.contested.items()
    }


def use_new(contest: Contest) -> dict[str, Choice]:
    """The word that changed last."""
    return {
        name: said_by(min(saying, key=lambda word: (-word.last_changed(name), *word.order)), name)
        for name, saying in contest.contested.items()
    }
