"""kill -9 of a worker in the middle of an import: the list holds the old state or the new one, and it goes on."""

import os
import random
import signal
import sqlite3
import sys
import time
from contextlib import closing

import pytest

from tests.processes import Program, wait_for
from tests.sync.hub import POSTGRES, Hub, films, with_death

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only on Linux: reads /proc")
LONG = bool(os.environ.get("LISTKEEPER_LONG_TESTS"))
ROWS = 4000
SET_UP = f"""
from django.contrib.auth import get_user_model
from bench.files import imdb
from lists import services
from lists.models import Proposal
from sync import tasks, uploads
user = get_user_model().objects.create_user("ines")
list_ = services.create_list(user, name="Films")
for body in (imdb({ROWS}, 0), imdb({ROWS}, {ROWS})):
    proposal = uploads.start(body, by=user, list_=list_)
    tasks.prepare_upload(proposal.pk)
    run = uploads.confirm(Proposal.objects.get(pk=proposal.pk), by=user)
    if not list_.versions.exists():
        tasks.execute_run(run.pk)
"""


def ask(program: Program, *questions: str) -> list:
    """The answers, all of one moment: a worker may be publishing while we look."""
    with closing(sqlite3.connect(program.database, timeout=20, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        return [connection.execute(sql).fetchone()[0] for sql in questions]


def check(program: Program) -> int:
    """The number of the current version, after holding everything else against it."""
    version, listed, claims, open_rows, rows, changed, current = ask(
        program,
        "SELECT number FROM lists_version ORDER BY number DESC LIMIT 1",
        "SELECT count(*) FROM lists_entry WHERE state = 'listed'",
        "SELECT count(*) FROM lists_claim",
        "SELECT count(*) FROM lists_historicalentry WHERE closed_by_id IS NULL",
        "SELECT count(*) FROM lists_historicalentry",
        "SELECT count(*) FROM lists_entry WHERE rating = 9.95",
        "SELECT v.number FROM lists_medialist m JOIN lists_version v ON v.id = m.current_id",
    )
    assert (listed, claims, open_rows, rows, current) == (ROWS, ROWS, ROWS, version * ROWS, version)
    assert changed == (ROWS if version == 2 else 0), "a mixture"
    return version


def count(program: Program, where: str) -> int:
    return ask(program, f"SELECT count(*) FROM sync_run WHERE state {where}")[0]


@pytest.mark.skipif(POSTGRES, reason="only on SQLite")
@pytest.mark.parametrize("seed", range(20 if LONG else 1))
def test_a_killed_import_leaves_the_old_state_and_ends_well(tmp_path, seed):
    dice = random.Random(seed)
    worker = Program(tmp_path, "worker").with_tables()
    worker.manage("shell", "--verbosity", "0", "--command", SET_UP)
    try:
        for _ in range(2):
            worker.start()
            wait_for(lambda: count(worker, "= 'running'"), within=60)
            time.sleep(dice.uniform(0, 1.5))
            for pid in worker.left():
                with_death(pid, signal.SIGKILL)  # the others end with the first one
            wait_for(lambda: not worker.left(), within=40)
            if check(worker) == 2:
                break
        worker.start()
        wait_for(lambda: check(worker) == 2, within=60)
        assert check(worker) == 2
        wait_for(lambda: not count(worker, "IN ('queued', 'running')"), within=60)
        assert count(worker, "= 'completed'") == 2
    finally:
        worker.end()


@pytest.fixture(scope="module")
def in_parts(tmp_path_factory):
    """A worker that publishes a change of more than 50 entries in several versions."""
    hub = Hub(tmp_path_factory.mktemp("hub"), LISTKEEPER_LARGE_CHANGE="50")
    hub.start()
    yield hub
    hub.end()


BEFORE = films(120)
AFTER = [*films(80, first=40, overview="Told anew"), *films(60, first=200)]


def filled(hub: Hub, name: str) -> int:
    """A list that shows BEFORE, whose source says AFTER by now; how many versions it has."""
    hub.source(name, BEFORE)
    hub.do("Source.objects.filter(name=name).update(adapter='scripted_counted', grace=0)", name=name)
    hub.sync(name)
    assert hub.settled()
    hub.do(
        "MediaList.objects.filter(name=name).update(policy={'held_share': 100, 'held_share_always': 100})", name=name
    )
    hub.source(name, AFTER)
    return hub.ask("MediaList.objects.get(name=name).versions.count()", name=name)


@pytest.mark.skipif(POSTGRES, reason="only on SQLite: PostgreSQL writes one version")
@pytest.mark.covers("SYNC-08")
def test_a_change_in_parts_is_cancelled_between_two_of_them(in_parts):
    hub, name = in_parts, "cancelled"
    first = filled(hub, name)
    hub.hold("published")
    run = hub.sync(name)
    hub.held()
    assert hub.told(run)["step"] == "Writing in parts"
    hub.do("runs.cancel(Run.objects.get(pk=pk), by=user)", pk=run)
    wait_for(lambda: hub.told(run)["state"] == "cancelled", within=20)
    hub.let_go()
    told = hub.told(run)
    assert told["state"] == "cancelled"
    assert told["error"] == "ines cancelled this. The first version of it stands; the next sync brings the rest."
    assert hub.ask("MediaList.objects.get(name=name).versions.count()", name=name) == first + 1
    assert len(hub.titles(name)) == 120 + 50
    hub.worker.manage("verify_integrity")
    hub.sync(name)
    assert hub.settled()
    assert hub.titles(name) == [row["title"] for row in AFTER]


@pytest.mark.skipif(POSTGRES, reason="only on SQLite: PostgreSQL writes one version")
@pytest.mark.covers("SAFE-06")
@pytest.mark.parametrize(
    ("places", "stand"), [(["published"], 1), (["published", "published"], 2), (["published", "publishing"], 1)],
    ids=["after the first part", "after the second", "in the second"],
)  # fmt: skip
def test_a_worker_that_is_killed_between_two_parts_is_followed_by_one_that_brings_the_rest(in_parts, places, stand):
    hub, name = in_parts, f"{stand} of {places[-1]}"
    first = filled(hub, name)
    hub.hold(places[0])
    run = hub.sync(name)
    for place in places[1:]:
        hub.held()
        hub.hold(place)
        hub.let_go()
    os.kill(hub.held(), signal.SIGKILL)
    hub.let_go()
    wait_for(lambda: hub.told(run)["state"] == "interrupted", within=60)
    told = hub.told(run)
    assert told["state"] == "interrupted"
    assert f"The first {f'{stand} versions' if stand > 1 else 'version'} of it stand" in told["error"]
    assert hub.settled()
    assert hub.titles(name) == [row["title"] for row in AFTER]
    assert hub.ask("Claim.objects.filter(entry__list__name=name).count()", name=name) == 140
    made = hub.ask(
        "list(MediaList.objects.get(name=name).versions.filter(number__gt=n).order_by('number')"
        ".values_list('added', 'changed', 'removed'))", name=name, n=first,
    )  # fmt: skip
    assert made[:stand] == [[50, 0, 0], [10, 40, 0]][:stand]
    assert [sum(column) for column in zip(*made, strict=True)] == [60, 80, 40]
    hub.worker.manage("verify_integrity")
    again = hub.sync(name)
    assert hub.settled()
    assert hub.ask("Run.objects.get(pk=pk).version_id", pk=again) is None, "nothing was left of it"


@pytest.mark.covers("SAFE-06")
def test_kills_at_random_over_five_lists_lose_nothing_and_leave_nothing_behind(tmp_path):
    """Any process of the worker, its supervisor among them, while five lists are synced. In the end every list is what its
    source says, no run is left, and the integrity check finds nothing."""
    dice = random.Random(5)
    hub = Hub(tmp_path)
    names = [f"list {n}" for n in range(5)]
    killed = 0
    hub.start()
    try:
        for turn in range(100 if LONG else 8):
            for place, name in enumerate(names):
                hub.source(name, films(40 + turn, first=place * 10_000, overview=f"As told in turn {turn}"))
                hub.sync(name)
            time.sleep(dice.uniform(0, 1.5))
            victim = dice.choice([*hub.queue(), hub.worker.process.pid])
            with_death(victim, signal.SIGKILL)
            killed += 1
            if victim == hub.worker.process.pid:
                hub.worker.process.wait()
                wait_for(lambda: not hub.queue(), within=20)
                assert not hub.queue(), "an orphan"
                hub.start()
        assert hub.settled(within=120), hub.worker.output
        for name in names:
            hub.sync(name)
        assert hub.settled()
        for place, name in enumerate(names):
            assert hub.titles(name) == [f"Film {place * 10_000 + n}" for n in range(40 + turn)]
            said = hub.ask("set(Entry.objects.filter(list__name=name).values_list('overview', flat=True))", name=name)
            assert said == f"{{'As told in turn {turn}'}}"
        hub.worker.manage("verify_integrity")
    finally:
        hub.end()
    assert killed
