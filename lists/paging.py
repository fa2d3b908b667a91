"""Pages that seek: the next page begins behind the last row of this one, however deep it lies.

Row 900,000 costs what row 1 costs. What lies behind a row is asked for in parts, each a plain range of an index: the same
key and a later id, then the keys beyond, then the rows whose key is not known. In one condition, however it is spelled, one
of the two databases walks every row before it, or every row with the same key.
"""

import base64
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import orjson
from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet

M = TypeVar("M", bound=Model)


class BadCursor(ValueError):
    """The place to go on from is none of ours."""


@dataclass(frozen=True, slots=True)
class Sort:
    """One order of rows: a column that is never null, then the key. unknown: the value that stands for none where it does
    not come last by itself; its rows do."""

    key: str
    label: str
    column: str
    descending: bool = False
    unknown: Any = None

    @property
    def order(self) -> tuple[str, str]:
        sign = "-" if self.descending else ""
        return f"{sign}{self.column}", f"{sign}pk"


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """rows, and the cursor behind the last of them: "" if there are no more."""

    rows: list[M]
    next: str


def seek(rows: QuerySet[M], sort: Sort, *, after: str = "", limit: int = 50) -> Page[M]:
    """The `limit` rows behind a cursor. Raises BadCursor."""
    found: list[M] = []
    for part in _parts(sort, after, rows.model):
        found += rows.filter(part).order_by(*sort.order)[: limit + 1 - len(found)]
        if len(found) > limit:
            return Page(found[:limit], _cursor(sort, found[limit - 1]))
    return Page(found, "")


def _parts(sort: Sort, after: str, model: type[Model]) -> list[Q]:
    """What lies behind a cursor, or everything, in order."""
    known, unknown = Q(), []
    if sort.unknown is not None:
        known, unknown = Q(**{f"{sort.column}__gt": sort.unknown}), [Q(**{sort.column: sort.unknown})]
    if not after:
        return [known, *unknown]
    value, pk = _read(sort, after, model)
    side = "lt" if sort.descending else "gt"
    same = Q(**{sort.column: value, f"pk__{side}": pk})
    if sort.unknown is not None and value == sort.unknown:
        return [same]
    return [same, Q(**{f"{sort.column}__{side}": value}), *unknown]


def _cursor(sort: Sort, row: Model) -> str:
    value = getattr(row, sort.column)
    return base64.urlsafe_b64encode(orjson.dumps([sort.key, value, row.pk])).decode().rstrip("=")


def _read(sort: Sort, cursor: str, model: type[Model]) -> tuple[Any, int]:
    """The value and the id to go on from, as the columns take them: a cursor is somebody's input, and holds anything."""
    try:
        key, value, pk = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if type(pk) is not int or not 0 < pk < 2**63 or value is None or "\x00" in str(value):
            raise ValueError
        field: Any = model._meta.get_field(sort.column)
        value = getattr(field, "output_field", field).to_python(value)
        if isinstance(value, int) and abs(value) >= 2**63:
            raise ValueError
    except (ValueError, TypeError, ValidationError):
        raise BadCursor("This is no place to go on from. Start at the first page.") from None
    if key != sort.key:
        raise BadCursor("The place to go on from belongs to another order. Start at the first page.")
    return value, pk
