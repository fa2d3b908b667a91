"""Bytes become text in the encoding that they are in, or a sentence that says why not."""

import codecs

import pytest

from sync.errors import BadPayload
from sync.text import decode, delimiter_of, looks_like, sniff


@pytest.mark.parametrize(
    ("body", "text", "encoding"),
    [
        (b"Heat", "Heat", "utf-8"),
        ("Amélie".encode(), "Amélie", "utf-8"),
        (codecs.BOM_UTF8 + "Amélie".encode(), "Amélie", "utf-8-sig"),
        ("Amélie".encode("utf-16"), "Amélie", "utf-16"),
        (codecs.BOM_UTF16_BE + "Amélie".encode("utf-16-be"), "Amélie", "utf-16"),
        ("Amélie".encode("utf-32"), "Amélie", "utf-32"),
        ("title,year\r\nHeat,1995\r\n".encode("utf-16-le"), "title,year\r\nHeat,1995\r\n", "utf-16-le"),
        ("title,year\r\nHeat,1995\r\n".encode("utf-16-be"), "title,year\r\nHeat,1995\r\n", "utf-16-be"),
        ("Größe, Ñandú, CAFÉ, ¿Qué?".encode("cp1252"), "Größe, Ñandú, CAFÉ, ¿Qué?", "cp1252"),
        ("ää, Größe, Amélie, Ñandú, café".encode("cp1252"), "ää, Größe, Amélie, Ñandú, café", "cp1252"),
        ("Wond’ring – Aloud".encode("cp1252"), "Wond’ring – Aloud", "cp1252"),
        ("«Солярис» и Сталкер".encode("cp1251"), "«Солярис» и Сталкер", "cp1251"),
        ("ИДИ И СМОТРИ".encode("cp1251"), "ИДИ И СМОТРИ", "cp1251"),
        ("Тіні забутих предків".encode("cp1251"), "Тіні забутих предків", "cp1251"),
    ],
)
def test_text_is_read_in_the_encoding_that_it_is_in(body, text, encoding):
    assert decode(body) == (text, encoding)


@pytest.mark.parametrize(
    ("named", "text", "encoding"), [("cp1250", "Příběh", "cp1250"), ("Windows-1251", "Мир", "cp1251")]
)
def test_a_named_encoding_goes_before_the_guess(named, text, encoding):
    assert decode(text.encode(encoding), named) == (text, encoding)


def test_utf8_goes_before_a_named_encoding():
    assert decode("Amélie".encode(), "cp1252") == ("Amélie", "utf-8")


def test_a_named_wide_encoding_needs_no_mark():
    assert decode("Мир и мир".encode("utf-16-le"), "utf-16-le") == ("Мир и мир", "utf-16-le")


@pytest.mark.parametrize("named", ["klingon", "base64", "idna", "unicode_escape", "a\x00b", "undefined"])
def test_an_unknown_encoding_is_refused_by_its_name(named):
    with pytest.raises(BadPayload, match="no encoding called"):
        decode("é".encode("cp1252"), named)


def test_text_that_is_not_in_the_named_encoding_is_refused_with_its_line():
    with pytest.raises(BadPayload, match="not in ascii") as refusal:
        decode(b"one\ntwo \xe9\n", "ascii")
    assert refusal.value.line == 2


def test_one_damaged_byte_does_not_turn_a_utf8_file_into_another_encoding():
    body = ("Amélie\n" * 20).encode() + b"Am\xe9lie\n" + ("Amélie\n" * 20).encode()
    with pytest.raises(BadPayload, match="The file is UTF-8") as refusal:
        decode(body)
    assert refusal.value.line == 21


def test_text_of_no_known_encoding_is_not_guessed():
    with pytest.raises(BadPayload, match="Name it"):
        decode("Źrebię na łące".encode("cp1250"))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "empty"),
        (b" \r\n\t", "empty"),
        (codecs.BOM_UTF8, "empty"),
        (codecs.BOM_UTF16_LE, "empty"),
        (b"PK\x03\x04rest", "ZIP archive"),
        (b"PK\x03\x04\x14\x00xl/workbook.xml", "Excel workbook"),
        (b"\x1f\x8b\x08rest", "gzip"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\x89PNG\r\n\x1a\n", "image"),
        (b"ID3\x03\x00\x00", "sound"),
        (b"title\nHe\x00at\n", "zero byte"),
        (codecs.BOM_UTF16_LE + b"H\x00e", "bytes that mean nothing"),
        (codecs.BOM_UTF8 + b"\xff\xff", "bytes that mean nothing"),
    ],
)
def test_what_is_no_text_is_refused_by_what_it_is(body, says):
    with pytest.raises(BadPayload, match=says):
        decode(body)


@pytest.mark.parametrize("title", ["ID3 - Unknown", "RIFFS", "GIF8 ball", "flaC"])
def test_a_text_may_begin_like_a_binary_file(title):
    assert decode(title.encode())[0] == title


@pytest.mark.parametrize(
    ("head", "sign"),
    [
        ("a,b,c\n1,2,3\n", ","),
        ("a;b\n8,5;2\n9,1;3\n", ";"),
        ("a\tb\n1, 2\tx\n", "\t"),
        ("a|b\n1|2\n", "|"),
        ("one column\nonly\n", ","),
        ('"a, b";"c"\n"d, e";"f"\n', ";"),
    ],
)
def test_the_delimiter_is_what_parts_all_lines_alike(head, sign):
    assert delimiter_of(head) == sign


@pytest.mark.parametrize(
    ("head", "what"),
    [
        ("\n<!DOCTYPE html><title>x", "a web page"),
        ("<!-- x --><html>", "a web page"),
        ("<?xml version='1.0'?><rss>", "an XML file"),
        ("#EXTM3U\n", "an M3U playlist"),
        ("title\n", None),
    ],
)
def test_what_no_list_format_fits_is_named(head, what):
    assert looks_like(head) == what


def test_a_sniff_holds_the_beginning_of_a_file():
    table = sniff(b"a,b\n 1 ,2\n")
    assert (table.json, table.document, table.rows) == (None, None, (("a", "b"), ("1", "2")))
    listed = sniff(b"[" + b",".join([b"1"] * 50) + b"]")
    assert (listed.json, listed.document, listed.rows) == ("array", [1] * 20, ())
    assert sniff(b'{"items": [1], "name": "x"}').document == {"items": [1], "name": "x"}
    assert (sniff(b'{"items": [1,').json, sniff(b'{"items": [1,').document) == ("object", None)
