"""JSON files: parsed as a whole, with the lines of their items where a message needs them."""

import json
import re
from functools import cached_property
from typing import Any

import orjson
from django.conf import settings

from lists import credentials
from sync.errors import BadPayload
from sync.text import HEAD, looks_like, parse_json, within_limits

_REASONS = {
    "unexpected end of data": "the file breaks off",
    "unexpected content after document": "something follows the end of the list",
    "depth limit exceeded": "lists stand in lists too deep",
    "number is infinity when parsed as double": "a number is too large",
}
_STRING = r'"(?:[^"\\]++|\\.)*+"'
_SPACE = re.compile(r"[ \t\r\n]*")
_decode = json.JSONDecoder().raw_decode


class Document:
    """One JSON file. Raises BadPayload with the line if it is none, or beyond the limits of nesting and numbers."""

    def __init__(self, text: str):
        self._text = text
        if text[:HEAD].lstrip()[:1] not in ("[", "{"):
            other = looks_like(text[:HEAD]) or "another kind of text"
            raise BadPayload(f"This is {other}, not a JSON list. Nothing was read.")
        try:
            self.value: Any = parse_json(text)
        except orjson.JSONDecodeError as e:
            reason = _REASONS.get(e.msg, e.msg)
            raise BadPayload(f"This is not JSON: {reason}. Nothing was read.", line=e.lineno) from None
        self._check_numbers()
        within_limits(self.value)

    def _check_numbers(self) -> None:
        """Numbers in earnest have some twenty signs; one of thousands is there to keep somebody busy."""
        most = settings.NUMBER_LENGTH
        # Of the digits of such a number a quarter stands together: the rare text with so many in a row is looked through.
        if not re.search(rf"(?<!\d)\d{{{most // 4}}}", self._text):
            return
        for found in re.finditer(rf"{_STRING}|([-+.\deE]{{{most + 1},}})", self._text):
            if found[1]:
                line = self._text.count("\n", 0, found.start()) + 1
                raise BadPayload(f"A number has more than {most} signs. Nothing was read.", line=line)

    def line_of(self, place: int, key: str | None = None) -> int | None:
        """The line on which an item of the top list (or of the list under a key of the top object) begins, if known."""
        if self._is_one_line:
            return 1
        lines = self._lines.get(key, [])
        return lines[place - 1] if place <= len(lines) else None

    @cached_property
    def _is_one_line(self) -> bool:
        return "\n" not in self._text

    @cached_property
    def _lines(self) -> dict[str | None, list[int]]:
        """Only asked for when a row is unreadable: orjson does not tell where items begin, and this walk is slow."""
        try:
            at = _skip(self._text, 0)
            if self._text[at] == "[":
                return {None: _item_lines(self._text, at)[0]}
            return _lists_of_object(self._text, at)
        except (ValueError, RecursionError):  # numbers and depths that only orjson takes
            return {}


def as_object(value: Any) -> dict[str, Any]:
    """The object that should stand there; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def excerpt(item: Any) -> str:
    """The beginning of an item, for a message."""
    try:
        return credentials.excerpt(orjson.dumps(item).decode(), 200)
    except orjson.JSONEncodeError:  # it is nested deeper than can be written again
        return "[…"


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _item_lines(text: str, start: int) -> tuple[list[int], int]:
    """(line of each item of the list that starts there, where the list ends)."""
    lines: list[int] = []
    line, counted = 1, 0
    at = _skip(text, start + 1)
    while text[at] != "]":
        line += text.count("\n", counted, at)
        counted = at
        lines.append(line)
        _, at = _decode(text, at)
        at = _skip(text, at)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return lines, at + 1


def _lists_of_object(text: str, start: int) -> dict[str | None, list[int]]:
    lists: dict[str | None, list[int]] = {}
    at = _skip(text, start + 1)
    while text[at] != "}":
        key, at = _decode(text, at)
        at = _skip(text, _skip(text, at) + 1)  # behind the colon
        if text[at] == "[":
            lists[key], at = _item_lines(text, at)
        else:
            _, at = _decode(text, at)
        at = _skip(text, at)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return lists
