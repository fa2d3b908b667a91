"""A fold's outcome as a row of the entry table, ready to be written in bulk."""

from datetime import datetime
from typing import Any

import orjson

from lists import fields, labels
from lists.models import Item
from lists.resolve import Resolved
from lists.titles import fold, sort_key

# Everything of an entry but its id, in the order in which rows are written.
COLUMNS = (
    "list_id", "item_id", "once", "kind", "state", "reason", "rank", "first_listed_at", "title", "sort_title", "search",
    "original_title", "artist", "year", "release_date", "runtime_s", "rating", "votes", "popularity", "language",
    "release_status", "poster", "backdrop", "overview", "genres", "cue_ms", "group", "completeness", "extra", "origins",
)  # fmt: skip
_TEXTS = frozenset(
    name for name in fields.COLUMNS if fields.FIELDS[name].type in ("text", "date")
)  # empty text, not NULL, where a source says nothing
FIRST_LISTED = COLUMNS.index("first_listed_at")


def shown_title(values: dict[str, Any], kind: str) -> str:
    """What stands where nobody gave a title: a play that nobody has named is an "ID"."""
    if title := values.get("title"):
        return title
    return "ID" if kind == Item.Kind.TRACK else values.get("original_title") or "Untitled"


def entry_row(
    resolved: Resolved,
    *,
    list_id: int,
    item_id: int | None,
    once: bool,
    kind: str,
    state: str,
    reason: str,
    rank: int,
    first_listed_at: datetime,
) -> tuple[Any, ...]:
    values, extra = fields.split(resolved.values)
    title = shown_title(values, kind)
    search = " ".join(filter(None, map(fold, (title, values.get("original_title") or "", values.get("artist") or ""))))
    own = {
        "list_id": list_id,
        "item_id": item_id,
        "once": once,
        "kind": kind,
        "state": state,
        "reason": reason[:200],
        "rank": rank,
        "first_listed_at": first_listed_at,
        "title": title,
        "sort_title": sort_key(title),
        "search": search,
        "genres": labels.join(values.get("genres") or ()),
        "completeness": fields.completeness(values, has_ids=item_id is not None),
        "extra": orjson.dumps(extra, option=orjson.OPT_SORT_KEYS).decode(),
        "origins": orjson.dumps(resolved.origins, option=orjson.OPT_SORT_KEYS).decode(),
    }
    return tuple(own[name] if name in own else values.get(name, "" if name in _TEXTS else None) for name in COLUMNS)
