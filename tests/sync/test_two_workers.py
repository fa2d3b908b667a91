"""Two workers on one database share the runs; one of them is killed with all of its processes, and the other does the rest."""

import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import Program, strain, wait_for
from tests.sync.hub import BOOT, POSTGRES, Hub, films, with_death

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only on Linux: reads /proc")
REDIS = POSTGRES and bool(os.environ.get("REDIS_URL"))
LISTS, SOURCES, FILMS = 6, 5, 20
SLOTS = 4  # two processes of each worker
# On SQLite nobody else could write, and so not ask for anything, while a transaction is held.
PLACE = "publishing" if POSTGRES else "folding"
MAKE = """
for list_number, sources in enumerate(paths):
    list_ = services.create_list(user, name=f"list {list_number}")
    for name, path in sources:
        services.add_source(list_, adapter="scripted_live", name=name, by=user, gap_min=0, config={"path": path})
"""
NAMED = (
    "[task.result for task in __import__('django_q.models').models.Success.objects.filter(func='sync.processes.name')]"
)
ENDS = "list(Run.objects.order_by('id').values_list('source__name', 'state', 'worker'))"
LEFT = """
from sync.models import Lock
answer = {
    "active": Run.objects.active().count(), "slots": Run.objects.exclude(slot=None).count(),
    "leases": Run.objects.exclude(lease_until=None).count(),
    "locks": Lock.objects.filter(until__gt=__import__("django.utils.timezone").utils.timezone.now()).count(),
}
"""


@pytest.fixture(params=["queue in the database", "queue in Redis"])
def hub(request, tmp_path) -> Iterator[Hub]:
    in_redis = request.param == "queue in Redis"
    if in_redis and not REDIS:
        pytest.skip("only on PostgreSQL and Redis")
    more = {} if in_redis else {"REDIS_URL": ""}
    # A worker that is killed is missed because its process is gone, not because a machine was busy.
    hub = Hub(
        tmp_path,
        LISTKEEPER_PARALLEL_RUNS=str(SLOTS),
        LISTKEEPER_LEASE_SECONDS="20",
        LISTKEEPER_SILENCE_SECONDS="60",
        **more,
    )
    yield hub
    hub.end()


@pytest.fixture
def workers(hub) -> Iterator[list[Program]]:
    """Both, each known to take up tasks."""
    (folder := hub.folder / "other").mkdir()
    other = Program(folder, "worker", script=BOOT)
    other.env = {**hub.worker.env, "PROGRAM_MARK": other.mark}
    both = [hub.worker, other]
    for worker in both:
        worker.start()
    ask = "for _ in range(4): __import__('django_q.tasks').tasks.async_task('sync.processes.name')"

    def both_work() -> bool:
        hub.do(ask)
        return all(at_work_in(worker, hub.ask(NAMED)) for worker in both)

    wait_for(both_work, within=60)
    assert both_work(), [worker.output for worker in both]
    yield both
    other.end()


def at_work_in(worker: Program, names: list[str]) -> set[int]:
    """Of these names of processes, those that are the worker's. A name is host:pid:..."""
    return {int(name.split(":")[1]) for name in names if name} & worker.left().keys()


class Sources:
    """Five of each of six lists; each has films of its own, and writes down whenever it is read."""

    def __init__(self, hub: Hub):
        self.names = [[f"source {list_}.{number}" for number in range(SOURCES)] for list_ in range(LISTS)]
        self.rows = {
            name: films(FILMS, first=1000 * place)
            for place, name in enumerate(name for row in self.names for name in row)
        }
        self.folder = hub.folder
        for name, rows in self.rows.items():
            note = {"read_log": str(self._notes(name))}
            (hub.folder / f"{name}.json").write_text(json.dumps([note, *rows]))
        hub.do(MAKE, paths=[[(name, str(hub.folder / f"{name}.json")) for name in row] for row in self.names])

    def _notes(self, name: str) -> Path:
        return self.folder / f"{name}.notes"

    def times_read(self, name: str) -> int:
        notes = self._notes(name)
        return len(notes.read_text().splitlines()) if notes.exists() else 0


def ask_for(hub: Hub, names: list[str]) -> None:
    assert all(hub.do("answer = [ask(name) for name in names]", names=names))


@pytest.mark.covers("SYNC-02", "SAFE-06", "SYNC-20")
def test_each_run_is_done_once_although_one_of_two_workers_is_killed(hub, workers):
    sources = Sources(hub)
    first = [name for row in sources.names for name in row[:2]]
    ask_for(hub, first)
    assert hub.settled(within=90), [worker.output for worker in workers]
    before = hub.ask(ENDS)
    assert sorted(name for name, state, _ in before if state == "completed") == sorted(first)
    shares = [at_work_in(worker, [name for _, _, name in before]) for worker in workers]
    assert all(shares), "both took part"

    (hub.folder / "hold").write_text(PLACE)
    ask_for(hub, [name for row in sources.names for name in row[2:]])
    held = hub.held()
    victim, survivor = sorted(workers, key=lambda worker: held not in worker.left())
    lost = set(victim.left())
    for pid in lost:
        with_death(pid, signal.SIGKILL)
    hub.let_go()
    victim.process.wait()
    wait_for(lambda: not victim.left(), within=20)
    assert victim.left() == {}
    assert hub.settled(within=120), survivor.output

    check(hub, sources, lost)
    survivor.process.send_signal(signal.SIGTERM)
    assert survivor.process.wait(28 * strain()) == 0
    assert survivor.left() == {}
    assert "Traceback" not in survivor.output, survivor.output
    hub.worker.manage("verify_integrity")


def check(hub: Hub, sources: Sources, lost: set[int]) -> None:
    """Every run was carried out once; those that the dead had in hand once more, and nobody else's."""
    ends = hub.ask(ENDS)
    assert {state for _, state, _ in ends} == {"completed", "interrupted"}
    completed = Counter(name for name, state, _ in ends if state == "completed")
    assert completed == dict.fromkeys(sources.rows, 1)
    interrupted = Counter(name for name, state, _ in ends if state == "interrupted")
    assert 1 <= interrupted.total() <= SLOTS // 2, "as many as a worker has processes"
    assert {int(worker.split(":")[1]) for _, state, worker in ends if state == "interrupted"} <= lost
    for name in sources.rows:
        # A run that died may have died before it read.
        assert 1 <= sources.times_read(name) <= 1 + interrupted[name], name
    for number, names in enumerate(sources.names):
        versions = "list(MediaList.objects.get(name=name).versions.order_by('number').values_list('number', 'added'))"
        assert hub.ask(versions, name=f"list {number}") == [[n, FILMS] for n in range(1, SOURCES + 1)]
        titles = [row["title"] for name in names for row in sources.rows[name]]
        assert sorted(hub.titles(f"list {number}")) == sorted(titles)
    assert hub.do(LEFT) == {"active": 0, "slots": 0, "leases": 0, "locks": 0}
