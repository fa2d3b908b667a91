"""CUE sheets: the tracks of an album or a mix with their times, as rippers, players and tracklist sites write them.

Strict about nothing that a list can do without: numbers that repeat, commands in the wrong place and missing times keep
their track. INDEX 01 is the time of a track, counted in its own FILE.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lists.records import About, Record, Row, Unreadable
from sync.adapters import Context, FileAdapter, register
from sync.errors import BadPayload
from sync.sources._cells import filled
from sync.sources._columns import own_ref
from sync.sources._tracks import named, refuse_too_many
from sync.text import HEAD, Sniff, looks_like

FRAMES_PER_SECOND = 75

_TRACK = re.compile(r"^[ \t]*TRACK\b", re.MULTILINE | re.IGNORECASE)
_PLACE = re.compile(r"^[ \t]*(?:FILE[ \t]+\S|INDEX[ \t]+\d)", re.MULTILINE | re.IGNORECASE)
_AUDIO_TRACK = re.compile(r"^[ \t]*TRACK[ \t]+\d+[ \t]+AUDIO", re.MULTILINE | re.IGNORECASE)
_COMMAND = re.compile(r"\s*(?:REM|FILE|CATALOG)[ \t]", re.IGNORECASE)
_FILE_TYPES = {"WAVE", "MP3", "AIFF", "BINARY", "MOTOROLA", "FLAC", "OGG", "M4A", "AAC"}
# mm:ss:ff, where the minutes of a long mix go above 99; hours only where four numbers leave no doubt.
_TIME = re.compile(r"(?:(\d{1,2}):(?=\d+:\d+:))?(\d{1,4}):(\d{1,2}):(\d{1,2})")
_LINE_END = re.compile(r"\r\n|\r|\n")  # str.splitlines() also parts at signs that stand in titles
# Editors put a remark behind a command. Behind bare words it may be part of a name ("AC//DC"), so only these are cut.
_REMARK = re.compile(r'("(?:[^"\\]|\\.)*")\s+(?:;|//).*')
_ESCAPED = re.compile(r"""\\(["'])|""|''""")
_FACTS = ("DATE", "GENRE", "COMMENT")
# Remarks that programs agree on, and those that our own export adds.
_TRACK_REMARKS = {
    "LABEL": "label",
    "KEY": "musical_key",
    "BPM": "bpm",
    "CONFIDENCE": "confidence",
    "PLAYED": "played_as",
}
_NUMBER = re.compile(r"\d{1,3}(?:\.\d{1,20})?")


@register
class Cue(FileAdapter):
    key = "cue"
    label = "CUE sheet"
    help = "The tracks of an album or a mix, with their times."
    kinds = frozenset({"track"})
    content = "tracks"

    @classmethod
    def recognises(cls, sniff: Sniff) -> float:
        if sniff.json or looks_like(sniff.head):
            return 0
        if _AUDIO_TRACK.search(sniff.head) or (_TRACK.search(sniff.head) and _PLACE.search(sniff.head)):
            return 0.95
        return 0.3 if _COMMAND.match(sniff.head) else 0

    def fetch(self, ctx: Context) -> Iterator[Row]:
        if other := looks_like(ctx.text[:HEAD]):
            raise BadPayload(f"This is {other}, not a CUE sheet. Nothing was read.")
        sheet = _read(ctx.text)
        if not sheet.tracks:
            first = next(iter(sheet.bad), None)
            reason = "a TRACK line needs a number" if first else "it has no TRACK line"
            raise BadPayload(
                f"The CUE sheet holds no track: {reason}. Nothing was read.", line=first.line if first else None
            )
        yield _about(sheet)
        for place, track in enumerate(sheet.tracks, 1):
            yield parse_row(track, sheet, place=place)
            yield from (Unreadable(line, reason, text, f"{place:03d}") for line, reason, text in track.bad)
        yield from sheet.bad


@dataclass(slots=True)
class Track:
    """told: the fields that the sheet states for it. bad: (line, reason, text) of what could not be read of it. ref: what
    our own export says which entry it is."""

    line: int
    told: dict[str, Any] = field(default_factory=dict)
    bad: list[tuple[int, str, str]] = field(default_factory=list)
    ref: str | None = None


@dataclass(slots=True)
class Sheet:
    """told: TITLE, PERFORMER, CATALOG and remarks of the whole; bad: TRACK lines that could not be read."""

    told: dict[str, str] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    tracks: list[Track] = field(default_factory=list)
    bad: list[Unreadable] = field(default_factory=list)


def parse_row(track: Track, sheet: Sheet, *, place: int) -> Record:
    """place: its number in the sheet, 1-based; what the TRACK line says may repeat."""
    told = filled(track.told)
    title, artist = told.pop("title", ""), told.pop("artist", "")
    if not artist and (
        not title or named("", title)
    ):  # of a track that nobody knows the mix's performer is not the artist
        artist = sheet.told.get("PERFORMER", "")
    values = named(artist, title) | told
    if len(sheet.files) < 2:
        values.pop("file", None)
    return Record(f"{place:03d}", "track", values, position=place, line=track.line, ref=track.ref)


def _about(sheet: Sheet) -> About:
    facts = {name.lower(): sheet.told.get(name) for name in ("PERFORMER", "CATALOG", *_FACTS)}
    if len(sheet.files) == 1:
        facts["file"] = sheet.files[0]
    return About(sheet.told.get("TITLE", ""), filled(facts))


def _read(text: str) -> Sheet:
    sheet = Sheet()
    track: Track | None = None
    listening = True  # False behind a TRACK line without a number: what follows belongs to nobody
    for number, line in enumerate(_LINE_END.split(text), 1):
        command, rest = _first_word(line[:2000])
        if command == "TRACK":
            track = Track(number, filled({"file": sheet.files[-1] if sheet.files else ""}))
            listening = bool(re.match(r"\d", rest))
            if listening:
                sheet.tracks.append(track)
                refuse_too_many(len(sheet.tracks))
            else:
                sheet.bad.append(Unreadable(number, "TRACK needs a number.", line.strip()[:200]))
        elif command == "FILE":
            sheet.files.append(_file_name(rest))
        elif not listening:
            continue
        elif track is None:
            _read_of_sheet(sheet, command, rest)
        else:
            _read_of_track(track, sheet, command, rest, number)
    return sheet


def _file_name(rest: str) -> str:
    name, *kind = rest.rsplit(None, 1) or [""]
    return _unquoted(name if kind and kind[0].upper() in _FILE_TYPES else rest)


def _read_of_sheet(sheet: Sheet, command: str, rest: str) -> None:
    if command == "REM":
        command, rest = _first_word(rest)
        if command not in _FACTS:
            return
    elif command not in ("TITLE", "PERFORMER", "CATALOG"):
        return
    value = _unquoted(rest)
    if value.strip("0"):  # rippers write a catalogue number of zeros for none
        sheet.told.setdefault(command, value)


def _read_of_track(track: Track, sheet: Sheet, command: str, rest: str, number: int) -> None:
    if command in ("TITLE", "PERFORMER"):
        track.told.setdefault("title" if command == "TITLE" else "artist", _unquoted(rest))
    elif command == "ISRC" and rest.strip('0" '):
        track.told.setdefault("isrc", _unquoted(rest))
    elif command == "REM":
        _read_remark(track, *_first_word(rest))
    elif command == "INDEX":
        index, stated = _first_word(rest)
        stated, *remark = stated.split(None, 1) or [""]
        if remark and not remark[0].startswith((";", "//")):
            stated = f"{stated} {remark[0]}"
        if index.isdecimal() and int(index) != 1:
            return
        time = milliseconds(stated)
        if time is None or not index.isdecimal():
            reason = f'The time must be minutes:seconds:frames, not "{rest[:40]}". The track is kept without a time.'
            track.bad.append((number, reason, f"INDEX {rest}".strip()[:200]))
        elif "cue_ms" not in track.told:
            track.told |= filled({"cue_ms": time, "file": sheet.files[-1] if sheet.files else ""})


def _read_remark(track: Track, name: str, rest: str) -> None:
    """What stands in a remark as no program agreed on it is a remark."""
    if name == "LISTKEEPER":
        track.ref = own_ref(rest)
    elif field_name := _TRACK_REMARKS.get(name):
        value: Any = _unquoted(rest)
        if field_name in ("bpm", "confidence"):
            value = float(value) if _NUMBER.fullmatch(value) else None
        elif field_name == "played_as":
            value = value if value in ("with", "part") else None
        track.told.setdefault(field_name, value)


def milliseconds(stated: str) -> int | None:
    """ "03:39:10" (minutes, seconds, frames of 1/75 s) -> 219133, rounded; None if it is no time."""
    found = _TIME.fullmatch(stated.strip())
    if not found:
        return None
    hours, minutes, seconds, frames = (int(part or 0) for part in found.groups())
    if seconds > 59 or frames >= FRAMES_PER_SECOND or (found[1] and minutes > 59):
        return None
    return (hours * 3600 + minutes * 60 + seconds) * 1000 + round(frames * 1000 / FRAMES_PER_SECOND)


def _first_word(text: str) -> tuple[str, str]:
    word, rest = (*text.split(None, 1), "", "")[:2]
    return word.upper(), rest.strip()


def _unquoted(text: str) -> str:
    """ "a \\"b\\"" -> a "b"; what is quoted only in part, or not at all, stays as it is."""
    text = text.strip()
    if remarked := _REMARK.fullmatch(text):
        text = remarked[1]
    for sign in "\"'":
        if len(text) > 1 and text[0] == text[-1] == sign:
            return _plain(text[1:-1], sign).strip()[:500]
    # A closing mark that somebody forgot, or that an editor cut off.
    text = text[1:].strip() if text.startswith('"') and text.count('"') == 1 else text
    return text[:500]


def _plain(quoted: str, sign: str) -> str:
    """With marks as they were before somebody quoted them, by a backslash or by doubling."""
    return _ESCAPED.sub(lambda found: sign if sign in found[0] else found[0], quoted)
