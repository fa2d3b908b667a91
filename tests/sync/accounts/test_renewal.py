"""Tokens are renewed in time, and each refresh token is sent once, whoever needs it at the same moment."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.utils import timezone

from lists import services
from lists.models import Account, Source
from sync import access, runs, signals, tasks
from sync.account_kinds import Granted
from sync.errors import AccessRefused, SourceUnavailable
from sync.models import Run
from tests.sync.accounts.conftest import TOKEN
from tests.sync.hub import Hub, Talker

RENEW, WHO = "/traktauth/oauth/token", "/trakt/users/settings"
HOUR = 3600


def renewed_token(now=None) -> dict:
    return {
        **TOKEN, "access_token": "canary-2", "refresh_token": "canary-refresh-2",
        "created_at": int((now or timezone.now()).timestamp()),
    }  # fmt: skip


@pytest.fixture
def connected(trakt):
    """connected(left_s) is the account with a token that has so many seconds of a week left."""

    def connected(left_s: float) -> Account:
        since = timezone.now() + timedelta(seconds=left_s - 7 * 24 * HOUR)
        granted = Granted({"token": "canary-1", "refresh_token": "canary-refresh-1"}, {}, since, 7 * 24 * HOUR, True)
        assert services.accept_account(trakt, by=trakt.owner, secrets=granted.secrets, **granted.times())
        return trakt

    return connected


@pytest.mark.parametrize(
    ("life_s", "left_s"),
    [(7 * 24 * HOUR, 7 * 24 * 360), (24 * HOUR, 2.4 * HOUR), (3 * HOUR, HOUR), (HOUR, HOUR / 2), (60, 30)],
)
def test_a_token_is_renewed_when_an_hour_or_a_tenth_of_its_life_is_left(life_s, left_s):
    times = Granted({}, expires_in_s=life_s, renewable=True).times()
    assert (times["expires_at"] - times["renew_at"]).total_seconds() == pytest.approx(left_s)


def test_nobody_knows_the_end_of_what_says_none():
    assert Granted({}).times() == {"expires_at": None, "renew_at": None}
    assert Granted({}, expires_in_s=HOUR).times()["renew_at"] is None


@pytest.mark.covers("OAUTH-03")
def test_a_token_that_holds_is_left_alone(connected, upstream):
    access.fresh(connected(24 * HOUR))
    assert upstream.asked(RENEW) == 0


@pytest.mark.covers("OAUTH-03")
def test_one_that_ends_is_renewed_and_both_new_ones_are_kept(connected, upstream):
    upstream.answer(RENEW, renewed_token())
    account = access.fresh(connected(HOUR / 2))
    assert json.loads(upstream.seen[0].body) == {
        "refresh_token": "canary-refresh-1", "client_id": "canary-id", "client_secret": "canary-secret",
        "redirect_uri": "urn:ietf:wg:oauth:2.0:oob", "grant_type": "refresh_token",
    }  # fmt: skip
    assert account.opened["token"] == "canary-2"
    assert Account.objects.get().opened["refresh_token"] == "canary-refresh-2"
    assert account.renew_at > timezone.now() + timedelta(days=6)


@pytest.mark.covers("OAUTH-03")
def test_a_refusal_is_not_asked_for_again(connected, upstream):
    upstream.answer(RENEW, {"error": "invalid_grant"}, 400)
    account = connected(HOUR / 2)
    for _ in range(3):
        with pytest.raises(AccessRefused, match=r"Sign in again\.$"):
            access.fresh(Account.objects.get(pk=account.pk))
    tasks.tick()
    account.refresh_from_db()
    assert (account.state, upstream.asked(RENEW)) == (Account.State.ATTENTION, 1)


@pytest.mark.django_db(transaction=True)
def test_a_refusal_is_told_once(connected, upstream):
    told = []

    def hear(account_id, **_):
        told.append(account_id)

    signals.account_refused.connect(hear)
    upstream.answer(RENEW, {"error": "invalid_grant"}, 400)
    account = connected(HOUR / 2)
    for _ in range(2):
        with pytest.raises(AccessRefused):
            access.fresh(Account.objects.get(pk=account.pk))
    assert told == [account.pk]


@pytest.mark.covers("OAUTH-03")
def test_what_was_refused_while_others_waited_is_not_sent_again(connected, upstream, remote):
    upstream.answer(RENEW, {"error": "invalid_grant"}, 400)
    source = remote(connected(HOUR / 2))
    before = Account.objects.get()
    assert source.sync().error_code == "auth"
    for _ in range(3):
        with pytest.raises(AccessRefused, match="is not accepted"):
            access.renew(before)
    assert upstream.asked(RENEW) == 1


def test_a_service_that_is_away_costs_nothing_while_the_old_token_holds(connected, upstream):
    upstream.answer(RENEW, b"", 503)
    account = access.fresh(connected(HOUR / 2))
    assert (account.opened["token"], account.state) == ("canary-1", Account.State.OK)
    Account.objects.update(expires_at=timezone.now())
    with pytest.raises(SourceUnavailable):
        access.fresh(Account.objects.get())
    assert Account.objects.get().state == Account.State.OK


@pytest.mark.covers("OAUTH-03")
def test_the_worker_renews_what_nobody_uses(connected, upstream):
    upstream.answer(RENEW, renewed_token())
    connected(HOUR / 2)
    assert "1 tokens renewed" in tasks.tick()
    assert "0 tokens renewed" in tasks.tick()
    assert upstream.asked(RENEW) == 1


# -- a run and its account -------------------------------------------------------------------------------------------


@pytest.fixture
def remote(films, ines, upstream, work):
    """A source that is read with an account: remote(account).sync()."""

    def remote(account: Account) -> Source:
        source = services.add_source(
            films, adapter="scripted_remote", name="Remote", by=ines, address=f"{upstream.url}/list", gap_min=0
        )
        source = services.use_account(source, account, by=ines)

        def sync() -> Run:
            run = runs.request_sync(source, by=ines, force=True).run
            work()
            run.refresh_from_db()
            return run

        source.sync = sync
        return source

    return remote


ROWS = [{"key": "tt1", "title": "Heat", "year": 1995}]


@pytest.mark.covers("OAUTH-03")
def test_a_run_renews_the_token_that_it_needs(connected, upstream, remote, titles, films):
    upstream.answer(RENEW, renewed_token())
    upstream.answer("/list", ROWS)
    assert remote(connected(HOUR / 2)).sync().state == Run.State.COMPLETED
    assert upstream.seen[-1].headers["Authorization"] == "Bearer canary-2"
    assert titles(films) == ["Heat"]


@pytest.mark.covers("SRC-26")
def test_a_private_list_says_nothing_against_the_account(connected, upstream, remote):
    upstream.answer("/list", {}, 403)
    upstream.answer(WHO, {"user": {"username": "ines.h"}})
    source = remote(connected(24 * HOUR))
    assert source.sync().error_code == "auth"
    source.refresh_from_db()
    assert (source.paused, Account.objects.get().state) == ("", Account.State.OK)


@pytest.mark.covers("SRC-26")
def test_a_token_that_was_taken_back_is_renewed_once_and_then_refused(connected, upstream, remote):
    upstream.answer("/list", {}, 401)
    upstream.answer(RENEW, renewed_token())
    upstream.answer(WHO, {}, 401)
    source = remote(connected(24 * HOUR))
    source.sync()
    source.refresh_from_db()
    assert (upstream.asked(RENEW), upstream.asked(WHO)) == (1, 2)
    assert Account.objects.get().state == Account.State.ATTENTION
    assert source.paused.startswith("Waits until the account “my trakt” is connected again.")
    assert not Run.objects.active().exists()


# -- many at once ----------------------------------------------------------------------------------------------------

SET_UP = """
from datetime import timedelta
from sync import access
from lists.models import Account
account = services.make_account(user, service="trakt", name="mine", by=user, secrets={
    "client_id": "i", "client_secret": "s", "token": "canary-1", "refresh_token": "canary-refresh-1"})
soon = timezone.now() + timedelta(minutes=1)
Account.objects.update(state="ok", expires_at=soon, renew_at=timezone.now() - timedelta(hours=1))
"""
READ = "from sync import access\nfrom lists.models import Account\naccount = Account.objects.get()"


@pytest.mark.covers("OAUTH-03")
def test_four_processes_send_a_refresh_token_once(tmp_path, upstream):
    upstream.answer(RENEW, renewed_token(), hang=1)
    upstream.answer(RENEW, {"error": "invalid_grant"}, 400)  # as it is used up now
    pointed = json.dumps({"traktauth": {"url": f"{upstream.url}/traktauth"}})
    hub = Hub(tmp_path, LISTKEEPER_SERVICES=pointed, LISTKEEPER_OUTBOUND_ALLOW="127.0.0.1")
    talkers = [hub.talker, *(Talker(hub.env) for _ in range(3))]
    try:
        hub.do(SET_UP)
        for talker in talkers:
            talker.do(READ)  # all of them hold the old one
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda talker: talker.ask("access.fresh(account).opened['token']"), talkers))
        assert found == ["canary-2"] * 4
        assert upstream.asked(RENEW) == 1
        assert hub.ask("Account.objects.get().opened['refresh_token']") == "canary-refresh-2"
    finally:
        for talker in talkers[1:]:
            talker.end()
        hub.end()
