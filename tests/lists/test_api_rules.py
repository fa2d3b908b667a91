"""Rules, members and sources of a list by the API."""

from datetime import timedelta

import pytest
from django.utils import timezone

from lists import services
from lists.models import Audit, Claim, Entry, Membership, SitePolicy, Source
from sync.models import Run
from tests.lists.test_api import api, film
from tests.lists.test_api_hand import code


@pytest.fixture
def mine(ines):
    return api(ines)


@pytest.fixture
def address(films):
    return f"/api/v1/lists/{films.pk}/"


# -- rules -----------------------------------------------------------------------------------------------------------


def test_a_list_says_its_own_rules_and_the_sites(mine, films, address):
    SitePolicy.objects.update_or_create(pk=1, defaults={"strategy": "keep", "held_floor": 7})
    shown = mine.get(f"{address}rules/").json()
    names = set(services.RULES)
    assert shown["own"] == dict.fromkeys(names)
    assert shown["site"] == {
        "strategy": "keep", "removals": "remove", "held_share": 20, "held_share_always": 50, "held_floor": 7,
        "preferred": {}, "review_unsure": False, "accept_confidence": 0.9,
    }  # fmt: skip
    answer = mine.patch(f"{address}rules/", {"removals": "ask", "held_floor": 0})
    assert (answer.status_code, answer.json()["version"]) == (200, None)
    assert (answer.json()["own"]["removals"], answer.json()["own"]["held_floor"]) == ("ask", 0)
    mine.patch(f"{address}rules/", {"removals": None})
    assert mine.get(f"{address}rules/").json()["own"] == {**dict.fromkeys(names), "held_floor": 0}
    row = Audit.objects.filter(action="changed rules").order_by("id").first()
    assert (row.actor_name, row.before, row.after) == (
        "ines", {"removals": None, "held_floor": None}, {"removals": "ask", "held_floor": 0},
    )  # fmt: skip


@pytest.mark.covers("CONF-01", "CONF-02")
def test_another_strategy_weighs_the_list_anew_at_once(mine, films, address, upload):
    upload(films, [film(1, year=1950, genres=["Drama"])], name="first.json")
    upload(films, [film(1, year=1960, genres=["Crime"])], source=None, name="second.json")
    first = films.sources.get(name="first.json")
    upload(films, [film(1, year=1970, genres=["Drama"])], source=first)
    # Times are told apart by the second.
    Claim.objects.exclude(source=first).update(first_at=timezone.now() + timedelta(minutes=1))

    def shown(strategy):
        mine.patch(f"{address}rules/", {"strategy": strategy})
        (row,) = mine.get(f"{address}entries/").json()["results"]
        return row["values"]["year"], set(row["values"]["genres"])

    mine.put(f"{address}sources/order/", {"sources": [films.sources.get(name="second.json").pk, first.pk]})
    assert shown("priority") == (1960, {"Crime"})
    assert shown("keep") == (1970, {"Drama"})
    assert shown("merge") == (1960, {"Drama", "Crime"})
    entry = mine.get(f"{address}entries/{Entry.objects.get().pk}/").json()
    (genres,) = [row for row in entry["origins"] if row["field"] == "genres"]
    assert len(genres["sources"]) == 2
    assert set(genres["source_name"].split(", ")) == {"first.json", "second.json"}
    kinds = {row["kind"] for row in mine.get(f"{address}versions/").json()["results"]}
    assert kinds == {"import", "rules"}


@pytest.mark.parametrize(
    "body",
    [{"strategy": "best"}, {"strategy": ""}, {"held_share": 101}, {"held_share": -1}, {"held_floor": 10_001}, {"colour": 1},
     {"removals": 5}],
)  # fmt: skip
def test_a_rule_that_there_is_not_is_refused(mine, films, address, body):
    assert code(mine.patch(f"{address}rules/", body)) == (400, "invalid")
    films.refresh_from_db()
    assert films.policy == {}


# -- members ---------------------------------------------------------------------------------------------------------


@pytest.mark.covers("WISH-06")
def test_a_list_is_shared_and_no_longer_shared(mine, films, address, jonas):
    theirs = api(jonas)
    assert theirs.get(address).status_code == 404
    answer = mine.put(f"{address}members/jonas/", {"role": "viewer"})
    assert (answer.status_code, answer.json()) == (200, {"username": "jonas", "role": "viewer"})
    assert theirs.get(address).json()["role"] == "viewer"
    assert theirs.patch(address, {"name": "Theirs"}).status_code == 403
    mine.put(f"{address}members/jonas/", {"role": "editor"})
    assert theirs.patch(address, {"name": "Theirs"}).status_code == 200
    assert theirs.get(f"{address}members/").json()["results"] == [{"username": "jonas", "role": "editor"}]
    assert mine.delete(f"{address}members/jonas/").status_code == 204
    assert theirs.get(address).status_code == 404
    assert mine.delete(f"{address}members/jonas/").status_code == 404
    acts = Audit.objects.filter(action__contains="shared").order_by("id").values_list("action", "before", "after")
    assert list(acts) == [
        ("shared", None, {"user": "jonas", "role": "viewer"}),
        ("shared", {"user": "jonas", "role": "viewer"}, {"user": "jonas", "role": "editor"}),
        ("no longer shared", {"user": "jonas", "role": "editor"}, None),
    ]


def test_a_list_is_shared_with_nobody_who_is_not_there(mine, films, address, jonas):
    assert mine.put(f"{address}members/nobody/", {"role": "viewer"}).status_code == 404
    assert mine.put(f"{address}members/%00/", {"role": "viewer"}).status_code == 404
    assert mine.delete(f"{address}members/%00/").status_code == 404
    assert code(mine.put(f"{address}members/ines/", {"role": "viewer"})) == (400, "unfit")
    assert code(mine.put(f"{address}members/jonas/", {"role": "owner"})) == (400, "invalid")
    assert code(mine.put(f"{address}members/jonas/", {})) == (400, "invalid")
    jonas.is_active = False
    jonas.save()
    assert mine.put(f"{address}members/jonas/", {"role": "viewer"}).status_code == 404
    assert not Membership.objects.exists()


def test_members_take_as_many_queries_for_30_as_for_one(
    mine, films, address, django_user_model, django_assert_max_num_queries
):
    people = [django_user_model.objects.create_user(f"person-{n}") for n in range(30)]
    Membership.objects.bulk_create([Membership(list=films, user=person) for person in people])
    with django_assert_max_num_queries(4):
        assert len(mine.get(f"{address}members/").json()["results"]) == 30


# -- sources ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def two(films, upload):
    """Film 1 is of both sources, film 2 of the first alone, film 3 of the second alone."""
    upload(films, [film(1, rating=1.0), film(2)], name="first.json")
    upload(films, [film(1, rating=2.0), film(3)], source=None, name="second.json")
    return {source.name: source for source in films.sources.filter(role="feed")}


def test_a_source_is_changed_and_what_it_was_is_written_down(mine, address, two):
    place = f"{address}sources/{two['first.json'].pk}/"
    body = {
        "name": "First",
        "interval_min": 60,
        "gap_min": 0,
        "mode": "collecting",
        "grace": None,
        "sync_enabled": False,
    }
    answer = mine.patch(place, body)
    assert answer.status_code == 200
    assert {name: answer.json()[name] for name in body} == body
    assert mine.get(place).json() == answer.json()
    row = Audit.objects.get(action="changed source")
    assert (row.before["name"], row.after["name"], row.actor_name) == ("first.json", "First", "ines")


@pytest.mark.parametrize(
    "body",
    [{"name": ""}, {"priority": 0}, {"interval_min": 0}, {"gap_min": -1}, {"mode": "odd"}, {"grace": 101}, {"adapter": "x"},
     {"address": "http://127.0.0.1/"}, {"enabled": None}],
)  # fmt: skip
def test_a_source_is_not_changed_to_what_it_cannot_be(mine, address, two, body):
    assert code(mine.patch(f"{address}sources/{two['first.json'].pk}/", body)) == (400, "invalid")
    assert not Audit.objects.filter(action="changed source").exists()


def test_the_source_that_stands_first_speaks_first(mine, films, address, two):
    order = [two["second.json"].pk, two["first.json"].pk]
    assert mine.put(f"{address}sources/order/", {"sources": order}).json() == {"version": 3}
    assert Entry.objects.get(title="Film 1").rating == 2.0
    assert mine.put(f"{address}sources/order/", {"sources": order}).json() == {"version": None}
    assert code(mine.put(f"{address}sources/order/", {"sources": [10**9]})) == (404, "not_there")


@pytest.mark.parametrize(("keep", "left"), [("true", ["Film 1", "Film 2", "Film 3"]), ("false", ["Film 1", "Film 3"])])
def test_a_source_goes_and_comes_back(mine, films, address, two, titles, keep, left):
    place = f"{address}sources/{two['first.json'].pk}/"
    assert code(mine.delete(place)) == (400, "invalid")
    assert code(mine.delete(f"{place}?keep=maybe")) == (400, "invalid")
    answer = mine.delete(f"{place}?keep={keep}")
    assert (answer.status_code, answer.json()["version"]) == (200, 3)
    assert sorted(titles(films)) == left
    assert Entry.objects.get(title="Film 1").rating == 2.0
    assert mine.get(place).json()["removed_at"]
    assert mine.post(f"{place}revive/").status_code == 200
    assert sorted(titles(films)) == ["Film 1", "Film 2", "Film 3"]
    assert Entry.objects.get(title="Film 1").rating == 1.0
    assert mine.get(place).json()["removed_at"] is None


def test_what_the_list_keeps_by_itself_is_no_source_to_change(mine, films, address, two):
    services.add_entry(films, by=films.owner, values={"title": "By hand"})
    kept = Source.objects.get(list=films, role="kept").pk
    assert mine.get(f"{address}sources/{kept}/").status_code == 200
    assert code(mine.patch(f"{address}sources/{kept}/", {"name": "x"})) == (404, "not_there")
    assert code(mine.delete(f"{address}sources/{kept}/?keep=false")) == (404, "not_there")


# -- sync now --------------------------------------------------------------------------------------------------------


@pytest.mark.covers("SYNC-05", "SYNC-07")
def test_a_source_is_synced_once_at_a_time(mine, films, address, live, work):
    source = live(films)
    source.sync([film(1)])
    place = f"{address}sources/{source.pk}/sync/"
    answer = mine.post(place)
    assert answer.status_code == 202
    (run,) = answer.json()["runs"]
    assert (answer.json()["busy"], answer.json()["skipped"]) == ([], [])
    assert mine.get(f"/api/v1/runs/{run}/").json()["kind"] == "manual"

    for busy in (mine.post(place), mine.post(f"{address}sync/", {"force": True})):
        assert code(busy) == (409, "busy")
        assert busy.json()["error"]["run"] == run
    assert Run.objects.filter(source=source).count() == 2
    work()
    assert mine.get(f"/api/v1/runs/{run}/").json()["state"] == "completed"
    assert mine.post(f"{address}sync/").status_code == 202


@pytest.mark.covers("SYNC-06")
def test_a_source_that_was_just_synced_is_left_alone_unless_forced(mine, films, address, live, ines):
    source = live(films)
    source.sync([film(1)])
    services.change_source(source, by=ines, gap_min=15)
    answer = mine.post(f"{address}sources/{source.pk}/sync/")
    assert (answer.status_code, answer.json()["runs"]) == (200, [])
    (skipped,) = answer.json()["skipped"]
    assert skipped["source"] == source.pk
    assert skipped["until"] > answer.headers.get("Date", "")
    assert mine.post(f"{address}sync/").status_code == 200
    assert Run.objects.count() == 1
    assert mine.post(f"{address}sources/{source.pk}/sync/", {"force": True}).status_code == 202


def test_a_list_is_synced_by_one_run_for_each_source_that_is_fetched(mine, films, address, live, upload, ines):
    first, second, off = live(films, "first"), live(films, "second"), live(films, "off")
    services.change_source(off, by=ines, enabled=False)
    upload(films, [film(1)], source=None)
    answer = mine.post(f"{address}sync/")
    assert answer.status_code == 202
    assert [Run.objects.get(pk=run).source_id for run in answer.json()["runs"]] == [first.pk, second.pk]


def test_a_file_is_not_fetched(mine, films, address, upload):
    run = upload(films, [film(1)])
    assert code(mine.post(f"{address}sync/")) == (409, "nothing_to_fetch")
    answer = mine.post(f"{address}sources/{run.source_id}/sync/")
    assert code(answer) == (409, "refused")
    assert "Upload" in answer.json()["error"]["message"]
    assert code(mine.post(f"{address}sync/", {"force": "perhaps"})) == (409, "nothing_to_fetch")
    assert Run.objects.count() == 1
