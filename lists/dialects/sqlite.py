"""SQLite: executemany, and turns for its one writer."""

import fcntl
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar

import orjson
from django.db import connection, transaction

from lists.dialects.base import PAUSE_S, Dialect, Stage, quote

T = TypeVar("T")


@contextmanager
def _turn_of_all() -> Iterator[None]:
    """One at a time, over all processes of this machine: a file beside the database. It goes with its process."""
    name = connection.settings_dict["NAME"]
    if ":memory:" in str(name) or "mode=memory" in str(name):
        yield
        return
    with open(f"{name}-turn", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@lru_cache(maxsize=1024)
def _plain_utc(at: datetime) -> str:
    return str(at.astimezone(UTC).replace(tzinfo=None))


class SQLite(Dialect):
    vendor = "sqlite"
    rows = 750  # others wait for its one writer: 27 ms of CPU for 500 new items, 44 for 1,000

    def moment(self, at: datetime | str | None) -> str | None:
        return _plain_utc(at) if isinstance(at, datetime) else at

    def read_moment(self, at: datetime) -> datetime:
        return at.replace(tzinfo=UTC)

    def new_ids(self, table: str, count: int) -> Sequence[int]:
        # Safe because the transaction is IMMEDIATE: nobody else can insert before it ends.
        with connection.cursor() as cursor:
            cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
            row = cursor.fetchone()
        first = (row[0] if row else 0) + 1
        return range(first, first + count)

    def use_up(self, table: str, pk: int) -> None:
        if not self.execute("UPDATE sqlite_sequence SET seq = max(seq, %s) WHERE name = %s", [pk, table]):
            self.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, pk])

    @contextmanager
    def turn(self, pause_s: float = PAUSE_S) -> Iterator[None]:
        if connection.in_atomic_block:
            yield
            return
        with _turn_of_all():
            yield
            time.sleep(pause_s)

    @contextmanager
    def writing(self, staged: AbstractContextManager[T]) -> Iterator[T]:
        """Staged before the transaction: it is the one writer, and what fills a temporary table keeps nobody waiting."""
        if connection.in_atomic_block:
            with super().writing(staged) as stages:
                yield stages
            return
        with staged as stages, self.turn(), transaction.atomic():
            yield stages

    @contextmanager
    def _in_one_go(self) -> Iterator[None]:
        """Outside of a transaction one of its own, which asks for no lock: each row would be one else."""
        if connection.in_atomic_block:
            yield
            return
        connection.ensure_connection()
        connection.connection.execute("BEGIN DEFERRED")
        try:
            yield
        finally:
            connection.connection.execute("COMMIT")

    @contextmanager
    def _for_now(self, table: str) -> Iterator[None]:
        try:
            yield
        finally:
            # After a database error the transaction is lost, and the table with it; so it is if whoever was told of a
            # commit has closed the connection.
            if not connection.needs_rollback:
                self.execute(f'DROP TABLE IF EXISTS "{table}"')

    def settle(self, table: str) -> None:
        self.execute(f'CREATE UNIQUE INDEX "{table}_id" ON "{table}" ("id")')

    def narrowed(self, stage: Stage) -> Stage:
        """An index over a column that is set is written anew, whether its value differs or not."""
        differs = ", ".join(f'max(t."{name}" IS NOT s."{name}")' for name in stage.columns)
        with connection.cursor() as cursor:
            cursor.execute(
                f'SELECT {differs} FROM "{stage.name}" AS s CROSS JOIN "{stage.table}" AS t ON t."id" = s."id"'  # noqa: S608
            )
            found = zip(stage.columns, cursor.fetchone(), strict=True)
        return replace(stage, columns=tuple(name for name, differing in found if differing))

    def load(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        marks = ", ".join("?" * len(columns))
        connection.ensure_connection()
        connection.connection.executemany(f'INSERT INTO "{table}" ({quote(columns)}) VALUES ({marks})', rows)  # noqa: S608

    def columns(
        self, table: str, numbers: Sequence[str], marks: Sequence[str], by: str, value: Any, null: int
    ) -> Iterator[Sequence[Sequence[Any]]]:
        wanted = ", ".join([*(f'COALESCE("{name}", {null})' for name in numbers), *marks])
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT {wanted} FROM "{table}" WHERE "{by}" = %s ORDER BY id', [value])  # noqa: S608
            while rows := cursor.fetchmany(2000):
                yield list(zip(*rows, strict=True))

    def insert_new(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> int:
        marks = ", ".join("?" * len(columns))
        connection.ensure_connection()
        sql = f'INSERT OR IGNORE INTO "{table}" ({quote(columns)}) VALUES ({marks})'  # noqa: S608
        return connection.connection.executemany(sql, rows).rowcount if rows else 0

    def _look_up(
        self, table: str, by: Sequence[str], keys: Sequence[Sequence[Any]], wanted: str
    ) -> tuple[str, list[Any]]:
        # CROSS JOIN is SQLite's way to say which table is walked and which is probed.
        fits = " AND ".join(f"t.\"{column}\" = json_extract(k.value, '$[{n}]')" for n, column in enumerate(by))
        sql = f'SELECT {wanted} FROM json_each(%s) AS k CROSS JOIN "{table}" AS t WHERE {fits}/* given */'  # noqa: S608
        return sql, [orjson.dumps(keys).decode()]
