"""What a worker does that nobody asks for: what is due, what comes by night, what got lost. Nothing here calls it by hand."""

import itertools
import sys
from typing import Any

import pytest

from tests.processes import wait_for
from tests.sync.hub import Hub, Talker, films, forget_queue

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only on Linux: reads /proc")
numbers = itertools.count()
MAKE = """
from django.db import transaction
from django_q.models import Schedule, Success
from sync.runs import EXECUTE

def make_unscheduled(name, path):
    with transaction.atomic():
        make(name, path)
        Source.objects.filter(name=name).update(sync_enabled=False)

def done(func):
    return Success.objects.filter(func=func).count()

def carried_out(pk):
    return [task.result for task in Success.objects.filter(func=EXECUTE) if task.args == (pk,)]

def of_elsewhere(name):
    "A run of another machine's worker, whose clock runs five hours ahead."
    with transaction.atomic():
        pk, at = ask(name), timezone.now() + timedelta(hours=5)
        Run.objects.filter(pk=pk).update(
            state="running", slot=1, worker="elsewhere:1:0a1b2c3d.f0000000.77", started_at=at, heartbeat_at=at,
            lease_until=at + timedelta(seconds=4),
        )
    return pk
"""
ASTRAY = """
from lists.models import Source
from sync import runs
answer = runs.request_sync(Source.objects.get(name=name), by=None, force=True).run.pk
"""


def begun(folder: Any, **env: str) -> Hub:
    hub = Hub(folder, HURRIED="1", LISTKEEPER_DISPATCH_SECONDS="1", **env)
    hub.do(MAKE)
    return hub


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    hub = begun(tmp_path_factory.mktemp("hub"))
    hub.source("due", films(5))
    hub.start()
    yield hub
    hub.end()


def unscheduled(hub: Hub, rows: Any) -> str:
    name = f"list {next(numbers)}"
    path = hub.folder / f"{name}.json"
    hub.source_rows(path, rows)
    hub.do("make_unscheduled(name, path)", name=name, path=str(path))
    return name


@pytest.mark.covers("SYNC-01", "SYNC-02")
def test_a_worker_that_is_started_reads_what_is_due(hub):
    runs = "list(Run.objects.filter(list__name='due').values_list('kind', 'state', 'requested_by_name'))"
    wait_for(lambda: hub.titles("due"), within=60)
    assert hub.titles("due") == [f"Film {n}" for n in range(5)]
    assert hub.ask(runs) == [["scheduled", "completed", ""]]
    later = "Source.objects.filter(name='due', next_sync_at__gt=timezone.now() + timedelta(hours=5)).count()"
    assert hub.ask(later) == 1
    hub.source("due", films(7))
    hub.do("Source.objects.filter(name='due').update(next_sync_at=timezone.now())")
    wait_for(lambda: len(hub.titles("due")) == 7, within=40)
    assert hub.ask(runs) == [["scheduled", "completed", ""]] * 2


def test_what_has_to_be_done_now_and_then_is_done(hub):
    hub.do(
        "Proposal.objects.create(kind='preview', state='open', body=b'{}', created_by=user, expires_at=timezone.now())"
    )
    hub.do("Schedule.objects.filter(name='tick').update(next_run=timezone.now())")
    lapsed = "Proposal.objects.filter(state='withdrawn').count()"
    wait_for(lambda: hub.ask(lapsed), within=40)
    assert hub.ask(lapsed) == 1


@pytest.mark.covers("SYNC-02")
def test_the_night_s_work_is_done_once_when_its_time_has_come(hub):
    night = "Schedule.objects.filter(name='nightly', next_run__gt=timezone.now()).count()"
    wait_for(lambda: hub.ask(night), within=30)
    assert (hub.ask(night), hub.ask("done('sync.tasks.nightly')")) == (1, 0), "a worker that starts does not do it"
    name = unscheduled(hub, films(3))
    old, new = hub.sync(name), 0
    assert hub.settled()
    new = hub.sync(name)
    assert hub.settled()
    hub.do("Run.objects.filter(pk=pk).update(finished_at=timezone.now() - timedelta(days=4000))", pk=old)
    hub.do("Schedule.objects.filter(name='nightly').update(next_run=timezone.now() - timedelta(days=3))")
    wait_for(lambda: hub.ask("done('sync.tasks.nightly')"), within=40)
    assert hub.ask("list(Run.objects.filter(list__name=name).values_list('pk', flat=True))", name=name) == [new]
    assert hub.ask("done('sync.tasks.nightly')") == 1, "the nights that were missed are not made up for"
    assert hub.ask(night) == 1


@pytest.mark.covers("SYNC-02", "SYNC-20")
def test_a_run_whose_task_got_lost_is_handed_to_the_queue_again_once(hub):
    """Beside a queue that lives, and a run that goes on: nothing but the look each half minute can find it."""
    slow, name = unscheduled(hub, [*films(5), {"sleep": 120}]), unscheduled(hub, films(5))
    beside = hub.sync(slow)
    wait_for(lambda: hub.told(beside)["step"] == "Reading", within=30)
    nowhere = f"{hub.database}_astray"  # a queue to which nobody listens
    astray = Talker({**hub.env, "LISTKEEPER_QUEUE": nowhere})
    try:
        lost = astray.do(ASTRAY, name=name)
        assert hub.told(lost)["state"] == "queued"
        hub.do("Run.objects.filter(pk=pk).update(enqueued_at=timezone.now() - timedelta(seconds=61))", pk=lost)
        wait_for(lambda: hub.ask("carried_out(pk)", pk=lost), within=40)
        assert hub.told(lost)["state"] == "completed"
        # One worker is free, and takes tasks in their order: what came with it has been taken by now.
        hub.do("from django_q.tasks import async_task; async_task('sync.processes.name')")
        wait_for(lambda: hub.ask("done('sync.processes.name')"), within=40)
        assert len(hub.ask("carried_out(pk)", pk=lost)) == 1
        assert hub.told(beside)["state"] == "running"
        assert len(hub.titles(name)) == 5
    finally:
        astray.end()
        forget_queue(nowhere)
        hub.do("runs.cancel(Run.objects.get(pk=pk), by=user)", pk=beside)
    assert hub.settled()


@pytest.mark.covers("SYNC-20")
def test_a_run_of_a_machine_whose_clock_runs_ahead_is_taken_over_when_that_is_silent(hub):
    name = unscheduled(hub, films(5))
    left = hub.ask("of_elsewhere(name)", name=name)
    again = "Run.objects.filter(previous=pk, state='completed').count()"
    wait_for(lambda: hub.ask(again, pk=left), within=60)
    assert hub.ask(again, pk=left) == 1
    assert hub.told(left)["state"] == "interrupted"
    assert len(hub.titles(name)) == 5
