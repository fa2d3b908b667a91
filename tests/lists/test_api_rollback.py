"""Back and forward again by the API, and what a rollback holds."""

import pytest
from django.utils import timezone

from lists import services
from lists.models import Audit, Entry
from tests.lists.test_api import api, film


@pytest.fixture
def mine(ines):
    return api(ines)


@pytest.fixture
def two(films, upload):
    """A list with two versions: films 1 to 4, then 1 to 3 and 5, of which film 2 is rated."""
    upload(films, [film(n) for n in range(1, 5)])
    upload(films, [film(1), film(2, rating=8.0), film(3), film(5)])
    return films


@pytest.fixture
def back(mine, two):
    def back(number, **body):
        return mine.post(f"/api/v1/lists/{two.pk}/versions/{number}/rollback/", body)

    return back


def held_back(mine, list_):
    return mine.get(f"/api/v1/lists/{list_.pk}/held-back/").json()["results"]


@pytest.mark.covers("VER-05", "WISH-04")
def test_a_list_goes_back_to_a_version_and_forward_again(mine, two, back, titles):
    answer = back(1)
    assert answer.json() == {
        "version": 3, "counts": {"added": 1, "removed": 1, "changed": 1, "moved": 0}, "missing": [], "missing_count": 0,
        "other_kind_count": 0,
    }  # fmt: skip
    assert answer.headers["ETag"] == '"3"'
    assert titles(two) == ["Film 1", "Film 2", "Film 3", "Film 4"]
    assert "rating" not in Entry.objects.get(title="Film 2").values
    assert back(1).json()["version"] is None  # it is shown already

    assert back(2).json()["version"] == 4
    assert titles(two) == ["Film 1", "Film 2", "Film 3", "Film 5"]
    assert Entry.objects.get(title="Film 2").rating == 8.0
    rows = Audit.objects.filter(action="rolled back").order_by("id")
    assert [(row.actor_name, row.version_number, row.after["version"]) for row in rows] == [
        ("ines", 3, 1),
        ("ines", 4, 2),
    ]
    assert mine.get(f"/api/v1/lists/{two.pk}/versions/3/").json()["kind"] == "rollback"


def test_a_dry_run_says_the_same_and_does_nothing(mine, two, back, titles):
    answer = back(1, dry_run=True)
    assert answer.json() == {
        "version": None, "counts": {"added": 1, "removed": 1, "changed": 1, "moved": 0}, "missing": [], "missing_count": 0,
        "other_kind_count": 0,
    }  # fmt: skip
    assert answer.headers["ETag"] == '"2"'
    assert titles(two) == ["Film 1", "Film 2", "Film 3", "Film 5"]
    assert (two.versions.count(), Audit.objects.filter(action="rolled back").count()) == (2, 0)


@pytest.mark.covers("WISH-04")
def test_one_entry_goes_back_alone(two, back, titles):
    entry = Entry.objects.get(title="Film 2")
    assert back(1, entries=[entry.pk]).json()["counts"] == {"added": 0, "removed": 0, "changed": 1, "moved": 0}
    entry.refresh_from_db()
    assert "rating" not in entry.values
    assert titles(two) == ["Film 1", "Film 2", "Film 3", "Film 5"]


@pytest.mark.parametrize("dry_run", [True, False])
def test_an_entry_of_another_list_does_not_go_back_by_this_one(two, back, ines, upload, dry_run):
    other = services.create_list(ines, name="Other")
    upload(other, [film(7)])
    entry = Entry.objects.get(list=other)
    answer = back(1, entries=[entry.pk], dry_run=dry_run)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_there")
    assert (two.versions.count(), other.versions.count()) == (2, 1)
    entry.refresh_from_db()
    assert (entry.title, entry.state) == ("Film 7", "listed")


def test_what_is_missing_because_of_todays_blocks_is_named(two, back, ines, titles):
    services.block(by=ines, scope="list", list_=two, pattern="Film 4", reason="Seen")
    answer = back(1).json()
    (missing,) = answer["missing"]
    assert (missing["title"], missing["year"], answer["missing_count"]) == ("Film 4", 1994, 1)
    assert "Seen" in missing["reason"]
    assert titles(two) == ["Film 1", "Film 2", "Film 3"]


def test_what_a_rollback_holds_is_said_and_released(mine, two, back, titles, upload):
    assert held_back(mine, two) == []
    back(1)
    (held,) = held_back(mine, two)
    assert held["rollback_to"] == 1
    assert held["edits"] > 0
    address = f"/api/v1/lists/{two.pk}/entries/{Entry.objects.get(title='Film 2').pk}/"
    (edit,) = mine.get(address).json()["edits"]
    assert (edit["field"], edit["firm"], edit["rollback_to"]) == ("rating", False, 1)

    answer = mine.post(f"/api/v1/lists/{two.pk}/release/")
    assert (answer.status_code, answer.json()) == (200, {"version": 4})
    assert titles(two) == ["Film 1", "Film 2", "Film 3", "Film 5"]
    assert held_back(mine, two) == []
    assert mine.post(f"/api/v1/lists/{two.pk}/release/").json() == {"version": None}


def test_one_entry_is_released_alone(mine, two, back, titles):
    back(1)
    entry = Entry.objects.get(title="Film 2")
    assert mine.post(f"/api/v1/lists/{two.pk}/release/", {"entries": [entry.pk]}).json()["version"] == 4
    entry.refresh_from_db()
    assert entry.rating == 8.0
    assert titles(two) == ["Film 1", "Film 2", "Film 3", "Film 4"]


def test_a_rollback_yields_to_the_sources_next_word_and_not_before(two, back, titles, upload):
    back(1)
    upload(two, [film(1), film(2, rating=8.0), film(3), film(5)])
    assert "rating" not in Entry.objects.get(title="Film 2").values
    upload(two, [film(1), film(2, rating=9.0), film(3), film(5)])
    assert Entry.objects.get(title="Film 2").rating == 9.0


def test_what_cannot_be_rolled_back_to_is_said(mine, two, back):
    two.versions.filter(number=1).update(order=None, pruned_at=timezone.now())
    for dry_run in (True, False):
        answer = back(1, dry_run=dry_run)
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "pruned")
    assert back(99).status_code == 404
    assert back(2, entries=[]).status_code == 400
    assert back(2, colour="red").status_code == 400
    assert two.versions.count() == 2


def test_a_rollback_is_refused_if_a_version_came_since(mine, two):
    answer = mine.post(f"/api/v1/lists/{two.pk}/versions/1/rollback/", {}, headers={"If-Match": '"1"'})
    assert (answer.status_code, answer.json()["error"]["code"]) == (412, "too_late")
    answer = mine.post(f"/api/v1/lists/{two.pk}/versions/1/rollback/", {}, headers={"If-Match": '"2"'})
    assert answer.json()["version"] == 3
