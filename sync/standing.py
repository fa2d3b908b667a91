"""How every source that is fetched stands: what runs, since when, what comes next."""

from typing import Any

from django.db import models
from django.db.models import Case, F, OuterRef, Q, QuerySet, Subquery, Value, When

from lists.models import MediaList, Source
from sync.adapters import fetched_adapters
from sync.models import Run


class Standing(models.TextChoices):
    RUNNING = "running", "Running"
    QUEUED = "queued", "Queued"
    WAITING = "waiting", "Tried again later"
    OFF = "off", "Switched off"
    RECONNECT = "reconnect", "Waits for its account"
    FAILING = "failing", "Failed"
    PAUSED = "paused", "Only on request"
    PLANNED = "planned", "Planned"


def standings(user: Any) -> QuerySet[Source]:
    """Sources that are fetched, of the lists that the user may see, with `standing` and `active` (id of the run that waits
    or works, or None)."""
    active = Run.objects.filter(source=OuterRef("pk")).active().exclude(kind=Run.Kind.UPLOAD).order_by("id")
    # By id: the join over members would show a source once per member.
    mine = MediaList.objects.for_user(user).order_by().values("pk")
    found = Source.objects.filter(
        list__in=mine, adapter__in=fetched_adapters(), role=Source.Role.FEED, removed_at=None
    ).select_related("list")
    found = found.defer("address", "body_digest", "config", "accepted")
    found = found.annotate(active=Subquery(active.values("pk")[:1]), doing=Subquery(active.values("state")[:1]))
    return found.annotate(
        standing=Case(
            When(doing__in=[Run.State.RUNNING, Run.State.CANCELLING], then=Value(Standing.RUNNING)),
            When(doing__isnull=False, then=F("doing")),
            When(enabled=False, then=Value(Standing.OFF)),
            When(~Q(paused=""), then=Value(Standing.RECONNECT)),
            When(failures__gt=0, then=Value(Standing.FAILING)),
            When(sync_enabled=False, then=Value(Standing.PAUSED)),
            default=Value(Standing.PLANNED),
            output_field=models.CharField(),
        )
    )


def with_runs(rows: list[Source]) -> list[Source]:
    """Each with `now`: the run that waits or works, or None."""
    runs = Run.objects.defer("details").in_bulk([row.active for row in rows if row.active])  # type: ignore[attr-defined]
    for row in rows:
        row.now = runs.get(row.active)  # type: ignore[attr-defined]
    return rows


def counted(user: Any) -> dict[str, int]:
    """standing -> how many sources, those that there are."""
    found: Any = standings(user)  # mypy forgets what was annotated
    rows = found.order_by().values("standing").annotate(count=models.Count("pk"))
    return {row["standing"]: row["count"] for row in rows}
