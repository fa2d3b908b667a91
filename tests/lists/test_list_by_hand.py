"""A list by hand, on pages: its order, what is kept out, one entry as it was, who may, and what it costs."""

import re

import pytest
from django.urls import reverse

from lists import services
from lists.models import Audit, Block, Edit, Entry, Version
from tests.lists import by_hand
from tests.lists.by_hand import entry, film, said

act, edit, undo = by_hand.act, by_hand.edit, by_hand.undo


# -- order -------------------------------------------------------------------------------------------------------------


def test_entries_are_moved_to_a_place_and_the_order_is_the_lists_own(act, undo, page, films, upload, titles):
    upload(films, [film(n) for n in range(1, 6)])
    done = act("move_entries", films, entry("Film 5"), entry("Film 2"), place="1")
    assert said(done) == "Moved to place 1: 2 films. The order is the list’s own from here on."
    assert titles(films) == ["Film 2", "Film 5", "Film 1", "Film 3", "Film 4"]
    assert "In an order by hand." in page("lists:items", films.pk)
    assert "In an order by hand." not in undo(done)
    assert titles(films) == [f"Film {n}" for n in range(1, 6)]
    films.refresh_from_db()
    assert films.order_mode == "source"
    act("move_entries", films, entry("Film 1"), place="999")
    assert titles(films)[-1] == "Film 1"
    assert "Type the number of the place" in said(act("move_entries", films, entry("Film 1"), place="last"))


def test_entries_go_up_and_down_by_one_place_and_stay_selected(act, page, films, upload, titles):
    upload(films, [film(n) for n in range(1, 5)])
    at = reverse("lists:items", args=[films.pk]) + "?view=table"
    html = act("move_entries", films, entry("Film 3"), at=at, step="-1")
    assert titles(films) == ["Film 1", "Film 3", "Film 2", "Film 4"]
    assert re.findall(r'aria-label="Select ([^"]+)" checked', html) == ["Film 3"]
    act("move_entries", films, entry("Film 3"), at=at, step="1")
    assert titles(films) == ["Film 1", "Film 2", "Film 3", "Film 4"]
    act("move_entries", films, entry("Film 1"), at=at, step="-1")
    assert titles(films)[0] == "Film 1"
    html = page("lists:entry", films.pk, entry("Film 2").pk)
    assert "2 of 4 films" in html


def test_a_list_is_ordered_by_a_field_and_back_to_its_sources(client, page, films, upload, titles):
    upload(films, [film(1, title="Salt", year=2001), film(2, title="Ash", year=1999), film(3, title="Moor", year=2010)])
    order = reverse("lists:order", args=[films.pk])
    client.post(order, {"order": "title"})
    assert titles(films) == ["Ash", "Moor", "Salt"]
    assert re.search(r'value="title" checked', page("lists:order", films.pk))
    client.post(order, {"order": "year"})
    assert titles(films) == ["Moor", "Salt", "Ash"]
    html = page("lists:items", films.pk)
    assert "Back to the source’s order" in html
    client.post(order, {"order": "source"})
    assert titles(films) == ["Salt", "Ash", "Moor"]
    assert "Back to the source’s order" not in page("lists:items", films.pk)
    assert "Choose one of the orders" in said(client.post(order, {"order": "colour"}, follow=True).content.decode())


# -- keeping out -------------------------------------------------------------------------------------------------------


@pytest.mark.covers("LIST-09")
def test_a_blocked_entry_shows_its_reason_and_comes_back_without_an_import(act, client, page, films, upload, titles):
    upload(films, [film(1), film(2)])
    found = entry("Film 1")
    asked = page("lists:block_entries", films.pk, entries=found.pk)
    assert "It takes away 1 entry now." in asked
    assert 'value="all"' not in asked
    done = act("block_entries", films, found, scope="list", reason="seen too often")
    assert said(done) == "Blocked: Film 1 (1991). Nothing brings it onto this list."
    assert upload(films, [film(1), film(2), film(3)]).excluded == 1
    assert titles(films) == ["Film 2", "Film 3"]
    for html in (page("lists:items", films.pk, state="excluded"), page("lists:entry", films.pk, found.pk)):
        assert "Blocked: seen too often" in html
        assert "by ines" in html
        assert "Unblock" in html
    block = Block.objects.get()
    back = client.post(reverse("lists:unblock_entries", args=[films.pk]), {"block": block.pk}, follow=True)
    assert "Unblocked." in said(back.content.decode())
    assert titles(films) == ["Film 1", "Film 2", "Film 3"]
    assert "Nothing is kept out" in page("lists:items", films.pk, state="excluded")


def test_several_are_blocked_at_once_and_the_undo_unblocks_them(act, undo, films, upload, titles):
    upload(films, [film(n) for n in range(1, 5)])
    chosen = [entry("Film 1"), entry("Film 2")]
    assert "Block 2 films" in act("block_entries", films, *chosen)
    done = act("block_entries", films, *chosen, scope="mine")
    assert titles(films) == ["Film 3", "Film 4"]
    assert Block.objects.filter(owner=films.owner).count() == 2
    undo(done)
    assert titles(films) == [f"Film {n}" for n in range(1, 5)]
    assert not Block.objects.exists()
    assert "Choose at least one first" in said(act("block_entries", films))


def test_a_thing_that_nobody_knows_is_blocked_by_its_title(act, page, upload):
    rows = [
        {"key": "001", "kind": "track", "title": "Untitled dub", "artist": "", "cue_ms": 0},
        {"key": "002", "kind": "track", "title": "Nine Volt", "artist": "Ann", "cue_ms": 9000},
    ]
    set_ = upload(None, rows).list
    found = entry("Untitled dub")
    assert found.item is None
    assert "its title is blocked" in page("lists:block_entries", set_.pk, entries=found.pk)
    act("block_entries", set_, found, scope="list")
    assert Block.objects.get().pattern == "Untitled dub"
    assert "Untitled dub" in page("lists:items", set_.pk, state="excluded")


def test_only_staff_block_for_every_list_and_lift_such_a_block(client, page, films, staff, upload, titles):
    upload(films, [film(1), film(2)])
    found = entry("Film 1")
    address = reverse("lists:block_entries", args=[films.pk])
    client.post(address, {"entries": found.pk, "scope": "all"})
    assert titles(films) == ["Film 1", "Film 2"]
    client.force_login(staff)
    assert 'value="all"' in client.get(f"{address}?entries={found.pk}").content.decode()
    client.post(address, {"entries": found.pk, "scope": "all", "reason": "no rights"})
    services.settle_due(films)
    assert titles(films) == ["Film 2"]
    client.force_login(films.owner)
    html = page("lists:entry", films.pk, found.pk)
    assert "Staff may lift it." in html
    assert "Unblock" not in html
    lifted = client.post(reverse("lists:unblock_entries", args=[films.pk]), {"block": Block.objects.get().pk})
    assert lifted.status_code == 403
    assert Block.objects.exists()


# -- back in time ------------------------------------------------------------------------------------------------------


def test_one_entry_is_made_as_it_was(client, page, films, upload, titles):
    upload(films, [film(1, year=1999), film(2)])
    upload(films, [film(1, year=2001), film(2), film(3)])
    found = entry("Film 1")
    html = page("lists:entry", films.pk, found.pk)
    assert re.findall(r'name="version" value="(\d+)"', html) == ["1"]
    done = client.post(reverse("lists:entry_as_it_was", args=[films.pk, found.pk]), {"version": 1}, follow=True)
    html = done.content.decode()
    assert said(html) == "This entry is as it was in version 1."
    assert "held by the rollback to 1" in html
    assert entry("Film 1").year == 1999
    assert titles(films) == ["Film 1", "Film 2", "Film 3"]
    client.post(reverse("lists:give_back", args=[films.pk, found.pk]), {"field": "year"})
    assert entry("Film 1").year == 2001
    missing = client.post(reverse("lists:entry_as_it_was", args=[films.pk, found.pk]), {"version": 99})
    assert missing.status_code == 404


# -- who may, and what it costs ----------------------------------------------------------------------------------------

POSTS = [
    "remove_entries",
    "restore_entries",
    "move_entries",
    "edit_entries",
    "block_entries",
    "unblock_entries",
    "order",
]
OF_AN_ENTRY = ["edit_entry", "give_back", "entry_as_it_was"]


@pytest.mark.parametrize("name", [*POSTS, *OF_AN_ENTRY, "add_entry", "undo"])
def test_a_viewer_changes_nothing_and_a_stranger_finds_nothing(client, films, jonas, upload, name):
    upload(films, [film(1), film(2)])
    upload(films, [film(1), film(2), film(3)])
    found = entry("Film 1")
    args = [films.pk, found.pk] if name in OF_AN_ENTRY else [films.pk, 2] if name == "undo" else [films.pk]
    sent = {"entries": found.pk, "place": 2, "order": "title", "scope": "list", "title": "Mine", "version": 1}
    client.force_login(jonas)
    assert client.post(reverse(f"lists:{name}", args=args), sent).status_code == 404
    services.share_list(films, user=jonas, role="viewer", by=films.owner)
    assert client.post(reverse(f"lists:{name}", args=args), sent).status_code == 403
    assert Version.objects.count() == 2
    assert not Edit.objects.exists()


def test_a_viewer_sees_no_buttons(client, films, jonas, upload):
    upload(films, [film(1), film(2)])
    services.edit_entries(films, {entry("Film 1").pk: {"year": 2001}}, by=films.owner)
    services.remove_entries(films, [entry("Film 2").pk], by=films.owner)
    services.share_list(films, user=jonas, role="viewer", by=films.owner)
    client.force_login(jonas)
    for address in (
        reverse("lists:items", args=[films.pk]), reverse("lists:items", args=[films.pk]) + "?view=table",
        reverse("lists:items", args=[films.pk]) + "?state=removed",
        reverse("lists:entry", args=[films.pk, entry("Film 1").pk]),
        reverse("lists:entry", args=[films.pk, entry("Film 2").pk]),
    ):  # fmt: skip
        html = client.get(address).content.decode()
        main = html[html.index("<main") :]
        assert 'method="post"' not in main, address
        assert 'name="entries"' not in main, address


def test_an_entry_of_another_list_is_not_there(client, page, films, ines, upload, act):
    upload(films, [film(1)])
    other = services.create_list(ines, name="Other")
    upload(other, [film(2)])
    foreign = Entry.objects.get(list=other)
    assert client.get(reverse("lists:edit_entry", args=[films.pk, foreign.pk])).status_code == 404
    assert client.post(reverse("lists:give_back", args=[films.pk, foreign.pk]), {"field": "year"}).status_code == 404
    for name in ("remove_entries", "move_entries"):
        address = reverse(f"lists:{name}", args=[films.pk])
        assert client.post(address, {"entries": foreign.pk, "place": 1}).status_code == 404
    assert "None of these is on this list" in said(act("block_entries", films, foreign))
    foreign.refresh_from_db()
    assert foreign.state == "listed"


def test_a_form_leads_back_to_where_it_stood_and_nowhere_else(client, page, films, upload):
    upload(films, [film(1), film(2), film(3)])
    address = reverse("lists:remove_entries", args=[films.pk])
    at = reverse("lists:items", args=[films.pk]) + "?sort=title"
    assert client.post(address, {"entries": entry("Film 1").pk, "next": at}).url == at
    away = client.post(address, {"entries": entry("Film 2").pk, "next": "https://example.org/"})
    assert away.url == reverse("lists:items", args=[films.pk])


def test_every_act_by_hand_is_written_down(act, edit, films, upload):
    upload(films, [film(1), film(2)])
    edit(entry("Film 1"), year="2001")
    act("remove_entries", films, entry("Film 1"))
    act("restore_entries", films, entry("Film 1"))
    act("move_entries", films, entry("Film 1"), place="2")
    done = Audit.objects.filter(actor=films.owner).order_by("id").values_list("action", flat=True)
    assert list(done)[-4:] == ["edited", "removed", "put back", "moved"]


@pytest.mark.parametrize("state", ["listed", "removed", "excluded"])
def test_a_page_costs_the_same_however_much_stands_on_it(
    client, page, films, upload, state, django_assert_max_num_queries, django_assert_num_queries
):
    upload(films, [film(n, title=f"Film {n:03}") for n in range(1, 61)])
    pks = list(Entry.objects.order_by("id").values_list("id", flat=True))
    address = reverse("lists:items", args=[films.pk]) + f"?state={state}"

    def put(some):
        if state == "listed":
            services.edit_entries(films, {pk: {"note": "mine"} for pk in some}, by=films.owner)
        if state == "removed":
            services.remove_entries(films, some, by=films.owner)
        if state == "excluded":
            for found in Entry.objects.filter(pk__in=some).select_related("item"):
                services.block(by=films.owner, scope="list", list_=films, item=found.item)

    put(pks[:3])
    client.get(address)  # the genres of a version are counted by the first who looks at it
    with django_assert_max_num_queries(30) as few:
        client.get(address)
    cost = len(few)  # the next request empties the log that it counts in
    put(pks[3:45])
    client.get(address)
    with django_assert_num_queries(cost):
        client.get(address)


def test_the_page_of_an_entry_costs_the_same_however_much_is_known_of_it(
    client, page, films, upload, django_assert_max_num_queries, django_assert_num_queries
):
    upload(films, [film(1), film(2)])
    found = entry("Film 1")
    address = reverse("lists:entry", args=[films.pk, found.pk])
    services.edit_entries(films, {found.pk: {"note": "one"}}, by=films.owner)
    with django_assert_max_num_queries(30) as few:
        client.get(address)
    for n in range(3):
        upload(films, [film(1, overview=f"Story {n}.", rating=7.0 + n)], source=None, name=f"{n}.json")
    services.edit_entries(films, {found.pk: {"year": 2001, "genres": ["Sea"], "overview": None}}, by=films.owner)
    with django_assert_num_queries(len(few)):
        client.get(address)
