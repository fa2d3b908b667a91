"""Every kind of source that is fetched, through the web, the queue and the workers of a hub, and its services' bad days."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import product
from typing import Any

import pytest

from tests.processes import wait_for
from tests.sync.hub import Hub
from tests.sync.sources.every_service import EveryService
from tests.sync.sources.stand_ins import STAND_INS, Shown, all_at, filled
from tests.upstream import Reply, as_body

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only on Linux: reads /proc")
MAKE = """
from lists.models import Account
from sync import definitions

def fetched(name, adapter, config, secrets, address):
    list_ = services.create_list(user, name=name)
    source = definitions.add_fetched(
        list_, adapter=adapter, by=user, name=name, config=config, address=address, gap_min=0, sync_enabled=False
    )
    if secrets:
        source.account = Account.objects.create(
            owner=user, service=adapter, name=name, secrets=json.dumps(secrets), state="ok"
        )
        source.save()
    return list_.pk
"""


@pytest.fixture(scope="module")
def services():
    server = EveryService()
    yield server
    server.end()


@pytest.fixture(scope="module")
def hub(tmp_path_factory, services):
    hub = Hub(
        tmp_path_factory.mktemp("hub"), LISTKEEPER_SERVICES=json.dumps(all_at(services.url)), LISTKEEPER_WORKERS="4",
        LISTKEEPER_OUTBOUND_ALLOW="127.0.0.1", LISTKEEPER_IMDB_GRAPHQL="yes", LISTKEEPER_TRAKT_CLIENT_ID="hush-client",
    )  # fmt: skip
    hub.do(MAKE)
    hub.start()
    with hub.web():
        yield hub
    hub.end()


def make(hub: Hub, name: str, adapter: str, config: Any, secrets: Any, address: str = "") -> int:
    """The id of a list with one such source."""
    return hub.ask(
        "fetched(name, adapter, config, secrets, address)",
        name=name, adapter=adapter, config=config, secrets=secrets, address=address,
    )  # fmt: skip


def bring(hub: Hub, lists: list[int]) -> dict[str, dict[str, Any]]:
    """Have all of these read in one batch; name of the list -> its first run, as the API tells it. Retries may wait."""
    batch = hub.api("batches/", {"lists": lists, "limit": 64, "force": True})["id"]
    wait_for(lambda: not hub.ask("Run.objects.filter(state__in=['queued', 'running']).count()"), within=120)
    parts = hub.api(f"batches/{batch}/parts/?limit=100")["results"]
    runs = {part["list_name"]: hub.api(f"runs/{part['run']}/") for part in parts}
    return {name: hub.api(f"runs/{run['previous']}/") if run["kind"] == "retry" else run for name, run in runs.items()}


def titles(hub: Hub, list_: int) -> list[str]:
    return [entry["values"]["title"] for entry in hub.api(f"lists/{list_}/entries/")["results"]]


@pytest.mark.covers("LIST-02", "SRC-23", "BAT-01")
def test_one_list_of_each_kind_comes_whole_by_one_batch(hub, services):
    lists = {
        key: make(hub, key, key, it.config, filled(it.secrets, url=services.url), f"{services.url}{it.at}" if it.at else "")
        for key, it in STAND_INS.items()
    }  # fmt: skip
    runs = bring(hub, list(lists.values()))
    assert {key: run["error"] for key, run in runs.items() if run["error"]} == {}
    assert {run["state"] for run in runs.values()} == {"completed"}
    for key, list_ in lists.items():
        assert titles(hub, list_) == [f"Film {n}" for page in services.pages[key] for n in page], key


@dataclass(frozen=True)
class Kind:
    """A kind of source, with a list of its own for each fault. head: what it asks before its pages."""

    adapter: str
    config: dict[str, str]
    path: str
    head: str = ""

    def page(self, films: list[int], number: int = 1, pages: int = 1) -> Reply:
        body, headers = STAND_INS[self.adapter].show(Shown(films, number, pages, FILMS))
        return Reply(as_body(body), headers={"Content-Type": "application/json", "ETag": '"one"', **headers})

    @property
    def good(self) -> list[Reply]:
        if not STAND_INS[self.adapter].size:
            return [self.page([1, 2, 3, 4, 5, 6])]
        return [self.page([1, 2], 1, 3), self.page([3, 4], 2, 3), self.page([5, 6], 3, 3)]

    @property
    def empty(self) -> Reply:
        body, headers = STAND_INS[self.adapter].show(Shown([]))
        return Reply(as_body(body), headers=headers)

    @property
    def cut(self) -> Reply:
        return replace(self.good[0], cut=len(self.good[0].body) // 2)


FILMS = 6
KINDS = (
    Kind("trakt_list", {"user": "ada", "list": "{n}"}, "/users/ada/lists/{n}/items/movie,show,season,episode",
         "/users/ada/lists/{n}"),
    Kind("tmdb_list", {"id": "{n}"}, "/4/list/{n}"),
    Kind("json_url", {}, "/{n}.json"),
)  # fmt: skip
BROKEN, PAGE = Reply(b"{}", 500), Reply(b"<html>Soon</html>", headers={"Content-Type": "text/html"})
Fault = tuple[Callable[[Kind], list[Reply]], str, str, str]
# What is answered in place of a good day's pages, and of the run: its state, its code, and words that it says.
FAULTS: dict[str, Fault] = {
    "second page of three": (lambda it: [it.good[0], BROKEN], "partial", "network", "It broke off"),
    "empty": (lambda it: [it.empty], "completed", "", ""),
    "401": (lambda _: [Reply(b"{}", 401)], "failed", "auth", "(401). Nothing was removed"),
    "403": (lambda _: [Reply(b"{}", 403)], "failed", "auth", "(403). Nothing was removed"),
    "404": (lambda _: [Reply(b"{}", 404)], "failed", "not_found", "Nothing was removed"),
    "500, then 200": (lambda it: [BROKEN, *it.good], "completed", "", ""),
    "a page": (lambda _: [PAGE], "failed", "parse", "web page in place of data"),
    "half": (lambda it: [it.cut], "failed", "parse", "breaks off"),
    "not modified": (lambda _: [Reply(b"", 304)], "completed", "", ""),
}  # fmt: skip
# What a service asks of one list holds for all of its lists, so this comes last.
LATER: dict[str, Fault] = {
    "429": (lambda _: [Reply(b"{}", 429, {"Retry-After": "300"})], "waiting", "rate_limited", "Nothing was removed")
}


@dataclass(frozen=True)
class Case:
    kind: Kind
    fault: str
    path: str
    list: int

    def __str__(self) -> str:
        return f"{self.kind.adapter}: {self.fault}"


def cases(hub: Hub, services: EveryService) -> list[Case]:
    """A list for each that its service can do, read once on a good day."""
    found = []
    for number, (kind, fault) in enumerate(product(KINDS, [*FAULTS, *LATER]), 100):
        it = STAND_INS[kind.adapter]
        if not {"second page of three": it.size, "not modified": it.conditional}.get(fault, True):
            continue
        path = kind.path.format(n=number)
        services.replies[path] = kind.good
        services.replies[kind.head.format(n=number)] = [Reply(b'{"name": "Best"}')]
        config = {name: value.format(n=number) for name, value in kind.config.items()}
        address = "" if config else f"{services.url}{path}"
        secrets = it.secrets if kind.adapter == "tmdb_list" else {}  # Trakt's key is the site's
        name = f"{kind.adapter}: {fault}"
        found.append(Case(kind, fault, path, make(hub, name, kind.adapter, config, secrets, address)))
    assert {run["added"] for run in bring(hub, [case.list for case in found]).values()} == {FILMS}
    return found


@pytest.mark.covers("SAFE-01", "SRC-23")
def test_nothing_leaves_on_a_bad_day_and_the_run_says_why(hub, services):
    services.answer("/3/authentication", {})
    every = cases(hub, services)
    runs: dict[str, dict[str, Any]] = {}
    for table in (FAULTS, LATER):
        now = [case for case in every if case.fault in table]
        for case in now:
            services.replies[case.path] = table[case.fault][0](case.kind)
        runs |= bring(hub, [case.list for case in now])
    for case in every:
        run, (_, state, code, words) = runs[str(case)], (FAULTS | LATER)[case.fault]
        assert (case, run["state"], run["error_code"], run["removed"]) == (case, state, code, 0)
        assert words in run["error"]
        assert len(titles(hub, case.list)) == FILMS
        assert run["held"] == (FILMS if case.fault == "empty" else 0), case
        assert ("Connect the account again" in run["error"]) == (code == "auth" and case.kind.adapter == "tmdb_list")
        assert "hush" not in json.dumps(run)
        if case.fault == "429":
            asked_at, next_at = (datetime.fromisoformat(run[name]) for name in ("created_at", "next_attempt_at"))
            assert (next_at - asked_at).total_seconds() >= 300
