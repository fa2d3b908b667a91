"""Lists as plain text: clean to paste, and a text that was edited comes back as edits."""

import pytest

from lists.exports import EXPORTS
from lists.models import Edit, Entry
from sync import uploads

PLAYS = [
    {"title": "One [Live]", "artist": "Ann", "cue_ms": 440},
    {"title": "Two", "artist": "Kites & Co", "cue_ms": 219_133},
    {"title": "Foam", "artist": "Bo", "played_as": "with"},
    {"cue_ms": 3_599_999},
    {"artist": "Nordlicht", "cue_ms": 3_725_001},
    {"title": "Signal - Part 1", "cue_ms": 7_403_999},
    {"title": "Last", "cue_ms": 7_500_000, "played_as": "part"},
    {"title": "Two\nLines", "artist": "Ann"},
]
FILMS = [
    {"key": "tt1", "ids": {"imdb": "tt0000001"}, "title": "Heat", "year": 1995},
    {"key": "tt2", "ids": {"imdb": "tt0000002"}, "title": "12. April (1999)", "year": 2001},
    {"key": "tt3", "ids": {"imdb": "tt0000003"}, "title": "=Sum(1)"},
    {"key": "show", "kind": "show", "title": "مدينة", "year": 2001},
]


def text(list_) -> str:
    return b"".join(EXPORTS["text"].write(list_, user=None)).decode()


@pytest.fixture
def mix(upload):
    return upload(None, [{"kind": "track", "key": f"{n:03}", **row} for n, row in enumerate(PLAYS, 1)]).list


def test_tracks_are_written_as_people_paste_them(mix):
    assert text(mix).splitlines() == [
        "00:00 Ann - One [Live]",
        "03:39 Kites & Co - Two",
        "w/ Bo - Foam",
        "59:59 ID - ID",
        "1:02:05 Nordlicht - ID",
        "2:03:23 ID - Signal - Part 1",
        "2:05:00 + Last",
        "Ann - Two Lines",
        f"# Listkeeper {mix.uid}@1",
    ]


def test_films_are_numbered_with_their_year(films, upload):
    upload(films, FILMS)
    assert text(films).splitlines() == [
        "1. Heat (1995)", "2. 12. April (1999) (2001)", "3. =Sum(1)", "4. مدينة (2001)", f"# Listkeeper {films.uid}@1",
    ]  # fmt: skip


def test_channels_have_no_plain_text(films):
    films.content = "channels"
    assert not EXPORTS["text"].fits(films)


@pytest.mark.parametrize("change", [lambda t: t, lambda t: t.replace("\n", "\r\n\r\n"), lambda t: "\ufeff" + t])
def test_an_untouched_text_changes_nothing(films, mix, upload, ines, change):
    upload(films, FILMS)
    for list_, rows in ((mix, len(PLAYS)), (films, len(FILMS))):
        before = (Entry.history.count(), list_.versions.count())
        proposal = upload(list_, change(text(list_)).encode(), adapter="", confirm=False)
        own = proposal.result["own_export"]
        assert (own["rows"], own["changed"], own["removed"], own["added"], own["moved"]) == (rows, 0, 0, 0, False)
        with pytest.raises(uploads.NotOpen, match="untouched"):
            uploads.confirm(proposal, by=ines)
        assert before == (Entry.history.count(), list_.versions.count())


def test_a_text_that_a_person_edited_is_their_edits(mix, upload):
    body = text(mix).replace("Foam", "Foam (Dub)").replace("Ann - Two Lines\n", "").replace("59:59", "58:00")
    run = upload(mix, body.encode(), adapter="")
    assert (run.state, run.updated, run.removed, run.added) == ("completed", 2, 1, 0)
    edits = {(edit.field, edit.value) for edit in Edit.objects.exclude(field="presence")}
    assert edits == {("title", "Foam (Dub)"), ("cue_ms", 3_480_000)}


def test_a_film_that_was_renamed_deleted_or_added_in_the_text_is(films, upload, titles):
    upload(films, FILMS)
    body = text(films).replace("1. Heat (1995)", "1. Heat, restored (1995)").replace("3. =Sum(1)\n", "")
    upload(films, body.replace("# Listkeeper", "5. Ronin (1998)\n# Listkeeper").encode(), adapter="")
    assert titles(films) == ["Heat, restored", "12. April (1999)", "مدينة", "Ronin"]
    assert Entry.objects.get(title="Heat, restored").item.ids.filter(value="tt0000001").exists()
