"""In a real browser: entries edited, added, moved, taken off, blocked, put back, and a wrong match put right."""

import re

import pytest

from tests import test_browser as browser
from tests.test_browser import FILMS, NEW_USER, SET, Visitor, expect, table

pytestmark = browser.pytestmark
site, visitor = browser.site, browser.visitor

LETTER = ["tt9000031,Salt Harbor,2021,Drama,121,7.0", "tt9000032,The Ferry Home,2020,Drama,90,6.0"]


@pytest.mark.covers("LIST-14")
def test_what_people_do_to_a_list_by_hand(site, visitor):
    site.manage("shell", "-c", NEW_USER)
    visitor.sign_in("ines", "salt-harbour-1999")
    bring_in(visitor, "harbour-films.csv", table(FILMS))
    edit(visitor)
    add(visitor)
    move(visitor)
    take_off_and_put_back(visitor)
    block(visitor)
    several(visitor)
    bring_in(visitor, "letter.csv", table(LETTER), first=False)
    put_a_match_right(visitor)
    name_a_track(visitor)
    assert visitor.wrong == []


def bring_in(visitor: Visitor, name: str, body: bytes, *, first: bool = True) -> None:
    page = visitor.page
    if first:
        visitor.open("/lists/add/")
    else:
        to_the_list(visitor)
        page.get_by_role("link", name="Bring in a newer file").first.click()
    visitor.choose_file(name, body)
    page.get_by_role("button", name="Look at it").click()
    page.get_by_role("button", name=re.compile("^(Make the list|Bring in)")).click()
    expect(page.get_by_text(re.compile("This is version"))).to_be_visible()


def to_the_list(visitor: Visitor, view: str = "Posters") -> None:
    visitor.open("/")
    visitor.follow(visitor.page.get_by_role("link", name="harbour-films"))
    visitor.page.get_by_role("link", name=view, exact=True).click()
    expect(visitor.page).to_have_url(re.compile(f"view={view.lower()}"))


def expect_first(visitor: Visitor, *titles: str) -> None:
    expect(visitor.page.locator(f"tbody tr:nth-child(-n+{len(titles)}) a.quiet-link")).to_have_text(list(titles))


def edit(visitor: Visitor) -> None:
    page = visitor.page
    to_the_list(visitor)
    page.get_by_role("link", name="Kestrel Down").click()
    page.get_by_role("link", name="Edit", exact=True).click()
    page.get_by_label("Year", exact=True).fill("MMXIX")
    page.get_by_label("Year", exact=True).press("Enter")
    expect(page.get_by_text("Year must be a whole number")).to_be_visible()
    visitor.picture("entry-edit")
    page.get_by_label("Year", exact=True).fill("2019")
    page.get_by_label("Genres").fill("Thriller, Mystery")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Saved: Year, Genres.")
    expect(page.get_by_role("row", name="Year")).to_contain_text("by hand")
    expect(page.get_by_role("row", name="Year")).to_contain_text("harbour-films.csv: 2018")
    visitor.picture("entry-edited")
    page.get_by_role("button", name="Give back Year to the sources").click()
    expect(page.get_by_role("status")).to_contain_text("Given back to the sources: Year.")
    expect(page.get_by_role("row", name="Year")).to_contain_text("2018")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("row", name="Year")).to_contain_text("by hand")
    page.get_by_role("button", name="As it was in version 1").click()
    expect(page.get_by_role("status")).to_contain_text("as it was in version 1")


def add(visitor: Visitor) -> None:
    page = visitor.page
    to_the_list(visitor)
    page.get_by_role("link", name="Add", exact=True).click()
    page.get_by_label("Title").fill("Salt Harbour")
    page.get_by_label("Year").fill("2021")
    page.get_by_label("IMDb").fill("tt9000001")
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("alert")).to_contain_text("on the list already")
    visitor.wrong = [problem for problem in visitor.wrong if "409" not in problem]  # what that answer means
    visitor.picture("add-by-hand")
    page.get_by_label("Title").fill("The Last Ferry")
    page.get_by_label("IMDb").fill("")
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The Last Ferry")
    visitor.picture("entry-by-hand")


def move(visitor: Visitor) -> None:
    page = visitor.page
    to_the_list(visitor, "Table")
    expect(page.locator(".bulk")).to_be_hidden()
    page.get_by_label("Select The Last Ferry").check()
    expect(page.locator(".bulk")).to_be_visible()
    page.get_by_label("to place").fill("2")
    page.get_by_label("to place").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Moved to place 2: The Last Ferry (2021).")
    expect_first(visitor, "Salt Harbour", "The Last Ferry", "The Lantern Year")
    page.get_by_label("Select The Last Ferry").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Move up").click()
    expect_first(visitor, "The Last Ferry", "Salt Harbour", "The Lantern Year")
    expect(page.get_by_label("Select The Last Ferry")).to_be_checked()
    visitor.picture("list-table-selected")
    page.get_by_role("button", name="Move down").click()
    expect_first(visitor, "Salt Harbour", "The Last Ferry", "The Lantern Year")
    page.get_by_label("Select The Last Ferry").uncheck()
    page.locator("tbody tr").nth(2).drag_to(page.locator("tbody tr").nth(0))
    expect(page.get_by_role("status")).to_contain_text("Moved to place 1: The Lantern Year (2019).")
    expect_first(visitor, "The Lantern Year", "Salt Harbour", "The Last Ferry")
    page.get_by_role("button", name="Back to the source’s order").click()
    # What no source lists keeps the one that it stood behind.
    expect_first(visitor, "Salt Harbour", "The Last Ferry", "The Lantern Year")
    page.locator("details.filter.push summary").click()
    page.get_by_role("link", name="Order of the list").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Order of the list")
    visitor.picture("order")


def take_off_and_put_back(visitor: Visitor) -> None:
    page = visitor.page
    to_the_list(visitor)
    page.get_by_role("link", name="Hollow Moon").click()
    page.get_by_role("button", name="Take it off").click()
    expect(page.get_by_text("It is not on harbour-films any more.")).to_be_visible()
    visitor.picture("entry-taken-off")
    to_the_list(visitor)
    page.locator("details.filter summary", has_text="On the list").click()
    page.get_by_role("link", name="Taken off").click()
    expect(page.get_by_text("Removed by hand.")).to_be_visible()
    visitor.picture("list-taken-off")
    page.get_by_role("button", name="Put back").first.click()
    expect(page.get_by_role("status")).to_contain_text("Put back, to stay")


def block(visitor: Visitor) -> None:
    page = visitor.page
    to_the_list(visitor)
    page.get_by_role("link", name="Hollow Moon").click()
    page.get_by_role("link", name="Block", exact=True).click()
    page.get_by_label("Reason").fill("seen it, did not like it")
    visitor.picture("block")
    page.get_by_role("button", name="Block it").click()
    expect(page.get_by_text("It is kept out of harbour-films.")).to_be_visible()
    visitor.picture("entry-blocked")
    visitor.open("/")
    page.get_by_role("link", name="harbour-films").click()
    page.locator("details.filter summary", has_text="On the list").click()
    page.get_by_role("link", name="Kept out").click()
    expect(page.get_by_text("Blocked: seen it, did not like it")).to_be_visible()
    visitor.picture("list-blocked")
    page.get_by_role("button", name="Unblock").click()
    expect(page.get_by_role("status")).to_contain_text("Unblocked.")


def several(visitor: Visitor) -> None:
    page = visitor.page
    to_the_list(visitor)
    page.get_by_role("link", name="Select", exact=True).click()
    expect(page.locator(".picking")).to_be_visible()
    page.get_by_label("Select Kestrel Down").check()
    page.get_by_label("Select Slow Train to Varna").check()
    visitor.picture("list-selecting")
    page.locator(".bulk").get_by_role("button", name="Edit").click()
    page.get_by_label("Field", exact=True).select_option(label="Genres")
    page.get_by_label("Value").fill("Train films")
    visitor.picture("edit-several")
    page.get_by_role("button", name="Save for 2 films").click()
    expect(page.get_by_role("status")).to_contain_text("Genres of 2 films")
    page.get_by_label("Select Kestrel Down").check()
    page.get_by_role("button", name="All on this page").click()
    expect(page.locator(".bulk")).to_contain_text("Take off")
    page.get_by_role("button", name="Take off").click()
    expect(page.get_by_text("Nothing is on this list")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".posters li")).to_have_count(13)


def put_a_match_right(visitor: Visitor) -> None:
    page = visitor.page
    to_the_list(visitor)
    page.get_by_role("link", name="Salt Harbor", exact=True).click()
    page.get_by_role("link", name="Fix match").click()
    search = page.get_by_role("searchbox", name="Search what it is")
    search.fill("salt harbour")
    search.press("Enter")
    right = page.locator("section", has_text="Wrong match?").get_by_role("radio", name=re.compile("Salt Harbour"))
    expect(right).to_be_visible()
    visitor.picture("match")
    right.focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="That is what it is").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Salt Harbour")
    expect(page.locator(".chain")).to_contain_text("letter.csv")
    page.get_by_role("link", name="Fix match").click()
    search.fill("lantern")
    search.press("Enter")
    page.locator("section", has_text="The same thing twice?").get_by_role("radio").first.check()
    page.get_by_role("button", name="They are the same").click()
    expect(page.get_by_text("counts as the same")).to_be_visible()
    visitor.picture("match-merged")
    page.get_by_role("button", name="Part them").click()
    expect(page.get_by_role("status")).to_contain_text("stands for itself again")


def name_a_track(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open("/lists/new/")
    page.get_by_label("Name", exact=True).fill("Kabelwerk closing set")
    page.get_by_label("Tracks of a set or album").check()
    page.get_by_role("button", name="Make the list").click()
    page.get_by_role("link", name="Add a source").first.click()
    visitor.choose_file("set.csv", SET.encode())
    page.get_by_role("button", name="Look at it").click()
    page.get_by_role("button", name="Bring in 6 tracks").click()
    expect(page.get_by_text("This is version 1 of the list.")).to_be_visible()
    page.get_by_role("link", name="To the list").click()
    page.get_by_label("Select Nine Volt").check()
    visitor.picture("set-selecting")
    page.get_by_role("link", name="Name it").first.click()
    page.get_by_label("Title").fill("Terminal")
    page.get_by_label("Artist").fill("Ostrava Night Bus")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Terminal")
    visitor.picture("track-named")
