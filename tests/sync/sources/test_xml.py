"""How XML is read at all: as a stream, in any encoding, within limits, and never what lies outside of the file."""

import tracemalloc
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from lists.records import About
from sync.adapters import Context
from sync.errors import BadPayload
from sync.sources._xml import Element, read_xml, root_tag
from tests.sync.sources.test_any_bytes import hold, read

OPENED, PASSED = frozenset({"list"}), frozenset({"noise"})


def elements(body: str | bytes, **config) -> list[Element]:
    body = body.encode() if isinstance(body, str) else body
    return list(read_xml(Context(body, config), "a test", opened=OPENED, passed=PASSED))


def refusal(body: str | bytes, **config) -> BadPayload:
    with pytest.raises(BadPayload) as caught:
        elements(body, **config)
    assert "Nothing was read." in str(caught.value)
    return caught.value


def shown(found: list[Element]) -> list[tuple[str, str, int]]:
    return [(element.name, element.text, element.line) for element in found]


def test_the_root_comes_bare_and_what_is_in_it_whole():
    found = elements(
        '<top a="1">\n<list b="2">\n<one>x<two>y</two></one>\n</list>\n<noise c="3">z<list/></noise><end/></top>'
    )
    assert shown(found) == [("top", "", 1), ("list", "", 2), ("one", "x y", 3), ("noise", "", 5), ("end", "", 5)]
    assert [element.attributes for element in found] == [{"a": "1"}, {"b": "2"}, {}, {"c": "3"}, {}]


def test_names_are_parted_from_their_namespaces():
    top, one = elements('<top xmlns="urn:a" xmlns:b="urn:b"><b:one b:x="1" y="2"/></top>')
    assert (top.namespace, top.name, one.namespace, one.name) == ("urn:a", "top", "urn:b", "one")
    assert one.attributes == {"{urn:b}x": "1", "y": "2"}


def test_text_is_joined_from_its_parts():
    one = elements("<top><one> a &amp; b<![CDATA[ <i> &amp; ]]>&#233;<!-- no --><?no no?> c </one></top>")[1]
    assert one.text == "a & b <i> &amp; é c"


@pytest.mark.parametrize(
    ("body", "config"),
    [
        ("<r><a>Öl и</a></r>".encode("utf-8-sig"), {}),
        ('<?xml version="1.0" encoding="UTF-16"?><r><a>Öl и</a></r>'.encode("utf-16"), {}),
        ('<?xml version="1.0" encoding="UTF-8"?><r><a>Öl и</a></r>'.encode("utf-32"), {}),
        ('<?xml version="1.0" encoding="ISO-8859-1"?><r><a>Öl и</a></r>'.encode(), {}),  # it lies, and is UTF-8
        ('<?xml version="1.0" encoding="no-such"?><r><a>Öl и</a></r>'.encode(), {}),
        ('<?xml version="1.0" encoding="gb18030"?><r><a>Öl и</a></r>'.encode("gb18030"), {}),
        ('<?xml version="1.0"?><r><a>Öl и</a></r>'.encode("gb18030"), {"encoding": "gb18030"}),
        ('<?xml version="1.0" encoding="utf-8"?><r><a>Öl и</a></r>'.encode("gb18030"), {"encoding": "gb18030"}),
    ],
)
def test_encodings(body, config):
    assert elements(body, **config)[1].text == "Öl и"


@pytest.mark.parametrize("encoding", ["windows-1251", "koi8-r", "ISO-8859-5"])
def test_a_declared_encoding_goes_before_a_guess(encoding):
    body = f"<?xml version='1.0' encoding='{encoding}'?><r><a>Тихий прилив</a></r>".encode(encoding)
    assert elements(body)[1].text == "Тихий прилив"


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ('<?xml version="1.0" encoding="utf-8"?>\n<r>\n<a>Тихий</a></r>'.encode("cp1251"), 3),
        ('<?xml version="1.0" encoding="shift_jis"?>\n<r>\n<a>\xff\xfd</a></r>'.encode("latin-1"), 3),
    ],
)
def test_an_encoding_that_is_declared_wrongly_is_refused_with_the_line(body, line):
    assert refusal(body).line == line


def test_the_declaration_may_stand_behind_empty_lines():
    assert shown(elements('\n\n<?xml version="1.0"\n?>\n<r>\n<a/></r>')) == [("r", "", 5), ("a", "", 6)]


@pytest.mark.parametrize(
    "doctype",
    ['<!DOCTYPE r SYSTEM "r.dtd">', '<!DOCTYPE r PUBLIC "-//X//Y" "http://127.0.0.1:9/r.dtd">', "<!DOCTYPE r>"],
)
def test_a_named_type_is_passed_over_and_never_fetched(doctype, monkeypatch):
    def asked(*args, **kwargs):
        raise AssertionError("something was opened")

    monkeypatch.setattr("socket.socket.connect", asked)
    monkeypatch.setattr("builtins.open", asked)
    assert elements(f"{doctype}<r><a>x</a></r>")[1].text == "x"


def test_entities_of_web_pages_are_read_where_a_type_may_define_them():
    assert elements('<!DOCTYPE r SYSTEM "r.dtd"><r><a>caf&eacute;</a></r>')[1].text == "café"
    assert "an entity is used that nobody defines" in str(refusal("<r>\n<a>caf&eacute;</a></r>"))
    assert refusal('<!DOCTYPE r SYSTEM "r.dtd">\n<r>\n<a>&passwd;</a></r>').line == 3


@pytest.mark.parametrize(
    "subset",
    [
        '<!ENTITY x SYSTEM "file:///etc/passwd">',
        '<!ENTITY x SYSTEM "http://127.0.0.1:9/">',
        '<!ENTITY % x SYSTEM "http://127.0.0.1:9/x.dtd"> %x;',
        '<!ENTITY l "ha"><!ENTITY l2 "&l;&l;&l;&l;&l;&l;"><!ENTITY x "&l2;&l2;&l2;&l2;&l2;">',
        '<!ATTLIST a b CDATA "c">',
        "",
    ],
)
def test_definitions_of_its_own_are_refused(subset):
    problem = refusal(f'<?xml version="1.0"?>\n<!DOCTYPE r [{subset}]><r><a>&x;</a></r>')
    assert str(problem).startswith("The file brings definitions of its own (a DTD), which could do harm.")
    assert problem.line == 2


@pytest.mark.parametrize(
    ("body", "says", "line"),
    [
        ("<r>\n<a>x</a>\n<a>y", "The file breaks off here", 3),
        ("<r>\n<a>x</a>\n<a", "The file breaks off here", 3),
        ("<r>\n<a><![CDATA[x", "The file breaks off here", 2),
        ("<!-- nothing -->\n", "The file breaks off here", 2),
        ("<r>\n<a>x</b></r>", "a tag is closed here that is not the open one", 2),
        ("<r>\n<a>\x08</a></r>", "there is a sign here that XML does not allow", 2),
        ("<r>\n<a>x & y</a></r>", "there is a sign here that XML does not allow", 2),
        ('<r>\n<a b="1" b="2"/></r>', "an attribute stands twice", 2),
        ("<r/>\n<r/>", "something follows the end", 2),
        ("<r>\n<x:a/></r>", "a prefix is used that nobody declares", 2),
        ("\nTitle,Year\n", "This is another kind of text, not a test", None),
        ("<!DOCTYPE html><html><p>Sign in</html>", "This is a web page, not a test", None),
        ("#EXTM3U\n", "This is an M3U playlist, not a test", None),
    ],
)
def test_what_is_broken_is_refused_with_the_line(body, says, line):
    problem = refusal(body)
    assert says in str(problem)
    assert problem.line == line


def test_what_stands_before_the_break_is_given_first():
    found = read_xml(Context(b"<r><a>x</a><a>y</a><a"), "a test")
    assert [next(found).text for _ in range(3)] == ["", "x", "y"]
    with pytest.raises(BadPayload, match="breaks off"):
        next(found)


def test_depth_is_limited(settings):
    settings.NESTING = 10
    assert elements("<r>" + "<a>" * 9 + "</a>" * 9 + "</r>")
    problem = refusal("<r>\n" + "<a>" * 10 + "</a>" * 10 + "</r>")
    assert str(problem).startswith("Elements stand in each other more than 10 deep.")
    assert problem.line == 2
    assert refusal("<r><noise>" + "<a>" * 9 + "</a>" * 9 + "</noise></r>")


HUGE = 12 * 2**20


@pytest.mark.parametrize(
    ("start", "part", "end"),
    [
        ("<r><!-- ", "x", " --></r>"),
        ("<r><?x ", "x", "?></r>"),
        ('<r><a b="', "x", '"/></r>'),
        ("<r><", "x", "/></r>"),
        ("<r><a>", "x", "</a></r>"),
        ("<r><a><![CDATA[", "x", "]]></a></r>"),
        ("<r><a>", "<b/>", "</a></r>"),
        ("<r><a>", "x<!---->", "</a></r>"),
    ],
    ids=["comment", "instruction", "attribute", "name", "text", "cdata", "elements", "parts"],
)
def test_nothing_huge_is_kept_in_memory(start, part, end):
    context = Context((start + part * (HUGE // len(part)) + end).encode())
    assert context.text
    tracemalloc.start()
    try:
        with pytest.raises(BadPayload, match=r"larger than \d MiB"):
            list(read_xml(context, "a test"))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40 * 2**20


@pytest.mark.parametrize("part", ["<a{}/>", '<a b{}=""/>', '<a xmlns:p{0}="urn:{0}"/>'])
def test_the_number_of_names_is_limited(part):
    names = "".join(part.format(n) for n in range(20_000))
    assert "different names" in str(refusal(f"<r>{names}</r>"))


@pytest.mark.parametrize(
    ("head", "root"),
    [
        ('<rss version="2.0"><channel>', ("rss", ' version="2.0"')),
        ('\n<?xml version="1.0"?>\n<!-- <no> -->\n<!DOCTYPE tv SYSTEM "xmltv.dtd">\n<tv>', ("tv", "")),
        ("<!DOCTYPE r [<!ENTITY x 'y'>]><r>", ("r", "")),
        ('<rdf:RDF xmlns="urn:x">', ("RDF", ' xmlns="urn:x"')),
        ("Title,Year", ("", "")),
        ("< rss>", ("", "")),
        ("<rss", ("", "")),
        ("", ("", "")),
        ("<?" * 30_000, ("", "")),
        ("<!DOCTYPE r [" + "] " * 30_000, ("", "")),
        ("<!--x-->" * 8_000, ("", "")),
    ],
    ids=lambda part: repr(part)[:30],
)
def test_the_first_tag_is_found_at_a_glance(head, root):
    assert root_tag(head) == root


NAMES = [
    "title", "link", "guid", "id", "description", "content", "category", "pubDate", "updated", "dc:date", "l:filmTitle", "l:filmYear",
    "l:memberRating", "l:watchedDate", "l:rewatch", "tmdb:movieId", "tmdb:tvId", "n:attr", "display-name", "icon", "url",
]  # fmt: skip
TEXTS = [
    "Salt (2021)", "S01E02", "S9999E9999", "tt0000011", "imdb://tt1", "tmdb://movie/7", "https://www.imdb.com/title/tt0000011/",
    "https://www.themoviedb.org/tv/7", "0", "-1", "1e9", "²", "9" * 400, "2024-02-31", "person", "show", "<img src='https://a/b.jpg'>",
    "&#xD800;&bogus;&#0;", "\u202e", "letterboxd-list-1",
]  # fmt: skip
ANY_TEXT = st.sampled_from(TEXTS) | st.text(
    st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff")
)


@st.composite
def any_element(draw) -> str:
    name = draw(st.sampled_from(NAMES))
    names = ["href", "rel", "type", "name", "value", "src", "lang", "id"]
    attributes = draw(st.dictionaries(st.sampled_from(names), ANY_TEXT | st.sampled_from(["html", "imdb", "category"])))
    written = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
    return f"<{name}{written}>{escape(draw(ANY_TEXT))}</{name}>"


@pytest.mark.parametrize(
    ("key", "start", "part", "end"),
    [
        ("feed", "<rss {}><channel>", "item", "</channel></rss>"),
        ("feed", '<feed xmlns="http://www.w3.org/2005/Atom" {}>', "entry", "</feed>"),
        ("xmltv", "<tv {}>", "channel", "</tv>"),
    ],
    ids=["rss", "atom", "xmltv"],
)
@hypothesis(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(parts=st.lists(st.lists(any_element(), max_size=8), max_size=3))
def test_anything_in_the_place_of_items_is_read_or_refused(key, start, part, end, parts):
    known = {"l": "https://letterboxd.com", "tmdb": "https://themoviedb.org", "dc": "http://purl.org/dc/elements/1.1/"}
    known["n"] = "http://torznab.com/schemas/2015/feed"
    spaces = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in known.items())
    items = "".join(f'<{part} id="i{n}">{"".join(inner)}</{part}>' for n, inner in enumerate(parts))
    rows = read(key, f"{start.format(spaces)}{items}{end}".encode())
    hold(rows)
    assert sum(not isinstance(row, About) for row in rows) == len(parts)
