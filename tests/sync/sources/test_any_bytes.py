"""Whatever is in a file, an adapter gives rows or refuses it with a sentence; it never breaks."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lists.fields import clean
from lists.records import About, NotTaken, Record, Unreadable
from sync.adapters import ADAPTERS, Context, FileAdapter, recognise
from sync.errors import BadPayload

KEYS = sorted(
    key for key, cls in ADAPTERS.items() if issubclass(cls, FileAdapter) and cls.__module__.startswith("sync.sources.")
)
FOLDER = Path(__file__).parents[2] / "data" / "formats"
GOOD = {path.stem: path.read_bytes() for path in FOLDER.iterdir()}
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
    if refusal := refused(lambda: rows.extend(ADAPTERS[key]().fetch(Context(body, config or {})))):
        assert refusal.line is None or refusal.line >= 1
    return rows


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
    assert len(KEYS) >= 7


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


@st.composite
def damaged(draw, good: bytes) -> bytes:
    """A good file with some stretches cut out, doubled or overwritten."""
    body = good
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(body)))
        end = draw(st.integers(start, min(len(body), start + 60)))
        patch = draw(
            st.one_of(
                st.just(b""),
                st.just(body[start:end] * 2),
                st.binary(max_size=8),
                st.sampled_from(
                    [b'"', b",", b";", b"null", b"[]", b"{}", b"-1", b"99999999999", b"\n", b"\r", b"\xe9", b"tt1"]
                ),
            )
        )
        body = body[:start] + patch + body[end:]
    return body


@pytest.mark.parametrize("key", KEYS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_arbitrary_and_damaged_files_are_read_or_refused(key, data):
    body = data.draw(st.one_of(st.binary(max_size=300), st.text(max_size=200).map(str.encode), damaged(GOOD[key])))
    hold(read(key, body))
    refused(lambda: ADAPTERS[key]().columns(Context(body)))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["title", "name", "year", "ids", "trakt", "imdb", "tmdb", "tmdbId", "tvdbId", "titleSlug", "type", "movie", "show",
             "season", "episode", "number", "rank", "rating", "ratings", "images", "entry", "kind", "id", "genres", "items",
             "listkeeper", "entries", "list", "released", "monitored"]
        ),
        inner, max_size=5,
    ),
    max_leaves=20,
)  # fmt: skip


@pytest.mark.parametrize("key", ["arr_json", "json_list", "listkeeper_json", "trakt_json"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(items=st.lists(VALUES, max_size=4))
def test_any_json_in_the_place_of_items_is_read_or_refused(key, items):
    value = {"listkeeper": 1, "list": {"version": 1}, "entries": items} if key == "listkeeper_json" else items
    hold(read(key, json.dumps(value).encode("utf-8", "surrogatepass")))
