"""The pages of runs: how an import went, all of them, and the log of one list."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from lists import services
from sync.models import Run
from sync.views.runs import RUNS_SHOWN
from tests.states import in_state


def film(n: int, **more):
    return {"key": f"tt{n:07}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990 + n % 30, **more}


def test_a_run_tells_what_it_brought_and_what_it_could_not_read(page, films, upload):
    run = upload(films, [film(1), film(1), {"broken": "x"}, {"person": True}])
    html = page("run", run.pk)
    for text in ("Partly completed", "It is broken.", "1 × person", "1 listed twice", "Reading", "by ines"):
        assert text in html, text
    assert reverse("lists:version", args=[films.pk, 1]) in html
    second = upload(films, [film(1), film(2)])
    html = page("run", second.pk)
    assert f"{reverse('lists:diff', args=[films.pk])}?from=1&amp;to=2" in html
    assert reverse("sync:run", args=[run.pk]) in html  # what was before


def test_a_run_that_failed_says_what_happened_and_what_to_do(page, films, upload):
    run = upload(films, [film(1)])
    Run.objects.update(
        state=Run.State.FAILED, error="The worker stopped. Nothing was changed.", error_code="parse", version=None
    )
    html = page("run", run.pk)
    assert "The worker stopped. Nothing was changed." in html
    assert f"parse-{run.pk}" in html
    assert "Upload the file again" in html


@pytest.mark.covers("HIST-03")
def test_runs_are_chosen_by_list_state_and_day_and_paged(page, client, films, ines, upload):
    other = services.create_list(ines, name="Sea films")
    first, second = upload(films, [film(1)]), upload(other, [film(1), {"broken": "x"}])
    source = first.source
    Run.objects.bulk_create(
        Run(
            list=films,
            source=source,
            kind="upload",
            **in_state("failed"),
            created_at=timezone.now() - timedelta(days=9),
        )
        for _ in range(RUNS_SHOWN + 5)
    )

    def shown(**params) -> list[int]:
        return [int(pk) for pk in re.findall(r"run (\d+)</span></a></td>", page("runs", **params))]

    today = timezone.localdate()
    assert len(shown()) == RUNS_SHOWN
    assert shown(list=str(other.pk)) == [second.pk]
    assert shown(state="completed") == [first.pk]
    assert shown(state="partial") == [second.pk]
    assert shown(**{"from": str(today)}) == [second.pk, first.pk]
    assert shown(to=str(today - timedelta(days=1)), list=str(other.pk)) == []
    assert shown(state="no", list="x", to="2025-99-99") == shown()
    on = re.search(r'href="(\?[^"]+)" rel="next"', page("runs", state="failed"))
    assert on
    rest = client.get(reverse("sync:runs") + on[1].replace("&amp;", "&")).content.decode()
    older = [int(pk) for pk in re.findall(r"run (\d+)</span></a></td>", rest)]
    assert sorted(older + shown(state="failed")) == sorted(
        Run.objects.filter(state="failed").values_list("pk", flat=True)
    )
    assert page("list_runs", other.pk).count("</a></td>") == 1


def test_runs_of_somebody_else_are_not_shown(client, films, jonas, upload):
    run = upload(films, [film(1)])
    client.force_login(jonas)
    assert "Films to watch" not in client.get(reverse("sync:runs")).content.decode()
    for name in ("run", "run_progress"):
        assert client.get(reverse(f"sync:{name}", args=[run.pk])).status_code == 404


def test_a_running_import_shows_on_every_page(page, client, films, upload):
    run = upload(films, [film(1)])
    Run.objects.filter(pk=run.pk).update(**in_state("running"), progress=62, step="Comparing")
    assert "62 %" in client.get(reverse("lists:index")).content.decode()
    html = page("run", run.pk)
    assert '<li class="now" aria-current="step">' in html
    assert 'http-equiv="refresh"' in html


@pytest.mark.covers("OPS-12")
def test_a_thousand_runs_ask_as_often_as_ten(client, films, ines, upload):
    run = upload(films, [film(1)])
    client.force_login(ines)

    def queries(size: int) -> list[int]:
        missing = size - Run.objects.count()
        Run.objects.bulk_create(
            Run(list=films, source=run.source, kind="upload", **in_state("failed")) for _ in range(missing)
        )
        counts = []
        for address in (
            reverse("sync:runs"),
            reverse("sync:list_runs", args=[films.pk]),
            reverse("sync:run", args=[run.pk]),
        ):
            with CaptureQueriesContext(connection) as seen:
                assert client.get(address).status_code == 200
            counts.append(len(seen))
        return counts

    few = queries(10)
    assert queries(1000) == few
    assert max(few) <= 12
