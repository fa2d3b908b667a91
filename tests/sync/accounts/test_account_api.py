"""Accounts by API: made, tested, signed in to, used, deleted; their secrets go in and never come out."""

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from lists import services
from lists.models import Account, SignIn, Source
from sync.account_kinds import KINDS
from tests.lists.test_api import api
from tests.sync.accounts.conftest import TOKEN

HERE = "/api/v1/accounts/"


@pytest.fixture
def mine(ines) -> APIClient:
    return api(ines)


def created(mine, **body):
    answer = mine.post(HERE, body, format="json")
    assert answer.status_code == 201, answer.json()
    return answer.json()


def test_every_kind_is_described(mine):
    found = mine.get("/api/v1/account-kinds/").json()["results"]
    assert {row["key"] for row in found} == set(KINDS)
    radarr = next(row for row in found if row["key"] == "radarr")
    assert [(row["name"], row["secret"], row["required"]) for row in radarr["asks"]] == [
        ("url", False, True), ("api_key", True, True),
    ]  # fmt: skip


@pytest.mark.covers("SRC-26", "SAFE-09")
def test_an_account_is_stored_tested_and_its_key_never_told(mine, upstream):
    upstream.answer("/mdblist/user", {"username": "ines", "api_requests": 10, "api_requests_count": 3})
    made = created(mine, service="mdblist", name="Mine", answers={"api_key": "canary-key"})
    assert (made["state"], made["kept"], made["has_token"], made["sources"]) == ("untested", ["api_key"], True, 0)
    assert upstream.seen == []
    tested = mine.post(f"{HERE}{made['id']}/test/")
    assert (tested.status_code, tested.json()["state"]) == (200, "ok")
    assert tested.json()["details"]["quota"] == {"used": 3, "limit": 10, "what": "requests today"}
    told = [made, tested.content, mine.get(HERE).content, mine.get(f"{HERE}{made['id']}/").content]
    assert "canary" not in str(told)


def test_a_refused_account_says_so_and_one_that_nobody_answers_stays(mine, upstream):
    made = created(mine, service="mdblist", name="Mine", answers={"api_key": "canary-key"})
    upstream.answer("/mdblist/user", b"", 503)
    upstream.answer("/mdblist/user", {}, 401)
    away = mine.post(f"{HERE}{made['id']}/test/")
    assert (away.status_code, away.json()["error"]["code"]) == (503, "unavailable")
    tested = mine.post(f"{HERE}{made['id']}/test/")
    assert (tested.json()["state"], "canary" in tested.json()["reason"]) == ("attention", False)
    assert [row["id"] for row in mine.get(HERE, {"state": "attention"}).json()["results"]] == [made["id"]]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"service": "nothing", "name": "x"}, "service"), ({"service": "mdblist", "name": "x"}, "answers"),
        ({"service": "mdblist", "name": "x", "answers": {"api_key": "canary", "other": "y"}}, "answers"),
        ({"service": "radarr", "name": "x", "answers": {"api_key": "y", "url": "http://u:canary@nas"}}, "answers"),
        ({"service": "mdblist", "name": "", "answers": {"api_key": "canary"}}, "name"),
        ({"service": "mdblist", "name": "x", "answers": {"api_key": ["canary"]}}, "answers.api_key"),
        ({"service": "mdblist", "name": "x", "answers": {"api_key": "canary"}, "secrets": {}}, "secrets"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(mine, body, field):
    answer = mine.post(HERE, body, format="json")
    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, [field])
    assert "canary" not in answer.content.decode()
    assert not Account.objects.exists()


def test_a_key_is_replaced_and_its_sources_wait(mine, make, live, films, ines):
    account = make("mdblist", api_key="old")
    services.accept_account(account, by=ines)
    source = services.use_account(live(films), account, by=ines)
    address = f"{HERE}{account.pk}/"
    assert mine.patch(address, {"name": "New"}, format="json").json()["state"] == "ok"
    assert mine.patch(address, {"answers": {"api_key": "canary"}}, format="json").json()["state"] == "untested"
    found = mine.get(f"/api/v1/lists/{films.pk}/sources/{source.pk}/").json()
    assert (found["account"], found["paused"][:11]) == (account.pk, "Waits until")
    state = next(row for row in mine.get("/api/v1/syncs/").json()["results"] if row["source_id"] == source.pk)
    assert (state["state"], state["paused"]) == ("reconnect", found["paused"])
    asked = mine.post(f"/api/v1/lists/{films.pk}/sources/{source.pk}/sync/", {"force": True}, format="json")
    assert (asked.status_code, asked.json()["error"]["code"]) == (409, "refused")


def test_deleting_what_is_used_must_be_meant(mine, make, live, films, ines):
    account = make("mdblist", api_key="old")
    services.use_account(live(films), account, by=ines)
    address = f"{HERE}{account.pk}/"
    refused = mine.delete(address)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "in_use")
    assert mine.delete(f"{address}?pause=true").status_code == 204
    assert Source.objects.get(role="feed").paused.startswith("Its account “my mdblist” was deleted.")


@pytest.mark.covers("OAUTH-01", "OAUTH-02")
def test_a_sign_in_is_begun_followed_and_comes_true(mine, waiting, upstream, trakt):
    waiting((400, b""), (200, TOKEN))
    address = f"{HERE}{trakt.pk}/sign-in/"
    assert mine.get(address).status_code == 404
    begun = mine.post(address)
    assert (begun.status_code, begun.json()["code"], begun.json()["url"], begun.json()["interval_s"]) == (
        201, "7KQ3F9XM", "https://trakt.example/activate", 5,
    )  # fmt: skip
    for _ in range(5):
        assert mine.get(address).json()["state"] == "waiting"
    assert upstream.asked("/traktauth/oauth/device/token") == 0
    for state in ("waiting", "done"):
        SignIn.objects.update(next_poll_at=timezone.now())
        found = mine.get(address).json()
        assert (found["state"], "canary" in str(found)) == (state, False)
    account = mine.get(f"{HERE}{trakt.pk}/").json()
    assert (account["state"], account["has_token"]) == ("ok", True)
    assert account["kept"] == ["client_id", "client_secret", "refresh_token", "token"]


def test_a_sign_in_is_given_up(mine, waiting, trakt):
    waiting((400, b""))
    address = f"{HERE}{trakt.pk}/sign-in/"
    mine.post(address)
    assert mine.delete(address).status_code == 204
    assert (mine.get(address).json()["state"], mine.get(address).json()["url"]) == ("cancelled", "")


def test_a_source_is_read_with_an_account_of_its_kind_and_no_other(mine, films, make, ines, jonas, monkeypatch):
    monkeypatch.setitem(KINDS, "scripted", KINDS["mdblist"])
    fits, other = make("scripted", api_key="x"), make("plex", token="y")
    theirs = services.make_account(jonas, service="scripted", name="j", by=jonas)
    sources = f"/api/v1/lists/{films.pk}/sources/"
    body = {"adapter": "scripted_remote", "account": fits.pk}
    made = mine.post(sources, body, format="json")
    assert (made.status_code, made.json()["account"]) == (201, fits.pk)
    address = f"{sources}{made.json()['id']}/account/"
    assert mine.put(address, {"account": other.pk}, format="json").status_code == 400
    assert mine.put(address, {"account": theirs.pk}, format="json").status_code == 400
    assert mine.put(address, {}, format="json").status_code == 400
    assert mine.put(address, {"account": None}, format="json").json()["account"] is None
    assert mine.post(sources, {**body, "account": other.pk}, format="json").status_code == 400
    assert Source.objects.count() == 1
