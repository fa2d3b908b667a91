"""The first fill of a list on SQLite, where one writer keeps all others waiting: in many short transactions.

Its rows go in by blocks, hidden: until its version is current the list is passed over by whatever reads entries
(Entry.objects), and edits are told to wait. A fill that died is swept away before anything is planned for its list.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from lists import search
from lists.blocking import planned_against
from lists.dialects import Dialect
from lists.errors import BeingFilled, ListMoved
from lists.fence import still_ours
from lists.models import Claim, Entry, MediaList, Version
from lists.plan import ClaimDraft, Plan

if TYPE_CHECKING:
    from lists.writer import Publication

T = TypeVar("T")

FROM = 2000  # entries; fewer are written within a tenth of a second
BLOCK = 250  # rows of one transaction: about 30 ms of the writer's time
PAUSE_S = 0.005  # and what the others get after each
SETTLED = 8  # blocks, after which their words are made: until then every search looks through them
SWEPT = 1000
LEASE = timedelta(seconds=60)  # a fill that has not written for so long has died
WAIT = "The list is being filled for the first time. Nothing was changed. Try again when that is done."


def goes_by_blocks(plan: Plan) -> bool:
    if connection.vendor != "sqlite" or connection.in_atomic_block or plan.base is not None or plan.is_empty:
        return False
    return len(plan.drafts) > FROM and not Entry._base_manager.filter(list=plan.list_).exists()


def fill(
    publication: "Publication", before_commit: Callable[[Version | None], None] | None,
    showing: Callable[[], AbstractContextManager[Any]],
) -> Version | None:  # fmt: skip
    """Publish the first version of a list; `showing` is entered around the transaction that shows it. Raises ListMoved as
    any publication does, and between two blocks what stops a sync; what was written is swept then."""
    plan, list_ = publication.plan, publication.plan.list_
    publication.version_id = version = _begin(plan, publication)
    claims, waiting = iter(plan.claims), deque[ClaimDraft]()
    for number, drafts in enumerate(_some(plan.drafts), 1):
        waiting.extend(islice(claims, BLOCK))
        with _block(list_, version):
            publication.insert(drafts)
            # A claim may speak of an entry of the next block.
            ready = [draft for draft in waiting if draft.slot in publication.ids]
            publication.insert_claims(ready)
        waiting = deque(draft for draft in waiting if draft.slot not in publication.ids)
        if number % SETTLED == 0:
            search.index_owed()
    for left in _some(chain(waiting, claims)):
        with _block(list_, version):
            publication.insert_claims(left)
    publication.order_now()
    publication.is_filled = True
    with showing():
        return publication.run(before_commit)


def _begin(plan: Plan, publication: "Publication") -> int:
    """The id that the version will have, and those of its entries: given out now, so that ids rise with numbers."""
    with transaction.atomic():
        list_ = MediaList.objects.locked(plan.list_.pk)
        still_ours()
        if list_.filling is not None or list_.current_id is not None or planned_against(list_) != plan.written:
            raise ListMoved
        dialect = Dialect.of()
        [version] = dialect.new_ids(Version._meta.db_table, 1)
        dialect.use_up(Version._meta.db_table, version)
        publication.given = iter(pks := dialect.new_ids(Entry._meta.db_table, len(plan.drafts)))
        dialect.use_up(Entry._meta.db_table, pks[-1])
        MediaList.objects.filter(pk=list_.pk).update(filling=version, filling_until=timezone.now() + LEASE)
    return version


@contextmanager
def _block(list_: MediaList, version: int) -> Iterator[None]:
    with Dialect.of().turn(PAUSE_S), transaction.atomic():
        still_ours()
        until = timezone.now() + LEASE
        if not MediaList.objects.filter(pk=list_.pk, filling=version).update(filling_until=until):
            raise ListMoved
        yield


def _some(values: Iterable[T]) -> Iterator[list[T]]:
    walking = iter(values)
    while block := list(islice(walking, BLOCK)):
        yield block


def refuse_while_filled(list_: MediaList) -> None:
    """Raises BeingFilled."""
    if list_.filling is not None:
        raise BeingFilled(WAIT)


def sweep(list_: MediaList) -> None:
    """Take away what a fill has left that did not come to its end. The caller knows that none is at work."""
    list_.refresh_from_db(fields=["filling"])
    if list_.filling is not None:
        _sweep(list_)


def _sweep(list_: MediaList, if_: Q | None = None) -> bool:
    """That fill and no other: meanwhile a run may have swept it itself, and may fill the list anew. Its number is negated
    first, so that a fill that lives all the same ends with its next block. if_: what must hold of the list; False if it
    does not."""
    fill = abs(list_.filling or 0)
    if list_.filling != -fill:
        with Dialect.of().turn(PAUSE_S), transaction.atomic():
            still_ours()
            if not MediaList.objects.filter(if_ or Q(), pk=list_.pk, filling=fill).update(filling=-fill):
                return False
    mine: dict[Any, dict[str, Any]] = {
        Claim: {"source__list": list_},
        Entry.history.model: {"list_id": list_.pk, "version_id": fill},
        Entry: {"list": list_},
    }
    for model, which in mine.items():
        while pks := list(model._base_manager.filter(**which).values_list("pk", flat=True)[:SWEPT]):
            if not _delete(model, pks, list_, fill):
                return True
    MediaList.objects.filter(pk=list_.pk, filling=-fill).update(filling=None, filling_until=None)
    list_.refresh_from_db(fields=["filling", "filling_until"])
    return True


def _delete(model: Any, pks: Sequence[int], list_: MediaList, fill: int) -> bool:
    """False if that fill is gone."""
    with Dialect.of().turn(PAUSE_S), transaction.atomic():
        still_ours()
        if not MediaList.objects.filter(pk=list_.pk, filling=-fill).exists():
            return False
        model._base_manager.filter(pk__in=pks)._raw_delete("default")
    search.index_owed()
    return True


def sweep_dead() -> int:
    """Sweep the fills that died and that no sync has followed; returns how many. One that says it lives for longer than any
    can has died before the clock was set back, or writes its next block in a moment: then that plans anew."""
    now = timezone.now()
    dead = Q(filling__isnull=False) & ~Q(filling_until__range=(now, now + 2 * LEASE))
    return sum(_sweep(list_, dead) for list_ in list(MediaList.objects.filter(dead)))
