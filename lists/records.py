"""What an adapter hands on: frozen values in our own terms and units, translated at the edge.

Nothing further in knows how a service spells a field. `Record.values` holds only what its source says: a field that a
format does not carry, or a cell that is empty, is left out (lists/fields.py names every field and its type).

They go through spool files: without slots, because pickling a frozen class with slots takes twice as long.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Record:
    """One thing that a source lists.

    key: the source's own id for it, stable between fetches ("tt0113277", "movie/949"); for a row without an id what
    `lists.titles.name_key` makes of its title, year and artist. For tracklists it is provisional: the pipeline aligns
    plays and gives the lasting one.
    kind: a member of Item.Kind.
    ids: namespace -> value. Numbers carry their kind: {"imdb": "tt0113277", "tmdb": "movie/949", "tvdb": "show/81189"}.
    position: the place in the source's own order, or None where it has none.
    line: where it stands in the file (1-based), for messages.
    ref: "<list uid>/<entry id>@<version>" where the row comes out of one of our own exports.
    """

    key: str
    kind: str
    values: dict[str, Any]
    ids: dict[str, str] = field(default_factory=dict)
    position: int | None = None
    line: int | None = None
    ref: str | None = None


@dataclass(frozen=True)
class Unreadable:
    """A row that should be a record and cannot be read. If its key is known, it counts as present."""

    line: int | None
    reason: str
    text: str = ""
    key: str | None = None


@dataclass(frozen=True)
class NotTaken:
    """A row that is read well and is no medium: a person, a quality profile."""

    line: int | None
    what: str


@dataclass(frozen=True)
class About:
    """What a source says of the list itself: its title, and facts such as performer, date, genre, audio file."""

    title: str = ""
    facts: dict[str, str] = field(default_factory=dict)


Row = Record | Unreadable | NotTaken | About
