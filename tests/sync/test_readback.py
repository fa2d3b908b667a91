"""An export read back into its list is no news."""

import pytest

from lists.exports import EXPORTS
from lists.models import Edit, Entry, Item, Source
from sync import uploads

FILMS = [
    {"key": "tt1", "ids": {"imdb": "tt0000001", "tmdb": "movie/11"}, "title": "=Sum(1)", "year": 1990, "runtime_s": 5401,
     "rating": 7.0, "genres": ["Sci-Fi", "Drama"], "overview": "Long,\n\"quoted\"", "votes": 12, "note": "-30-"},
    {"key": "tt2", "ids": {"imdb": "tt0000002"}, "title": "'t Zand", "year": 1991, "directors": ["Ann", "Bob"]},
    {"key": "show", "kind": "show", "title": "مدينة", "year": 2001, "release_date": "2001-05"},
]  # fmt: skip
PLAYS = [
    {"key": "1", "kind": "track", "title": "One", "artist": "Ann", "cue_ms": 0},
    {"key": "2", "kind": "track", "title": "ID", "artist": "ID", "cue_ms": 61_013},
    {"key": "3", "kind": "track", "title": "One", "artist": "Ann", "cue_ms": 7_000_000},
]


def export(list_, key: str, version=None) -> bytes:
    return b"".join(EXPORTS[key].write(list_, user=None, version=version))


@pytest.mark.covers("SRC-06", "SRC-07", "VER-01")
@pytest.mark.parametrize("key", ["csv", "json"])
@pytest.mark.parametrize("rows", [FILMS, PLAYS], ids=["films", "plays"])
def test_an_untouched_export_changes_nothing(ines, upload, key, rows):
    list_ = upload(None, rows).list
    more = [{**rows[0], "overview": "By another", "rating": 9.5, "extra_word": None}, *rows[1:2]]
    upload(list_, [{k: v for k, v in row.items() if v is not None} for row in more], source=None)
    before = (Entry.history.count(), Item.objects.count(), Source.objects.count(), list_.versions.count())
    for version in [None, *list_.versions.all()]:
        proposal = upload(list_, export(list_, key, version), adapter="", confirm=False)
        own = proposal.result["own_export"]
        assert (own["changed"], own["removed"], own["added"], own["moved"]) == (0, 0, 0, False)
        with pytest.raises(uploads.NotOpen, match="untouched"):
            uploads.confirm(proposal, by=ines)
    assert before == (Entry.history.count(), Item.objects.count(), Source.objects.count(), list_.versions.count())


@pytest.mark.parametrize("key", ["csv", "json"])
def test_a_changed_cell_is_an_edit(films, upload, key):
    upload(films, FILMS)
    body = export(films, key).replace(b"Zand", b"Zandvoort")
    proposal = upload(films, body, adapter="", confirm=False)
    assert proposal.result["own_export"]["changed"] == 1
    assert [row["title"] for row in proposal.result["changed"]] == ["'t Zandvoort"]
    run = upload(films, body, adapter="")
    assert (run.state, run.updated, run.version.kind) == ("completed", 1, "edit")
    assert Edit.objects.get().value == "'t Zandvoort"
    upload(films, FILMS)
    assert Entry.objects.get(year=1991).title == "'t Zandvoort"


def test_another_lists_export_is_a_file_like_any_other(films, ines, upload, titles):
    from lists import services

    upload(films, FILMS)
    other = services.create_list(ines, name="Copy")
    upload(other, export(films, "json"), adapter="")
    assert titles(other) == titles(films)
    assert Item.objects.count() == 3
