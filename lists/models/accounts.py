"""Accounts at services: their secrets, how they stand, and signing in to one."""

import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from lists.encrypted import EncryptedTextField


class AccountQuerySet(models.QuerySet["Account"]):
    def for_user(self, user: Any) -> "AccountQuerySet":
        """Accounts belong to one person; staff see that they are there."""
        return self if user.is_staff else self.filter(owner=user)


class Account(models.Model):
    """Credentials for a service, encrypted. Another host or login opens a new id namespace (xtream:7, then xtream:7.2)."""

    class State(models.TextChoices):
        OK = "ok", "OK"
        EXPIRING = "expiring", "Expires soon"
        ATTENTION = "attention", "Needs attention"
        UNTESTED = "untested", "Not tested yet"

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="accounts")
    service = models.CharField(max_length=40)
    name = models.CharField(max_length=200)
    secrets = EncryptedTextField(blank=True, help_text="JSON: names and values")
    details = models.JSONField(default=dict, blank=True, help_text="what may be shown: address, user, limits")
    namespace = models.CharField(max_length=40, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.UNTESTED)
    reason = models.CharField(max_length=500, blank=True, help_text="of its state, for people")
    state_at = models.DateTimeField(default=timezone.now, editable=False, help_text="since when it stands so")
    tested_at = models.DateTimeField(null=True, editable=False)
    expires_at = models.DateTimeField(null=True, editable=False, help_text="of the token; empty: nobody said")
    renew_at = models.DateTimeField(
        null=True, editable=False, help_text="from then on the token is renewed; empty: it cannot be"
    )
    serial = models.PositiveIntegerField(default=0, editable=False, help_text="rises with each change of its secrets")
    from_addresses = models.BooleanField(
        default=False, help_text="made of logins that stood in a file; goes with the list that it came for"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AccountQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "service", "name"], name="account_name_is_unique_per_owner"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.service})"

    @property
    def opened(self) -> dict[str, str]:
        """The secrets by name. They go into requests and nowhere else."""
        return json.loads(self.secrets) if self.secrets else {}

    def keep(self, secrets: Mapping[str, str]) -> None:
        """Exactly these; not saved yet. One that is empty is none, but "name@host", which says where a login was met."""
        kept = {name: value for name, value in secrets.items() if value or "@" in name}
        self.secrets = json.dumps(kept) if kept else ""

    def stands(self, state: str, reason: str = "") -> None:
        """Not saved yet."""
        if state != self.state:
            self.state_at = timezone.now()
        self.state, self.reason = state, reason

    @property
    def works(self) -> bool:
        return self.state != self.State.ATTENTION


class SignIn(models.Model):
    """Somebody signs in to a service with a code or on its page: kept here until it has happened or lapsed, so that a
    restart or another machine goes on where this one stopped."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        DONE = "done", "Done"
        DENIED = "denied", "Refused"
        EXPIRED = "expired", "Run out"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    account = models.OneToOneField(Account, models.CASCADE, related_name="sign_in")
    code = models.CharField(
        max_length=40, blank=True, help_text="to be typed at the service; empty: its page asks for none"
    )
    url = EncryptedTextField(help_text="the page of the service where it is done")
    device = EncryptedTextField(help_text="by which we ask whether it is done")
    interval_s = models.PositiveSmallIntegerField(help_text="we ask no more often")
    next_poll_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    reason = models.CharField(max_length=500, blank=True, help_text="of its end, for people")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["next_poll_at"], condition=models.Q(state="waiting"), name="sign_in_to_ask_about"),
        ]

    def __str__(self) -> str:
        return f"sign-in to {self.account}"
