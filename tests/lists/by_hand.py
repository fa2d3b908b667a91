"""What tests of acts by hand share: forms sent as a browser would send them, and what the page says then.

A test takes a fixture by its name: `act = by_hand.act`.
"""

import re

import pytest
from django.urls import reverse

from lists.models import Entry


def film(n: int, **more):
    return {"key": f"tt{n:07}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990 + n % 30, **more}


def entry(title: str) -> Entry:
    return Entry.objects.get(title=title)


def form_of(html: str) -> dict[str, str]:
    """What a browser would send of the page's big form, as it stands."""
    form = re.search(r'<form class="prose.*?</form>', html, re.S)
    assert form
    inputs = re.findall(r'<input(?=[^>]*name="([^"]+)")(?=[^>]*value="([^"]*)")[^>]*>', form[0])
    areas = re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>([^<]*)</textarea>', form[0])
    return dict(inputs) | dict(areas)


@pytest.fixture
def edit(client, page):
    """Change fields on the page of an entry; `typed` by field. before: what happens between looking and saving."""

    def edit(found: Entry, before=None, **typed):
        address = reverse("lists:edit_entry", args=[found.list_id, found.pk])
        sent = form_of(client.get(address).content.decode()) | typed
        if before is not None:
            before()
        return client.post(address, sent)

    return edit


@pytest.fixture
def act(client, page):
    """Post a form about entries, as a page does; the page that follows."""

    def act(name: str, list_, *entries: Entry, at: str = "", **more) -> str:
        data = {"entries": [found.pk for found in entries], **more} | ({"next": at} if at else {})
        return client.post(reverse(f"lists:{name}", args=[list_.pk]), data, follow=True).content.decode()

    return act


@pytest.fixture
def undo(client):
    """Press the Undo of a page."""

    def undo(html: str) -> str:
        way = re.search(r'<form method="post" action="([^"]+)">(?:<input[^>]*>)?<button>Undo<', html)
        assert way, "no Undo is offered"
        return client.post(way[1].replace("&amp;", "&"), follow=True).content.decode()

    return undo


def said(html: str) -> str:
    """What the page says about the last act."""
    found = re.search(r'role="(?:status|alert)">.*?<(?:span|p)>(.*?)</(?:span|p)>', html, re.S)
    assert found, "nothing is said"
    return found[1].replace("&#x27;", "'")
