"""The plan of a change: everything that publishing it needs, and everything that a preview shows of it."""

import dataclasses
import hashlib
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lists import fields
from lists.dense import BySlot, Marked
from lists.dialects import Dialect
from lists.match import Match
from lists.models import MediaList, Source
from lists.records import About, NotTaken, Record, Row, Unreadable
from lists.rows import FIRST_LISTED, shown_values
from lists.spool import Codec, Spool

PROBLEMS_KEPT = 200  # rows whose words are kept with a run, of each kind


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
    position: int | None = None  # in the source's order, once all of it is read

    def pack(self) -> tuple[Any, ...]:
        record, match = self.record, self.match
        return (
            self.pk, self.slot,
            (record.key, str(record.kind), record.values, record.ids, None, record.line, None, record.mark),
            self.digest,
            None if match is None else (
                match.item, match.doubt, match.candidates, match.new, match.by_name, match.root, match.decided
            ),
            self.place, self.first_at, self.times, self.kept, self.listing, self.position,
        )  # fmt: skip

    @classmethod
    def unpack(cls, packed: tuple[Any, ...]) -> "ClaimDraft":
        pk, slot, record, digest, match, *rest = packed
        return cls(pk, slot, Record(*record), digest, None if match is None else Match(*match), *rest)


CLAIMS = Codec(ClaimDraft.pack, ClaimDraft.unpack)


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
    """A question that is put, put anew, taken back, or answered by the list's strategy (state decided; after, choice). pk
    None: a new one. options: [{"source", "value", "at"}]."""

    field: str
    state: str
    options: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    recommendation: dict[str, Any] | None = None
    before: Any = None
    pk: int | None = None
    after: Any = None
    choice: str = ""


@dataclass(slots=True)
class Draft:
    """What one entry will be. slot: its id, or a negative number for a row to be made.

    op: add, restore, change, remove, exclude, aside (what was kept out is removed now, or the other way round), quiet (nothing
    else that anybody sees), same (nothing at all). row: lists.rows.COLUMNS. was: the row as it is, None where it is not
    listed. listed: whether it will be. What is asked about it stands in Plan.questions."""

    slot: int
    op: str
    row: tuple[Any, ...]
    was: tuple[Any, ...] | None
    listed: bool
    excluded: bool = False

    @property
    def leaves(self) -> bool:
        return self.was is not None and not self.listed

    @property
    def before(self) -> dict[str, Any] | None:
        """The values shown; None where it is not listed."""
        return None if self.was is None else shown_values(self.was)

    @property
    def after(self) -> dict[str, Any] | None:
        return shown_values(self.row) if self.listed else None

    def pack(self) -> tuple[Any, ...]:
        was = None if self.was is None else _plain(self.was)
        return self.slot, self.op, _plain(self.row), was, self.listed, self.excluded

    @classmethod
    def unpack(cls, packed: tuple[Any, ...]) -> "Draft":
        return cls(*packed)


def _plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """With the time as it goes into the database."""
    plain = list(row)
    plain[FIRST_LISTED] = Dialect.of().moment(row[FIRST_LISTED])
    return tuple(plain)


DRAFTS = Codec(Draft.pack, Draft.unpack)


@dataclass
class Counts:
    found: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    excluded: int = 0
    waiting: int = 0  # new records that are too many for one sync
    held: int = 0
    moved: int = 0
    duplicates: int = 0
    skipped: int = 0
    not_taken: int = 0
    known: int = 0  # of the new records: items that some list already has
    conflicts: int = 0

    def take(self, draft: Draft) -> None:
        """Count what a version with this draft shows."""
        self.added += draft.op in ("add", "restore")
        self.changed += draft.op == "change"
        self.removed += draft.op == "remove" or (draft.op == "exclude" and draft.leaves)

    def join(self, parts: Iterable[Any], *, unchanged: int) -> None:
        """Count what these versions of the same change have shown before. unchanged: so many records were, before they stood."""
        for version in parts:
            self.added += version.added
            self.changed += version.changed
            self.removed += version.removed
            self.unchanged = unchanged


@dataclass
class Plan:
    """Everything that publishing needs. Close it when done: its drafts and claims lie in files."""

    list_: MediaList
    source: Source | None
    base: int | None  # id of the version that it was planned against
    at: datetime
    counts: Counts = field(default_factory=Counts)
    drafts: Spool[Draft] = field(default_factory=lambda: Spool(DRAFTS, Dialect.of().rows))
    fresh: Spool[ClaimDraft] = field(default_factory=lambda: Spool(CLAIMS, Dialect.of().rows))  # as they were read
    has_new: bool = False  # whether one of these is
    places: Callable[[int], int] = int  # index of a row in the source's order -> its place there
    folded: Spool[ClaimDraft] = field(default_factory=lambda: Spool(CLAIMS, Dialect.of().rows))
    questions: list[tuple[int, Match | None, list[Ask]]] = field(default_factory=list)  # slot, doubt, what to ask
    gone: list[int] = field(default_factory=list)  # claims that leave
    missing: list[int] = field(default_factory=list)  # claims that are marked missing
    back: list[int] = field(default_factory=list)  # claims that are there again
    positions: dict[int, int | None] = field(default_factory=dict)  # unchanged claims at another place
    marks: Marked = field(default_factory=Marked)  # claims that say the same in other bytes
    ranks: MutableMapping[int, int] = field(default_factory=BySlot)  # slot -> rank to be written
    moved: set[int] = field(default_factory=set)  # entries that stay and are out of step with the order before
    leads: dict[int, int] = field(
        default_factory=dict
    )  # entry -> the one that shows it, of those that another one shows
    held: list[int] = field(default_factory=list)  # entries whose removal waits for a person
    explanation: str = ""  # what their absence looks like, where that can be told
    supported: int = 0  # listed entries that the source stood for
    named: set[int] = field(default_factory=set)  # entries that the source names, after a fetch that was not complete
    edits: dict[tuple[int, str], EditDraft] = field(default_factory=dict)  # to be written, by slot and field
    ended: list[int] = field(default_factory=list)  # edits that end
    rebased: dict[int, Any] = field(default_factory=dict)  # yielding edits with another base, without a version
    moved_claims: dict[int, int] = field(default_factory=dict)  # claims that speak of another entry: id -> slot
    order_mode: tuple[str, str] | None = None  # mode and field that the list's order gets
    facts: dict[str, Any] | None = None  # of the list, where they become others
    may_remove: bool = True  # whether the fetch was complete, as far as its rows tell
    written: tuple[int, ...] = ()  # what else it was planned against: see lists/writer.py
    late: list[int] = field(default_factory=list)  # entries to be looked at again by the next write
    about: About = field(default_factory=About)
    problems: list[dict[str, Any]] = field(default_factory=list)  # {line, reason, text}
    more_problems: int = 0
    not_taken: dict[str, int] = field(default_factory=dict)
    doubles: list[dict[str, Any]] = field(default_factory=list)
    filtered: dict[str, int] = field(default_factory=dict)  # of what is excluded: what a filter looked at -> how many

    @property
    def is_empty(self) -> bool:
        """Nothing that a reader could see would change."""
        counts = self.counts
        shown = counts.added or counts.changed or counts.removed or counts.moved
        return not (shown or self.edits or self.ended or self.order_mode or self.facts is not None)

    @property
    def asked(self) -> int:
        """How many questions are put."""
        return sum((doubt is not None) + sum(ask.state == "open" for ask in asks) for _, doubt, asks in self.questions)

    @property
    def claims(self) -> Iterator[ClaimDraft]:
        """Claims to be written. New ones as they were read, for the fold tells nothing more of them; behind them the others."""
        first_at = int(self.at.timestamp())
        for draft in self.fresh if self.has_new else ():
            if draft.pk is None:
                draft.first_at, draft.position = first_at, self.places(draft.place)
                yield draft
        yield from self.folded

    def note(self, row: Row) -> None:
        """Count a row that is no record, and keep the words of the first ones that cannot be read."""
        if isinstance(row, About):
            self.about = row
        elif isinstance(row, NotTaken):
            self.counts.not_taken += 1
            self.not_taken[row.what] = self.not_taken.get(row.what, 0) + 1
        elif isinstance(row, Unreadable):
            self.counts.skipped += 1
            if len(self.problems) < PROBLEMS_KEPT:
                self.problems.append({"line": row.line, "reason": row.reason, "text": row.text[:200]})
            else:
                self.more_problems += 1

    def note_double(self, row: Record) -> None:
        """A record that the source states a second time."""
        self.counts.duplicates += 1
        if len(self.doubles) < PROBLEMS_KEPT:
            self.doubles.append({"line": row.line, "title": row.values.get("title") or row.key})

    def __enter__(self) -> "Plan":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        self.drafts.close()
        self.fresh.close()
        self.folded.close()


@dataclass(frozen=True, slots=True)
class Reading:
    """How the records of a sync are taken.

    may_remove: the fetch was complete. confirmed: a person saw the removals, the guard does not ask again. replaces: it is
    a chart that takes the place of the last one, so the guard does not ask either. grace: complete fetches that must lack
    an entry after the first. salt: the mapper's version and whatever else changes what a record means.
    adapter: the kind of the source. waiting: keys of new records that are left for a later sync.
    """

    may_remove: bool = True
    confirmed: bool = False
    replaces: bool = False
    grace: int = 0
    salt: str = ""
    keep: bool = False
    ask: bool = False
    adapter: str = ""
    waiting: Sequence[str] = ()

    def digest_of(self, record: Record) -> bytes:
        """16 bytes over what a record says; its place is not part of it."""
        content = fields.canonical([self.salt, record.kind, record.ids, record.values])
        return hashlib.blake2b(content, digest_size=16).digest()
