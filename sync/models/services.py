"""What all processes know of the services that we ask: whether one is left alone, and when it may be asked next."""

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from lists.encrypted import EncryptedBinaryField


class BreakerQuerySet(models.QuerySet["Breaker"]):
    def of(self, service: str) -> "Breaker":
        """Its row, made when it is first needed. Without a transaction of its own: several may make it at once."""
        found = self.filter(service=service).first()
        if found is None:
            Breaker.objects.bulk_create([Breaker(service=service)], ignore_conflicts=True)
            found = self.get(service=service)
        return found

    def move(self, seen: "Breaker", to: str, **values: Any) -> bool:
        """The one way to another state: from exactly the one that was seen. What was asked under it counts no more."""
        return self.filter(pk=seen.pk, state=seen.state, generation=seen.generation).update(
            state=to, generation=F("generation") + 1, **values
        ) == 1  # fmt: skip


class Breaker(models.Model):
    """Whether a service is asked. After so many failures in a row it is left alone for a while; then one request tries."""

    class State(models.TextChoices):
        CLOSED = "closed", "Asked"
        OPEN = "open", "Left alone"
        HALF_OPEN = "half_open", "Being tried"
        FORCED = "forced_open", "Left alone until somebody resets it"

    service = models.CharField(max_length=200, unique=True, help_text="name in sync/http/services.py, or with a host")
    state = models.CharField(max_length=11, choices=State, default=State.CLOSED)
    generation = models.PositiveBigIntegerField(default=0, help_text="rises with each change of its state")
    failures = models.PositiveIntegerField(default=0, help_text="in a row")
    limited = models.PositiveIntegerField(
        default=0, help_text="answers in a row that we ask too often, without until when"
    )
    opened_at = models.DateTimeField(null=True, blank=True)
    open_until = models.DateTimeField(null=True, blank=True)
    opened_count = models.PositiveIntegerField(default=0)
    reopened = models.PositiveIntegerField(default=0, help_text="tries in a row that failed")
    probe_owner = models.CharField(max_length=100, blank=True, help_text="whose request tries whether it is back")
    probe_until = models.DateTimeField(null=True, blank=True, help_text="from then on another one may")
    reason = models.CharField(max_length=200, blank=True, help_text="why a person opened it")
    last_failure_at = models.DateTimeField(null=True, blank=True)
    last_failure_kind = models.CharField(max_length=20, blank=True)
    last_failure = models.CharField(max_length=300, blank=True)

    objects = BreakerQuerySet.as_manager()

    class Meta:
        ordering = ["service"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="open") | Q(open_until__isnull=False), name="what_is_left_alone_says_until_when"
            ),
            models.CheckConstraint(
                condition=Q(state="half_open") | Q(probe_until__isnull=True), name="only_what_is_tried_has_a_probe"
            ),
        ]

    def __str__(self) -> str:
        return self.service


class PaceQuerySet(models.QuerySet["Pace"]):
    def take(
        self, name: str, *, rate: float, burst: int, now: float, places: int = 0, until: float = 0.0
    ) -> float:  # fmt: skip
        """0 if a request may be sent now, and then that is counted; else the seconds until one may be.

        places: so many requests may be under way at once, 0 for any number; until: when this one has ended at the latest.
        What took a place gives it back by end().
        """
        ahead = (burst - 1 + Pace.SLACK) / rate
        while True:
            seen = self._of(name)
            if mended := seen.mended(now, ahead + 1 / rate):
                self._change(seen, **mended)
                continue
            # After a pause one goes after the other: nobody has saved up turns meanwhile.
            free_at = max(seen.free_at, seen.paused_until + ahead)
            if free_at > now + ahead:
                return max(free_at - ahead - now, Pace.SOON_S)
            under_way = [each for each in seen.under_way if now < each < now + Pace.FARTHEST_S]
            if places and len(under_way) >= places:
                return Pace.BUSY_S
            new: dict[str, Any] = {"free_at": max(free_at, now) + 1 / rate, **seen.counted(now, asked=1)}
            if self._change(seen, **new, under_way=under_way + [until] * bool(places)):
                return 0

    def end(self, name: str, until: float) -> None:
        """A request that was to end by then has ended."""
        while (seen := self._of(name)) and until in seen.under_way:
            left = list(seen.under_way)
            left.remove(until)
            if self._change(seen, under_way=left):
                return

    def may_repeat(self, name: str, *, now: float) -> bool:
        """Whether something may be asked again, and then that is counted: few of a minute's requests may be."""
        while True:
            seen = self._of(name)
            new = seen.counted(now, repeated=1)
            if new["repeated"] > max(Pace.REPEATS, new["asked"] * Pace.REPEATED_SHARE):
                return False
            if self._change(seen, **new):
                return True

    def pause(self, name: str, *, now: float, until: float) -> None:
        """Nobody asks before that time, and then one after the other."""
        Pace.objects.bulk_create([Pace(name=name)], ignore_conflicts=True)
        shorter = self.filter(name=name, paused_until__lt=until)
        shorter.update(paused_from=now, paused_until=until, serial=F("serial") + 1)

    def _of(self, name: str) -> "Pace":
        """Its row, made when it is first needed."""
        while (found := self.filter(name=name).first()) is None:
            Pace.objects.bulk_create([Pace(name=name)], ignore_conflicts=True)
        return found

    def _change(self, seen: "Pace", **values: Any) -> bool:
        """Whether nobody else was faster."""
        return self.filter(pk=seen.pk, serial=seen.serial).update(serial=seen.serial + 1, **values) == 1


class Pace(models.Model):
    """When a service, or an account there, may be asked next: all processes take their turns here.

    One number is enough for that: each request moves it on by the time that stands for one. Whoever is behind it asks at
    once, as many as a burst allows.
    """

    SLACK = 0.2  # of a turn: who wakes up a little late loses nothing of the rate
    SOON_S, BUSY_S = 0.001, 0.1  # after which it is worth looking again
    FARTHEST_S = 90_000  # a day and an hour: nobody is asked to wait for longer
    SKEW_S = 60  # by which the clocks of two machines may differ; what is farther ahead was written by a wrong one
    REPEATS, REPEATED_SHARE = 10, 0.2  # of a minute's requests may be asked again: so many, or that part of them

    name = models.CharField(max_length=240, primary_key=True, help_text="a service, service#account or service!post")
    serial = models.PositiveBigIntegerField(default=0, help_text="rises with each change")
    free_at = models.FloatField(default=0, help_text="seconds since 1970")
    paused_from = models.FloatField(default=0, help_text="when the service last asked for a pause; as above")
    paused_until = models.FloatField(default=0, help_text="and until when")
    under_way = models.JSONField(
        default=list, help_text="of each request that has begun: when it has ended at the latest, in seconds since 1970"
    )
    minute = models.PositiveIntegerField(default=0, help_text="since 1970, in which the following were counted")
    asked = models.PositiveIntegerField(default=0)
    repeated = models.PositiveIntegerField(default=0)

    objects = PaceQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    def mended(self, now: float, ahead: float) -> dict[str, float]:
        """What has to be written anew because the clock has been set back since; a pause keeps its length. ahead: how far
        turns reach, seconds from now."""
        new = {"free_at": now} if self.free_at > now + ahead + self.SKEW_S else {}
        if self.paused_from > now + self.SKEW_S:
            new |= {"paused_from": now, "paused_until": now + self.paused_until - self.paused_from}
        return new

    def counted(self, now: float, *, asked: int = 0, repeated: int = 0) -> dict[str, int]:
        """The counts of this minute with these added."""
        minute = int(now // 60)
        before = (self.asked, self.repeated) if self.minute == minute else (0, 0)
        return {"minute": minute, "asked": before[0] + asked, "repeated": before[1] + repeated}


class CachedAnswerQuerySet(models.QuerySet["CachedAnswer"]):
    def fresh(self, key: bytes, now: datetime | None = None) -> "CachedAnswer | None":
        return self.filter(key=key, until__gt=now or timezone.now()).first()


class CachedAnswer(models.Model):
    """An answer that may be used again until then: details of a film, never a list."""

    key = models.BinaryField(max_length=32, unique=True, help_text="digest of what was asked, without what is secret")
    service = models.CharField(max_length=200)
    content_type = models.CharField(max_length=200, blank=True)
    body = EncryptedBinaryField(help_text="packed")
    until = models.DateTimeField(db_index=True)

    objects = CachedAnswerQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.service} until {self.until}"
