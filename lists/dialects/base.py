"""What both databases are asked in the same words, and what each has to say in its own.

Everything here runs inside the caller's transaction.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from itertools import chain, count
from typing import Any, ClassVar, TypeVar

import orjson
from django.db import connection, transaction
from django.db.models import BooleanField, Func, QuerySet

T = TypeVar("T")

PAUSE_S = 0.03  # SQLite has no queue for writers: a shorter pause is missed by those that wait (docs/performance.md)


def quote(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def quote_each(table: str, names: Iterable[str]) -> str:
    return ", ".join(f'{table}."{name}"' for name in names)


@dataclass(frozen=True, slots=True)
class Stage:
    """A temporary table with the ids of rows of another table, and what some of their columns are to be."""

    name: str
    table: str
    columns: tuple[str, ...]


_numbers = count(1)  # of stages: two of one table may stand at once


def fetched(rows: QuerySet[Any, Any]) -> list[tuple[Any, ...]]:
    """The rows of a values_list() as the database's module gives them: a fifth of what Django takes where much is read. JSON
    comes as text; times go through Dialect.read_moment()."""
    with connection.cursor() as cursor:
        cursor.execute(*rows.query.sql_with_params())
        return cursor.fetchall()


def walked(rows: QuerySet[Any, Any]) -> Iterator[tuple[Any, ...]]:
    """The same of very many rows, some at a time."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(*rows.query.sql_with_params())
        while some := cursor.fetchmany(2000):
            yield from some


class Among(Func):
    """Whether a column holds one of these numbers, as a condition of a query. They go as one parameter: to name each costs
    Django more than it costs the database to find its row."""

    output_field = BooleanField()

    def __init__(self, column: Any, numbers: Iterable[int]):
        super().__init__(column)
        self.numbers = list(numbers)

    def as_sqlite(self, compiler: Any, connection: Any, **more: Any) -> tuple[str, Any]:
        column, params = compiler.compile(self.source_expressions[0])
        return f"{column} IN (SELECT value FROM json_each(%s))", (*params, orjson.dumps(self.numbers).decode())  # noqa: S608

    def as_postgresql(self, compiler: Any, connection: Any, **more: Any) -> tuple[str, Any]:
        column, params = compiler.compile(self.source_expressions[0])
        return f"{column} = ANY(%s)", (*params, self.numbers)


@lru_cache(maxsize=1024)
def _iso(at: datetime) -> str:
    return at.isoformat()


class Dialect:
    """Bulk statements; `of()` gives the one of the database in use."""

    vendor: ClassVar[str]
    rows: ClassVar[int]  # that are matched, folded and written at a time
    temporary: ClassVar[str] = 'CREATE TEMPORARY TABLE "{name}"'
    _by_vendor: ClassVar[dict[str, type["Dialect"]]] = {}

    def __init_subclass__(cls) -> None:
        Dialect._by_vendor[cls.vendor] = cls

    @staticmethod
    @cache  # each row of a plan asks, and a process has one database
    def of() -> "Dialect":
        return Dialect._by_vendor[connection.vendor]()

    def moment(self, at: datetime | str | None) -> str | None:
        """A time as this way in takes it; one that went through here already stays as it is."""
        return _iso(at) if isinstance(at, datetime) else at

    def read_moment(self, at: datetime) -> datetime:
        """A time as fetched() gives it, with its zone."""
        return at

    def new_ids(self, table: str, count: int) -> Sequence[int]:
        """Ids for new rows, rising. They are ours as long as the transaction lives."""
        raise NotImplementedError

    def alone(self, what: int) -> None:
        """Wait until no other transaction does the same; it lasts until ours ends."""

    def together(self, what: int) -> None:
        """Wait until nobody does this alone; it lasts until our transaction ends."""

    def use_up(self, table: str, pk: int) -> None:
        """Never give out this id again, although no row has it yet."""
        raise NotImplementedError

    @contextmanager
    def turn(self, pause_s: float = PAUSE_S) -> Iterator[None]:
        """Whoever writes much takes turns with the others that do, and leaves the database to small writers in between."""
        yield

    def load(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Insert rows as they are. JSON is text, times went through moment()."""
        raise NotImplementedError

    def insert_new(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> int:
        """Insert the rows that break no unique constraint; returns how many went in."""
        raise NotImplementedError

    def look_up(
        self, table: str, by: Sequence[str], keys: Iterable[Sequence[Any]], columns: Sequence[str], **given: Any
    ) -> list[tuple[Any, ...]]:
        """Rows of a table whose columns `by` are one of the keys, and that are as given besides.

        Key by key through the index over `by`, whatever the planner thinks of a table without statistics: it would walk
        a whole list for every block (docs/performance.md).
        """
        keys = list(keys)
        if not keys:
            return []
        sql, params = self._look_up(table, by, keys, quote_each("t", columns))
        fits = "".join(f' AND t."{name}" = %s' for name in given)
        with connection.cursor() as cursor:
            cursor.execute(sql.replace("/* given */", fits), [*params, *given.values()])
            return cursor.fetchall()

    def _look_up(
        self, table: str, by: Sequence[str], keys: Sequence[Sequence[Any]], wanted: str
    ) -> tuple[str, list[Any]]:
        raise NotImplementedError

    def columns(
        self, table: str, numbers: Sequence[str], marks: Sequence[str], by: str, value: Any, null: int
    ) -> Iterator[Sequence[Sequence[Any]]]:
        """Columns of the rows of which one is as given, as their ids rise, in pieces. numbers: whole ones, `null` for NULL, the
        id first; marks: 16 bytes each, or something that is no mark for none."""
        raise NotImplementedError

    def execute(self, sql: str, params: Sequence[Any] = ()) -> int:
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            return cursor.rowcount

    @contextmanager
    def writing(self, staged: AbstractContextManager[T]) -> Iterator[T]:
        """A turn and a transaction, with what is staged for it."""
        with self.turn(), transaction.atomic(), staged as stages:
            yield stages

    @contextmanager
    def stage(
        self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], extra: Sequence[str] = ()
    ) -> Iterator[Stage | None]:
        """Rows for an UPDATE of a table, in a temporary one; None if there are none.

        extra: further text columns. rows: (id, *columns, *extra).
        """
        walking = iter(rows)
        first = next(walking, None)
        if first is None:
            yield None
            return
        stage = Stage(f"stage_{table}_{next(_numbers)}", table, tuple(columns))
        more = "".join(f', CAST(NULL AS text) AS "{column}"' for column in extra)
        source = quote(["id", *columns])
        kept = self.temporary.format(name=stage.name)
        self.execute(f'{kept} AS SELECT {source}{more} FROM "{table}" WHERE 1 = 0')  # noqa: S608
        with self._for_now(stage.name):
            with self._in_one_go():
                self.load(stage.name, ["id", *columns, *extra], chain([first], walking))
            self.settle(stage.name)
            yield stage

    def _for_now(self, table: str) -> AbstractContextManager[None]:
        return nullcontext()

    def _in_one_go(self) -> AbstractContextManager[None]:
        return nullcontext()

    def settle(self, table: str) -> None:
        """Let the planner know what a freshly filled stage is like."""

    def narrowed(self, stage: Stage) -> Stage:
        """With those columns only in which a row differs from what stands, where setting the others costs something."""
        return stage

    def update_from(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Set columns of existing rows. rows: (id, *columns)."""
        with self.stage(table, columns, rows) as stage:
            if stage is not None:
                self.update_from_stage(stage)

    def update_from_stage(self, stage: Stage) -> None:
        if not stage.columns:
            return
        sets = ", ".join(f'"{column}" = s."{column}"' for column in stage.columns)
        # The plus keeps SQLite from scanning the large table once it has statistics: 168 s instead of 12 at a million.
        self.execute(
            f'UPDATE "{stage.table}" SET {sets} FROM "{stage.name}" AS s WHERE "{stage.table}"."id" = +s."id"'  # noqa: S608
        )
