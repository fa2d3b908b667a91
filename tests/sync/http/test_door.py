"""What an adapter asks with: answers that are checked before they are read, errors in our own words."""

import json

import pytest

from sync.errors import (
    AccessRefused,
    BadAnswer,
    BadPayload,
    Blocked,
    NotFound,
    NotModified,
    RateLimited,
    SourceError,
    SourceRefused,
    SourceUnavailable,
    TooLarge,
)
from sync.http import Door, Limits, Validators
from sync.models import Breaker

PAGE = "<!DOCTYPE html><html><body>We will be back soon</body></html>"


def refused(door, path="/list", **how) -> SourceError:
    with pytest.raises(SourceError) as caught:
        door.get(path, **how)
    return caught.value


def test_an_answer_is_read_and_counted(door, upstream):
    upstream.answer("/3/list/7", {"items": [1, 2]}, headers={"X-Total": "2"})
    answer = door.get("/3/list/7", params={"page": 1, "api_key": "hush", "none": None})
    assert answer.json() == {"items": [1, 2]}
    assert (answer.status, answer.headers["x-total"], door.meter.requests) == (200, "2", 1)
    assert upstream.seen[0].query == {"page": ["1"], "api_key": ["hush"]}
    assert upstream.seen[0].headers["User-Agent"].startswith("Listkeeper/")
    assert "hush" not in answer.url


def test_a_question_is_posted_as_json(door, upstream):
    upstream.answer("/graphql", {"data": {}})
    door.post("/graphql", json={"query": "{ list }"}, headers={"Authorization": "Bearer hush"})
    assert json.loads(upstream.seen[0].body) == {"query": "{ list }"}
    assert upstream.seen[0].headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, SourceRefused, "http_4xx"),
        (401, AccessRefused, "auth"),
        (403, AccessRefused, "auth"),
        (404, NotFound, "gone"),
        (410, NotFound, "gone"),
        (429, RateLimited, "rate_limited"),
        (500, SourceUnavailable, "http_5xx"),
        (503, SourceUnavailable, "http_5xx"),
    ],
)
def test_a_status_is_told_for_what_it_means(door, upstream, status, error, kind):
    upstream.answer("/list", {}, status)
    told = refused(door, params={"api_key": "hush"})
    assert (type(told), told.kind) == (error, kind)
    assert "TMDb" in str(told)
    assert "Nothing was removed" in str(told)
    assert "hush" not in repr(told)
    assert door.get("/list", ok=(status,)).status == status


@pytest.mark.parametrize(
    ("accept", "body", "error"),
    [
        ("json", PAGE, Blocked),
        ("csv", PAGE, Blocked),
        ("xml", f"<?xml version='1.0'?>\n{PAGE}", Blocked),
        ("json", b"", BadAnswer),
        ("json", b"fault", BadAnswer),
        ("xml", b'{"a": 1}', BadAnswer),
    ],
)
def test_what_is_no_data_is_refused_unread(door, upstream, accept, body, error):
    upstream.answer("/list", body)
    told = refused(door, accept=accept)
    assert isinstance(told, error)
    assert isinstance(told, BadPayload)
    assert told.kind == "bad_response"


def test_a_wrong_content_type_alone_is_no_fault(door, upstream):
    upstream.answer("/list", b"\xef\xbb\xbf [1]", headers={"Content-Type": "text/plain"})
    assert door.get("/list").json() == [1]


@pytest.mark.parametrize("status", [200, 202, 403, 405])
def test_a_challenge_is_known_by_its_header(door, upstream, status):
    upstream.answer("/list", b"", status, headers={"x-amzn-waf-action": "challenge"})
    assert isinstance(refused(door), Blocked)


def test_who_stands_before_a_service_says_nothing_of_credentials(door, upstream):
    upstream.answer("/list", PAGE, 403, headers={"Server": "cloudflare"})
    assert isinstance(refused(door), RateLimited)
    upstream.answer("/mine", {}, 403, headers={"Server": "cloudflare"})
    assert isinstance(refused(door, "/mine"), AccessRefused)


def test_no_content_is_no_list(door, upstream):
    upstream.answer("/list", b"", 204)
    assert isinstance(refused(door), BadAnswer)
    assert door.get("/list", ok=(204,)).body == b""


@pytest.mark.parametrize("body", [b"[1, 2 3]", b'{"a": NaN}', b"[1, 2], [3]", b'[{"a": 1}, {"b": [2]'])
def test_broken_json_is_a_bad_answer_and_asked_for_again(door, upstream, body):
    upstream.answer("/list", body)
    told = refused(door)
    assert (type(told), told.kind, upstream.asked("/list")) == (BadAnswer, "bad_response", 2)
    assert "Nothing was read" in str(told)
    assert Breaker.objects.get(service="tmdb").failures == 2
    upstream.answer("/list", [1, 2])
    assert door.get("/list").json() == [1, 2]


@pytest.mark.parametrize("body", [b"[" * 70 + b"]" * 70, b'["\xff"]'])
def test_json_beyond_what_we_read_is_a_bad_answer(door, upstream, body):
    upstream.answer("/list", body)
    answer = door.get("/list")
    with pytest.raises(BadAnswer, match="Nothing was read"):
        answer.json()


def test_objects_of_a_large_answer_come_one_by_one(door, upstream):
    upstream.answer("/all", {"data": [{"id": n, "rating": 7.5} for n in range(1000)]})
    assert [item["id"] for item in door.items("/all", "data.item")] == list(range(1000))
    for path, body in (("/cut", b'[{"id": 1}, {"id"'), ("/lost", b'[{"id": 1}, {"id": 2}')):
        upstream.answer(path, body)
        with pytest.raises(BadAnswer):
            next(door.items(path, "item"))
        assert upstream.asked(path) == 2
    assert Breaker.objects.get(service="tmdb").failures == 4


def test_packed_answers_are_unpacked(door, upstream):
    upstream.packed("/list", b'{"items": []}')
    assert door.get("/list").json() == {"items": []}


def test_two_layers_are_not(door, upstream):
    upstream.packed("/list", b"[]", layers=2)
    assert isinstance(refused(door), BadAnswer)


def test_a_bomb_is_not_unpacked(door, upstream):
    upstream.packed("/list", b"[" + b" " * 50_000_000)
    assert isinstance(refused(door), TooLarge)


def test_an_answer_has_a_largest_size(upstream):
    upstream.answer("/list", b"[" + b" " * 5000 + b"]")
    with Door(limits=Limits(body=4000)) as door:
        assert refused(door, f"{upstream.url}/list").kind == "too_large"


def test_an_answer_that_breaks_off_is_none(door, upstream):
    upstream.answer("/list", list(range(1000)), cut=500)
    assert isinstance(refused(door), BadAnswer)


def test_redirects_are_followed_and_secrets_stay_at_their_origin(door, upstream, other):
    upstream.answer("/list", {}, 302, headers={"Location": f"{other.url}/here?page=2&api_key=hush"})
    other.answer("/here", {}, 301, headers={"Location": "/there"})
    other.answer("/there", [1])
    secret = {"Authorization": "Bearer hush", "trakt-api-key": "hush", "Cookie": "a=hush"}
    assert door.get("/list", headers=secret).json() == [1]
    assert other.seen[0].query == {"page": ["2"]}
    assert "hush" not in str(other.seen)
    assert "hush" in str(upstream.seen)


@pytest.mark.parametrize(("status", "kind"), [(307, "redirect"), (302, "")])
def test_what_was_posted_to_one_is_not_sent_to_another(door, upstream, other, status, kind):
    upstream.answer("/token", {}, status, headers={"Location": f"{other.url}/token"})
    other.answer("/token", [1])
    try:
        door.post("/token", json={"client_secret": "hush"})
        told = ""
    except SourceError as e:
        told = e.kind
    assert told == kind
    assert "hush" not in str(other.seen)


def test_a_circle_of_redirects_ends(door, upstream):
    upstream.answer("/list", {}, 302, headers={"Location": "/other"})
    upstream.answer("/other", {}, 302, headers={"Location": "/list"})
    assert refused(door).kind == "redirect"
    for n in range(20):
        upstream.answer(f"/chain/{n}", {}, 302, headers={"Location": f"/chain/{n + 1}"})
    assert refused(door, "/chain/0").kind == "redirect"
    assert len(upstream.seen) <= 2 + 6


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/"])
def test_a_redirect_leads_to_no_other_kind_of_address(door, upstream, target):
    upstream.answer("/list", {}, 302, headers={"Location": target})
    assert refused(door).kind == "blocked_address"


def test_what_is_not_new_is_not_read(upstream, settings):
    settings.SERVICES |= {"tmdb": {"url": upstream.url}}
    upstream.answer("/list", [1], headers={"ETag": '"a"', "Last-Modified": "Sat, 21 Nov 2026 10:00:00 GMT"})
    upstream.answer("/list", b"", 304)
    with Door("tmdb", validators=Validators("salt")) as door:
        door.get("/list", conditional=True)
        stored = door.validators.new
    with Door("tmdb", validators=Validators("salt", stored)) as door, pytest.raises(NotModified):
        door.get("/list", conditional=True)
    assert upstream.seen[1].headers["If-None-Match"] == '"a"'
    assert upstream.seen[1].headers["If-Modified-Since"] == "Sat, 21 Nov 2026 10:00:00 GMT"
    assert Validators("other settings", stored).headers() == {}


def test_pages_end_where_a_service_repeats_itself(door, upstream):
    def pages(name, **how):
        ask = lambda number: door.get(f"/{name}/{number}")  # noqa: E731
        return door.pages(ask, lambda page: page.json(), **how)

    for number, page in enumerate([[1, 2], [2, 3], [3, 2]], 1):
        upstream.answer(f"/known/{number}", page)
    came = []
    with pytest.raises(SourceUnavailable, match="same page"):
        came.extend(page.json() for page in pages("known"))
    assert came == [[1, 2], [2, 3]]
    for number in range(1, 6):
        upstream.answer(f"/new/{number}", [number])
    with pytest.raises(SourceUnavailable, match="more than 3 pages"):
        list(pages("new", most=3))
    upstream.answer("/none/1", [])
    assert next(pages("none")).json() == []


def test_a_host_that_is_not_there_is_told_by_its_name(db):
    with Door("rss:") as door:
        assert refused(door, "http://nowhere.invalid/feed").kind == "dns"


def test_a_service_that_is_down_is_told(upstream):
    upstream.end()
    with Door() as door:
        assert refused(door, upstream.url).kind == "connect"


def test_a_connection_that_is_torn_off_is_told(door, upstream):
    upstream.answer("/list", reset=True)
    assert refused(door).kind == "reset"
