"""The benchmark of a sync runs and holds what it counts against its bars. What it times depends on the machine."""

import os
import re
import subprocess
import sys

import pytest

from tests.processes import ROOT

COUNTED = ("rows of history", "statements: unchanged")  # whatever the machine and the number of rows


@pytest.mark.covers("OPS-08")
@pytest.mark.skipif(os.environ.get("DATABASE_URL", "").startswith("postgres"), reason="only on SQLite: once is enough")
def test_it_prints_every_property_with_its_bar_and_whether_it_holds():
    words = ["--items", "300", "--times", "1", "--phases", "first,unchanged"]
    done = subprocess.run(
        [sys.executable, "-m", "bench.engine", *words], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    rows = re.findall(r"^(\S.*?) +(?:>=|<=|=) \S+ +\S+  (holds|MISSED)$", done.stdout, re.MULTILINE)
    names = [name for name, _ in rows]
    assert {"first, of loading", "unchanged without, of decoding"} <= set(names), done.stdout
    counted = [(name, verdict) for name, verdict in rows if name.startswith(COUNTED)]
    assert len(counted) == 5, done.stdout
    assert {verdict for _, verdict in counted} == {"holds"}, done.stdout
