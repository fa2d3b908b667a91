"""No statement of a sync walks a whole table, whatever the database thinks of it; and how many there are grows with what
has changed. Each of these was quadratic and silent once (docs/performance.md)."""

import re
from contextlib import contextmanager

import pytest
from django.db import connection
from django.utils import timezone

from lists import services
from lists.changes import plan_sync
from lists.dialects import Dialect
from lists.known import Known
from lists.models import Entry
from lists.plan import Reading
from lists.records import Record
from lists.writer import publish

COUNT = 3000
LARGE = "lists_(?:entry|claim|historicalentry|item|historicalitem|externalid)"
PER_THOUSAND = {"sqlite": 45, "postgresql": 15}


def film(n: int, rating: float = 5.0) -> Record:
    values = {"title": f"Film {n}", "year": 1990, "rating": rating}
    return Record(f"tt{n}", "movie", values, {"imdb": f"tt{n:07}", "tmdb": f"movie/{n}"})


def bring(list_, source, records) -> None:
    with plan_sync(list_, source, records, Reading(confirmed=True), at=timezone.now(), create=True) as plan:
        publish(plan, kind="sync")


@pytest.fixture
def source(films, ines):
    """A source of 3,000 films among another list's as many."""
    other = services.create_list(ines, name="Others")
    for list_, start in ((other, COUNT), (films, 0)):
        made = services.add_source(list_, adapter="scripted_live", name="live", by=ines)
        bring(list_, made, [film(n) for n in range(start, start + COUNT)])
    return made


class Plans:
    """How the database means to carry out what goes by."""

    def __init__(self, *, analysed: bool = False) -> None:
        self.analysed, self.statements = analysed, 0
        self.walked: list[tuple[str, str]] = []

    def __call__(self, execute, sql, params, many, context):
        # What only frames a statement asks nothing of the tables.
        self.statements += not sql.startswith(("SET LOCAL", "SAVEPOINT", "RELEASE SAVEPOINT"))
        if not many and re.match(r"(SELECT|UPDATE|DELETE|WITH|INSERT .*\bSELECT\b)", sql, re.DOTALL):
            with connection.cursor() as cursor:
                query = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
                cursor.cursor.execute(query + sql, params or ())
                steps = [str(row[-1]) for row in cursor.cursor.fetchall()]
            self.walked += [(step, sql[:300]) for step in steps if self._walks(step, sql)]
        return execute(sql, params, many, context)

    def _walks(self, step: str, sql: str) -> bool:
        reads_all = re.search(r'"(list|source)_id" = %s', sql) and " IN (%s" not in sql and "json_each" not in sql
        if self.analysed and reads_all and "LATERAL" not in sql:
            return False  # all of the list is half of the table: a planner that knows may as well walk it
        if connection.vendor == "postgresql":
            # Of a table this small a planner may well read all; what is asked key by key it must not.
            return "LATERAL" in sql and re.search(rf"Seq Scan on {LARGE}\b", step) is not None
        names = {*re.findall(rf'"?({LARGE})"?', sql), *re.findall(rf'(?<!stage_){LARGE}"? (?:AS )?"?(\w)"?\b', sql)}
        scanned = re.match(r"SCAN (\w+)", step)
        return scanned is not None and scanned[1] in names


@contextmanager
def watched(**how):
    plans = Plans(**how)
    with connection.execute_wrapper(plans):
        yield plans


@pytest.mark.django_db
@pytest.mark.parametrize("analysed", [False, True])
def test_no_statement_walks_a_whole_table(films, source, analysed):
    if analysed:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    films.refresh_from_db()
    changed = [film(n, 6.0 if n % 30 == 0 else 5.0) for n in range(50, COUNT)]
    new = [film(n) for n in range(2 * COUNT, 2 * COUNT + 100)]
    with watched(analysed=analysed) as plans:
        bring(films, source, [*changed, *new])
    assert plans.walked == [], plans.walked
    assert Entry.objects.filter(list=films).listed().count() == COUNT + 50


@pytest.mark.django_db
@pytest.mark.parametrize("analysed", [False, True])
def test_a_rollback_walks_no_table(films, source, ines, analysed):
    bring(films, source, [film(n, 6.0 if n % 2 else 5.0) for n in range(COUNT)])
    if analysed:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    films.refresh_from_db()
    with watched(analysed=analysed) as plans:
        version = services.rollback(films, films.versions.get(number=1), by=ines)
    assert version.changed == COUNT // 2
    assert plans.walked == [], plans.walked


@pytest.mark.django_db
def test_statements_grow_with_what_has_changed(films, source):
    def statements(changed: int, rating: float) -> int:
        films.refresh_from_db()
        with watched() as plans:
            bring(films, source, [film(n, rating if n < changed else 5.0) for n in range(COUNT)])
        return plans.statements

    # Without marks each row is looked up by its key.
    assert statements(0, 5.0) <= 8 + COUNT / Dialect.of().rows
    few, many = statements(1000, 7.0), statements(3000, 8.0)
    assert few <= 12 + PER_THOUSAND[connection.vendor] * 2
    assert many - few <= 2 * PER_THOUSAND[connection.vendor]


@pytest.mark.django_db
def test_what_is_known_is_read_off_its_index_in_its_order(source):
    steps = []

    def explained(execute, sql, params, many, context):
        if "lists_claim" in sql:
            with connection.cursor() as cursor:
                query = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
                cursor.cursor.execute(query + sql, params)
                steps.extend(str(row[-1]) for row in cursor.cursor.fetchall())
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explained):
        Known(source, marks=True)
    assert any("claim_known" in step for step in steps), steps
    assert not [step for step in steps if re.search(r"\bSort\b|TEMP B-TREE|Seq Scan", step)], steps


@pytest.mark.django_db
def test_what_is_known_is_held_in_a_few_bytes(films, source):
    known = Known(source, marks=True)
    held = sum(column.itemsize * len(column) for column in (known.pks, known.entries, known.positions, known.missing))
    assert held <= 32 * COUNT


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("table", "by", "key"),
    [("lists_externalid", ("namespace", "value"), ("imdb", "tt0000007")), ("lists_item", ("name",), ("film 7",))],
)
def test_a_look_up_finds_what_is_there(films, source, table, by, key):
    missing = tuple("nothing" for _ in by)
    assert len(Dialect.of().look_up(table, by, [key, missing], ("id",))) == 1
    assert Dialect.of().look_up(table, by, [], ("id",)) == []
