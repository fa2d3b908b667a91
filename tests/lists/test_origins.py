"""What brought an item counts as what it is: a list, a person, a feed or a recommendation."""

import re

import pytest

from lists import services
from lists.models import Claim, Entry, Provenance, Source
from sync.adapters import ADAPTERS
from tests.lists.test_api import api, film
from tests.scripted import Scripted


class Feed(Scripted):
    key, label, origin = "scripted_feed", "Scripted feed", "rss"


class Advice(Scripted):
    key, label, origin = "scripted_advice", "Scripted advice", "recommendation"


WAYS = {"list": "scripted", "rss": "scripted_feed", "recommendation": "scripted_advice"}


@pytest.fixture(autouse=True)
def _registered(monkeypatch):
    for adapter in (Feed, Advice):
        monkeypatch.setitem(ADAPTERS, adapter.key, adapter)


@pytest.fixture
def brought(films, upload, ines):
    """One film by each way; the last one was typed in."""
    for n, adapter in enumerate(WAYS.values(), 1):
        upload(films, [film(n)], adapter=adapter, source=None, name=f"{adapter}.json")
    services.add_entry(films, by=ines, values={"title": "Film 4", "year": 1994}, ids={"imdb": "tt0000004"})
    return films


def entry(title: str) -> Entry:
    return Entry.objects.get(title=title)


def told(html: str) -> str:
    found = re.search(r'aria-labelledby="br">.*?</section>', html, re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", found[0]).split()) if found else ""


@pytest.mark.covers("LIST-08")
def test_each_way_has_its_kind_by_the_api_and_on_the_page(brought, page, ines):
    words = {
        "list": "with scripted.json", "rss": "with the feed scripted_feed.json",
        "recommendation": "recommended by scripted_advice.json", "manual": "by hand",
    }  # fmt: skip
    for n, origin in enumerate([*WAYS, "manual"], 1):
        one = entry(f"Film {n}")
        answer = api(ines).get(f"/api/v1/lists/{brought.pk}/entries/{one.pk}/").json()
        assert [claim["origin"] for claim in answer["claims"]] == [origin]
        assert words[origin] in told(page("lists:entry", brought.pk, one.pk))
    shown = api(ines).get(f"/api/v1/lists/{brought.pk}/sources/").json()["results"]
    assert sorted(source["origin"] for source in shown) == ["list", "manual", "recommendation", "rss"]


@pytest.mark.covers("LIST-08")
def test_the_kind_stays_when_the_list_is_gone(brought, upload, ines, staff):
    services.purge_list(brought, by=ines)
    assert not Claim.objects.exists()
    assert dict(Provenance.objects.values_list("title", "origin")) == {
        "Film 1": "list", "Film 2": "rss", "Film 3": "recommendation", "Film 4": "manual",
    }  # fmt: skip
    again = services.create_list(ines, name="Again")
    upload(again, [film(n) for n in range(1, 5)])
    for n, origin in enumerate([*WAYS, "manual"], 1):
        one = entry(f"Film {n}")
        answer = api(staff).get(f"/api/v1/lists/{again.pk}/entries/{one.pk}/").json()
        assert [(row["origin"], row["list_name"]) for row in answer["provenance"]] == [(origin, "Films to watch")]


def test_what_the_list_only_keeps_was_not_brought_by_hand(films, upload, page, ines):
    upload(films, [film(1), film(2)])
    services.remove_source(Source.objects.get(role="feed"), by=ines, keep=True)
    one = entry("Film 1")
    assert Claim.objects.filter(entry=one, source__role="kept").exists()
    assert "by hand" not in told(page("lists:entry", films.pk, one.pk))
    assert "with rows.json" in told(page("lists:entry", films.pk, one.pk))


def test_the_register_says_as_what_a_kind_of_source_counts(ines):
    answer = api(ines).get("/api/v1/source-types/", {"limit": 1000}).json()["results"]
    kinds = {row["key"]: row["origin"] for row in answer}
    assert {key: kinds[key] for key in WAYS.values()} == {key: origin for origin, key in WAYS.items()}
