"""A clock that runs ahead, or is set back, leaves times that are hours away: they keep nothing for hours."""

from datetime import timedelta

import pytest
from django.utils import timezone

from lists import filling
from lists.models import MediaList, Proposal
from sync import reaper, runs
from sync.models import Lock, Run
from tests.scripted import Scripted

FAR = timedelta(hours=5)
ELSEWHERE = "elsewhere:1:0a1b2c3d.f0000000.77"


@pytest.fixture
def pass_time(monkeypatch):
    """pass_time(seconds): by our own count, whatever the clock on the wall says."""
    now = [1000.0]
    monkeypatch.setattr(reaper, "_overlong", reaper.Overlong(lambda: now[0]))

    def pass_time(seconds: float) -> None:
        now[0] += seconds

    return pass_time


@pytest.fixture
def ahead(films, live, ines):
    """A run of a worker of another machine whose clock runs hours ahead."""
    runs.request_sync(live(films), by=ines)
    run = runs.claim()
    at = timezone.now() + FAR
    Run.objects.filter(pk=run.pk).update(
        worker=ELSEWHERE, started_at=at, heartbeat_at=at, lease_until=at + timedelta(seconds=60)
    )
    return run


@pytest.mark.covers("SYNC-20")
def test_a_lease_that_ends_in_hours_is_over_when_nobody_renews_it(ahead, pass_time):
    assert reaper.reap() == 0
    pass_time(50)
    assert reaper.reap() == 0, "it may be renewed yet"
    pass_time(20)
    assert reaper.reap() == 1
    ahead.refresh_from_db()
    assert (ahead.state, ahead.duration_ms) == ("interrupted", 0)
    assert Run.objects.get(previous=ahead).state == "queued"


def test_a_run_is_not_taken_from_a_worker_that_lives_ahead_of_us(ahead, pass_time):
    for turn in range(10):
        assert reaper.reap() == 0
        pass_time(40)
        Run.objects.filter(pk=ahead.pk).update(lease_until=timezone.now() + FAR + timedelta(seconds=turn))
    assert reaper.reap() == 0
    pass_time(70)
    assert reaper.reap() == 1, "now it is silent"


def test_a_lease_a_little_longer_than_ours_is_only_waited_for(ahead, pass_time):
    Run.objects.filter(pk=ahead.pk).update(lease_until=timezone.now() + timedelta(seconds=100))
    for _ in range(5):
        assert reaper.reap() == 0
        pass_time(70)


def test_what_is_cancelled_does_not_wait_for_such_a_lease_either(ahead, pass_time, ines):
    runs.cancel(ahead, by=ines)
    assert reaper.reap() == 0
    pass_time(70)
    assert reaper.reap() == 1
    ahead.refresh_from_db()
    assert ahead.state == "cancelled"


def test_a_lock_that_ends_in_hours_is_free_when_nobody_renews_it(db, pass_time):
    def take(owner: str, length: timedelta) -> int | None:
        return Lock.objects.take("preview 1", owner, timezone.now() + length)

    first = take(ELSEWHERE, FAR)
    reaper.reap()
    assert take("here", timedelta(seconds=60)) is None
    pass_time(70)
    reaper.reap()
    assert take("here", timedelta(seconds=60)) == first + 1


def test_what_was_told_to_the_workers_in_the_future_is_told_again(films, live, ines):
    run = runs.request_sync(live(films), by=ines).run
    Run.objects.filter(pk=run.pk).update(enqueued_at=timezone.now() + FAR)
    assert runs.wake(told_before=timezone.now() - reaper.UNTOLD) == 1
    Run.objects.filter(pk=run.pk).update(enqueued_at=timezone.now())
    assert runs.wake(told_before=timezone.now() - reaper.UNTOLD) == 0


def test_a_file_that_was_uploaded_in_the_future_is_read(films, ines, monkeypatch):
    proposal = Proposal.objects.create(
        kind=Proposal.Kind.PREVIEW, state=Proposal.State.READING, list=films, adapter=Scripted.key, created_by=ines
    )
    told = []
    monkeypatch.setattr(reaper, "enqueue", lambda path, pk: told.append(pk))
    reaper.reap()
    assert told == [], "it is new"
    Proposal.objects.filter(pk=proposal.pk).update(created_at=timezone.now() + FAR)
    reaper.reap()
    assert told == [proposal.pk]


def test_a_first_fill_that_says_it_lives_for_hours_is_swept(films):
    for length, swept in ((timedelta(seconds=50), 0), (FAR, 1)):
        MediaList.objects.filter(pk=films.pk).update(filling=77, filling_until=timezone.now() + length)
        assert filling.sweep_dead() == swept
    films.refresh_from_db()
    assert films.filling is None
