"""The best of several records, field by field."""

from collections.abc import Sequence

from lists.fields import FIELDS
from lists.strategies._contest import Choice, Contest, said_by
from lists.titles import fold
from lists.words import Word

# Of these a longer text that begins like the shorter one says the same, and more: a day after its year, a whole story
# after its first lines.
CONTINUED = frozenset({"release_date", "overview"})


def merge(contest: Contest) -> dict[str, Choice]:
    return {name: best_of(name, [said_by(w, name) for w in saying]) for name, saying in contest.contested.items()}


def best_of(name: str, choices: Sequence[Choice]) -> Choice:
    """Lists of words united; the text that goes on where another ends; the rating with more votes behind it, where all
    name their votes. Else the first choice."""
    if FIELDS[name].type == "list":
        return _united(choices)
    if name in CONTINUED:
        return _continued(choices)
    if name in ("rating", "votes"):
        return _most_votes(choices)
    return choices[0]


def _united(choices: Sequence[Choice]) -> Choice:
    united: dict[str, str] = {}
    words: list[Word] = []
    for choice in choices:
        new = {fold(value): value for value in choice.value if fold(value) not in united}
        united |= new
        if new:
            words += choice.words
    return Choice(list(united.values()), tuple(words) or choices[0].words)


def _continued(choices: Sequence[Choice]) -> Choice:
    start = choices[0].value.rstrip(".… ")
    fuller = [choice for choice in choices if choice.value.startswith(start)]
    return max(fuller, key=lambda choice: len(choice.value))  # of equal ones the first


def _most_votes(choices: Sequence[Choice]) -> Choice:
    votes = [choice.words[0].values.get("votes") for choice in choices]
    if None in votes:
        return choices[0]
    return choices[max(range(len(choices)), key=lambda at: votes[at] or 0)]
