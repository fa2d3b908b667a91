"""A playlist that players read, and that our own importer gives back as it was."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lists.exports import EXPORTS
from lists.exports.m3u import _info
from lists.models import Entry
from lists.records import Record, Unreadable
from sync.adapters import Context
from sync.sources.m3u import M3u

NASTY = [
    'He said "No", twice', "Comma, semicolon; tab\there", "Two\nlines\rthree", "#EXTINF:-1,no", "-30-", 'x="1",y', ', a="b"',
    'tvg-id="x"', "&quot;AT&T&amp;&#10;", "Amélie 東京 😀 עברית", "Ends with a backslash\\", "\u2028\u0085\x1c in between", "=>(★ SEA ★)<=",
]  # fmt: skip


def channel(n, **more):
    return {"key": f"http://tv.example/{n}.m3u8 {n}", "kind": "channel", "title": f"Channel {n}",
            "address": f"http://tv.example/{n}.m3u8", **more}  # fmt: skip


def written(list_, user=None, version=None) -> str:
    return b"".join(EXPORTS["m3u"].write(list_, user=user, version=version)).decode()


def read(text: str) -> list:
    return [row for row in M3u().fetch(Context(text.encode())) if isinstance(row, Record | Unreadable)]


def test_a_row_has_what_players_know(upload):
    list_ = upload(None, [
        channel(1, group="News, weather", poster="https://p.example/1.png", guide_id="one.example", guide_name="One",
                channel_number=7, country="PT", language="Portuguese", catchup="shift; days=3; source=?utc={utc}",
                player_options="#EXTVLCOPT:http-user-agent=Player\n#KODIPROP:a=b\nno option"),
        channel(2, kind="radio"),
        channel(3, kind="movie", title="Salt Rooms", year=1987, runtime_s=5400),
    ], name="An evening\nat home").list  # fmt: skip
    refs = [f"{list_.uid}/{pk}@1" for pk in Entry.objects.order_by("rank").values_list("pk", flat=True)]
    assert written(list_).splitlines() == [
        "#EXTM3U",
        "#PLAYLIST:An evening at home",
        '#EXTINF:-1 tvg-id="one.example" tvg-name="One" tvg-logo="https://p.example/1.png" tvg-chno="7" tvg-country="PT" '
        'tvg-language="Portuguese" group-title="News, weather" catchup="shift" catchup-days="3" '
        f'catchup-source="?utc={{utc}}" listkeeper="{refs[0]}",Channel 1',
        "#EXTVLCOPT:http-user-agent=Player",
        "#KODIPROP:a=b",
        "http://tv.example/1.m3u8",
        f'#EXTINF:-1 radio="true" listkeeper="{refs[1]}",Channel 2',
        "http://tv.example/2.m3u8",
        f'#EXTINF:5400 kind="movie" listkeeper="{refs[2]}",Salt Rooms (1987)',
        "http://tv.example/3.m3u8",
    ]


def test_what_has_no_address_is_left_out_and_counted(upload):
    list_ = upload(None, [channel(1), {"key": "2", "kind": "channel", "title": "Two"}, channel(3)]).list
    text = written(list_)
    assert [row.values["title"] for row in read(text)] == ["Channel 1", "Channel 3"]
    assert text.splitlines()[-1] == "# Entries that are left out, because they have no address: 1"


def test_of_tracks_a_file_is_played_and_a_page_is_not(upload):
    play = {"kind": "track", "artist": "Ann", "runtime_s": 61}
    list_ = upload(None, [
        {**play, "key": "1", "title": "One", "file": "#1 one.mp3", "address": "https://tracks.example/1"},
        {**play, "key": "2", "title": "Two", "address": "https://tracks.example/2"},
        {**play, "key": "3", "title": "Three", "address": "https://music.example/3.mp3?x"},
    ]).list  # fmt: skip
    assert EXPORTS["m3u"].fits(list_)
    rows = read(written(list_))
    assert [(row.kind, row.values["artist"], row.values["title"], row.values["runtime_s"]) for row in rows] == [
        ("track", "Ann", "One", 61),
        ("track", "Ann", "Three", 61),
    ]
    assert [row.values.get("file") or row.values["address"] for row in rows] == [
        "./#1 one.mp3",
        "https://music.example/3.mp3?x",
    ]


def test_a_list_of_films_is_no_playlist(films, client, ines):
    client.force_login(ines)
    assert not EXPORTS["m3u"].fits(films)
    assert "M3U" not in client.get(f"/lists/{films.pk}/export/").content.decode()
    assert client.get(f"/lists/{films.pk}/export/m3u/").status_code == 404


def test_titles_and_values_of_any_kind_come_back(upload):
    rows = [channel(n, title=text, group=text, guide_id=text, catchup=text) for n, text in enumerate(NASTY, 1)]
    list_ = upload(None, rows).list
    shown = [entry.values for entry in Entry.objects.order_by("rank")]
    back = read(written(list_))
    assert [row.values for row in back] == shown
    assert len(back) == len(NASTY)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), st.sampled_from(["channel", "radio", "other"]))
def test_any_title_comes_back(text, kind):
    entry = Entry(
        kind=kind, title=text.strip().replace("\x00", ""), group=text.strip().replace("\x00", "")[:200].strip()
    )
    line = _info(entry, entry.values, "0b8f8c1e-6f5e-4d0f-9a55-1d2f3a4b5c6d/7@3", {})
    [row] = read(f"#EXTM3U\n{line}\nhttp://tv.example/page")
    assert row.values.get("title", "") == entry.title
    assert row.values.get("group", "") == entry.group
    assert row.ref


def test_an_address_or_an_option_of_several_lines_makes_no_row_of_its_own(upload):
    hostile = channel(
        1, address="http://tv.example/1\nhttp://evil.example/", player_options="#EXTVLCOPT:a=b\rhttp://evil.example/"
    )
    list_ = upload(None, [hostile]).list
    text = written(list_)
    assert [row.values["address"] for row in read(text)] == ["http://tv.example/1%0Ahttp://evil.example/"]
    assert not re.search(r"^http://evil", text, re.MULTILINE)


@pytest.mark.parametrize("edit", ["nothing", "title", "gone", "order", "new"])
def test_read_back_into_its_list_it_is_what_a_person_changed(upload, titles, edit):
    list_ = upload(None, [channel(n, group=f'Group "{n}"') for n in range(1, 5)]).list
    text = written(list_, list_.owner)
    head, rows = text.splitlines()[:2], text.splitlines()[2:]
    pairs = [rows[at : at + 2] for at in range(0, 8, 2)]
    if edit == "title":
        pairs[1][0] = pairs[1][0].replace("Channel 2", "Harbour Two")
    elif edit == "gone":
        del pairs[2]
    elif edit == "order":
        pairs.reverse()
    elif edit == "new":
        pairs.append(["#EXTINF:-1,Channel 5", "http://tv.example/5.m3u8"])
    body = "\n".join([*head, *(line for pair in pairs for line in pair)]).encode()
    proposal = upload(list_, body, adapter="", confirm=False)
    own = proposal.result["own_export"]
    assert (own["changed"], own["removed"], own["added"], own["moved"]) == (
        edit == "title", edit == "gone", edit == "new", edit == "order",
    )  # fmt: skip
    if edit != "nothing":
        upload(list_, body, adapter="")
    assert (
        titles(list_)
        == {
            "nothing": ["Channel 1", "Channel 2", "Channel 3", "Channel 4"],
            "title": ["Channel 1", "Harbour Two", "Channel 3", "Channel 4"],
            "gone": ["Channel 1", "Channel 2", "Channel 4"],
            "order": ["Channel 4", "Channel 3", "Channel 2", "Channel 1"],
            "new": ["Channel 1", "Channel 2", "Channel 3", "Channel 4", "Channel 5"],
        }[edit]
    )


def test_an_older_version_is_written_as_it_was(upload):
    list_ = upload(None, [channel(1), channel(2)]).list
    upload(list_, [channel(1, title="Harbour One")])
    first, second = list_.versions.order_by("number")
    assert [row.values["title"] for row in read(written(list_, version=first))] == ["Channel 1", "Channel 2"]
    assert [row.values["title"] for row in read(written(list_, version=second))] == ["Harbour One"]
