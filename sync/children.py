"""Child processes that end when their parent does, however it ends."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STOP_S = 25  # for all together, before they are killed: whoever stops us (systemd, a container) seldom waits over 30


def end_with_parent(number: signal.Signals = signal.SIGTERM) -> Callable[[], None]:
    """What a child runs right after the fork: ask Linux for a signal when its parent dies, be it by kill -9.

    Elsewhere it does nothing. The parent is the thread that forks.
    """
    if sys.platform != "linux":
        return lambda: None
    prctl = ctypes.CDLL(None).prctl
    set_parent_death_signal = 1
    return lambda: prctl(set_parent_death_signal, number)


class Child:
    """A Python program of ours, in a process group of its own: a Ctrl-C meant for us does not reach it before we say so."""

    def __init__(self, name: str, *arguments: str, folder: Path) -> None:
        self.name = name
        self.process = subprocess.Popen(  # noqa: S603 - our own programs, no shell
            [sys.executable, *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            process_group=0,
            preexec_fn=end_with_parent(),  # no thread runs here that could hold a lock over the fork
        )

    def check(self) -> None:
        """Ends our program if the child has ended."""
        code = self.process.poll()
        if code is not None:
            how = f"exit code {code}" if code >= 0 else f"signal {-code}"
            sys.exit(f"The {self.name} ended by itself ({how}); the lines above may say why. Everything is stopped.")


def stop(children: Sequence[Child]) -> None:
    """SIGTERM to each, time to finish, then an end to all that is left of their groups."""
    for number in STOPS:
        signal.signal(number, signal.SIG_IGN)
    for child in children:
        child.process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + STOP_S
    for child in children:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.process.wait(max(0, deadline - time.monotonic()))
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.process.pid, signal.SIGKILL)
        child.process.wait()
