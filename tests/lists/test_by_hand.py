"""What people do by hand, and what no upload, sync, rollback, block or merge undoes in silence."""

import json

import pytest
from django.contrib.auth import get_user_model

from lists import services
from lists.exports import EXPORTS
from lists.models import Audit, Block, Claim, Conflict, Edit, Entry, Item, Proposal, Provenance, SitePolicy, Source
from lists.versions import entries_of
from sync import uploads
from sync.models import Run


def film(n: int, **more):
    return {"key": f"tt{n}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990, **more}


def films_(*numbers: int, **more):
    return [film(n, **more) for n in numbers]


def entry(list_, title: str) -> Entry:
    return Entry.objects.get(list=list_, title=title)


def edit(list_, entry_, by, **values):
    return services.edit_entries(list_, {entry_.pk: values}, by=by)


# -- edits ------------------------------------------------------------------------------------------------------------


@pytest.mark.covers("SAFE-04")
def test_an_edit_stands_through_every_upload(films, upload, ines, titles):
    upload(films, films_(1, 2))
    edit(films, entry(films, "Film 1"), ines, title="Mine")
    assert upload(films, films_(1, 2)).version is None, "the same file changes nothing"
    run = upload(films, [film(1, title="Theirs"), film(2)])
    assert titles(films) == ["Mine", "Film 2"]
    conflict = Conflict.objects.get()
    assert (conflict.state, conflict.field, run.conflicted) == ("open", "title", 1)
    assert [option["value"] for option in conflict.options] == ["Theirs"]


@pytest.mark.covers("SAFE-04")
def test_an_edit_waits_while_its_entry_is_gone(films, upload, ines, titles):
    upload(films, films_(1, 2))
    edit(films, entry(films, "Film 1"), ines, title="Mine")
    upload(films, films_(2))
    assert titles(films) == ["Film 2"]
    upload(films, films_(1, 2))
    assert titles(films) == ["Mine", "Film 2"]


def test_an_edited_play_is_the_same_play_when_it_returns(upload, ines, titles):
    def plays(*names):
        return [{"key": n, "kind": "track", "title": n, "artist": f"Artist {n}"} for n in names]

    list_ = upload(None, plays("Alpha", "Bravo", "Charlie")).list
    edit(list_, entry(list_, "Bravo"), ines, title="Mine")
    upload(list_, plays("Alpha", "Charlie"))
    upload(list_, plays("Alpha", "Bravo", "Charlie"))
    assert titles(list_) == ["Alpha", "Mine", "Charlie"]
    upload(list_, plays("Alpha", "Bravo", "Charlie"), source=None)
    assert titles(list_) == ["Alpha", "Mine", "Charlie"]


def test_a_source_that_agrees_with_an_edit_and_then_differs_asks(films, upload, ines, titles):
    upload(films, films_(1))
    edit(films, entry(films, "Film 1"), ines, title="Mine")
    upload(films, [film(1, title="Mine")])
    assert not Conflict.objects.exists()
    upload(films, [film(1, title="Third")])
    assert titles(films) == ["Mine"]
    assert Conflict.objects.get().options[0]["value"] == "Third"


def test_a_conflict_is_withdrawn_when_the_words_return(films, upload, ines):
    upload(films, films_(1))
    edit(films, entry(films, "Film 1"), ines, title="Mine")
    upload(films, [film(1, title="Theirs")])
    upload(films, films_(1))
    assert Conflict.objects.get().state == "withdrawn"


def test_an_empty_value_is_a_word(films, upload, ines):
    upload(films, [film(1, rating=8.0)])
    edit(films, entry(films, "Film 1"), ines, rating=None)
    upload(films, [film(1, rating=9.0)])
    assert Entry.objects.get().rating is None


def test_what_is_given_back_shows_the_sources_word(films, upload, ines, titles):
    upload(films, films_(1))
    mine = entry(films, "Film 1")
    edit(films, mine, ines, title="Mine")
    upload(films, [film(1, title="Theirs")])
    services.give_back(films, {mine.pk: ["title"]}, by=ines)
    assert titles(films) == ["Theirs"]
    assert Conflict.objects.get().state == "withdrawn"


@pytest.mark.covers("SRC-21")
def test_an_entry_added_by_hand_stays_and_has_no_title_to_give_back(films, upload, ines, titles):
    upload(films, films_(1))
    added = services.add_entry(films, by=ines, values={"title": "By hand", "year": 2001})
    upload(films, films_(1))
    upload(films, [], source=Source.objects.get(role="feed"))
    assert titles(films) == ["By hand"]
    edit(films, added, ines, title="Renamed")
    with pytest.raises(services.Unfit) as refused:
        services.add_entry(films, by=ines, values={"year": 2001})
    assert "needs a title" in str(refused.value)


@pytest.mark.covers("SRC-21")
def test_what_a_source_lists_too_has_its_words_and_stays_when_it_goes(films, upload, ines, titles):
    services.add_entry(films, by=ines, values={"title": "Film 1", "year": 1990}, ids={"imdb": "tt0000001"})
    upload(films, [film(1, rating=7.0)])
    assert Entry.objects.get().rating == 7.0
    assert Claim.objects.count() == 1
    upload(films, [], source=Source.objects.get(role="feed"))
    assert titles(films) == ["Film 1"]
    assert Entry.objects.get().rating == 7.0


def test_what_was_removed_does_not_come_back(films, upload, ines, titles):
    upload(films, films_(1, 2))
    services.remove_entries(films, [entry(films, "Film 1").pk], by=ines)
    upload(films, [film(1, rating=9.0), film(2)])
    assert titles(films) == ["Film 2"]
    services.restore_entries(films, [entry(films, "Film 1").pk], by=ines)
    assert titles(films) == ["Film 1", "Film 2"]
    upload(films, films_(2))
    assert titles(films) == ["Film 1", "Film 2"]


def test_a_moved_entry_keeps_its_place_and_new_ones_follow_their_predecessor(films, upload, ines, titles):
    upload(films, films_(1, 2, 3))
    services.move_entries(films, [entry(films, "Film 3").pk], by=ines, place=1)
    upload(films, films_(1, 4, 2, 3))
    assert titles(films) == ["Film 3", "Film 1", "Film 4", "Film 2"]
    services.set_order(films, by=ines, mode="source")
    assert titles(films) == ["Film 1", "Film 4", "Film 2", "Film 3"]


def test_an_order_by_field_follows_the_values(films, upload, ines, titles):
    upload(films, [film(1, rating=5.0), film(2, rating=9.0), film(3)])
    services.set_order(films, by=ines, mode="field", field="rating")
    assert titles(films) == ["Film 2", "Film 1", "Film 3"]
    upload(films, [film(1, rating=5.0), film(2, rating=4.0), film(3), film(4, rating=7.0)])
    assert titles(films) == ["Film 4", "Film 1", "Film 2", "Film 3"]
    assert services.refold(films, kind="rules") is None


def test_a_title_corrected_by_hand_and_then_by_the_file_is_no_second_film(films, upload, ines, titles):
    rows = [{"key": "heta", "title": "Heta", "year": 1995}, {"key": "ran", "title": "Ran", "year": 1985}]
    upload(films, rows)
    edit(films, entry(films, "Heta"), ines, title="Heat")
    run = upload(films, [{"key": "heat", "title": "Heat", "year": 1995}, rows[1]])
    assert titles(films) == ["Heat", "Ran"]
    assert (run.added, run.removed, Entry.objects.count()) == (0, 0, 2)
    assert upload(films, [{"key": "heat", "title": "Heat", "year": 1995}, rows[1]]).version is None


# -- two at once ------------------------------------------------------------------------------------------------------


def test_who_looked_at_an_older_state_is_told(films, upload, ines, jonas):
    upload(films, films_(1))
    films.refresh_from_db()
    seen, mine = films.current.number, entry(films, "Film 1")
    edit(films, mine, jonas, title="Jonas")
    with pytest.raises(services.TooLate, match="changed by jonas since you looked at version 1"):
        services.edit_entries(films, {mine.pk: {"title": "Ines"}}, by=ines, seen=seen)
    services.edit_entries(films, {mine.pk: {"rating": 9.0}}, by=ines, seen=seen)
    mine.refresh_from_db()
    assert (mine.title, mine.rating) == ("Jonas", 9.0)


def test_an_edit_and_an_upload_that_was_planned_before_it_both_survive(films, upload, ines, work, monkeypatch):
    upload(films, films_(1, 2))
    mine = entry(films, "Film 1")
    from lists import writer

    publish, first = writer.publish, iter([True])

    def overtaken(plan, **more):
        if next(first, False):
            edit(films, mine, ines, title="Mine")
        return publish(plan, **more)

    proposal = upload(films, [film(1, rating=8.0), film(2), film(3)], confirm=False)
    monkeypatch.setattr("sync.pipeline.writer.publish", overtaken)
    run = uploads.confirm(proposal, by=ines)
    work()
    run.refresh_from_db()
    mine.refresh_from_db()
    assert (run.state, run.added, mine.title, mine.rating) == ("completed", 1, "Mine", 8.0)


# -- rollback ---------------------------------------------------------------------------------------------------------


@pytest.mark.covers("VER-05")
def test_back_over_a_hand_edit_and_forward_again_then_an_upload(films, upload, ines, titles):
    upload(films, films_(1, 2))
    v1 = films.versions.get(number=1)
    edit(films, entry(films, "Film 1"), ines, title="Mine")
    v2 = films.versions.get(number=2)
    services.rollback(films, v1, by=ines)
    assert titles(films) == ["Film 1", "Film 2"]
    assert not Edit.objects.exists()
    services.rollback(films, v2, by=ines)
    assert titles(films) == ["Mine", "Film 2"]
    assert Edit.objects.get().firm
    upload(films, [film(1, title="Theirs"), film(2)])
    assert titles(films) == ["Mine", "Film 2"]


@pytest.mark.covers("VER-05")
def test_an_edit_survives_leaving_rolling_back_and_forward_and_returning(films, upload, ines, titles):
    upload(films, films_(1, 2))
    edit(films, entry(films, "Film 1"), ines, title="Mine")
    v2 = films.versions.get(number=2)
    upload(films, films_(2))
    v3 = films.versions.get(number=3)
    services.rollback(films, v2, by=ines)
    assert titles(films) == ["Mine", "Film 2"]
    services.rollback(films, v3, by=ines)
    assert titles(films) == ["Film 2"]
    upload(films, films_(1, 2))
    assert titles(films) == ["Mine", "Film 2"]


@pytest.mark.covers("VER-05", "WISH-04")
def test_a_rollback_holds_until_the_source_says_something_new(films, upload, ines, titles):
    upload(films, films_(1, 2))
    v1 = films.versions.get(number=1)
    changed = [film(1, title="Changed"), film(2), film(3)]
    upload(films, changed)
    services.rollback(films, v1, by=ines)
    assert titles(films) == ["Film 1", "Film 2"]
    assert services.held_by_rollback(films) == {1: 2}
    assert upload(films, changed).version is None, "the source repeats itself"
    assert titles(films) == ["Film 1", "Film 2"]
    upload(films, [film(1, title="News"), film(2), film(3)])
    assert titles(films) == ["News", "Film 2"]
    assert not Conflict.objects.exists()
    services.release(films, by=ines)
    assert titles(films) == ["News", "Film 2", "Film 3"]
    assert services.held_by_rollback(films) == {}


@pytest.mark.covers("WISH-04")
def test_one_entry_alone_goes_back(films, upload, ines, titles):
    upload(films, films_(1, 2))
    upload(films, [film(1, title="A"), film(2, title="B")])
    v1 = films.versions.get(number=1)
    services.rollback(films, v1, by=ines, entries=[entry(films, "A").pk])
    assert titles(films) == ["Film 1", "B"]


@pytest.mark.covers("VER-05", "LIST-09")
def test_what_was_blocked_then_is_shown_by_todays_rules(films, upload, ines, titles):
    upload(films, films_(1, 2))
    block = services.block(by=ines, scope="list", list_=films, namespace="imdb", value="tt0000001")
    upload(films, films_(1, 2, 3))
    version = films.versions.order_by("-number").first()
    services.unblock(block, by=ines)
    assert titles(films) == ["Film 1", "Film 2", "Film 3"]
    services.rollback(films, version, by=ines)
    assert titles(films) == ["Film 1", "Film 2", "Film 3"]


def test_what_todays_blocks_keep_out_is_named(films, upload, ines, titles):
    upload(films, films_(1, 2))
    v1 = films.versions.get(number=1)
    services.block(by=ines, scope="list", list_=films, pattern="film 1", reason="Seen enough")
    preview = services.preview_rollback(films, v1)
    assert [(missing.title, missing.reason) for missing in preview.missing] == [
        ("Film 1", "Blocked by the pattern “film 1”: Seen enough")
    ]
    services.rollback(films, v1, by=ines)
    assert titles(films) == ["Film 2"]


def test_an_order_that_differs_becomes_the_lists_own(films, upload, ines, titles):
    upload(films, films_(1, 2, 3))
    v1 = films.versions.get(number=1)
    upload(films, films_(3, 2, 1))
    services.rollback(films, v1, by=ines)
    assert titles(films) == ["Film 1", "Film 2", "Film 3"]
    films.refresh_from_db()
    assert films.order_mode == "hand"
    upload(films, films_(3, 2, 1))
    assert titles(films) == ["Film 1", "Film 2", "Film 3"]


# -- blocks -----------------------------------------------------------------------------------------------------------


@pytest.mark.covers("LIST-09")
def test_what_is_blocked_is_counted_and_comes_back_without_a_fetch(films, upload, ines, titles):
    block = services.block(by=ines, scope="list", list_=films, namespace="imdb", value="tt0000002", reason="No")
    run = upload(films, films_(1, 2))
    assert (run.added, run.excluded) == (1, 1)
    assert entry(films, "Film 2").reason == "Blocked: No"
    assert upload(films, films_(1, 2)).excluded == 1
    services.unblock(block, by=ines)
    assert titles(films) == ["Film 1", "Film 2"]
    assert set(Audit.objects.filter(object_type="block").values_list("action", flat=True)) == {"blocked", "unblocked"}


@pytest.mark.parametrize(
    ("pattern", "hit"),
    [("film *", 2), ("FILM ?", 2), ("film 1", 1), ("*1", 1), ("film", 0), ("film [12]", 0), ("f*m*2*", 1)],
)
def test_a_pattern_knows_star_and_question_mark_only(films, upload, ines, pattern, hit):
    upload(films, films_(1, 2))
    assert services.would_hit(by=ines, scope="list", list_=films, pattern=pattern).count == hit
    services.block(by=ines, scope="list", list_=films, pattern=pattern)
    assert Entry.objects.filter(list=films, state="excluded").count() == hit


def test_a_block_for_all_of_mine_leaves_others_alone(films, upload, ines, jonas, titles):
    other, theirs = services.create_list(ines, name="Second"), services.create_list(jonas, name="Theirs")
    for list_ in (films, other, theirs):
        upload(list_, films_(1, 2), by=ines if list_.owner == ines else jonas)
    services.block(by=ines, scope="mine", item=Item.objects.get(title="Film 1"))
    assert [titles(list_) for list_ in (films, other, theirs)] == [["Film 2"], ["Film 2"], ["Film 1", "Film 2"]]


def test_a_block_for_all_is_for_staff_and_reaches_every_list(films, upload, ines, staff, titles, work):
    from sync import tasks

    upload(films, films_(1, 2))
    with pytest.raises(services.NotYours):
        services.block(by=ines, scope="all", pattern="Film 1")
    services.block(by=staff, scope="all", pattern="Film 1")
    tasks.tick()
    assert titles(films) == ["Film 2"]


@pytest.mark.parametrize("pattern", ["*", "??", " * ", ""])
def test_a_pattern_that_would_keep_out_everything_is_refused(films, ines, pattern):
    with pytest.raises(services.Unfit):
        services.block(by=ines, scope="list", list_=films, pattern=pattern)


# -- conflicts and strategies -----------------------------------------------------------------------------------------


@pytest.mark.covers("CONF-01", "CONF-02")
@pytest.mark.parametrize(
    ("strategy", "title"),
    [("priority", "Film A2"), ("keep", "Film A2"), ("new", "Film B"), ("merge", "Film A2"), ("ask", "Film A2")],
)
def test_strategies_weigh_sources_against_each_other(films, upload, ines, strategy, title):
    services.change_rules(films, by=ines, strategy=strategy)
    upload(films, [film(1, title="Film A", genres=["Drama"])], name="a")
    a = Source.objects.get(name="a")
    upload(films, [film(1, title="Film A2", genres=["Drama"])], source=a)
    upload(films, [film(1, title="Film B", genres=["Crime", "drama"])], source=None, name="b")
    # Within one second nothing is newer than anything: the word of b is made the later one.
    b = Claim.objects.get(source__name="b")
    Claim.objects.filter(pk=b.pk).update(first_at=b.first_at.replace(year=b.first_at.year + 1))
    services.refold(films, kind="rules")
    found = Entry.objects.get()
    assert found.title == title
    assert found.genres == (
        ["Drama", "Crime"] if strategy == "merge" else ["Crime", "drama"] if strategy == "new" else ["Drama"]
    )


@pytest.mark.covers("CONF-12")
def test_ask_keeps_asking_nothing_twice(films, upload, ines):
    services.change_rules(films, by=ines, strategy="ask")
    upload(films, [film(1, rating=7.0)], name="a")
    upload(films, [film(1, rating=8.0)], source=None, name="b")
    b = Source.objects.get(name="b")
    [conflict] = Conflict.objects.all()
    assert (conflict.field, conflict.strategy, Entry.objects.get().rating) == ("rating", "ask", 7.0)
    services.decide([conflict], by=ines, choice="keep")
    conflict.refresh_from_db()
    assert (conflict.state, conflict.after, conflict.decided_by) == ("decided", 7.0, ines)
    upload(films, [film(1, rating=8.0)], source=b)
    services.refold(films, kind="rules")
    assert Conflict.objects.exclude(state="decided").count() == 0
    upload(films, [film(1, rating=9.0)], source=b)
    assert Conflict.objects.filter(state="open").count() == 1


@pytest.mark.covers("CONF-12")
def test_a_skipped_question_returns_with_new_words_only(films, upload, ines):
    upload(films, films_(1))
    edit(films, entry(films, "Film 1"), ines, title="Mine")
    upload(films, [film(1, title="Theirs")])
    services.skip(Conflict.objects.all(), by=ines)
    upload(films, [film(1, title="Theirs", rating=5.0)])
    assert Conflict.objects.get().state == "skipped"
    upload(films, [film(1, title="Other", rating=5.0)])
    assert Conflict.objects.get().state == "open"


@pytest.mark.parametrize(
    ("how", "title"),
    [({"choice": "keep"}, "Mine"), ({"choice": "take"}, "Mine"), ({"choice": "type", "value": "Typed"}, "Typed")],
)
def test_a_decision_is_an_edit_of_that_field_only(films, upload, ines, titles, how, title):
    upload(films, films_(1))
    edit(films, entry(films, "Film 1"), ines, title="Mine")
    upload(films, [film(1, title="Theirs", rating=5.0)])
    services.decide(Conflict.objects.all(), by=ines, **how)
    assert titles(films) == [title]
    assert Edit.objects.count() == 1
    assert Conflict.objects.get().state == "decided"
    assert Audit.objects.filter(action="decided").get().after == {"title": title}


def test_to_take_a_sources_word_is_to_say_it(films, upload, ines, titles):
    upload(films, films_(1))
    edit(films, entry(films, "Film 1"), ines, title="Mine")
    upload(films, [film(1, title="Theirs")])
    conflict = Conflict.objects.get()
    services.decide([conflict], by=ines, choice="take", source=conflict.options[0]["source"])
    assert titles(films) == ["Theirs"]
    with pytest.raises(services.NotWaiting):
        services.decide([conflict], by=ines, choice="keep")


def test_a_question_closes_at_its_deadline_in_favour_of_what_is_shown(films, upload, ines, staff):
    from sync import tasks

    site = SitePolicy.current()
    site.conflict_days = 0
    site.save()
    upload(films, films_(1))
    edit(films, entry(films, "Film 1"), ines, title="Mine")
    upload(films, [film(1, title="Theirs")])
    tasks.tick()
    conflict = Conflict.objects.get()
    assert (conflict.state, conflict.after) == ("expired", "Mine")
    services.refold(films, kind="rules")
    assert Conflict.objects.count() == 1


# -- held changes -----------------------------------------------------------------------------------------------------


@pytest.mark.covers("SAFE-02", "LIST-13")
@pytest.mark.parametrize(("left", "held"), [(390, 110), (410, 0), (0, 500)])
def test_too_many_removals_wait(films, live, left, held):
    source = live(films)
    source.sync(films_(*range(500)))
    run = source.sync(films_(*range(left)))
    assert (run.held, run.removed, run.state) == (held, 0, "completed")
    assert films.entries.listed().count() == 500
    assert Proposal.objects.filter(kind="held", state="open").count() == bool(held)
    again = source.sync(films_(*range(left)))
    assert again.removed == (0 if held else 90), "what is missing twice in a row leaves"


@pytest.mark.covers("SAFE-02")
def test_a_held_change_explains_itself_and_is_applied_in_part(films, live, ines, titles):
    source = live(films)
    source.sync(films_(*range(1, 21)))
    source.sync(films_(*range(1, 8), *range(14, 21)))
    held = Proposal.objects.get(kind="held")
    assert held.result["explanation"] == (
        "All missing films stand next to each other, rows 8 to 13: it looks like a page that did not arrive."
    )
    chosen = [entry(films, f"Film {n}").pk for n in (8, 9)]
    version = services.apply_held(held, by=ines, entries=chosen)
    assert (version.kind, version.removed) == ("decision", 2)
    assert len(titles(films)) == 18
    for _ in range(3):
        run = source.sync(films_(*range(1, 8), *range(14, 21)))
    assert (run.held, len(titles(films))) == (0, 18), "nobody is asked again about what was kept"
    with pytest.raises(services.NotWaiting):
        services.apply_held(held, by=ines)


@pytest.mark.covers("SAFE-02")
def test_a_held_change_is_withdrawn_by_a_good_answer(films, live, titles):
    source = live(films)
    source.sync(films_(*range(10)))
    source.sync([])
    assert Proposal.objects.get(kind="held").result["explanation"].startswith("The answer was empty.")
    source.sync(films_(*range(1, 10)))
    assert Proposal.objects.get(kind="held").state == "withdrawn"
    assert len(titles(films)) == 10, "the one that is missing now is marked, not gone"
    assert Claim.objects.get(missing=1).entry.title == "Film 0"


@pytest.mark.covers("SAFE-03")
def test_what_is_missing_once_comes_back_as_it_was(films, live, ines, titles):
    source = live(films)
    source.sync(films_(*range(1, 8)))
    mine = entry(films, "Film 3")
    edit(films, mine, ines, title="Mine")
    shown = titles(films)
    fewer = films_(1, 2, 4, 5, 6, 7)
    assert source.sync(fewer).removed == 0
    assert Claim.objects.get(entry=mine).missing == 1
    source.sync(films_(*range(1, 8)))
    assert (titles(films), Claim.objects.get(entry=mine).missing) == (shown, 0)
    source.sync(fewer)
    assert source.sync(fewer).removed == 1
    source.sync(films_(*range(1, 8)))
    mine.refresh_from_db()
    assert (titles(films), mine.state) == (shown, "listed")


def test_a_failed_fetch_leaves_what_waits(films, live, titles):
    source = live(films)
    source.sync(films_(*range(10)))
    source.sync([])
    run = source.sync({"fail": "It did not answer. Nothing was changed."})
    assert (run.state, Proposal.objects.get(kind="held").state, len(titles(films))) == ("failed", "open", 10)


@pytest.mark.covers("LIST-13")
def test_the_rule_keep_keeps_what_leaves(films, live, ines, titles):
    services.change_rules(films, by=ines, removals="keep")
    source = live(films)
    source.sync(films_(1, 2, 3))
    source.sync([])
    run = source.sync([])
    assert (run.held, run.removed, len(titles(films))) == (0, 0, 3)
    assert set(Claim.objects.values_list("source__role", flat=True)) == {"kept"}
    source.sync([film(1, rating=5.0)])
    assert Claim.objects.get(entry__title="Film 1").source_id == source.pk


@pytest.mark.covers("LIST-13")
def test_the_rule_ask_holds_every_removal(films, live, ines, titles):
    services.change_rules(films, by=ines, removals="ask")
    source = live(films)
    source.sync(films_(*range(20)))
    assert source.sync(films_(*range(19))).held == 1
    services.apply_held(Proposal.objects.get(state="open", kind="held"), by=ines)
    assert len(titles(films)) == 19


def test_what_a_person_removed_is_not_held_against_its_source(films, live, ines, titles):
    source = live(films)
    source.sync(films_(*range(10)))
    six = [entry(films, f"Film {n}").pk for n in range(6)]
    services.remove_entries(films, six, by=ines)
    run = source.sync(films_(*range(6, 10)))
    assert (run.held, len(titles(films))) == (0, 4)


# -- sources ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("keep", "left"), [(True, 3), (False, 1)])
def test_a_source_goes_with_its_films_or_without_them(films, upload, ines, titles, keep, left):
    upload(films, films_(1, 2), name="a")
    upload(films, films_(2, 3), source=None, name="b")
    b, a = Source.objects.get(name="b"), Source.objects.get(name="a")
    services.remove_source(b, by=ines, keep=keep)
    assert len(titles(films)) == (3 if keep else 2)
    services.remove_source(a, by=ines, keep=keep)
    assert len(titles(films)) == (3 if keep else 0)
    services.revive_source(b, by=ines)
    assert set(titles(films)) >= {"Film 2", "Film 3"}
    assert left in (1, 3)


def test_to_let_go_of_a_source_with_all_its_films_is_not_held(films, live, ines, titles):
    source = live(films)
    source.sync(films_(*range(10)))
    source.sync([])
    services.remove_source(source, by=ines, keep=False)
    assert titles(films) == []
    assert Proposal.objects.get(kind="held").state == "withdrawn"


def test_another_order_of_sources_shows_the_others_words(films, upload, ines):
    upload(films, [film(1, title="A")], name="a")
    upload(films, [film(1, title="B")], source=None, name="b")
    services.order_sources(films, [Source.objects.get(name="b").pk], by=ines)
    assert Entry.objects.get().title == "B"


@pytest.mark.covers("LIST-07")
def test_where_it_came_from_outlives_list_source_and_user(ines, upload):
    jonas = get_user_model().objects.create_user("temp")
    lists = [services.create_list(ines, name=name) for name in ("One", "Two")]
    for list_ in lists:
        upload(list_, films_(1), name=f"{list_}.json")
    services.share_list(lists[0], user=jonas, role="editor", by=ines)
    item = Item.objects.get()
    assert item.entries.count() == 2
    services.bin_list(lists[0], by=ines)
    services.purge_list(lists[0])
    jonas.delete()
    assert [(row.list_name, row.source_name) for row in Provenance.objects.filter(item=item)] == [("One", "One.json")]
    assert item.entries.count() == 1


# -- who is who -------------------------------------------------------------------------------------------------------


def merged(by, keep: str, other: str):
    services.merge_items(Item.objects.get(title=other), Item.objects.get(title=keep), by=by)


def test_of_two_that_are_one_the_first_shows_both_and_edits_stay(films, upload, ines, titles):
    upload(films, films_(1, 2))
    edit(films, entry(films, "Film 2"), ines, rating=9.5)
    merged(ines, "Film 1", "Film 2")
    assert titles(films) == ["Film 1"]
    assert entry(films, "Film 1").rating == 9.5
    services.split_item(Item.objects.get(title="Film 2"), by=ines)
    assert titles(films) == ["Film 1", "Film 2"]
    assert [entry(films, f"Film {n}").rating for n in (1, 2)] == [None, 9.5]


def test_one_of_two_doubles_removed_then_merged_stays_and_splits_as_before(films, upload, ines, titles):
    upload(films, films_(1, 2))
    services.remove_entries(films, [entry(films, "Film 1").pk], by=ines)
    merged(ines, "Film 1", "Film 2")
    assert len(titles(films)) == 1
    services.split_item(Item.objects.get(title="Film 2"), by=ines)
    assert titles(films) == ["Film 2"]


def test_three_merged_in_a_chain_and_the_middle_one_split(films, upload, ines, titles):
    upload(films, films_(1, 2, 3))
    merged(ines, "Film 2", "Film 3")
    merged(ines, "Film 1", "Film 2")
    assert titles(films) == ["Film 1"]
    services.split_item(Item.objects.get(title="Film 2"), by=ines)
    assert titles(films) == ["Film 1", "Film 2"]
    services.split_item(Item.objects.get(title="Film 3"), by=ines)
    assert titles(films) == ["Film 1", "Film 2", "Film 3"]
    assert services.refold(films, kind="rules") is None


def test_a_merge_that_makes_a_listed_film_a_blocked_one(films, upload, ines, titles):
    upload(films, films_(1, 2))
    services.block(by=ines, scope="list", list_=films, item=Item.objects.get(title="Film 2"))
    merged(ines, "Film 1", "Film 2")
    assert titles(films) == []
    services.split_item(Item.objects.get(title="Film 2"), by=ines)
    assert titles(films) == ["Film 1"]


def test_two_firm_edits_that_meet_show_the_later_and_ask(films, upload, ines, titles):
    upload(films, films_(1, 2))
    edit(films, entry(films, "Film 1"), ines, rating=1.0)
    edit(films, entry(films, "Film 2"), ines, rating=2.0)
    merged(ines, "Film 1", "Film 2")
    assert entry(films, "Film 1").rating == 2.0
    conflict = Conflict.objects.get(state="open")
    assert [option["value"] for option in conflict.options] == [1.0]
    services.decide([conflict], by=ines, choice="keep")
    services.refold(films, kind="rules")
    assert not Conflict.objects.filter(state="open").exists()


@pytest.mark.covers("CONF-13")
def test_a_merge_reaches_other_lists_with_their_own_next_write(films, upload, ines, jonas, staff, titles):
    theirs = services.create_list(jonas, name="Theirs")
    upload(films, films_(1, 2))
    upload(theirs, films_(1, 2), by=jonas)
    with pytest.raises(services.NotYours):
        merged(ines, "Film 1", "Film 2")
    merged(staff, "Film 1", "Film 2")
    assert titles(theirs) == ["Film 1", "Film 2"]
    run = upload(theirs, films_(1, 2), by=jonas)
    assert (titles(theirs), run.version) == (["Film 1"], None)
    version = theirs.versions.first()
    assert (version.kind, version.author_name) == ("merge", "")
    assert "the same thing" in version.summary


@pytest.mark.covers("WISH-02")
def test_a_picked_match_survives_ten_syncs(films, upload, ines, titles):
    other = services.create_list(ines, name="Other")
    upload(other, [film(1, title="Crash", year=1996), film(2, title="Crash", year=1996)])
    right = Item.objects.get(ids__value="tt0000002")
    upload(films, [{"key": "crash", "title": "Crash", "year": 1996}])
    found = Entry.objects.get(list=films)
    conflict = Conflict.objects.get(kind="match")
    assert (found.item, {option["item"] for option in conflict.options}) == (
        None,
        set(Item.objects.values_list("pk", flat=True)),
    )
    services.decide_identity(conflict, by=ines, item=right.pk)
    for n in range(10):
        upload(films, [{"key": "crash", "title": "Crash", "year": 1996, "rating": float(n)}])
        found.refresh_from_db()
        assert found.item == right
    assert Conflict.objects.filter(state="open").count() == 0


@pytest.mark.covers("WISH-02")
def test_a_wrong_match_goes_to_the_entry_that_is_right(films, upload, ines, titles):
    upload(films, films_(1, 2), name="a")
    upload(films, [{"key": "x", "title": "Film 1", "year": 1990, "rating": 5.0}], source=None, name="b")
    claim = Claim.objects.get(source__name="b")
    assert claim.entry.title == "Film 1"
    services.pick(films, [claim.pk], Item.objects.get(title="Film 2"), by=ines)
    claim.refresh_from_db()
    assert claim.entry.title == "Film 2"
    upload(films, [{"key": "x", "title": "Film 1", "year": 1990, "rating": 6.0}], source=Source.objects.get(name="b"))
    assert entry(films, "Film 2").rating == 6.0
    services.pick(films, [claim.pk], None, by=ines)
    assert len(titles(films)) == 3
    assert services.refold(films, kind="rules") is None


def test_ids_that_disagree_ask_and_merge_nothing(films, upload, ines, titles):
    upload(films, films_(1, 2))
    row = {"key": "both", "title": "Both", "year": 1990, "ids": {"imdb": "tt0000001", "tmdb": "movie/2"}}
    upload(films, [film(2, ids={"imdb": "tt0000002", "tmdb": "movie/2"})], source=None)
    upload(films, [row], source=None)
    conflict = Conflict.objects.get(kind="ids")
    assert len(conflict.options) == 2
    assert Item.objects.filter(merged_into__isnull=False).count() == 0
    services.decide_identity(conflict, by=ines, item=None, same=True)
    assert len(titles(films)) == 1


# -- exports read back ------------------------------------------------------------------------------------------------


@pytest.mark.covers("SRC-06")
@pytest.mark.parametrize("key", ["csv", "json"])
def test_an_export_with_edits_blocks_and_removals_read_back(films, upload, ines, titles, key):
    upload(films, films_(1, 2, 3, 4))
    edit(films, entry(films, "Film 1"), ines, title="Mine")
    services.remove_entries(films, [entry(films, "Film 2").pk], by=ines)
    services.block(by=ines, scope="list", list_=films, namespace="imdb", value="tt0000003")
    assert titles(films) == ["Mine", "Film 4"]
    before = films.versions.count()

    def export() -> bytes:
        films.refresh_from_db()
        return b"".join(EXPORTS[key].write(films, user=None))

    proposal = upload(films, export(), adapter="", confirm=False)
    assert "untouched" in proposal.result["sentence"]
    assert films.versions.count() == before
    run = upload(films, export().replace(b"Film 4", b"Film Four"), adapter="")
    assert (run.updated, run.version.kind, titles(films)) == (1, "edit", ["Mine", "Film Four"])
    body = export()
    if key == "csv":
        lines = body.decode("utf-8-sig").splitlines(keepends=True)
        fewer = "".join([lines[0], *lines[2:]]).encode()
    else:
        data = json.loads(body)
        fewer = json.dumps({**data, "entries": data["entries"][1:]}).encode()
    run = upload(films, fewer, adapter="")
    assert (run.removed, titles(films)) == (1, ["Film Four"])
    if key == "csv":
        lines = export().decode("utf-8-sig").splitlines()
        columns = lines[0].split(",")
        cells = ["" for _ in columns]
        cells[columns.index("Title")], cells[columns.index("Year")] = "New row", "2001"
        more = "\n".join([*lines, ",".join(cells)]).encode()
    else:
        data = json.loads(export())
        data["entries"].append({"kind": "movie", "title": "New row", "year": 2001})
        more = json.dumps(data).encode()
    run = upload(films, more, adapter="")
    assert (run.added, titles(films)) == (1, ["Film Four", "New row"])
    upload(films, films_(1, 2, 3, 4))
    assert titles(films) == ["Film Four", "New row"]


def test_every_act_leaves_its_audit_row(films, upload, ines):
    upload(films, films_(1, 2, 3))
    one = entry(films, "Film 1")
    edit(films, one, ines, title="Mine")
    services.give_back(films, {one.pk: ["title"]}, by=ines)
    services.remove_entries(films, [one.pk], by=ines)
    services.restore_entries(films, [one.pk], by=ines)
    services.move_entries(films, [one.pk], by=ines, place=3)
    services.set_order(films, by=ines, mode="source")
    services.rollback(films, films.versions.get(number=2), by=ines)
    services.release(films, by=ines)
    services.change_rules(films, by=ines, strategy="new")
    actions = set(Audit.objects.filter(list_ref=films.pk).values_list("action", flat=True))
    wanted = {"edited", "gave back", "removed", "put back", "moved", "ordered", "rolled back", "changed rules"}
    assert wanted <= actions
    row = Audit.objects.filter(action="edited").get()
    assert (row.actor, row.before, row.after) == (ines, {"title": "Film 1"}, {"title": "Mine"})
    assert entries_of(films.versions.get(number=2))[0].title == "Mine"
    assert not Block.objects.exists()
    assert Run.objects.count() == 1
