"""The plan of a change: everything that publishing it needs, and everything that a preview shows of it."""

import dataclasses
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lists.match import Match
from lists.models import MediaList, Source
from lists.records import About, Record
from lists.spool import Spool


@dataclass(slots=True)
class ClaimDraft:
    """A claim to be written. pk None: a new one. slot: the entry that it speaks of (see Draft)."""

    pk: int | None
    slot: int
    record: Record
    digest: bytes
    match: Match | None
    place: int  # index of its row in the source's order
    first_at: int = 0  # epoch seconds; the fold fills in both
    times: dict[str, list[int]] = field(default_factory=dict)
    kept: bool = False  # said by the list itself, by its own source
    listing: bool = True


@dataclass(slots=True)
class EditDraft:
    """What a person wants of one field, as it stands or as it is to be written (see Edit). pk None: a new one.

    words: source id as text -> what it says now.
    """

    slot: int
    field: str
    value: Any
    made_at: datetime
    firm: bool = True
    base: Any = None
    words: dict[str, Any] = dataclasses.field(default_factory=dict)
    rollback_to: int | None = None
    author: int | None = None
    author_name: str = ""
    pk: int | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """A question that is put, put anew or taken back. pk None: a new one. options: [{"source", "value", "at"}]."""

    field: str
    state: str
    options: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    recommendation: dict[str, Any] | None = None
    before: Any = None
    pk: int | None = None


@dataclass(slots=True)
class Draft:
    """What one entry will be. slot: its id, or a negative number for a row to be made.

    op: add, restore, change, remove, exclude, quiet (nothing that anybody sees), same (nothing at all). row: lists.rows.COLUMNS. before and
    after: the values shown, for previews and history; None where it is not listed.
    """

    slot: int
    op: str
    row: tuple[Any, ...]
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    excluded: bool = False
    doubt: Match | None = None
    asks: list[Ask] = field(default_factory=list)


@dataclass
class Counts:
    found: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    excluded: int = 0
    held: int = 0
    moved: int = 0
    duplicates: int = 0
    skipped: int = 0
    not_taken: int = 0
    known: int = 0  # of the new records: items that some list already has
    conflicts: int = 0


@dataclass
class Plan:
    """Everything that publishing needs. Close it when done: its drafts and claims lie in files."""

    list_: MediaList
    source: Source | None
    base: int | None  # id of the version that it was planned against
    at: datetime
    counts: Counts = field(default_factory=Counts)
    drafts: Spool[Draft] = field(default_factory=Spool)
    claims: Spool[ClaimDraft] = field(default_factory=Spool)
    gone: list[int] = field(default_factory=list)  # claims that leave
    missing: list[int] = field(default_factory=list)  # claims that are marked missing
    back: list[int] = field(default_factory=list)  # claims that are there again
    positions: dict[int, int | None] = field(default_factory=dict)  # unchanged claims at another place
    ranks: dict[int, int] = field(default_factory=dict)  # slot -> rank to be written
    held: list[int] = field(default_factory=list)  # entries whose removal waits for a person
    explanation: str = ""  # what their absence looks like, where that can be told
    supported: int = 0  # listed entries that the source stood for
    named: set[int] = field(default_factory=set)  # entries that the source names
    edits: dict[tuple[int, str], EditDraft] = field(default_factory=dict)  # to be written, by slot and field
    ended: list[int] = field(default_factory=list)  # edits that end
    rebased: dict[int, Any] = field(default_factory=dict)  # yielding edits with another base, without a version
    moved_claims: dict[int, int] = field(default_factory=dict)  # claims that speak of another entry: id -> slot
    order_mode: tuple[str, str] | None = None  # mode and field that the list's order gets
    facts: dict[str, Any] | None = None  # of the list, where they are set back
    may_remove: bool = True  # whether the fetch was complete, as far as its rows tell
    written: tuple[int, ...] = ()  # what else it was planned against: see lists/writer.py
    late: list[int] = field(default_factory=list)  # entries to be looked at again by the next write
    about: About = field(default_factory=About)
    problems: list[dict[str, Any]] = field(default_factory=list)  # {line, reason, text}
    more_problems: int = 0
    not_taken: dict[str, int] = field(default_factory=dict)
    doubles: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Nothing that a reader could see would change."""
        counts = self.counts
        shown = counts.added or counts.changed or counts.removed or counts.moved
        return not (shown or self.edits or self.ended or self.order_mode or self.facts is not None)

    def close(self) -> None:
        self.drafts.close()
        self.claims.close()


@dataclass(frozen=True, slots=True)
class Reading:
    """How the records of a sync are taken.

    may_remove: the fetch was complete. confirmed: a person saw the removals, the guard does not ask again. grace:
    complete fetches that must lack an entry after the first. salt: the mapper's version and whatever else changes what
    a record means.
    """

    may_remove: bool = True
    confirmed: bool = False
    grace: int = 0
    salt: str = ""
    keep: bool = False
    ask: bool = False
