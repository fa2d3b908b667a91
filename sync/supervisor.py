"""`manage.py worker`: keeps a task queue alive, and what it leaves behind in order.

django-q2 freezes for good when a worker is killed while it holds the queue's lock: every process looks alive, and no task
runs. So the queue is a group of processes of its own, which must show that it takes up tasks, and is killed and started
anew when it does not. Its runs have leases; nothing of theirs is lost.
"""

import contextlib
import logging
import os
import select
import signal
import subprocess
import sys
import threading
import time
from typing import Any

from django.conf import settings
from django.db import DatabaseError

from sync import processes, signals
from sync.beat import Beat
from sync.children import STOP_S, STOPS, end_with_parent
from sync.reaper import reap
from sync.schedule import dispatch, keep_ticking

log = logging.getLogger(__name__)

REAP_S = 30
SAFE_S = STOP_S - 5  # for runs to reach a safe point, before whoever stops us loses patience
START_S = 60  # until its first task came through: a busy machine needs some ten seconds
EARLY_S, EARLY_ENDS = 10, 5  # a queue that ends so soon, so many times in a row, will not be better the next time
ANSWERS_S, LONGEST_PAUSE_S = 2, 30  # that Redis may take to answer; between two questions while it does not


def broker_fault() -> str:
    """Why the queue's Redis does not answer; empty if it does, or if the queue is in the database."""
    if not settings.REDIS_URL:
        return ""
    import redis  # here: who keeps the queue in the database need not have it

    timeouts = {"socket_connect_timeout": ANSWERS_S, "socket_timeout": ANSWERS_S}
    try:
        with redis.Redis.from_url(settings.REDIS_URL, **timeouts) as store:
            store.ping()
    except redis.RedisError as e:
        return f"{type(e).__name__}: {e}"
    return ""


class Queue:
    """One task queue (sync/cluster.py) in a process group of its own."""

    def __init__(self) -> None:
        self._read, write = os.pipe()
        for end in (self._read, write):
            os.set_blocking(end, False)
        self.process = subprocess.Popen(  # noqa: S603 - our own program, no shell
            [sys.executable, *sys.orig_argv[1:], "--queue", str(write), str(os.getpid())],
            pass_fds=[write], stdin=subprocess.DEVNULL, process_group=0, preexec_fn=end_with_parent(signal.SIGKILL),
        )  # fmt: skip
        os.close(write)
        self.began = time.monotonic()
        self._heard = self.began + max(0, START_S - settings.SILENCE_S)
        self._busy: dict[int, float] = {}  # worker with a task in hand -> when it last said so
        self._words = b""

    def listen(self, seconds: float) -> None:
        """Wait so long at most for it to say something."""
        if not select.select([self._read], [], [], seconds)[0]:
            return
        said = os.read(self._read, 65_536)
        if not said:  # nobody is left who could write
            time.sleep(seconds)
        *lines, self._words = (self._words + said).split(b"\n")
        for line in lines:
            word, _, pid = line.decode().partition(" ")
            self._heard = time.monotonic() if word == "canary" else self._heard
            if word == "busy":
                self._busy[int(pid)] = time.monotonic()
            elif word == "idle":
                self._busy.pop(int(pid), None)

    @property
    def silent_s(self) -> float:
        """How long no task was taken up although a worker was free; 0 while all have something in hand."""
        now = time.monotonic()
        self._busy = {pid: at for pid, at in self._busy.items() if now - at < settings.SILENCE_S}
        if len(self._busy) >= settings.WORKERS:
            self._heard = now
        return max(0, now - self._heard)

    def end(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        return self.process.poll()

    def stop(self) -> None:
        """Ask it to end, and make it end when it takes too long."""
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(SAFE_S)
        self.kill()

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        deadline = time.monotonic() + 2
        with contextlib.suppress(ProcessLookupError):
            while time.monotonic() < deadline:  # until the kernel has put the last of them away
                os.killpg(self.process.pid, 0)
                time.sleep(0.05)
        os.close(self._read)


class Supervisor:
    def __init__(self) -> None:
        self.stopping = threading.Event()
        self.early = 0

    def run(self) -> None:
        """Until SIGTERM or Ctrl-C."""
        for number in STOPS:
            signal.signal(number, self._asked_to_stop)
        # Before the first task: what a dead worker left would look like work in progress.
        reap(anew=True)
        keep_ticking()
        beats = [
            Beat(reap, every_s=min(REAP_S, settings.LEASE_S / 2), name="reaper"),
            Beat(dispatch, every_s=settings.DISPATCH_S, name="dispatch"),
        ]
        for beat in beats:
            beat.start()
        try:
            while not self.stopping.is_set():
                self._await_broker()
                self._keep_one()
        finally:
            for beat in beats:
                beat.end()

    def _asked_to_stop(self, number: int, frame: Any) -> None:
        self.stopping.set()

    def _await_broker(self) -> None:
        """Without its Redis no queue lives, and a new one is no better. Nothing is lost: what is asked for is in the database."""
        if not (fault := broker_fault()):
            return
        log.error("the queue's Redis does not answer (%s); syncs wait until it does", fault)
        pause_s = 1
        while fault and not self.stopping.wait(pause_s):
            pause_s, fault = min(2 * pause_s, LONGEST_PAUSE_S), broker_fault()
        if not fault:
            log.warning("the queue's Redis answers again")
            _tidy_up()  # it may have forgotten what it held

    def _keep_one(self) -> None:
        """Start a queue and stay until it has ended or was ended."""
        if self.stopping.is_set():
            return
        queue = Queue()
        try:
            while not self.stopping.is_set() and queue.end() is None and queue.silent_s < settings.SILENCE_S:
                queue.listen(0.5)
        finally:
            ended, silent_s = queue.end(), queue.silent_s
            queue.stop() if self.stopping.is_set() else queue.kill()
            _tidy_up()  # its workers are gone: their runs need not wait for their leases
        if not self.stopping.is_set() and not broker_fault():
            self._mourn(queue, ended, silent_s)

    def _mourn(self, queue: Queue, ended: int | None, silent_s: float) -> None:
        if ended is None:
            log.error("worker_stalled: the task queue took up no task for %.0f s; it is started anew", silent_s)
        else:
            log.error("worker_stalled: the task queue ended by itself (%s); it is started anew", ended)
        signals.tell(signals.worker_stalled, worker=processes.name(), silent_s=round(silent_s))
        self.early = self.early + 1 if time.monotonic() - queue.began < EARLY_S else 0
        if self.early >= EARLY_ENDS:
            sys.exit(
                "The task queue ends as soon as it is started; the lines above may say why. The worker has stopped."
            )


def _tidy_up() -> None:
    """Where no queue of ours lives."""
    try:
        reap(anew=True)
    except DatabaseError as e:
        log.error("what the task queue left is tidied up later: %s", e)
