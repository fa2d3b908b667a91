"""What is due is read: each source at its own interval, once, whoever looks and however often."""

import json
import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django_q.models import Schedule

from lists import services
from lists.errors import Unfit
from lists.models import Source
from sync import runs, schedule
from sync.errors import Busy
from sync.models import Run
from sync.schedule import dispatch
from sync.times import next_time

MINUTE = timedelta(minutes=1)


def film(n: int, **more):
    return {"key": f"tt{n:07}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990 + n % 30, **more}


@pytest.fixture
def source(films, live):
    source = live(films)
    with open(source.config["path"], "w") as file:
        json.dump([film(1)], file)
    return source


@pytest.fixture
def now():
    return timezone.now()


def planned(source) -> timedelta:
    """How long after its last run it is due."""
    source.refresh_from_db()
    return source.next_sync_at - source.last_run_at


@pytest.mark.covers("SYNC-01")
def test_a_due_source_is_read_once_and_its_next_time_is_stored(source, work, titles, films):
    assert dispatch().due == 1
    assert dispatch().due == 0
    work()
    run = Run.objects.get()
    assert (run.kind, run.state, run.requested_by_name) == ("scheduled", "completed", "")
    assert titles(films) == ["Film 1"]
    assert 360 * MINUTE <= planned(source) <= 361.1 * MINUTE
    assert dispatch(source.next_sync_at - MINUTE).due == 0
    assert dispatch(source.next_sync_at).due == 1


def test_what_was_missed_is_done_once_and_not_replayed(source, work, now):
    Source.objects.filter(pk=source.pk).update(next_sync_at=now - timedelta(days=30))
    assert dispatch(now).due == 1
    work()
    assert dispatch(now).due == 0
    assert Run.objects.count() == 1


@pytest.mark.parametrize(
    "change",
    [{"enabled": False}, {"sync_enabled": False}, {"removed_at": timezone.now()}, {"adapter": "csv_table"}],
    ids=lambda change: next(iter(change)),
)
@pytest.mark.covers("LIST-01")
def test_what_is_off_or_is_a_file_is_not_scheduled(source, change, now):
    Source.objects.filter(pk=source.pk).update(next_sync_at=now, **change)
    assert dispatch(now).due == 0
    assert not Run.objects.exists()


def test_nothing_is_read_for_a_list_in_the_bin(source, films, ines, now):
    services.bin_list(films, by=ines)
    assert dispatch(now).due == 0
    services.restore_list(films, by=ines)
    assert dispatch(now).due == 1


def test_a_run_that_takes_longer_than_the_interval_is_not_asked_for_again(source, now):
    assert dispatch(now).due == 1
    assert runs.claim()
    for hours in (7, 14, 21):
        assert dispatch(now + timedelta(hours=hours)).due == 0
    assert Run.objects.count() == 1


def test_who_has_waited_longest_goes_first_and_no_more_than_the_queue_bears(films, live, now, monkeypatch, work):
    monkeypatch.setattr(schedule, "BACKLOG", 2)
    sources = [live(films, f"s{n}") for n in range(5)]
    for n, source in enumerate(sources):
        with open(source.config["path"], "w") as file:
            json.dump([film(1)], file)
        Source.objects.filter(pk=source.pk).update(next_sync_at=now - n * MINUTE)
    order = []
    for count in (2, 2, 1, 0):
        assert dispatch(now).due == count
        order += Run.objects.filter(state="queued").order_by("id").values_list("source__name", flat=True)
        assert dispatch(now).due == 0, "the queue is full"
        work()
    assert order == ["s4", "s3", "s2", "s1", "s0"]


def test_another_interval_counts_from_the_last_run(source, ines, work, now):
    dispatch(now)
    work()
    services.change_source(source, by=ines, interval_min=60)
    dispatch(now)
    assert planned(source) == 60 * MINUTE
    services.change_source(source, by=ines, enabled=False)
    dispatch(now)
    source.refresh_from_db()
    assert source.next_sync_at is None
    with pytest.raises(Unfit, match="Nothing was changed"):
        services.change_source(source, by=ines, interval_min=0)


def test_a_clock_that_ran_ahead_does_not_stop_a_source_for_years(source, ines, now):
    Source.objects.filter(pk=source.pk).update(
        next_sync_at=now + timedelta(days=4000), last_run_at=now + timedelta(days=4000), gap_min=15
    )
    dispatch(now)
    assert dispatch(now + timedelta(hours=6)).due == 1
    Run.objects.update(state="completed", finished_at=now)
    assert runs.request_sync(source, by=ines).run is not None


@pytest.mark.parametrize("back", [timedelta(hours=1), timedelta(days=1)])
def test_after_a_clock_was_set_back_nothing_waits_for_longer_than_its_interval_and_not_all_is_read_at_once(
    films, live, now, back
):
    for n in range(20):
        live(films, f"s{n}", interval_min=60)
    Source.objects.update(
        next_sync_at=now + back + timedelta(minutes=50), last_run_at=now + back - timedelta(minutes=10)
    )
    assert dispatch(now).due < 10
    waits = [at - now for at in Source.objects.values_list("next_sync_at", flat=True)]
    assert max(waits) <= 61 * MINUTE
    planned = now + timedelta(minutes=61)
    Source.objects.update(next_sync_at=planned)
    Run.objects.update(state="completed", finished_at=now, started_at=None)
    dispatch(now)
    assert set(Source.objects.values_list("next_sync_at", flat=True)) == {planned}, "what a right clock planned stays"


def test_sources_that_were_added_together_drift_apart(now):
    at = {next_time(now, 360) for _ in range(20)}
    assert len(at) > 10
    assert all(360 * MINUTE <= each - now <= 361 * MINUTE for each in at)
    assert all(next_time(now, 1) - now <= 1.05 * MINUTE for _ in range(20))


def test_the_database_holds_one_sync_of_a_source_at_a_time(source, ines):
    asked = runs.request_sync(source, by=ines)
    with pytest.raises(Busy) as busy:
        runs.request_sync(source, by=ines)
    assert busy.value.run == asked.run
    with pytest.raises(IntegrityError), transaction.atomic():
        Run.objects.create(list_id=source.list_id, source_id=source.pk, kind="scheduled")


def test_a_clock_that_was_set_back_does_not_stop_the_tick_or_the_nights_work(db, now):
    schedule.keep_ticking()
    ticking, nightly = (Schedule.objects.filter(name=name) for name in ("tick", "nightly"))
    due = nightly.get().next_run
    Schedule.objects.update(next_run=now + timedelta(hours=26))
    dispatch(now)
    assert ticking.get().next_run == now
    assert nightly.get().next_run in (due, due + timedelta(days=1)), "the test may run at half past three"
    Schedule.objects.update(next_run=now + MINUTE)
    schedule.keep_ticking()
    assert {row.next_run for row in Schedule.objects.all()} == {now + MINUTE}


def test_a_schedule_that_was_made_twice_is_one_again(db):
    for func in ("sync.tasks.tick", "os.getcwd", "os.getcwd"):
        for name in ("tick", "nightly", "somebody else's"):
            Schedule.objects.create(name=name, func=func)
    oldest = Schedule.objects.order_by("id").filter(name="tick").first()
    schedule.keep_ticking()
    assert Schedule.objects.get(name="tick") == oldest
    assert Schedule.objects.get(name="nightly").func == schedule.NIGHTLY
    assert Schedule.objects.filter(name="somebody else's").count() == 3


@pytest.mark.skipif(connection.vendor != "postgresql", reason="only on PostgreSQL: SQLite has one writer")
@pytest.mark.django_db(transaction=True)
def test_workers_that_start_together_for_the_first_time_make_each_schedule_once():
    for _ in range(5):
        Schedule.objects.all().delete()
        together(schedule.keep_ticking, count=3)
        assert sorted(Schedule.objects.values_list("name", flat=True)) == ["nightly", "tick"]


def together(act, *, count: int) -> list:
    """What each thread got that did it at the same moment."""
    ready, found = threading.Barrier(count), []

    def do():
        try:
            connection.ensure_connection()
            ready.wait(20)
            found.append(act())
        finally:
            connection.close()

    threads = [threading.Thread(target=do) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == count
    return found


@pytest.mark.covers("SYNC-01")
@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="only on PostgreSQL: processes show it for SQLite, in a file"
)
@pytest.mark.django_db(transaction=True)
def test_four_workers_that_look_at_the_same_moment_make_one_run_of_each(films, live, ines):
    others = [services.create_list(ines, name=f"List {n}") for n in range(4)]
    for list_ in (films, *others):
        live(list_)
    assert sum(found.due for found in together(dispatch, count=4)) == 5
    assert Run.objects.filter(kind="scheduled").values("source").distinct().count() == Run.objects.count() == 5
