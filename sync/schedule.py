"""When things are done: what is due is handed out (dispatch), and the two schedules that django-q2 keeps for us."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django_q.models import Schedule

from lists.dialects import Dialect
from lists.models import Source
from sync import batches, retries, runs
from sync.adapters import fetched_adapters
from sync.edges import alone
from sync.models import Run
from sync.times import latest_time, next_time, some_time

# Dotted paths are stored in the table: renaming one is a migration.
TICK, NIGHTLY = "sync.tasks.tick", "sync.tasks.nightly"
AT_NIGHT = time(3, 30)
# By name, how far away the next time may be: a period and a little; a day is an hour longer when the clocks change.
FARTHEST = {"tick": timedelta(minutes=2), "nightly": timedelta(hours=25, minutes=5)}
KEEPING_TICKING = 0x71C4  # the number of a lock: any, as long as it is one
# Scheduled runs that wait in the queue at a time: after a night without power, a thousand lists are due at once, and
# what somebody asks for must not stand in line behind them all.
BACKLOG = 60
PRIORITY = 4  # of 10; what people ask for goes first


@dataclass(frozen=True, slots=True)
class Dispatched:
    """ripe: retries whose time had come; due: sources whose time had; batches: those that run."""

    ripe: int
    due: int
    batches: int


def dispatch(now: datetime | None = None) -> Dispatched:
    """Queue what is due. Any number of processes may call it at any time: each run is made, and started, once."""
    now = now or timezone.now()
    ripe = retries.start_ripe(now)
    _plan(now)
    _mend(now)
    _mend_ticking(now)
    room = BACKLOG - Run.objects.filter(kind=Run.Kind.SCHEDULED, state=Run.State.QUEUED).count()
    due = _due(now).order_by("next_sync_at", "id").values_list("pk", flat=True)[: max(room, 0)]
    return Dispatched(ripe, sum(_started(pk, now) for pk in due), batches.drive_all(now))


def scheduled() -> QuerySet[Source]:
    """Sources that are read on a schedule."""
    return Source.objects.filter(
        adapter__in=fetched_adapters(), role=Source.Role.FEED, enabled=True, sync_enabled=True, paused="", removed_at=None,
        list__deleted_at=None,
    )  # fmt: skip


def _plan(now: datetime) -> None:
    """Give a time to the sources that have none: new ones and those whose schedule was changed."""
    unplanned = scheduled().filter(next_sync_at=None).values_list("pk", "last_run_at", "interval_min")
    for pk, last, interval_min in unplanned:
        at = max(now, last + timedelta(minutes=interval_min)) if last else now
        Source.objects.filter(pk=pk, next_sync_at=None).update(next_sync_at=at)


def _mend(now: datetime) -> None:
    """A clock that ran ahead and was set back has left times that are hours or years away. When those were read is not known,
    so they are spread over an interval: they must not be read all at once either."""
    far = scheduled().filter(next_sync_at__gt=latest_time(now, 0)).values_list("pk", "next_sync_at", "interval_min")
    for pk, at, interval_min in far:
        if at is not None and at > latest_time(now, interval_min):
            Source.objects.filter(pk=pk, next_sync_at=at).update(next_sync_at=some_time(now, interval_min))


def _due(now: datetime) -> QuerySet[Source]:
    """What is read at this moment, or waits to be, is planned anew when that has ended."""
    active = Run.objects.filter(source=OuterRef("pk")).active().exclude(kind=Run.Kind.UPLOAD)
    return scheduled().filter(~Exists(active), next_sync_at__lte=now)


def _started(pk: int, now: datetime) -> bool:
    with alone("source %s cannot be queued; it is tried again after its interval", pk):
        return _start(pk, now)
    source = Source.objects.filter(pk=pk)  # else it would be the first in line again
    for interval_min in source.values_list("interval_min", flat=True):
        source.update(next_sync_at=next_time(now, interval_min))
    return False


@transaction.atomic
def _start(pk: int, now: datetime) -> bool:
    """Looked at again under its lock: another process may have started it meanwhile, and then its next time is set."""
    due = _due(now).select_for_update(of=("self",), skip_locked=True).select_related("list")
    source = due.defer("address").filter(pk=pk).first()  # if it cannot be decrypted, the run says so to people
    if source is None:
        return False
    runs.request_run(source, kind=Run.Kind.SCHEDULED, priority=PRIORITY, now=now)
    return True


def keep_ticking() -> None:
    """Make sure that the tick is scheduled every minute and the night's work every day, each once. What was missed is
    done once and not replayed."""
    with transaction.atomic():
        Dialect.of().alone(KEEPING_TICKING)
        for name in FARTHEST:  # names are not unique there
            first = Schedule.objects.filter(name=name).order_by("id").values_list("pk", flat=True).first()
            Schedule.objects.filter(name=name).exclude(pk=first).delete()
        Schedule.objects.update_or_create(
            name="tick", defaults={"func": TICK, "schedule_type": Schedule.MINUTES, "minutes": 1, "repeats": -1}
        )
        nightly = {"func": NIGHTLY, "schedule_type": Schedule.DAILY, "repeats": -1}
        # A worker that starts anew must not put off what is due.
        Schedule.objects.update_or_create(
            name="nightly", defaults=nightly, create_defaults={**nightly, "next_run": _next_night(timezone.localtime())}
        )
    _mend_ticking(timezone.now())


def _mend_ticking(now: datetime) -> None:
    """What is farther away than that was planned by a clock that has been set back since."""
    for name, farthest in FARTHEST.items():
        at = now if name == "tick" else _next_night(timezone.localtime(now))
        Schedule.objects.filter(name=name, next_run__gt=now + farthest).update(next_run=at)


def _next_night(now: datetime) -> datetime:
    """Half past three in the site's time zone."""
    tonight = timezone.make_aware(datetime.combine(now.date(), AT_NIGHT))
    return tonight if tonight > now else tonight + timedelta(days=1)
