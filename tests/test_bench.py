"""The benchmarks run and hold what they count against its bars. What they time depends on the machine."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from bench import together
from bench.bars import Row, table
from tests.processes import ROOT, migrated

POSTGRES = os.environ.get("DATABASE_URL", "").startswith("postgres")
LONG = bool(os.environ.get("LISTKEEPER_LONG_TESTS"))
once = pytest.mark.skipif(POSTGRES, reason="only on SQLite: once is enough")
VERDICT = re.compile(r"^(\S.*?) +(?:>=|<=|=) \S+ +\S+  (holds|MISSED)$", re.MULTILINE)
COUNTED = ("rows of history", "statements: unchanged")  # whatever the machine and the number of rows


@pytest.mark.covers("OPS-08")
@once
def test_it_prints_every_property_with_its_bar_and_whether_it_holds():
    told = bench("engine", "--items", "300", "--times", "1", "--phases", "first,unchanged")
    rows = VERDICT.findall(told)
    names = [name for name, _ in rows]
    assert {"first, of loading", "unchanged without, of decoding"} <= set(names), told
    counted = [(name, verdict) for name, verdict in rows if name.startswith(COUNTED)]
    assert len(counted) == 5, told
    assert {verdict for _, verdict in counted} == {"holds"}, told


@once
def test_reading_is_held_against_its_bars(tmp_path):
    (folder := tmp_path / "listkeeper-bench-reads").mkdir()
    shutil.copy(migrated(), folder / "listkeeper.sqlite3")
    parts = "pages,integrity" if LONG else "integrity"  # of pages there are hundreds
    told = bench("reads", "--rows", "300", "--only", parts, TMPDIR=str(tmp_path))
    pages = ["behind row 270, by order", "search for 'night': a page"]
    for what in [*(pages if LONG else []), "verify_integrity"]:
        assert re.search(rf"{what} .* <= \S+  (holds|MISSED)$", told, re.MULTILINE), told
    assert re.search(rf"^{told.count('MISSED')} missed", told, re.MULTILINE), told


@once
@pytest.mark.skipif(not LONG, reason="only where long tests run: it starts twenty processes")
@pytest.mark.parametrize(
    ("words", "tables", "counted"),
    [
        (["small", "--writers", "20"], 1, {"refused: database is locked", "other errors"}),
        (["items", "--new", "200"], 2, {"items", "ids", "entries", "words lost", "items that are doubles"}),
    ],
)
def test_many_at_once_are_held_against_their_bars(words, tables, counted):
    told = bench("together", *words, "--rows", "100", "--seconds", "1")
    rows = VERDICT.findall(told)
    assert told.count("property ") == tables, told
    assert counted <= {name for name, verdict in rows if verdict == "holds"}, told


def test_an_error_of_a_lock_is_told_apart_and_misses_its_bar():
    locked, others = together.error_rows(["OperationalError('database is locked')", "AssertionError('failed')"] * 2)
    assert (locked.reached, others.reached) == (2, 2)
    assert together.error_rows([])[0].holds
    rows = [Row("p99", 50, 50.0), Row("p99", 50, 50.1), locked]
    assert [verdict for _, verdict in VERDICT.findall(table(rows))] == ["holds", "MISSED", "MISSED"]


def bench(script: str, *words: str, **env: str) -> str:
    """What a script of bench/ prints, on a SQLite file of its own."""
    env = {**os.environ, "DATABASE_URL": "", "REDIS_URL": "", **env}
    done = subprocess.run(
        [sys.executable, "-m", f"bench.{script}", *words],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
