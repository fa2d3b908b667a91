"""Who did what, to which thing, and what it was before."""

from typing import Any, NoReturn

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone

from lists.models.lists import MediaList


class AppendOnly(Exception):
    """Audit rows are written once."""


class AuditQuerySet(models.QuerySet["Audit"]):
    def for_user(self, user: Any) -> "AuditQuerySet":
        """Staff see all; others what they did and what happened to their lists."""
        if user.is_staff:
            return self
        mine = MediaList.objects.for_user(user, binned=None).values("pk")
        return self.filter(models.Q(actor=user) | models.Q(list_ref__in=mine))

    def update(self, **kwargs: Any) -> NoReturn:
        raise AppendOnly("Audit rows cannot be changed.")

    def delete(self) -> NoReturn:
        raise AppendOnly("Audit rows cannot be deleted; the prune_audit command removes those older than a year.")

    def prune(self, *, before: Any) -> int:
        """Delete rows older than a moment; only for the command that keeps at least a year."""
        return self.filter(at__lt=before)._raw_delete(self.db)


class Audit(models.Model):
    """Who did what to which thing, and what it was before. Append-only, and it outlives what it names."""

    at = models.DateTimeField(default=timezone.now, editable=False)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", help_text="nobody: the system"
    )
    actor_name = models.CharField(max_length=150, help_text="as it was then")
    action = models.CharField(max_length=40)
    object_type = models.CharField(max_length=40)
    object_id = models.CharField(max_length=40)
    object_name = models.CharField(max_length=500)
    list_ref = models.BigIntegerField(null=True, help_text="the list's id; no foreign key, for the list may go")
    version_number = models.PositiveIntegerField(null=True)
    before = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    after = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    correlation_id = models.CharField(max_length=36, blank=True)

    objects = AuditQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "audit"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["list_ref", "id"], name="audit_of_list"),
            models.Index(fields=["object_type", "object_id", "id"], name="audit_of_object"),
            models.Index(fields=["at"], name="audit_by_time"),
            # Each serves one filter of the log, newest first.
            models.Index(fields=["action", "id"], name="audit_of_action"),
            models.Index(fields=["actor_name", "id"], name="audit_of_actor"),
            models.Index(fields=["object_type", "id"], name="audit_of_type"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_name} {self.action} {self.object_name}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnly("Audit rows cannot be changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnly("Audit rows cannot be deleted; the prune_audit command removes those older than a year.")
