"""Saved pages of IMDb: what a list shows of itself, and pages that are none."""

import json
import time

import pytest

from lists.records import About, NotTaken, Record, Unreadable
from sync.adapters import Context, recognise
from sync.errors import BadPayload
from sync.sources.imdb_page import ImdbPage

FILM = {"id": "tt0000903", "titleText": {"text": "Salt Harbour"}, "titleType": {"id": "movie", "text": "Movie"}}
SHOW = {"id": "tt0000905", "titleText": {"text": "Quiet Rooms"}, "titleType": {"id": "tvMiniSeries"}}
PERSON = {"id": "nm0000001", "nameText": {"text": "Ann Vale"}}


def page(data, head="<title>Harbours &amp; lights - IMDb</title>") -> str:
    script = f'<script id="__NEXT_DATA__" type="application/json">{json.dumps(data)}</script>'
    return f"<!DOCTYPE html><html><head>{head}</head><body>{script}</body></html>"


def listed(*things, total=None, holder="list", connection="titleListItemSearch"):
    edges = [{"node": {"absolutePosition": n}, "listItem": thing} for n, thing in enumerate(things, 1)]
    shown = {connection: {"total": len(edges) if total is None else total, "edges": edges}}
    return {"props": {"pageProps": {"mainColumnData": {holder: shown}}}}


def read(text, ctx=None) -> list:
    return list(ImdbPage().fetch(ctx or Context((text if isinstance(text, str) else json.dumps(text)).encode())))


def test_a_title_brings_its_fields_in_our_terms():
    film = FILM | {
        "originalTitleText": {"text": "Hafen"}, "releaseYear": {"year": 2021}, "runtime": {"seconds": 7081},
        "releaseDate": {"year": 2021, "month": 3, "day": 4}, "plot": {"plotText": {"plainText": "A harbour."}},
        "ratingsSummary": {"aggregateRating": 7.9, "voteCount": 18204}, "primaryImage": {"url": "https://img.example/p.jpg"},
        "titleGenres": {"genres": [{"genre": {"text": "Drama"}}, {"genre": {"text": "Sci-Fi"}}]},
    }  # fmt: skip
    data = listed(film)
    data["props"]["pageProps"]["mainColumnData"]["list"]["titleListItemSearch"]["edges"][0]["node"] = {
        "absolutePosition": 26, "createdDate": "2024-05-06T07:08:09.000Z",
    }  # fmt: skip
    link = '<title>Harbours &amp; lights - IMDb</title><link rel="canonical" href="https://www.imdb.com/list/ls01/?a=1&amp;b=2"/>'
    about, row = read(page(data, head=link))
    assert about == About("Harbours & lights", {"url": "https://www.imdb.com/list/ls01/?a=1&b=2"})
    assert row == Record(
        key="tt0000903", kind="movie", ids={"imdb": "tt0000903"}, position=26,
        values={
            "title": "Salt Harbour", "original_title": "Hafen", "year": 2021, "release_date": "2021-03-04",
            "runtime_s": 7081, "rating": 7.9, "votes": 18204, "poster": "https://img.example/p.jpg",
            "overview": "A harbour.", "genres": ["Drama", "Sci-Fi"], "title_type": "Movie", "added_on": "2024-05-06",
        },
    )  # fmt: skip


@pytest.mark.parametrize("holder", ["list", "predefinedList"])
def test_a_page_that_shows_a_part_says_how_many_there_are(holder):
    ctx = Context(page(listed(FILM, SHOW, total=35, holder=holder)).encode())
    rows = [row for row in read("", ctx) if isinstance(row, Record)]
    assert [(row.key, row.kind) for row in rows] == [("tt0000903", "movie"), ("tt0000905", "show")]
    assert ctx.expected == 35


def test_a_chart_has_its_titles_in_the_nodes():
    edges = [{"currentRank": 1, "node": SHOW}, {"currentRank": 2, "node": FILM}]
    data = {"props": {"pageProps": {"pageData": {"chartTitles": {"edges": edges}}}}}
    _, first, second = read(page(data))
    assert [(row.key, row.position) for row in (first, second)] == [("tt0000905", 1), ("tt0000903", 2)]


def test_an_answer_of_the_graphql_host_reads_the_same():
    node = {"node": {"absolutePosition": 1}, "title": FILM}
    shown = {"name": {"originalText": "WATCHLIST"}, "titleListItemSearch": {"total": 1, "edges": [node]}}
    body = json.dumps({"data": {"predefinedList": shown}})
    assert recognise(body.encode())[0] is ImdbPage
    about, row = read(body)
    assert (about.title, row.key) == ("WATCHLIST", "tt0000903")


def test_people_are_not_taken_and_a_list_of_them_is_refused():
    assert read(page(listed(FILM, PERSON)))[-1] == NotTaken(None, "person")
    with pytest.raises(BadPayload, match=r"The file holds no media: 1 person\. Nothing was read\."):
        read(page(listed(PERSON, connection="nameListItemSearch")))


@pytest.mark.parametrize(
    ("thing", "reason", "key"),
    [
        ({}, "no title in this row", None),
        ({"id": "xx1"}, "no IMDb id", None),
        (FILM | {"releaseYear": {"year": "soon"}}, "Year must be a year", "tt0000903"),
    ],
)
def test_a_bad_row_is_named_and_the_rest_is_read(thing, reason, key):
    _, bad, good = read(page(listed(thing, SHOW)))
    assert isinstance(bad, Unreadable)
    assert reason in bad.reason
    assert bad.key == key
    assert good.key == "tt0000905"


def test_a_page_of_one_title_is_refused_because_all_others_would_have_left():
    data = {
        "props": {
            "pageProps": {"tconst": "tt0000903", "aboveTheFoldData": FILM, "mainColumnData": {"cast": {"edges": []}}}
        }
    }
    with pytest.raises(
        BadPayload, match=r'one title \("Salt Harbour", tt0000903\), not of a list\. Nothing was read\. Add'
    ):
        read(page(data))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('<html><head><title></title><script>window.awsWafCookieDomainList = [];window.gokuProps = {}</script>', "robots"),
        ("<html><head><title>IMDb Sign-In</title></head></html>", "signs in at IMDb"),
        ("<html><head><title>Cookie consent - IMDb</title></head></html>", "consent to cookies"),
        ("<html><head><title>Ratings - IMDb</title></head><body>Help</body></html>", "holds no list of IMDb"),
        (page({"props": {"pageProps": {}}}), "shows no list"),
        (page(listed(FILM))[:-60], "cut off or is damaged"),
    ],
)  # fmt: skip
def test_a_page_that_is_no_list_is_refused_with_the_reason_and_the_way_out(text, says):
    assert recognise(text.encode())[0] is ImdbPage
    with pytest.raises(BadPayload, match=f"{says}.*Nothing was read. Export the list at imdb.com/exports"):
        read(text)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"errors": [{"message": "Forbidden", "extensions": {"code": "FORBIDDEN"}}], "data": None}, '"Forbidden"'),
        ({"data": {"list": None}}, "it may be private, or gone"),
    ],
)
def test_an_answer_without_a_list_is_refused(answer, says):
    with pytest.raises(BadPayload, match=f"{says}.*Nothing was read"):
        read(answer)


def test_a_page_is_recognised_where_its_data_begin_behind_the_first_64_kilobytes():
    text = page(listed(FILM), head=f"<title>Harbours - IMDb</title><style>{'x' * 100_000}</style>")
    assert recognise(text.encode())[0] is ImdbPage
    assert [row.key for row in read(text) if isinstance(row, Record)] == ["tt0000903"]


def test_pages_of_others_are_not_taken_for_imdbs():
    body = b'<html><head><title>Films like on IMDbook</title></head><body><a href="https://www.imdb.com/">x</a></body></html>'
    assert ImdbPage not in recognise(body)


@pytest.mark.parametrize("trap", ["<div>", "<script ", '<link rel="canonical" ', "<title>sign", "<meta og:url "])
def test_a_page_that_repeats_itself_takes_no_time(trap):
    """Some of these took a minute when the page was parsed into a tree, or patterns looked across tags."""
    text = "<html><title>x - IMDb</title>" + trap * (5 * 2**20 // len(trap))
    begun = time.process_time()
    assert recognise(text.encode())[0] is ImdbPage
    with pytest.raises(BadPayload, match="Nothing was read"):
        read(text)
    assert time.process_time() - begun < 20
