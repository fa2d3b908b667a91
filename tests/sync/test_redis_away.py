"""A Redis that is away delays the syncs, and that is all: the worker waits for it."""

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.processes import wait_for
from tests.sync.hub import Hub, films

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="only on Linux: reads /proc"),
    pytest.mark.skipif(shutil.which("redis-server") is None, reason="only where redis-server is installed"),
]
GONE, BACK = "the queue's Redis does not answer", "the queue's Redis answers again"


class Redis:
    """One that can be started and ended; what it held is forgotten."""

    def __init__(self, folder) -> None:
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--save", "", "--appendonly", "no", "--bind", "127.0.0.1"],
            cwd=self.folder, stdout=subprocess.DEVNULL,
        )  # fmt: skip

    def end(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def store(tmp_path) -> Iterator[Redis]:
    store = Redis(tmp_path)
    yield store
    store.end()


@pytest.mark.covers("SAFE-07")
def test_a_worker_waits_for_a_redis_that_refuses_and_does_then_what_was_asked_for(tmp_path, store):
    hub = Hub(tmp_path, REDIS_URL=f"redis://127.0.0.1:{store.port}/0")
    try:
        hub.source("before", films(3))
        hub.source("between", films(3, first=10))
        before = hub.sync("before")
        hub.worker.start()
        wait_for(lambda: GONE in hub.worker.output, within=60)
        assert hub.told(before)["state"] == "queued"
        store.start()
        assert hub.settled(within=90), hub.worker.output
        assert hub.told(before)["state"] == "completed"

        store.end()
        between = hub.sync("between")
        wait_for(lambda: hub.worker.output.count(GONE) == 2, within=60)
        store.start()
        assert hub.settled(within=90), hub.worker.output
        assert hub.told(between)["state"] == "completed"
        assert hub.worker.process.poll() is None
        assert (hub.worker.output.count(GONE), hub.worker.output.count(BACK)) == (2, 2)
        assert "worker_stalled" not in hub.worker.output
    finally:
        hub.end()
