"""CUE sheets of lists: what stands in them, that they keep to the grammar, and that they come back."""

import re

import pytest

from lists.exports import EXPORTS
from lists.models import Edit, Entry
from sync import uploads

PLAYS = [
    {"title": 'First "Light"', "artist": "Ann", "cue_ms": 440, "isrc": "USUM70846386", "label": "Salt", "bpm": 124.5,
     "musical_key": "8A", "confidence": 0.9},
    {"title": "Sécond\nSummer 東京", "artist": "Kites & Co", "cue_ms": 219_133},
    {"title": "Foam", "artist": "Bo", "played_as": "with"},
    {"cue_ms": 6_816_013},
    {"title": "Ends with a backslash\\", "cue_ms": 7_000_000},
    {"title": '""', "artist": "-30-", "cue_ms": 7_403_999},
]  # fmt: skip

# The grammar of a sheet, line by line: what may stand there and nothing else. A quoted text holds no bare mark.
TEXT = r'"(?:[^"\\\r\n]|\\"|\\(?!"))*"'
SHEET = [
    rf"REM (GENRE|DATE|COMMENT) {TEXT}", rf"PERFORMER {TEXT}", rf"TITLE {TEXT}", rf"FILE {TEXT} (WAVE|MP3|AIFF|BINARY)",
]  # fmt: skip
TRACK = [
    r"  TRACK \d{2,} AUDIO", rf"    TITLE {TEXT}", rf"    PERFORMER {TEXT}", r"    ISRC \S+",
    rf"    REM (LABEL|BPM|KEY|CONFIDENCE|PLAYED) {TEXT}", r"    REM LISTKEEPER [0-9a-f-]{36}/\d+@\d+",
    r"    INDEX 01 \d{2,}:[0-5]\d:([0-6]\d|7[0-4])", r"    REM This track has no INDEX: nobody knows when it begins\.",
]  # fmt: skip


@pytest.fixture
def mix(upload):
    """A list of plays: mix(rows, facts); returns it."""

    def mix(rows, **facts):
        rows = [{"kind": "track", "key": f"{n:03}", **row} for n, row in enumerate(rows, 1)]
        list_ = upload(None, rows, name="Night at the Mill").list
        list_.facts = facts
        list_.save()
        return list_

    return mix


def sheet(list_, version=None) -> str:
    return b"".join(EXPORTS["cue"].write(list_, user=None, version=version)).decode()


def lines(list_) -> list[str]:
    return sheet(list_).split("\r\n")


def test_a_sheet_holds_the_tracks_with_their_times(mix):
    list_ = mix(
        PLAYS, dj="DJ One", genre="Techno", date="2024-06-14", comment="our\nown", file="night.mp3", venue="Pier"
    )
    refs = [
        f"    REM LISTKEEPER {list_.uid}/{pk}@1" for pk in Entry.objects.order_by("rank").values_list("pk", flat=True)
    ]
    assert lines(list_) == [
        'REM GENRE "Techno"', 'REM DATE "2024-06-14"', 'REM COMMENT "our own"', 'PERFORMER "DJ One"',
        'TITLE "Night at the Mill"', 'FILE "night.mp3" MP3',
        "  TRACK 01 AUDIO", r'    TITLE "First \"Light\""', '    PERFORMER "Ann"', "    ISRC USUM70846386",
        '    REM LABEL "Salt"', '    REM BPM "124.5"', '    REM KEY "8A"', '    REM CONFIDENCE "0.9"', refs[0],
        "    INDEX 01 00:00:33",
        "  TRACK 02 AUDIO", '    TITLE "Sécond Summer 東京"', '    PERFORMER "Kites & Co"', refs[1], "    INDEX 01 03:39:10",
        "  TRACK 03 AUDIO", '    TITLE "Foam"', '    PERFORMER "Bo"', '    REM PLAYED "with"', refs[2],
        "    REM This track has no INDEX: nobody knows when it begins.",
        "  TRACK 04 AUDIO", '    TITLE "ID"', '    PERFORMER "ID"', refs[3], "    INDEX 01 113:36:01",
        "  TRACK 05 AUDIO", '    TITLE "Ends with a backslash\\ "', '    PERFORMER "ID"', refs[4], "    INDEX 01 116:40:00",
        "  TRACK 06 AUDIO", r'    TITLE "\"\""', '    PERFORMER "-30-"', refs[5], "    INDEX 01 123:24:00",
        "",
    ]  # fmt: skip


def test_every_line_keeps_to_the_grammar(mix):
    list_ = mix([*PLAYS, *({"title": f"Track {n}", "artist": "Ann", "cue_ms": n * 60_000} for n in range(120, 240))])
    written = lines(list_)
    assert written.pop() == ""
    start = next(n for n, line in enumerate(written) if line.startswith("  TRACK"))
    assert all(any(re.fullmatch(p, line) for p in SHEET) for line in written[:start])
    assert all(any(re.fullmatch(p, line) for p in TRACK) for line in written[start:])
    assert sum(line.startswith("FILE") for line in written) == 1
    numbers = [int(line.split()[1]) for line in written if line.startswith("  TRACK")]
    assert numbers == list(range(1, 127))
    assert {"  TRACK 99 AUDIO", "  TRACK 100 AUDIO"} <= set(written)


def test_the_name_of_the_list_stands_for_a_file_that_nobody_knows(mix):
    list_ = mix([{"title": "One", "cue_ms": 0}])
    list_.name = 'A "mix": one/two'
    assert lines(list_)[:2] == [r'TITLE "A \"mix\": one/two"', 'FILE "A mix one two.wav" WAVE']


def test_tracks_of_several_files_stand_under_their_file(mix):
    plays = [("One", "a.wav", 0), ("Two", "a.wav", 5000), ("Three", "b.flac", 0)]
    list_ = mix([{"title": title, "file": file, "cue_ms": ms} for title, file, ms in plays])
    told = [line.strip() for line in lines(list_) if re.match(r"FILE|    (TITLE|INDEX)", line)]
    assert told == [
        'FILE "a.wav" WAVE', 'TITLE "One"', "INDEX 01 00:00:00", 'TITLE "Two"', "INDEX 01 00:05:00",
        'FILE "b.flac" WAVE', 'TITLE "Three"', "INDEX 01 00:00:00",
    ]  # fmt: skip


def test_a_list_of_films_has_no_cue_sheet(films):
    assert not EXPORTS["cue"].fits(films)
    assert b"".join(EXPORTS["cue"].write(films, user=None)) == (
        b'TITLE "Films to watch"\r\nFILE "Films to watch.wav" WAVE\r\n'
    )


@pytest.mark.covers("CUE-05", "TL-01")
def test_an_untouched_sheet_changes_nothing(mix, upload, ines):
    list_ = mix(PLAYS, dj="DJ One")
    before = (Entry.history.count(), list_.versions.count())
    proposal = upload(list_, sheet(list_).encode(), adapter="", confirm=False)
    own = proposal.result["own_export"]
    assert (own["rows"], own["changed"], own["removed"], own["added"], own["moved"]) == (6, 0, 0, 0, False)
    with pytest.raises(uploads.NotOpen, match="untouched"):
        uploads.confirm(proposal, by=ines)
    assert before == (Entry.history.count(), list_.versions.count())


@pytest.mark.covers("CUE-05")
def test_a_sheet_that_a_person_edited_is_their_edits(mix, upload):
    list_ = mix(PLAYS, dj="DJ One")
    text = sheet(list_).replace("Foam", "Foam (Dub)").replace("03:39:10", "03:40:00")
    first, last = text.index("  TRACK 06"), len(text)
    run = upload(list_, (text[:first] + text[last:]).encode(), adapter="")
    assert (run.state, run.updated, run.removed) == ("completed", 2, 1)
    edits = {(edit.entry.rank, edit.field): edit.value for edit in Edit.objects.select_related("entry")}
    ranks = list(Entry.objects.order_by("rank").values_list("rank", flat=True))
    assert edits[ranks[2], "title"] == "Foam (Dub)"
    assert edits[ranks[1], "cue_ms"] == 220_000
    assert len(edits) == 3


def test_a_new_list_made_of_a_sheet_is_the_same(mix, upload):
    list_ = mix(PLAYS, dj="DJ One")
    copy = upload(None, sheet(list_).encode(), adapter="").list
    then, now = ([e.values for e in Entry.objects.filter(list=each).order_by("rank")] for each in (list_, copy))
    assert now == [_as_a_sheet_says(values) for values in then]


def _as_a_sheet_says(values: dict) -> dict:
    """Times to the nearest frame, titles on one line."""
    said = {**values, "title": values["title"].replace("\n", " ")}
    if "cue_ms" in said:
        said["cue_ms"] = round(round(said["cue_ms"] * 75 / 1000) * 1000 / 75)
    return said


def test_a_reader_of_others_reads_the_same_sheet(mix):
    """libcue, which players use; read here if it is installed."""
    pylibcue = pytest.importorskip("pylibcue")
    list_ = mix([play for play in PLAYS if "cue_ms" in play], dj="DJ One", file="night.mp3")
    cd = pylibcue.parse_str(sheet(list_))
    assert (cd.cdtext.title, cd.cdtext.performer, len(cd)) == ("Night at the Mill", "DJ One", 5)
    assert [track.cdtext.performer for track in cd] == ["Ann", "Kites & Co", "ID", "ID", "-30-"]
    assert [track.cdtext.title for track in cd][1:4] == ["Sécond Summer 東京", "ID", "Ends with a backslash\\ "]
    assert [track.start for track in cd][:2] == [(0, 0, 33), (3, 39, 10)]  # it knows no times above 99 minutes
