"""`manage.py worker` as a service manager meets it."""

import os
import signal
import sqlite3
import sys
from collections.abc import Iterator

import pytest

from tests.processes import Program, wait_for

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="only on Linux: reads /proc"),
    pytest.mark.skipif(os.environ.get("DATABASE_URL", "").startswith("postgres"), reason="only on SQLite"),
]
QUEUE_ONE = "from django_q.tasks import async_task; async_task('sync.runs.worker_name')"


def finished(worker: Program) -> int:
    with sqlite3.connect(worker.database) as connection:
        return connection.execute("SELECT count(*) FROM django_q_task WHERE success").fetchone()[0]


@pytest.fixture
def worker(tmp_path) -> Iterator[Program]:
    worker = Program(tmp_path, "worker")
    worker.manage("migrate", "--verbosity", "0")
    worker.manage("shell", "--verbosity", "0", "--command", QUEUE_ONE)
    worker.start()
    wait_for(lambda: finished(worker), within=30)
    yield worker
    worker.end()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_works_off_the_queue_and_stops_quietly(worker, number):
    assert finished(worker) == 1
    worker.process.send_signal(number)
    assert worker.process.wait(20) == 0
    assert worker.left() == {}
    assert "Traceback" not in worker.output


def test_nothing_outlives_it_when_it_is_killed(worker):
    assert len(worker.left()) > 3
    worker.process.kill()
    worker.process.wait()
    wait_for(lambda: not worker.left(), within=20)
    assert worker.left() == {}


def test_it_does_not_go_on_without_its_queue(worker):
    os.kill(worker.child(), signal.SIGKILL)
    assert worker.process.wait(20) == 1
    wait_for(lambda: not worker.left(), within=20)
    assert worker.left() == {}
    assert worker.output.splitlines()[-1] == "The task queue ended by itself; start the worker again."
