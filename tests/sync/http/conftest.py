"""Doors that lead to a service on loopback."""

import pytest

from sync.http import Door


@pytest.fixture
def door(upstream, settings):
    settings.SERVICES |= {"tmdb": {"url": upstream.url, "timeout_s": 5, "failures": 100}}
    with Door("tmdb") as door:
        yield door
