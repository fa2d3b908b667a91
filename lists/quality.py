"""How good and how complete a record is: the scores by which sources are weighed.

Whole numbers, so that a threshold is met exactly or not at all.
"""

from collections.abc import Mapping
from typing import Any

# Hundredths of the quality score: what it is (40), what is told of it (30), how it looks (20), what else (10).
PARTS = {
    "title": 10, "ids": 10, "year": 10, "release_date": 10,
    "overview": 10, "runtime_s": 5, "genres": 5, "rating": 5, "votes": 5,
    "poster": 10, "backdrop": 10,
    "original_title": 5, "popularity": 5,
}  # fmt: skip
FEW_VOTES = 10  # so many or fewer tell nothing

# Completeness counts these and two ids; a 0 is an answer, but for a length.
FACTORS = (
    "title", "year", "release_date", "overview", "runtime_s", "genres", "rating", "votes", "poster", "backdrop",
    "original_title", "popularity", "release_status",
)  # fmt: skip
MOST = 15


def quality(values: Mapping[str, Any], ids: int) -> int:
    """0 to 100. ids: how many ids name the thing."""
    score = PARTS["ids"] if ids else 0
    for name, weight in PARTS.items():
        if name == "votes":
            score += weight if (values.get(name) or 0) > FEW_VOTES else 0
        elif name != "ids" and values.get(name):
            score += weight
    return score


def filled(values: Mapping[str, Any], ids: int) -> int:
    """How many of the 15 factors are known."""
    said = list(map(values.get, FACTORS))
    unknown = said.count(None) + said.count("") + said.count([]) + (values.get("runtime_s") == 0)
    return len(said) - unknown + min(ids, 2)


def images(values: Mapping[str, Any]) -> int:
    """0 to 2: poster and backdrop."""
    return bool(values.get("poster")) + bool(values.get("backdrop"))
