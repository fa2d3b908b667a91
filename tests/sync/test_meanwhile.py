"""What people do between the moment at which a sync is planned and the one at which it is published."""

import json
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from lists import services
from lists.exports import EXPORTS
from lists.models import Conflict, Entry, Item, MediaList, Proposal, SitePolicy, Source
from sync import pipeline, runs, uploads
from sync.models import Run


def film(n: int, **more):
    return {"key": f"tt{n}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990, **more}


def films_(*numbers: int):
    return [film(n) for n in numbers]


def entry(list_, title: str) -> Entry:
    return Entry.objects.get(list=list_, title=title)


@pytest.fixture
def between(monkeypatch):
    """between(act): do it once, after a sync was planned and before it is published."""

    def between(act):
        publish, waiting = pipeline._publish, [act]

        def late(*args, **named):
            while waiting:
                waiting.pop()()
            return publish(*args, **named)

        monkeypatch.setattr(pipeline, "_publish", late)

    return between


def test_a_block_holds_for_what_is_on_its_way(films, live, ines, titles, between):
    source = live(films)
    source.sync(films_(1, 2))
    between(lambda: services.block(by=ines, scope="list", list_=films, pattern="Film 3"))
    source.sync(films_(1, 2, 3))
    assert titles(films) == ["Film 1", "Film 2"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("bearable_s", "state"), [(60, "completed"), (0, "failed")])
def test_a_list_that_somebody_edits_without_a_pause_is_synced_all_the_same(
    films, live, ines, monkeypatch, bearable_s, state
):
    """It is held while it is planned, after some tries; but not where that would keep everybody waiting for long."""
    source = live(films)
    source.sync(films_(1, 2))
    plan, edited = pipeline.plan_sync, []
    monkeypatch.setattr(pipeline, "HELD_S", bearable_s)

    def overtaken(*args, **named):
        made = plan(*args, **named)
        if not connection.in_atomic_block:  # else who edits waits
            edited.append(f"Said {len(edited)} times")
            services.edit_entries(films, {entry(films, "Film 1").pk: {"overview": edited[-1]}}, by=ines)
        return made

    monkeypatch.setattr(pipeline, "plan_sync", overtaken)
    run = source.sync([film(1, rating=8.0), film(2)])
    assert run.state == state
    found = entry(films, "Film 1")
    assert (found.overview, found.rating) == (edited[-1], 8.0 if state == "completed" else None)


def test_two_that_became_one_meanwhile_are_one(films, live, ines, titles, between):
    source = live(films)
    source.sync(films_(1))
    other = Item.objects.create(kind="movie", title="Film 2", name="film 2", year=1990)
    between(lambda: services.merge_items(other, Item.objects.get(title="Film 1"), by=ines))
    source.sync([film(1), film(2, ids={}, key="film 2")])
    assert titles(films) == ["Film 1"]


def test_a_pick_is_not_overwritten(films, live, ines, between):
    source = live(films)
    source.sync(films_(1, 2))
    found, other = entry(films, "Film 1"), Item.objects.create(kind="movie", title="Other", name="other")
    between(lambda: services.pick(films, [found.claims.get().pk], other, by=ines))
    source.sync([film(1, rating=8.0), film(2)])
    found.refresh_from_db()
    assert (found.item, found.rating) == (other, 8.0)


def test_what_came_after_the_source_was_read_is_compared_anew(films, live, ines, titles, monkeypatch):
    """A decision takes a film that waits, between the moments at which its claims are loaded and looked up."""
    source = live(films)
    source.sync(films_(1, 2))
    services.change_rules(films, by=ines, review_unsure=True, accept_confidence=1)
    assert source.sync([film(1, rating=7.0), *films_(2, 3)]).held == 2
    plan, waiting = pipeline.plan_sync, [True]

    def late(*args, **named):
        if waiting and waiting.pop():
            services.decide(Conflict.objects.filter(kind="added", state="open"), by=ines, choice="take")
        return plan(*args, **named)

    monkeypatch.setattr(pipeline, "plan_sync", late)
    run = source.sync([film(1, rating=7.0), film(2), film(3), film(4)])
    assert (run.state, run.held, titles(films)) == (Run.State.COMPLETED, 2, ["Film 1", "Film 2", "Film 3"])


def test_what_was_kept_meanwhile_is_not_asked_about_again(films, live, ines, between):
    source = live(films)
    source.sync(films_(*range(10)))
    source.sync(films_(0))
    between(lambda: services.keep_held(Proposal.objects.get(state="open", kind="held"), by=ines))
    assert source.sync(films_(0)).held == 0
    assert films.entries.listed().count() == 10


@pytest.mark.parametrize("gone", ["source", "list"])
def test_a_waiting_run_writes_nothing_once_its_source_or_list_is_gone(films, live, ines, titles, work, gone):
    source = live(films)
    source.sync(films_(1, 2))
    run = runs.request_sync(source, by=ines, force=True).run
    Path(source.config["path"]).write_text(json.dumps(films_(1, 2, 3)))
    if gone == "source":
        services.remove_source(source, by=ines, keep=True)
    else:
        services.bin_list(films, by=ines)
    work()
    run.refresh_from_db()
    assert (run.state, titles(films)) == (Run.State.CANCELLED, ["Film 1", "Film 2"])


def test_an_upload_removes_only_what_its_preview_named(films, upload, ines, titles, work):
    upload(films, films_(1, 2, 3), name="a")
    upload(films, films_(2, 3), source=None, name="b")
    a, b = Source.objects.get(name="a"), Source.objects.get(name="b")
    proposal = upload(films, films_(1), source=a, confirm=False)
    assert proposal.result["counts"]["removed"] == 0
    services.remove_source(b, by=ines, keep=False)
    run = uploads.confirm(proposal, by=ines)
    work()
    run.refresh_from_db()
    assert (run.state, len(titles(films))) == (Run.State.FAILED, 3)


def test_an_edited_export_does_not_overwrite_a_newer_edit(films, upload, ines, jonas, work):
    upload(films, films_(1, 2))
    films.refresh_from_db()
    body = b"".join(EXPORTS["json"].write(films, user=None)).replace(b"Film 1", b"Ines")
    proposal = upload(films, body, adapter="", confirm=False)
    services.edit_entries(films, {entry(films, "Film 1").pk: {"title": "Jonas"}}, by=jonas)
    run = uploads.confirm(proposal, by=ines)
    work()
    run.refresh_from_db()
    assert (run.state, run.error_code) == (Run.State.FAILED, "refused")
    assert Entry.objects.filter(title="Jonas").exists()


def test_an_unread_row_of_an_export_deletes_nothing(films, upload, titles):
    upload(films, [film(1, rating=7.5), film(2)])
    films.refresh_from_db()
    body = b"".join(EXPORTS["csv"].write(films, user=None)).replace(b"7.5", b"seven")
    run = upload(films, body, adapter="")
    assert (run.skipped, run.removed, titles(films)) == (1, 0, ["Film 1", "Film 2"])


def test_doubles_that_were_removed_and_merged_do_not_disarm_the_guard(films, live, ines, titles):
    first, second = live(films, "first"), live(films, "second")
    first.sync(films_(*range(1, 7)))
    second.sync(films_(*range(21, 27)))
    services.remove_entries(films, [entry(films, f"Film {n}").pk for n in range(21, 27)], by=ines)
    for n in range(1, 7):
        services.merge_items(Item.objects.get(title=f"Film {n + 20}"), Item.objects.get(title=f"Film {n}"), by=ines)
    assert (first.sync([]).held, len(titles(films))) == (6, 6)


def test_a_list_that_was_brought_back_is_not_deleted_for_good(films, upload, ines, settings, monkeypatch):
    upload(films, films_(1))
    services.bin_list(films, by=ines)
    MediaList.objects.update(deleted_at=timezone.now() - settings.BIN_LIFETIME - timedelta(days=1))
    locked = type(MediaList.objects.all()).locked

    def restored_meanwhile(self, pk, **more):
        MediaList.objects.filter(pk=pk).update(deleted_at=None)
        return locked(self, pk, **more)

    monkeypatch.setattr(type(MediaList.objects.all()), "locked", restored_meanwhile)
    assert services.empty_bin() == 0
    assert MediaList.objects.filter(pk=films.pk).exists()


def test_a_decision_is_not_overwritten_by_its_deadline(films, upload, ines):
    site = SitePolicy.current()
    site.conflict_days = 0
    site.save()
    upload(films, films_(1))
    services.edit_entries(films, {Entry.objects.get().pk: {"title": "Mine"}}, by=ines)
    upload(films, [film(1, title="Theirs")])
    services.decide(Conflict.objects.all(), by=ines, choice="keep")
    assert services.close_lapsed() == 0
    assert Conflict.objects.get().state == "decided"


@pytest.mark.parametrize("namespace", ["isnull", "regex", "range", "in", "contains", "a__b"])
def test_an_id_is_no_word_of_the_database(films, ines, namespace):
    with pytest.raises(services.Unfit):
        services.block(by=ines, scope="list", list_=films, namespace=namespace, value="(")


def test_what_a_sync_says_while_a_rollback_is_planned_is_not_lost(films, live, ines, monkeypatch):
    """It made no version: the edit hid what it said."""
    source = live(films)
    source.sync([film(1, rating=5.0)])
    found = entry(films, "Film 1")
    services.edit_entries(films, {found.pk: {"rating": 9.0}}, by=ines)
    module = sys.modules["lists.services.rollback"]  # the name is that of its function, too
    plan, waiting = module.plan_rollback, [True]

    def late(*args, **named):
        planned = plan(*args, **named)
        if waiting and waiting.pop():
            source.sync([film(1, rating=7.0)])
        return planned

    monkeypatch.setattr(module, "plan_rollback", late)
    services.rollback(films, films.versions.get(number=1), by=ines, seen=2)
    found.refresh_from_db()
    assert found.rating == 5.0
    assert [(edit.value, edit.base, edit.firm) for edit in found.edits.all()] == [(5.0, 7.0, False)]
    services.release(films, by=ines)
    found.refresh_from_db()
    assert found.rating == 7.0


def test_own_words_are_taken_where_the_change_makes_no_version(films, live, ines):
    """Somebody had set by hand what the source said, so taking the change moves its claim and nothing else."""
    source = live(films)
    source.sync([film(1, rating=5.0), film(2)])
    services.change_rules(films, by=ines, review_unsure=True, accept_confidence=1)
    assert source.sync([film(1, rating=7.0), film(2)]).held == 1
    found = entry(films, "Film 1")
    services.edit_entries(films, {found.pk: {"rating": 7.0}}, by=ines)
    [question] = Conflict.objects.filter(state="open")
    services.decide([question], by=ines, choice="type", value={"rating": 8.0})
    found.refresh_from_db()
    assert found.rating == 8.0
