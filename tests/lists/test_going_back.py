"""What a rollback finds in the past: words of people who are gone, states that nobody saw, another kind of thing."""

import pytest
from django.urls import reverse

from lists import integrity, services
from lists.models import Entry, Item
from lists.services.pruning import prune_versions
from lists.views.entry import _changes
from sync.management.commands.verify_integrity import ALL
from tests.lists.test_api import api

pytestmark = pytest.mark.django_db(transaction=True)  # what a foreign key says is said at the commit


def film(n: int, **more):
    return {"key": f"tt{n}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990, **more}


def newest(list_):
    list_.refresh_from_db()
    return list_.current


def test_what_somebody_said_whose_account_is_deleted_is_set_back(films, upload, ines, jonas, titles):
    upload(films, [film(1), film(2)])
    found = Entry.objects.get(title="Film 1")
    services.share_list(films, user=jonas, role="editor", by=ines)
    said = services.edit_entries(films, {found.pk: {"title": "Jonas's"}}, by=jonas)
    services.give_back(films, {found.pk: ["title"]}, by=ines)
    jonas.delete()
    services.rollback(films, said, by=ines)
    assert titles(films) == ["Jonas's", "Film 2"]
    edit = found.edits.get()
    assert (edit.firm, edit.author, edit.author_name) == (True, None, "jonas")


def consistent() -> bool:
    return not list(integrity.run(ALL))


def test_what_was_kept_out_and_then_left_unseen_was_not_there(films, ines, live, titles):
    source = live(films, grace=0)
    old, others = film(9, year=1950), [film(n) for n in range(1, 7)]
    source.sync([*others, old])
    services.change_filters(films, by=ines, year_from=1980)
    found = Entry.objects.get(title="Film 9")
    assert [source.sync(others).version for _ in range(2)] == [None, None]
    services.change_filters(films, by=ines, year_from=None)
    source.sync([*others, film(7)])
    target = newest(films)
    source.sync([*others, film(7), old])
    services.rollback(films, target, by=ines)
    assert titles(films) == [f"Film {n}" for n in range(1, 8)]
    assert consistent()
    left = [change["kind"] for change in _changes(found)]
    assert left == ["left", "came", "left", "came"], "that it left unseen is nothing to look at"


def test_what_had_left_and_was_then_kept_out_unseen_counts_as_there(films, ines, live, titles):
    source = live(films, grace=0)
    old, others = film(9, year=1950), [film(n) for n in range(1, 7)]
    source.sync([*others, old])
    source.sync(others)
    source.sync(others)  # it leaves with the second answer that lacks it
    assert newest(films).removed == 1
    services.change_filters(films, by=ines, year_from=1980)
    assert source.sync([*others, old]).version is None
    source.sync([*others, old, film(7)])
    target = newest(films)
    services.change_filters(films, by=ines, year_from=None)
    services.rollback(films, target, by=ines)
    assert "Film 9" in titles(films), "filters are those of today"
    assert consistent()


def test_what_was_another_thing_and_left_as_its_own_was_not_there(films, ines, live, upload, titles):
    source = live(films, grace=0)
    source.sync([film(n) for n in range(1, 7)])
    first, second = (Entry.objects.get(title=f"Film {n}") for n in (1, 2))
    services.merge_items(second.item, first.item, by=ines)
    source.sync([film(n) for n in (1, 3, 4, 5, 6)])
    services.split_item(Item.objects.get(pk=second.item_id), by=ines)
    source.sync([film(n) for n in (1, 3, 4, 5, 6, 7)])
    target = newest(films)
    source.sync([film(n) for n in range(1, 8)])
    assert "Film 2" in titles(films)
    services.rollback(films, target, by=ines)
    assert "Film 2" not in titles(films)
    assert consistent()


def test_pruning_leaves_what_a_rollback_has_to_know_of_the_unseen(films, ines, live, titles, settings):
    settings.VERSIONS_KEPT, settings.VERSION_DAYS = 2, 0
    source = live(films, grace=0)
    old, others = film(9, year=1950), [film(n) for n in range(1, 7)]
    source.sync([*others, old])
    services.change_filters(films, by=ines, year_from=1980)
    source.sync(others)
    services.change_filters(films, by=ines, year_from=None)
    source.sync([*others, film(7)])
    target = newest(films)
    source.sync([*others, film(7), old])
    assert prune_versions(films).versions
    assert consistent()
    services.rollback(films, target, by=ines)
    assert "Film 9" not in titles(films)
    assert consistent()


def test_entries_that_stay_another_kind_of_thing_are_named(films, ines, live, page, client):
    source = live(films)
    source.sync([film(1), film(2)])
    source.sync([film(1, kind="show", rating=7.0), film(2)])
    found, target = Entry.objects.get(title="Film 1"), films.versions.get(number=1)
    assert services.preview_rollback(films, target).other_kind == 1
    assert "1 entry keeps the kind (film or show) that its sources state today." in page(
        "lists:restore_version", films.pk, 1
    )
    client.force_login(ines)
    way = reverse("lists:entry_as_it_was", args=[films.pk, found.pk])
    said = client.post(way, {"version": 1}, follow=True).content.decode()
    assert "It keeps the kind that its sources state today." in said
    found.refresh_from_db()
    assert (found.kind, found.rating) == ("show", None)
    answer = api(ines).post(f"/api/v1/lists/{films.pk}/versions/1/rollback/", {})
    assert (answer.json()["version"], answer.json()["other_kind_count"]) == (None, 1)
    assert services.preview_rollback(films, newest(films)).other_kind == 0
