"""Writing down who did what."""

from typing import Any

from django.db.models import Model

from lists.models import Audit, MediaList, Version

# What the page and the API filter by: parameter -> lookup.
FILTERS = {
    "action": "action",
    "object_type": "object_type",
    "object_id": "object_id",
    "list": "list_ref",
    "actor": "actor_name",
    "from": "at__gte",
    "to": "at__lte",
}


def audit(
    actor: Any,
    action: str,
    thing: Model,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    version: Version | None = None,
    list_: MediaList | None = None,
    correlation_id: str = "",
) -> Audit:
    """One row, in the caller's transaction, so that it stands if and only if the act does. actor None: the system."""
    if list_ is None:
        list_ = thing if isinstance(thing, MediaList) else getattr(thing, "list", None)
    return Audit.objects.create(
        actor=actor,
        actor_name=actor.get_username() if actor else "",
        action=action,
        object_type=str(thing._meta.verbose_name),
        object_id=str(thing.pk),
        object_name=str(thing)[:500],
        list_ref=list_.pk if list_ else None,
        version_number=version.number if version else None,
        before=before,
        after=after,
        correlation_id=correlation_id,
    )


def wanted(query: dict[str, Any]) -> dict[str, Any]:
    """What a queryset of Audit is filtered by, of parameters that were read and checked."""
    return {lookup: query[name] for name, lookup in FILTERS.items() if name in query}
