"""Schedule and batches through the real worker."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest

from tests.processes import ROOT, Program, strain, wait_for

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="only on Linux: reads /proc"),
    pytest.mark.skipif(os.environ.get("DATABASE_URL", "").startswith("postgres"), reason="only on SQLite"),
]
SET_UP = """
from django.contrib.auth import get_user_model
from lists import services
user = get_user_model().objects.create_user("ines")
for n in range({count}):
    list_ = services.create_list(user, name=f"List {{n}}")
    services.add_source(list_, adapter="scripted_live", name=f"s{{n}}", by=user, config={{"path": {folder!r} + f"/{{n}}.json"}})
"""
DISPATCH = "from sync.schedule import dispatch; print(dispatch())"
BATCH = """
from django.contrib.auth import get_user_model
from lists.models import MediaList
from sync import batches
user = get_user_model().objects.get()
batches.start(list(MediaList.objects.order_by("id")), by=user, strategy="adaptive")
"""


class Site:
    """The worker, and lists whose sources read files."""

    def __init__(self, folder):
        self.folder = folder
        self.worker = Program(folder, "worker", script=("-m", "tests.sync.boot")).with_tables()

    def answers(self, *answers) -> None:
        for n, answer in enumerate(answers):
            (self.folder / f"{n}.json").write_text(json.dumps(answer))
        self.do(SET_UP.format(count=len(answers), folder=str(self.folder)))

    def do(self, code: str) -> None:
        self.worker.manage("shell", "--verbosity", "0", "--command", code)

    def ask(self, sql: str) -> tuple:
        with closing(sqlite3.connect(self.worker.database, timeout=20)) as connection:
            return connection.execute(sql).fetchone()

    def runs(self, state: str) -> int:
        return self.ask(f"SELECT count(*) FROM sync_run WHERE state = '{state}'")[0]


@pytest.fixture
def site(tmp_path):
    site = Site(tmp_path)
    yield site
    site.worker.end()


def films(n: int):
    return [{"key": f"tt{n}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990}]


@pytest.mark.covers("SYNC-01")
def test_a_due_list_is_run_once_however_many_look(site):
    site.answers(films(1))
    site.worker.start(LISTKEEPER_DISPATCH_SECONDS="1")
    command = [sys.executable, *site.worker.script, "shell", "--verbosity", "0", "--command", DISPATCH]
    looking = [subprocess.Popen(command, cwd=ROOT, env=site.worker.env, stdout=subprocess.DEVNULL) for _ in range(3)]
    assert [process.wait(120 * strain()) for process in looking] == [0, 0, 0]
    wait_for(lambda: site.runs("completed"), within=60)
    assert site.ask("SELECT count(*), max(kind), max(state) FROM sync_run") == (1, "scheduled", "completed")
    assert site.ask("SELECT count(*) FROM lists_entry") == (1,)
    assert site.ask("SELECT next_sync_at > datetime('now', '+359 minutes') FROM lists_source") == (1,)


@pytest.mark.covers("BAT-02")
def test_two_of_five_hang_and_the_other_three_end(site):
    hangs = [{"sleep": 600}]
    site.answers(films(1), hangs, films(3), hangs, films(5))
    site.worker.start(LISTKEEPER_WORKERS="5", LISTKEEPER_DISPATCH_SECONDS="1")
    site.do(BATCH)
    wait_for(lambda: site.runs("running") >= 2, within=60)  # the worker is up
    wait_for(lambda: site.runs("completed") == 3, within=10)
    assert (site.runs("completed"), site.runs("running")) == (3, 2)
    seen = [site.ask("SELECT width, hanging FROM sync_batch")]
    deadline = time.monotonic() + 20
    while seen[-1][1] < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
        seen.append(site.ask("SELECT width, hanging FROM sync_batch"))
    (width, hanging), (before, _) = seen[-1], seen[-2]
    assert hanging == 2
    assert width < before or width == 1
    assert site.ask("SELECT state FROM sync_batch") == ("running",)
