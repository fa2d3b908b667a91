"""The life of a run: asked for, claimed, followed, finished. The Run table is the truth; a task only carries an id."""

import logging
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django_q.tasks import async_task

from lists.audit import audit
from lists.errors import InTheBin, Refused
from lists.models import Proposal, Source
from lists.plan import Counts
from sync.adapters import is_fetched
from sync.errors import Busy, SourceRefused, SyncError
from sync.models import LEASE, Run
from sync.signals import run_finished

log = logging.getLogger(__name__)

ATTEMPTS = 3  # of a run whose worker dies

# Dotted paths are stored in queues: renaming one is a migration.
EXECUTE, PREPARE = "sync.tasks.execute_run", "sync.tasks.prepare_upload"


def worker_name() -> str:
    return f"{socket.gethostname()[:50]}:{os.getpid()}"


def enqueue(path: str, pk: int) -> None:
    """Hand an id to the workers once the transaction stands."""
    # Robust: if the queue cannot be reached, what was committed stands, and the next tick hands it out again.
    transaction.on_commit(lambda: async_task(path, pk), robust=True)


@transaction.atomic
def request_run(
    source: Source, *, kind: str, by: Any = None, proposal: Proposal | None = None, priority: int = 5
) -> Run:
    """Queue a run of a source; a worker takes it up after commit."""
    run = Run.objects.create(
        list_id=source.list_id,
        source=source,
        kind=kind,
        proposal=proposal,
        priority=priority,
        requested_by=by,
        requested_by_name=by.get_username() if by else "",
    )
    audit(by, "imported" if kind == Run.Kind.UPLOAD else "synced", source, list_=source.list,
          after={"run": run.pk}, correlation_id=str(run.correlation_id))  # fmt: skip
    enqueue(EXECUTE, run.pk)
    return run


@dataclass(frozen=True, slots=True)
class Asked:
    """run: what was queued; None if the source was read so short ago that it is left alone until `skipped_until`."""

    run: Run | None
    skipped_until: datetime | None = None


@transaction.atomic
def request_sync(source: Source, *, by: Any, force: bool = False) -> Asked:
    """Have a source read now. force: also within its minimum gap.

    Raises Busy with the run that waits or is at work, SourceRefused for a source that cannot be read.
    """
    source = Source.objects.select_for_update(of=("self",)).select_related("list").get(pk=source.pk)
    if source.list.deleted_at:
        raise InTheBin("The list lies in the bin. Bring it back first.")
    if source.removed_at or not source.enabled:
        raise SourceRefused(f"{source} is switched off. Nothing was read. Switch it on first.")
    if not is_fetched(source):
        raise SourceRefused(f"{source} came as a file. Nothing was read. Upload a newer file to renew it.")
    active = Run.objects.filter(source=source).active().order_by("id").first()
    if active is not None:
        raise Busy(f"{source} is being read already (run {active.pk}).", active)
    if source.last_run_at is not None and not force:
        until = source.last_run_at + timedelta(minutes=source.gap_min)
        if until > timezone.now():
            return Asked(None, until)
    return Asked(request_run(source, kind=Run.Kind.MANUAL, by=by))


def note_failure(run: Run) -> None:
    """A fetch that failed is counted with its source; it says nothing about the list."""
    if run.kind != Run.Kind.UPLOAD:
        Source.objects.filter(pk=run.source_id).update(last_run_at=timezone.now(), failures=F("failures") + 1)


def claim(run_id: int) -> Run | None:
    """The run, now running under this worker; None if it is not waiting any more or its list is busy.

    A run whose list is busy stays queued: the one that holds the list passes on to it when it ends.
    """
    try:
        with transaction.atomic():
            return Run.objects.claim(run_id, owner=worker_name())
    except IntegrityError:  # one_run_at_a_time_per_list
        return None


class Progress:
    """Step, counts and heartbeat of a running run, written by UPDATE at most every half second; never falls."""

    def __init__(self, run: Run, *, every_s: float = 0.5, clock: Callable[[], float] = time.monotonic):
        self.run, self.every_s, self.clock = run, every_s, clock
        self._written = -every_s
        self._begun = 0.0
        self.timings: dict[str, float] = {}

    def elapsed(self) -> dict[str, float]:
        """Seconds by step, the one that runs included."""
        return {**self.timings, self.run.step: round(self.clock() - self._begun, 4)}

    @contextmanager
    def step(self, name: str, start: int) -> Iterator[None]:
        """A named part of the run; `start` is the progress in per cent at which it begins."""
        begun = self._begun = self.clock()
        self.run.step = name
        self.to(start, force=True)
        try:
            yield
        finally:
            self.timings[name] = round(self.timings.get(name, 0) + self.clock() - begun, 4)

    def to(self, per_cent: int, *, found: int | None = None, force: bool = False) -> None:
        self.run.progress = max(self.run.progress, min(per_cent, 99))
        if found is not None:
            self.run.found = found
        if not force and self.clock() - self._written < self.every_s:
            return
        self._written = self.clock()
        now = timezone.now()
        Run.objects.filter(pk=self.run.pk).update(
            step=self.run.step, progress=self.run.progress, found=self.run.found,
            heartbeat_at=now, lease_until=now + LEASE,
        )  # fmt: skip


def record_counts(run: Run, counts: Counts) -> None:
    run.found, run.added, run.updated = counts.found, counts.added, counts.changed
    run.unchanged, run.removed, run.excluded = counts.unchanged, counts.removed, counts.excluded
    run.held, run.duplicates, run.skipped = counts.held, counts.duplicates, counts.skipped
    run.not_taken, run.conflicted = counts.not_taken, counts.conflicts


@transaction.atomic
def close(run: Run, state: str, *, error: BaseException | None = None) -> bool:
    """End a run, with what it counted; False if somebody has ended it meanwhile. Publishing calls it in its own
    transaction, failures call it alone."""
    running = Run.objects.select_for_update().filter(pk=run.pk, state__in=[Run.State.RUNNING, Run.State.CANCELLING])
    if not running.exists():
        return False
    now = timezone.now()
    run.state, run.finished_at, run.lease_until = state, now, None
    run.duration_ms = round((now - run.started_at).total_seconds() * 1000) if run.started_at else None
    if state in (Run.State.COMPLETED, Run.State.PARTIAL):
        run.progress, run.step = 100, ""
    if error is not None:
        told = isinstance(error, SyncError | Refused)
        run.error_code = getattr(error, "code", "internal") if told else "internal"
        run.error = str(error) if told else (
            "Something went wrong inside Listkeeper. Nothing was changed. The log of the worker says more."
        )  # fmt: skip
    run.save()
    transaction.on_commit(lambda: _after(run.pk, run.list_id), robust=True)
    return True


def _after(run_id: int, list_id: int) -> None:
    for receiver, answer in run_finished.send_robust(sender=Run, run_id=run_id):
        if isinstance(answer, Exception):
            log.error("a receiver of run_finished failed: %s", receiver, exc_info=answer)
    waiting = Run.objects.filter(list_id=list_id, state=Run.State.QUEUED).order_by("-priority", "id").first()
    if waiting is not None:
        enqueue(EXECUTE, waiting.pk)


@transaction.atomic
def _interrupt(run: Run) -> None:
    """Close a run whose worker is gone and try again, three times at most: it may be the run that kills its worker."""
    again = run.attempt < ATTEMPTS
    again_by_hand = "Upload it again" if run.kind == Run.Kind.UPLOAD else "Start it again"
    run.error_code = "interrupted"
    run.error = "The worker stopped in the middle. Nothing was changed. " + (
        "It is tried again." if again else f"That happened {ATTEMPTS} times, so it is not tried again. {again_by_hand}."
    )
    if close(run, Run.State.INTERRUPTED) and again:
        Run.objects.create(
            list_id=run.list_id, source_id=run.source_id, kind=run.kind, priority=run.priority, proposal_id=run.proposal_id,
            requested_by_id=run.requested_by_id, requested_by_name=run.requested_by_name, attempt=run.attempt + 1,
            previous=run, correlation_id=run.correlation_id,
        )  # fmt: skip


def _is_dead(run: Run) -> bool:
    """Its lease has run out, or it was held by a process of this machine that is no more."""
    now = timezone.now()
    lapsed = run.lease_until is None or run.lease_until < now
    host, _, pid = run.worker.rpartition(":")
    if host == socket.gethostname()[:50] and os.path.exists("/proc/self"):
        # A process of ours that lives may be silent for long while it writes; but no run outlasts its time limit.
        overdue = run.started_at is None or now - run.started_at > timedelta(seconds=settings.MAX_RUN_S + 60)
        return not os.path.exists(f"/proc/{pid}") or (lapsed and overdue)
    return lapsed


def recover() -> int:
    """Close runs that a dead worker left behind and hand queued work to the workers anew; called when a worker starts.

    Returns how many were closed. Called when a worker starts and by every tick.
    """
    closed = 0
    for run in Run.objects.filter(state__in=[Run.State.RUNNING, Run.State.CANCELLING]):
        if not _is_dead(run):
            continue
        _interrupt(run)
        closed += 1
    for pk in Run.objects.filter(state=Run.State.QUEUED).order_by("-priority", "id").values_list("id", flat=True):
        enqueue(EXECUTE, pk)
    for pk in Proposal.objects.filter(state=Proposal.State.READING).values_list("id", flat=True):
        enqueue(PREPARE, pk)
    return closed
