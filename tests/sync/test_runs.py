"""Runs are claimed once, closed once, and leave nothing half done."""

from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.utils import timezone

from lists import writer
from lists.models import Claim, Entry, Item, Proposal
from sync import pipeline, processes, reaper, runs, tasks, uploads
from sync.edges import Broke
from sync.errors import Cancelled, LeaseLost
from sync.models import Run
from sync.progress import Progress
from sync.watch import Watch, watched


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


@pytest.fixture
def left_by(confirmed):
    """Have all queued runs started by a worker that is gone: its lease has run out."""

    def left_by(worker: str = "gone:1") -> None:
        now = timezone.now()
        Run.objects.filter(state=Run.State.QUEUED).update(
            state=Run.State.RUNNING, lease_until=now - timedelta(seconds=1), started_at=now, worker=worker, slot=0
        )

    return left_by


def test_who_has_ended_a_run_has_not_lost_it(confirmed):
    run = runs.claim()
    with watched(run) as progress:
        pipeline.sync(run, uploads.body_of(run), progress)
        Watch(progress).look()
        assert progress.stop is None


def test_a_list_takes_one_run_at_a_time(confirmed, films, upload, ines, work):
    assert runs.claim() == confirmed
    later = uploads.confirm(upload(films, rows(4), source=None, confirm=False), by=ines)
    assert runs.claim() is None
    later.refresh_from_db()
    assert later.state == Run.State.QUEUED
    now = timezone.now()
    with pytest.raises(IntegrityError, match=r"one_run_at_a_time|sync_run\.list_id"):
        Run.objects.filter(pk=later.pk).update(state=Run.State.RUNNING, started_at=now, lease_until=now, slot=1)


def test_what_breaks_while_publishing_leaves_nothing(confirmed, films, monkeypatch):
    def breaks(self, changed):
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(writer.Publication, "_write_claims", breaks)
    with pytest.raises(Broke):
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


@pytest.mark.covers("SYNC-20")
def test_a_run_that_a_dead_worker_left_is_closed_and_tried_again(confirmed, films, work, titles, left_by):
    left_by()
    assert reaper.reap() == 1
    confirmed.refresh_from_db()
    assert (confirmed.state, confirmed.error_code) == (Run.State.INTERRUPTED, "interrupted")
    work()
    assert titles(films) == ["Film 0", "Film 1", "Film 2"]
    again = Run.objects.get(previous=confirmed)
    assert (again.attempt, again.interruptions, again.state) == (1, 1, Run.State.COMPLETED)


def test_a_run_that_kills_its_worker_is_not_tried_for_ever(confirmed, left_by):
    for _ in range(5):
        left_by()
        reaper.reap()
    assert [run.state for run in Run.objects.order_by("id")] == ["interrupted", "interrupted", "failed"]
    assert "died 3 times" in Run.objects.first().error
    assert "Upload it again" in Run.objects.first().error


def test_a_cancelled_run_whose_worker_died_is_cancelled(confirmed, left_by, ines):
    left_by()
    runs.cancel(confirmed, by=ines)
    assert reaper.reap() == 1
    confirmed.refresh_from_db()
    assert (confirmed.state, confirmed.error_code) == (Run.State.CANCELLED, "cancelled")
    assert not Run.objects.active().exists()


def test_a_run_that_lives_is_left_alone(confirmed):
    assert runs.claim()
    assert reaper.reap() == 0


def test_a_run_whose_process_is_gone_need_not_wait_for_its_lease(confirmed):
    run = runs.claim()
    where = processes.name().rpartition(".")[0]
    Run.objects.filter(pk=run.pk).update(worker=f"{where}.1")  # of our number, begun at another time
    assert reaper.reap() == 1


def test_a_process_of_another_machine_is_not_judged():
    assert not processes.is_gone("elsewhere:1:0a1b2c3d.f0000000.77")
    assert not processes.is_gone(processes.name())
    assert not processes.is_gone("")


@pytest.mark.covers("SYNC-08")
def test_who_was_cancelled_before_it_is_written_does_not_begin_with_it(confirmed, films, ines, monkeypatch):
    """What is staged for a large change takes longer than a cancel may."""
    run, begun = runs.claim(), []
    monkeypatch.setattr(pipeline.filling, "goes_by_blocks", lambda plan: runs.cancel(run, by=ines) is None)
    monkeypatch.setattr(writer.Publication, "run", lambda *args: begun.append(args))
    with pytest.raises(Cancelled, match="ines cancelled this"), watched(run) as progress:
        pipeline.sync(run, uploads.body_of(run), progress)
    assert not begun
    assert not runs.break_off(run, Cancelled("ines cancelled this."))
    run.refresh_from_db()
    assert (run.state, run.step) == ("cancelled", "Comparing")


def given_up(run):
    Run.objects.filter(pk=run.pk).move(Run.State.INTERRUPTED, finished_at=timezone.now(), lease_until=None, slot=None)


def slept(run):
    Run.objects.filter(pk=run.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


@pytest.mark.parametrize("lose", [given_up, slept])
def test_a_run_whose_lease_is_lost_writes_nothing(confirmed, films, lose):
    run = runs.claim()
    lose(run)
    before = Run.objects.values().get(pk=run.pk)
    with pytest.raises(LeaseLost, match="Nothing"), watched(run) as progress:
        pipeline.sync(run, uploads.body_of(run), progress)
    assert not runs.break_off(run, LeaseLost("lost"))
    assert not films.versions.exists()
    assert not Item.objects.exists()
    assert Run.objects.values().get(pk=run.pk) == before


def test_progress_never_falls(confirmed):
    run = runs.claim()
    progress = Progress(run)
    seen = []
    for per_cent in (5, 30, 10, 80, 200):
        progress.to(per_cent)
        seen.append(run.progress)
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
