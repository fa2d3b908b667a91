"""Who did what, searched by what it was done to, what was done, who did it and when."""

from datetime import datetime, timedelta

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


# -- figures ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def counted(films, ines, jonas):
    """Known rows: Ines 3 times, Jonas twice, the system once, and one of Ines of two months ago."""
    now = timezone.now()
    acts = [
        (ines, "edited", "entry", 1), (ines, "edited", "entry", 2), (ines, "shared", "list", 2), (jonas, "edited", "entry", 3),
        (jonas, "removed", "entry", 3), (None, "deleted for good", "list", 4), (ines, "edited", "entry", 60),
    ]  # fmt: skip
    Audit.objects.all()._raw_delete("default")
    Audit.objects.bulk_create(
        Audit(
            actor=who, actor_name=who.username if who else "", action=action, object_type=thing, object_id="1",
            object_name="x", list_ref=films.pk, at=now - timedelta(days=days),
        )
        for who, action, thing, days in acts
    )  # fmt: skip
    return now


@pytest.fixture
def statistics(ines):
    def statistics(by=ines, **query):
        answer = api(by).get("/api/v1/audit/statistics/", query)
        assert answer.status_code == 200, answer.json()
        return answer.json()

    return statistics


def groups(found, name) -> list:
    return [(row["name"], row["count"]) for row in found[name]]


@pytest.mark.covers("AUD-04")
def test_figures_count_known_rows_by_action_thing_and_actor(counted, statistics):
    found = statistics()
    assert found["total"] == 6
    assert groups(found, "by_action") == [("edited", 3), ("deleted for good", 1), ("removed", 1), ("shared", 1)]
    assert groups(found, "by_object_type") == [("entry", 4), ("list", 2)]
    assert groups(found, "by_actor") == [("ines", 3), ("jonas", 2), ("", 1)]
    assert sum(day["count"] for day in found["days"]) == 6
    assert [day["day"] for day in found["days"]] == sorted(day["day"] for day in found["days"])
    period = datetime.fromisoformat(found["to"]) - datetime.fromisoformat(found["from"])
    assert period == timedelta(days=30)


@pytest.mark.covers("AUD-04")
def test_figures_of_one_actor_are_what_that_actor_does(counted, statistics):
    found = statistics(actor="jonas")
    assert (found["total"], groups(found, "by_action")) == (2, [("edited", 1), ("removed", 1)])
    [mine] = found["by_actor"]
    assert datetime.fromisoformat(mine["last_at"]) == counted - timedelta(days=3)
    assert statistics(actor="nobody")["total"] == 0


@pytest.mark.covers("AUD-04")
def test_figures_are_about_the_period_that_is_asked_for(counted, statistics):
    days = [(counted - timedelta(days=n)).date().isoformat() for n in (61, 30, 2, 1)]
    assert statistics(**{"from": days[0]})["total"] == 7
    assert statistics(**{"from": days[0], "to": days[1]})["total"] == 1
    assert groups(statistics(**{"from": days[2], "to": days[3]}), "by_action") == [("edited", 2), ("shared", 1)]
    assert statistics(to="0001-01-01")["total"] == 0
    assert statistics(action="edited", object_type="entry")["total"] == 3


@pytest.mark.covers("AUD-04")
def test_figures_are_of_what_one_may_see(counted, statistics, jonas, staff, films, ines):
    assert statistics(by=staff)["total"] == 6
    assert groups(statistics(by=jonas), "by_actor") == [("jonas", 2)]
    services.share_list(films, user=jonas, role="viewer", by=ines)
    assert statistics(by=jonas)["total"] == 7  # each once, however many see the list


@pytest.mark.parametrize("filter_", [{"action": "edited"}, {"actor_name": "ines"}, {"object_type": "entry"}])
def test_each_filter_of_the_log_has_its_index(counted, filter_):
    [name] = filter_
    indexed = {tuple(index.fields) for index in Audit._meta.indexes}
    assert (name, "id") in indexed
