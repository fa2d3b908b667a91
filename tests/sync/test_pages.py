"""The pages of what comes in: files and their previews."""

import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from lists import services
from lists.models import Entry, MediaList, Proposal, Source
from sync import tasks, uploads
from sync.models import Run

FILMS = b"""Name,Year,Genre
Salt Harbour,2021,Drama
Nine Quiet Rooms,2023,Mystery
Kestrel Down,2018,Thriller
"""


def film(n: int, **more):
    return {"key": f"tt{n:07}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990 + n % 30, **more}


@pytest.fixture
def send(client, ines, work):
    """Upload a file on the pages and do the workers' part; returns its preview."""
    client.force_login(ines)

    def send(body: bytes, name: str = "films.csv", list_: MediaList | None = None, **more) -> Proposal:
        address = reverse("sync:upload", args=[list_.pk]) if list_ else reverse("sync:add")
        response = client.post(address, {"file": SimpleUploadedFile(name, body), **more})
        assert response.status_code == 302, response.content.decode()
        work()
        return Proposal.objects.latest("id")

    return send


def answers_of(html: str) -> dict[str, str]:
    """What the form "How it is read" would send if nobody changed it."""
    form = html[html.index('id="reading"') :]
    found = dict(re.findall(r'<input class="input" name="(encoding)"[^>]*value="([^"]*)"', form))
    for name, options in re.findall(r'<select[^>]*?name="([^"]+)".*?>(.*?)</select>', html, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        found[name] = chosen[1] if chosen else ""
    radio = re.search(r'name="source" value="([^"]+)" checked', html)
    return found | ({"source": radio[1]} if radio else {})


# -- a new list --------------------------------------------------------------------------------------------------------


@pytest.mark.covers("SRC-22")
def test_a_file_is_shown_before_anything_of_it_is_saved(client, page, send):
    proposal = send(FILMS)
    html = page("preview", proposal.pk)
    assert "Make the list with 3 films" in html
    for text in ("Salt Harbour", "Table (CSV)", "utf-8", "3 rows", "Nothing is saved yet"):
        assert text in html, text
    assert not MediaList.objects.exists()
    assert not Entry.objects.exists()


def test_confirming_makes_the_list_and_leads_to_its_run(client, page, send, work, titles):
    proposal = send(FILMS)
    response = client.post(
        reverse("sync:confirm", args=[proposal.pk]), {"list_name": "By the sea", "source_name": "Log"}
    )
    run = Run.objects.get()
    assert response.url == reverse("sync:run", args=[run.pk])
    waits = client.get(response.url).content.decode()
    assert "It waits for its turn" in waits
    assert reverse("sync:run_progress", args=[run.pk]) in waits
    assert client.get(reverse("sync:run_progress", args=[run.pk])).status_code == 200
    work()
    assert client.get(reverse("sync:run_progress", args=[run.pk])).status_code == 204
    html = page("run", run.pk)
    assert "This is version 1 of the list." in html
    assert "http-equiv" not in html
    list_ = MediaList.objects.get()
    assert (list_.name, list_.sources.get().name) == ("By the sea", "Log")
    assert titles(list_) == ["Salt Harbour", "Nine Quiet Rooms", "Kestrel Down"]


@pytest.mark.parametrize(("given", "called"), [({"list_name": "Sea"}, "Sea"), ({}, "harbour films")])
def test_a_new_list_is_called_as_somebody_said_or_after_its_file(client, page, send, work, given, called):
    proposal = send(FILMS, "harbour films.csv", **given)
    assert f'name="list_name" maxlength="200" value="{called}"' in page("preview", proposal.pk)


def test_a_page_waits_while_a_file_is_read(client, ines, page):
    proposal = uploads.start(FILMS, by=ines, filename="films.csv")
    html = page("preview", proposal.pk)
    assert f'data-poll="{reverse("sync:preview_progress", args=[proposal.pk])}"' in html
    assert '<noscript><meta http-equiv="refresh"' in html  # it goes on without script too
    assert client.get(reverse("sync:preview_progress", args=[proposal.pk])).status_code == 200
    assert "films.csv" in page("runs")  # and is found again
    tasks.prepare_upload(proposal.pk)
    assert client.get(reverse("sync:preview_progress", args=[proposal.pk])).status_code == 204


def test_what_does_not_come_in_is_named_with_its_reason(page, upload):
    body = [film(1), film(1), {"broken": "x"}, {"person": True}, {"person": True}]
    proposal = upload(None, body, confirm=False)
    html = page("preview", proposal.pk)
    for text in (
        "1 row that we cannot read", "It is broken.", "2 rows are nothing that a list holds", "2 × person",
        "1 row is listed twice", "Film 1", "5 rows",
    ):  # fmt: skip
        assert text in html, text


def test_a_preview_is_thrown_away(client, page, send):
    proposal = send(FILMS)
    response = client.post(reverse("sync:discard", args=[proposal.pk]), follow=True)
    assert "Nothing of it was in any list" in response.content.decode()
    assert "was thrown away" in page("preview", proposal.pk)
    assert not MediaList.objects.exists()


# -- files that cannot be taken ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "limit", "says"),
    [
        (b"", 64, "The file is empty. Nothing was read."),
        (b"x" * (1024 * 1024 + 1), 1, "The file is larger than 1 MiB. Nothing was read."),
        (None, 64, "Choose a file first. Nothing was read."),
    ],
)
def test_a_file_that_cannot_be_taken_leaves_nothing_behind(client, page, settings, monkeypatch, body, limit, says):
    settings.UPLOAD_LIMIT_MIB = limit
    if body:
        monkeypatch.setattr(SimpleUploadedFile, "read", lambda *_: pytest.fail("it was read into memory"))
    sent = {} if body is None else {"file": ("films.csv", body)}
    files = {name: SimpleUploadedFile(*parts) for name, parts in sent.items()}
    response = client.post(reverse("sync:add"), files) if not body else _post_multipart(client, body)
    assert says in response.content.decode()
    assert not Proposal.objects.exists()


def _post_multipart(client, body: bytes):
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="films.csv"\r\nContent-Type: text/csv\r\n\r\n'
    return client.generic(
        "POST", reverse("sync:add"), head + body + b"\r\n--b--\r\n", "multipart/form-data; boundary=b"
    )


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"\x00\x01\x02\x03 nothing", "This is not a text file"),
        (b"Dear Ines,\n\nthe films were fine.\n", "We do not recognise this file. Nothing was read."),
    ],
)
def test_a_file_that_nobody_understands_says_why_and_may_be_read_otherwise(client, page, send, body, says):
    proposal = send(body, "letter.txt")
    html = page("preview", proposal.pk)
    assert says in html
    assert "Make the list" not in html
    assert '<option value="csv_table"' in html
    assert client.post(reverse("sync:confirm", args=[proposal.pk])).status_code == 409


@pytest.mark.covers("SRC-07")
def test_a_table_without_a_title_is_mapped_by_a_person(client, page, send, work, titles):
    proposal = send(b"wert,jahr zahl\nSalt Harbour,2021\nHollow Moon,2025\n", "odd.csv")
    client.post(reverse("sync:read_again", args=[proposal.pk]), {"adapter": "csv_table", "encoding": ""})
    work()
    html = page("preview", proposal.pk)
    assert "No column holds a title or an id" in html
    assert "Salt Harbour" in html  # the columns are shown with an example
    answers = answers_of(html) | {"column-0": "title", "column-1": "year"}
    client.post(reverse("sync:read_again", args=[proposal.pk]), answers)
    work()
    assert "Make the list with 2 films" in page("preview", proposal.pk)
    client.post(reverse("sync:confirm", args=[proposal.pk]), {"list_name": "Odd"})
    work()
    assert titles(MediaList.objects.get()) == ["Salt Harbour", "Hollow Moon"]
    assert Entry.objects.get(title="Hollow Moon").year == 2025


def test_a_column_is_left_out_or_read_as_something_else(client, page, send, work):
    proposal = send(FILMS)
    answers = answers_of(page("preview", proposal.pk))
    assert [answers[f"column-{n}"] for n in range(3)] == ["title", "year", "genres"]
    client.post(reverse("sync:read_again", args=[proposal.pk]), answers | {"column-2": "note", "column-1": ""})
    work()
    proposal.refresh_from_db()
    assert [column["field"] for column in proposal.result["columns"]] == ["title", None, "note"]
    assert "year" not in proposal.result["added"][0]


def test_letters_that_look_wrong_are_read_in_another_encoding(client, page, send, work):
    proposal = send("Name,Year\nНочной поезд,2021\n".encode("cp1251"), "films.csv")
    answers = answers_of(page("preview", proposal.pk)) | {"encoding": "cp1251"}
    client.post(reverse("sync:read_again", args=[proposal.pk]), answers)
    work()
    html = page("preview", proposal.pk)
    assert "Ночной поезд" in html
    assert "in cp1251" in html


@pytest.mark.parametrize("wrong", [{"adapter": "no"}, {"column-0": "no"}, {"source": "4711"}, {"kind": "car"}])
def test_choices_that_do_not_exist_change_nothing(client, page, films, upload, send, wrong):
    upload(films, FILMS, adapter="csv_table")
    proposal = send(FILMS, list_=films)
    before = proposal.result
    answers = answers_of(page("preview", proposal.pk)) | wrong
    response = client.post(reverse("sync:read_again", args=[proposal.pk]), answers, follow=True)
    assert "Nothing was read again" in response.content.decode()
    proposal.refresh_from_db()
    assert (proposal.state, proposal.result) == (Proposal.State.OPEN, before)


# -- a newer file for a list -------------------------------------------------------------------------------------------


@pytest.mark.covers("SRC-22")
def test_a_newer_file_shows_what_would_come_change_and_leave(client, page, films, upload, work, titles):
    upload(films, [film(1), film(2), film(3)])
    proposal = upload(films, [film(4), film(1, rating=8.0), film(2)], confirm=False)
    html = page("preview", proposal.pk)
    assert "Bring in 1 film, change 1, let 1 go" in html
    assert re.findall(r'class="diff-row (\w+)"', html) == ["add", "del", "alt"]
    assert "nothing before <ins>8.0</ins>" in html
    assert titles(films) == ["Film 1", "Film 2", "Film 3"]
    client.post(reverse("sync:confirm", args=[proposal.pk]))
    work()
    assert titles(films) == ["Film 4", "Film 1", "Film 2"]


def test_a_file_that_changes_nothing_says_so(page, client, films, upload, work):
    upload(films, [film(1)])
    proposal = upload(films, [film(1)], confirm=False)
    html = page("preview", proposal.pk)
    assert "The list has all of this already." in html
    assert "Bring it in; nothing changes" in html
    client.post(reverse("sync:confirm", args=[proposal.pk]))
    work()
    assert "no version was made" in page("run", Run.objects.latest("id").pk)


def test_a_person_says_whether_a_file_renews_a_source(client, page, films, upload, work, titles):
    upload(films, [film(1), film(2)], name="first.csv")
    proposal = upload(films, [film(2), film(3)], confirm=False)
    html = page("preview", proposal.pk)
    source = Source.objects.get()
    assert f'name="source" value="{source.pk}" checked' in html
    assert "It has 50 % of the same entries" in html
    assert "let 1 go" in html
    client.post(reverse("sync:read_again", args=[proposal.pk]), answers_of(html) | {"source": "new"})
    work()
    html = page("preview", proposal.pk)
    assert 'name="source" value="new" checked' in html
    assert "let 1 go" not in html
    client.post(reverse("sync:confirm", args=[proposal.pk]), {"source_name": "Second"})
    work()
    assert sorted(titles(films)) == ["Film 1", "Film 2", "Film 3"]
    assert list(films.sources.order_by("id").values_list("name", flat=True)) == ["first.csv", "Second"]


# -- previews that are not open any more -------------------------------------------------------------------------------


def test_a_preview_is_confirmed_once(client, page, send):
    proposal = send(FILMS)
    address = reverse("sync:confirm", args=[proposal.pk])
    assert client.post(address).status_code == 302
    second = client.post(address)
    assert second.status_code == 409
    assert "not open any more" in second.content.decode()
    assert Run.objects.count() == 1
    assert reverse("sync:run", args=[Run.objects.get().pk]) in page("preview", proposal.pk)


@pytest.mark.parametrize("act", ["confirm", "discard", "read_again"])
def test_a_preview_that_has_lapsed_says_so(client, page, send, act):
    proposal = send(FILMS)
    Proposal.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    response = client.post(reverse(f"sync:{act}", args=[proposal.pk]), {"adapter": proposal.adapter})
    assert response.status_code == 409
    assert "This preview has lapsed. Nothing was changed." in response.content.decode()
    assert "This preview has lapsed" in page("preview", proposal.pk)
    assert not MediaList.objects.exists()


def test_a_file_for_a_list_in_the_bin_is_not_brought_in(client, page, films, ines, upload):
    proposal = upload(films, [film(1)], confirm=False)
    services.bin_list(films, by=ines)
    response = client.post(reverse("sync:confirm", args=[proposal.pk]))
    assert response.status_code == 409
    assert "lies in the bin" in response.content.decode()
    assert not Run.objects.exists()


# -- who may see and decide --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["upload", "list_runs"])
def test_a_list_of_somebody_else_takes_no_file(client, films, jonas, name):
    client.force_login(jonas)
    assert client.get(reverse(f"sync:{name}", args=[films.pk])).status_code == 404


def test_a_preview_is_for_those_who_may_see_its_list(client, films, jonas, upload):
    mine, theirs = upload(None, [film(1)], confirm=False), upload(films, [film(1)], confirm=False)
    client.force_login(jonas)
    for proposal in (mine, theirs):
        assert client.get(reverse("sync:preview", args=[proposal.pk])).status_code == 404
        assert client.post(reverse("sync:confirm", args=[proposal.pk])).status_code == 404
    services.share_list(films, user=jonas, role="viewer", by=films.owner)
    seen = client.get(reverse("sync:preview", args=[theirs.pk])).content.decode()
    assert "You may look at this preview" in seen
    assert "<button" not in seen[seen.index('id="main"') :]
    for act in ("confirm", "discard", "read_again"):
        assert client.post(reverse(f"sync:{act}", args=[theirs.pk])).status_code == 403
    assert client.get(reverse("sync:upload", args=[films.pk])).status_code == 403
    theirs.refresh_from_db()
    assert theirs.state == Proposal.State.OPEN


def test_who_lost_the_list_lost_the_preview_too(client, films, jonas, upload):
    membership = services.share_list(films, user=jonas, role="editor", by=films.owner)
    proposal = upload(films, [film(1)], by=jonas, confirm=False)
    membership.delete()
    client.force_login(jonas)
    assert client.get(reverse("sync:preview", args=[proposal.pk])).status_code == 404
