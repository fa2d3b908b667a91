"""Saved answers of the services, sent again by a stand-in and held against what somebody else counted in them."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from lists.records import About, Record
from sync.adapters import ADAPTERS, Context
from sync.http import Door
from sync.reading import read
from tests.sync.sources.stand_ins import all_at

FOLDER = os.environ.get("LISTKEEPER_SAMPLES", "")
TMDB = {"api_key": "k"}
TRAKT = {"client_id": "c", "token": "t"}
PLEX = {"token": "t", "url": "{url}"}
ARR = {"api_key": "k", "url": "{url}"}
# file -> (source, its answers, its secrets, where it asks for that)
SAMPLES: dict[str, tuple[str, dict[str, Any], dict[str, str], str]] = {
    "tmdb/list_details.json": ("tmdb_list", {"id": "1"}, TMDB, "/3/list/1"),
    "tmdb/collection_details.json": ("tmdb_collection", {"id": 10}, TMDB, "/3/collection/10"),
    "tmdb/person_movie_credits.json": (
        "tmdb_person", {"id": 31, "kind": "movie", "work": "cast"}, TMDB, "/3/person/31/movie_credits"
    ),
    "tmdb/discover_movie.json": ("tmdb_discover", {"kind": "movie", "limit": 20}, TMDB, "/3/discover/movie"),
    "tmdb/now_playing.json": (
        "tmdb_chart", {"chart": "now_playing", "kind": "movie", "limit": 20}, TMDB, "/3/movie/now_playing"
    ),
    "tmdb/trending_movie.json": (
        "tmdb_chart", {"chart": "trending_week", "kind": "movie", "limit": 20}, TMDB, "/3/trending/movie/week"
    ),
    "tmdb/trending_tv.json": (
        "tmdb_chart", {"chart": "trending_day", "kind": "tv", "limit": 20}, TMDB, "/3/trending/tv/day"
    ),
    "tmdb/keyword_movies_2013.json": ("tmdb_discover", {"kind": "movie", "limit": 20}, TMDB, "/3/discover/movie"),
    "tmdb/account_watchlist_movies_2013.json": (
        "tmdb_discover", {"kind": "movie", "limit": 20}, TMDB, "/3/discover/movie"
    ),
    "trakt/trending_movies.json": ("trakt_chart", {"chart": "trending", "kind": "movies"}, TRAKT, "/movies/trending"),
    "trakt/trending_shows.json": ("trakt_chart", {"chart": "trending", "kind": "shows"}, TRAKT, "/shows/trending"),
    "trakt/popular_movies.json": ("trakt_chart", {"chart": "popular", "kind": "movies"}, TRAKT, "/movies/popular"),
    "trakt/anticipated_movies.json": ("trakt_chart", {"chart": "anticipated", "kind": "movies"}, TRAKT, "/movies/anticipated"),
    "trakt/boxoffice.json": ("trakt_chart", {"chart": "boxoffice", "kind": "movies"}, TRAKT, "/movies/boxoffice"),
    "trakt/collection_movies.json": (
        "trakt_user", {"user": "ada", "list": "collection", "kind": "movies"}, TRAKT, "/users/ada/collection/movies"
    ),
    "trakt/watchlist_movies_real.json": (
        "trakt_user", {"user": "ada", "list": "watchlist", "kind": "movies"}, TRAKT, "/users/ada/watchlist/movies"
    ),
    "trakt/empty_page.json": (
        "trakt_user", {"user": "ada", "list": "ratings", "kind": "movies"}, TRAKT, "/users/ada/ratings/movies"
    ),
    "plex/watchlist.json": ("plex_watchlist", {}, PLEX, "/library/sections/watchlist/all"),
    "plex/section_movies.json": ("plex_collection", {"id": 5}, PLEX, "/library/collections/5/children"),
    "radarr/movie_list.json": ("radarr", {}, ARR, "/api/v3/movie"),
    "sonarr/series_list_short.json": ("sonarr", {}, ARR, "/api/v3/series"),
    "stevenlu/stevenlu-latest.json": ("stevenlu", {}, {}, "/movies.json"),
    "simkl/best_tv.json": ("simkl_trending", {"kind": "shows"}, {}, "/discover/trending/tv/today_100.json"),
    "imdb/graphql_list.json": ("imdb_list", {"list": "ls006123300"}, {}, "/"),
}  # fmt: skip
NAMESPACES = {"tmdb": "tmdb", "trakt": "trakt", "radarr": "tmdb", "sonarr": "tvdb", "simkl": "simkl"}

pytestmark = pytest.mark.skipif(not FOLDER, reason="LISTKEEPER_SAMPLES names no folder of saved answers")


@pytest.fixture
def read_sample(upstream, settings):
    settings.SERVICES = all_at(upstream.url)
    settings.RETRY_PAUSES_S = (0.0,)
    settings.IMDB_GRAPHQL = True

    def read_sample(path: str) -> list[Record]:
        key, config, secrets, where = SAMPLES[path]
        upstream.answer(where, (Path(FOLDER) / path).read_bytes(), headers={"Content-Type": "application/json"})
        secrets = {name: value.replace("{url}", upstream.url) for name, value in secrets.items()}
        ctx = Context(config=config, secrets=secrets)
        with Door(ADAPTERS[key].service) as ctx.http, read(ADAPTERS[key](), ctx) as spool:
            rows = [row for row in spool if not isinstance(row, About)]
        assert ctx.cut_off is None
        assert all(isinstance(row, Record) for row in rows), rows
        return rows

    return read_sample


@pytest.mark.parametrize("path", SAMPLES)
@pytest.mark.covers("SRC-11", "SRC-12", "STR-02")
def test_a_saved_answer_is_read_as_somebody_else_counted_it(path, read_sample):
    expected = json.loads((Path(FOLDER) / "expected.json").read_text("utf-8"))[path]
    records = read_sample(path)
    assert len(records) == expected["count"]
    if "titles" in expected:
        assert [record.values["title"] for record in records] == expected["titles"]
    if namespace := NAMESPACES.get(path.partition("/")[0]):
        numbers = [int(record.ids[namespace].partition("/")[2]) for record in records]
        assert numbers == expected["ids"]
    elif path.startswith(("stevenlu", "imdb")):
        assert [record.ids["imdb"] for record in records] == expected["ids"]
    if records and len(expected["first"]) > 1:
        assert [records[0].values["title"], records[-1].values["title"]] == [expected["first"][1], expected["last"][1]]
    if "media_types" in expected:
        [kind] = {record.kind for record in records}
        assert expected["media_types"] == {"tv" if kind == "show" else kind: len(records)}


@pytest.mark.covers("SRC-15")
def test_genres_and_dates_of_tmdb_come_in_our_words(read_sample):
    [first, *_] = read_sample("tmdb/trending_tv.json")
    assert first.values["genres"] == ["Drama", "Sci-Fi", "Fantasy"]
    assert (first.kind, first.ids, first.values["year"]) == ("show", {"tmdb": "show/103768"}, 2021)
    assert first.values["poster"].startswith("https://image.tmdb.org/t/p/w342/")
    undated = [record for record in read_sample("tmdb/person_movie_credits.json") if "year" not in record.values]
    assert {record.ids["tmdb"] for record in undated} == {"movie/377229", "movie/638302", "movie/940139"}


@pytest.mark.covers("SRC-19")
def test_ids_of_plex_are_read_in_every_spelling(read_sample):
    ids = [record.ids for record in read_sample("plex/watchlist.json")]
    assert ids == [{"imdb": "tt2543164"}, {"imdb": "tt1618442", "tmdb": "movie/274854"}, {}, {}]
    [film] = read_sample("plex/section_movies.json")
    assert film.key == "plex://movie/100000000000000000000001"
    assert film.values["runtime_s"] == 6989
    assert film.values["added_on"] == "2006-09-29"
    assert "rating" not in film.values, "per cent of another site"
