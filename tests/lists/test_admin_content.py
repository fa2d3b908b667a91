"""What the admin changes of what lists show: through the services, with versions and audit rows like any other change."""

import pytest
from django.test import Client
from django.urls import reverse

from lists import services
from lists.models import Audit, Block, Conflict, Decision, Edit, Entry, Item, MediaList, Proposal, Version
from tests.admin_forms import act, form_of, page, submit, told


def film(n, **more):
    return {"key": f"tt{n:07}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990 + n % 30, **more}


@pytest.fixture
def desk(staff) -> Client:
    client = Client()
    client.force_login(staff)
    return client


@pytest.fixture
def shown(films, upload) -> MediaList:
    """A list of three films, as version 1."""
    upload(films, [film(n, genres=["Drama"], rating=5.0) for n in (1, 2, 3)])
    films.refresh_from_db()
    return films


def entry(n: int) -> Entry:
    return Entry.objects.get(title=f"Film {n}")


def newest() -> Version:
    return Version.objects.order_by("-id")[0]


def audited() -> tuple:
    row = Audit.objects.first()
    return row.action, row.actor_name, row.version_number


# -- entries ---------------------------------------------------------------------------------------------------------


@pytest.mark.covers("LIST-14", "SAFE-04", "AUD-01")
def test_a_field_that_is_saved_is_an_edit_that_no_upload_undoes(desk, shown, upload):
    address = page(Entry, "change", entry(1).pk)
    answer = submit(
        desk, address, title="Renamed", runtime_s="1:58", genres="Crime, Drama", directors="Ann Onym", year=""
    )
    assert "That made version 2 of Films to watch" in told(answer)
    assert (newest().kind, newest().author_name, audited()) == ("edit", "admin", ("edited", "admin", 2))
    upload(shown, [film(n, rating=9.0) for n in (1, 2, 3)])
    changed = Entry.objects.get(title="Renamed")
    assert (changed.runtime_s, changed.genres, changed.year) == (7080, ["Crime", "Drama"], None)
    assert (changed.extra, changed.rating) == ({"directors": ["Ann Onym"]}, 9.0)
    assert set(Edit.objects.values_list("field", flat=True)) == {"title", "runtime_s", "genres", "directors", "year"}
    page_now = desk.get(address).content.decode()
    assert "Year: nothing, by admin" in page_now


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"title": ""}, "An entry needs a title"),
        ({"year": "199O"}, "must be a whole number"),
        ({"rating": "11"}, "0 to 10"),
    ],
)
def test_what_a_field_cannot_hold_is_said_beside_what_was_typed(desk, shown, typed, said):
    answer = submit(desk, page(Entry, "change", entry(1).pk), note="Typed", **typed)
    assert said in answer.content.decode()
    assert "Typed" in answer.content.decode()
    assert (Version.objects.count(), Edit.objects.count()) == (1, 0)


def test_who_saves_over_a_change_of_another_is_told_and_nothing_is_lost(desk, shown, ines):
    address = page(Entry, "change", entry(1).pk)
    looked_at = form_of(desk, address)
    services.edit_entries(shown, {entry(1).pk: {"year": 1999}}, by=ines)
    answer = desk.post(address, looked_at | {"year": "2001"})
    assert "was changed by ines since you looked" in answer.content.decode()
    assert entry(1).year == 1999
    # Another field of the same old form is saved, and the year that it showed is no edit.
    assert desk.post(address, looked_at | {"note": "Mine"}).status_code == 302
    assert (entry(1).year, entry(1).extra) == (1999, {"note": "Mine"})


@pytest.mark.covers("SRC-21")
def test_an_entry_is_added_by_hand_and_survives_an_upload(desk, shown, upload, titles):
    new = {"list": shown.pk, "kind": "movie", "ids": "imdb:tt0000009, tmdb:949", "title": "By hand", "year": "1995"}
    answer = submit(desk, page(Entry, "add"), **new)
    assert "By hand (1995) is on Films to watch" in told(answer)
    upload(shown, [film(n) for n in (1, 2, 3)])
    assert titles(shown)[-1] == "By hand"
    added = Entry.objects.get(title="By hand")
    assert set(added.item.ids.values_list("namespace", "value")) == {("imdb", "tt0000009"), ("tmdb", "movie/949")}
    assert Audit.objects.filter(action="added", object_id=str(added.pk), actor_name="admin").exists()
    answer = submit(desk, page(Entry, "add"), **new)
    assert "is on the list already" in answer.content.decode()
    assert 'value="By hand"' in answer.content.decode()
    assert Entry.objects.count() == 4


def test_an_id_that_names_no_service_is_refused(desk, shown):
    answer = submit(desk, page(Entry, "add"), list=shown.pk, kind="movie", ids="tt0000009", title="By hand")
    assert "Write an id as service:id" in answer.content.decode()
    assert Entry.objects.count() == 3


@pytest.mark.covers("LIST-14", "AUD-01")
def test_a_deleted_entry_leaves_its_list_and_keeps_its_row(desk, shown, upload, titles):
    gone = entry(2)
    question = desk.get(page(Entry, "delete", gone.pk)).content.decode()
    assert "Its row and its history stay here" in question
    assert "left Films to watch" in told(desk.post(page(Entry, "delete", gone.pk), {}, follow=True))
    assert (titles(shown), audited()) == (["Film 1", "Film 3"], ("removed", "admin", 2))
    upload(shown, [film(n, rating=6.0) for n in (1, 2, 3)])
    gone.refresh_from_db()
    assert (titles(shown), gone.state) == (["Film 1", "Film 3"], "removed")
    assert "not on the list any more" in told(desk.post(page(Entry, "delete", gone.pk), {}, follow=True))


@pytest.mark.covers("LIST-14")
def test_several_entries_are_removed_and_put_back_at_once(desk, shown, titles):
    pair = [entry(1), entry(3)]
    assert "Their rows and history stay" in told(act(desk, Entry, "delete_selected", *pair))
    assert (titles(shown), newest().removed, Entry.objects.count()) == (["Film 2"], 2, 3)
    assert "2 put back. That made version 3" in told(act(desk, Entry, "put_back", *pair))
    assert titles(shown) == ["Film 1", "Film 2", "Film 3"]


def test_an_action_on_entries_of_two_lists_makes_a_version_in_each(desk, shown, ines, upload):
    other = services.create_list(ines, name="Other")
    upload(other, [film(7)])
    answer = act(desk, Entry, "delete_selected", entry(1), entry(7))
    assert "version 2 of Films to watch, version 2 of Other" in told(answer)


def test_what_one_list_refuses_stops_the_whole_action(desk, shown, ines, upload, titles):
    other = services.create_list(ines, name="Other")
    upload(other, [film(7)])
    services.bin_list(other, by=ines)
    answer = act(desk, Entry, "delete_selected", entry(1), entry(7))
    assert told(answer) == "The list lies in the bin. Bring it back first."
    assert (titles(shown), Version.objects.filter(list=shown).count()) == (["Film 1", "Film 2", "Film 3"], 1)


def test_more_rows_than_one_request_may_take_are_refused(desk, shown, titles, monkeypatch):
    monkeypatch.setattr("lists.admin.base.AT_ONCE", 2)
    assert "more than 2 at once. Nothing was changed" in told(act(desk, Entry, "delete_selected", *Entry.objects.all()))
    assert len(titles(shown)) == 3


@pytest.mark.covers("SAFE-04")
def test_edited_fields_are_given_back_to_the_sources(desk, shown, ines):
    services.edit_entries(shown, {entry(1).pk: {"year": 1999, "rating": 9.0}, entry(2).pk: {"year": 1998}}, by=ines)
    services.remove_entries(shown, [entry(2).pk], by=ines)
    answer = act(desk, Entry, "give_back", entry(1), entry(2), entry(3))
    assert "2 given back to their sources" in told(answer)
    assert (entry(1).year, entry(1).rating) == (1991, 5.0)
    assert list(Edit.objects.values_list("entry__title", "field")) == [("Film 2", "presence")]


@pytest.mark.covers("LIST-14")
def test_the_history_of_an_entry_tells_field_by_field_what_each_version_changed(desk, shown, ines):
    services.edit_entries(shown, {entry(1).pk: {"title": "Film 1", "year": 1999}}, by=ines)
    answer = desk.get(page(Entry, "history", entry(1).pk)).content.decode()
    assert "<strong>Year:</strong>" in answer
    assert "1991" in answer
    assert "1999" in answer
    assert answer.index("<td>2</td>") < answer.index("<td>1</td>")  # the versions


@pytest.mark.covers("WISH-04", "VER-05")
def test_one_entry_is_brought_back_as_it_was_and_the_others_stay(desk, shown, ines, titles):
    first, second = entry(1), entry(2)
    services.edit_entries(shown, {first.pk: {"title": "Wrong"}, second.pk: {"title": "Right"}}, by=ines)
    services.remove_entries(shown, [first.pk], by=ines)
    old = Entry.history.filter(id=first.pk).order_by("history_id").first()
    state = page(Entry, "simple_history", first.pk, old.history_id)
    assert "Bring this state back" in desk.get(state).content.decode()
    answer = desk.post(state, {"title": "Anything", "year": "1"}, follow=True)  # nothing but the row counts
    assert "as it was in version 1, and nothing else was changed. That made version 4" in told(answer)
    assert (titles(shown), newest().kind) == (["Film 1", "Right", "Film 3"], "rollback")
    assert audited() == ("rolled back", "admin", 4)
    assert "Nothing was changed" in told(desk.post(state, follow=True))
    assert Version.objects.count() == 4


def test_edits_are_looked_at_with_their_history(desk, shown, ines):
    services.edit_entries(shown, {entry(1).pk: {"year": 1999}}, by=ines)
    services.edit_entries(shown, {entry(1).pk: {"year": 2001}}, by=ines)
    edit = Edit.objects.get()
    assert "2001" in desk.get(page(Edit)).content.decode()
    assert "1999" in desk.get(page(Edit, "history", edit.pk)).content.decode()


# -- versions --------------------------------------------------------------------------------------------------------


@pytest.mark.covers("VER-05", "LIST-14")
def test_a_list_is_rolled_back_after_a_page_has_said_what_that_changes(desk, shown, upload, titles):
    upload(shown, [film(n) for n in (2, 3, 4, 5)])
    first = Version.objects.get(number=1)
    chosen = act(desk, Version, "roll_back", first)
    assert chosen.redirect_chain == [(reverse("admin:lists_version_rollback", args=[first.pk]), 302)]
    question = chosen.content.decode()
    assert "1 come, 2 leave" in question
    assert "Restore version 1" in question
    assert len(titles(shown)) == 4
    answer = desk.post(chosen.request["PATH_INFO"], follow=True)
    assert "Films to watch is back at version 1. That made version 3 of Films to watch" in told(answer)
    assert (titles(shown), audited()) == (["Film 1", "Film 2", "Film 3"], ("rolled back", "admin", 3))
    assert "shows version 1 already" in told(desk.post(chosen.request["PATH_INFO"], follow=True))
    assert Version.objects.count() == 3


def test_the_rollback_page_names_what_will_be_missing_and_why(desk, shown, staff):
    services.block(by=staff, scope="list", list_=shown, pattern="Film 2", reason="Seen it")
    first = Version.objects.get(number=1)
    question = desk.get(reverse("admin:lists_version_rollback", args=[first.pk])).content.decode()
    assert "Will be missing" in question
    assert "Film 2" in question


def test_a_pruned_version_is_not_rolled_back_to(desk, shown, upload, titles):
    upload(shown, [film(1), film(4)])
    first = Version.objects.get(number=1)
    Version.objects.filter(pk=first.pk).update(pruned_at=first.created_at, order=None)
    address = reverse("admin:lists_version_rollback", args=[first.pk])
    assert "Roll the list back" not in desk.get(page(Version, "change", first.pk)).content.decode()
    for answer in (desk.get(address, follow=True), desk.post(address, follow=True)):
        assert "its content is not kept any more" in told(answer)
    assert titles(shown) == ["Film 1", "Film 4"]


def test_only_one_version_is_rolled_back_to(desk, shown, upload, titles):
    upload(shown, [film(1), film(4)])
    assert "Choose one version" in told(act(desk, Version, "roll_back", *Version.objects.all()))
    assert titles(shown) == ["Film 1", "Film 4"]


# -- blocks ----------------------------------------------------------------------------------------------------------


@pytest.mark.covers("LIST-09", "LIST-14")
@pytest.mark.parametrize(
    "what", [{"pattern": "Film 2"}, {"namespace": "imdb", "value": "tt0000002"}, {"item": 2}], ids=str
)
def test_a_block_takes_off_what_it_hits_and_unblocking_brings_it_back(desk, shown, titles, what):
    if "item" in what:
        what = {"item": entry(2).item_id}
    submit(desk, page(Block, "add"), scope="list", list=shown.pk, reason="Seen it", **what)
    block = Block.objects.get()
    assert (block.created_by.username, block.reason, titles(shown)) == ("admin", "Seen it", ["Film 1", "Film 3"])
    assert desk.post(page(Block, "change", block.pk), {"reason": "Another"}).status_code == 403
    assert "comes back at once" in desk.get(page(Block, "delete", block.pk)).content.decode()
    assert "is not blocked any more" in told(desk.post(page(Block, "delete", block.pk), follow=True))
    assert (titles(shown), Block.objects.count()) == (["Film 1", "Film 2", "Film 3"], 0)
    assert Version.objects.filter(list=shown).count() == 3


@pytest.mark.covers("LIST-09")
def test_a_block_of_the_site_holds_for_every_list(desk, shown, titles):
    submit(desk, page(Block, "add"), scope="all", list=shown.pk, pattern="Film 2")
    block = Block.objects.get()
    assert (block.list, block.owner) == (None, None)
    services.settle_due(shown)  # as the workers do
    assert titles(shown) == ["Film 1", "Film 3"]
    assert "1 taken away" in told(act(desk, Block, "delete_selected", block))
    services.settle_due(shown)
    assert titles(shown) == ["Film 1", "Film 2", "Film 3"]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"pattern": "Film*"}, "Choose the list that it is for"),
        ({"scope": "all", "pattern": "***"}, "Nothing was"),
        ({"scope": "all"}, "Nothing was"),
    ],
    ids=str,
)
def test_a_block_that_names_nothing_is_refused(desk, shown, typed, said):
    answer = submit(desk, page(Block, "add"), **typed)
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert not Block.objects.exists()


# -- questions -------------------------------------------------------------------------------------------------------


@pytest.fixture
def asked(shown, upload) -> list[Conflict]:
    """Two questions: a source changed what had been edited by hand."""
    for n in (1, 2):
        services.edit_entries(shown, {entry(n).pk: {"rating": 9.0}}, by=shown.owner)
    upload(shown, [film(n, genres=["Drama"], rating=6.0) for n in (1, 2, 3)])
    return list(Conflict.objects.order_by("id"))


@pytest.mark.covers("SAFE-04", "CONF-12")
def test_questions_are_answered_with_what_is_shown_with_what_is_recommended_or_not_at_all(desk, asked):
    assert len(asked) == 2
    one, other = asked
    assert "1 skipped" in told(act(desk, Conflict, "skip", other))
    assert "1 decided: what is shown stays" in told(act(desk, Conflict, "keep", one))
    assert "1 decided as recommended" in told(act(desk, Conflict, "take", other))
    for each in asked:
        each.refresh_from_db()
        assert (each.state, each.decided_by.username) == ("decided", "admin")
    assert one.after == 9.0 == entry(1).rating
    assert "0 decided" in told(act(desk, Conflict, "keep", one))


def test_a_question_about_who_is_who_is_left_to_its_page(desk, shown):
    row = Conflict.objects.create(list=shown, entry=entry(1), kind="match", options=[{"item": 1, "title": "x"}])
    assert "1 ask who is who" in told(act(desk, Conflict, "take", row))
    row.refresh_from_db()
    assert row.state == "open"


@pytest.fixture
def held(shown, ines) -> Proposal:
    """Removals of two films that wait."""
    source = shown.sources.get(role="feed")
    waiting = [entry(1).pk, entry(2).pk]
    return Proposal.objects.create(
        kind="held",
        state="open",
        list=shown,
        source=source,
        result={"entries": waiting, "supported": 3, "explanation": ""},
    )


@pytest.mark.covers("SAFE-02")
def test_held_removals_are_let_go_here(desk, shown, held, titles):
    assert "1 applied. That made version 2" in told(act(desk, Proposal, "apply", held))
    held.refresh_from_db()
    assert (titles(shown), held.state, held.decided_by.username) == (["Film 3"], "confirmed", "admin")
    assert "0 applied" in told(act(desk, Proposal, "apply", held))


@pytest.mark.covers("SAFE-02")
def test_held_removals_are_kept_here(desk, shown, held, titles, upload):
    assert "1 kept: nothing was removed" in told(act(desk, Proposal, "keep", held))
    held.refresh_from_db()
    assert (titles(shown), held.state) == (["Film 1", "Film 2", "Film 3"], "kept")


def test_a_preview_is_not_decided_here(desk, shown, upload):
    preview = upload(shown, [film(9)], confirm=False)
    for action in ("apply", "keep"):
        act(desk, Proposal, action, preview)
    preview.refresh_from_db()
    assert preview.state == "open"


# -- who is who ------------------------------------------------------------------------------------------------------


@pytest.mark.covers("WISH-02")
def test_two_items_are_merged_and_split_again(desk, shown, titles):
    one, other = entry(1).item, entry(2).item
    merge = reverse("admin:lists_item_merge", args=[other.pk])
    assert "Merge into another" in desk.get(page(Item, "change", other.pk)).content.decode()
    assert "Choose the item that it is" in desk.post(merge, {}).content.decode()
    assert "are one" in told(desk.post(merge, {"into": one.pk}, follow=True))
    other.refresh_from_db()
    assert other.merged_into == one
    services.settle_due(shown)  # as the list's next write does
    assert (titles(shown), newest().kind) == (["Film 1", "Film 3"], "merge")
    split = reverse("admin:lists_item_split", args=[other.pk])
    assert "Split from" in desk.get(page(Item, "change", other.pk)).content.decode()
    assert "Split" in desk.get(split).content.decode()
    assert "are two again" in told(desk.post(split, follow=True))
    services.settle_due(shown)
    assert titles(shown) == ["Film 1", "Film 2", "Film 3"]
    assert "is not" in desk.get(page(Decision)).content.decode()
    assert set(Audit.objects.filter(object_type="item").values_list("actor_name", flat=True)) == {"admin"}


def test_an_item_is_not_merged_into_itself(desk, shown):
    one = entry(1).item
    answer = desk.post(reverse("admin:lists_item_merge", args=[one.pk]), {"into": one.pk}, follow=True)
    assert "Nothing was" in told(answer)
    one.refresh_from_db()
    assert one.merged_into is None
