"""IMDb's exports of all ages, sent as a program sends them and followed to the list."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from lists.models import Entry
from tests.sync.sources.test_imdb_page import FILM, SHOW, listed
from tests.sync.sources.test_imdb_page import page as saved

NOW = '''Position,Const,Created,Modified,Description,Title,Original Title,URL,Title Type,IMDb Rating,Runtime (mins),Year,\
Genres,Num Votes,Release Date,Directors,Your Rating,Date Rated
1,tt0000011,2024-01-31,2024-01-31,"A note, with a comma","Salt ""Harbour""",Hafen,https://www.imdb.com/title/tt0000011/,\
Movie,7.9,118,2021,"Drama, Sci-Fi",18204,2021-03-04,"Ann Vale, Bob Renn",9,2024-02-01
2,tt0000012,2024-01-31,2024-01-31,,Lantern Year,,https://www.imdb.com/title/tt0000012/,TV Series,7.4,55,2019,Drama,,2019,,,
'''
OLD = """\
"position","const","created","modified","description","Title","Title type","Directors","You rated","IMDb Rating",\
"Runtime (mins)","Year","Genres","Num. Votes","Release Date (month/day/year)","URL"
"1","tt0000011","Sat Apr 23 08:36:35 2011","Sat Apr 23 08:36:35 2011","","Salt Harbour","Feature Film","Ann Vale","10","8.8",\
"148","2021","drama, sci_fi","1159852","2021-03-04","http://www.imdb.com/title/tt0000011/"
"2","tt0000012","Sat Apr 23 08:34:37 2011","Sat Apr 23 08:34:37 2011","","Lantern Year","TV Series","","","7.4","55","2019",\
"drama","","2019-06","http://www.imdb.com/title/tt0000012/"
"""
RATINGS = """Const,Your Rating,Date Rated,Title,Original Title,URL,Title Type,IMDb Rating,Runtime (mins),Year,Genres,Num Votes,\
Release Date,Directors
tt0000011,9,2024-02-01,Salt Harbour,,https://www.imdb.com/title/tt0000011/,Movie,7.9,118,2021,"Drama, Sci-Fi",18204,2021-03-04,
tt0000012,6,2024-02-01,Lantern Year,,https://www.imdb.com/title/tt0000012/,TV Series,7.4,55,2019,Drama,88,2019-01-01,
"""


@pytest.mark.covers("SRC-05", "LIST-03")
@pytest.mark.parametrize("body", [NOW, OLD, RATINGS], ids=["now", "2011", "ratings"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_an_export_of_any_age_comes_in_by_the_api(ines, work, body, encoding):
    client = APIClient()
    client.force_authenticate(ines)
    file = SimpleUploadedFile("whatever.txt", body.replace("Lantern Year", "Année 1").encode(encoding))
    answer = client.post("/api/v1/uploads/", {"file": file, "list_name": "Films"}, format="multipart")
    assert answer.status_code == 202, answer.content
    work()
    answer = client.post(f"/api/v1/uploads/{answer.json()['id']}/confirm/")
    assert answer.status_code == 202, answer.content
    work()
    first, second = Entry.objects.order_by("rank")
    assert first.title in ("Salt Harbour", 'Salt "Harbour"')
    assert (first.kind, first.year, first.genres, first.release_date) == (
        "movie",
        2021,
        ["Drama", "Sci-Fi"],
        "2021-03-04",
    )
    assert (second.title, second.kind, second.year, second.runtime_s) == ("Année 1", "show", 2019, 3300)
    assert list(first.claims.values_list("key", flat=True)) == ["tt0000011"]
    shown = client.get(f"/api/v1/lists/{first.list_id}/entries/{first.pk}/").json()
    assert shown["ids"] == {"imdb": "tt0000011"} or {"namespace": "imdb", "value": "tt0000011"} in shown["ids"]


CHART = {"props": {"pageProps": {"pageData": {"chartTitles": {"edges": [{"node": FILM}, {"node": SHOW}]}}}}}


@pytest.mark.covers("SRC-01")
@pytest.mark.parametrize(
    "page", [listed(FILM, SHOW), listed(FILM, SHOW, holder="predefinedList"), CHART], ids=["list", "watchlist", "chart"]
)
def test_a_saved_page_comes_in_by_the_api(ines, work, page):
    client = APIClient()
    client.force_authenticate(ines)
    file = SimpleUploadedFile("saved.html", saved(page).encode())
    sent = client.post("/api/v1/uploads/", {"file": file, "list_name": "Films"}, format="multipart").json()
    work()
    client.post(f"/api/v1/uploads/{sent['id']}/confirm/")
    work()
    assert list(Entry.objects.order_by("rank").values_list("title", "kind")) == [
        ("Salt Harbour", "movie"), ("Quiet Rooms", "show"),
    ]  # fmt: skip


@pytest.mark.covers("SRC-04")
def test_a_saved_page_of_the_sites_guard_is_refused_with_a_way_out(ines, work):
    client = APIClient()
    client.force_authenticate(ines)
    guard = b"<!DOCTYPE html><html><head><script>window.gokuProps = {}; // awswaf</script></head><body></body></html>"
    file = SimpleUploadedFile("saved.html", guard)
    sent = client.post("/api/v1/uploads/", {"file": file, "list_name": "Films"}, format="multipart").json()
    work()
    told = client.get(f"/api/v1/uploads/{sent['id']}/").json()
    assert told["state"] == "refused"
    assert "Nothing was read. Export the list at imdb.com/exports and upload that file." in told["error"]
    assert not Entry.objects.exists()
