"""Whatever happened to a list: what is kept of it reads, differs and comes back as if nothing had been thinned out."""

import random
from contextlib import suppress

import pytest
from django.db import transaction

from lists import services, versions
from lists.errors import Refused
from lists.models import Conflict, Edit, Entry
from lists.services.pruning import prune_versions
from tests.lists.test_api import film
from tests.lists.test_pruning import age, diffs, kept, prune, shown


class Life:
    """A list to which anything happens, by chance."""

    def __init__(self, films, feeds, seed: int):
        self.films, self.by, self.feeds = films, films.owner, feeds
        self.chance, self.blocks = random.Random(seed), []

    def some(self, count: int) -> list[int]:
        return self.chance.sample(list(Entry.objects.filter(list=self.films).values_list("pk", flat=True)), count)

    def sync(self) -> None:
        numbers = sorted(self.chance.sample(range(1, 12), 8))
        self.chance.choice(self.feeds).sync([film(n, title=f"{self.chance.choice('xyz')} {n}") for n in numbers])

    def edit(self) -> None:
        title = f"By hand {self.chance.randint(1, 3)}"
        services.edit_entries(self.films, {pk: {"title": title} for pk in self.some(2)}, by=self.by)

    def give_back(self) -> None:
        for edit in Edit.objects.filter(entry__list=self.films).order_by("id")[:1]:
            services.give_back(self.films, {edit.entry_id: [edit.field]}, by=self.by)

    def remove(self) -> None:
        services.remove_entries(self.films, self.some(1), by=self.by)

    def restore(self) -> None:
        services.restore_entries(self.films, self.some(2), by=self.by)

    def move(self) -> None:
        services.move_entries(self.films, self.some(1), by=self.by, place=1)

    def roll_back(self) -> None:
        services.rollback(self.films, self.chance.choice(list(self.films.versions.filter(pruned_at=None))), by=self.by)

    def block(self) -> None:
        if self.blocks:
            services.unblock(self.blocks.pop(), by=self.by)
        else:
            pattern = f"{self.chance.choice('xyz')} *"
            self.blocks.append(services.block(by=self.by, scope="list", list_=self.films, pattern=pattern))

    def go_on(self, acts: int) -> None:
        anything = [self.edit, self.give_back, self.remove, self.restore, self.move, self.roll_back, self.block]
        for _ in range(acts):
            with suppress(Refused):
                self.chance.choice([self.sync, self.sync, *anything])()

    def ask(self) -> None:
        """Questions that name two versions of those that are kept."""
        Conflict.objects.filter(kind="match").delete()
        named = list(self.films.versions.filter(pruned_at=None))
        for version in self.chance.sample(named, min(2, len(named))):
            Conflict.objects.create(list=self.films, kind="match", version=version)

    def rolled_back(self, version):
        with transaction.atomic():
            services.rollback(self.films, version, by=self.by)
            entries = Entry.objects.filter(list=self.films).order_by("rank", "id")
            found = [(entry.pk, entry.state, entry.values) for entry in entries]
            edits = sorted(map(str, Edit.objects.values_list("entry", "field", "value", "firm", "rollback_to")))
            transaction.set_rollback(True)
        return found, edits

    def seen_from(self, numbers) -> list:
        """All that anybody can ask of these versions."""
        kept = [self.films.versions.get(number=number) for number in numbers]
        return [
            [shown(self.films, number) for number in numbers], diffs(self.films, numbers),
            [versions.touched_since(version) for version in kept], [self.rolled_back(version) for version in kept],
        ]  # fmt: skip


@pytest.mark.covers("VER-06")
@pytest.mark.parametrize("seed", range(3))
def test_whatever_happened_nobody_can_tell_by_what_is_kept(films, live, settings, seed):
    life = Life(films, [live(films, "one"), live(films, "two")], seed)
    settings.VERSIONS_KEPT, settings.VERSION_DAYS = life.chance.randint(1, 5), 90
    life.sync()
    for _ in range(3):
        life.go_on(6)
        age(films)
        films.refresh_from_db()
        life.ask()
        with transaction.atomic():
            prune_versions(films)
            numbers = kept(films)
            transaction.set_rollback(True)
        before = life.seen_from(numbers)
        prune()
        assert kept(films) == numbers
        assert life.seen_from(numbers) == before
