"""The first fill of a list on SQLite goes in by blocks that nobody sees; what dies in the middle leaves nothing."""

import os
import signal
import sqlite3
import sys
from contextlib import closing
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from lists import filling, search, services
from lists.browse import Wish, page_of
from lists.errors import BeingFilled
from lists.invariants import CHECKS
from lists.models import Claim, Entry, Item, MediaList
from lists.writer import Publication
from sync import tasks
from tests.processes import Program, wait_for

pytestmark = pytest.mark.skipif(
    connection.vendor != "sqlite", reason="only on SQLite: PostgreSQL has more than one writer"
)


def films_(*numbers: int):
    return [
        {"key": f"tt{n}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990} for n in numbers
    ]  # fmt: skip


class Stopped(BaseException):
    """As if the process had died."""


@pytest.fixture
def small(transactional_db, monkeypatch):
    monkeypatch.setattr(filling, "FROM", 4)
    monkeypatch.setattr(filling, "BLOCK", 3)


@pytest.fixture
def between(small, monkeypatch):
    """between(do): before each block, once the first one stands."""

    def between(do):
        insert, count = filling._block, [0]

        def block(list_, version):
            count[0] += 1
            if count[0] == 3:
                do()
            return insert(list_, version)

        monkeypatch.setattr(filling, "_block", block)

    return between


def stop() -> None:
    raise Stopped


def stored(list_) -> tuple[int, int, int]:
    return (
        Entry._base_manager.filter(list=list_).count(),
        Claim.objects.filter(source__list=list_).count(),
        Entry.history.filter(list_id=list_.pk).count(),
    )


def test_it_is_as_any_first_sync(films, live, between, titles):
    seen = []
    between(lambda: seen.append(stored(films)))
    run = live(films).sync(films_(*range(10)))
    assert seen == [(6, 6, 6)]
    assert (run.added, run.version.number, run.version.item_count) == (10, 1, 10)
    assert titles(films) == [f"Film {n}" for n in range(10)]
    films.refresh_from_db()
    assert (films.current, films.item_count, films.filling) == (run.version, 10, None)
    assert stored(films) == (10, 10, 10)
    assert set(Entry.history.values_list("version", flat=True)) == {run.version.pk}


def test_nobody_sees_half_of_it(films, live, ines, between, client):
    client.force_login(ines)
    seen = []

    def look() -> None:
        item = Item.objects.get(title="Film 1")
        seen.extend([
            Entry.objects.count(),
            films.entries.count(),
            item.entries.count(),
            films.versions.count(),
            client.get(f"/api/v1/lists/{films.pk}/entries/").json()["results"],
            "Film 1" in client.get(f"/lists/{films.pk}/").content.decode(),
        ])  # fmt: skip

    between(look)
    live(films).sync(films_(*range(10)))
    assert seen == [0, 0, 0, 0, [], False]


def test_edits_are_told_to_wait(films, live, ines, between, client):
    client.force_login(ines)
    answers = []

    def act() -> None:
        with pytest.raises(BeingFilled, match="Try again when that is done"):
            services.add_entry(films, by=ines, values={"title": "Heat"})
        answers.append(
            client.post(f"/api/v1/lists/{films.pk}/entries/", {"values": {"title": "Heat"}}, "application/json")
        )

    between(act)
    assert live(films).sync(films_(*range(10))).added == 10
    assert answers[0].status_code == 409
    assert "being_filled" in answers[0].content.decode()


def test_what_died_is_swept_before_anything_is_planned(films, live, between, titles, monkeypatch):
    source = live(films)
    between(stop)
    with pytest.raises(Stopped):
        source.sync(films_(*range(10)))
    assert stored(films) == (6, 6, 6)
    assert source.sync(films_(*range(3, 10))).added == 7
    assert titles(films) == [f"Film {n}" for n in range(3, 10)]
    assert stored(films) == (7, 7, 7)


def test_a_block_that_comes_in_between_holds(films, live, ines, between, titles):
    between(lambda: services.block(by=ines, scope="mine", pattern="Film 3"))
    live(films).sync(films_(*range(8)))
    assert titles(films) == [f"Film {n}" for n in range(8) if n != 3]


def test_what_nobody_follows_is_swept_by_the_tick(films, live, ines, between):
    between(stop)
    with pytest.raises(Stopped):
        live(films).sync(films_(*range(10)))
    tasks.tick()
    assert stored(films)[0] == 6  # for all that anybody knows it is at work
    MediaList.objects.update(filling_until=timezone.now() - timedelta(seconds=1))
    tasks.tick()
    assert stored(films) == (0, 0, 0)
    services.add_entry(films, by=ines, values={"title": "Heat"})


def test_the_tick_makes_the_words_that_a_dead_process_owes(films, live, small, monkeypatch):
    search.index_owed()  # what other tests took away
    with monkeypatch.context() as dying:
        dying.setattr(search, "index_owed", stop)  # the version stands, its words are not made
        with pytest.raises(Stopped):
            live(films).sync(films_(*range(4)))
    films.refresh_from_db()
    assert (films.item_count, in_words("film")) == (4, 0)
    assert "8 rows made ready for the search" in tasks.tick()  # four entries and their items
    assert in_words("film") == 4
    assert [entry.title for entry in page_of(films, Wish(q="film 3")).rows] == ["Film 3"]
    assert "0 rows made ready for the search" in tasks.tick()


def in_words(text: str) -> int:
    """How many entries the index alone finds."""
    sql, params = search.Sought(search.parts_of(text), []).in_words(search.ENTRIES)
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return len(cursor.fetchall())


def test_one_who_wakes_after_it_was_swept_writes_nothing(films, live, between, titles):
    def steal() -> None:
        filling.sweep(MediaList.objects.get(pk=films.pk))

    between(steal)
    run = live(films).sync(films_(*range(10)))
    assert (run.state, run.added) == ("completed", 10)
    assert stored(films) == (10, 10, 10)


def expire() -> None:
    MediaList.objects.update(filling_until=timezone.now() - timedelta(seconds=1))


def test_one_who_wakes_while_it_is_swept_begins_anew(films, live, small, monkeypatch):
    """The machine slept; the sweep has taken the entries and not come to its end yet."""
    order_now, delete, asleep, found = Publication.order_now, filling._delete, [True], []

    def half(model, *args):
        deleted = delete(model, *args)
        if model is Entry:
            raise Stopped
        return deleted

    def late(self):
        order_now(self)
        if asleep and asleep.pop():
            expire()
            with monkeypatch.context() as sweeping:
                sweeping.setattr(filling, "_delete", half)
                with pytest.raises(Stopped):
                    filling.sweep_dead()
            found.extend(hit for check in CHECKS for hit in check.find(None))

    monkeypatch.setattr(Publication, "order_now", late)
    run = live(films).sync(films_(*range(10)))
    assert (run.state, run.added, found) == ("completed", 10, [])
    assert stored(films) == (10, 10, 10)


def test_one_that_is_swept_in_half_is_swept_by_the_next(films, live, between, monkeypatch):
    between(stop)
    with pytest.raises(Stopped):
        live(films).sync(films_(*range(10)))
    expire()
    with monkeypatch.context() as sweeping:
        sweeping.setattr(filling, "_delete", lambda *args: stop())
        with pytest.raises(Stopped):
            filling.sweep_dead()
    assert filling.sweep_dead() == 1
    films.refresh_from_db()
    assert (stored(films), films.filling) == ((0, 0, 0), None)


def test_one_that_lives_is_left_though_its_time_seemed_up(films, live, between, monkeypatch):
    sweep, swept = filling._sweep, []

    def awake(list_, if_=None):
        MediaList.objects.update(filling_until=timezone.now() + filling.LEASE)
        return sweep(list_, if_)

    def tick() -> None:
        expire()
        with monkeypatch.context() as sweeping:
            sweeping.setattr(filling, "_sweep", awake)
            swept.append(filling.sweep_dead())

    between(tick)
    assert live(films).sync(films_(*range(10))).added == 10
    assert (stored(films), swept) == ((10, 10, 10), [0])


def test_what_is_hidden_breaks_no_invariant(films, live, between):
    found = []
    between(lambda: found.extend((check.what, hit) for check in CHECKS for hit in check.find(None)))
    live(films).sync(films_(*range(10)))
    assert found == []


ROWS = 2500
SET_UP = f"""
from django.contrib.auth import get_user_model
from bench.files import imdb
from lists import services
from lists.models import Proposal
from sync import tasks, uploads
user = get_user_model().objects.create_user("ines")
list_ = services.create_list(user, name="Films")
proposal = uploads.start(imdb({ROWS}, 0), by=user, list_=list_)
tasks.prepare_upload(proposal.pk)
uploads.confirm(Proposal.objects.get(pk=proposal.pk), by=user)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only on Linux: reads /proc")
def test_a_kill_between_two_blocks_leaves_nothing_stuck(tmp_path):
    worker = Program(tmp_path, "worker").with_tables()
    worker.manage("shell", "--verbosity", "0", "--command", SET_UP)

    def ask(sql: str) -> int:
        with closing(sqlite3.connect(worker.database, timeout=20)) as database:
            return database.execute(sql).fetchone()[0]

    try:
        worker.start()
        wait_for(lambda: ask("SELECT count(*) FROM lists_entry") >= 250, within=90)
        for pid in worker.left():
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not worker.left(), within=40)
        assert ask("SELECT count(*) FROM lists_medialist WHERE filling IS NOT NULL AND current_id IS NULL") == 1
        assert 250 <= ask("SELECT count(*) FROM lists_entry") <= ROWS
        worker.start()
        wait_for(lambda: ask("SELECT item_count FROM lists_medialist") == ROWS, within=120)
        for table in ("lists_entry", "lists_claim", "lists_historicalentry", "lists_item"):
            assert ask(f"SELECT count(*) FROM {table}") == ROWS
        assert ask("SELECT count(*) FROM lists_version") == 1
        assert ask("SELECT count(*) FROM lists_medialist WHERE filling IS NOT NULL") == 0
    finally:
        worker.end()
