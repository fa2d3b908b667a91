"""RSS and Atom as services write them."""

import json
import os
from pathlib import Path

import pytest

from lists.fields import clean
from lists.records import About, NotTaken, Record, Unreadable
from sync.adapters import Context, recognise
from sync.errors import BadPayload
from sync.sources.feed import Feed, plain_text

SAMPLES = os.environ.get("LISTKEEPER_SAMPLES", "")
NAMESPACES = (
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/" '
    'xmlns:letterboxd="https://letterboxd.com" xmlns:tmdb="https://themoviedb.org" xmlns:media="http://search.yahoo.com/mrss/" '
    'xmlns:torznab="http://torznab.com/schemas/2015/feed" xmlns:newznab="http://www.newznab.com/DTD/2010/feeds/attributes/"'
)


def rss(*items: str, before: str = "<title>A feed</title>") -> str:
    rows = "\n".join(f"<item>{item}</item>" for item in items)
    return f'<?xml version="1.0"?><rss version="2.0" {NAMESPACES}><channel>{before}\n{rows}</channel></rss>'


def atom(*entries: str) -> str:
    rows = "".join(f"<entry>{entry}</entry>" for entry in entries)
    return (
        f'<feed xmlns="http://www.w3.org/2005/Atom"><title type="html">A &lt;b&gt;feed&lt;/b&gt;</title>{rows}</feed>'
    )


def read(body: str | bytes) -> list:
    return list(Feed().fetch(Context(body.encode() if isinstance(body, str) else body)))


def records(body: str | bytes) -> list[Record]:
    return [row for row in read(body) if isinstance(row, Record)]


def one(*parts: str) -> Record:
    (record,) = records(rss("".join(parts)))
    return record


def refusal(body: str | bytes) -> BadPayload:
    with pytest.raises(BadPayload) as caught:
        read(body)
    return caught.value


def test_an_item_of_rss_2():
    body = rss(
        "<title>Salt Harbour (2021)</title><link>https://www.imdb.com/title/tt0000011/?ref=x</link><guid>g-1</guid>"
        "<pubDate>Tue, 02 Jan 2024 23:00:00 GMT</pubDate><description>&lt;p&gt;A ship.&lt;/p&gt;</description>",
        "<title>Lantern Year</title><link> https://films.example/2 </link>",
        before="<link>x</link><image><title>no</title></image><media:title>no</media:title><title> Films by	the sea </title>",
    )
    about, first, second = read(body)
    assert about == About("Films by the sea")
    assert first == Record(
        "g-1",
        "movie",
        {
            "title": "Salt Harbour", "year": 2021, "overview": "A ship.", "added_on": "2024-01-02",
            "address": "https://www.imdb.com/title/tt0000011/?ref=x",
        },
        {"imdb": "tt0000011"},
        1,
        2,
    )  # fmt: skip
    assert (second.key, second.values, second.position, second.line) == (
        "https://films.example/2", {"title": "Lantern Year", "address": "https://films.example/2"}, 2, 3,
    )  # fmt: skip


def test_an_entry_of_atom():
    about, first, second = read(
        atom(
            '<id>urn:1</id><title type="html">Salt &amp;amp; &lt;i&gt;Harbour&lt;/i&gt;</title><link rel="self" href="https://no/"/>'
            '<link href="https://films.example/1"/><published>2024-01-02T10:00:00Z</published><updated>2024-05-06</updated>'
            '<category term="Series"/><summary type="html">&lt;p&gt;A ship.&lt;/p&gt;</summary><content>More</content>',
            '<id>urn:2</id><title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">Lantern <b>Year</b></div></title>'
            '<updated>2024-05-06T00:00:00+02:00</updated><content type="html">&lt;b&gt;Light&lt;/b&gt;</content>',
        )
    )
    assert about == About("A feed")
    assert (first.key, first.kind, first.values) == ("urn:1", "show", {
        "title": "Salt & Harbour", "overview": "A ship.", "added_on": "2024-01-02", "address": "https://films.example/1",
    })  # fmt: skip
    assert (second.key, second.values) == (
        "urn:2",
        {"title": "Lantern Year", "overview": "Light", "added_on": "2024-05-06"},
    )


def test_an_item_of_rss_1():
    body = (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="x"><title>Films</title><items><rdf:Seq/></items></channel>'
        '<item rdf:about="a"><title>Salt Harbour</title><link>https://films.example/1</link><dc:date>2024-01-02</dc:date></item>'
        "</rdf:RDF>"
    )
    assert recognise(body.encode())[0] is Feed
    about, record = read(body)
    assert about == About("Films")
    assert (record.key, record.values["title"], record.values["added_on"]) == (
        "https://films.example/1", "Salt Harbour", "2024-01-02",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("<![CDATA[Salt & Harbour]]>", "Salt & Harbour"),
        ("<![CDATA[Salt &amp; Harbour]]>", "Salt & Harbour"),
        ("Salt &amp;amp; Harbour", "Salt & Harbour"),
        ("Ain&#x27;t It", "Ain't It"),
        ("<![CDATA[Caf&eacute; &#8211; Nuit]]>", "Café – Nuit"),
        ("R&amp;D &amp;notes", "R&D &notes"),
        ("I &lt;3 U", "I <3 U"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;", "<script>alert(1)</script>"),
        ("  Salt\n\t Harbour ", "Salt Harbour"),
    ],
)
def test_titles_are_plain_text(written, title):
    assert one(f"<title>{written}</title>").values["title"] == title


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("", ""),
        ("Plain\n\n text", "Plain\ntext"),
        ("<p>One <b>t</b>wo</p><p>three<br/>four</p>", "One two\nthree\nfour"),
        ("<ul><li>a</li><li>b</li></ul><table><tr><td>c</td></tr></table>", "a\nb\nc"),
        ("5 < 6 &amp; &quot;x&quot;&nbsp;y", '5 < 6 & "x" y'),
        ("<script>alert(1)</script><style>p {}</style><a href='x' onclick='y'>link</a><img src=x>", "link"),
        ("<div title='a > b'>c", "b'>c"),
        ("a <unclosed", "a"),
    ],
)
def test_html_becomes_plain_text(markup, text):
    assert plain_text(markup) == text


@pytest.mark.parametrize(
    "unit",
    [
        "<div>",
        "<ul><li>",
        "<b id=1><p>",
        "<a b='<'><i>",
        "<b>",
        "<p ",
        '<li a="<">',
        "<a b='",
        "<table><p ",
        "<!--",
        "&amp",
    ],
)
def test_markup_made_to_take_long_does_not(unit):
    description = f"<description><![CDATA[<img src='no'>{unit * (200_000 // len(unit))}]]></description>"
    films = "<letterboxd:filmTitle>a</letterboxd:filmTitle>" + description
    assert len(records(rss(*["<title>a</title>" + description, films] * 10))) == 20


@pytest.mark.parametrize(
    ("parts", "key"),
    [
        ("<guid>g</guid><link>https://a.example/</link>", "g"),
        ("<guid> </guid><link>https://a.example/</link>", "https://a.example/"),
        ("<link/>", "Salt"),
        ("", "Salt"),
    ],
)
def test_an_item_goes_by_its_guid_then_its_link_then_its_title(parts, key):
    assert one("<title>Salt</title>", parts).key == key


@pytest.mark.parametrize(
    ("written", "kind", "values"),
    [
        ("Salt (2013 Documentary)", "movie", {"title": "Salt", "year": 2013, "title_type": "Documentary"}),
        ("Salt (2011 TV Series)", "show", {"title": "Salt", "year": 2011, "title_type": "TV Series"}),
        ("Salt (2011–2014 TV Mini-Series)", "show", {"title": "Salt", "year": 2011, "title_type": "TV Mini-Series"}),
        ("Salt (2010 Video Game)", "other", {"title": "Salt", "year": 2010, "title_type": "Video Game"}),
        ("Salt (2010 Remix)", "movie", {"title": "Salt (2010 Remix)"}),
        ("Salt, 1999", "movie", {"title": "Salt", "year": 1999}),
        ("Salt 1999", "movie", {"title": "Salt 1999"}),
        ("Quiet.Tide.S02E05.1080p", "episode", {"season": 2, "episode": 5, "show_title": "Quiet Tide"}),
        ("The Tide - s2 e05 - Ebb", "episode", {"season": 2, "episode": 5, "show_title": "The Tide"}),
        ("Tide S01E01E02 (2013)", "episode", {"season": 1, "episode": 1, "show_title": "Tide"}),
        ("S03E01", "episode", {"season": 3, "episode": 1}),
        ("BassS03E01", "movie", {"title": "BassS03E01"}),
    ],
)
def test_what_a_title_says(written, kind, values):
    record = one(f"<title>{written}</title>")
    assert (record.kind, record.values) == (kind, {"title": written} | values)


@pytest.mark.parametrize(
    ("parts", "kind", "ids"),
    [
        ("<link>https://www.imdb.com/title/tt0000011/</link>", "movie", {"imdb": "tt0000011"}),
        ("<guid>https://www.themoviedb.org/tv/77-salt</guid>", "show", {"tmdb": "show/77"}),
        ("<guid>imdb://tt0000011</guid><category>show</category>", "show", {"imdb": "tt0000011"}),
        ("<guid>tmdb://77</guid><category>movie</category>", "movie", {"tmdb": "movie/77"}),
        ("<guid>tvdb://77</guid><category>show</category>", "show", {"tvdb": "show/77"}),
        ("<guid>tmdb://x</guid>", "movie", {}),
        ("<description>See https://www.imdb.com/title/tt0000011/, or tt0000012</description>", "movie", {"imdb": "tt0000011"}),
        ("<description>See http://imdb.com/title/tt0000011 and http://imdb.com/title/TT0000011/</description>", "movie",
         {"imdb": "tt0000011"}),
        ("<description>http://imdb.com/title/tt0000011 http://imdb.com/title/tt0000012</description>", "movie", {}),
        ('<torznab:attr name="imdb" value="11"/><torznab:attr name="category" value="2040"/>', "movie", {"imdb": "tt0000011"}),
        ('<newznab:attr name="imdbid" value="tt0000011"/><newznab:attr name="imdb" value="0"/>', "movie", {}),
        ('<newznab:attr name="tvdbid" value="77"/><newznab:attr name="type" value="series"/>', "show", {"tvdb": "show/77"}),
        ('<newznab:attr name="tmdbid" value="77"/><newznab:attr name="category" value="5000"/>', "show", {"tmdb": "show/77"}),
        ('<newznab:attr name="imdb" value="nothing"/><newznab:attr name="category" value="3000"/>', "other", {}),
        ('<torznab:attr name="coverurl" value="https://images.example/a.jpg"/>', "movie", {}),
        ("<category>People</category><category>News</category>", "movie", {}),
    ],
)  # fmt: skip
def test_what_an_item_says_of_kind_and_ids(parts, kind, ids):
    record = one("<title>Salt</title>", parts)
    assert (record.kind, record.ids) == (kind, ids)
    assert ("poster" in record.values) == ("coverurl" in parts)


def test_the_ids_beside_an_episode_are_its_shows_and_not_taken():
    attributes = '<torznab:attr name="tvdbid" value="77"/><torznab:attr name="imdb" value="11"/>'
    first, second = records(rss(*(f"<title>Tide S01E0{n}</title><guid>{n}</guid>{attributes}" for n in (1, 2))))
    assert first.ids == second.ids == {}
    assert (first.kind, first.values["episode"], second.values["episode"]) == ("episode", 1, 2)


@pytest.mark.parametrize(
    ("written", "day"),
    [("Tue, 25 Mar 2014 02:22:29 GMT", "2014-03-25"), ("25 Mar 2014 02:22:29 -0400", "2014-03-25"), ("yesterday", None),
     ("2015-02-06 13:32:26", "2015-02-06"), ("Fri, 31 Feb 2015", None)],
)  # fmt: skip
def test_a_date_that_cannot_be_read_is_left_out(written, day):
    assert one(f"<title>Salt</title><pubDate>{written}</pubDate>").values.get("added_on") == day


DIARY = (
    "<title>Lantern Year, 1962 - ★★★½</title><link>https://letterboxd.com/ann/film/lantern-year/1/</link>"
    '<guid isPermaLink="false">letterboxd-review-12</guid><pubDate>Sun, 4 Feb 2024 10:00:00 +1300</pubDate>'
    "<letterboxd:watchedDate>2024-02-03</letterboxd:watchedDate><letterboxd:rewatch>{rewatch}</letterboxd:rewatch>"
    "<letterboxd:filmTitle>Lantern &amp; Year</letterboxd:filmTitle><letterboxd:filmYear>1962</letterboxd:filmYear>"
    "{rating}{tmdb}<dc:creator>Ann</dc:creator><description><![CDATA[ <p><img src='https://images.example/a.jpg'/></p> "
    "<p>Watched on Saturday February 3, 2024.</p> <p>So <i>quiet</i>.</p> ]]></description>"
)


def test_a_diary_of_letterboxd():
    rating = "<letterboxd:memberRating>3.5</letterboxd:memberRating>"
    record = one(DIARY.format(rewatch="Yes", rating=rating, tmdb="<tmdb:movieId>7012</tmdb:movieId>"))
    assert (record.key, record.kind, record.ids) == ("letterboxd-review-12", "movie", {"tmdb": "movie/7012"})
    assert record.values == {
        "title": "Lantern & Year", "year": 1962, "your_rating": 7.0, "watched_on": "2024-02-03", "rewatch": 1,
        "poster": "https://images.example/a.jpg", "note": "So quiet.", "added_on": "2024-02-04",
        "address": "https://letterboxd.com/ann/film/lantern-year/1/",
    }  # fmt: skip


def test_a_show_without_a_rating_in_a_diary():
    record = one(DIARY.format(rewatch="No", rating="", tmdb="<tmdb:tvId>77</tmdb:tvId>"))
    assert (record.kind, record.ids) == ("show", {"tmdb": "show/77"})
    assert record.values["rewatch"] == 0
    assert "your_rating" not in record.values


def test_lists_that_a_member_made_are_no_films():
    post = "<title>Lighthouses</title><guid>letterboxd-list-99</guid><link>https://letterboxd.com/ann/list/x/</link>"
    rows = read(rss(post, DIARY.format(rewatch="No", rating="", tmdb="")))
    assert rows[1] == NotTaken(2, "list post")
    assert isinstance(rows[2], Record)
    assert str(refusal(rss(post, post))) == "The file holds no media: 2 list posts. Nothing was read."


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("<letterboxd:filmYear>long ago</letterboxd:filmYear>", "Year must be a year"),
        ("<letterboxd:memberRating>good</letterboxd:memberRating>", "The rating must be a number"),
    ],
)
def test_a_line_of_a_diary_that_cannot_be_read_still_counts_as_there(wrong, says):
    (_, row) = read(rss(f"<guid>g</guid><letterboxd:filmTitle>Salt</letterboxd:filmTitle>{wrong}"))
    assert isinstance(row, Unreadable)
    assert row.reason.startswith(says)
    assert (row.key, row.line) == ("g", 2)


def test_an_item_without_a_title_is_unreadable_and_the_others_are_read():
    rows = read(rss("<guid>g</guid><description>x</description>", "<title>Salt</title>", "<title> </title>"))
    assert rows[1] == Unreadable(2, "The item has no title.", "", "g")
    assert isinstance(rows[2], Record)
    assert rows[3] == Unreadable(4, "The item has no title.", "", None)


@pytest.mark.parametrize(
    ("body", "says", "line"),
    [
        (rss(), "The feed holds no items. Nothing was read.", None),
        ('<opml version="2.0"><body/></opml>', "This is a list of feeds (OPML), not a feed. Nothing was read.", 1),
        ("<caps><server/></caps>", "This says what a service can do", 1),
        (
            '\n<error code="100" description="Wrong user"/>',
            "instead of a feed (“100: Wrong user”). Nothing was read.",
            2,
        ),
        ("<error>no</error>", "The service answered with an error instead of a feed. Nothing was read.", 1),
        ("<rows><row/></rows>", "This is XML of another kind (“rows”), not a feed. Nothing was read.", 1),
        ("<html><body/></html>", "This is a web page, not a feed. Nothing was read.", None),
        ("Title\nSalt\n", "This is another kind of text, not a feed. Nothing was read.", None),
        (
            rss("<title>a</title>", "<title>\x08</title>"),
            "there is a sign here that XML does not allow. Nothing was read.",
            3,
        ),
        (rss("<title>a</title>")[:-20], "The file breaks off here. Nothing was read.", 2),
    ],
)
def test_what_is_no_feed_is_refused_with_the_reason(body, says, line):
    problem = refusal(body)
    assert says in str(problem)
    assert problem.line == line


@pytest.mark.parametrize("said", ["see https://a.example/?key=secret now", "a://b" + "x" * 500_000, "x" * 500_000])
def test_an_answer_of_a_service_is_quoted_without_addresses(said):
    problem = str(refusal(f'<error description="{said}"/>'))
    assert "secret" not in problem
    assert "://" not in problem
    assert len(problem) < 500


def test_a_feed_that_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr("sync.sources.feed.MAX_ITEMS", 3)
    assert len(records(rss(*["<title>a</title>"] * 3))) == 3
    assert "more than 3 items" in str(refusal(rss(*["<title>a</title>"] * 4)))
    assert "larger than 10 MiB" in str(refusal(rss("x" * 11 * 2**20)))


@pytest.mark.parametrize(
    "body",
    [rss("<title>a</title>"), atom("<title>a</title>"), "<opml/>", "<caps/>", "<error code='1'/>",
     '<?xml version="1.0"?>\n<!-- made by hand -->\n<rss version="0.91"></rss>', '<a:feed xmlns:a="http://www.w3.org/2005/Atom"/>'],
)  # fmt: skip
def test_feeds_and_what_comes_in_their_place_are_recognised(body):
    assert [cls.key for cls in recognise(body.encode())] == ["feed"]


@pytest.mark.parametrize("body", ["<feed/>", "<rdf:RDF/>", "<tv/>", "<html/>", "rss", "<rss", "[]", "<x><rss/></x>"])
def test_other_texts_are_not_taken_for_feeds(body):
    assert Feed not in recognise(body.encode())


def samples():
    if not SAMPLES:
        reason = "LISTKEEPER_SAMPLES names no folder of saved files with an expected.json"
        return [pytest.param("", {}, marks=pytest.mark.skip(reason=reason))]
    expected = json.loads((Path(SAMPLES) / "expected.json").read_text("utf-8"))
    return [
        pytest.param(path, facts, id=path) for path, facts in expected.items() if facts["kind"] in ("rss", "imdb_rss")
    ]


@pytest.mark.parametrize(("path", "expected"), samples())
def test_a_sample_is_read_as_somebody_else_counted_it(path, expected):
    body = (Path(SAMPLES) / path).read_bytes()
    assert [cls.key for cls in recognise(body)] == ["feed"]
    if not expected["count"]:
        problem = refusal(body)
        assert "Nothing was read." in str(problem)
        assert problem.line
        return
    rows = read(body)
    found = [row for row in rows if isinstance(row, Record)]
    assert [row for row in rows if not isinstance(row, Record | About)] == []
    assert len(found) == expected["count"]
    assert all(clean(record.values) == record.values for record in found)
    of_imdb = expected["kind"] == "imdb_rss"
    keys = [record.ids["imdb"] if of_imdb else record.key for record in found]
    names = [
        f"{r.values['title']} ({r.values['year']})" if of_imdb else r.values["title"] for r in (found[0], found[-1])
    ]
    assert keys == expected["ids"]
    assert [[keys[0], names[0]], [keys[-1], names[1]]] == [expected["first"], expected["last"]]
    assert sum("added_on" not in record.values for record in found) == expected.get("without_pubdate", 0)
