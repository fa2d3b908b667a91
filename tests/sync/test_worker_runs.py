"""Runs of a real worker: cancelled, ended, killed and put to sleep at any moment, and never done by halves."""

import contextlib
import http.client
import itertools
import os
import re
import signal
import sys
import threading
import time

import pytest

from tests.processes import strain, wait_for
from tests.sync.hub import POSTGRES, Hub, Talker, films

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only on Linux: reads /proc")
ENDED = "completed", "partial", "failed", "cancelled", "interrupted"
numbers = itertools.count()


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    hub = Hub(tmp_path_factory.mktemp("hub"))
    hub.start()
    yield hub
    hub.end()


@pytest.fixture
def name(hub) -> str:
    """Of a list with a source that has 300 films that nobody else has."""
    number = next(numbers)
    hub.source(f"list {number}", films(300, first=number * 1000))
    return f"list {number}"


def ended(hub: Hub, run: int, *, within: float) -> dict:
    wait_for(lambda: hub.told(run)["state"] in ENDED, within=within)
    return hub.told(run)


@pytest.mark.covers("SYNC-08", "HIST-02", "HIST-07")
@pytest.mark.parametrize("place", ["claimed", "read", "folding"])
def test_a_cancelled_run_stops_within_two_seconds(hub, name, place):
    hub.hold(place)
    run = hub.sync(name)
    hub.held()
    assert hub.told(run)["state"] == "running"
    began = time.monotonic()
    hub.do("runs.cancel(Run.objects.get(pk=pk), by=user)", pk=run)
    told = ended(hub, run, within=10)
    assert (told["state"], told["error_code"]) == ("cancelled", "cancelled")
    assert time.monotonic() - began < 10 * strain()  # two on a machine that is not busy; by itself it would go on
    assert told["error"] == "ines cancelled this. Nothing was changed."
    assert hub.titles(name) == []
    hub.let_go()
    assert ended(hub, hub.sync(name), within=40)["state"] == "completed"
    assert len(hub.titles(name)) == 300


@pytest.mark.covers("SYNC-08")
def test_a_source_that_does_not_answer_is_cancelled_and_left_in_time(hub, name):
    hub.source(name, [*films(10), {"sleep": 60}])
    run = hub.sync(name)
    wait_for(lambda: hub.told(run)["step"] == "Reading", within=20)
    hub.do("runs.cancel(Run.objects.get(pk=pk), by=user)", pk=run)
    began = time.monotonic()
    assert ended(hub, run, within=10)["state"] == "cancelled"
    assert time.monotonic() - began < 60, "the answer takes sixty"
    again = hub.ask("refused(lambda: runs.cancel(Run.objects.get(pk=pk), by=user))", pk=run)
    assert "has ended already (cancelled)" in again


@pytest.mark.covers("SYNC-08")
@pytest.mark.skipif(POSTGRES, reason="only on SQLite: PostgreSQL fills a list in one transaction")
def test_a_first_fill_is_cancelled_between_two_blocks(hub, name):
    rows = films(3000, first=5_000_000)
    hub.source(name, rows)
    hub.hold("between blocks")
    run = hub.sync(name)
    hub.held()
    assert hub.told(run)["step"] == "Filling"
    hub.do("runs.cancel(Run.objects.get(pk=pk), by=user)", pk=run)
    told = ended(hub, run, within=20)
    hub.let_go()
    assert (told["state"], told["error"]) == ("cancelled", "ines cancelled this. Nothing was changed.")
    assert hub.titles(name) == []
    again = hub.sync(name)
    assert ended(hub, again, within=60)["state"] == "completed"
    assert hub.titles(name) == [row["title"] for row in rows]
    assert {"Filling", "Writing"} <= set(hub.ask("Run.objects.get(pk=pk).details['timings_s']", pk=again))
    hub.worker.manage("verify_integrity")


@pytest.mark.covers("SYNC-08")
def test_what_is_being_written_is_not_cancelled(hub, name):
    hub.hold("written")
    run = hub.sync(name)
    hub.held()
    said = hub.ask("refused(lambda: runs.cancel(Run.objects.get(pk=pk), by=user))", pk=run)
    hub.let_go()
    assert "too late" in said
    assert ended(hub, run, within=20)["state"] == "completed"


@pytest.mark.covers("SAFE-06", "SYNC-20", "SYNC-02")
@pytest.mark.parametrize("place", ["claimed", "read", "matching", "folding", "publishing", "published", "done"])
def test_a_worker_that_is_killed_costs_an_attempt_and_nothing_else(hub, name, place):
    """In each phase, transactions included; what was committed stands, and nothing else does."""
    hub.hold(place)
    run = hub.sync(name)
    os.kill(hub.held(), signal.SIGKILL)
    hub.let_go()
    assert hub.settled()
    told = hub.told(run)
    committed = place in ("published", "done")
    assert told["state"] == ("completed" if committed else "interrupted"), told
    attempts = hub.ask(
        'list(Run.objects.filter(list__name=name).order_by("id").values_list("state", "interruptions"))', name=name
    )
    assert attempts == ([["completed", 0]] if committed else [["interrupted", 1], ["completed", 1]])
    assert len(hub.titles(name)) == 300
    assert hub.ask("MediaList.objects.get(name=name).versions.count()", name=name) == 1
    assert hub.ask("Entry.history.filter(list__name=name).count()", name=name) == 300


@pytest.mark.covers("SAFE-06")
def test_a_worker_that_slept_through_its_lease_writes_nothing(hub, name):
    hub.hold("folding")
    run = hub.sync(name)
    sleeper = hub.held()
    hub.put_to_sleep(sleeper)
    try:
        wait_for(lambda: hub.told(run)["state"] == "interrupted", within=30)
        assert hub.settled()
        before = hub.ask("Run.objects.values().get(pk=pk)", pk=run)
        assert hub.ask("MediaList.objects.get(name=name).versions.count()", name=name) == 1
    finally:
        hub.let_go()
        os.kill(sleeper, signal.SIGCONT)
    # Its watch sees it, or its next transaction, whichever wakes first.
    lost = re.compile(rf"run {run}: (Another worker was given this run|This run was given up in the meantime)")
    wait_for(lambda: lost.search(hub.worker.output), within=10)
    assert lost.search(hub.worker.output), hub.worker.output
    assert hub.ask("Run.objects.values().get(pk=pk)", pk=run) == before
    assert hub.ask("MediaList.objects.get(name=name).versions.count()", name=name) == 1
    assert len(hub.titles(name)) == 300


@pytest.mark.covers("SYNC-02")
def test_a_task_that_is_delivered_four_times_is_done_once(hub, name):
    hub.source(name, [*films(10), {"sleep": 1}])
    run = hub.sync(name)
    hub.do("for _ in range(3): runs.enqueue(runs.EXECUTE, pk)", pk=run)
    assert hub.settled()
    assert hub.told(run)["state"] == "completed"
    assert hub.ask("Run.objects.filter(list__name=name).count()", name=name) == 1
    assert hub.ask("MediaList.objects.get(name=name).versions.count()", name=name) == 1


@pytest.mark.covers("SYNC-03", "SYNC-21")
def test_what_is_more_urgent_goes_first_and_no_more_run_than_may(hub):
    """Five lists, two slots: while both are taken, three wait, and the most urgent of them is the next."""
    lists = [f"queue {n}" for n in range(5)]
    for place, name in enumerate(lists):
        hub.source(name, [*films(5, first=900_000 + place * 10), {"sleep": 0.7}])
    hub.do("for pair in pairs: ask(*pair)", pairs=list(zip(lists, (5, 5, 1, 9, 5), strict=True)))
    most = 0
    while hub.ask("Run.objects.active().count()"):
        most = max(most, hub.ask("Run.objects.working().count()"))
    assert most == 2
    order = hub.ask(
        'list(Run.objects.filter(list__name__startswith="queue").order_by("started_at").values_list("priority", flat=True))'
    )
    assert order.index(9) <= 2  # the two slots may have been taken before it was asked for
    assert order[-1] == 1


@pytest.mark.covers("SYNC-19")
def test_the_progress_of_a_run_can_be_watched_and_never_falls(hub, name):
    hub.source(name, [row for n in range(6) for row in (*films(100, first=800_000 + n * 100), {"sleep": 0.5})])
    run = hub.sync(name)
    seen, pace = [], []
    while (told := hub.told(run))["state"] not in ENDED:
        seen.append((told["progress"], told["found"], told["step"]))
        pace.append(hub.ask("[(r.left_s, r.items_per_s) for r in [Run.objects.get(pk=pk)]][0]", pk=run))
        time.sleep(0.1)
    shares = [share for share, _, _ in seen]
    assert shares == sorted(shares)
    assert {"Reading"} <= {step for _, _, step in seen}
    assert max(found for _, found, step in seen if step == "Reading") > 0
    assert any(0 < share < 100 for share in shares)
    assert any(rate for _, rate in pace)
    assert told["progress"] == 100


@pytest.mark.covers("SYNC-07", "SYNC-02")
def test_a_hundred_requests_at_once_make_one_run(hub, name):
    hub.source(name, [*films(10), {"sleep": 2}])
    asked = hub.ask("list(ThreadPoolExecutor(20).map(lambda n: ask_alone(name), range(100)))", name=name)
    assert len([run for run in asked if run]) == 1
    assert hub.settled()
    assert hub.ask("MediaList.objects.get(name=name).versions.count()", name=name) == 1


@pytest.mark.covers("CACHE-02")
def test_a_lock_is_held_by_one_process_renewed_and_lost_by_who_sleeps(hub):
    """In the database: with Redis and without it the same."""
    take = "from sync.lease import lock; way = lock('tidy', seconds=2); held = way.__enter__(); answer = held and held.token"
    one, other = Talker(hub.env), Talker(hub.env)
    try:
        first = one.do(take)
        assert first
        time.sleep(3)
        assert other.do(take) is None, "it is renewed"
        # Not while it writes: whoever sleeps in a transaction keeps SQLite's one writer.
        until = "from sync.models import Lock; answer = str(Lock.objects.get(name='tidy').until)"
        before = other.do(until)
        wait_for(lambda: other.do(until) != before, within=10)
        os.kill(one.process.pid, signal.SIGSTOP)
        wait_for(lambda: other.do(take), within=10)
        os.kill(one.process.pid, signal.SIGCONT)
        assert other.ask("held.token") == first + 1
        assert one.ask("held.renew()") is False
        one.do("way.__exit__(None, None, None)")  # takes nothing from who holds it now
        assert other.ask("held.renew()") is True
        other.do("way.__exit__(None, None, None)")
        assert one.do(take) == first + 2
    finally:
        one.end()
        other.end()


@pytest.mark.covers("SAFE-06")
def test_nothing_that_a_killed_web_server_has_said_is_lost(hub):
    """kill -9 of all of it while syncs are asked for: each run that was acknowledged is there, and is done."""
    names = [f"posted {n}" for n in range(3)]
    for place, name in enumerate(names):
        hub.source(name, films(20, first=700_000 + place * 100))
    lists = hub.ask("[MediaList.objects.get(name=name).pk for name in names]", names=names)
    with hub.web() as web:
        acknowledged: list[int] = []

        def post(list_: int) -> None:
            for _ in range(8):
                with contextlib.suppress(OSError, http.client.HTTPException):
                    acknowledged.extend(hub.api(f"lists/{list_}/sync/", {"force": True})["runs"])

        posting = [threading.Thread(target=post, args=[list_]) for list_ in lists]
        for thread in posting:
            thread.start()
        wait_for(lambda: len(acknowledged) >= 2, within=60)
        os.killpg(web.pid, signal.SIGKILL)
        web.wait()
    for thread in posting:
        thread.join()
    assert acknowledged
    assert hub.settled()
    ends = hub.ask("list(Run.objects.filter(pk__in=pks).values_list('state', flat=True))", pks=acknowledged)
    assert ends == ["completed"] * len(set(acknowledged))
