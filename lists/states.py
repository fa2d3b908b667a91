"""An entry as a change finds it: its row, what its sources say, what people want."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from lists import asking, labels, rows
from lists.fields import FIELDS
from lists.models import Entry
from lists.plan import EditDraft
from lists.resolve import ABSENT, PRESENCE, PRESENT, Values, Word

AT = {name: place for place, name in enumerate(rows.COLUMNS)}
# What a reader sees of an entry. A difference in anything else is written without a version.
SEEN = tuple(
    AT[name]
    for name in rows.COLUMNS
    if name not in {
        "list_id", "item_id", "once", "state", "reason", "rank", "first_listed_at", "sort_title", "search", "completeness", "origins",
    }
)  # fmt: skip
MERGED = "The same thing stands on the list already."


@dataclass(slots=True)
class EntryState:
    """An entry as it stands: its row (lists.rows.COLUMNS; None for one to be made), words by claim, edits by field.

    leaving: words that count no more once this change is published, each with whether the entry stays all the same.
    """

    slot: int
    kind: str
    item: int | None
    state: str
    reason: str
    rank: int
    first_listed_at: datetime | None
    row: tuple[Any, ...] | None = None
    root: int | None = None  # the item that its item was merged into, or itself
    words: dict[int, Word] = field(default_factory=dict)
    edits: dict[str, EditDraft] = field(default_factory=dict)
    leaving: list[tuple[Word, bool]] = field(default_factory=list)
    doubt: Any = None
    asked: dict[str, asking.Standing] = field(default_factory=dict)

    @classmethod
    def new(cls, slot: int, kind: str, item: int | None, rank: int, root: int | None = None) -> "EntryState":
        return cls(slot, kind, item, "", "", rank, None, root=root)

    @property
    def is_shown(self) -> bool:
        """Whether the list shows it now, itself or as another entry."""
        return self.state == Entry.State.LISTED or self.reason == MERGED

    @property
    def is_claimed(self) -> bool:
        """Whether somebody but a person says that it is on the list."""
        return any(word.listing for word in self.words.values())

    @property
    def claimed(self) -> str:
        """Its presence as the sources alone give it."""
        return PRESENT if self.is_claimed else ABSENT

    @property
    def is_present(self) -> bool:
        edit = self.edits.get(PRESENCE)
        return edit.value == PRESENT if edit else self.is_claimed


def changed_row(row: tuple[Any, ...], **changes: Any) -> tuple[Any, ...]:
    changed = list(row)
    for name, value in changes.items():
        changed[AT[name]] = value
    return tuple(changed)


def stored_row(values: Sequence[Any]) -> tuple[Any, ...]:
    """A row as read, in the form in which rows are written, so that the two can be compared."""
    row = list(values)
    row[AT["genres"]] = labels.join(row[AT["genres"]])
    for name in ("extra", "origins"):
        row[AT[name]] = orjson.dumps(row[AT[name]], option=orjson.OPT_SORT_KEYS).decode()
    return tuple(row)


def shown_values(row: Sequence[Any]) -> Values:
    """The values of a row by field, nothing empty."""
    values: Values = {}
    for name, spec in FIELDS.items():
        if spec.column and (value := row[AT[name]]) not in (None, ""):
            values[name] = labels.part(value) if name == "genres" else value
    return values | orjson.loads(row[AT["extra"]])
