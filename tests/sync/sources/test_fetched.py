"""Every source that is fetched, against a stand-in of its service that does what services do on bad days."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from lists.records import About, NotTaken, Record, Unreadable
from sync.adapters import ADAPTERS, Adapter, Context, Reach, checked, fetched_adapters
from sync.appraisal import is_whole
from sync.errors import (
    AccessRefused,
    BadPayload,
    Blocked,
    NotFound,
    NotModified,
    RateLimited,
    SourceUnavailable,
    SyncError,
)
from sync.http import Door, Validators
from sync.http.services import KNOWN
from sync.reading import read
from tests.sync.sources.stand_ins import STAND_INS, Shown, StandIn, all_at, filled, silent
from tests.upstream import Reply, Upstream, as_body

OURS = [key for key in fetched_adapters() if ADAPTERS[key].__module__.startswith("sync.sources.")]
HTML = "<!DOCTYPE html><html><body>Please wait</body></html>"
ETAG = {"ETag": '"one"'}

pytestmark = pytest.mark.covers("LIST-02", "SRC-23")


class Service:
    """A stand-in as its source meets it."""

    def __init__(self, key: str, stand_in: StandIn, upstream: Upstream):
        self.key, self.stand_in, self.upstream = key, stand_in, upstream
        self.adapter: type[Adapter] = ADAPTERS[key]
        self.ctx = Context()
        self.validators = Validators("salt")
        self.accepted = b""
        self.stated_before = self.is_silent = False
        answers, wrong = checked(self.adapter, stand_in.config)
        assert wrong == []
        self.config = answers
        self.secrets = filled(stand_in.secrets, url=upstream.url)

    def shows(self, *pages: list[Any], total: int | None = None) -> None:
        """These pages in this order; the last one again and again."""
        total = sum(map(len, pages)) if total is None else total
        for path, answer in self.stand_in.heads.items():
            self.upstream.replies[path] = [Reply(as_body(self.said(filled(answer, total=total))))]
        self.upstream.replies[self.stand_in.path] = [
            self.page(Shown(films, number, len(pages), total)) for number, films in enumerate(pages, 1)
        ]

    def page(self, shown: Shown) -> Reply:
        body, headers = map(self.said, self.stand_in.show(shown))
        return Reply(as_body(body), headers={"Content-Type": "application/json", **headers, **ETAG})

    def said(self, value: Any) -> Any:
        return silent(value) if self.is_silent else value

    def then(self, reply: Reply, *, at: int = 0) -> None:
        """This in the place of a page, and again and again."""
        queue = self.upstream.replies[self.stand_in.path]
        queue[at:] = [reply]

    def read(self) -> list[Any]:
        self.ctx = Context(
            config=self.config,
            secrets=self.secrets,
            address=f"{self.upstream.url}{self.stand_in.at}",
            accepted=self.accepted,
            stated_before=self.stated_before,
        )
        door = Door(self.adapter.service, limits=self.adapter.limits, validators=self.validators)
        with door as self.ctx.http, read(self.adapter(), self.ctx) as spool:
            rows = list(spool)
            self.whole = is_whole(spool, self.ctx)
        return [row for row in rows if not isinstance(row, About)]

    def fails(self) -> SyncError:
        with pytest.raises(SyncError) as caught:
            self.read()
        assert "hush" not in f"{caught.value} {caught.value!r}"
        return caught.value


def titles(rows: list[Any]) -> list[str]:
    return [row.values["title"] for row in rows if isinstance(row, Record)]


def films(*numbers: int) -> list[str]:
    return [f"Film {n}" for n in numbers]


@pytest.fixture(scope="module")
def one_upstream() -> Iterator[Upstream]:
    server = Upstream()
    yield server
    server.end()


@pytest.fixture(params=OURS)
def service(request, one_upstream, settings, db) -> Service:
    """Of a source without a stand-in nobody knows what it does on a bad day: write one."""
    one_upstream.replies.clear()
    one_upstream.seen.clear()
    settings.OUTBOUND_ALLOW = ["127.0.0.1"]
    settings.SERVICES = all_at(one_upstream.url)
    settings.RETRY_PAUSES_S = (0.0,)
    settings.IMDB_GRAPHQL = True
    return Service(request.param, STAND_INS[request.param], one_upstream)


def those(fits: Callable[[StandIn], Any]) -> pytest.MarkDecorator:
    """Only sources whose service does that."""
    keys = [key for key in OURS if key in STAND_INS and fits(STAND_INS[key])]
    return pytest.mark.parametrize("service", keys, indirect=True)


paged = those(lambda it: it.size)
counted = those(lambda it: it.counted)
conditional = those(lambda it: it.conditional)
with_account = those(lambda it: it.secrets)


def test_all_of_a_list_is_read_in_its_order(service):
    service.shows([3, 1, 2])
    rows = service.read()
    assert titles(rows) == films(3, 1, 2)
    assert (service.whole, service.ctx.cut_off) == (True, None)
    assert service.ctx.expected == (3 if service.stand_in.counted else None)
    assert len({row.key for row in rows}) == 3
    assert all(row.kind in service.adapter.kinds for row in rows)


@paged
def test_every_page_is_read(service):
    service.shows([1, 2, 3], [4], [5, 6, 7])
    rows = service.read()
    assert titles(rows) == films(1, 2, 3, 4, 5, 6, 7)
    assert (service.whole, service.ctx.cut_off) == (True, None)
    if service.key != "mdblist_list":  # it states the places itself
        assert [row.position for row in rows] == [1, 2, 3, 4, 5, 6, 7]


@paged
def test_a_page_that_comes_again_ends_it_and_nothing_is_whole(service):
    service.shows([1, 2], [1, 2], [5, 6])
    assert titles(service.read()) == films(1, 2)
    assert not service.whole
    assert "same page" in str(service.ctx.cut_off)


@paged
def test_a_page_that_does_not_come_leaves_the_others(service):
    service.shows([1, 2], [3, 4], [5, 6])
    service.then(Reply(b"{}", 500), at=1)
    assert titles(service.read()) == films(1, 2)
    assert not service.whole
    assert isinstance(service.ctx.cut_off, SourceUnavailable)


@paged
def test_a_later_page_that_is_none_leaves_the_others(service):
    service.shows([1, 2], [3, 4], [5, 6])
    service.then(Reply(HTML.encode(), headers={"Content-Type": "text/html"}), at=1)
    assert titles(service.read()) == films(1, 2)
    assert (service.whole, type(service.ctx.cut_off)) == (False, Blocked)


@counted
def test_less_than_was_stated_is_not_whole(service):
    service.shows([1, 2], total=9)
    service.read()
    assert not service.whole


@those(lambda it: not it.counted)
def test_no_answer_vouches_for_itself(service):
    for numbers in ([1, 2, 3], []):
        service.shows(numbers)
        service.read()
        assert service.ctx.expected is None, "only the service can say how much it lists"


@paged
def test_a_full_page_is_not_the_last_one_unless_it_is_said_so(service):
    size, service.is_silent = service.stand_in.size, True
    if "limit" in service.adapter.Config.base_fields:
        service.config |= {"limit": 9 * size}
    service.shows([*range(1, size + 1)], [size + 1, size + 2], [])
    came = titles(service.read())
    if service.key == "imdb_list":  # where a page ends is all by which the next one can be asked for
        assert (len(came), service.whole, "where its list goes on" in str(service.ctx.cut_off)) == (size, False, True)
    else:
        assert (len(came), service.whole) == (size + 2, True)


@counted
def test_who_does_not_say_any_more_how_much_there_is_may_have_sent_a_part(service):
    service.is_silent = True
    service.shows([1, 2], [])
    service.read()
    assert (service.whole, service.ctx.expected) == (True, None)
    service.stated_before = True
    service.shows([1, 2], [])
    assert titles(service.read()) == films(1, 2)
    assert not service.whole


def test_a_list_may_be_empty(service):
    service.shows([])
    assert service.read() == []
    assert service.ctx.expected in (0, None)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, AccessRefused),
        (403, AccessRefused),
        (404, NotFound),
        (410, NotFound),
        (500, SourceUnavailable),
        (503, SourceUnavailable),
    ],
)
def test_what_a_service_refuses_is_told_for_what_it_is(service, status, error):
    service.shows([1])
    service.then(Reply(b"{}", status, {"Content-Type": "application/json"}))
    told = service.fails()
    assert type(told) is error
    assert "Nothing was" in str(told)


@pytest.mark.parametrize("says", ["3600", "date", ""])
@pytest.mark.covers("SRC-17")
def test_a_service_that_is_asked_too_often_says_when_to_come_again(service, says):
    service.shows([1])
    when = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True) if says == "date" else says
    service.then(Reply(b"{}", 429, {"Retry-After": when} if when else {}))
    told = service.fails()
    assert type(told) is RateLimited
    assert "Nothing was" in str(told)
    assert told.retry_after is None if not says else 3590 < told.retry_after <= 3600


def test_a_bad_moment_passes_unnoticed(service):
    service.shows([1, 2])
    service.upstream.replies[service.stand_in.path].insert(0, Reply(b"{}", 500))
    assert titles(service.read()) == films(1, 2)
    assert service.whole


def test_after_a_bad_day_all_of_it_is_there(service):
    service.shows([1, 2])
    service.then(Reply(b"{}", 500))
    service.fails()
    service.shows([1, 2])
    assert titles(service.read()) == films(1, 2)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(HTML.encode(), headers={"Content-Type": "text/html"}),
        Reply(b"{}", headers={"x-amzn-waf-action": "challenge"}),
    ],
    ids=["page", "challenge"],
)
def test_a_page_in_place_of_data_is_known(service, reply):
    service.shows([1])
    service.then(reply)
    assert type(service.fails()) is Blocked


def test_an_answer_that_breaks_off_is_none(service):
    service.shows([1, 2, 3])
    reply = service.upstream.replies[service.stand_in.path][0]
    reply.cut = len(reply.body) // 2
    told = service.fails()
    assert isinstance(told, SourceUnavailable | BadPayload)


def test_an_answer_of_another_shape_is_none(service):
    service.shows([1])
    service.then(Reply(as_body(service.stand_in.wrong)))
    told = service.fails()
    assert isinstance(told, BadPayload)
    assert "Nothing" in str(told)


def test_an_empty_body_is_no_empty_list(service):
    service.shows([1])
    service.then(Reply(b""))
    assert isinstance(service.fails(), BadPayload)


def test_a_thing_without_an_id_keeps_the_others(service):
    service.shows([1, None, 3])
    rows = service.read()
    assert {"Film 1", "Film 3"} <= set(titles(rows))
    assert all(isinstance(row, Record | Unreadable | NotTaken) for row in rows)
    assert len(rows) == 3


def test_a_thing_that_stands_twice_is_known(service):
    service.shows([1, 2, 1])
    rows = service.read()
    assert titles(rows)[:2] == films(1, 2)
    assert len({row.key for row in rows}) == 2


@conditional
def test_what_is_not_new_is_not_read(service):
    service.shows([1, 2])
    service.read()
    service.validators = Validators("salt", service.validators.new)
    service.then(Reply(b"", 304))
    with pytest.raises(NotModified):
        service.read()
    assert service.upstream.seen[-1].headers["If-None-Match"] == '"one"'


@conditional
def test_the_same_answer_is_not_read_again(service):
    service.shows([1, 2])
    service.read()
    service.accepted = service.ctx.digest
    with pytest.raises(NotModified):
        service.read()


@with_account
def test_without_its_account_it_says_so(service):
    service.shows([1])
    service.secrets = {}
    assert type(service.fails()) is AccessRefused
    assert service.upstream.seen == []


def test_secrets_are_sent_to_their_service_and_are_no_part_of_what_came(service):
    service.shows([1, 2])
    rows = service.read()
    assert "hush" not in f"{rows} {service.ctx!r}"
    if service.secrets:  # some need none
        assert "hush" in str(service.upstream.seen)


@pytest.mark.parametrize("key", OURS)
def test_each_says_what_it_is(key):
    adapter = ADAPTERS[key]
    assert adapter.label
    assert "leave" in adapter.help, "whether what leaves its service leaves the list"
    assert "Need" in adapter.help or "need" in adapter.help or adapter.asks_address, "what it needs"
    assert adapter.service in KNOWN or adapter.service.endswith(":")
    assert adapter.reach is Reach.COMPLETE or adapter.mode != "complete"
    assert adapter.mode in ("complete", "rolling", "collecting")
    assert adapter.interval_min >= 60


def test_the_documentation_says_what_leaves_by_each():
    page = (Path(__file__).parents[3] / "docs" / "sources.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| (\w+)[^|]*\|$", page, re.MULTILINE))
    words = {"rolling": {"chart"}, "collecting": {"stays"}, "complete": {"stated", "unstated"}}
    assert sorted(rows) == sorted(OURS)
    for key, word in rows.items():
        assert word in words[ADAPTERS[key].mode], key
        assert (word == "stated") == (ADAPTERS[key].mode == "complete" and STAND_INS[key].counted), key


def test_there_is_nothing_in_the_stand_ins_but_sources():
    assert sorted(STAND_INS) == sorted(OURS)
