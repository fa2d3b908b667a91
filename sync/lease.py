"""Locks that processes of several machines share, in the database: without Redis they work the same as with it.

A lock is a lease: it ends by itself if its holder dies. Who holds one renews it; who was asleep for longer than the lease
has lost it, and is not told: what is written under one is guarded by itself, or harmless when it is done twice.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.utils import timezone

from sync import processes
from sync.beat import Beat
from sync.models import Lock, LockQuerySet


class Held:
    """A lock that is held. token: higher than that of any holder before."""

    def __init__(self, name: str, owner: str, token: int, length: timedelta):
        self.name, self.owner, self.token, self.length = name, owner, token, length

    def _mine(self) -> LockQuerySet:
        return Lock.objects.filter(name=self.name, token=self.token, until__gt=timezone.now())

    def renew(self) -> bool:
        """False if it was lost: what has lapsed is not taken up again."""
        return bool(self._mine().update(until=timezone.now() + self.length))

    def release(self, *, once: bool) -> None:
        if once:
            self._mine().delete()
        else:
            self._mine().update(until=timezone.now(), owner="")


@contextmanager
def lock(name: str, *, seconds: float | None = None, once: bool = False) -> Iterator[Held | None]:
    """Hold a lock for as long as the block takes; None if another process has it.

    seconds: how long it outlives us if we die; a lease of runs if left out, and four of those at most, or the reaper takes it
    for one that a wrong clock wrote. once: it is about one piece of work and is forgotten when that is done, so its token says
    how often that was begun.
    """
    length = timedelta(seconds=settings.LEASE_S if seconds is None else seconds)
    owner = processes.name()
    token = Lock.objects.take(name, owner, timezone.now() + length)
    if token is None:
        yield None
        return
    held = Held(name, owner, token, length)
    beat = Beat(held.renew, every_s=length.total_seconds() / 4, name=f"lock {name}")
    if not connection.in_atomic_block:  # another connection would not see it
        beat.start()
    try:
        yield held
    finally:
        beat.end()
        held.release(once=once)
