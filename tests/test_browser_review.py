"""In a real browser, by keyboard alone: questions are answered, and held removals decided."""

import re
from typing import Any

import pytest

from tests import test_browser as browser
from tests.test_browser import FILMS, Visitor, expect, table

pytestmark = browser.pytestmark
site, visitor = browser.site, browser.visitor

# The source gives other years to four films whose years were typed by hand, and a rating that was not.
CORRECTED = [
    "tt9000001,Salt Harbour,2022,Drama,118,7.9", "tt9000002,The Lantern Year,2017,Drama,131,7.4", "tt9000003,Nine Quiet Rooms,2023,Mystery,102,8.2", FILMS[3],
    "tt9000005,Kestrel Down,2016,Thriller,109,6.8", "tt9000006,二十四の灯,2017,Drama,141,8.3", *FILMS[6:],
]  # fmt: skip
TYPED = """from django.contrib.auth.models import User
from lists import services
from lists.models import Entry
admin = User.objects.get(username="admin")
for title, year in [("Salt Harbour", 2020), ("The Lantern Year", 2018), ("Kestrel Down", 2020), ("二十四の灯", 2015)]:
    entry = Entry.objects.get(title=title)
    services.edit_entries(entry.list, {entry.pk: {"year": year}}, by=admin)"""
# No file can reach the guard once its preview is confirmed, so what it would hold is laid down here.
HELD = """from lists.models import Conflict, Entry, Item, Proposal
entries = list(Entry.objects.listed().order_by("rank").values_list("id", flat=True))
list_ = Entry.objects.get(pk=entries[0]).list
why = "All missing films stand next to each other, rows 2 to 6: it looks like a page that did not arrive."
Proposal.objects.create(kind="held", state="open", list=list_, source=list_.sources.get(), result={
    "entries": entries[1:6], "supported": 12, "found": 7, "explanation": why})
items = list(Item.objects.order_by("id")[:2])
Conflict.objects.create(kind="match", list=list_, entry_id=entries[0], options=[
    {"item": item.pk, "title": str(item)} for item in items])"""


@pytest.mark.covers("SAFE-02", "SAFE-04")
def test_what_waits_is_decided_by_keyboard_alone(site, visitor):
    password = re.search(r"password  (\S+)", site.output)
    assert password
    visitor.sign_in("admin", password[1])
    visitor.open("/review/")
    expect(visitor.page.get_by_role("heading", level=2)).to_have_text("No decisions wait")
    visitor.picture("review-empty")
    bring_in(visitor, FILMS)
    site.manage("shell", "-c", TYPED)
    bring_in(visitor, CORRECTED)
    site.manage("shell", "-c", HELD)
    find_what_waits(visitor)
    decide_one_by_one(visitor)
    decide_many(visitor)
    see_what_was_decided(visitor)
    choose_what_leaves(visitor)
    assert visitor.wrong == []


def bring_in(visitor: Visitor, rows: list[str]) -> None:
    page = visitor.page
    visitor.open("/")
    if page.get_by_role("link", name="harbour-films").count():
        page.get_by_role("link", name="harbour-films").click()
        page.get_by_role("link", name="Bring in a newer file").first.click()
    else:
        visitor.open("/lists/add/")
    visitor.choose_file("harbour-films.csv", table(rows))
    page.get_by_role("button", name="Look at it").click()
    page.get_by_role("button", name=re.compile("^(Make the list|Change 1 film)")).click()
    expect(page.get_by_text(re.compile("This is version"))).to_be_visible()


def tab_to(visitor: Visitor, target: Any) -> None:
    for _ in range(100):
        visitor.page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"no Tab leads to {target}")


def find_what_waits(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open("/")
    expect(page.get_by_role("heading", name="Needs you")).to_be_visible()
    visitor.picture("lists-that-need-you")
    page.get_by_role("link", name="harbour-films").last.click()
    expect(page.get_by_text("5 films would leave this list.")).to_be_visible()
    expect(page.get_by_text("4 questions wait.")).to_be_visible()
    visitor.picture("list-that-waits")
    tab_to(visitor, page.get_by_role("navigation", name="Main").get_by_role("link", name="Review"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("6 decisions wait for you.")).to_be_visible()
    visitor.picture("review")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.get_by_role("link", name=re.compile("Decide about values"))).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".question")).to_have_count(4)


def decide_one_by_one(visitor: Visitor) -> None:
    page = visitor.page
    visitor.picture("review-conflicts")
    page.keyboard.press("j")
    expect(page.locator(".question").first.get_by_role("radio").first).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Year of “Salt Harbour” is 2022 now")
    expect(page.locator(".question")).to_have_count(3)
    page.keyboard.press("u")
    expect(page.get_by_role("status")).to_contain_text("Undone.")
    for key in "jjk":
        page.keyboard.press(key)
    typed = page.locator(".question").first.get_by_role("textbox")
    tab_to(visitor, typed)
    page.keyboard.type("20x")
    page.keyboard.press("Enter")
    expect(page.locator(".error")).to_contain_text("must be a whole number")
    assert [wrong for wrong in visitor.wrong if "400" not in wrong] == []
    visitor.wrong.clear()
    visitor.picture("review-conflicts-typed-wrong")
    page.keyboard.press("j")
    tab_to(visitor, typed)
    page.keyboard.press("Control+A")
    page.keyboard.type("2019")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Year of “The Lantern Year” is 2019 now")


def decide_many(visitor: Visitor) -> None:
    page = visitor.page
    expect(page.locator(".question")).to_have_count(2)
    keep = page.get_by_role("button", name="Keep what is shown")
    expect(keep).to_be_hidden()
    for _ in range(2):
        page.keyboard.press("j")
        page.keyboard.press("x")
    expect(keep).to_be_visible()
    visitor.picture("review-conflicts-ticked")
    tab_to(visitor, keep)
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("2 questions are decided")
    expect(page.get_by_role("heading", level=2)).to_contain_text("No decisions wait")


def see_what_was_decided(visitor: Visitor) -> None:
    page = visitor.page
    tab_to(visitor, page.get_by_role("link", name="Matches"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("More than one thing fits. Which one is it?")).to_be_visible()
    visitor.picture("review-matches")
    visitor.open("/review/conflicts/?state=decided")
    expect(page.locator(".row")).to_have_count(4)
    visitor.picture("review-decided")


def choose_what_leaves(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open("/review/")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=2).first).to_contain_text("5 of 12 films would leave")
    expect(page.get_by_text("it looks like a page that did not arrive")).to_be_visible()
    go = page.locator("button[value=chosen]")
    expect(go).to_be_disabled()
    visitor.picture("review-held")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(go).to_have_text("Let 2 go")
    tab_to(visitor, go)
    visitor.picture("review-held-ticked")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("2 films left harbour-films. 3 films stay, kept by the list.")
    visitor.picture("review-held-decided")
    page.keyboard.press("u")
    expect(page.get_by_role("status")).to_contain_text("Undone.")
