"""What is peculiar to one service: its words, its errors, what it wants to be asked."""

import json
import time

import pytest

from lists.records import About, NotTaken, Record, Unreadable
from sync.adapters import ADAPTERS, Context, checked
from sync.errors import AccessRefused, BadAnswer, BadPayload, Blocked, NotFound, NotModified, RateLimited, SourceRefused
from sync.http import Door
from sync.reading import read
from tests.sync.sources.stand_ins import all_at, feed_of, tmdb_film
from tests.upstream import Reply, as_body

FIRST = {"page": 1, "results": [tmdb_film(1)], "total_pages": 1, "total_results": 1}
KEY = {"api_key": "hush"}


@pytest.fixture
def ask(upstream, settings):
    """ask(kind, answers, secrets) -> (rows, context)."""
    settings.SERVICES = all_at(upstream.url)
    settings.RETRY_PAUSES_S = (0.0,)
    settings.IMDB_GRAPHQL = True

    def ask(key: str, config: dict | None = None, secrets: dict | None = None, path: str = "", accepted: bytes = b""):
        answers, wrong = checked(ADAPTERS[key], config or {})
        assert wrong == []
        ctx = Context(config=answers, secrets=secrets or {}, address=f"{upstream.url}{path}", accepted=accepted)
        adapter = ADAPTERS[key]()
        with Door(adapter.service, limits=adapter.limits) as ctx.http, read(adapter, ctx) as spool:
            return list(spool), ctx

    return ask


def titles(rows) -> list[str]:
    return [row.values["title"] for row in rows if isinstance(row, Record)]


# -- TMDb -----------------------------------------------------------------------------------------------------------------


@pytest.mark.covers("SRC-10")
def test_tmdb_takes_a_token_in_a_header_and_a_key_in_the_address(ask, upstream):
    upstream.answer("/4/list/7", FIRST)
    upstream.answer("/3/list/7", {"name": "Mine", "items": [tmdb_film(1)], "item_count": 1})
    ask("tmdb_list", {"id": "7", "language": "de"}, {"token": "hush"})
    rows, ctx = ask("tmdb_list", {"id": "7"}, KEY)
    first, second = upstream.seen
    assert (first.headers["Authorization"], first.query) == ("Bearer hush", {"page": ["1"], "language": ["de"]})
    assert second.query == {"page": ["1"], "api_key": ["hush"]}
    assert (rows[0], ctx.expected) == (About("Mine"), 1)


@pytest.mark.covers("SRC-10")
def test_who_has_signed_in_at_tmdb_sees_private_lists(ask, upstream):
    upstream.answer("/4/list/7", FIRST)
    ask("tmdb_list", {"id": "7"}, {"token": "site", "user_token": "hush"})
    assert upstream.seen[0].headers["Authorization"] == "Bearer hush"


@pytest.mark.covers("SRC-13", "SRC-14")
@pytest.mark.parametrize(
    ("key", "config", "path", "asked"),
    [
        ("tmdb_of", {"of": "company", "id": 1, "kind": "movie"}, "/3/discover/movie", {"with_companies": "1"}),
        ("tmdb_of", {"of": "network", "id": 213, "kind": "tv"}, "/3/discover/tv", {"with_networks": "213"}),
        ("tmdb_of", {"of": "keyword", "id": 9715, "kind": "movie"}, "/3/discover/movie", {"with_keywords": "9715"}),
        (
            "tmdb_discover",
            {"kind": "movie", "vote_average_gte": "7.5", "with_genres": "27|53", "sort_by": "vote_average.desc"},
            "/3/discover/movie",
            {"vote_average.gte": "7.5", "with_genres": "27|53", "sort_by": "vote_average.desc"},
        ),
        ("tmdb_chart", {"chart": "upcoming", "kind": "movie", "region": "DE"}, "/3/movie/upcoming", {"region": "DE"}),
        ("tmdb_chart", {"chart": "trending_day", "kind": "all"}, "/3/trending/all/day", {}),
    ],
)
def test_what_is_wanted_reaches_tmdb(ask, upstream, key, config, path, asked):
    upstream.answer(path, FIRST)
    rows, _ = ask(key, config, KEY)
    assert titles(rows) == ["Film 1"]
    assert upstream.seen[0].query.items() >= {name: [value] for name, value in asked.items()}.items()


@pytest.mark.parametrize(
    ("key", "config"),
    [
        ("tmdb_of", {"of": "network", "id": 1, "kind": "movie"}),
        ("tmdb_chart", {"chart": "popular", "kind": "all"}),
        ("tmdb_chart", {"chart": "airing_today", "kind": "movie"}),
        ("tmdb_discover", {"kind": "movie", "with_genres": "27&api_key=x"}),
        ("tmdb_list", {"id": "../../3/account"}),
        ("trakt_list", {"list": "best"}),
        ("trakt_list", {"user": "a/b", "list": "best"}),
        ("trakt_chart", {"chart": "boxoffice", "kind": "shows"}),
        ("simkl_list", {"kind": "movies", "status": "hold"}),
        ("imdb_list", {"list": "ls001"}),
        ("imdb_list", {"list": "tt0113277", "private": True}),
        ("letterboxd_diary", {"user": "../x"}),
    ],
)
def test_what_makes_no_sense_is_not_defined(key, config, settings):
    settings.IMDB_GRAPHQL = True
    _, wrong = checked(ADAPTERS[key], config)
    assert wrong


@pytest.mark.covers("SRC-12")
def test_the_work_of_a_person_is_each_title_once_and_may_be_of_one_kind(ask, upstream):
    made = {
        "id": 31,
        "cast": [tmdb_film(1), tmdb_film(1)],
        "crew": [tmdb_film(2) | {"department": "Directing"}, tmdb_film(1)],
    }
    upstream.answer("/3/person/31/combined_credits", made)
    everything, ctx = ask("tmdb_person", {"id": 31}, KEY)
    directed, _ = ask("tmdb_person", {"id": 31, "work": "Directing"}, KEY)
    assert (titles(everything), ctx.expected, titles(directed)) == (["Film 1", "Film 2"], None, ["Film 2"])


@pytest.mark.covers("SRC-09")
def test_tmdb_shows_no_more_than_so_many_pages(ask, upstream):
    upstream.replies["/3/discover/movie"] = [
        Reply(as_body({"results": [tmdb_film(n)], "total_pages": 900, "total_results": 900})) for n in range(1, 502)
    ]
    rows, ctx = ask("tmdb_of", {"of": "keyword", "id": 1, "kind": "movie"}, KEY)
    assert (len(rows), len(upstream.seen), ctx.expected) == (500, 500, 900)
    assert "first 500 pages" in str(ctx.cut_off)


@pytest.mark.covers("SRC-15")
def test_numbers_of_tmdb_carry_their_kind_and_a_show_without_a_type_is_one(ask, upstream):
    show = {
        "id": 1396,
        "name": "A show",
        "first_air_date": "2008-01-20",
        "genre_ids": [18, 10759, 4711],
        "vote_average": 0,
    }
    person = {"id": 5, "media_type": "person", "name": "Somebody"}
    upstream.answer(
        "/3/list/7", {"items": [show, tmdb_film(2), person, {"id": 9, "media_type": "game"}], "item_count": 4}
    )
    [first, second, third, fourth], _ = ask("tmdb_list", {"id": "7"}, KEY)
    assert (first.key, first.ids, first.values["genres"]) == (
        "show/1396", {"tmdb": "show/1396"}, ["Drama", "Action", "Adventure"]
    )  # fmt: skip
    assert "rating" not in first.values
    assert (second.key, type(third), type(fourth)) == ("movie/2", NotTaken, Unreadable)


@pytest.mark.covers("SRC-15")
def test_ids_of_other_services_are_looked_up_where_somebody_wants_them(ask, upstream):
    upstream.answer("/3/list/7", {"items": [tmdb_film(1), tmdb_film(2), tmdb_film(3)], "item_count": 3})
    upstream.answer("/3/movie/1/external_ids", {"imdb_id": "tt0113277", "tvdb_id": 5})
    upstream.answer("/3/movie/2/external_ids", {"imdb_id": None})
    rows, _ = ask("tmdb_list", {"id": "7", "other_ids": True}, KEY)
    assert [row.ids for row in rows] == [
        {"imdb": "tt0113277", "tmdb": "movie/1"}, {"tmdb": "movie/2"}, {"tmdb": "movie/3"}
    ]  # fmt: skip


@pytest.mark.covers("SRC-15", "SRC-16")
def test_an_id_is_looked_up_once_a_day_and_its_list_each_time(ask, upstream):
    upstream.answer("/3/list/7", {"items": [tmdb_film(1)], "item_count": 1})
    upstream.answer("/3/movie/1/external_ids", {"imdb_id": "tt0113277"})
    for _ in range(2):
        rows, _ = ask("tmdb_list", {"id": "7", "other_ids": True}, KEY)
        assert rows[0].ids["imdb"] == "tt0113277"
    assert (upstream.asked("/3/list/7"), upstream.asked("/3/movie/1/external_ids")) == (2, 1)


@pytest.mark.covers("SRC-15")
def test_an_id_that_cannot_be_looked_up_now_is_not_taken_for_none(ask, upstream):
    upstream.answer("/3/list/7", {"items": [tmdb_film(1), tmdb_film(2)], "item_count": 2})
    upstream.answer("/3/movie/1/external_ids", {"imdb_id": "tt0113277"})
    upstream.answer("/3/movie/2/external_ids", {}, 500)
    rows, ctx = ask("tmdb_list", {"id": "7", "other_ids": True}, KEY)
    assert (len(rows), ctx.cut_off is not None) == (1, True)


# -- Trakt ----------------------------------------------------------------------------------------------------------------


@pytest.mark.covers("SRC-18")
def test_trakt_is_asked_as_it_wants(ask, upstream):
    upstream.answer("/users/ada/ratings/movies", [], headers={"X-Pagination-Item-Count": "0"})
    upstream.answer("/users/ada/ratings/shows", [], headers={"X-Pagination-Item-Count": "0"})
    _, ctx = ask("trakt_user", {"user": "ada", "list": "ratings"}, {"client_id": "c-1"})
    assert [seen.path for seen in upstream.seen] == ["/users/ada/ratings/movies", "/users/ada/ratings/shows"]
    sent = upstream.seen[0].headers
    assert (sent["trakt-api-version"], sent["trakt-api-key"], "Authorization" in sent) == ("2", "c-1", False)
    assert ctx.expected == 0


@pytest.mark.covers("STR-02")
def test_shows_that_come_bare_are_shows(ask, upstream):
    upstream.answer("/shows/popular", [{"title": "A show", "year": 2008, "ids": {"trakt": 1, "tmdb": None}}])
    [row], _ = ask("trakt_chart", {"chart": "popular", "kind": "shows"}, {"client_id": "c"})
    assert (row.kind, row.ids) == ("show", {"trakt": "show/1"})


# -- Plex -----------------------------------------------------------------------------------------------------------------


@pytest.mark.covers("SRC-19")
def test_a_film_that_plex_lists_without_its_ids_is_looked_up(ask, upstream):
    films = [
        {"ratingKey": "a1", "guid": "plex://movie/a1", "type": "movie", "title": "One", "year": 1990},
        {"ratingKey": "a2", "guid": "plex://movie/a2", "type": "movie", "title": "Two", "year": 1990},
    ]
    upstream.answer("/library/sections/watchlist/all", {"MediaContainer": {"totalSize": 2, "Metadata": films}})
    one = {"MediaContainer": {"size": 1, "Metadata": [{"ratingKey": "a1", "Guid": [{"id": "imdb://tt0113277"}]}]}}
    upstream.answer("/library/metadata/a1", one)
    rows, _ = ask("plex_watchlist", {}, {"token": "hush"})
    assert [row.ids for row in rows] == [{"imdb": "tt0113277"}, {}]
    assert {seen.headers["X-Plex-Token"] for seen in upstream.seen} == {"hush"}
    assert "hush" not in str([seen.query for seen in upstream.seen])


@pytest.mark.covers("SRC-19")
def test_a_library_that_is_not_there_is_told_with_those_that_are(ask, upstream):
    there = [{"key": "1", "type": "movie", "title": "Movies"}, {"key": "2", "type": "artist", "title": "Music"}]
    upstream.answer("/library/sections", {"MediaContainer": {"Directory": there}})
    with pytest.raises(SourceRefused, match="It has: Movies"):
        ask("plex_library", {"library": "Music"}, {"token": "hush", "url": upstream.url})


@pytest.mark.covers("SRC-19")
def test_ids_of_old_libraries_are_read(ask, upstream):
    film = {"ratingKey": "7", "guid": "com.plexapp.agents.imdb://tt0113277?lang=en", "type": "movie", "title": "Heat"}
    show = {"ratingKey": "8", "guid": "com.plexapp.agents.thetvdb://81189?lang=en", "type": "show", "title": "A show"}
    upstream.answer("/library/collections/5/children", {"MediaContainer": {"size": 2, "Metadata": [film, show]}})
    rows, _ = ask("plex_collection", {"id": 5}, {"token": "hush", "url": upstream.url})
    assert [row.ids for row in rows] == [{"imdb": "tt0113277"}, {"tvdb": "show/81189"}]


# -- MDBList --------------------------------------------------------------------------------------------------------------


@pytest.mark.covers("SRC-23")
def test_mdblist_tells_of_errors_with_a_good_status(ask, upstream):
    limit = {"response": False, "error": "API Limit Reached!"}
    upstream.answer("/watchlist/items", limit, headers={"X-RateLimit-Reset": str(int(time.time()) + 3600)})
    with pytest.raises(RateLimited) as caught:
        ask("mdblist_watchlist", {}, KEY)
    assert 3500 < caught.value.retry_after <= 3600
    upstream.replies["/watchlist/items"] = [Reply(as_body({"response": False, "error": "Invalid API key!"}))]
    with pytest.raises(AccessRefused, match="Invalid API key"):
        ask("mdblist_watchlist", {}, KEY)


@pytest.mark.covers("SRC-23")
def test_films_and_shows_of_mdblist_come_in_one_or_by_kind(ask, upstream):
    film = {"id": 603, "title": "A film", "imdb_id": "tt0133093", "mediatype": "movie", "release_year": 1999}
    show = {"id": 1396, "title": "A show", "imdb_id": "tt0903747", "tvdb_id": 81189, "mediatype": "show"}
    upstream.answer("/watchlist/items", {"movies": [film], "shows": [show]})
    rows, _ = ask("mdblist_watchlist", {}, KEY)
    assert [row.ids for row in rows] == [
        {"imdb": "tt0133093", "tmdb": "movie/603"},
        {"imdb": "tt0903747", "tmdb": "show/1396", "tvdb": "show/81189"},
    ]


# -- IMDb -----------------------------------------------------------------------------------------------------------------


@pytest.mark.covers("SRC-25", "SRC-04")
@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        ({"errors": [{"extensions": {"code": "FORBIDDEN"}}], "data": {"list": None}}, AccessRefused, "private"),
        ({"errors": [{"extensions": {"code": "RESOURCE_NOT_FOUND"}}]}, NotFound, "no such list"),
        ({"data": {"list": None}}, NotFound, "private"),
        ({"errors": [{"message": "Something broke"}]}, BadAnswer, "Something broke"),
        ({"data": {}}, BadAnswer, "no list"),
        ({"data": {"list": {"titleListItemSearch": None}}}, BadAnswer, "no list"),
    ],
)
def test_errors_of_imdb_are_never_an_empty_list(ask, upstream, answer, error, says):
    upstream.answer("/", answer)
    with pytest.raises(error, match=says):
        ask("imdb_list", {"list": "ls001", "private": True})


@pytest.mark.covers("SRC-25", "SRC-04")
@pytest.mark.parametrize("body", [b"", b"<!DOCTYPE html><html></html>"])
def test_a_challenge_of_imdb_is_no_answer(ask, upstream, body):
    upstream.answer("/", body, 202, headers={"x-amzn-waf-action": "challenge"})
    with pytest.raises(Blocked):
        ask("imdb_list", {"list": "ls001", "private": True})


def imdb_page(number: int, *, last: bool) -> Reply:
    edge = {"title": {"id": f"tt{number:07}", "titleText": {"text": f"Film {number}"}}}
    found = {"total": 2, "pageInfo": {"hasNextPage": not last, "endCursor": f"c{number}"}, "edges": [edge]}
    return Reply(as_body({"data": {"predefinedList": {"titleListItemSearch": found}}}))


@pytest.mark.covers("SRC-25", "SRC-02")
def test_the_watchlist_behind_a_new_profile_is_read_page_by_page(ask, upstream):
    profile = Reply(as_body({"data": {"userProfile": {"userId": "ur42"}}}))
    upstream.replies["/"] = [profile, imdb_page(1, last=False), imdb_page(2, last=True)]
    rows, ctx = ask("imdb_list", {"list": "p.abc", "private": True})
    assert (titles(rows), ctx.expected, ctx.cut_off) == (["Film 1", "Film 2"], 2, None)
    sent = [json.loads(seen.body)["variables"] for seen in upstream.seen]
    assert sent == [{"id": "p.abc"}, {"id": "ur42", "after": None}, {"id": "ur42", "after": "c1"}]


@pytest.mark.covers("SRC-03")
def test_imdb_is_asked_twice_a_second_at_most(ask, upstream, settings):
    upstream.replies["/"] = [imdb_page(n, last=n == 4) for n in (1, 2, 3, 4)]
    settings.SERVICES = {"imdb": {"url": upstream.url}}
    ask("imdb_list", {"list": "ur42", "private": True})
    times = [seen.at for seen in upstream.seen]
    assert len(times) == 4
    assert times[-1] - times[0] >= 1.5


@pytest.mark.covers("SRC-25")
def test_imdb_is_asked_only_where_the_site_allows_it(ask, upstream, settings):
    settings.IMDB_GRAPHQL = False
    assert "imdb.com/exports" in checked(ADAPTERS["imdb_list"], {"list": "ls001", "private": True})[1][0]
    ctx = Context(config={"list": "ls001", "private": True})
    with Door("imdb") as ctx.http, pytest.raises(SourceRefused, match=r"imdb\.com/exports"):
        list(ADAPTERS["imdb_list"]().fetch(ctx))
    assert upstream.seen == []
    assert "private, non-commercial use only" in ADAPTERS["imdb_list"].help


# -- Simkl, AniList -------------------------------------------------------------------------------------------------------

SIMKL = {"client_id": "c", "token": "hush"}
PLANNED = {"kind": "shows", "status": "watching"}


@pytest.mark.covers("SRC-23")
def test_simkl_is_asked_for_what_happened_before_anything_else(ask, upstream):
    upstream.answer("/sync/activities", {"tv_shows": {"all": "1", "removed_from_list": "1"}, "movies": {"all": "9"}})
    upstream.answer("/sync/all-items/shows/watching", {"shows": [{"show": {"title": "A show", "ids": {"simkl": 1}}}]})
    rows, ctx = ask("simkl_list", PLANNED, SIMKL)
    assert ([seen.path for seen in upstream.seen], len(rows)) == (
        ["/sync/activities", "/sync/all-items/shows/watching"],
        1,
    )
    assert upstream.seen[0].query.keys() >= {"client_id", "app-name", "app-version"}
    with pytest.raises(NotModified):
        ask("simkl_list", PLANNED, SIMKL, accepted=ctx.stamp)
    upstream.replies["/sync/activities"] = [Reply(as_body({"tv_shows": {"all": "1", "removed_from_list": "2"}}))]
    assert len(ask("simkl_list", PLANNED, SIMKL, accepted=ctx.stamp)[0]) == 1


@pytest.mark.covers("SRC-23")
def test_a_private_list_of_anilist_says_so(ask, upstream):
    upstream.answer("/", {"errors": [{"message": "Private User"}], "data": None}, 404)
    with pytest.raises(AccessRefused, match="private"):
        ask("anilist_list", {"user": "ada"})
    upstream.replies["/"] = [Reply(as_body({"errors": [{"message": "User not found"}]}), 404)]
    with pytest.raises(NotFound, match="nobody of this name"):
        ask("anilist_list", {"user": "ada"})


# -- any address ----------------------------------------------------------------------------------------------------------


@pytest.mark.covers("SRC-08")
def test_bare_numbers_of_a_feed_are_what_somebody_says(ask, upstream):
    upstream.answer("/feed.xml", feed_of(1).replace(b"imdb://tt0000001", b"603"))
    [_, row], _ = ask("feed_url", {"numbers": "tmdb"}, path="/feed.xml")
    assert row.ids == {"tmdb": "movie/603"}
    [_, row], _ = ask("feed_url", {}, path="/feed.xml")
    assert row.ids == {}


@pytest.mark.covers("SRC-07")
def test_an_error_in_json_at_an_address_is_told(ask, upstream):
    upstream.answer("/list.json", {"errors": [{"message": "No more today"}]})
    with pytest.raises(BadPayload, match="No more today"):
        ask("json_url", path="/list.json")


@pytest.mark.covers("SRC-07")
def test_a_list_of_a_known_service_at_an_address_is_read_as_that(ask, upstream):
    upstream.answer("/backup.json", [{"rank": 1, "type": "movie", "movie": {"title": "Heat", "ids": {"trakt": 1}}}])
    [row], _ = ask("json_url", path="/backup.json")
    assert row.key == "movie/1"
    rows, _ = ask("json_url", {"format": "json_list"}, path="/backup.json")
    assert titles(rows) == ["Heat"]
