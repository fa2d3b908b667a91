"""Who did what, searched by what it was done to, what was done, who did it and when."""

import pytest
from django.utils import timezone

from lists import services
from lists.models import Audit, Entry
from tests.lists.test_api import all_pages, api, film

pytestmark = pytest.mark.covers("AUD-02")


@pytest.fixture
def acts(films, upload, ines, jonas):
    """Ines edited an entry and shared the list, Jonas removed an entry; the first act is of long ago."""
    upload(films, [film(1), film(2)])
    services.share_list(films, user=jonas, role="editor", by=ines)
    first, second = Entry.objects.order_by("rank")
    services.edit_entries(films, {first.pk: {"year": 1950}}, by=ines)
    services.remove_entries(films, [second.pk], by=jonas)
    long_ago = Audit.objects.order_by("id").first()
    Audit.objects.filter(pk=long_ago.pk)._raw_delete("default")
    long_ago.at = "2024-03-05T12:00:00Z"
    Audit.objects.bulk_create([long_ago])
    return first, second


@pytest.fixture
def found(ines):
    def found(**query):
        answer = api(ines).get("/api/v1/audit/", query)
        assert answer.status_code == 200, answer.json()
        return [row["action"] for row in answer.json()["results"]]

    return found


def test_by_the_object_that_it_was_done_to(acts, found):
    first, second = acts
    assert found(object_type="entry", object_id=first.pk) == ["edited"]
    assert found(object_type="entry", object_id=second.pk) == ["removed"]
    assert found(object_type="entry") == ["removed", "edited"]
    assert found(object_type="list", object_id=10**6) == []
    assert found(object_type="source", object_id=first.pk + 10**6) == []


def test_by_what_was_done(acts, found):
    assert found(action="removed") == ["removed"]
    assert found(action="shared") == ["shared"]
    assert found(action="remove") == []


def test_by_who_did_it(acts, found, films, ines):
    assert found(actor="jonas") == ["removed"]
    assert "edited" in found(actor="ines")
    assert "removed" not in found(actor="ines")
    assert found(actor="nobody") == []
    assert found(actor="jonas", action="edited") == []


def test_by_when_it_was_done(acts, found):
    today = timezone.now().date().isoformat()
    assert found(to="2024-12-31") == ["created"]
    assert found(**{"from": "2024-03-05", "to": "2024-03-05"}) == ["created"]
    assert found(**{"from": "2024-03-05T12:00:01Z", "to": "2024-12-31"}) == []
    assert "created" not in found(**{"from": "2025-01-01"})
    assert found(**{"from": today}, action="edited") == ["edited"]


def test_by_list(acts, found, films, ines):
    other = services.create_list(ines, name="Other")
    assert found(list=other.pk) == ["created"]
    assert "edited" in found(list=films.pk)


def test_page_by_page(acts, ines, found):
    rows, pages = all_pages(api(ines), "/api/v1/audit/", limit=2)
    assert [row["action"] for row in rows] == found()
    assert pages == 3
