"""`manage.py preview`: a file read as an upload would be, with no database at hand (these tests have none)."""

import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from lists.credentials import blank
from sync.adapters import ADAPTERS

SAMPLES = os.environ.get("LISTKEEPER_SAMPLES", "")
FORMATS = Path(__file__).parents[1] / "data" / "formats"
CUE = 'PERFORMER "Ann"\nTITLE "Night"\nFILE "n.wav" WAVE\nTRACK 01 AUDIO\nTITLE "One"\nINDEX 01 00:00:00\nTRACK 02 AUDIO\nTITLE "Two"\nINDEX 01 61:00:00\n'
FILMS = (
    "Title,Year,IMDb ID\nHarbour,1990,tt0000001\nBad,soon,tt0000002\nLantern,1991,tt0000003\nHarbour,1990,tt0000001\n"
)


@pytest.fixture
def preview(tmp_path):
    """What the command prints of a path, or of content that it finds as a file."""

    def preview(what: Any, *options: str) -> str:
        path = what
        if not isinstance(what, Path):
            path = tmp_path / "file"
            path.write_bytes(what.encode() if isinstance(what, str) else what)
        out = io.StringIO()
        call_command("preview", str(path), *options, stdout=out)
        return out.getvalue()

    return preview


def archive(**files: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name, content in files.items():
            packed.writestr(name.replace("__", "/") + ".csv", content)
    return out.getvalue()


def test_it_tells_people_what_is_in_a_file(preview):
    told = preview(FILMS)
    assert "CSV" in told
    assert "csv_table" in told
    assert "utf-8" in told
    assert "3 read (films), 1 unreadable, 1 there twice" in told
    assert "1  Harbour (1990)  movie imdb:tt0000001" in told
    assert "Line 3: Year must be a year" in told


def test_it_tells_programs_everything(preview):
    told = json.loads(preview(FILMS, "--json"))
    assert (told["format"], told["encoding"], told["content"], told["count"]) == ("csv_table", "utf-8", "films", 3)
    first = told["records"][0]
    assert first["ids"] == {"imdb": "tt0000001"}
    assert first["values"] == {"title": "Harbour", "year": 1990}
    assert (first["kind"], first["line"], first["position"]) == ("movie", 2, 1)
    assert [(row["line"], row["key"]) for row in told["unreadable"]] == [(3, "imdb:tt0000002")]
    assert [row["line"] for row in told["doubles"]] == [5]
    assert (told["part"], told["parts"], told["not_taken"]) == ("", [], {})


def test_title_and_facts_of_the_list_are_shown(preview):
    told = json.loads(preview(CUE, "--json"))
    assert (told["title"], told["facts"]["performer"], told["content"]) == ("Night", "Ann", "tracks")
    assert [row["values"]["cue_ms"] for row in told["records"]] == [0, 3_660_000]
    assert "1:01:00  Ann - Two" in preview(CUE)


def test_a_limit_cuts_what_is_shown_and_not_what_is_counted(preview):
    body = "Title,Year\n" + "".join(f"Film {n},1990\n" for n in range(50))
    told = json.loads(preview(body, "--json", "--limit", "3"))
    assert (told["count"], len(told["records"])) == (50, 3)
    lines = preview(body, "--limit", "1").splitlines()
    assert lines[-3:] == ["     1  Film 0 (1990)  movie", "... 48 more ...", "    50  Film 49 (1990)  movie"]


def test_the_format_and_the_encoding_can_be_named(preview):
    body = "Title,Year\nЗелёная гавань,1990\n".encode("koi8-r")
    told = json.loads(preview(body, "--json", "--encoding", "koi8-r", "--format", "csv_table"))
    assert (told["encoding"], told["records"][0]["values"]["title"]) == ("koi8-r", "Зелёная гавань")


def test_of_an_archive_one_part_is_read_and_the_others_are_named(preview):
    body = archive(watchlist="Title,Year\nHarbour,1990\n", lists__old="Title,Year\nLantern,1991\nBuoy,1992\n")
    told = json.loads(preview(body, "--json"))
    assert (told["part"], told["count"]) == ("watchlist.csv", 1)
    assert {row["part"] for row in told["parts"]} == {"watchlist.csv", "lists/old.csv"}
    assert "with --part: lists/old.csv" in preview(body)
    assert json.loads(preview(body, "--json", "--part", "lists/old.csv"))["count"] == 2


def test_logins_in_addresses_are_not_shown(preview):
    body = "Title,Year,URL\nHarbour,1990,https://ada:secret-word@films.example/1?token=secret-word\n"
    assert "secret-word" not in preview(body, "--json") + preview(body)


def test_signs_that_a_terminal_obeys_are_shown_by_their_numbers(preview):
    told = preview("Title,Year\n\x1b[2JHarbour\u202e,1990\nFünf\u3000Lichter,1991\n")
    assert "\\x1b[2JHarbour\\u202e (1990)" in told
    assert "Fünf\u3000Lichter (1991)" in told


@pytest.mark.parametrize(
    ("content", "options", "sentence"),
    [
        ("", (), "The file is empty"),
        ("just words\n", (), "We do not recognise this file"),
        ("<html><body>Sign in</body></html>", (), "This looks like a web page"),
        ("[{", ("--format", "json_list"), "Line 1: This is not JSON"),
        ("Title\nx\n", ("--format", "nope"), "no source type 'nope'"),
        ("Title\nx\n", ("--format", "scripted_live"), "not a file format"),
        ("Title\nx\xff\n".encode("latin-1"), ("--encoding", "nope"), "no encoding called 'nope'"),
        (archive(a="Title,Year\nx,1990\n"), ("--part", "b.csv"), "The archive holds no 'b.csv'"),
    ],
)
def test_what_cannot_be_read_ends_in_a_sentence(preview, content, options, sentence):
    with pytest.raises(CommandError, match=sentence):
        preview(content, *options)


def test_a_file_that_is_none_or_too_large_ends_in_a_sentence(preview, tmp_path, settings):
    with pytest.raises(CommandError, match="There is no file"):
        preview(tmp_path / "missing.csv")
    with pytest.raises(CommandError, match="is a folder"):
        preview(tmp_path)
    settings.UPLOAD_LIMIT_MIB = 1
    with pytest.raises(CommandError, match="larger than 1 MiB"):
        preview(b"Title\n" + b"x" * 2**20)


@pytest.mark.parametrize("path", sorted(FORMATS.iterdir()), ids=lambda path: path.stem)
def test_every_format_can_be_previewed(preview, path):
    told = json.loads(preview(path, "--json"))
    assert told["format"] == path.stem
    assert told["count"] >= 2
    assert ADAPTERS[path.stem].label in preview(path)


def number(namespace: str, record: dict[str, Any]) -> int:
    return int(record["ids"][namespace].rsplit("/", 1)[1])


# What somebody else counted a file by: their word for the kind of file -> (our format, the id of one of our records).
# Where theirs is no id of ours, only counts and titles are compared.
KINDS: dict[str, tuple[str, Any]] = {
    "imdb_csv": ("imdb_csv", lambda row: row["ids"]["imdb"]),
    "imdb_html_next_data": ("imdb_page", lambda row: row["ids"]["imdb"]),
    "imdb_rss": ("feed", lambda row: row["ids"]["imdb"]),
    "stevenlu_json": ("json_list", lambda row: row["ids"]["imdb"]),
    "trakt_list": ("trakt_json", lambda row: number("trakt", row) if "trakt" in row["ids"] else None),
    "arr": ("arr_json", lambda row: number("tvdb" if row["kind"] == "show" else "tmdb", row)),
    "couchpotato": ("couchpotato_json", lambda row: row["ids"]["imdb"]),
    "letterboxd_csv": ("letterboxd_csv", lambda row: row["values"]["address"]),
    "tmdb_csv": ("csv_table", lambda row: str(number("tmdb", row))),
    "simkl": ("simkl_json", lambda row: number("simkl", row)),
    "anilist": ("anilist_json", lambda row: number("mal", row)),
    "cue": ("cue", lambda row: row["position"]),
    "text_tracklist": ("tracklist_text", lambda row: row["position"]),
    "1001tracklists_html": ("tracklists_1001", lambda row: row["position"]),
    "m3u": ("m3u", lambda row: row["values"].get("guide_id")),
    "xmltv": ("xmltv", lambda row: row["values"].get("guide_id")),
    "rss": ("feed", lambda row: row["key"]),
}


def samples() -> list[Any]:
    if not SAMPLES:
        reason = "LISTKEEPER_SAMPLES names no folder of saved files with an expected.json"
        return [pytest.param("", {}, marks=pytest.mark.skip(reason=reason))]
    expected = json.loads((Path(SAMPLES) / "expected.json").read_text("utf-8"))
    return [pytest.param(path, facts, id=path) for path, facts in expected.items() if facts.get("kind") in KINDS]


def title_of(row: dict[str, Any], stated: str) -> str:
    """The title as the other counted it: some take the year and the artist for a part of it."""
    values = row["values"]
    title = values.get("title", "ID")
    name = f"{values['artist']} - {title}" if "artist" in values else title
    by_year = f"{title} ({values.get('year')}"
    return next((form for form in (name, title, stated if stated.startswith(by_year) else "") if form == stated), name)


@pytest.mark.covers("SRC-22")
@pytest.mark.parametrize(("path", "expected"), samples())
def test_a_sample_is_previewed_as_somebody_else_counted_it(preview, path: str, expected: dict[str, Any]) -> None:
    key, id_of = KINDS[expected["kind"]]
    refusal = ""
    try:
        told = json.loads(preview(Path(SAMPLES) / path, "--json"))
    except CommandError as e:
        refusal = str(e)
    if refusal:
        assert refusal.endswith((".", "?"))
        assert "Nothing was" in refusal
        assert_nothing_to_read(path, expected)
        return
    rows = told["records"]
    assert told["format"] == key
    if "/flac/bad." in f"/{path}":
        return  # a lenient reader may take it; it has ended without a crash
    others = sum(told["not_taken"].values())
    assert told["count"] + others == len(rows) + others == expected["count"]
    if others:
        return
    assert told["unreadable"] == []
    agree(rows, expected, id_of)


def assert_nothing_to_read(path: str, expected: dict[str, Any]) -> None:
    assert not expected["count"] or "people" in path or "profiles" in path or "/flac/bad." in f"/{path}"


def agree(rows: list[dict[str, Any]], expected: dict[str, Any], id_of: Any) -> None:
    # What others took for an id may hold a login, which we show to nobody.
    assert [id_of(row) for row in rows] == [blank(id_) if isinstance(id_, str) else id_ for id_ in expected["ids"]]
    for row, stated in ((rows[0], expected["first"]), (rows[-1], expected["last"])) if rows else ():
        if stated[1] is not None:
            assert title_of(row, stated[1]) == stated[1]
    if "titles" in expected and expected["kind"] == "m3u":
        assert [title_of(row, title) for row, title in zip(rows, expected["titles"], strict=True)] == expected["titles"]
    if "index01_seconds" in expected:
        times = [None if s is None else round(s * 1000) for s in expected["index01_seconds"]]
        assert [row["values"].get("cue_ms") for row in rows] == times
    remarks = expected.get("visible_remarks_outside_metadata", {})
    for row, item in zip(rows, expected.get("items", ()), strict=False):
        if item[1] is not None:
            stated = " ".join(filter(None, [item[1], remarks.get(str(item[0]))]))
            assert title_of(row, stated) == stated
    if "cue_seconds" in expected:
        cues = [None if s is None else s * 1000 for s in expected["cue_seconds"]]
        assert [row["values"].get("cue_ms") for row in rows] == cues
