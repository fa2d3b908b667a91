"""manage.py connect: the first sign-in from the command line."""

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F

from lists.models import Account, SignIn
from sync.management.commands import connect
from tests.sync.accounts.conftest import TOKEN


@pytest.fixture
def run(monkeypatch, ines):
    """run("trakt", lines...) gives what it printed. Time does not pass: each look comes when it may."""

    def at_once(seconds: float) -> None:
        SignIn.objects.update(next_poll_at=F("next_poll_at") - timedelta(minutes=1))

    monkeypatch.setattr(connect.time, "sleep", at_once)

    def run(service: str, *lines: str, **options: str) -> str:
        monkeypatch.setattr(connect.sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        out = io.StringIO()
        call_command("connect", service, stdout=out, **options)
        return out.getvalue()

    return run


@pytest.mark.covers("OAUTH-05")
def test_trakt_is_connected_with_a_code(run, waiting, ines):
    Account.objects.all().delete()
    waiting((400, b""), (400, b""), (200, TOKEN))
    said = run("trakt", "canary-id", "canary-secret")
    assert "Open https://trakt.example/activate and type this code: 7KQ3F9XM" in said
    assert "Waiting for Trakt, 10 minutes at most." in said
    assert said.endswith("Trakt is connected as ines.h.\n")
    assert "canary" not in said
    account = Account.objects.get()
    assert (account.owner, account.state, account.opened["token"]) == (ines, "ok", "canary-access")


@pytest.mark.covers("OAUTH-05")
def test_it_is_connected_again_without_typing_anything(run, waiting, trakt):
    waiting((200, TOKEN))
    assert "is connected as ines.h" in run("trakt", name="my trakt")
    assert Account.objects.count() == 1


@pytest.mark.parametrize(("status", "said"), [(418, "refused at Trakt"), (410, "has run out"), (404, "Start again")])
def test_what_comes_to_nothing_is_said(run, waiting, trakt, status, said):
    waiting((status, b""))
    with pytest.raises(CommandError, match=said):
        run("trakt", name="my trakt")
    assert Account.objects.get().state == "untested"


def test_ctrl_c_stops_it(run, waiting, trakt, monkeypatch):
    waiting((400, b""))

    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(connect.time, "sleep", interrupted)
    with pytest.raises(CommandError, match="You stopped it"):
        run("trakt", name="my trakt")
    assert SignIn.objects.get().state == "cancelled"


def test_a_key_is_typed_and_tested(run, upstream):
    upstream.answer("/mdblist/user", {"username": "ines"})
    assert run("mdblist", "canary-key").endswith("MDBList works.\n")
    upstream.replies.clear()
    upstream.answer("/mdblist/user", {}, 401)
    with pytest.raises(CommandError, match="does not work"):
        run("mdblist")
    with pytest.raises(CommandError, match="API key is missing"):
        run("mdblist", name="Another")


def test_whose_it_is_must_be_plain(run, ines, jonas, upstream):
    with pytest.raises(CommandError, match="--user NAME"):
        run("mdblist", "x")
    with pytest.raises(CommandError, match="no user called nobody"):
        run("mdblist", "x", user="nobody")
    upstream.answer("/mdblist/user", {"username": "j"})
    run("mdblist", "x", user="jonas")
    assert Account.objects.get().owner == jonas
