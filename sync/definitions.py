"""What feeds a list by being fetched: such sources are defined, and the schedule of all of a list is set at once."""

from typing import Any

from django.db import transaction

from lists import services
from lists.credentials import Lifter
from lists.errors import InTheBin, Refused, Unfit
from lists.models import Account, MediaList, Source
from sync import access
from sync.adapters import ADAPTERS, checked, fetched_adapters


class NothingToFetch(Refused):
    code = "nothing_to_fetch"


@transaction.atomic
def add_fetched(
    list_: MediaList, *, adapter: str, by: Any, name: str = "", config: dict[str, Any] | None = None,
    account: Account | None = None, **details: Any,
) -> Source:  # fmt: skip
    """A new source that is fetched; the first time as soon as a worker looks. details: address, enabled, sync_enabled,
    interval_min, gap_min, mode, grace. A login in its address goes into an account. Raises Unfit for what its kind cannot
    take."""
    if adapter not in fetched_adapters():
        raise Unfit("There is no such kind of source that is fetched. Nothing was saved.")
    if list_.deleted_at is not None:
        raise InTheBin("The list lies in the bin. Bring it back first.")
    kind = ADAPTERS[adapter]
    answers, wrong = checked(kind, config or {})
    if wrong:
        raise Unfit(f"{' '.join(wrong)} Nothing was saved.")
    lifter = Lifter(*services.secrets_of(list_))
    details = {"mode": kind.mode, "interval_min": kind.interval_min, **details}
    details["address"] = lifter.lift(details.get("address", ""))
    source = services.add_source(
        list_, adapter=adapter, name=name or kind.label, by=by, config=answers, origin=kind.origin, **details
    )
    services.keep_secrets(source, lifter.secrets)
    return access.choose(source, account, by=by) if account else source


def fetched_sources(list_: MediaList) -> list[Source]:
    """The sources of a list that are fetched, switched on or off, the first one first."""
    return list(
        Source.objects.filter(list=list_, removed_at=None, role=Source.Role.FEED, adapter__in=fetched_adapters())
        .select_related("list")
        .defer("body_digest")
    )


@transaction.atomic
def set_schedule(list_: MediaList, *, by: Any, **details: Any) -> list[Source]:
    """The same for all sources of a list that are fetched: enabled, sync_enabled, interval_min, gap_min."""
    found = fetched_sources(list_)
    if not found:
        raise NothingToFetch("None of its sources is fetched. Nothing was changed. A file is brought in by hand.")
    for source in found:
        services.change_source(source, by=by, **details)
    return fetched_sources(list_)
