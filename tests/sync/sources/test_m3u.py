"""Playlists as providers, players and people write them."""

import json
import os
import time
from pathlib import Path

import pytest

from lists.fields import clean
from lists.records import About, Record, Unreadable
from sync.adapters import Context, recognise
from sync.errors import BadPayload
from sync.sources.m3u import M3u

FOLDER = os.environ.get("LISTKEEPER_SAMPLES", "")
REF = "0b8f8c1e-6f5e-4d0f-9a55-1d2f3a4b5c6d/7@3"


def read(text: str) -> list:
    return list(M3u().fetch(Context(text.encode())))


def records(*lines: str, head: str = "#EXTM3U") -> list[Record]:
    return [row for row in read("\n".join([head, *lines])) if isinstance(row, Record)]


def channel(info: str, address: str = "http://tv.example/1.m3u8") -> dict:
    """The fields that an #EXTINF line gives, without the address."""
    [record] = records(info, address)
    assert clean(record.values) == record.values
    return {name: value for name, value in record.values.items() if name not in ("address", "file")}


def refusal(text: str) -> BadPayload:
    with pytest.raises(BadPayload) as caught:
        read(text)
    assert "Nothing was read." in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("info", "fields"),
    [
        ("#EXTINF:-1,Harbour One", {"title": "Harbour One"}),
        ("#EXTINF: -1 , Salt, sand, sea ", {"title": "Salt, sand, sea"}),
        ("#EXTINF:-1,", {"title": "1"}),
        ('#EXTINF:-1 tvg-name="Harbour One",', {"title": "Harbour One", "guide_name": "Harbour One"}),
        ('#EXTINF:-1 tvg-id="a" tvg-name="",X', {"title": "X", "guide_id": "a"}),
        ('#EXTINF:0 TVG-ID="a" Group-Title="B",X', {"title": "X", "guide_id": "a", "group": "B"}),
        ('#EXTINF:-1 tvg-name="One, two",Three, four', {"title": "Three, four", "guide_name": "One, two"}),
        ('#EXTINF:-1 tvg-name="The "Best" One" group-title="A",X', {"title": "X", "guide_name": 'The "Best" One', "group": "A"}),
        ('#EXTINF:-1 tvg-name="Said "No"",He said "No", twice', {"title": 'He said "No", twice', "guide_name": 'Said "No"'}),
        ("#EXTINF:-1 tvg-id=a.example group-title=News,X", {"title": "X", "guide_id": "a.example", "group": "News"}),
        ('#EXTINF:-1 tvg-name=The Best group-title="News",X', {"title": "X", "guide_name": "The Best", "group": "News"}),
        ('#EXTINF:-1 tvg-name="The Best group-title="News",X', {"title": "X", "guide_name": "The Best", "group": "News"}),
        ('#EXTINF:-1 tvg-id="a"group-title="News",X', {"title": "X", "guide_id": "a", "group": "News"}),
        ('#EXTINF:-1 tvg-id="a", group-title="News",X', {"title": "X", "guide_id": "a", "group": "News"}),
        ('#EXTINF:-1 tvg-id="a" , X = Y', {"title": "X = Y", "guide_id": "a"}),
        ('#EXTINF:-1 tvg-name="never closed,X', {"title": "X", "guide_name": "never closed"}),
        ("#EXTINF:-1 Harbour One", {"title": "Harbour One"}),
        ('#EXTINF:-1 tvg-id="a" Harbour One', {"title": "Harbour One", "guide_id": "a"}),
        ("#EXTINF:Harbour One", {"title": "Harbour One"}),
        ("#extinf:-1,Harbour One", {"title": "Harbour One"}),
        ("#EXTINF:-1.000000,Harbour One", {"title": "Harbour One"}),
        (
            '#EXTINF:-1 tvg-chno="12" tvg-country="PT" tvg-language="Portuguese" tvg-logo="https://p.example/a b,c.png",X',
            {"title": "X", "channel_number": 12, "country": "PT", "language": "Portuguese", "poster": "https://p.example/a%20b,c.png"},
        ),
        ('#EXTINF:-1 tvg-chno="12.1" tvg-logo="javascript:alert(1)",X', {"title": "X"}),
        (
            '#EXTINF:-1 catchup="shift" catchup-days="3" catchup-source="?utc={utc}",X',
            {"title": "X", "catchup": "shift; days=3; source=?utc={utc}"},
        ),
        ('#EXTINF:-1 catchup-type="flussonic" catchup-days="7",X', {"title": "X", "catchup": "flussonic; days=7"}),
        ("#EXTINF:-1,=>(★ SEA ★)<=", {"title": "=>(★ SEA ★)<="}),
        ("#EXTINF:-1,----- SPORT -----", {"title": "----- SPORT -----"}),
        ("#EXTINF:-1,News & <b>weather</b> &quot;now&quot;", {"title": "News & <b>weather</b> &quot;now&quot;"}),
    ],
)  # fmt: skip
def test_an_info_line_says_what_its_attributes_and_its_title_say(info, fields):
    assert channel(info) == fields


@pytest.mark.parametrize(
    ("info", "address", "kind"),
    [
        ("#EXTINF:-1,One", "http://tv.example/one.m3u8", "channel"),
        ("#EXTINF:-1,One", "http://tv.example:8080/ada/secret/12", "channel"),
        ("#EXTINF:16,One", "stream/one.m3u8", "channel"),
        ("#EXTINF:-1,One", "udp://@239.0.0.1:1234", "channel"),
        ("#EXTINF:-1,One", "rtmp://tv.example/live/one", "channel"),
        ("#EXTINF:-1,One", "rtsp://tv.example/one", "channel"),
        ("#EXTINF:-1,One", "plugin://plugin.video.one/?id=1", "channel"),
        ('#EXTINF:-1 radio="true",One', "http://tv.example/one.m3u8", "radio"),
        ('#EXTINF:-1 radio="false",One', "http://tv.example/one.m3u8", "channel"),
        ("#EXTINF:-1,One", "https://radio.example/one.mp3", "radio"),
        ("#EXTINF:-1,One (1999)", "http://tv.example/movie/ada/secret/1.mkv", "movie"),
        ("#EXTINF:-1,One", "http://tv.example/files/one.mp4?x=1", "movie"),
        ("#EXTINF:-1,One", "http://tv.example/one.mkv|User-Agent=VLC", "movie"),
        ("#EXTINF:5400,One", r"D:\Films\one.avi", "movie"),
        ("#EXTINF:-1,One", "http://tv.example/series/ada/secret/1", "episode"),
        ("#EXTINF:-1,One S01E02", "http://tv.example/one.mkv", "episode"),
        ("#EXTINF:215,Ann - One", "one.mp3", "track"),
        ("#EXTINF:-1,Ann - One", r"C:\Music\one.flac", "track"),
        ("#EXTINF:215,Ann - One", "https://music.example/one.ogg", "track"),
        ("#EXTINF:215,Ann - One", "file:///home/ann/one.weird", "track"),
    ],
)
def test_the_kind_follows_from_attributes_address_and_length(info, address, kind):
    assert records(info, address)[0].kind == kind


def test_a_film_has_its_year_and_an_episode_its_numbers():
    film, first, second, third = records(
        "#EXTINF:-1,Salt Rooms (1987)", "http://tv.example/movie/ada/secret/1.mkv",
        "#EXTINF:-1,Quiet Maps S02 E05", "http://tv.example/series/ada/secret/2.mkv",
        "#EXTINF:-1,Quiet.Maps.s02e06.1080p", "http://tv.example/series/ada/secret/3.mkv",
        "#EXTINF:-1,Quiet Maps (the whole of it)", "http://tv.example/series/ada/secret/4",
    )  # fmt: skip
    assert (film.values["title"], film.values["year"]) == ("Salt Rooms", 1987)
    told = [[row.values.get(name) for name in ("title", "show_title", "season", "episode")] for row in (first, second)]
    assert told == [
        ["Quiet Maps S02 E05", "Quiet Maps", 2, 5],
        ["Quiet.Maps.s02e06.1080p", "Quiet.Maps", 2, 6],
    ]
    assert set(third.values) == {"title", "address"}


def test_a_music_list_is_tracks_with_artist_title_length_and_file():
    rows = records(
        "#EXTINF:215,Ann Vale - Low Tide - Live", r"C:\Music\Ann Vale\low tide.mp3",
        "#EXTINF:61,Interlude", "../other/interlude.ogg",
        "/home/ann/music/03 Bell.flac",
        "#EXTINF:200,Ann Vale - Bell", "https://music.example/bell.mp3",
    )  # fmt: skip
    assert {row.kind for row in rows} == {"track"}
    assert [row.values for row in rows] == [
        {"artist": "Ann Vale", "title": "Low Tide - Live", "runtime_s": 215, "file": r"C:\Music\Ann Vale\low tide.mp3"},
        {"title": "Interlude", "runtime_s": 61, "file": "../other/interlude.ogg"},
        {"title": "03 Bell", "file": "/home/ann/music/03 Bell.flac"},
        {"artist": "Ann Vale", "title": "Bell", "runtime_s": 200, "address": "https://music.example/bell.mp3"},
    ]


def test_options_and_group_lines_belong_to_the_entry_that_follows():
    first, second = records(
        "#EXTVLCOPT:http-user-agent=Player (a, b)",
        "#EXTINF:-1,One",
        "#EXTGRP:Sea",
        "#KODIPROP:inputstream=adaptive",
        "#EXT-X-SOMETHING:else",
        "http://tv.example/1.m3u8",
        "",
        '#EXTINF:-1 group-title="Land",Two',
        "#EXTGRP:Sea",
        "http://tv.example/2.m3u8",
    )
    assert first.values["player_options"] == "#EXTVLCOPT:http-user-agent=Player (a, b)\n#KODIPROP:inputstream=adaptive"
    assert (first.values["group"], second.values["group"]) == ("Sea", "Land")
    assert "player_options" not in second.values


def test_comments_headings_and_further_heads_are_passed_over():
    rows = read(
        "#EXTM3U url-tvg='x' x-tvg-url=\"https://guide.example/a.xml,https://guide.example/b.xml\"\r\n"
        "#PLAYLIST: Evening \r\n# by hand\r\n===== NORTH =====\r\n#EXTINF:-1,One\r\n\r\n  http://tv.example/1\r\n"
        "##########\r\nwww.example.com\r\n#EXTM3U\r\n#EXTINF:-1,Two\r\nhttp://tv.example/2"
    )
    about, first, second = rows
    assert about == About("Evening", {"guide": "https://guide.example/a.xml,https://guide.example/b.xml"})
    assert (first.line, first.position, first.values["title"]) == (5, 1, "One")
    assert (second.line, second.position, second.values["address"]) == (11, 2, "http://tv.example/2")


def test_entries_need_no_info_line_if_they_are_addresses():
    rows = records(
        "http://tv.example/secret", "rtmp://tv.example/live/one", "one.m3u8", "not an address", head="# list"
    )
    assert [row.values for row in rows] == [
        {"address": "http://tv.example/secret"},
        {"address": "rtmp://tv.example/live/one"},
        {"title": "one", "file": "one.m3u8"},
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_end_of_line_is_one(end):
    assert len(read(end.join(["#EXTM3U", "#EXTINF:-1,One", "a.m3u8", "#EXTINF:-1,Two", "b.m3u8", ""]))) == 2


def test_an_entry_is_known_by_its_address_and_title():
    one, same, other, elsewhere = records(
        "#EXTINF:-1,One", "http://tv.example/1", '#EXTINF:-1 tvg-id="x",One', "http://tv.example/1",
        "#EXTINF:-1,One HD", "http://tv.example/1", "#EXTINF:-1,One", "http://tv.example/2",
    )  # fmt: skip
    assert one.key == same.key
    assert len({one.key, other.key, elsewhere.key}) == 3


def test_a_row_without_an_address_is_named_with_its_line():
    rows = read("#EXTM3U\n#EXTINF:-1,One\n#EXTINF:-1,Two\nhttp://tv.example/2\n#EXTINF:-1,Cut o")
    assert [row.line for row in rows] == [2, 3, 5]
    assert rows[0] == Unreadable(2, "There is no address behind this line.", "One")
    assert rows[1].values["title"] == "Two"
    assert isinstance(rows[2], Unreadable)


def test_an_address_is_never_cut():
    [row] = read("#EXTM3U\n#EXTINF:-1,One\nhttp://tv.example/" + "a" * 1000)
    assert isinstance(row, Unreadable)
    assert "longer than 1,000" in row.reason
    assert row.key
    assert "tv.example" not in row.reason + row.text


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nsegment1.ts\n#EXTINF:10,\nsegment2.ts\n",
        "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1280000\nlow.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=2560000\nmid.m3u8\n",
        "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:7\n#EXTINF:10,\nsegment7.ts\n",
    ],
)
def test_the_inside_of_a_stream_is_refused_with_the_reason(text):
    assert recognise(text.encode())[0] is M3u
    error = refusal(text)
    assert "HLS" in str(error)
    assert error.line in (2, 3)


@pytest.mark.parametrize("text", ["#EXTM3U", "#EXTM3U\n# nothing yet\n", "just words\nand more"])
def test_a_playlist_without_an_entry_is_refused(text):
    assert "no entry" in str(refusal(text))


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("#EXTM3U\n", 0.97),
        ("\ufeff\n #extm3u x=1", 0.97),
        ("#EXTINF:-1,One\nhttp://tv.example/1", 0.9),
        ("# a list\nhttp://tv.example/1.ts\nudp://@239.0.0.1:1\n", 0.2),
        ("C:\\Music\\one.mp3\nC:\\Music\\two.mp3\n", 0.2),
        ("https://www.imdb.com/title/tt0000001/\nhttps://www.imdb.com/title/tt0000002/\n", None),
        ("Title,Year\nOne,1999\n", None),
        ('["#EXTM3U"]', None),
    ],
)
def test_a_playlist_is_known_by_its_content(text, score):
    formats = recognise(text.encode())
    assert (M3u in formats) == (score is not None)
    if score is not None:
        assert formats[0] is M3u


def test_a_row_of_our_own_export_names_its_entry_and_is_read_as_it_was_written():
    own = f'#EXTINF:90 tvg-name="a &quot;b&quot; &amp;amp; c" kind="movie" listkeeper="{REF}",x="1",One&#10;two &amp;quot; (1999)'
    [record] = records(own, "http://tv.example/page")
    assert (record.ref, record.kind) == (REF, "movie")
    assert record.values == {
        "title": 'x="1",One\ntwo &quot;', "year": 1999, "guide_name": 'a "b" &amp; c', "runtime_s": 90,
        "address": "http://tv.example/page",
    }  # fmt: skip
    assert records('#EXTINF:-1 listkeeper="none of ours",One', "http://tv.example/page")[0].ref is None


@pytest.mark.parametrize(
    "line",
    [
        '#EXTINF:-1 a="' + "b " * 200_000,
        "#EXTINF:-1 " + 'a="b ' * 100_000,
        "#EXTINF:-1 " + 'a="b c" ' * 60_000 + ",x",
        "#EXTINF:-1 a=" + "b c " * 100_000,
        '#EXTINF:-1 a="x"' + " " * 500_000,
        '#EXTINF:-1 a="' + '" ' * 200_000 + "x",
        "#EXTINF:-1," + "S1 E " * 100_000,
        '#EXTM3U x-tvg-url="http://' + "live/" * 100_000,
        "." * 500_000 + "m3u",
    ],
    ids=lambda line: line[:24],
)
def test_no_line_keeps_the_reader_busy(line):
    begun = time.process_time()
    read(f"#EXTM3U\n{line}\nhttp://tv.example/1")
    assert time.process_time() - begun < 20  # tenths of a second, unless it grows with the square


def samples() -> list:
    if not FOLDER:
        reason = "LISTKEEPER_SAMPLES names no folder of saved files with an expected.json"
        return [pytest.param("", {}, marks=pytest.mark.skip(reason=reason))]
    expected = json.loads((Path(FOLDER) / "expected.json").read_text("utf-8"))
    return [pytest.param(path, facts, id=path) for path, facts in expected.items() if facts.get("kind") == "m3u"]


@pytest.mark.parametrize(("path", "expected"), samples())
def test_a_sample_is_read_as_somebody_else_counted_it(path, expected):
    body = (Path(FOLDER) / path).read_bytes()
    assert [cls.key for cls in recognise(body)] == ["m3u"]
    rows = [row for row in M3u().fetch(Context(body)) if not isinstance(row, About)]
    assert all(isinstance(row, Record) and clean(row.values) == row.values for row in rows)
    assert len(rows) == expected["count"] == expected["extinf_lines"]
    assert [row.values["title"] for row in rows] == expected["titles"]
    assert [row.values.get("guide_id") for row in rows] == expected["ids"]
    assert len({row.values.get("group", "") for row in rows}) == expected["groups"]
    ends = [[row.values.get("guide_id"), row.values["title"]] for row in (rows[0], rows[-1])]
    assert ends == [expected["first"], expected["last"]]
    addresses = [row.values.get("address") or row.values["file"] for row in rows]
    assert {address for address in addresses if addresses.count(address) > 1} == set(expected["repeated_urls"])
