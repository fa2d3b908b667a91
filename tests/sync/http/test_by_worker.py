"""Sources that ask a service, read by workers of real processes."""

import time

import pytest

from tests.processes import wait_for
from tests.sync.hub import Hub
from tests.upstream import Upstream

ROWS = [{"key": f"tt{n}", "title": f"Film {n}", "year": 1990} for n in range(3)]
SERVICES = '{"*": {"rate": 1000, "burst": 100, "timeout_s": 30}}'
NEW = """
def remote(name, address):
    list_ = services.create_list(user, name=name)
    services.add_source(list_, adapter="scripted_remote", name=name, by=user, gap_min=0, address=address)
"""


@pytest.fixture
def service():
    server = Upstream()
    yield server
    server.end()


@pytest.fixture
def hub(tmp_path):
    hub = Hub(tmp_path, LISTKEEPER_OUTBOUND_ALLOW="127.0.0.1", LISTKEEPER_SERVICES=SERVICES)
    hub.do(NEW)
    hub.start()
    yield hub
    hub.end()


ASK = """
from django.db import transaction
from sync.http import Door
def ask():
    with Door("rss:") as door:
        return door.get(address).status
try:
    with transaction.atomic():
        answer = ask()
except Exception as e:
    answer = [str(e), ask()]
"""


def test_whoever_asks_a_service_in_a_transaction_is_seen(hub, service):
    """All processes that the tests start look for it (tests/way_out.py)."""
    service.answer("/fine", ROWS)
    said, status = hub.do(ASK, address=f"{service.url}/fine")
    assert "in a transaction" in said
    assert status == 200


def test_a_service_that_hangs_is_left_at_once_and_keeps_nobody_waiting(hub, service):
    service.answer("/hang", [], hang=60)
    service.answer("/drip", [0] * 500, drip=0.2)
    service.answer("/fine", ROWS)
    for name in ("hang", "drip", "fine"):
        hub.do("remote(name, address)", name=name, address=f"{service.url}/{name}")
    for name in ("hang", "drip"):
        run = hub.sync(name)
        wait_for(lambda at=name: service.asked(f"/{at}"), within=30)
        begun = time.monotonic()
        hub.do("runs.cancel(Run.objects.get(pk=pk), by=user)", pk=run)
        wait_for(lambda pk=run: hub.told(pk)["state"] == "cancelled", within=10)
        assert hub.told(run)["state"] == "cancelled"
        assert time.monotonic() - begun < 60, "the answer takes sixty"
    run = hub.sync("fine")
    assert hub.settled(within=30)
    assert hub.told(run)["state"] == "completed"
    assert hub.titles("fine") == ["Film 0", "Film 1", "Film 2"]
