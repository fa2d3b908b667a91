"""Plays of a set held against the plays that are known: an insert at the top is one insert.

A tracklist has no ids for its plays, and one track may be played twice, so what a play *is* comes from its neighbours.
Two sequences are aligned as texts are (Needleman and Wunsch, 1970): the same artist and title weigh most, an unnamed
play ("ID - ID") is recognised by its place and its time, measured from the play before it.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import F
from rapidfuzz.distance import Indel

from lists.models import Claim, Edit, Entry, MediaList, Source
from lists.records import Record
from lists.titles import fold, is_unknown_track

NEVER = -1.0
LONGEST = 800  # plays; beyond this only equal names are aligned, in order


@dataclass(frozen=True, slots=True)
class Play:
    """name: artist and title folded, "" for an unnamed one. cue_ms: from the start of the set, or None. gap_ms: from the
    play before it, or None."""

    name: str
    cue_ms: int | None
    gap_ms: int | None = None


def plays_of(rows: Iterable[tuple[str | None, str | None, int | None]]) -> list[Play]:
    """Plays of a whole sequence. rows: (artist, title, cue_ms)."""
    plays: list[Play] = []
    before: int | None = None
    for artist, title, cue_ms in rows:
        name = "" if is_unknown_track(artist, title) else f"{fold(artist or '')}|{fold(title or '')}"
        plays.append(Play(name, cue_ms, cue_ms - before if cue_ms is not None and before is not None else None))
        before = cue_ms
    return plays


def align(old: Sequence[Play], new: Sequence[Play]) -> list[int | None]:
    """For each new play the index of the old play that it is, or None for one that is new.

    What keeps its place among its neighbours is found first; a play of the same name elsewhere has moved.
    """
    found = _align_names(old, new) if len(old) * len(new) > LONGEST * LONGEST else _align_in_step(old, new)
    left: dict[str, list[int]] = {}
    for at in sorted(set(range(len(old))) - {at for at in found if at is not None}, reverse=True):
        left.setdefault(old[at].name, []).append(at)
    for index, play in enumerate(new):
        if found[index] is None and play.name and left.get(play.name):
            found[index] = left[play.name].pop()
    return found


def _align_in_step(old: Sequence[Play], new: Sequence[Play]) -> list[int | None]:
    width = len(old) + 1
    best = [0.0] * width
    steps: list[bytearray] = []
    for play in new:
        row, step = [0.0] * width, bytearray(width)
        for at in range(1, width):
            weight = likeness(old[at - 1], play)
            met = best[at - 1] + weight if weight > 0 else NEVER
            if met > best[at] and met > row[at - 1]:
                row[at], step[at] = met, 1
            elif best[at] >= row[at - 1]:
                row[at], step[at] = best[at], 2
            else:
                row[at], step[at] = row[at - 1], 3
        best = row
        steps.append(step)
    found: list[int | None] = [None] * len(new)
    at, index = len(old), len(new) - 1
    while at > 0 and index >= 0:
        step = steps[index][at]
        if step == 1:
            found[index] = at - 1
            at, index = at - 1, index - 1
        elif step == 2:
            index -= 1
        else:
            at -= 1
    return found


def likeness(a: Play, b: Play) -> float:
    """How much it speaks for two plays being one; 0 or less: nothing does."""
    near = _close(a.cue_ms, b.cue_ms) or _close(a.gap_ms, b.gap_ms)
    if a.name and b.name:
        if a.name == b.name:
            return 4.0 + near
        alike = min(map(Indel.normalized_similarity, a.name.split("|"), b.name.split("|")))
        if alike >= 0.7:
            return 2.0 + alike + near
        return 1.0 if near and alike >= 0.5 else NEVER
    if not a.name and not b.name:
        return 2.0 + near if near or a.cue_ms is None or b.cue_ms is None else 0.5
    return 1.5 if near else NEVER  # an unnamed play got its name, or lost it


def _close(a: int | None, b: int | None) -> bool:
    return a is not None and b is not None and abs(a - b) <= 2000


def _align_names(old: Sequence[Play], new: Sequence[Play]) -> list[int | None]:
    """For sets too long to weigh every pair: equal names in order."""
    found: list[int | None] = []
    start = 0
    places: dict[str, list[int]] = {}
    for at, play in enumerate(old):
        places.setdefault(play.name, []).append(at)
    for play in new:
        known = places.get(play.name, [])
        next_one = bisect_left(known, start)
        at = known[next_one] if next_one < len(known) else None
        found.append(at)
        start = at + 1 if at is not None else start
    return found


@dataclass(frozen=True, slots=True)
class Aligned:
    """records: with their lasting keys. entries: key -> entry, for plays that the list has and this source did not."""

    records: list[Record]
    entries: dict[str, int]


def align_records(records: Sequence[Record], source: Source | None, list_: MediaList) -> Aligned:
    """Give the plays of a source the keys that they had in its last answer, and find their entries in the list."""
    new = plays_of(_names(record.values) for record in records)
    stored = []
    if source is not None and source.pk:
        # A play that was lacking last time has no place; both databases must give it the same.
        claims = Claim.objects.filter(source=source).order_by(F("position").asc(nulls_first=True), "id")
        stored = list(claims.values_list("key", "entry_id", "values"))
    found = align(plays_of(_names(values) for _, _, values in stored), new)
    keys = [stored[at][0] if at is not None else None for at in found]
    serial = max((int(key) for key, _, _ in stored if key.isdigit()), default=0)
    keyed: list[Record] = []
    for record, key in zip(records, keys, strict=True):
        if key is None:
            serial += 1
            key = f"{serial:06}"
        keyed.append(replace(record, key=key, position=len(keyed) + 1))
    claimed = {entry for _, entry, _ in stored}
    return Aligned(keyed, _entries_of(keyed, new, keys, claimed, list_))


def _as_said(rows: Sequence[tuple[int, str, str, int | None]]) -> list[tuple[str, str, int | None]]:
    """(artist, title, cue) of entries as their sources named them: a name that a person gave is none that returns."""
    names = Edit.objects.filter(entry__in=[row[0] for row in rows], field__in=("artist", "title"))
    said = {(e, f): next(iter(w.values()), None) for e, f, w in names.values_list("entry_id", "field", "words")}
    return [
        (said.get((pk, "artist")) or artist, said.get((pk, "title")) or title, cue) for pk, artist, title, cue in rows
    ]  # fmt: skip


def _entries_of(
    keyed: Sequence[Record], new: Sequence[Play], keys: Sequence[str | None], claimed: set[int], list_: MediaList
) -> dict[str, int]:
    if not list_.pk:
        return {}
    shown = list(
        Entry.objects.filter(list=list_)
        .exclude(state=Entry.State.REMOVED)
        .order_by("rank", "id")
        .values_list("id", "artist", "title", "cue_ms")
    )
    found = align(plays_of(_as_said(shown)), new)
    entries = {
        record.key: shown[at][0]
        for record, key, at in zip(keyed, keys, found, strict=True)
        if key is None and at is not None and shown[at][0] not in claimed
    }
    return entries | _returning(keyed, new, keys, entries, claimed, list_)


def _returning(
    keyed: Sequence[Record], new: Sequence[Play], keys: Sequence[str | None], found: dict[str, int], claimed: set[int],
    list_: MediaList,
) -> dict[str, int]:  # fmt: skip
    """Plays that the list once had: a play of the same name comes back to its entry."""
    removed = Entry.objects.filter(list=list_, state=Entry.State.REMOVED).exclude(pk__in=claimed).order_by("-id")
    rows = list(removed.values_list("id", "artist", "title", "cue_ms"))
    left: dict[str, list[int]] = {}
    for (pk, *_), play in zip(rows, plays_of(_as_said(rows)), strict=True):
        left.setdefault(play.name, []).append(pk)
    return {
        record.key: left[play.name].pop()
        for record, play, key in zip(keyed, new, keys, strict=True)
        if key is None and record.key not in found and play.name and left.get(play.name)
    }


def _names(values: dict[str, Any]) -> tuple[str | None, str | None, int | None]:
    return values.get("artist"), values.get("title"), values.get("cue_ms")
