"""Planted secrets after ten kinds of failure: in requests, and nowhere else."""

import logging

import pytest
from django.urls import reverse
from django_q.tasks import async_task
from rest_framework.test import APIClient

from lists import services
from lists.models import Account, Audit, SignIn
from sync import access, runs, signing_in
from sync.account_kinds import Granted
from sync.errors import SyncError
from sync.models import Run
from tests.lists.test_api import api
from tests.stored import everything_stored, exported, shown, shown_in_admin
from tests.sync.accounts.conftest import TOKEN
from tests.upstream import Reply

PLANTED = "canary-"
ECHO = b'{"error": "canary-access is not valid, nor is canary-refresh"}'
HOP = {"Location": "http://127.0.0.1:1/?access_token=canary-access"}
# What a service may do to us: it tells our own secrets back where it can.
FAILURES = {
    "refused": Reply(ECHO, 401),
    "forbidden": Reply(ECHO, 403),
    "gone": Reply(ECHO, 404),
    "too often": Reply(ECHO, 429, {"Retry-After": "1"}),
    "in trouble": Reply(ECHO, 500),
    "a page": Reply(b"<html>canary-access</html>", 200, {"Content-Type": "text/html"}),
    "no JSON": Reply(b'{"rows": canary-access', 200),
    "cut": Reply(ECHO, 200, cut=10),
    "torn": Reply(reset=True),
    "sent on": Reply(b"", 302, HOP),
    "another shape": Reply(b'[{"title": "no key"}]', 200),
}


@pytest.fixture
def planted(trakt, films, ines, upstream, settings):
    """A source that is read with an account full of canaries, at an address that holds one, too."""
    settings.RETRY_PAUSES_S = (0.0, 0.0, 0.0)
    settings.SERVICES["*"] |= {"failures": 1000}
    granted = Granted({"token": "canary-access", "refresh_token": "canary-refresh"}, expires_in_s=10**6, renewable=True)
    assert services.accept_account(trakt, by=ines, secrets=granted.secrets, **granted.times())
    source = services.add_source(
        films, adapter="scripted_remote", name="Remote", by=ines, gap_min=0,
        address=f"{upstream.url}/list?api_key=canary-address",
    )  # fmt: skip
    return services.use_account(source, trakt, by=ines)


def fail_in_every_way(source, upstream, work, ines) -> list[str]:
    """The ends of the runs, one for each failure."""
    ends = []
    upstream.answer("/trakt/users/settings", {"user": {"username": "ines.h"}})
    for reply in FAILURES.values():
        upstream.replies["/list"] = [reply]
        Run.objects.active().delete()
        run = runs.request_sync(source, by=ines, force=True).run
        try:
            work()
        except Exception as e:  # what an adapter did not expect breaks its task, and the queue keeps the text
            logging.getLogger("tests").warning("broke: %s", e)
        run.refresh_from_db()
        ends.append(run.state)
    return ends


def tried(account: Account, ines) -> str:
    try:
        return access.try_account(Account.objects.get(pk=account.pk), by=ines).reason
    except SyncError as e:
        return str(e)


def everything_told(mine: APIClient, client, source, account: Account) -> dict[str, str]:
    """What API, pages, admin and exports say of it, by address."""
    list_ = source.list_id
    said = {}
    for address in [
        "accounts/", f"accounts/{account.pk}/", f"accounts/{account.pk}/sign-in/", "account-kinds/", "runs/", "audit/", "syncs/",
        "runs/statistics/", f"lists/{list_}/sources/", f"lists/{list_}/sources/{source.pk}/", f"lists/{list_}/export/json/",
        f"lists/{list_}/export/csv/", *(f"runs/{pk}/" for pk in Run.objects.values_list("pk", flat=True)),
    ]:  # fmt: skip
        answer = mine.get(f"/api/v1/{address}")
        assert answer.status_code == 200, address
        said[address] = (answer.getvalue() if answer.streaming else answer.content).decode()
    pages = [
        reverse("sync:accounts"), reverse("sync:account", args=[account.pk]), reverse("sync:account_delete", args=[account.pk]),
        reverse("lists:source", args=[list_, source.pk]), reverse("lists:settings", args=[list_]), reverse("sync:runs"),
        reverse("lists:audit"), reverse("sync:run", args=[Run.objects.latest("pk").pk]), reverse("sync:runs_standing"),
    ]  # fmt: skip
    return said | shown(client, *pages) | shown_in_admin(client) | exported(source.list)


@pytest.mark.covers("SAFE-09", "OAUTH-04")
def test_secrets_are_in_requests_and_nowhere_else(planted, upstream, work, ines, client, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    account = planted.account
    ends = fail_in_every_way(planted, upstream, work, ines)
    assert len(ends) >= 10
    assert set(ends) == {"failed"}
    # Signing in, testing and renewing go wrong as well.
    upstream.answer(
        "/traktauth/oauth/device/code",
        {
            "device_code": "canary-device",
            "user_code": "7KQ3",
            "verification_url": "https://t.example",
            "expires_in": 600,
            "interval": 5,
        },
    )
    for status in (400, 409):
        upstream.answer("/traktauth/oauth/device/token", ECHO, status)
    begun = signing_in.begin(account)
    for _ in range(2):
        SignIn.objects.update(next_poll_at=begun.created_at)
        signing_in.ask(begun)
    upstream.answer("/traktauth/oauth/token", ECHO, 500)
    upstream.answer("/traktauth/oauth/token", {**TOKEN, "access_token": None, "more": "canary-more"})
    upstream.answer("/traktauth/oauth/token", ECHO, 400)
    upstream.replies["/trakt/users/settings"] = [Reply(ECHO, 401)]
    told = [tried(account, ines) for _ in range(3)]
    assert PLANTED not in "".join(told)
    assert Account.objects.get().state == "attention"
    async_task("sync.tasks.tick", sync=True)
    sent = "\n".join(f"{each.path} {each.query} {each.headers} {each.body!r}" for each in upstream.seen)
    for secret in ("canary-access", "canary-refresh", "canary-device", "canary-secret", "canary-address"):
        assert secret in sent  # they were used
    assert PLANTED not in everything_stored()
    assert PLANTED not in caplog.text
    assert PLANTED not in str([*Audit.objects.values()])
    ines.is_staff = ines.is_superuser = True
    ines.save()
    client.force_login(ines)
    for address, text in everything_told(api(ines), client, planted, account).items():
        assert PLANTED not in text, address
    assert PLANTED not in "".join(capsys.readouterr())
