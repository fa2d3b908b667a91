"""Whatever a service does, an exchange ends in time, and with little memory."""

import gzip
import threading
import time
from dataclasses import replace

import pytest

from sync.errors import Cancelled, SourceError
from sync.http import CATALOGUE, Door, Limits, patience
from sync.http.services import Service
from sync.http.wire import Allowance

TIME_S = 0.6


@pytest.fixture
def hasty(upstream, settings, monkeypatch):
    settings.SERVICES |= {"tmdb": {"url": upstream.url, "timeout_s": TIME_S}}
    monkeypatch.setattr(patience, "TRIES", {})  # one try: they are about that
    with Door("tmdb") as door:
        yield door


def kind_and_time(door, path="/list"):
    begun = time.monotonic()
    with pytest.raises(SourceError) as caught:
        door.get(path)
    return caught.value.kind, time.monotonic() - begun


@pytest.mark.covers("CB-03")
@pytest.mark.parametrize(
    "fault", [{"hang": 20}, {"drip": 0.05}, {"slow": 0.05}, {"chunks": [b"1\r\n \r\n"] * 1000, "drip": 0.05}]
)
def test_a_service_that_takes_too_long_is_left(hasty, upstream, fault):
    upstream.answer("/list", [0] * 1000, **fault)
    kind, spent = kind_and_time(hasty)
    assert kind == "timeout"
    assert spent < TIME_S + 1


def test_the_time_is_for_all_hops_of_a_redirect(hasty, upstream):
    upstream.answer("/list", {}, 302, headers={"Location": "/there"}, hang=0.4)
    upstream.answer("/there", [], hang=0.4)
    kind, spent = kind_and_time(hasty)
    assert (kind, spent < TIME_S + 1) == ("timeout", True)


def test_a_large_catalogue_may_take_its_time(upstream):
    upstream.answer("/all", [0] * 20, drip=0.03)
    limits = Limits(gap_s=0.5)
    with Door(limits=limits) as door:
        assert len(door.get(f"{upstream.url}/all").json()) == 20
    upstream.answer("/gap", chunks=[b"1\r\n[\r\n"], headers={"Content-Type": "application/json"})
    with Door(limits=limits) as door:
        assert kind_and_time(door, f"{upstream.url}/gap")[0] in ("timeout", "bad_response")


@pytest.fixture
def catalogue():
    """A catalogue that comes slowly: catalogue(at, bytes) is what has come at that second, and how long the next may take."""
    now = [0.0]
    allowance = Allowance(lambda: now[0])
    allowance.begin(Service("tmdb"), CATALOGUE)
    allowance.head_begins()
    allowance.head_is_read()
    came = [0]

    def catalogue(at: float, total: int) -> float:
        now[0], more = at, total - came[0]
        came[0] = total
        allowance.took(more)
        return allowance.left()

    return catalogue


@pytest.mark.covers("CB-03")
def test_after_a_minute_a_catalogue_must_come_at_some_speed(catalogue):
    assert [catalogue(1, 10), catalogue(59, 20), catalogue(61, 3_100_000)] == [120, 120, 120]
    assert catalogue(3600, 3600 * 50_000) == 120  # for as long as it likes
    with pytest.raises(TimeoutError):
        catalogue(3602, 3600 * 50_000 + 1)


def test_whoever_drips_is_left_after_a_minute(catalogue):
    assert catalogue(60, 60) == 120
    with pytest.raises(TimeoutError):
        catalogue(60.1, 61)


def test_silence_in_a_catalogue_ends_it(upstream, monkeypatch):
    monkeypatch.setattr(patience, "TRIES", {})
    upstream.answer("/stuck", [0] * 20, drip=10)
    with Door(limits=replace(CATALOGUE, gap_s=0.3)) as door:
        kind, _ = kind_and_time(door, f"{upstream.url}/stuck")
    assert kind == "timeout"
    assert CATALOGUE.gap_s == 120


def test_headers_without_an_end_are_refused(hasty, upstream):
    upstream.answer("/list", [], headers={f"X-{n}": "x" * 1000 for n in range(90)})
    assert kind_and_time(hasty)[0] == "bad_response"


@pytest.mark.parametrize("layers", [1, 2])
def test_a_bomb_of_a_gibibyte_is_left_at_once(hasty, upstream, layers):
    body = gzip.compress(b"\0" * (1 << 28)) * 4
    upstream.answer("/list", gzip.compress(body) if layers == 2 else body, headers={"Content-Encoding": "gzip"})
    kind, spent = kind_and_time(hasty)
    assert kind in ("too_large", "bad_response")
    assert spent < 5


def test_a_run_that_must_stop_asks_nothing_more(upstream):
    class Stopping:
        def check(self) -> None:
            raise Cancelled("ines cancelled this.")

    with Door(watched=Stopping()) as door, pytest.raises(Cancelled):
        door.get(f"{upstream.url}/list")
    assert upstream.seen == []


def test_a_connection_is_used_again(hasty, upstream):
    upstream.answer("/list", [1])
    before = threading.active_count()
    for _ in range(5):
        hasty.get("/list")
    assert threading.active_count() <= before + 1  # of the server: one for each connection
