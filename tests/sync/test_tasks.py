"""What the workers' tasks make of what breaks in them."""

import queue
from datetime import timedelta
from multiprocessing import Value

import pytest
from django.utils import timezone
from django_q import monitor, worker
from django_q.brokers import get_broker
from django_q.exceptions import TimeoutException
from django_q.models import Failure, Task

from lists import search
from sync import access, runs, signing_in, tasks, uploads
from sync.lease import lock
from tests import scripted


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
    assert tasks.nightly().startswith("0 old versions emptied, old runs deleted: that failed, 0 failed tasks")


@pytest.mark.parametrize("name", ["tick", "nightly"])
def test_nothing_waits_behind_a_tick_that_takes_long(db, name, monkeypatch):
    monkeypatch.setattr(uploads, "sweep", lambda: pytest.fail("two at once"))
    with lock(name):
        assert "another worker is at" in getattr(tasks, name)()
    monkeypatch.undo()
    assert "0 " in getattr(tasks, name)()


ADDRESS = "https://ada:canary-pass@tv.example/get.php?password=canary-pass"


def failed(path: str, *ids: int, monkeypatch) -> Task:
    """The row that django-q2 keeps of a task, made by its own worker and monitor in this process."""
    for module in (worker, monitor):
        monkeypatch.setattr(module, "close_old_django_connections", lambda: None)
    todo, done = queue.Queue(), queue.Queue()
    todo.put({"id": "a" * 32, "name": "x", "func": path, "args": ids, "kwargs": {}, "started": timezone.now()})
    todo.put("STOP")
    worker.worker(todo, done, Value("f", -1), 100)
    monitor.save_task(done.get(), get_broker())
    return Failure.objects.get()


@pytest.mark.parametrize("how", [RuntimeError, TimeoutException])
def test_a_task_that_fails_leaves_no_login_in_the_table_of_tasks(films, live, ines, monkeypatch, caplog, how):
    def fetch(self, ctx):
        try:
            raise RuntimeError(f"cannot read {ADDRESS}")
        except RuntimeError as e:
            raise how(f"cannot read {ADDRESS}" if how is RuntimeError else "took too long") from e
        yield

    monkeypatch.setattr(scripted.ScriptedLive, "fetch", fetch)
    run = runs.request_sync(live(films), by=ines).run
    kept = failed(runs.EXECUTE, run.pk, monkeypatch=monkeypatch)
    assert "canary" not in str(kept.result)
    assert "execute_run" in kept.result
    run.refresh_from_db()
    assert (run.state, "canary" in run.error) == ("failed", False)
    assert f"while it carried out run {run.pk}" in caplog.text


def test_rows_of_failed_tasks_are_kept_as_long_as_runs(db, settings):
    settings.RUN_DAYS = 90
    for days in (89, 91):
        at = timezone.now() - timedelta(days=days)
        Task.objects.create(id=f"{days}", name="n", func="f", started=at, stopped=at, success=False)
    assert "1 failed tasks forgotten" in tasks.nightly()
    assert Failure.objects.get().pk == "89"
