"""The same file means the same, whenever and beside whatever it comes in."""

import json
from itertools import pairwise

import pytest

from lists import services
from lists.match import Matcher, SomebodyWasFirst
from lists.models import Entry, Proposal
from lists.records import Record
from lists.versions import diff
from sync import previews, runs, tasks, uploads
from sync.models import Run


def film(n: int, **more):
    return {"key": f"k{n}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990, **more}


def play(n: int, title: str, **more):
    return {"key": f"{n:03}", "kind": "track", "title": title, "artist": f"Artist {title}", **more}


def test_stated_positions_decide_and_another_source_does_not_reshuffle_them(films, upload, titles):
    upload(films, [film(1, position=3), film(2, position=1), film(3, position=2)])
    assert titles(films) == ["Film 2", "Film 3", "Film 1"]
    upload(films, [film(9)], source=None)
    assert titles(films) == ["Film 9", "Film 2", "Film 3", "Film 1"]
    assert services.refold(films, kind="rules") is None


def test_an_unread_row_that_moved_keeps_the_order_a_fold(films, upload, titles):
    upload(films, [film(1), film(2), film(3), film(4)])
    upload(films, [{"broken": "k4"}, film(1), film(2), film(3)])
    assert titles(films) == ["Film 4", "Film 1", "Film 2", "Film 3"]
    assert services.refold(films, kind="rules") is None


def test_answers_of_the_first_upload_are_remembered(films, upload, ines):
    body = b"Title,Year,Score\nHeat,1995,8\nRan,1985,9\n"
    first = uploads.start(body, by=ines, list_=films, filename="a.csv", config={"mapping": {"2": "your_rating"}})
    tasks.prepare_upload(first.pk)
    tasks.execute_run(uploads.confirm(Proposal.objects.get(pk=first.pk), by=ines).pk)
    assert Entry.objects.first().extra == {"your_rating": 8.0}
    run = upload(films, body, adapter="")
    assert (run.unchanged, run.updated, run.version) == (2, 0, None)


def test_an_unreadable_row_without_an_id_is_known_by_its_names(films, upload, titles):
    upload(films, b"Title,Year,Rating\nHeat,1995,8\nRan,1985,8\nAlien,1979,8\n", adapter="csv_table")
    run = upload(films, b"Title,Year,Rating\nHeat,1995,8\nRan,1985,great\nAlien,1979,8\n", adapter="csv_table")
    assert (run.skipped, run.removed) == (1, 0)
    assert titles(films) == ["Heat", "Ran", "Alien"]


def test_tracks_do_not_go_into_a_list_of_films(films, upload):
    proposal = upload(films, [play(1, "A")], confirm=False)
    assert proposal.state == Proposal.State.REFUSED
    assert "the list holds films" in proposal.error


def test_a_play_that_returns_comes_back_to_its_entry(upload, titles):
    list_ = upload(None, [play(1, "Alpha"), play(2, "Bravo"), play(3, "Charlie")]).list
    bravo = Entry.objects.get(title="Bravo")
    upload(list_, [play(1, "Alpha"), play(2, "Charlie")])
    upload(list_, [play(1, "Alpha"), play(2, "Bravo"), play(3, "Charlie")])
    assert titles(list_) == ["Alpha", "Bravo", "Charlie"]
    assert Entry.objects.get(title="Bravo", state="listed") == bravo


@pytest.mark.parametrize("count", [3, 900])
def test_an_unchanged_set_with_unnamed_plays_makes_no_version(upload, count):
    rows = [play(n, "ID" if n % 3 == 0 else f"T{n}", position=n % 7) for n in range(count)]
    for row in rows:
        if row["title"] == "ID":
            del row["title"], row["artist"]
    list_ = upload(None, rows).list
    assert upload(list_, rows).version is None


def test_a_kind_follows_its_source(films, upload):
    upload(films, [film(1)])
    upload(films, [film(1, kind="show")])
    assert Entry.objects.get().kind == "show"


def test_a_title_alone_joins_nothing_across_sources(films, upload):
    upload(films, [{"key": "a", "title": "Crash"}])
    upload(films, [{"key": "b", "title": "Crash"}], source=None)
    upload(films, [{"key": "c", "title": "Crash", "kind": "show"}], source=None)
    assert Entry.objects.listed().count() == 3


def test_the_first_version_has_the_facts_that_it_brought(upload):
    cue = b'PERFORMER "DJ Ostwind"\nTITLE "Night"\nFILE "a.mp3" MP3\nTRACK 01 AUDIO\nTITLE "One"\nINDEX 01 00:00:00\n'
    list_ = upload(None, cue, adapter="").list
    list_.refresh_from_db()
    assert list_.current.facts["title"] == "Night"
    assert list_.current.facts == list_.facts


def test_what_moved_is_counted_as_the_difference_shows_it(films, upload):
    upload(films, [film(n) for n in range(1, 8)])
    upload(films, [film(3), film(1), film(2)])
    for n in range(20, 45):
        first, second = [film(3), film(n)], [film(m) for m in range(n - 1, 19, -1)]
        upload(films, [*first, *second, film(1), film(2)])
    versions = list(films.versions.order_by("number"))
    for before, after in pairwise(versions):
        shown = diff(before, after).counts
        assert (after.added, after.removed, after.changed, after.moved) == tuple(shown.values())


def test_a_block_that_is_matched_again_doubts_nothing(db, monkeypatch):
    known = Matcher(create=True).match([Record("a", "movie", {"title": "Heat", "year": 1995}, {"imdb": "tt1"})])[0]
    matcher, store, first = Matcher(create=True), Matcher._store, iter([True])

    def overtaken(self, *rows):
        if next(first, False):
            raise SomebodyWasFirst
        return store(self, *rows)

    monkeypatch.setattr(Matcher, "_store", overtaken)
    [found] = matcher.match([Record("b", "movie", {"title": "Heat", "year": 1995})])
    assert (found.item, found.doubt) == (known.item, "")


def test_a_bare_name_is_doubted_whichever_row_stands_first(films, upload, ines):
    upload(services.create_list(ines, name="Other"), [film(1, title="Twins", year=1988)])
    rows = [{"key": "bare", "title": "Twins", "year": 1988}, film(1, title="Twins", year=1988)]
    for order, name in ((rows, "One"), (rows[::-1], "Two")):
        list_ = services.create_list(ines, name=name)
        upload(list_, order)
        assert list_.entries.listed().count() == 2


def test_a_preview_that_was_discarded_while_it_was_read_stays_so(films, ines, monkeypatch):
    proposal = uploads.start(json.dumps([film(1)]).encode(), by=ines, list_=films, adapter="scripted")
    preview = previews._preview

    def discarded_meanwhile(waiting):
        uploads.discard(waiting, by=ines)
        return preview(waiting)

    monkeypatch.setattr(previews, "_preview", discarded_meanwhile)
    assert tasks.prepare_upload(proposal.pk) == "somebody decided meanwhile"
    proposal.refresh_from_db()
    assert proposal.state == Proposal.State.WITHDRAWN


def test_what_the_preview_did_not_show_does_not_leave(films, upload, ines, work, titles):
    upload(films, [film(n) for n in range(5)])
    stale = upload(films, [film(n) for n in range(5)], confirm=False)
    assert stale.result["counts"]["removed"] == 0
    upload(films, [film(n) for n in range(11)])
    run = uploads.confirm(stale, by=ines)
    work()
    run.refresh_from_db()
    assert run.state == Run.State.FAILED
    assert "6 entries would leave, the preview showed 0" in run.error
    assert len(titles(films)) == 11


def test_two_files_of_one_list_come_in_in_the_order_in_which_they_were_confirmed(films, upload, ines, work, titles):
    first = upload(films, [film(1)], confirm=False)
    second = upload(films, [film(1), film(2)], source=None, confirm=False)
    first, second = uploads.confirm(first, by=ines), uploads.confirm(second, by=ines)
    # A task wakes a worker; which run is next says the table.
    assert tasks.execute_run(second.pk) == f"Run {first.pk} of {films}: version 1"
    assert tasks.execute_run(first.pk) == f"Run {second.pk} of {films}: version 2"


def test_a_run_that_has_ended_is_not_closed_again(films, upload):
    run = upload(films, [film(1)])
    stale = Run.objects.get(pk=run.pk)
    assert runs.close(stale, Run.State.INTERRUPTED) is False
    run.refresh_from_db()
    assert run.state == Run.State.COMPLETED


@pytest.mark.parametrize("body", [b'[{"title": "Heat", "a\\u0000b": "c\\u0000d"}]', b'{"a\\u0000b": 1}'])
def test_a_nul_in_json_leaves_no_preview_hanging(films, ines, body, work):
    proposal = uploads.start(body, by=ines, list_=films)
    work()
    proposal.refresh_from_db()
    assert proposal.state in (Proposal.State.OPEN, Proposal.State.REFUSED)
