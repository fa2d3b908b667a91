"""When a source is read again: after its interval, and sooner after a failure that may pass."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta

RETRIES = 3
FIRST_PAUSE = timedelta(seconds=60)
LONGEST_PAUSE = timedelta(hours=24)
SPREAD = timedelta(minutes=1)
SKEW = timedelta(minutes=1)  # by which the clocks of two machines may differ

Chance = Callable[[float, float], float]


def next_time(after: datetime, interval_min: int, *, chance: Chance = random.uniform) -> datetime:
    """An interval later and a little more: what was added together must not be read together for ever."""
    interval = timedelta(minutes=interval_min)
    return after + interval + chance(0, 1) * min(SPREAD, interval / 20)


def some_time(now: datetime, interval_min: int, *, chance: Chance = random.uniform) -> datetime:
    """Within an interval from now."""
    return now + chance(0, 1) * timedelta(minutes=interval_min)


def latest_time(now: datetime, interval_min: int) -> datetime:
    """No source that was planned by a right clock is due later than this."""
    return now + timedelta(minutes=interval_min) + SPREAD + SKEW


def pause(attempt: int, retry_after: float | None = None, *, chance: Chance = random.uniform) -> timedelta:
    """How long to wait after a failed attempt, 1 being the first: 60, 120, 240 s, a fifth more or less; as long as the
    service asks for (seconds) if that is longer, but a day at most."""
    wait = FIRST_PAUSE * 2 ** (attempt - 1) * chance(0.8, 1.2)
    if retry_after is not None:
        wait = max(wait, timedelta(seconds=min(retry_after, LONGEST_PAUSE.total_seconds())))
    return min(wait, LONGEST_PAUSE)


def deferral(seconds: float, *, chance: Chance = random.uniform) -> timedelta:
    """How long a run waits for a service that is left alone for so many seconds: a little longer, or all come back at once."""
    return min(timedelta(seconds=seconds + chance(0, 10)), LONGEST_PAUSE)
