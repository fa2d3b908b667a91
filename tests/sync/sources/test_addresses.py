"""Any address that people paste is known by the source that reads it."""

import pytest

from sync.adapters import ADAPTERS, checked, recognise_address
from sync.errors import SourceRefused

KNOWN = [
    ("https://www.themoviedb.org/list/7", "tmdb_list", {"id": "7"}),
    ("https://www.themoviedb.org/list/7-the-best?language=de", "tmdb_list", {"id": "7"}),
    ("themoviedb.org/collection/10-star-wars-collection", "tmdb_collection", {"id": 10}),
    ("https://www.themoviedb.org/person/31-tom-hanks", "tmdb_person", {"id": 31}),
    ("https://www.themoviedb.org/company/1-lucasfilm/movie", "tmdb_of", {"of": "company", "id": 1, "kind": "movie"}),
    ("https://www.themoviedb.org/company/1/tv", "tmdb_of", {"of": "company", "id": 1, "kind": "tv"}),
    ("https://www.themoviedb.org/network/213", "tmdb_of", {"of": "network", "id": 213, "kind": "tv"}),
    ("https://www.themoviedb.org/keyword/9715-superhero", "tmdb_of", {"of": "keyword", "id": 9715, "kind": "movie"}),
    ("https://www.themoviedb.org/movie", "tmdb_chart", {"chart": "popular", "kind": "movie"}),
    ("https://www.themoviedb.org/movie/now-playing", "tmdb_chart", {"chart": "now_playing", "kind": "movie"}),
    ("https://www.themoviedb.org/movie/top-rated", "tmdb_chart", {"chart": "top_rated", "kind": "movie"}),
    ("https://www.themoviedb.org/tv/on-the-air", "tmdb_chart", {"chart": "on_the_air", "kind": "tv"}),
    (
        "https://www.themoviedb.org/discover/movie?with_genres=27&vote_average.gte=7&page=2&with_keywords=<x>",
        "tmdb_discover",
        {"kind": "movie", "with_genres": "27", "vote_average_gte": "7"},
    ),
    ("https://www.themoviedb.org/u/ada/watchlist/tv", "tmdb_account", {"list": "watchlist", "kind": "tv"}),
    ("https://trakt.tv/users/ada/lists/best-of", "trakt_list", {"user": "ada", "list": "best-of"}),
    ("https://app.trakt.tv/users/ada/lists/best-of?sort=rank", "trakt_list", {"user": "ada", "list": "best-of"}),
    ("https://trakt.tv/lists/1248149", "trakt_list", {"list": "1248149"}),
    ("https://trakt.tv/lists/official/1248149", "trakt_list", {"list": "1248149"}),
    ("https://trakt.tv/users/ada/watchlist", "trakt_user", {"user": "ada", "list": "watchlist"}),
    ("https://trakt.tv/users/ada/collection/movies", "trakt_user", {"user": "ada", "list": "collection", "kind": "movies"}),
    ("https://trakt.tv/movies/trending", "trakt_chart", {"chart": "trending", "kind": "movies"}),
    ("https://trakt.tv/shows/watched/monthly", "trakt_chart", {"chart": "watched", "kind": "shows", "time": "monthly"}),
    ("https://trakt.tv/movies/boxoffice", "trakt_chart", {"chart": "boxoffice", "kind": "movies"}),
    ("https://app.plex.tv/desktop/#!/watchlist", "plex_watchlist", {}),
    ("https://watch.plex.tv/watchlist", "plex_watchlist", {}),
    ("https://rss.plex.tv/0123-abcd", "plex_feed", {}),
    ("https://letterboxd.com/ada/", "letterboxd_diary", {"user": "ada"}),
    ("https://letterboxd.com/ada/rss/", "letterboxd_diary", {"user": "ada"}),
    ("letterboxd.com/ada/films/diary", "letterboxd_diary", {"user": "ada"}),
    ("https://mdblist.com/lists/ada/best", "mdblist_list", {"user": "ada", "list": "best"}),
    ("https://mdblist.com/lists/ada/best/json", "mdblist_public", {"user": "ada", "list": "best"}),
    ("https://mdblist.com/watchlist/", "mdblist_watchlist", {}),
    ("https://simkl.com/42/movies/plantowatch/", "simkl_list", {"kind": "movies", "status": "plantowatch"}),
    ("https://anilist.co/user/ada/animelist", "anilist_list", {"user": "ada"}),
    ("https://anilist.co/user/ada/animelist/Watching", "anilist_list", {"user": "ada", "status": "CURRENT"}),
    ("https://www.imdb.com/list/ls006123300/", "imdb_list", {"list": "ls006123300"}),
    ("https://m.imdb.com/user/ur12345678/watchlist?ref_=x", "imdb_list", {"list": "ur12345678"}),
    ("https://www.imdb.com/user/p.abc123/watchlist/", "imdb_list", {"list": "p.abc123"}),
    ("https://www.imdb.com/chart/top/", "imdb_chart", {"chart": "TOP_RATED_MOVIES"}),
    ("https://popular-movies-data.stevenlu.com/movies.json", "stevenlu", {}),
    ("https://films.example/feed", "feed_url", {}),
    ("https://films.example/new.rss?key=1", "feed_url", {}),
    ("https://films.example/list.json", "json_url", {}),
    ("https://docs.example/spreadsheets/d/e/abc/pub?output=csv", "csv_url", {}),
    ("http://films.example", "json_url", {}),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _imdb(settings):
    settings.IMDB_GRAPHQL = True


@pytest.mark.parametrize(("url", "key", "answers"), KNOWN)
@pytest.mark.covers("SRC-24", "SRC-10")
def test_an_address_is_known(url, key, answers):
    found = {adapter.key: config for adapter, config in recognise_address(url)}
    assert found[key] == answers
    assert not found.keys() & {"feed_url", "json_url", "csv_url"} or ADAPTERS[key].asks_address
    cleaned, wrong = checked(ADAPTERS[key], found[key] | ({"private": True} if key.startswith("imdb") else {}))
    assert (wrong, cleaned.items() >= answers.items()) == ([], True), "its form takes what was found"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("https://letterboxd.com/ada/watchlist/", "upload that file"),
        ("https://letterboxd.com/ada/list/best-of/", "upload that file"),
        ("https://www.imdb.com/list/ls006123300/", "imdb.com/exports"),
        ("https://www.imdb.com/chart/top/", "Trakt and MDBList"),
    ],
)
@pytest.mark.covers("SRC-24", "SRC-25")
def test_a_page_that_nobody_may_read_says_what_else_there_is(url, says, settings):
    settings.IMDB_GRAPHQL = False
    with pytest.raises(SourceRefused, match=says):
        recognise_address(url)


@pytest.mark.parametrize(
    "url",
    ["", "nothing at all", "ftp://films.example/list.json", "http://", "http://[::1", "file:///etc/passwd", "https://"],
)
def test_what_is_no_address_is_nobodys(url):
    assert [a.key for a, _ in recognise_address(url)] in ([], ["csv_url", "feed_url", "json_url"])


@pytest.mark.parametrize(
    "url",
    [
        "https://www.themoviedb.org/movie/603-the-matrix",
        "https://www.themoviedb.org/movie/airing-today",
        "https://trakt.tv/movies/heat-1995",
        "https://trakt.tv/shows/boxoffice",
        "https://www.imdb.com/title/tt0113277/",
        "https://themoviedb.org.evil.example/list/7",
    ],
)
def test_other_pages_of_a_service_are_not_taken_for_lists(url):
    assert {adapter.key for adapter, _ in recognise_address(url)} <= {"csv_url", "feed_url", "json_url"}
