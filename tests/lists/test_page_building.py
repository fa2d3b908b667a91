"""Settings and export, and what is true of every page: no inline code, few queries, values as people write them."""

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from lists import services
from lists.models import Audit, Entry, MediaList, Source, Version
from lists.templatetags import listkeeper as words


def film(n: int, **more):
    return {"key": f"tt{n:07}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990 + n % 30, **more}


# -- settings and export -----------------------------------------------------------------------------------------------


def test_a_list_is_renamed_described_and_tagged(client, page, films):
    address = reverse("lists:settings", args=[films.pk])
    saved = client.post(address, {"name": "By the sea", "description": "Salt.", "tags": "sea"}, follow=True)
    assert "Saved." in saved.content.decode()
    films.refresh_from_db()
    assert (films.name, films.description, films.tags) == ("By the sea", "Salt.", ["sea"])
    assert Audit.objects.latest("id").before["name"] == "Films to watch"
    refused = client.post(address, {"name": " "}).content.decode()
    assert "A list needs a name. Nothing was saved." in refused
    films.refresh_from_db()
    assert films.name == "By the sea"


def test_the_settings_name_what_feeds_the_list(page, films, upload):
    upload(films, [film(1), film(2), {"broken": "x"}], name="autumn.csv")
    html = page("lists:settings", films.pk)
    for text in ("autumn.csv", "Scripted rows", "2 rows read", "1 could not be read", "1 source"):
        assert text in html, text
    Source.objects.update(removed_at=timezone.now())
    html = page("lists:settings", films.pk)
    assert "No source feeds this list" in html
    assert "autumn.csv" in html[html.index("1 source was removed") :]


@pytest.mark.parametrize("key", ["csv", "json"])
def test_a_list_is_taken_along_as_a_file(client, page, films, upload, key):
    upload(films, [film(1, title="Salt Harbour")])
    MediaList.objects.update(name="Нуар: 50/50")
    assert reverse("lists:export", args=[films.pk, key]) in page("lists:exports", films.pk)
    response = client.get(reverse("lists:export", args=[films.pk, key]))
    assert "Salt Harbour" in response.getvalue().decode()
    assert response["Content-Disposition"].startswith("attachment; filename*=utf-8''%D0%9D")
    assert response["Content-Disposition"].endswith(f".{key}")
    assert client.get(reverse("lists:export", args=[films.pk, "exe"])).status_code == 404


# -- how pages are made ------------------------------------------------------------------------------------------------


class Checked(HTMLParser):
    """Collects what the content security policy forbids, and ids that stand twice."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        if tag == "style" or (tag == "script" and not named.get("src")):
            self.wrong.append(f"inline <{tag}>")
        self.wrong += [f"{tag} {name}" for name in named if name == "style" or name.startswith("on")]
        if tag in ("img", "link", "script", "use") and str(named.get("src") or named.get("href")).startswith("http"):
            self.wrong.append(f"{tag} from elsewhere")
        if "id" in named:
            self.ids.append(named["id"])


def test_no_page_has_inline_code_or_asks_elsewhere(page, films, upload):
    upload(films, [film(n) for n in range(1, 60)])
    upload(films, [film(n, rating=5.0) for n in range(2, 70)])
    entry, source = Entry.objects.listed().first(), Source.objects.get()
    pages = [
        page("lists:index"), page("lists:bin"), page("lists:create"), page("lists:items", films.pk),
        page("lists:items", films.pk, view="table", q="film"), page("lists:changes", films.pk), page("lists:diff", films.pk),
        page("lists:version", films.pk, 1), page("lists:entry", films.pk, entry.pk), page("lists:settings", films.pk),
        page("lists:exports", films.pk), page("lists:restore_version", films.pk, 1), page("lists:rules", films.pk),
        page("lists:members", films.pk), page("lists:blocks", films.pk, pattern="film*", scope="list"), page("lists:all_blocks"),
        page("lists:source", films.pk, source.pk), page("lists:remove_source", films.pk, source.pk), page("lists:audit"),
        page("lists:list_audit", films.pk),
    ]  # fmt: skip
    for html in pages:
        checked = Checked()
        checked.feed(html)
        assert checked.wrong == []
        assert sorted(checked.ids) == sorted(set(checked.ids))
        assert html.count("<h1") == 1
        assert not re.search(r"{[{%#]|[#%}]}", html)


def test_the_theme_of_the_cookie_is_written_into_the_page(client, page):
    assert 'value="auto" checked' in page("lists:index")
    client.cookies["theme"] = "dark"
    assert 'value="dark" checked' in page("lists:index")
    client.cookies["theme"] = '"><script>'
    assert 'value="auto" checked' in page("lists:index")
    client.logout()
    client.cookies["theme"] = "dark"
    assert 'data-theme="dark"' in client.get(reverse("login")).content.decode()


def test_a_picture_is_the_same_wherever_the_item_stands(films, ines, upload):
    other = services.create_list(ines, name="Other")
    upload(films, [film(1)])
    upload(other, [film(2), film(1)])
    assert len({words.poster(entry) for entry in Entry.objects.filter(title="Film 1")}) == 1


NOW = datetime(2026, 11, 19, 16, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "says"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=14), "14 min ago"),
        (timedelta(minutes=59, seconds=59), "59 min ago"),
        (timedelta(hours=2, minutes=19), "13:41"),
        (timedelta(hours=17, minutes=46), "yesterday 22:14"),
        (timedelta(days=17), "2 Nov"),
        (timedelta(days=400), "15 Oct 2025"),
        (timedelta(minutes=-30), "16:30"),
    ],
)
def test_times_read_as_people_say_them(before, says):
    assert words.in_words(NOW - before, NOW) == says


@pytest.mark.parametrize(
    ("said", "is_"),
    [
        (words.film_length(7080), "1:58"), (words.track_length(380), "6:20"), (words.cue(3_753_999), "1:02:33"),
        (words.took(420), "0.4 s"), (words.took(200_000), "3 min 20 s"), (words.things(1, "films"), "1 film"),
        (words.things(11_482, "tracks"), "11,482 tracks"), (words.shown("year", 1995), "<bdi>1995</bdi>"),
        (words.shown("votes", 11_482), "11,482"), (words.shown("genres", ["a", "b"]), "a, b"),
        (words.shown("rating", 7.0), "7.0"),
        (words.tally(0, 0, 0), ""), (words.page_at("tmdb", "track/1"), ""),
    ],
)  # fmt: skip
def test_values_read_as_people_write_them(said, is_):
    assert said == is_


# -- the number of queries does not grow -------------------------------------------------------------------------------


def queries(client, path: str, **params) -> int:
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert client.get(path, params).status_code == 200
    return len(seen)


def counts(client, list_: MediaList) -> dict[str, int]:
    entry = Entry.objects.filter(list=list_).listed().order_by("rank").first()
    return {
        name: queries(client, reverse(f"lists:{name}", args=args), **params)
        for name, args, params in [
            ("items", [list_.pk], {"view": "table"}),
            ("changes", [list_.pk], {}),
            ("version", [list_.pk, 1], {}),
            ("diff", [list_.pk], {"from": "1", "to": "2"}),
            ("entry", [list_.pk, entry.pk], {}),
            ("settings", [list_.pk], {}),
        ]
    }


@pytest.mark.covers("OPS-12")
def test_pages_of_a_long_list_ask_as_often_as_those_of_a_short_one(client, ines, upload):
    short, long = (services.create_list(ines, name=name) for name in ("Short", "Long"))
    for list_, size in ((short, 10), (long, 1000)):
        upload(list_, [film(n, genres=["Drama"]) for n in range(size)])
        changed = min(size, 800)
        upload(list_, [film(n, genres=["Drama"], rating=7.0 if n < changed else None) for n in range(size)])
        Version.objects.bulk_create(
            Version(list=list_, number=n, kind="import", author_name="ines") for n in range(3, size // 5 + 3)
        )
    client.force_login(ines)
    assert client.get(reverse("lists:items", args=[short.pk]), {"view": "table"}).status_code == 200
    assert client.get(reverse("lists:items", args=[long.pk]), {"view": "table"}).status_code == 200
    few = counts(client, short)
    assert counts(client, long) == few
    assert max(few.values()) <= 22


@pytest.mark.covers("OPS-12")
def test_a_thousand_lists_ask_as_often_as_ten(client, ines, upload):
    for n in range(10):
        upload(services.create_list(ines, name=f"A {n}"), [film(m) for m in range(n, n + 4)])
    client.force_login(ines)
    few = queries(client, reverse("lists:index"))
    MediaList.objects.bulk_create(MediaList(owner=ines, name=f"B {n}") for n in range(1000))
    assert queries(client, reverse("lists:index")) == few <= 14
