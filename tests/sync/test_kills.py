"""kill -9 of a worker in the middle of an import: the list holds the old state or the new one, and it goes on."""

import os
import random
import signal
import sqlite3
import sys
from contextlib import closing

import pytest

from tests.processes import Program, wait_for

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="only on Linux: reads /proc"),
    pytest.mark.skipif(os.environ.get("DATABASE_URL", "").startswith("postgres"), reason="only on SQLite"),
]
LONG = bool(os.environ.get("LISTKEEPER_LONG_TESTS"))
ROWS = 4000
SET_UP = f"""
from django.contrib.auth import get_user_model
from bench.import_file import csv_file
from lists import services
from lists.models import Proposal
from sync import tasks, uploads
user = get_user_model().objects.create_user("ines")
list_ = services.create_list(user, name="Films")
for body in (csv_file({ROWS}), csv_file({ROWS}, changed={ROWS})):
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


@pytest.mark.parametrize("seed", range(20 if LONG else 2))
def test_a_killed_import_leaves_the_old_state_and_ends_well(tmp_path, seed):
    dice = random.Random(seed)
    worker = Program(tmp_path, "worker")
    worker.manage("migrate", "--verbosity", "0")
    worker.manage("shell", "--verbosity", "0", "--command", SET_UP)
    try:
        for _ in range(2):
            worker.start()
            wait_for(lambda: count(worker, "= 'running'"), within=30)
            wait_for(lambda: False, within=dice.uniform(0, 1.5))
            for pid in worker.left():
                os.kill(pid, signal.SIGKILL)
            wait_for(lambda: not worker.left(), within=20)
            if check(worker) == 2:
                break
        worker.start()
        wait_for(lambda: check(worker) == 2, within=60)
        assert check(worker) == 2
        wait_for(lambda: not count(worker, "IN ('queued', 'running')"), within=30)
        assert count(worker, "= 'completed'") == 2
    finally:
        worker.end()
