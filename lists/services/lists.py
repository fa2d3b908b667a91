"""Changes to lists, each a verb and one transaction. Views, API, admin, tasks and commands only call these."""

from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from lists import search
from lists.audit import audit
from lists.errors import InTheBin
from lists.models import Account, Claim, Edit, Entry, MediaList
from lists.provenance import remember
from lists.signals import stopped

DETAILS = ("name", "description", "tags")


@transaction.atomic
def create_list(owner: Any, *, name: str, content: str = MediaList.Content.FILMS, **details: Any) -> MediaList:
    """An empty list. details: description, tags, facts."""
    list_ = MediaList.objects.create(owner=owner, name=name, content=content, **details)
    audit(owner, "created", list_, after={"name": name, "content": content})
    return list_


@transaction.atomic
def change_list(list_: MediaList, *, by: Any, **details: Any) -> MediaList:
    """Change what a list is called and how it is described; fields that stay the same leave no trace."""
    list_ = MediaList.objects.locked(list_.pk)
    if list_.deleted_at:
        raise InTheBin("The list lies in the bin. Bring it back first.")
    unknown = details.keys() - set(DETAILS)
    if unknown:
        raise ValueError(f"not a detail of a list: {', '.join(sorted(unknown))}")
    before = {name: getattr(list_, name) for name in details if getattr(list_, name) != details[name]}
    if before:
        for name in before:
            setattr(list_, name, details[name])
        list_.updated_at = timezone.now()
        list_.save()
        audit(by, "changed", list_, before=before, after={name: details[name] for name in before})
    return list_


@transaction.atomic
def bin_list(list_: MediaList, *, by: Any) -> MediaList:
    """Put a list into the bin; one click brings it back until the bin is emptied."""
    list_ = MediaList.objects.locked(list_.pk)
    if list_.deleted_at is None:
        list_.deleted_at = timezone.now()
        list_.save()
        stopped.send(MediaList, sources=list(list_.sources.values_list("pk", flat=True)), by=by)
        audit(by, "deleted", list_, before={"name": list_.name, "items": list_.item_count})
    return list_


@transaction.atomic
def restore_list(list_: MediaList, *, by: Any) -> MediaList:
    list_ = MediaList.objects.locked(list_.pk)
    if list_.deleted_at is not None:
        list_.deleted_at = None
        list_.save()
        audit(by, "restored", list_, after={"name": list_.name, "items": list_.item_count})
    return list_


@transaction.atomic
def purge_list(list_: MediaList, *, by: Any = None) -> None:
    """Delete a list for good: entries, claims and history go; provenance and audit stay, with its name."""
    remember(Claim.objects.filter(source__list=list_), at=timezone.now())
    audit(by, "deleted for good", list_, before={"name": list_.name, "items": list_.item_count})
    entries = Entry.objects.filter(list=list_)
    Edit.history.filter(entry__in=entries.values("pk")).delete()
    Entry.history.filter(list_id=list_.pk).delete()
    list_.conflicts.all().delete()
    # Past simple-history, which would write a last row for each.
    for rows in (Claim.objects.filter(entry__in=entries), Edit.objects.filter(entry__in=entries), entries):
        rows._raw_delete(rows.db)
    accounts = list(list_.sources.filter(account__isnull=False).values_list("account", flat=True))
    list_.delete()
    search.settle()  # here, or the next one who writes would wait for it
    # Logins that came inside of its files; an account that another list uses stays.
    Account.objects.filter(pk__in=accounts, sources__isnull=True, from_addresses=True).delete()


def empty_bin(*, at: Any = None) -> int:
    """Purge the lists that have lain in the bin for BIN_LIFETIME; returns how many."""
    lapsed = MediaList.objects.filter(deleted_at__lt=(at or timezone.now()) - settings.BIN_LIFETIME)
    purged = 0
    for pk in list(lapsed.values_list("pk", flat=True)):
        with transaction.atomic():
            # Looked at again under its lock: somebody may have brought it back meanwhile.
            if not lapsed.filter(pk=pk).exists():
                continue
            list_ = MediaList.objects.locked(pk, publishes=False)
            if list_.deleted_at is not None:
                purge_list(list_)
                purged += 1
    return purged
