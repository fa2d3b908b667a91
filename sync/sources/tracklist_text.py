"""Tracklists in plain text as people paste them, and our own plain text export.

Two things make a line a play: what stands before the name (a time, a number, "w/") and a dash in it. A text is taken for
a tracklist only if most of its lines are plays; the lines around them (a heading, links) are passed over.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from lists.records import About, Record, Row, Unreadable
from lists.titles import fold, split_year
from sync.adapters import Context, FileAdapter, register
from sync.errors import BadPayload
from sync.sources._cells import filled, shown
from sync.sources._ids import row_key
from sync.sources._tracks import LONGEST_CUE_MS, MOST_PLAYS, named, refuse_too_many, split_name
from sync.text import HEAD, Sniff, looks_like

MAX_LINES = 2 * MOST_PLAYS
LONGEST = 1000  # signs of a line
FEW = 0.3  # share of plays below which the lines around them are named as unread

_LINE = re.compile(r"[^\r\n]+")
_OWN = re.compile(r"(?:^|[\r\n])# Listkeeper ([0-9a-f-]{32,36}@\d{1,9})\s*\Z")
_OWN_FILM = re.compile(r"\d{1,7}\. ")
_OWN_PLAY = re.compile(r"(?:(?:(\d{1,3}):(?=[0-5]\d:))?(\d{1,4}):([0-5]\d) )?(?:(w/|\+) )?")

_TIME = r"(?:(\d{1,2}):)?(\d{1,4}):(\d\d)(?:\.\d{1,3})?"
_BEFORE = re.compile(rf"[\[(]?{_TIME}(?: ?[-–—] ?{_TIME})?[\])]?(?![\d:,])(?: ?[-–—|]+ | ?)(?!-->)")
_BEHIND = re.compile(rf"(?:^| )[\[(]?{_TIME}[\])]?$")
_COUNTED = re.compile(r"(?:#?(\d{1,4})[.)](?!\d) ?|\[\d{1,4}\] ?|#?0\d{1,2} (?:[-–—|] )?|\d{1,4} [-–—|] (?=.* [-–—] ))")
_PLAYED = re.compile(r"(w/(?!o\b)|\+ ) ?", re.IGNORECASE)
_BULLET = re.compile(r"[-–—•*·▶►→] ")
_LABEL = re.compile(r" \[([^\[\]]{1,200})\]$")
# In brackets at the end stands the label, unless it is said there which recording it is.
_VERSION = re.compile(
    r"\b(?:mix|remix|rmx|edit|version|live|dub|bootleg|vip|mashup|acapp?ell?a|instrumental|remaster(?:ed)?|demo|original|"
    r"extended|rework|refix|feat|ft|free|unreleased|premiere|\d{4})\b",
    re.IGNORECASE,
)
_LINK = re.compile(r"https?://|www\.", re.IGNORECASE)
_LIST_WORDS = {"tracklist", "track list", "tracklisting", "track listing", "setlist", "set list", "playlist", "tracks"}


@dataclass(frozen=True, slots=True)
class Clock:
    """A time as it is written: two numbers (minutes and seconds, or hours and minutes), or three."""

    hours: int | None
    first: int
    second: int

    @property
    def ms(self) -> int:
        return ((self.hours or 0) * 3600 + self.first * 60 + self.second) * 1000

    @property
    def as_hours_ms(self) -> int:
        """The same two numbers as hours and minutes."""
        return (self.first * 3600 + self.second * 60) * 1000

    @property
    def is_doubtful(self) -> bool:
        return self.hours is None and self.first < 100 and self.second < 60

    @property
    def is_time(self) -> bool:
        return self.second < 60 and (self.hours is None or self.first < 60)


@dataclass(frozen=True, slots=True)
class Play:
    """at, end: before the name; behind: after it, where it may be a length. marked: more than its dash says that it is a
    play. group: the heading that it stands under."""

    line: int
    text: str
    name: str
    at: Clock | None = None
    end: Clock | None = None
    behind: Clock | None = None
    marked: bool = False
    played_as: str = ""
    group: str = ""

    @property
    def has_dash(self) -> bool:
        return split_name(self.name)[0] != "" or fold(self.name) == "id"


@dataclass(slots=True)
class Reading:
    """around: lines before the first and behind the last play; between: those that stand among plays and are none."""

    plays: list[Play] = field(default_factory=list)
    around: list[tuple[int, str]] = field(default_factory=list)
    between: list[tuple[int, str]] = field(default_factory=list)
    heading: str = ""

    @property
    def share(self) -> float:
        lines = len(self.plays) + len(self.around) + len(self.between)
        return len(self.plays) / lines if lines else 0.0


@register
class TracklistText(FileAdapter):
    key = "tracklist_text"
    label = "Tracklist (plain text)"
    help = "One track a line, as people paste them: 00:00 Artist - Title. Our own plain text export, too."
    kinds = frozenset({"track", "movie"})
    content = "tracks"

    @classmethod
    def recognises(cls, sniff: Sniff) -> float:
        if _own_mark(sniff.tail):
            return 0.97
        if sniff.document is not None or looks_like(sniff.head):
            return 0
        try:
            lines = _lines(sniff.head)
        except BadPayload:
            return 0
        return _likeness(_read(lines[:-1] if len(sniff.head) >= HEAD else lines), sniff)  # the last may be cut in two

    def fetch(self, ctx: Context) -> Iterator[Row]:
        if ref := _own_mark(ctx.text[-200:]):
            yield About(ref=ref)
            yield from _own_rows(ctx.text)
            return
        if other := looks_like(ctx.text[:HEAD]):
            raise BadPayload(f"This is {other}, not a tracklist in plain text. Nothing was read.")
        reading = _read(_lines(ctx.text))
        if not reading.plays:
            raise BadPayload(
                "There is no track in this text. Nothing was read. A track has a line such as: 00:00 Artist - Title"
            )
        refuse_too_many(len(reading.plays))
        yield About(reading.heading)
        yield from _rows(reading)


def _lines(text: str) -> list[tuple[int, str]]:
    """(number, words) of the lines that are not blank. Raises BadPayload if there are too many."""
    lines: list[tuple[int, str]] = []
    for count, (number, line) in enumerate(_each_line(text)):
        if words := " ".join(line.split()):
            lines.append((number, words))
        if count >= MAX_LINES:
            raise BadPayload(
                f"The text has more than {MAX_LINES:,} lines; no tracklist is that long. Nothing was read."
            )
    return lines


def _each_line(text: str) -> Iterator[tuple[int, str]]:
    """(number, line) of the lines that are not empty, as they come: a text may have millions."""
    end_of_line = "\n" if "\n" in text else "\r"
    number, seen = 1, 0
    for found in _LINE.finditer(text):
        number += text.count(end_of_line, seen, found.start())
        seen = found.start()
        yield number, found[0][:LONGEST]


def _likeness(reading: Reading, sniff: Sniff) -> float:
    plays = reading.plays
    timed = sum(play.at is not None or play.behind is not None for play in plays)
    dashed = sum(play.has_dash for play in plays)
    if len(plays) < 2 or dashed * 2 < len(plays):  # programmes of a day and lyrics have times, too
        return 0
    if timed * 2 >= len(plays) and timed >= 2:
        return 0.7 if reading.share >= 0.5 else 0.55 if timed >= 3 and reading.share >= FEW else 0
    widths = {len(row) for row in sniff.rows}
    if len(sniff.rows) > 2 and len(widths) == 1 and widths != {1}:
        return 0  # a table whose cells hold dashes
    if sum(play.marked for play in plays) * 2 >= len(plays):
        return 0.6 if reading.share >= 0.5 else 0
    return 0.3 if len(plays) >= 3 and reading.share >= 0.8 else 0


# -- texts of people ---------------------------------------------------------------------------------------------------


def _read(lines: list[tuple[int, str]]) -> Reading:
    """Which lines are plays. Where most plays have a time or a number, a line with a mere dash is one only among them."""
    parsed = [(number, line, parse_line(number, line)) for number, line in lines]
    marked = [at for at, (_, _, play) in enumerate(parsed) if play and play.marked]
    dashed = sum(play is not None and not play.marked for _, _, play in parsed)
    first, last = 0, len(parsed) - 1
    if marked and len(marked) >= dashed / 2:
        first, last = marked[0], _end_of_block(parsed, marked[-1])
    taken = [at for at in range(first, last + 1) if parsed[at][2]]
    if not taken:
        return Reading(around=lines)
    reading = Reading(around=[*lines[: taken[0]], *lines[taken[-1] + 1 :]], heading=_heading(lines[: taken[0]]))
    group = ""
    for number, line, play in parsed[taken[0] : taken[-1] + 1]:
        if play:
            reading.plays.append(replace(play, group=group) if group else play)
        elif line.endswith(":") and not _LINK.search(line):
            group = line.rstrip(": ")[:200]
        elif re.search(r"\w", line):
            reading.between.append((number, line))
    return reading


def _end_of_block(parsed: list[tuple[int, str, Play | None]], last: int) -> int:
    """The last play: one without a time may follow, if no blank line parts it from the others."""
    while last + 1 < len(parsed) and parsed[last + 1][2] and parsed[last + 1][0] == parsed[last][0] + 1:
        last += 1
    return last


def _heading(before: list[tuple[int, str]]) -> str:
    words = (line.strip(" :=*#~_-") for _, line in before if not _LINK.search(line))
    return next((line[:500] for line in words if line and fold(line) not in _LIST_WORDS), "")


def parse_line(number: int, line: str) -> Play | None:
    """A line that could be a play; None for any other."""
    rest, at, end, played_as, marked = line, None, None, "", False
    for _ in range(4):  # number, time, "w/" and bullet come in any order, each once
        if at is None and (found := _BEFORE.match(rest)):
            at, end, marked = _clock(found.groups()[:3]), _clock(found.groups()[3:]), True
        elif found := _COUNTED.match(rest):
            marked = True
        elif not played_as and (found := _PLAYED.match(rest)):
            played_as, marked = "with" if found[1] != "+ " else "part", True
        elif not (found := _BULLET.match(rest)):
            break
        rest = rest[found.end() :]
    behind = None
    if at is None and (found := _BEHIND.search(rest)):
        behind, marked, rest = _clock(found.groups()), True, rest[: found.start()]
    name = rest.strip(" -–—|")
    if not re.search(r"\w", name) or (_LINK.search(name) and at is None):
        return None
    play = Play(number, line, name, at, end, behind, marked, played_as)
    return play if marked or play.has_dash else None


def _clock(groups: tuple[str | None, ...]) -> Clock | None:
    hours, first, second = groups
    if first is None or second is None:
        return None
    return Clock(None if hours is None else int(hours), int(first), int(second))


def _rows(reading: Reading) -> Iterator[Row]:
    plays = reading.plays
    starts = [play.at for play in plays]
    lengths: list[Clock | None] = [None] * len(plays)
    behind = [play.behind for play in plays]
    if any(behind) and not any(starts):
        if _are_starts([clock for clock in behind if clock]):
            starts = behind
        else:
            lengths = behind
    times = _in_order(starts)
    ends = _in_order([play.end for play in plays])
    for place, play in enumerate(plays, 1):
        clock, length = starts[place - 1], lengths[place - 1]
        yield _record(play, place, times[place - 1], ends[place - 1], length)
        if (clock and not clock.is_time) or (length and not length.is_time):
            reason = "The time is none: it has more than 59 seconds. The track is kept without it."
            yield Unreadable(play.line, reason, shown(play.text, 200), f"{place:03d}")
    odd = reading.between + (reading.around if reading.share < FEW else [])
    for number, line in odd:
        yield Unreadable(number, "This line is no track: it has no time, no number and no dash.", shown(line, 200))


def _are_starts(clocks: list[Clock]) -> bool:
    """Times behind the names are places in the set if they rise; else they are how long the tracks are."""
    rising = all(a.ms <= b.ms for a, b in pairwise(clocks))
    return rising and (clocks[0].ms < 60_000 or len(clocks) >= 5)


def _in_order(clocks: list[Clock | None]) -> list[int | None]:
    """Milliseconds. Two numbers are minutes and seconds, unless the times would go back, or plays would be over in
    seconds: then they are hours and minutes."""
    stated = [clock for clock in clocks if clock and clock.is_time]
    if len(stated) >= 3 and all(clock.is_doubtful for clock in stated):
        span = stated[-1].ms - stated[0].ms
        if 0 < span < 30_000 * (len(stated) - 1):
            return [clock.as_hours_ms if clock and clock.is_time else None for clock in clocks]
    times: list[int | None] = []
    before = 0
    for clock in clocks:
        if clock is None or not clock.is_time:
            times.append(None)
            continue
        ms = clock.ms
        if ms < before <= clock.as_hours_ms and clock.is_doubtful:
            ms = clock.as_hours_ms
        before = max(before, ms)
        times.append(ms if ms <= LONGEST_CUE_MS else None)
    return times


def _record(play: Play, place: int, cue_ms: int | None, end_ms: int | None, length: Clock | None) -> Record:
    name, label = play.name, ""
    if (found := _LABEL.search(name)) and not _VERSION.search(found[1]):
        name, label = name[: found.start()].strip(), found[1].strip()
    told: dict[str, Any] = {
        "cue_ms": cue_ms, "end_ms": end_ms, "runtime_s": length.ms // 1000 if length and length.is_time else None,
        "label": label, "played_as": play.played_as, "group": play.group,
    }  # fmt: skip
    return Record(f"{place:03d}", "track", named(*split_name(name)) | filled(told), position=place, line=play.line)


# -- our own export ----------------------------------------------------------------------------------------------------


def _own_mark(end: str) -> str | None:
    found = _OWN.search(end)
    return found[1] if found else None


def _own_rows(text: str) -> Iterator[Row]:
    """Every line but the last is an entry, written as lists/exports/tracklist_text.py writes it: nothing is guessed."""
    films: bool | None = None
    place = 0
    for number, line in _each_line(text):
        words = line.strip()
        if not words or _OWN.match(words):
            continue
        place += 1
        films = bool(_OWN_FILM.match(words)) if films is None else films
        if films:
            title, year = split_year(_OWN_FILM.sub("", words, count=1))
            values = filled({"title": title, "year": year})
            yield Record(row_key("movie", {}, values, place), "movie", values, position=place, line=number)
        else:
            refuse_too_many(place)
            yield _own_play(words, place, number)


def _own_play(line: str, place: int, number: int) -> Record:
    found = _OWN_PLAY.match(line)
    assert found is not None  # every part of it may be missing
    hours, minutes, seconds, played = found.groups()
    told: dict[str, Any] = {}
    if minutes is not None:
        told["cue_ms"] = (int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)) * 1000
    if played:
        told["played_as"] = "with" if played == "w/" else "part"
    names = named(*split_name(line[found.end() :]))
    return Record(f"{place:03d}", "track", names | told, position=place, line=number)
