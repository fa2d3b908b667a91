"""What a source no longer lists: missing first, gone next time, held when it is too much."""

import pytest
from django.utils import timezone

from lists import services, writer
from lists.changes import plan_sync
from lists.models import Claim, Entry, Provenance
from lists.plan import Reading
from lists.records import Record, Unreadable


def records(*numbers: int):
    return [Record(f"tt{n}", "movie", {"title": f"Film {n}", "year": 1990}, {"imdb": f"tt{n}"}, n) for n in numbers]


@pytest.fixture
def fetch(films, ines):
    source = services.add_source(films, adapter="scripted", name="A source", by=ines)

    def fetch(rows, *, source=source, **how):
        films.refresh_from_db()
        how = {"grace": 1, **how}
        plan = plan_sync(films, source, rows, Reading(**how), at=timezone.now(), create=True)
        with_plan = plan.counts
        writer.publish(plan, kind="sync")
        plan.close()
        return with_plan

    fetch.source = source
    return fetch


def test_what_is_missing_once_stays_and_leaves_the_next_time(films, fetch, titles):
    fetch(records(*range(1, 11)))
    fetch(records(*range(1, 10)))
    assert "Film 10" in titles(films)
    assert Claim.objects.get(key="tt10").missing == 1
    counts = fetch(records(*range(1, 10)))
    assert counts.removed == 1
    assert "Film 10" not in titles(films)
    assert Entry.objects.get(title="Film 10").reason == "No source lists it any more."


def test_a_return_clears_the_mark(films, fetch, titles):
    fetch(records(*range(1, 11)))
    fetch(records(*range(1, 10)))
    fetch(records(*range(1, 11)))
    assert Claim.objects.get(key="tt10").missing == 0
    fetch(records(*range(1, 10)))
    assert "Film 10" in titles(films), "it is missing for the first time again"


@pytest.mark.parametrize(("left", "held"), [(0, 10), (4, 6), (6, 4), (7, 0)])
def test_too_much_at_once_is_held(films, fetch, titles, left, held):
    fetch(records(*range(1, 11)))
    counts = fetch(records(*range(1, left + 1)), grace=0)
    assert counts.held == held
    assert len(titles(films)) == (10 if held else left)


def test_what_a_person_confirmed_is_not_asked_again(films, fetch, titles):
    fetch(records(*range(1, 11)))
    assert fetch([], confirmed=True, grace=0).removed == 10
    assert titles(films) == []


def test_a_partial_fetch_removes_nothing(films, fetch, titles):
    fetch(records(*range(1, 11)))
    fetch(records(1), may_remove=False, grace=0)
    fetch(records(1), may_remove=False, grace=0)
    assert len(titles(films)) == 10


def test_a_row_that_cannot_be_read_counts_as_present(films, fetch, titles):
    fetch(records(1, 2, 3, 4, 5))
    counts = fetch([*records(1, 2, 3, 4), Unreadable(5, "It is broken.", key="tt5")], grace=0)
    assert (counts.skipped, counts.removed) == (1, 0)
    assert len(titles(films)) == 5
    again = fetch([Unreadable(1, "It is broken.", key="tt1"), *records(1, 2, 3, 4, 5)], grace=0)
    assert (again.unchanged, again.removed) == (5, 0), "another row of the same key said it well"


@pytest.mark.covers("LIST-07")
def test_what_another_source_lists_stays_and_what_went_is_remembered(films, fetch, titles, ines):
    other = services.add_source(films, adapter="scripted", name="Other", by=ines)
    fetch(records(1, 2, 3, 4, 5))
    fetch(records(5), source=other)
    fetch(records(1, 2, 3), confirmed=True, grace=0)
    assert titles(films) == ["Film 5", "Film 1", "Film 2", "Film 3"], "the other source puts it first"
    gone = Provenance.objects.order_by("title")
    assert [(row.title, row.source_name, row.list_name) for row in gone] == [
        ("Film 4", "A source", "Films to watch"),
        ("Film 5", "A source", "Films to watch"),
    ]
