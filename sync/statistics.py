"""What runs were like over the last days, and hour by hour. What was not measured is None, never 0."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Avg, Count, ExpressionWrapper, F, FloatField, Max, Q, QuerySet, Sum
from django.db.models.functions import TruncHour

from sync.models import Run

ERRORS_SHOWN = 5
DAYS, DAYS_MOST = 30, 366
HOURLY_DAYS, HOURLY_DAYS_MOST = 7, 90

BROUGHT = Q(state__in=[Run.State.COMPLETED, Run.State.PARTIAL])
FAILED = Q(state=Run.State.FAILED)
# Of a run that brought something in less than a millisecond nobody knows how fast it was.
SPEED = ExpressionWrapper(F("found") * 1000.0 / F("duration_ms"), output_field=FloatField())
MEASURED = BROUGHT & Q(duration_ms__gt=0, found__gt=0)


@dataclass(frozen=True, slots=True)
class Figures:
    """Runs that ended between two moments. average_ms, items and speeds are of those that brought something; error_rate is
    the share of failed ones among those and the failed, 0 to 1. errors: [{"code", "message", "count", "last_at"}], the
    commonest first."""

    start: datetime
    end: datetime
    total: int
    completed: int
    partial: int
    failed: int
    cancelled: int
    interrupted: int
    items: int
    average_items: float | None
    average_ms: float | None
    peak_items_per_s: float | None
    error_rate: float | None
    errors: list[dict[str, Any]]


def figures(runs: QuerySet[Run], *, days: int, now: datetime) -> Figures:
    start = now - timedelta(days=days)
    found = _ended(runs, start, now)
    counts = {state: Count("pk", filter=Q(state=state)) for state in ENDED}
    row: dict[str, Any] = found.aggregate(
        total=Count("pk"), **counts, items=Sum("found", filter=BROUGHT, default=0),
        average_items=Avg("found", filter=BROUGHT), average_ms=Avg("duration_ms", filter=BROUGHT),
        peak_items_per_s=Max(SPEED, filter=MEASURED),
    )  # fmt: skip
    tried = row["completed"] + row["partial"] + row["failed"]
    return Figures(
        start=start, end=now, **row, error_rate=row["failed"] / tried if tried else None, errors=_errors(found)
    )


ENDED = ("completed", "partial", "failed", "cancelled", "interrupted")


def _ended(runs: QuerySet[Run], start: datetime, end: datetime) -> QuerySet[Run]:
    return runs.order_by().filter(finished_at__gte=start, finished_at__lte=end)


def _errors(found: QuerySet[Run]) -> list[dict[str, Any]]:
    rows: Any = found.filter(FAILED).values(code=F("error_code"), message=F("error"))
    counted = rows.annotate(count=Count("pk"), last_at=Max("finished_at"))
    return list(counted.order_by("-count", "-last_at", "message")[:ERRORS_SHOWN])


def hourly(runs: QuerySet[Run], *, days: int, now: datetime) -> list[dict[str, Any]]:
    """[{"hour", "runs", "average_ms", "items_per_s"}] of the hours in which runs brought something, the first one first.

    Hours are those of UTC: a day has 24 of them in every zone.
    """
    found = _ended(runs, now - timedelta(days=days), now).filter(BROUGHT)
    rows: Any = found.annotate(hour=TruncHour("finished_at", tzinfo=UTC)).values("hour")
    return list(
        rows.annotate(
            runs=Count("pk"), average_ms=Avg("duration_ms"), items_per_s=Avg(SPEED, filter=MEASURED)
        ).order_by("hour")
    )
