"""Where an error ends that nobody expected: at the edge of one piece of work among many."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import InterfaceError, OperationalError

log = logging.getLogger(__name__)


@contextmanager
def alone(
    said: str, *about: Any, but: tuple[type[Exception], ...] = (OperationalError, InterfaceError)
) -> Iterator[None]:
    """Around one of many: what breaks is logged, and those behind it have their turn. but: what breaks all of them, as a
    database does that does not answer, so it is raised."""
    try:
        yield
    except but:
        raise
    except Exception:  # whatever it is: one row that is spoilt must not stop the others for ever
        log.exception(said, *about)
