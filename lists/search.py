"""Finding entries and items by a part of title, artist or genre, at once in a million: an index of trigrams.

PostgreSQL keeps one by itself (pg_trgm). On SQLite it is an FTS5 table: triggers note which rows changed, index_owed() brings
the index up to date for many of them at once (a tenth of what it costs row by row), and until then the noted rows are
looked through as well. So what is found is right after every change, whoever made it. The index only proposes
rows; each is held against its own text.

A word of three signs or more is found anywhere, one of two signs where a word begins, one sign as a whole word.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import connection, transaction
from django.db.models import Func, Model, Q, QuerySet, TextField
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce

from lists import labels
from lists.dialects import Dialect
from lists.models import Entry, ExternalId, Item
from lists.titles import fold, sort_key

M = TypeVar("M", bound=Model)

FEW = 10_000  # proposed rows that are looked up and sorted; where there are more, the list's own order meets them soon
WORDS, SIGNS = 8, 40  # of a query, and of a word of it: more do not narrow it
NAMED = 100  # items that one id may name, each in its own namespace
AT_ONCE = 2000  # rows whose words are made in one transaction of SQLite: some 20 ms; fewer cost more in all
PAUSE_S = 0.005


class Padded(Func):
    """A searched column with a blank at each end, spelled as in PostgreSQL's index: it is known again by its spelling."""

    template = "(' ' || %(expressions)s || ' ')"
    output_field = TextField()


@dataclass(frozen=True, slots=True)
class Index:
    """columns: what is searched, as SQL of a row's columns; of SQLite's table of trigrams and of the rows it owes."""

    table: str
    text: tuple[str, ...]

    @property
    def words(self) -> str:
        return f"{self.table}_words"

    @property
    def due(self) -> str:
        return f"{self.table}_due"

    def of(self, row: str) -> str:
        """SQL: the text of one row."""
        first, *labelled = (f'{row}."{name}"' for name in self.text)
        return " || ".join((f"' ' || {first} || ' '", *labelled))


ENTRIES = Index(Entry._meta.db_table, ("search", "genres"))
ITEMS = Index(Item._meta.db_table, ("name",))
INDEXES = (ENTRIES, ITEMS)


# -- asking ----------------------------------------------------------------------------------------------------------


def parts_of(text: str) -> list[str]:
    """What must stand in the padded text, one part a word."""
    words = list(dict.fromkeys(fold(text).split()))[:WORDS]
    return [word[:SIGNS] if len(word) > 2 else f" {word}" if len(word) == 2 else f" {word} " for word in words]


@dataclass(frozen=True, slots=True)
class Sought:
    """parts: of the padded text, as parts_of() gives them; labels: with their own signs around them."""

    parts: list[str]
    labels: list[str]

    def __bool__(self) -> bool:
        return bool(self.parts or self.labels)

    def among(self, rows: QuerySet[M], column: str) -> QuerySet[M]:
        """The rows that have it all, whoever proposed them."""
        found: QuerySet[Any] = rows.alias(padded=Padded(column))
        for part in self.parts:
            found = found.filter(padded__contains=part)
        for label in self.labels:
            found = found.filter(genres__contains=label)
        return found

    def in_words(self, index: Index) -> tuple[str, list[Any]]:
        """SQL of ids, by every run of three signs."""
        grams = sorted({each[at : at + 3] for each in (*self.parts, *self.labels) for at in range(len(each) - 2)})
        match = " AND ".join('"' + gram.replace('"', '""') + '"' for gram in grams)
        return f"SELECT rowid AS id FROM {index.words} WHERE {index.words} MATCH %s", [match]  # noqa: S608

    def in_trigrams(self, index: Index, wanted: Iterable[str]) -> tuple[str, list[Any]]:
        first, *labelled = index.text
        columns = ", ".join(f'"{name}"' for name in ("id", *wanted))
        tests = [f"(' ' || \"{first}\" || ' ') LIKE %s" for _ in self.parts]
        tests += [f'"{name}" LIKE %s' for name in labelled for _ in self.labels]
        likes = [f"%{connection.ops.prep_for_like_query(each)}%" for each in (*self.parts, *self.labels)]
        return f"SELECT {columns} FROM {index.table} WHERE {' AND '.join(tests)}", likes  # noqa: S608


def entries(rows: QuerySet[Entry], text: str, *, genre: str = "", **wanted: Any) -> QuerySet[Entry]:
    """Of some entries those with every word of a text, and a genre. wanted: columns and their values, which narrow what
    the index proposes; everything else is a condition of `rows`."""
    if text and not _has_word(text):  # of signs only ("$"): the title itself
        titled = Entry.objects.filter(sort_title=sort_key(text), **wanted).values("pk")
        return entries(rows.filter(pk__in=titled), "", genre=genre)
    sought = Sought(parts_of(text), [labels.one(genre)] if genre else [])
    proposed = _proposed(ENTRIES, sought, wanted)
    if proposed is None:
        return sought.among(rows.filter(**wanted), "search")
    return sought.among(rows.filter(pk__in=proposed), "search")


def items(rows: QuerySet[Item], text: str) -> QuerySet[Item]:
    """Of some items those with every word of a text in their name."""
    if not _has_word(text):
        return rows.filter(name=fold(text))
    sought = Sought(parts_of(text), [])
    proposed = _proposed(ITEMS, sought, {})
    return sought.among(rows if proposed is None else rows.filter(pk__in=proposed), "name")


def items_known_as(rows: QuerySet[Item], text: str) -> QuerySet[Item]:
    """The same, and those that an id names: tt0113277, movie/949, tmdb:movie/949."""
    namespace, _, value = text.partition(":")
    ids = ExternalId.objects.filter(Q(value=text) | Q(namespace=namespace, value=value))
    named = list(ids.values_list(Coalesce("item__root_id", "item_id"), flat=True)[:NAMED])
    called = items(rows, text)
    return rows.filter(Q(pk__in=named) | Q(pk__in=called.values("pk"))) if named else called


def _has_word(text: str) -> bool:
    return any(sign.isalnum() for sign in text)


def _proposed(index: Index, sought: Sought, wanted: dict[str, Any]) -> RawSQL | None:
    """The ids that the index proposes, of rows with the wanted values; None if they are too many to be of use.

    Spelled so that neither planner begins with the rows of the list: SQLite keeps the order of a CROSS JOIN, PostgreSQL
    moves no condition past an OFFSET.
    """
    if connection.vendor == "sqlite":
        if not sought or _proposes_too_many(*(matching := sought.in_words(index))):
            return None
        sql, params = matching
        narrowed = "".join(f' AND e."{name}" = %s' for name in wanted)
        rows = " UNION ".join(
            f"SELECT e.id FROM ({source}) AS p CROSS JOIN {index.table} AS e ON e.id = p.id WHERE 1 = 1{narrowed}"  # noqa: S608
            for source in (sql, f"SELECT id FROM {index.due}")  # noqa: S608
        )
        return RawSQL(rows, [*params, *wanted.values(), *wanted.values()])  # noqa: S611
    narrowed = "".join(f' AND "{name}" = %s' for name in wanted)
    # Words and labels have an index each: what both propose would be fetched to be compared.
    for one in (Sought(sought.parts, []), Sought([], sought.labels)):
        if one and not _proposes_too_many(*(matching := one.in_trigrams(index, wanted))):
            sql, params = matching
            rows = f"SELECT id FROM ({sql} OFFSET 0) AS p WHERE 1 = 1{narrowed}"  # noqa: S608
            return RawSQL(rows, [*params, *wanted.values()])  # noqa: S611
    return None


def _proposes_too_many(matching: str, params: list[Any]) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"{matching} LIMIT 1 OFFSET %s", [*params, FEW])
        return cursor.fetchone() is not None


# -- keeping ---------------------------------------------------------------------------------------------------------


def index_owed() -> None:
    """Bring SQLite's indexes up to date: after a transaction that wrote rows, in turns of its own. Within one it takes what
    can be done in a moment, and the rest when that stands. Not to be called within a turn of Dialect's."""
    if connection.vendor == "sqlite" and (not connection.in_atomic_block or _settle_some()):
        transaction.on_commit(_settle_in_turns, robust=True)


def settle_owed() -> int:
    """Make the words that a process owed when it died between a change and index_owed(); returns of how many rows."""
    if connection.vendor != "sqlite":
        return 0
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"SELECT count(*) FROM {index.due}" for index in INDEXES))  # noqa: S608
        owed = sum(count for (count,) in cursor.fetchall())
    index_owed()
    return owed


def _settle_in_turns() -> None:
    left = any(_owed(index) for index in INDEXES)
    while left:
        with Dialect.of().turn(PAUSE_S), transaction.atomic():
            left = _settle_some()


def _settle_some() -> bool:
    """So many rows of each index; whether there are more."""
    left = [_settle_index(index) for index in INDEXES]
    return any(left)


def _settle_index(index: Index) -> bool:
    if (owed := _owed(index)) is None:
        return False
    last, were, count = owed
    if were:
        _run(
            f"INSERT INTO {index.words} ({index.words}, rowid, body) "  # noqa: S608
            f"SELECT 'delete', id, was FROM {index.due} WHERE was <> '' AND id <= {last}"
        )
    _run(
        f"INSERT INTO {index.words} (rowid, body) SELECT e.id, {index.of('e')} FROM {index.due} AS d "  # noqa: S608
        f"CROSS JOIN {index.table} AS e ON e.id = d.id WHERE d.id <= {last}",
        f"DELETE FROM {index.due} WHERE id <= {last}",  # noqa: S608
    )
    return count == AT_ONCE


def _owed(index: Index) -> tuple[int, bool, int] | None:
    """Of the rows that are next: the last id, whether any of them stands in the index, and how many they are."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT max(id), max(was <> ''), count(*) FROM (SELECT id, was FROM {index.due} ORDER BY id LIMIT %s)",  # noqa: S608
            [AT_ONCE],
        )
        last, were, count = cursor.fetchone()
    return None if last is None else (last, bool(were), count)


def ensure() -> None:
    """Make what is lacking. On SQLite a migration that makes a table anew takes its triggers away: what changed
    without them is not known, so the index is filled anew."""
    standing = connection.introspection.table_names()
    for index in INDEXES:
        if index.table in standing:
            _MAKERS[connection.vendor](index)


def _ensure_trigrams(index: Index) -> None:
    _run("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    first, *labelled = index.text
    _run(
        f"CREATE INDEX IF NOT EXISTS {index.table}_{first}_trigrams ON {index.table} "
        f"USING gin ((' ' || \"{first}\" || ' ') gin_trgm_ops)",
        *(
            f'CREATE INDEX IF NOT EXISTS {index.table}_{name}_trigrams ON {index.table} USING gin ("{name}" gin_trgm_ops)'
            for name in labelled
        ),
    )


def _ensure_words(index: Index) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT COUNT(*) FROM sqlite_master WHERE tbl_name = %s AND type = 'trigger' AND name LIKE %s",
            [index.table, f"{index.due}%"],
        )
        if cursor.fetchone()[0] == len(_triggers(index)):
            return
    remove(index)
    _run(
        f"CREATE VIRTUAL TABLE {index.words} USING fts5(body, content='', columnsize=0, detail=none, "
        "tokenize='trigram case_sensitive 1')",
        f"CREATE TABLE {index.due} (id integer PRIMARY KEY, was text NOT NULL)",
        *_triggers(index),
        f"INSERT INTO {index.words} (rowid, body) SELECT e.id, {index.of('e')} FROM {index.table} AS e",  # noqa: S608
    )


def _triggers(index: Index) -> list[str]:
    """A row's text as it is in the index is noted once; a new row has none."""
    note = f"INSERT OR IGNORE INTO {index.due} (id, was) VALUES"
    columns = ", ".join(f'"{name}"' for name in index.text)
    differs = " OR ".join(f'old."{name}" <> new."{name}"' for name in index.text)
    return [
        f"CREATE TRIGGER {index.due}_new AFTER INSERT ON {index.table} BEGIN {note} (new.id, ''); END",
        f"CREATE TRIGGER {index.due}_gone AFTER DELETE ON {index.table} BEGIN {note} (old.id, {index.of('old')}); END",
        f"CREATE TRIGGER {index.due}_changed AFTER UPDATE OF {columns} ON {index.table} WHEN {differs} "
        f"BEGIN {note} (old.id, {index.of('old')}); END",
    ]


def remove(index: Index) -> None:
    if connection.vendor == "sqlite":
        kept = [f"TRIGGER IF EXISTS {index.due}_{what}" for what in ("new", "gone", "changed")]
        kept += [f"TABLE IF EXISTS {name}" for name in (index.words, index.due)]
    else:
        kept = [f"INDEX IF EXISTS {index.table}_{name}_trigrams" for name in index.text]
    _run(*(f"DROP {each}" for each in kept))


def _run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


_MAKERS: dict[str, Callable[[Index], None]] = {"sqlite": _ensure_words, "postgresql": _ensure_trigrams}
