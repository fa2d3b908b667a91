"""Where an error ends that nobody expected: at the edge of a task, or of one piece of work among many."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
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


class Broke(Exception):
    """A task that failed, in our own words: django-q2 keeps text and traceback of it as they are, and its admin shows them."""


def task(act: Callable[..., str]) -> Callable[..., str]:
    """Around each function that the workers run: what breaks goes to the log, where logins are blanked, and no further."""

    @wraps(act)
    def edge(*ids: int) -> str:
        name = ", ".join([act.__name__, *map(str, ids)])
        try:
            return act(*ids)
        except Exception as e:
            log.exception("%s broke", name)
            raise Broke(f"{name} broke ({type(e).__name__}). The log of the worker says more.") from None
        except BaseException as e:  # the queue ends what takes too long; what that interrupted is not told with it
            log.exception("%s was ended", name)
            raise e from None

    return edge
