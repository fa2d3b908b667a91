"""What dead workers and lost tasks leave behind: runs are closed and tried again, work is handed out anew.

Every worker does this at its start and each half minute, whatever queue is in use: the Run table is the truth.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from lists.models import Proposal
from sync import processes, signals
from sync.errors import Cancelled, WorkerStops
from sync.models import Lock, Run, lease
from sync.runs import DEATHS, PREPARE, UNTOLD, close, close_failed, enqueue, preview_lock, start_over, told_of, wake


class Overlong:
    """Leases that reach further than any can: a clock that runs ahead has written them, or ours was set back. Their end says
    nothing then. Whoever lives renews a lease, so what stands still for as long as one lasts, by our own count, is over."""

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._seen: dict[tuple[datetime, str], float] = {}  # a lease -> when we saw it first

    def stands_still(self, until: datetime, name: str) -> bool:
        """Whether this lease is one of them, and over."""
        if until <= timezone.now() + 2 * lease():
            return False
        now = self._clock()
        return now - self._seen.setdefault((until, name), now) > lease().total_seconds()

    def forget(self) -> None:
        """What was seen long ago was renewed or is over."""
        before = self._clock() - 10 * lease().total_seconds()
        self._seen = {seen: at for seen, at in self._seen.items() if at > before}


_overlong = Overlong()


def reap(*, anew: bool = False) -> int:
    """Close runs whose worker is gone, queue them again, and hand out what nobody took up. Returns how many were closed.

    anew: no queue of ours lives, so what it held may be lost.
    """
    closed = 0
    for run in Run.objects.working().order_by("id"):
        if _is_lost(run):
            closed += _bury(run.pk)
    _free_locks()
    _overlong.forget()
    told_before = timezone.now() - (timedelta(0) if anew else UNTOLD)
    wake(told_before=told_before)
    _hand_out_previews(told_before, anew=anew)
    return closed


def _is_lost(run: Run) -> bool:
    """Its lease has run out, or its worker was a process of this machine that is no more."""
    until = run.lease_until
    if until is None or until < timezone.now() or processes.is_gone(run.worker):
        return True
    return _overlong.stands_still(until, f"run {run.pk}")


@transaction.atomic
def _bury(pk: int) -> bool:
    # A row that is locked is being written by a worker that lives.
    run = Run.objects.select_for_update(of=("self",), no_key=True, skip_locked=True).filter(pk=pk).first()
    if run is None or run.state not in Run.WORKING or not _is_lost(run):
        return False
    if run.state == Run.State.CANCELLING:
        return close(run, Run.State.CANCELLED, error=Cancelled(run.error))
    run.interruptions += 1
    if run.interruptions < DEATHS:
        said = WorkerStops("The worker stopped in the middle. Nothing was changed. It is tried again.")
        return start_over(run, said, interruptions=run.interruptions) is not None
    by_hand = "Upload it again" if run.kind == Run.Kind.UPLOAD else "Start it again"
    said = WorkerStops(
        f"The worker died {DEATHS} times, the last time while it was {run.step.lower() or 'beginning'}. Nothing was changed, "
        f"and it is not tried again. {by_hand}, or look into the log of the worker first."
    )
    if run.kind != Run.Kind.UPLOAD:
        signals.tell_after_commit(signals.retries_exhausted, source_id=run.source_id, run_id=run.pk)
    return close_failed(run, said)


def _hand_out_previews(told_before: datetime, *, anew: bool) -> None:
    """Uploads that nobody reads, although the workers were told of them. Their tasks may stand behind long runs, so they are
    told again no more often than that."""
    now = timezone.now()
    reading = Proposal.objects.filter(state=Proposal.State.READING).exclude(
        created_at__range=(told_before, now + UNTOLD)
    )
    for pk in reading.values_list("pk", flat=True):
        if not Lock.objects.held(preview_lock(pk)) and (anew or not Lock.objects.held(told_of(pk))):
            enqueue(PREPARE, pk)


def _free_locks() -> None:
    """Locks of processes of this machine that are no more need not lapse first, and those that lapse in years never do."""
    for lock in Lock.objects.filter(until__gt=timezone.now()):
        if processes.is_gone(lock.owner) or _overlong.stands_still(lock.until, f"lock {lock.pk}"):
            Lock.objects.filter(pk=lock.pk, token=lock.token).update(until=timezone.now())
