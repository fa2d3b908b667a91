"""An export read back into its list is no news."""

import re

import pytest

from lists import services
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
    upload(films, FILMS)
    other = services.create_list(ines, name="Copy")
    upload(other, export(films, "json"), adapter="")
    assert titles(other) == titles(films)
    assert Item.objects.count() == 3


def test_a_row_that_lost_its_mark_is_the_film_it_was(films, upload, titles):
    upload(films, FILMS)
    before = titles(films)
    entry = Entry.objects.get(year=1991)
    mark = f"{films.uid}/{entry.pk}@1".encode()
    proposal = upload(films, export(films, "csv").replace(mark, b""), adapter="", confirm=False)
    assert proposal.result["counts"]["removed"] == 0
    upload(films, export(films, "csv").replace(mark, b"").replace(b"1990", b"1989"), adapter="")
    assert titles(films) == before


def test_a_removed_film_that_is_added_in_an_export_is_put_back(films, ines, upload, titles):
    upload(films, FILMS)
    gone = Entry.objects.get(year=1991)
    services.remove_entries(films, [gone.pk], by=ines)
    row = b",tt0000002,,,,'t Zand,,,,,,1991,,,,,,,,,,movie\r\n"
    upload(films, export(films, "csv") + row, adapter="")
    assert "'t Zand" in titles(films)
    assert Entry.objects.filter(list=films).count() == 3


def test_a_film_that_was_merged_is_not_added_a_second_time(films, ines, upload, titles):
    upload(films, FILMS)
    one, other = (Entry.objects.get(year=year).item for year in (1990, 1991))
    services.merge_items(one, other, by=ines)
    services.settle_due(films)
    before = titles(films)
    upload(films, export(films, "csv") + b",tt0000002,,,,Zand,,,,,,1991,,,,,,,,,,movie\r\n", adapter="")
    assert titles(films) == before


@pytest.mark.parametrize("key", ["csv", "letterboxd"])
def test_ends_of_lines_are_no_edit(films, upload, key):
    upload(films, [{"key": "tt1", "ids": {"imdb": "tt0000001"}, "title": "Heat", "note": "One\ntwo"}])
    body = export(films, key).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    own = upload(films, body, adapter="", confirm=False).result["own_export"]
    assert own["changed"] == 0


def test_a_long_text_is_known_by_its_last_line(ines, films, upload):
    upload(
        films,
        [{"key": str(n), "title": f"A film with a long and careful title {n}", "year": 1990} for n in range(2000)],
    )
    body = export(films, "text")
    assert len(body) > 65_536
    own = upload(films, body, adapter="", confirm=False).result["own_export"]
    assert (own["rows"], own["changed"], own["removed"], own["added"]) == (2000, 0, 0, 0)


@pytest.mark.parametrize("written", ["{1}/{2}/{0}", "{2}/{1}/{0}", "{2}.{1}.{0}", "{0}-{1}-{2}"])
def test_a_spreadsheets_way_to_write_dates_changes_none(films, upload, written):
    upload(films, [{**FILMS[0], "release_date": "1990-03-04", "rated_on": "2020-12-24"}])
    saved = re.sub(
        r"(\d{4})-(\d\d)-(\d\d)(?=,|\r)", lambda date: written.format(*date.groups()), export(films, "csv").decode()
    )
    proposal = upload(films, saved.encode(), adapter="", confirm=False)
    assert proposal.result["own_export"]["changed"] == 0, proposal.result["changed"]


def test_an_older_playlist_does_not_put_an_old_password_back(ines, upload):
    channels = "".join(f"#EXTINF:-1,Channel {n}\nhttp://tv.example/live/ada/first-secret/{n}.ts\n" for n in range(1, 4))
    list_ = upload(None, f"#EXTM3U\n{channels}".encode(), adapter="").list
    older = b"".join(EXPORTS["m3u"].write(list_, user=ines))
    assert b"first-secret" in older
    upload(list_, f"#EXTM3U\n{channels.replace('first', 'second')}".encode(), adapter="")
    run = upload(list_, older.replace(b"Channel 3", b"Channel three"), adapter="")
    assert (run.state, run.updated) == ("completed", 1)
    assert list(Edit.objects.values_list("field", "value")) == [("title", "Channel three")]
    now = b"".join(EXPORTS["m3u"].write(list_, user=ines))
    assert (now.count(b"second-secret"), now.count(b"first-secret")) == (3, 0)


def test_an_older_versions_json_says_what_was_true_then(films, upload):
    upload(films, FILMS)
    films.facts = {"event": "Later"}
    films.save()
    assert b"Later" not in export(films, "json", films.versions.get(number=1))
    assert b"Later" in export(films, "json")
