"""What is missing is given time to return: how much, by what a source is and what it states."""

import pytest

from lists import services
from lists.models import Claim, Entry


def film(n: int, **more) -> dict:
    return {"key": f"tt{n}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990, **more}


def films_(*numbers: int) -> list[dict]:
    return [film(n) for n in numbers]


@pytest.mark.covers("SAFE-03")
def test_gone_back_gone_gone_and_back_as_it_was(films, live, ines, titles):
    source = live(films)
    source.sync(films_(*range(1, 11)))
    five = Entry.objects.get(title="Film 5")
    services.edit_entries(films, {five.pk: {"rating": 9.0}}, by=ines)
    order = titles(films)
    without = films_(1, 2, 3, 4, 6, 7, 8, 9, 10)
    gone = source.sync(without)
    assert (gone.removed, gone.version, Claim.objects.get(entry=five).missing) == (0, None, 1)
    back = source.sync(films_(*range(1, 11)))
    assert (back.version, Claim.objects.get(entry=five).missing, titles(films)) == (None, 0, order)
    assert source.sync(without).removed == 0, "it is missing for the first time again"
    assert source.sync(without).removed == 1
    assert "Film 5" not in titles(films)
    source.sync(films_(*range(1, 11)))
    five.refresh_from_db()
    assert (five.state, five.rating, titles(films)) == ("listed", 9.0, order)
    assert Entry.objects.filter(list=films).count() == 10


@pytest.mark.covers("SAFE-03")
def test_without_a_stated_total_nothing_leaves_at_the_first_look(films, live, titles):
    source = live(films, grace=0)
    source.sync(films_(*range(1, 11)))
    assert source.sync(films_(*range(1, 10))).removed == 0
    assert source.sync(films_(*range(1, 10))).removed == 1


@pytest.mark.covers("SAFE-03")
def test_with_a_stated_total_it_may(films, live, titles):
    source = live(films, adapter="scripted_counted", grace=0)
    source.sync(films_(*range(1, 11)))
    assert source.sync(films_(*range(1, 10))).removed == 1


@pytest.mark.covers("SAFE-03")
def test_a_catalogue_is_given_three_more_looks(ines, live, titles):
    channels = services.create_list(ines, name="Channels", content="channels")
    source = live(channels)
    rows = [{"key": f"c{n}", "kind": "channel", "title": f"Channel {n}"} for n in range(1, 11)]
    source.sync(rows)
    assert [source.sync(rows[:9]).removed for _ in range(4)] == [0, 0, 0, 1]


@pytest.mark.covers("SAFE-03")
def test_a_failed_answer_between_counts_for_nothing(films, live, titles):
    source = live(films)
    source.sync(films_(*range(1, 11)))
    source.sync(films_(*range(1, 10)))
    source.sync({"fail": "It did not answer. Nothing was changed."})
    assert len(titles(films)) == 10
    assert source.sync(films_(*range(1, 10))).removed == 1
