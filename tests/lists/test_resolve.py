"""The fold of one entry, as a table of cases."""

import random

import pytest

from lists.models import Strategy
from lists.resolve import ABSENT, HAND, PRESENCE, PRESENT, resolve
from lists.words import Word


def word(source: int, *, first_at: int = 0, times: dict | None = None, key: str = "k", **values) -> Word:
    return Word(source, rank=source, key=key, values=values, first_at=first_at, times=times or {})


OLD = word(2, first_at=100, title="Old", year=1995, genres=["Drama", "Crime"])
NEW = word(1, first_at=200, title="New", rating=8.0, genres=["crime", "Thriller"])


@pytest.mark.parametrize(
    ("strategy", "title", "origin", "genres"),
    [
        (Strategy.PRIORITY, "New", 1, ["crime", "Thriller"]),
        (Strategy.KEEP, "Old", 2, ["Drama", "Crime"]),
        (Strategy.NEW, "New", 1, ["crime", "Thriller"]),
        (Strategy.MERGE, "New", 1, ["crime", "Thriller", "Drama"]),
    ],
)
def test_a_strategy_weighs_sources_field_by_field(strategy, title, origin, genres):
    shown = resolve([OLD, NEW], {}, strategy)
    assert shown.values == {"title": title, "year": 1995, "rating": 8.0, "genres": genres}
    assert shown.origins.get("title", shown.origins.get("*")) == origin


def test_what_changed_last_wins_even_if_it_was_said_first():
    changed = word(2, first_at=100, title="Changed", times={"title": [100, 300]})
    assert resolve([changed, NEW], {}, Strategy.NEW).values["title"] == "Changed"
    assert resolve([changed, NEW], {}, Strategy.KEEP).values["title"] == "Changed"


def test_united_lists_name_all_their_sources():
    shown = resolve([OLD, NEW], {}, Strategy.MERGE)
    assert shown.origins["genres"] == [1, 2]


def test_an_edit_is_shown_whatever_sources_say():
    shown = resolve([OLD, NEW], {"title": "Mine", "rating": None})
    assert shown.values["title"] == "Mine"
    assert "rating" not in shown.values
    assert (shown.origins["title"], shown.origins["rating"]) == (HAND, HAND)


@pytest.mark.parametrize(
    ("words", "edits", "present"),
    [
        ([OLD], {}, True),
        ([], {}, False),
        ([OLD], {PRESENCE: ABSENT}, False),
        ([], {PRESENCE: PRESENT, "title": "By hand"}, True),
        ([], {"title": "An edit of a field keeps nothing on a list"}, False),
    ],
)
def test_presence(words, edits, present):
    assert resolve(words, edits).present is present


def test_a_block_tests_what_would_be_shown():
    def no_drama(values, item, ids):
        return "Drama" if "Drama" in values.get("genres", ()) else ""

    assert resolve([OLD], {}, blocks=[no_drama]).excluded == "Drama"
    assert resolve([OLD], {"genres": ["Crime"]}, blocks=[no_drama]).excluded == ""
    assert resolve([OLD], {PRESENCE: ABSENT}, blocks=[no_drama]).excluded == ""


@pytest.mark.parametrize("strategy", Strategy.values)
def test_the_order_in_which_words_arrive_never_matters(strategy):
    dice = random.Random(1)
    words = [
        word(n % 3 + 1, key=f"k{n}", first_at=100 + n % 2, title=f"T{n % 4}", genres=[f"G{n % 3}"]) for n in range(6)
    ]
    first = resolve(words, {}, strategy)
    for _ in range(20):
        dice.shuffle(words)
        assert resolve(words, {}, strategy) == first
