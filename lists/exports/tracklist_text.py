"""Plain text to paste: a line for each track or film, and one last line that says which list it is."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from lists.exports._base import BLOCK, Export, Line, register, snapshot
from lists.models import Entry, MediaList, Version
from lists.titles import is_unknown_track

_SPACE = re.compile(r"\s+")
_PLAYED_AS = {"with": "w/ ", "part": "+ "}


@register
class PlainText(Export):
    """00:00 Artist - Title, or 1. Title (1995). Times are cut to seconds, as the list's page shows them.

    Entries carry no mark of their own, so that the text is clean to paste; a text that was edited is held against the
    version that its last line names.
    """

    key, label, content_type, extension = "text", "Plain text", "text/plain; charset=utf-8", "txt"
    contents = frozenset({MediaList.Content.TRACKS, MediaList.Content.FILMS})

    def write(self, list_: MediaList, *, user: Any, version: Version | None = None) -> Iterator[bytes]:
        shown = snapshot(list_, version)
        line_of = _track if list_.content == MediaList.Content.TRACKS else _film
        while block := list(islice(shown.lines, BLOCK)):
            yield "".join(f"{_SPACE.sub(' ', line_of(line)).strip()}\n" for line in block).encode()
        yield f"# Listkeeper {list_.uid}@{shown.version}\n".encode()


def _track(line: Line) -> str:
    entry = line.entry
    time = "" if entry.cue_ms is None else f"{_clock(entry.cue_ms // 1000)} "
    return f"{time}{_PLAYED_AS.get(entry.extra.get('played_as', ''), '')}{_name(entry)}"


def _clock(seconds: int) -> str:
    minutes = f"{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{seconds // 3600}:{minutes}" if seconds >= 3600 else minutes


def _name(entry: Entry) -> str:
    """ "ID" stands for a name that nobody knows. Without an artist a title with a dash would be read as having one."""
    if entry.artist:
        return f"{entry.artist} - {entry.title}"
    return f"ID - {entry.title}" if is_unknown_track("", entry.title) or " - " in entry.title else entry.title


def _film(line: Line) -> str:
    year = f" ({line.entry.year})" if line.entry.year else ""
    return f"{line.position}. {line.entry.title}{year}"
