"""Text out of bytes: which encoding a file is in, and what it looks like before anybody reads it in earnest.

Nothing is guessed by statistics over many encodings: on short lists such guesses were wrong as often as right. Only the
two that people's old programs really wrote are told apart, by the shape of words.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from statistics import mode
from typing import Any, Literal

import orjson
from django.conf import settings

from sync.errors import BadPayload

HEAD = 65_536  # signs of text that recognition looks at
WINDOW = 512 * 1024  # bytes on each side of one that is no UTF-8, in which letters are counted
# What 64 MiB of real lists hold twice over. "{}," alone, in such a file, would become gigabytes of objects.
JSON_VALUES = 6_000_000
SAMPLE = 20  # items of a JSON list that recognition looks at

# Marks of the longer encoding first: UTF-32 (little endian) begins like UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BINARY = (
    (rb"PK\x03\x04(?=.*xl/)", "an Excel workbook. Save the sheet as CSV and upload that."),
    (rb"PK\x03\x04", "a ZIP archive. Unpack it and upload the list inside."),
    (rb"PK\x05\x06", "an empty ZIP archive."),
    (rb"\x1f\x8b", "compressed with gzip. Unpack it and upload the list inside."),
    (rb"\xfd7zXZ\x00|BZh[1-9]|\x28\xb5\x2f\xfd", "compressed. Unpack it and upload the list inside."),
    (rb"7z\xbc\xaf", "a 7-Zip archive. Unpack it and upload the list inside."),
    (rb"Rar!\x1a", "a RAR archive. Unpack it and upload the list inside."),
    (rb"\xd0\xcf\x11\xe0", "an old Office document. Save the sheet as CSV and upload that."),
    (rb"%PDF-", "a PDF document. Upload the list as CSV, JSON or text."),
    (rb"SQLite format 3\x00", "a database. Export the list from its program and upload that."),
    (rb"\x89PNG|\xff\xd8\xff|GIF8[79]a|RIFF....WEBP", "an image."),
    (rb"ID3[\x02-\x04]\x00|fLaC\x00|OggS\x00|RIFF....(WAVE|AVI )", "a sound or film file."),
)
# Python can "decode" these, but no list is written in them, and some take quadratic time.
_NO_FILE_ENCODINGS = {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"}

_HIGH = re.compile(rb"[\x80-\xff]")
_UTF8_LETTER = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_LETTER = re.compile(rb"[\xc0-\xff]")
# Accented letters of cp1252 stand between plain ones; in cp1251 whole words are above 0x80: small letters, perhaps after
# a capital, or capitals only. (a8, aa, af, b2 and b3, b8, ba, bf are the letters of the rest of Cyrillic Europe.)
_CYRILLIC_WORD = re.compile(
    rb"(?<![A-Za-z\xc0-\xff])"
    rb"(?:[\xc0-\xdf\xa8\xaa\xaf\xb2]?[\xe0-\xff\xb3\xb8\xba\xbf]{2,}|[\xc0-\xdf\xa8\xaa\xaf\xb2]{3,})"
    rb"(?![A-Za-z\xc0-\xff])"
)


def decode(body: bytes, named: str = "") -> tuple[str, str]:
    """(text without a byte order mark, the encoding as Python calls it).

    A byte order mark decides; else strict UTF-8; else what the user named; else cp1252, or cp1251 where whole words are
    Cyrillic. Raises BadPayload for what is empty, no text, or not in the encoding that it or the user claims.
    """
    _refuse_binary(body)
    text, encoding = _decoded(body, named.strip())
    text = text.replace("\x00", "").removeprefix("\ufeff")
    if not text or text.isspace():
        raise BadPayload("The file is empty. Nothing was read.")
    most = settings.FILE_LINES
    if max(text.count("\n"), text.count("\r")) > most:
        raise BadPayload(f"The file has more than {most:,} lines. Nothing was read. Split it and upload the parts.")
    return text, encoding


def _decoded(body: bytes, named: str) -> tuple[str, str]:
    for mark, name in _MARKS:
        if body.startswith(mark):
            return _strictly(body, name, f"The file says that it is {name.upper().removesuffix('-SIG')}, but"), name
    if b"\x00" in body:
        name = _unmarked_wide(body, named)
        return _strictly(body, name, f"Read as {name.upper()},"), name
    try:
        return body.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as e:
        return _decoded_otherwise(body, named, e.start)


def _decoded_otherwise(body: bytes, named: str, at: int) -> tuple[str, str]:
    """at: the first byte that is no UTF-8. Letters are counted around it, not in all of a large file."""
    line = _line(body, at)
    if named:
        name = _known_encoding(named)
        return _strictly(body, name, f"The file is not in {named}:"), name
    seen = body[max(0, at - WINDOW) : at + WINDOW]
    if sum(map(len, _UTF8_LETTER.findall(seen))) > 0.9 * len(_HIGH.findall(seen)):
        # Taken for cp1252, every other accented letter of the file would come out as two signs.
        raise BadPayload("The file is UTF-8, but this line holds bytes that are not. Nothing was read.", line=line)
    cyrillic = sum(map(len, _CYRILLIC_WORD.findall(seen))) * 2 > len(_LETTER.findall(seen))
    name = "cp1251" if cyrillic else "cp1252"
    try:
        return body.decode(name), name
    except UnicodeDecodeError as e:
        raise BadPayload(
            "The encoding of this text cannot be told from the file. Name it, for example cp1250 or shift_jis. "
            "Nothing was read.",
            line=_line(body, e.start),
        ) from None


def _strictly(body: bytes, name: str, complaint: str) -> str:
    try:
        return body.decode(name)
    except ValueError as e:
        line = _line(body, e.start if isinstance(e, UnicodeDecodeError) else 0)
        raise BadPayload(f"{complaint} here are bytes that mean nothing in it. Nothing was read.", line=line) from None


def _known_encoding(named: str) -> str:
    try:
        name = codecs.lookup(named).name
        "a".encode(name)  # refuses codecs that are not of text
        if name.replace("-", "_") not in _NO_FILE_ENCODINGS:
            return name
    except (LookupError, ValueError):
        pass
    raise BadPayload(f"There is no encoding called {named[:40]!r}. Try utf-8, cp1252 or cp1251.")


def _unmarked_wide(body: bytes, named: str) -> str:
    """Latin text in UTF-16 has a zero in (nearly) every other byte; other text with zeros is one that the user named."""
    if named and (name := _known_encoding(named)).startswith(("utf-16", "utf-32")):
        return name
    even, odd = body[0:HEAD:2], body[1:HEAD:2]
    for name, zeros, letters in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if zeros.count(0) > 0.7 * len(zeros) and not letters.count(0):
            return name
    line = _line(body, body.index(b"\x00"))
    raise BadPayload("This is not a text file: it holds a zero byte. Nothing was read.", line=line)


def _refuse_binary(body: bytes) -> None:
    for magic, what in _BINARY:
        if re.match(magic, body[:HEAD], re.DOTALL):
            raise BadPayload(f"This is not a text file: it is {what}")


def _line(body: bytes, at: int) -> int:
    return body.count(b"\n", 0, at) + 1


@dataclass(frozen=True, slots=True)
class Sniff:
    """What recognition sees of a file.

    head: the first 64 kB of text, without a byte order mark; tail: its last 400 signs.
    json: what the first sign promises; document: the parsed JSON with its lists cut to 20 items, or None if it is none
    or damaged.
    rows: the first ten rows as a table, cells stripped; empty for JSON.
    """

    head: str
    json: Literal["array", "object"] | None = None
    document: Any = None
    rows: tuple[tuple[str, ...], ...] = ()
    tail: str = ""


def sniff(body: bytes, encoding: str = "") -> Sniff:
    """What can be seen of a file at a glance. Raises BadPayload, as decode does."""
    text, _ = decode(body, encoding)
    head = text[:HEAD]
    promised: dict[str, Literal["array", "object"]] = {"[": "array", "{": "object"}
    kind = promised.get(head.lstrip()[:1])
    document = _sample(text) if kind else None
    rows = () if kind else _first_rows(head)
    return Sniff(head, kind, document, rows, text[-400:])


def parse_json(text: str) -> Any:
    """Raises orjson.JSONDecodeError for what is no JSON, BadPayload for more values than any list has."""
    if text.count("{") + text.count("[") > JSON_VALUES // 3 or text.count(",") > JSON_VALUES:
        raise BadPayload("The file holds more values than a list can have. Nothing was read. Split it.")
    return orjson.loads(text)


def within_limits(value: Any) -> None:
    """Raises BadPayload for a JSON list or object that nests too deep. Level by level: a document nests by at most a
    thousand, which is too deep for what walks through it later."""
    level = [value]
    for _ in range(settings.NESTING):
        level = [
            inner
            for part in level
            for inner in (part.values() if isinstance(part, dict) else part)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise BadPayload(f"Lists stand in lists more than {settings.NESTING} deep. Nothing was read.")


def _sample(text: str) -> Any:
    try:
        value = parse_json(text)
    except orjson.JSONDecodeError:
        return None
    if isinstance(value, list):
        return value[:SAMPLE]
    return {key: part[:SAMPLE] if isinstance(part, list) else part for key, part in value.items()}


def _first_rows(head: str) -> tuple[tuple[str, ...], ...]:
    rows = islice(_rows(head, delimiter_of(head)), 10)
    return tuple(tuple(cell.strip() for cell in row) for row in rows)


def delimiter_of(head: str) -> str:
    """The sign that parts the first lines into the same number of cells most often; a comma if none does."""

    def regularity(sign: str) -> tuple[float, int]:
        counts = [len(row) for row in islice(_rows(head, sign), 30)]
        columns = mode(counts) if counts else 1
        return (counts.count(columns) / len(counts), columns) if columns > 1 else (0.0, 0)

    return max(",;\t|", key=regularity)


def _rows(head: str, delimiter: str) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
    try:
        yield from (row for row in reader if any(row))
    except csv.Error:
        return  # a cell that is too long: the adapter says so with its line


def looks_like(head: str) -> str | None:
    """What a text that no list format fits plainly is ("a web page"), for a message; None if it could be anything."""
    start = head.lstrip()[:500].lower()
    if start.startswith(("<!doctype html", "<html")) or (start.startswith("<") and "<html" in start):
        return "a web page"
    if start.startswith("<"):
        return "an XML file"
    if start.startswith("#extm3u"):
        return "an M3U playlist"
    return None
