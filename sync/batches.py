"""Many lists brought up to date by one request. A batch has no process of its own: whatever ends one of its runs starts
the next, and so does every dispatch."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef
from django.utils import timezone

from lists.audit import audit
from lists.encrypted import WrongKey
from lists.errors import Refused
from lists.models import Conflict, MediaList, Source
from sync import runs
from sync.definitions import NothingToFetch, fetched_sources
from sync.edges import alone
from sync.errors import LOCKED, Busy, Ended, SyncError
from sync.load import load
from sync.models import Batch, BatchPart, Run

WIDTH_AT_FIRST, STEP = 5, 2  # of an adaptive batch
IDLE, LOADED = 0.5, 0.8
# A run hangs that has taken so many times as long as the others did, and so long at least.
HANGS_TIMES, HANGS_AFTER = 3, timedelta(seconds=5)
WAITING, RUNNING, SKIPPED = BatchPart.State.WAITING, BatchPart.State.RUNNING, BatchPart.State.SKIPPED
ENDED_AS = {
    Run.State.COMPLETED: BatchPart.State.COMPLETED,
    Run.State.PARTIAL: BatchPart.State.COMPLETED,
    Run.State.CANCELLED: BatchPart.State.CANCELLED,
}


@transaction.atomic
def start(
    lists: Sequence[MediaList], *, by: Any, strategy: str = Batch.Strategy.PARALLEL, limit: int = 10,
    stop_on_failure: bool = False, force: bool = False, priorities: Mapping[int, int] | None = None,
) -> Batch:  # fmt: skip
    """Have every source of these lists that is fetched read. priorities: by list, 1 to 10; else by how often it is read.

    Raises NothingToFetch if there is none.
    """
    parts = _parts(lists, priorities or {})
    if not any(part.source for part in parts):
        raise NothingToFetch("None of these lists has a source that is fetched. Nothing was read.")
    if strategy == Batch.Strategy.PRIORITY:
        parts.sort(key=lambda part: -part.priority)
    limit = 1 if strategy == Batch.Strategy.SEQUENTIAL else limit
    width = min(limit, WIDTH_AT_FIRST) if strategy == Batch.Strategy.ADAPTIVE else limit
    batch = Batch.objects.create(
        strategy=strategy, limit=limit, width=width, stop_on_failure=stop_on_failure, force=force, requested_by=by,
        requested_by_name=by.get_username() if by else "",
    )  # fmt: skip
    for place, part in enumerate(parts, 1):
        part.batch, part.place = batch, place
    BatchPart.objects.bulk_create(parts)
    audit(by, "synced", batch, after={"lists": [list_.pk for list_ in lists], "strategy": strategy})
    drive(batch.pk)
    return batch


def _parts(lists: Sequence[MediaList], priorities: Mapping[int, int]) -> list[BatchPart]:
    """The first source of each list, then the second of each: two runs of one list would wait for each other."""
    found = []
    for list_ in lists:
        sources = [source for source in fetched_sources(list_) if source.enabled]
        priority = priorities.get(list_.pk) or usual_priority(sources)
        if not sources:
            note = "None of its sources is fetched. Upload a newer file to renew it."
            found.append((0, BatchPart(list=list_, list_name=list_.name, priority=priority, state=SKIPPED, note=note)))
        for nth, source in enumerate(sources):
            part = BatchPart(
                list=list_, source=source, list_name=list_.name, source_name=source.name, priority=priority
            )
            found.append((nth, part))
    return [part for _, part in sorted(found, key=lambda row: row[0])]


def usual_priority(sources: Iterable[Source]) -> int:
    """What is read every few minutes is more urgent than what is read once a week."""
    often = min((source.interval_min for source in sources), default=0)
    return 10 if 0 < often <= 5 else 5 if often <= 1440 else 2


def drive_all(now: datetime | None = None) -> int:
    """Drive every batch that runs; returns how many."""
    pks = list(Batch.objects.running().values_list("pk", flat=True))
    for pk in pks:
        with alone("batch %s cannot go on; it is tried again", pk):
            drive(pk, now=now)
    return len(pks)


def follow(run_id: int, **_: Any) -> None:
    """Receiver of run_finished and run_put_off."""
    running = BatchPart.objects.filter(run_id=run_id, batch__state=Batch.State.RUNNING)
    for pk in list(running.values_list("batch_id", flat=True)):
        drive(pk)


@transaction.atomic
def drive(pk: int, *, now: datetime | None = None) -> None:
    """See what has ended, start what may start, and end the batch if nothing is left."""
    batch = Batch.objects.running().select_for_update(no_key=True).filter(pk=pk).first()
    if batch is None:
        return
    parts = list(batch.parts.select_related("run"))
    for part in parts:
        if part.state == RUNNING:
            _settle(part)
    waiting = [part for part in parts if part.state == WAITING]
    running = [part for part in parts if part.state == RUNNING]
    hanging, put_off = _hanging(parts, now or timezone.now()), [part for part in running if _waits(part)]
    if batch.strategy == Batch.Strategy.ADAPTIVE:
        batch.width = adapted(batch, len(hanging), load())
    batch.hanging = len(hanging)
    if batch.stop_on_failure and any(part.state == BatchPart.State.FAILED for part in parts):
        for part in waiting:
            _end(part, SKIPPED, "Nothing more was started after the first failure.")
        waiting = []
    # What hangs or waits for its time takes no place of those that move.
    moving = len(running) - len(hanging) - len(put_off)
    while waiting and moving < batch.width and not (batch.stop_on_failure and any(map(_is_in_doubt, running))):
        part = waiting.pop(0)
        _start(part, batch)
        if part.state == RUNNING:
            moving += 1
            running.append(part)
    if not waiting and not running:
        batch.state, batch.finished_at = _how_it_ended(batch, parts), timezone.now()
    batch.save()


def adapted(batch: Batch, hanging: int, loaded: float | None) -> int:
    """The width from now on: fewer when runs begin to hang or the machine is loaded, more when all flows."""
    if hanging > batch.hanging or (loaded is not None and loaded > LOADED):
        return max(batch.width - STEP, 1)
    if not hanging and loaded is not None and loaded < IDLE:
        return min(batch.width + STEP, batch.limit)
    return batch.width


def _hanging(parts: Iterable[BatchPart], now: datetime) -> list[BatchPart]:
    took = [
        part.run.duration_ms
        for part in parts
        if part.run and part.state == BatchPart.State.COMPLETED and part.run.duration_ms is not None
    ]
    usual = timedelta(milliseconds=statistics.median(took)) if took else timedelta()
    longest = max(HANGS_AFTER, HANGS_TIMES * usual)
    started = ((part, part.run.started_at) for part in parts if part.run and part.state == RUNNING)
    return [part for part, at in started if at is not None and now - at > longest]


def _waits(part: BatchPart) -> bool:
    return part.run is not None and part.run.state == Run.State.WAITING


def _is_in_doubt(part: BatchPart) -> bool:
    """It has failed once and is tried again."""
    return part.state == RUNNING and part.run is not None and part.run.attempt > 1


def _settle(part: BatchPart) -> None:
    """A part whose run has ended is done, unless another run goes on with it: its worker died, or it is tried again."""
    if part.run is None:
        _end(part, BatchPart.State.CANCELLED, "Its list was deleted meanwhile.")
        return
    if part.run.is_active:
        return
    if part.run.state in (Run.State.INTERRUPTED, Run.State.FAILED):
        following = Run.objects.filter(previous=part.run).first()
        if following is not None:
            again = f"It is tried again. {part.run.error}" if part.run.state == Run.State.FAILED else part.note
            part.run, part.note = following, again[:500]
            part.save(update_fields=["run", "note"])
            _settle(part)
            return
    _end(part, ENDED_AS.get(Run.State(part.run.state), BatchPart.State.FAILED), part.run.error)


def _end(part: BatchPart, state: str, note: str) -> None:
    part.state, part.note = state, note[:500]
    part.save(update_fields=["state", "note"])


def _start(part: BatchPart, batch: Batch) -> None:
    try:
        if part.source is None:
            _end(part, BatchPart.State.CANCELLED, "Its source was deleted meanwhile.")
            return
        with transaction.atomic():
            asked = runs.request_sync(part.source, by=batch.requested_by, force=batch.force, priority=part.priority)
    except Busy as e:
        part.run, part.state, part.note = e.run, RUNNING, "It was being read already."
    except (SyncError, Refused) as e:
        part.state, part.note = SKIPPED, str(e)[:500]
    except WrongKey:
        part.state, part.note = BatchPart.State.FAILED, LOCKED
    else:
        part.run = asked.run
        part.state = RUNNING if asked.run else SKIPPED
        part.note = "" if asked.run else "It was read a moment ago, so nothing was fetched."
    part.save(update_fields=["run", "state", "note"])


def _how_it_ended(batch: Batch, parts: Iterable[BatchPart]) -> str:
    states = {part.state for part in parts}
    if batch.cancelled_at is not None:
        return Batch.State.CANCELLED
    if BatchPart.State.FAILED not in states:
        in_part = any(part.run is not None and part.run.state == Run.State.PARTIAL for part in parts)
        return Batch.State.PARTIAL if in_part else Batch.State.COMPLETED
    return Batch.State.PARTIAL if BatchPart.State.COMPLETED in states else Batch.State.FAILED


@transaction.atomic
def cancel(batch: Batch, *, by: Any) -> Batch:
    """Start nothing more and stop what runs; what was brought in stays. Raises Ended if the batch has ended.

    A run that somebody else asked for before goes on.
    """
    held = Batch.objects.select_for_update(no_key=True).get(pk=batch.pk)
    if held.state != Batch.State.RUNNING or held.cancelled_at is not None:
        raise Ended(
            f"{held} {'is being cancelled' if held.cancelled_at else 'has ended'} already. Nothing was changed."
        )
    held.cancelled_at = timezone.now()
    held.save(update_fields=["cancelled_at"])
    for part in held.parts.filter(state__in=[WAITING, RUNNING]).select_related("run"):
        if part.run is None or _was_asked_before(part.run, held):
            _end(part, BatchPart.State.CANCELLED, "The batch was cancelled.")
            continue
        try:
            runs.cancel(part.run, by=by)
        except Ended:  # its end is on its way here
            continue
    audit(by, "cancelled", held)
    drive(held.pk)
    return Batch.objects.get(pk=held.pk)


def _was_asked_before(run: Run, batch: Batch) -> bool:
    """A retry, or what follows a worker's death, was asked for with the first of its kind."""
    same = Run.objects.filter(list=run.list_id, correlation_id=run.correlation_id)
    return same.filter(created_at__lt=batch.created_at).exists()


def conflicts(batch: Batch) -> dict[str, int]:
    """kind -> how many questions came up while its runs worked; what rules settled is none."""
    while_it_ran = Run.objects.filter(
        parts__batch=batch, list=OuterRef("list"), started_at__lte=OuterRef("created_at"),
        finished_at__gte=OuterRef("created_at"),
    )  # fmt: skip
    asked = Conflict.objects.exclude(pk__in=Conflict.objects.by_rule().values("pk")).filter(Exists(while_it_ran))
    rows = asked.order_by().values(name=F("kind")).annotate(count=Count("pk"))
    return {row["name"]: row["count"] for row in rows.order_by("name")}
