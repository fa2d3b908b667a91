"""What the workers' tasks make of what breaks in them."""

import pytest

from lists import search
from sync import access, signing_in, tasks, uploads
from sync.lease import lock


def broken() -> int:
    raise ValueError("nobody thought of it")


def test_what_fails_in_a_tick_is_told_and_all_behind_it_is_done(db, monkeypatch, caplog):
    monkeypatch.setattr(uploads, "sweep", broken)
    monkeypatch.setattr(signing_in, "ask_all", broken)
    monkeypatch.setattr(access, "keep_fresh", lambda: 7)
    monkeypatch.setattr(search, "settle_owed", lambda: 9)
    told = tasks.tick()
    assert told.startswith("previews lapsed: that failed, 0 questions closed")
    assert told.endswith("sign-ins came true: that failed, 7 tokens renewed, 9 rows made ready for the search")
    assert "nobody thought of it" in caplog.text


def test_what_fails_at_night_keeps_nothing_else_from_being_done(db, monkeypatch):
    monkeypatch.setattr(tasks, "prune_runs", broken)
    assert tasks.nightly().startswith("0 old versions emptied, old runs deleted: that failed, 0 settled")


@pytest.mark.parametrize("name", ["tick", "nightly"])
def test_nothing_waits_behind_a_tick_that_takes_long(db, name, monkeypatch):
    monkeypatch.setattr(uploads, "sweep", lambda: pytest.fail("two at once"))
    with lock(name):
        assert "another worker is at" in getattr(tasks, name)()
    monkeypatch.undo()
    assert "0 " in getattr(tasks, name)()
