"""Two lists that are looked at, and what always holds of them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from lists import integrity, services, writer
from lists.models import Block, Claim, Edit, Entry
from lists.placing import FIELDS
from lists.versions import diff, entries_of, values_of
from sync.management.commands.verify_integrity import ALL
from tests.lists.lives.small import Clock, Small

COUNTED = ("added", "removed", "changed", "moved")


class Watched:
    """Two lists of one owner. The first has an uploaded source (a) and a fetched one (b)."""

    def __init__(self, user, folder, small: Small | None = None):
        self.user, self.folder, self.small = user, folder, small
        self.list = services.create_list(user, name="Life")
        self.other = services.create_list(user, name="Other")
        self.path = folder / f"answer-{self.list.pk}.json"
        self.a = services.add_source(self.list, adapter="scripted", name="a", by=user)
        self.b = services.add_source(
            self.list, adapter="scripted_live", name="b", by=user, config={"path": str(self.path)}, gap_min=0
        )
        self.c = services.add_source(self.other, adapter="scripted", name="c", by=user)
        self.said: dict[int, list[dict]] = {self.a.pk: [], self.b.pk: [], self.c.pk: []}
        self.photos: dict[int, list] = {}
        self.clock = Clock()
        self.midway = False  # of a change in parts the last, which brings the order, is not there yet

    # -- looking ------------------------------------------------------------------------------------------------------

    def entries(self, state: str = "listed") -> list[Entry]:
        return list(Entry.objects.filter(list=self.list, state=state).order_by("rank", "id"))

    def one(self, n: int, state: str = "listed") -> Entry | None:
        found = self.entries(state)
        return found[n % len(found)] if found else None

    def shown(self) -> list[tuple[int, dict]]:
        return [(entry.pk, entry.values) for entry in self.entries()]

    def firm(self) -> set[tuple[int, str, str]]:
        edits = Edit.objects.filter(entry__list=self.list, firm=True)
        return {(edit.entry_id, edit.field, json.dumps(edit.value)) for edit in edits}

    def check_rolled_back(self, target) -> None:
        rows = entries_of(target)
        leads = {row.id: self.lead(row.id) for row in rows}
        states = dict(Entry.objects.filter(list=self.list).values_list("id", "state"))
        wanted = [lead for lead in dict.fromkeys(leads.values()) if states[lead] != "excluded"]
        shown = [pk for pk, _ in self.shown()]
        assert [pk for pk in shown if pk in set(wanted)] == wanted, "the target's entries stand in its order"
        values = dict(self.shown())
        for row in rows:
            if leads[row.id] == row.id and row.id in values:
                assert values[row.id] == values_of(row), "each shows what it showed"

    def lead(self, pk: int) -> int:
        entry = Entry.objects.select_related("item").get(pk=pk)
        if entry.item is None:
            return pk
        root = entry.item.root_id or entry.item_id
        same = Entry.objects.filter(list=self.list, item__isnull=False).select_related("item").order_by("id")
        return next(each.pk for each in same if (each.item.root_id or each.item_id) == root)

    def owes(self) -> bool:
        return self.list.refolds.exists()

    # -- what always holds --------------------------------------------------------------------------------------------

    def check(self) -> None:
        self.list.refresh_from_db()
        self.check_the_past()
        assert self.list.item_count == len(self.entries())
        self.check_edits()
        self.check_whole()
        if self.midway:
            return
        self.check_order()
        if not self.list.refolds.exists():
            version = services.refold(self.list, kind="rules")
            assert version is None, f"a refold changes nothing, and here {told(version)}"

    def check_whole(self) -> None:
        assert list(integrity.run(ALL)) == [], "what is stored is consistent"

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look at each version when it is published, those in the middle of a change in parts as well."""
        publish = writer.Publication.run

        def run(publication, before_commit=None):
            version = publish(publication, before_commit)
            if version is not None and version.list_id == self.list.pk:
                self.photograph(version)
            return version

        with mock.patch.object(writer.Publication, "run", run):
            yield

    def photograph(self, version) -> None:
        """A version is what is shown by then, and what it says that it did is what happened since the last."""
        after = self.photos[version.number] = [(row.id, values_of(row)) for row in entries_of(version)]
        assert after == self.shown(), "current is what is shown"
        before = self.photos.get(version.number - 1, [])
        old, new = dict(before), dict(after)
        said = {name: getattr(version, name) for name in COUNTED}
        assert said["added"] == len(new.keys() - old.keys()), "it says what was added"
        assert said["removed"] == len(old.keys() - new.keys()), "it says what was removed"
        assert said["changed"] == sum(old[pk] != new[pk] for pk in old.keys() & new.keys()), "it says what was changed"
        if before:
            found = diff(version.list.versions.get(number=version.number - 1), version)
            assert found.counts == said, f"its difference is what it did: {told(version)}"
        elif version.number == 1:
            assert said["moved"] == 0

    def check_the_past(self) -> None:
        assert max(self.photos, default=0) == self.list.versions.count(), "each version was seen when it was made"
        for number, photo in list(self.photos.items())[-4:]:
            version = self.list.versions.get(number=number)
            assert [(row.id, values_of(row)) for row in entries_of(version)] == photo, "versions read as they did"

    def check_edits(self) -> None:
        """A firm edit of what is listed is shown; where two entries are one thing, the later of two."""
        values = {entry.pk: entry.values for entry in self.entries()}
        last: dict[tuple[int, str], Edit] = {}
        for edit in (
            Edit.objects.filter(entry__list=self.list, firm=True).exclude(field="presence").order_by("made_at", "id")
        ):
            last[self.lead(edit.entry_id), edit.field] = edit
        if self.list.refolds.exists():
            return
        for (pk, name), edit in last.items():
            if pk in values:
                assert values[pk].get(name) == edit.value, f"{name} is what the person said"
        blocked = {block.item_id for block in Block.objects.filter(list=self.list, item__isnull=False)}
        assert not [entry for entry in self.entries() if entry.item_id in blocked], "no blocked item is listed"
        put_here = Edit.objects.filter(entry__list=self.list, firm=True, field="presence", value="present")
        by_hand = {self.lead(pk) for pk in put_here.values_list("entry_id", flat=True)}
        old = [e.pk for e in self.entries() if e.year and e.year < self.list.filters.get("year_from", 0)]
        assert set(old) <= by_hand, "nothing that is filtered is listed, but what a person put there"

    def check_order(self) -> None:
        """The order is that of the first source, or that of the field."""
        self.list.refresh_from_db()
        if self.owes():
            return
        entries = self.entries()
        if self.list.order_mode == "field":
            column, descending = FIELDS[self.list.order_field]
            keys = [getattr(entry, column) for entry in entries]
            assert keys == sorted(keys, reverse=descending), f"they stand by {self.list.order_field}"
        elif self.list.order_mode == "source":
            feeds = self.list.sources.speaking()
            placed = Claim.objects.filter(source=feeds.first(), position__isnull=False).order_by("position", "id")
            alone = self.alone() & {entry.pk for entry in entries}
            wanted = [pk for pk in dict.fromkeys(placed.values_list("entry_id", flat=True)) if pk in alone]
            assert [entry.pk for entry in entries if entry.pk in set(wanted)] == wanted, "they stand as in the source"

    def alone(self) -> set[int]:
        """Entries of which no other is the same thing: where one shows others, its place may be theirs."""
        roots: dict[Any, list[int]] = {}
        for pk, item, root in Entry.objects.filter(list=self.list).values_list("id", "item", "item__root"):
            roots.setdefault(root or item or f"entry {pk}", []).append(pk)
        return {pks[0] for pks in roots.values() if len(pks) == 1}


def told(version) -> list:
    before = version.list.versions.get(number=version.number - 1)
    counts = {name: getattr(version, name) for name in COUNTED}
    edits = list(version.list.entries.filter(edits__isnull=False).values_list("id", "edits__field", "edits__firm"))
    return [counts, edits] + [
        (row.entry, row.kind, row.title, row.before_place, row.after_place, row.fields)
        for row in diff(before, version).rows
    ]
