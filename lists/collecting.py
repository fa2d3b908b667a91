"""The cyclic collector, which walks a growing heap for every few hundred rows and finds nothing: rows make no cycles."""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_USUAL, _SELDOM = gc.get_threshold(), (200_000, 20, 100)
_lock = threading.Lock()
_at_work = 0  # threads that ask for it


@contextmanager
def few_collections() -> Iterator[None]:
    """Around what reads or folds very many rows. Not for good: what other work leaves in cycles would pile up."""
    global _at_work
    with _lock:
        _at_work += 1
        gc.set_threshold(*_SELDOM)
    try:
        yield
    finally:
        with _lock:
            _at_work -= 1
            if not _at_work:
                gc.set_threshold(*_USUAL)
