"""Where an error ends that nobody expected: at the edge of one piece of work among many."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import InterfaceError, OperationalError

log = logging.getLogger(__name__)


@contextmanager
def alone(said: str, *about: Any) -> Iterator[None]:
    """Around one of many: what breaks is logged, and those behind it have their turn. A database that does not answer breaks
    all of them, so that goes on."""
    try:
        yield
    except (OperationalError, InterfaceError):
        raise
    except Exception:  # whatever it is: one row that is spoilt must not stop the others for ever
        log.exception(said, *about)
