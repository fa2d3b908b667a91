"""Tracklists as people paste them, and texts that are none."""

import json
import os
from pathlib import Path

import pytest

from lists.records import About, Record, Unreadable
from sync.adapters import Context, recognise
from sync.errors import BadPayload
from sync.sources.tracklist_text import MAX_LINES, TracklistText

SAMPLES = os.environ.get("LISTKEEPER_SAMPLES", "")
UID = "0b5f0c9e-7d0c-4c53-9d3c-0d6b2f7a1f11"


def read(text: str) -> list:
    return list(TracklistText().fetch(Context(text.encode())))


def plays(text: str) -> list[dict]:
    return [row.values for row in read(text) if isinstance(row, Record)]


def unread(text: str) -> list[tuple]:
    return [(row.line, row.text) for row in read(text) if isinstance(row, Unreadable)]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("00:00 Ann - One", {"artist": "Ann", "title": "One", "cue_ms": 0}),
        ("[1:02:03] 12. Ann – One [SALT]", {"artist": "Ann", "title": "One", "cue_ms": 3_723_000, "label": "SALT"}),
        ("12. [1:02:03] Ann — One", {"artist": "Ann", "title": "One", "cue_ms": 3_723_000}),
        ("01. Ann - One (Bo Remix)", {"artist": "Ann", "title": "One (Bo Remix)"}),
        ("1) Ann - One", {"artist": "Ann", "title": "One"}),
        ("#3. Ann - One", {"artist": "Ann", "title": "One"}),
        ("01 Ann - One", {"artist": "Ann", "title": "One"}),
        ("7 - Ann - One", {"artist": "Ann", "title": "One"}),
        ("123:23 Ann - One", {"artist": "Ann", "title": "One", "cue_ms": 7_403_000}),
        ("Ann - One\t\t\t00:10", {"artist": "Ann", "title": "One", "cue_ms": 10_000}),
        ("(12:34) Ann - One", {"artist": "Ann", "title": "One", "cue_ms": 754_000}),
        ("[12:34]Ann - One", {"artist": "Ann", "title": "One", "cue_ms": 754_000}),
        ("12:34 - Ann - One", {"artist": "Ann", "title": "One", "cue_ms": 754_000}),
        ("12:34 | Ann - One", {"artist": "Ann", "title": "One", "cue_ms": 754_000}),
        ("1:00 - 2:30 Ann - One", {"artist": "Ann", "title": "One", "cue_ms": 60_000, "end_ms": 150_000}),
        ("w/ Ann - One", {"artist": "Ann", "title": "One", "played_as": "with"}),
        ("2:00 w/ Ann - One", {"artist": "Ann", "title": "One", "played_as": "with", "cue_ms": 120_000}),
        ("+ Ann - One", {"artist": "Ann", "title": "One", "played_as": "part"}),
        ("• Ann - One", {"artist": "Ann", "title": "One"}),
        ("3. ID - ID", {}),
        ("3. ID", {}),
        ("3. Ann - ID", {"artist": "Ann"}),
        ("3. David Guetta - Titanium", {"artist": "David Guetta", "title": "Titanium"}),
        ("3. Ann - One - Live", {"artist": "Ann", "title": "One - Live"}),
        ("3. Intro", {"title": "Intro"}),
        ("3. Ann - One [Extended Mix]", {"artist": "Ann", "title": "One [Extended Mix]"}),
        ("3. Ann - One [Live]", {"artist": "Ann", "title": "One [Live]"}),
        ("3. 2 Unlimited - One", {"artist": "2 Unlimited", "title": "One"}),
        ("3. 50 Cent - 21 Questions", {"artist": "50 Cent", "title": "21 Questions"}),
        ("3. Ann-Lee - One", {"artist": "Ann-Lee", "title": "One"}),
        ("3. +44 - One", {"artist": "+44", "title": "One"}),
    ],
)
def test_a_line_is_read_as_people_mean_it(line, said):
    assert plays(line) == [said]


@pytest.mark.parametrize(
    ("times", "minutes"),
    [
        (["58:00", "1:02", "1:07"], [58, 62, 67]),
        (["0:00", "0:05", "0:11", "1:07"], [0, 5, 11, 67]),
        (["0:00", "5:30", "59:00", "61:00"], [0, 5.5, 59, 61]),
        (["55:00", "1:01:00", "1:05:00"], [55, 61, 65]),
        (["0:00", "99:00", "113:36"], [0, 99, 113.6]),
    ],
)
def test_rising_times_tell_minutes_from_hours(times, minutes):
    text = "\n".join(f"{time} Ann - Track {n}" for n, time in enumerate(times))
    assert [said["cue_ms"] for said in plays(text)] == [m * 60_000 for m in minutes]


def test_times_behind_the_names_are_lengths_if_they_do_not_rise():
    assert plays("1. A - B 3:14\n2. C - D 2:50\n") == [
        {"artist": "A", "title": "B", "runtime_s": 194},
        {"artist": "C", "title": "D", "runtime_s": 170},
    ]


def test_a_time_with_61_seconds_is_named_and_its_track_kept():
    text = "0:00 A - B\n3:61 C - D\n"
    assert plays(text)[1] == {"artist": "C", "title": "D"}
    assert unread(text) == [(2, "3:61 C - D")]


DESCRIPTION = """DJ Ostwind - Live at the Pier
Recorded by the sea: https://example.com/set

TRACKLIST:
0:00 Ann Vale - Low Tide
4:12 Kites - Foam
Bob Renn - Glass Sea
w/ Nordlicht - Signal
58:00 ID - ID
1:04:00 Mara Lind - Second Summer
Last - One

Follow me - everywhere
www.example.com
"""


def test_a_description_around_the_tracks_is_passed_over():
    rows = read(DESCRIPTION)
    assert rows[0] == About("DJ Ostwind - Live at the Pier")
    assert [(row.line, row.values.get("title")) for row in rows[1:]] == [
        (5, "Low Tide"), (6, "Foam"), (7, "Glass Sea"), (8, "Signal"), (9, None), (10, "Second Summer"), (11, "One"),
    ]  # fmt: skip
    assert recognise(DESCRIPTION.encode())[0] is TracklistText


def test_headings_between_tracks_group_them():
    assert [said.get("group") for said in plays("1. A - B\nHour 2:\n2. C - D\n3. E - F\n")] == [
        None,
        "Hour 2",
        "Hour 2",
    ]


def test_a_line_among_the_tracks_that_is_none_is_named():
    assert unread("1. A - B\nwhat was this\n----\n2. C - D\n") == [(2, "what was this")]


def test_where_most_lines_are_no_tracks_they_are_named():
    text = "\n".join(["word after word"] * 9) + "\n1. A - B\n2. C - D\n"
    assert len(unread(text)) == 9
    assert recognise(text.encode()) == []


@pytest.mark.parametrize(
    "text",
    [
        "00:00 Ann - One\n05:00 Bo - Two\n",
        "01. Ann - One\n02. Bo - Two\n03. Cy - Three\n",
        "[0:00:00] Ann - One\n[0:05:00] Bo – Two\n",
        "Ann - One\t\t0:00\nBo - Two\t\t\t5:00\n",
        "Ann, Bo - One\nBo & Cy - Two\nAnn, Bo & Di - Three\n",
        "\ufeffTracklist\r\n00:00 Ann - One\r\n05:00 ID\r\n",
    ],
)
def test_tracklists_are_recognised(text):
    assert recognise(text.encode())[0] is TracklistText


@pytest.mark.parametrize(
    "text",
    [
        "It was - they said - a fine day.\nNobody came, and nobody left.\nThe sea - so it seemed - was still.\n",
        "Title,Artist\nOne - Live,Ann\nTwo - Live,Bo\nThree - Live,Cy\n",
        "2024-01-05,Heat - One,7\n2024-01-06,Heat - Two,8\n2024-01-07,Heat - Three,8\n",
        "12:00 Lunch\n13:00 Meeting\n14:00 Coffee\n",
        "[00:12.00]Words of a song\n[00:15.00]And more of them\n",
        "1\n00:00:01,000 --> 00:00:04,000\nHello - you\n\n2\n00:00:05,000 --> 00:00:09,000\nYes - me\n",
        "WEBVTT\n\n00:00:01.000 --> 00:00:04.000\nHello\n\n00:00:05.000 --> 00:00:09.000\nYes\n",
        "1. Heat (1995)\n2. Ronin (1998)\n3. Thief (1981)\n",
        "#EXTM3U\n#EXTINF:-1,Ann - One\nhttp://example.com/1\n#EXTINF:-1,Bo - Two\nhttp://example.com/2\n",
        '{"a": "Ann - One",\n"b": "Bo - Two",\n"c": "Cy - Three"}',
        "One line - only",
    ],
)
def test_other_texts_are_not_taken_for_tracklists(text):
    assert TracklistText not in recognise(text.encode())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("words\nand words\n", "There is no track in this text. Nothing was read"),
        ("<html><body>00:00 A - B</body></html>", "This is a web page"),
        ("1. A - B\n" * (MAX_LINES + 1), "no tracklist is that long"),
        ("1. A - B\n" * 10_001, "no set has so many"),
        (" \n" * 300_000 + "1. A - B", "no tracklist is that long"),
    ],
    ids=["prose", "page", "long", "plays", "blank"],
)
def test_what_is_no_tracklist_is_refused(text, says):
    with pytest.raises(BadPayload, match=says):
        read(text)


@pytest.mark.parametrize(
    "text",
    [
        "0:00 A - B\n" + " " * 2_000_000 + "\n5:00 C - D",
        "0:00 A - B\n" + "- " * 1_000_000 + "\n5:00 C - D",
        "0:00 A - B\n" + "[" * 1_000_000 + "\n5:00 C - D",
        "0:00 A - B\n" + "1:" * 1_000_000 + "\n5:00 C - D",
        "\n" * 1_000_000 + "0:00 A - B\n0:10 C - D",
    ],
    ids=["blanks", "dashes", "brackets", "times", "lines"],
)
def test_lines_without_end_do_not_keep_it_busy(text):
    assert plays(text)[0] == {"artist": "A", "title": "B", "cue_ms": 0}


# -- our own export ----------------------------------------------------------------------------------------------------


def test_our_own_text_is_taken_as_it_is_written():
    rows = read(
        f"00:00 Ann - One [Live]\n59:59 w/ Bo - Two\n1:02:03 + ID - ID\nID - A - B\nJust this\n\n# Listkeeper {UID}@3\n"
    )
    assert rows[0] == About(ref=f"{UID}@3")
    assert [row.values for row in rows[1:]] == [
        {"artist": "Ann", "title": "One [Live]", "cue_ms": 0},
        {"artist": "Bo", "title": "Two", "cue_ms": 3_599_000, "played_as": "with"},
        {"cue_ms": 3_723_000, "played_as": "part"},
        {"title": "A - B"},
        {"title": "Just this"},
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_films_of_our_own_text_have_their_years(end):
    text = f"1. Heat (1995)\n2. 1. April\n3. (500) Days\nAdded (2001)\n\n# Listkeeper {UID}@12\n".replace("\n", end)
    assert recognise(text.encode())[0] is TracklistText
    assert [(row.kind, row.values, row.line) for row in read(text)[1:]] == [
        ("movie", {"title": "Heat", "year": 1995}, 1),
        ("movie", {"title": "1. April"}, 2),
        ("movie", {"title": "(500) Days"}, 3),
        ("movie", {"title": "Added", "year": 2001}, 4),
    ]


def test_our_own_text_of_nothing_has_no_rows():
    assert read(f"# Listkeeper {UID}@1\n") == [About(ref=f"{UID}@1")]


@pytest.mark.skipif(not SAMPLES, reason="LISTKEEPER_SAMPLES names no folder of saved files with an expected.json")
def test_a_real_text_is_read_as_somebody_else_counted_it():
    name = "cue/tracklist_tabs_minutes_over_99.txt"
    expected = json.loads((Path(SAMPLES) / "expected.json").read_text("utf-8"))[name]
    body = (Path(SAMPLES) / name).read_bytes()
    assert recognise(body)[0] is TracklistText
    rows = [row for row in read(body.decode()) if isinstance(row, Record)]
    shown = [
        [r.position, f"{r.values['artist']} - {r.values['title']}",
         f"{r.values['cue_ms'] // 60_000:02}:{r.values['cue_ms'] // 1000 % 60:02}"]
        for r in rows
    ]  # fmt: skip
    assert shown == expected["items"]
