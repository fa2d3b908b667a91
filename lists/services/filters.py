"""What may come onto a list: its filters, and what another set of them would do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from lists.audit import audit
from lists.changes import plan_refold
from lists.errors import InTheBin
from lists.filling import refuse_while_filled
from lists.filters import MAX_NEW, checked
from lists.models import MediaList, Version
from lists.plan import Draft
from lists.rows import AT
from lists.services import _writing
from lists.services.rules import settle_due

SHOWN = 50  # entries of each kind that a preview names


@dataclass(frozen=True, slots=True)
class Fate:
    """What other filters would do to one entry. reason: why it would be kept out; "" if it would come back."""

    entry: int
    title: str
    year: int | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class FiltersPreview:
    """leave, back: how many entries; leaving, coming: the first of them. filtered: what a filter looks at -> how many
    it would keep out then."""

    leave: int
    back: int
    filtered: dict[str, int]
    leaving: list[Fate]
    coming: list[Fate]


def change_filters(list_: MediaList, *, by: Any, **filters: Any) -> Version | None:
    """Set filters of a list (lists.filters.CHECKS); None or an empty value: not set. What they keep out leaves now, what
    they let in again is back without a fetch. None if nothing that is listed changes.

    Raises BadFilters.
    """
    with transaction.atomic():
        list_ = _writing.locked(list_)
        version = _change(list_, by, filters)
    return version or settle_due(list_, by=by)


def _change(list_: MediaList, by: Any, filters: Mapping[str, Any]) -> Version | None:
    wanted = checked({**list_.filters, **filters})
    names = sorted({*list_.filters, *wanted})
    before = {name: list_.filters.get(name) for name in names if list_.filters.get(name) != wanted.get(name)}
    if not before:
        return None
    list_.filters = wanted
    list_.updated_at = timezone.now()
    list_.save()
    folded = before.keys() - {MAX_NEW}
    version = _writing.folded_again(list_, by=by, summary="Filters of the list") if folded else None
    audit(
        by, "changed filters", list_, before=before, after={name: wanted.get(name) for name in before}, version=version
    )
    return version


def preview_filters(list_: MediaList, filters: Mapping[str, Any]) -> FiltersPreview:
    """What a change of filters would do; nothing is written, and nobody waits for it. Raises BadFilters, InTheBin,
    BeingFilled."""
    list_ = MediaList.objects.get(pk=list_.pk)
    if list_.deleted_at:
        raise InTheBin("The list lies in the bin. Bring it back first.")
    refuse_while_filled(list_)
    list_.filters = checked({**list_.filters, **filters})
    leave = back = 0
    leaving: list[Fate] = []
    coming: list[Fate] = []
    with plan_refold(list_, at=timezone.now(), preview=True) as plan:
        for draft in plan.drafts:
            if draft.leaves and draft.excluded:
                leave += 1
                _show(draft, leaving)
            elif draft.op == "restore":
                back += 1
                _show(draft, coming)
        return FiltersPreview(leave, back, plan.filtered, leaving, coming)


def _show(draft: Draft, shown: list[Fate]) -> None:
    if len(shown) < SHOWN:
        shown.append(Fate(draft.slot, draft.row[AT["title"]], draft.row[AT["year"]], draft.row[AT["reason"]]))
