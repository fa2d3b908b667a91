"""Services that leave out how much there is, or whether more follows: a part is never taken for the whole."""

import pytest

from lists import services
from sync.models import Run
from tests.sync.sources.stand_ins import tmdb_film, trakt_film
from tests.sync.test_fetched_runs import ITEMS, serve, tmdb_page, trakt_pages
from tests.upstream import Reply, as_body

pytestmark = pytest.mark.covers("SRC-23", "SAFE-01")


def bare(reply: Reply) -> Reply:
    """Without its headers."""
    return Reply(reply.body)


@pytest.fixture
def trakt(fetched, upstream):
    upstream.answer("/users/ada/lists/best", {"name": "Best"})
    return fetched("trakt_list", {"user": "ada", "list": "best"}, {"client_id": "c"})


def test_the_first_page_of_trakt_without_its_headers_is_not_the_list(films, trakt, upstream, titles):
    serve(upstream, ITEMS, *trakt_pages(range(1, 301), 250))
    assert trakt.sync().outcome == Run.Outcome.COMPLETE
    serve(upstream, ITEMS, bare(trakt_pages(range(1, 301), 250)[0]))
    for _ in range(2):
        run = trakt.sync()
        assert (run.outcome, run.removed, run.held, len(titles(films))) == (Run.Outcome.PARTIAL, 0, 0, 300)


def test_who_used_to_say_how_much_there_is_and_does_not_has_sent_a_part(films, trakt, upstream, titles):
    serve(upstream, ITEMS, *trakt_pages(range(1, 101), 250))
    trakt.sync()
    for _ in range(3):  # however often
        serve(upstream, ITEMS, bare(trakt_pages(range(1, 91), 250)[0]))
        run = trakt.sync()
        assert (run.state, run.outcome, run.error_code) == (Run.State.PARTIAL, Run.Outcome.PARTIAL, "parse")
        assert "does not say how much there is" in run.error
        assert (run.removed, run.held, len(titles(films))) == (0, 0, 100)
    serve(upstream, ITEMS, *trakt_pages(range(1, 100), 250))
    assert [trakt.sync().removed for _ in range(2)] == [0, 1]


def test_what_was_said_of_another_list_is_asked_of_none(films, trakt, upstream, ines):
    serve(upstream, ITEMS, *trakt_pages(range(1, 4), 250))
    trakt.sync()
    trakt.refresh_from_db()
    services.move_source(trakt, by=ines, address="", config={"user": "ada", "list": "other"})
    upstream.answer("/users/ada/lists/other", {"name": "Other"})
    serve(upstream, ITEMS.replace("best", "other"), bare(trakt_pages(range(1, 4), 250)[0]))
    assert trakt.sync().outcome == Run.Outcome.UNVERIFIED


@pytest.mark.parametrize("silent", ["movies", "shows"])
def test_a_list_of_two_parts_of_which_one_says_nothing_is_not_stated(films, fetched, upstream, silent):
    source = fetched("trakt_user", {"user": "ada", "list": "ratings"}, {"client_id": "c"})
    shows = [{"type": "show", "show": trakt_film(n)} for n in range(1, 4)]
    pages = {
        "movies": trakt_pages(range(1, 4), 250)[0],
        "shows": Reply(as_body(shows), 200, {"X-Pagination-Item-Count": "3"}),
    }
    for kind, page in pages.items():
        serve(upstream, f"/users/ada/ratings/{kind}", bare(page) if kind == silent else page)
    run = source.sync()
    assert (run.outcome, run.added) == (Run.Outcome.UNVERIFIED, 6)


def test_a_full_page_of_mdblist_that_says_nothing_is_followed_by_the_next(films, fetched, upstream, titles):
    source = fetched("mdblist_watchlist", {}, {"api_key": "k"})

    def page(*numbers: int, **headers: str) -> Reply:
        rows = [{"id": n, "title": f"Film {n}", "mediatype": "movie", "imdb_id": f"tt{n:07}"} for n in numbers]
        return Reply(as_body(rows), 200, headers)

    both = page(*range(1, 1001)), page(*range(1001, 1004))
    serve(upstream, "/watchlist/items", *both)
    assert source.sync().added == 1003
    serve(upstream, "/watchlist/items", *both)
    assert (source.sync().unchanged, len(titles(films))) == (1003, 1003)
    serve(upstream, "/watchlist/items", both[0])
    assert source.sync().outcome == Run.Outcome.PARTIAL  # it sends the same page again


def test_a_short_page_of_tmdb_that_says_nothing_is_followed_by_the_next(films, fetched, upstream, titles):
    source = fetched("tmdb_list", {"id": "7"}, {"token": "t"})
    pages = [Reply(as_body({"results": list(map(tmdb_film, part))})) for part in (range(1, 20), range(20, 40), [])]
    serve(upstream, "/4/list/7", *pages)
    run = source.sync()
    assert (run.outcome, len(titles(films))) == (Run.Outcome.UNVERIFIED, 39)


def test_a_list_of_tmdb_that_says_its_length_and_not_its_pages_is_read_to_the_end(films, fetched, upstream, titles):
    source = fetched("tmdb_list", {"id": "7"}, {"token": "t"})
    pages = [tmdb_page(1, range(1, 20)), tmdb_page(2, range(20, 40)), tmdb_page(3, range(40, 60))]
    serve(upstream, "/4/list/7", *(Reply(page.body.replace(b"total_pages", b"left_out")) for page in pages))
    assert (source.sync().outcome, len(titles(films))) == (Run.Outcome.COMPLETE, 59)
