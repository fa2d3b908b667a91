"""What every page says about the lists of whoever looks at it."""

from functools import cache
from typing import Any

from django.http import HttpRequest

from lists import waiting


def review(request: HttpRequest) -> dict[str, Any]:
    """decisions: how many wait for the user. Counted where a template asks, so that other pages pay nothing for it."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    return {"decisions": cache(lambda: waiting.count_for(user))}
