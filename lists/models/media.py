"""Who it is: items, the ids that name them, and what people decided about matches."""

from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import models
from simple_history.models import HistoricalRecords


class ItemQuerySet(models.QuerySet["Item"]):
    def for_user(self, user: Any) -> "ItemQuerySet":
        """Items that somebody may hear of: what no public id names may come out of another's own file."""
        if user.is_staff:
            return self
        public = models.Exists(ExternalId.objects.filter(item=models.OuterRef("pk")))
        entries = apps.get_model("lists", "Entry").objects.for_user(user)
        mine = entries.filter(models.Q(item=models.OuterRef("pk")) | models.Q(item__root=models.OuterRef("pk")))
        return self.filter(public | models.Exists(mine))


class Item(models.Model):
    """A film, show, track or channel, whatever list it stands on. It says that two entries are the same thing; what a
    list shows of it stands on the list's own entries."""

    class Kind(models.TextChoices):
        MOVIE = "movie", "Film"
        SHOW = "show", "Show"
        SEASON = "season", "Season"
        EPISODE = "episode", "Episode"
        TRACK = "track", "Track"
        CHANNEL = "channel", "Channel"
        RADIO = "radio", "Radio"
        OTHER = "other", "Other"

    kind = models.CharField(max_length=8, choices=Kind)
    title = models.CharField(max_length=500)
    name = models.CharField(max_length=300, help_text="title, and artist of a track, folded: what names are matched by")
    artist = models.CharField(max_length=500, blank=True)
    year = models.SmallIntegerField(null=True, blank=True)
    facts = models.JSONField(
        default=dict, blank=True, help_text="what public look-ups say; shown where an entry has none"
    )
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="merged")
    root = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="the end of the merges; empty: itself",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    history = HistoricalRecords(excluded_fields=["facts", "created_at"], no_db_index=["merged_into", "root"])
    objects = ItemQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["name", "year", "kind"], name="item_by_name")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(merged_into__isnull=True) | ~models.Q(merged_into=models.F("id")),
                name="item_is_not_merged_into_itself",
            ),
            models.CheckConstraint(
                condition=models.Q(merged_into__isnull=True, root__isnull=True)
                | models.Q(merged_into__isnull=False, root__isnull=False),
                name="item_has_a_root_if_merged",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.year})" if self.year else self.title


class ExternalId(models.Model):
    """What a service calls an item. Numbers carry their kind ("movie/603"): a TMDb number means nothing without it."""

    item = models.ForeignKey(Item, models.CASCADE, related_name="ids")
    namespace = models.CharField(max_length=40)
    value = models.CharField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["namespace", "value"], name="external_id_names_one_item")]

    def __str__(self) -> str:
        return f"{self.namespace}:{self.value}"


class Decision(models.Model):
    """A match that a person made or refused; no look-up overrides it.

    With a source: what that source lists under `key` is `item`. Without: `item` and `other` are not the same.
    """

    source = models.ForeignKey("lists.Source", models.CASCADE, null=True, blank=True, related_name="decisions")
    key = models.CharField(max_length=400, blank=True)
    item = models.ForeignKey(Item, models.PROTECT, related_name="+")
    other = models.ForeignKey(Item, models.PROTECT, null=True, blank=True, related_name="+")
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    decided_by_name = models.CharField(max_length=150)
    decided_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "key"],
                condition=models.Q(source__isnull=False),
                name="one_decision_per_source_and_key",
            ),
            models.CheckConstraint(
                condition=models.Q(source__isnull=False, other__isnull=True)
                | models.Q(source__isnull=True, other__isnull=False),
                name="decision_is_a_match_or_a_refusal",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key or self.item} is {'not ' + str(self.other) if self.other_id else self.item}"
