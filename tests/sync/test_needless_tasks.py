"""The workers are told of what they can do, and no more often than that helps."""

from datetime import timedelta

import pytest
from django.utils import timezone

from lists import services
from lists.models import Proposal
from sync import reaper, runs, uploads
from sync.models import Lock, Run
from sync.tasks import prepare_upload


@pytest.fixture
def queued_here(monkeypatch):
    """Tasks by function, wherever the tests have their queue."""
    tasks: list[tuple[str, int]] = []
    monkeypatch.setattr(runs, "async_task", lambda path, pk: tasks.append((path, pk)))
    return tasks


@pytest.mark.parametrize("slots", [2, 30])
def test_the_end_of_a_run_wakes_one_other_and_all_come_to_their_turn(
    ines, live, settings, queued_here, django_capture_on_commit_callbacks, slots
):
    settings.PARALLEL_RUNS = slots
    with django_capture_on_commit_callbacks(execute=True):
        for n in range(30):
            source = live(services.create_list(ines, name=f"L{n}"), f"s{n}")
            runs.request_run(source, kind=Run.Kind.SCHEDULED)
    at_work, told = [], 0
    while queued_here or at_work:
        while queued_here:  # what finds no slot has been in vain
            queued_here.pop()
            told += 1
            if run := runs.claim():
                at_work.append(run)
        with django_capture_on_commit_callbacks(execute=True):
            runs.close(at_work.pop(0), Run.State.FAILED)
    assert not Run.objects.active().exists()
    assert told <= 60


def test_an_upload_behind_busy_workers_is_told_once_a_minute(
    films, ines, queued_here, django_capture_on_commit_callbacks, monkeypatch
):
    began = timezone.now()
    with django_capture_on_commit_callbacks(execute=True):
        proposal = uploads.start(b"[]", by=ines, list_=films, adapter="scripted")
    for half_minutes in range(1, 21):
        monkeypatch.setattr(timezone, "now", lambda at=began + half_minutes * timedelta(seconds=30): at)
        with django_capture_on_commit_callbacks(execute=True):
            reaper.reap()
    assert 6 <= len(queued_here) <= 11
    monkeypatch.undo()
    prepare_upload(proposal.pk)
    assert not Lock.objects.exists(), "nothing is left of it"


def test_an_upload_whose_task_was_lost_with_its_queue_is_told_at_once(
    films, ines, queued_here, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        uploads.start(b"[]", by=ines, list_=films, adapter="scripted")
    queued_here.clear()
    with django_capture_on_commit_callbacks(execute=True):
        reaper.reap(anew=True)
    assert len(queued_here) == 1


def test_an_upload_that_is_read_again_is_not_told_twice(
    films, ines, queued_here, work, django_capture_on_commit_callbacks
):
    proposal = uploads.start(b"[]", by=ines, list_=films, adapter="scripted")
    work()
    Proposal.objects.update(created_at=timezone.now() - timedelta(minutes=5))
    with django_capture_on_commit_callbacks(execute=True):
        uploads.read_again(proposal)
    assert len(queued_here) == 1
    queued_here.clear()
    with django_capture_on_commit_callbacks(execute=True):
        reaper.reap()
    assert queued_here == []
