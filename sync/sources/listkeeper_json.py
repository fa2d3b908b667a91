"""Our own JSON export. Read back into its list it is a person's edits: each row says which entry and version it was."""

from collections.abc import Iterator
from typing import Any

from lists.fields import FIELDS, clean
from lists.records import About, Record, Row, Unreadable
from sync.adapters import Context, FileAdapter, register
from sync.errors import BadPayload
from sync.sources._cells import day, filled, kind_of, shown, text
from sync.sources._columns import read_cell
from sync.sources._ids import STRENGTH, external_ids, own_ref, row_key
from sync.sources._json import Document, as_object, excerpt
from sync.text import Sniff

VERSION = 1
_KINDS = frozenset({"movie", "show", "season", "episode", "track", "channel", "radio", "other"})
_KIND_IN = {"films": "movie", "tracks": "track", "channels": "channel"}

# What an entry carries besides the fields of lists/fields.py.
_OURS = frozenset({"entry", "kind", "ids", "position", "first_listed_at"})


@register
class ListkeeperJson(FileAdapter):
    key = "listkeeper_json"
    label = "Listkeeper export (JSON)"
    help = "A list that Listkeeper exported, with all that it knows of it."
    kinds = _KINDS

    @classmethod
    def recognises(cls, sniff: Sniff) -> float:
        return 1 if isinstance(sniff.document, dict) and "listkeeper" in sniff.document else 0

    def fetch(self, ctx: Context) -> Iterator[Row]:
        document = Document(ctx.text)
        top = as_object(document.value)
        entries, list_ = top.get("entries"), as_object(top.get("list"))
        if "listkeeper" not in top or not isinstance(entries, list):
            raise BadPayload("This is not an export of Listkeeper: it has no entries. Nothing was read.")
        if top["listkeeper"] != VERSION:
            raise BadPayload("This export is of another version of Listkeeper. Export the list again, or update.")
        facts = {name: text(fact)[:500] for name, fact in as_object(list_.get("facts")).items()}
        yield About(text(list_.get("name")), filled(facts))
        for place, entry in enumerate(entries, 1):
            yield _row(entry, list_, place, document)


def _row(entry: Any, list_: dict[str, Any], place: int, document: Document) -> Row:
    try:
        return parse_row(entry, list_, place=place)
    except BadPayload as e:
        return Unreadable(document.line_of(place, "entries"), str(e), excerpt(entry), _known_key(entry, list_, place))


def parse_row(entry: Any, list_: dict[str, Any], *, place: int) -> Record:
    """list_: the part of the export that names list and version. Raises BadPayload."""
    if not isinstance(entry, dict):
        raise BadPayload("This is no entry.")
    kind = _kind(entry, list_)
    ids = _ids(entry, kind)
    fields = {name: value for name, value in entry.items() if name not in _OURS}
    try:
        values = clean({name: _checked(name, value) for name, value in filled(fields).items()})
    except ValueError as e:
        raise BadPayload(str(e)) from None
    return Record(
        key=row_key(kind, ids, values, place), kind=kind, values=values, ids=ids, position=place,
        ref=own_ref(f"{list_.get('uid')}/{entry.get('entry')}@{list_.get('version')}"),
    )  # fmt: skip


def _kind(entry: dict[str, Any], list_: dict[str, Any]) -> str:
    kind = kind_of(entry.get("kind")) or _KIND_IN.get(text(list_.get("content")), "movie")
    if kind not in _KINDS:
        raise BadPayload(f"Entries cannot be of the kind {kind}.")
    return kind


def _ids(entry: dict[str, Any], kind: str) -> dict[str, str]:
    """Ids of every namespace; those that we know are checked."""
    stated = as_object(entry.get("ids"))
    others = {text(name)[:40]: text(value)[:200] for name, value in stated.items() if name not in (*STRENGTH, "")}
    return external_ids(stated, kind) | filled(others)


def _checked(name: str, value: Any) -> Any:
    """The value if it has the shape and lies in the range of its field; the rest lists.fields.clean says."""
    if name not in FIELDS:
        return value
    label, type_ = FIELDS[name].label, FIELDS[name].type
    if type_ == "list" and not isinstance(value, list):
        raise BadPayload(f"{label} must be a list.")
    if type_ in ("text", "date") and (isinstance(value, bool) or not isinstance(value, str | int | float)):
        raise BadPayload(f"{label} must be text.")
    if type_ in ("int", "float") and isinstance(value, int | float) and value < 0:
        raise BadPayload(f"{label} must not be negative.")
    if type_ == "date" and day(value, label) != value:
        raise BadPayload(f'{label} must be a date such as 1995-12-15, not "{shown(value)}".')
    if name in ("year", "rating"):
        read_cell(name, value)
    return value


def _known_key(entry: Any, list_: dict[str, Any], place: int) -> str | None:
    try:
        kind = _kind(entry, list_)
        return row_key(kind, _ids(entry, kind), {}, place)
    except (BadPayload, AttributeError):
        return None
