"""Saved pages of 1001Tracklists: their rows, and the pages that look like one and are none."""

import json
import os
from pathlib import Path

import pytest

from lists.records import About, Record, Unreadable
from sync.adapters import Context, recognise
from sync.errors import BadPayload
from sync.sources.tracklists_1001 import MAX_ROWS, Tracklists1001

HERE = Path(__file__).parents[2] / "data" / "formats" / "tracklists_1001.html"
SAMPLES = os.environ.get("LISTKEEPER_SAMPLES", "")
HEAD = '<!doctype html><html><head><meta name="author" content="1001Tracklists">{head}</head><body>{body}</body></html>'


def read(page: str | bytes) -> tuple[list, Context]:
    ctx = Context(page if isinstance(page, bytes) else page.encode())
    return list(Tracklists1001().fetch(ctx)), ctx


def row(
    name: str, *, number: str = "01", seconds: str = "", shown: str = "", more: str = "", attributes: str = ""
) -> str:
    return f"""<div id="tlp_7" class="tlpTog bItm tlpItem" {attributes}>
      <input id="tlp7_cue_seconds" type="hidden" value="{seconds}"><span id="tlp0_tracknumber_value"> {number} </span>
      <div class="cue"> {shown} </div><div><meta itemprop="name" content="{name}">{more}</div></div>"""


def page(*rows: str, head: str = "", stated: int | str = "") -> str:
    return HEAD.format(head=head, body=f'<div id="tlTab" data-count="{stated}">{"".join(rows)}</div>')


def values(*rows: str) -> list[dict]:
    return [r.values for r in read(page(*rows))[0] if isinstance(r, Record)]


def test_a_page_says_what_it_is_and_its_plays():
    rows, ctx = read(HERE.read_bytes())
    assert rows[0] == About(
        "DJ Ostwind @ Harbour Night, Pier Hall Bremen, Germany 2024-06-14",
        {
            "dj": "DJ Ostwind", "event": "Harbour Night", "venue": "Pier Hall Bremen, Germany", "date": "2024-06-14",
            "duration": "1:02:03", "genre": "House", "source": "1001Tracklists", "confidence": "0.83",
            "url": "https://www.1001tracklists.com/tracklist/2aaaaaaa/dj-ostwind-harbour-night-2024-06-14.html",
        },
    )  # fmt: skip
    assert [(r.position, r.values) for r in rows[1:]] == [
        (1, {"artist": "Ann Vale & Kid Ida ft. Bo", "title": "Low Tide (Mara Lind Remix)", "cue_ms": 0, "bpm": 124.5,
             "musical_key": "8A", "label": "Salt Records", "genres": ["House"], "confidence": 0.9,
             "address": "https://www.1001tracklists.com/track/1a/ann-vale-low-tide/index.html"}),
        (2, {"artist": "Kites vs. Nordlicht", "title": "Foam vs. Signal (Ostwind Mashup)", "cue_ms": 252_000,
             "confidence": 0.9}),
        (3, {"artist": "Kites", "title": "Foam", "cue_ms": 252_000, "played_as": "part", "confidence": 0.9}),
        (4, {"artist": "Nordlicht", "title": "Signal", "cue_ms": 252_000, "played_as": "part", "confidence": 0.9}),
        (5, {"artist": "Bob Renn", "title": "Glass Sea (Acappella)", "played_as": "with", "confidence": 0.9}),
        (6, {"cue_ms": 580_000, "confidence": 0.5}),
        (7, {"artist": "David Vale", "title": "Second Summer (ID Remix)", "cue_ms": 3_725_000, "confidence": 0.5}),
    ]  # fmt: skip
    assert ctx.expected == 7


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ID - ID", {"confidence": 0.5}),
        ("ID", {"confidence": 0.5}),
        ("Nordlicht - ID", {"artist": "Nordlicht", "confidence": 0.5}),
        ("ID - Low Tide", {"title": "Low Tide", "confidence": 0.5}),
        ("David Guetta - Titanium", {"artist": "David Guetta", "title": "Titanium", "confidence": 0.9}),
        ("Kid Cudi - Hidden Video", {"artist": "Kid Cudi", "title": "Hidden Video", "confidence": 0.9}),
        ("Ann Vale - Identity", {"artist": "Ann Vale", "title": "Identity", "confidence": 0.9}),
        ("Unknown - Unknown", {"confidence": 0.5}),
        ("Ann - Low Tide - Live", {"artist": "Ann", "title": "Low Tide - Live", "confidence": 0.9}),
        ("Intro", {"title": "Intro", "confidence": 0.5}),
        ("  Ann &amp;\n Bo - (  Dub )", {"artist": "Ann & Bo", "title": "(Dub)", "confidence": 0.9}),
    ],
)
def test_only_what_nobody_knows_is_an_id_track(name, said):
    assert values(row(name)) == [said]


def test_an_artist_with_a_dash_is_known_by_the_pages_own_data():
    assert values(row("A - Z - Low Tide", more='<meta itemprop="byArtist" content="A - Z">'))[0]["artist"] == "A - Z"


@pytest.mark.parametrize(
    ("seconds", "shown", "cue_ms"),
    [
        ("7", "0:07", 7000),
        ("3725", "", 3_725_000),
        ("0", "0:00", 0),
        ("0", "", None),
        ("", "", None),
        ("", "12:34", 754_000),
        ("", "1:02:03", 3_723_000),
        ("x", "soon", None),
        ("-5", "", None),
        ("9999999", "", None),
        ("²", "", None),
    ],
)
def test_a_time_is_what_the_page_states_and_none_is_invented(seconds, shown, cue_ms):
    assert values(row("Ann - One", seconds=seconds, shown=shown))[0].get("cue_ms") == cue_ms


def test_parts_of_a_mashup_at_the_start_begin_with_it():
    part = row("Bo - Two", seconds="0", number="", attributes='data-mashpos="true"')
    assert [v.get("cue_ms") for v in values(row("Ann - One", seconds="0", shown="0:00"), part)] == [0, 0]
    assert [v.get("cue_ms") for v in values(row("Ann - One", seconds="0"), part)] == [None, None]


def test_a_row_without_a_name_is_named_and_counts_as_present():
    rows, _ = read(page(row("Ann - One"), row("")))
    assert isinstance(rows[2], Unreadable)
    assert (rows[2].key, rows[2].reason) == ("002", "Row 2 of the page names no track.")


def test_a_page_that_is_cut_off_does_not_look_complete():
    body = HERE.read_bytes()
    rows, ctx = read(body[: body.index(b'id="tlp_104"')])
    assert sum(isinstance(r, Record) for r in rows) == 5
    assert ctx.expected == 7


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            HEAD.format(head="", body='<form><h1>Please wait, you will be forwarded</h1><input name="captcha"></form>'),
            "the page on which 1001Tracklists lets people wait, not the tracklist. Nothing was read. Open the tracklist",
        ),
        (
            HEAD.format(head="<title>1001Tracklists</title>", body="<h1>Charts</h1>"),
            "the front page, perhaps, or a search",
        ),
        (page(stated=31), "says that it has 31 tracks and shows none of them. Nothing was read. Open"),
        ("<html><body>1001Tracklists is a site</body></html>", "no page of 1001Tracklists"),
        ("Ann - One", "no page of 1001Tracklists"),
        (page(*(row("A - B") for _ in range(MAX_ROWS + 1))), "no tracklist is that long"),
    ],
    ids=["wait", "front", "no rows", "another site", "text", "too many"],
)
def test_other_pages_are_refused_with_the_reason(text, says):
    with pytest.raises(BadPayload, match=says):
        read(text)


@pytest.mark.parametrize(
    "mark",
    [
        '<link rel="canonical" href="https://www.1001tracklists.com/tracklist/1/x.html">',
        '<meta property="og:site_name" content="1001Tracklists">',
        "<!-- saved from url=(0051)https://www.1001tracklists.com/tracklist/1/x.html -->",
    ],
)
def test_a_page_is_recognised_by_what_it_says_of_itself(mark):
    assert recognise(f"<!doctype html><html><head>{mark}</head></html>".encode())[0] is Tracklists1001


def test_a_page_that_only_mentions_the_site_is_none_of_it():
    page = '<!doctype html><html><body><p>See <a href="https://www.1001tracklists.com/x">1001Tracklists</a></p></body></html>'
    assert Tracklists1001 not in recognise(page.encode())


def test_addresses_that_are_none_of_the_sites_are_left_out():
    head = '<link rel="canonical" href="javascript:alert(1)//1001tracklists.com">'
    bad = '<meta itemprop="url" content="javascript:alert(1)">'
    rows, _ = read(page(row("Ann - One", more=bad), head=head))
    assert "url" not in rows[0].facts
    assert "address" not in rows[1].values


@pytest.mark.parametrize(
    "text",
    [
        page("<div>" * 100_000, row("A - B")),
        page(row("A - B", more="<div>" * 100_000)),
        page(*(row("A - B", more="<div>" * 900) for _ in range(300))),
        page(row("A - B", more="<y>" * 50_000 + "</z>" * 50_000)),
        page(*('<div id="tlp_1" class="tlpItem">' for _ in range(MAX_ROWS))),
        page("<div " * 300_000, row("A - B")),
        page('<div class="' * 300_000, row("A - B")),
    ],
    ids=["before", "within", "many rows", "wrong ends", "nested rows", "tags", "attributes"],
)
def test_nesting_without_end_does_not_keep_it_busy(text):
    """The parser of HTML needs quadratic time for it: the parts that it sees are bounded."""
    try:
        rows, _ = read(text)
    except BadPayload:
        return
    assert rows


@pytest.mark.covers("TL-03")
@pytest.mark.skipif(not SAMPLES, reason="LISTKEEPER_SAMPLES names no folder of saved files with an expected.json")
def test_a_real_page_is_read_as_somebody_else_counted_it():
    name = "1001tracklists/tracklist_curbi_tape06.html"
    expected = json.loads((Path(SAMPLES) / "expected.json").read_text("utf-8"))[name]
    body = (Path(SAMPLES) / name).read_bytes()
    assert recognise(body)[0] is Tracklists1001
    rows, ctx = read(body)
    plays = rows[1:]
    remarks = {int(n): remark for n, remark in expected["visible_remarks_outside_metadata"].items()}
    assert [[r.position, f"{r.values['artist']} - {r.values['title']}"] for r in plays] == [
        [n, f"{name} {remarks[n]}" if n in remarks else name] for n, name in expected["items"]
    ]
    assert [r.values["cue_ms"] // 1000 for r in plays] == expected["cue_seconds"]
    assert [r.position for r in plays if r.values.get("played_as") == "part"] == expected["sub_rows"]
    assert (rows[0].title, ctx.expected) == (expected["page_title"], int(expected["stated_tracks"]))


@pytest.mark.covers("TL-03")
@pytest.mark.skipif(not SAMPLES, reason="LISTKEEPER_SAMPLES names no folder of saved files with an expected.json")
def test_a_real_waiting_page_is_refused():
    body = (Path(SAMPLES) / "1001tracklists/please_wait_page.html").read_bytes()
    assert recognise(body)[0] is Tracklists1001
    with pytest.raises(BadPayload, match="lets people wait"):
        read(body)
