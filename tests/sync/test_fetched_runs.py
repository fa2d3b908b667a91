"""Sources of real services, from their answers to the list: through the door, the pipeline and the worker's own task."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from lists import services
from lists.exports import EXPORTS
from lists.models import Entry, Item, Proposal, Source
from sync import retries
from sync.models import Breaker, Pace, Run
from tests.sync.sources.stand_ins import HOLDS_NOTHING, feed_of, tmdb_film, trakt_film
from tests.upstream import Reply, as_body


def serve(upstream, path: str, *replies: Reply) -> None:
    """These in this order from now on; the last one again and again."""
    upstream.replies[path] = list(replies)


def tmdb_page(number: int, films: range, *, pages: int = 3, total: int = 59) -> Reply:
    return Reply(
        as_body({"page": number, "results": list(map(tmdb_film, films)), "total_pages": pages, "total_results": total})
    )


THREE = [tmdb_page(1, range(1, 20)), tmdb_page(2, range(20, 40)), tmdb_page(3, range(40, 60))]


@pytest.mark.covers("SRC-10", "SRC-17", "LIST-02")
def test_a_list_of_three_pages_whose_first_is_short_comes_whole(films, fetched, upstream, titles):
    source = fetched("tmdb_list", {"id": "7"}, {"token": "hush"})
    serve(upstream, "/4/list/7", *THREE)
    run = source.sync()
    assert (run.state, run.outcome, run.added) == (Run.State.COMPLETED, Run.Outcome.COMPLETE, 59)
    assert titles(films)[:20] == [f"Film {n}" for n in range(1, 21)]
    serve(upstream, "/4/list/7", THREE[0], Reply(b"{}", 500))
    run = source.sync()
    assert (run.state, run.outcome, run.removed, run.held) == (Run.State.PARTIAL, Run.Outcome.PARTIAL, 0, 0)
    assert "broke off" in run.error
    assert len(titles(films)) == 59
    assert "hush" not in f"{run.error} {run.details}"


@pytest.mark.covers("RETRY-03", "SRC-17")
@pytest.mark.parametrize(("reply", "seconds"), [
    (Reply(b"{}", 429, {"Retry-After": "600"}), 600), (Reply(b"{}", 500), 60),
])  # fmt: skip
def test_what_broke_off_is_kept_and_tried_again_when_it_is_time(films, fetched, upstream, titles, work, reply, seconds):
    source = fetched("tmdb_list", {"id": "7"}, {"token": "hush"})
    serve(upstream, "/4/list/7", THREE[0], reply)
    run = source.sync()
    assert (run.state, run.outcome, len(titles(films))) == (Run.State.PARTIAL, Run.Outcome.PARTIAL, 19)
    retry = Run.objects.get(previous=run)
    assert (retry.state, retry.kind, retry.attempt) == (Run.State.WAITING, Run.Kind.RETRY, 2)
    assert 0.8 * seconds <= (retry.next_attempt_at - run.finished_at).total_seconds() <= 1.2 * seconds
    serve(upstream, "/4/list/7", *THREE)
    Pace.objects.all().delete()  # as if the time had passed
    assert retries.start_ripe(retry.next_attempt_at) == 1
    work()
    assert len(titles(films)) == 59
    assert not Run.objects.filter(state=Run.State.WAITING).exists()


def trakt_pages(films: range, size: int) -> list[Reply]:
    parts = [films[at : at + size] for at in range(0, len(films), size)]
    headers = {"X-Pagination-Page-Count": str(len(parts)), "X-Pagination-Item-Count": str(len(films))}
    return [
        Reply(as_body([{"rank": n, "type": "movie", "movie": trakt_film(n)} for n in part]), 200, headers)
        for part in parts
    ]


ITEMS = "/users/ada/lists/best/items/movie,show,season,episode"


@pytest.mark.parametrize("size", [100, 250])
@pytest.mark.covers("SRC-18")
def test_a_list_that_the_service_parts_as_it_likes_comes_whole(films, fetched, upstream, titles, size):
    source = fetched("trakt_list", {"user": "ada", "list": "best"}, {"client_id": "c"})
    upstream.answer("/users/ada/lists/best", {"name": "Best"})
    serve(upstream, ITEMS, *trakt_pages(range(1, 614), size))
    run = source.sync()
    assert (run.outcome, run.added, len(titles(films))) == (Run.Outcome.COMPLETE, 613, 613)
    asked = [seen for seen in upstream.seen if seen.path == ITEMS]
    assert [seen.query["page"] for seen in asked] == [[str(n)] for n in range(1, len(asked) + 1)]
    assert asked[0].query["limit"] == ["250"]
    serve(upstream, ITEMS, trakt_pages(range(1, 614), size)[0])
    run = source.sync()
    assert (run.outcome, run.removed, run.held, len(titles(films))) == (Run.Outcome.PARTIAL, 0, 0, 613)
    assert "same page" in run.error


def exported(list_) -> int:
    """How many films its readers get."""
    return len(json.loads(b"".join(EXPORTS["json"].write(list_, user=list_.owner)))["entries"])


@pytest.mark.covers("SRC-23")
def test_an_empty_answer_after_many_is_held(films, fetched, upstream, titles, ines):
    source = fetched("radarr", {}, {"url": upstream.url, "api_key": "k"})
    serve(
        upstream,
        "/api/v3/movie",
        Reply(as_body([{"title": f"Film {n}", "tmdbId": n, "titleSlug": "x"} for n in range(1, 201)])),
    )
    assert source.sync().added == 200
    serve(upstream, "/api/v3/movie", Reply(b"[]"))
    run = source.sync()
    assert (run.state, run.removed, run.held, len(titles(films))) == (Run.State.COMPLETED, 0, 200, 200)
    assert run.outcome == Run.Outcome.UNVERIFIED, "that it came empty is all that speaks for its being empty"
    proposal = Proposal.objects.get(source=source)
    assert (proposal.state, exported(films)) == (Proposal.State.OPEN, 200)
    services.apply_held(proposal, by=ines, entries=None)
    assert (titles(films), exported(films)) == ([], 0)


@pytest.mark.covers("SRC-23", "SAFE-03")
def test_what_is_missing_at_radarr_once_stays_even_without_grace(films, fetched, upstream, titles):
    source = fetched("radarr", {}, {"url": upstream.url, "api_key": "k"})
    source.grace = 0
    source.save()
    some = [{"title": f"Film {n}", "tmdbId": n, "titleSlug": "x"} for n in range(1, 11)]
    serve(upstream, "/api/v3/movie", Reply(as_body(some)))
    source.sync()
    serve(upstream, "/api/v3/movie", Reply(as_body(some[1:])))
    assert [source.sync().removed for _ in range(2)] == [0, 1]


@pytest.mark.covers("SRC-25", "CB-01")
def test_a_check_for_robots_leaves_the_list_alone(films, fetched, upstream, titles, settings):
    settings.SERVICES |= {"imdb": settings.SERVICES["imdb"] | {"failures": 4}}
    source = fetched("imdb_chart", {"chart": "BOX_OFFICE", "private": True})
    entries = [{"title": {"id": f"tt{n:07}", "titleText": {"text": f"Film {n}"}}} for n in range(1, 4)]
    serve(upstream, "/", Reply(as_body({"data": {"boxOfficeWeekendChart": {"entries": entries}}})))
    assert source.sync().added == 3
    serve(upstream, "/", Reply(b"", 202, {"x-amzn-waf-action": "challenge"}))
    run = source.sync()
    assert (run.state, run.error_code, len(titles(films))) == (Run.State.FAILED, "parse", 3)
    assert "wants to see a person" in run.error
    asked = upstream.asked("/")
    runs_ = [another_time(source) for _ in range(2)]
    assert "wants to see a person" in runs_[0].error
    assert Breaker.objects.get(service="imdb").state == Breaker.State.OPEN
    assert "left alone until" in runs_[1].error
    assert (upstream.asked("/") - asked, len(titles(films))) == (2, 3)


def another_time(source) -> Run:
    """Without waiting for its retry."""
    Run.objects.filter(state=Run.State.WAITING).delete()
    return source.sync()


@pytest.mark.covers("SRC-08")
def test_one_item_of_a_feed_that_says_nothing_is_named_and_the_others_come(films, fetched, upstream, titles):
    source = fetched("feed_url", path="/feed.xml")
    serve(upstream, "/feed.xml", Reply(feed_of(1, HOLDS_NOTHING, 3)))
    run = source.sync()
    assert (run.state, run.skipped, titles(films)) == (Run.State.PARTIAL, 1, ["Film 1", "Film 3"])
    assert "no title" in run.details["problems"][0]["reason"]
    assert source.origin == "rss"
    serve(upstream, "/feed.xml", Reply(feed_of(4)))
    run = source.sync()
    assert (run.outcome, run.removed, len(titles(films))) == (Run.Outcome.WINDOW, 0, 3)


@pytest.mark.covers("SRC-08")
def test_a_feed_that_somebody_says_is_the_whole_list_lets_go(films, fetched, upstream, titles):
    source = fetched("feed_url", path="/feed.xml")
    source.mode = Source.Mode.COMPLETE
    source.save()
    serve(upstream, "/feed.xml", Reply(feed_of(*range(1, 11))))
    source.sync()
    serve(upstream, "/feed.xml", Reply(feed_of(*range(2, 11))))
    assert [source.sync().removed for _ in range(2)] == [0, 1]


@pytest.mark.covers("STR-02", "STR-16")
def test_films_that_lack_an_id_are_not_one(films, fetched, upstream, titles):
    source = fetched("trakt_chart", {"chart": "trending", "kind": "movies", "limit": 3}, {"client_id": "c"})
    nameless = [
        {"watchers": 9, "movie": {**trakt_film(n), "ids": {"trakt": n, "imdb": None, "tmdb": None}}} for n in (1, 2, 3)
    ]
    serve(upstream, "/movies/trending", Reply(as_body(nameless), 200, {"X-Pagination-Item-Count": "9000"}))
    run = source.sync()
    assert (run.outcome, titles(films)) == (Run.Outcome.WINDOW, ["Film 1", "Film 2", "Film 3"])
    assert Item.objects.filter(entries__list=films).count() == 3


@pytest.mark.covers("STR-01", "STR-16", "SRC-09")
def test_a_chart_follows_its_service(films, fetched, upstream, titles):
    source = fetched("tmdb_chart", {"chart": "trending_week", "kind": "movie", "limit": 30}, {"token": "t"})
    assert (source.mode, source.interval_min) == ("rolling", 360)
    serve(
        upstream,
        "/3/trending/movie/week",
        tmdb_page(1, range(1, 21), total=900),
        tmdb_page(2, range(21, 41), total=900),
    )
    assert (source.sync().added, len(titles(films))) == (30, 30)
    serve(
        upstream,
        "/3/trending/movie/week",
        tmdb_page(1, range(31, 51), total=900),
        tmdb_page(2, range(51, 71), total=900),
    )
    run = source.sync()
    assert (run.added, run.removed, run.held) == (30, 30, 0)
    assert titles(films) == [f"Film {n}" for n in range(31, 61)]


@pytest.mark.covers("SRC-23")
def test_a_daily_limit_told_with_a_good_status_is_waited_for(films, fetched, upstream):
    source = fetched("mdblist_list", {"user": "ada", "list": "best"}, {"api_key": "hush"})
    reset = timezone.now() + timedelta(hours=5)
    serve(
        upstream, "/lists/ada/best",
        Reply(as_body({"response": False, "error": "API Limit Reached!"}), 200, {"X-RateLimit-Reset": str(int(reset.timestamp()))}),
    )  # fmt: skip
    run = source.sync()
    assert (run.state, run.error_code) == (Run.State.WAITING, "rate_limited")
    assert "Nothing was removed" in run.error
    assert abs(run.next_attempt_at - reset) < timedelta(minutes=5)


@pytest.mark.covers("SRC-07")
def test_a_table_at_an_address_is_read_as_its_columns_are_mapped(films, fetched, upstream, titles):
    config = {"mapping": {"0": "", "1": "title", "2": "id:imdb"}}
    source = fetched("csv_url", config, path="/sheet.csv")
    table = b"Title,Film,Where\nx,Heat,tt0113277\ny,Ronin,tt0122690\n"
    serve(upstream, "/sheet.csv", Reply(table, 200, {"Content-Type": "text/csv", "ETag": '"1"'}), Reply(b"", 304))
    assert (source.sync().added, titles(films)) == (2, ["Heat", "Ronin"])
    run = source.sync()
    assert (run.state, run.outcome) == (Run.State.COMPLETED, Run.Outcome.NOT_MODIFIED)
    assert Entry.objects.filter(list=films, item__ids__value="tt0113277").exists()


@pytest.mark.covers("SRC-18")
def test_what_did_not_change_at_its_service_is_not_read(films, fetched, upstream, titles):
    source = fetched("trakt_user", {"list": "watchlist", "kind": "movies"}, {"client_id": "c", "token": "t"})
    upstream.answer("/sync/last_activities", {"watchlist": {"updated_at": "2026-01-01T00:00:00.000Z"}})
    serve(upstream, "/users/me/watchlist/movies", *trakt_pages(range(1, 4), 250))
    assert source.sync().added == 3
    run = source.sync()
    assert (run.outcome, run.requests, len(titles(films))) == (Run.Outcome.NOT_MODIFIED, 1, 3)
    source.refresh_from_db()
    assert source.last_success_at == source.last_run_at


def planned(*numbers: int) -> dict:
    films = [{"title": f"Film {n}", "year": 1995, "ids": {"simkl": n}} for n in numbers]
    return {"movies": [{"status": "plantowatch", "movie": film} for film in films]}


PLANNED = "/sync/all-items/movies/plantowatch"


@pytest.fixture
def simkl(fetched, upstream):
    upstream.answer("/sync/activities", {"movies": {"all": "2026-01-01T00:00:00Z"}})
    return fetched("simkl_list", {"kind": "movies", "status": "plantowatch"}, {"client_id": "c", "token": "t"})


@pytest.mark.covers("SRC-23", "SAFE-03")
def test_nothing_leaves_by_what_simkl_says_beside_its_list(films, simkl, upstream, titles):
    upstream.answer(PLANNED, planned(*range(1, 41)))
    assert simkl.sync().added == 40
    upstream.answer("/sync/activities", {"movies": {"all": "2026-01-02T00:00:00Z"}})
    upstream.answer(PLANNED, planned(*range(1, 34)))
    assert simkl.sync().removed == 0
    upstream.answer(PLANNED, planned(*range(1, 42)))
    run = simkl.sync()
    assert (run.removed, run.added, len(titles(films))) == (0, 1, 41)
    assert simkl.sync().outcome == Run.Outcome.NOT_MODIFIED


@pytest.mark.covers("SRC-23")
def test_a_list_of_simkl_that_came_empty_first_is_asked_for_again(films, simkl, upstream, titles):
    upstream.answer(PLANNED, {})
    assert simkl.sync().state == Run.State.COMPLETED
    upstream.answer(PLANNED, planned(1))
    assert simkl.sync().added == 1


@pytest.mark.covers("SRC-23", "SAFE-01")
def test_an_empty_list_of_simkl_is_believed_only_if_all_the_others_come(films, simkl, upstream, titles):
    upstream.answer(PLANNED, planned(1, 2))
    simkl.sync()
    upstream.answer("/sync/activities", {"movies": {"all": "2026-01-02T00:00:00Z"}})
    upstream.answer(PLANNED, {})
    upstream.answer("/sync/all-items/movies", {})
    run = another_time(simkl)
    assert (run.state, run.error_code, run.held, len(titles(films))) == (Run.State.FAILED, "parse", 0, 2)
    assert "nothing was removed" in run.error
    seen = {"movies": [{"status": "completed", "movie": {"title": "Heat", "year": 1995, "ids": {"simkl": 9}}}]}
    upstream.answer("/sync/all-items/movies", seen)
    run = another_time(simkl)
    assert (run.outcome, run.held, len(titles(films))) == (Run.Outcome.UNVERIFIED, 2, 2)
    seen["movies"] += planned(1, 2)["movies"]
    upstream.answer("/sync/all-items/movies", seen)
    run = another_time(simkl)
    assert (run.unchanged, run.held, len(titles(films))) == (2, 0, 2)


@pytest.mark.covers("SRC-23")
def test_where_nothing_happened_at_simkl_its_list_stays_and_was_looked_at(films, fetched, upstream, titles):
    source = fetched("simkl_list", {"kind": "movies", "status": "plantowatch"}, {"client_id": "c", "token": "t"})
    upstream.answer("/sync/activities", {"movies": {"all": "2026-01-01T00:00:00Z"}})
    found = [{"status": "plantowatch", "movie": {"title": "Heat", "year": 1995, "ids": {"simkl": 1}}}]
    upstream.answer("/sync/all-items/movies/plantowatch", {"movies": found})
    assert source.sync().added == 1
    Source.objects.filter(pk=source.pk).update(last_success_at=timezone.now() - timedelta(days=1))
    upstream.answer("/sync/all-items/movies/plantowatch", {"movies": []})
    run = source.sync()
    assert (run.outcome, run.requests, titles(films)) == (Run.Outcome.NOT_MODIFIED, 1, ["Heat"])
    source.refresh_from_db()
    assert timezone.now() - source.last_success_at < timedelta(hours=1)
