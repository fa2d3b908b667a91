"""The device flow of Trakt, start to end: every answer, the pace, the end of a code, and who asks."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from lists import services
from lists.models import Account, SignIn
from sync import signing_in, tasks
from sync.errors import SourceRefused, SourceUnavailable
from tests.sync.accounts.conftest import TOKEN

CODE, POLL = "/traktauth/oauth/device/code", "/traktauth/oauth/device/token"


def later(sign_in: SignIn, seconds: float = 6) -> SignIn:
    """Looked at so long after it began."""
    return signing_in.ask(sign_in, now=sign_in.created_at + timedelta(seconds=seconds))


@pytest.mark.covers("OAUTH-01")
def test_a_sign_in_begins_with_a_code_and_asks_once(trakt, waiting, upstream):
    waiting((400, b""))
    begun = signing_in.begin(trakt)
    assert (begun.code, begun.url, begun.interval_s) == ("7KQ3F9XM", "https://trakt.example/activate", 5)
    assert timedelta(seconds=590) < begun.expires_at - timezone.now() <= timedelta(seconds=600)
    assert upstream.asked(CODE) == 1
    assert json.loads(upstream.seen[0].body) == {"client_id": "canary-id"}


@pytest.mark.covers("OAUTH-02")
def test_what_is_granted_is_kept_and_the_account_works(trakt, waiting, upstream):
    waiting((200, TOKEN))
    done = later(signing_in.begin(trakt))
    assert (done.state, done.url, done.device) == (SignIn.State.DONE, "", "")
    account = Account.objects.get()
    assert (account.state, account.details) == (Account.State.OK, {"user": "ines.h"})
    assert account.opened == {
        "client_id": "canary-id", "client_secret": "canary-secret", "token": "canary-access",
        "refresh_token": "canary-refresh",
    }  # fmt: skip
    assert account.expires_at == datetime.fromtimestamp(1_900_000_000 + 604_800, UTC)
    assert account.expires_at - account.renew_at == timedelta(seconds=60_480)  # a tenth of it
    poll = next(each for each in upstream.seen if each.path == POLL)
    assert json.loads(poll.body) == {
        "code": "canary-device", "client_id": "canary-id", "client_secret": "canary-secret",
    }  # fmt: skip
    asked = next(each for each in upstream.seen if each.path == "/trakt/users/settings")
    assert (asked.headers["Authorization"], asked.headers["trakt-api-key"]) == ("Bearer canary-access", "canary-id")


@pytest.mark.covers("OAUTH-02")
@pytest.mark.parametrize(
    ("status", "state", "said"),
    [
        (400, "waiting", ""),
        (404, "failed", "does not know this code. Start again."),
        (409, "failed", "used already"),
        (410, "expired", "has run out"),
        (418, "denied", "refused at Trakt. Nothing was connected."),
        (429, "waiting", ""),
        (500, "waiting", "in trouble (500)"),
        (403, "failed", "does not take these credentials"),
    ],
)
def test_each_answer_while_waiting_is_understood(trakt, waiting, status, state, said):
    waiting((status, b""))
    found = later(signing_in.begin(trakt))
    assert found.state == state
    assert said in found.reason
    assert Account.objects.get().state == Account.State.UNTESTED
    assert bool(found.device) == (state == "waiting")


@pytest.mark.covers("OAUTH-02")
def test_it_is_asked_no_more_often_than_the_service_wants(trakt, waiting, upstream):
    waiting((400, b""), (429, b""), (400, b""))
    begun = signing_in.begin(trakt)
    for second in range(31):
        later(begun, second)
    # At 5 and 10; told to slow down there, at 20 and 30.
    assert upstream.asked(POLL) == 4
    assert SignIn.objects.get().interval_s == 10


@pytest.mark.covers("OAUTH-02")
def test_a_service_that_does_not_answer_is_asked_again(trakt, waiting):
    waiting((502, b""), (200, TOKEN))
    begun = signing_in.begin(trakt)
    assert later(begun, 5).reason.endswith("It is asked again.")
    assert later(begun, 10).state == SignIn.State.DONE


@pytest.mark.covers("OAUTH-02")
def test_a_code_that_has_run_out_is_not_asked_about(trakt, waiting, upstream):
    waiting((200, TOKEN))
    found = later(signing_in.begin(trakt), 601)
    assert (found.state, upstream.asked(POLL)) == (SignIn.State.EXPIRED, 0)
    assert "Start again to get a new one" in found.reason


def test_who_stops_it_is_not_signed_in_later(trakt, waiting, upstream):
    waiting((200, TOKEN))
    begun = signing_in.begin(trakt)
    assert signing_in.cancel(begun)
    assert not signing_in.cancel(begun)
    assert (later(begun).state, upstream.asked(POLL)) == (SignIn.State.CANCELLED, 0)


def test_a_new_one_takes_the_place_of_the_old(trakt, waiting, upstream):
    waiting((400, b""))
    old, new = signing_in.begin(trakt), signing_in.begin(trakt)
    assert [row.pk for row in SignIn.objects.all()] == [new.pk]
    with pytest.raises(SignIn.DoesNotExist):
        later(old)
    assert upstream.asked(POLL) == 0


@pytest.mark.covers("OAUTH-01")
def test_the_worker_asks_where_nobody_looks(trakt, waiting):
    waiting((200, TOKEN))
    signing_in.begin(trakt)
    SignIn.objects.update(next_poll_at=timezone.now())
    assert "1 sign-ins came true" in tasks.tick()
    assert Account.objects.get().state == Account.State.OK


def test_what_was_changed_meanwhile_is_not_overwritten(trakt, waiting, ines, monkeypatch):
    waiting((200, TOKEN))
    begun = signing_in.begin(trakt)
    known = signing_in.known_of

    def changed(account):
        found = known(account)
        services.change_account(account, by=ines, secrets={"client_id": "other"})
        return found

    monkeypatch.setattr(signing_in, "known_of", changed)
    found = later(begun)
    assert (found.state, "changed in the meantime" in found.reason) == (SignIn.State.FAILED, True)
    assert "token" not in Account.objects.get().opened


def test_the_keys_of_the_site_are_taken_where_none_are_typed(trakt, waiting, upstream, settings, ines):
    bare = services.change_account(trakt, by=ines, secrets={"client_id": "", "client_secret": ""})
    with pytest.raises(SourceRefused, match="Client id and Client secret must be typed first"):
        signing_in.begin(bare)
    settings.SERVICE_KEYS = {"trakt": {"client_id": "site-id", "client_secret": "site-secret"}}
    waiting((400, b""))
    signing_in.begin(bare)
    assert json.loads(upstream.seen[0].body) == {"client_id": "site-id"}


@pytest.mark.parametrize(
    ("answer", "status", "error"),
    [
        ({}, 200, SourceUnavailable), ({"user_code": 5}, 200, SourceUnavailable), ([], 200, SourceUnavailable), (b"", 403, SourceRefused),
        (b"", 503, SourceUnavailable), ("<html>", 200, SourceUnavailable),
    ],
)  # fmt: skip
def test_a_beginning_that_fails_leaves_nothing(trakt, upstream, answer, status, error):
    upstream.answer(CODE, answer, status)
    with pytest.raises(error):
        signing_in.begin(trakt)
    assert not SignIn.objects.exists()


@pytest.mark.parametrize(
    "told", [{"verification_url": "javascript:alert(1)"}, {"interval": -1}, {"user_code": "\n" * 50}]
)
def test_what_cannot_be_shown_is_not_taken(trakt, waiting, told):
    waiting(**told)
    with pytest.raises(SourceUnavailable):
        signing_in.begin(trakt)


@pytest.mark.parametrize("token", [[], {}, {**TOKEN, "created_at": "x"}, {**TOKEN, "access_token": 5}, "<html>"])
def test_an_answer_that_is_no_token_signs_nobody_in(trakt, waiting, token):
    waiting((200, token))
    assert later(signing_in.begin(trakt)).state == SignIn.State.WAITING
    assert Account.objects.get().state == Account.State.UNTESTED
