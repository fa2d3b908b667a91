"""What people do between the moment at which a sync is planned and the one at which it is published."""

import json
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from lists import services
from lists.exports import EXPORTS
from lists.models import Conflict, Entry, Item, MediaList, Proposal, SitePolicy, Source
from sync import pipeline, runs, uploads
from sync.models import Run


def film(n: int, **more):
    return {"key": f"tt{n}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990, **more}


def films_(*numbers: int):
    return [film(n) for n in numbers]


def entry(list_, title: str) -> Entry:
    return Entry.objects.get(list=list_, title=title)


@pytest.fixture
def between(monkeypatch):
    """between(act): do it once, after a sync was planned and before it is published."""

    def between(act):
        publish, waiting = pipeline._publish, [act]

        def late(*args, **named):
            while waiting:
                waiting.pop()()
            return publish(*args, **named)

        monkeypatch.setattr(pipeline, "_publish", late)

    return between


def test_a_block_holds_for_what_is_on_its_way(films, live, ines, titles, between):
    source = live(films)
    source.sync(films_(1, 2))
    between(lambda: services.block(by=ines, scope="list", list_=films, pattern="Film 3"))
    source.sync(films_(1, 2, 3))
    assert titles(films) == ["Film 1", "Film 2"]


def test_two_that_became_one_meanwhile_are_one(films, live, ines, titles, between):
    source = live(films)
    source.sync(films_(1))
    other = Item.objects.create(kind="movie", title="Film 2", name="film 2", year=1990)
    between(lambda: services.merge_items(other, Item.objects.get(title="Film 1"), by=ines))
    source.sync([film(1), film(2, ids={}, key="film 2")])
    assert titles(films) == ["Film 1"]
