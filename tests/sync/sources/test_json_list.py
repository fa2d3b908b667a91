"""Plain JSON lists: titles, ids and objects, bare or in an object."""

import json

import pytest

from lists.records import About, NotTaken, Record, Unreadable
from sync.adapters import ADAPTERS, Context, recognise
from sync.errors import BadPayload
from sync.sources.json_list import JsonList


def read(value, **config) -> list:
    body = value.encode() if isinstance(value, str) else json.dumps(value).encode()
    return list(JsonList().fetch(Context(body, config)))


@pytest.mark.parametrize(
    ("item", "kind", "ids", "values"),
    [
        ("Heat (1995)", "movie", {}, {"title": "Heat", "year": 1995}),
        ("tt0113277", "movie", {"imdb": "tt0113277"}, {}),
        (603, "movie", {"tmdb": "movie/603"}, {}),
        ({"id": 603}, "movie", {"tmdb": "movie/603"}, {}),
        ({"id": 5, "title": "Heat", "year": 1995}, "movie", {}, {"title": "Heat", "year": 1995}),
        ({"id": "tt0113277", "title": "Heat"}, "movie", {"imdb": "tt0113277"}, {"title": "Heat"}),
        ({"title": "Heat", "imdb_id": "tt0113277", "poster_url": None}, "movie", {"imdb": "tt0113277"}, {"title": "Heat"}),
        ({"Title": "Heat", "releaseYear": "1995", "imdbId": "tt0113277", "tmdbId": 949}, "movie",
         {"imdb": "tt0113277", "tmdb": "movie/949"}, {"title": "Heat", "year": 1995}),
        ({"id": 70523, "name": "Dark", "mediatype": "show", "tvdbid": 334824}, "show",
         {"tmdb": "show/70523", "tvdb": "show/334824"}, {"title": "Dark"}),
        ({"name": "x", "title": "Heat"}, "movie", {}, {"title": "Heat"}),
        ({"id": 1396, "media_type": "tv", "name": "Some", "first_air_date": "2008-01-20"}, "show",
         {"tmdb": "show/1396"}, {"title": "Some", "year": 2008, "release_date": "2008-01-20"}),
        ({"title": "Heat", "ids": {"imdb": "tt0113277", "tmdb": "949", "mal": 3}}, "movie",
         {"imdb": "tt0113277", "tmdb": "movie/949", "mal": "movie/3"}, {"title": "Heat"}),
        ({"movie": {"title": "Heat", "ids": {"simkl": 1, "imdb": "tt0113277"}}}, "movie",
         {"imdb": "tt0113277", "simkl": "movie/1"}, {"title": "Heat"}),
        ({"title": "Heat", "poster": "/x.jpg", "rating": 85, "created": 1699999999}, "movie", {}, {"title": "Heat"}),
        ({"title": "Heat", "poster_url": "https://img.example/x.jpg"}, "movie", {},
         {"title": "Heat", "poster": "https://img.example/x.jpg"}),
        ({"title": "Heat", "genres": [{"id": 1, "name": "Science Fiction"}, {"name": "drama"}]}, "movie", {},
         {"title": "Heat", "genres": ["Sci-Fi", "Drama"]}),
        ({"title": 1917, "year": 2019}, "movie", {}, {"title": "1917", "year": 2019}),
        ({"artist": "Ann", "title": "Light (2019)", "cue": "5:23"}, "track", {},
         {"artist": "Ann", "title": "Light (2019)", "cue_ms": 323_000}),
        ("https://www.imdb.com/title/tt0113277/", "movie", {"imdb": "tt0113277"},
         {"address": "https://www.imdb.com/title/tt0113277/"}),
    ],
)  # fmt: skip
def test_an_item_is_read_in_any_shape(item, kind, ids, values):
    [record] = read([item])
    assert (record.kind, record.ids, record.values) == (kind, ids, values)


@pytest.mark.parametrize(
    ("item", "key"),
    [
        ({"title": "Heat", "tmdb": 949, "imdb": "tt0113277"}, "imdb:tt0113277"),
        ({"title": "Heat", "tmdb": 949, "tvdb": 1}, "tmdb:movie/949"),
        ({"title": "Heat", "tvdb_id": 1}, "tvdb:movie/1"),
        ({"title": "Heat", "trakt_id": 1}, "trakt:movie/1"),
        ({"title": "Héat", "year": 1995}, "heat|1995|"),
        ({"title": "Light", "artist": "Ann"}, "001"),
    ],
)
def test_the_strongest_id_is_the_key(item, key):
    assert read([item])[0].key == key


@pytest.mark.parametrize("name", ["items", "movies", "results", "data", "Items"])
def test_the_list_may_stand_in_an_object(name):
    rows = read({"name": "Crime", name: [{"title": "Heat"}]})
    assert rows[0] == About("Crime")
    assert rows[1].values == {"title": "Heat"}


def test_films_and_shows_apart_are_both_read_with_their_kinds_and_running_places():
    rows = read(
        {"movies": [{"id": 949, "title": "Heat"}], "shows": [{"id": 70523, "title": "Dark"}, {"id": 1, "title": "x"}]}
    )
    assert [(row.position, row.ids["tmdb"]) for row in rows] == [(1, "movie/949"), (2, "show/70523"), (3, "show/1")]


def test_a_stated_rank_is_the_place():
    assert [row.position for row in read([{"title": "a", "rank": 9}, {"title": "b", "position": 4}])] == [9, 4]


def test_the_uploader_may_say_what_the_items_are():
    assert read([{"id": 70523, "title": "Dark"}], kind="show")[0].ids == {"tmdb": "show/70523"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"errors": [{"message": "no such list"}]}, "no such list"),
        ({"errors": ["no such list"], "items": []}, "no such list"),
        ({"response": False, "error": "API Limit Reached!"}, "API Limit Reached!"),
        ({"success": False, "status_message": "Invalid API key"}, "Invalid API key"),
        ({"error": "gone"}, "gone"),
    ],
)
def test_an_error_in_place_of_a_list_is_refused_with_its_text(value, text):
    with pytest.raises(BadPayload, match=f'an error in place of a list: "{text}"'):
        read(value)


def test_a_bad_item_is_named_with_its_line_and_the_rest_is_read():
    rows = read(
        '{"name": "x", "items": [\n {"title": "Heat", "year": "soon", "imdb": "tt0113277"},\n\n {}, true,\n "Dark"]}'
    )
    assert [type(row) for row in rows] == [About, Unreadable, Unreadable, Unreadable, Record]
    assert [row.line for row in rows[1:4]] == [2, 4, 4]
    assert rows[1].key == "imdb:tt0113277"
    assert rows[1].reason == 'Year must be a year such as 1995, not "soon".'
    assert rows[1].text == '{"title":"Heat","year":"soon","imdb":"tt0113277"}'
    assert rows[4].position == 4


def test_the_key_of_a_bad_show_is_a_shows():
    rows = read({"shows": [{"id": 70523, "title": "Dark", "year": "soon"}, {"id": 1396, "title": "x", "year": 2008}]})
    assert [row.key for row in rows] == ["tmdb:show/70523", "tmdb:show/1396"]


def test_persons_are_not_taken():
    assert read([{"title": "Heat"}, {"name": "A. Body", "type": "person"}])[1] == NotTaken(1, "person")


@pytest.mark.parametrize(
    ("text", "says", "line"),
    [
        ('[\n{"title": "Heat"},\n{"tit', "the file breaks off", 3),
        ("[1] x", "something follows the end", 1),
        ('[{"title": NaN}]', "not JSON", 1),
        ("[1e999]", "a number is too large", 1),
        ("[" * 2000 + "]" * 2000, "too deep", 1),
        ("<!doctype html><html></html>", "This is a web page, not a JSON list", None),
        ("title,year\n", "another kind of text", None),
        ('{"added": {}, "not_found": []}', "Its keys are: added, not_found", None),
        ("{}", "Its keys are: none", None),
    ],
)
def test_a_file_that_is_no_list_is_refused_with_its_line(text, says, line):
    with pytest.raises(BadPayload, match=says) as refusal:
        read(text)
    assert refusal.value.line == line


def test_huge_numbers_and_deep_items_are_only_their_own_rows_trouble():
    rows = read(f'["Heat", {{"title": "x", "year": {"9" * 100}}}, {"[" * 60}{"]" * 60}]')
    assert [type(row) for row in rows] == [Record, Unreadable, Unreadable]


def test_an_empty_list_has_no_rows():
    assert read([]) == []


@pytest.mark.parametrize("value", [["Heat"], [{"title": "Heat"}], {"items": []}, [{"id": 603}]])
def test_lists_are_recognised(value):
    assert recognise(json.dumps(value).encode())[0] is JsonList


def test_a_damaged_list_is_still_taken_for_json():
    assert recognise(b'[{"title": "Heat"')[0] is JsonList


def test_json_that_breaks_off_is_no_table():
    body = b'[{"title": "Heat", "year": 1995},\n{"title":'
    assert "csv_table" not in [found.key for found in recognise(body)]
    with pytest.raises(BadPayload, match="not JSON"):
        list(ADAPTERS[recognise(body)[0].key]().fetch(Context(body)))


def test_a_providers_catalogue_is_no_list_of_films():
    body = b'[{"num": 1, "name": "Harbour One", "stream_id": 7, "stream_type": "live", "category_id": "3"}]'
    with pytest.raises(BadPayload, match="playlist"):
        list(ADAPTERS["json_list"]().fetch(Context(body)))
