"""A list's place numbers: the order that its sources give, a field gives, or a person gave, as ranks to be written."""

from array import array
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from lists import order
from lists.dialects import walked
from lists.folding import EntryFolder
from lists.models import Claim, Entry, MediaList, Source
from lists.plan import Draft, Plan

# field of an order by field -> (column, highest first). Unknown values come last.
FIELDS = {
    "title": ("sort_title", False),
    "year": ("year_key", True),
    "rating": ("rating_key", True),
    "added": ("first_listed_at", True),
}


class Placer:
    """Works out the order of one list for one change."""

    def __init__(self, list_: MediaList, source: Source | None, plan: Plan, folder: EntryFolder):
        self.list_, self.source, self.plan, self.folder = list_, source, plan, folder
        self.sequence: Sequence[int] | None = None  # the list's new order, if it is made anew
        self.returning: set[int] = set()  # removed entries that come back where they stood

    @property
    def mode(self) -> tuple[str, str]:
        return self.plan.order_mode or (self.list_.order_mode, self.list_.order_field)

    def place(self, own: Sequence[int] | None, *, new: Sequence[int] = ()) -> None:
        """Ranks for new slots, and for what has moved. own: the source's order as just read; None if none was read.
        new: slots that no source places; they come last."""
        ranks = self._ranks()
        mode, _ = self.mode
        if mode == MediaList.OrderMode.SOURCE:
            said = [
                own if own is not None and self.source and pk == self.source.pk else self._source_order(pk)
                for pk in self.folder.feeds
            ]
        else:
            said = []
        if own is not None and (self.source is None or mode != MediaList.OrderMode.SOURCE):
            said.append(own)
        first = [] if mode == MediaList.OrderMode.SOURCE else [list(ranks)]
        sequence = self._with_leads(order.merge([*first, *said, list(ranks)]))
        if new:
            known = set(sequence)
            sequence = [*sequence, *(slot for slot in new if slot not in known)]
        self.put(sequence, ranks)

    def _with_leads(self, sequence: Sequence[int]) -> Sequence[int]:
        """An entry that shows others and has no place of its own stands behind the first of them."""
        known = set(sequence) if self.folder.groups else set()
        after: dict[int, int] = {}
        for group in self.folder.groups.values():
            if group[0] not in known and (placed := [pk for pk in group if pk in known]):
                after[min(placed, key=sequence.index)] = group[0]
        return [each for pk in sequence for each in ((pk, after[pk]) if pk in after else (pk,))] if after else sequence

    def put(self, sequence: Sequence[int], ranks: Mapping[int, int] | None = None) -> None:
        """Make this the order."""
        ranks = self._ranks() if ranks is None else ranks
        before, self.plan.ranks = self.plan.ranks, order.rerank(sequence, ranks)
        # Drafts may carry the rank of an earlier try.
        self.plan.ranks.update({slot: ranks[slot] for slot in before if slot in ranks and slot not in self.plan.ranks})
        self.sequence = sequence

    def _ranks(self) -> Mapping[int, int]:
        """In an order by hand an entry that comes back stands where it stood."""
        # What another entry shows keeps its place among its neighbours, for the day on which the two are split.
        silent = {pk for group in self.folder.groups.values() for pk in group[1:] if pk > 0}
        return self.folder.ranks(also=silent | self.returning)

    def _source_order(self, source: int) -> Sequence[int]:
        placed = Claim.objects.filter(source_id=source, position__isnull=False).order_by("position", "id")
        gone, moved = set(self.plan.gone), self.plan.moved_claims
        rows = walked(placed.values_list("id", "entry_id"))
        return order.distinct(array("q", (moved.get(pk, entry) for pk, entry in rows if pk not in gone)))

    def sort(self, drafts: Mapping[int, Any]) -> None:
        """In an order by field: the places by the values as they will be. drafts: slot -> its key, None if not listed."""
        mode, name = self.mode
        if mode != MediaList.OrderMode.FIELD or name not in FIELDS:
            return
        column, descending = FIELDS[name]
        stored = Entry.objects.filter(list=self.list_).listed().values_list("id", column)
        keys = {pk: key for pk, key in stored if pk not in drafts}
        keys |= {slot: key for slot, key in drafts.items() if key is not None}
        by_id = sorted(keys, key=lambda slot: (slot < 0, abs(slot)))
        self.put(sorted(by_id, key=keys.__getitem__, reverse=descending), self._ranks())

    def out_of_step(self, left: Collection[int]) -> set[int]:
        """What is listed before and after and has moved: as few as explain the new order."""
        if self.sequence is None:
            return set()
        ranks, listed = self.folder.ranks(), self.folder.listed()
        stay = [slot for slot in self.sequence if slot in listed and slot not in left]
        places = [ranks[slot] for slot in stay]
        steady = order.longest_rising(places)
        if len(steady) < len(stay) and len(set(places)) < len(places):
            # Between two parts of a change two may be of one rank; they are shown by id, and so they are compared.
            shown = {slot: n for n, slot in enumerate(sorted(stay, key=lambda slot: (ranks[slot], slot)))}
            steady = order.longest_rising([shown[slot] for slot in stay])
        return set() if len(steady) == len(stay) else {slot for n, slot in enumerate(stay) if n not in steady}


def sort_key_of(draft: Draft, row: Mapping[str, Any], name: str) -> Any:
    """The key of a draft in an order by field; None where it is not listed."""
    if not draft.listed:
        return None
    column = FIELDS[name][0]
    if column == "year_key":
        return row["year"] or 0
    return (row["rating"] or 0.0) if column == "rating_key" else row[column]
