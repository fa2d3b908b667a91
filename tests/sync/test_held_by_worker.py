"""A source that has a bad day, through the real worker: what would leave waits, and a person decides."""

import json
import os
import sqlite3
import sys
from contextlib import closing

import pytest

from tests.processes import Program, wait_for

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="only on Linux: reads /proc"),
    pytest.mark.skipif(os.environ.get("DATABASE_URL", "").startswith("postgres"), reason="only on SQLite"),
]
SET_UP = """
from django.contrib.auth import get_user_model
from lists import services
user = get_user_model().objects.create_user("ines")
list_ = services.create_list(user, name="Films")
services.add_source(list_, adapter="scripted_live", name="live", by=user, gap_min=0, config={{"path": {path!r}}})
"""
SYNC = """
from lists.models import Source
from sync.runs import request_sync
request_sync(Source.objects.get(name="live"), by=None, force=True)
"""
APPLY = """
from lists import services
from lists.models import Proposal
services.apply_held(Proposal.objects.get(kind="held", state="open"), by=None, entries=None)
"""


class Source:
    """The worker, and the file that its source reads."""

    def __init__(self, folder):
        self.path = folder / "answer.json"
        self.worker = Program(folder, "worker", script=("-m", "tests.sync.boot")).with_tables()
        self.do(SET_UP.format(path=str(self.path)))
        self.worker.start()

    def do(self, code: str) -> None:
        self.worker.manage("shell", "--verbosity", "0", "--command", code)

    def ask(self, sql: str) -> tuple:
        with closing(sqlite3.connect(self.worker.database, timeout=20)) as connection:
            return connection.execute(sql).fetchone()

    def sync(self, count: int) -> tuple[int, int, str]:
        """(held, removed, state) of a run that found so many films."""
        rows = [
            {"key": f"tt{n}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990} for n in range(count)
        ]
        self.path.write_text(json.dumps(rows))
        (before,) = self.ask("SELECT count(*) FROM sync_run WHERE finished_at IS NOT NULL")
        self.do(SYNC)
        wait_for(lambda: self.ask("SELECT count(*) FROM sync_run WHERE finished_at IS NOT NULL")[0] > before, within=60)
        return self.ask("SELECT held, removed, state FROM sync_run ORDER BY id DESC LIMIT 1")

    @property
    def listed(self) -> int:
        return self.ask("SELECT count(*) FROM lists_entry WHERE state = 'listed'")[0]

    @property
    def waiting(self) -> int:
        return self.ask("SELECT count(*) FROM lists_proposal WHERE kind = 'held' AND state = 'open'")[0]


@pytest.fixture
def source(tmp_path):
    source = Source(tmp_path)
    yield source
    source.worker.end()


@pytest.mark.covers("SAFE-02", "LIST-13")
def test_what_is_held_stays_until_somebody_decides(source):
    assert source.sync(500) == (0, 0, "completed")
    assert source.sync(390) == (110, 0, "completed")
    assert (source.listed, source.waiting) == (500, 1)
    assert source.sync(410) == (0, 0, "completed"), "marked as missing"
    assert (source.listed, source.waiting) == (500, 0), "a better answer takes the question back"
    assert source.sync(410) == (0, 90, "completed")
    assert source.sync(0) == (410, 0, "completed")
    assert (source.listed, source.waiting) == (410, 1)
    source.do(APPLY)
    assert (source.listed, source.waiting) == (0, 0)
