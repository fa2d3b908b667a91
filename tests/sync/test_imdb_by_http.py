"""IMDb's exports of all ages, sent as a program sends them and followed to the list."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from lists.models import Entry

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
    assert list(first.claims.values_list("position", "key")) == [(1, "tt0000011")]
    shown = client.get(f"/api/v1/lists/{first.list_id}/entries/{first.pk}/").json()
    assert shown["ids"] == {"imdb": "tt0000011"} or {"namespace": "imdb", "value": "tt0000011"} in shown["ids"]
