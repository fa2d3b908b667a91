"""In a real browser: signing in to Trakt with a code, with nobody touching the page after the code is typed."""

import json
import re

import pytest

from tests import test_browser as browser
from tests.processes import Program
from tests.sync.accounts.conftest import DEVICE, TOKEN
from tests.test_browser import NEW_USER, expect
from tests.upstream import Upstream

pytestmark = browser.pytestmark
visitor = browser.visitor


@pytest.fixture
def trakt():
    server = Upstream()
    yield server
    server.end()


@pytest.fixture
def site(tmp_path, trakt):
    pointed = {name: {"url": f"{trakt.url}/{name}"} for name in ("trakt", "traktauth", "mdblist")}
    site = Program(tmp_path, "up").with_tables()
    site.env |= {"LISTKEEPER_SERVICES": json.dumps(pointed), "LISTKEEPER_OUTBOUND_ALLOW": "127.0.0.1"}
    site.start_and_wait("Listkeeper runs at")
    yield site
    site.end()


@pytest.mark.covers("OAUTH-01", "SRC-26")
def test_an_account_is_connected_tested_and_refused(site, visitor, trakt):
    trakt.answer("/traktauth/oauth/device/code", {**DEVICE, "interval": 1})
    trakt.answer("/traktauth/oauth/device/token", b"", 400)
    trakt.answer("/trakt/users/settings", {"user": {"username": "ines.h"}})
    page = visitor.page
    site.manage("shell", "-c", NEW_USER)
    visitor.sign_in("ines", "salt-harbour-1999")
    visitor.follow(page.get_by_role("link", name="Accounts").first)
    visitor.picture("accounts-none")
    visitor.follow(page.get_by_role("link", name="Add an account"))
    visitor.picture("accounts-choose")
    page.get_by_role("link", name="Trakt", exact=True).click()
    page.get_by_label("Client id").fill("canary-id")
    page.get_by_label("Client secret").fill("canary-secret")
    visitor.picture("accounts-add")
    page.get_by_role("button", name="Go on to sign in").click()
    expect(page.locator(".code")).to_have_text("7KQ3F9XM")
    expect(page.get_by_role("img", name="QR code for the page of Trakt")).to_be_visible()
    first = page.get_by_text(re.compile(r"works for another \d+:\d\d min")).text_content()
    visitor.picture("accounts-code")
    expect(page.get_by_text(first)).to_have_count(0)  # it counts down
    trakt.answer("/traktauth/oauth/device/token", TOKEN)
    expect(page.get_by_text("Works, tested just now")).to_be_visible()
    expect(page.locator(".code")).to_have_count(0)
    trakt.answer("/trakt/users/settings", {}, 401)
    trakt.answer("/traktauth/oauth/token", {}, 400)
    visitor.follow(page.get_by_role("link", name="More for Trakt"))
    visitor.picture("account")
    page.get_by_role("button", name="Test it").click()
    expect(page.get_by_role("button", name="Sign in again to Trakt")).to_be_visible()
    visitor.picture("accounts-refused")
    assert "canary" not in page.content()
    assert visitor.wrong == []
