"""Whatever is in a file, an adapter gives rows or refuses it with a sentence; it never breaks, and it never hangs."""

import gzip
import io
import json
import os
import re
import signal
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lists.fields import clean
from lists.records import About, NotTaken, Record, Unreadable
from sync.adapters import ADAPTERS, Context, FileAdapter, lists_in, recognise
from sync.errors import BadPayload

KEYS = sorted(
    key for key, cls in ADAPTERS.items() if issubclass(cls, FileAdapter) and cls.__module__.startswith("sync.sources.")
)
FOLDER = Path(__file__).parents[2] / "data" / "formats"
GOOD = {path.stem: path.read_bytes() for path in FOLDER.iterdir()}
LONG = bool(os.environ.get("LISTKEEPER_LONG_TESTS"))
EXAMPLES = 1000 if LONG else 60
HANG_S = 10  # for one file of some kilobytes; a slow machine needs a hundredth of it
KINDS = {"movie", "show", "season", "episode", "track", "channel", "radio", "other"}

NASTY = [
    b"", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"<!DOCTYPE html><html><body>Sign in</body></html>", b"[", b"{", b"[]", b"{}",
    b"[NaN]", b"[Infinity]", b"[" + b"9" * 5000 + b"]", b"[1e999]", b'["\\ud800"]', b'["\\u0000"]',
    b"[" * 100_000, b'{"a":' * 5000, b"[" * 900 + b"]" * 900, b'"' * 1001, b"," * 10_000, b"\n" * 100_000, b"a" * 2**20,
    b'Const,Title\n"' + b"x" * 9 * 2**20, b"Title\n" + b'"' + b"x" * 2**20 + b'"\n', b"Title,Title,Title\n,,\n",
    b"\r\r\n\n\r", b"sep=", b"sep=;", b"sep=\x22\nTitle\nHeat\n", b'[{"listkeeper": 1}]', b'{"listkeeper": 1, "entries": [[]]}',
    b'{"items": {"title": 1}}', b'[{"title": {"title": []}}]', b'[{"ids": {"trakt": {}}, "title": []}]',
    b'[{"type": [], "movie": {"ids": []}}]', b'[{"tmdbId": [], "images": [1, {}], "ratings": [], "titleSlug": 1}]',
    b"TRACK\n" * 1000, b"TRACK 1\nINDEX 1 " + b"9" * 5000 + b":00:00", b"TITLE \"\nTRACK 1 '\nTITLE '", b"FILE\nTRACK 1\nFILE\n",
    "Title\nÜ\u0085\u2028\u200f\U0001f600".encode(), b"PK\x03\x04", b"%PDF-1.7", b"title,year\r\nHeat,\xff\xfe\r\n",
]  # fmt: skip


def read(key: str, body: bytes, config: dict | None = None) -> list:
    """Rows up to a refusal; anything else that goes wrong is the test's failure."""
    rows = []
    with at_most(HANG_S):
        if refusal := refused(lambda: rows.extend(ADAPTERS[key]().fetch(Context(body, config or {})))):
            assert refusal.line is None or refusal.line >= 1
    return rows


@contextmanager
def at_most(seconds: int) -> Iterator[None]:
    """Ends what is caught in a pattern or a loop, and says where it is."""

    def end(*args: object) -> None:
        raise TimeoutError(f"longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def refused(act: Callable[[], object]) -> BadPayload | None:
    try:
        act()
    except BadPayload as e:
        refusal = e
    else:
        return None
    assert str(refusal).strip()
    return refusal


def hold(rows: list) -> None:
    """What every row promises to the pipeline."""
    for row in rows:
        assert isinstance(row, Record | Unreadable | NotTaken | About)
        if isinstance(row, Record):
            assert clean(row.values) or row.ids or row.kind == "track"
            assert row.kind in KINDS
            assert row.key.strip()
            assert 0 < row.position < 2**31
            assert all(name and value for name, value in row.ids.items())
            assert 1800 <= row.values.get("year", 1995) < 2200
            assert all(value >= 0 for value in row.values.values() if isinstance(value, int | float))
        if isinstance(row, Unreadable):
            assert row.reason.endswith((".", "?"))
            assert len(row.text) <= 200


@pytest.mark.parametrize("key", KEYS)
def test_a_good_file_is_recognised_and_read(key):
    assert recognise(GOOD[key])[0].key == key
    rows = read(key, GOOD[key])
    hold(rows)
    assert len([row for row in rows if isinstance(row, Record)]) >= 2
    assert not [row for row in rows if isinstance(row, Unreadable)]


def test_every_file_format_has_a_good_file_of_its_name():
    assert sorted(GOOD) == KEYS
    assert len(KEYS) >= 15


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("body", NASTY, ids=lambda body: repr(body[:24]))
def test_a_nasty_file_is_read_or_refused(key, body):
    hold(read(key, body))


@pytest.mark.parametrize("body", NASTY, ids=lambda body: repr(body[:24]))
def test_recognition_of_a_nasty_file_gives_formats_or_a_refusal(body):
    formats = []
    refused(lambda: formats.extend(recognise(body)))
    for cls in formats:
        hold(read(cls.key, body))


# What a damaged place may hold: signs that mean something in one of the formats, and values that mean nothing.
PATCHES = [
    b'"', b"'", b",", b";", b"|", b"=", b":", b"#", b"&", b"<", b">", b"/", b"(", b"[", b"{", b"null", b"[]", b"{}", b"-1",
    b"99999999999", b"1e999", b"\n", b"\r", b"\t", b"\x00", b"\xe9", b"\xff\xfe", b"\xef\xbb\xbf", b"tt1", b"&lt;", b"&#0;",
    b"&#x110000;", b"&x;", b"<![CDATA[", b"]]>", b"<!--", b"<!DOCTYPE x [", b"<?xml", b"</", b"<a", b"<script>", b"</script>",
    b"#EXTINF:", b"#EXTM3U", b"http://", b"://", b"@", b"TRACK", b"INDEX", b"00:00", b" - ", b"w/", b"ID", b"\xe2\x80\x8f", b"\xed\xa0\x80",
]  # fmt: skip
# The pieces a file of any of the formats is made of: tags, strings, words, signs.
PIECE = re.compile(rb'<[^<>]{0,200}>|"[^"\n]{0,200}"|[\w.:-]+|\s+|.', re.DOTALL)


@st.composite
def damaged(draw: st.DrawFn, good: bytes) -> bytes:
    """A good file with some stretches cut out, doubled or overwritten."""
    body = good
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(body)))
        end = draw(st.integers(start, min(len(body), start + 60)))
        patch = draw(
            st.one_of(
                st.just(b""), st.just(body[start:end] * 2), st.binary(max_size=8), st.sampled_from(PATCHES),
                st.sampled_from(PATCHES).map(lambda patch: patch * 300),
            )
        )  # fmt: skip
        body = body[:start] + patch + body[end:]
    return body


@st.composite
def rearranged(draw: st.DrawFn, good: bytes) -> bytes:
    """A good file whose pieces (tags, strings, words) are moved, doubled, swapped or taken from elsewhere in it."""
    pieces = PIECE.findall(good)
    for _ in range(draw(st.integers(1, 6))):
        at, other = draw(st.integers(0, len(pieces))), draw(st.integers(0, len(pieces)))
        stretch = pieces[other : other + draw(st.integers(1, 12))]
        how = draw(st.sampled_from(["insert", "replace", "repeat", "drop"]))
        if how == "drop":
            del pieces[at : at + len(stretch)]
        elif how == "replace":
            pieces[at : at + len(stretch)] = stretch
        else:
            pieces[at:at] = stretch * (draw(st.integers(2, 40)) if how == "repeat" else 1)
    return b"".join(pieces)


@st.composite
def otherwise_encoded(draw: st.DrawFn, good: bytes) -> bytes:
    """The same text in another encoding, with a mark that may lie."""
    name = draw(
        st.sampled_from(["utf-8-sig", "utf-16", "utf-16-be", "utf-32", "cp1251", "cp1252", "gb18030", "shift_jis"])
    )
    mark = draw(st.sampled_from([b"", b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\x00\x00\xfe\xff"]))
    return mark + good.decode("utf-8", "replace").encode(name, "replace")


def some_file_like(good: bytes) -> st.SearchStrategy[bytes]:
    return st.one_of(
        st.binary(max_size=300), st.text(max_size=200).map(str.encode), damaged(good), damaged(good), rearranged(good),
        otherwise_encoded(good),
    )  # fmt: skip


@pytest.mark.parametrize("key", KEYS)
@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_arbitrary_and_damaged_files_are_read_or_refused(key, data):
    body = data.draw(some_file_like(GOOD[key]))
    encoding = data.draw(st.sampled_from(["", "", "", "cp1251", "utf-16", "gb18030", "nonsense"]))
    hold(read(key, body, {"encoding": encoding} if encoding else {}))
    with at_most(HANG_S):
        refused(lambda: ADAPTERS[key]().columns(Context(body)))


@settings(max_examples=EXAMPLES * 5, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_recognises_a_damaged_file_reads_or_refuses_it(data):
    """Each format sees the damaged files of all others."""
    body = data.draw(some_file_like(GOOD[data.draw(st.sampled_from(KEYS))]))
    formats: list = []
    with at_most(HANG_S):
        refused(lambda: formats.extend(recognise(body)))
    for cls in formats:
        hold(read(cls.key, body))


def archive(*files: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files:
            packed.writestr(name, content)
    return out.getvalue()


PACKED = archive(*((f"lists/{key}", GOOD[key]) for key in KEYS[:4]))


@settings(max_examples=EXAMPLES * 5, suppress_health_check=list(HealthCheck))
@given(body=st.one_of(damaged(PACKED), rearranged(PACKED), damaged(gzip.compress(GOOD["csv_table"]))))
def test_a_damaged_archive_is_unpacked_or_refused(body):
    offers: list = []
    with at_most(HANG_S):
        refused(lambda: offers.extend(lists_in(body)))
        refused(lambda: recognise(body))
    for offer in offers:
        hold(read(offer.adapter.key, body, {"part": offer.part}))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["title", "name", "year", "ids", "trakt", "imdb", "tmdb", "tmdbId", "tvdbId", "titleSlug", "type", "movie", "show",
             "season", "episode", "number", "rank", "rating", "ratings", "images", "entry", "kind", "id", "genres", "items",
             "listkeeper", "entries", "list", "released", "monitored", "simkl", "idMal", "media", "lists", "data", "status",
             "score", "startDate", "day", "movies", "shows", "anime", "info", "titles", "identifiers", "user_rating"]
        ),
        inner, max_size=5,
    ),
    max_leaves=20,
)  # fmt: skip


@pytest.mark.parametrize("key", ["arr_json", "json_list", "listkeeper_json", "trakt_json"])
@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(items=st.lists(VALUES, max_size=4))
def test_any_json_in_the_place_of_items_is_read_or_refused(key, items):
    value = {"listkeeper": 1, "list": {"version": 1}, "entries": items} if key == "listkeeper_json" else items
    hold(read(key, json.dumps(value).encode("utf-8", "surrogatepass")))


DATA = re.compile(rb'(<script id="__NEXT_DATA__"[^>]*>)(.*?)(</script>)', re.DOTALL)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """(container, key or index) of everything in a JSON value."""
    for name, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, name
        if isinstance(inner, dict | list):
            yield from places(inner)


@pytest.mark.parametrize("key", [key for key in KEYS if key.endswith("_json") or key in ("json_list", "imdb_page")])
@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_json_in_any_place_of_a_good_file_is_read_or_refused(key, data):
    page = DATA.search(GOOD[key])
    value = json.loads(page[2] if page else GOOD[key])
    for _ in range(data.draw(st.integers(1, 3))):
        if not (found := list(places(value))):
            break
        container, name = data.draw(st.sampled_from(found))
        container[name] = data.draw(VALUES)
    content = json.dumps(value).encode("utf-8", "surrogatepass")
    body = GOOD[key][: page.start(2)] + content + GOOD[key][page.end(2) :] if page else content
    hold(read(key, body))
