"""Whether who writes to a list still may: a sync that lost its lease, or was cancelled, must not.

Who carries out a sync knows; what writes only asks, in each of its transactions.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_check: ContextVar[Callable[[], None] | None] = ContextVar("fence", default=None)


@contextmanager
def fenced(check: Callable[[], None]) -> Iterator[None]:
    """Within it, every transaction that writes to a list asks `check` first, which raises if it must not write."""
    token = _check.set(check)
    try:
        yield
    finally:
        _check.reset(token)


def still_ours() -> None:
    """Called in a transaction before its first write. Raises what the sync at work says; nobody says no to acts by hand."""
    check = _check.get()
    if check is not None:
        check()
