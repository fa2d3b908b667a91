"""Sources that ask a service, through the door of a real run."""

import json
import time
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from lists import services
from lists.models import Account, Source
from sync import retries, runs, times
from sync.models import Breaker, Pace, Run
from tests.lists.test_api import api

ROWS = [{"key": f"tt{n}", "title": f"Film {n}", "year": 1990} for n in range(3)]


@pytest.fixture
def remote(films, ines, upstream, work):
    source = services.add_source(
        films, adapter="scripted_remote", name="Remote", by=ines, address=f"{upstream.url}/list", gap_min=0
    )

    def sync() -> Run:
        run = runs.request_sync(source, by=ines, force=True).run
        work()
        run.refresh_from_db()
        return run

    source.sync = sync
    return source


def test_a_list_is_fetched_and_its_requests_are_counted(films, remote, upstream, titles):
    upstream.answer("/list", ROWS)
    run = remote.sync()
    assert (run.state, run.requests) == (Run.State.COMPLETED, 1)
    assert titles(films) == ["Film 0", "Film 1", "Film 2"]


def test_what_is_not_new_is_not_sent_again(remote, upstream):
    upstream.answer("/list", ROWS, headers={"ETag": '"one"'})
    upstream.answer("/list", b"", 304)
    remote.sync()
    run = remote.sync()
    assert (run.state, run.outcome) == (Run.State.COMPLETED, Run.Outcome.NOT_MODIFIED)
    assert upstream.seen[1].headers["If-None-Match"] == '"one"'


def test_another_address_is_read_whatever_the_last_one_said(remote, upstream):
    upstream.answer("/list", ROWS, headers={"ETag": '"one"'})
    upstream.answer("/other", ROWS, headers={"ETag": '"one"'})
    remote.sync()
    Source.objects.filter(pk=remote.pk).update(address=f"{upstream.url}/other")
    remote.sync()
    assert "If-None-Match" not in upstream.seen[1].headers


def test_the_token_of_its_account_is_sent_and_told_to_nobody(remote, upstream, ines, caplog):
    account = Account.objects.create(
        owner=ines, service="scripted", name="Mine", secrets=json.dumps({"token": "hush-7"})
    )
    Source.objects.filter(pk=remote.pk).update(account=account)
    upstream.answer("/list", {}, 401)
    run = remote.sync()
    assert upstream.seen[0].headers["Authorization"] == "Bearer hush-7"
    assert (run.state, run.error_code, run.requests) == (Run.State.FAILED, "auth", 1)
    assert "hush-7" not in f"{run.error} {run.details} {caplog.text}"


@pytest.mark.parametrize("status", [401, 403])
def test_who_asks_without_an_account_is_not_told_to_look_after_one(remote, upstream, ines, status):
    upstream.answer("/list", {}, status)
    run = remote.sync()
    assert (run.error_code, "Connect the account" in run.error) == ("auth", False)
    assert (
        f"127.0.0.1 does not show this to visitors ({status}). Nothing was removed. Make it public there" in run.error
    )
    account = Account.objects.create(owner=ines, service="scripted", name="Mine", secrets='{"token": "x"}')
    Source.objects.filter(pk=remote.pk).update(account=account)
    assert "Connect the account again" in remote.sync().error


@pytest.mark.covers("RETRY-03")
def test_a_long_pause_frees_the_worker_and_says_when_it_goes_on(remote, upstream, work):
    upstream.answer("/list", {}, 429, headers={"Retry-After": "600"})
    before = timezone.now()
    run = remote.sync()
    assert (run.state, run.error_code, run.waits_for) == (Run.State.WAITING, "rate_limited", "127.0.0.1")
    assert 590 <= (run.next_attempt_at - before).total_seconds() <= 620
    assert retries.start_ripe(run.next_attempt_at) == 1
    upstream.answer("/list", ROWS)
    Pace.objects.all().delete()  # as if the time had passed
    work()
    run.refresh_from_db()
    assert (run.state, run.requests, run.attempt) == (Run.State.COMPLETED, 2, 1)


@pytest.fixture
def left_alone(remote, upstream) -> Run:
    """A run that met a service that is left alone."""
    Breaker.objects.create(
        service="scripted:127.0.0.1", state="open", open_until=timezone.now() + timedelta(seconds=20), failures=5
    )
    return remote.sync()


@pytest.mark.covers("SYNC-04", "RETRY-03")
def test_a_run_waits_for_a_service_that_is_left_alone(left_alone, upstream, work, titles, films, page, client, ines):
    run, until = left_alone, Breaker.objects.get().open_until
    assert (run.requests, run.state, upstream.seen, run.waits_for) == (0, Run.State.WAITING, [], "127.0.0.1")
    assert "left alone until" in run.error
    assert 0 <= (run.next_attempt_at - until).total_seconds() <= 12
    assert times.deferral(30, chance=max).total_seconds() == 40
    told = api(ines).get(f"/api/v1/runs/{run.pk}/").json()
    assert (told["state"], told["waits_for"], told["deferrals"], told["attempt"]) == ("waiting", "127.0.0.1", 1, 1)
    [standing] = api(ines).get("/api/v1/syncs/").json()["results"]
    assert (standing["state"], standing["waits_for"], standing["failures"]) == ("waiting", "127.0.0.1", 0)
    assert standing["retry_at"] == told["next_attempt_at"]
    at = f"{timezone.localtime(run.next_attempt_at):%H:%M:%S}"
    assert "It waits for 127.0.0.1 until" in page("run", run.pk)
    client.force_login(ines)
    shown = {name: page(name, *([run.pk] if name == "run" else [])) for name in ("run", "runs", "runs_standing")}
    shown["list"] = client.get(reverse("lists:settings", args=[films.pk])).content.decode()
    for name, html in shown.items():
        assert f">{at}</time>" in html or "tomorrow" in html, name
        assert "aits for 127.0.0.1" in html, name
    Breaker.objects.all().delete()
    upstream.answer("/list", ROWS)
    assert retries.start_ripe(run.next_attempt_at) == 1
    work()
    run.refresh_from_db()
    assert (run.state, run.attempt, Run.objects.count()) == (Run.State.COMPLETED, 1, 1)
    assert len(titles(films)) == 3


@pytest.mark.covers("SYNC-08")
@pytest.mark.parametrize("where", ["api", "page", "admin"])
def test_a_run_that_waits_for_a_service_is_cancelled(left_alone, where, client, ines, staff):
    if where == "api":
        assert api(ines).post(f"/api/v1/runs/{left_alone.pk}/cancel/").json()["state"] == "cancelled"
    elif where == "page":
        client.force_login(ines)
        html = client.post(reverse("sync:run_cancel", args=[left_alone.pk]), follow=True).content.decode()
        assert "ines cancelled this. Nothing was changed." in html
    else:
        client.force_login(staff)
        assert "127.0.0.1" in client.get(reverse("admin:sync_run_changelist")).content.decode()
        client.post(reverse("admin:sync_run_changelist"), {"action": "cancel", "_selected_action": [left_alone.pk]})
    left_alone.refresh_from_db()
    assert (left_alone.state, left_alone.waits_for, left_alone.next_attempt_at) == (Run.State.CANCELLED, "", None)


def test_the_command_does_not_wait_for_the_service(left_alone, remote, work, monkeypatch, capsys):
    monkeypatch.setattr("time.sleep", lambda seconds: work())
    with pytest.raises(CommandError, match="1 of 1 did not end well"):
        call_command("sync", "--source", str(remote.pk), "--wait", "--force")
    assert f"Run {left_alone.pk}: Waiting. 127.0.0.1 is left alone until" in capsys.readouterr().out


def test_sync_now_does_not_wait_for_the_service(left_alone, remote, upstream):
    Breaker.objects.all().delete()
    upstream.answer("/list", ROWS)
    assert (remote.sync(), Run.objects.get().state) == (left_alone, Run.State.COMPLETED)


def test_who_would_wait_too_long_for_a_turn_is_put_off(remote, upstream):
    Pace.objects.pause("scripted:127.0.0.1", now=time.time(), until=time.time() + 45)
    run = remote.sync()
    assert (run.state, run.error_code, run.requests, upstream.seen) == (Run.State.WAITING, "rate_limited", 0, [])


@pytest.mark.covers("SAFE-01")
@pytest.mark.parametrize("fault", [
    {"status": 500}, {"status": 404}, {"status": 401}, {"status": 429}, {"body": "<html></html>"}, {"body": b""},
    {"body": ROWS, "cut": 20}, {"body": b"[{]"}, {"reset": True}, {"status": 302, "headers": {"Location": "/list"}},
])  # fmt: skip
def test_nothing_leaves_for_a_fault_of_the_service(films, remote, upstream, titles, fault):
    upstream.answer("/list", ROWS)
    remote.sync()
    upstream.answer("/list", **{"body": [], **fault})
    for _ in range(3):
        run = remote.sync()
        assert (run.state, run.removed) == (Run.State.FAILED, 0)
        assert "Nothing was" in run.error
        Run.objects.filter(previous=run).delete()
        Breaker.objects.all().delete()
    assert len(titles(films)) == 3
