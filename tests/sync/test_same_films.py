"""Four lists over the same films are synced at the same moment, each told something else: none of it is lost or doubled."""

import os
import random
import sys
from collections.abc import Iterator

import psycopg
import pytest

from tests.sync.hub import POSTGRES, URL, Hub

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only on Linux: reads /proc")
TURNS = 60 if os.environ.get("LISTKEEPER_LONG_TESTS") else 4
LISTS, FILMS, NEW = 4, 100, 15  # at first, and in each turn
NAMES = [f"list {n}" for n in range(LISTS)]
SHOWN = "list(Entry.objects.filter(list__name=name).listed().order_by('rank', 'id').values_list('title', 'overview'))"
SAID = """
answer = [
    (claim.key, claim.values.get("overview"), claim.entry.list.name, claim.listing, claim.missing)
    for claim in Claim.objects.filter(source__name=name).select_related("entry__list").order_by("position")
]
"""
SHARED = """
from collections import Counter
from lists.models import ExternalId, Item, Provenance
entries = Entry.objects.values_list("item", "title")
answer = {
    "items": Item.objects.count(),
    "titles": len(set(Item.objects.values_list("title", flat=True))),
    "merged": Item.objects.exclude(merged_into=None).count(),
    "written items": Item.history.count(),
    "ids": ExternalId.objects.count(),
    "pairs": len(set(ExternalId.objects.values_list("namespace", "value"))),
    "entries of a film": sorted(set(Counter(item for item, title in entries).values())),
    "films of an item": max(Counter(item for item, title in set(entries)).values()),
    "claims of an entry": sorted(set(Counter(Claim.objects.values_list("entry", flat=True)).values())),
    "questions": __import__("lists.models").models.Conflict.objects.count(),
    "ended origins": Provenance.objects.count(),
}
"""
RUNS = 'list(Run.objects.order_by("id").values_list("state", "attempt", "error", "previous"))'


def told(place: int, turn: int) -> list[dict]:
    """What the source of one list says: each in another order, by other ids, with other words; a third of them are new words."""
    numbers = list(range(FILMS + NEW * turn))
    if place == 1:
        numbers.reverse()
    elif place > 1:
        random.Random(place).shuffle(numbers)
    return [
        {
            "key": f"film {n}", "title": f"Film {n}", "year": 1990 + n % 30, "ids": ids_of(place, n),
            "overview": f"Source {place} about {n} in turn {max(0, turn - (n + place + turn) % 3)}",
        }
        for n in numbers
    ]  # fmt: skip


def ids_of(place: int, n: int) -> dict[str, str]:
    """Two of the lists know both ids, one of them only one, and one none."""
    ids = {"imdb": f"tt{n:07}", "tmdb": f"movie/{n + 1}"}
    return [ids, {"imdb": ids["imdb"]}, {}, ids][place]


@pytest.fixture
def hub(tmp_path) -> Iterator[Hub]:
    # What is looked for are locks, so nobody loses a lease because the machine is busy.
    hub = Hub(tmp_path, LISTKEEPER_WORKERS=str(LISTS), LISTKEEPER_LEASE_SECONDS="60", LISTKEEPER_SILENCE_SECONDS="60")
    hub.start()
    yield hub
    hub.end()


def met(hub: Hub, turn: int) -> int:
    """How many of a turn's syncs were at work in the same moment, each in a process of its own."""
    return len(list((hub.folder / f"meeting {turn}").iterdir()))


@pytest.mark.covers("LIST-05", "LIST-06")
def test_four_lists_over_the_same_films_lose_nothing_and_double_nothing(hub):
    for turn in range(TURNS):
        meeting = {"meet": str(hub.folder / f"meeting {turn}"), "of": LISTS}
        for place, name in enumerate(NAMES):
            hub.source(name, [*told(place, turn), meeting])  # all are read before any of them is written
        for name in NAMES:
            assert hub.sync(name)
        assert hub.settled(within=120), hub.worker.output
        assert met(hub, turn) == LISTS
        for place, name in enumerate(NAMES):
            rows = told(place, turn)
            assert hub.ask(SHOWN, name=name) == [[row["title"], row["overview"]] for row in rows]
            assert hub.do(SAID, name=name) == [[row["key"], row["overview"], name, True, 0] for row in rows]
    count = FILMS + NEW * (TURNS - 1)
    assert hub.do(SHARED) == {
        "items": count, "titles": count, "merged": 0, "written items": count, "ids": 2 * count, "pairs": 2 * count,
        "entries of a film": [LISTS], "films of an item": 1, "claims of an entry": [1], "questions": 0, "ended origins": 0,
    }  # fmt: skip
    assert hub.ask(RUNS) == [["completed", 1, "", None]] * (LISTS * TURNS), "none had to be done again"
    assert "Traceback" not in hub.worker.output, hub.worker.output
    assert "deadlock" not in hub.worker.output, hub.worker.output
    hub.worker.manage("verify_integrity")
    if POSTGRES:
        assert deadlocks(hub) == 0


def deadlocks(hub: Hub) -> int:
    """As the server counted them, those included that somebody tried again after."""
    hub.worker.end()  # who ends tells the server what it has counted
    hub.talker.end()
    with psycopg.connect(f"{URL.rpartition('/')[0]}/postgres") as connection:
        row = connection.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = %s", [hub.database]).fetchone()
    assert row
    return row[0]
