"""PostgreSQL: COPY, arrays as parameters, texts of bytes."""

import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from lists.dialects.base import Dialect, quote

AT_ONCE = 50_000  # rows that PostgreSQL hands over in one piece


class PostgreSQL(Dialect):
    vendor = "postgresql"
    rows = 2000
    temporary = 'CREATE TEMPORARY TABLE "{name}" ON COMMIT DROP'

    def columns(
        self, table: str, numbers: Sequence[str], marks: Sequence[str], by: str, value: Any, null: int
    ) -> Iterator[Sequence[Sequence[Any]]]:
        # As a few long texts of bytes, which become arrays in one go: a third of what it takes to make each number apart.
        wanted = [f"string_agg(int8send(COALESCE(\"{name}\", {null})), '')" for name in numbers]
        wanted += [f"string_agg(CASE length({name}) WHEN 16 THEN {name} ELSE %s END, '')" for name in marks]
        sql = (
            f'SELECT {", ".join(wanted)} FROM (SELECT {quote([*numbers, *marks])} FROM "{table}" '  # noqa: S608
            f'WHERE "{by}" = %s AND id > %s ORDER BY id LIMIT {AT_ONCE}) AS t'
        )
        last = 0
        with self._in_index_order(), connection.cursor() as cursor:
            while True:
                cursor.execute(sql, [*(bytes(16) for _ in marks), value, last])
                found = cursor.fetchone()
                if found[0] is None:
                    return
                columns: list[Any] = [_numbers_of(packed) for packed in found[: len(numbers)]]
                last, size = columns[0][-1], 16 * len(columns[0])
                columns += [[packed[at : at + 16] for at in range(0, size, 16)] for packed in found[len(numbers) :]]
                yield columns
                if len(columns[0]) < AT_ONCE:
                    return

    @contextmanager
    def _in_index_order(self) -> Iterator[None]:
        """Without statistics PostgreSQL takes very many rows for a few: it would read the table, and sort that on disk."""
        with transaction.atomic():
            self.execute("SET LOCAL enable_bitmapscan = off")
            yield
            self.execute("SET LOCAL enable_bitmapscan = on")

    def alone(self, what: int) -> None:
        self.execute("SELECT pg_advisory_xact_lock(%s)", [what])

    def together(self, what: int) -> None:
        self.execute("SELECT pg_advisory_xact_lock_shared(%s)", [what])

    def use_up(self, table: str, pk: int) -> None:
        pass  # a sequence gives no number twice

    def _look_up(
        self, table: str, by: Sequence[str], keys: Sequence[Sequence[Any]], wanted: str
    ) -> tuple[str, list[Any]]:
        arrays = ", ".join(f"%s::{_array_type(value)}[]" for value in keys[0])
        names = ", ".join(f"k{n}" for n in range(len(by)))
        fits = " AND ".join(f't."{column}" = k.k{n}' for n, column in enumerate(by))
        # OFFSET 0 keeps the planner from making a join of it, and a scan of the whole table of that.
        sql = (
            f"SELECT t.* FROM unnest({arrays}) AS k({names}) CROSS JOIN LATERAL "  # noqa: S608
            f'(SELECT {wanted} FROM "{table}" AS t WHERE {fits}/* given */ OFFSET 0) AS t'
        )
        return sql, [list(column) for column in zip(*keys, strict=True)]

    def new_ids(self, table: str, count: int) -> Sequence[int]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [f'"{table}"', count]
            )
            return sorted(row[0] for row in cursor.fetchall())

    def load(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        with connection.cursor() as cursor, cursor.copy(f'COPY "{table}" ({quote(columns)}) FROM STDIN') as copy:
            for row in rows:
                copy.write_row(row)

    def insert_new(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> int:
        if not rows:
            return 0
        arrays = ", ".join(f"%s::{kind}[]" for kind in (_array_type(value) for value in rows[0]))
        return self.execute(
            f'INSERT INTO "{table}" ({quote(columns)}) SELECT * FROM unnest({arrays}) ON CONFLICT DO NOTHING',  # noqa: S608
            [list(column) for column in zip(*rows, strict=True)],
        )

    def settle(self, table: str) -> None:
        self.execute(f'ANALYZE "{table}" ("id")')


def _numbers_of(packed: bytes) -> "array[int]":
    numbers = array("q", packed)
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers


def _array_type(value: Any) -> str:
    return "bigint" if isinstance(value, int) else "text"
