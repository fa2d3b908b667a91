"""What may pass is asked again, soon or when the service says so; what would only happen again is not."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from sync import signals
from sync.clearing import forget_services
from sync.errors import Cancelled, RateLimited, SourceError
from sync.http import Door, pace, patience
from sync.http.services import service_named
from sync.models import Pace


@pytest.mark.covers("RETRY-01", "RETRY-02")
@pytest.mark.parametrize(
    ("fault", "tries"),
    [
        ({"status": 500}, 4),
        ({"status": 502}, 4),
        ({"status": 503}, 4),
        ({"status": 408}, 4),
        ({"status": 429}, 4),
        ({"reset": True}, 4),
        ({"cut": 1}, 2),
        ({"body": "<html>soon</html>"}, 2),
        ({"body": b"[1, 2"}, 2),
        ({"status": 501}, 1),
        ({"status": 401}, 1),
        ({"status": 404}, 1),
        ({"status": 423}, 1),
    ],
)
def test_so_often_is_it_asked(door, upstream, fault, tries):
    upstream.answer("/list", **{"body": [1, 2], **fault})
    with pytest.raises(SourceError) as caught:
        door.get("/list")
    assert (upstream.asked("/list"), door.meter.requests) == (tries, tries)
    assert (f"asked {tries} times" in str(caught.value)) == (tries > 1)


def test_what_comes_in_the_end_is_the_answer(door, upstream):
    for fault in ({"status": 500}, {"reset": True}, {}):
        upstream.answer("/list", [1, 2], **fault)
    assert door.get("/list").json() == [1, 2]


def test_half_of_a_large_answer_is_forgotten(door, upstream):
    upstream.answer("/all", [{"n": 1}] * 1000, cut=5000)
    upstream.answer("/all", [{"n": 2}] * 1000)
    assert {row["n"] for row in door.items("/all", "item")} == {2}


def test_what_might_be_done_twice_is_sent_once(door, upstream):
    upstream.answer("/act", {}, 500)
    with pytest.raises(SourceError):
        door.post("/act", json={})
    assert upstream.asked("/act") == 1
    with pytest.raises(SourceError):
        door.post("/act", json={}, repeatable=True)
    assert upstream.asked("/act") == 1 + 4


def test_a_service_is_asked_again_when_it_says_and_by_nobody_before(door, upstream):
    upstream.answer("/list", {}, 429, headers={"Retry-After": "1"})
    upstream.answer("/list", [1])
    upstream.answer("/other", [2])
    begun = time.monotonic()
    assert door.get("/list").json() == [1]
    assert time.monotonic() - begun >= 1


def test_a_long_pause_is_for_the_run_and_holds_for_all(door, upstream):
    upstream.answer("/list", {}, 429, headers={"Retry-After": "300"})
    begun = time.monotonic()
    with pytest.raises(RateLimited) as caught:
        door.get("/list")
    assert caught.value.retry_after == 300
    with Door("tmdb") as another, pytest.raises(RateLimited, match="5 minutes") as caught:
        another.get("/other")
    assert 290 < caught.value.retry_after <= 300
    assert len(upstream.seen) == 1
    assert time.monotonic() - begun < 20


def test_a_service_that_has_counted_us_out_is_not_asked(door, upstream):
    upstream.answer("/list", [1], headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "120"})
    door.get("/list")
    with pytest.raises(RateLimited):
        door.get("/list")
    assert len(upstream.seen) == 1


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("700000", 86_400),
        ("7", 7),
        ("0", 0),
        ("-5", None),
        ("999999999999", 86_400),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0),
        ("soon", None),
        ("", None),
        ("1.5", None),
    ],
)
def test_when_to_come_back_is_read(told, seconds):
    assert pace.retry_after({"Retry-After": told}) == seconds


@pytest.mark.parametrize("form", ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"])
def test_when_to_come_back_is_read_in_all_forms_of_a_date(form):
    in_an_hour = datetime.now(UTC) + timedelta(hours=1)
    assert pace.retry_after({"Retry-After": in_an_hour.strftime(form)}) == pytest.approx(3600, abs=60)


def test_one_fetch_tries_again_only_so_often(door, upstream, monkeypatch):
    monkeypatch.setattr(patience, "RETRIES", 5)
    upstream.answer("/list", {}, 500)
    with Door("tmdb") as spent:
        for _ in range(4):
            with pytest.raises(SourceError):
                spent.get("/list")
    assert upstream.asked("/list") == 4 + 5


def test_whoever_cancels_does_not_wait_for_a_pause(upstream, settings):
    class Stopping:
        checked = 0

        def check(self) -> None:
            self.checked += 1
            if self.checked > 2:
                raise Cancelled("ines cancelled this.")

    settings.RETRY_PAUSES_S, settings.RETRY_JITTER = (20.0,), "none"
    upstream.answer("/list", {}, 500)
    begun = time.monotonic()
    with Door(watched=Stopping()) as door, pytest.raises(Cancelled):
        door.get(f"{upstream.url}/list")
    assert time.monotonic() - begun < 10


@pytest.mark.covers("CB-06")
def test_every_request_is_told(door, upstream, django_capture_on_commit_callbacks):
    told = []

    def heard(service, kind, cached, **about):
        told.append((service, kind, cached))

    signals.source_called.connect(heard)
    upstream.answer("/list", [], 500)
    upstream.answer("/list", [1])
    with django_capture_on_commit_callbacks(execute=True):
        door.get("/list")
    signals.source_called.disconnect(heard)
    assert told == [("tmdb", "http_5xx", False), ("tmdb", "", False)]


def test_turns_are_taken_at_the_pace_of_a_service(db):
    def take(now):
        return Pace.objects.take("slow", rate=2, burst=3, now=now)

    assert [take(100) for _ in range(4)] == [0, 0, 0, pytest.approx(0.4)]
    assert [take(100.4), take(100.4)] == [0, pytest.approx(0.5)]
    assert [take(200) for _ in range(4)] == [0, 0, 0, pytest.approx(0.4)]
    Pace.objects.pause("slow", now=200, until=300)
    assert take(299) == pytest.approx(1)
    assert [take(300), take(300)] == [0, pytest.approx(0.5)]


def test_so_many_requests_are_under_way_at_once_and_the_dead_hold_no_place(db):
    def take(now, until):
        return Pace.objects.take("slow", rate=100, burst=100, now=now, places=2, until=until)

    assert [take(100, 110), take(100, 120), take(100, 110)] == [0, 0, Pace.BUSY_S]
    Pace.objects.end("slow", 120)
    assert [take(101, 130), take(101, 130)] == [0, Pace.BUSY_S]
    assert [take(111, 140), take(111, 140)] == [0, Pace.BUSY_S]  # the first one was not heard of again
    Pace.objects.end("slow", 110)
    assert take(112, 140) == Pace.BUSY_S


def test_whoever_finds_no_place_for_long_waits_without_a_worker(door, upstream, monkeypatch):
    monkeypatch.setattr(pace, "LONGEST_S", 0.3)
    Pace.objects.create(name="tmdb", under_way=[time.time() + 60] * 4)
    with pytest.raises(RateLimited, match="at the same time"):
        door.get("/list")
    assert upstream.seen == []


@pytest.mark.covers("RETRY-01")
def test_few_requests_of_a_minute_are_asked_again(door, upstream, monkeypatch):
    """Ten of them, or one in five if that is more."""
    monkeypatch.setattr(time, "time", lambda: 1e9)
    upstream.answer("/fine", [1])
    upstream.answer("/list", {}, 500)

    def again(count: int) -> int:
        before = upstream.asked("/list")
        for _ in range(count):
            with Door("tmdb") as each, pytest.raises(SourceError):
                each.get("/list")
        return upstream.asked("/list") - before - count

    assert [again(8), again(4)] == [10, 0]
    for _ in range(60):
        door.get("/fine")
    assert again(4) == 8  # with them 94 requests, and 18 repeated
    monkeypatch.setattr(time, "time", lambda: 1e9 + 60)
    assert again(4) == 10


@pytest.mark.covers("SRC-18")
def test_some_services_count_what_is_posted_by_itself(upstream, settings, monkeypatch):
    monkeypatch.setattr(pace, "LONGEST_S", 0.3)
    settings.SERVICES |= {"trakt": {"rate": 1000, "burst": 100, "url": upstream.url, "post_rate": 0.02}}
    upstream.answer("/list", [1])
    with Door("trakt") as door:
        door.post("/list", json={})
        with pytest.raises(RateLimited):
            door.post("/list", json={})
        assert door.get("/list").json() == [1]
    settings.SERVICES.pop("trakt")
    assert service_named("trakt").post_rate == 1


def test_a_clock_that_was_set_back_stops_nobody(db):
    Pace.objects.create(name="slow", free_at=1e9)
    assert Pace.objects.take("slow", rate=2, burst=1, now=1e8) == 0
    for back in (3600, 72_000):
        Pace.objects.filter(name="slow").update(free_at=1e9)
        assert Pace.objects.take("slow", rate=2, burst=1, now=1e9) == 0
        assert Pace.objects.take("slow", rate=2, burst=1, now=1e9 - back) == 0
        assert Pace.objects.take("slow", rate=2, burst=1, now=1e9 - back) == pytest.approx(0.4)


def test_a_pause_keeps_its_length_when_the_clock_is_set_back(db):
    def take(now):
        return Pace.objects.take("slow", rate=2, burst=3, now=now)

    Pace.objects.pause("slow", now=1e9, until=1e9 + 7200)
    assert take(1e9 + 60) == pytest.approx(7140)
    assert take(1e9 - 3600) == pytest.approx(7200), "it is counted from the moment at which that was seen"
    assert take(1e9 - 3000) == pytest.approx(6600)
    assert [take(1e9 + 3600), take(1e9 + 3600)] == [0, pytest.approx(0.5)]
    Pace.objects.pause("slow", now=2e9, until=2e9 + 86_400)
    assert take(2e9 - 5) == pytest.approx(86_405), "the clocks of two machines differ a little"
    assert take(2e9 + 86_400 * 2) == 0


def test_a_service_that_asked_for_a_pause_is_not_forgotten(db):
    now = time.time()
    Pace.objects.pause("slow", now=now, until=now + 60)
    forget_services()
    assert Pace.objects.get().paused_until == now + 60


def test_accounts_have_turns_of_their_own(upstream, settings):
    settings.SERVICES |= {"trakt": {"rate": 1000, "account_rate": 0.02, "burst": 1, "url": upstream.url}}
    upstream.answer("/list", [1])
    for account in "12":
        with Door("trakt", account=account) as door:
            door.get("/list")
            with pytest.raises(RateLimited):
                door.get("/list")
    assert set(Pace.objects.values_list("name", flat=True)) == {"trakt", "trakt#1", "trakt#2"}
    assert service_named("trakt").rate == 1000
