"""An account's archive: several lists in one file, taken one by one."""

import io
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.urls import reverse
from rest_framework.test import APIClient

from lists.models import MediaList, Proposal

FILMS = "Title,Year\nSalt Harbour,2021\nNight Ferry,1998\n"
OTHERS = "Title,Year\nThe Lantern,1954\n"


def packed(**files: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/") + ".csv", content)
    return out.getvalue()


@pytest.fixture
def handed_in(client, ines, work):
    """handed_in(body): the preview of a file that Ines uploaded on the page."""
    client.force_login(ines)

    def handed_in(body: bytes, list_: MediaList | None = None) -> Proposal:
        address = reverse("sync:upload", args=[list_.pk]) if list_ else reverse("sync:add")
        answer = client.post(address, {"file": SimpleUploadedFile("account.zip", body)})
        assert answer.status_code == 302, answer.content
        work()
        return Proposal.objects.get(pk=answer.url.strip("/").split("/")[-1])

    return handed_in


def confirm(client, work, proposal: Proposal) -> MediaList:
    client.post(reverse("sync:confirm", args=[proposal.pk]))
    work()
    proposal.refresh_from_db()
    return proposal.list


@pytest.mark.covers("SRC-23")
def test_the_watchlist_of_an_archive_is_read_first_and_the_others_are_offered(client, handed_in, work, titles):
    proposal = handed_in(packed(profile="a,b\n", lists__best=OTHERS, watchlist=FILMS))
    assert proposal.state == Proposal.State.OPEN, proposal.error
    assert proposal.config["part"] == "watchlist.csv"
    page = client.get(reverse("sync:preview", args=[proposal.pk])).content.decode()
    assert "lists/best.csv" in page
    assert sorted(titles(confirm(client, work, proposal))) == ["Night Ferry", "Salt Harbour"]


def test_another_list_of_the_archive_can_be_read_in_its_place(client, handed_in, work, titles):
    proposal = handed_in(packed(lists__best=OTHERS, watchlist=FILMS))
    form = {"adapter": proposal.adapter, "encoding": "", "part": "lists/best.csv"}
    client.post(reverse("sync:read_again", args=[proposal.pk]), form)
    work()
    proposal.refresh_from_db()
    assert (proposal.state, proposal.config["part"]) == (Proposal.State.OPEN, "lists/best.csv")
    assert titles(confirm(client, work, proposal)) == ["The Lantern"]


def test_the_others_become_lists_of_their_own(client, handed_in, work, titles):
    proposal = handed_in(packed(lists__best=OTHERS, watchlist=FILMS))
    answer = client.post(reverse("sync:take_parts", args=[proposal.pk]), {"part": ["lists/best.csv"]}, follow=True)
    assert "1 more list is being read" in answer.content.decode()
    work()
    other = Proposal.objects.latest("pk")
    assert (other.filename, other.list_name, other.state) == ("lists/best.csv", "best", Proposal.State.OPEN)
    assert MediaList.objects.count() == 0
    assert titles(confirm(client, work, other)) == ["The Lantern"]


def test_a_newer_archive_renews_the_same_list(client, handed_in, work, titles):
    proposal = handed_in(packed(lists__best=OTHERS, watchlist=FILMS))
    client.post(reverse("sync:read_again", args=[proposal.pk]), {"adapter": proposal.adapter, "part": "lists/best.csv"})
    work()
    list_ = confirm(client, work, proposal)
    newer = handed_in(packed(lists__best=OTHERS + "Low Tide,1961\n", watchlist=FILMS), list_)
    assert newer.config["part"] == "lists/best.csv"
    assert newer.source == list_.sources.get(role="feed")
    confirm(client, work, newer)
    assert sorted(titles(list_)) == ["Low Tide", "The Lantern"]


def test_programs_take_the_parts_by_the_api(ines, work):
    client = APIClient()
    client.force_authenticate(ines)
    file = SimpleUploadedFile("account.zip", packed(lists__best=OTHERS, watchlist=FILMS))
    made = client.post("/api/v1/uploads/", {"file": file}, format="multipart").json()
    work()
    shown = client.get(f"/api/v1/uploads/{made['id']}/").json()
    assert [part["name"] for part in shown["result"]["parts"]] == ["watchlist.csv", "lists/best.csv"]
    answer = client.post(f"/api/v1/uploads/{made['id']}/parts/", {"parts": ["lists/best.csv"]}, format="json")
    assert answer.status_code == 202, answer.content
    assert [row["filename"] for row in answer.json()] == ["lists/best.csv"]
    answer = client.post(f"/api/v1/uploads/{made['id']}/parts/", {"parts": ["nothing.csv"]}, format="json")
    assert answer.status_code == 400


def test_who_lets_files_wait_without_end_is_told_to_decide(ines, settings, work):
    settings.UPLOAD_QUOTA_MIB = 0
    client = APIClient()
    client.force_authenticate(ines)
    for expected in (202, 413):
        file = SimpleUploadedFile("films.csv", FILMS.encode())
        answer = client.post("/api/v1/uploads/", {"file": file}, format="multipart")
        assert answer.status_code == expected, answer.content
    assert "throw away" in answer.content.decode()


def test_a_file_that_waits_is_not_readable_in_the_database(ines, work, connection_rows):
    client = APIClient()
    client.force_authenticate(ines)
    file = SimpleUploadedFile("films.csv", FILMS.encode())
    client.post("/api/v1/uploads/", {"file": file}, format="multipart")
    (stored,) = connection_rows("SELECT body FROM lists_proposal")
    assert bytes(stored[0]).startswith(b"gAAAA")
    work()
    assert Proposal.objects.get().state == Proposal.State.OPEN


@pytest.fixture
def connection_rows(db):

    def rows(sql: str) -> list[tuple]:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    return rows
