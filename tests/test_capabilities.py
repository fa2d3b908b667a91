"""docs/capabilities.md and the tests agree about what works."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "capabilities.md"
ID = re.compile(r"[A-Z]+-\d\d")
STATES = ("working", "partly", "later")


class Capability(NamedTuple):
    id: str
    text: str
    state: str
    where: str


def capabilities(text: str) -> list[Capability]:
    rows = (line.strip().strip("|").split("|") for line in text.splitlines() if line.startswith("|"))
    return [Capability(*map(str.strip, row)) for row in rows if ID.fullmatch(row[0].strip())]


def covered(source: str) -> Iterator[str]:
    """The ids in every `pytest.mark.covers(...)` of a module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "covers":
            for id_ in node.args:
                assert isinstance(id_, ast.Constant), f"line {node.lineno}: covers() takes ids, spelled out"
                yield str(id_.value)


@pytest.fixture(scope="module")
def table() -> list[Capability]:
    return capabilities(TABLE.read_text())


@pytest.fixture(scope="module")
def tested() -> set[str]:
    return {id_ for path in (ROOT / "tests").rglob("test_*.py") for id_ in covered(path.read_text())}


def test_every_line_of_the_table_is_whole(table):
    lines = [line for line in TABLE.read_text().splitlines() if re.match(r"\| *[A-Z]+-\d", line)]
    assert len(table) == len(lines) > 0
    assert [id_ for id_, times in Counter(row.id for row in table).items() if times > 1] == []
    assert [row.id for row in table if not row.text or row.state not in STATES] == []


def test_what_works_says_where(table):
    assert [row.id for row in table if row.state != "later" and not row.where] == []


def test_what_works_is_tested(table, tested):
    assert [row.id for row in table if row.state != "later" and row.id not in tested] == []


def test_what_is_tested_is_in_the_table(table, tested):
    assert sorted(tested - {row.id for row in table}) == []


def test_the_ids_of_a_test_are_found():
    source = """
@pytest.mark.covers("LIST-01", "LIST-02")
def test_a(): ...

pytestmark = [pytest.mark.covers("SYNC-01")]
pytest.param(1, marks=pytest.mark.covers("VER-01"))
"""
    assert sorted(covered(source)) == ["LIST-01", "LIST-02", "SYNC-01", "VER-01"]
    with pytest.raises(AssertionError, match="line 1"):
        list(covered("pytest.mark.covers(IDS)"))
