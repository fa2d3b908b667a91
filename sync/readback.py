"""Our own exports, read back into the list that they came from.

Such a file is no source: it says nothing that the list did not say, except where a person has changed it. So it is held
against the version that it names, written out and read in again the same way; what is equal then was not touched.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from lists.exports import EXPORTS
from lists.models import MediaList, Version
from lists.records import Record, Row
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

    @property
    def is_untouched(self) -> bool:
        return not (self.changed or self.removed or self.added or self.moved)


def compare(list_: MediaList, adapter: FileAdapter, rows: Iterable[Row]) -> Comparison | None:
    """What a file changes of the version of this list that it was exported from; None if it is no such file."""
    if adapter.key not in READS:
        return None
    records = [row for row in rows if isinstance(row, Record)]
    refs = [_parse(record.ref) for record in records]
    named = Counter(version for uid, _, version in filter(None, refs) if uid == list_.uid.hex)
    if not named:
        return None
    version = Version.objects.filter(list=list_, number=named.most_common(1)[0][0], pruned_at=None).first()
    if version is None:
        return None
    then = _exported(list_, version, READS[adapter.key])
    now = {
        ref[1]: record
        for record, ref in zip(records, refs, strict=True)
        if ref is not None and ref[0] == list_.uid.hex and ref[1] in then
    }
    both = [entry for entry in then if entry in now]
    return Comparison(
        version=version.number,
        rows=len(records),
        changed=sum(then[entry].values != now[entry].values or then[entry].kind != now[entry].kind for entry in both),
        removed=len(then) - len(both),
        added=len(records) - len(now),
        moved=both != [entry for entry in now if entry in then],
    )


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
    parts = [
        (own.changed, "changed"), (own.removed, "deleted"), (own.added, "added"),
    ]  # fmt: skip
    told = ", ".join(f"{count} rows {what}" for count, what in parts if count) or "another order"
    return (
        f"This is our own export of version {own.version}, with {told}. Nothing was changed. "
        "To bring it in as it stands, as one more source of this list, choose a new source and read it again."
    )
