"""Many lists at once: in which order and how many side by side, how they end, and that they can be followed and stopped."""

import json
from collections import Counter
from datetime import timedelta

import pytest
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from lists import services
from lists.models import Claim, Conflict, Source
from sync import batches, retries, runs, tasks
from sync.errors import BreakerOpen, SourceRefused, SourceUnavailable
from sync.models import Batch, BatchPart, Run
from sync.schedule import dispatch
from tests.lists.test_api import api
from tests.scripted import ScriptedLive


def film(n: int, **more):
    return {"key": f"tt{n:07}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990 + n % 30, **more}


@pytest.fixture(autouse=True)
def idle(monkeypatch, settings):
    """A machine whose load a test says, with room for as many runs as a batch may want."""
    settings.PARALLEL_RUNS = 20
    said = {"load": 0.0}
    monkeypatch.setattr(batches, "load", lambda: said["load"])
    return said


@pytest.fixture
def lists(ines, live):
    """lists(5): so many lists, each with a source that has a film to tell of."""

    def lists(count: int):
        found = []
        for n in range(1, count + 1):
            list_ = services.create_list(ines, name=f"List {n}")
            with open(live(list_, f"s{n}").config["path"], "w") as file:
                json.dump([film(n)], file)
            found.append(list_)
        return found

    return lists


@pytest.fixture
def mine(ines):
    return api(ines)


@pytest.fixture
def fails(monkeypatch):
    """Names of the sources that refuse."""
    names = set()
    fetch = ScriptedLive.fetch

    def fetch_or_fail(self, ctx):
        if any(f"/{name}-" in ctx.config["path"] for name in names):
            raise SourceRefused("Sign in again. Nothing was changed.")
        return fetch(self, ctx)

    monkeypatch.setattr(ScriptedLive, "fetch", fetch_or_fail)
    return names


@pytest.fixture
def end_next(django_capture_on_commit_callbacks):
    """Carry out the run that is first in line, and what follows from its end. What waits for its time has not ended."""

    def end_next() -> str:
        run = Run.objects.filter(state="queued").order_by("-priority", "id").first()
        with django_capture_on_commit_callbacks(execute=True):
            tasks.execute_run(run.pk)
        run.refresh_from_db()
        assert not run.is_active or run.state == "waiting"
        return run.source.name

    return end_next


def states(batch) -> Counter:
    return Counter(BatchPart.objects.filter(batch=batch).values_list("state", flat=True))


def queued() -> int:
    return Run.objects.filter(state="queued").count()


@pytest.mark.covers("BAT-01", "BAT-03")
def test_a_batch_has_a_number_at_once_and_is_followed_to_its_end(
    mine, lists, work, titles, django_capture_on_commit_callbacks
):
    made = lists(3)
    asked = mine.post("/api/v1/batches/", {"lists": [list_.pk for list_ in made]})
    assert asked.status_code == 202, asked.content
    first = asked.json()
    assert (first["state"], first["total"], first["running"], first["done"]) == ("running", 3, 3, 0)
    with django_capture_on_commit_callbacks(execute=True):
        work()
    last = mine.get(f"/api/v1/batches/{first['id']}/").json()
    assert (last["state"], last["completed"], last["done"]) == ("completed", 3, 100)
    assert last["finished_at"] is not None
    assert [titles(list_) for list_ in made] == [["Film 1"], ["Film 2"], ["Film 3"]]
    parts = mine.get(f"/api/v1/batches/{first['id']}/parts/").json()["results"]
    assert [(row["list_name"], row["state"]) for row in parts] == [(f"List {n}", "completed") for n in (1, 2, 3)]
    assert all(Run.objects.get(pk=row["run"]).state == "completed" for row in parts)
    assert [row["id"] for row in mine.get("/api/v1/batches/").json()["results"]] == [first["id"]]


@pytest.mark.covers("BAT-02")
def test_one_after_the_other(lists, ines, end_next):
    batch = batches.start(lists(3), by=ines, strategy="sequential")
    order = []
    for _ in range(3):
        assert queued() == 1
        order.append(end_next())
    assert order == ["s1", "s2", "s3"]
    assert states(batch) == {"completed": 3}


@pytest.mark.covers("BAT-02")
def test_side_by_side_up_to_the_limit(lists, ines, end_next):
    batch = batches.start(lists(5), by=ines, strategy="parallel", limit=2)
    for left in (2, 2, 2, 2, 1):
        assert queued() == left
        end_next()
    batch.refresh_from_db()
    assert batch.state == "completed"


@pytest.mark.covers("BAT-02")
def test_the_most_important_first(lists, ines, end_next):
    made = lists(4)
    Source.objects.filter(name="s3").update(interval_min=5)
    Source.objects.filter(name="s1").update(interval_min=10_080)
    batches.start(made, by=ines, strategy="priority", limit=1, priorities={made[3].pk: 7})
    assert [end_next() for _ in range(4)] == ["s3", "s4", "s2", "s1"]
    assert list(BatchPart.objects.values_list("priority", flat=True)) == [10, 7, 5, 2]
    assert list(Run.objects.order_by("id").values_list("priority", flat=True)) == [10, 7, 5, 2]


@pytest.mark.covers("BAT-02")
def test_adaptive_falls_when_runs_hang_or_the_machine_is_loaded_and_rises_when_they_flow(lists, ines, end_next, idle):
    idle["load"] = 0.6
    batch = batches.start(lists(12), by=ines, strategy="adaptive", limit=8)

    def width() -> int:
        batch.refresh_from_db()
        return batch.width

    assert (width(), queued()) == (5, 5)
    end_next()
    assert (width(), queued()) == (5, 5), "neither idle nor loaded"
    idle["load"] = 0.2
    end_next()
    assert (width(), queued()) == (7, 7)
    end_next()
    assert (width(), queued()) == (8, 8), "no wider than its limit"
    idle["load"] = 0.9
    end_next()
    assert (width(), queued()) == (6, 8 - 1)
    idle["load"] = 0.2
    assert runs.claim()
    assert runs.claim()
    dispatch(timezone.now() + timedelta(seconds=60))
    batch.refresh_from_db()
    assert (batch.width, batch.hanging) == (4, 2)
    dispatch(timezone.now() + timedelta(seconds=90))
    assert width() == 4, "they are known by now"
    while queued():
        end_next()
    assert states(batch) == {"completed": 10, "running": 2}, "what hangs holds up nobody else"


@pytest.mark.covers("BAT-03")
def test_one_of_five_fails_and_the_others_go_on(mine, lists, ines, fails, end_next):
    fails.add("s2")
    batch = batches.start(lists(5), by=ines, limit=1)
    for _ in range(5):
        end_next()
    batch.refresh_from_db()
    assert batch.state == "partial"
    assert states(batch) == {"completed": 4, "failed": 1}
    (part,) = mine.get(f"/api/v1/batches/{batch.pk}/parts/?state=failed").json()["results"]
    assert (part["source_name"], part["note"]) == ("s2", "Sign in again. Nothing was changed.")


@pytest.mark.covers("BAT-03")
def test_or_nothing_more_is_started_after_the_first_failure(lists, ines, fails, end_next):
    fails.add("s2")
    batch = batches.start(lists(5), by=ines, limit=1, stop_on_failure=True)
    end_next()
    end_next()
    batch.refresh_from_db()
    assert batch.state == "partial"
    assert states(batch) == {"completed": 1, "failed": 1, "skipped": 3}
    assert queued() == 0
    fails |= {"s1"}
    batch = batches.start([services.create_list(ines, name="Empty"), *_lists_of(ines)[:1]], by=ines, force=True)
    end_next()
    batch.refresh_from_db()
    assert batch.state == "failed"


def _lists_of(user):
    return list(user.lists.filter(sources__isnull=False).order_by("id"))


def test_what_needs_no_sync_is_left_alone_and_says_why(mine, lists, ines, work, upload, films):
    one, two, three = lists(3)
    upload(films, [film(9)])
    runs.request_sync(Source.objects.get(name="s1"), by=ines)
    Source.objects.filter(name="s2").update(last_run_at=timezone.now(), gap_min=15)
    Source.objects.filter(name="s3").update(enabled=False)
    runs_before = Run.objects.count()
    body = {"lists": [one.pk, two.pk, three.pk, films.pk, one.pk]}
    batch = mine.post("/api/v1/batches/", body).json()
    assert (batch["state"], batch["running"], batch["skipped"], batch["total"]) == ("running", 1, 3, 4)
    parts = {row["list_name"]: row for row in mine.get(f"/api/v1/batches/{batch['id']}/parts/").json()["results"]}
    assert "read a moment ago" in parts["List 2"]["note"]
    assert "None of its sources is fetched" in parts["List 3"]["note"]
    assert "None of its sources is fetched" in parts["Films to watch"]["note"]
    assert Run.objects.count() == runs_before, "the run that was there already counts for it"
    refused = mine.post("/api/v1/batches/", {"lists": [films.pk]})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "nothing_to_fetch")


@pytest.mark.covers("BAT-04")
def test_a_batch_is_cancelled_and_what_waits_is_not_run(mine, lists, ines, end_next, work):
    batch = batches.start(lists(5), by=ines, limit=2)
    end_next()
    cancelled = mine.post(f"/api/v1/batches/{batch.pk}/cancel/").json()
    assert (cancelled["state"], cancelled["completed"], cancelled["cancelled"]) == ("cancelled", 1, 4)
    work()
    assert Counter(Run.objects.values_list("state", flat=True)) == {"completed": 1, "cancelled": 2}
    again = mine.post(f"/api/v1/batches/{batch.pk}/cancel/")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "ended")


def test_a_run_that_somebody_asked_for_before_survives_the_batch(lists, ines, end_next):
    made = lists(2)
    before = runs.request_sync(Source.objects.get(name="s1"), by=ines).run
    batch = batches.start(made, by=ines)
    batches.cancel(batch, by=ines)
    before.refresh_from_db()
    assert before.state == "queued"
    assert states(batch) == {"cancelled": 2}


def test_a_part_whose_worker_died_goes_on_with_the_run_that_follows(lists, ines, end_next):
    batch = batches.start(lists(1), by=ines)
    run = Run.objects.get()
    Run.objects.filter(pk=run.pk).update(state="interrupted", finished_at=timezone.now())
    following = Run.objects.create(list_id=run.list_id, source_id=run.source_id, kind="manual", previous=run)
    batches.drive(batch.pk)
    assert BatchPart.objects.get().run == following
    end_next()
    batch.refresh_from_db()
    assert batch.state == "completed"


@pytest.fixture
def troubled(monkeypatch):
    """name of a source -> what its fetch raises."""
    errors = {}
    fetch = ScriptedLive.fetch

    def fetch_or_raise(self, ctx):
        for name, error in errors.items():
            if f"/{name}-" in ctx.config["path"]:
                raise error
        return fetch(self, ctx)

    monkeypatch.setattr(ScriptedLive, "fetch", fetch_or_raise)
    return errors


def ripen() -> None:
    """The time of what waits has come."""
    retries.start_ripe(Run.objects.filter(state="waiting").latest("next_attempt_at").next_attempt_at)


DOWN = SourceUnavailable("It did not answer. Nothing was changed.")


@pytest.mark.covers("BAT-03")
def test_a_try_that_succeeds_counts_for_its_batch(mine, lists, ines, troubled, end_next):
    troubled["s1"] = DOWN
    batch = batches.start(lists(3), by=ines, strategy="sequential")
    assert [end_next() for _ in range(3)] == ["s1", "s2", "s3"], "what waits keeps nobody waiting"
    batch.refresh_from_db()
    assert (batch.state, states(batch)) == ("running", {"running": 1, "completed": 2})
    part = mine.get(f"/api/v1/batches/{batch.pk}/parts/?state=running").json()["results"][0]
    assert part["note"] == "It is tried again. It did not answer. Nothing was changed."
    ripen()
    troubled.clear()
    assert end_next() == "s1"
    batch.refresh_from_db()
    assert (batch.state, states(batch)) == ("completed", {"completed": 3})
    part = mine.get(f"/api/v1/batches/{batch.pk}/parts/").json()["results"][0]
    assert (part["run"], part["note"]) == (Run.objects.get(attempt=2).pk, "")


@pytest.mark.covers("BAT-03")
def test_a_part_has_failed_when_its_last_try_has(lists, ines, troubled, end_next):
    troubled["s1"] = DOWN
    batch = batches.start(lists(2), by=ines)
    for _ in range(2):
        end_next()
    for _ in range(3):
        assert states(batch) == {"running": 1, "completed": 1}
        ripen()
        end_next()
    batch.refresh_from_db()
    assert (batch.state, states(batch)) == ("partial", {"failed": 1, "completed": 1})
    assert batch.parts.get(state="failed").note == "It did not answer. Nothing was changed."


@pytest.mark.covers("BAT-03")
@pytest.mark.parametrize("recovers", [True, False])
def test_who_stops_at_the_first_failure_waits_for_the_last_try(lists, ines, troubled, end_next, recovers):
    troubled["s1"] = DOWN
    batch = batches.start(lists(3), by=ines, limit=1, stop_on_failure=True)
    end_next()
    assert (states(batch), queued()) == ({"running": 1, "waiting": 2}, 0)
    if recovers:
        troubled.clear()
    for _ in range(1 if recovers else 3):
        ripen()
        assert queued() == 1
        end_next()
    if recovers:
        assert [end_next(), end_next()] == ["s2", "s3"]
    batch.refresh_from_db()
    assert states(batch) == ({"completed": 3} if recovers else {"failed": 1, "skipped": 2})


@pytest.mark.covers("BAT-04")
def test_a_try_that_waits_is_cancelled_with_its_batch(lists, ines, troubled, end_next):
    troubled["s1"] = DOWN
    batch = batches.start(lists(1), by=ines)
    end_next()
    batches.cancel(batch, by=ines)
    batch.refresh_from_db()
    assert (batch.state, states(batch)) == ("cancelled", {"cancelled": 1})
    assert not Run.objects.active().exists()


def test_a_try_of_what_somebody_asked_for_before_survives_the_batch(lists, ines, troubled, end_next):
    troubled["s1"] = DOWN
    made = lists(1)
    runs.request_sync(made[0].sources.get(), by=ines)
    batch = batches.start(made, by=ines)
    end_next()
    batches.cancel(batch, by=ines)
    assert states(batch) == {"cancelled": 1}
    assert Run.objects.get(attempt=2).state == "waiting"


def test_a_run_that_its_service_puts_off_takes_no_place(lists, ines, troubled, end_next):
    troubled["s1"] = BreakerOpen("It is left alone. Nothing was asked.", retry_after=30)
    batch = batches.start(lists(2), by=ines, limit=1, stop_on_failure=True)
    assert end_next() == "s1"
    assert (states(batch), queued()) == ({"running": 2}, 1), "it has not failed"
    assert end_next() == "s2"
    ripen()
    troubled.clear()
    assert end_next() == "s1"
    batch.refresh_from_db()
    assert batch.state == "completed"


@pytest.mark.covers("BAT-05")
def test_conflicts_are_counted_over_the_batch_by_kind(mine, lists, ines, work, end_next):
    made = lists(3)
    for list_ in made:
        runs.request_sync(list_.sources.get(), by=ines)
    work()
    for list_ in made[:2]:
        services.edit_entries(list_, {list_.entries.get().pk: {"year": 1950}}, by=ines)
    for n, list_ in enumerate(made, 1):
        with open(list_.sources.get().config["path"], "w") as file:
            json.dump([film(n, year=2001)], file)
    batch = mine.post("/api/v1/batches/", {"lists": [list_.pk for list_ in made], "force": True}).json()
    assert batch["conflicts"] == {}
    for _ in made:
        end_next()
    assert mine.get(f"/api/v1/batches/{batch['id']}/").json()["conflicts"] == {"field": 2}


@pytest.mark.covers("BAT-05")
def test_what_rules_settled_is_no_question_of_a_batch(mine, lists, live, ines, end_next):
    (made,) = lists(1)
    services.change_rules(made, by=ines, strategy="new")
    runs.request_sync(made.sources.get(), by=ines)
    second = live(made, "second")
    second.sync([film(1)])
    Claim.objects.update(first_at=F("first_at") - timedelta(days=1))  # what comes now is newer by more than a second
    with open(second.config["path"], "w") as file:
        json.dump([film(1, year=2001)], file)
    batch = mine.post("/api/v1/batches/", {"lists": [made.pk], "force": True}).json()
    end_next()
    end_next()
    assert Conflict.objects.by_rule().exists()
    assert mine.get(f"/api/v1/batches/{batch['id']}/").json()["conflicts"] == {}


@pytest.mark.covers("BAT-03")
def test_a_batch_is_complete_in_part_if_one_of_its_runs_is(mine, lists, end_next):
    made = lists(2)
    with open(made[0].sources.get().config["path"], "w") as file:
        json.dump([film(1), {"broken": "x"}], file)
    batch = mine.post("/api/v1/batches/", {"lists": [list_.pk for list_ in made]}).json()
    end_next()
    end_next()
    last = mine.get(f"/api/v1/batches/{batch['id']}/").json()
    assert (last["state"], last["completed"], last["failed"]) == ("partial", 2, 0)


def test_nobody_syncs_or_sees_the_batch_of_another(lists, ines, jonas):
    made = lists(1)
    assert api(jonas).post("/api/v1/batches/", {"lists": [made[0].pk]}).status_code == 400
    batch = batches.start(made, by=ines)
    services.share_list(made[0], user=jonas, role="viewer", by=ines)
    assert api(jonas).get(f"/api/v1/batches/{batch.pk}/").status_code == 404
    assert api(jonas).post("/api/v1/batches/", {"lists": [made[0].pk]}).status_code == 403


@pytest.mark.covers("BAT-01", "BAT-03", "BAT-04")
def test_lists_are_chosen_on_their_page_and_followed_on_another(client, ines, lists, fails, end_next, upload, films):
    upload(films, [film(9)])
    made = lists(3)
    client.force_login(ines)
    html = client.get(reverse("lists:index")).content.decode()
    assert html.count('name="lists"') == 3, "a list of files has no box"
    fails.add("s1")
    body = {"lists": [list_.pk for list_ in made], "strategy": "sequential"}
    led = client.post(reverse("sync:runs_batches"), body)
    batch = Batch.objects.get()
    assert led.url == reverse("sync:runs_batch", args=[batch.pk])
    assert "3 sources at once" in client.get(led.url).content.decode()
    progress = reverse("sync:runs_batch_progress", args=[batch.pk])
    end_next()
    html = client.get(progress).content.decode()
    assert "0 completed, 1 failed, 0 left alone, 1 running, 1 waiting" in html
    said = client.post(reverse("sync:runs_batch_cancel", args=[batch.pk]), follow=True).content.decode()
    assert "Nothing more is started." in said
    assert client.get(progress).status_code == 204
    html = client.get(reverse("sync:runs_batches")).content.decode()
    assert "Cancelled" in html
    nothing = client.post(reverse("sync:runs_batches"), {"strategy": "parallel"}, follow=True).content.decode()
    assert "Nothing was started." in nothing


def test_the_pages_of_a_batch_take_few_queries(client, ines, lists, django_assert_max_num_queries):
    batch = batches.start(lists(12), by=ines)
    client.force_login(ines)
    for name, args in (("runs_batch", [batch.pk]), ("runs_batches", [])):
        client.get(reverse(f"sync:{name}", args=args))
        with django_assert_max_num_queries(14):
            client.get(reverse(f"sync:{name}", args=args))
