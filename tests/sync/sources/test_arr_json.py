"""Radarr's films and Sonarr's series; their other lists hold no media."""

import json

import pytest

from lists.records import NotTaken, Record, Unreadable
from sync.adapters import Context, recognise
from sync.errors import BadPayload
from sync.sources.arr_json import ArrJson, parse_row

MOVIE = {"title": "Heat", "year": 1995, "tmdbId": 949, "imdbId": "tt0113277", "titleSlug": "949", "monitored": True}
SERIES = {
    "title": "Dark",
    "year": 2017,
    "tvdbId": 334824,
    "tmdbId": 70523,
    "titleSlug": "dark",
    "seriesType": "standard",
}
PROFILE = {"name": "Any", "cutoff": 20, "items": [], "id": 1}
FOLDER = {"path": "/films", "freeSpace": 1, "id": 1}


def read(value) -> list:
    return list(ArrJson().fetch(Context(json.dumps(value).encode())))


def test_a_film_brings_its_fields_in_our_terms():
    film = MOVIE | {
        "originalTitle": "Feuer", "overview": "A thief.", "runtime": 170, "status": "released", "genres": ["Crime"],
        "inCinemas": "1995-12-15T00:00:00Z", "added": "2024-01-02T03:04:05.123Z", "path": "/films/Heat",
        "ratings": {"tmdb": {"votes": 7, "value": 7.9}, "imdb": {"votes": 750_000, "value": 8.3}},
        "images": [
            {"coverType": "banner", "remoteUrl": "https://img.example/banner.jpg"},
            {"coverType": "poster", "url": "/MediaCover/1/poster.jpg", "remoteUrl": "https://img.example/heat.jpg"},
            {"coverType": "fanart", "url": "https://img.example/back.jpg"},
        ],
    }  # fmt: skip
    assert parse_row(film, place=4) == Record(
        key="tmdb:movie/949",
        kind="movie",
        ids={"imdb": "tt0113277", "tmdb": "movie/949"},
        position=4,
        values={
            "title": "Heat", "original_title": "Feuer", "year": 1995, "overview": "A thief.", "runtime_s": 10_200,
            "release_status": "released", "genres": ["Crime"], "release_date": "1995-12-15", "added_on": "2024-01-02",
            "rating": 8.3, "votes": 750_000, "monitored": 1,
            "poster": "https://img.example/heat.jpg", "backdrop": "https://img.example/back.jpg",
        },
    )  # fmt: skip


def test_a_series_goes_by_its_tvdb_number():
    record = parse_row(SERIES | {"firstAired": "2017-12-01T00:00:00Z", "monitored": False}, place=1)
    assert (record.key, record.kind) == ("tvdb:show/334824", "show")
    assert record.ids == {"tmdb": "show/70523", "tvdb": "show/334824"}
    assert record.values == {"title": "Dark", "year": 2017, "release_date": "2017-12-01", "monitored": 0}


@pytest.mark.parametrize(
    "nothing",
    [
        {"year": 0},
        {"runtime": 0},
        {"added": "0001-01-01T00:00:00Z"},
        {"ratings": {"votes": 0, "value": 0.0}},
        {"ratings": {}},
        {"images": [{"coverType": "poster", "url": "/MediaCover/1/poster.jpg"}]},
        {"imdbId": ""},
        {"genres": []},
    ],
)
def test_what_they_write_for_nothing_says_nothing(nothing):
    assert parse_row({"title": "Heat", "tmdbId": 949} | nothing, place=1).values == {"title": "Heat"}


def test_older_versions_state_one_rating():
    values = parse_row(MOVIE | {"ratings": {"votes": 8674, "value": 6.9}}, place=1).values
    assert (values["rating"], values["votes"]) == (6.9, 8674)


def test_one_film_alone_is_a_list_of_one():
    [record] = read(MOVIE)
    assert record.key == "tmdb:movie/949"


def test_a_film_without_a_number_goes_by_another_id_or_its_name():
    assert parse_row(MOVIE | {"tmdbId": 0}, place=1).key == "imdb:tt0113277"
    assert parse_row({"title": "Heat", "year": 1995, "tmdbId": 0}, place=1).key == "heat|1995|"


@pytest.mark.parametrize(("item", "what"), [(PROFILE, "quality profile"), (FOLDER, "root folder")])
def test_lists_without_media_are_refused_by_what_they_hold(item, what):
    rows = ArrJson().fetch(Context(json.dumps([item, item]).encode()))
    assert [next(rows), next(rows)] == [NotTaken(1, what), NotTaken(1, what)]
    with pytest.raises(BadPayload, match=f"The file holds no media: 2 {what}s. Nothing was read."):
        next(rows)


def test_a_profile_among_films_is_not_taken():
    assert [type(row) for row in read([MOVIE, PROFILE])] == [Record, NotTaken]


@pytest.mark.parametrize(
    ("item", "reason", "key"),
    [
        ("Heat", "no film and no series", None),
        ({"tmdbId": 0}, "neither a title nor an id", None),
        (MOVIE | {"year": "soon"}, "Year must be a year", "tmdb:movie/949"),
        (SERIES | {"runtime": "long"}, "Length must be a number", "tvdb:show/334824"),
    ],
)
def test_a_bad_item_is_named_with_its_line_and_the_rest_is_read(item, reason, key):
    body = f"[{json.dumps(MOVIE)},\n{json.dumps(item)}]"
    rows = list(ArrJson().fetch(Context(body.encode())))
    assert [type(row) for row in rows] == [Record, Unreadable]
    assert (rows[1].line, rows[1].key) == (2, key)
    assert reason in rows[1].reason


@pytest.mark.parametrize("value", [[MOVIE], [SERIES], MOVIE, [PROFILE], [FOLDER], PROFILE])
def test_their_answers_are_recognised(value):
    assert recognise(json.dumps(value).encode())[0] is ArrJson


@pytest.mark.parametrize("value", [[], [{"title": "Heat", "tmdbId": 949}], {"items": []}, [1]])
def test_plain_lists_are_not_taken_for_theirs(value):
    assert ArrJson not in recognise(json.dumps(value).encode())
