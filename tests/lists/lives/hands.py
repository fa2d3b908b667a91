"""What people do by hand with the first list."""

from hypothesis import note

from lists import services
from lists.filters import CHECKS
from lists.models import Block, Conflict, Edit, Entry, Item, Proposal, Source, Strategy
from lists.states import MERGED
from tests.lists.lives.feeds import Fed
from tests.lists.lives.films import FILMS, film


class Handled(Fed):
    def step_edit(self, n: int, m: int, rows: list[dict]) -> None:
        if (entry := self.one(n)) is not None:
            field, value = [("title", f"Mine {m}"), ("rating", float(m)), ("year", 1990 + m), ("genres", None)][m % 4]
            services.edit_entries(self.list, {entry.pk: {field: value}}, by=self.user)

    def step_give_back(self, n: int, m: int, rows: list[dict]) -> None:
        edits = list(Edit.objects.filter(entry__list=self.list).order_by("id"))
        if edits:
            edit = edits[n % len(edits)]
            services.give_back(self.list, {edit.entry_id: [edit.field]}, by=self.user)

    def step_remove(self, n: int, m: int, rows: list[dict]) -> None:
        if (entry := self.one(n)) is not None:
            services.remove_entries(self.list, [entry.pk], by=self.user)
            entry.refresh_from_db()
            assert entry.state == "removed"

    def step_restore(self, n: int, m: int, rows: list[dict]) -> None:
        entry = self.one(n, "removed")
        if entry is not None and entry.reason != MERGED:
            services.restore_entries(self.list, [entry.pk], by=self.user)
            entry.refresh_from_db()
            assert entry.state in ("listed", "excluded") or entry.reason == MERGED

    def step_add(self, n: int, m: int, rows: list[dict]) -> None:
        said = film(n % (FILMS + 3), m % 4)
        values = {name: value for name, value in said.items() if name not in ("key", "ids")}
        entry = services.add_entry(self.list, by=self.user, values=values, ids=said.get("ids", {}))
        entry.refresh_from_db()
        assert entry.state in ("listed", "excluded") or entry.reason == MERGED

    def step_block(self, n: int, m: int, rows: list[dict]) -> None:
        entry = self.one(n)
        if m % 3 == 0:
            services.block(by=self.user, scope="mine", pattern=f"*{n % FILMS}")
        elif m % 3 == 1:
            services.block(by=self.user, scope="list", list_=self.list, namespace="imdb", value=f"tt{n % 7:07}")
        elif entry is not None and entry.item is not None:
            services.block(by=self.user, scope="list", list_=self.list, item=entry.item)

    def step_unblock(self, n: int, m: int, rows: list[dict]) -> None:
        if blocks := list(Block.objects.filter(created_by=self.user).order_by("id")):
            services.unblock(blocks[n % len(blocks)], by=self.user)

    def step_filter(self, n: int, m: int, rows: list[dict]) -> None:
        wanted = [{"year_from": 1982}, {"year_to": 1981}, {"min_rating": 1 + m % 3}, {"no_genres": ["Drama"]}, {}][
            n % 5
        ]
        services.change_filters(
            self.list, by=self.user,
            **dict.fromkeys(CHECKS) | wanted | {"keep_out_unknown": m % 4 == 3, "max_new": [None, None, 2][m % 3]},
        )  # fmt: skip
        assert not self.list.refolds.exists(), "it is written at once, in parts if it is very much"

    def step_move(self, n: int, m: int, rows: list[dict]) -> None:
        if (entry := self.one(n)) is not None:
            services.move_entries(self.list, [entry.pk], by=self.user, place=1 + m % len(self.entries()))
            assert self.entries()[m % len(self.entries())].pk == entry.pk

    def step_order(self, n: int, m: int, rows: list[dict]) -> None:
        mode, field = [("source", ""), ("field", "title"), ("field", "rating"), ("hand", "")][n % 4]
        services.set_order(self.list, by=self.user, mode=mode, field=field)

    def step_rules(self, n: int, m: int, rows: list[dict]) -> None:
        preferred = {"rating": (self.a, self.b)[m % 2].pk} if n % 2 else None
        services.change_rules(
            self.list, by=self.user, strategy=Strategy.values[n % len(Strategy.values)], preferred=preferred,
            removals=["", "keep", "ask"][m % 3], review_unsure=[None, True][n % 2],
            accept_confidence=[None, 0.95, 0.75][m % 3],
        )  # fmt: skip

    def step_rollback(self, n: int, m: int, rows: list[dict]) -> None:
        versions = list(self.list.versions.order_by("number"))
        if not versions:
            return
        services.settle_due(self.list)
        self.list.refresh_from_db()
        here, target = self.list.current, versions[n % len(versions)]
        before, firm = self.shown(), self.firm()
        services.rollback(self.list, target, by=self.user)
        self.check_rolled_back(target)
        if m % 2:
            services.rollback(self.list, here, by=self.user)
            assert self.shown() == before, "back and forward again restores the list"
            assert self.firm() == firm, "and its firm edits"

    def step_release(self, n: int, m: int, rows: list[dict]) -> None:
        services.release(self.list, by=self.user)
        assert not Edit.objects.filter(entry__list=self.list, firm=False).exists()

    def step_merge(self, n: int, m: int, rows: list[dict]) -> None:
        entries = [entry for entry in self.entries() if entry.item_id]
        if len(entries) < 2:
            return
        one, two = entries[n % len(entries)].item, entries[m % len(entries)].item
        if one is None or two is None or one == two:
            return
        services.settle_due(self.list)
        services.settle_due(self.other)
        before = [self.content(list_) for list_ in (self.list, self.other)]
        services.merge_items(one, two, by=self.user)
        if (n + m) % 2:
            merged = Item.objects.get(pk=one.root_id or one.pk)
            services.split_item(merged, by=self.user)
            after = [self.content(list_) for list_ in (self.list, self.other)]
            note(f"merged {one.pk} into {two.pk}, then split {merged.pk}: {before} / {after}")
            assert after == before, "split after merge restores both lists"

    def content(self, list_) -> list:
        order = ["id"] if self.midway else ["rank", "id"]
        return [(e.pk, e.values) for e in Entry.objects.filter(list=list_).listed().order_by(*order)]

    def step_split(self, n: int, m: int, rows: list[dict]) -> None:
        mine = Entry.objects.filter(list__in=[self.list, self.other]).values("item")
        if merged := list(Item.objects.filter(pk__in=mine, merged_into__isnull=False).order_by("id")):
            services.split_item(merged[n % len(merged)], by=self.user)

    def step_decide(self, n: int, m: int, rows: list[dict]) -> None:
        waiting = Conflict.objects.filter(list=self.list, state__in=["open", "skipped"]).order_by("id")
        if not waiting:
            return
        conflict = waiting[n % len(waiting)]
        if conflict.source_id is not None:
            services.decide([conflict], by=self.user, choice=["keep", "take", "merge", "newest"][m % 4])
        elif conflict.kind != "field":
            items = [option["item"] for option in conflict.options]
            services.decide_identity(conflict, by=self.user, item=items[m % len(items)] if m % 3 else None)
        elif m % 4 == 3:
            services.skip([conflict], by=self.user)
        else:
            services.decide([conflict], by=self.user, choice=["keep", "take", "keep"][m % 4])

    def step_apply(self, n: int, m: int, rows: list[dict]) -> None:
        held = Proposal.objects.filter(list=self.list, kind="held", state="open").first()
        if held is None:
            return
        entries = held.result["entries"]
        if m % 3 == 0:
            services.keep_held(held, by=self.user)
        else:
            services.apply_held(held, by=self.user, entries=None if m % 3 == 1 else entries[:: 1 + n % 2])

    def step_source(self, n: int, m: int, rows: list[dict]) -> None:
        source = Source.objects.get(pk=(self.a, self.b)[n % 2].pk)
        if source.removed_at:
            services.revive_source(source, by=self.user)
        else:
            services.remove_source(source, by=self.user, keep=bool(m % 2))

    def sources_on(self) -> None:
        for source in Source.objects.filter(pk__in=[self.a.pk, self.b.pk], removed_at__isnull=False):
            services.revive_source(source, by=self.user)
