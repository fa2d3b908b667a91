"""In a real browser: back to an earlier version, forward, released; sources, rules, people, blocks and who did what."""

import re

import pytest

from tests import test_browser as browser
from tests.test_browser import FILMS, NEWER, Visitor, expect, table

pytestmark = browser.pytestmark
site, visitor = browser.site, browser.visitor

MORE = [
    "tt9000001,Salt Harbour,2021,Drama,118,8.4", "tt9000021,A Christmas in Lisbon,2020,Comedy,95,6.1",
    "tt9000022,Christmas on the Ferry,2016,Family,91,5.9",
]  # fmt: skip


@pytest.mark.covers("VER-05", "WISH-04")
def test_a_list_goes_back_is_released_and_is_looked_after(site, visitor):
    password = re.search(r"password  (\S+)", site.output)
    assert password
    site.manage("shell", "-c", "from django.contrib.auth.models import User; User.objects.create_user('jonas')")
    visitor.sign_in("admin", password[1])
    bring_in(visitor, "harbour-films.csv", FILMS)
    bring_in(visitor, "harbour-films-2.csv", NEWER)
    go_back_and_forward(visitor)
    release(visitor)
    block_by_title(visitor)
    bring_in(visitor, "more-films.csv", MORE)
    look_after_sources(visitor)
    set_rules(visitor)
    set_filters(visitor)
    share(visitor)
    see_who_did_what(visitor)
    assert visitor.wrong == []


def bring_in(visitor: Visitor, name: str, rows: list[str]) -> None:
    page = visitor.page
    if page.get_by_role("heading", name="Welcome").count():
        visitor.open("/lists/add/")
    else:
        to_the_list(visitor)
        page.get_by_role("link", name=re.compile("Bring in a .*file")).first.click()
    visitor.choose_file(name, table(rows))
    page.get_by_role("button", name="Look at it").click()
    page.get_by_role("button", name=re.compile("^(Make the list|Bring in)")).click()
    expect(page.get_by_text(re.compile("This is version"))).to_be_visible()


def to_the_list(visitor: Visitor, tab: str = "") -> None:
    visitor.open("/")
    visitor.follow(visitor.page.get_by_role("link", name="harbour-films"))
    if tab:
        visitor.follow(visitor.page.get_by_role("link", name=tab, exact=True))


def go_back_and_forward(visitor: Visitor) -> None:
    page = visitor.page
    to_the_list(visitor, "Changes")
    page.get_by_role("link", name="Restore version 1").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Restore version 1")
    expect(page.locator(".glance")).to_contain_text("Come back")
    visitor.picture("restore")
    restore = page.get_by_role("button", name="Restore version 1")
    restore.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("The list is what it was in version 1. This is version 3.")
    expect(page.get_by_text("Held by the rollback to")).to_be_visible()
    visitor.picture("changes-held")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status")).to_contain_text("Undone.")
    page.get_by_role("link", name="Version 1", exact=True).click()
    page.get_by_role("link", name="Restore", exact=True).click()
    page.get_by_role("button", name="Restore version 1").click()
    to_the_list(visitor)
    expect(page.get_by_text("Held by the rollback to")).to_be_visible()
    expect(page.locator(".posters li")).to_have_count(12)
    visitor.picture("list-held")


def release(visitor: Visitor) -> None:
    page = visitor.page
    page.get_by_role("button", name="Release").click()
    expect(page.get_by_role("status")).to_contain_text("The sources speak again.")
    expect(page.get_by_text("Held by the rollback to")).to_have_count(0)
    to_the_list(visitor)
    expect(page.locator(".posters li")).to_have_count(13)


def block_by_title(visitor: Visitor) -> None:
    page = visitor.page
    to_the_list(visitor, "Sources and settings")
    visitor.follow(page.get_by_role("link", name="Blocks", exact=True))
    visitor.picture("blocks-empty")
    page.get_by_label("Title pattern").fill("*harbour*")
    page.get_by_label("Reason").fill("seen it twice")
    page.get_by_role("button", name="See what it hits").click()
    expect(page.get_by_role("heading", name="It hits 1 film")).to_be_visible()
    visitor.picture("block-preview")
    page.get_by_role("button", name="Block it").click()
    expect(page.get_by_text("keeps 1 film out now")).to_be_visible()
    visitor.picture("blocks")
    to_the_list(visitor, "Changes")
    page.get_by_role("link", name="Restore version 1").click()
    expect(page.get_by_role("heading", name="What would not come back")).to_be_visible()
    visitor.picture("restore-missing")
    visitor.open("/blocks/")
    visitor.picture("blocklist")


def look_after_sources(visitor: Visitor) -> None:
    page = visitor.page
    to_the_list(visitor, "Sources and settings")
    visitor.picture("settings-sources")
    page.get_by_role("button", name="Move more-films.csv up").click()
    expect(page.get_by_role("status")).to_contain_text("more-films.csv stands at place 1 of 2 now.")
    visitor.follow(page.get_by_role("link", name="Change more-films.csv"))
    visitor.picture("source")
    page.get_by_role("link", name="Remove it").click()
    expect(page.get_by_text("2 of them alone")).to_be_visible()
    visitor.picture("source-remove")
    page.get_by_role("button", name="Remove the source, let 2 films go").click()
    expect(page.get_by_role("status")).to_contain_text("feeds this list no more.")
    page.get_by_text("1 source was removed").click()
    visitor.picture("settings-removed-source")


def set_rules(visitor: Visitor) -> None:
    page = visitor.page
    page.get_by_role("link", name="Rules", exact=True).click()
    page.get_by_label("Ask me about every removal").check()
    visitor.picture("rules")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Saved.")
    expect(page.get_by_label("Ask me about every removal")).to_be_checked()


def set_filters(visitor: Visitor) -> None:
    page = visitor.page
    page.get_by_role("link", name="Filters", exact=True).click()
    page.get_by_label("From year").fill("2017")
    page.get_by_label("With none of these genres").fill("Mystery")
    page.get_by_role("button", name="See what it would do").click()
    expect(page.get_by_role("heading", name=re.compile("would leave"))).to_be_visible()
    visitor.picture("filters")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Saved.")
    visitor.follow(page.get_by_role("link", name=re.compile("filtered$")))
    visitor.picture("filtered")
    page.get_by_role("button", name="Let it in").first.click()
    expect(page.get_by_role("status")).to_contain_text("Put back, to stay")
    page.go_back()
    page.get_by_role("link", name="Change the filters").click()
    page.get_by_label("From year").fill("")
    page.get_by_label("With none of these genres").fill("")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Saved.")


def share(visitor: Visitor) -> None:
    page = visitor.page
    to_the_list(visitor, "Sources and settings")
    page.get_by_role("link", name="People", exact=True).click()
    page.get_by_label("Name", exact=True).fill("jonas")
    page.get_by_label("Change it too").check()
    page.get_by_role("button", name="Share it").click()
    expect(page.get_by_role("status")).to_have_text("jonas may see and change this list.")
    visitor.picture("members")


def see_who_did_what(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open("/audit/")
    visitor.picture("audit")
    page.get_by_label("Action").select_option("rolled back")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator(".feed-item").first).to_contain_text("admin rolled back")
