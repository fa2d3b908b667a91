"""Trakt's answers: typed items, things wrapped with counts, bare things."""

import json

import pytest

from lists.records import NotTaken, Record, Unreadable
from sync.adapters import Context, recognise
from sync.errors import BadPayload
from sync.sources.trakt_json import TraktJson, parse_row

MOVIE = {"title": "Heat", "year": 1995, "ids": {"trakt": 77, "slug": "heat-1995", "imdb": "tt0113277", "tmdb": 949}}
SHOW = {"title": "Dark", "year": 2017, "ids": {"trakt": 8, "slug": "dark", "tvdb": 334824, "imdb": None, "tmdb": 70523}}


def read(value) -> list:
    return list(TraktJson().fetch(Context(json.dumps(value).encode())))


@pytest.mark.parametrize(
    ("item", "values"),
    [
        ({"rank": 3, "listed_at": "2024-01-02T03:04:05.000Z", "notes": "again", "type": "movie", "movie": MOVIE},
         {"added_on": "2024-01-02", "note": "again"}),
        ({"collected_at": "2024-01-02T03:04:05.000Z", "movie": MOVIE}, {"added_on": "2024-01-02"}),
        ({"rated_at": "2024-01-02T03:04:05.000Z", "rating": 9, "type": "movie", "movie": MOVIE},
         {"rated_on": "2024-01-02", "your_rating": 9.0}),
        ({"watchers": 21, "movie": MOVIE}, {}),
        ({"list_count": 9, "revenue": 1, "movie": MOVIE}, {}),
        (MOVIE, {}),
    ],
)  # fmt: skip
def test_a_film_is_read_in_every_shape(item, values):
    record = parse_row(item, place=1)
    assert (record.key, record.kind) == ("movie/77", "movie")
    assert record.ids == {"imdb": "tt0113277", "tmdb": "movie/949", "trakt": "movie/77"}
    assert record.values == {"title": "Heat", "year": 1995} | values
    assert record.position == item.get("rank", 1)


def test_full_items_bring_their_fields_in_our_units():
    full = MOVIE | {
        "overview": "A thief.", "released": "1995-12-15", "runtime": 170, "rating": 8.1234, "votes": 40_000,
        "genres": ["crime", "science-fiction"], "language": "en", "status": "released", "original_title": "Feuer",
    }  # fmt: skip
    assert parse_row({"movie": full}, place=1).values == {
        "title": "Heat", "year": 1995, "overview": "A thief.", "release_date": "1995-12-15", "runtime_s": 10_200,
        "rating": 8.1234, "votes": 40_000, "genres": ["Crime", "Sci-Fi"], "language": "en", "release_status": "released",
        "original_title": "Feuer",
    }  # fmt: skip


@pytest.mark.parametrize("item", [{"type": "show", "show": SHOW}, {"plays": 3, "show": SHOW, "seasons": []}, SHOW])
def test_a_show_is_read_in_every_shape(item):
    record = parse_row(item, place=1)
    assert (record.key, record.kind) == ("show/8", "show")
    assert record.ids == {"tmdb": "show/70523", "tvdb": "show/334824", "trakt": "show/8"}


@pytest.mark.parametrize(
    ("season", "title", "key"),
    [
        ({"number": 2, "ids": {"trakt": 30, "tvdb": 31, "tmdb": 32}}, "Dark: Season 2", "season/30"),
        ({"number": 0, "ids": {"tvdb": 31}}, "Dark: Specials", "show/8/season/0"),
        ({"number": 2, "title": "The Second", "ids": {}}, "Dark: The Second", "show/8/season/2"),
    ],
)
def test_a_season_is_named_after_its_show(season, title, key):
    record = parse_row({"type": "season", "season": season, "show": SHOW}, place=1)
    assert (record.kind, record.key) == ("season", key)
    assert record.values == {"title": title, "show_title": "Dark", "season": season["number"]}
    assert all(value.startswith("season/") for value in record.ids.values())


@pytest.mark.parametrize(
    ("episode", "title", "key"),
    [
        ({"season": 1, "number": 2, "title": "Lies", "ids": {"trakt": 40, "imdb": "tt6305578"}}, "Lies", "episode/40"),
        ({"season": 1, "number": 2, "title": None, "ids": {"tvdb": 41}}, "Episode 2", "show/8/season/1/episode/2"),
    ],
)
def test_an_episode_says_its_place_in_its_show(episode, title, key):
    record = parse_row({"type": "episode", "episode": episode, "show": SHOW}, place=1)
    assert (record.kind, record.key) == ("episode", key)
    assert record.values == {"title": title, "show_title": "Dark", "season": 1, "episode": 2}


@pytest.mark.parametrize(
    "person", [{"type": "person", "person": {"name": "A. Body", "ids": {"trakt": 1}}}, {"name": "A. Body", "ids": {}}]
)
def test_persons_are_not_taken(person):
    assert read([{"movie": MOVIE}, person])[1] == NotTaken(1, "person")


def test_a_list_of_persons_is_refused():
    with pytest.raises(BadPayload, match=r"The file holds no media: 1 person\. Nothing was read\."):
        read([{"type": "person", "person": {"name": "A. Body", "ids": {"trakt": 1}}}])


def test_an_item_without_trakts_number_goes_by_another():
    film = {"title": "Heat", "year": 1995, "ids": {"trakt": None, "imdb": "tt0113277", "tmdb": None}}
    assert parse_row({"movie": film}, place=1).key == "imdb:tt0113277"
    assert parse_row({"movie": film | {"ids": {}}}, place=1).key == "heat|1995|"


@pytest.mark.parametrize(
    ("item", "reason", "key"),
    [
        (7, "no Trakt item", None),
        ({}, "no film or show", None),
        ({"type": "movie"}, "no movie in this item", None),
        ({"type": "movie", "movie": MOVIE | {"year": "soon"}}, "Year must be a year", "movie/77"),
        ({"type": "movie", "movie": {"ids": {}}}, "neither a title nor an id", None),
        ({"type": "movie", "movie": MOVIE | {"ids": {"trakt": 77, "imdb": "nm1"}}}, "no IMDb id", "movie/77"),
    ],
)
def test_a_bad_item_is_named_and_the_rest_is_read(item, reason, key):
    rows = read([item, {"movie": MOVIE}])
    assert [type(row) for row in rows] == [Unreadable, Record]
    assert reason in rows[0].reason
    assert rows[0].key == key


def test_an_empty_page_has_no_rows():
    assert read([]) == []
    assert recognise(b"[]")[0] is TraktJson


def test_an_answer_that_is_no_list_is_refused():
    with pytest.raises(BadPayload, match="not a list of Trakt items"):
        read({"added": {"movies": 1}})


@pytest.mark.parametrize("items", [[MOVIE], [{"type": "show", "show": SHOW}], [{"watchers": 1, "movie": MOVIE}]])
def test_trakts_items_are_recognised_before_plain_lists(items):
    assert recognise(json.dumps(items).encode())[0] is TraktJson


def test_plain_lists_are_not_taken_for_trakts():
    assert TraktJson not in recognise(b'[{"title": "Heat", "ids": {"imdb": "tt0113277"}}]')
