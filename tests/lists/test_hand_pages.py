"""What people do to entries on pages: edit, add, take off, put back, one or several, and undo."""

import re

import pytest
from django.urls import reverse

from lists import services
from lists.models import Edit, Entry
from tests.lists import by_hand
from tests.lists.by_hand import entry, film, form_of, said

act, edit, undo = by_hand.act, by_hand.edit, by_hand.undo


# -- editing -----------------------------------------------------------------------------------------------------------


def test_an_edited_field_says_so_and_no_import_overwrites_it(page, films, upload, edit):
    upload(films, [film(1, year=1999, genres=["Drama"]), film(2)])
    saved = edit(entry("Film 1"), year="2001", genres="Drama, Adventure")
    assert saved.url == reverse("lists:entry", args=[films.pk, entry("Film 1").pk])
    html = page("lists:entry", films.pk, entry("Film 1").pk)
    assert "Saved: Year, Genres." in said(html)
    assert re.findall(r"src-hand\">by hand</span> <bdi>(\w+)</bdi>", html) == ["ines", "ines"]
    assert "<bdi>rows.json</bdi>: <bdi>1999</bdi>" in html
    upload(films, [film(1, year=1999, genres=["Drama"]), film(2)])
    upload(films, [film(1, year=1998, genres=["Drama", "Adventure"]), film(2)])
    shown = entry("Film 1")
    assert (shown.year, shown.genres) == (2001, ["Drama", "Adventure"])
    html = page("lists:entry", films.pk, shown.pk)
    assert "1 source agrees" in html


def test_what_was_not_touched_is_no_edit(films, upload, edit):
    upload(films, [film(1, runtime_s=7110, rating=7.25, genres=["Drama", "War"], overview="Two\nlines", votes=1204)])
    assert "Nothing was changed" in edit_page(edit(entry("Film 1")))
    edit(entry("Film 1"), note="seen in Porto")
    assert [row.field for row in Edit.objects.all()] == ["note"]
    assert entry("Film 1").runtime_s == 7110


def edit_page(response) -> str:
    return said(response.client.get(response.url).content.decode())


def test_an_emptied_field_shows_nothing_until_it_is_given_back(client, page, films, upload, edit):
    upload(films, [film(1, overview="A long story.")])
    found = entry("Film 1")
    edit(found, overview="")
    upload(films, [film(1, overview="A longer story.")])
    assert entry("Film 1").overview == ""
    assert "A longer story." in page("lists:entry", films.pk, found.pk)  # what the source says instead
    back = client.post(reverse("lists:give_back", args=[films.pk, found.pk]), {"field": "overview"}, follow=True)
    assert "Given back to the sources: Overview." in said(back.content.decode())
    assert entry("Film 1").overview == "A longer story."
    assert not Edit.objects.exists()


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ({"title": "  "}, "An entry needs a title. Nothing was saved."),
        ({"year": "MMI"}, "Year must be a whole number, not “MMI”."),
        ({"year": "99"}, "The year has four digits"),
        ({"rating": "11"}, "Rating goes from 0 to 10."),
        ({"runtime_s": "long"}, "Length is written 1:58"),
        ({"release_date": "30.5.2021"}, "Write it as 2021-05-30"),
        ({"votes": "99999999999999"}, "Votes must be a whole number"),
        ({"note": "x" * 10_001}, "Note takes 10,000 characters; this is 10,001."),
    ],
)
def test_what_a_field_cannot_hold_is_refused_with_a_sentence(films, upload, edit, typed, problem):
    upload(films, [film(1)])
    before = entry("Film 1")
    html = edit(before, **typed).content.decode()
    assert problem in html.replace("&#x27;", "'")
    assert next(iter(typed.values()))[:40].strip() in html
    assert not Edit.objects.exists()


@pytest.mark.parametrize(
    ("name", "typed", "kept"),
    [
        ("runtime_s", "2:07", 7620), ("runtime_s", "127", 7620), ("rating", "8,1", 8.1), ("votes", "1,204", 1204),
        ("release_date", "2021-05", "2021-05"), ("genres", "Drama , War,Drama", ["Drama", "War"]),
        ("title", " Heat ", "Heat"),
    ],
)  # fmt: skip
def test_values_are_typed_as_the_page_shows_them(films, upload, edit, name, typed, kept):
    upload(films, [film(1)])
    pk = entry("Film 1").pk
    edit(entry("Film 1"), **{name: typed})
    assert getattr(Entry.objects.get(pk=pk), name) == kept


def test_who_saves_after_somebody_else_changed_the_same_field_is_told_and_keeps_what_they_typed(
    client, films, jonas, upload, edit
):
    upload(films, [film(1, year=1999)])
    services.share_list(films, user=jonas, role="editor", by=films.owner)
    found = entry("Film 1")

    def meanwhile():
        services.edit_entries(films, {found.pk: {"year": 2005}}, by=jonas)

    response = edit(found, before=meanwhile, year="2001")
    html = response.content.decode()
    assert response.status_code == 409
    assert "was changed by jonas since you looked" in html
    assert "Now it shows: <bdi>2005</bdi>" in html
    assert form_of(html)["year"] == "2001"
    assert entry("Film 1").year == 2005
    # Sent once more, knowing what stands there, it is taken.
    assert client.post(response.request["PATH_INFO"], form_of(html)).status_code == 302
    assert entry("Film 1").year == 2001


def test_two_people_change_two_fields_and_both_stand(films, jonas, upload, edit):
    upload(films, [film(1, year=1999)])
    found = entry("Film 1")
    meanwhile = lambda: services.edit_entries(films, {found.pk: {"year": 2005}}, by=jonas)  # noqa: E731
    assert edit(found, before=meanwhile, note="mine").status_code == 302
    shown = entry("Film 1")
    assert (shown.year, shown.extra["note"]) == (2005, "mine")


def test_a_title_that_nobody_else_names_is_not_given_back(client, page, upload, edit):
    play = {"key": "001", "kind": "track", "title": "", "artist": "", "cue_ms": 0}
    set_ = upload(None, [play, play | {"key": "002", "title": "Nine Volt", "artist": "Ann", "cue_ms": 60_000}]).list
    html = page("lists:items", set_.pk)
    way = re.search(r'href="([^"]+/edit/)"><svg.*?</svg>Name it', html)
    assert way
    found = Entry.objects.get(cue_ms=0)
    assert way[1] == reverse("lists:edit_entry", args=[set_.pk, found.pk])
    edit(found, title="Low Tide", artist="Ilse Maron", cue_ms="0:00:02")
    html = page("lists:entry", set_.pk, found.pk)
    assert '<input type="hidden" name="field" value="artist">' in html
    assert '<input type="hidden" name="field" value="title">' not in html
    refused = client.post(reverse("lists:give_back", args=[set_.pk, found.pk]), {"field": "title"}, follow=True)
    assert "Nobody else names a title" in said(refused.content.decode())
    found.refresh_from_db()
    assert (found.title, found.cue_ms) == ("Low Tide", 2000)


def test_an_edit_waits_while_its_entry_is_off_the_list(page, films, upload, edit, act):
    upload(films, [film(1, year=1999), film(2)])
    found = entry("Film 1")
    act("remove_entries", films, found)
    edit(found, year="2001")
    html = page("lists:entry", films.pk, found.pk)
    assert "once it is back: <bdi>2001</bdi>" in html
    assert form_of(page("lists:edit_entry", films.pk, found.pk))["year"] == "2001"
    act("restore_entries", films, found)
    assert entry("Film 1").year == 2001


def test_one_field_of_several_is_edited_at_once(act, undo, films, upload):
    upload(films, [film(n, genres=["Drama"]) for n in range(1, 5)])
    chosen = [entry("Film 1"), entry("Film 3")]
    asked = act("edit_entries", films, *chosen)
    assert "Edit one field of 2 films" in asked
    assert "Film 1 (1991)" in asked
    refused = act("edit_entries", films, *chosen, field="genres", value="")
    assert "Type a value, or say that it shall show nothing" in refused
    done = act("edit_entries", films, *chosen, field="genres", value="War, Sea")
    assert "Genres of 2 films" in said(done)
    assert [entry(f"Film {n}").genres for n in range(1, 5)] == [["War", "Sea"], ["Drama"], ["War", "Sea"], ["Drama"]]
    undo(done)
    assert entry("Film 1").genres == ["Drama"]
    assert not Edit.objects.exists()
    act("edit_entries", films, *chosen, field="genres", empty="1")
    assert entry("Film 3").genres == []


# -- coming and going --------------------------------------------------------------------------------------------------


def test_what_is_taken_off_stays_off_and_the_page_can_undo_it(act, undo, page, films, upload, titles):
    rows = [film(n) for n in range(1, 5)]
    upload(films, rows)
    done = act("remove_entries", films, entry("Film 2"), entry("Film 3"))
    assert said(done) == "Taken off: 2 films. No import brings them back."
    upload(films, rows)
    assert titles(films) == ["Film 1", "Film 4"]
    html = page("lists:items", films.pk, state="removed")
    assert re.findall(r"row-title\"><a [^>]+><bdi>([^<]+)<", html) == ["Film 2", "Film 3"]
    assert html.count("Removed by hand.") == 2
    again = act("remove_entries", films, entry("Film 4"))
    undo(again)
    assert titles(films) == ["Film 1", "Film 4"]
    html = page("lists:entry", films.pk, entry("Film 2").pk)
    assert "No import brings it back" in html
    assert "ines</b> took it off by hand" in html
    done = act("restore_entries", films, entry("Film 2"))
    assert "Put back" in said(done)
    assert titles(films) == ["Film 1", "Film 2", "Film 4"]


def test_an_undo_that_comes_too_late_says_so_and_changes_nothing(act, undo, films, upload, titles):
    upload(films, [film(1), film(2)])
    done = act("remove_entries", films, entry("Film 2"))
    upload(films, [film(1), film(2), film(3)])
    assert "The list is at version 3 by now. Nothing was changed." in said(undo(done))
    assert titles(films) == ["Film 1", "Film 3"]


def test_the_sources_may_decide_again_whether_an_entry_is_here(act, client, page, films, upload, titles):
    upload(films, [film(1), film(2)])
    act("remove_entries", films, entry("Film 1"))
    html = page("lists:entry", films.pk, entry("Film 1").pk)
    assert "Let the sources decide" in html
    client.post(reverse("lists:give_back", args=[films.pk, entry("Film 1").pk]), {"field": "presence"})
    assert titles(films) == ["Film 1", "Film 2"]


def test_taking_off_what_somebody_took_off_already_says_so(act, films, upload):
    upload(films, [film(1), film(2)])
    found = entry("Film 1")
    act("remove_entries", films, found)
    assert "not on the list any more" in said(act("remove_entries", films, found))
    assert "Choose at least one first" in said(act("remove_entries", films))


def test_an_entry_is_added_by_hand_and_stays(client, page, films, upload, titles, undo):
    upload(films, [film(1)])
    typed = {
        "title": "Kestrel Down", "year": "2018", "kind": "movie", "imdb": "https://www.imdb.com/title/tt9000005/",
        "tmdb": "https://www.themoviedb.org/movie/949-heat",
    }  # fmt: skip
    made = client.post(reverse("lists:add_entry", args=[films.pk]), typed, follow=True).content.decode()
    assert "Kestrel Down (2018) is on the list" in said(made)
    assert {("imdb", "tt9000005"), ("tmdb", "movie/949")} == set(
        entry("Kestrel Down").item.ids.values_list("namespace", "value")
    )
    upload(films, [film(1), film(2)])
    assert titles(films) == ["Film 1", "Kestrel Down", "Film 2"]
    again = client.post(reverse("lists:add_entry", args=[films.pk]), typed)
    assert again.status_code == 409
    html = again.content.decode()
    assert "is on the list already. Nothing was added." in html
    assert reverse("lists:entry", args=[films.pk, entry("Kestrel Down").pk]) in html
    assert Entry.objects.filter(title="Kestrel Down").count() == 1


def test_what_a_block_keeps_out_is_added_unseen_and_says_why(client, page, films, upload, titles):
    upload(films, [film(1)])
    services.block(by=films.owner, scope="list", list_=films, pattern="Kestrel*", reason="no birds")
    typed = {"title": "Kestrel Down", "year": "2018", "kind": "movie"}
    made = client.post(reverse("lists:add_entry", args=[films.pk]), typed, follow=True).content.decode()
    assert "Kestrel Down (2018) was added, but does not show. Blocked by the pattern “Kestrel*”: no birds" in said(made)
    assert titles(films) == ["Film 1"]


def test_the_first_entry_of_an_empty_list_is_added_by_hand(client, page, films, titles):
    assert reverse("lists:add_entry", args=[films.pk]) in page("lists:items", films.pk)
    client.post(reverse("lists:add_entry", args=[films.pk]), {"title": "Heat", "year": "1995", "kind": "movie"})
    assert titles(films) == ["Heat"]
    assert "Heat" in page("lists:items", films.pk)


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ({"title": ""}, "An entry needs a title. Nothing was added."),
        ({"imdb": "nm0000134"}, "An id of IMDb looks like tt0113277"),
        ({"tmdb": "heat"}, "An id of TMDb is a number"),
        ({"tmdb": "https://www.themoviedb.org/tv/1399"}, "This is the address of the other kind"),
        ({"year": "95"}, "The year has four digits"),
    ],
)
def test_what_is_typed_wrong_is_not_added(client, page, films, typed, problem):
    answers = {"title": "Heat", "year": "1995", "kind": "movie", **typed}
    html = client.post(reverse("lists:add_entry", args=[films.pk]), answers).content.decode()
    assert problem in html
    assert not Entry.objects.exists()


def test_a_track_is_added_with_its_artist_and_its_place_in_the_set(client, page, ines):
    set_ = services.create_list(ines, name="Set", content="tracks")
    client.post(
        reverse("lists:add_entry", args=[set_.pk]), {"title": "Low Tide", "artist": "Ilse", "cue_ms": "1:02:33"}
    )
    found = Entry.objects.get()
    assert (found.kind, found.artist, found.cue_ms) == ("track", "Ilse", 3_753_000)
