"""Two lists that bring the same films at the same moment make each of them once."""

import threading

import pytest
from django.db import close_old_connections, connection

from lists.match import Matcher
from lists.models import ExternalId, Item
from lists.records import Record

NEW = 400
BLOCK = 50


def film(n: int, *, ids: bool) -> Record:
    return Record(f"film {n}", "movie", {"title": f"Film {n}", "year": 1990}, {"imdb": f"tt{n:07}"} if ids else {})


def bring(records: list[Record], start: threading.Barrier, failed: list[BaseException]) -> None:
    try:
        matcher = Matcher(create=True)
        start.wait()
        for at in range(0, len(records), BLOCK):
            matcher.match(records[at : at + BLOCK])
    except BaseException as e:
        failed.append(e)
    finally:
        connection.close()


@pytest.mark.skipif(
    connection.vendor == "sqlite", reason="only on PostgreSQL: threads of the tests share one cache; see below"
)
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("first", "second"), [(True, True), (False, False), (True, False)])
def test_in_opposite_order_and_with_and_without_ids(first, second):
    forward = [film(n, ids=first) for n in range(NEW)]
    backward = [film(n, ids=second) for n in reversed(range(NEW))]
    start, failed = threading.Barrier(2), []
    threads = [threading.Thread(target=bring, args=(films, start, failed)) for films in (forward, backward)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    close_old_connections()
    assert failed == []
    assert Item.objects.count() == NEW
    assert Item.history.count() == NEW
    assert ExternalId.objects.count() == (NEW if first or second else 0)


@pytest.mark.django_db
@pytest.mark.parametrize(("first", "second"), [(True, True), (False, False), (True, False), (False, True)])
def test_what_another_makes_between_look_and_write_is_found(monkeypatch, first, second):
    mine, others = Matcher(create=True), Matcher(create=True)
    look_up, waiting = mine._look_up, [True]

    def late(*args):
        known = look_up(*args)
        while waiting:
            waiting.pop()
            others.match([film(n, ids=second) for n in range(5)])
        return known

    monkeypatch.setattr(mine, "_look_up", late)
    matches = mine.match([film(n, ids=first) for n in range(5)])
    assert Item.objects.count() == 5
    assert sorted(match.item for match in matches) == sorted(Item.objects.values_list("id", flat=True))
