"""Runs and uploads by the API."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from rest_framework.test import APIClient

from lists.models import Entry, Item, MediaList, Proposal, Version
from sync import tasks, uploads
from sync.models import Run
from tests.states import in_state


def film(n, **more):
    return {"key": f"tt{n:07}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990 + n % 30, **more}


def api(user) -> APIClient:
    client = APIClient()
    client.force_login(user)
    return client


def rows_file(rows, name="rows.json") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, rows if isinstance(rows, bytes) else json.dumps(rows).encode())


@pytest.fixture
def mine(ines) -> APIClient:
    return api(ines)


@pytest.fixture
def send(mine, work):
    """Upload by the API and let a worker read it; returns the preview as the API shows it."""

    def send(rows, **fields):
        answer = mine.post("/api/v1/uploads/", {"file": rows_file(rows), **fields}, format="multipart")
        assert answer.status_code == 202, answer.json()
        assert answer.json()["state"] == "reading"
        work()
        return mine.get(f"/api/v1/uploads/{answer.json()['id']}/").json()

    return send


# -- uploads ---------------------------------------------------------------------------------------------------------


@pytest.mark.covers("SRC-22")
def test_a_preview_says_what_would_happen_and_nothing_has(send):
    shown = send([film(1), film(2), {"broken": "x"}], adapter="scripted", list_name="New films")
    assert (shown["state"], shown["list"], shown["list_name"]) == ("open", None, "New films")
    assert shown["result"]["counts"]["added"] == 2
    assert {row["title"] for row in shown["result"]["added"]} == {"Film 1", "Film 2"}
    assert shown["result"]["problems"][0]["line"] == 3
    assert (MediaList.objects.count(), Item.objects.count(), Run.objects.count()) == (0, 0, 0)


def test_an_upload_is_confirmed_and_followed_to_its_end(mine, send, work):
    upload = send([film(1), film(2)], adapter="scripted")
    answer = mine.post(f"/api/v1/uploads/{upload['id']}/confirm/", {"list_name": "Called so", "source_name": "Mine"})
    assert answer.status_code == 202
    address = f"/api/v1/runs/{answer.json()['run']}/"
    assert mine.get(address).json()["state"] == "queued"
    work()
    run = mine.get(address).json()
    assert (run["state"], run["added"], run["version"], run["progress"]) == ("completed", 2, 1, 100)
    assert run["details"]["problems"] == []
    shown = mine.get(f"/api/v1/lists/{run['list']}/").json()
    assert (shown["name"], shown["item_count"], shown["version"]) == ("Called so", 2, 1)
    assert mine.get(f"/api/v1/lists/{run['list']}/sources/").json()["results"][0]["name"] == "Mine"

    again = mine.post(f"/api/v1/uploads/{upload['id']}/confirm/")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "not_open")
    assert Run.objects.count() == 1


def test_a_file_renews_the_source_of_its_list_or_becomes_another(mine, films, upload, send, work):
    upload(films, [film(1), film(2)])
    shown = send([film(1), film(2), film(3)], adapter="scripted", list=films.pk)
    source = films.sources.get().pk
    assert [offer["source"] for offer in shown["result"]["sources"]] == [source]
    address = f"/api/v1/uploads/{shown['id']}/"
    assert mine.post(f"{address}read-again/", {"source": None}).json()["state"] == "reading"
    work()
    mine.post(f"{address}confirm/")
    work()
    assert films.sources.count() == 2


def test_a_file_is_read_again_as_another_format(mine, send, work):
    shown = send(b"Title,Year\nHeat,1995\n", adapter="scripted")
    assert (shown["state"], shown["error"]) == ("refused", "This is not JSON.")
    address = f"/api/v1/uploads/{shown['id']}/"
    assert mine.post(f"{address}confirm/").status_code == 409
    answer = mine.post(f"{address}read-again/", {"adapter": "csv_table", "config": {"kind": "show"}})
    assert (answer.status_code, answer.json()["state"]) == (202, "reading")
    work()
    shown = mine.get(address).json()
    assert (shown["state"], shown["config"]) == ("open", {"kind": "show"})
    assert shown["result"]["counts"]["added"] == 1


def test_a_discarded_file_is_gone(mine, send):
    shown = send([film(1)], adapter="scripted")
    address = f"/api/v1/uploads/{shown['id']}/"
    assert mine.post(f"{address}discard/").json()["state"] == "withdrawn"
    assert Proposal.objects.get().body is None
    assert mine.post(f"{address}discard/").status_code == 409
    assert mine.post(f"{address}read-again/", {"adapter": "scripted"}).status_code == 409


def test_a_list_in_the_bin_takes_no_upload(mine, films, send):
    shown = send([film(1)], adapter="scripted", list=films.pk)
    mine.delete(f"/api/v1/lists/{films.pk}/")
    answer = mine.post(f"/api/v1/uploads/{shown['id']}/confirm/")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "in_the_bin")
    answer = mine.post("/api/v1/uploads/", {"file": rows_file([]), "list": films.pk}, format="multipart")
    assert answer.status_code == 404


@pytest.mark.covers("LIST-02")
@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({}, "file"),
        ({"file": rows_file(b"")}, "file"),
        ({"file": "no file"}, "file"),
        ({"adapter": "nope"}, "adapter"),
        ({"config": "{"}, "config"),
        ({"config": "[]"}, "config"),
        ({"config": "[" * 100_000}, "config"),
        ({"config": '{"a": "\\u0000"}'}, "config"),
        ({"config": '{"source": 1}'}, "config"),
        ({"config": '{"kind": "boat"}', "adapter": "csv_table"}, "config"),
        ({"config": json.dumps({"encoding": "x" * 30_000})}, "config"),
        ({"list": "abc"}, "list"),
        ({"list_name": "x" * 201}, "list_name"),
        ({"list_name": "a\x00b"}, "list_name"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_upload_says_what_is_wrong_and_keeps_nothing(mine, fields, wrong):
    fields = {"file": rows_file([]), **fields} if fields else {}
    answer = mine.post("/api/v1/uploads/", fields, format="multipart")
    assert answer.status_code == 400
    assert list(answer.json()["error"]["fields"]) == [wrong]
    assert not Proposal.objects.exists()


def test_a_source_of_another_list_is_not_renewed(mine, films, upload, ines, send):
    other = upload(None, [film(1)]).source_id
    for fields in ({"list": films.pk}, {}):
        shown = send([film(1)], adapter="scripted", **fields)
        answer = mine.post(f"/api/v1/uploads/{shown['id']}/read-again/", {"source": other})
        assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, ["source"])


def test_a_file_that_is_too_large_is_refused_before_it_is_read(mine, settings, monkeypatch):
    settings.UPLOAD_LIMIT_MIB = 1
    monkeypatch.setattr(uploads, "start", lambda *a, **k: pytest.fail("it was read"))
    answer = mine.post("/api/v1/uploads/", {"file": rows_file(b"x" * 1_200_000)}, format="multipart")
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    assert "1 MiB" in answer.json()["error"]["message"]


def test_a_file_a_little_above_the_limit_is_refused_too(mine, settings):
    settings.UPLOAD_LIMIT_MIB = 1
    answer = mine.post("/api/v1/uploads/", {"file": rows_file(b"x" * (1024 * 1024 + 1))}, format="multipart")
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    assert not Proposal.objects.exists()


# -- runs ------------------------------------------------------------------------------------------------------------


@pytest.mark.covers("HIST-01")
def test_a_run_counts_what_it_did(mine, films, upload):
    upload(films, [film(n) for n in range(1, 11)])
    run = upload(films, [*(film(n) for n in range(1, 8)), film(8, rating=9.0), film(11), film(11), {"broken": "tt0000009"},
                         {"person": True}])  # fmt: skip
    shown = mine.get(f"/api/v1/runs/{run.pk}/").json()
    counts = {name: shown[name] for name in ("added", "updated", "removed", "unchanged", "duplicates", "skipped")}
    assert counts == {"added": 1, "updated": 1, "removed": 1, "unchanged": 7, "duplicates": 1, "skipped": 1}
    assert (shown["not_taken"], shown["excluded"], shown["conflicted"], shown["held"]) == (1, 0, 0, 0)
    assert (shown["state"], shown["outcome"], shown["version"]) == ("partial", "partial", 2)
    assert (shown["requested_by"], shown["kind"]) == ("ines", "upload")
    assert shown["created_at"] <= shown["started_at"] <= shown["finished_at"]
    assert shown["duration_ms"] >= 0
    assert shown["details"]["problems"][0]["line"] == 11
    assert set(shown["details"]["timings_s"]) >= {"Reading", "Comparing"}


@pytest.mark.covers("HIST-01", "HIST-02")
def test_a_run_that_failed_says_why(mine, films, upload, send, work):
    upload(films, [film(1)])
    shown = send([film(2)], adapter="scripted", list=films.pk)
    run = mine.post(f"/api/v1/uploads/{shown['id']}/confirm/").json()["run"]
    Proposal.objects.filter(pk=shown["id"]).update(body=None)  # the file got lost meanwhile
    tasks.execute_run(run)
    shown = mine.get(f"/api/v1/runs/{run}/").json()
    assert (shown["state"], shown["version"]) == ("failed", None)
    assert shown["error"] == "The uploaded file is not there any more. Nothing was changed. Upload it again."
    assert Entry.objects.listed().count() == 1


@pytest.mark.covers("HIST-02", "HIST-03")
def test_runs_are_filtered_by_list_state_and_date_and_paged(mine, films, upload):
    runs = [upload(films, [film(n) for n in range(1, last)]) for last in (2, 3, 4, 5)]
    other = upload(None, [film(1)])
    states = ["completed", "partial", "failed", "cancelled", "running"]
    for day, (run, state) in enumerate(zip([*runs, other], states, strict=True), 1):
        Run.objects.filter(pk=run.pk).update(**in_state(state), created_at=f"2024-03-0{day}T12:00:00Z")

    def found(**query):
        return [row["id"] for row in mine.get("/api/v1/runs/", query).json()["results"]]

    newest_first = [run.pk for run in reversed([*runs, other])]
    assert found() == newest_first
    assert found(list=films.pk) == newest_first[1:]
    for run, state in zip([*runs, other], states, strict=True):
        assert found(state=state) == [run.pk]
    assert found(**{"from": "2024-03-02", "to": "2024-03-03"}) == [runs[2].pk, runs[1].pk]
    assert found(to="2024-03-02T11:59:59Z") == [runs[0].pk]
    assert found(list=films.pk, state="running") == []

    pages, after = [], ""
    while after is not None:
        answer = mine.get("/api/v1/runs/", {"limit": 2, "after": after}).json()
        pages.append([row["id"] for row in answer["results"]])
        after = answer["next"]
    assert pages == [newest_first[:2], newest_first[2:4], newest_first[4:]]


@pytest.mark.covers("OPS-12")
def test_a_page_of_runs_takes_as_many_queries_for_200_as_for_2(mine, films, upload, django_assert_max_num_queries):
    run = upload(films, [film(1)])
    Run.objects.bulk_create([
        Run(list=films, source_id=run.source_id, kind="manual", **in_state("completed"), version=run.version)
        for _ in range(200)
    ])  # fmt: skip
    with django_assert_max_num_queries(3):
        assert len(mine.get("/api/v1/runs/?limit=1000").json()["results"]) == 201


def test_a_version_stays_what_it_is_when_an_upload_follows(mine, films, upload):
    upload(films, [film(1)])
    before = mine.get(f"/api/v1/lists/{films.pk}/versions/1/").json()
    upload(films, [film(2)])
    after = mine.get(f"/api/v1/lists/{films.pk}/versions/1/").json()
    assert (before.pop("is_current"), after.pop("is_current")) == (True, False)
    assert before == after
    assert Version.objects.count() == 2
    assert before["created_at"] < timezone.now().isoformat()
