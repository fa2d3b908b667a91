"""Our own exports, read back into the list that they came from.

Such a file is no source: it says nothing that the list did not say, except where a person has changed it. So it is held
against the version that it names, written out and read in again the same way; what differs then is an edit by hand.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from lists import fields, order
from lists.acts import Act, Addition
from lists.exports import EXPORTS
from lists.match import Matcher
from lists.models import Entry, MediaList, Version
from lists.records import Record, Row, Unreadable
from lists.resolve import ABSENT, PRESENCE
from sync.adapters import ADAPTERS, Context, FileAdapter

# Which format of ours an adapter reads; a table that a spreadsheet saved anew is still our CSV.
READS = {"imdb_csv": "csv", "csv_table": "csv", "listkeeper_json": "json"}


@dataclass(frozen=True, slots=True)
class Comparison:
    """version: the number that the file names. rows: how many it has. The rest counts rows that differ from it."""

    version: int
    rows: int
    changed: int
    removed: int
    added: int
    moved: bool
    unread: int = 0

    @property
    def is_untouched(self) -> bool:
        return not (self.changed or self.removed or self.added or self.moved or self.unread)


@dataclass(frozen=True, slots=True)
class ReadBack:
    """What a person did to an export. changed: entry -> field -> value; order: entries as the file has them, None if in
    the order of the version. unread: rows that cannot be read; with any of them nobody can say which rows were deleted,
    so none counts as deleted."""

    comparison: Comparison
    changed: dict[int, dict[str, Any]]
    removed: list[int]
    added: list[Record]
    order: list[int] | None
    unread: list[Unreadable]

    def act(self, list_: MediaList, *, create: bool) -> Act:
        """The same as an act on the list as it is now; create=False only looks: a preview."""
        edits = {pk: dict(values) for pk, values in self.changed.items()}
        gone = Entry.objects.filter(list=list_, pk__in=self.removed).exclude(state=Entry.State.REMOVED)
        for pk in gone.values_list("id", flat=True):
            edits.setdefault(pk, {})[PRESENCE] = ABSENT
        act = Act(edits=edits, added=self._additions(list_, Matcher(create=create)))
        if self.order is not None:
            placed = Entry.objects.filter(list=list_).exclude(state=Entry.State.REMOVED).order_by("rank", "id")
            now = list(placed.values_list("id", flat=True))
            there = set(now)
            act.order = order.merge([[pk for pk in self.order if pk in there], now])
            act.mode = (MediaList.OrderMode.HAND, "")
        return act

    def _additions(self, list_: MediaList, matcher: Matcher) -> list[Addition]:
        """New rows; one that the list shows already brings nothing."""
        matches = matcher.match(self.added)
        roots = [match.root for match in matches if match.root is not None]
        there = Entry.objects.filter(list=list_, item__in=roots) if list_.once else Entry.objects.none()
        known = set(there.values_list("item_id", flat=True))
        additions = []
        for record, match in zip(self.added, matches, strict=True):
            if match.root in known and match.root is not None:
                continue
            if list_.once and match.root is not None:
                known.add(match.root)
            additions.append(Addition(record.values, record.kind, match, record.ids))
        return additions


def read_back(list_: MediaList, adapter: FileAdapter, ctx: Context, rows: Iterable[Row]) -> ReadBack | None:
    """What a file changes of the version of this list that it was exported from; None if it is no such file."""
    if adapter.key not in READS:
        return None
    rows = list(rows)
    records = [row for row in rows if isinstance(row, Record)]
    unread = [row for row in rows if isinstance(row, Unreadable)]
    refs = [_parse(record.ref) for record in records]
    named = Counter(version for uid, _, version in filter(None, refs) if uid == list_.uid.hex)
    if not named:
        return None
    version = Version.objects.filter(list=list_, number=named.most_common(1)[0][0], pruned_at=None).first()
    if version is None:
        return None
    then = _exported(list_, version, READS[adapter.key])
    now: dict[int, Record] = {}
    added: list[Record] = []
    for record, ref in zip(records, refs, strict=True):
        if ref is not None and ref[0] == list_.uid.hex and ref[1] in then:
            now.setdefault(ref[1], record)
        else:
            added.append(record)
    both = [entry for entry in now if entry in then]
    carried = _carried(adapter, ctx, now.values())
    changed = {pk: cells for pk in both if (cells := _cells(then[pk], now[pk], carried))}
    removed = [entry for entry in then if entry not in now and not unread]
    moved = both != [entry for entry in then if entry in now]
    comparison = Comparison(version.number, len(records), len(changed), len(removed), len(added), moved, len(unread))
    return ReadBack(comparison, changed, removed, added, both if moved else None, unread)


def _carried(adapter: FileAdapter, ctx: Context, records: Iterable[Record]) -> set[str]:
    """The fields that the file still speaks of: a column that was taken out clears nothing."""
    columns = {str(column["field"]) for column in adapter.columns(ctx) if column.get("field")}
    return columns | {name for record in records for name in record.values}


def _cells(then: Record, now: Record, carried: Collection[str]) -> dict[str, Any]:
    """field -> value of the cells that a person changed; None for one that they emptied."""
    before = fields.clean(then.values)
    changed = {name: value for name, value in now.values.items() if before.get(name) != value}
    emptied = {name: None for name in before if name in carried and name not in now.values and name != "title"}
    return changed | emptied


def _exported(list_: MediaList, version: Version, format_: str) -> dict[int, Record]:
    """Entry -> record, as an export of that version reads, in its order."""
    body = b"".join(EXPORTS[format_].write(list_, user=None, version=version))
    adapter = ADAPTERS["listkeeper_json" if format_ == "json" else "imdb_csv"]()
    records = (row for row in adapter.fetch(Context(body)) if isinstance(row, Record))
    return {ref[1]: record for record in records if (ref := _parse(record.ref)) is not None}


def _parse(ref: str | None) -> tuple[str, int, int] | None:
    """ "<uid>/<entry>@<version>" -> (uid as hex, entry, version); None if it is none of ours."""
    uid, slash, rest = (ref or "").partition("/")
    entry, at, version = rest.partition("@")
    if not (slash and at and entry.isdecimal() and version.isdecimal() and len(entry) < 19 and len(version) < 10):
        return None
    return uid.replace("-", "").lower(), int(entry), int(version)


def sentence(own: Comparison) -> str:
    """What a person is told about such a file."""
    if own.is_untouched:
        return f"This is our own export of version {own.version}, untouched. There is nothing to bring in."
    parts = [(own.changed, "changed"), (own.removed, "deleted"), (own.added, "added")]
    told = [f"{count:,} {'row' if count == 1 else 'rows'} {what}" for count, what in parts if count]
    told += ["another order"] if own.moved else []
    if own.unread:
        told.append(f"{own.unread:,} that cannot be read, so nothing of it is taken off the list")
    return (
        f"This is our own export of version {own.version}, with {', '.join(told)}. It comes in as edits by hand: they stand "
        "whatever the sources say. What that version did not show is not touched."
    )
