"""What goes by night. Old runs, with their history rows, and batches with their parts: what they brought stays, and
so do versions and audit. And what is known of services that nobody asks any more."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django_q.models import Failure

from sync.models import Batch, BatchPart, Breaker, Pace, Run

AT_ONCE = 500
UNASKED = timedelta(days=30)


def prune_runs(*, days: int | None = None, now: datetime | None = None) -> int:
    """Delete the runs that ended longer ago than that (LISTKEEPER_KEEP_RUNS_DAYS); returns how many."""
    before = (now or timezone.now()) - timedelta(days=settings.RUN_DAYS if days is None else days)
    Batch.objects.filter(finished_at__lt=before).delete()
    gone = 0
    while pks := list(Run.objects.order_by("pk").filter(finished_at__lt=before).values_list("pk", flat=True)[:AT_ONCE]):
        _delete(pks)
        gone += len(pks)
    return gone


@transaction.atomic
def _delete(pks: list[int]) -> None:
    BatchPart.objects.filter(run__in=pks).update(run=None)
    Run.objects.filter(previous__in=pks).update(previous=None)
    Run.history.filter(id__in=pks).delete()
    # Past simple-history, which would write a last row for each.
    runs = Run.objects.filter(pk__in=pks)
    runs._raw_delete(runs.db)


def forget_failures(*, now: datetime | None = None) -> int:
    """Delete the rows of tasks that failed as long ago as runs are kept; the queue itself prunes only those that did not."""
    before = (now or timezone.now()) - timedelta(days=settings.RUN_DAYS)
    return Failure.objects.filter(stopped__lt=before).delete()[0]


def forget_services(*, now: datetime | None = None) -> int:
    """Delete what is known of services that nobody has asked for a month, such as hosts of feeds that are gone; returns how many.
    What somebody switched off stays so."""
    before = ((now or timezone.now()) - UNASKED).timestamp()
    Pace.objects.filter(free_at__lt=before, paused_until__lt=before).delete()
    asked = Pace.objects.filter(name=OuterRef("service"))  # each request takes its turn there
    return Breaker.objects.exclude(state=Breaker.State.FORCED).exclude(Exists(asked)).delete()[0]
