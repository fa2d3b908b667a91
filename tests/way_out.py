"""Watches the whole test run: whatever of the product opens a connection, or looks up a name, past the door is stopped."""

import socket
import sys
from pathlib import Path
from typing import Any

from django.db import connection

from sync.http import guard, wire
from sync.management.commands import up

ROOT = Path(__file__).resolve().parent.parent
ROOMS = tuple(f"{ROOT / room}/" for room in ("config", "lists", "sync", "monitoring"))
DOOR = {wire.__file__, guard.__file__}
OWN = {up.__file__}  # it looks whether our own pages are there
BROKER = "/redis/"  # the package that speaks to it

strays: list[str] = []
_watched: list[bool] = []


class Stray(Exception):
    """A connection that is not the door's."""


def watch(*, free: bool = False) -> None:
    """From now on, for this process and those that it forks. free: its transactions are the product's own, not a test's, so
    that none may be open while somebody is asked."""
    _watched.append(free)
    sys.addaudithook(_look)


def _look(event: str, args: tuple[Any, ...]) -> None:
    if event == "socket.connect":
        if args[0].family in (socket.AF_INET, socket.AF_INET6):
            _refuse_strays(f"connects to {args[1]}")
    elif event == "socket.getaddrinfo":
        _refuse_strays(f"looks up {args[0]}")


def _refuse_strays(what: str) -> None:
    frame = sys._getframe(2)
    ours = None
    while frame is not None:
        name = frame.f_code.co_filename
        if name in DOOR and any(_watched) and connection.in_atomic_block:
            ours = f"{what} in a transaction:"
            break
        if name in DOOR | OWN or BROKER in name:
            return
        if ours is None and name.startswith(ROOMS):
            ours = f"{name}:{frame.f_lineno}"
        frame = frame.f_back
    if ours is not None:
        strays.append(f"{ours} {what}")
        raise Stray(strays[-1])
