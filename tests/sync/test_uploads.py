"""Files come in: previewed first, then published as one version."""

import pytest

from lists.models import Entry, Item, MediaList, Proposal
from lists.versions import diff, entries_of
from sync.models import Run


def film(n: int, **more):
    return {"key": f"tt{n:07}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990 + n % 30, **more}


def test_a_first_upload_fills_the_list_as_version_one(films, upload, titles):
    run = upload(films, [film(n) for n in range(1, 6)])
    films.refresh_from_db()
    assert (run.state, run.added, run.found) == (Run.State.COMPLETED, 5, 5)
    assert (films.current.number, films.item_count) == (1, 5)
    assert titles(films) == [f"Film {n}" for n in range(1, 6)]
    assert Entry.history.filter(history_type="+").count() == 5


def test_an_unchanged_upload_makes_no_version_and_no_history(films, upload):
    rows = [film(n) for n in range(1, 6)]
    upload(films, rows)
    run = upload(films, rows)
    films.refresh_from_db()
    assert (run.unchanged, run.added, run.updated, run.version) == (5, 0, 0, None)
    assert films.versions.count() == 1
    assert Entry.history.count() == 5


def test_only_what_changed_changes(films, upload, titles):
    upload(films, [film(n) for n in range(1, 6)])
    run = upload(films, [film(9), film(1), film(2, rating=8.0), film(3), film(4)])
    films.refresh_from_db()
    assert (run.added, run.updated, run.removed, run.unchanged) == (1, 1, 1, 3)
    assert titles(films) == ["Film 9", "Film 1", "Film 2", "Film 3", "Film 4"]
    one, two = films.versions.order_by("number")
    assert [row.title for row in entries_of(one)] == [f"Film {n}" for n in range(1, 6)]
    assert [row.title for row in entries_of(two)] == titles(films)
    changes = {(d.kind, d.title): d.fields for d in diff(one, two).rows}
    assert changes == {
        ("added", "Film 9"): [],
        ("changed", "Film 2"): [("rating", None, 8.0)],
        ("removed", "Film 5"): [],
    }


def test_a_film_that_returns_keeps_its_entry(films, upload):
    upload(films, [film(1), film(2)])
    entry = Entry.objects.get(title="Film 2")
    upload(films, [film(1)])
    upload(films, [film(1), film(2)])
    entry.refresh_from_db()
    assert entry.state == Entry.State.LISTED
    assert Item.objects.count() == 2


def test_two_sources_feed_one_list(films, upload, titles):
    upload(films, [film(1), film(2)])
    upload(films, [film(2, overview="From the second"), film(3)], source=None)
    assert titles(films) == ["Film 1", "Film 2", "Film 3"]
    entry = Entry.objects.get(title="Film 2")
    assert entry.overview == "From the second"
    first, second = films.sources.order_by("id")
    assert entry.origin_of("title") == first.pk
    assert entry.origin_of("overview") == second.pk


def test_nothing_is_in_a_list_before_it_is_confirmed(ines, upload):
    proposal = upload(None, [film(1)], confirm=False)
    assert proposal.state == Proposal.State.OPEN
    assert proposal.result["counts"]["added"] == 1
    assert not MediaList.objects.exists()
    assert not Item.objects.exists()


@pytest.mark.parametrize("times", [1, 2])
def test_tracks_are_aligned_not_numbered(ines, upload, titles, times):
    def play(n, title, artist="Ann", cue=None):
        return {"key": f"{n:03}", "kind": "track", "title": title, "artist": artist, "cue_ms": cue}

    run = upload(None, [play(1, "A", cue=0), play(2, "B", cue=60_000), play(3, "C", cue=120_000)])
    list_ = run.list
    run = upload(
        list_, [play(1, "New", cue=0), play(2, "A", cue=30_000), play(3, "B", cue=90_000), play(4, "C", cue=150_000)]
    )
    assert titles(list_) == ["New", "A", "B", "C"]
    assert (run.added, run.updated, run.removed) == (1, 3, 0)
