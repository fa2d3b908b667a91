"""Filters of a list: what they keep out and why, what a person lets in all the same, and how much comes at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lists import filters, integrity, services
from lists.filters import BadFilters, Sieve, checked
from lists.models import Audit, Claim, Entry, Source, Version
from lists.words import Word
from sync.management.commands.verify_integrity import ALL

pytestmark = pytest.mark.covers("LIST-12")


def film(n: int, **more):
    return {"key": f"tt{n:07}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", **more}


PLAIN = {"year": 1990, "rating": 7.0, "votes": 1000, "genres": ["Drama"], "language": "en", "runtime_s": 6000}
# One film for each filter: what it differs in, what it is kept out by, and why.
ONE_EACH = [
    ({"year": 1931}, {"year_from": 1950}, "Filtered: year 1931 is before 1950."),
    ({"year": 2021}, {"year_to": 2000}, "Filtered: year 2021 is after 2000."),
    ({"rating": 5.1}, {"min_rating": 6}, "Filtered: rating 5.1 is below 6."),
    ({"votes": 12}, {"min_votes": 100}, "Filtered: vote count 12 is below 100."),
    ({"genres": ["War", "Crime"]}, {"genres": ["drama", "Comedy"]}, "Filtered: genre War, Crime is none of those let in."),
    ({"genres": ["Drama", "Horror"]}, {"no_genres": ["horror"]}, "Filtered: genre Horror is kept out."),
    ({"language": "fr"}, {"languages": ["en", "de"]}, "Filtered: language fr is none of those let in."),
    ({"kind": "show"}, {"kinds": ["movie"]}, "Filtered: kind show is none of those let in."),
    ({"runtime_s": 2700}, {"min_minutes": 60}, "Filtered: length 45 min is below 60 min."),
    ({"runtime_s": 12_000}, {"max_minutes": 180}, "Filtered: length 200 min is above 180 min."),
]  # fmt: skip
ALL_FILTERS = {name: value for _, wanted, _ in ONE_EACH for name, value in wanted.items()}
COUNTED = {"kind": 1, "year": 2, "rating": 1, "vote count": 1, "genre": 2, "language": 1, "length": 2}


@pytest.fixture
def rows():
    """A film that passes every filter, one that nobody knows anything about, and one for each filter."""
    said = [film(1, **PLAIN), film(2)]
    return said + [film(n, **(PLAIN | more)) for n, (more, _, _) in enumerate(ONE_EACH, 3)]


@pytest.fixture
def sound():
    def sound(list_) -> bool:
        """What is stored is consistent, and a refold changes nothing."""
        return list(integrity.run(ALL)) == [] and services.refold(list_, kind="rules") is None

    return sound


def reasons(list_) -> dict[str, str]:
    return dict(Entry.objects.filter(list=list_, state="excluded").order_by("id").values_list("title", "reason"))


def test_each_filter_keeps_out_its_film_with_the_right_reason(films, ines, live, rows, titles, sound):
    services.change_filters(films, by=ines, **ALL_FILTERS)
    source = live(films)
    run = source.sync(rows)
    assert titles(films) == ["Film 1", "Film 2"]
    assert reasons(films) == {f"Film {n}": why for n, (_, _, why) in enumerate(ONE_EACH, 3)}
    assert (run.found, run.added, run.excluded) == (12, 2, 10)
    assert run.details["filtered"] == COUNTED
    assert Claim.objects.count() == 12, "what is filtered keeps its claims"
    again = source.sync(rows)
    assert (again.excluded, again.details["filtered"], again.version) == (10, COUNTED, None)
    assert sound(films)


def test_a_changed_filter_needs_no_fetch_and_makes_a_version(films, ines, live, rows, titles, sound):
    source = live(films)
    source.sync(rows)
    said = list(Claim.objects.order_by("id").values_list("id", "digest", "first_at"))
    made = services.change_filters(films, by=ines, year_from=1950, min_rating=6)
    assert (made.kind, made.summary, made.removed, made.added) == (Version.Kind.RULES, "Filters of the list", 2, 0)
    assert reasons(films) == {
        "Film 3": "Filtered: year 1931 is before 1950.", "Film 5": "Filtered: rating 5.1 is below 6.",
    }  # fmt: skip
    looser = services.change_filters(films, by=ines, year_from=1930, min_rating=None)
    assert (looser.removed, looser.added) == (0, 2)
    assert titles(films) == [f"Film {n}" for n in range(1, 13)], "each is back where it stood"
    assert services.change_filters(films, by=ines, year_from=1930) is None
    films.refresh_from_db()
    assert films.filters == {"year_from": 1930}
    assert list(Claim.objects.order_by("id").values_list("id", "digest", "first_at")) == said
    acts = list(Audit.objects.filter(action="changed filters").order_by("id").values_list("before", "after"))
    assert acts == [
        ({"year_from": None, "min_rating": None}, {"year_from": 1950, "min_rating": 6}),
        ({"year_from": 1950, "min_rating": 6}, {"year_from": 1930, "min_rating": None}),
    ]
    assert sound(films)


def test_what_is_not_known_comes_in_unless_the_list_says_otherwise(films, ines, live, rows, titles):
    live(films).sync(rows[:2])
    services.change_filters(films, by=ines, **ALL_FILTERS)
    assert titles(films) == ["Film 1", "Film 2"]
    services.change_filters(films, by=ines, keep_out_unknown=True)
    assert titles(films) == ["Film 1"]
    assert reasons(films) == {"Film 2": "Filtered: year is not known."}


def test_filters_test_what_would_be_shown(films, ines, live, titles):
    """The list's own words: another source that goes first, and what a person typed."""
    services.change_filters(films, by=ines, min_rating=6)
    first, second = live(films, "first"), live(films, "second")
    second.sync([film(1, rating=8.0), film(2, rating=8.0)])
    first.sync([film(1, rating=5.0)])
    assert titles(films) == ["Film 2"], "the first source is believed"
    entry = Entry.objects.get(title="Film 2")
    services.edit_entries(films, {entry.pk: {"rating": 3.0}}, by=ines)
    assert titles(films) == []
    services.give_back(films, {entry.pk: ["rating"]}, by=ines)
    assert titles(films) == ["Film 2"]
    run = second.sync([film(1, rating=8.0), film(2, rating=5.5)])
    assert (run.removed, titles(films)) == (1, []), "a filtered film leaves with the sync that says so"


def test_the_rating_of_one_service_counts_where_it_states_one(films, ines, live, titles):
    imdb, other = live(films, "imdb"), live(films, "other")
    services.change_filters(films, by=ines, min_imdb_rating=6.5)
    imdb.sync([film(1, rating=6.0), film(2, rating=7.0)])
    other.sync([film(1, rating=9.0), film(2, rating=2.0), film(3, rating=2.0)])
    assert titles(films) == ["Film 1", "Film 2", "Film 3"]
    Source.objects.filter(pk=imdb.pk).update(adapter="imdb_list", priority=90)
    services.refold(films, kind="rules")
    assert reasons(films) == {"Film 1": "Filtered: IMDb rating 6 is below 6.5."}, "it is not what the list shows"
    services.change_filters(films, by=ines, min_imdb_rating=None, min_tmdb_rating=9)
    assert titles(films) == ["Film 1", "Film 2", "Film 3"]


def test_what_a_person_put_here_passes_filters_and_no_block(films, ines, live, titles, sound):
    live(films).sync([film(1, year=1931), film(2, year=1932), film(3, year=1999)])
    services.change_filters(films, by=ines, year_from=1950)
    assert titles(films) == ["Film 3"]
    let_in = Entry.objects.get(title="Film 1")
    services.restore_entries(films, [let_in.pk], by=ines)
    services.add_entry(films, by=ines, values={"title": "Typed", "year": 1920})
    assert titles(films) == ["Film 1", "Film 3", "Typed"]
    services.block(by=ines, scope="list", list_=films, item=let_in.item)
    assert titles(films) == ["Film 3", "Typed"]
    assert sound(films)
    services.give_back(films, {let_in.pk: ["presence"]}, by=ines)
    services.unblock(films.blocks.get(), by=ines)
    assert reasons(films) == {
        "Film 1": "Filtered: year 1931 is before 1950.",
        "Film 2": "Filtered: year 1932 is before 1950.",
    }


def test_a_rollback_names_what_a_filter_keeps_out_today(films, ines, live, titles, sound):
    live(films).sync([film(1, year=1931), film(2, year=1999)])
    first = films.versions.get()
    services.change_filters(films, by=ines, year_from=1950)
    films.refresh_from_db()
    missing = services.preview_rollback(films, first).missing
    assert [(row.title, row.reason) for row in missing] == [("Film 1", "Filtered: year 1931 is before 1950.")]
    services.rollback(films, first, by=ines)
    films.refresh_from_db()
    assert (titles(films), films.filters) == (["Film 2"], {"year_from": 1950})
    assert sound(films)


def test_a_preview_shows_what_filters_keep_out(films, ines, upload, rows):
    services.change_filters(films, by=ines, **ALL_FILTERS)
    proposal = upload(films, rows, confirm=False)
    assert (proposal.result["counts"]["added"], proposal.result["counts"]["excluded"]) == (2, 10)
    assert proposal.result["filtered"] == COUNTED
    kept_out = {row["title"]: row["reason"] for row in proposal.result["kept_out"]}
    assert kept_out == {f"Film {n}": why for n, (_, _, why) in enumerate(ONE_EACH, 3)}
    assert not Entry.objects.exists()


IMDB = """Const,Title,Title Type,IMDb Rating,Year,Genres,Num Votes
tt0000001,Good,Movie,7.5,1999,Drama,900
tt0000002,Bad,Movie,4.5,1999,Drama,900
"""


def test_the_preview_of_a_new_source_knows_its_service(films, ines, upload, titles):
    services.change_filters(films, by=ines, min_imdb_rating=6)
    proposal = upload(films, IMDB.encode(), adapter="imdb_csv", name="ratings.csv", confirm=False)
    assert [row["reason"] for row in proposal.result["kept_out"]] == ["Filtered: IMDb rating 4.5 is below 6."]
    run = upload(films, IMDB.encode(), adapter="imdb_csv", name="ratings.csv")
    assert (run.excluded, run.details["filtered"], titles(films)) == (1, {"IMDb rating": 1}, ["Good"])


# -- so many at once ---------------------------------------------------------------------------------------------------


class TestAtMostSoManyNewPerSync:
    def test_takes_the_first_ones_and_the_rest_later(self, films, ines, live, titles, sound):
        services.change_filters(films, by=ines, max_new=2, year_from=1950)
        source = live(films, adapter="scripted_whole")
        said = [film(1, year=1931), film(2), film(3), film(4), film(5, year=1932), film(6)]
        run = source.sync(said)
        assert titles(films) == ["Film 2", "Film 3"]
        assert (run.found, run.added, run.excluded, run.details["waiting"]) == (6, 2, 2, 2)
        assert sound(films)
        run = source.sync(said)  # the same bytes: no digest was kept
        assert titles(films) == ["Film 2", "Film 3", "Film 4", "Film 6"]
        assert (run.added, run.details["waiting"]) == (2, 0)
        assert source.sync(said).outcome == "not-modified"

    def test_goes_by_the_order_that_the_source_states(self, films, ines, live, titles):
        services.change_filters(films, by=ines, max_new=1)
        source = live(films)
        source.sync([film(1, position=3), film(2, position=1), film(3, position=2)])
        assert titles(films) == ["Film 2"]

    def test_counts_only_what_the_list_does_not_show_yet(self, films, ines, live, titles):
        first, second = live(films, "first"), live(films, "second")
        first.sync([film(1), film(2)])
        services.change_filters(films, by=ines, max_new=1)
        run = second.sync([film(1), film(2), film(3), film(4)])
        assert (run.details["waiting"], titles(films)) == (1, ["Film 1", "Film 2", "Film 3"])

    def test_takes_nothing_off(self, films, ines, live, titles):
        source = live(films, grace=0)
        source.sync([film(1), film(2), film(3), film(4), film(5)])
        services.change_filters(films, by=ines, max_new=1)
        run = source.sync([film(n) for n in (6, 7, 1, 2, 3, 4)])
        assert (run.added, run.removed) == (1, 0), "it was missing for the first time"
        run = source.sync([film(n) for n in (6, 7, 1, 2, 3, 4)])
        assert (run.added, run.removed) == (1, 1)
        assert titles(films) == ["Film 6", "Film 7", "Film 1", "Film 2", "Film 3", "Film 4"]

    def test_cuts_no_window_that_rolls_on_and_no_file(self, films, ines, live, upload, titles):
        services.change_filters(films, by=ines, max_new=1)
        live(films, mode="rolling").sync([film(1), film(2)])
        upload(films, [film(3), film(4)])
        assert len(titles(films)) == 4


# -- what a filter may be ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"min_rating": 11}, "min_rating"),
        ({"min_rating": True}, "min_rating"),
        ({"min_votes": 1.5}, "min_votes"),
        ({"year_from": 1950, "year_to": 1940}, "year_to"),
        ({"min_minutes": 90, "max_minutes": 80}, "max_minutes"),
        ({"genres": "Drama"}, "genres"),
        ({"genres": ["Drama"], "no_genres": ["drama"]}, "no_genres"),
        ({"languages": [1]}, "languages"),
        ({"kinds": ["book"]}, "kinds"),
        ({"keep_out_unknown": "yes"}, "keep_out_unknown"),
        ({"max_new": 0}, "max_new"),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(films, ines, wrong, field):
    with pytest.raises(BadFilters) as refused:
        services.change_filters(films, by=ines, **wrong)
    assert set(refused.value.fields) == {field}
    assert "Nothing was changed." in str(refused.value)
    films.refresh_from_db()
    assert films.filters == {}


def test_only_what_is_set_is_stored():
    assert checked({"min_rating": 0, "genres": [" Drama ", "Drama", ""], "no_genres": [" "], "year_to": None, "kinds": [],
                    "keep_out_unknown": False, "max_new": ""}) == {"min_rating": 0, "genres": ["Drama"]}  # fmt: skip


def test_a_language_with_its_country_is_that_language_too():
    sieve = Sieve({"languages": ["PT"]}, "", {})
    assert [sieve({"language": said}, "movie", ()) for said in ("pt", "pt-BR")] == ["", ""]
    assert sieve({"language": "ptx"}, "movie", ()) == "Filtered: language ptx is none of those let in."


values = st.fixed_dictionaries(
    {},
    optional={
        "year": st.integers(1900, 2030), "rating": st.floats(0, 10), "votes": st.integers(0, 500), "runtime_s": st.integers(1, 20_000),
        "genres": st.lists(st.sampled_from(["Drama", "War", "Crime"]), min_size=1), "language": st.sampled_from(["en", "fr"]),
    },
)  # fmt: skip
wishes = st.fixed_dictionaries(
    {},
    optional={
        "year_from": st.integers(1900, 1980), "year_to": st.integers(1980, 2030), "min_rating": st.floats(0, 10),
        "min_imdb_rating": st.floats(0, 10), "min_votes": st.integers(0, 500), "genres": st.just(["Drama"]),
        "no_genres": st.just(["War"]), "languages": st.just(["en"]), "kinds": st.just(["movie"]), "keep_out_unknown": st.booleans(),
        "max_minutes": st.integers(1, 300),
    },
)  # fmt: skip


@given(said=values, wanted=wishes, kind=st.sampled_from(["movie", "show"]), rating=st.none() | st.floats(0, 10))
def test_a_reason_is_counted_under_what_the_filter_looked_at(said, wanted, kind, rating):
    words = [Word(1, 0, "k", {} if rating is None else {"rating": rating}, 0, {})]
    wanted = checked(wanted)
    unknown = "is not known" if wanted.pop("keep_out_unknown", False) else ""
    ordered = {name: wanted[name] for name in filters.FILTERS if name in wanted}
    why = Sieve(ordered, unknown, {1: "imdb_list"})(said, kind, words)
    assert sum(filters.counted([why]).values()) == (why != "")
    assert len(why) <= 200
    for name in ordered:  # each filter alone says the same or lets it in: none hangs on another
        alone = Sieve({name: ordered[name]}, unknown, {1: "imdb_list"})(said, kind, words)
        assert why or not alone
