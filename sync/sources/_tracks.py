"""What the formats of tracklists share: when a play counts as named, and where a name parts into artist and title."""

import re

from lists.titles import fold, is_unknown_track
from sync.errors import BadPayload

MOST_PLAYS = 10_000  # of a set; the longest that people play have a tenth
LONGEST_CUE_MS = 9999 * 60_000  # a cue sheet writes no more minutes than four digits hold

_NOBODY = {"id", "unknown", "unknown artist"}
_NOTHING = {"id", "id id"}
_DASH = re.compile(r" [-–—−] ")


def named(artist: str, title: str) -> dict[str, str]:
    """The names of a play as a claim states them. "ID" stands for a name that nobody knows yet: said as a name, it would
    hide the one that another source has."""
    nobody = not artist or fold(artist) in _NOBODY
    nothing = fold(title) in _NOTHING or (nobody and is_unknown_track(artist, title))
    return {
        **({} if nobody else {"artist": artist}),
        **({} if nothing or not title else {"title": title}),
    }  # fmt: skip


def split_name(name: str, artist: str = "") -> tuple[str, str]:
    """ "Ann - Low Tide - Live" -> ("Ann", "Low Tide - Live"); without a dash all is the title. artist: how the name is
    known to begin."""
    begins = len(artist) if artist and name.startswith(artist) else 0
    if found := _DASH.search(name, begins):
        return name[: found.start()].strip(), name[found.end() :].strip()
    return "", name.strip()


def refuse_too_many(plays: int) -> None:
    if plays > MOST_PLAYS:
        raise BadPayload(f"There are more than {MOST_PLAYS:,} tracks; no set has so many. Nothing was read.")
