"""Batches: many lists brought up to date by one request."""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from lists.models import MediaList, Source
from sync.models.runs import Run


class BatchQuerySet(models.QuerySet["Batch"]):
    def for_user(self, user: Any) -> "BatchQuerySet":
        return self if user.is_staff else self.filter(requested_by=user)

    def running(self) -> "BatchQuerySet":
        return self.filter(state=Batch.State.RUNNING)

    def counted(self) -> "BatchQuerySet":
        """With how many parts there are, as `total`, and how many of each state, by its name."""
        counts: dict[str, Any] = {
            state: models.Count("parts", filter=models.Q(parts__state=state)) for state in BatchPart.State.values
        }
        return self.annotate(
            total=models.Count("parts"), **{f"parts_{state}": count for state, count in counts.items()}
        )


class Batch(models.Model):
    """Many lists brought up to date by one request."""

    class Strategy(models.TextChoices):
        PARALLEL = "parallel", "Side by side"
        SEQUENTIAL = "sequential", "One after the other"
        ADAPTIVE = "adaptive", "As many at a time as the machine bears"
        PRIORITY = "priority", "The most important first"

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        COMPLETED = "completed", "Completed"
        PARTIAL = "partial", "Partly completed"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    strategy = models.CharField(max_length=10, choices=Strategy, default=Strategy.PARALLEL)
    state = models.CharField(max_length=9, choices=State, default=State.RUNNING)
    limit = models.PositiveSmallIntegerField(default=10, help_text="runs at a time, at most")
    width = models.PositiveSmallIntegerField(help_text="runs at a time now; only adaptive ones change it")
    hanging = models.PositiveSmallIntegerField(
        default=0, help_text="runs that took far longer than the others, as last seen"
    )
    stop_on_failure = models.BooleanField(default=False, help_text="start nothing more once one has failed")
    force = models.BooleanField(default=False, help_text="also what was read a moment ago")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    requested_by_name = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    cancelled_at = models.DateTimeField(
        null=True, blank=True, help_text="nothing more is started; what runs is stopped"
    )
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = BatchQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "batches"
        ordering = ["-id"]
        indexes = [models.Index(fields=["id"], condition=models.Q(state="running"), name="batch_running")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(limit__gte=1, width__gte=1, width__lte=models.F("limit")),
                name="a_batch_keeps_within_its_limit",
            ),
            models.CheckConstraint(
                condition=models.Q(state="running", finished_at__isnull=True)
                | (~models.Q(state="running") & models.Q(finished_at__isnull=False)),
                name="a_batch_has_ended_or_runs",
            ),
        ]

    def __str__(self) -> str:
        return f"Batch {self.pk}"

    @property
    def done(self) -> int:
        """Per cent of its parts that have ended; of a batch that was counted()."""
        ended = self.total - self.parts_waiting - self.parts_running  # type: ignore[attr-defined]
        return 100 * ended // self.total if self.total else 100  # type: ignore[attr-defined]


class BatchPart(models.Model):
    """One source of a batch, or a list of it that has none to fetch; names stay when they are gone. It runs until the last
    try of its run has ended."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        COMPLETED = "completed", "Completed"
        FAILED = "failed", "Failed"
        SKIPPED = "skipped", "Left alone"
        CANCELLED = "cancelled", "Cancelled"

    batch = models.ForeignKey(Batch, models.CASCADE, related_name="parts")
    place = models.PositiveIntegerField(help_text="in the order in which they are started")
    priority = models.PositiveSmallIntegerField(default=5)
    list = models.ForeignKey(MediaList, models.SET_NULL, null=True, related_name="+")
    source = models.ForeignKey(Source, models.SET_NULL, null=True, related_name="+")
    run = models.ForeignKey(Run, models.SET_NULL, null=True, related_name="parts")
    list_name = models.CharField(max_length=200)
    source_name = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    note = models.CharField(max_length=500, blank=True, help_text="why it failed or was left alone")

    class Meta:
        ordering = ["place"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "place"], name="one_part_per_place"),
            models.UniqueConstraint(
                fields=["batch", "source"], condition=models.Q(source__isnull=False), name="a_source_once_per_batch"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.list_name}: {self.source_name}" if self.source_name else self.list_name
