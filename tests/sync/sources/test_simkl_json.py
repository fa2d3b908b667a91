"""Simkl's answers: what a user has, charts and searches."""

import json

import pytest

from lists.records import Record, Unreadable
from sync.adapters import Context, recognise
from sync.errors import BadPayload
from sync.sources.simkl_json import SimklJson

SHOW = {"title": "Quiet Rooms", "year": 2017, "ids": {"simkl": 901, "imdb": "tt0000901", "tmdb": "77", "tvdb": "88"}}
FILM = {"title": "Salt Harbour", "year": 2021, "ids": {"simkl": 903, "imdb": "tt0000903", "tmdb": "99"}}
CHART = {"title": "Quiet Rooms", "year": 2017, "url": "/tv/901/quiet-rooms", "ids": {"simkl_id": 901, "slug": "q"}}


def read(value, **config) -> list:
    return list(SimklJson().fetch(Context(json.dumps(value).encode(), config)))


def test_what_a_user_noted_stands_beside_the_show():
    item = {
        "status": "watching", "user_rating": 8, "user_rated_at": "2021-05-06T00:00:00Z", "watched_episodes_count": 2,
        "last_watched_at": "2021-03-04T10:11:12Z", "added_to_watchlist_at": "2021-01-02T03:04:05Z",
        "memo": {"text": "with Bo"}, "show": SHOW, "seasons": [{"number": 1, "episodes": [{"number": 1}]}],
    }  # fmt: skip
    assert read({"shows": [item]}) == [
        Record(
            key="simkl:show/901", kind="show", position=1,
            ids={"simkl": "show/901", "imdb": "tt0000901", "tmdb": "show/77", "tvdb": "show/88"},
            values={
                "title": "Quiet Rooms", "year": 2017, "watch_status": "watching", "your_rating": 8.0,
                "rated_on": "2021-05-06", "episodes_seen": 2, "watched_on": "2021-03-04", "added_on": "2021-01-02",
                "note": "with Bo",
            },
        )
    ]  # fmt: skip


def test_shows_anime_and_films_of_one_answer_keep_their_kinds_and_places():
    anime = {"title": "Paper Moon", "year": 2001, "ids": {"simkl": 902, "mal": "55", "anilist": "66", "tvdb": "88"}}
    rows = read({
        "shows": [{"show": SHOW}],
        "anime": [{"anime_type": "tv", "show": anime}, {"anime_type": "movie", "show": anime | {"ids": {"simkl": 904}}}],
        "movies": [{"movie": FILM, "watched_episodes_count": 0}],
    })  # fmt: skip
    assert [(row.key, row.kind, row.position) for row in rows] == [
        ("simkl:show/901", "show", 1), ("simkl:show/902", "show", 2), ("simkl:movie/904", "movie", 3),
        ("simkl:movie/903", "movie", 4),
    ]  # fmt: skip
    assert "episodes_seen" not in rows[3].values


def test_a_season_of_an_anime_does_not_take_the_ids_of_the_whole_show():
    """Simkl has each season as a show; one id of TVDb for all of them would make them one thing."""
    first, second = (
        {"anime_type": "tv", "show": {"title": f"Paper Moon {n}", "ids": {"simkl": n, "mal": n + 50, "tvdb": "88"}}}
        for n in (1, 2)
    )
    rows = read({"anime": [first, second]})
    assert [row.ids for row in rows] == [
        {"simkl": "show/1", "mal": "show/51"}, {"simkl": "show/2", "mal": "show/52"},
    ]  # fmt: skip


def test_a_chart_says_by_its_addresses_what_it_holds():
    ratings = {"simkl": {"rating": 8.5, "votes": 590}, "imdb": {"rating": 8.8, "votes": 230936}}
    [row] = read([CHART | {"ratings": ratings, "rank": 7}])
    assert (row.key, row.kind, row.position, row.ids) == ("simkl:show/901", "show", 7, {"simkl": "show/901"})
    assert row.values == {
        "title": "Quiet Rooms", "year": 2017, "rating": 8.8, "votes": 230936,
        "address": "https://simkl.com/tv/901/quiet-rooms",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("url", "kind"), [("/movies/9/x", "movie"), ("/anime/9/x", "show"), ("/tv/9/x", "show"), (None, "movie")]
)
def test_the_kind_of_a_bare_item(url, kind):
    [row] = read([CHART | {"url": url}])
    assert (row.kind, row.ids["simkl"]) == (kind, f"{kind}/901")


def test_a_person_says_what_a_bare_list_holds():
    bare = {"title": "Quiet Rooms", "ids": {"simkl_id": 901}}
    assert [row.kind for row in read([bare], kind="show")] == ["show"]
    assert [row.kind for row in read([CHART], kind="movie")] == ["show"]  # the item knows better


def test_nobodys_vote_is_no_rating():
    [row] = read([CHART | {"ratings": {"simkl": {"rating": 0, "votes": 0}}}])
    assert not row.values.keys() & {"rating", "votes"}


@pytest.mark.parametrize(
    ("item", "reason", "key"),
    [
        (7, "no film or show", None),
        ({"status": "watching"}, "no film or show", None),
        ({"show": SHOW | {"year": "soon"}}, "Year must be a year", "simkl:show/901"),
        ({"show": SHOW | {"ids": SHOW["ids"] | {"imdb": "nm1"}}}, "no IMDb id", "simkl:show/901"),
        ({"show": {"ids": {"simkl": "x"}}}, "no simkl number", None),
    ],
)
def test_a_bad_item_is_named_with_its_line_and_the_rest_is_read(item, reason, key):
    text = json.dumps({"shows": [item, {"show": SHOW}]}, indent=1)
    rows = list(SimklJson().fetch(Context(text.encode())))
    assert [type(row) for row in rows] == [Unreadable, Record]
    assert reason in rows[0].reason
    assert (rows[0].line, rows[0].key) == (3, key)


@pytest.mark.parametrize("answer", [[CHART], {"shows": [{"show": SHOW}]}, {"movies": [{"movie": FILM}], "anime": []}])
def test_its_answers_are_recognised(answer):
    assert recognise(json.dumps(answer).encode())[0] is SimklJson


@pytest.mark.parametrize("answer", [{"result": "KO", "message": "Authorization pending"}, {"added": {"shows": []}}, {}])
def test_an_answer_without_a_list_is_refused(answer):
    assert SimklJson not in recognise(json.dumps(answer).encode())
    with pytest.raises(BadPayload, match=r"no list of Simkl.*Nothing was read"):
        read(answer)
