"""Sources that are fetched: defined by API and admin, planned on the list's page, seen as they stand, asked for by command."""

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from lists import credentials
from lists.models import Audit, Source
from sync import runs
from sync.models import Run
from sync.schedule import dispatch
from tests.admin_forms import page as admin_page
from tests.admin_forms import submit, told
from tests.lists.test_api import api


def film(n: int, **more):
    return {"key": f"tt{n:07}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990 + n % 30, **more}


@pytest.fixture
def answer(tmp_path):
    path = tmp_path / "answer.json"
    path.write_text(json.dumps([film(1), film(2)]))
    return str(path)


@pytest.fixture
def mine(ines):
    return api(ines)


# -- definitions -----------------------------------------------------------------------------------------------------


@pytest.mark.covers("LIST-01")
def test_a_list_is_defined_with_what_feeds_it_and_read(mine, answer, work, titles, films):
    made = mine.post("/api/v1/lists/", {"name": "Charts", "tags": ["weekly"]}).json()
    sources = f"/api/v1/lists/{made['id']}/sources/"
    body = {"adapter": "scripted_live", "config": {"path": answer}, "address": "https://ada:secret@films.example/list"}
    created = mine.post(sources, body)
    assert created.status_code == 201, created.content
    source = mine.get(f"{sources}{created.json()['id']}/").json()
    assert source == created.json()
    assert {
        name: source[name] for name in ("name", "enabled", "sync_enabled", "interval_min", "gap_min", "mode", "role")
    } == {
        "name": "Scripted source", "enabled": True, "sync_enabled": True, "interval_min": 360, "gap_min": 15,
        "mode": "complete", "role": "feed",
    }  # fmt: skip
    assert source["config"] == {"path": answer}
    assert (source["address"].endswith("films.example/list"), "secret" in json.dumps(source)) == (True, False)
    stored = Source.objects.get()
    assert stored.address == "https://{username}:{password}@films.example/list", "its login lies in an account"
    assert credentials.fill(stored.address, stored.account.opened) == body["address"], "whole, for who reads it"
    assert dispatch().due == 1
    work()
    assert titles(made["id"]) == ["Film 1", "Film 2"]


def test_everything_of_a_definition_can_be_said_at_once_and_changed(mine, films, answer):
    body = {
        "adapter": "scripted_live", "name": "Mine", "address": answer, "enabled": False, "sync_enabled": False,
        "interval_min": 1440, "gap_min": 0, "mode": "collecting", "grace": 2, "priority": 7,
    }  # fmt: skip
    source = mine.post(f"/api/v1/lists/{films.pk}/sources/", body).json()
    assert {name: source[name] for name in body} == body
    assert dispatch().due == 0
    address = f"/api/v1/lists/{films.pk}/sources/{source['id']}/"
    changed = mine.patch(address, {"enabled": True, "sync_enabled": True, "interval_min": 60}).json()
    assert (changed["enabled"], changed["interval_min"]) == (True, 60)
    assert dispatch().due == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "adapter"),
        ({"adapter": "csv_table"}, "adapter"),
        ({"adapter": "nothing"}, "adapter"),
        ({"adapter": "scripted_live", "interval_min": 0}, "interval_min"),
        ({"adapter": "scripted_live", "colour": "red"}, "colour"),
        ({"adapter": "scripted_live", "config": {"colour": "red"}}, None),
    ],
)
def test_what_makes_no_sense_defines_nothing(mine, films, body, field):
    refused = mine.post(f"/api/v1/lists/{films.pk}/sources/", body)
    assert refused.status_code == 400
    assert field is None or field in refused.json()["error"]["fields"]
    assert not Source.objects.exists()


@pytest.mark.covers("LIST-01")
def test_staff_define_a_source_in_the_admin(staff, films, answer, work, titles):
    desk = Client()
    desk.force_login(staff)
    kind = {"list": films.pk, "adapter": "scripted_live", "name": "Live", "address": answer, "interval_min": 90}
    said = told(submit(desk, admin_page(Source, "add"), **kind, config=json.dumps({"colour": "red"})))
    assert not Source.objects.exists()
    said = told(submit(desk, admin_page(Source, "add"), **kind))
    source = Source.objects.get()
    assert said == "Live feeds Films to watch now. A worker reads it soon."
    assert (source.interval_min, source.gap_min, source.enabled, source.address) == (90, 15, True, answer)
    assert Audit.objects.get(action="added source").actor == staff
    dispatch()
    work()
    assert titles(films) == ["Film 1", "Film 2"]


# -- when it is read -------------------------------------------------------------------------------------------------


def test_the_api_sets_the_schedule_of_all_sources_at_once(mine, films, live, upload):
    upload(films, [film(1)])
    pks = {live(films, name).pk for name in ("one", "two")}
    address = f"/api/v1/lists/{films.pk}/schedule/"
    changed = mine.patch(address, {"interval_min": 60, "gap_min": 5, "sync_enabled": False}).json()
    assert {row["id"] for row in changed} == pks
    assert {(row["interval_min"], row["gap_min"], row["sync_enabled"]) for row in changed} == {(60, 5, False)}
    assert Source.objects.exclude(pk__in=pks).get().interval_min == 360, "a file is not read on a schedule"
    assert dispatch().due == 0
    assert mine.patch(address, {"priority": 1}).status_code == 400


def test_a_list_of_files_has_no_schedule(mine, films, upload, page, client):
    upload(films, [film(1)])
    refused = mine.patch(f"/api/v1/lists/{films.pk}/schedule/", {"interval_min": 60})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "nothing_to_fetch")
    assert "When it is read" not in client.get(reverse("lists:settings", args=[films.pk])).content.decode()


def test_the_pages_set_the_schedule_of_one_source_or_of_all(client, ines, films, live):
    one, two = live(films, "one"), live(films, "two")
    client.force_login(ines)
    html = client.get(reverse("lists:settings", args=[films.pk])).content.decode()
    assert "every 6 h" in html
    to_all = reverse("sync:schedule_list", args=[films.pk])
    assert to_all in html
    body = {"interval_min": "120", "gap_min": "0", "sync_enabled": "on"}
    assert "Saved for 2 sources." in client.post(to_all, body, follow=True).content.decode()
    html = client.get(reverse("lists:source", args=[films.pk, two.pk])).content.decode()
    to_one = reverse("sync:schedule_source", args=[films.pk, two.pk])
    assert to_one in html
    assert "Saved." in client.post(to_one, {"interval_min": "30", "gap_min": "1"}, follow=True).content.decode()
    wrong = client.post(to_one, {"interval_min": "0", "gap_min": "1"}, follow=True).content.decode()
    assert "Nothing was saved." in wrong
    one.refresh_from_db()
    two.refresh_from_db()
    assert (one.interval_min, one.gap_min, one.sync_enabled) == (120, 0, True)
    assert (two.interval_min, two.gap_min, two.sync_enabled) == (30, 1, False)


# -- asking for it ---------------------------------------------------------------------------------------------------


@pytest.mark.covers("SYNC-06")
def test_within_its_gap_a_source_is_left_alone_unless_forced(mine, films, live):
    source = live(films)
    source.sync([film(1)])
    Source.objects.filter(pk=source.pk).update(gap_min=15)
    source.refresh_from_db()
    address = f"/api/v1/lists/{films.pk}/sources/{source.pk}/sync/"
    skipped = mine.post(address)
    assert (skipped.status_code, skipped.json()["runs"]) == (200, [])
    until = skipped.json()["skipped"][0]["until"]
    assert until[:19] == (source.last_run_at + timedelta(minutes=15)).isoformat()[:19]
    forced = mine.post(address, {"force": True, "priority": 9})
    assert forced.status_code == 202
    run = Run.objects.get(pk=forced.json()["runs"][0])
    assert (run.state, run.priority, run.kind) == ("queued", 9, "manual")


@pytest.mark.covers("SYNC-07")
def test_asking_twice_answers_with_the_run_and_is_no_failure(mine, films, live):
    source = live(films)
    address = f"/api/v1/lists/{films.pk}/sources/{source.pk}/sync/"
    (pk,) = mine.post(address).json()["runs"]
    assert runs.claim()
    again = mine.post(address, {"force": True})
    assert (again.status_code, again.json()["error"]["code"], again.json()["error"]["run"]) == (409, "busy", pk)
    source.refresh_from_db()
    assert source.failures == 0
    assert Run.objects.count() == 1


def test_the_page_forces_it_too(client, ines, films, live):
    source = live(films)
    source.sync([film(1)])
    Source.objects.filter(pk=source.pk).update(gap_min=15)
    client.force_login(ines)
    address = reverse("sync:sync_source", args=[films.pk, source.pk])
    client.post(address)
    assert not Run.objects.active().exists()
    client.post(address, {"force": "yes"})
    assert Run.objects.active().count() == 1


@pytest.mark.covers("SYNC-05")
def test_a_command_asks_for_a_list_or_a_source(films, live, capsys, work, titles):
    one, two = live(films, "one"), live(films, "two")
    for n, source in enumerate((one, two), 1):
        with open(source.config["path"], "w") as file:
            json.dump([film(n)], file)
    call_command("sync", str(films.pk))
    assert capsys.readouterr().out.count("is queued") == 2
    call_command("sync", "--source", str(one.pk))
    assert "is being read already (run " in capsys.readouterr().out
    work()
    assert sorted(titles(films)) == ["Film 1", "Film 2"]
    Source.objects.update(gap_min=15)
    call_command("sync", "--source", str(one.pk), "--wait")
    assert "nothing was fetched" in capsys.readouterr().out
    assert not Run.objects.active().exists()
    call_command("sync", "--source", str(one.pk), "--force")
    assert "is queued" in capsys.readouterr().out


@pytest.mark.covers("SYNC-05")
def test_a_source_that_is_not_read_keeps_no_other_from_it(films, live, capsys, ines):
    one, two = live(films, "one"), live(films, "two")
    Source.objects.filter(pk=one.pk).update(paused="Sign in again.")
    mine = api(ines)
    answer = mine.post(f"/api/v1/lists/{films.pk}/sync/")
    assert answer.status_code == 202
    (run,) = answer.json()["runs"]
    assert Run.objects.get(pk=run).source == two
    assert answer.json()["refused"] == [{"source": one.pk, "message": "one is not read. Sign in again."}]
    with pytest.raises(CommandError, match="1 of 2 cannot be read now"):
        call_command("sync", str(films.pk))
    said = capsys.readouterr().out
    assert "one is not read. Sign in again." in said
    assert f"two is being read already (run {run})." in said
    Run.objects.all().delete()
    Source.objects.filter(pk=two.pk).update(paused="Sign in again.")
    assert mine.post(f"/api/v1/lists/{films.pk}/sync/").json()["error"]["message"] == "one is not read. Sign in again."
    with pytest.raises(CommandError, match=r"2 of 2 cannot be read now\. one is not read"):
        call_command("sync", str(films.pk))


def test_the_command_waits_for_the_end_and_says_how_it_was(films, live, capsys, work, monkeypatch):
    source = live(films)
    monkeypatch.setattr("sync.management.commands.sync.time.sleep", lambda seconds: work())
    with open(source.config["path"], "w") as file:
        json.dump([film(1)], file)
    call_command("sync", str(films.pk), "--wait")
    assert "Completed. 1 read: 1 came, 0 changed, 0 left." in capsys.readouterr().out
    with open(source.config["path"], "w") as file:
        json.dump({"fail": "It did not answer."}, file)
    with pytest.raises(CommandError, match="1 of 1 did not end well"):
        call_command("sync", str(films.pk), "--wait", "--force")
    assert "It did not answer." in capsys.readouterr().out
    for wrong in (["99999"], ["--source", "99999"]):
        with pytest.raises(CommandError, match="Nothing was read"):
            call_command("sync", *wrong)


# -- how it stands ---------------------------------------------------------------------------------------------------


@pytest.fixture
def of_all_kinds(films, live, ines):
    """name -> source, one that stands in each way."""
    names = ("planned", "queued", "running", "waiting", "off", "failing", "paused")
    found = {name: live(films, name) for name in names}
    for name, details in (
        ("off", {"enabled": False}),
        ("paused", {"sync_enabled": False}),
        ("failing", {"failures": 4}),
    ):
        Source.objects.filter(pk=found[name].pk).update(**details)
    for name in ("running", "queued", "waiting"):
        runs.request_sync(found[name], by=ines)
    runs.claim()
    Run.objects.filter(source=found["waiting"]).update(
        kind="retry", state="waiting", attempt=2, next_attempt_at=timezone.now() + timedelta(seconds=90)
    )
    return found


@pytest.mark.covers("SYNC-17")
def test_how_every_source_stands(mine, of_all_kinds, django_assert_max_num_queries):
    with django_assert_max_num_queries(8):
        rows = {row["name"]: row for row in mine.get("/api/v1/syncs/").json()["results"]}
    assert {name: row["state"] for name, row in rows.items()} == {name: name for name in of_all_kinds}
    run = Run.objects.get(state="running")
    assert (rows["running"]["run"], rows["running"]["attempt"]) == (run.pk, 1)
    assert rows["running"]["running_since"][:19] == run.started_at.isoformat()[:19]
    assert rows["waiting"]["retry_at"] is not None
    assert (rows["waiting"]["attempt"], rows["failing"]["failures"]) == (2, 4)
    assert rows["queued"]["next_sync_at"] is not None
    assert rows["planned"]["run"] is None
    for state in of_all_kinds:
        assert [row["name"] for row in mine.get(f"/api/v1/syncs/?state={state}").json()["results"]] == [state]
    first = mine.get("/api/v1/syncs/?limit=3").json()
    second = mine.get(f"/api/v1/syncs/?limit=9&after={first['next']}").json()
    assert [row["name"] for row in first["results"] + second["results"]] == sorted(of_all_kinds)


@pytest.mark.covers("SYNC-17")
def test_the_page_of_what_runs_and_what_comes_next(page, of_all_kinds, jonas, client):
    html = page("runs_standing")
    assert all(name in html for name in of_all_kinds)
    assert "Try 2 of 4 waits" in html
    assert "every 6 h" in html
    only = page("runs_standing", state="off")
    assert ">off</a>" in only
    assert ">paused</a>" not in only
    assert "Nothing was" not in page("runs_standing", state="no-such", after="%")
    client.force_login(jonas)
    html = client.get(reverse("sync:runs_standing")).content.decode()
    assert "Nothing is fetched" in html
