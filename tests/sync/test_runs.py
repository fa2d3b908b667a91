"""Runs are claimed once, closed once, and leave nothing half done."""

import pytest
from django.db import IntegrityError
from django.utils import timezone

from lists import writer
from lists.models import Claim, Entry, Proposal
from sync import pipeline, runs, tasks, uploads
from sync.errors import SyncError
from sync.models import Run


def rows(count: int, **more):
    return [
        {"key": f"tt{n}", "ids": {"imdb": f"tt{n}"}, "title": f"Film {n}", "year": 1990, **more} for n in range(count)
    ]


@pytest.fixture
def confirmed(films, upload, ines):
    return uploads.confirm(upload(films, rows(3), confirm=False), by=ines)


def test_a_task_that_is_delivered_twice_runs_once(confirmed, films):
    assert "version 1" in tasks.execute_run(confirmed.pk)
    assert "not waiting any more" in tasks.execute_run(confirmed.pk)
    assert films.versions.count() == 1


def test_a_list_takes_one_run_at_a_time(confirmed, films, upload, ines, work):
    assert runs.claim(confirmed.pk)
    later = uploads.confirm(upload(films, rows(4), source=None, confirm=False), by=ines)
    assert runs.claim(later.pk) is None
    later.refresh_from_db()
    assert later.state == Run.State.QUEUED
    with pytest.raises(IntegrityError):
        Run.objects.filter(pk=later.pk).update(state=Run.State.RUNNING)


def test_what_breaks_while_publishing_leaves_nothing(confirmed, films, monkeypatch):
    def breaks(self):
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(writer.Publication, "_write_claims", breaks)
    with pytest.raises(RuntimeError):
        tasks.execute_run(confirmed.pk)
    films.refresh_from_db()
    confirmed.refresh_from_db()
    assert (films.current, films.item_count, Entry.objects.count(), Claim.objects.count()) == (None, 0, 0, 0)
    assert Entry.history.count() == 0
    assert confirmed.state == Run.State.FAILED
    assert "disk" not in confirmed.error
    assert "Nothing was changed" in confirmed.error


def test_a_list_that_moved_meanwhile_is_planned_again(confirmed, films, upload, monkeypatch, titles):
    publish, moves = writer.publish, iter([True])

    def moved_once(plan, **how):
        if next(moves, False):
            raise writer.ListMoved
        return publish(plan, **how)

    monkeypatch.setattr(writer, "publish", moved_once)
    tasks.execute_run(confirmed.pk)
    assert titles(films) == ["Film 0", "Film 1", "Film 2"]


def test_a_run_that_a_dead_worker_left_is_closed_and_tried_again(confirmed, films, work, titles):
    Run.objects.filter(pk=confirmed.pk).update(
        state=Run.State.RUNNING, lease_until=timezone.now() - runs.LEASE, started_at=timezone.now(), worker="gone:1"
    )
    assert runs.recover() == 1
    confirmed.refresh_from_db()
    assert confirmed.state == Run.State.INTERRUPTED
    work()
    assert titles(films) == ["Film 0", "Film 1", "Film 2"]
    again = Run.objects.get(previous=confirmed)
    assert (again.attempt, again.state) == (2, Run.State.COMPLETED)


def test_a_run_that_kills_its_worker_is_not_tried_for_ever(confirmed):
    for _ in range(5):
        Run.objects.filter(state=Run.State.QUEUED).update(
            state=Run.State.RUNNING, lease_until=timezone.now() - runs.LEASE, started_at=timezone.now(), worker="gone:1"
        )
        runs.recover()
    assert Run.objects.count() == 3
    assert "Upload it again" in Run.objects.first().error


def test_a_run_that_lives_is_left_alone(confirmed):
    assert runs.claim(confirmed.pk)
    assert runs.recover() == 0


def test_a_run_that_was_given_up_does_not_publish(confirmed, films, monkeypatch):
    run = runs.claim(confirmed.pk)
    Run.objects.filter(pk=run.pk).update(state=Run.State.INTERRUPTED)
    with pytest.raises(SyncError, match="given up"):
        pipeline.sync(run, uploads.body_of(run))
    assert not films.versions.exists()


def test_progress_never_falls(confirmed):
    run = runs.claim(confirmed.pk)
    times = iter(range(100))
    progress = runs.Progress(run, clock=lambda: next(times))
    seen = []
    for per_cent in (5, 30, 10, 80, 200):
        progress.to(per_cent)
        seen.append(Run.objects.get(pk=run.pk).progress)
    assert seen == [5, 30, 30, 80, 99]


def test_previews_that_nobody_decided_are_emptied(films, upload):
    proposal = upload(films, rows(1), confirm=False)
    Proposal.objects.filter(pk=proposal.pk).update(expires_at=timezone.now())
    assert "1 previews lapsed" in tasks.tick()
    proposal.refresh_from_db()
    assert (proposal.state, proposal.body) == (Proposal.State.WITHDRAWN, None)


@pytest.mark.covers("HIST-01", "HIST-02")
def test_a_run_keeps_what_it_could_not_read(films, upload):
    run = upload(films, [*rows(3), {"broken": "tt9"}, {"person": True}, rows(1)[0]])
    assert run.state == Run.State.PARTIAL
    assert (run.found, run.added, run.skipped, run.not_taken, run.duplicates) == (3, 3, 1, 1, 1)
    assert run.details["problems"] == [{"line": 4, "reason": "It is broken.", "text": ""}]
    assert set(run.details["timings_s"]) == {"Reading", "Comparing", "Writing"}
    assert run.duration_ms is not None


def test_a_file_without_media_is_refused_with_the_reason(films, upload):
    proposal = upload(films, [{"person": True}, {"person": True}], confirm=False)
    assert proposal.state == Proposal.State.REFUSED
    assert "2 × person" in proposal.error
