"""Pages that seek: the next page begins behind the last row of this one, however deep it lies.

Row 900,000 costs what row 1 costs. The bound is spelled `key >= last AND NOT (key = last AND id <= last_id)`, because the
natural `key > last OR (key = last AND id > last_id)` makes both databases walk every row before it.
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
    """One order of rows: a column that is never null, then the id. Unknown values come last by the column's choice."""

    key: str
    label: str
    column: str
    descending: bool = False

    @property
    def order(self) -> tuple[str, str]:
        sign = "-" if self.descending else ""
        return f"{sign}{self.column}", f"{sign}id"


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """rows, and the cursor behind the last of them: "" if there are no more."""

    rows: list[M]
    next: str


def seek(rows: QuerySet[M], sort: Sort, *, after: str = "", limit: int = 50) -> Page[M]:
    """The `limit` rows behind a cursor. Raises BadCursor."""
    if after:
        rows = rows.filter(_behind(sort, after, rows.model))
    found = list(rows.order_by(*sort.order)[: limit + 1])
    more = len(found) > limit
    return Page(found[:limit], _cursor(sort, found[limit - 1]) if more else "")


def _behind(sort: Sort, cursor: str, model: type[Model]) -> Q:
    value, pk = _read(sort, cursor, model)
    side = "lte" if sort.descending else "gte"
    beyond = "gte" if sort.descending else "lte"
    return Q(**{f"{sort.column}__{side}": value}) & ~Q(**{sort.column: value, f"id__{beyond}": pk})


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
