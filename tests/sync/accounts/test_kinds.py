"""Every kind of account against its service: tested, refused, away; and how each one signs in."""

import base64
import contextlib
import json
from datetime import timedelta

import pytest

from lists.models import Account, SignIn
from sync import access, signing_in, tasks
from sync.account_kinds import KINDS, AddressField, kinds
from sync.errors import BadAnswer, SourceRefused, SourceUnavailable, SyncError
from tests.sync.accounts.conftest import DEVICE
from tests.upstream import Upstream


def jwt(**said: int) -> str:
    middle = base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")
    return f"canary.{middle}.x"


YEAR_2030 = 1_900_000_000
# key -> (what is stored, path of the test, a good answer, details that it leaves, a header or parameter that was sent)
WORKING = {
    "anilist": ({"token": jwt(exp=YEAR_2030)}, "/anilist/", {"data": {"Viewer": {"name": "ines"}}}, {"user": "ines"}),
    "mdblist": (
        {"api_key": "canary-key"}, "/mdblist/user", {"username": "ines", "api_requests": 1000, "api_requests_count": 31},
        {"user": "ines", "quota": {"used": 31, "limit": 1000, "what": "requests today"}},
    ),
    "plex": ({"token": "canary-plex"}, "/plextv/api/v2/user", {"username": "ines"}, {"user": "ines"}),
    "simkl": ({"client_id": "canary-id", "token": "canary-simkl"}, "/simkl/sync/activities", {"all": "2026-01-01"}, {}),
    "tmdb": ({"token": "canary-v4"}, "/tmdb/3/authentication", {"success": True}, {"signed_in": False}),
    "trakt": (
        {"client_id": "canary-id", "client_secret": "canary-secret", "token": "canary-trakt"}, "/trakt/users/settings",
        {"user": {"username": "ines.h"}}, {"user": "ines.h"},
    ),
}  # fmt: skip
# Servers of one's own: their address is typed.
SERVERS = {
    "plex_server": (
        {"token": "canary-plex"}, "/library/sections", {"MediaContainer": {"Directory": [{"key": "1"}]}}, {"libraries": 1},
    ),
    "radarr": ({"api_key": "canary-key"}, "/api/v3/system/status", {"appName": "Radarr", "version": "5.1"}, {"version": "5.1"}),
    "sonarr": ({"api_key": "canary-key"}, "/api/v3/system/status", {"appName": "Sonarr", "version": "4.0"}, {"version": "4.0"}),
}  # fmt: skip
ALL = WORKING | SERVERS


@pytest.fixture
def stored(make, upstream: Upstream):
    """stored("trakt") is an account that can be tested."""

    def stored(key: str) -> Account:
        account = make(key, **ALL[key][0])
        if key in SERVERS:
            Account.objects.update(details={"url": upstream.url})
            account.refresh_from_db()
        return account

    return stored


def test_no_kind_is_without_its_tests():
    assert KINDS.keys() == ALL.keys()


def test_every_kind_says_what_it_is_for_and_where_its_key_is_got():
    for kind in kinds():
        assert kind.purpose.endswith(".")
        assert kind.how.endswith(".")
        assert not kind.where or kind.where.startswith("https://")
        assert kind.signs_in or kind.asks


@pytest.mark.covers("SRC-26")
@pytest.mark.parametrize("key", ALL)
def test_an_account_that_works_says_so(stored, upstream, key):
    _, path, answer, details = ALL[key]
    upstream.answer(path, answer)
    account = access.try_account(stored(key))
    assert account.state == Account.State.OK
    assert details.items() <= account.details.items()
    assert account.tested_at is not None
    assert "canary" in f"{upstream.seen[0].headers}{upstream.seen[0].query}"
    assert len(upstream.seen) == 1


@pytest.mark.covers("SRC-26")
@pytest.mark.parametrize("key", ALL)
def test_an_account_that_is_refused_needs_attention(stored, upstream, key):
    path = ALL[key][1]
    wrong = {"errors": [{"message": "Invalid token"}]} if key == "anilist" else {"response": False, "error": "Invalid"}
    upstream.answer(path, wrong, {"anilist": 400, "mdblist": 200}.get(key, 401))
    account = access.try_account(stored(key))
    assert account.state == Account.State.ATTENTION
    assert "Nothing was removed." in account.reason
    assert "canary" not in account.reason


@pytest.mark.parametrize("key", ALL)
def test_a_service_that_is_away_says_nothing_about_the_account(stored, upstream, key):
    upstream.answer(ALL[key][1], b"", 503)
    account = stored(key)
    with pytest.raises(SourceUnavailable):
        access.try_account(account)
    account.refresh_from_db()
    assert (account.state, account.tested_at) == (Account.State.UNTESTED, None)


@pytest.mark.parametrize(("key", "other"), [("radarr", "Sonarr"), ("sonarr", "Radarr")])
def test_another_server_at_the_address_is_told(stored, upstream, key, other):
    upstream.answer("/api/v3/system/status", {"appName": other})
    with pytest.raises(SourceRefused, match=f"There is a {other} at this address"):
        access.try_account(stored(key))


def test_a_token_that_says_when_it_ends_is_watched(stored, upstream):
    upstream.answer("/anilist/", {"data": {"Viewer": {"name": "ines"}}})
    account = access.try_account(stored("anilist"))
    assert account.expires_at.timestamp() == YEAR_2030
    access.keep_fresh(account.expires_at - timedelta(days=15))
    assert Account.objects.get().state == Account.State.OK
    access.keep_fresh(account.expires_at - timedelta(days=13))
    assert Account.objects.get().state == Account.State.EXPIRING
    assert access.try_account(Account.objects.get()).state == Account.State.EXPIRING


@pytest.mark.parametrize(
    "token", ["x", "a.b.c", "a.e30.c", "a..c", "a.!!!.c", f"a.{base64.b64encode(b'[1]').decode()}.c"]
)
def test_a_token_that_says_nothing_of_an_end_has_none(make, upstream, token):
    upstream.answer("/anilist/", {"data": {"Viewer": {"name": "ines"}}})
    assert access.try_account(make("anilist", token=token)).expires_at is None


@pytest.mark.covers("SRC-26")
def test_each_night_what_works_is_tried_and_what_died_is_told(make, upstream, ines):
    upstream.answer("/mdblist/user", {"username": "ines"})
    upstream.answer("/plextv/api/v2/user", {}, 401)
    alive, dead, waits = make("mdblist", api_key="x"), make("plex", token="y"), make("radarr")
    files = make("m3u", password="z")
    Account.objects.exclude(pk=waits.pk).update(state="ok")
    Account.objects.filter(pk=files.pk).update(from_addresses=True)
    assert tasks.nightly().endswith("1 accounts work")
    assert len(upstream.seen) == 2
    states = dict(Account.objects.values_list("pk", "state"))
    assert states == {alive.pk: "ok", dead.pk: "attention", waits.pk: "untested", files.pk: "ok"}


def test_what_is_not_whole_is_not_tested(make):
    with pytest.raises(SourceRefused, match="Sign in to Plex first"):
        access.try_account(make("plex"))
    with pytest.raises(SourceRefused, match="API key must be typed first"):
        access.try_account(make("mdblist"))
    with pytest.raises(SourceRefused, match="Address and API key must be typed first"):
        access.try_account(make("radarr"))


# -- signing in, where it is not Trakt -------------------------------------------------------------------------------


def later(sign_in: SignIn) -> SignIn:
    SignIn.objects.update(next_poll_at=sign_in.created_at)
    return signing_in.ask(sign_in)


def test_plex_is_signed_in_to_on_its_own_page(make, upstream):
    upstream.answer("/plextv/api/v2/pins", {"id": 77, "code": "abc", "authToken": None, "expiresIn": 1800}, 201)
    upstream.answer("/plextv/api/v2/pins/77", {"id": 77, "authToken": None})
    upstream.answer("/plextv/api/v2/pins/77", {"id": 77, "authToken": "canary-plex"})
    upstream.answer("/plextv/api/v2/user", {"username": "ines"})
    begun = signing_in.begin(make("plex"))
    client = upstream.seen[0].headers["X-Plex-Client-Identifier"]
    assert begun.url.startswith(f"https://app.plex.tv/auth#!?clientID={client}&code=abc&")
    assert upstream.seen[0].query == {"strong": ["true"]}
    assert begun.code == ""
    assert later(begun).state == SignIn.State.WAITING
    assert later(begun).state == SignIn.State.DONE
    account = Account.objects.get()
    assert (account.opened, account.details) == ({"token": "canary-plex"}, {"user": "ines"})
    assert {each.headers["X-Plex-Client-Identifier"] for each in upstream.seen} == {client}


def test_a_pin_of_plex_that_is_gone_has_run_out(make, upstream):
    upstream.answer("/plextv/api/v2/pins", {"id": 77, "code": "abc"}, 201)
    upstream.answer("/plextv/api/v2/pins/77", {"errors": []}, 404)
    assert later(signing_in.begin(make("plex"))).state == SignIn.State.EXPIRED


def test_tmdb_is_signed_in_to_with_the_long_token(make, upstream):
    with pytest.raises(SourceRefused, match="long API read access token"):
        signing_in.begin(make("tmdb", api_key="a" * 32))
    Account.objects.all().delete()
    upstream.answer("/tmdb/4/auth/request_token", {"success": True, "request_token": "canary-request"})
    upstream.answer("/tmdb/4/auth/access_token", {"success": False, "status_code": 41}, 422)
    upstream.answer("/tmdb/4/auth/access_token", {"success": True, "access_token": "canary-user", "account_id": "5f"})
    upstream.answer("/tmdb/3/authentication", {"success": True})
    begun = signing_in.begin(make("tmdb", token="canary-v4"))
    assert begun.url == "https://www.themoviedb.org/auth/access?request_token=canary-request"
    assert later(begun).state == SignIn.State.WAITING
    assert later(begun).state == SignIn.State.DONE
    assert Account.objects.get().opened == {"token": "canary-v4", "user_token": "canary-user", "account_id": "5f"}
    assert upstream.seen[-1].headers["Authorization"] == "Bearer canary-user"


def test_a_request_that_tmdb_forgot_is_over(make, upstream):
    upstream.answer("/tmdb/4/auth/request_token", {"success": True, "request_token": "canary-request"})
    upstream.answer("/tmdb/4/auth/access_token", {"success": False, "status_code": 33}, 401)
    assert later(signing_in.begin(make("tmdb", token="canary-v4"))).state == SignIn.State.FAILED


def test_simkl_waits_for_a_code(make, upstream):
    device = {
        "result": "OK",
        "user_code": "5F3A",
        "verification_url": "https://simkl.example/pin",
        "expires_in": 900,
        "interval": 5,
    }
    upstream.answer("/simkl/oauth/pin", device)
    upstream.answer("/simkl/oauth/pin/5F3A", {"result": "KO", "message": "Authorization pending"})
    upstream.answer("/simkl/oauth/pin/5F3A", {"result": "KO", "message": "Slow down"})
    upstream.answer("/simkl/oauth/pin/5F3A", {"result": "OK", "access_token": "canary-simkl"})
    upstream.answer("/simkl/sync/activities", {"all": "2026-01-01"})
    begun = signing_in.begin(make("simkl", client_id="canary-id"))
    assert upstream.seen[0].query["client_id"] == ["canary-id"]
    assert later(begun).interval_s == 5
    assert later(begun).interval_s == 10
    assert later(begun).state == SignIn.State.DONE
    assert Account.objects.get().opened["token"] == "canary-simkl"


SIGN_INS = {
    "plex": ("/plextv/api/v2/pins", {"id": 77, "code": "abc"}, "/plextv/api/v2/pins/77", "authToken"),
    "tmdb": ("/tmdb/4/auth/request_token", {"request_token": "r"}, "/tmdb/4/auth/access_token", "access_token"),
    "simkl": (
        "/simkl/oauth/pin", {"user_code": "A", "verification_url": "https://s.example", "interval": 5, "expires_in": 600},
        "/simkl/oauth/pin/A", "access_token",
    ),
    "trakt": ("/traktauth/oauth/device/code", DEVICE, "/traktauth/oauth/device/token", "access_token"),
}  # fmt: skip


@pytest.mark.parametrize("key", SIGN_INS)
def test_an_answer_of_another_shape_ends_no_sign_in_and_keeps_nobody_else_waiting(stored, upstream, key):
    begin, device, poll, token = SIGN_INS[key]
    account = stored(key)
    for wrong in ([], [device], {"code": 5, "verification_url": 5, "user_code": 5}):
        upstream.answer(begin, wrong)
        with pytest.raises(BadAnswer):
            signing_in.begin(account)
    upstream.answer(begin, device)
    sign_in = signing_in.begin(account)
    for wrong in ([], "text", {token: ["a list"]}, {token: 5}):
        upstream.answer(poll, wrong)
        SignIn.objects.update(next_poll_at=sign_in.created_at)
        assert "0 sign-ins came true, 0 tokens renewed" in tasks.tick()
        sign_in.refresh_from_db()
        assert (sign_in.state, "It is asked again." in sign_in.reason) == (SignIn.State.WAITING, True)


@pytest.mark.parametrize("key", ALL)
def test_a_test_that_is_answered_in_another_shape_breaks_nothing(stored, upstream, key):
    for wrong in ([], {"user": [], "data": [], "MediaContainer": []}):
        upstream.answer(ALL[key][1], wrong)
        with contextlib.suppress(SyncError):
            access.try_account(stored(key))
        Account.objects.all().delete()


def test_what_has_no_sign_in_does_not_begin_one(make):
    with pytest.raises(SourceRefused, match="its key is typed"):
        signing_in.begin(make("mdblist", api_key="x"))


# -- what is typed ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ({"key": "a" * 32}, {"api_key": "a" * 32, "token": ""}),
        ({"key": " eyJ.canary "}, {"api_key": "", "token": "eyJ.canary"}),
        ({"key": ""}, {}),
    ],
)
def test_a_key_of_tmdb_is_known_by_its_looks(typed, kept):
    assert KINDS["tmdb"]().sorted_out(typed) == (kept, {})


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("http://nas.local:7878/", "http://nas.local:7878"), ("radarr:7878", "http://radarr:7878"),
        ("https://films.example/radarr", "https://films.example/radarr"), ("http://[::1]:7878", "http://[::1]:7878"),
    ],
)  # fmt: skip
def test_addresses_of_servers_at_home_are_taken(typed, address):
    assert AddressField().clean(typed) == address


@pytest.mark.parametrize(
    "typed",
    [
        "ftp://nas",
        "http://",
        "http://u:canary@nas:1",
        "http://nas:99999",
        "http://a b",
        "http://nas/?key=canary",
        "javascript:x",
        "http://[::1",
    ],
)
def test_what_is_no_address_of_a_server_is_not(typed):
    form = KINDS["radarr"].form({"url": typed, "api_key": "x"})
    assert not form.is_valid()
    assert "canary" not in str(form.errors.as_text())


def test_what_is_kept_or_set_need_not_be_typed(settings):
    trakt = KINDS["trakt"]
    assert trakt.form({}).errors.keys() == {"client_id", "client_secret"}
    assert trakt.form({}, kept=frozenset({"client_id"})).errors.keys() == {"client_secret"}
    settings.SERVICE_KEYS = {"trakt": {"client_id": "x", "client_secret": "y"}}
    assert trakt.form({}).is_valid()


def test_a_secret_is_never_put_back_into_its_field():
    shown = str(KINDS["mdblist"].form({"api_key": "canary-key"}))
    assert "canary" not in shown
    assert 'type="password"' in shown
