"""CUE sheets: the tracks with their times, as players and burning programs read them."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from lists.exports._base import BLOCK, Export, Line, register, snapshot
from lists.models import Entry, MediaList, Version

FRAMES_PER_SECOND = 75
LONGEST_MS = 10_000 * 60_000  # a sheet's minutes have four digits at most
TYPES = {"mp3": "MP3", "aif": "AIFF", "aiff": "AIFF", "bin": "BINARY"}

_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
# Fields without a command of their own; programs pass remarks over. lists/fields.py names them.
_REMARKS = {"LABEL": "label", "BPM": "bpm", "KEY": "musical_key", "CONFIDENCE": "confidence", "PLAYED": "played_as"}


@register
class Cue(Export):
    """INDEX 01 is where a track begins, to the nearest frame of 1/75 s. A track whose time nobody knows has none: a sheet
    with an invented time would cut a recording at the wrong place.

    "ID" stands for a name that nobody knows, as tracklists write it. A new FILE line stands where the tracks of a list
    come from several files, because times are counted in each.
    """

    key, label, content_type, extension = "cue", "CUE sheet (standard)", "application/x-cue; charset=utf-8", "cue"
    contents = frozenset({MediaList.Content.TRACKS})

    def write(self, list_: MediaList, *, user: Any, version: Version | None = None) -> Iterator[bytes]:
        shown = snapshot(list_, version)
        facts = list_.facts if version is None else version.facts
        performer = _plain(facts.get("performer") or facts.get("dj"))
        file = _plain(facts.get("file")) or f"{self.filename(list_).removesuffix('.cue')}.wav"
        yield _lines(_head(list_, facts, performer))
        at_file = ""
        while block := list(islice(shown.lines, BLOCK)):
            lines: list[str] = []
            for line in block:
                wanted = _plain(line.entry.values.get("file")) or at_file or file
                lines += [_file(wanted)] if wanted != at_file else []
                at_file = wanted
                lines += _track(line, f"{list_.uid}/{line.entry.pk}@{shown.version}", performer)
            yield _lines(lines)
        if not at_file:
            yield _lines([_file(file)])


def _head(list_: MediaList, facts: dict[str, Any], performer: str) -> list[str]:
    told = [(name, _plain(facts.get(name.lower()))) for name in ("GENRE", "DATE", "COMMENT")]
    lines = [f"REM {name} {_quoted(fact)}" for name, fact in told if fact]
    lines += [f"PERFORMER {_quoted(performer)}"] if performer else []
    return [*lines, f"TITLE {_quoted(list_.name)}"]


def _file(name: str) -> str:
    return f"FILE {_quoted(name)} {TYPES.get(name.rpartition('.')[2].lower(), 'WAVE')}"


def _track(line: Line, ref: str, performer: str) -> list[str]:
    entry = line.entry
    values = entry.values
    # Without an artist of its own, the sheet's performer would count as the artist.
    artist = values.get("artist") or ("ID" if performer else "")
    lines = [f"  TRACK {line.position:02} AUDIO", f"    TITLE {_quoted(entry.title)}"]
    lines += [f"    PERFORMER {_quoted(artist)}"] if artist else []
    lines += [f"    ISRC {_plain(values['isrc'])}"] if "isrc" in values else []
    lines += [f"    REM {name} {_quoted(str(values[at]))}" for name, at in _REMARKS.items() if values.get(at)]
    lines += [f"    REM LISTKEEPER {ref}", f"    {_index(entry)}"]
    return lines


def _index(entry: Entry) -> str:
    if entry.cue_ms is None or entry.cue_ms >= LONGEST_MS:
        return "REM This track has no INDEX: nobody knows when it begins."
    frames = round(entry.cue_ms * FRAMES_PER_SECOND / 1000)
    seconds, frames = divmod(frames, FRAMES_PER_SECOND)
    return f"INDEX 01 {seconds // 60:02}:{seconds % 60:02}:{frames:02}"


def _quoted(text: str) -> str:
    marked = _plain(text).replace('"', '\\"')
    return f'"{marked} "' if marked.endswith("\\") else f'"{marked}"'  # or the backslash would take the mark's meaning


def _plain(text: Any) -> str:
    """On one line: a line break in a title would be another command."""
    return _CONTROL.sub(" ", str(text or "")).strip()


def _lines(lines: list[str]) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode()
