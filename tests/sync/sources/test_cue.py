"""CUE sheets as programs and people write them."""

import pytest

from lists.records import About, Record, Unreadable
from sync.adapters import Context, recognise
from sync.errors import BadPayload
from sync.sources.cue import Cue, milliseconds


def read(text: str, encoding: str = "utf-8") -> list:
    return list(Cue().fetch(Context(text.encode(encoding))))


def tracks(text: str) -> list[dict]:
    return [row.values for row in read(text) if isinstance(row, Record)]


def sheet(*lines: str) -> str:
    return "\n".join(['FILE "mix.mp3" MP3', "  TRACK 01 AUDIO", *(f"    {line}" for line in lines)])


@pytest.mark.parametrize(
    ("stated", "time"),
    [
        ("00:00:00", 0),
        ("03:39:10", 219_133),
        ("00:00:74", 987),
        ("00:00:37", 493),
        ("0:0:0", 0),
        ("2:0:0", 120_000),
        ("113:36:00", 6_816_000),
        ("01:53:36:00", 6_816_000),
        ("00:00:75", None),
        ("00:60:00", None),
        ("01:75:00:00", None),
        ("00:00.00", None),
        ("5:23", None),
        ("-1:00:00", None),
        ("99999:00:00", None),
        ("", None),
        ("²:00:00", None),
    ],
)
def test_times_are_minutes_seconds_and_frames_rounded_to_milliseconds(stated, time):
    assert milliseconds(stated) == time


def test_a_sheet_says_what_it_is_and_its_tracks():
    text = """REM GENRE "Drum & Bass"
REM DATE 2024
REM DISCID 970A2F0B
REM COMMENT "recorded live"
CATALOG 0602517931596
PERFORMER "DJ One"
TITLE "Night at the Mill"
FILE "night.mp3" MP3
  TRACK 01 AUDIO
    TITLE "First"
    PERFORMER "Ann"
    FLAGS DCP
    ISRC USUM70846386
    INDEX 00 00:00:00
    INDEX 01 00:00:33
    REM DATE 2012
  TRACK 02 AUDIO
    TITLE "Second"
    INDEX 01 08:36:00
"""
    assert read(text) == [
        About(
            "Night at the Mill",
            {"performer": "DJ One", "catalog": "0602517931596", "date": "2024", "genre": "Drum & Bass",
             "comment": "recorded live", "file": "night.mp3"},
        ),
        Record(
            key="001", kind="track", position=1, line=9,
            values={"title": "First", "artist": "Ann", "isrc": "USUM70846386", "cue_ms": 440},
        ),
        Record(key="002", kind="track", position=2, line=17,
               values={"title": "Second", "artist": "DJ One", "cue_ms": 516_000}),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "title"),
    [
        ('TITLE "Plain"', "Plain"),
        ("TITLE Unquoted words", "Unquoted words"),
        ('TITLE\t"Behind a tab"', "Behind a tab"),
        ("title 'single'", "single"),
        ('TITLE "The \\"Best\\" Of"', 'The "Best" Of'),
        ('TITLE "The ""Best"" Of"', 'The "Best" Of'),
        ('TITLE "The "Best" Of"', 'The "Best" Of'),
        ('TITLE "\\"\\" is empty"', '"" is empty'),
        ('TITLE "Ends with a \\"mark\\""', 'Ends with a "mark"'),
        ('TITLE "A title" ; of an editor', "A title"),
        ('TITLE "A title"   // of another', "A title"),
        ('TITLE "A; B // C"', "A; B // C"),
        ("TITLE AC//DC", "AC//DC"),
        ('TITLE "' + "x" * 700 + '"', "x" * 500),
        ('TITLE "Never closed', "Never closed"),
        ('TITLE "Heroes" (Live)', '"Heroes" (Live)'),
        ("TITLE Don't", "Don't"),
        ('TITLE "  Roomy  "', "Roomy"),
        ('TITLE "Línea\u2028nueva"', "Línea\u2028nueva"),
        ('TITLE ""', None),
        ("TITLE", None),
    ],
)
def test_titles_are_read_quoted_or_not(line, title):
    assert tracks(sheet(line, "INDEX 01 00:00:00"))[0].get("title") == title


@pytest.mark.parametrize("performer", ["", 'PERFORMER ""'])
def test_the_sheets_performer_stands_for_a_track_that_names_none(performer):
    assert tracks(f'PERFORMER "All"\n{sheet("TITLE x", performer)}')[0] == {"title": "x", "artist": "All"}


def test_titles_between_file_and_track_are_the_sheets():
    rows = read('FILE "a.wav" WAVE\nPERFORMER "Various"\nTITLE "Album"\n  TRACK 1 AUDIO\n    TITLE "One"\n')
    assert rows[0].title == "Album"
    assert rows[1].values == {"title": "One", "artist": "Various"}


def test_times_of_several_files_are_each_counted_in_its_own():
    text = """FILE "one.wav" WAVE
  TRACK 01 AUDIO
    INDEX 01 00:00:00
  TRACK 02 AUDIO
    INDEX 00 02:47:74
FILE "two.wav" WAVE
    INDEX 01 00:00:00
  TRACK 03 AUDIO
    INDEX 01 05:00:00
"""
    assert tracks(text) == [
        {"file": "one.wav", "cue_ms": 0},
        {"file": "two.wav", "cue_ms": 0},
        {"file": "two.wav", "cue_ms": 300_000},
    ]
    assert "file" not in read(text)[0].facts


@pytest.mark.parametrize(
    "line",
    [
        "INDEX 00 00:01:00",
        "INDEX 02 00:01:00",
        "; a remark",
        "// a remark",
        "REM INDEX 01 00:00:00",
        "some stray words",
        "",
        "PREGAP 00:02:00",
        "ISRC",
        "ISRC 000000000000",
    ],
)
def test_what_is_no_time_and_no_name_changes_nothing(line):
    rows = read(sheet("TITLE x", line))
    assert [row.values for row in rows[1:]] == [{"title": "x"}]


@pytest.mark.covers("CUE-05")
@pytest.mark.parametrize("line", ["INDEX 01 00:07:00 ; late", "INDEX 01 00:07:00 // late", "INDEX 01  00:07:00  "])
def test_a_remark_behind_a_time_is_passed_over(line):
    assert tracks(sheet("TITLE x", line)) == [{"title": "x", "cue_ms": 7000}]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("REM BPM 124.5", {"bpm": 124.5}),
        ('REM BPM "128"', {"bpm": 128.0}),
        ("rem key 8A", {"musical_key": "8A"}),
        ('REM LABEL "Salt Records"', {"label": "Salt Records"}),
        ("REM CONFIDENCE 0.9", {"confidence": 0.9}),
        ("REM PLAYED with", {"played_as": "with"}),
        ("REM PLAYED loud", {}),
        ("REM BPM fast", {}),
        ("REM BPM", {}),
        ("REM COMPOSER x", {}),
        ("REM", {}),
        ("REM LISTKEEPER nothing of ours", {}),
    ],
)
def test_remarks_that_programs_agree_on_are_read(line, said):
    assert tracks(sheet("TITLE x", line)) == [{"title": "x"} | said]
    assert read(sheet("TITLE x", line))[1].ref is None


def test_our_own_export_names_its_entries():
    ref = "0b5f0c9e-7d0c-4c53-9d3c-0d6b2f7a1f11/7@3"
    assert read(sheet("TITLE x", f"REM LISTKEEPER {ref}"))[1].ref == ref


@pytest.mark.parametrize(
    ("title", "performer", "said"),
    [
        ("ID", "ID", {}),
        ("ID", "", {}),
        ("ID", "Ann", {"artist": "Ann"}),
        ("Low Tide", "ID", {"title": "Low Tide"}),
        ("Low Tide", "", {"title": "Low Tide", "artist": "DJ One"}),
        ("Titanium", "David Guetta", {"title": "Titanium", "artist": "David Guetta"}),
        ("Untitled", "Ann", {"title": "Untitled", "artist": "Ann"}),
    ],
)
def test_of_a_track_that_nobody_knows_a_sheet_says_no_name(title, performer, said):
    assert tracks('PERFORMER "DJ One"\n' + sheet(f'TITLE "{title}"', f'PERFORMER "{performer}"')) == [said]


@pytest.mark.parametrize("line", ["INDEX 01 00:00.00", "INDEX 01", "INDEX", "INDEX 01 00:61:00", "INDEX x 00:00:00"])
def test_a_time_that_cannot_be_read_is_named_and_its_track_kept(line):
    rows = read(sheet("TITLE x", line))
    assert rows[1].values == {"title": "x"}
    assert isinstance(rows[2], Unreadable)
    assert (rows[2].line, rows[2].key, rows[2].text) == (4, "001", line)
    assert "kept without a time" in rows[2].reason


def test_numbers_that_repeat_and_times_that_go_back_keep_their_tracks():
    text = sheet("INDEX 01 05:00:00") + "\n  TRACK 01 AUDIO\n    INDEX 01 04:00:00\n  TRACK 00 AUDIO\n"
    assert [(row.key, row.position, row.values.get("cue_ms")) for row in read(text)[1:]] == [
        ("001", 1, 300_000),
        ("002", 2, 240_000),
        ("003", 3, None),
    ]


def test_the_first_of_two_times_counts():
    assert tracks(sheet("INDEX 01 01:00:00", "INDEX 01 02:00:00")) == [{"cue_ms": 60_000}]


def test_a_track_without_a_number_is_named_and_what_follows_it_belongs_to_nobody():
    rows = read(sheet("TITLE one") + "\n  TRACK AUDIO\n    TITLE two\n  TRACK 03 AUDIO\n    TITLE three\n")
    assert [row.values["title"] for row in rows if isinstance(row, Record)] == ["one", "three"]
    assert [(row.line, row.reason) for row in rows if isinstance(row, Unreadable)] == [(4, "TRACK needs a number.")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_may_end_in_any_way(end):
    assert tracks(sheet("TITLE x", "INDEX 01 00:01:00").replace("\n", end)) == [{"title": "x", "cue_ms": 1000}]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1251"])
def test_encodings_are_told_apart(encoding):
    text = sheet('TITLE "Солярис и Сталкер"')
    assert read(text, encoding)[1].values == {"title": "Солярис и Сталкер"}


def test_a_named_encoding_is_used():
    body = sheet('TITLE "Příběh"').encode("cp1250")
    rows = list(Cue().fetch(Context(body, {"encoding": "cp1250"})))
    assert rows[1].values == {"title": "Příběh"}


def test_a_set_of_more_than_99_tracks_is_read():
    text = 'FILE "x.mp3" MP3\n' + "".join(f"TRACK {n} AUDIO\n  INDEX 01 {n}:00:00\n" for n in range(1, 121))
    rows = read(text)
    assert (len(rows), rows[-1].key, rows[-1].values["cue_ms"]) == (121, "120", 7_200_000)


@pytest.mark.parametrize(
    ("text", "says", "line"),
    [
        ('FILE "x.wav" WAVE\n', "it has no TRACK line", None),
        ("REM nothing else\n", "it has no TRACK line", None),
        ('FILE "x.wav" WAVE\n  TRACK \n', "a TRACK line needs a number", 2),
        ("<html>TRACK 01 AUDIO</html>", "This is a web page, not a CUE sheet", None),
    ],
)
def test_a_sheet_without_a_track_is_refused(text, says, line):
    with pytest.raises(BadPayload, match=says) as refusal:
        read(text)
    assert refusal.value.line == line


def test_lines_without_end_do_not_keep_it_busy():
    rows = read(sheet('TITLE "' + " " * 300_000 + '"', "FILE " + "x " * 300_000) + "\n" * 300_000)
    assert len(rows) == 2


@pytest.mark.parametrize(
    "line", ["FILE x{}y", "FILE x{}", "INDEX 01 {}x", "INDEX 01 0:0:0{}x", 'TITLE "a"{}x', "REM{}x", "TRACK{}1"]
)
def test_blanks_do_not_keep_it_busy(line):
    """With a pattern that tries every blank as the first, this takes minutes."""
    assert read(sheet(*[line.format(" " * 1980)] * 3000))


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ('FILE "a b.wav" WAVE', "a b.wav"),
        ("FILE a.wav\tMP3", "a.wav"),
        ("FILE a b.wav", "a b.wav"),
        ('FILE "WAVE"', "WAVE"),
        ("FILE", None),
    ],
)
def test_a_file_is_named_with_or_without_its_type(line, name):
    assert read(f"{line}\nTRACK 01 AUDIO\n")[0].facts.get("file") == name


def test_more_tracks_than_a_set_has_are_refused():
    with pytest.raises(BadPayload, match="more than 10,000 tracks"):
        read("TRACK 1 AUDIO\n" * 10_001)


@pytest.mark.parametrize(
    "text", [sheet("INDEX 01 00:00:00"), "\n\nstray\nTRACK 1 AUDIO\nINDEX 01 00:00:00", 'FILE "x" WAVE']
)
def test_sheets_are_recognised(text):
    assert recognise(text.encode())[0] is Cue


@pytest.mark.parametrize("text", ["Track,Artist\nOne,Ann\n", "Track 1 - Ann\nTrack 2 - Bob\n", "[]", "FILENAME,x\n"])
def test_other_texts_are_not_taken_for_sheets(text):
    assert Cue not in recognise(text.encode())
