"""Channels of programme guides."""

import json
import os
import tracemalloc
from pathlib import Path

import pytest

from lists.records import About, Record, Unreadable
from sync.adapters import Context, recognise
from sync.errors import BadPayload
from sync.sources.xmltv import Xmltv

SAMPLES = os.environ.get("LISTKEEPER_SAMPLES", "")


def read(body: str | bytes) -> list:
    return list(Xmltv().fetch(Context(body.encode() if isinstance(body, str) else body)))


def test_a_channel_says_its_id_names_icon_and_page():
    body = (
        '<tv>\n<channel id=" harbour.example "><display-name lang="de">Hafen TV</display-name><display-name>7</display-name>'
        '<display-name>Hafen TV</display-name><display-name>Hafen</display-name><icon src="no"/>'
        '<icon src="https://images.example/h.png"/><icon src="https://images.example/i.png"/>'
        "<url>https://harbour.example/</url></channel>\n<channel id='b'><display-name>B &amp; Co</display-name></channel></tv>"
    )
    first, second, about = read(body)
    assert first == Record(
        "harbour.example",
        "channel",
        {
            "title": "Hafen TV", "guide_id": "harbour.example", "guide_name": "7, Hafen",
            "poster": "https://images.example/h.png", "address": "https://harbour.example/",
        },
        position=1,
        line=2,
    )  # fmt: skip
    assert (second.values, second.position, second.line) == ({"title": "B & Co", "guide_id": "b"}, 2, 3)
    assert about == About(facts={"programmes": "0"})


def test_what_is_on_is_counted_and_not_taken():
    rows = read(
        '<!DOCTYPE tv SYSTEM "xmltv.dtd"><tv><programme channel="a"><title>x</title></programme>'
        '<channel id="a"><display-name>A</display-name></channel><programme channel="a"/><other><channel id="no"/></other></tv>'
    )
    assert [row.key for row in rows if isinstance(row, Record)] == ["a"]
    assert rows[-1].facts == {"programmes": "2"}


def test_a_channel_without_a_name_goes_by_its_id_and_one_without_an_id_is_unreadable():
    first, second, _ = read('<tv><channel id="a"/>\n<channel><display-name>B</display-name></channel></tv>')
    assert first.values == {"title": "a", "guide_id": "a"}
    assert second == Unreadable(2, "The channel has no id.", "B")


@pytest.mark.parametrize(
    ("body", "says", "line"),
    [
        ("<tv/>", "The guide is empty. Nothing was read.", None),
        ("<tv><programme/></tv>", "The guide names no channel, only 1 programme. Nothing was read.", None),
        ("<rss/>", "This is XML of another kind (“rss”), not an XMLTV guide. Nothing was read.", 1),
        ("#EXTM3U\n", "This is an M3U playlist, not an XMLTV guide. Nothing was read.", None),
        ('<tv>\n<channel id="a">', "The file breaks off here. Nothing was read.", 2),
        ("<!DOCTYPE tv [<!ENTITY x 'y'>]><tv/>", "The file brings definitions of its own", 1),
    ],
)
def test_what_is_no_guide_is_refused_with_the_reason(body, says, line):
    with pytest.raises(BadPayload) as caught:
        read(body)
    assert says in str(caught.value)
    assert caught.value.line == line


def test_a_long_guide_does_not_become_a_tree():
    programme = (
        '<programme channel="a" start="20240102080000"><title lang="de">News</title><desc>Words</desc></programme>\n'
    )
    context = Context(f'<tv><channel id="a"/>{programme * 20_000}</tv>'.encode())
    assert context.text
    tracemalloc.start()
    try:
        rows = list(Xmltv().fetch(context))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert rows[-1].facts == {"programmes": "20000"}
    assert peak < 2 * 2**20


@pytest.mark.parametrize(
    "body", ['<tv><channel id="a">', "<?xml version='1.0'?><!DOCTYPE tv SYSTEM 'xmltv.dtd'><tv>\n<programme>", "<tv/>"]
)
def test_guides_are_recognised(body):
    assert [cls.key for cls in recognise(body.encode())] == ["xmltv"]


@pytest.mark.parametrize("body", ["<rss><tv/></rss>", "tv,channel\n", "<html><tv></html>", "<tvx/>"])
def test_other_texts_are_not_taken_for_guides(body):
    assert Xmltv not in recognise(body.encode())


def samples():
    if not SAMPLES:
        reason = "LISTKEEPER_SAMPLES names no folder of saved files with an expected.json"
        return [pytest.param("", {}, marks=pytest.mark.skip(reason=reason))]
    expected = json.loads((Path(SAMPLES) / "expected.json").read_text("utf-8"))
    return [pytest.param(path, facts, id=path) for path, facts in expected.items() if facts["kind"] == "xmltv"]


@pytest.mark.parametrize(("path", "expected"), samples())
def test_a_sample_is_read_as_somebody_else_counted_it(path, expected):
    body = (Path(SAMPLES) / path).read_bytes()
    assert [cls.key for cls in recognise(body)] == ["xmltv"]
    *channels, about = read(body)
    assert [record.key for record in channels] == [record.values["guide_id"] for record in channels] == expected["ids"]
    ends = [[record.key, record.values["title"]] for record in (channels[0], channels[-1])]
    assert (len(channels), ends) == (expected["count"], [expected["first"], expected["last"]])
    assert about.facts == {"programmes": str(expected["programmes"])}
