"""Is what is stored consistent? Read-only, on a live system; lists/invariants.py and sync/integrity.py hold the questions.

Each check reads from one snapshot of its own, so that it sees no half of a write and keeps nobody waiting: on SQLite a
read transaction, on PostgreSQL one that is repeatable and read-only. What breaks an invariant is counted set-based.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction

from lists.models import MediaList

_MINE = re.compile(r"\{mine ([\w.]+)\}")


@dataclass(frozen=True, slots=True)
class Found:
    """Rows of one list that break an invariant; list None: they belong to none. examples: some of their ids."""

    list: int | None
    count: int
    examples: tuple[int, ...]


Find = Callable[[int | None], Iterable[Found]]  # gets a list's id, or None for all lists


@dataclass(frozen=True, slots=True)
class Check:
    """One question. invariant: its letter in docs/integrity.md; what: the rows that should not be, in words."""

    invariant: str
    what: str
    advice: str
    find: Find = field(repr=False)


@dataclass(frozen=True, slots=True)
class Breach:
    invariant: str
    what: str
    list: int | None
    list_name: str
    count: int
    examples: tuple[int, ...]
    advice: str


@contextmanager
def snapshot() -> Iterator[None]:
    """Everything read within is of one moment, and nothing can be written. Inside of a transaction: that one's moment."""
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "sqlite":
        # By hand: atomic() would begin IMMEDIATE and keep the writers waiting.
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA query_only = ON")
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
                cursor.execute("PRAGMA query_only = OFF")
    else:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield


def run(checks: Iterable[Check], *, only: int | None = None) -> Iterator[Breach]:
    """What the checks find, of one list or of all."""
    for check in checks:
        with snapshot():
            found = list(check.find(only))
            names = dict(MediaList.objects.filter(pk__in=[f.list for f in found if f.list]).values_list("id", "name"))
        for each in found:
            yield Breach(
                check.invariant, check.what, each.list, names.get(each.list or 0, ""), each.count, each.examples,
                check.advice,
            )  # fmt: skip


def rows(sql: str) -> Find:
    """A check by SQL that selects (list id or NULL, id) of each row that should not be.

    {mine COLUMN} stands for "belongs to the list that is asked about"; DIFFERS for "is another value, or only one is NULL".
    """

    def find(only: int | None) -> list[Found]:
        broken = f"WITH broken (list_id, id) AS ({scoped(sql, only)})"
        told = query(f"{broken} SELECT list_id, COUNT(*), MIN(id), MAX(id) FROM broken GROUP BY list_id")  # noqa: S608
        return [Found(list_id, count, tuple(dict.fromkeys((low, high)))) for list_id, count, low, high in told]

    return find


def counted(pairs: Iterable[tuple[int | None, int]]) -> list[Found]:
    """(list id or None, row id) of each row that should not be, gathered by list."""
    found: dict[int | None, list[int]] = {}
    for list_id, pk in pairs:
        found.setdefault(list_id, []).append(pk)
    return [Found(list_id, len(pks), tuple(pks[:2])) for list_id, pks in found.items()]


def scoped(sql: str, only: int | None) -> str:
    differs = "IS NOT" if connection.vendor == "sqlite" else "IS DISTINCT FROM"
    mine = _MINE.sub(lambda found: f"{found[1]} = {int(only)}" if only else "1 = 1", sql)
    return mine.replace("DIFFERS", differs)


def query(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()
