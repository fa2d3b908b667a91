"""Runs: one attempt each to bring one source up to date."""

import uuid
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone
from simple_history.models import HistoricalRecords

from lists.models import MediaList, Proposal, Source, Version

LEASE = timedelta(seconds=60)


class RunQuerySet(models.QuerySet["Run"]):
    def for_user(self, user: Any) -> "RunQuerySet":
        return self if user.is_staff else self.filter(list__in=MediaList.objects.for_user(user, binned=None))

    def active(self) -> "RunQuerySet":
        return self.filter(state__in=Run.ACTIVE)

    def claim(self, pk: int, *, owner: str) -> "Run | None":
        """Take a queued run: queued -> running by a conditional update, so that it starts at most once.

        None if it is not queued any more (delivered twice, cancelled, taken by another worker).
        """
        now = timezone.now()
        # What was asked for first is done first: a newer file must not be followed by an older one.
        waiting = Run.objects.filter(list=models.OuterRef("list"), state=Run.State.QUEUED)
        before = waiting.filter(
            models.Q(priority__gt=models.OuterRef("priority"))
            | models.Q(priority=models.OuterRef("priority"), pk__lt=models.OuterRef("pk"))
        )
        first = self.filter(~models.Exists(before), pk=pk, state=Run.State.QUEUED).values_list("pk", flat=True).first()
        taken = self.filter(pk=first, state=Run.State.QUEUED).update(
            state=Run.State.RUNNING, started_at=now, heartbeat_at=now, lease_until=now + LEASE, worker=owner
        )
        return self.select_related("list", "source", "proposal").get(pk=pk) if taken else None


class Run(models.Model):
    """One attempt to bring one source up to date; a retry is a new run."""

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        CANCELLING = "cancelling", "Being cancelled"
        COMPLETED = "completed", "Completed"
        PARTIAL = "partial", "Partly completed"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"
        INTERRUPTED = "interrupted", "Interrupted"

    ACTIVE = (State.QUEUED, State.WAITING, State.RUNNING, State.CANCELLING)

    class Kind(models.TextChoices):
        MANUAL = "manual", "Asked for"
        SCHEDULED = "scheduled", "Scheduled"
        RETRY = "retry", "Retry"
        UPLOAD = "upload", "Upload"

    class Outcome(models.TextChoices):
        COMPLETE = "complete", "Complete"
        UNVERIFIED = "complete-unverified", "Complete, as far as the source says"
        WINDOW = "window", "A window"
        PARTIAL = "partial", "Partial"
        NOT_MODIFIED = "not-modified", "Not modified"
        EMPTY = "empty-verified", "Empty, and said so"

    list = models.ForeignKey(MediaList, models.CASCADE, related_name="runs")
    source = models.ForeignKey(Source, models.CASCADE, related_name="runs")
    kind = models.CharField(max_length=9, choices=Kind)
    state = models.CharField(max_length=11, choices=State, default=State.QUEUED)
    priority = models.PositiveSmallIntegerField(default=5, help_text="1 to 10, higher first")
    proposal = models.ForeignKey(
        Proposal, models.SET_NULL, null=True, blank=True, related_name="runs", help_text="the upload that was confirmed"
    )
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    requested_by_name = models.CharField(max_length=150, blank=True, help_text="empty: the schedule")
    correlation_id = models.CharField(max_length=36, default=uuid.uuid4, editable=False)
    attempt = models.PositiveSmallIntegerField(default=1)
    previous = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="+")

    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    worker = models.CharField(max_length=64, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    interruptions = models.PositiveSmallIntegerField(default=0)

    step = models.CharField(max_length=40, blank=True)
    progress = models.PositiveSmallIntegerField(default=0, help_text="0 to 100; never falls")
    outcome = models.CharField(max_length=20, choices=Outcome, blank=True)
    found = models.PositiveIntegerField(default=0)
    added = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    removed = models.PositiveIntegerField(default=0)
    excluded = models.PositiveIntegerField(default=0)
    conflicted = models.PositiveIntegerField(default=0)
    held = models.PositiveIntegerField(default=0)
    duplicates = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0, help_text="rows that could not be read")
    not_taken = models.PositiveIntegerField(default=0, help_text="rows that are no medium")
    error_code = models.CharField(max_length=20, blank=True)
    error = models.TextField(blank=True, help_text="shown to people; holds no secrets")
    details = models.JSONField(
        default=dict,
        blank=True,
        encoder=DjangoJSONEncoder,
        help_text="problems: [{line, reason, text}]; timings by step",
    )
    version = models.ForeignKey(Version, models.SET_NULL, null=True, blank=True, related_name="+")

    # A row when it is requested and one when it ends: progress and heartbeat are written by UPDATE.
    history = HistoricalRecords(
        excluded_fields=["progress", "step", "heartbeat_at", "lease_until", "worker", "details"],
        no_db_index=["list", "source", "proposal", "requested_by", "previous", "version"],
    )
    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["list", "-id"], name="run_of_list"),
            models.Index(fields=["state", "priority", "id"], name="run_by_state"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["list"],
                condition=models.Q(state__in=["running", "cancelling"]),
                name="one_run_at_a_time_per_list",
            ),
            models.CheckConstraint(
                condition=models.Q(priority__gte=1, priority__lte=10), name="run_priority_is_one_to_ten"
            ),
            models.CheckConstraint(condition=models.Q(progress__lte=100), name="run_progress_is_per_cent"),
        ]

    def __str__(self) -> str:
        return f"Run {self.pk} of {self.list}"

    @property
    def is_active(self) -> bool:
        return self.state in self.ACTIVE
