"""Runs and the task queue in the admin: to look at. And "Sync now"."""

import json

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import Failure, OrmQ, Schedule, Success, Task

from lists import services
from lists.models import MediaList, Source
from sync.models import Run
from tests.admin_forms import act, page, told
from tests.states import in_state

# django-q2 shows its own queue only while the queue is in the database.
QUEUE = [model for model in (Schedule, Success, Failure, OrmQ) if admin.site.is_registered(model)]


@pytest.fixture
def desk(staff) -> Client:
    client = Client()
    client.force_login(staff)
    return client


@pytest.fixture
def run(films, upload) -> Run:
    return upload(films, [{"key": "tt0000001", "title": "Film 1"}])


def test_a_run_is_only_looked_at(desk, run):
    assert desk.get(page(Run, "change", run.pk)).status_code == 200
    assert desk.get(page(Run, "add")).status_code == 403
    assert desk.post(page(Run, "change", run.pk), {"state": "failed"}).status_code == 403
    assert desk.post(page(Run, "delete", run.pk), {"post": "yes"}).status_code == 403
    desk.post(page(Run), {"action": "delete_selected", "_selected_action": [run.pk], "post": "yes"})
    assert Run.objects.get().state == Run.State.COMPLETED


@pytest.mark.covers("OPS-12")
def test_a_page_of_runs_takes_as_many_queries_for_1000_as_for_10(desk, run):
    def fill_and_count(count):
        Run.objects.bulk_create([
            Run(list=run.list, source_id=run.source_id, kind="manual", **in_state("completed")) for _ in range(count)
        ])  # fmt: skip
        with CaptureQueriesContext(connection) as asked:
            assert desk.get(page(Run)).status_code == 200
        return len(asked)

    fill_and_count(1)  # content types are kept from here on
    assert fill_and_count(10) == fill_and_count(1000) <= 6


@pytest.mark.parametrize("model", QUEUE, ids=lambda model: model.__name__)
def test_the_task_queue_is_only_looked_at(desk, model):
    now = timezone.now()
    for success in (True, False):
        Task.objects.create(
            id=f"{success}",
            name="n",
            func="sync.tasks.execute_run",
            args=(1,),
            started=now,
            stopped=now,
            success=success,
        )
    Schedule.objects.create(name="n", func="sync.tasks.execute_run")
    OrmQ.objects.create(key="listkeeper", payload="x", lock=now)
    row = model.objects.first()
    assert desk.get(page(model)).status_code == 200
    assert "resubmit" not in desk.get(page(model)).content.decode().lower()
    assert desk.get(page(model, "add")).status_code == 403
    assert desk.post(page(model, "change", row.pk), {"func": "os.system"}).status_code == 403
    assert desk.post(page(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    for action in ("delete_selected", "resubmit_task"):
        desk.post(page(model), {"action": action, "_selected_action": [row.pk], "post": "yes"})
    assert (Task.objects.count(), Schedule.objects.count(), OrmQ.objects.count()) == (2, 1, 1)


def test_a_signed_in_user_who_is_no_staff_sees_none_of_it(ines):
    client = Client()
    client.force_login(ines)
    for model in (Run, *QUEUE):
        assert client.get(page(model)).headers["Location"].startswith("/admin/login/")


# -- sync now --------------------------------------------------------------------------------------------------------


@pytest.fixture
def live(films, tmp_path) -> Source:
    """A source that is fetched, and has two films to tell of."""
    rows = tmp_path / "rows.json"
    rows.write_text(json.dumps([{"key": f"{n}", "title": f"Film {n}"} for n in (1, 2)]))
    return services.add_source(films, adapter="scripted_live", name="Live", by=films.owner, config={"path": str(rows)})


@pytest.mark.covers("LIST-14", "SYNC-05")
@pytest.mark.parametrize(("model", "action"), [(Source, "sync_sources"), (MediaList, "sync_lists")])
def test_a_list_is_synced_from_its_page_or_its_sources(desk, films, live, work, titles, model, action):
    row = live if model is Source else films
    assert "1 queued" in told(act(desk, model, action, row))
    run = Run.objects.get()
    assert (run.source, run.requested_by_name) == (live, "admin")
    assert f"(run {run.pk})" in told(act(desk, model, action, row))  # it is at it already
    work()
    assert titles(films) == ["Film 1", "Film 2"]
    assert "left alone until" in told(act(desk, model, action, row))
    assert Run.objects.count() == 1
    assert "1 queued" in told(act(desk, Source, "force_sources", live))


def test_a_file_is_not_fetched(desk, run):
    assert "Upload a newer file" in told(act(desk, Source, "sync_sources", run.source))
    assert "people upload those" in told(act(desk, MediaList, "sync_lists", run.list))
    assert Run.objects.count() == 1


def test_what_lies_in_the_bin_or_was_removed_is_not_synced(desk, films, live):
    services.remove_source(live, by=films.owner, keep=True)
    assert "switched off" in told(act(desk, Source, "sync_sources", live))
    services.revive_source(live, by=films.owner)
    services.bin_list(films, by=films.owner)
    assert "in the bin" in told(act(desk, Source, "sync_sources", live))
    act(desk, MediaList, "sync_lists", films)
    assert not Run.objects.exists()
