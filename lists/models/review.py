"""What waits for a person, and what must not come."""

from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from lists.encrypted import EncryptedBinaryField
from lists.models.entries import Entry, Version
from lists.models.lists import MediaList, Source
from lists.models.media import Item


def no_options() -> list[Any]:
    """A default of its own: in the body of a model with a field called `list`, the builtin is hidden."""
    return []


class ProposalQuerySet(models.QuerySet["Proposal"]):
    def for_user(self, user: Any) -> "ProposalQuerySet":
        if user.is_staff:
            return self
        return self.filter(Q(created_by=user) | Q(list__in=MediaList.objects.for_user(user)))

    def without_body(self) -> "ProposalQuerySet":
        return self.defer("body")


class Proposal(models.Model):
    """A change that waits for a person: the preview of a file, removals that the guard held, an unsure change set.

    Nothing of it stands in a list before it is confirmed.
    """

    class Kind(models.TextChoices):
        PREVIEW = "preview", "Preview"
        HELD = "held", "Held removals"
        UNSURE = "unsure", "Unsure changes"

    class State(models.TextChoices):
        READING = "reading", "Being read"
        OPEN = "open", "Waits for a decision"
        REFUSED = "refused", "Cannot be read"
        CONFIRMED = "confirmed", "Confirmed"
        KEPT = "kept", "Kept as it was"
        WITHDRAWN = "withdrawn", "Withdrawn"

    kind = models.CharField(max_length=8, choices=Kind, default=Kind.PREVIEW)
    state = models.CharField(max_length=9, choices=State, default=State.READING)
    list = models.ForeignKey(
        MediaList, models.CASCADE, null=True, blank=True, related_name="proposals", help_text="empty: a list to be made"
    )
    source = models.ForeignKey(
        Source, models.CASCADE, null=True, blank=True, related_name="proposals", help_text="empty: a source to be made"
    )
    list_name = models.CharField(max_length=200, blank=True, help_text="of the list to be made")
    filename = models.CharField(max_length=255, blank=True)
    adapter = models.CharField(max_length=40, blank=True)
    config = models.JSONField(default=dict, blank=True)
    body = EncryptedBinaryField(null=True, help_text="the file, compressed; emptied once it is decided")
    result = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder, help_text="what the preview found")
    error = models.TextField(blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)

    objects = ProposalQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["source"], condition=Q(kind="held", state="open"), name="one_open_held_proposal_per_source"
            ),
            models.UniqueConstraint(
                fields=["source"], condition=Q(kind="unsure", state="open"), name="one_open_unsure_proposal_per_source"
            ),
        ]

    def __str__(self) -> str:
        return self.filename or f"{self.get_kind_display()} of {self.source}"


class ConflictQuerySet(models.QuerySet["Conflict"]):
    def by_rule(self) -> "ConflictQuerySet":
        """Those that nobody was asked: the list's strategy had settled them when they were written down."""
        settled = self.filter(state=Conflict.State.DECIDED, decided_by=None, source=None, strategy=models.F("choice"))
        return settled.exclude(strategy="")


class Conflict(models.Model):
    """Claims differ and no policy decided, ids and matches leave a doubt, or a change looks unsure.

    A change that waits (the five kinds from *added* on) is known by its source and its subject for as long as the source
    stands by it: the same contradiction is the same row again, and one that was decided is not asked anew. Afterwards
    the subject is empty.
    """

    class Kind(models.TextChoices):
        FIELD = "field", "Sources differ"
        MATCH = "match", "More than one thing fits"
        IDS = "ids", "Ids disagree"
        ADDED = "added", "Something new"
        REMOVED = "removed", "Something is gone"
        MODIFIED = "modified", "Something is told otherwise"
        METADATA = "metadata", "The list is told otherwise"
        RESTRUCTURE = "restructure", "Much changes at once"

    class Severity(models.TextChoices):
        LOW = "low", "Low"
        MEDIUM = "medium", "Medium"
        HIGH = "high", "High"

    class State(models.TextChoices):
        OPEN = "open", "Open"
        SKIPPED = "skipped", "Skipped"
        DECIDED = "decided", "Decided"
        EXPIRED = "expired", "Closed at its deadline"
        WITHDRAWN = "withdrawn", "Withdrawn"

    WAITING = (State.OPEN, State.SKIPPED)  # for a person

    list = models.ForeignKey(MediaList, models.CASCADE, related_name="conflicts")
    entry = models.ForeignKey(Entry, models.CASCADE, null=True, blank=True, related_name="conflicts")
    source = models.ForeignKey(
        Source, models.CASCADE, null=True, blank=True, related_name="conflicts", help_text="whose change waits"
    )
    subject = models.CharField(
        max_length=100, blank=True, help_text="which change of the source it is, while that stands"
    )
    kind = models.CharField(max_length=12, choices=Kind)
    severity = models.CharField(max_length=6, choices=Severity, blank=True)
    confidence = models.FloatField(null=True, blank=True, help_text="0 to 1: how sure what is proposed looks")
    state = models.CharField(max_length=9, choices=State, default=State.OPEN)
    choice = models.CharField(max_length=12, blank=True, help_text="how it was decided")
    field = models.CharField(max_length=30, blank=True)
    options = models.JSONField(
        default=no_options, encoder=DjangoJSONEncoder, help_text="[{source, value, at}] or [{item}]"
    )
    recommendation = models.JSONField(null=True, blank=True, encoder=DjangoJSONEncoder)
    strategy = models.CharField(max_length=12, blank=True)
    before = models.JSONField(null=True, blank=True, encoder=DjangoJSONEncoder)
    after = models.JSONField(null=True, blank=True, encoder=DjangoJSONEncoder)
    deadline = models.DateTimeField(null=True, blank=True)
    version = models.ForeignKey(Version, models.SET_NULL, null=True, blank=True, related_name="+")
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    history = HistoricalRecords()
    objects = ConflictQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["list", "state", "id"], name="conflict_of_list")]
        constraints = [
            models.UniqueConstraint(
                fields=["entry", "kind", "field"],
                condition=Q(state__in=["open", "skipped"], entry__isnull=False, source__isnull=True),
                name="one_open_conflict_per_entry_and_field",
            ),
            models.UniqueConstraint(
                fields=["source", "subject"],
                condition=~Q(subject=""),
                name="a_change_that_waits_is_one_conflict",
            ),
            models.CheckConstraint(
                condition=Q(source__isnull=False) | Q(subject=""), name="a_change_that_waits_names_its_source"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.entry or self.list}"

    @property
    def proposed(self) -> dict[str, Any]:
        """Of a change: what the source says instead, by field; empty where it lists the thing no more."""
        return next((option["value"] for option in self.options if option.get("value")), None) or {}


class BlockQuerySet(models.QuerySet["Block"]):
    def for_user(self, user: Any) -> "BlockQuerySet":
        """Blocks that somebody may see: their own, those of lists that they see, and the site's."""
        if user.is_staff:
            return self
        seen = MediaList.objects.for_user(user)
        site = Q(list__isnull=True, owner__isnull=True)
        return self.filter(Q(list__in=seen) | Q(list__isnull=True, owner=user) | site)


class Block(models.Model):
    """What must not come: an item, an id or a title pattern; for one list, for all lists of its owner, or for all."""

    list = models.ForeignKey(MediaList, models.CASCADE, null=True, blank=True, related_name="blocks")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="blocks",
        help_text="for all of mine",
    )
    item = models.ForeignKey(Item, models.PROTECT, null=True, blank=True, related_name="blocks")
    namespace = models.CharField(max_length=40, blank=True)
    value = models.CharField(max_length=200, blank=True)
    pattern = models.CharField(max_length=200, blank=True, help_text="of the title; * and ? only")
    reason = models.CharField(max_length=500, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    history = HistoricalRecords()
    objects = BlockQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(list__isnull=True) | Q(owner__isnull=True), name="a_block_is_for_one_list_one_owner_or_all"
            ),
            models.CheckConstraint(
                condition=Q(item__isnull=False, value="", pattern="")
                | (Q(item__isnull=True, pattern="") & ~Q(value="") & ~Q(namespace=""))
                | (Q(item__isnull=True, value="") & ~Q(pattern="")),
                name="a_block_names_one_item_one_id_or_one_pattern",
            ),
        ]

    def __str__(self) -> str:
        return str(self.item or self.pattern or f"{self.namespace}:{self.value}")
