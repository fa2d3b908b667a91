"""The pages of lists: who may see them, what is on them, what they are called."""

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.views import defaults

from lists import services
from lists.models import Audit, Claim, MediaList
from lists.views.overview import LISTS_SHOWN


def film(n: int, **more):
    return {"key": f"tt{n:07}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990 + n % 30, **more}


def play(n: int, title: str, cue: int, **more):
    return {"key": f"{n:03}", "kind": "track", "title": title, "artist": "Ann", "cue_ms": cue, **more}


def titles_of(html: str) -> list[str]:
    """Titles of a list's page, in the order shown."""
    return re.findall(r'<(?:p class="name clamp"|a class="quiet-link clamp"[^>]*)[^>]*>([^<]+)<', html)


# -- who may see and change what ---------------------------------------------------------------------------------------

OF_A_LIST = ["items", "changes", "diff", "on_day", "settings", "exports"]


@pytest.mark.parametrize("name", ["lists:index", "lists:bin", "lists:create"])
def test_a_visitor_is_asked_to_sign_in(client, db, name):
    response = client.get(reverse(name))
    assert response.status_code == 302
    assert response.url.startswith(reverse("login"))


def test_somebody_who_signs_in_comes_to_the_lists(client, ines):
    assert (
        "do not fit together" in client.post(reverse("login"), {"username": "ines", "password": "x"}).content.decode()
    )
    response = client.post(reverse("login"), {"username": "ines", "password": "a-long-password"}, follow=True)
    assert "Welcome, ines" in response.content.decode()
    assert client.post(reverse("logout")).url == reverse("login")
    assert client.get(reverse("lists:index")).status_code == 302


@pytest.mark.parametrize("name", OF_A_LIST)
def test_a_list_of_somebody_else_is_not_there(client, films, jonas, upload, name):
    upload(films, [film(1)])
    client.force_login(jonas)
    assert client.get(reverse(f"lists:{name}", args=[films.pk])).status_code == 404


@pytest.mark.parametrize("name", ["delete", "restore"])
def test_nobody_deletes_a_list_of_somebody_else(client, films, jonas, name):
    client.force_login(jonas)
    assert client.post(reverse(f"lists:{name}", args=[films.pk])).status_code == 404
    services.share_list(films, user=jonas, role="editor", by=films.owner)
    assert client.post(reverse(f"lists:{name}", args=[films.pk])).status_code == 403
    films.refresh_from_db()
    assert films.deleted_at is None


def test_a_viewer_looks_and_does_not_change(client, films, jonas, upload):
    upload(films, [film(1)])
    services.share_list(films, user=jonas, role="viewer", by=films.owner)
    client.force_login(jonas)
    shown = client.get(reverse("lists:items", args=[films.pk])).content.decode()
    assert "Film 1" in shown
    assert "newer file" not in shown
    settings = reverse("lists:settings", args=[films.pk])
    assert 'name="name"' not in client.get(settings).content.decode()
    response = client.post(settings, {"name": "Mine now"})
    assert response.status_code == 403
    assert "Nothing was changed" in response.content.decode()
    films.refresh_from_db()
    assert films.name == "Films to watch"


def test_staff_see_every_list(client, films, staff):
    client.force_login(staff)
    assert "Films to watch" in client.get(reverse("lists:index")).content.decode()
    assert client.get(reverse("lists:settings", args=[films.pk])).status_code == 200


@pytest.mark.parametrize(
    "path", ["/lists/4711/", "/lists/99999999999999999999/", "/lists/4711/versions/1/", "/no/such"]
)
def test_what_is_not_there_says_so(client, ines, path):
    client.force_login(ines)
    response = client.get(path)
    assert response.status_code == 404
    assert "This page does not exist" in response.content.decode()


@pytest.mark.parametrize("view", [defaults.server_error, defaults.bad_request, defaults.page_not_found])
def test_a_page_of_last_resort_needs_nothing_but_itself(rf, view):
    said = () if view is defaults.server_error else (Exception(),)
    html = view(rf.get("/"), *said).content.decode()
    assert "<h1>" in html
    assert f'href="{reverse("lists:index")}"' in html


def test_a_form_from_before_signing_in_says_that_it_is_too_old(films):
    client = Client(enforce_csrf_checks=True)
    client.force_login(films.owner)
    response = client.post(reverse("lists:delete", args=[films.pk]))
    assert response.status_code == 403
    assert "This form is too old" in response.content.decode()


# -- all lists ---------------------------------------------------------------------------------------------------------


@pytest.mark.covers("LIST-14")
def test_an_empty_list_is_made_by_hand(client, page, ines):
    made = client.post(
        reverse("lists:create"), {"name": "Sets", "content": "tracks", "description": "Ours", "tags": "live, dj ,live"}
    )
    list_ = MediaList.objects.get()
    assert made.url == reverse("lists:items", args=[list_.pk])
    assert (list_.owner, list_.content, list_.tags) == (ines, "tracks", ["live", "dj"])
    assert "Nothing is on this list yet" in page("lists:items", list_.pk)


@pytest.mark.parametrize("answers", [{"name": "", "content": "films"}, {"name": "x", "content": "cars"}, {"name": "x"}])
def test_a_list_without_a_name_or_content_is_not_made(client, page, answers):
    client.post(reverse("lists:create"), answers)
    assert not MediaList.objects.exists()


def test_lists_are_found_by_name_and_tag(page, ines):
    for name, tags in [("Salt", ["sea"]), ("Sand", ["sea", "dry"]), ("Snow", [])]:
        services.create_list(ines, name=name, tags=tags)
    assert all(name in page("lists:index") for name in ("Salt", "Sand", "Snow", "3 lists"))
    assert re.findall(r"dir=\"auto\">(S\w+)<", page("lists:index", q="sal")) == ["Salt"]
    assert re.findall(r"dir=\"auto\">(S\w+)<", page("lists:index", q="dry")) == ["Sand"]
    assert re.findall(r"dir=\"auto\">(S\w+)<", page("lists:index", tag="sea")) == ["Salt", "Sand"]
    assert "No list fits" in page("lists:index", q="fog")


def test_many_lists_go_on_on_the_next_page(page, client, ines):
    MediaList.objects.bulk_create(MediaList(owner=ines, name=f"List {n:03}") for n in range(LISTS_SHOWN + 5))
    first = page("lists:index")
    after = re.search(r'href="(\?after=[^"]+)" rel="next"', first)
    assert after
    second = client.get(reverse("lists:index") + after[1].replace("&amp;", "&")).content.decode()
    assert f"List {LISTS_SHOWN - 1:03}" in first
    assert f"List {LISTS_SHOWN:03}" not in first
    assert len(re.findall(r"List \d{3}</a>", second)) == 5


def test_a_deleted_list_lies_in_the_bin_and_comes_back(client, page, films, upload):
    upload(films, [film(1)])
    deleted = client.post(reverse("lists:delete", args=[films.pk]), follow=True).content.decode()
    undo = re.search(r'action="([^"]+)"[^>]*>.*?<button>Bring it back', deleted)
    assert undo
    assert undo[1] == reverse("lists:restore", args=[films.pk])
    assert client.get(reverse("lists:items", args=[films.pk])).status_code == 404
    assert "Films to watch" in page("lists:bin")
    assert "Film 1" in client.post(undo[1], follow=True).content.decode()
    assert "The bin is empty" in page("lists:bin")
    assert list(Audit.objects.order_by("id").values_list("action", flat=True))[-2:] == ["deleted", "restored"]


# -- what is on a list -------------------------------------------------------------------------------------------------


def test_search_filters_and_orders_narrow_a_list(page, films, upload):
    upload(films, [
        film(1, title="Salt Harbour", year=2021, genres=["Drama"], rating=7.9),
        film(2, title="Nine Rooms", year=2023, genres=["Mystery", "Drama"], rating=8.1),
        film(3, title="Harbour Patrol", kind="show", year=1999, genres=["Comedy"]),
    ])  # fmt: skip
    wanted = {
        "": ["Salt Harbour", "Nine Rooms", "Harbour Patrol"],
        "q=harbour": ["Salt Harbour", "Harbour Patrol"],
        "kind=show": ["Harbour Patrol"],
        "genre=Drama": ["Salt Harbour", "Nine Rooms"],
        "year_from=2000&year_to=2022": ["Salt Harbour"],
        "year=1999": ["Harbour Patrol"],
        "q=harbour&kind=movie": ["Salt Harbour"],
        "sort=title": ["Harbour Patrol", "Nine Rooms", "Salt Harbour"],
        "sort=year": ["Nine Rooms", "Salt Harbour", "Harbour Patrol"],
        "sort=rating": ["Nine Rooms", "Salt Harbour", "Harbour Patrol"],
    }
    found = {
        query: titles_of(page("lists:items", films.pk, **dict(part.split("=") for part in query.split("&") if part)))
        for query in wanted
    }
    assert found == wanted
    assert "Nothing fits “<bdi>fog</bdi>”" in page("lists:items", films.pk, q="fog")


@pytest.mark.parametrize("sort", ["order", "title", "year", "rating", "added"])
def test_paging_shows_every_entry_once(client, page, films, upload, sort):
    upload(films, [film(n, rating=float(n % 7)) for n in range(1, 131)])
    address: str | None = f"?sort={sort}"
    seen: list[str] = []
    while address:
        html = client.get(reverse("lists:items", args=[films.pk]) + address).content.decode()
        seen += titles_of(html)
        on = re.search(r'href="(\?[^"]+)" rel="next"', html)
        address = on[1].replace("&amp;", "&") if on else None
    assert len(seen) == len(set(seen)) == 130
    if sort == "order":
        assert seen == [f"Film {n}" for n in range(1, 131)]
        assert "101 to 130 of 130 films" in html


def test_places_are_counted_on_across_pages(client, page, films, upload):
    upload(films, [film(n) for n in range(1, 61)])
    on = re.search(r'href="(\?[^"]+)" rel="next"', page("lists:items", films.pk, view="table"))
    assert on
    html = client.get(reverse("lists:items", args=[films.pk]) + on[1].replace("&amp;", "&")).content.decode()
    assert re.findall(r'faint wide-only">(\d+)<', html) == [str(n) for n in range(51, 61)]


@pytest.mark.parametrize(
    "query",
    [
        "after=x", "after=WzFd", "after=WyJvcmRlciIsImFiYyIsMV0", "after=WyJ0aXRsZSIsImEiLDFd", "n=-1", "n=9e9",
        "after=WyJhZGRlZCIsIm5vdyIsMV0&sort=added", "sort=no", "year=20x4", "kind=car", "view=cube", "q=%00", "genre=%7C",
        "after=WyJ5ZWFyIiwxZTMwOCwxXQ&sort=year",
    ],
)  # fmt: skip
def test_a_query_that_makes_no_sense_shows_the_list(client, page, films, upload, query):
    upload(films, [film(1)])
    response = client.get(f"{reverse('lists:items', args=[films.pk])}?{query}")
    assert response.status_code == 200


def test_each_list_remembers_its_view(page, films, ines, upload):
    other = services.create_list(ines, name="Other")
    for list_ in (films, other):
        upload(list_, [film(1)])
    assert "<table>" not in page("lists:items", films.pk)
    assert "<table>" in page("lists:items", films.pk, view="table")
    assert "<table>" in page("lists:items", films.pk)
    assert "<table>" not in page("lists:items", other.pk)


@pytest.mark.covers("VER-07")
def test_a_set_shows_its_plays_with_their_times(page, upload):
    rows = [
        play(1, "Low Tide", 0, group="Opening"), play(2, "", 380_000, artist=""),
        play(3, "Nine Volt", 3_753_000, runtime_s=247),
    ]  # fmt: skip
    list_ = upload(None, rows).list
    html = page("lists:items", list_.pk)
    assert re.findall(r'class="cue">([^<]*)<', html) == ["0:00:00", "0:06:20", "1:02:33"]
    assert re.findall(r'class="side-info">(?:<a.*?</a>)?<span>([^<]*)<', html) == ["6:20", "56:13", "4:07"]
    assert 'class="chapter" dir="auto">Opening' in html
    assert html.count("Not known yet") == 1
    assert "1 track is not known yet" in html
    upload(list_, [play(1, "New One", 0), *(row | {"key": f"{n:03}"} for n, row in enumerate(rows, 2))])
    assert re.findall(r'class="diff-row (\w+)"', page("lists:diff", list_.pk)).count("add") == 1


def test_an_entry_that_a_source_lacks_or_just_brought_is_marked(page, films, upload):
    upload(films, [film(1), film(2)])
    upload(films, [film(1), film(2), film(3)])
    Claim.objects.filter(key="tt0000002").update(missing=1, missing_since=timezone.now())
    html = page("lists:items", films.pk)
    assert re.findall(r'class="mark mark-(\w+) tag">(\w+)<', html) == [("warn", "Missing"), ("live", "New")]


def test_a_list_whose_first_fill_has_not_ended_shows_nothing_of_it(page, films, upload):
    upload(films, [film(1)])
    MediaList.objects.update(current=None)
    assert "Film 1" not in page("lists:items", films.pk)
