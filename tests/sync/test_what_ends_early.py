"""Runs that do not come to their end: the source breaks off, or somebody switches it off meanwhile."""

import pytest
from django.urls import reverse

from lists import services
from lists.models import Claim, Entry, Source
from sync import runs, signals
from sync.models import Run
from sync.schedule import dispatch
from tests.lists.test_api import api
from tests.sync.test_retries import heard


def film(n: int, **more):
    return {"key": f"tt{n:07}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990 + n % 30, **more}


# -- the source breaks off -------------------------------------------------------------------------------------------


@pytest.mark.covers("SYNC-15")
def test_what_came_before_the_source_broke_off_is_kept_and_nothing_leaves(films, live, titles, client, ines):
    source = live(films)
    source.sync([film(n) for n in range(1, 6)])
    run = source.sync([film(1, title="Film one"), film(9), {"cut": "Page 2 answered 500."}, film(3)])
    assert (run.state, run.outcome, run.error_code) == ("partial", "partial", "network")
    assert run.error == "It broke off: Page 2 answered 500. What had come until then was taken. Nothing was removed."
    assert (run.found, run.added, run.updated, run.removed) == (2, 1, 1, 0)
    assert sorted(titles(films)) == ["Film 2", "Film 3", "Film 4", "Film 5", "Film 9", "Film one"]
    assert not Claim.objects.filter(missing__gt=0).exists()
    again = Run.objects.active().get()
    assert (again.kind, again.state, again.previous) == ("retry", "waiting", run), "what broke off is tried again"
    client.force_login(ines)
    assert "Page 2 answered 500." in client.get(reverse("sync:run", args=[run.pk])).content.decode()
    assert api(ines).get(f"/api/v1/runs/{run.pk}/").json()["error_code"] == "network"
    assert source.sync([film(n) for n in range(1, 6)]).state == "completed"


def test_a_part_that_says_nothing_new_is_no_whole_answer(films, live, titles):
    source = live(films)
    source.sync([film(1), film(2)])
    source.refresh_from_db()
    read_at = source.last_success_at
    for times in (1, 2, 3):
        assert source.sync([film(1), {"cut": "Page 2 answered 500."}]).state == "partial"
        source.refresh_from_db()
        assert (source.failures, source.last_success_at) == (times, read_at), "it has failed, whatever it brought"
    assert titles(films) == ["Film 1", "Film 2"]
    assert source.sync([film(1), film(2)]).state == "completed"
    source.refresh_from_db()
    assert source.failures == 0


def test_a_source_that_breaks_off_before_anything_came_has_failed(films, live):
    run = live(films).sync([{"cut": "Page 1 answered 500."}])
    assert (run.state, run.error) == ("failed", "Page 1 answered 500.")


# -- somebody switches it off ----------------------------------------------------------------------------------------


def switch_off(source, films, ines):
    services.change_source(source, by=ines, enabled=False)


def remove(source, films, ines):
    services.remove_source(source, by=ines, keep=True)


def bin_(source, films, ines):
    services.bin_list(films, by=ines)


@pytest.mark.covers("SYNC-16")
@pytest.mark.parametrize("act", [switch_off, remove, bin_])
def test_who_switches_a_source_off_ends_its_run(films, live, ines, act, work):
    source, other = live(films), live(films, "other")
    running = runs.request_sync(source, by=ines).run
    waiting = runs.request_sync(other, by=ines).run
    assert runs.claim() == running
    act(source, films, ines)
    running.refresh_from_db()
    waiting.refresh_from_db()
    assert running.state == "cancelling"
    assert waiting.state == ("cancelled" if act is bin_ else "queued")
    assert Entry.objects.count() == 0


@pytest.mark.covers("SYNC-16")
def test_a_retry_that_waits_ends_too_and_the_source_can_be_switched_on_again(films, live, ines):
    source = live(films)
    source.sync({"fail": "It did not answer."})
    assert Run.objects.filter(state="waiting").count() == 1
    client, address = api(ines), f"/api/v1/lists/{films.pk}/sources/{source.pk}/"
    assert client.patch(address, {"enabled": False}).status_code == 200
    assert not Run.objects.active().exists()
    assert dispatch().due == 0
    assert client.patch(address, {"enabled": True, "interval_min": 1}).status_code == 200
    assert Source.objects.get().next_sync_at is None, "planned by the next look"
    assert not Run.objects.active().exists()


# -- somebody is told ------------------------------------------------------------------------------------------------


@pytest.mark.covers("SYNC-18")
def test_the_end_of_each_run_is_told_with_its_number(films, live, django_capture_on_commit_callbacks):
    source = live(films)
    with heard(signals.run_finished) as told, django_capture_on_commit_callbacks(execute=True):
        good = source.sync([film(1)])
    assert told == [{"run_id": good.pk}]
    assert (good.state, good.added) == ("completed", 1)
    with heard(signals.run_finished) as told, django_capture_on_commit_callbacks(execute=True):
        bad = source.sync({"fail": "It did not answer."})
    assert told == [{"run_id": bad.pk}]
