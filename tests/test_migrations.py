"""Migrations go up from nothing, all the way down, and up again."""

import os
import sqlite3

import pytest

from tests.processes import Program


@pytest.mark.covers("OPS-02")
@pytest.mark.skipif(
    os.environ.get("DATABASE_URL", "").startswith("postgres"),
    reason="only on SQLite: PostgreSQL's suite starts from nothing",
)
def test_they_apply_from_nothing_and_can_be_taken_back(tmp_path):
    program = Program(tmp_path, "migrate")
    program.manage("migrate", "--verbosity", "0")
    program.manage("migrate", "--check")
    program.manage("migrate", "sync", "zero", "--verbosity", "0")
    program.manage("migrate", "lists", "zero", "--verbosity", "0")
    with sqlite3.connect(program.database) as connection:
        left = connection.execute(
            "SELECT name FROM sqlite_master WHERE name LIKE 'lists%' OR name LIKE 'sync%'"
        ).fetchall()
    assert left == []
    program.manage("migrate", "--verbosity", "0")
    program.manage("makemigrations", "--check")
