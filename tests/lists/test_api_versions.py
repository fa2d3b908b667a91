"""Versions by the API: which there were, what each showed, and what lies between two."""

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from tests.lists.test_api import all_pages, api, film


@pytest.fixture
def mine(ines) -> APIClient:
    return api(ines)


@pytest.fixture
def three(films, upload):
    """Three versions: five films; one more at the top and one changed; one gone."""
    upload(films, [film(n) for n in range(1, 6)])
    upload(films, [film(9), film(1), film(2, rating=8.0), film(3), film(4), film(5)])
    upload(films, [film(9), film(1), film(2, rating=8.0), film(3), film(4)])
    return films


@pytest.mark.covers("VER-02", "VER-03")
def test_versions_are_listed_newest_first_and_paged(mine, three):
    rows, pages = all_pages(mine, f"/api/v1/lists/{three.pk}/versions/", limit=2)
    assert pages == 2
    assert [(row["number"], row["is_current"]) for row in rows] == [(3, True), (2, False), (1, False)]
    assert [(row["added"], row["changed"], row["removed"], row["item_count"]) for row in rows] == [
        (0, 0, 1, 5),
        (1, 1, 0, 6),
        (5, 0, 0, 5),
    ]
    assert {(row["kind"], row["author_name"], row["summary"]) for row in rows} == {("import", "ines", "rows.json")}


@pytest.mark.covers("VER-03")
def test_any_version_shows_what_the_list_showed_then(mine, three):
    def titles(number, **query):
        answer = mine.get(f"/api/v1/lists/{three.pk}/versions/{number}/", query).json()
        return [(row["place"], row["values"]["title"]) for row in answer["entries"]["results"]], answer["entries"][
            "next"
        ]

    assert titles(1) == ([(n, f"Film {n}") for n in range(1, 6)], None)
    assert titles(2, start=1, limit=2) == ([(2, "Film 1"), (3, "Film 2")], 3)
    assert titles(2, start=4) == ([(5, "Film 4"), (6, "Film 5")], None)
    assert titles(2, start=99) == ([], None)
    second = mine.get(f"/api/v1/lists/{three.pk}/versions/2/").json()["entries"]["results"][2]
    assert second["values"] == {"title": "Film 2", "year": 1992, "rating": 8.0}
    assert mine.get(f"/api/v1/lists/{three.pk}/versions/4/").status_code == 404


def test_the_version_of_a_moment_is_the_one_that_was_current_then(mine, three):
    for number, day in [(1, "2024-03-01"), (2, "2024-03-05"), (3, "2024-03-09")]:
        three.versions.filter(number=number).update(created_at=f"{day}T12:00:00Z")

    def at(date):
        return mine.get(f"/api/v1/lists/{three.pk}/versions/at/", {"date": date})

    assert at("2024-03-05").json()["number"] == 2  # the whole day counts
    assert at("2024-03-05T11:59:59Z").json()["number"] == 1
    assert at("2025-01-01T00:00:00+02:00").json()["number"] == 3
    assert at("2024-02-29").status_code == 404
    assert at("2024-02-31").status_code == 400
    assert at("").status_code == 400


@pytest.mark.covers("VER-04")
def test_a_diff_is_aligned_by_entry_down_to_the_field(mine, three):
    answer = mine.get(f"/api/v1/lists/{three.pk}/diff/", {"from": 1, "to": 3}).json()
    assert answer["counts"] == {"added": 1, "removed": 1, "changed": 1, "moved": 0}
    assert [
        (row["kind"], row["title"], row["before_place"], row["after_place"], row["fields"]) for row in answer["results"]
    ] == [
        ("added", "Film 9", None, 1, []),
        ("changed", "Film 2", 2, 3, [{"field": "rating", "before": None, "after": 8.0}]),
        ("removed", "Film 5", 5, None, []),
    ]
    back = mine.get(f"/api/v1/lists/{three.pk}/diff/", {"from": 3, "to": 1}).json()
    assert back["counts"] == {"added": 1, "removed": 1, "changed": 1, "moved": 0}
    page = mine.get(f"/api/v1/lists/{three.pk}/diff/", {"from": 1, "to": 3, "start": 1, "limit": 1}).json()
    assert [row["title"] for row in page["results"]] == ["Film 2"]
    assert page["next"] == 2


def test_what_was_pruned_is_not_passed_off_as_empty(mine, three):
    three.versions.filter(number=1).update(order=None, pruned_at=timezone.now())
    answer = mine.get(f"/api/v1/lists/{three.pk}/diff/", {"from": 1, "to": 3})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "pruned")
    shown = mine.get(f"/api/v1/lists/{three.pk}/versions/1/").json()
    assert shown["pruned_at"]
    assert shown["entries"] == {"results": [], "next": None}
