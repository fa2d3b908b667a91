"""What several processes know of a service, they know together."""

import json
from itertools import pairwise

import pytest

from tests.sync.http.asking import several

SECONDS = 4


def told(**service) -> str:
    return json.dumps({"probed": {"burst": 1, **service}})


@pytest.mark.covers("SYNC-14")
def test_together_they_ask_no_more_often_than_a_service_allows(upstream, tmp_path):
    upstream.limit = (5, 0.7)  # a busy machine sends late what was in turn; to the second: bench/fetch.py
    upstream.answer("/list", [1])
    several(tmp_path, 4, f"{upstream.url}/list", SECONDS, LISTKEEPER_SERVICES=told(rate=5))
    begun = upstream.seen[0].at
    within = [each for each in upstream.seen if each.at < begun + SECONDS]
    assert upstream.refused == 0
    assert len(within) > 5 * SECONDS / 2  # nine in ten on a machine that is not busy: bench/fetch.py


def test_no_more_of_them_ask_at_once_than_may(upstream, tmp_path):
    upstream.answer("/list", [1], hang=0.3)
    lines = several(
        tmp_path, 5, f"{upstream.url}/list", SECONDS, LISTKEEPER_SERVICES=told(rate=100, burst=100, at_once=2)
    )
    assert upstream.most_at_once == 2
    assert all(int(line.split()[0]) for line in lines), "each of them had its turn"


@pytest.mark.covers("CB-04")
def test_what_a_service_asks_of_one_holds_for_all(upstream, tmp_path):
    upstream.answer("/list", {}, 429, headers={"Retry-After": "600"})
    lines = several(tmp_path, 4, f"{upstream.url}/list", 2, LISTKEEPER_SERVICES=told(rate=50))
    assert {line.partition(" ")[0] for line in lines} == {"0"}
    assert len(upstream.seen) <= 4  # those that were on their way


@pytest.mark.covers("CB-02", "CB-04")
def test_one_of_them_tries_whether_a_service_is_back(upstream, tmp_path):
    upstream.answer("/list", {}, 500)
    service = told(rate=1000, burst=50, failures=3, pause_s=1)
    several(tmp_path, 4, f"{upstream.url}/list", SECONDS, LISTKEEPER_SERVICES=service, LISTKEEPER_RETRY_JITTER="none")
    opened = upstream.seen[0].at + 2  # until then it was closed, or taken for that
    probes = [each.at for each in upstream.seen if each.at > opened + 1]
    assert len(probes) <= SECONDS
    assert all(later - earlier > 0.9 for earlier, later in pairwise(probes))
