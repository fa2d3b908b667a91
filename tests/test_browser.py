"""The pages in a real browser, against a running web server and worker: one journey from signing in to the bin."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import services
from tests.processes import Program

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = playwright.expect

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(services.browser() is None, reason="no Chromium on this machine"),
    pytest.mark.skipif(os.environ.get("DATABASE_URL", "").startswith("postgres"), reason="only on SQLite"),
]

# Chromium looks up hosts of its maker by itself; these keep it to what the page asks for.
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

HEADER = "Const,Title,Year,Genres,Runtime (mins),IMDb Rating"
FILMS = [
    "tt9000001,Salt Harbour,2021,Drama,118,7.9",
    "tt9000002,The Lantern Year,2019,Drama,131,7.4",
    "tt9000003,Nine Quiet Rooms,2023,Mystery,102,8.1",
    "tt9000004,A Map of Small Fires,2024,Drama,124,7.7",
    "tt9000005,Kestrel Down,2018,Thriller,109,6.8",
    "tt9000006,二十四の灯,2016,Drama,141,8.3",
    "tt9000007,The Cartographer’s Daughter,2022,Adventure,127,7.2",
    "tt9000008,مدينة الملح والريح,2020,Drama,115,7.8",
    "tt9000009,Slow Train to Varna,2015,Comedy,97,7.5",
    "tt9000010,The Strange and Mostly True History of the Lighthouse Keeper Who Refused to Go Ashore,2017,Comedy,154,7.1",
    "tt9000011,Hollow Moon,2025,Sci-Fi,133,6.4",
    "tt9000012,Ferry to Nowhere,2010,Drama,119,7.2",
]
# A day later: two came, one left, a rating and a year were corrected, one row is broken.
NEWER = [
    "tt9000013,Dry Dock,2024,Drama,111,6.6", *FILMS[:4], "tt9000005,Kestrel Down,2019,Thriller,109,6.9", *FILMS[5:11],
    "tt9000014,A Borrowed Piano,2018,Drama,104,7.7", "tt9000015,Tuesday Again,2O14,Drama,100,7.0",
]  # fmt: skip


def table(rows: list[str]) -> bytes:
    return "\n".join([HEADER, *rows, ""]).encode()


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Program]:
    site = Program(tmp_path_factory.mktemp("site"), "up").with_tables()
    site.start_and_wait("Listkeeper runs at")
    yield site
    site.end()


class Visitor:
    """A browser page that remembers what went wrong in it, and takes pictures in four shapes."""

    def __init__(self, page: Any, address: str, pictures: Path):
        self.page, self.address, self.pictures = page, address, pictures
        self.wrong: list[str] = []
        page.on("console", lambda message: message.type == "error" and self.wrong.append(message.text))
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("request", lambda request: self._check(request.url))
        page.on("response", lambda r: r.status >= 400 and self.wrong.append(f"{r.status} {r.url}"))

    def _check(self, url: str) -> None:
        if not url.startswith((self.address, "data:", "blob:")):
            self.wrong.append(f"asked another host: {url}")

    def open(self, path: str) -> None:
        self.page.goto(self.address + path)

    def follow(self, control: Any) -> None:
        """Press what leads to another page and wait until it is there: a click alone returns before."""
        with self.page.expect_navigation():
            control.click()

    def sign_in(self, name: str, password: str) -> None:
        self.open("/login/")
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.follow(self.page.get_by_role("button", name="Sign in"))

    def picture(self, name: str) -> None:
        """Light and dark, wide and narrow; nothing may reach beyond the narrow screen."""
        self.page.wait_for_load_state()  # a click returns when the next document begins, before it has a body
        for width, height in [(390, 844), (1280, 900)]:
            self.page.set_viewport_size({"width": width, "height": height})
            overflow = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert overflow <= 0, f"{name} is {overflow} px too wide at {width} px"
            for scheme in ("light", "dark"):
                self.page.emulate_media(color_scheme=scheme)
                self.page.screenshot(path=self.pictures / f"{name}-{width}-{scheme}.png", full_page=True)
        self.page.emulate_media(color_scheme="light")

    def choose_file(self, name: str, body: bytes) -> None:
        self.page.set_input_files("input[type=file]", {"name": name, "mimeType": "text/csv", "buffer": body})


@pytest.fixture
def visitor(site, tmp_path) -> Iterator[Visitor]:
    pictures = Path(os.environ.get("LISTKEEPER_SCREENSHOTS") or tmp_path / "screenshots")
    pictures.mkdir(parents=True, exist_ok=True)
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=services.browser(), args=QUIET)
        page = browser.new_page(viewport={"width": 1280, "height": 900}, locale="en-GB", reduced_motion="reduce")
        page.set_default_timeout(20_000)
        yield Visitor(page, f"http://localhost:{site.port}", pictures)
        browser.close()


@pytest.mark.covers("LIST-14", "SRC-22", "VER-03", "VER-04")
def test_a_list_from_its_first_file_to_the_bin_and_back(site, visitor):
    password = re.search(r"password  (\S+)", site.output)
    assert password
    sign_in(visitor, password[1])
    make_a_list_of_a_file(visitor)
    look_through_it(visitor)
    bring_in_a_newer_export(visitor)
    see_what_changed(visitor)
    ask_where_a_value_comes_from(visitor)
    take_it_along(visitor)
    rename_it(visitor)
    delete_it_and_bring_it_back(visitor)
    assert visitor.wrong == []


@pytest.mark.covers("VER-07")
def test_a_set_and_a_table_whose_columns_a_person_names(site, visitor):
    page = visitor.page
    site.manage("shell", "-c", NEW_USER)
    visitor.sign_in("ines", "salt-harbour-1999")
    page.get_by_role("link", name="make an empty list").click()
    page.get_by_label("Name", exact=True).fill("Kabelwerk closing set")
    page.get_by_label("Tracks of a set or album").check()
    visitor.picture("create")
    visitor.follow(page.get_by_role("button", name="Make the list"))
    visitor.picture("list-empty")
    page.get_by_role("link", name="Add a source").first.click()
    visitor.choose_file("set.csv", SET.encode())
    page.get_by_role("button", name="Look at it").click()
    page.get_by_label("What took holds").select_option(label="Length")
    visitor.picture("preview-columns")
    page.get_by_role("button", name="Read it again").last.click()
    page.get_by_role("button", name="Bring in 6 tracks").click()
    expect(page.get_by_text("This is version 1 of the list.")).to_be_visible()
    page.get_by_role("link", name="To the list").click()
    expect(page.locator(".tracks .cue").nth(3)).to_have_text("1:03:55")
    expect(page.locator(".tracks .side-info").first).to_have_text("6:20")
    visitor.picture("list-tracks")
    visitor.follow(page.get_by_role("link", name="Nine Volt"))
    visitor.picture("entry-track")
    visitor.open("/lists/add/")
    visitor.choose_file("odd.csv", b"wert,zahl\nSalt Harbour,2021\n")
    page.get_by_role("button", name="Look at it").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was read.")
    visitor.picture("preview-refused")
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    assert visitor.wrong == []
    visitor.open("/lists/4711/")
    visitor.picture("not-found")


NEW_USER = """from django.contrib.auth.models import User
User.objects.create_user("ines", password="salt-harbour-1999", first_name="Ines", last_name="Hartmann")"""
SET = """start,artist,title,took,group
0:00:00,Ilse Maron,Low Tide Signal,6:20,Opening
6:20,Veit & Ama,Corridor (Kessel Dub),0:05:35,Opening
0:11:55,ID,ID,0:04:10,Opening
1:03:55,Marlow,Nine Volt,0:07:35,Middle
1:11:30,木村ゆり,夜の工場,0:06:45,Middle
1:18:15,Delia Ash,Rooms Without Corners (A Very Long Extended Version Recorded Live at the Pumping Station),0:09:05,Middle
"""


def sign_in(visitor: Visitor, password: str) -> None:
    page = visitor.page
    visitor.open("/")
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill("not this one")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("do not fit together")
    visitor.picture("login")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Welcome, admin")
    visitor.picture("welcome")


def make_a_list_of_a_file(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open("/lists/add/")
    visitor.picture("add")
    visitor.choose_file("harbour-films.csv", table(FILMS))
    expect(page.locator("[data-drop-name]")).to_have_text("harbour-films.csv")
    page.get_by_role("button", name="Look at it").click()
    make = page.get_by_role("button", name="Make the list with 12 films")
    expect(make).to_be_visible()  # the waiting page has gone on by itself
    expect(page.get_by_text("IMDb export (CSV)").first).to_be_visible()
    visitor.picture("preview-new")
    page.get_by_label("Name of the list").fill("Films to watch")
    make.click()
    expect(page.get_by_text("This is version 1 of the list.")).to_be_visible()
    visitor.picture("run")
    page.get_by_role("link", name="To the list").click()
    expect(page.locator(".posters li")).to_have_count(12)
    visitor.picture("list-posters")


def look_through_it(visitor: Visitor) -> None:
    page = visitor.page
    page.get_by_role("link", name="Table", exact=True).click()
    expect(page.locator("tbody tr")).to_have_count(12)
    expect(page.locator("tbody tr").first).to_contain_text("Salt Harbour")
    visitor.picture("list-table")
    page.get_by_role("link", name="Year", exact=True).click()
    expect(page.locator("tbody tr").first).to_contain_text("Hollow Moon")
    search = page.get_by_role("searchbox", name="Search in this list")
    search.fill("lantern")
    search.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name="Remove the search for lantern").click()
    page.get_by_text("Filters", exact=True).click()
    page.get_by_label("Genre").select_option("Comedy")
    visitor.picture("list-filters")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("tbody tr")).to_have_count(2)
    page.get_by_role("searchbox", name="Search in this list").fill("nobody made this")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=2)).to_contain_text("Nothing fits")
    visitor.picture("list-nothing-fits")
    page.get_by_role("link", name="Show them all").click()
    page.get_by_role("link", name="Posters", exact=True).click()
    expect(page.locator(".posters li")).to_have_count(12)


def bring_in_a_newer_export(visitor: Visitor) -> None:
    page = visitor.page
    visitor.follow(page.get_by_role("link", name="Bring in a newer file"))
    visitor.picture("upload")
    visitor.choose_file("harbour-films-2.csv", table(NEWER))
    page.get_by_role("button", name="Look at it").click()
    bring = page.get_by_role("button", name="Bring in 2 films, change 1, let 1 go")
    expect(bring).to_be_visible()
    for title in ("Dry Dock", "A Borrowed Piano"):
        expect(page.locator(".diff-row.add .row-title").filter(has_text=title)).to_be_visible()
    expect(page.locator(".diff-row.del .row-title")).to_have_text("Ferry to Nowhere")
    expect(page.get_by_role("heading", name="1 row that we cannot read")).to_be_visible()
    visitor.picture("preview-newer")
    bring.click()
    expect(page.get_by_text("This is version 2 of the list.")).to_be_visible()
    expect(page.get_by_text("Partly completed").first).to_be_visible()
    visitor.picture("run-partial")


def see_what_changed(visitor: Visitor) -> None:
    page = visitor.page
    page.get_by_role("link", name="See what changed").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What changed from version 1 to 2")
    expect(page.locator(".diff-row.add")).to_have_count(2)
    expect(page.locator(".diff-row.del")).to_have_count(1)
    changed = page.locator(".diff-row.alt")
    expect(changed.locator("del").first).to_have_text("2018")
    expect(changed.locator("ins").first).to_have_text("2019")
    visitor.picture("diff")
    page.get_by_role("link", name="Version 1 as it was").click()
    expect(page.locator("tbody tr")).to_have_count(12)
    expect(page.locator("table")).to_contain_text("Ferry to Nowhere")
    visitor.picture("version")
    page.get_by_role("link", name="Changes").click()
    expect(page.locator(".versions .feed-title")).to_have_count(2)
    visitor.picture("changes")
    page.get_by_role("button", name="Look", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Version 2")
    visitor.open("/runs/")
    expect(page.locator("tbody tr")).to_have_count(2)
    visitor.picture("runs")


def ask_where_a_value_comes_from(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open("/")
    page.get_by_role("link", name="Films to watch").click()
    page.get_by_role("link", name="Kestrel Down").click()
    expect(page.get_by_role("row", name="Rating")).to_contain_text("harbour-films.csv")
    expect(page.get_by_role("link", name="tt9000005")).to_have_attribute(
        "href", "https://www.imdb.com/title/tt9000005/"
    )
    expect(page.locator(".feed .was")).to_contain_text("2018")
    visitor.picture("entry")


def take_it_along(visitor: Visitor) -> None:
    page = visitor.page
    page.get_by_role("link", name="Films to watch").first.click()
    visitor.follow(page.get_by_role("link", name="Export"))
    visitor.picture("export")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV (IMDb layout)").click()
    assert download.value.suggested_filename == "Films to watch.csv"
    assert "Dry Dock" in Path(download.value.path()).read_text()


def rename_it(visitor: Visitor) -> None:
    page = visitor.page
    page.get_by_role("link", name="Sources and settings").click()
    expect(page.locator(".row-title").first).to_have_text("harbour-films.csv")
    page.get_by_label("Name", exact=True).fill("Films by the sea")
    page.get_by_label("Tags").fill("sea, weekend, sea")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Films by the sea")
    expect(page.get_by_role("status")).to_have_text("Saved.")
    visitor.picture("settings")
    visitor.open("/?q=weekend")
    expect(page.locator(".card")).to_have_count(1)
    visitor.picture("lists")


def delete_it_and_bring_it_back(visitor: Visitor) -> None:
    page = visitor.page
    page.get_by_role("link", name="Films by the sea").click()
    page.get_by_role("link", name="Sources and settings").click()
    page.get_by_role("button", name="Move it to the bin").click()
    expect(page.get_by_role("status")).to_contain_text("is in the bin")
    visitor.picture("welcome-with-bin")
    page.get_by_role("button", name="Bring it back").click()
    expect(page.locator(".posters li")).to_have_count(13)
    page.get_by_role("link", name="Sources and settings").click()
    page.get_by_role("button", name="Move it to the bin").click()
    visitor.open("/bin/")
    visitor.picture("bin")
    page.get_by_role("button", name="Bring it back").click()
    expect(page.get_by_role("status")).to_contain_text("is back, as it was")
