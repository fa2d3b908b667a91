"""Acts about entries of whatever list, beside a sync that is writing some and has not committed them."""

import threading
import time

import pytest
from django.db import connection, connections
from django.utils import timezone

from lists import services, writer
from lists.changes import plan_sync
from lists.match import Matcher
from lists.models import Block, Conflict, Entry, Item, MediaList
from lists.plan import Reading
from lists.records import Record

pytestmark = [
    pytest.mark.skipif(connection.vendor == "sqlite", reason="only on PostgreSQL: SQLite has one writer"),
    pytest.mark.django_db(transaction=True),
]


def film(n: int) -> Record:
    return Record(f"tt{n}", "movie", {"title": f"Film {n}", "year": 1990}, {"imdb": f"tt{n}"})


@pytest.fixture
def aside():
    """aside(work): do it in a connection of its own; all have ended without an error when the test ends."""
    threads, failed = [], []

    def aside(work):
        def run():
            try:
                work()
            except BaseException as e:
                failed.append(e)
            finally:
                connections.close_all()

        threads.append(threading.Thread(target=run))
        threads[-1].start()
        return threads[-1]

    yield aside
    for thread in threads:
        thread.join(30)
    assert failed == []
    assert not any(thread.is_alive() for thread in threads)


@pytest.fixture
def syncing(aside, ines):
    """syncing(list_): a sync of Film 1 and Film 2 that is about to commit; what it returns lets it."""
    going = []

    def syncing(list_):
        source = services.add_source(list_, adapter="scripted_live", name="s", by=ines, config={})
        inside, go = threading.Event(), threading.Event()
        going.append(go)

        def work():
            fresh = MediaList.objects.get(pk=list_.pk)
            plan = plan_sync(fresh, source, [film(1), film(2)], Reading(), at=timezone.now(), create=True)
            writer.publish(plan, kind="sync", before_commit=lambda version: (inside.set(), go.wait(20)))

        thread = aside(work)
        assert inside.wait(20)

        def end():
            go.set()
            thread.join(20)

        return end

    yield syncing
    for go in going:
        go.set()


@pytest.fixture
def item():
    Matcher(create=True).match([film(1), film(2)])
    return {n: Item.objects.get(title=f"Film {n}") for n in (1, 2)}


def merged(item, ines):
    services.merge_items(item[2], item[1], by=ines)


ACTS = {
    "block mine": (None, lambda item, by: services.block(by=by, scope="mine", pattern="film 2"), ["Film 1"]),
    "block all": (None, lambda item, by: services.block(by=by, scope="all", pattern="film 2"), ["Film 1"]),
    "unblock": (
        lambda item, by: services.block(by=by, scope="mine", pattern="film 2"),
        lambda item, by: services.unblock(Block.objects.get(), by=by),
        ["Film 1", "Film 2"],
    ),
    "merge": (None, merged, ["Film 1"]),
    "split": (
        merged,
        lambda item, by: services.split_item(Item.objects.get(pk=item[2].pk), by=by),
        ["Film 1", "Film 2"],
    ),
}


@pytest.mark.parametrize(("before", "act", "left"), ACTS.values(), ids=ACTS)
def test_it_reaches_what_is_being_written(films, ines, item, aside, syncing, titles, before, act, left):
    ines.is_staff = True
    ines.save()
    if before is not None:
        before(item, ines)
    end = syncing(films)
    acting = aside(lambda: act(item, ines))
    acting.join(0.3)
    end()
    acting.join(20)
    assert titles(films) == left


def test_none_of_them_waits_for_another_for_ever(films, ines, item, aside, syncing, titles):
    """A question that merges, a block for all, edits of both lists and a sync, all at once."""
    ines.is_staff = True
    ines.save()
    syncing(films)()
    other = services.create_list(ines, name="Other")
    first, second = Entry.objects.filter(list=films).order_by("id")
    question = Conflict.objects.create(
        list=films, entry=first, kind="ids", options=[{"item": item[n].pk, "title": ""} for n in (1, 2)]
    )
    end = syncing(other)
    aside(lambda: services.decide_identity(question, by=ines, item=item[1].pk, same=True))
    time.sleep(0.2)
    for work in (
        lambda: services.block(by=ines, scope="all", pattern="nothing"),
        lambda: services.edit_entries(films, {second.pk: {"overview": "Seen."}}, by=ines),
        lambda: services.block(by=ines, scope="mine", pattern="film 9"),
    ):
        aside(work)
    time.sleep(0.3)
    end()
    for _ in range(100):
        if titles(films) == titles(other) == ["Film 1"]:
            break
        time.sleep(0.1)
    assert titles(films) == titles(other) == ["Film 1"]
