"""Reading a source: every row cleaned as it may be stored, and what we know already passed over unread."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain

from django.conf import settings

from lists import credentials, fields
from lists.fields import storable
from lists.known import Marker
from lists.models import Item
from lists.records import About, NotTaken, Raw, Record, Row, Rows, Unchanged, Unreadable
from lists.spool import BLOCK
from sync.adapters import Adapter, Context
from sync.errors import BadPayload, SourceUnavailable
from sync.progress import Progress

KINDS = frozenset(Item.Kind.values)
STREAMED = frozenset({Item.Kind.CHANNEL.value, Item.Kind.RADIO.value})
MOST_BROKEN = 10_000  # rows; a file with more of them than of good ones is something else than we take it for
FARTHEST = 2**62  # place in an order


@dataclass(frozen=True, slots=True)
class Marks:
    """How rows are known again: mark is made under a salt, known() says which claim a mark was of. It is asked for with the
    first row: a source that says nothing new has none."""

    mark: Marker
    known: Callable[[], Mapping[bytes, int]] = dict


def read(adapter: Adapter, ctx: Context, progress: Progress | None = None, *, marks: Marks | None = None) -> Rows:
    """Every row of a source in a spool that the caller closes.

    progress: of the run that reads. marks: rows that are known by them come as Unchanged. Where a source breaks off after
    some rows, these are taken and the context says why. Raises BadPayload if the whole cannot be read or brings nothing
    that a list could hold.
    """
    with ExitStack() as undone:
        reading = _Reading(Cleaner(adapter, ctx), marks)
        undone.callback(reading.spool.close)
        rows, ctx.cut_off = adapter.fetch(ctx), None
        try:
            reading.take_all(rows if progress is None else progress.counted(rows, partial(_share, ctx), finding=True))
        except SourceUnavailable as e:
            if not reading.has_records:
                raise
            ctx.cut_off = e
        reading.end()
        undone.pop_all()
        return reading.spool


def _share(ctx: Context, count: int) -> int:
    """Per cent of a run when so many rows are read: a share of what is expected, or ever slower."""
    return round(30 * min(count / ctx.expected, 1)) if ctx.expected else min(5 + count // 500, 29)


class _Reading:
    def __init__(self, cleaner: "Cleaner", marks: Marks | None):
        self.spool = Rows()
        self._cleaner, self._marks = cleaner, marks
        self._stretch = Unchanged([], [])
        self._seen = _Seen()

    def take_all(self, rows: Iterable[Row | Raw]) -> None:
        walking = iter(rows)
        if (first := next(walking, None)) is None:
            return
        if self._marks is None:
            for row in chain([first], walking):
                self._take(row, b"")
            return
        mark_of, known = self._marks.mark, self._marks.known()
        is_met = bytearray(max(known.values(), default=-1) + 1)
        numbers, stated = self._stretch
        for row in chain([first], walking):
            mark = mark_of(row)
            number = known.get(mark)
            if number is None or is_met[number]:  # a second one is a double, and named as such
                self._take(row, mark)
                numbers, stated = self._stretch
                continue
            is_met[number] = 1
            numbers.append(number)
            stated.append(row.position)  # type: ignore[union-attr]  # what has a mark has one
            if len(numbers) >= BLOCK:
                self._end_stretch()
                numbers, stated = self._stretch

    def _take(self, row: Row | Raw, mark: bytes) -> None:
        self._end_stretch()
        cleaned = self._cleaner(row.parse(row) if isinstance(row, Raw) else row, mark)
        self.spool.append(cleaned)
        self._seen.count(cleaned)

    def _end_stretch(self) -> None:
        if count := len(self._stretch.numbers):
            self.spool.append(self._stretch)
            self._stretch = Unchanged([], [])
            self._seen.count_unchanged(count)

    @property
    def has_records(self) -> bool:
        return bool(self._seen.records or self._stretch.numbers)

    def end(self) -> None:
        self._end_stretch()
        self._seen.refuse_if_nothing()


@dataclass
class _Seen:
    """What a reading has brought so far. Each question raises BadPayload where reading on, or going on, makes no sense."""

    records: int = 0
    broken: int = 0
    others: Counter[str] = field(default_factory=Counter)
    rows: int = 0

    def count_unchanged(self, rows: int) -> None:
        self.rows += rows
        self.records += rows
        self._refuse_if_too_many()

    def count(self, row: Row) -> None:
        self.rows += 1
        self.records += isinstance(row, Record)
        self.broken += isinstance(row, Unreadable)
        if isinstance(row, NotTaken):
            self.others[row.what] += 1
        self._refuse_if_too_many()
        if isinstance(row, Unreadable) and self.broken > max(MOST_BROKEN, self.records):
            raise BadPayload(
                f"More rows cannot be read than can, {self.broken:,} up to here. Nothing was read. Is it another format?",
                line=row.line,
            )

    def _refuse_if_too_many(self) -> None:
        if self.rows > settings.FILE_ROWS:
            raise BadPayload(
                f"There are more than {settings.FILE_ROWS:,} rows. Nothing was read. Split it, or ask whoever runs "
                "this Listkeeper to raise LISTKEEPER_FILE_ROWS."
            )

    def refuse_if_nothing(self) -> None:
        if self.others and not self.records:
            found = ", ".join(f"{count} × {what}" for what, count in sorted(self.others.items()))
            raise BadPayload(f"There is nothing in it that a list could hold: {found}. Nothing was taken.")


class Cleaner:
    """Rows as they may be stored: without what no database takes, and without the logins that stand in addresses."""

    def __init__(self, adapter: Adapter, ctx: Context):
        self._logins, self._streams = ctx.logins, adapter.streams

    def _has_stream(self, row: Record) -> bool:
        """A table or a JSON list may hold channels, too."""
        return self._streams or row.kind in STREAMED

    def __call__(self, row: Row, mark: bytes = b"") -> Row:
        """A record whose values are of the wrong type becomes Unreadable."""
        if not isinstance(row, Record):
            return self.other(row)
        if row.kind not in KINDS:
            reason = f"“{storable(row.kind)}” is no kind of thing that a list can hold."
            return Unreadable(row.line, reason, key=self.key(row.key))
        try:
            return self.record(row, mark)
        except ValueError as e:
            return Unreadable(row.line, self.words(str(e)), key=self.key(row.key))

    def record(self, row: Record, mark: bytes = b"") -> Record:
        """Raises ValueError for a value of the wrong type."""
        streams = self._has_stream(row)
        values = fields.clean(row.values)
        at = values.get("address", "")
        for name, value in values.items():
            if isinstance(value, str):
                if "://" in value or "#" in value:  # no other text can hold a login
                    lifted = name in fields.ADDRESSES
                    values[name] = self._logins.lift(value, streams=streams, at=at) if lifted else (
                        credentials.blank(value, streams=streams)
                    )  # fmt: skip
            elif isinstance(value, list):
                values[name] = [credentials.blank(w, streams=streams) if "://" in w else w for w in value]
        # With a name in the place of a short login an address may have become too long; cut off it would lead nowhere.
        for name in fields.ADDRESSES:
            if name in values and len(values[name]) > fields.FIELDS[name].limit:
                del values[name]
        position = row.position if row.position is None or abs(row.position) < FARTHEST else None
        return Record(
            self.key(row.key, streams), str(row.kind), values, _clean_ids(row.ids), position, row.line, row.ref, mark
        )  # fmt: skip

    def other(self, row: Unreadable | NotTaken | About) -> Row:
        """What is kept with the run, or with the list."""
        if isinstance(row, About):
            facts = {
                self.words(name): self._logins.lift(storable(str(fact)), streams=self._streams)
                for name, fact in row.facts.items()
            }
            return About(self.words(row.title), facts, row.ref)
        if isinstance(row, NotTaken):
            return replace(row, what=self.words(row.what))
        key = None if row.key is None else self.key(row.key)
        return replace(row, reason=self.words(row.reason), text=self.words(row.text), key=key)

    def words(self, text: str) -> str:
        return credentials.blank(storable(text), streams=True)

    def key(self, key: str, streams: bool = False) -> str:
        """Without a login: a renewed password must not make another thing of a channel."""
        return _bounded(credentials.blank(key, streams=streams or self._streams) if "://" in key or "#" in key else key)


def _bounded(key: str) -> str:
    """A key that fits its column; two long ones that begin alike stay two."""
    key = storable(key)
    return key if len(key) <= 400 else f"{key[:367]}~{hashlib.blake2b(key.encode(), digest_size=16).hexdigest()}"


def _clean_ids(ids: dict[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, said in ids.items()
        if (value := credentials.blank(said) if "://" in said else said) and len(value) <= 200 and "\x00" not in value
    }
