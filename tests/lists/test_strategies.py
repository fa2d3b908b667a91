"""The scored strategies, as tables of cases at their thresholds."""

import pytest

from lists.models import Strategy
from lists.quality import FACTORS, PARTS, filled, images, quality
from lists.resolve import resolve
from lists.strategies import Weighing
from lists.strategies._standing import Verdict
from lists.strategies.by_rules import by_completeness
from lists.strategies.intelligent import verdict
from lists.words import Word

DAY = 24 * 3600
FULL = {
    "title": "Heat", "year": 1995, "release_date": "1995-12-15", "overview": "A story.", "runtime_s": 10_200,
    "genres": ["Crime"], "rating": 8.3, "votes": 700_000, "poster": "p", "backdrop": "b", "original_title": "Heat",
    "popularity": 60.0, "release_status": "released",
}  # fmt: skip
IDS = {"imdb": "tt0113277", "tmdb": "movie/949"}


def word(source: int, *, at: int = 0, ids: dict | None = None, times: dict | None = None, **values) -> Word:
    return Word(source, source, f"k{source}", values, at, times or {}, ids=ids or {})


def shown(strategy: str, *words: Word, **preferred: list[int]):
    return resolve(words, {}, Weighing(strategy, preferred))


def origin(resolved, name: str):
    return resolved.origins.get(name, resolved.origins.get("*"))


# -- scores ----------------------------------------------------------------------------------------------------------


def test_thirteen_parts_make_one_hundred():
    assert (len(PARTS), sum(PARTS.values())) == (13, 100)
    assert (quality({}, 0), quality(FULL, 2)) == (0, 100)
    groups = [
        {"title", "ids", "year", "release_date"}, {"overview", "runtime_s", "genres", "rating", "votes"}, {"poster", "backdrop"},
        {"original_title", "popularity"},
    ]  # fmt: skip
    assert [sum(PARTS[name] for name in group) for group in groups] == [40, 30, 20, 10]


@pytest.mark.parametrize(
    ("values", "ids", "score"),
    [
        ({"title": "Heat"}, 0, 10), ({"title": "Heat"}, 1, 20), ({"title": "Heat"}, 3, 20),
        ({"votes": 10}, 0, 0), ({"votes": 11}, 0, 5), ({"rating": 0.0, "popularity": 0.0, "runtime_s": 0}, 0, 0),
        ({"poster": "p", "backdrop": "b"}, 0, 20), ({"genres": []}, 0, 0), ({"language": "en"}, 0, 0),
        ({"release_status": "released"}, 0, 0),
    ],
)  # fmt: skip
def test_quality(values, ids, score):
    assert quality(values, ids) == score


def test_completeness_counts_fifteen_factors():
    assert len(FACTORS) + 2 == 15
    known = dict(FULL)
    for left in range(15, 2, -1):
        assert filled(known, 2) == left
        known.popitem()
    assert [filled({}, ids) for ids in range(4)] == [0, 1, 2, 2]
    assert filled({"rating": 0.0, "votes": 0, "runtime_s": 0}, 0) == 2, "0 is an answer, but for a length"


def test_images_are_counted():
    assert [images({}), images({"poster": "p"}), images({"poster": "p", "backdrop": "b"})] == [0, 1, 2]


# -- thresholds ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "newer_s", "expected"),
    [
        (50, 50, DAY + 1, Verdict.UPDATE), (50, 50, DAY, Verdict.MERGE), (50, 50, 0, Verdict.MERGE),
        (50, 59, DAY + 1, Verdict.UPDATE), (50, 60, DAY + 1, Verdict.MERGE), (59, 50, DAY + 1, Verdict.UPDATE),
        (60, 50, DAY + 1, Verdict.MERGE), (50, 70, 0, Verdict.MERGE), (50, 71, 0, Verdict.UPDATE),
        (70, 50, DAY + 1, Verdict.MERGE), (71, 50, DAY + 1, Verdict.KEEP),
    ],
)  # fmt: skip
def test_the_verdict_by_quality(old, new, newer_s, expected):
    assert verdict(old, new, newer_s=newer_s) is expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [(10, 12, Verdict.MERGE), (10, 13, Verdict.UPDATE), (12, 10, Verdict.MERGE), (13, 10, Verdict.KEEP),
     (5, 6, Verdict.MERGE), (5, 7, Verdict.UPDATE), (0, 0, Verdict.MERGE), (0, 1, Verdict.UPDATE)],
)  # fmt: skip
def test_the_verdict_by_completeness(old, new, expected):
    assert by_completeness(old, new) is expected


# -- intelligent -----------------------------------------------------------------------------------------------------


@pytest.mark.covers("CONF-04")
def test_of_equally_good_records_the_one_that_is_a_day_newer_wins_what_is_contested():
    first = word(1, at=0, title="Heat", year=1995)
    assert shown("intelligent", first, word(2, at=DAY + 1, title="HEAT", year=1996)).values == {
        "title": "HEAT", "year": 1996,
    }  # fmt: skip
    assert shown("intelligent", first, word(2, at=DAY, title="HEAT", year=1996)).values["title"] == "Heat"
    older = shown("intelligent", word(1, at=DAY + 1, title="Heat"), word(2, at=0, title="HEAT"))
    assert older.values["title"] == "Heat"


@pytest.mark.covers("CONF-03", "CONF-05")
def test_the_clearly_better_record_speaks_and_the_other_fills_gaps():
    poor = word(1, at=5 * DAY, title="heat", language="en")
    rich = word(2, at=0, ids=IDS, **FULL)
    resolved = shown("intelligent", poor, rich)
    assert resolved.values == {**FULL, "language": "en"}
    assert (origin(resolved, "title"), origin(resolved, "language")) == (2, 1)


def test_records_that_are_neither_better_nor_newer_are_merged():
    resolved = shown("intelligent", word(1, title="Heat", genres=["Crime"]), word(2, title="HEAT", genres=["Drama"]))
    assert resolved.values == {"title": "Heat", "genres": ["Crime", "Drama"]}
    assert origin(resolved, "genres") == [1, 2]


def test_a_word_that_is_not_contested_is_shown_whatever_the_strategy():
    for strategy in Strategy.values:
        assert shown(strategy, word(1, title="Heat"), word(2, year=1995)).values == {"title": "Heat", "year": 1995}


# -- rules -----------------------------------------------------------------------------------------------------------


@pytest.mark.covers("CONF-06")
def test_pictures_are_never_lost_to_a_record_with_fewer():
    pictured = word(2, at=0, title="Heat", poster="old", backdrop="old")
    fuller = word(1, at=1, **{**FULL, "title": "HEAT", "poster": "new"} | {"backdrop": None})
    fuller = word(1, at=1, **{name: value for name, value in fuller.values.items() if value is not None})
    kept = shown("rules", pictured, fuller).values
    assert (kept["title"], kept["poster"], kept["backdrop"]) == ("Heat", "old", "old")
    plain = word(1, at=0, title="Heat", poster="old")
    more = word(2, at=1, title="HEAT", poster="new", backdrop="new")
    taken = shown("rules", plain, more)
    assert (taken.values["poster"], taken.values["backdrop"], taken.values["title"]) == ("new", "new", "HEAT")
    even = word(1, at=0, title="Heat", year=1995, overview="A story.", poster="old")
    taken = shown("rules", even, more)
    assert (taken.values["poster"], taken.values["title"]) == ("new", "Heat"), "more pictures give the pictures only"


@pytest.mark.covers("CONF-07", "CONF-08")
def test_the_clearly_more_complete_record_wins_what_is_contested():
    short = word(1, at=1, title="heat", year=1996)
    assert shown("rules", short, word(2, at=0, title="Heat", year=1995, language="en")).values["title"] == "heat"
    assert shown("rules", short, word(2, at=0, title="Heat", year=1995, rating=8.0)).values["title"] == "Heat"
    assert shown("rules", short, word(2, at=2, title="Heat", year=1995, rating=8.0)).values["title"] == "Heat"


@pytest.mark.covers("CONF-09")
def test_a_preferred_source_is_believed_about_its_field():
    imdb = word(1, ids=IDS, **{**FULL, "overview": "By IMDb.", "rating": 8.3})
    tmdb = word(2, title="HEAT", overview="By TMDb.", rating=7.9)
    resolved = shown("rules", imdb, tmdb, overview=[2], rating=[1], year=[2], title=[9])
    assert (resolved.values["overview"], resolved.values["rating"], resolved.values["title"]) == (
        "By TMDb.",
        8.3,
        "Heat",
    )
    assert resolved.values["year"] == 1995, "who says nothing of a field leaves it to the others"
    assert (origin(resolved, "overview"), origin(resolved, "rating")) == (2, 1)


# -- the others ------------------------------------------------------------------------------------------------------


def test_the_newest_record_speaks_for_all_its_fields():
    first = word(1, at=100, title="Heat", year=1995)
    changed = word(2, at=50, title="HEAT", year=1996, times={"year": [50, 200]})
    assert shown("newest", first, changed).values == {"title": "HEAT", "year": 1996}
    assert shown("new", first, changed).values == {"title": "Heat", "year": 1996}


def test_the_surest_record_speaks_for_all_its_fields():
    first = word(1, title="ID?", artist="Someone", confidence=0.4)
    sure = word(2, title="Glue", artist="Bicep", confidence=0.95)
    assert shown("confidence", first, sure).values == {"title": "Glue", "artist": "Bicep", "confidence": 0.95}
    unstated = word(3, title="Glue (Mix)")
    assert shown("confidence", first, unstated).values["title"] == "Glue (Mix)"
    assert shown("confidence", word(4, artist="A"), word(5, title="T", artist="B")).values["artist"] == "B"


@pytest.mark.covers("CONF-10")
def test_a_merge_takes_the_best_of_both_and_names_where_each_is_from():
    first = word(
        1, title="Heat", genres=["Crime"], release_date="1995", overview="A thief and a …", rating=9.0, votes=12
    )
    other = word(
        2, title="Heat!", genres=["crime", "Drama"], release_date="1995-12-15", overview="A thief and a policeman.",
        rating=8.3, votes=700_000, poster="p",
    )  # fmt: skip
    resolved = shown("merge", first, other)
    assert resolved.values == {
        "title": "Heat", "genres": ["Crime", "Drama"], "release_date": "1995-12-15", "overview": "A thief and a policeman.",
        "rating": 8.3, "votes": 700_000, "poster": "p",
    }  # fmt: skip
    assert {name: origin(resolved, name) for name in resolved.values} == {
        "title": 1, "genres": [1, 2], "release_date": 2, "overview": 2, "rating": 2, "votes": 2, "poster": 2,
    }  # fmt: skip
    unlike = shown(
        "merge", word(1, overview="One story.", rating=9.0), word(2, overview="Another, longer story.", rating=1.0)
    )
    assert unlike.values == {"overview": "One story.", "rating": 9.0}, "else the first source"


@pytest.mark.parametrize("strategy", Strategy.values)
def test_the_lists_own_words_only_fill_gaps(strategy):
    facts = Word(1, 9, "facts", {**FULL, "title": "Facts"}, 10 * DAY, {}, feed=False, ids=IDS)
    resolved = shown(strategy, word(2, title="Heat"), facts)
    assert (resolved.values["title"], resolved.values["year"]) == ("Heat", 1995)
