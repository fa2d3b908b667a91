"""Runs: one attempt each to bring one source up to date."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, models
from django.utils import timezone
from simple_history.models import HistoricalRecords

from lists.models import MediaList, Proposal, Source, Version

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def lease() -> timedelta:
    """How long a run is its worker's without a heartbeat."""
    return timedelta(seconds=settings.LEASE_S)


class RunQuerySet(models.QuerySet["Run"]):
    def for_user(self, user: Any) -> "RunQuerySet":
        return self if user.is_staff else self.filter(list__in=MediaList.objects.for_user(user, binned=None))

    def active(self) -> "RunQuerySet":
        return self.filter(state__in=Run.ACTIVE)

    def working(self) -> "RunQuerySet":
        return self.filter(state__in=Run.WORKING)

    def startable(self) -> "RunQuerySet":
        """Queued runs whose list is free, the first in line first: of one list what was asked for first, or a newer file
        would be followed by an older one."""
        busy = Run.objects.working().filter(list=models.OuterRef("list"))
        return self.filter(~models.Exists(busy), state=Run.State.QUEUED).order_by("-priority", "id")

    def free_slots(self) -> list[int]:
        """Numbers of the runs that may still start beside those at work."""
        taken = set(self.working().values_list("slot", flat=True))
        return [slot for slot in range(settings.PARALLEL_RUNS) if slot not in taken]

    def move(self, to: str, **values: Any) -> int:
        """UPDATE those of these runs that may become `to`; returns how many did. The one way to another state, beside
        close() in sync/runs.py."""
        return self.filter(state__in=Run.before(to)).update(state=to, **values)

    def claim(self, *, owner: str) -> "Run | None":
        """Start the run that is first in line, at most once; None if none may start now.

        Raises IntegrityError if another worker took its list or its slot at the same moment.
        """
        run, slots, now = self.startable().first(), self.free_slots(), timezone.now()
        if run is None or not slots:
            return None
        started = self.filter(pk=run.pk).move(
            Run.State.RUNNING, slot=slots[0], worker=owner, started_at=now, heartbeat_at=now, lease_until=now + lease()
        )
        if not started:
            raise IntegrityError("another worker took it")
        # Nothing else is loaded here: what cannot be decrypted would undo the claim, and be first in line for ever.
        return self.get(pk=run.pk)

    def locked(self, pk: int) -> "RunQuerySet":
        """The run with its row locked until the transaction ends."""
        return self.select_for_update(no_key=True).filter(pk=pk)

    def hold(self, pk: int) -> "Run | None":
        """None if it is gone."""
        return self.locked(pk).first()


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
    WORKING = (State.RUNNING, State.CANCELLING)
    # What a run may become; what is not named has ended.
    NEXT = {
        State.QUEUED: {State.RUNNING, State.CANCELLED},
        State.WAITING: {State.QUEUED, State.CANCELLED},
        State.RUNNING: {
            State.WAITING, State.CANCELLING, State.COMPLETED, State.PARTIAL, State.FAILED, State.INTERRUPTED,
        },
        State.CANCELLING: {State.CANCELLED},
    }  # fmt: skip

    class Kind(models.TextChoices):
        MANUAL = "manual", "Asked for"
        SCHEDULED = "scheduled", "Scheduled"
        RETRY = "retry", "Retry"
        UPLOAD = "upload", "Upload"

    class Cause(models.TextChoices):
        """Why a run did not end well, as its error_code."""

        NOT_FOUND = "not_found", "Not found"
        REFUSED = "refused", "Refused"
        AUTH = "auth", "Credentials not accepted"
        RATE_LIMITED = "rate_limited", "Asked too often"
        NETWORK = "network", "Not reached"
        PARSE = "parse", "Not readable"
        DATABASE = "database", "Database"
        TIMEOUT = "timeout", "Took too long"
        MEMORY = "memory", "Took too much memory"
        CANCELLED = "cancelled", "Cancelled"
        INTERRUPTED = "interrupted", "The worker ended"
        INTERNAL = "internal", "A fault of ours"

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
    enqueued_at = models.DateTimeField(null=True, blank=True, help_text="when the workers were last told of it")
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    waits_for = models.CharField(max_length=200, blank=True, help_text="the service for which it waits, by its name")
    deferrals = models.PositiveSmallIntegerField(default=0, help_text="times that it was put off by a service, so far")
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    worker = models.CharField(max_length=64, blank=True, help_text="the process that works on it: sync/processes.py")
    slot = models.PositiveSmallIntegerField(null=True, blank=True, help_text="which of the parallel runs it is")
    lease_until = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    interruptions = models.PositiveSmallIntegerField(default=0, help_text="workers that died of it, or with it, so far")

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
    memory_peak_mib = models.PositiveIntegerField(null=True, blank=True, help_text="the most that its worker took")
    requests = models.PositiveIntegerField(default=0, help_text="to the source")
    cache_hits = models.PositiveIntegerField(default=0)
    cache_misses = models.PositiveIntegerField(default=0)
    error_rate = models.FloatField(null=True, blank=True, help_text="share of the rows that could not be read, 0 to 1")
    error_code = models.CharField(max_length=20, blank=True, choices=Cause)
    error = models.TextField(blank=True, help_text="shown to people; holds no secrets")
    details = models.JSONField(
        default=dict,
        blank=True,
        encoder=DjangoJSONEncoder,
        help_text="problems: [{line, reason, text}]; timings by step; blocks",
    )
    version = models.ForeignKey(Version, models.SET_NULL, null=True, blank=True, related_name="+")

    # A row when it is requested and one when it ends: progress and heartbeat are written by UPDATE.
    history = HistoricalRecords(
        excluded_fields=[
            "progress",
            "step",
            "heartbeat_at",
            "enqueued_at",
            "lease_until",
            "worker",
            "slot",
            "details",
            "waits_for",
        ],
        no_db_index=["list", "source", "proposal", "requested_by", "previous", "version"],
    )
    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["list", "-id"], name="run_of_list"),
            models.Index(fields=["state", "priority", "id"], name="run_by_state"),
            models.Index(fields=["finished_at"], name="run_by_end"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["list"],
                condition=models.Q(state__in=["running", "cancelling"]),
                name="one_run_at_a_time_per_list",
            ),
            models.UniqueConstraint(
                fields=["source"],
                condition=models.Q(state__in=["queued", "waiting", "running", "cancelling"]) & ~models.Q(kind="upload"),
                name="one_sync_at_a_time_per_source",
            ),
            models.CheckConstraint(
                condition=models.Q(priority__gte=1, priority__lte=10), name="run_priority_is_one_to_ten"
            ),
            models.CheckConstraint(condition=models.Q(progress__lte=100), name="run_progress_is_per_cent"),
            models.UniqueConstraint(fields=["slot"], name="one_run_per_slot"),
            models.CheckConstraint(
                condition=models.Q(
                    state__in=["running", "cancelling"],
                    slot__isnull=False,
                    started_at__isnull=False,
                    lease_until__isnull=False,
                    finished_at__isnull=True,
                )
                | models.Q(
                    state__in=["queued", "waiting"],
                    slot__isnull=True,
                    started_at__isnull=True,
                    lease_until__isnull=True,
                    finished_at__isnull=True,
                )
                | models.Q(
                    state__in=["completed", "partial", "failed", "cancelled", "interrupted"],
                    slot__isnull=True,
                    lease_until__isnull=True,
                    finished_at__isnull=False,
                ),
                name="run_is_what_its_state_says",
            ),
        ]

    def __str__(self) -> str:
        return f"Run {self.pk} of {self.list}"

    @property
    def is_active(self) -> bool:
        return self.state in self.ACTIVE

    @property
    def can_be_cancelled(self) -> bool:
        return self.is_active and self.state != self.State.CANCELLING

    @classmethod
    def before(cls, to: str) -> set[str]:
        """The states from which a run may become `to`."""
        return {state for state, following in cls.NEXT.items() if to in following}

    @property
    def items_per_s(self) -> float | None:
        """Rows a second, so far or in the end; None where nothing was measured."""
        if self.started_at is None or not self.found:
            return None
        seconds = ((self.finished_at or timezone.now()) - self.started_at).total_seconds()
        return round(self.found / seconds, 1) if seconds > 0 else None

    @property
    def left_s(self) -> int | None:
        """Seconds that it may take still, by the progress so far; None where that says nothing yet."""
        if self.state != self.State.RUNNING or self.started_at is None or self.progress < 5:
            return None
        spent = max(0.0, (timezone.now() - self.started_at).total_seconds())
        return round(spent * (100 - self.progress) / self.progress)


class LockQuerySet(models.QuerySet["Lock"]):
    def take(self, name: str, owner: str, until: datetime) -> int | None:
        """The lock's token, higher than any before; None if somebody else has it."""
        Lock.objects.bulk_create([Lock(name=name, until=EPOCH)], ignore_conflicts=True)
        free = self.filter(name=name, until__lt=timezone.now())
        if not free.update(owner=owner, until=until, token=models.F("token") + 1):
            return None
        return self.filter(name=name, owner=owner).values_list("token", flat=True).first()

    def held(self, name: str) -> bool:
        return self.filter(name=name, until__gt=timezone.now()).exists()


class Lock(models.Model):
    """A lock that processes of several machines share: sync/lease.py."""

    name = models.CharField(max_length=100, primary_key=True)
    owner = models.CharField(max_length=64, blank=True)
    until = models.DateTimeField()
    token = models.PositiveBigIntegerField(default=0, help_text="rises each time that somebody takes it")

    objects = LockQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name
