"""Django's SQLite, with another way of waiting.

SQLite lets one process write at a time and has no queue: who has to wait sleeps longer each time, up to a tenth of a second,
and misses the moment between two transactions of a sync. So we ask again every 2 ms (docs/performance.md has what a small
write waits beside four syncs).
"""

import sqlite3
import time
from collections.abc import Callable
from typing import Any

from django.db.backends.sqlite3 import base

EVERY_S = 0.002
# The second is what threads hear that share a database in memory, as the tests' do: SQLite lets none of them wait.
TAKEN = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


class PatientCursor(base.SQLiteCursorWrapper):
    patience_s = 0.0

    def execute(self, query: Any, params: Any = None) -> Any:
        return self._patiently(lambda: super(PatientCursor, self).execute(query, params))

    def executemany(self, query: Any, param_list: Any) -> Any:
        rows = list(param_list)
        return self._patiently(lambda: super(PatientCursor, self).executemany(query, rows))

    def _patiently(self, do: Callable[[], Any]) -> Any:
        give_up = time.monotonic() + self.patience_s
        while True:
            try:
                return do()
            except sqlite3.OperationalError as e:
                # A lock is refused before anything is done, so the statement may simply be tried again.
                if (e.sqlite_errorcode & 0xFF) not in TAKEN or time.monotonic() > give_up:
                    raise
            time.sleep(EVERY_S)


class DatabaseWrapper(base.DatabaseWrapper):
    patience_s = 5.0

    def get_new_connection(self, conn_params: dict[str, Any]) -> sqlite3.Connection:
        connection: sqlite3.Connection = super().get_new_connection(conn_params)
        self.patience_s = conn_params.get("timeout", self.patience_s)
        connection.execute("PRAGMA busy_timeout = 0")
        return connection

    def create_cursor(self, name: str | None = None) -> PatientCursor:
        cursor: PatientCursor = self.connection.cursor(factory=PatientCursor)
        cursor.patience_s = self.patience_s
        return cursor
