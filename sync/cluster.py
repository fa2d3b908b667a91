"""The task queue: a cluster of django-q2 that shows that it lives. Its supervisor (sync/supervisor.py) listens.

A task of the cluster's own goes the way of all tasks, from the one who takes them up to a worker, and says so through a
pipe: the canary. A worker with a task in hand says so as well. Neither needs the database, and other clusters that share
the queue can not speak for this one.
"""

import contextlib
import os
import signal
import sys
import time
import uuid
from typing import Any

from django.conf import settings
from django.db import connections
from django.utils import timezone
from django_q.brokers import Broker, get_broker
from django_q.cluster import Cluster
from django_q.signals import post_execute_in_worker, post_spawn, pre_execute
from django_q.signing import SignedPackage

from sync import processes
from sync.beat import Beat
from sync.children import end_with_parent

CANARY = "sync.cluster.canary"
PULSES = 4  # in the time of silence after which the cluster is taken for dead

_pipe = -1  # to the supervisor


def tell(words: str) -> None:
    with contextlib.suppress(OSError):  # full, or nobody listens any more, and then we are about to be ended
        os.write(_pipe, f"{words}\n".encode())


def canary() -> None:
    tell("canary")


class Canaried:
    """A broker that puts a canary before what waits, now and then. It lives where the cluster takes up its tasks."""

    def __init__(self, broker: Broker):
        self._broker = broker
        self._sent = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._broker, name)

    def dequeue(self) -> Any:
        if time.monotonic() - self._sent < settings.SILENCE_S / PULSES:
            return self._broker.dequeue()
        self._sent = time.monotonic()
        task = {
            "id": uuid.uuid4().hex, "name": "canary", "func": CANARY, "args": (), "kwargs": {}, "started": timezone.now(),
            "save": False,
        }  # fmt: skip
        return [(None, SignedPackage.dumps(task))]


class Pulse:
    """Of one worker: tells that it has a task in hand, as long as it has one."""

    def __init__(self) -> None:
        self.busy = False
        post_spawn.connect(self.begin)
        pre_execute.connect(self.take)
        post_execute_in_worker.connect(self.put)

    def begin(self, **kwargs: Any) -> None:
        Beat(self.beat, every_s=settings.SILENCE_S / PULSES, name="pulse").start()

    def take(self, **kwargs: Any) -> None:
        self.busy = True
        self.beat()

    def put(self, **kwargs: Any) -> None:
        self.busy = False
        tell(f"idle {os.getpid()}")

    def beat(self) -> None:
        if self.busy:
            tell(f"busy {os.getpid()}")


def serve(pipe: int, supervisor: int) -> None:
    """Take up tasks until SIGTERM. Everything here dies with its supervisor, however that ends."""
    global _pipe
    _pipe = pipe
    if os.getppid() != supervisor:  # it ended before its death could have ended us
        sys.exit("The supervisor of this task queue is gone.")
    os.register_at_fork(after_in_child=end_with_parent(signal.SIGKILL))
    pulse = Pulse()  # the signals hold it weakly
    connections.close_all()  # a connection that two processes share breaks for both
    cluster = Cluster(broker=Canaried(get_broker()))

    def stop(number: int, frame: Any) -> None:
        processes.ask_to_stop()
        cluster.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cluster.start()
    cluster.sentinel.join()
    del pulse
    if not cluster.has_stopped:
        sys.exit("The task queue ended by itself.")
