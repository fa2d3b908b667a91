"""What a source no longer lists: which entries would leave with it, and what their absence looks like."""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from lists.folding import EntryFolder
from lists.models import Claim, Edit
from lists.resolve import ABSENT, PRESENCE, PRESENT
from lists.spool import blocks


@dataclass(slots=True)
class StoredClaim:
    """A stored claim as the plan reads it."""

    pk: int
    entry: int
    position: int | None
    missing: int


def would_leave(absent: Sequence[StoredClaim], folder: EntryFolder, named: Collection[int]) -> set[int]:
    """Listed entries that nothing would support without these claims. named: entries that the source names now."""
    going = {held.pk for held in absent}
    listed = folder.listed()
    entries = {folder.lead(held.entry) for held in absent} & listed
    entries -= {folder.lead(slot) for slot in named}  # the source lists it under another key
    leaving: set[int] = set()
    for block in blocks(sorted(entries)):
        members = {pk: lead for lead in block for pk in folder.members(lead)}
        claims = Claim.objects.filter(entry__in=members, listing=True, source__removed_at__isnull=True)
        held = Edit.objects.filter(entry__in=members, field=PRESENCE, value=PRESENT)
        # Each is judged by its own: one that a person removed keeps nothing else on the list.
        removed = set(
            Edit.objects.filter(entry__in=members, field=PRESENCE, value=ABSENT).values_list("entry_id", flat=True)
        )
        rows = [(pk, entry) for pk, entry in claims.values_list("id", "entry_id") if entry not in removed]
        supported = {members[entry] for pk, entry in rows if pk not in going}
        supported |= {members[entry] for entry in held.values_list("entry_id", flat=True)}
        leaving |= set(block) - supported
    return leaving


def supported_by(entries: Iterable[int], folder: EntryFolder) -> int:
    """How many listed entries these are."""
    listed = folder.listed()
    return sum(entry in listed for entry in set(map(folder.lead, entries)))


def explain(positions: Iterable[int | None], placed: Sequence[int], *, found: int, noun: str) -> str:
    """What the absence looks like, or "". positions: where the absent stood; placed: where all rows did then, rising."""
    if not found:
        return (
            "The answer was empty. A source that has a bad day looks like that more often than a list that was emptied."
        )
    rows = sorted(bisect_left(placed, place) + 1 for place in positions if place is not None)
    if len(rows) < 3 or rows[-1] - rows[0] + 1 != len(rows):
        return ""
    where = f"rows {rows[0]:,} to {rows[-1]:,}"
    if rows[-1] == len(placed):
        return f"All missing {noun} stood at the end, {where}: it looks like an answer that was cut off."
    return f"All missing {noun} stand next to each other, {where}: it looks like a page that did not arrive."


def noun_of(content: str) -> str:
    return {"films": "films", "tracks": "tracks", "channels": "channels"}.get(content, "entries")
