"""What a run may become, what it measures, and how it is cancelled by those who may."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from lists import services
from sync import checks, runs, tasks
from sync.models import Run
from sync.signals import memory_high
from tests.lists.test_api import api
from tests.states import in_state

S = Run.State
LAWFUL = {
    ("queued", "running"), ("queued", "cancelled"), ("waiting", "queued"), ("waiting", "cancelled"), ("running", "cancelling"),
    ("running", "completed"), ("running", "partial"), ("running", "failed"), ("running", "interrupted"), ("running", "waiting"),
    ("cancelling", "cancelled"),
}  # fmt: skip


def film(n: int, **more):
    return {"key": f"tt{n}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990, **more}


@pytest.fixture
def queued(films, live, ines) -> Run:
    source = live(films)
    return runs.request_sync(source, by=ines, force=True).run


@pytest.mark.covers("SYNC-04")
@pytest.mark.parametrize("before", S.values)
def test_a_run_takes_lawful_steps_only(queued, before):
    for after in S.values:
        Run.objects.filter(pk=queued.pk).update(**in_state(before))
        moved = Run.objects.filter(pk=queued.pk).move(
            after, **{k: v for k, v in in_state(after).items() if k != "state"}
        )
        assert moved == ((before, after) in LAWFUL), (before, after)
        queued.refresh_from_db()
        assert queued.state == (after if moved else before)


@pytest.mark.covers("SYNC-04")
@pytest.mark.parametrize(
    ("state", "wrong"),
    [("running", {"slot": None}), ("running", {"lease_until": None}), ("queued", {"slot": 3}), ("completed", {"finished_at": None}),
     ("cancelled", {"slot": 1}), ("waiting", {"finished_at": "2026-01-01T00:00Z"})],
)  # fmt: skip
def test_the_database_refuses_a_run_that_is_not_what_its_state_says(queued, state, wrong):
    with pytest.raises(IntegrityError), transaction.atomic():
        Run.objects.filter(pk=queued.pk).update(**{**in_state(state), **wrong})


@pytest.mark.covers("SYNC-08", "HIST-07", "HIST-02")
def test_a_run_is_cancelled_by_the_api(queued, ines, jonas, films, work):
    address = f"/api/v1/runs/{queued.pk}/cancel/"
    assert api(jonas).post(address).status_code == 404
    services.share_list(films, user=jonas, role="viewer", by=ines)
    assert api(jonas).post(address).status_code == 403
    answer = api(ines).post(address)
    assert (answer.status_code, answer.json()["state"], answer.json()["error_code"]) == (200, "cancelled", "cancelled")
    assert answer.json()["error"] == "ines cancelled this. Nothing was changed."
    again = api(ines).post(address)
    assert (again.status_code, again.json()["error"]["code"]) == (409, "ended")
    work()
    assert not films.versions.exists()
    assert api(ines).get("/api/v1/audit/", {"action": "cancelled"}).json()["results"]


def test_a_run_at_work_answers_that_it_is_being_cancelled(queued, ines):
    Run.objects.filter(pk=queued.pk).update(**in_state("running"))
    listed = api(ines).get("/api/v1/runs/", {"state": "running"}).json()["results"]
    assert [run["id"] for run in listed] == [queued.pk]
    answer = api(ines).post(f"/api/v1/runs/{queued.pk}/cancel/")
    assert (answer.status_code, answer.json()["state"]) == (202, "cancelling")
    again = api(ines).post(f"/api/v1/runs/{queued.pk}/cancel/").json()["error"]
    assert "is being cancelled already" in again["message"]


@pytest.mark.covers("SYNC-08", "HIST-07")
def test_a_run_is_cancelled_on_its_page_and_on_that_of_its_list(page, client, queued, films, jonas):
    address = reverse("sync:run_cancel", args=[queued.pk])
    assert address in page("list_runs", films.pk)
    assert address in page("run", queued.pk)
    assert client.get(address).status_code == 405
    html = client.post(address, follow=True).content.decode()
    assert "ines cancelled this. Nothing was changed." in html
    assert address not in html
    assert "has ended already" in client.post(address, follow=True).content.decode()
    client.force_login(jonas)
    assert client.post(address).status_code == 404


@pytest.mark.covers("SYNC-08", "HIST-07")
def test_runs_are_cancelled_in_the_admin(client, staff, queued, films):
    done = Run.objects.create(list=films, source=queued.source, kind="manual", **in_state("completed"))
    client.force_login(staff)
    chosen = {"action": "cancel", "_selected_action": [queued.pk, done.pk]}
    html = client.post(reverse("admin:sync_run_changelist"), chosen, follow=True).content.decode()
    assert "1 cancelled" in html
    assert f"Run {done.pk} has ended already" in html


KINDS = ["network", "rate_limited", "not_found", "auth", "refused", "parse", "database", "memory", "internal"]


@pytest.mark.covers("SYNC-22")
@pytest.mark.parametrize("kind", KINDS)
def test_what_went_wrong_is_kept_by_its_cause(films, live, ines, kind):
    source = live(films)
    try:
        source.sync({"fail": "It did not work. Nothing was changed.", "how": kind})
    except Exception:  # what nobody foresaw goes on to the task's own record
        assert kind in ("database", "memory", "internal")
    told = api(ines).get(f"/api/v1/runs/{Run.objects.earliest('id').pk}/").json()
    assert (told["state"], told["error_code"]) == ("failed", kind)
    assert "Nothing was changed." in told["error"]
    assert told["details"]["timings_s"].keys() == {"Reading"}
    assert Run.history.filter(state="failed", error_code=kind).count() == 1


@pytest.mark.covers("SYNC-13", "HIST-08")
def test_a_run_keeps_what_it_cost(films, live, ines):
    run = live(films).sync([*(film(n) for n in range(245)), *({"broken": f"b{n}"} for n in range(5))])
    told = api(ines).get(f"/api/v1/runs/{run.pk}/").json()
    blocks = told["details"]["blocks"]
    assert blocks["size"] == 100
    assert {step: times["count"] for step, times in blocks["ms"].items()} == {"Reading": 3, "Comparing": 3}
    assert len(blocks["ms"]["Reading"]["first"]) == 3
    assert (told["requests"], told["cache_hits"], told["cache_misses"]) == (2, 1, 1)
    assert told["error_rate"] == pytest.approx(5 / 250)
    assert told["memory_peak_mib"] > 10
    assert told["duration_ms"] >= 0
    assert told["items_per_s"] > 0
    assert told["left_s"] is None
    assert (told["progress"], told["state"]) == (100, "partial")


@pytest.mark.covers("HIST-09")
def test_memory_that_crosses_a_level_is_told_once_and_ends_the_run_above_the_limit(films, live, monkeypatch, caplog):
    heard = []

    def hear(sender, **about):
        heard.append((about["level"], about["mib"]))

    memory_high.connect(hear)
    try:
        for mib, levels in ((100, []), (600, ["warning"]), (1100, ["warning", "critical"])):
            monkeypatch.setattr("sync.processes.memory_mib", lambda mib=mib: mib)
            heard.clear()
            run = live(films, name=str(mib)).sync([film(1)])
            assert [level for level, _ in heard] == levels
            assert run.memory_peak_mib == mib
    finally:
        memory_high.disconnect(hear)
    assert [record.levelname for record in caplog.records if "MiB of memory" in record.message] == [
        "WARNING", "WARNING", "CRITICAL",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "number"),
    [({"timeout": None}, 1), ({"retry": 60}, 2), ({"max_attempts": 0}, 3), ({"ack_failures": False}, 4), ({"catch_up": True}, 5),
     ({"sync": True}, 6)],
)  # fmt: skip
def test_a_queue_that_would_do_work_twice_or_never_is_an_error(settings, change, number):
    assert checks.check_queue(None) == []
    settings.Q_CLUSTER = {**settings.Q_CLUSTER, **change}
    assert [found.id for found in checks.check_queue(None)] == [f"sync.E00{number}"]


def test_a_worker_that_stops_begins_nothing(queued, monkeypatch):
    monkeypatch.setattr("sync.processes.is_stopping", lambda: True)
    assert "waits for the next worker" in tasks.execute_run(queued.pk)
    queued.refresh_from_db()
    assert queued.state == Run.State.QUEUED
