"""Writing down who did what, and counting it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Min, Model, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from lists.models import Audit, MediaList, Version

PERIOD = timedelta(days=30)  # that figures are about where nobody names another
GROUPS_SHOWN = 100
DAYS_SHOWN = 366

# What the page and the API filter by: parameter -> lookup.
FILTERS = {
    "action": "action",
    "object_type": "object_type",
    "object_id": "object_id",
    "list": "list_ref",
    "actor": "actor_name",
    "from": "at__gte",
    "to": "at__lte",
}


def audit(
    actor: Any,
    action: str,
    thing: Model,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    version: Version | None = None,
    list_: MediaList | None = None,
    correlation_id: str = "",
) -> Audit:
    """One row, in the caller's transaction, so that it stands if and only if the act does. actor None: the system."""
    if list_ is None:
        list_ = thing if isinstance(thing, MediaList) else getattr(thing, "list", None)
    return Audit.objects.create(
        actor=actor,
        actor_name=actor.get_username() if actor else "",
        action=action,
        object_type=str(thing._meta.verbose_name),
        object_id=str(thing.pk),
        object_name=str(thing)[:500],
        list_ref=list_.pk if list_ else None,
        version_number=version.number if version else None,
        before=before,
        after=after,
        correlation_id=correlation_id,
    )


def wanted(query: Mapping[str, Any]) -> dict[str, Any]:
    """What a queryset of Audit is filtered by, of parameters that were read and checked."""
    return {lookup: query[name] for name, lookup in FILTERS.items() if name in query}


@dataclass(frozen=True, slots=True)
class Figures:
    """How often what was done, between two moments. Each group: [{"name", "count", "first_at", "last_at"}], the largest
    first, 100 at most; name of an actor "": the system. days: [{"day", "count"}], the first one first."""

    start: datetime
    end: datetime
    total: int
    by_action: list[dict[str, Any]]
    by_object_type: list[dict[str, Any]]
    by_actor: list[dict[str, Any]]
    days: list[dict[str, Any]]


def figures(rows: QuerySet[Audit], query: Mapping[str, Any], *, at: datetime | None = None) -> Figures:
    """Counts of the rows that fit; of the last 30 days of the period, if its start is not named. A few queries."""
    end = query.get("to") or at or timezone.now()
    start = query.get("from") or _before(end)
    # Without order, and without the join over members: groups are of rows, each counted once.
    found = Audit.objects.filter(pk__in=rows.order_by().values("pk"), **wanted({**query, "from": start, "to": end}))
    found = found.order_by()
    days: Any = (
        found.annotate(day=TruncDate("at")).values("day").annotate(count=Count("pk")).order_by("-day")[:DAYS_SHOWN]
    )
    return Figures(
        start, end, found.count(), _grouped(found, "action"), _grouped(found, "object_type"),
        _grouped(found, "actor_name"), list(days)[::-1],
    )  # fmt: skip


def _before(end: datetime) -> datetime:
    try:
        return end - PERIOD
    except OverflowError:  # in the first month of the year 1
        return end


def _grouped(rows: QuerySet[Audit], column: str) -> list[dict[str, Any]]:
    counted = rows.values(column).annotate(count=Count("pk"), first_at=Min("at"), last_at=Max("at"))
    return [{**row, "name": row[column]} for row in counted.order_by("-count", column)[:GROUPS_SHOWN]]
