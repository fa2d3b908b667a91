"""What a plan would change for a reader, change by change, so that a person can take some and leave others."""

import hashlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from lists import judging
from lists.fields import canonical
from lists.judging import Judgement
from lists.models import Claim, Conflict, Edit, Entry, MediaList
from lists.plan import CLAIMS, DRAFTS, ClaimDraft, Counts, Draft, Plan, Reading
from lists.records import About, NotTaken, Record, Row, Unreadable
from lists.spool import Spool, blocks

SHOWN = ("title", "artist", "year", "cue_ms")


@dataclass(frozen=True, slots=True)
class Change:
    """subject: names it in the same words each time that the source says so. slot: see Draft; 0: the list itself.
    before and after: values by field, None where there is nothing."""

    kind: str
    subject: str
    slot: int
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    judged: Judgement


def changes_of(plan: Plan) -> list[Change]:
    """Changes of entries, in the plan's order."""
    digests: dict[int, list[str]] = {}
    for claim in plan.claims:
        if not claim.kept:
            digests.setdefault(claim.slot, []).append(claim.digest.hex())
    edges: set[int] | None = None
    found: list[Change] = []
    seen: dict[str, int] = {}
    for draft in plan.drafts:
        if draft.op == "remove" and edges is None:
            edges = _edges(plan.list_)
        change = _change(draft, "".join(sorted(digests.get(draft.slot, ()))), edges or set())
        if change is not None:
            # A set may hold two plays of which nothing is known: they are told apart by number.
            number = seen[change.subject] = seen.get(change.subject, 0) + 1
            found.append(change if number == 1 else _numbered(change, number))
    return found


def _numbered(change: Change, number: int) -> Change:
    subject = f"{change.subject} {number}"
    return Change(change.kind, subject, change.slot, change.before, change.after, change.judged)


def _edges(list_: MediaList) -> set[int]:
    order = Entry.objects.filter(list=list_).listed().order_by("rank", "id").values_list("id", flat=True)
    return {pk for pk in (order.first(), order.last()) if pk is not None}


def _change(draft: Draft, digest: str, edges: Collection[int]) -> Change | None:
    before, after, slot = draft.before or {}, draft.after or {}, draft.slot
    if draft.op in ("add", "restore"):
        subject = f"added {_short(digest)}" if slot < 0 else f"added {slot} {_short(digest)}"
        return Change(Conflict.Kind.ADDED, subject, slot, None, dict(after), judging.of_addition(after))
    if draft.op == "remove":
        judged = judging.of_removal(before, edge=slot in edges)
        return Change(Conflict.Kind.REMOVED, f"removed {slot}", slot, _shown(before), None, judged)
    if draft.op == "change":
        names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
        old, new = ({name: side.get(name) for name in names} for side in (before, after))
        subject = f"modified {slot} {_short(digest or canonical(new).decode())}"
        return Change(Conflict.Kind.MODIFIED, subject, slot, old, new, judging.of_modification(old, new))
    return None


def _shown(values: dict[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in SHOWN if name in values}


def _short(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def facts_of(plan: Plan, list_: MediaList) -> list[Change]:
    """What the source says of the list itself where the list says something else."""
    return [
        Change(
            Conflict.Kind.METADATA, f"metadata {_short(canonical([name, fact]).decode())}", 0,
            {name: list_.facts[name]}, {name: fact}, judging.of_fact(list_.facts[name], fact),
        )
        for name, fact in plan.about.said.items() if name in list_.facts and list_.facts[name] != fact
    ]  # fmt: skip


def restructure_of(changes: Collection[Change], score: int) -> Change:
    """All of them as one."""
    counts = {kind.value: sum(change.kind == kind for change in changes) for kind in
              (Conflict.Kind.ADDED, Conflict.Kind.MODIFIED, Conflict.Kind.REMOVED)}  # fmt: skip
    subject = f"restructure {_short(' '.join(sorted(change.subject for change in changes)))}"
    return Change(Conflict.Kind.RESTRUCTURE, subject, 0, None, counts, judging.of_restructure(score))


def without(plan: Plan, dropped: Collection[Change]) -> None:
    """Take changes out of a plan: as if the source had not said them."""
    slots = {change.slot for change in dropped}
    if not slots:
        return
    drafts, folded, counts = Spool[Draft](DRAFTS), Spool[ClaimDraft](CLAIMS), plan.counts
    for draft in plan.drafts:
        if draft.slot not in slots:
            drafts.append(draft)
            continue
        counts.added -= draft.op in ("add", "restore")
        counts.changed -= draft.op == "change"
        counts.removed -= draft.op == "remove"
    folded.extend(claim for claim in plan.claims if claim.slot not in slots)
    plan.close()
    plan.drafts, plan.fresh, plan.folded = drafts, Spool[ClaimDraft](CLAIMS), folded
    stay = set(_ids_of(Claim, plan.gone, slots))
    plan.gone = [pk for pk in plan.gone if pk not in stay]
    edits = set(_ids_of(Edit, plan.ended, slots))
    plan.ended = [pk for pk in plan.ended if pk not in edits]
    # What stays although its source lacks it has no place there any more, like what is missing: its rank is its place.
    plan.ranks = {slot: rank for slot, rank in plan.ranks.items() if slot > 0 or slot not in slots}
    plan.questions = [each for each in plan.questions if each[0] not in slots]
    counts.conflicts = plan.asked
    plan.late = [slot for slot in plan.late if slot not in slots]
    if not (counts.added or counts.changed or counts.removed):
        # Who leaves a list as it is leaves its order, too.
        plan.ranks, plan.positions, counts.moved = {}, {}, 0


def _ids_of(model: Any, pks: list[int], entries: Collection[int]) -> Iterator[int]:
    for block in blocks(pks):
        rows = model.objects.filter(pk__in=block).values_list("id", "entry_id")
        yield from (pk for pk, entry in rows if entry in entries)


def nothing_of(counts: Counts) -> None:
    """Counts of a plan that waits instead."""
    counts.added = counts.changed = counts.removed = counts.moved = counts.conflicts = 0


# -- what is kept of a fetch -------------------------------------------------------------------------------------------

KINDS: dict[str, type[Any]] = {cls.__name__: cls for cls in (Record, Unreadable, NotTaken, About)}


def pack(rows: Iterable[Row], how: Reading) -> bytes:
    """Rows and how they are taken, to be read again when somebody has decided."""
    lines = [orjson.dumps(asdict(how))]
    for row in rows:
        values = asdict(row)
        values.pop("mark", None)  # of bytes that are not kept
        lines.append(orjson.dumps([type(row).__name__, values]))
    return b"\n".join(lines)


def unpack(body: bytes) -> tuple[list[Row], Reading]:
    first, *lines = body.split(b"\n")
    rows = [KINDS[kind](**values) for kind, values in map(orjson.loads, lines)]
    return rows, Reading(**orjson.loads(first))
