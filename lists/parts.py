"""A change of very many entries on SQLite, whose one writer would keep all others waiting: several versions, one after the other.

What comes is shown first, then what changes, at last what leaves. Each version is whole, with the claims and edits of its
entries; order, what is known of the source and the end of the run go with the last. In between others may write. Then, or if
the process dies, the first versions stand, and a new plan of the same change holds what is left of it.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence, Sized
from contextlib import AbstractContextManager, ExitStack, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection
from django.db.models import Max

from lists.dense import BySlot
from lists.dialects import walked
from lists.errors import ListMoved
from lists.models import Claim, Edit, Entry, MediaList, Source, Version
from lists.order import longest_rising
from lists.plan import Draft, Plan
from lists.rows import AT
from lists.spool import blocks
from lists.states import changed_row

if TYPE_CHECKING:
    from lists.writer import Publication

COMES, CHANGES, LEAVES = range(3)
# Of a plan, what its last part carries.
LAST = (
    "ranks",
    "positions",
    "marks",
    "missing",
    "back",
    "moved_claims",
    "rebased",
    "late",
    "order_mode",
    "facts",
    "about",
)


def goes_in_parts(plan: Plan) -> bool:
    alone = connection.vendor == "sqlite" and not connection.in_atomic_block
    return alone and len(plan.drafts) > settings.LARGE_CHANGE


def is_large(list_: MediaList, entries: Sized | None = None) -> bool:
    """Whether a change of these entries, or of all of the list, would go in parts, if nobody held a transaction."""
    if connection.vendor != "sqlite":
        return False
    count = Entry._base_manager.filter(list=list_).count() if entries is None else len(entries)
    return count > settings.LARGE_CHANGE


def publish_parts(
    publication_of: Callable[[Plan], "Publication"], plan: Plan, before_commit: Callable[[Version | None], None] | None,
    showing: Callable[[], AbstractContextManager[Any]],
) -> Version | None:  # fmt: skip
    """Publish a plan part by part; the last version. before_commit runs with the last part, and `showing` is entered around
    it: what stops a sync before that leaves the versions that stand.

    Raises ListMoved if somebody wrote meanwhile, with the versions that stand.
    """
    made: list[Version] = []

    def finish(version: Version | None) -> None:
        if before_commit is not None:
            before_commit(version or (made[-1] if made else None))

    begin = partial(_mark_begun, plan.source, _last_claim(plan.source)) if plan.source is not None else None
    ids = BySlot()
    with ExitStack() as closing:
        parts = [closing.enter_context(part) for part in cut(plan, settings.LARGE_CHANGE)]
        for part in parts:
            part.base, part.written = plan.list_.current_id, plan.written
            if part is parts[-1]:
                part.counts.moved = _count_moved(part)
            publication = publication_of(part)
            publication.ids = ids
            is_last = part is parts[-1]
            try:
                with showing() if is_last else nullcontext():
                    version = publication.run(finish if is_last else begin)
            except ListMoved:
                raise ListMoved(made) from None
            plan.written = part.written
            if version is not None:
                made.append(version)
    return made[-1] if made else None


def _last_claim(source: Source) -> int:
    return Claim.objects.filter(source=source).aggregate(last=Max("id"))["last"] or 0


def _mark_begun(source: Source, last: int, version: Version | None) -> None:
    """Until the last part stands the list is not what the source's last accepted answer made of it: nobody may take an answer
    for known by that, and what a part has brought does not count among what it stood for (Known.accepted)."""
    accepted = Source.objects.values_list("accepted", flat=True).get(pk=source.pk)
    Source.objects.filter(pk=source.pk).update(
        accepted={"last_claim": last, **accepted}, body_digest=None, etag="", last_modified=""
    )


def cut(plan: Plan, size: int) -> list[Plan]:
    """The parts of a plan, each of so many drafts; entries that are one thing stay together."""
    part_of = _places(plan, size)
    parts = [
        Plan(plan.list_, plan.source, plan.base, plan.at, written=plan.written)
        for _ in range(1 + max(part_of.values()))
    ]
    last = parts[-1]

    def part(entry: int) -> Plan:
        return parts[part_of.get(plan.leads.get(entry, entry), -1)]

    for draft in plan.drafts:
        with_it = part(draft.slot)
        if draft.was is not None:
            draft.row = changed_row(draft.row, rank=draft.was[AT["rank"]])  # all move at once, with the last
        with_it.drafts.append(draft)
        with_it.counts.take(draft)
    for claim in plan.claims:
        part(claim.slot).folded.append(claim)
    for (slot, name), edit in plan.edits.items():
        part(slot).edits[slot, name] = edit
    for question in plan.questions:
        part(question[0]).questions.append(question)
    for pk, entry in _entries_of(Claim, plan.gone):
        part(entry).gone.append(pk)
    for pk, entry in _entries_of(Edit, plan.ended):
        part(entry).ended.append(pk)
    new = BySlot((slot, rank) for slot, rank in plan.ranks.items() if slot < 0)
    for each in parts:
        each.ranks = new
    for name in LAST:
        setattr(last, name, getattr(plan, name))
    return parts


def _count_moved(last: Plan) -> int:
    """How many entries the last part moves, as a diff counts them. The plan counted for all parts at once, but what came with
    the others has been shown where its new rank stands among the old ones."""
    if not any(slot > 0 for slot in last.ranks):
        return 0
    left = {draft.slot for draft in last.drafts if draft.leaves}
    changed = {draft.slot for draft in last.drafts if draft.op == "change"}
    listed = Entry._base_manager.filter(list=last.list_, state=Entry.State.LISTED).order_by("rank", "id")
    stay = [(pk, rank) for pk, rank in walked(listed.values_list("id", "rank")) if pk not in left]
    after = sorted((last.ranks.get(pk, rank), pk, place) for place, (pk, rank) in enumerate(stay))
    steady = longest_rising([place for _, _, place in after])
    return sum(n not in steady and pk not in changed for n, (_, pk, _) in enumerate(after))


def _places(plan: Plan, size: int) -> dict[int, int]:
    """Entry -> the part that it goes with, by its own id or that of the one that shows it."""
    count = Counter(map(_turn, plan.drafts))
    following = [0, count[COMES], count[COMES] + count[CHANGES]]
    places: dict[int, int] = {}
    for draft in plan.drafts:
        lead = plan.leads.get(draft.slot, draft.slot)
        if lead not in places:
            turn = _turn(draft)
            places[lead] = following[turn] // size
            following[turn] += 1
    return places


def _turn(draft: Draft) -> int:
    if draft.slot < 0 or draft.op == "restore":
        return COMES
    return LEAVES if draft.leaves else CHANGES


def _entries_of(model: Any, pks: Sequence[int]) -> Iterator[tuple[int, int]]:
    for block in blocks(pks):
        yield from model.objects.filter(pk__in=block).values_list("id", "entry_id")
