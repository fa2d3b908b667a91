"""Reading what stands: the entries of one list with their words, edits and questions, and which of them are one thing."""

from collections.abc import Collection, Iterable, Mapping, Set
from functools import cached_property
from typing import Any

import orjson
from django.db.models import Q
from django.db.models.functions import Coalesce

from lists import asking, rows
from lists.dialects import Among, Dialect, fetched, walked
from lists.models import Claim, Conflict, Edit, Entry, Item, MediaList, Source
from lists.plan import EditDraft
from lists.rows import AT
from lists.states import EntryState, stored_row
from lists.words import Word

STANDING = (Conflict.State.EXPIRED, Conflict.State.OPEN, Conflict.State.SKIPPED)  # questions that are not put twice


class EntryReader:
    """Reads one list. A group is made of entries whose items were merged; everywhere else it has one member."""

    root = Coalesce("item__root_id", "item_id")

    def __init__(self, list_: MediaList):
        self.list_ = list_
        self._forgotten: Collection[int] = frozenset()
        self._keep: Collection[int] = frozenset()
        self._new_of: dict[int, int] = {}  # root -> the first new entry of it
        self.removed_source: int | None = None  # a source that was just taken away, and whose entries stay

    @cached_property
    def sources(self) -> dict[int, tuple[int, str]]:
        """Source id -> (its place among the sources whose word counts, its role)."""
        if not self.list_.pk:
            return {}
        speaking = Source.objects.filter(list=self.list_).speaking().exclude(pk=self.removed_source or 0)
        speaking = speaking.values_list("id", "role")
        return {pk: (rank, role) for rank, (pk, role) in enumerate(speaking)}

    @property
    def feeds(self) -> list[int]:
        return [pk for pk, (_, role) in self.sources.items() if role == Source.Role.FEED]

    @cached_property
    def _listed(self) -> dict[int, int]:
        """Listed entry -> rank, in list order. Of a large list this is large: it is handed out as it is."""
        if not self.list_.pk:
            return {}
        # Apart from those that are not listed: each part has an index that begins with the list, and all of them have none.
        placed = Entry.objects.filter(list=self.list_).listed().order_by("rank", "id")
        return dict(walked(placed.values_list("id", "rank")))

    @cached_property
    def _unlisted(self) -> dict[int, tuple[int, str]]:
        """The others -> (rank, state)."""
        if not self.list_.pk:
            return {}
        others = Entry.objects.filter(list=self.list_).exclude(state=Entry.State.LISTED)
        return {pk: (rank, state) for pk, rank, state in walked(others.values_list("id", "rank", "state"))}

    def ranks(self, *, also: Collection[int] = frozenset()) -> Mapping[int, int]:
        """Entry id -> rank, in list order, of what has a place: listed and excluded entries, and those of `also`."""
        more = {
            pk: rank for pk, (rank, state) in self._unlisted.items() if state != Entry.State.REMOVED or pk in also
        }  # fmt: skip
        if not more:
            return self._listed
        placed = self._listed | more
        return {pk: placed[pk] for pk in sorted(placed, key=lambda pk: (placed[pk], pk))}

    def listed(self) -> Set[int]:
        return self._listed.keys()

    def excluded(self) -> set[int]:
        return {pk for pk, (_, state) in self._unlisted.items() if state == Entry.State.EXCLUDED}

    def reasons(self, entries: Collection[int]) -> list[str]:
        """Why these are excluded: one statement, however many."""
        if not entries:
            return []
        kept_out = Entry.objects.filter(list=self.list_, state=Entry.State.EXCLUDED).values_list("id", "reason")
        return [reason for pk, reason in kept_out.iterator() if pk in entries]

    @cached_property
    def _merged(self) -> bool:
        """Whether any two things ever turned out to be one."""
        return Item.objects.filter(root__isnull=False).exists()

    @cached_property
    def groups(self) -> dict[int, list[int]]:
        """Root -> its entries on this list, the first one first; only of things that were merged."""
        if not self.list_.pk or not self.list_.once or not self._merged:
            return {}
        ends = Item.objects.filter(root__isnull=False)
        mine = Entry.objects.filter(list=self.list_)
        merged: dict[int, list[int]] = {}
        for by in (Q(item__root__isnull=False), Q(item__in=ends.values("root"))):
            roots = mine.filter(by).annotate(end=self.root).values_list("end", flat=True)
            merged |= {root: [] for root in roots}
        if merged:
            found = mine.filter(Q(item__root__in=merged) | Q(item__in=merged)).annotate(root=self.root)
            for pk, root in found.order_by("id").values_list("id", "root"):
                merged[root].append(pk)
        return merged

    @cached_property
    def _group_of(self) -> dict[int, list[int]]:
        return {pk: group for group in self.groups.values() for pk in group}

    def lead(self, slot: int) -> int:
        """The entry that shows what this one is: itself, but for merged ones."""
        return self._group_of[slot][0] if slot in self._group_of else slot

    def members(self, slot: int) -> list[int]:
        """The entries that are the same thing on this list, this one included."""
        return self._group_of.get(slot, [slot])

    def join(self, slot: int, root: int | None) -> None:
        """A new entry: of what another entry of this list is too, if their items were merged."""
        if root is None or not self._merged:
            return
        first = self._new_of.setdefault(root, slot)
        if root in self.groups or first != slot:
            group = self.groups.setdefault(root, [first])
            group.append(slot)
            self._group_of |= dict.fromkeys(group, group)

    def forget(self, claims: Collection[int], *, keep: Collection[int] = frozenset()) -> None:
        """Fold as if these claims were not there; what only a claim of `keep` supports stays all the same."""
        self._forgotten, self._keep = claims, keep

    # -- reading ------------------------------------------------------------------------------------------------------

    def load(self, pks: Iterable[int]) -> dict[int, EntryState]:
        """Entries with their words and edits, and those that are the same things: a few queries however many."""
        wanted = sorted({each for pk in pks if pk > 0 for each in self.members(pk) if each > 0})
        if not wanted:
            return {}
        states: dict[int, EntryState] = {}
        stored = Entry.objects.filter(Among("id", wanted), list=self.list_).annotate(root=self.root)
        for pk, root, *values in fetched(stored.values_list("id", "root", *rows.COLUMNS)):
            row = stored_row(values)
            states[pk] = EntryState(
                pk, row[AT["kind"]], row[AT["item_id"]], row[AT["state"]], row[AT["reason"]], row[AT["rank"]],
                row[AT["first_listed_at"]], row, root,
            )  # fmt: skip
        self._load_words(states)
        if self._has_edits:
            self._load_edits(states)
        self._load_questions(states)
        return states

    def _load_words(self, states: dict[int, EntryState]) -> None:
        claims = Claim.objects.filter(Among("entry_id", states)).values_list(
            "id", "entry_id", "source_id", "key", "values", "first_at", "times", "kind", "listing", "ids"
        )
        moment = Dialect.of().read_moment
        for pk, entry, source, key, values, first_at, times, kind, listing, ids in fetched(claims):
            if source not in self.sources and source != self.removed_source:
                continue
            word = self.word(
                source, key, orjson.loads(values), int(moment(first_at).timestamp()), orjson.loads(times), kind,
                listing=listing, ids=orjson.loads(ids),
            )  # fmt: skip
            if source == self.removed_source:
                states[entry].leaving.append((word, True))
            elif pk in self._forgotten:
                states[entry].leaving.append((word, pk in self._keep))
            else:
                states[entry].words[pk] = word

    def _load_edits(self, states: dict[int, EntryState]) -> None:
        edits = Edit.objects.filter(Among("entry_id", states)).values_list(
            "entry_id", "field", "value", "made_at", "firm", "base", "words", "rollback_to", "author_id", "author_name",
            "id",
        )  # fmt: skip
        for values in edits:
            edit = EditDraft(*values)
            states[edit.slot].edits[edit.field] = edit

    @cached_property
    def _has_edits(self) -> bool:
        return Edit.objects.exists()  # on whatever list: no index tells of one

    @cached_property
    def _has_questions(self) -> bool:
        return Conflict.objects.filter(list=self.list_, kind=Conflict.Kind.FIELD, state__in=STANDING).exists()

    def _load_questions(self, states: dict[int, EntryState]) -> None:
        if not self._has_questions:
            return
        rows_ = Conflict.objects.filter(Among("entry_id", states), kind=Conflict.Kind.FIELD, state__in=STANDING)
        for pk, entry, name, state, options in rows_.order_by("id").values_list(
            "id", "entry_id", "field", "state", "options"
        ):
            states[entry].asked[name] = asking.Standing(pk, state, options)

    def word(self, source: int, key: str, values: Any, first_at: int, times: Any, kind: str, **more: Any) -> Word:
        rank, role = self.sources.get(source, (len(self.sources), Source.Role.FEED))
        return Word(source, rank, key, values, first_at, times, kind, feed=role == Source.Role.FEED, **more)
