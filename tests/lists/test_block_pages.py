"""Keeping something out by its id or title, on the pages, and letting it in again."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from lists import services
from lists.forms.blocks import read_id
from lists.models import Audit, Block, Entry
from lists.views.blocks import BLOCKS_SHOWN
from tests.lists.said import undo_of


def film(n: int, **more):
    return {"key": f"tt{n:07}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990 + n % 30, **more}


@pytest.fixture
def block(client, ines):
    """Block something on the page of a list as Ines; the page that follows."""
    client.force_login(ines)

    def block(list_, **typed):
        address = reverse("lists:blocks", args=[list_.pk]) if list_ else reverse("lists:all_blocks")
        return client.post(address, {"scope": "list" if list_ else "mine", **typed}, follow=True).content.decode()

    return block


@pytest.mark.covers("LIST-09")
def test_what_a_block_would_hit_is_seen_before_anything_is_blocked(page, films, upload, titles):
    upload(films, [film(1, title="A Christmas Tale"), film(2, title="Film 2"), film(3, title="Last christmas")])
    html = page("lists:blocks", films.pk, pattern="*CHRISTMAS*", scope="list", reason="not again", id="")
    assert "It hits 2 films" in html
    assert re.findall(r'dir="auto">([^<]*hristmas[^<]*)</a>', html) == ["A Christmas Tale", "Last christmas"]
    assert "Nothing was blocked yet." in html
    assert not Block.objects.exists()
    assert len(titles(films)) == 3
    assert "It hits nothing that is listed now" in page("lists:blocks", films.pk, pattern="zebra*", scope="list")


@pytest.mark.covers("LIST-09")
def test_a_blocked_id_stays_away_with_its_reason_until_it_is_unblocked(client, page, films, block, upload, titles):
    upload(films, [film(1), film(2)])
    said = block(films, id="tt0000001", reason="seen it")
    assert "imdb:tt0000001 is blocked. What its sources say is kept." in said
    assert titles(films) == ["Film 2"]
    html = page("lists:blocks", films.pk)
    row = re.search(r'<p class="row-title">IMDb tt0000001</p>.*?</li>', html, re.DOTALL)
    assert row
    for text in ("seen it", "this list", "by ines", "keeps 1 film out now", "Unblock"):
        assert text in row[0], text
    upload(films, [film(1, rating=5.0), film(2)])
    assert titles(films) == ["Film 2"]
    assert Entry.objects.get(title="Film 1").reason == "Blocked: seen it"
    out = client.post(undo_of(said), follow=True).content.decode()
    assert "imdb:tt0000001 is not blocked any more." in out
    assert titles(films) == ["Film 1", "Film 2"]
    assert Entry.objects.get(title="Film 1").rating == 5.0, "nothing had to be fetched"
    assert list(Audit.objects.order_by("id").values_list("action", flat=True)).count("unblocked") == 1


@pytest.mark.covers("LIST-09")
def test_a_block_for_all_of_mine_holds_for_my_lists_and_no_others(page, films, ines, jonas, block, upload, titles):
    other, theirs = services.create_list(ines, name="Other"), services.create_list(jonas, name="Of Jonas")
    for list_ in (films, other, theirs):
        upload(list_, [film(1), film(2)], by=list_.owner)
    block(None, pattern="film 1")
    assert [titles(list_) for list_ in (films, other, theirs)] == [["Film 2"], ["Film 2"], ["Film 1", "Film 2"]]
    assert "keeps 2 entries out now" in page("lists:all_blocks")
    assert "keeps 1 film out now" in page("lists:blocks", films.pk)
    assert "all your lists" in page("lists:blocks", other.pk)


@pytest.mark.covers("LIST-09")
def test_only_staff_block_for_everybody_and_lift_that(client, page, films, staff, block, upload, titles):
    upload(films, [film(1), film(2)])
    refused = block(None, pattern="film 1", scope="all")
    assert "You may not block for that." in refused
    assert not Block.objects.exists()
    client.force_login(staff)
    client.post(reverse("lists:all_blocks"), {"scope": "all", "pattern": "film 1"}, follow=True)
    made = Block.objects.get()
    services.settle_rules()
    assert titles(films) == ["Film 2"]
    client.force_login(films.owner)
    html = page("lists:blocks", films.pk)
    assert "every list" in html
    assert reverse("lists:unblock", args=[made.pk]) not in html
    assert client.post(reverse("lists:unblock", args=[made.pk])).status_code == 403
    client.force_login(staff)
    assert "keeps 1 entry out now" in client.get(reverse("lists:all_blocks")).content.decode()
    client.post(reverse("lists:unblock", args=[made.pk]))
    services.settle_rules()
    assert titles(films) == ["Film 1", "Film 2"]


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({}, "Type an id or a title pattern, one of the two."),
        ({"id": "tt0000001", "pattern": "x*"}, "Type an id or a title pattern, one of the two."),
        ({"id": "949"}, "We do not know this id."),
        ({"pattern": "**"}, "A pattern needs a letter or a digit"),
        ({"pattern": "x" * 300}, "at most 200"),
        ({"pattern": "film", "scope": "mine too"}, "You may not block for that."),
    ],
)
def test_what_cannot_be_blocked_says_why(films, block, typed, says):
    assert says in block(films, **typed)
    assert not Block.objects.exists()


def test_the_same_thing_is_blocked_once(films, block):
    block(films, pattern="*christmas*")
    html = block(films, pattern="*christmas*")
    assert "That is blocked already. Nothing was changed." in html
    assert 'value="*christmas*"' in html, "what was typed is still there"
    assert Block.objects.count() == 1


def test_an_editor_blocks_for_the_list_and_a_viewer_only_looks(client, films, jonas, upload, titles):
    upload(films, [film(1), film(2)])
    address = reverse("lists:blocks", args=[films.pk])
    services.share_list(films, user=jonas, role="viewer", by=films.owner)
    client.force_login(jonas)
    assert "Block something" not in client.get(address).content.decode()
    assert client.post(address, {"scope": "list", "pattern": "film 1"}).status_code == 403
    services.share_list(films, user=jonas, role="editor", by=films.owner)
    html = client.get(address).content.decode()
    assert re.findall(r'name="scope" value="(\w+)"', html) == ["list"], (
        "another owner's other lists are not theirs to block"
    )
    client.post(address, {"scope": "list", "pattern": "film 1"})
    assert titles(films) == ["Film 2"]


@pytest.mark.covers("OPS-12")
def test_many_blocks_ask_as_often_as_one(client, films, ines, jonas, upload):
    upload(films, [film(n) for n in range(20)])
    services.share_list(films, user=jonas, role="editor", by=ines)
    client.force_login(jonas)

    def count() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert client.get(reverse("lists:blocks", args=[films.pk])).status_code == 200
        return len(seen)

    Block.objects.create(list=films, pattern="film 1", created_by=ines)
    Block.objects.create(list=films, namespace="imdb", value="tt0000001", created_by=ines)
    Block.objects.create(list=films, item=Entry.objects.get(title="Film 2").item, created_by=ines)
    few = count()
    for n, entry in enumerate(Entry.objects.filter(list=films).select_related("item")[5:20]):
        Block.objects.create(list=films, pattern=f"film {n}*", reason="x" * n, created_by=ines)
        Block.objects.create(list=films, namespace="imdb", value=f"tt{n + 100:07}", created_by=ines)
        Block.objects.create(list=films, item=entry.item, created_by=jonas)
    assert count() == few


def test_a_long_blocklist_goes_on(client, page, ines):
    Block.objects.bulk_create(Block(owner=ines, pattern=f"film {n}") for n in range(BLOCKS_SHOWN + 3))
    first = page("lists:all_blocks")
    on = re.search(r'href="(\?before=\d+)" rel="next"', first)
    assert on
    second = client.get(reverse("lists:all_blocks") + on[1]).content.decode()
    assert [html.count("Unblock<") for html in (first, second)] == [BLOCKS_SHOWN, 3]


def test_an_unblock_leads_only_to_pages_of_ours(client, films, ines, block):
    for asked, to in [
        ("https://elsewhere.example/", reverse("lists:all_blocks")),
        ("", reverse("lists:all_blocks")),
        (reverse("lists:blocks", args=[films.pk]), reverse("lists:blocks", args=[films.pk])),
    ]:
        block(films, pattern="film")
        address = reverse("lists:unblock", args=[Block.objects.get().pk])
        assert client.post(address, {"next": asked}).url == to


@pytest.mark.parametrize(
    ("text", "is_"),
    [
        ("tt0113277", ("imdb", "tt0113277")), (" tt0113277 ", ("imdb", "tt0113277")),
        ("movie/949", ("tmdb", "movie/949")), ("show/1396", ("tmdb", "show/1396")),
        ("https://www.imdb.com/title/tt0113277/?ref_=x", ("imdb", "tt0113277")),
        ("https://m.imdb.com/de/title/tt0113277/", ("imdb", "tt0113277")),
        ("https://www.themoviedb.org/movie/949-heat", ("tmdb", "movie/949")),
        ("https://www.themoviedb.org/tv/1396", ("tmdb", "show/1396")),
        ("tvdb:series/121361", ("tvdb", "series/121361")), ("trakt:movie/3", ("trakt", "movie/3")),
        ("949", None), ("heat", None), ("https://example.org/", None), ("tvdb:", None), ("", None),
    ],
)  # fmt: skip
def test_an_id_is_read_as_people_have_it(text, is_):
    assert read_id(text) == is_
