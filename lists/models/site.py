"""What holds for the whole site: the defaults that lists inherit."""

from django.db import models
from simple_history.models import HistoricalRecords


class Strategy(models.TextChoices):
    """How sources are weighed against each other where they disagree. A source's new word always replaces its old one."""

    PRIORITY = "priority", "The source that stands first"
    KEEP = "keep", "What was said first stays"
    NEW = "new", "What changed last wins"
    NEWEST = "newest", "The source that changed last speaks for all its fields"
    CONFIDENCE = "confidence", "The source that is surest speaks for all its fields"
    INTELLIGENT = "intelligent", "The better record, or of equal ones the newer"
    RULES = "rules", "Preferred sources, then pictures, then the more complete record"
    MERGE = "merge", "The best of all, field by field"
    ASK = "ask", "A person is asked; until then what was said first stays"


class Removals(models.TextChoices):
    """What happens to an entry that its last source no longer lists."""

    REMOVE = "remove", "It leaves; too many at once wait for you"
    KEEP = "keep", "It stays, kept by the list"
    ASK = "ask", "Each one waits for you"


class SitePolicy(models.Model):
    """One row: the defaults of every list that does not say otherwise."""

    strategy = models.CharField(max_length=12, choices=Strategy, default=Strategy.PRIORITY)
    preferred = models.JSONField(
        default=dict,
        blank=True,
        help_text="for the strategy that goes by rules: whom to believe first about a field, by the service or kind of a "
        'source, such as {"overview": "tmdb", "rating": "imdb"}',
    )
    removals = models.CharField(max_length=6, choices=Removals, default=Removals.REMOVE)
    conflict_days = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        default=7,
        help_text="days after which an undecided question closes in favour of what is shown; empty: it waits",
    )
    accept_confidence = models.FloatField(
        default=0.9, help_text="0 to 1: a change of a tracklist that is less sure waits for a person"
    )
    held_share = models.PositiveSmallIntegerField(
        default=20, help_text="per cent of a source's entries that may be missing before a person is asked"
    )
    held_share_always = models.PositiveSmallIntegerField(
        default=50, help_text="per cent above which a person is asked however few they are"
    )
    held_floor = models.PositiveSmallIntegerField(default=3, help_text="so many may always be missing")

    history = HistoricalRecords()

    class Meta:
        verbose_name_plural = "site policy"
        constraints = [
            models.CheckConstraint(condition=models.Q(pk=1), name="there_is_one_site_policy"),
            models.CheckConstraint(
                condition=models.Q(accept_confidence__gte=0, accept_confidence__lte=1),
                name="accepted_confidence_is_0_to_1",
            ),
            models.CheckConstraint(
                condition=models.Q(held_share__lte=100, held_share_always__lte=100), name="held_shares_are_per_cent"
            ),
        ]

    def __str__(self) -> str:
        return "Site policy"

    @classmethod
    def current(cls) -> "SitePolicy":
        return cls.objects.get_or_create(pk=1)[0]
