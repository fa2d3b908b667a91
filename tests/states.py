"""Runs as they stand in a state, without having lived through it."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from sync.models import Run


def in_state(state: str) -> dict[str, Any]:
    """The columns that go with a state."""
    now = timezone.now()
    working, ended = state in Run.WORKING, state not in Run.ACTIVE
    return {
        "state": state, "slot": 0 if working else None, "lease_until": now + timedelta(minutes=1) if working else None,
        "started_at": now if working or ended else None, "finished_at": now if ended else None,
    }  # fmt: skip
