"""Changes to lists, each a verb and one transaction. Views, API, admin, tasks and commands only call these."""

from array import array
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from lists import search
from lists.audit import audit
from lists.dialects import Dialect, walked
from lists.errors import InTheBin, NotThere
from lists.models import Account, Block, Claim, Conflict, Edit, Entry, MediaList, Refold, Source
from lists.models.lists import GOING
from lists.provenance import remember
from lists.signals import stopped
from lists.spool import blocks

DETAILS = ("name", "description", "tags")
AT_ONCE = 1000  # rows that one transaction deletes for good


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
    if list_.deleted_at == GOING:
        raise NotThere("The list is being deleted for good. It does not come back.")
    if list_.deleted_at is not None:
        list_.deleted_at = None
        list_.save()
        audit(by, "restored", list_, after={"name": list_.name, "items": list_.item_count})
    return list_


def purge_list(list_: MediaList, *, by: Any = None) -> None:
    """Delete a list for good: entries, claims and edits, sources, blocks and questions, with the history of them all.
    Provenance and audit stay, with its name.

    The rows go some at a time, so that nobody waits, and nobody sees the list meanwhile. If the process dies in between,
    the next empty_bin() goes on.
    """
    with transaction.atomic():
        _begin(MediaList.objects.locked(list_.pk, publishes=False))
    for rows in _content(list_):
        for pks in blocks(array("q", (pk for (pk,) in walked(rows.values_list("pk")))), AT_ONCE):
            _delete(rows.model, pks)
    with transaction.atomic():
        for found in MediaList.objects.select_for_update(of=("self",)).filter(
            pk=list_.pk
        ):  # none: another one was first
            _end(found, by)
    search.index_owed()  # here, or the next one who writes would wait for it


def _begin(list_: MediaList) -> None:
    """From here on it does not come back: whoever has planned for it plans anew, and finds it gone."""
    MediaList.objects.filter(pk=list_.pk).update(deleted_at=GOING, fence=F("fence") + 1)


def _content(list_: MediaList) -> list[QuerySet[Any]]:
    """What there may be very much of, in the order in which it can go."""
    entries = Entry._base_manager.filter(list=list_)
    return [
        Claim.objects.filter(source__list=list_), Edit.history.filter(entry__in=entries.values("pk")),
        Edit.objects.filter(entry__in=entries), Entry.history.filter(list_id=list_.pk),
        Conflict.history.filter(list_id=list_.pk), Conflict.objects.filter(list=list_),
        Refold.objects.filter(list=list_), entries,
    ]  # fmt: skip


def _delete(model: Any, pks: Sequence[int]) -> None:
    """Past simple-history, which would write a last row for each."""
    with Dialect.of().turn(), transaction.atomic():
        going = model._base_manager.filter(pk__in=pks)
        if model is Claim:
            remember(going, at=timezone.now())
        going._raw_delete("default")
    search.index_owed()


def _end(list_: MediaList, by: Any) -> None:
    pk = list_.pk
    audit(by, "deleted for good", list_, before={"name": list_.name, "items": list_.item_count})
    accounts = list(list_.sources.filter(account__isnull=False).values_list("account", flat=True))
    list_.delete()
    for history in (Source.history, Block.history):
        history.filter(list_id=pk).delete()
    MediaList.history.filter(id=pk).delete()
    # Logins that came inside of its files; an account that another list uses stays.
    Account.objects.filter(pk__in=accounts, sources__isnull=True, from_addresses=True).delete()


def empty_bin(*, at: Any = None) -> int:
    """Purge the lists that have lain in the bin for BIN_LIFETIME; returns how many."""
    lapsed = MediaList.objects.filter(deleted_at__lt=(at or timezone.now()) - settings.BIN_LIFETIME)
    purged = 0
    for pk in list(lapsed.values_list("pk", flat=True)):
        with transaction.atomic():
            # Looked at again under its lock: somebody may have brought it back meanwhile.
            list_ = MediaList.objects.locked(pk, publishes=False) if lapsed.filter(pk=pk).exists() else None
            if list_ is None or list_.deleted_at is None:
                continue
            _begin(list_)
        purge_list(list_)
        purged += 1
    return purged
