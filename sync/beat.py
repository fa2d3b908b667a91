"""A thread that does something again and again, with a database connection of its own."""

import logging
import threading
from collections.abc import Callable

from django.db import DatabaseError, connections

from sync.edges import alone

log = logging.getLogger(__name__)


class Beat(threading.Thread):
    """Calls `act` every so many seconds until `end()`. A database that does not answer is asked again the next time."""

    def __init__(self, act: Callable[[], object], *, every_s: float, name: str):
        super().__init__(name=name, daemon=True)
        self._act, self._every_s = act, every_s
        self._ended = threading.Event()

    def run(self) -> None:
        try:
            while not self._ended.wait(self._every_s):
                try:
                    with alone("%s broke; it goes on", self.name, but=(DatabaseError,)):
                        self._act()
                except DatabaseError as e:
                    log.warning("%s: %s", self.name, e)
                    connections.close_all()
        finally:
            connections.close_all()  # those of this thread

    def end(self) -> None:
        self._ended.set()
        if self.is_alive():
            self.join(5)
