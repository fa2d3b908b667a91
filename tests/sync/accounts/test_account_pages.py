"""The pages of accounts: added, signed in to, tested, changed, deleted; of nobody else, and without their secrets."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from lists import services
from lists.models import Account, SignIn, Source
from sync import access
from sync.account_kinds import KINDS
from tests.lists.test_page_building import Checked, queries
from tests.sync.accounts.conftest import TOKEN


@pytest.fixture
def post(client, ines):
    """The text of the page that a form leads to."""
    client.force_login(ines)

    def post(view: str, /, *args, **body) -> str:
        answer = client.post(reverse(f"sync:{view}", args=args), body, follow=True)
        assert answer.status_code == 200, f"{view}: {answer.status_code}"
        return answer.content.decode()

    return post


@pytest.fixture
def source(films, live, ines):
    """source(account) is one that is read with it."""

    def source(account: Account) -> Source:
        return services.use_account(live(films), account, by=ines)

    return source


def test_every_service_can_be_chosen_and_says_what_it_asks_for(page):
    chosen = page("accounts_add")
    for key, kind in KINDS.items():
        assert reverse("sync:account_add", args=[key]) in chosen
        html = page("account_add", key)
        assert all(f"{asked.label}</label>" in html for asked in kind.asks)
    assert "No accounts yet" in page("accounts")


@pytest.mark.covers("SRC-26")
def test_a_key_is_typed_tested_and_never_shown_again(post, page, upstream):
    upstream.answer("/mdblist/user", {"username": "ines", "api_requests": 1000, "api_requests_count": 31})
    html = post("account_add", "mdblist", name="Mine", api_key="canary-key")
    account = Account.objects.get()
    assert (account.opened, account.state) == ({"api_key": "canary-key"}, "ok")
    for text in ("Mine works.", "31 of 1,000", "Works, tested just now"):
        assert text in re.sub(r"<[^>]*>", "", html)
    assert "canary" not in html + page("account", account.pk) + page("accounts")


def test_a_key_that_is_refused_is_kept_and_told(post, upstream):
    upstream.answer("/mdblist/user", {}, 401)
    html = post("account_add", "mdblist", name="Mine", api_key="canary-key")
    assert "Mine does not work." in html
    assert "Connect again" in html
    assert "canary" not in html
    assert Account.objects.get().state == "attention"


def test_what_is_missing_or_taken_is_said_and_nothing_saved(post, make):
    assert "API key is missing. Nothing was saved." in post("account_add", "mdblist", name="Mine")
    make("mdblist", api_key="x")
    assert "at this service already. Nothing was saved." in post(
        "account_add", "mdblist", name="my mdblist", api_key="canary"
    )
    assert "canary" not in post("account_add", "mdblist", name="", api_key="canary")
    assert Account.objects.count() == 1


@pytest.mark.covers("OAUTH-01", "SRC-26")
def test_a_code_is_shown_with_its_picture_and_countdown_until_it_is_typed(client, post, page, waiting, upstream, ines):
    waiting((400, b""), (200, TOKEN))
    Account.objects.all().delete()
    html = post("account_add", "trakt", name="Trakt", client_id="canary-id", client_secret="canary-secret")
    for text in (
        "Sign in to Trakt",
        'href="https://trakt.example/activate"',
        ">trakt.example/activate<",
        ">7KQ3F9XM<",
        "another 10:00 min",
    ):
        assert text in html
    assert re.search(
        r'<svg class="qr" viewBox="0 0 (\d+) \1" role="img" aria-label="QR code for the page of Trakt"><path d="M', html
    )
    assert upstream.asked("/traktauth/oauth/device/code") == 1
    assert "canary" not in html
    account = Account.objects.get()
    progress = reverse("sync:account_sign_in_progress", args=[account.pk])
    assert f'data-poll="{progress}"' in html
    SignIn.objects.update(next_poll_at=timezone.now())
    waits = client.get(progress)
    assert (waits.status_code, "Waiting for Trakt. The code works for another" in waits.content.decode()) == (200, True)
    SignIn.objects.update(next_poll_at=timezone.now())
    assert client.get(progress).status_code == 204
    html = page("accounts")
    assert "Works, tested just now" in re.sub(r"<[^>]*>", "", html)
    assert "7KQ3F9XM" not in html


def test_without_a_script_it_is_looked_at_by_a_button(post, trakt, waiting):
    waiting((200, TOKEN))
    assert "Look now" in post("account_sign_in", trakt.pk)
    SignIn.objects.update(next_poll_at=timezone.now())
    assert "Works, tested" in post("account_sign_in_look", trakt.pk)


def test_a_sign_in_is_stopped_and_begun_again(post, trakt, waiting):
    waiting((400, b""))
    post("account_sign_in", trakt.pk)
    html = post("account_sign_in_cancel", trakt.pk)
    assert "Not signed in. You stopped it. Nothing was connected." in html
    assert "7KQ3F9XM" not in html
    assert "7KQ3F9XM" in post("account_sign_in", trakt.pk)


def test_a_service_that_does_not_answer_is_told(post, trakt, upstream):
    upstream.answer("/traktauth/oauth/device/code", b"", 503)
    assert "Trakt is in trouble (503)" in post("account_sign_in", trakt.pk)


@pytest.mark.covers("SRC-26")
def test_what_is_refused_stands_with_the_lists_that_wait_and_a_way_back(post, page, make, source, upstream, films):
    upstream.answer("/trakt/users/settings", {}, 401)
    upstream.answer("/trakt/users/settings", {"user": {"username": "ines.h"}})
    account = make("trakt", client_id="i", client_secret="s", token="t")
    waits = source(account)
    html = post("account_test", account.pk)
    for text in ("Not accepted since", "1 list waits: Films to watch.", "Sign in again", "1 needs you"):
        assert text in re.sub(r"<[^>]*>", "", html)
    client_page = page("runs_standing")
    assert "Waits until the account “my trakt” is connected again. What it brought stays." in client_page
    assert "What waited for it is read now." in post("account_test", account.pk)
    waits.refresh_from_db()
    assert waits.paused == ""


def test_another_key_is_tested_before_anything_is_read_with_it(post, make, source, upstream):
    upstream.answer("/mdblist/user", b"", 503)
    account = make("mdblist", api_key="old")
    found = source(account)
    html = post("account", account.pk, name="Mine", api_key="canary-new")
    assert "MDBList is in trouble (503)" in html
    account.refresh_from_db()
    found.refresh_from_db()
    assert (account.name, account.opened, account.state) == ("Mine", {"api_key": "canary-new"}, "untested")
    assert found.paused.startswith("Waits until the account “Mine” is tested.")


def test_a_new_name_asks_nobody(post, make, upstream):
    account = make("mdblist", api_key="old")
    assert "Saved." in post("account", account.pk, name="Mine", api_key="")
    account.refresh_from_db()
    assert (account.name, account.opened, upstream.seen) == ("Mine", {"api_key": "old"}, [])


def test_the_address_of_a_server_is_shown_and_its_key_is_not(page, post, upstream):
    upstream.answer("/api/v3/system/status", {"appName": "Radarr", "version": "5.1"})
    html = post("account_add", "radarr", name="Films", url=upstream.url, api_key="canary-key")
    assert upstream.url.removeprefix("http://") in html
    html = page("account", Account.objects.get().pk)
    assert f'value="{upstream.url}"' in html
    assert "canary" not in html


def test_deleting_asks_and_names_what_waits_then(post, page, make, source):
    account = make("mdblist", api_key="x")
    found = source(account)
    html = page("account_delete", account.pk)
    for text in ("1 source is read with it. It is paused", "Films to watch", "Delete it, pause 1 source"):
        assert text in html
    assert Account.objects.exists()
    assert "is deleted. Paused: Films to watch." in post("account_delete", account.pk)
    found.refresh_from_db()
    assert (Account.objects.exists(), found.account_id) == (False, None)


def test_logins_of_files_are_shown_as_such_and_not_changed(client, page, make):
    account = make("m3u", password="canary")
    Account.objects.update(from_addresses=True)
    html = page("accounts")
    assert "Logins of files" in html
    assert reverse("sync:account", args=[account.pk]) not in html
    for name in ("account", "account_delete"):
        assert client.post(reverse(f"sync:{name}", args=[account.pk]), {"name": "x"}).status_code in (302, 404)
    assert Account.objects.get().name == "my m3u"


@pytest.mark.covers("SAFE-12")
@pytest.mark.parametrize(
    "name",
    ["account", "account_delete", "account_test", "account_sign_in", "account_sign_in_look", "account_sign_in_cancel"],
)
def test_the_account_of_another_is_not_there(client, jonas, staff, trakt, waiting, name, upstream):
    waiting((200, TOKEN))
    for other in (jonas, staff):
        client.force_login(other)
        assert client.post(reverse(f"sync:{name}", args=[trakt.pk]), {"name": "x"}).status_code == 404
        assert "my trakt" not in client.get(reverse("sync:accounts")).content.decode()
        assert client.get(reverse("sync:account_sign_in_progress", args=[trakt.pk])).status_code == 404
    assert (Account.objects.get().name, upstream.seen) == ("my trakt", [])


def test_a_source_gets_an_account_of_its_kind_on_its_page(client, page, films, ines, make, monkeypatch):
    monkeypatch.setattr(access, "KINDS", {**KINDS, "scripted": KINDS["mdblist"]})
    monkeypatch.setitem(KINDS, "scripted", KINDS["mdblist"])
    found = services.add_source(films, adapter="scripted_remote", name="Remote", by=ines)
    fits, other = make("scripted", api_key="x"), make("plex", token="y")
    html = (
        client.get(reverse("lists:source", args=[films.pk, found.pk])).content.decode()
        if client.force_login(ines) is None
        else ""
    )
    assert "my scripted" in html
    assert "my plex" not in html
    address = reverse("sync:source_account", args=[films.pk, found.pk])
    assert "Saved." in client.post(address, {"account": fits.pk}, follow=True).content.decode()
    found.refresh_from_db()
    assert found.account == fits
    refused = client.post(address, {"account": other.pk}, follow=True).content.decode()
    assert "cannot be read with an account of this kind. Nothing was changed." in refused
    assert client.post(address, {"account": 10**9}).status_code == 404
    client.post(address, {"account": ""})
    found.refresh_from_db()
    assert found.account is None


def test_the_pages_are_built_like_the_others(page, post, make, trakt, waiting, source):
    waiting((400, b""))
    post("account_sign_in", trakt.pk)
    key = make("mdblist", api_key="x")
    source(key)
    for html in (
        page("accounts"), page("accounts_add"), page("account_add", "radarr"), page("account", trakt.pk), page("account", key.pk),
        page("account_delete", key.pk),
    ):  # fmt: skip
        checked = Checked()
        checked.feed(html)
        assert checked.wrong == []
        assert sorted(checked.ids) == sorted(set(checked.ids))
        assert html.count("<h1") == 1
        assert not re.search(r"{[{%#]|[#%}]}", html)


@pytest.mark.covers("OPS-12")
def test_many_accounts_ask_as_often_as_few(client, ines, make):
    client.force_login(ines)
    make("mdblist", api_key="x")
    few = queries(client, reverse("sync:accounts"))
    for n in range(20):
        services.make_account(ines, service="mdblist", name=f"No {n}", secrets={"api_key": "x"}, by=ines)
    assert queries(client, reverse("sync:accounts")) == few <= 9
