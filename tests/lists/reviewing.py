"""What the tests of the review share: questions and held removals to decide, and how a page answers."""

import re

import pytest
from django.urls import reverse

from lists import services
from lists.models import Conflict, Entry, Proposal, Source


def film(n: int, **more):
    return {"key": f"tt{n:07}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990 + n % 30, **more}


@pytest.fixture
def contradicted(films, upload, ines):
    """Film 1 to n: Ines made the year 1950, then the file came again with 1960."""

    def contradicted(n: int = 1, list_=films):
        upload(list_, [film(m) for m in range(1, 11)])
        edited = Entry.objects.filter(list=list_, title__in=[f"Film {m}" for m in range(1, n + 1)])
        services.edit_entries(list_, {entry.pk: {"year": 1950} for entry in edited}, by=ines)
        upload(list_, [film(m, **({"year": 1960} if m <= n else {})) for m in range(1, 11)])
        return list(Conflict.objects.filter(list=list_, state="open").order_by("id"))

    return contradicted


@pytest.fixture
def differing(films, upload, ines):
    """Two files disagree on the genres of Film 1, on a list that asks."""
    services.change_rules(films, by=ines, strategy="ask")
    upload(films, [film(1, genres=["Drama"]), film(2)])
    upload(films, [film(1, genres=["Crime", "drama"]), film(2)], source=None, name="other.json")
    return Conflict.objects.get()


@pytest.fixture
def hold(films, upload):
    """Five films of a list of ten wait to leave."""

    def hold(n: int = 5, of: int = 10, list_=films, **result) -> Proposal:
        if not list_.entries.exists():
            upload(list_, [film(m) for m in range(1, of + 1)])
        entries = Entry.objects.filter(list=list_).listed().order_by("rank").values_list("id", flat=True)[:n]
        return Proposal.objects.create(
            kind=Proposal.Kind.HELD, state=Proposal.State.OPEN, list=list_, source=Source.objects.filter(list=list_, role=Source.Role.FEED).get(),
            result={"entries": list(entries), "supported": of, "found": of - n, "explanation": "", **result},
        )  # fmt: skip

    return hold


CONFLICTS = "/review/conflicts/"
MATCHES = "/review/conflicts/?about=thing"


def held_at(proposal: Proposal) -> str:
    return reverse("lists:review_held", args=[proposal.pk])


def picks(html: str) -> list[str]:
    """What the form of each question says it is about."""
    return re.findall(r'type="hidden" name="pick" value="([^"]+)"', html)


def seen(html: str) -> str:
    found = re.search(r'name="seen" value="([^"]*)"', html)
    assert found
    return found[1]


def years(list_) -> dict[str, int]:
    return dict(Entry.objects.filter(list=list_).listed().values_list("title", "year"))


def decide(client, path: str, choice: str, n: int = 0, **more):
    """Answer the n-th question of a page; the page that follows."""
    pick = picks(client.get(path).content.decode())[n]
    return client.post(path, {"act": "decide", "pick": pick, "choice": choice, **more}, follow=True)


def said(response) -> str:
    return " ".join(str(message) for message in response.context["messages"])


@pytest.fixture
def ambiguous(films, upload, ines):
    """A Heat of 1995 that may be either of two."""
    other = services.create_list(ines, name="Both")
    upload(other, [film(n, title="Heat", year=1995) for n in (1, 2)])
    upload(films, [{"key": "heat", "title": "Heat", "year": 1995}, film(3)])
    return Conflict.objects.get()


@pytest.fixture
def disagreeing(films, upload, ines):
    """A film whose ids name two things."""

    def disagreeing(by=ines):
        other = services.create_list(by, name="Both")
        upload(other, [film(1), {"key": "b", "title": "Film B", "year": 1999, "ids": {"tmdb": "movie/2"}}], by=by)
        upload(films, [film(1, ids={"imdb": "tt0000001", "tmdb": "movie/2"})])
        return Conflict.objects.get()

    return disagreeing
