"""Opening and resetting breakers: by API, in the admin, from the command line."""

import time
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from rest_framework.test import APIClient

from lists.models import Audit
from sync import tasks
from sync.errors import BreakerOpen
from sync.http import Door, breaker
from sync.models import Breaker, Pace
from tests.admin_forms import page

AT = "/api/v1/breakers/"


@pytest.fixture
def api(staff):
    client = APIClient()
    client.force_authenticate(staff)
    return client


@pytest.fixture
def tmdb(db):
    return Breaker.objects.create(service="tmdb", failures=2, last_failure="It did not answer.")


@pytest.mark.covers("CB-05", "CB-07")
def test_staff_see_and_change_them_by_api(api, tmdb):
    [seen] = api.get(AT).json()["results"]
    assert (seen["service"], seen["state"], seen["failures"]) == ("tmdb", "closed", 2)
    assert api.post(f"{AT}{tmdb.pk}/open/", {"reason": "moving house"}).json()["state"] == "forced_open"
    assert api.get(AT, {"state": "closed"}).json()["results"] == []
    assert api.post(f"{AT}{tmdb.pk}/reset/").json()["state"] == "closed"
    assert list(Audit.objects.values_list("action", "actor_name")) == [("reset", "admin"), ("opened", "admin")]


def test_others_look_at_services_that_all_know(ines, tmdb):
    feed = Breaker.objects.create(service="rss:example.org")
    client = APIClient()
    assert client.get(AT).status_code == 401
    client.force_authenticate(ines)
    assert [row["service"] for row in client.get(AT).json()["results"]] == ["tmdb"]
    assert client.post(f"{AT}{tmdb.pk}/open/", {}).status_code == 403
    assert client.post(f"{AT}{feed.pk}/open/", {}).status_code == 404
    assert set(Breaker.objects.values_list("state", flat=True)) == {"closed"}


@pytest.mark.covers("CB-05")
def test_in_the_admin(staff, tmdb):
    client = Client()
    client.force_login(staff)
    for action, state in (("leave_alone", "forced_open"), ("reset", "closed")):
        client.post(page(Breaker), {"action": action, "_selected_action": [tmdb.pk]})
        tmdb.refresh_from_db()
        assert tmdb.state == state
    assert client.get(page(Breaker, "change", tmdb.pk)).status_code == 200
    assert client.post(page(Breaker, "delete", tmdb.pk), {"post": "yes"}).status_code == 403


def test_from_the_command_line(tmdb):
    def said(*words, **how):
        out = StringIO()
        call_command("breaker", *words, stdout=out, **how)
        return out.getvalue()

    assert "tmdb: asked; 2 failures" in said("list")
    assert "until somebody resets it; moving house" in said("open", "tmdb", reason="moving house")
    assert said("reset", "tmdb") == "tmdb: asked\n"
    for words in (("open",), ("open", "nothing")):
        with pytest.raises(CommandError):
            said(*words)


def test_services_that_nobody_asks_any_more_are_forgotten_by_night(upstream, staff):
    month_ago = time.time() - 30 * 86_400
    names = {
        "of yesterday": time.time() - 86_400,
        "nearly": month_ago + 3600,
        "gone": month_ago - 60,
        "off": month_ago - 60,
    }
    for name, asked_at in names.items():
        Pace.objects.create(name=name, free_at=asked_at)
        Breaker.objects.create(service=name)
    Pace.objects.create(name="gone#7", free_at=month_ago - 60)
    breaker.force_open("off", by=staff)
    assert " 1 services forgotten" in tasks.nightly()
    assert set(Breaker.objects.values_list("service", flat=True)) == {"of yesterday", "nearly", "off"}
    assert set(Pace.objects.values_list("name", flat=True)) == {"of yesterday", "nearly"}
    upstream.answer("/list", [1])
    with Door("gone") as door:
        assert door.get(f"{upstream.url}/list").json() == [1]
    assert " 0 services forgotten" in tasks.nightly()
    with pytest.raises(BreakerOpen), Door("off") as door:
        door.get(f"{upstream.url}/list")
