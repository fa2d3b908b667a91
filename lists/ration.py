"""At most so many new entries at one sync: the first in the source's order, while the others wait for a later fetch."""

from collections.abc import Iterable

from django.utils import timezone

from lists.changes import plan_sync
from lists.filters import MAX_NEW
from lists.known import Known
from lists.models import MediaList, Source
from lists.plan import Plan, Reading
from lists.records import Read


def room_of(list_: MediaList, how: Reading, *, came: int) -> int | None:
    """How many new entries a sync may still bring; None: all of them. came: how many it has brought, if it goes in parts.

    A window that rolls on would lose what waits, a set of plays means nothing in parts, and what a person confirmed comes
    as they saw it: none of these is cut.
    """
    most = list_.filters.get(MAX_NEW)
    if not most or how.confirmed or how.replaces or list_.content == MediaList.Content.TRACKS:
        return None
    return max(most - came, 0)


def left_waiting(
    list_: MediaList, source: Source, rows: Iterable[Read], how: Reading, known: Known, *, room: int
) -> tuple[str, ...]:
    """Keys of the new records for which there is no room. known: what the numbers of unchanged rows are of.

    What a block or a filter keeps out takes nobody's place, and only a fold tells what that is: so it costs a plan of its
    own.
    """
    with plan_sync(list_, source, rows, how, at=timezone.now(), create=False, known=known.afresh()) as plan:
        return _beyond(plan, room)


def _beyond(plan: Plan, room: int) -> tuple[str, ...]:
    """Keys of what would come, without those of the first entries."""
    coming = {draft.slot for draft in plan.drafts if draft.op in ("add", "restore")}
    said = [claim for claim in plan.claims if not claim.kept]
    coming -= {claim.slot for claim in said if claim.pk is not None}  # the source listed it before
    new = sorted((claim.position or 0, claim.slot, claim.record.key) for claim in said if claim.slot in coming)
    taken = set(list(dict.fromkeys(slot for _, slot, _ in new))[:room])
    return tuple(key for _, slot, key in new if slot not in taken)
