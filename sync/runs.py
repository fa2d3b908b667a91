"""The life of a run: asked for, claimed, followed, finished. The Run table is the truth; a task only carries an id."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.dispatch import Signal
from django.utils import timezone
from django_q.tasks import async_task

from lists.audit import audit
from lists.errors import InTheBin, Refused
from lists.models import Proposal, Source, Version
from lists.plan import Counts
from sync import processes, signals
from sync.adapters import is_fetched
from sync.errors import Busy, Cancelled, Ended, LeaseLost, SourceRefused, SourceUnavailable, SyncError, told
from sync.models import Lock, Run
from sync.progress import WRITING
from sync.times import next_time

DEATHS = 3  # of its workers after which a run or a preview is not tried again: it may be what kills them

UNTOLD = timedelta(seconds=60)  # after which the workers are told again of what could start and was not taken up

# Dotted paths are stored in queues: renaming one is a migration.
EXECUTE, PREPARE = "sync.tasks.execute_run", "sync.tasks.prepare_upload"


def enqueue(path: str, pk: int) -> None:
    """Hand an id to the workers once the transaction stands."""

    def hand_over() -> None:
        if path == PREPARE:
            Lock.objects.update_or_create(name=told_of(pk), defaults={"until": timezone.now() + UNTOLD})
        async_task(path, pk)
        if path == EXECUTE:
            Run.objects.filter(pk=pk).update(enqueued_at=timezone.now())

    # Robust: if the queue cannot be reached, what was committed stands, and the reaper hands it out again.
    transaction.on_commit(hand_over, robust=True)


def preview_lock(proposal_id: int) -> str:
    """The lock (sync/lease.py) of whoever reads an upload."""
    return f"preview {proposal_id}"


def told_of(proposal_id: int) -> str:
    """The lock that holds for as long as the workers need not be told again of an upload."""
    return f"told of preview {proposal_id}"


def wake(*, told_before: datetime | None = None, most: int | None = None) -> int:
    """Hand to the workers what could start now, as many as may, or `most`; returns how many. told_before: only those of which
    they heard last before that time, or never. A task too many finds nothing to do, so none is counted with care."""
    found = Run.objects.startable()
    if told_before is not None:
        wrong = timezone.now() + timedelta(minutes=1)  # by a clock that ran ahead, or has been set back since
        found = found.filter(Q(enqueued_at=None) | Q(enqueued_at__lt=told_before) | Q(enqueued_at__gt=wrong))
    free = len(Run.objects.free_slots())
    waiting = list(found.values_list("pk", flat=True)[: free if most is None else min(free, most)])
    for pk in waiting:
        enqueue(EXECUTE, pk)
    return len(waiting)


@transaction.atomic
def request_run(
    source: Source, *, kind: str, by: Any = None, proposal: Proposal | None = None, priority: int = 5,
    now: datetime | None = None,
) -> Run:  # fmt: skip
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
    _plan_next(run, now or timezone.now())
    enqueue(EXECUTE, run.pk)
    return run


def _plan_next(run: Run, now: datetime) -> None:
    """The source's next normal time: stored when it is asked for, and anew when that has ended."""
    source = Source.objects.filter(pk=run.source_id, enabled=True, sync_enabled=True)
    if run.kind != Run.Kind.UPLOAD and (interval := source.values_list("interval_min", flat=True).first()) is not None:
        source.update(next_sync_at=next_time(now, interval))


def start_waiting(run_id: int, **changes: Any) -> bool:
    """Queue a run that waits for its time; False if it does not wait any more."""
    waiting = Run.objects.filter(pk=run_id, state=Run.State.WAITING)
    changes |= {"next_attempt_at": None, "waits_for": "", "error_code": "", "error": ""}
    started = waiting.move(Run.State.QUEUED, **changes) == 1
    if started:
        enqueue(EXECUTE, run_id)
    return started


@dataclass(frozen=True, slots=True)
class Asked:
    """run: what was queued; None if the source was read so short ago that it is left alone until `skipped_until`."""

    run: Run | None
    skipped_until: datetime | None = None


@transaction.atomic
def request_sync(source: Source, *, by: Any, force: bool = False, priority: int = 6) -> Asked:
    """Have a source read now; a run of it that waits for its time is started. force: also within its minimum gap.

    Raises Busy with the run that waits or is at work, SourceRefused for a source that cannot be read.
    """
    source = Source.objects.select_for_update(of=("self",)).select_related("list").get(pk=source.pk)
    if source.list.deleted_at:
        raise InTheBin("The list lies in the bin. Bring it back first.")
    if source.removed_at or not source.enabled:
        raise SourceRefused(f"{source} is switched off. Nothing was read. Switch it on first.")
    if not is_fetched(source):
        raise SourceRefused(f"{source} came as a file. Nothing was read. Upload a newer file to renew it.")
    if source.paused:
        raise SourceRefused(f"{source} is not read. {source.paused}")
    active = Run.objects.filter(source=source).active().order_by("id").first()
    if active is not None and start_waiting(active.pk, deferrals=0):  # the count is of one asking
        audit(
            by, "synced", source, list_=source.list, after={"run": active.pk}, correlation_id=str(active.correlation_id)
        )
        return Asked(Run.objects.get(pk=active.pk))
    if active is not None:
        raise Busy(f"{source} is being read already (run {active.pk}).", active)
    now = timezone.now()
    # A time to come was stored by a clock that has been set back since: it must not lock the source for as long.
    if source.last_run_at is not None and source.last_run_at <= now and not force:
        until = source.last_run_at + timedelta(minutes=source.gap_min)
        if until > now:
            return Asked(None, until)
    return Asked(request_run(source, kind=Run.Kind.MANUAL, by=by, priority=priority))


def request_each(
    sources: Iterable[Source], *, by: Any, **how: Any
) -> Iterator[tuple[Source, Asked | SyncError | Refused]]:
    """Ask for each as request_sync does, or what speaks against it: a source that cannot be read keeps no other from it."""
    for source in sources:
        try:
            yield source, request_sync(source, by=by, **how)
        except (SyncError, Refused) as e:
            yield source, e


TRIES = 20  # to be first where other workers want the same list or slot


def claim() -> Run | None:
    """The run that is first in line, now running under this worker, whichever task woke it; None if none may start.

    What finds its list busy, or as many at work as may be, stays queued: who ends hands it on.
    """
    for _ in range(TRIES):
        try:
            with transaction.atomic():
                return Run.objects.claim(owner=processes.name())
        except IntegrityError:
            continue
    return None


def still_held(run: Run) -> None:
    """The fence of a run, in each transaction that writes: its row is locked until that ends, so whoever would cancel it or
    give it to another worker comes after. Raises LeaseLost or Cancelled."""
    # These columns only: a block of rows asks for them each time, and others wait for the answer.
    held = Run.objects.locked(run.pk).values_list("state", "started_at", "lease_until", "error").first()
    state, started_at, lease_until, error = held or ("", None, None, "")
    ours = state in Run.WORKING and started_at == run.started_at
    if not ours or lease_until is None or lease_until < timezone.now():
        raise LeaseLost("This run was given up in the meantime. Nothing was changed by it.")
    if state == Run.State.CANCELLING:
        raise Cancelled(error)


def record_counts(run: Run, counts: Counts) -> None:
    run.found, run.added, run.updated = counts.found, counts.added, counts.changed
    run.unchanged, run.removed, run.excluded = counts.unchanged, counts.removed, counts.excluded
    run.held, run.duplicates, run.skipped = counts.held, counts.duplicates, counts.skipped
    run.not_taken, run.conflicted = counts.not_taken, counts.conflicts


@transaction.atomic
def close(run: Run, state: str, *, error: BaseException | None = None) -> bool:
    """End a run, with what it counted; False if it may not end like that any more. Publishing calls it in its own
    transaction, whatever else ends a run calls it alone."""
    if Run.objects.locked(run.pk).values_list("state", flat=True).first() not in Run.before(state):
        return False
    now = timezone.now()
    run.state, run.finished_at, run.lease_until, run.slot = state, now, None, None
    run.next_attempt_at, run.waits_for = None, ""
    # A clock may have been set back since.
    run.duration_ms = max(0, round((now - run.started_at).total_seconds() * 1000)) if run.started_at else None
    if state in (Run.State.COMPLETED, Run.State.PARTIAL):
        run.progress, run.step = 100, ""
    else:  # what it would have changed was taken back
        record_counts(run, Counts(found=run.found))
        run.version, run.outcome = None, ""
    if error is not None:
        run.error_code, run.error = told(error, parts=_parts_of(run))
    run.save()
    _plan_next(run, now)
    _free_after_commit(run, signals.run_finished)
    return True


def _parts_of(run: Run) -> int:
    """How many versions stand of a sync that did not come to its end: a very large change on SQLite is several."""
    if run.started_at is None:
        return 0
    made = Version.objects.filter(list=run.list_id, correlation_id=str(run.correlation_id))
    return made.filter(created_at__gte=run.started_at).count()


def _free_after_commit(run: Run, signal: Signal) -> None:
    """Its list and its slot may be another's once the transaction stands."""
    transaction.on_commit(lambda: _after(run.pk, signal), robust=True)


def _after(run_id: int, signal: Signal) -> None:
    signals.tell(signal, run_id=run_id)
    wake(most=1)  # one list and one slot are free: each end that woke all that may start would make a storm of tasks


def _wanted_or_cancelled(run: Run) -> bool:
    """Whether a run is still this worker's; its row is locked then. If somebody asked for it to be cancelled, it is."""
    try:
        still_held(run)
    except Cancelled as e:
        close(run, Run.State.CANCELLED, error=e)
        return False
    except LeaseLost:
        return False
    return True


def close_failed(run: Run, error: BaseException) -> bool:
    """End a run as failed; a fetch is counted with its source. False as of close()."""
    if run.kind != Run.Kind.UPLOAD:
        Source.objects.filter(pk=run.source_id).update(last_run_at=timezone.now(), failures=F("failures") + 1)
    return close(run, Run.State.FAILED, error=error)


@transaction.atomic
def break_off(run: Run, error: BaseException) -> bool:
    """End a run of this worker that could not be carried out, as failed. False if it was cancelled meanwhile, or is not this
    worker's any more; then nothing is written."""
    if not _wanted_or_cancelled(run):
        return False
    return close_failed(run, error)


@transaction.atomic
def put_off(run: Run, error: SourceUnavailable, *, until: datetime) -> bool:
    """Have a run of this worker wait without one until its service may be asked, and begin anew then. False as of
    break_off()."""
    if not _wanted_or_cancelled(run):
        return False
    code, sentence = told(error)
    Run.objects.filter(pk=run.pk).move(
        Run.State.WAITING, slot=None, worker="", started_at=None, lease_until=None, heartbeat_at=None, step="",
        next_attempt_at=until, waits_for=error.service or "the service", deferrals=run.deferrals + 1, error_code=code,
        error=sentence, requests=run.requests, cache_hits=run.cache_hits, cache_misses=run.cache_misses,
    )  # fmt: skip
    _free_after_commit(run, signals.run_put_off)
    return True


@transaction.atomic
def start_over(run: Run, error: BaseException, *, interruptions: int = 0) -> Run | None:
    """End a run whose worker is gone, or must go, and queue it anew; None if it has ended meanwhile. interruptions: how
    many workers it has cost so far."""
    if not close(run, Run.State.INTERRUPTED, error=error):
        return None
    again = Run.objects.create(
        list_id=run.list_id, source_id=run.source_id, kind=run.kind, priority=run.priority, proposal_id=run.proposal_id,
        requested_by_id=run.requested_by_id, requested_by_name=run.requested_by_name, attempt=run.attempt,
        previous=run, correlation_id=run.correlation_id, interruptions=interruptions, deferrals=run.deferrals,
    )  # fmt: skip
    enqueue(EXECUTE, again.pk)
    return again


def cancel(run: Run, *, by: Any) -> Run:
    """End a run that waits; have the worker of a running one stop, which takes a second or two. by None: the system.

    Raises Ended if it has ended, is being cancelled already, or is being written.
    """
    # Looked at without a lock first: who writes a version holds it, and whoever asks should not wait for that.
    _refuse_if_ended(run, Run.objects.filter(pk=run.pk).first())
    with transaction.atomic():
        held = _refuse_if_ended(run, Run.objects.hold(run.pk))
        said = Cancelled(f"{by.get_username() if by else 'Listkeeper'} cancelled this. Nothing was changed.")
        if held.state == Run.State.RUNNING:
            held.state, held.error = Run.State.CANCELLING, str(said)
            Run.objects.filter(pk=held.pk).move(held.state, error=held.error)
        else:
            close(held, Run.State.CANCELLED, error=said)
        audit(by, "cancelled", held, list_=held.list, correlation_id=str(held.correlation_id))
    return held


def cancel_all(sender: Any, *, sources: Iterable[int], by: Any, **_: Any) -> None:
    """Receiver of lists.signals.stopped: what is read for nothing need not be read to its end. Asked again after each, for
    one that fails at this moment leaves a retry."""
    left = Run.objects.active().filter(source__in=list(sources))
    seen: list[int] = []
    while (run := left.exclude(pk__in=seen).order_by("id").first()) is not None:
        seen.append(run.pk)
        with suppress(Ended):  # or is being written: then it comes to its end
            cancel(run, by=by)


def _refuse_if_ended(run: Run, now: Run | None) -> Run:
    if now is None or not now.is_active:
        how = now.get_state_display().lower() if now else "it is gone"
        raise Ended(f"Run {run.pk} has ended already ({how}). Nothing was cancelled.")
    if now.state == Run.State.CANCELLING:
        raise Ended(f"Run {run.pk} is being cancelled already.")
    if now.state == Run.State.RUNNING and now.step == WRITING:
        raise Ended(f"Run {run.pk} is being written by now, so it is too late to cancel it. A rollback takes it back.")
    return now
