"""This process among others: what it is called, whether another one is gone, how much memory it takes, whether it must end."""

import os
import resource
import socket
import sys
from multiprocessing.sharedctypes import RawValue
from pathlib import Path

PROC = Path("/proc")
# Shared with the processes that are forked off later. Without a lock: who is killed while holding one would stop them all.
_stopping = RawValue("b", 0)


def name() -> str:
    """host:pid:kernel.namespace.start. A number alone would name another process after a restart, or in the next container."""
    pid = os.getpid()
    return f"{socket.gethostname()[:20]}:{pid}:{_where()}.{_started(pid)}"[:64]


def is_gone(worker: str) -> bool:
    """Whether the process of that name has ended; False too where this machine cannot know."""
    _, _, told = worker.partition(":")
    pid, _, mark = told.partition(":")
    where, _, started = mark.rpartition(".")
    return bool(where) and pid.isdigit() and where == _where() and _started(int(pid)) != started


def _where() -> str:
    """The kernel since its start and the namespace that process numbers count in; "" where there is no /proc."""
    try:
        kernel = (PROC / "sys/kernel/random/boot_id").read_text()[:8]
        return f"{kernel}.{(PROC / 'self/ns/pid').stat().st_ino:x}"
    except OSError:
        return ""


def _started(pid: int) -> str:
    """When a process began, in ticks of the kernel; "" if there is none of that number, or only what is left of one."""
    try:
        state, *others = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if state in "ZX" else others[18]


def memory_mib() -> int:
    """What this process takes now; where that cannot be known, the most that it ever took."""
    try:
        return int((PROC / "self/statm").read_text().split()[1]) * resource.getpagesize() >> 20
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak >> (20 if sys.platform == "darwin" else 10)


def ask_to_stop() -> None:
    """Tell this process and those that it forked that they should end soon."""
    _stopping.value = 1


def is_stopping() -> bool:
    return bool(_stopping.value)
