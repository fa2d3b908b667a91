"""What follows a fetch that failed or broke off: another try after a pause, each a run of its own, or the source's next
normal time. A run that its service puts off has not failed: it waits itself, and is no further try."""

from datetime import datetime, timedelta

from django.db import OperationalError, transaction
from django.utils import timezone

from lists.models import Source
from sync import runs, signals
from sync.errors import BreakerOpen, NotYet, SourceUnavailable, TimedOut
from sync.http.patience import LONGEST_S
from sync.models import Run
from sync.times import LONGEST_PAUSE, RETRIES, deferral, pause

# What may be over in a minute; what ran into the time limit has mostly met a service or a machine that was slow just then.
# Refused, unreadable, too large for the memory or our own fault: the same would happen again.
PASSING = (SourceUnavailable, OSError, OperationalError, TimedOut)
DEFERRALS = 3  # of one run; a service that puts it off once more has failed it


@transaction.atomic
def fail(run: Run, error: BaseException, *, now: datetime | None = None) -> Run | None:
    """End a run of this worker that failed, or have it wait if its service puts it off; returns the run that waits now,
    itself or a retry, if one does.

    One transaction: between the two, somebody could ask for the source and be told that nothing waits.
    """
    now = now or timezone.now()
    if isinstance(error, SourceUnavailable) and (wait := _deferral(run, error)) and _is_wanted(run):
        return run if runs.put_off(run, error, until=now + wait) else None
    if not runs.break_off(run, error) or run.state != Run.State.FAILED:
        return None
    return try_again(run, error, now=now)


def try_again(run: Run, error: BaseException, *, now: datetime | None = None) -> Run | None:
    """The retry of a run that failed or broke off, where what was in its way may pass. In the transaction that ends it."""
    if not _may_pass(run, error):
        return None
    if run.attempt > RETRIES:
        signals.tell_after_commit(signals.retries_exhausted, source_id=run.source_id, run_id=run.pk)
        return None
    if not _is_wanted(run):
        return None
    return _retry(run, (now or timezone.now()) + pause(run.attempt, getattr(error, "retry_after", None)))


def _may_pass(run: Run, error: BaseException) -> bool:
    return run.kind != Run.Kind.UPLOAD and isinstance(error, PASSING)


def _is_wanted(run: Run) -> bool:
    wanted = Source.objects.filter(pk=run.source_id, enabled=True, paused="", removed_at=None, list__deleted_at=None)
    return wanted.exists()


def _deferral(run: Run, error: SourceUnavailable) -> timedelta | None:
    """How long the run is put off by what its service said; None if it is not."""
    seconds = error.retry_after
    if run.kind == Run.Kind.UPLOAD or run.deferrals >= DEFERRALS or seconds is None:
        return None
    return deferral(seconds) if isinstance(error, BreakerOpen | NotYet) or seconds > LONGEST_S else None


def _retry(run: Run, at: datetime) -> Run:
    return Run.objects.create(
        list_id=run.list_id, source_id=run.source_id, kind=Run.Kind.RETRY, state=Run.State.WAITING, next_attempt_at=at,
        priority=run.priority, requested_by_id=run.requested_by_id, requested_by_name=run.requested_by_name,
        attempt=run.attempt + 1, previous=run, correlation_id=run.correlation_id,
    )  # fmt: skip


def start_ripe(now: datetime) -> int:
    """Queue the runs whose time has come; returns how many. What waits longer than any pause is was planned by a
    clock that has been set back since."""
    waiting = Run.objects.filter(state=Run.State.WAITING)
    ripe = waiting.filter(next_attempt_at__lte=now) | waiting.filter(
        next_attempt_at__gt=now + LONGEST_PAUSE + timedelta(hours=1)
    )
    return sum(runs.start_waiting(pk) for pk in ripe.order_by("next_attempt_at", "id").values_list("pk", flat=True))
