"""How much each change of a change set deserves a look: its confidence, its severity, and what we recommend.

Pure. A change of a value goes by its fields: filling a gap is hardly ever wrong, another artist often is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lists.confidence import of_record
from lists.models.review import Conflict
from lists.resolve import EMPTY
from lists.titles import fold

FILLED, CONTINUED, RENAMED, OTHER = 90, 85, 30, 70
NAMES = ("artist", "title")
# Words of a play without which a set is not whole.
FRAMES = ("intro", "outro", "opening", "closing")
CERTAIN = 85  # above it what is proposed is recommended
LIKELY = 70  # above it, too, if little depends on it
DOUBTFUL = 40  # below it what stands is recommended

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Judgement:
    """choice: take, keep, or look: a person should."""

    confidence: int
    severity: str
    choice: str
    why: str


def of_field(name: str, old: Any, new: Any) -> int:
    if old in EMPTY:
        return FILLED
    if name not in NAMES:
        return OTHER
    before, after = fold(str(old)), fold(str(new or ""))
    return CONTINUED if before and after and (before in after or after in before) else RENAMED


def of_addition(values: Values) -> Judgement:
    score = of_record(values)
    why = "The source is sure of it." if score > CERTAIN else "The source is not sure what it is."
    return _judged(score, Conflict.Severity.LOW, why)


def of_removal(values: Values, *, edge: bool) -> Judgement:
    """edge: it is the first or the last of its list."""
    words = set(fold(values.get("title") or "").split())
    if edge or words & set(FRAMES):
        return _judged(RENAMED, Conflict.Severity.MEDIUM, "A set is seldom without its beginning or end.")
    return _judged(OTHER, Conflict.Severity.LOW, "The source does not list it any more.")


def of_modification(before: Values, after: Values) -> Judgement:
    """Of the fields that differ."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    scores = [of_field(name, before.get(name), after.get(name)) for name in names]
    score = sum(scores) // max(len(scores), 1)
    if len(names) > 2:
        severity = Conflict.Severity.HIGH
    else:
        severity = Conflict.Severity.MEDIUM if set(names) & set(NAMES) else Conflict.Severity.LOW
    if min(scores, default=0) == FILLED:
        why = "It only fills what was not known."
    elif min(scores, default=0) == RENAMED:
        why = "Another name stands there now."
    else:
        why = "It says the same thing in other words." if score == CONTINUED else "The source tells it otherwise now."
    return _judged(score, severity, why)


def of_fact(old: Any, new: Any) -> Judgement:
    return _judged(of_field("title", old, new), Conflict.Severity.LOW, "The source tells the list itself otherwise.")


def of_restructure(score: int) -> Judgement:
    return Judgement(score, Conflict.Severity.HIGH, "look", "So much changes at once that it may be another set.")


def is_restructure(added: int, changed: int, removed: int) -> bool:
    return added + changed + removed > 10 or removed > 5 or (added > 5 and removed > 2)


def _judged(score: int, severity: str, why: str) -> Judgement:
    if score > CERTAIN or (score > LIKELY and severity == Conflict.Severity.LOW):
        return Judgement(score, severity, "take", why)
    return Judgement(score, severity, "keep" if score < DOUBTFUL else "look", why)
