"""A fold's outcome as a row of the entry table, ready to be written in bulk."""

from collections.abc import Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

import orjson

from lists import fields, labels, quality
from lists.models import Item
from lists.resolve import Resolved
from lists.titles import search_text, sort_key
from lists.words import Values

# Everything of an entry but its id, in the order in which rows are written.
COLUMNS = (
    "list_id", "item_id", "once", "kind", "state", "reason", "rank", "first_listed_at", "title", "sort_title", "search",
    "original_title", "artist", "year", "release_date", "runtime_s", "rating", "votes", "popularity", "language",
    "release_status", "poster", "backdrop", "overview", "genres", "cue_ms", "group", "completeness", "extra", "origins",
)  # fmt: skip
AT = {name: place for place, name in enumerate(COLUMNS)}
FIRST_LISTED = AT["first_listed_at"]
_IN_ORDER = itemgetter(*COLUMNS)
# Empty text, not NULL, where a source says nothing.
_NOTHING: dict[str, Any] = {
    name: "" if fields.FIELDS[name].type in ("text", "date") else None for name in fields.COLUMNS
}  # fmt: skip
_SHOWN = [(name, AT[name]) for name in fields.COLUMNS]


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
    return _IN_ORDER(
        {
            **_NOTHING,
            **values,
            "list_id": list_id,
            "item_id": item_id,
            "once": once,
            "kind": str(kind),
            "state": state,
            "reason": reason[:200],
            "rank": rank,
            "first_listed_at": first_listed_at,
            "title": title,
            "sort_title": sort_key(title),
            "search": search_text(title, values.get("original_title"), values.get("artist")),
            "genres": labels.join(values.get("genres") or ()),
            "completeness": quality.filled(values, resolved.ids) / quality.MOST,
            "extra": _json(extra) if extra else "{}",
            "origins": _json(resolved.origins),
        }
    )


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def shown_values(row: Sequence[Any]) -> Values:
    """The values of a row by field, nothing empty."""
    values: Values = {name: value for name, at in _SHOWN if (value := row[at]) is not None and value != ""}
    if "genres" in values:
        values["genres"] = labels.part(values["genres"])
    extra = row[AT["extra"]]
    return values if extra == "{}" else values | orjson.loads(extra)
