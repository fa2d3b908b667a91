"""In a real browser: an address is pasted, looked at, kept as a list, and refused where nobody can read it."""

import json
import re

import pytest

from tests import test_browser as browser
from tests.processes import Program
from tests.sync.sources.stand_ins import STAND_INS, Shown, filled
from tests.test_browser import NEW_USER, expect
from tests.upstream import Upstream

pytestmark = browser.pytestmark
visitor = browser.visitor
TITLES = [
    "Salt Harbour",
    "The Lantern Year",
    "二十四の灯",
    "The Strange and Mostly True History of the Lighthouse Keeper Who Refused to Go Ashore",
]
NOIR = "https://trakt.tv/users/ada/lists/best"


@pytest.fixture
def service():
    server = Upstream()
    films = [{"title": title, "year": 2010 + n, "imdb_id": f"tt{n + 1:07}"} for n, title in enumerate(TITLES)]
    server.answer("/films-of-the-harbour.json", films)
    server.answer("/page", "<!DOCTYPE html><html><body>A page</body></html>")
    trakt = STAND_INS["trakt_list"]
    body, headers = trakt.show(Shown([1, 2, 3], 1, 1, 3))
    server.answer(trakt.path, body, headers={"Content-Type": "application/json", **headers})
    for path, answer in trakt.heads.items():
        server.answer(path, filled(answer, total=3))
    yield server
    server.end()


@pytest.fixture
def site(tmp_path, service):
    site = Program(tmp_path, "up")
    site.env |= {
        "LISTKEEPER_SERVICES": json.dumps({"trakt": {"url": service.url}}), "LISTKEEPER_OUTBOUND_ALLOW": "127.0.0.1",
        "LISTKEEPER_TRAKT_CLIENT_ID": "hush-client",
    }  # fmt: skip
    site.start_and_wait("Listkeeper runs at")
    yield site
    site.end()


def paste(visitor, address: str) -> None:
    visitor.open("/lists/add/")
    visitor.page.get_by_label("Paste the address of a list").fill(address)
    visitor.follow(visitor.page.get_by_role("button", name="Look it up"))


@pytest.mark.covers("SRC-24", "SRC-07", "SRC-18")
def test_an_address_becomes_a_list(site, visitor, service):
    page = visitor.page
    site.manage("shell", "-c", NEW_USER)
    visitor.sign_in("ines", "salt-harbour-1999")

    paste(visitor, "https://letterboxd.com/ada/watchlist/")
    expect(page.get_by_text("Letterboxd does not let programs read lists and watchlists")).to_be_visible()
    visitor.picture("paste-refused")

    paste(visitor, f"{service.url}/page")
    expect(page.get_by_role("alert")).to_contain_text("We know no list at this address")  # the waiting page has gone on
    visitor.picture("found-nothing")

    paste(visitor, f"{service.url}/films-of-the-harbour.json")
    expect(page.get_by_text("This is: JSON list at an address.")).to_be_visible()
    expect(page.get_by_role("row", name=TITLES[2])).to_be_visible()
    visitor.picture("found")
    visitor.follow(page.get_by_role("link", name="Go on with 4 films").first)
    visitor.picture("keep")
    page.get_by_label("Name of a new list").fill("Harbour films")
    visitor.follow(page.get_by_role("button", name="Save and sync now"))
    expect(page.get_by_text("This is version 1 of the list.")).to_be_visible()
    page.get_by_role("link", name="To the list").click()
    expect(page.locator(".posters li")).to_have_count(4)

    paste(visitor, NOIR)
    expect(page.get_by_text("This is: Trakt list.")).to_be_visible()
    expect(page.get_by_text(re.compile("as many as it says that it has"))).to_be_visible()
    visitor.picture("found-trakt")
    visitor.follow(page.get_by_role("link", name="Go on with 3 films").first)
    page.get_by_label("Onto which list").select_option(label="Harbour films")
    visitor.picture("keep-onto")
    visitor.follow(page.get_by_role("button", name="Save and sync now"))
    expect(page.get_by_text("This is version 2 of the list.")).to_be_visible()
    page.get_by_role("link", name="To the list").click()
    expect(page.locator(".posters li")).to_have_count(7)
    assert "hush" in str(service.seen)
    assert "hush" not in page.content()
    assert visitor.wrong == []
