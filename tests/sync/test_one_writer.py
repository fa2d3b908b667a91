"""SQLite has one writer: what a sync holds it for, and what it gets ready before."""

import threading
import time

import pytest
from django.db import connection, transaction

from lists import search, versions, writer
from lists.models import Entry, MediaList
from tests.sync.test_meanwhile import film

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="only on SQLite: PostgreSQL has more than one writer"),
]


@pytest.fixture
def written():
    """(statement, whether it kept others waiting) of everything that goes by."""
    log: list[tuple[str, bool]] = []

    def note(execute, sql, params, many, context):
        log.append((sql, connection.in_atomic_block))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield log


def test_a_thread_that_writes_to_the_same_database_in_memory_is_waited_for(films):
    """As the watch of a run does while a test publishes."""
    begun, waiting = threading.Event(), threading.Event()

    def write() -> None:
        try:
            with transaction.atomic():
                MediaList.objects.filter(pk=films.pk).update(name="Theirs")
                begun.set()
                waiting.wait(10)
                time.sleep(0.05)  # so that the other is refused at least once
        finally:
            connection.close()

    thread = threading.Thread(target=write)
    thread.start()
    assert begun.wait(10)
    waiting.set()
    with transaction.atomic():
        films.refresh_from_db()
    thread.join()
    assert films.name == "Theirs"


def test_what_changes_is_staged_before_the_transaction(films, live, written):
    source = live(films)
    source.sync([film(n, rating=5.0) for n in range(20)])
    written.clear()
    assert source.sync([film(n, rating=6.0) for n in range(20)]).updated == 20
    staged = [waits for sql, waits in written if "TEMPORARY TABLE" in sql or sql.startswith("DROP TABLE")]
    assert staged == [False] * 4


def test_marks_are_renewed_some_at_a_time(films, live, written, monkeypatch):
    monkeypatch.setattr(writer, "MARKED", 2)
    source = live(films, adapter="scripted_raw")
    rows = [film(n, rating=5.0) for n in range(5)]
    source.sync(rows)
    written.clear()
    others = [dict(reversed(row.items())) for row in rows]  # the same in other bytes
    assert source.sync(others).unchanged == 5
    renewals = [sql for sql, _ in written if sql.startswith('UPDATE "lists_claim" SET "mark"')]
    assert len(renewals) == 3
    written.clear()
    assert source.sync(others).unchanged == 5
    assert not [sql for sql, _ in written if "stage_" in sql]


def test_only_what_differs_is_set(films, live, written):
    source = live(films)
    source.sync([film(n, rating=5.0) for n in range(20)])
    written.clear()
    source.sync([film(n, rating=6.0) for n in range(20)])
    [entries] = [sql for sql, _ in written if sql.startswith('UPDATE "lists_entry" SET')]
    [claims] = [sql for sql, _ in written if sql.startswith('UPDATE "lists_claim" SET')]
    assert entries.startswith('UPDATE "lists_entry" SET "rating" = s."rating" FROM')
    assert '"key"' not in claims
    assert '"entry_id"' not in claims


def test_the_order_is_kept_where_nothing_comes_or_goes(films, live, titles):
    source = live(films)
    first = source.sync([film(n, rating=5.0) for n in (2, 1, 3)]).version
    changed = source.sync([film(n, rating=6.0) for n in (2, 1, 3)]).version
    moved = source.sync([film(n, rating=7.0) for n in (3, 1, 2)]).version
    assert versions.order_of(changed) == versions.order_of(first)
    assert versions.order_of(moved) == list(reversed(versions.order_of(first)))
    more = source.sync([film(n, rating=8.0) for n in (3, 4, 1, 2)]).version
    assert len(versions.order_of(more)) == more.item_count == 4
    assert titles(films) == ["Film 3", "Film 4", "Film 1", "Film 2"]


def owed() -> list[int]:
    with connection.cursor() as cursor:
        counts = [cursor.execute(f"SELECT count(*) FROM {index.due}").fetchone()[0] for index in search.INDEXES]
    return counts


def test_the_words_of_a_search_are_made_in_turns(films, live, monkeypatch):
    monkeypatch.setattr(search, "AT_ONCE", 3)
    live(films).sync([film(n) for n in range(8)])
    assert owed() == [0, 0]
    with transaction.atomic():
        Entry.objects.filter(list=films).update(search="saucer")
        search.index_owed()  # so many at once, the rest when it stands
        assert owed() == [5, 0]
        found = [search.entries(Entry.objects.all(), text).count() for text in ("film", "saucer")]
        assert found == [0, 8]
    assert owed() == [0, 0]
    assert search.entries(Entry.objects.all(), "saucer").count() == 8
