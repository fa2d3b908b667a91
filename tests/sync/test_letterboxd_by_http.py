"""Letterboxd's files, and those of other film services, sent as a program sends them and followed to the list; and a list
taken there and back."""

import io
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from rest_framework.test import APIClient

from lists.models import Edit, Entry, ExternalId, MediaList
from tests.sync.sources.test_any_bytes import GOOD

WATCHLIST = """Date,Name,Year,Letterboxd URI\r
2024-01-02,"Salt, Harbour",2021,https://boxd.it/aB1\r
2024-01-03,Lantern Year,1962,https://boxd.it/aB2\r
2024-01-04,Année 1,2019,https://boxd.it/aB3\r
"""
RATINGS = "Date,Name,Year,Letterboxd URI,Rating\n2024-02-03,Lantern Year,1962,https://boxd.it/aB2,4.5\n"
DIARY = (
    "Date,Name,Year,Letterboxd URI,Rating,Rewatch,Tags,Watched Date\n"
    '2024-02-03,Lantern Year,1962,https://boxd.it/4wyHj9,3,,"sea, night",2024-02-01\n'
    "2024-03-03,Lantern Year,1962,https://boxd.it/4wyHk0,4,Yes,,2024-03-01\n"
)
LIST = """Letterboxd list export v7
Date,Name,Tags,URL,Description
2025-02-03,Lighthouses,sea,https://boxd.it/LsT1,"Films with a lighthouse.

In no order, really."

Position,Name,Year,URL,Description
1,Lantern Year,1962,https://boxd.it/aB2,Seen at home
2,"Salt, Harbour",2021,https://boxd.it/aB1,
"""
PROFILE = "Date Joined,Username,Given Name,Family Name,Bio\n2018-03-01,ines,Ines,B,Films\n"


@pytest.fixture
def api(ines) -> APIClient:
    client = APIClient()
    client.force_login(ines)
    return client


@pytest.fixture
def send(api, work):
    """Upload by the API and let a worker read it; returns the preview as the API shows it."""

    def send(body: str | bytes, **fields):
        body = body.encode() if isinstance(body, str) else body
        answer = api.post("/api/v1/uploads/", {"file": SimpleUploadedFile("list", body), **fields}, format="multipart")
        assert answer.status_code == 202, answer.content
        work()
        return api.get(f"/api/v1/uploads/{answer.json()['id']}/").json()

    return send


@pytest.fixture
def bring(api, send, work):
    """The same, confirmed; returns the run as the API shows it."""

    def bring(body: str | bytes, **fields):
        shown = send(body, **fields)
        assert shown["state"] == "open", shown["error"]
        answer = api.post(f"/api/v1/uploads/{shown['id']}/confirm/")
        assert answer.status_code == 202, answer.content
        work()
        return api.get(f"/api/v1/runs/{answer.json()['run']}/").json()

    return bring


@pytest.fixture
def entries(api):
    def entries(list_: int) -> list[dict]:
        return [row["values"] for row in api.get(f"/api/v1/lists/{list_}/entries/").json()["results"]]

    return entries


def export(api, list_: int, key: str = "letterboxd") -> bytes:
    answer = api.get(f"/api/v1/lists/{list_}/export/{key}/")
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


@pytest.mark.covers("SRC-20", "SRC-23")
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_watchlist_becomes_a_list_with_the_films_ids(bring, entries, encoding):
    run = bring(WATCHLIST.encode(encoding), list_name="Watchlist")
    assert (run["state"], run["added"]) == ("completed", 3)
    assert [(row["title"], row["year"]) for row in entries(run["list"])] == [
        ("Salt, Harbour", 2021), ("Lantern Year", 1962), ("Année 1", 2019),
    ]  # fmt: skip
    first = Entry.objects.order_by("rank").first()
    ids = ExternalId.objects.filter(item=first.item).values_list("namespace", "value")
    assert list(ids) == [("letterboxd", "aB1")]
    assert first.values["added_on"] == "2024-01-02"


@pytest.mark.covers("SRC-20")
def test_a_list_in_two_parts_brings_its_title_its_description_and_its_order(send, bring, page):
    shown = send(LIST)
    assert (shown["result"]["title"], shown["result"]["counts"]["added"]) == ("Lighthouses", 2)
    assert MediaList.objects.count() == 0
    run = bring(LIST)
    list_ = MediaList.objects.get(pk=run["list"])
    assert list_.name == "Lighthouses"
    assert list_.facts["description"] == "Films with a lighthouse.\n\nIn no order, really."
    assert list_.facts["url"] == "https://boxd.it/LsT1"
    assert [(e.title, e.values.get("note")) for e in Entry.objects.order_by("rank")] == [
        ("Lantern Year", "Seen at home"), ("Salt, Harbour", None),
    ]  # fmt: skip


@pytest.mark.covers("SRC-20")
def test_watchlist_and_diary_of_one_account_speak_of_the_same_films(bring):
    """The diary's addresses are those of its entries, so the films are found by title and year."""
    list_ = bring(WATCHLIST, list_name="Mine")["list"]
    run = bring(DIARY, list=list_)
    assert (run["added"], run["updated"], run["removed"]) == (0, 1, 0)
    film = Entry.objects.get(title="Lantern Year")
    assert film.claims.count() == 2
    told = film.claims.get(key="lantern year|1962|").values or film.values
    assert (told["your_rating"], told["watched_on"], told["rewatch"]) == (8.0, "2024-03-01", 1)
    assert told["labels"] == ["sea", "night"]


@pytest.mark.covers("SRC-20")
def test_the_archive_of_an_account_offers_its_lists_and_nothing_else(send):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in {
            "profile.csv": PROFILE, "comments.csv": "Date,Content,Comment\n2025-02-10,https://boxd.it/63b,Good\n",
            "likes/lists.csv": "Date,Content\n2025-02-10,https://boxd.it/63b\n", "diary.csv": DIARY, "ratings.csv": RATINGS,
            "watchlist.csv": WATCHLIST, "lists/lighthouses.csv": LIST, "likes/films.csv": WATCHLIST,
        }.items():  # fmt: skip
            archive.writestr(name, text)
    shown = send(out.getvalue(), list_name="Account")
    assert {part["name"] for part in shown["result"]["parts"]} == {
        "diary.csv", "ratings.csv", "watchlist.csv", "lists/lighthouses.csv", "likes/films.csv",
    }  # fmt: skip
    assert (shown["config"]["part"], shown["result"]["counts"]["added"]) == ("watchlist.csv", 3)


@pytest.mark.covers("SRC-20")
def test_a_file_of_the_account_that_holds_no_films_is_refused_with_a_sentence(send):
    shown = send(PROFILE, adapter="letterboxd_csv")
    assert shown["state"] == "refused"
    assert shown["error"].startswith(
        "This is the profile of a Letterboxd account and holds no films. Nothing was read."
    )


@pytest.mark.covers("SRC-20")
def test_an_untouched_export_read_back_changes_nothing(api, send, bring):
    list_ = bring(WATCHLIST.replace("Lantern", "=Lantern"), list_name="Mine")["list"]
    bring(DIARY.replace("Lantern", "=Lantern"), list=list_)
    before = Entry.history.count()
    body = export(api, list_)
    assert b"'=Lantern Year" in body
    shown = send(body, list=list_)
    own = shown["result"]["own_export"]
    assert (own["rows"], own["changed"], own["removed"], own["added"], own["moved"]) == (3, 0, 0, 0, False)
    assert api.post(f"/api/v1/uploads/{shown['id']}/confirm/").status_code == 409
    assert Entry.history.count() == before
    assert Edit.objects.count() == 0


@pytest.mark.covers("SRC-20")
@pytest.mark.parametrize(
    ("old", "new", "field", "value"),
    [
        (b"'=Lantern Year", b"Lantern Years", "title", "Lantern Years"),
        (b",8,2024-03-01,", b",9,2024-03-01,", "your_rating", 9.0),
        (b'"sea, night"', b"sea", "labels", ["sea"]),
    ],
)
def test_an_edited_cell_is_an_edit(api, bring, old, new, field, value):
    list_ = bring(DIARY.replace("Lantern", "=Lantern"), list_name="Mine")["list"]
    body = export(api, list_)
    assert old in body
    run = bring(body.replace(old, new), list=list_)
    assert (run["state"], run["updated"]) == ("completed", 1)
    assert [(edit.field, edit.value) for edit in Edit.objects.all()] == [(field, value)]
    assert Entry.objects.get().values[field] == value


def test_an_export_taken_to_another_list_brings_films_and_ids(api, bring, entries):
    body = export(api, bring(WATCHLIST, list_name="Mine")["list"])
    copy = bring(body, list_name="Copy")["list"]
    assert [row["title"] for row in entries(copy)] == ["Salt, Harbour", "Lantern Year", "Année 1"]
    assert Entry.objects.values("item").distinct().count() == 3


@pytest.mark.covers("SRC-20")
def test_the_page_offers_the_layout_and_gives_the_file(client, ines, films, upload, bring):
    bring(WATCHLIST, list=films.pk)
    client.force_login(ines)
    assert "CSV (Letterboxd layout)" in client.get(reverse("lists:exports", args=[films.pk])).content.decode()
    answer = client.get(reverse("lists:export", args=[films.pk, "letterboxd"]))
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert b"https://boxd.it/aB1,,," in b"".join(answer.streaming_content)


@pytest.mark.covers("SRC-23")
@pytest.mark.parametrize(
    ("key", "titles"),
    [
        ("simkl_json", ["Quiet Rooms", "Paper Moon Train", "Salt Harbour"]),
        ("anilist_json", ["Harbour of Salt", "Kami no Densha"]),
        ("couchpotato_json", ["Salt Harbour", "Lantern Year"]),
        ("arr_json", ["Heat", "Dark"]),
        ("letterboxd_csv", ["Salt, Harbour", "Lantern Year"]),
        ("imdb_page", ["Salt Harbour", "Quiet Rooms"]),
    ],
)
def test_a_file_of_each_service_becomes_a_list(bring, send, entries, key, titles):
    assert send(GOOD[key])["adapter"] == key
    run = bring(GOOD[key], list_name="Films")
    assert (run["state"], run["added"]) == ("completed", len(titles))
    assert [row["title"] for row in entries(run["list"])] == titles
    again = bring(GOOD[key], list=run["list"])
    assert (again["unchanged"], again["version"]) == (len(titles), None)


@pytest.mark.covers("SRC-23")
def test_a_page_that_shows_a_part_of_its_list_takes_nothing_off(bring, send, entries):
    list_ = bring(GOOD["imdb_page"], list_name="Films")["list"]
    first = GOOD["imdb_page"].index(b'{"node": {"itemId": "li1"')
    second = GOOD["imdb_page"].index(b'{"node": {"itemId": "li2"')
    part = GOOD["imdb_page"][:first] + GOOD["imdb_page"][second:]
    shown = send(part, list=list_)
    assert (shown["result"]["partial"], shown["result"]["stated"]) == (True, 2)
    assert shown["result"]["removed"] == []
    run = bring(part, list=list_)
    assert (run["state"], run["outcome"], run["removed"]) == ("partial", "partial", 0)
    assert [row["title"] for row in entries(list_)] == ["Salt Harbour", "Quiet Rooms"]


@pytest.mark.covers("SRC-23")
def test_a_check_for_robots_in_place_of_a_page_is_refused_with_the_way_out(send):
    shown = send("<html><head><title></title><script>window.gokuProps = {};</script></head></html>")
    assert shown["state"] == "refused"
    assert "a check for robots" in shown["error"]
    assert "Export the list at imdb.com/exports" in shown["error"]
