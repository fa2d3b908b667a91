"""What people look at and what feeds it: lists, their members and sources."""

import uuid
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from simple_history.models import HistoricalRecords

from lists.dialects import Dialect
from lists.encrypted import EncryptedTextField
from lists.labels import LabelsField
from lists.models.accounts import Account
from lists.models.site import Removals, SitePolicy, Strategy

GOING = datetime(1970, 1, 1, tzinfo=UTC)  # in the bin since then: it is being deleted for good


class Origin(models.TextChoices):
    """As what a source counts where we say what brought something."""

    LIST = "list", "List"
    MANUAL = "manual", "By hand"
    RSS = "rss", "Feed"
    RECOMMENDATION = "recommendation", "Recommendation"


WRITING = 0x15758  # the number of a lock (see lists/match.py): who writes to a list holds it with all others that do


class MediaListQuerySet(models.QuerySet["MediaList"]):
    def for_user(self, user: Any, *, binned: bool | None = False) -> "MediaListQuerySet":
        """Lists that the user may see. binned: None means in the bin or not. What is being deleted for good nobody sees."""
        there, in_bin = models.Q(deleted_at=None), models.Q(deleted_at__gt=GOING)
        found = self.filter(there | in_bin if binned is None else in_bin if binned else there)
        if user.is_staff:
            return found
        return found.filter(models.Q(owner=user) | models.Q(memberships__user=user)).distinct()

    def locked(self, pk: int, *, publishes: bool = True) -> "MediaList":
        """The list with its row locked until the transaction ends: serialises version numbers and fences syncs.

        PostgreSQL locks the row; on SQLite the transaction itself is the only writer. publishes=False: for what takes long
        and writes no version, so that acts about all lists need not wait for it.
        """
        if publishes:
            Dialect.of().together(WRITING)
        return self.select_for_update(of=("self",), no_key=True).get(pk=pk)

    def locked_together(self) -> list["MediaList"]:
        """The same of several lists, always in the order of their ids."""
        Dialect.of().together(WRITING)
        return list(self.order_by("pk").select_for_update(of=("self",), no_key=True))

    def alone(self) -> None:
        """Wait until no list is being written to, and let none be before the transaction ends: for acts that look at
        entries of whatever list, for what is not committed yet cannot be seen. Before any list is locked, or two such acts
        wait for each other."""
        Dialect.of().alone(WRITING)


class MediaList(models.Model):
    """A list: who may see it, how its sources are weighed, and which version is current."""

    class Content(models.TextChoices):
        FILMS = "films", "Films and shows"
        TRACKS = "tracks", "Tracks"
        CHANNELS = "channels", "Channels"

    class OrderMode(models.TextChoices):
        SOURCE = "source", "As its sources say"
        FIELD = "field", "By a field"
        HAND = "hand", "By hand"

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False, help_text="names the list in its exports")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="lists")
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="lists.Membership", related_name="shared_lists")
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True, max_length=5000)
    content = models.CharField(max_length=8, choices=Content, default=Content.FILMS)
    tags = LabelsField()
    facts = models.JSONField(default=dict, blank=True, help_text="DJ, event, date, album: what is true of the whole")
    policy = models.JSONField(default=dict, blank=True, help_text="what differs from the site policy")
    filters = models.JSONField(default=dict, blank=True)
    order_mode = models.CharField(max_length=6, choices=OrderMode, default=OrderMode.SOURCE)
    order_field = models.CharField(max_length=30, blank=True)

    current = models.ForeignKey(
        "lists.Version", models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    item_count = models.PositiveIntegerField(default=0, editable=False)
    excluded_count = models.PositiveIntegerField(default=0, editable=False)
    fence = models.BigIntegerField(
        default=0, editable=False, help_text="rises with each act by hand; a plan goes by it"
    )

    filling = models.BigIntegerField(
        null=True, editable=False, help_text="id that its first version gets; its rows are hidden until it is current"
    )
    filling_until = models.DateTimeField(null=True, editable=False, help_text="from then on the fill counts as dead")
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="in the bin since")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    history = HistoricalRecords(
        excluded_fields=[
            "current", "item_count", "excluded_count", "fence", "filling", "filling_until", "updated_at", "members",
        ]
    )  # fmt: skip
    objects = MediaListQuerySet.as_manager()

    class Meta:
        verbose_name = "list"
        ordering = ["name", "id"]
        indexes = [
            models.Index(fields=["owner", "name"], name="list_of_owner"),
            models.Index(fields=["filling"], condition=models.Q(filling__isnull=False), name="list_being_filled"),
        ]
        constraints = [
            models.CheckConstraint(condition=~models.Q(name=""), name="list_has_a_name"),
            models.CheckConstraint(
                condition=models.Q(order_mode="field") | models.Q(order_field=""),
                name="order_field_belongs_to_its_mode",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def once(self) -> bool:
        """Whether an item may stand here only once; a tracklist may play a track twice."""
        return self.content == self.Content.FILMS

    def strategy(self, site: SitePolicy | None = None) -> str:
        chosen = self.policy.get("strategy", "")
        return chosen if chosen in Strategy.values else (site or SitePolicy.current()).strategy

    def removals(self, site: SitePolicy | None = None) -> str:
        chosen = self.policy.get("removals", "")
        return chosen if chosen in Removals.values else (site or SitePolicy.current()).removals

    def reviews_unsure(self) -> bool:
        """Whether a change of its sources that looks unsure waits for a person; of tracklists it does."""
        return bool(self.policy.get("review_unsure", self.content == self.Content.TRACKS))

    def accept_confidence(self, site: SitePolicy | None = None) -> float:
        return float(self.policy.get("accept_confidence", (site or SitePolicy.current()).accept_confidence))

    def role_of(self, user: Any) -> str | None:
        """ "owner", "editor", "viewer" or None. Staff count as owners."""
        if user.is_staff or self.owner_id == user.pk:
            return "owner"
        membership = self.memberships.filter(user=user).first()
        return membership.role if membership else None

    def may_edit(self, user: Any) -> bool:
        return self.role_of(user) in ("owner", "editor")


class Membership(models.Model):
    """Somebody who may see (viewer) or change (editor) a list of another."""

    class Role(models.TextChoices):
        VIEWER = "viewer", "Viewer"
        EDITOR = "editor", "Editor"

    list = models.ForeignKey(MediaList, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=6, choices=Role, default=Role.VIEWER)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["list", "user"], name="one_role_per_member")]

    def __str__(self) -> str:
        return f"{self.user}: {self.role} of {self.list}"


class SourceQuerySet(models.QuerySet["Source"]):
    def speaking(self) -> "SourceQuerySet":
        """Sources whose claims count, first one first: feeds by priority, then what was kept, then facts."""
        rank = models.Case(
            *(models.When(role=role, then=n) for n, role in enumerate(Source.Role.values)),
            output_field=models.IntegerField(),
        )
        return self.filter(removed_at__isnull=True).order_by(rank, "priority", "id")

    def kept(self, list_: "MediaList") -> "Source":
        """The list's own source, for what a person adds and what the list keeps; made when it is first needed."""
        found, _ = self.get_or_create(
            list=list_,
            role=Source.Role.KEPT,
            defaults={"name": "By hand", "adapter": "", "origin": Origin.MANUAL, "sync_enabled": False},
        )
        return found


class Source(models.Model):
    """A feed into one list: an address that is fetched, or a file that somebody uploads again now and then."""

    class Role(models.TextChoices):
        FEED = "feed", "Feed"
        KEPT = "kept", "Kept by the list"
        FACTS = "facts", "Facts from look-ups"

    class Mode(models.TextChoices):
        COMPLETE = "complete", "The whole list each time"
        ROLLING = "rolling", "A chart: each window replaces the last"
        COLLECTING = "collecting", "A feed: what came stays"

    list = models.ForeignKey(MediaList, models.CASCADE, related_name="sources")
    role = models.CharField(max_length=5, choices=Role, default=Role.FEED)
    adapter = models.CharField(max_length=40, help_text="key of sync/sources/")
    origin = models.CharField(
        max_length=14,
        choices=Origin,
        default=Origin.LIST,
        help_text="as what it counts where we say what brought something",
    )
    name = models.CharField(max_length=200)
    address = EncryptedTextField(blank=True)
    account = models.ForeignKey(Account, models.SET_NULL, null=True, blank=True, related_name="sources")
    config = models.JSONField(default=dict, blank=True, help_text="answers of the adapter's form; no secrets")
    priority = models.PositiveSmallIntegerField(default=50, help_text="1 speaks first")
    enabled = models.BooleanField(default=True)
    sync_enabled = models.BooleanField(default=True, help_text="whether it is fetched on its schedule")
    paused = models.CharField(
        max_length=300, blank=True, editable=False, help_text="what it waits for, for people; empty: it does not wait"
    )
    interval_min = models.PositiveIntegerField(default=360, help_text="minutes between fetches")
    gap_min = models.PositiveIntegerField(default=15, help_text="minutes within which a fetch is not repeated")
    mode = models.CharField(max_length=10, choices=Mode, default=Mode.COMPLETE)
    grace = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="complete fetches that must lack an entry before it leaves; empty: as its kind"
    )

    accepted = models.JSONField(default=dict, blank=True, editable=False, help_text="counts of the last accepted fetch")
    next_sync_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_run_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_success_at = models.DateTimeField(null=True, blank=True, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False, help_text="in a row")
    etag = models.CharField(max_length=300, blank=True, editable=False)
    last_modified = models.CharField(max_length=100, blank=True, editable=False)
    body_digest = models.BinaryField(max_length=32, null=True, editable=False)
    removed_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="no longer a source; its claims rest"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    history = HistoricalRecords(
        excluded_fields=[
            "address", "paused", "accepted", "next_sync_at", "last_run_at", "last_success_at", "failures", "etag", "last_modified",
            "body_digest",
        ]
    )  # fmt: skip
    objects = SourceQuerySet.as_manager()

    class Meta:
        ordering = ["priority", "id"]
        indexes = [
            models.Index(
                fields=["next_sync_at"],
                condition=models.Q(enabled=True, sync_enabled=True, next_sync_at__isnull=False),
                name="source_due",
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["list", "role"],
                condition=~models.Q(role="feed"),
                name="a_list_has_one_source_of_its_own_per_role",
            ),
        ]

    def __str__(self) -> str:
        return self.name
