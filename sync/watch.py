"""Watching over a run at work: a thread keeps its lease, stores its progress and sees whether it must stop.

A run stops at its next row. One that hangs (a source that does not answer, a statement that takes long) is interrupted: a
signal makes its thread raise, and a statement of SQLite is broken off. While a version is written nothing interrupts it.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.utils import timezone

from lists.fence import fenced
from sync import processes
from sync.beat import Beat
from sync.errors import Cancelled, LeaseLost, Stopped, TimedOut, WorkerStops
from sync.models import Run, lease
from sync.progress import Progress
from sync.runs import still_held

POLL_S = 0.5  # two of them, one to see it and one to interrupt, are within the two seconds that a cancel may take
SIGNAL = signal.SIGUSR1

_at_work: Progress | None = None  # what the main thread carries out


def _interrupted(number: int, frame: FrameType | None) -> None:
    progress = _at_work
    if progress is not None and progress.stop is not None and not progress.shielded:
        raise progress.stop


class Watch:
    """The thread of one run."""

    def __init__(self, progress: Progress):
        self.progress, self.run = progress, progress.run
        self.main = threading.main_thread() if threading.current_thread() is threading.main_thread() else None
        self.connection = connections[DEFAULT_DB_ALIAS]  # that of the run's thread
        self.interrupted = False
        self._written: dict[str, Any] = {}
        self._due = progress.clock() + settings.LEASE_S / 4
        self._beat = Beat(self.look, every_s=POLL_S, name=f"watch of run {self.run.pk}")

    def start(self) -> None:
        if self.main is not None:
            signal.signal(SIGNAL, _interrupted)
        if not self.connection.in_atomic_block:  # another connection would not see the run
            self._beat.start()

    def end(self) -> None:
        self._beat.end()
        if self.interrupted:
            # It was torn out of a statement or a transaction: nobody knows in which state it is.
            with suppress(Exception):
                self.connection.close()
            del connections[DEFAULT_DB_ALIAS]

    def look(self) -> None:
        if self.progress.stop is not None:
            self._interrupt()
            return
        self.progress.sample()
        self.progress.stop = self.progress.stop or self._reason()

    def _reason(self) -> Stopped | None:
        if processes.is_stopping():
            return WorkerStops("The worker was stopped in the middle. Nothing was changed. It goes on when it is back.")
        if self.progress.clock() - self.progress.begun > settings.MAX_RUN_S:
            return TimedOut(
                f"This sync took longer than {settings.MAX_RUN_S:,} seconds, so it was ended while it was "
                f"{self.run.step.lower() or 'beginning'}. Nothing was changed."
            )
        return self._keep_lease()

    def _keep_lease(self) -> Stopped | None:
        """Store what is new, and see whether the run is still ours and wanted."""
        now, stored = timezone.now(), self.progress.stored()
        mine = Run.objects.filter(pk=self.run.pk, started_at=self.run.started_at, lease_until__gt=now)
        if stored != self._written or self.progress.clock() >= self._due:
            written = mine.working().update(**stored, heartbeat_at=now, lease_until=now + lease())
            self._written, self._due = stored, self.progress.clock() + settings.LEASE_S / 4
            if not written and self.run.state not in Run.WORKING:
                return None  # it was ended here: its version stands, and what comes after that takes its time
            if not written:
                return LeaseLost("Another worker was given this run. This one has written nothing.")
        state, error = Run.objects.filter(pk=self.run.pk).values_list("state", "error").first() or ("", "")
        if state == Run.State.CANCELLING:
            return Cancelled(error)
        return None

    def _interrupt(self) -> None:
        if self.progress.shielded or self.main is None or self.main.ident is None:
            return
        self.interrupted = True
        signal.pthread_kill(self.main.ident, SIGNAL)
        if self.connection.vendor == "sqlite" and self.connection.connection is not None:
            self.connection.connection.interrupt()  # it sees no signal before the statement ends


@contextmanager
def watched(run: Run) -> Iterator[Progress]:
    """Around the carrying out of a claimed run: its progress. Raises Stopped if the run must not go on, whatever else broke
    because of that."""
    global _at_work
    progress = _at_work = Progress(run)
    watch = Watch(progress)
    watch.start()
    try:
        try:
            with fenced(lambda: still_held(run)):
                yield progress
        finally:
            _at_work = None
    except Exception as e:
        if progress.stop is not None and e is not progress.stop:
            raise progress.stop from e
        raise
    finally:
        _at_work = None  # again: the last interrupt may have come just before the first time
        watch.end()
        progress.record()
