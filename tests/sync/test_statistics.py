"""Figures of runs, hour by hour, and their end after so many days."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from lists import services
from lists.models import Audit, Version
from sync import statistics, tasks
from sync.clearing import prune_runs
from sync.models import Batch, Run
from tests.lists.test_api import api

NOON = datetime(2026, 3, 14, 12, 30, tzinfo=UTC)


@pytest.fixture
def ended(films, live):
    """A run that ended some hours before a moment."""
    sources = {}

    def ended(hours: float, state="completed", *, list_=films, now=NOON, **values) -> Run:
        if list_.pk not in sources:
            sources[list_.pk] = live(list_)
        at = now - timedelta(hours=hours)
        return Run.objects.create(
            list=list_, source_id=sources[list_.pk].pk, kind="manual", state=state, created_at=at, started_at=at,
            finished_at=at, **values,
        )  # fmt: skip

    return ended


@pytest.fixture
def known(ended):
    """Two runs that brought something, one in part, two kinds of failures, one cancelled, one too long ago."""

    def known(now):
        ended(1, found=1000, duration_ms=2000, now=now)
        ended(1.2, found=300, duration_ms=3000, now=now)
        ended(25, "partial", found=50, duration_ms=1000, now=now)
        for hours in (2, 3):
            ended(hours, "failed", duration_ms=9000, error_code="network", error="It did not answer.", now=now)
        ended(4, "failed", error_code="parse", error="This is no list.", now=now)
        ended(5, "cancelled", now=now)
        ended(6, "interrupted", now=now)
        ended(24 * 40, found=10**6, duration_ms=1, now=now)

    return known


@pytest.mark.covers("HIST-04", "HIST-11")
def test_known_runs_give_known_figures(ines, known):
    now = timezone.now()
    known(now)
    found = api(ines).get("/api/v1/runs/statistics/?days=30").json()
    assert {name: value for name, value in found.items() if name not in ("start", "end", "errors")} == {
        "total": 8, "completed": 2, "partial": 1, "failed": 3, "cancelled": 1, "interrupted": 1, "items": 1350,
        "average_items": 450.0, "average_ms": 2000.0, "peak_items_per_s": 500.0, "error_rate": 0.5,
    }  # fmt: skip
    assert [(row["code"], row["message"], row["count"]) for row in found["errors"]] == [
        ("network", "It did not answer.", 2), ("parse", "This is no list.", 1),
    ]  # fmt: skip
    assert found["errors"][0]["last_at"][:16] == (now - timedelta(hours=2)).isoformat()[:16]


def test_what_was_not_measured_is_not_zero(ines, films, ended):
    nothing = statistics.figures(Run.objects.all(), days=30, now=NOON)
    assert (nothing.total, nothing.items, nothing.average_ms, nothing.peak_items_per_s, nothing.error_rate) == (
        0, 0, None, None, None,
    )  # fmt: skip
    ended(1, found=5)
    ended(1, found=5, duration_ms=0)
    ended(1, "cancelled")
    found = statistics.figures(Run.objects.all(), days=30, now=NOON)
    assert (found.average_ms, found.peak_items_per_s, found.error_rate) == (0.0, None, 0.0)
    (hour,) = statistics.hourly(Run.objects.all(), days=1, now=NOON)
    assert (hour["runs"], hour["items_per_s"]) == (2, None)


def test_only_the_five_commonest_errors_are_named(ended):
    for n in range(7):
        for _ in range(n + 1):
            ended(1, "failed", error=f"Error {n}", error_code="network")
    found = statistics.figures(Run.objects.all(), days=1, now=NOON)
    assert [(row["message"], row["count"]) for row in found.errors] == [(f"Error {n}", n + 1) for n in (6, 5, 4, 3, 2)]


@pytest.mark.covers("HIST-05")
def test_known_runs_give_known_hours(known, settings):
    settings.TIME_ZONE = "Asia/Kolkata"  # half an hour off: hours are those of UTC all the same
    known(NOON)
    assert statistics.hourly(Run.objects.all(), days=7, now=NOON) == [
        {"hour": datetime(2026, 3, 13, 11, tzinfo=UTC), "runs": 1, "average_ms": 1000.0, "items_per_s": 50.0},
        {"hour": datetime(2026, 3, 14, 11, tzinfo=UTC), "runs": 2, "average_ms": 2500.0, "items_per_s": 300.0},
    ]
    assert len(statistics.hourly(Run.objects.all(), days=1, now=NOON)) == 1


@pytest.mark.covers("HIST-05")
def test_trends_by_api_are_of_ones_own_lists(ines, jonas, known, films):
    known(timezone.now())
    hours = api(ines).get(f"/api/v1/runs/trends/?days=7&list={films.pk}").json()["hours"]
    assert sum(row["runs"] for row in hours) == 3
    assert api(jonas).get("/api/v1/runs/trends/").json() == {"hours": []}
    assert api(jonas).get("/api/v1/runs/statistics/").json()["total"] == 0


def test_figures_are_of_one_list_or_of_all(ines, ended):
    other = services.create_list(ines, name="Other")
    now = timezone.now()
    ended(1, found=1, duration_ms=1, now=now)
    ended(1, found=1, duration_ms=1, now=now, list_=other)
    client = api(ines)
    assert client.get("/api/v1/runs/statistics/").json()["total"] == 2
    assert client.get(f"/api/v1/runs/statistics/?list={other.pk}").json()["total"] == 1
    assert client.get("/api/v1/runs/statistics/?days=0").status_code == 400


@pytest.mark.covers("HIST-04", "HIST-05")
def test_the_page_of_figures(page, known, films, client, ines):
    known(timezone.now())
    with CaptureQueriesContext(connection) as asked:
        html = page("runs_figures", list=films.pk, days="30")
    assert len(asked) <= 12
    assert "It did not answer." in html
    assert "50 %" in html
    assert "Hour by hour" in html
    assert "No run ended in that time" in page("runs_figures", list=99999, days="x")
    log = client.get(reverse("sync:list_runs", args=[films.pk])).content.decode()
    assert f"{reverse('sync:runs_figures')}?list={films.pk}" in log


@pytest.mark.covers("HIST-06")
def test_old_runs_go_at_night_and_what_they_brought_stays(films, live, ines, settings, titles, work):
    settings.RUN_DAYS = 90
    source = live(films)
    old, new = source.sync([{"key": "1", "title": "Film 1"}]), source.sync([{"key": "1", "title": "Film 2"}])
    long_ago = timezone.now() - timedelta(days=91)
    Run.objects.filter(pk=old.pk).update(finished_at=long_ago)
    Run.objects.filter(pk=new.pk).update(previous=old)
    Batch.objects.create(width=1, state="completed", finished_at=long_ago)
    audited = Audit.objects.count()
    assert "1 old runs deleted" in tasks.nightly()
    assert list(Run.objects.values_list("pk", "previous")) == [(new.pk, None)]
    assert not Run.history.filter(id=old.pk).exists()
    assert Run.history.filter(id=new.pk).exists()
    assert not Batch.objects.exists()
    assert titles(films) == ["Film 2"]
    assert (Version.objects.count(), Audit.objects.count()) == (2, audited)


@pytest.mark.covers("HIST-06")
def test_old_runs_go_by_command(ended, capsys):
    now = timezone.now()
    kept = ended(24 * 9, now=now)
    waits = ended(24 * 11, now=now)
    Run.objects.filter(pk=waits.pk).update(state="queued", finished_at=None, started_at=None)
    ended(24 * 11, now=now)
    call_command("prune_runs", "--days", "10")
    assert capsys.readouterr().out.strip() == "1 runs deleted."
    assert set(Run.objects.values_list("pk", flat=True)) == {kept.pk, waits.pk}
    with pytest.raises(CommandError, match="Nothing was deleted"):
        call_command("prune_runs", "--days", "0")


def test_many_old_runs_go_in_blocks(ended, monkeypatch):
    monkeypatch.setattr("sync.clearing.AT_ONCE", 2)
    for _ in range(5):
        ended(24 * 100)
    assert prune_runs(now=NOON) == 5
