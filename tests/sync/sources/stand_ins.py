"""What stands in for each service that is fetched: its real paths, its shape, its manner of paging."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sync.http.services import KNOWN

Film = int | None  # its number; None: a service that has lost it


@dataclass(frozen=True)
class Shown:
    """One page as a service is to show it: what is on it, which page it is, of how many, and of how many things."""

    films: list[Film]
    page: int = 1
    pages: int = 1
    total: int = 0


Page = tuple[Any, dict[str, str]]  # body and headers


@dataclass(frozen=True)
class StandIn:
    """path: where the pages are asked for. heads: what else is asked, and its answer. size: things on a full page, 0 where it does
    not part its list. counted: whether it says how long that is. at: the path of the address that a person gives.
    wrong: an answer that is well formed and not its list."""

    path: str
    show: Callable[[Shown], Page]
    config: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    heads: dict[str, Any] = field(default_factory=dict)
    size: int = 0
    counted: bool = False
    at: str = ""
    conditional: bool = False
    wrong: Any = field(default_factory=lambda: {"unexpected": 1})


# -- TMDb -----------------------------------------------------------------------------------------------------------------


def tmdb_film(n: Film) -> dict[str, Any]:
    return {
        "id": n,
        "media_type": "movie",
        "title": f"Film {n}",
        "release_date": "1990-05-01" if n else "",
        "genre_ids": [18],
    }


def tmdb(key: str = "results", total: str = "total_results") -> Callable[[Shown], Page]:
    def show(shown: Shown) -> Page:
        films = list(map(tmdb_film, shown.films))
        return {"page": shown.page, key: films, "total_pages": shown.pages, total: shown.total}, {}

    return show


def tmdb_cast(shown: Shown) -> Page:
    return {"id": 31, "cast": list(map(tmdb_film, shown.films)), "crew": list(map(tmdb_film, shown.films[:1]))}, {}


def tmdb_parts(shown: Shown) -> Page:
    return {"id": 10, "name": "A saga", "parts": list(map(tmdb_film, shown.films))}, {}


# -- Trakt ----------------------------------------------------------------------------------------------------------------


def trakt_film(n: Film) -> dict[str, Any]:
    return {"title": f"Film {n}", "year": 1990, "ids": {"trakt": n, "slug": f"film-{n}", "imdb": None, "tmdb": n}}


def trakt(wrap: bool = True) -> Callable[[Shown], Page]:
    def show(shown: Shown) -> Page:
        films = [{"type": "movie", "movie": trakt_film(n)} if wrap else trakt_film(n) for n in shown.films]
        headers = {"X-Pagination-Page-Count": str(shown.pages), "X-Pagination-Item-Count": str(shown.total)}
        return films, headers

    return show


# -- the others -----------------------------------------------------------------------------------------------------------


def plex(shown: Shown) -> Page:
    films = [
        {"ratingKey": str(n) if n else None, "guid": f"plex://movie/{n}" if n else None, "type": "movie", "title": f"Film {n}",
         "year": 1990, "Guid": [{"id": f"tmdb://{n}"}] if n else []}
        for n in shown.films
    ]  # fmt: skip
    container = {"size": len(films), "totalSize": shown.total} | ({"Metadata": films} if films else {})
    return {"MediaContainer": container}, {}


def mdblist(shown: Shown) -> Page:
    films = [
        {"id": n, "rank": n, "title": f"Film {n}", "imdb_id": f"tt{n:07}" if n else None, "mediatype": "movie", "release_year": 1990}
        for n in shown.films
    ]  # fmt: skip
    return films, {"X-Has-More": "true" if shown.page < shown.pages else "false"}


def json_films(shown: Shown) -> Page:
    return [{"title": f"Film {n}", "imdb_id": f"tt{n:07}" if n else None} for n in shown.films], {}


def csv_films(shown: Shown) -> Page:
    rows = [f"Film {n},{f'tt{n:07}' if n else ''}" for n in shown.films]
    return "\n".join(["Title,IMDb ID", *rows, ""]).encode(), {"Content-Type": "text/csv"}


def arr(key: str) -> Callable[[Shown], Page]:
    def show(shown: Shown) -> Page:
        return [{"title": f"Film {n}", "year": 1990, key: n or 0, "titleSlug": f"film-{n}"} for n in shown.films], {}

    return show


HOLDS_NOTHING = -1  # an item that says nothing at all


def feed_of(*films: Film, letterboxd: bool = False) -> bytes:
    def item(n: Film) -> str:
        if n == HOLDS_NOTHING:
            return "<item><guid>lost</guid></item>"
        diary = f"<letterboxd:filmTitle>Film {n}</letterboxd:filmTitle><tmdb:movieId>{n or ''}</tmdb:movieId>"
        guid = f"<guid>letterboxd-watch-{n}</guid>" if letterboxd else f"<guid>imdb://tt{n:07}</guid>" if n else ""
        return f"<item><title>Film {n}</title>{guid}{diary if letterboxd else ''}</item>"

    names = 'xmlns:letterboxd="https://letterboxd.com" xmlns:tmdb="https://themoviedb.org"'
    items = "".join(map(item, films))
    return (
        f'<?xml version="1.0"?><rss version="2.0" {names}><channel><title>Mine</title>{items}</channel></rss>'.encode()
    )


def feed(letterboxd: bool = False) -> Callable[[Shown], Page]:
    def show(shown: Shown) -> Page:
        return feed_of(*shown.films, letterboxd=letterboxd), {"Content-Type": "application/rss+xml"}

    return show


def simkl(wrap: bool) -> Callable[[Shown], Page]:
    def show(shown: Shown) -> Page:
        films = [{"title": f"Film {n}", "year": 1990, "ids": {"simkl": n}, "url": f"/movies/{n}"} for n in shown.films]
        return ({"movies": [{"status": "plantowatch", "movie": film} for film in films]} if wrap else films), {}

    return show


def anilist(shown: Shown) -> Page:
    entries = [
        {"status": "PLANNING", "media": {"id": n, "idMal": None, "format": "MOVIE", "title": {"romaji": f"Film {n}"}}}
        for n in shown.films
    ]  # fmt: skip
    lists = [{"name": "Planning", "isCustomList": False, "entries": entries}]
    return {"data": {"MediaListCollection": {"hasNextChunk": shown.page < shown.pages, "user": {}, "lists": lists}}}, {}


def imdb(name: str) -> Callable[[Shown], Page]:
    def show(shown: Shown) -> Page:
        edges = [
            {"node": {"absolutePosition": None}, "title": {"id": f"tt{n:07}" if n else None, "titleText": {"text": f"Film {n}"}}}
            for n in shown.films
        ]  # fmt: skip
        if name == "chartTitles":
            return {"data": {name: {"total": shown.total, "edges": [{"node": edge["title"]} for edge in edges]}}}, {}
        info = {"hasNextPage": shown.page < shown.pages, "endCursor": f"after-{shown.page}"}
        found = {"total": shown.total, "pageInfo": info, "edges": edges}
        return {"data": {name: {"name": {"originalText": "Mine"}, "titleListItemSearch": found}}}, {}

    return show


KEY = {"api_key": "hush-key"}
USER = {"user_token": "hush-user", "account_id": "me1", "token": "hush-token"}
TRAKT = {"client_id": "hush-client"}
TRAKT_USER = TRAKT | {"token": "hush-token"}
PRIVATE = {"private": True}
CHANGED = {"movies": {"collected_at": "2026-01-01"}, "episodes": {"collected_at": "2026-01-01"}}
SECTIONS = {"MediaContainer": {"Directory": [{"key": "1", "type": "movie", "title": "Movies"}]}}

STAND_INS = {
    "tmdb_list": StandIn("/4/list/7", tmdb(), {"id": "7"}, {"token": "hush-token"}, size=20, counted=True),
    "tmdb_collection": StandIn("/3/collection/10", tmdb_parts, {"id": 10}, KEY),
    "tmdb_person": StandIn("/3/person/31/combined_credits", tmdb_cast, {"id": 31}, KEY),
    "tmdb_of": StandIn(
        "/3/discover/movie", tmdb(), {"of": "company", "id": 1, "kind": "movie"}, KEY, size=20, counted=True
    ),
    "tmdb_chart": StandIn(
        "/3/movie/popular", tmdb(), {"chart": "popular", "kind": "movie"}, KEY, size=20, counted=True
    ),
    "tmdb_discover": StandIn(
        "/3/discover/movie", tmdb(), {"kind": "movie", "with_genres": "27"}, KEY, size=20, counted=True
    ),
    "tmdb_account": StandIn(
        "/4/account/me1/movie/watchlist", tmdb(), {"list": "watchlist", "kind": "movie"}, USER, size=20, counted=True
    ),
    "tmdb_recommended": StandIn(
        "/4/account/me1/movie/recommendations", tmdb(), {"kind": "movie"}, USER, size=20, counted=True
    ),
    "trakt_list": StandIn(
        "/users/ada/lists/best/items/movie,show,season,episode", trakt(), {"user": "ada", "list": "best"}, TRAKT,
        heads={"/users/ada/lists/best": {"name": "Best"}}, size=250, counted=True,
    ),
    "trakt_user": StandIn(
        "/users/me/collection/movies", trakt(), {"list": "collection", "kind": "movies"}, TRAKT_USER,
        heads={"/sync/last_activities": CHANGED}, size=250, counted=True,
    ),
    "trakt_chart": StandIn(
        "/movies/popular", trakt(wrap=False), {"chart": "popular", "kind": "movies"}, TRAKT, size=250, counted=True
    ),
    "trakt_recommended": StandIn(
        "/recommendations/movies", trakt(wrap=False), {"kind": "movies"}, TRAKT_USER, size=250, counted=True
    ),
    "plex_watchlist": StandIn("/library/sections/watchlist/all", plex, {}, {"token": "hush-token"}, size=100, counted=True),
    "plex_library": StandIn(
        "/library/sections/1/all", plex, {"library": "Movies"}, {"token": "hush-token", "url": "{url}"},
        heads={"/library/sections": SECTIONS}, size=100, counted=True,
    ),
    "plex_collection": StandIn(
        "/library/collections/5/children", plex, {"id": 5}, {"token": "hush-token", "url": "{url}"}, size=100, counted=True
    ),
    "plex_feed": StandIn("/0123-abcd", feed(), at="/0123-abcd", conditional=True, wrong=b"<unexpected/>"),
    "mdblist_public": StandIn(
        "/lists/ada/best/json", mdblist, {"user": "ada", "list": "best"}, conditional=True
    ),
    "mdblist_list": StandIn(
        "/lists/ada/best/items", mdblist, {"user": "ada", "list": "best"}, KEY, heads={"/lists/ada/best": [{"items": "{total}"}]},
        size=1000, counted=True,
    ),
    "mdblist_watchlist": StandIn("/watchlist/items", mdblist, {}, KEY, size=1000),
    "letterboxd_diary": StandIn("/ada/rss/", feed(letterboxd=True), {"user": "ada"}, conditional=True, wrong=b"<unexpected/>"),
    "feed_url": StandIn("/feed.xml", feed(), at="/feed.xml", conditional=True, wrong=b"<unexpected/>"),
    "json_url": StandIn("/list.json", json_films, at="/list.json", conditional=True),
    "csv_url": StandIn("/list.csv", csv_films, at="/list.csv", conditional=True, wrong=b"unexpected\n1\n"),
    "stevenlu": StandIn("/movies.json", json_films, conditional=True),
    "radarr": StandIn("/api/v3/movie", arr("tmdbId"), {}, KEY | {"url": "{url}"}),
    "sonarr": StandIn("/api/v3/series", arr("tvdbId"), {}, KEY | {"url": "{url}/"}),
    "imdb_list": StandIn("/", imdb("list"), PRIVATE | {"list": "ls001"}, size=250, counted=True),
    "imdb_chart": StandIn("/", imdb("chartTitles"), PRIVATE | {"chart": "TOP_RATED_MOVIES"}, counted=True),
    "simkl_list": StandIn(
        "/sync/all-items/movies/plantowatch", simkl(wrap=True), {"kind": "movies", "status": "plantowatch"},
        {"client_id": "hush-client", "token": "hush-token"}, heads={"/sync/activities": {"movies": {"all": "2026-01-01"}}},
    ),
    "simkl_trending": StandIn(
        "/discover/trending/movies/today_100.json", simkl(wrap=False), {"kind": "movies"}, conditional=True
    ),
    "anilist_list": StandIn("/", anilist, {"user": "ada"}, size=500),
}  # fmt: skip


BY_HOST = ("rss:", "json:", "csv:", "radarr:", "sonarr:", "plex_server:")


def all_at(url: str) -> dict[str, dict[str, Any]]:
    """The setting under which every service stands at one address and bears whatever it is asked."""
    patient = {"rate": 10_000, "burst": 10_000, "failures": 10_000}
    return {name: {"url": url, **patient} for name in KNOWN} | dict.fromkeys(BY_HOST, patient)


# By which services say how much there is, and whether another page follows.
STATEMENTS = {
    "total_pages", "total_results", "X-Pagination-Page-Count", "X-Pagination-Item-Count", "totalSize", "X-Has-More", "items",
    "hasNextChunk", "total", "pageInfo",
}  # fmt: skip


def silent(value: Any) -> Any:
    """An answer, or its headers, on a day on which it says nothing of that."""
    if isinstance(value, list):
        return list(map(silent, value))
    if isinstance(value, dict):
        return {name: silent(each) for name, each in value.items() if name not in STATEMENTS}
    return value


def filled(value: Any, **known: Any) -> Any:
    """With {url} and {total} put in."""
    text = json.dumps(value)
    for name, each in known.items():
        text = text.replace(f'"{{{name}}}"', json.dumps(each)).replace(f"{{{name}}}", str(each))
    return json.loads(text)
