"""How far a run is, what it costs, and whether it must stop."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from lists.fence import still_ours
from sync import processes, signals
from sync.errors import OutOfMemory, Stopped
from sync.http import Meter
from sync.models import Run

log = logging.getLogger(__name__)
T = TypeVar("T")
FILLING = "Filling"  # blocks that nobody sees yet (lists/filling.py)
IN_PARTS = "Writing in parts"  # versions of a very large change before its last one (lists/parts.py)
WRITING = "Writing"  # the step in which it is too late to cancel


class Progress:
    """Step, counts, times and memory of a running run. It never falls. A beat of its own stores it now and then
    (sync/watch.py); a new step is stored at once.

    stop: why the run must end, once it must. shielded: it is being written, so nothing interrupts it.
    """

    def __init__(self, run: Run, *, clock: Callable[[], float] = time.monotonic):
        self.run, self.clock = run, clock
        self.meter = Meter(run.requests, run.cache_hits, run.cache_misses)  # it may have been put off before
        self.stop: Stopped | None = None
        self.shielded = False
        self.timings: dict[str, float] = {}
        self.blocks: dict[str, list[float]] = {}  # step -> milliseconds of each block of records
        self.begun = clock()
        self._open: dict[str, float] = {}  # the steps that are being done, and when each began
        self._told: set[str] = set()

    def elapsed(self) -> dict[str, float]:
        """Seconds by step, the one that runs included."""
        now = self.clock()
        return {**self.timings, **{name: round(now - begun, 4) for name, begun in self._open.items()}}

    @contextmanager
    def step(self, name: str, start: int) -> Iterator[None]:
        """A named part of the run; `start` is the progress in per cent at which it begins."""
        self.check()
        begun = self.clock()
        self._enter(name, start)
        self._open[name] = begun
        self.shielded = name == WRITING
        try:
            yield
        finally:
            self.shielded = False
            del self._open[name]
            self.timings[name] = round(self.timings.get(name, 0) + self.clock() - begun, 4)

    def _enter(self, name: str, start: int) -> None:
        """Told at once. Raises what was asked for before it was too late."""
        before, self.run.step = self.run.step, name
        self.to(start)
        mine = Run.objects.filter(pk=self.run.pk, lease_until__gt=timezone.now())
        mine = mine.filter(state=Run.State.RUNNING) if name == WRITING else mine.working()
        if not mine.update(**self.stored()) and name == WRITING:
            self.run.step = before
            with transaction.atomic():
                still_ours()

    def to(self, per_cent: int) -> None:
        self.run.progress = max(self.run.progress, min(per_cent, 99))

    def stored(self) -> dict[str, Any]:
        """What a beat writes."""
        return {"step": self.run.step, "progress": self.run.progress, "found": self.run.found}

    def check(self) -> None:
        """Raises why the run must stop, if it must."""
        if self.stop is not None:
            raise self.stop

    def counted(
        self,
        rows: Iterable[T],
        per_cent: Callable[[int], int],
        *,
        weight: Callable[[T], int] | None = None,
        finding: bool = False,
    ) -> Iterator[T]:
        """Rows on their way: each block of them is timed, and moves the progress to per_cent(rows so far); between any two
        the run can be stopped. weight: how many rows one of them stands for. finding: these rows are what it has found."""
        size, clock, count, told = settings.BLOCK, self.clock, 0, 0
        times = self.blocks[self.run.step] = []
        begun = clock()
        for row in rows:
            if self.stop is not None:
                raise self.stop
            yield row
            count += 1 if weight is None else weight(row)
            if count >= told + size:
                now = clock()
                times.append(round((now - begun) * 1000, 1))
                begun, told = now, count
                self.to(per_cent(count))
                if finding:
                    self.run.found = count
        if count > told:
            times.append(round((clock() - begun) * 1000, 1))
            self.run.found = count if finding else self.run.found

    def sample(self) -> None:
        """Look at the memory of this process. Crossing a level is told once; above the limit the run must stop."""
        now = processes.memory_mib()
        self.run.memory_peak_mib = max(self.run.memory_peak_mib or 0, now)
        for level, limit in (("warning", settings.MEMORY_WARNING_MIB), ("critical", settings.MEMORY_LIMIT_MIB)):
            if now >= limit and level not in self._told:
                self._told.add(level)
                grave = logging.CRITICAL if level == "critical" else logging.WARNING
                log.log(grave, "run %s takes %s MiB of memory (%s at %s)", self.run.pk, now, level, limit)
                signals.tell(signals.memory_high, run_id=self.run.pk, level=level, mib=now)
        if now >= settings.MEMORY_LIMIT_MIB and self.stop is None:
            self.stop = OutOfMemory(
                f"This sync took {now:,} MiB of memory, more than the {settings.MEMORY_LIMIT_MIB:,} that a run may take. "
                "Nothing was changed."
            )

    def record(self) -> None:
        """Put what was measured into the run, for its end."""
        self.sample()
        run, meter = self.run, self.meter
        run.requests, run.cache_hits, run.cache_misses = meter.requests, meter.cache_hits, meter.cache_misses
        rows = run.found + run.skipped
        run.error_rate = run.skipped / rows if rows else None
        run.details |= {"timings_s": self.elapsed(), "blocks": {"size": settings.BLOCK, "ms": _shortened(self.blocks)}}


KEPT = 1000  # times of blocks, of each step


def _shortened(blocks: dict[str, list[float]]) -> dict[str, dict[str, Any]]:
    return {
        step: {"count": len(times), "first": times[:KEPT], "longest": max(times)}
        for step, times in blocks.items()
        if times
    }
