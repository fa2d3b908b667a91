"""An entry as a change finds it: its row, what its sources say, what people want."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from lists import asking, rows
from lists.dialects import Dialect
from lists.models import Entry
from lists.plan import EditDraft
from lists.resolve import ABSENT, PRESENCE, PRESENT
from lists.rows import AT
from lists.words import Word

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

    @property
    def is_put_here(self) -> bool:
        """Whether a person said that it is on the list."""
        edit = self.edits.get(PRESENCE)
        return edit is not None and edit.firm and edit.value == PRESENT


def changed_row(row: tuple[Any, ...], **changes: Any) -> tuple[Any, ...]:
    changed = list(row)
    for name, value in changes.items():
        changed[AT[name]] = value
    return tuple(changed)


def stored_row(values: Sequence[Any]) -> tuple[Any, ...]:
    """A row as fetched(), in the form in which rows are written, so that the two can be compared."""
    row = list(values)
    row[rows.FIRST_LISTED] = Dialect.of().read_moment(row[rows.FIRST_LISTED])
    for name in ("extra", "origins"):
        if row[AT[name]] != "{}":  # each database spells it in its own way
            row[AT[name]] = orjson.dumps(orjson.loads(row[AT[name]]), option=orjson.OPT_SORT_KEYS).decode()
    return tuple(row)
