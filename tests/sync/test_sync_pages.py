"""Sync now, on the pages: one source, or all of a list that are fetched."""

import json

import pytest
from django.urls import reverse
from django.utils import timezone

from lists import services
from lists.models import Source
from sync.models import Run


def film(n: int, **more):
    return {"key": f"tt{n:07}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990 + n % 30, **more}


@pytest.fixture
def asked(client, ines):
    """Press "Sync now" as Ines, on a source or on a list."""
    client.force_login(ines)

    def asked(thing):
        if isinstance(thing, Source):
            address = reverse("sync:sync_source", args=[thing.list_id, thing.pk])
        else:
            address = reverse("sync:sync_list", args=[thing.pk])
        return client.post(address, follow=True)

    return asked


@pytest.fixture
def about(client, ines):
    """The settings page of a list as Ines sees it."""
    client.force_login(ines)
    return lambda list_: client.get(reverse("lists:settings", args=[list_.pk])).content.decode()


@pytest.mark.covers("LIST-14")
def test_a_source_is_synced_from_its_row(about, films, live, asked, work, titles):
    source = live(films)
    source.sync([film(1)])
    assert reverse("sync:sync_source", args=[films.pk, source.pk]) in about(films)
    path = source.config["path"]
    with open(path, "w") as file:
        json.dump([film(1), film(2)], file)
    answer = asked(source)
    run = Run.objects.latest("id")
    assert answer.redirect_chain[-1][0] == reverse("sync:run", args=[run.pk])
    assert run.requested_by_name == "ines"
    assert titles(films) == ["Film 1"], "a worker does it, not the page"
    work()
    assert titles(films) == ["Film 1", "Film 2"]


def test_a_list_asks_each_of_its_sources_once(films, live, asked, work, titles):
    for n, source in enumerate([live(films, "one"), live(films, "two")], 1):
        source.sync([film(n)])
    before = Run.objects.count()
    answer = asked(films)
    assert answer.redirect_chain[-1][0] == reverse("sync:list_runs", args=[films.pk])
    assert Run.objects.count() == before + 2
    again = asked(films).content.decode()
    assert Run.objects.count() == before + 2
    assert again.count("Nothing else was started.") == 2
    work()
    assert sorted(titles(films)) == ["Film 1", "Film 2"]


def test_a_source_that_was_just_read_says_when_it_can_be_read_again(films, live, asked):
    source = live(films)
    source.sync([film(1)])
    Source.objects.filter(pk=source.pk).update(gap_min=15, last_run_at=timezone.now())
    before = Run.objects.count()
    html = asked(source).content.decode()
    assert "live was read a moment ago, so nothing was fetched. It can be read again from " in html
    assert Run.objects.count() == before


def test_a_file_cannot_be_fetched(about, films, upload, asked):
    upload(films, [film(1)])
    html = about(films)
    assert "Sync now" not in html
    for thing in (films, Source.objects.get()):
        assert (
            "There is nothing to fetch: a file is brought in by hand. Nothing was started."
            in asked(thing).content.decode()
        )
    assert Run.objects.count() == 1


def test_a_source_that_is_switched_off_is_not_asked(about, films, live, asked):
    source = live(films)
    source.sync([film(1)])
    Source.objects.filter(pk=source.pk).update(enabled=False)
    assert "Sync now" not in about(films)
    assert "Nothing was read. Switch it on first." in asked(source).content.decode()
    assert "Nothing was started." in asked(films).content.decode()
    assert Run.objects.count() == 1


def test_a_bad_day_is_said_beside_the_source_and_changes_nothing(about, films, live, titles):
    source = live(films)
    source.sync([film(1)])
    source.sync({"fail": "It did not answer. Nothing was changed."})
    assert "Failed 1 time; nothing was removed" in about(films)
    assert titles(films) == ["Film 1"]


@pytest.mark.covers("SAFE-02")
def test_an_answer_that_is_held_says_so_and_where_to_decide(page, films, live, titles):
    source = live(films)
    source.sync([film(n) for n in range(1, 11)])
    held = source.sync([film(90)])
    html = page("run", held.pk)
    assert "10 removals wait for" in html
    assert reverse("lists:review") in html
    held = source.sync([film(90), {"broken": "x"}])
    html = page("run", held.pk)
    assert "10 changes wait for somebody to look" in html
    assert "had all of this already" not in html
    assert "Sync of" in html
    assert "10 held" in page("runs")
    assert len(titles(films)) == 11


def test_what_could_not_be_read_was_not_had_already(page, films, live):
    source = live(films)
    source.sync([film(1)])
    html = page("run", source.sync([film(1), {"broken": "x"}]).pk)
    assert "had all of this already" not in html
    assert "what could not is named below" in html
    assert "The list had all of this already." in page("run", source.sync([film(1)]).pk)


def test_a_viewer_starts_nothing(client, films, jonas, live):
    source = live(films)
    services.share_list(films, user=jonas, role="viewer", by=films.owner)
    client.force_login(jonas)
    assert "Sync now" not in client.get(reverse("lists:settings", args=[films.pk])).content.decode()
    for address in (
        reverse("sync:sync_list", args=[films.pk]),
        reverse("sync:sync_source", args=[films.pk, source.pk]),
    ):
        assert client.post(address).status_code == 403
    assert not Run.objects.exists()
