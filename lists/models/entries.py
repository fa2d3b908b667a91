"""What a list shows and why: entries, what each source says of them, what people want, and the versions of it all."""

from typing import Any, Self

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Case, Count, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce
from simple_history.models import HistoricalRecords

from lists.fields import COLUMNS
from lists.labels import LabelsField
from lists.models.lists import MediaList, Origin, Source
from lists.models.media import Item


class Version(models.Model):
    """A numbered state of one list. It exists only if something changed; it is never edited, pruning empties it.

    Its content stands in the history rows of entries and edits that it opened and no later one had closed; its order in
    `order` (lists/versions.py reads both).
    """

    class Kind(models.TextChoices):
        IMPORT = "import", "Import"
        SYNC = "sync", "Sync"
        EDIT = "edit", "By hand"
        ROLLBACK = "rollback", "Rollback"
        DECISION = "decision", "Decision"
        RULES = "rules", "Rules changed"
        MERGE = "merge", "Same thing"
        FACTS = "facts", "Facts"

    list = models.ForeignKey(MediaList, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=8, choices=Kind)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    author_name = models.CharField(max_length=150, help_text="as it was then; empty: the system")
    summary = models.CharField(max_length=300, blank=True)
    source = models.ForeignKey(Source, models.SET_NULL, null=True, related_name="+")
    source_name = models.CharField(max_length=200, blank=True)
    added = models.PositiveIntegerField(default=0)
    removed = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    moved = models.PositiveIntegerField(default=0)
    item_count = models.PositiveIntegerField(default=0)
    order = models.BinaryField(null=True, help_text="ids of the listed entries in order, packed; empty once pruned")
    facts = models.JSONField(default=dict, blank=True)
    correlation_id = models.CharField(max_length=36, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    pruned_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["list", "number"], name="version_number_is_unique_per_list"),
            models.CheckConstraint(condition=Q(number__gte=1), name="version_numbers_begin_at_one"),
        ]

    def __str__(self) -> str:
        return f"{self.list} v{self.number}"


class VersionedRow(models.Model):
    """Added to history rows: the version that wrote the row and the one that ended it.

    No constraint in the database: at 100,000 rows its checks were a tenth of a sync, and the rows go with their list.
    """

    version = models.ForeignKey(Version, models.DO_NOTHING, db_index=False, db_constraint=False, related_name="+")
    closed_by = models.ForeignKey(
        Version, models.DO_NOTHING, db_index=False, db_constraint=False, null=True, related_name="+"
    )

    class Meta:
        abstract = True


class EntryQuerySet(models.QuerySet["Entry"]):
    def listed(self) -> "EntryQuerySet":
        return self.filter(state=Entry.State.LISTED)  # a removed or excluded entry keeps its row

    def for_page(self) -> "EntryQuerySet":
        """Listed entries with their items, without the columns that no page shows."""
        return self.listed().select_related("item").defer("search", "origins")

    def for_user(self, user: Any) -> "EntryQuerySet":
        return self.filter(list__in=MediaList.objects.for_user(user))


class EntryManager(models.Manager.from_queryset(EntryQuerySet)):  # type: ignore[misc]
    """Passes over the lists that are being filled (lists/filling.py): nobody sees half of a first version."""

    def get_queryset(self) -> EntryQuerySet:
        found: EntryQuerySet = super().get_queryset()
        return found.exclude(list__in=MediaList.objects.filter(filling__isnull=False))


class Entry(models.Model):
    """What one list shows at one place. Its id is its identity: it keeps its row when it leaves and returns."""

    class State(models.TextChoices):
        LISTED = "listed", "Listed"
        REMOVED = "removed", "Removed"
        EXCLUDED = "excluded", "Blocked or filtered"

    list = models.ForeignKey(MediaList, models.CASCADE, related_name="entries", db_index=False)
    item = models.ForeignKey(Item, models.PROTECT, null=True, blank=True, related_name="entries")
    once = models.BooleanField(default=True, help_text="copied from the list's content: an item stands here only once")
    kind = models.CharField(max_length=8, choices=Item.Kind)
    state = models.CharField(max_length=8, choices=State, default=State.LISTED)
    reason = models.CharField(max_length=200, blank=True, help_text="why it is removed or excluded")
    rank = models.BigIntegerField(default=0, help_text="sparse; only its order means anything")
    first_listed_at = models.DateTimeField()

    title = models.CharField(max_length=500)
    sort_title = models.CharField(max_length=500)
    search = models.TextField(help_text="title, original title and artist, folded")
    original_title = models.CharField(max_length=500, blank=True)
    artist = models.CharField(max_length=500, blank=True)
    year = models.SmallIntegerField(null=True, blank=True)
    release_date = models.CharField(max_length=10, blank=True, help_text="ISO; the day or month may be missing")
    runtime_s = models.PositiveIntegerField(null=True, blank=True, help_text="seconds")
    rating = models.FloatField(null=True, blank=True, help_text="0 to 10")
    votes = models.PositiveIntegerField(null=True, blank=True)
    popularity = models.FloatField(null=True, blank=True)
    language = models.CharField(max_length=35, blank=True)
    release_status = models.CharField(max_length=40, blank=True)
    poster = models.CharField(max_length=1000, blank=True)
    backdrop = models.CharField(max_length=1000, blank=True)
    overview = models.TextField(blank=True)
    genres = LabelsField()
    cue_ms = models.PositiveIntegerField(null=True, blank=True, help_text="milliseconds; frames are rounded, not cut")
    group = models.CharField(max_length=200, blank=True)
    completeness = models.FloatField(default=0, help_text="filled share of 15 factors")
    extra = models.JSONField(default=dict, blank=True, help_text="fields that are no column: lists/fields.py")
    origins = models.JSONField(
        default=dict,
        blank=True,
        help_text='field -> id of the source it came from, or "hand"; "*" stands for all others',
    )

    # Sorted by these: never null, unknown is 0 and comes last when the highest comes first.
    year_key = models.GeneratedField(
        expression=Coalesce(F("year"), Value(0)), output_field=models.SmallIntegerField(), db_persist=True
    )
    rating_key = models.GeneratedField(
        expression=Coalesce(F("rating"), Value(0.0)), output_field=models.FloatField(), db_persist=True
    )

    history = HistoricalRecords(
        bases=[VersionedRow],
        excluded_fields=["rank", "sort_title", "search", "once", "year_key", "rating_key", "completeness"],
        no_db_index=["list", "item"],
    )
    objects = EntryManager()

    class Meta:
        verbose_name_plural = "entries"
        constraints = [
            models.UniqueConstraint(fields=["list", "item"], condition=Q(once=True), name="film_once_per_list"),
            models.CheckConstraint(
                condition=Q(state="listed", reason="") | ~Q(state="listed"), name="a_listed_entry_has_no_reason"
            ),
        ]
        # Each serves one order of a list's page: it touches only the rows that it shows.
        indexes = [
            models.Index(fields=["list", "rank", "id"], condition=Q(state="listed"), name="entry_by_rank"),
            models.Index(fields=["list", "sort_title", "id"], condition=Q(state="listed"), name="entry_by_title"),
            models.Index(fields=["list", "year_key", "id"], condition=Q(state="listed"), name="entry_by_year"),
            models.Index(fields=["list", "rating_key", "id"], condition=Q(state="listed"), name="entry_by_rating"),
            models.Index(fields=["list", "first_listed_at", "id"], condition=Q(state="listed"), name="entry_by_date"),
            models.Index(fields=["list"], condition=~Q(state="listed"), name="entry_not_listed"),
            models.Index(
                fields=["list", "group", "rank", "id"],
                condition=Q(state="listed") & ~Q(group=""),
                name="entry_by_group",
            ),
        ]

    def __str__(self) -> str:
        named = f"{self.artist} - {self.title}" if self.artist else self.title
        return f"{named} ({self.year})" if self.year else named

    @property
    def values(self) -> dict[str, Any]:
        """What is shown, by field (lists/fields.py), nothing empty."""
        shown = {name: value for name in COLUMNS if (value := getattr(self, name)) not in (None, "", [])}
        return shown | self.extra

    def origin_of(self, name: str) -> int | str | None:
        """The id of the source that a shown field came from, "hand", or None where nothing is shown."""
        if name not in self.values:
            return None
        return self.origins.get(name, self.origins.get("*"))


class ClaimQuerySet(models.QuerySet["Claim"]):
    def placed(self) -> Self:
        """With `place`: which row of what its source lists each is, counted from 1; None for what has no place there."""
        before = Claim.objects.filter(source=OuterRef("source"), position__lt=OuterRef("position")).order_by()
        counted = before.values("source").annotate(count=Count("pk")).values("count")
        behind = Coalesce(Subquery(counted), 0) + 1
        return self.annotate(place=Case(When(position__isnull=False, then=behind), output_field=models.IntegerField()))


class Claim(models.Model):
    """The present word of one source under one key. A sync replaces the claims of its source and no others."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="claims", db_index=False)
    key = models.CharField(max_length=400)
    entry = models.ForeignKey(Entry, models.CASCADE, related_name="claims")
    kind = models.CharField(max_length=8, choices=Item.Kind)
    position = models.BigIntegerField(null=True, help_text="sparse: only what is less and what is more tells")
    digest = models.BinaryField(max_length=16, help_text="of kind, ids and values, and of the mapper that made them")
    mark = models.BinaryField(
        max_length=16, default=b"", help_text="of the row as its source sent it: an equal one is not read again"
    )
    ids = models.JSONField(default=dict)
    values = models.JSONField(default=dict)
    first_at = models.DateTimeField(help_text="when the source first listed it")
    times = models.JSONField(
        default=dict, help_text="field -> [first said, last changed] in epoch seconds, where that is not first_at"
    )
    listing = models.BooleanField(
        default=True, help_text="whether it says that the entry is on the list; no: only what it would show"
    )
    missing = models.PositiveSmallIntegerField(default=0, help_text="complete fetches in a row that lacked it")
    missing_since = models.DateTimeField(null=True)

    objects = ClaimQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "key"], name="one_claim_per_source_and_key")]
        indexes = [
            models.Index(fields=["source"], condition=Q(missing__gt=0), name="claim_missing"),
            # All that a sync asks of every claim (lists/known.py), apart from the rows, which are a kilobyte each.
            models.Index(fields=["source", "id", "entry", "position", "missing", "mark"], name="claim_known"),
        ]

    def __str__(self) -> str:
        return f"{self.source}: {self.key}"


class Edit(models.Model):
    """What a person wants of one field of one entry. `presence` is a field too; an empty value is a word."""

    entry = models.ForeignKey(Entry, models.CASCADE, related_name="edits", db_index=False)
    field = models.CharField(max_length=30)
    value = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    words = models.JSONField(default=dict, help_text="source id -> what it said when the edit was made")
    firm = models.BooleanField(default=True, help_text="no: made by a rollback, and yields to the sources' next word")
    base = models.JSONField(null=True, help_text="of a yielding edit: what the sources alone gave when it was made")
    rollback_to = models.PositiveIntegerField(null=True, help_text="of a yielding edit: the version that it holds")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    author_name = models.CharField(max_length=150)
    made_at = models.DateTimeField(auto_now_add=True)

    history = HistoricalRecords(bases=[VersionedRow], no_db_index=["entry", "author"])

    class Meta:
        constraints = [models.UniqueConstraint(fields=["entry", "field"], name="one_edit_per_entry_and_field")]

    def __str__(self) -> str:
        return f"{self.field} of {self.entry}"


class Refold(models.Model):
    """Entries that are looked at again before anything else is written to their list: rules or identity have changed
    elsewhere. The row goes with the version that it leads to."""

    list = models.ForeignKey(MediaList, models.CASCADE, related_name="refolds")
    entry = models.ForeignKey(Entry, models.CASCADE, null=True, related_name="+", help_text="empty: all of them")
    kind = models.CharField(max_length=8, choices=Version.Kind)
    reason = models.CharField(max_length=300)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.entry or self.list}: {self.reason}"


class Provenance(models.Model):
    """Which list and source once brought an item. While a claim stands, the claim is the provenance; a row is written
    when a claim, a source or a list goes for good, with the names of then."""

    Origin = Origin

    item = models.ForeignKey(Item, models.PROTECT, null=True, related_name="provenance")
    title = models.CharField(max_length=500)
    origin = models.CharField(max_length=14, choices=Origin, default=Origin.LIST)
    list = models.ForeignKey(MediaList, models.SET_NULL, null=True, related_name="+")
    list_name = models.CharField(max_length=200)
    source = models.ForeignKey(Source, models.SET_NULL, null=True, related_name="+")
    source_name = models.CharField(max_length=200)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "provenance"

    def __str__(self) -> str:
        return f"{self.title} from {self.source_name} in {self.list_name}"


def _index_history(model: Any, *indexes: models.Index) -> None:
    """simple-history ignores the Meta.indexes of a base, so they are added to the model that it made."""
    model._meta.indexes = [*model._meta.indexes, *indexes]
    model._meta.original_attrs["indexes"] = model._meta.indexes


_index_history(
    Entry.history.model,
    models.Index(fields=["list", "version"], name="entry_history_of_version"),
    models.Index(fields=["id"], condition=Q(closed_by__isnull=True), name="entry_history_open"),
)
_index_history(
    Edit.history.model,
    models.Index(fields=["entry", "version"], name="edit_history_of_entry"),
)
