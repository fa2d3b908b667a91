"""What an adapter hands on: frozen values in our own terms and units, translated at the edge.

Nothing further in knows how a service spells a field. `Record.values` holds only what its source says: a field that a
format does not carry, or a cell that is empty, is left out (lists/fields.py names every field and its type).
"""

import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from lists.spool import Codec, Spool


@dataclass(slots=True)  # not frozen, which costs four times as much to make: five are made of each row of a sync
class Record:
    """One thing that a source lists. Nobody changes it.

    key: the source's own id for it, stable between fetches ("tt0113277", "movie/949"); for a row without an id what
    `lists.titles.name_key` makes of its title, year and artist. For tracklists it is provisional: the pipeline aligns
    plays and gives the lasting one.
    kind: a member of Item.Kind.
    ids: namespace -> value. Numbers carry their kind: {"imdb": "tt0113277", "tmdb": "movie/949", "tvdb": "show/81189"}.
    position: the place in the source's own order, or None where it has none.
    line: where it stands in the file (1-based), for messages.
    ref: "<list uid>/<entry id>@<version>" where the row comes out of one of our own exports.
    mark: 16 bytes by which the row is known again before it is looked at (lists/known.py); the pipeline fills it in.
    """

    key: str
    kind: str
    values: dict[str, Any]
    ids: dict[str, str] = field(default_factory=dict)
    position: int | None = None
    line: int | None = None
    ref: str | None = None
    mark: bytes = b""


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
    """What a source says of the list itself: its title, and facts such as performer, date, genre, audio file.

    ref: "<list uid>@<version>" where the file is an export of ours whose rows do not name their entries (plain text).
    """

    title: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    ref: str | None = None

    @property
    def said(self) -> dict[str, str]:
        """All of it as facts of the list."""
        return {**({"title": self.title} if self.title else {}), **self.facts}


Row = Record | Unreadable | NotTaken | About


class Raw(NamedTuple):
    """A row that is not read yet, and need not be where its source sent the same bytes last time.

    data: the bytes that stand for it, the same at every fetch unless it says something else. parse: reads this very row;
    what it gives may hang on nothing but data, line and position. position and line: as the Record has them.
    """

    data: bytes
    parse: Callable[["Raw"], Row]
    line: int | None = None
    position: int | None = None


class Unchanged(NamedTuple):
    """A stretch of rows that say what they said last time. numbers: of their claims in lists.known.Known; stated: the
    position that each states, or None."""

    numbers: list[int]
    stated: list[int | None]


Read = Row | Unchanged  # what a fetch has become once it is read


def _packed(row: Read) -> Any:
    if isinstance(row, Record):
        return (row.key, row.kind, row.values, row.ids, row.position, row.line, row.ref, row.mark)
    return tuple(row) if isinstance(row, Unchanged) else pickle.dumps(row)


def _unpacked(packed: Any) -> Read:
    if isinstance(packed, bytes):
        return pickle.loads(packed)  # noqa: S301 - a spool file of our own
    return Unchanged(*packed) if len(packed) == 2 else Record(*packed)


ROWS = Codec(_packed, _unpacked)


class Rows(Spool[Read]):
    """What a fetch brought. things: how many, readable or not."""

    def __init__(self) -> None:
        super().__init__(ROWS)
        self.things = 0

    def append(self, value: Read) -> None:
        super().append(value)
        self.things += len(value.numbers) if isinstance(value, Unchanged) else not isinstance(value, About)
