"""How sure we are: of what one record says, and of a change of many. From 0 to 100, so that thresholds are met exactly."""

from collections.abc import Mapping
from typing import Any

NAMED, UNNAMED = 90, 50


def of_record(values: Mapping[str, Any]) -> int:
    """As the source itself says, else by whether the record names what it is."""
    stated = values.get("confidence")
    if stated is not None:
        return round(100 * min(max(float(stated), 0.0), 1.0))
    return NAMED if values.get("title") else UNNAMED


def of_changes(added: int, changed: int, removed: int) -> int:
    """Of all that a source changes at once. Few additions alone are what a list lives by."""
    if not (added or changed or removed):
        return 100
    score = 80
    if removed > 3:
        score -= 20
    if added > 5:
        score -= 10
    if not removed and (not added or (added <= 5 and not changed)):
        score += 10
    return score
