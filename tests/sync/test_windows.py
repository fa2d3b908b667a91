"""Charts: each good window takes the place of the last one. Feeds: what came stays."""

import pytest

from lists.models import MediaList, Source
from sync.models import Run


def films_(*numbers: int) -> list[dict]:
    return [
        {"key": f"tt{n}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990, "position": place}
        for place, n in enumerate(numbers, 1)
    ]


@pytest.fixture
def chart(films, live):
    return live(films, mode=Source.Mode.ROLLING)


@pytest.mark.covers("STR-16")
def test_a_chart_takes_the_place_of_the_last_one_at_once(films, chart, titles):
    chart.sync(films_(*range(1, 11)))
    run = chart.sync(films_(10, 9, *range(11, 19)))
    assert (run.state, run.outcome, run.removed, run.held) == (Run.State.COMPLETED, Run.Outcome.WINDOW, 8, 0)
    assert titles(films) == [f"Film {n}" for n in (10, 9, *range(11, 19))]


@pytest.mark.parametrize(("came", "says"), [((), "empty"), ((1, 99), "2 rows where it usually has 10")])
@pytest.mark.covers("STR-16")
def test_a_window_that_is_empty_or_short_replaces_nothing(films, chart, titles, came, says):
    chart.sync(films_(*range(1, 11)))
    run = chart.sync(films_(*came))
    assert (run.state, run.outcome, run.removed) == (Run.State.PARTIAL, Run.Outcome.PARTIAL, 0)
    assert says in run.error
    assert "Nothing was removed" in run.error
    assert len(titles(films)) == 10 + (99 in came)
    assert chart.sync(films_(*range(3, 13))).removed > 0, "the next good one does"


def test_half_of_a_chart_is_a_chart(films, chart, titles):
    chart.sync(films_(*range(1, 11)))
    assert chart.sync(films_(*range(1, 6))).removed == 5


def test_a_length_that_stays_becomes_the_usual_one(films, chart, titles):
    chart.sync(films_(*range(1, 21)))
    refused = 0
    while chart.sync(films_(1, 2, 3, 4, 5)).state == Run.State.PARTIAL:
        refused += 1
        assert refused < 20
    assert 3 <= refused <= 8
    assert len(titles(films)) == 5


def test_an_empty_chart_never_becomes_usual(films, chart, titles):
    chart.sync(films_(*range(1, 11)))
    assert {chart.sync([]).state for _ in range(8)} == {Run.State.PARTIAL}
    assert len(titles(films)) == 10


def test_a_chart_that_breaks_off_replaces_nothing(films, chart, titles):
    chart.sync(films_(*range(1, 11)))
    run = chart.sync([*films_(*range(4, 14)), {"cut": "It went down."}])
    assert (run.outcome, run.removed) == (Run.Outcome.PARTIAL, 0)


def test_a_list_that_asks_about_every_removal_asks_here_too(films, chart, titles):
    MediaList.objects.filter(pk=films.pk).update(policy={"removals": "ask"})
    chart.sync(films_(*range(1, 11)))
    assert chart.sync(films_(*range(1, 10))).held == 1


def test_what_another_source_lists_stays(films, chart, live, titles):
    live(films, "other").sync(films_(1, 2))
    chart.sync(films_(*range(1, 11)))
    chart.sync(films_(*range(11, 21)))
    assert titles(films)[:2] == ["Film 1", "Film 2"]
    assert len(titles(films)) == 12


def test_what_came_with_a_feed_stays(films, live, titles):
    feed = live(films, mode=Source.Mode.COLLECTING)
    feed.sync(films_(1, 2, 3))
    run = feed.sync(films_(3, 4))
    assert (run.outcome, run.removed, len(titles(films))) == (Run.Outcome.WINDOW, 0, 4)
    assert feed.sync([]).removed == 0


def test_how_it_went_says_what_the_source_knows(films, live, upload, titles):
    assert live(films, "a").sync(films_(1)).outcome == Run.Outcome.UNVERIFIED
    counted = live(films, "b", adapter="scripted_counted")
    assert counted.sync(films_(1)).outcome == Run.Outcome.COMPLETE
    assert counted.sync([]).outcome == Run.Outcome.EMPTY
    assert upload(films, films_(1)).outcome == Run.Outcome.COMPLETE
