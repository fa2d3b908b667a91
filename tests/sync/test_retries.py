"""A source that does not answer is tried again, three times with growing pauses; then its normal schedule goes on."""

from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.utils import timezone

from lists.models import Source
from sync import runs, signals, tasks, uploads
from sync.edges import Broke
from sync.errors import (
    BadPayload,
    BreakerOpen,
    LeaseLost,
    OutOfMemory,
    RateLimited,
    SourceRefused,
    SourceUnavailable,
    TimedOut,
)  # fmt: skip
from sync.models import Run
from sync.schedule import dispatch
from sync.times import pause
from tests.scripted import ScriptedLive


@contextmanager
def heard(signal):
    found = []

    def hear(sender, **about):
        about.pop("signal")
        found.append(about)

    signal.connect(hear)
    try:
        yield found
    finally:
        signal.disconnect(hear)


@pytest.fixture
def broken(films, live, monkeypatch):
    """A source whose fetch raises `error` while that is set."""
    source = live(films)
    source.error = SourceUnavailable("It did not answer. Nothing was changed.")
    fetch = ScriptedLive.fetch

    def fails(self, ctx):
        if source.error is None:
            return fetch(self, ctx)
        raise source.error

    monkeypatch.setattr(ScriptedLive, "fetch", fails)
    return source


def waits(after: Run) -> float:
    """Seconds that the retry of a failed run waits."""
    return (Run.objects.get(previous=after).next_attempt_at - after.finished_at).total_seconds()


@pytest.mark.covers("SYNC-09", "SYNC-10")
def test_three_more_tries_then_the_normal_schedule_and_somebody_is_told(
    broken, work, django_capture_on_commit_callbacks
):
    now = timezone.now()
    dispatch(now)
    work()
    with heard(signals.retries_exhausted) as told:
        for attempt, seconds in ((1, 60), (2, 120), (3, 240)):
            failed = Run.objects.get(attempt=attempt)
            assert failed.state == "failed"
            assert 0.8 * seconds - 1 <= waits(failed) <= 1.2 * seconds + 1
            retry = Run.objects.get(previous=failed)
            assert (retry.kind, retry.state, retry.correlation_id) == ("retry", "waiting", failed.correlation_id)
            assert dispatch(retry.next_attempt_at - timedelta(seconds=1)).ripe == 0
            assert dispatch(now + timedelta(days=2)).due == 0, "its schedule waits for it"
            retry.refresh_from_db()
            assert retry.state == "queued"
            assert told == []
            with django_capture_on_commit_callbacks(execute=True):
                work()
        last = Run.objects.get(attempt=4)
        assert told == [{"source_id": broken.pk, "run_id": last.pk}]
    assert (last.state, Run.objects.count()) == ("failed", 4)
    broken.refresh_from_db()
    assert broken.failures == 4
    assert dispatch(broken.next_sync_at - timedelta(seconds=1)) == dispatch(now)
    broken.error = None
    assert dispatch(broken.next_sync_at).due == 1


@pytest.mark.covers("SYNC-11")
@pytest.mark.parametrize(("asked", "least", "most"), [(30, 48, 72), (60, 60, 72)])
def test_what_the_service_asks_for_is_kept(broken, ines, work, asked, least, most):
    broken.error = RateLimited("We asked too often. Nothing was changed.", retry_after=asked)
    run = runs.request_sync(broken, by=ines).run
    work()
    run.refresh_from_db()
    assert (run.state, run.error_code) == ("failed", "rate_limited")
    assert least - 1 <= waits(run) <= most + 1


@pytest.mark.covers("SYNC-11", "SYNC-04")
@pytest.mark.parametrize(("asked", "least", "most"), [(3600, 3600, 3610), (10**9, 86_400, 86_400)])
def test_who_is_put_off_for_long_waits_itself_up_to_a_day(broken, ines, work, films, asked, least, most):
    broken.error = RateLimited("We asked too often. Nothing was changed.", retry_after=asked)
    run = runs.request_sync(broken, by=ines).run
    before = timezone.now()
    work()
    run.refresh_from_db()
    assert (run.state, run.attempt, run.deferrals, run.error_code) == ("waiting", 1, 1, "rate_limited")
    assert (run.slot, run.worker, run.started_at, run.lease_until) == (None, "", None, None), "its worker is free"
    assert least - 1 <= (run.next_attempt_at - before).total_seconds() <= most + 5
    broken.refresh_from_db()
    assert broken.failures == 0, "it has not failed"
    assert dispatch(run.next_attempt_at - timedelta(seconds=1)).ripe == 0
    assert dispatch(run.next_attempt_at).ripe == 1
    broken.error = None
    with open(broken.config["path"], "w") as file:
        file.write("[]")
    work()
    run.refresh_from_db()
    assert (run.state, run.waits_for, run.next_attempt_at, run.error) == ("completed", "", None, "")
    assert Run.objects.count() == 1
    assert list(Run.history.order_by("history_id").values_list("state", flat=True)) == ["queued", "completed"]


def test_who_is_put_off_too_often_has_failed(broken, ines, work):
    broken.error = RateLimited("We asked too often. Nothing was changed.", retry_after=3600)
    run = runs.request_sync(broken, by=ines).run
    for times in (1, 2, 3):
        work()
        run.refresh_from_db()
        assert (run.state, run.deferrals) == ("waiting", times)
        assert dispatch(run.next_attempt_at).ripe == 1
    work()
    run.refresh_from_db()
    retry = Run.objects.get(previous=run)
    assert (run.state, retry.state, retry.attempt, retry.deferrals) == ("failed", "waiting", 2, 0)
    assert 3599 <= waits(run) <= 3601


def test_who_asks_while_it_waits_uses_none_of_its_patience_up(broken, ines, work):
    broken.error = RateLimited("We asked too often. Nothing was changed.", retry_after=3600)
    run = runs.request_sync(broken, by=ines).run
    for _ in range(5):
        work()
        run.refresh_from_db()
        assert (run.state, run.deferrals) == ("waiting", 1)
        assert runs.request_sync(broken, by=ines).run == run


@pytest.mark.parametrize("meanwhile", ["cancelled", "switched off"])
def test_nobody_is_put_off_whom_nobody_wants_any_more(broken, ines, work, monkeypatch, meanwhile):
    def fetch(self, ctx):
        if meanwhile == "cancelled":
            runs.cancel(Run.objects.get(), by=ines)
        else:
            Source.objects.filter(pk=broken.pk).update(enabled=False)
        raise RateLimited("We asked too often. Nothing was changed.", retry_after=3600)

    monkeypatch.setattr(ScriptedLive, "fetch", fetch)
    run = runs.request_sync(broken, by=ines).run
    work()
    run.refresh_from_db()
    assert run.state == ("cancelled" if meanwhile == "cancelled" else "failed")
    assert not Run.objects.active().exists()


def test_a_worker_that_slept_writes_nothing_of_a_run_that_began_anew(broken, ines):
    runs.request_sync(broken, by=ines)
    before = runs.claim()
    assert runs.put_off(before, BreakerOpen("Left alone."), until=timezone.now())
    assert runs.start_waiting(before.pk)
    now = runs.claim()
    assert now == before
    with pytest.raises(LeaseLost):
        runs.still_held(before)
    assert not runs.break_off(before, SourceUnavailable("It did not answer."))
    runs.still_held(now)


@pytest.mark.parametrize(
    "error",
    [SourceRefused("Sign in again."), BadPayload("This is no list."), OutOfMemory("Too much."), RuntimeError("ours")],
    ids=repr,
)
def test_what_would_fail_again_is_not_tried_again(broken, ines, work, error):
    broken.error = error
    runs.request_sync(broken, by=ines)
    try:
        work()
    except Broke:
        assert isinstance(error, RuntimeError)
    assert Run.objects.get().state == "failed"
    broken.refresh_from_db()
    assert broken.failures == 1
    assert broken.next_sync_at > timezone.now() + timedelta(hours=5)


@pytest.mark.covers("SYNC-12", "RETRY-02")
def test_what_took_too_long_is_tried_again_as_often_as_what_did_not_answer(broken, ines, work):
    broken.error = TimedOut("This sync took longer than 1,800 seconds. Nothing was changed.")
    run = runs.request_sync(broken, by=ines).run
    work()
    run.refresh_from_db()
    assert (run.state, run.error_code) == ("failed", "timeout")
    assert 48 - 1 <= waits(run) <= 72 + 1
    for attempt in (2, 3, 4):
        dispatch(timezone.now() + timedelta(minutes=10))
        work()
        assert Run.objects.get(attempt=attempt).state == "failed"
    assert not Run.objects.active().exists()


def test_a_try_that_succeeds_ends_the_series(broken, ines, work, films):
    runs.request_sync(broken, by=ines)
    work()
    broken.error = None
    run = broken.sync([{"key": "tt1", "title": "Film 1"}])
    assert (run.kind, run.attempt, run.state) == ("retry", 2, "completed"), "sync now started what waited"
    broken.refresh_from_db()
    assert broken.failures == 0
    assert not Run.objects.active().exists()


def test_a_retry_is_not_made_for_what_was_switched_off_meanwhile(broken, ines, work):
    runs.request_sync(broken, by=ines)
    Source.objects.filter(pk=broken.pk).update(enabled=False)
    work()
    assert Run.objects.get().state == "failed"


def test_a_retry_that_a_wrong_clock_planned_is_tried_at_once(broken, ines, work):
    runs.request_sync(broken, by=ines)
    work()
    now = timezone.now()
    Run.objects.filter(state="waiting").update(next_attempt_at=now + timedelta(days=400))
    assert dispatch(now).ripe == 1


def test_an_upload_that_fails_is_not_tried_again(films, upload, ines):
    proposal = upload(films, [{"key": "tt1", "title": "Film 1"}], confirm=False)
    run = uploads.confirm(proposal, by=ines)
    uploads.forget_body(proposal)
    tasks.execute_run(run.pk)
    run.refresh_from_db()
    assert run.state == "failed"
    assert not Run.objects.active().exists()


def test_pauses_double_and_keep_their_cap():
    def least(low, high):
        return low

    assert [pause(n, chance=least).total_seconds() for n in (1, 2, 3)] == [48, 96, 192]
    assert pause(40, chance=least) == timedelta(days=1)
    assert pause(1, 10**12, chance=least) == timedelta(days=1)
    assert pause(1, -5, chance=least).total_seconds() == 48
