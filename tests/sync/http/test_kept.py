"""Details that hardly change are asked for once in a while; lists are asked for each time."""

from datetime import timedelta

import pytest
from django.utils import timezone

from sync.http import kept
from sync.models import CachedAnswer


@pytest.mark.covers("CACHE-01")
def test_details_are_asked_for_once_and_for_everybody(door, upstream, settings):
    settings.SERVICES |= {"tmdb": {**settings.SERVICES["tmdb"], "keep_s": 3600}}
    upstream.answer("/movie/1", {"title": "Heat"})
    for key in ("hush-1", "hush-2"):
        assert door.get("/movie/1", params={"api_key": key}, cached=True).json() == {"title": "Heat"}
    assert (upstream.asked("/movie/1"), door.meter.cache_hits, door.meter.cache_misses) == (1, 1, 1)
    until = CachedAnswer.objects.get().until
    assert timedelta(minutes=59) < until - timezone.now() <= timedelta(hours=1)
    door.get("/movie/1", params={"language": "de"}, cached=True)
    door.get("/movie/1")
    assert upstream.asked("/movie/1") == 3


@pytest.mark.covers("CACHE-01")
def test_what_is_too_old_is_asked_for_again_and_goes(door, upstream):
    upstream.answer("/movie/1", {"title": "Heat"})
    upstream.answer("/movie/1", {"title": "Heat (1995)"})
    door.get("/movie/1", cached=True)
    CachedAnswer.objects.update(until=timezone.now())
    assert door.get("/movie/1", cached=True).json() == {"title": "Heat (1995)"}
    CachedAnswer.objects.update(until=timezone.now())
    assert kept.forget_old() == 1


def test_what_went_wrong_is_not_kept(door, upstream):
    upstream.answer("/movie/1", {}, 404)
    upstream.answer("/movie/1", {"title": "Heat"})
    door.get("/movie/1", ok=(200, 404), cached=True)
    assert door.get("/movie/1", cached=True).json() == {"title": "Heat"}
