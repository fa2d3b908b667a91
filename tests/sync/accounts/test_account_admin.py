"""The admin of accounts: whatever is typed there is never shown there again."""

import pytest

from lists import services
from lists.models import Account, Audit
from tests.admin_forms import Inputs, page


@pytest.fixture
def desk(client, staff):
    client.force_login(staff)
    return client


def filled(client, address: str, **typed: str):
    """The page that follows when a form is sent with what it shows and this."""
    sent = Inputs(client.get(address).content.decode()).sent
    return client.post(address, {**sent, **typed}, follow=True).content.decode()


@pytest.mark.covers("SAFE-09", "SRC-26")
def test_an_account_is_made_and_its_key_typed_and_tested(desk, ines, upstream):
    upstream.answer("/mdblist/user", {"username": "ines"})
    html = filled(desk, page(Account, "add"), owner=str(ines.pk), service="mdblist", name="Mine")
    account = Account.objects.get()
    assert (account.owner, account.service, account.name) == (ines, "mdblist", "Mine")
    assert "Type what its service asks for" in html
    change = page(Account, "change", account.pk)
    assert "API key is missing. Nothing was saved." in filled(desk, change)
    assert "Saved." in filled(desk, change, api_key="canary-key")
    account.refresh_from_db()
    assert account.opened == {"api_key": "canary-key"}
    html = desk.get(change).content.decode()
    assert 'type="password"' in html
    assert "Kept; type only to replace it." in html
    tested = desk.post(page(Account, "test", account.pk), follow=True).content.decode()
    assert "Mine works." in tested
    assert "canary" not in html + tested + desk.get(page(Account)).content.decode()
    assert "canary" not in str(list(Audit.objects.values()))


def test_what_is_not_typed_stays(desk, make):
    account = make("mdblist", api_key="old")
    filled(desk, page(Account, "change", account.pk), name="New")
    account.refresh_from_db()
    assert (account.name, account.opened, account.serial) == ("New", {"api_key": "old"}, 0)


def test_a_test_that_comes_to_nothing_is_told(desk, make, upstream):
    account = make("mdblist", api_key="old")
    upstream.answer("/mdblist/user", b"", 503)
    assert "MDBList is in trouble (503)" in desk.post(page(Account, "test", account.pk), follow=True).content.decode()
    upstream.replies.clear()
    upstream.answer("/mdblist/user", b"{}", 401)
    assert "does not work." in desk.post(page(Account, "test", account.pk), follow=True).content.decode()


def test_deleting_says_what_waits_then(desk, make, live, films, ines):
    account = make("mdblist", api_key="old")
    services.use_account(live(films), account, by=ines)
    address = page(Account, "delete", account.pk)
    assert "live of Films to watch is paused until it gets another account." in desk.get(address).content.decode()
    assert "is deleted, with its secrets" in desk.post(address, follow=True).content.decode()
    assert not Account.objects.exists()


def test_logins_of_files_are_only_looked_at(desk, make):
    account = make("m3u", password="canary")
    Account.objects.update(from_addresses=True)
    html = desk.get(page(Account, "change", account.pk)).content.decode()
    assert "canary" not in html
    assert 'name="name"' not in html
    assert desk.get(page(Account, "delete", account.pk)).status_code == 403
