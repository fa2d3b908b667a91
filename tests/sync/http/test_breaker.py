"""A service that fails is left alone, and then one request tries whether it is back."""

from datetime import timedelta

import pytest
from django.utils import timezone

from lists.models import Audit
from sync import signals
from sync.errors import BreakerOpen, SourceError
from sync.http import Door, breaker
from sync.http.breaker import Gate
from sync.http.services import service_named
from sync.models import Breaker, Pace


@pytest.fixture
def tmdb(upstream, settings):
    settings.SERVICES |= {"tmdb": {"url": upstream.url, "failures": 3, "pause_s": 30}}
    settings.RETRY_PAUSES_S = (0.001,)
    return service_named("tmdb")


@pytest.fixture
def changes():
    told = []

    def heard(service, before, state, **about):
        told.append((service, before, state))

    signals.breaker_changed.connect(heard)
    yield told
    signals.breaker_changed.disconnect(heard)


def ask(path="/list"):
    with Door("tmdb") as door:
        return door.get(path)


def row() -> Breaker:
    return Breaker.objects.get(service="tmdb")


def later(seconds: float) -> None:
    """As if so much time had passed."""
    past = timedelta(seconds=seconds)
    it = row()
    Breaker.objects.update(
        open_until=it.open_until and it.open_until - past, probe_until=it.probe_until and it.probe_until - past
    )


@pytest.mark.covers("CB-01", "CB-04")
def test_after_so_many_failures_in_a_row_nobody_asks(tmdb, upstream, changes, django_capture_on_commit_callbacks):
    upstream.answer("/list", {}, 500)
    with django_capture_on_commit_callbacks(execute=True), pytest.raises(SourceError, match="in trouble") as caught:
        ask()
    assert caught.value.retry_after == pytest.approx(30, abs=2)
    assert (row().state, row().failures, len(upstream.seen)) == ("open", 3, 3)
    with pytest.raises(BreakerOpen, match=r"left alone until \d\d:\d\d:\d\d \(3 failures: http 5xx\)"):
        ask("/other")
    assert len(upstream.seen) == 3
    assert changes == [("tmdb", "closed", "open")]


@pytest.mark.covers("CB-02")
def test_then_one_request_tries_whether_it_is_back(tmdb, upstream, changes, django_capture_on_commit_callbacks):
    upstream.answer("/list", {}, 500)
    upstream.answer("/back", [1])
    with pytest.raises(SourceError):
        ask()
    later(31)
    first, second = Gate(), Gate()
    permit = first.permit(tmdb)
    assert permit.probe
    with pytest.raises(BreakerOpen):
        second.permit(tmdb)
    with django_capture_on_commit_callbacks(execute=True):
        first.settle(permit, tmdb, None)
    assert (row().state, row().failures) == ("closed", 0)
    assert changes[-1] == ("tmdb", "half_open", "closed")
    assert ask("/back").json() == [1]


def test_a_try_that_fails_leaves_it_alone_again(tmdb, upstream):
    upstream.answer("/list", {}, 500)
    with pytest.raises(SourceError):
        ask()
    later(31)
    with pytest.raises(SourceError):
        ask()
    assert (row().state, row().opened_count, len(upstream.seen)) == ("open", 2, 4)


def test_who_is_not_back_is_left_alone_for_twice_as_long_each_time(tmdb, upstream):
    upstream.answer("/list", {}, 500)
    waits = []
    for _ in range(7):
        with pytest.raises(SourceError):
            ask()
        waits.append(round((row().open_until - row().opened_at).total_seconds()))
        later(waits[-1] + 1)
    assert waits == [30, 60, 120, 240, 480, 600, 600]
    upstream.answer("/list", [1])
    assert ask().json() == [1]
    Pace.objects.all().delete()  # its minute has few requests, and many of them were repeated
    upstream.answer("/list", {}, 500)
    with pytest.raises(SourceError):
        ask()
    assert round((row().open_until - row().opened_at).total_seconds()) == 30


def test_whoever_tried_and_died_is_replaced(tmdb, upstream):
    upstream.answer("/list", {}, 500)
    with pytest.raises(SourceError):
        ask()
    later(31)
    dead = Gate().permit(tmdb)
    later(tmdb.timeout_s + 6)
    alive = Gate().permit(tmdb)
    Gate().settle(dead, tmdb, SourceError("late", kind="timeout"))
    assert row().state == "half_open"
    Gate().settle(alive, tmdb, None)
    assert row().state == "closed"


def test_a_late_answer_of_before_changes_nothing(tmdb):
    early = Gate().permit(tmdb)
    breaker.force_open("tmdb", by=None)
    Gate().settle(early, tmdb, SourceError("late", kind="timeout"))
    assert (row().state, row().failures) == ("forced_open", 0)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 501])
def test_a_refusal_is_no_failure_and_is_not_repeated(tmdb, upstream, status):
    upstream.answer("/list", {}, status)
    for _ in range(5):
        with pytest.raises(SourceError):
            ask()
    assert (row().state, row().failures, len(upstream.seen)) == ("closed", 0, 5)


def test_a_success_ends_the_row_of_failures(tmdb, upstream):
    for status in (500, 500, 200) * 3:
        upstream.answer("/list", [1], status)
    for _ in range(3):
        assert ask().json() == [1]
    assert (row().state, row().failures, len(upstream.seen)) == ("closed", 0, 9)


def test_asking_too_often_pauses_and_opens_only_without_a_time(tmdb, upstream):
    upstream.answer("/list", {}, 429)
    for _ in range(2):
        with pytest.raises(SourceError):
            ask()
    assert (row().state, len(upstream.seen)) == ("open", 5)


def test_a_clock_that_was_set_back_keeps_nobody_out_for_long(tmdb):
    Breaker.objects.of("tmdb")
    Breaker.objects.update(state="open", open_until=timezone.now() + timedelta(days=30))
    with pytest.raises(BreakerOpen) as caught:
        Gate().look(tmdb)
    assert caught.value.retry_after <= 31


def test_one_that_was_stopped_leaves_the_try_to_others(tmdb):
    Breaker.objects.of("tmdb")
    Breaker.objects.update(state="open", open_until=timezone.now())
    gate = Gate()
    gate.release(gate.permit(tmdb))
    assert Gate().permit(tmdb).probe


@pytest.mark.covers("CB-05")
def test_by_hand_it_is_left_alone_until_it_is_reset(tmdb, upstream, staff):
    upstream.answer("/list", [1])
    breaker.force_open("tmdb", by=staff, reason="moving house")
    with pytest.raises(BreakerOpen, match="moving house"):
        ask()
    assert upstream.seen == []
    breaker.reset("tmdb", by=staff)
    assert ask().json() == [1]
    acts = Audit.objects.filter(object_type="breaker").order_by("id").values_list("action", "object_name", "actor_name")
    assert list(acts) == [("opened", "tmdb", "admin"), ("reset", "tmdb", "admin")]
