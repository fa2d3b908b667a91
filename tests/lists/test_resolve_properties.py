"""What holds for every strategy, whatever sources say: resolve is a function of the set of words, and invents nothing."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lists.filters import Sieve
from lists.models import Strategy
from lists.resolve import HAND, PRESENCE, PRESENT, resolve
from lists.strategies import Weighing
from lists.titles import fold
from lists.words import Word

LONG = bool(os.environ.get("LISTKEEPER_LONG_TESTS"))
DAY = 24 * 3600
FIELDS = {
    "title": st.sampled_from(["Heat", "HEAT", "Heat 2"]), "year": st.sampled_from([1995, 1996]),
    "release_date": st.sampled_from(["1995", "1995-12", "1996-01-01"]), "overview": st.sampled_from(["A", "A story", "B"]),
    "runtime_s": st.sampled_from([0, 10_200]), "rating": st.sampled_from([0.0, 7.9, 8.3]), "votes": st.sampled_from([0, 10, 11, 900]),
    "poster": st.sampled_from(["p", "q"]), "backdrop": st.sampled_from(["b", "c"]), "genres": st.sampled_from([["Crime"], ["crime", "Drama"]]),
    "original_title": st.just("Heat"), "popularity": st.sampled_from([0.0, 60.0]), "confidence": st.sampled_from([0.2, 0.9]),
    "release_status": st.just("released"),
}  # fmt: skip
values = st.fixed_dictionaries({}, optional=FIELDS)


@st.composite
def words_said(draw) -> list[Word]:
    """Words of up to four sources, told apart by source, member and key."""
    known = draw(
        st.lists(
            st.tuples(st.integers(1, 4), st.integers(0, 1), st.sampled_from("ab")), min_size=1, max_size=5, unique=True
        )
    )
    said = []
    for source, member, key in known:
        first = draw(st.sampled_from([0, 1, DAY, DAY + 1, 3 * DAY]))
        what = draw(values)
        times = {name: [first, first + draw(st.sampled_from([0, 1, DAY + 1]))] for name in list(what)[:2]}
        ids = {"imdb": "tt1"} if draw(st.booleans()) else {}
        said.append(Word(source, source, key, what, first, times, feed=source != 4, member=member, ids=ids))
    return said


weighings = st.builds(
    Weighing, st.sampled_from(Strategy.values), st.dictionaries(st.sampled_from(list(FIELDS)), st.lists(st.integers(1, 4), max_size=2))
)  # fmt: skip
MANY = settings(max_examples=2000 if LONG else 150)


@pytest.mark.covers("CONF-03", "CONF-06", "CONF-10")
@given(said=words_said(), weighing=weighings, dice=st.randoms(use_true_random=False))
@MANY
def test_the_order_in_which_words_arrive_never_matters(said, weighing, dice):
    first = resolve(said, {}, weighing)
    shuffled = list(said)
    dice.shuffle(shuffled)
    assert resolve(shuffled, {}, weighing) == first


SIEVES = st.builds(
    Sieve,
    st.dictionaries(
        st.sampled_from(["min_rating", "min_imdb_rating"]), st.sampled_from([7.9, 8.0, 9.0])
    ).map(lambda wanted: wanted | {"year_to": 1995, "no_genres": ["drama"]}),
    st.sampled_from(["", "is not known"]),
    st.just({1: "imdb_csv", 2: "imdb_page", 3: "tmdb"}),
)  # fmt: skip


@pytest.mark.covers("LIST-12")
@given(said=words_said(), weighing=weighings, sieve=SIEVES, dice=st.randoms(use_true_random=False))
@MANY
def test_nor_does_it_for_filters(said, weighing, sieve, dice):
    first = resolve(said, {}, weighing, filters=sieve)
    shuffled = list(said)
    dice.shuffle(shuffled)
    assert resolve(shuffled, {}, weighing, filters=sieve) == first
    assert resolve(said, {}, weighing).values == first.values, "a filter changes no value"
    if first.values.get("year") == 1996 and first.present:
        assert first.excluded


@given(said=words_said(), weighing=weighings)
@MANY
def test_everything_that_is_said_is_shown_and_nothing_else(said, weighing):
    shown = resolve(said, {}, weighing)
    assert set(shown.values) == {name for word in said for name in word.values}
    for name, value in shown.values.items():
        origin = shown.origins.get(name, shown.origins.get("*"))
        if isinstance(origin, list) or name == "genres":
            spoken = {fold(each) for word in said for each in word.values.get(name, ())}
            assert {fold(each) for each in value} <= spoken
        else:
            assert any(word.source == origin and word.values.get(name) == value for word in said)


@given(said=words_said(), weighing=weighings)
@MANY
def test_what_is_shown_weighed_once_more_stays_as_it_is(said, weighing):
    shown = resolve(said, {}, weighing)
    again = Word(1, 1, "again", shown.values, 0, {})
    assert resolve([again], {}, weighing).values == shown.values
    twice = [again, Word(2, 2, "again", shown.values, 3 * DAY, {})]
    assert resolve(twice, {}, weighing).values == shown.values


@given(said=words_said(), weighing=weighings, edited=st.sampled_from(["title", "rating", "genres", PRESENCE]))
@MANY
def test_an_edit_stands_under_every_strategy(said, weighing, edited):
    word = {"title": "Mine", "rating": 1.0, "genres": ["Mine"], PRESENCE: PRESENT}[edited]
    shown = resolve(said, {edited: word}, weighing)
    if edited == PRESENCE:
        assert shown.present
    else:
        assert (shown.values[edited], shown.origins[edited]) == (word, HAND)


@given(said=words_said(), weighing=weighings, by_hand=st.booleans())
@MANY
def test_what_is_blocked_never_returns(said, weighing, by_hand):
    def block(values, item, ids):
        return "Blocked." if ("imdb", "tt1") in ids or values.get("title") == "Heat" else ""

    shown = resolve(said, {PRESENCE: PRESENT} if by_hand else {}, weighing, [block])
    hit = shown.values.get("title") == "Heat" or any(word.ids for word in said)
    assert shown.excluded == ("Blocked." if hit else "")
