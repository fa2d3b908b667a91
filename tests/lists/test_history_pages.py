"""The pages that tell where a value comes from and how a list changed."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from lists import services
from lists.models import Entry, Provenance, Version


def film(n: int, **more):
    return {"key": f"tt{n:07}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990 + n % 30, **more}


def titles_of(html: str) -> list[str]:
    """Titles of a list's page, in the order shown."""
    return re.findall(r'<(?:p class="name clamp"|a class="quiet-link clamp"[^>]*)[^>]*>([^<]+)<', html)


# -- one entry ---------------------------------------------------------------------------------------------------------


@pytest.mark.covers("LIST-03")
def test_an_entry_shows_all_that_is_known_of_it(page, films, upload):
    upload(films, [film(
        1, ids={"imdb": "tt0113277", "tmdb": "movie/949", "trakt": "movie/3"}, title="Heat", original_title="Hitze",
        year=1995, release_date="1995-12-15", runtime_s=10_200, rating=8.3, votes=1_204_871, popularity=48.5,
        language="en", genres=["Crime", "Drama"], overview="A thief and a policeman.", release_status="Released",
        poster="https://pictures.example/heat.jpg", note="seen twice", directors=["Michael Mann"],
    )])  # fmt: skip
    html = page("lists:entry", films.pk, Entry.objects.get().pk)
    for text in (
        "Heat", "Hitze", "1995", "1995-12-15", "2:50", "8.3", "1,204,871", "48.5", "Crime, Drama", "Released",
        "A thief and a policeman.", "seen twice", "Michael Mann", 'src="https://pictures.example/heat.jpg"',
        'href="https://www.imdb.com/title/tt0113277/" rel="noreferrer"',
        'href="https://www.themoviedb.org/movie/949" rel="noreferrer"', "movie/3",
    ):  # fmt: skip
        assert text in html, text


def test_each_value_names_its_source(page, films, upload):
    upload(films, [film(1, rating=7.0)], name="first.csv")
    upload(films, [film(1, rating=8.0, overview="Only here.")], source=None, name="second.csv")
    html = page("lists:entry", films.pk, Entry.objects.get().pk)
    rows = dict(re.findall(r'<th scope="row">([^<]+)</th>(.*?)</tr>', html, re.DOTALL))
    assert "<bdi>first.csv</bdi>" in rows["Rating"]
    assert "<bdi>second.csv</bdi>: 8.0" in rows["Rating"]
    assert "1 other source agrees" in rows["Title"]
    assert "<bdi>second.csv</bdi></td>" in rows["Overview"]
    assert len(re.findall(r"lists it, place 1", html)) == 2


def test_an_entry_tells_how_it_changed(page, films, upload):
    upload(films, [film(1), film(2)])
    upload(films, [film(1, rating=7.0), film(2)])
    upload(films, [film(2)])
    upload(films, [film(1, rating=7.0), film(2)])
    html = page("lists:entry", films.pk, Entry.objects.get(title="Film 1").pk)
    told = re.findall(r'<p class="what">(Came back|Came|Left|Changed)', html)
    assert told == ["Came back", "Left", "Changed", "Came"]
    assert "nothing before <ins>7.0</ins>" in html


def test_an_entry_that_left_says_so(page, films, upload):
    upload(films, [film(1), film(2)])
    upload(films, [film(2)])
    assert "It is not on Films to watch any more" in page("lists:entry", films.pk, Entry.objects.get(title="Film 1").pk)


@pytest.mark.covers("LIST-05")
def test_a_film_on_two_lists_is_one_film(page, films, ines, upload):
    other = services.create_list(ines, name="Sea films")
    upload(films, [film(1), film(1)])
    upload(other, [film(1)])
    here, there = Entry.objects.get(list=films), Entry.objects.get(list=other)
    assert here.item_id == there.item_id
    assert reverse("lists:entry", args=[other.pk, there.pk]) in page("lists:entry", films.pk, here.pk)


@pytest.mark.covers("LIST-07")
def test_an_entry_says_which_list_brought_it_first_but_names_nobody_elses(
    page, client, films, ines, jonas, staff, upload
):
    secret = services.create_list(jonas, name="Secret of Jonas")
    upload(secret, [film(1)], by=jonas, name="hidden.csv")
    first = services.create_list(ines, name="First of Ines")
    upload(first, [film(1)], name="first.csv")
    upload(films, [film(1)], name="later.csv")
    Provenance.objects.create(
        item=Entry.objects.get(list=films).item, title="Film 1", list=None, list_name="Gone list",
        source_name="old.csv", first_at=timezone.now() - timedelta(days=9), last_at=timezone.now(),
    )  # fmt: skip
    address = films.pk, Entry.objects.get(list=films).pk
    html = page("lists:entry", *address)
    brought = html[html.index("Which list brought it") :]
    assert brought.index("First of Ines") < brought.index("later.csv")
    assert "first, with <bdi>first.csv" in brought
    assert not any(name in html for name in ("Secret of Jonas", "hidden.csv", "Gone list"))
    client.force_login(staff)
    seen = client.get(reverse("lists:entry", args=address)).content.decode()
    assert "Secret of Jonas" in seen
    assert "first, with <bdi>old.csv" in seen


def test_an_entry_of_another_list_is_not_there(client, page, films, ines, upload):
    other = services.create_list(ines, name="Other")
    upload(films, [film(1)])
    upload(other, [film(2)])
    entry = Entry.objects.get(list=films)
    assert client.get(reverse("lists:entry", args=[other.pk, entry.pk])).status_code == 404


def test_an_address_that_would_run_code_is_no_link(page, films, upload):
    upload(
        films, [film(1, title="<script>alert(1)</script>", address="javascript:alert(1)", poster="data:text/html,x")]
    )
    html = page("lists:entry", films.pk, Entry.objects.get().pk)
    assert 'href="javascript' not in html
    assert "<script>alert" not in html
    assert '<img src="data' not in html


# -- how a list changed ------------------------------------------------------------------------------------------------


@pytest.mark.covers("VER-03")
def test_versions_are_paged_newest_first(page, client, films, upload):
    for n in range(1, 23):
        upload(films, [film(1, rating=n / 10)])
    html = page("lists:changes", films.pk)
    assert re.findall(r">Version (\d+)</a>", html) == [str(n) for n in range(22, 2, -1)]
    on = re.search(r'href="(\?before=\d+)" rel="next"', html)
    assert on
    older = client.get(reverse("lists:changes", args=[films.pk]) + on[1]).content.decode()
    assert re.findall(r">Version (\d+)</a>", older) == ["2", "1"]
    assert "by ines" in older
    assert "1 film came." in older


def test_any_version_shows_the_list_as_it_was(page, client, films, upload):
    upload(films, [film(n) for n in range(1, 71)])
    upload(films, [film(70), film(1, title="Renamed"), *(film(n) for n in range(3, 70))])
    html = page("lists:version", films.pk, 1)
    assert titles_of(html) == [f"Film {n}" for n in range(1, 51)]
    on = re.search(r'href="(\?start=\d+)" rel="next"', html)
    assert on
    rest = client.get(reverse("lists:version", args=[films.pk, 1]) + on[1]).content.decode()
    assert titles_of(rest) == [f"Film {n}" for n in range(51, 71)]
    assert titles_of(page("lists:version", films.pk, 2))[:3] == ["Film 70", "Renamed", "Film 3"]
    assert titles_of(page("lists:version", films.pk, 2, start="99999")) == []
    assert client.get(reverse("lists:version", args=[films.pk, 3])).status_code == 404


@pytest.mark.covers("VER-04")
def test_any_two_versions_are_compared_field_by_field(page, films, upload):
    upload(films, [film(n) for n in range(1, 6)])
    upload(films, [film(9), film(1), film(2, rating=8.0), film(3), film(4)])
    upload(films, [film(9), film(1, year=2001), film(2, rating=8.5), film(3), film(4)])
    html = page("lists:diff", films.pk, **{"from": "1", "to": "3"})
    assert re.findall(r'class="diff-row (\w+)"', html) == ["add", "del", "alt", "alt"]
    assert "nothing before <ins>8.5</ins>" in html
    assert "<del><bdi>1991</bdi></del> <ins><bdi>2001</bdi></ins>" in html
    back = page("lists:diff", films.pk, **{"from": "3", "to": "1"})
    assert "<del>8.5</del> nothing now" in back
    assert "<del>8.0</del> <ins>8.5</ins>" in page("lists:diff", films.pk)  # the last two
    assert "Nothing differs" in page("lists:diff", films.pk, **{"from": "2", "to": "2"})


def test_a_long_comparison_goes_on(page, client, films, upload):
    upload(films, [film(1)])
    upload(films, [film(n) for n in range(1, 120)])
    html = page("lists:diff", films.pk)
    seen = re.findall(r'row-title clamp"[^>]*>(Film \d+)<', html)
    while on := re.search(r'href="(\?[^"]+)" rel="next"', html):
        html = client.get(reverse("lists:diff", args=[films.pk]) + on[1].replace("&amp;", "&")).content.decode()
        seen += re.findall(r'row-title clamp"[^>]*>(Film \d+)<', html)
    assert seen == [f"Film {n}" for n in range(2, 120)]


@pytest.mark.parametrize("query", ["from=9&to=1", "to=0&from=77", "from=99999999999"])
def test_a_comparison_with_a_version_that_never_was_is_not_there(client, page, films, upload, query):
    upload(films, [film(1)])
    assert client.get(f"{reverse('lists:diff', args=[films.pk])}?{query}").status_code in (200, 404)
    assert client.get(f"{reverse('lists:diff', args=[films.pk])}?from=9&to=1").status_code == 404


def test_a_day_leads_to_the_version_that_was_current_then(client, page, films, upload):
    for n in range(1, 4):
        upload(films, [film(n)])
        Version.objects.filter(number=n).update(created_at=datetime(2025, 3, n * 2, 12, tzinfo=UTC))
    address = reverse("lists:on_day", args=[films.pk])
    to = {
        day: client.get(address, {"day": day}).url.rsplit("/", 2)[1]
        for day in ("2025-03-02", "2025-03-05", "2026-01-01")
    }
    assert to == {"2025-03-02": "1", "2025-03-05": "2", "2026-01-01": "3"}
    for day in ("2025-03-01", "", "tomorrow", "2025-13-41", "9999-12-31", "0001-01-01"):
        response = client.get(address, {"day": day}, follow=True)
        assert 'role="alert"' in response.content.decode(), day
        assert response.redirect_chain[-1][0] == reverse("lists:changes", args=[films.pk])
