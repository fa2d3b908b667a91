"""`manage.py worker` as a service manager meets it: it watches over its queue, and ends as it should."""

import contextlib
import os
import platform
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import Program, strain, wait_for
from tests.sync.hub import Hub, films

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only on Linux: reads /proc")


READ = {"x86_64": "0", "aarch64": "63"}.get(platform.machine(), "")  # the number of the call
SILENCE_S = 6


def queue_one(hub: Hub) -> None:
    hub.do("from django_q.tasks import async_task; async_task('sync.processes.name')")


def finished(hub: Hub) -> int:
    return hub.ask("__import__('django_q.models').models.Success.objects.filter(func='sync.processes.name').count()")


@pytest.fixture
def hub(tmp_path) -> Iterator[Hub]:
    hub = Hub(tmp_path, LISTKEEPER_SILENCE_SECONDS=str(SILENCE_S))
    queue_one(hub)
    hub.start()
    wait_for(lambda: finished(hub), within=60)
    yield hub
    hub.end()


@pytest.fixture
def worker(hub) -> Program:
    return hub.worker


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_works_off_the_queue_and_stops_quietly(hub, worker, number):
    assert finished(hub) == 1
    worker.process.send_signal(number)
    assert worker.process.wait(20 * strain()) == 0
    assert worker.left() == {}
    assert "Traceback" not in worker.output


def test_nothing_outlives_it_when_it_is_killed(worker):
    assert len(worker.left()) > 3
    worker.process.kill()
    worker.process.wait()
    wait_for(lambda: not worker.left(), within=40)
    assert worker.left() == {}


@pytest.mark.covers("SAFE-07")
def test_a_queue_that_ends_is_started_anew(hub, worker):
    os.kill(worker.child("--queue"), signal.SIGKILL)
    wait_for(lambda: "worker_stalled: the task queue ended by itself (-9)" in worker.output, within=30)
    queue_one(hub)
    wait_for(lambda: finished(hub) == 2, within=60)
    assert finished(hub) == 2


def waiting_for_tasks(worker: Program) -> list[int]:
    """The idle worker that holds the lock of the queue: it reads from its pipe, while the others wait for the lock. The
    process that takes up results reads, too; it has one thread."""
    found = []
    for pid in worker.left():
        with contextlib.suppress(OSError, IndexError):
            call = Path(f"/proc/{pid}/syscall").read_text().split()[0]
            if call == READ and len(list(Path(f"/proc/{pid}/task").iterdir())) > 1:
                found.append(pid)
    return found


@pytest.mark.covers("SAFE-07")
def test_a_queue_that_is_frozen_is_killed_and_started_anew(hub, worker):
    """django-q2 hands no task to any worker any more when the idle one that holds its lock is killed: every process looks
    alive, and SIGTERM does not end them."""
    began = time.monotonic()
    while "worker_stalled: the task queue took up no task" not in worker.output and time.monotonic() - began < 90:
        for pid in waiting_for_tasks(worker):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_for(lambda: "worker_stalled" in worker.output, within=SILENCE_S + 4)
    assert "worker_stalled: the task queue took up no task" in worker.output
    queue_one(hub)
    wait_for(lambda: finished(hub) == 2, within=60)
    assert finished(hub) == 2
    worker.process.send_signal(signal.SIGTERM)
    assert worker.process.wait(28 * strain()) == 0
    assert worker.left() == {}


@pytest.mark.covers("OPS-09", "SAFE-07")
def test_a_sync_that_is_stopped_with_its_worker_is_queued_again_and_done_by_the_next(hub, worker):
    hub.source("slow", [*films(10), {"sleep": 60}])
    run = hub.sync("slow")
    wait_for(lambda: hub.told(run)["step"] == "Reading", within=30)
    worker.process.send_signal(signal.SIGTERM)
    assert worker.process.wait(25 * strain()) == 0
    assert worker.left() == {}
    told = hub.told(run)
    assert (told["state"], told["error_code"]) == ("interrupted", "interrupted")
    again = "Run.objects.filter(previous=pk).values_list('state', 'attempt', 'interruptions').get()"
    assert hub.ask(again, pk=run) == ["queued", 1, 0], "it cost no worker its life"
    hub.source("slow", films(10))
    hub.start()
    assert hub.settled()
    assert hub.ask(again, pk=run) == ["completed", 1, 0]


@pytest.mark.covers("OPS-09")
def test_what_is_being_written_is_finished_before_the_worker_stops(hub, worker):
    hub.source("written", films(10))
    hub.hold("publishing")
    run = hub.sync("written")
    hub.held()
    worker.process.send_signal(signal.SIGTERM)
    time.sleep(2)
    hub.let_go()
    assert worker.process.wait(25 * strain()) == 0
    assert hub.told(run)["state"] == "completed"
    assert hub.titles("written") == [f"Film {n}" for n in range(10)]


@pytest.mark.covers("SYNC-12", "HIST-09")
def test_a_sync_that_takes_too_long_or_too_much_memory_is_ended(tmp_path):
    hub = Hub(
        tmp_path, LISTKEEPER_MAX_RUN_SECONDS="10", LISTKEEPER_MEMORY_WARNING_MIB="160", LISTKEEPER_MEMORY_LIMIT_MIB="320",
        LISTKEEPER_LEASE_SECONDS="60",  # who takes that much memory on a busy machine may be silent for seconds
    )  # fmt: skip
    hub.source("slow", [*films(10), {"sleep": 60}])
    hub.source("greedy", [*films(10), {"hog": 120}, {"sleep": 1}, {"hog": 300}, {"sleep": 60}])
    hub.start()
    try:
        slow, greedy = hub.sync("slow"), hub.sync("greedy")
        wait_for(lambda: not hub.ask("Run.objects.exclude(state='waiting').active().count()"), within=30)
        told = hub.told(slow)
        assert (told["state"], told["error_code"]) == ("failed", "timeout")
        assert "longer than 10 seconds" in told["error"]
        retry = "Run.objects.values_list('kind', 'state', 'attempt').get(previous=pk)"
        assert hub.ask(retry, pk=slow) == ["retry", "waiting", 2], "it may have been slow just then"
        told = hub.told(greedy)
        assert (told["state"], told["error_code"]) == ("failed", "memory")
        assert "Nothing was changed" in told["error"]
        assert f"WARNING sync.progress: run {greedy} takes" in hub.worker.output
        assert f"CRITICAL sync.progress: run {greedy} takes" in hub.worker.output
        assert hub.ask("Run.objects.get(pk=pk).memory_peak_mib", pk=greedy) >= 320
        assert not hub.ask("Run.objects.filter(previous=pk).exists()", pk=greedy), "it would take as much again"
        hub.source("greedy", films(10))
        hub.source("slow", films(10))
        again = [hub.sync("greedy"), hub.sync("slow")]
        assert hub.settled()
        assert [hub.told(run)["state"] for run in again] == ["completed", "completed"]
    finally:
        hub.end()
