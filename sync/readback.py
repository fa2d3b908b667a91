"""Our own exports, read back into the list that they came from.

Such a file is no source: it says nothing that the list did not say, except where a person has changed it. So it is held
against the version that it names, written out and read in again the same way; what differs then is an edit by hand.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from lists import fields, order
from lists.acts import Act, Addition
from lists.align import align, plays_of
from lists.credentials import blank
from lists.exports import EXPORTS, snapshot
from lists.match import Matcher
from lists.models import Entry, MediaList, Version
from lists.reader import EntryReader
from lists.records import About, Read, Record, Unreadable
from lists.resolve import ABSENT, PRESENCE, PRESENT
from sync.adapters import ADAPTERS, Context, FileAdapter
from sync.errors import BadPayload

# Adapter -> (the format of ours that it reads, the adapter that reads it as we write it). A table that a spreadsheet saved
# anew is still our CSV.
READS = {
    "imdb_csv": ("csv", "imdb_csv"),
    "csv_table": ("csv", "imdb_csv"),
    "letterboxd_csv": ("letterboxd", "letterboxd_csv"),
    "listkeeper_json": ("json", "listkeeper_json"),
    "cue": ("cue", "cue"),
    "m3u": ("m3u", "m3u"),
    "tracklist_text": ("text", "tracklist_text"),
}


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
        added, there = self._additions(list_, Matcher(create=create))
        gone = Entry.objects.filter(list=list_, pk__in=self.removed).exclude(state=Entry.State.REMOVED)
        for pk in gone.values_list("id", flat=True):
            if pk not in there:
                edits.setdefault(pk, {})[PRESENCE] = ABSENT
        for pk, state in there.items():
            if state == Entry.State.REMOVED:
                edits.setdefault(pk, {})[PRESENCE] = PRESENT
        act = Act(edits=edits, added=added)
        if self.order is not None:
            placed = Entry.objects.filter(list=list_).exclude(state=Entry.State.REMOVED).order_by("rank", "id")
            now = list(placed.values_list("id", flat=True))
            there = set(now)
            act.order = list(order.merge([[pk for pk in self.order if pk in there], now]))
            act.mode = (MediaList.OrderMode.HAND, "")
        return act

    def _additions(self, list_: MediaList, matcher: Matcher) -> tuple[list[Addition], dict[int, str]]:
        """(New rows; entry -> state of those that the list has or had, which are put back instead)."""
        matches = matcher.match(self.added)
        roots = {match.root for match in matches if match.root is not None} if list_.once else set()
        of_list = Entry.objects.filter(list=list_).annotate(root=EntryReader.root)
        known: dict[int | None, tuple[int, str]] = {}
        for root, pk, state in of_list.filter(root__in=roots).order_by("id").values_list("root", "id", "state"):
            known.setdefault(root, (pk, state))  # the first leads, where things were merged
        additions = []
        for record, match in zip(self.added, matches, strict=True):
            if match.root in known:
                continue
            if match.root in roots:
                roots.discard(match.root)  # once more in the file
            elif list_.once and match.root is not None:
                continue
            additions.append(Addition(record.values, record.kind, match, record.ids))
        return additions, dict(known.values())


def read_back(list_: MediaList, adapter: FileAdapter, ctx: Context, rows: Iterable[Read]) -> ReadBack | None:
    """What a file changes of the version of this list that it was exported from; None if it is no such file.

    Raises BadPayload if the content of that version is not kept any more: held against nothing, every row would look new.
    """
    if adapter.key not in READS:
        return None
    rows = list(rows)
    records = [row for row in rows if isinstance(row, Record)]
    unread = [row for row in rows if isinstance(row, Unreadable)]
    number = _named_version(list_, rows)
    version = Version.objects.filter(list=list_, number=number).first() if number else None
    if version is None:
        return None
    if version.pruned_at is not None:
        raise BadPayload(
            f"This is our own export of version {version.number}, whose content is not kept any more, so nobody can say what "
            "was changed in it. Nothing was read. Export the list as it is now and change that."
        )
    then = _exported(list_, version, *READS[adapter.key])
    now: dict[int, Record] = {}
    added: list[Record] = []
    for record, entry in zip(records, _entries(list_, records, then), strict=True):
        if entry is None:
            added.append(record)
        else:
            now.setdefault(entry, record)
    both = list(now)
    table = adapter.key.endswith("_csv") or adapter.key == "csv_table"
    carried = _carried(adapter, ctx, now.values())
    changed = {pk: cells for pk in both if (cells := _cells(then[pk], now[pk], carried, table=table))}
    removed = [entry for entry in then if entry not in now and not unread]
    moved = both != [entry for entry in then if entry in now]
    comparison = Comparison(version.number, len(records), len(changed), len(removed), len(added), moved, len(unread))
    return ReadBack(comparison, changed, removed, added, both if moved else None, unread)


def _named_version(list_: MediaList, rows: Iterable[Read]) -> int | None:
    """The version of this list that most rows say they come from, or the file as a whole; None if none does."""
    named: Counter[int] = Counter()
    for row in rows:
        if isinstance(row, Record) and (ref := _parse(row.ref)) and ref[0] == list_.uid.hex:
            named[ref[2]] += 1
        elif isinstance(row, About) and row.ref and (ref := _parse(row.ref.replace("@", "/0@"))):
            named[ref[2]] += ref[0] == list_.uid.hex
    return named.most_common(1)[0][0] if +named else None


def _entries(list_: MediaList, records: Sequence[Record], then: dict[int, Record]) -> list[int | None]:
    """The entry of each row; None for a new one. Where rows carry no mark (plain text), by aligning them."""
    refs = [_parse(record.ref) for record in records]
    if any(refs):
        return [ref[1] if ref and ref[0] == list_.uid.hex and ref[1] in then else None for ref in refs]
    found = align(*(plays_of(map(_play, rows)) for rows in (list(then.values()), records)))
    return [None if at is None else list(then)[at] for at in _paired(found, len(then))]


def _play(record: Record) -> tuple[str | None, str | None, int | None]:
    return record.values.get("artist"), record.values.get("title"), record.values.get("cue_ms")


def _paired(found: Sequence[int | None], count: int) -> list[int | None]:
    """A row of another name between the same neighbours, where as many rows are missing as came, is the same row edited."""
    paired = list(found)
    known = {at for at in found if at is not None}
    start = 0
    while start < len(paired):
        if paired[start] is not None:
            start += 1
            continue
        end = start
        while end < len(paired) and paired[end] is None:
            end += 1
        before = found[start - 1] if start else -1
        after = found[end] if end < len(found) else count
        gap = [] if before is None or after is None else [at for at in range(before + 1, after) if at not in known]
        if len(gap) == end - start:
            paired[start:end] = gap
        start = end
    return paired


def _carried(adapter: FileAdapter, ctx: Context, records: Iterable[Record]) -> set[str]:
    """The fields that the file still speaks of: a column that was taken out clears nothing."""
    columns = {str(column["field"]) for column in adapter.columns(ctx) if column.get("field")}
    return columns | {name for record in records for name in record.values}


def _cells(then: Record, now: Record, carried: Collection[str], *, table: bool) -> dict[str, Any]:
    """field -> value of the cells that a person changed; None for one that they emptied. table: whether a spreadsheet may
    have saved them anew."""
    before = fields.clean(then.values)
    changed = {name: value for name, value in now.values.items() if not _is_same(name, before.get(name), value, table)}
    emptied = {name: None for name in before if name in carried and name not in now.values and name != "title"}
    return changed | emptied


def _is_same(name: str, before: Any, now: Any, table: bool) -> bool:
    """Whether nobody has changed a cell, whatever a program made of it that opened and saved the file."""
    if not isinstance(before, str) or not isinstance(now, str):
        return bool(before == now)
    if before.replace("\r\n", "\n") == now.replace("\r\n", "\n"):
        return True
    if table and fields.FIELDS[name].type == "date":
        # A spreadsheet writes 2020-03-04 as 04/03/2020 or 03/04/2020: which of them, the file does not say.
        return before == "-".join(now.split("-")[:1] + now.split("-")[:0:-1])
    # A login is not edited here: an older export would put the old one back.
    return name in fields.ADDRESSES and blank(before, streams=True) == blank(now, streams=True)


def _exported(list_: MediaList, version: Version, format_: str, adapter: str) -> dict[int, Record]:
    """Entry -> record, as an export of that version reads, in its order."""
    body = b"".join(EXPORTS[format_].write(list_, user=None, version=version))
    if not body:
        return {}
    rows = [row for row in ADAPTERS[adapter]().fetch(Context(body)) if isinstance(row, Record | Unreadable)]
    marked = {ref[1]: row for row in rows if isinstance(row, Record) and (ref := _parse(row.ref)) is not None}
    if marked or len(rows) != version.item_count:
        return marked
    entries = (line.entry.pk for line in snapshot(list_, version).lines)
    return {pk: row for pk, row in zip(entries, rows, strict=True) if isinstance(row, Record)}


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
