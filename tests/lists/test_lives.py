"""Random lives of a list: whatever sources send and people do, what a person said stands, and the past stays readable.

Each life is a row of steps drawn by hypothesis (which shrinks a failing one); after each step the invariants below are
held against the database. Two lists share their films, so that merges are felt in both.
"""

import contextlib
import json
import os
import random
from collections.abc import Callable
from unittest import mock

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from lists import integrity, services
from lists.errors import Refused
from lists.exports import EXPORTS
from lists.filters import CHECKS
from lists.models import Block, Claim, Conflict, Edit, Entry, Item, Proposal, Source, Strategy
from lists.states import MERGED
from lists.versions import diff, entries_of, values_of
from sync import pipeline, runs, tasks, uploads
from sync.management.commands.verify_integrity import ALL
from sync.models import Run

LONG = bool(os.environ.get("LISTKEEPER_LONG_TESTS"))
FILMS = 10


def film(n: int, variant: int) -> dict:
    """0 to 6 have an id, 7 to 9 have none; 5 and 6 share title and year."""
    title = "Twins" if n in (5, 6) else f"Film {n}"
    said = {
        "title": title,
        "year": 1980 + n // 2 * (n not in (5, 6)),
        **({"rating": float(variant)} if variant else {}),
    }
    if variant == 3:
        said["genres"] = ["Drama", f"Genre {n}"]
    if n < 7:
        return {"key": f"tt{n}", "ids": {"imdb": f"tt{n:07}"}, **said}
    return {"key": f"film {n}", **said}


class Life:
    """Two lists of one owner. The first has an uploaded source (a) and a fetched one (b)."""

    def __init__(self, user, folder):
        self.user = user
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

    # -- steps --------------------------------------------------------------------------------------------------------

    def upload(self, source: Source, rows: list[dict]) -> Run:
        proposal = uploads.start(
            json.dumps(rows).encode(), by=self.user, list_=source.list, adapter="scripted", config={"source": source.pk}
        )
        tasks.prepare_upload(proposal.pk)
        proposal.refresh_from_db()
        assert proposal.state == "open", proposal.error
        run = uploads.confirm(proposal, by=self.user)
        tasks.execute_run(run.pk)
        run.refresh_from_db()
        assert run.state == Run.State.COMPLETED, run.error
        promised = proposal.result["counts"]
        if not proposal.result.get("base") or proposal.result["base"] == run.version_id:
            assert (run.added, run.removed) == (promised["added"], promised["removed"])
        self.said[source.pk] = rows
        return run

    def sync(self, rows: list[dict] | dict) -> Run:
        self.path.write_text(json.dumps(rows))
        services.settle_due(self.list)  # what was merged elsewhere comes before the sync, and is none of its doing
        before = {entry.pk for entry in self.entries()}
        run = runs.request_sync(self.b, by=self.user, force=True).run
        assert run is not None
        tasks.execute_run(run.pk)
        run.refresh_from_db()
        after = {entry.pk for entry in self.entries()}
        if run.state == Run.State.FAILED:
            assert after == before, "a failed sync removes nothing"
        else:
            assert run.state == Run.State.COMPLETED, run.error
            self.said[self.b.pk] = rows if isinstance(rows, list) else []
            if run.held:
                # What a source says otherwise may be what a filter keeps out.
                left = Entry.objects.filter(pk__in=before - after).exclude(state="excluded")
                assert not left.exists(), "what is held does not leave"
        return run

    def step_upload(self, n: int, m: int, rows: list[dict]) -> None:
        self.sources_on()
        self.upload(self.a, rows)

    def step_sync(self, n: int, m: int, rows: list[dict]) -> None:
        self.sources_on()
        self.sync(rows)

    def step_other(self, n: int, m: int, rows: list[dict]) -> None:
        self.upload(self.c, rows)

    def step_same_again(self, n: int, m: int, rows: list[dict]) -> None:
        self.sources_on()
        source = (self.a, self.b)[n % 2]
        said = self.said[source.pk]
        missing = Claim.objects.filter(source=source).count() != len({row["key"] for row in said})
        owed = self.list.refolds.exists()
        versions = self.list.versions.count()
        run = self.upload(source, said) if source == self.a else self.sync(said)
        if not missing and not owed:
            assert run.version is None, "an unchanged sync makes no version"
            assert self.list.versions.count() == versions

    def step_fail(self, n: int, m: int, rows: list[dict]) -> None:
        self.sources_on()
        said = self.said[self.b.pk]
        assert self.sync({"fail": "It did not answer. Nothing was changed."}).state == Run.State.FAILED
        self.said[self.b.pk] = said

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

    def step_cancel(self, n: int, m: int, rows: list[dict]) -> None:
        """Somebody cancels a sync that has compared everything already."""
        run = self.broken_off(rows, "_hold_to_preview", lambda run, plan: runs.cancel(run, by=self.user))
        assert run.state == Run.State.CANCELLED, run.error

    def step_kill(self, n: int, m: int, rows: list[dict]) -> None:
        """A worker ends in the transaction that publishes, with everything written but the last row."""
        assert self.broken_off(rows, "_close", SystemExit("ended")).state == Run.State.FAILED

    def broken_off(self, rows: list[dict], where: str, effect: BaseException | Callable) -> Run:
        self.sources_on()
        services.settle_due(self.list)
        before, versions = self.shown(), self.list.versions.count()
        self.path.write_text(json.dumps(rows))
        run = runs.request_sync(self.b, by=self.user, force=True).run
        assert run is not None
        with mock.patch.object(pipeline, where, side_effect=effect), contextlib.suppress(SystemExit):
            tasks.execute_run(run.pk)
        run.refresh_from_db()
        assert (self.shown(), self.list.versions.count()) == (before, versions), "nothing of it is there"
        return run

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
        return [(e.pk, e.values) for e in Entry.objects.filter(list=list_).listed().order_by("rank", "id")]

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

    def step_empty(self, n: int, m: int, rows: list[dict]) -> None:
        """A source with a bad day, so that there is something to apply."""
        self.sources_on()
        if Claim.objects.filter(source=self.b).count() > 1:
            self.sync(self.said[self.b.pk][: n % 2])

    def step_source(self, n: int, m: int, rows: list[dict]) -> None:
        source = Source.objects.get(pk=(self.a, self.b)[n % 2].pk)
        if source.removed_at:
            services.revive_source(source, by=self.user)
        else:
            services.remove_source(source, by=self.user, keep=bool(m % 2))

    def sources_on(self) -> None:
        for source in Source.objects.filter(pk__in=[self.a.pk, self.b.pk], removed_at__isnull=False):
            services.revive_source(source, by=self.user)

    def step_export(self, n: int, m: int, rows: list[dict]) -> None:
        self.list.refresh_from_db()
        versions = list(self.list.versions.order_by("number"))
        if not versions:
            return
        version = versions[n % len(versions)] if m % 2 else self.list.current
        body = json.loads(b"".join(EXPORTS["json"].write(self.list, user=None, version=version)))
        lines = body["entries"]
        if not lines:
            return
        what = m % 5
        if what == 1:
            lines[n % len(lines)]["title"] = f"Typed {n}"
        elif what == 2:
            del lines[n % len(lines)]
        elif what == 3:
            lines.append({"kind": "movie", "title": f"Added {n}", "year": 2001})
        elif what == 4:
            random.Random(n).shuffle(lines)
        before = self.list.versions.count()
        proposal = uploads.start(json.dumps(body).encode(), by=self.user, list_=self.list)
        tasks.prepare_upload(proposal.pk)
        proposal.refresh_from_db()
        if proposal.state == "refused" or "own_export" not in proposal.result:
            return
        if "untouched" in proposal.result["sentence"]:
            with pytest.raises(uploads.NotOpen):
                uploads.confirm(proposal, by=self.user)
            assert self.list.versions.count() == before
            return
        run = uploads.confirm(proposal, by=self.user)
        tasks.execute_run(run.pk)
        run.refresh_from_db()
        assert run.state == Run.State.COMPLETED, run.error

    # -- what always holds --------------------------------------------------------------------------------------------

    def check(self) -> None:
        self.list.refresh_from_db()
        self.check_the_past()
        assert self.list.item_count == len(self.entries())
        self.check_edits()
        assert list(integrity.run(ALL)) == [], "what is stored is consistent"
        if not self.list.refolds.exists():
            version = services.refold(self.list, kind="rules")
            assert version is None, f"a refold changes nothing, and here {told(version)}"

    def check_the_past(self) -> None:
        version = self.list.current
        if version is not None and version.number not in self.photos:
            self.photos[version.number] = [(row.id, values_of(row)) for row in entries_of(version)]
            assert self.photos[version.number] == [(e.pk, e.values) for e in self.entries()], "current is what is shown"
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


def told(version) -> list:
    before = version.list.versions.get(number=version.number - 1)
    counts = {name: getattr(version, name) for name in ("added", "removed", "changed", "moved")}
    edits = list(version.list.entries.filter(edits__isnull=False).values_list("id", "edits__field", "edits__firm"))
    return [counts, edits] + [
        (row.entry, row.kind, row.title, row.before_place, row.after_place, row.fields)
        for row in diff(before, version).rows
    ]


STEPS: dict[str, int] = {
    "upload": 4, "sync": 4, "other": 2, "same_again": 2, "fail": 1, "edit": 4, "give_back": 2, "remove": 2, "restore": 2,
    "cancel": 2, "kill": 2, "add": 2, "block": 2, "unblock": 2, "filter": 2, "move": 2, "order": 1, "rules": 2, "rollback": 5, "release": 2, "merge": 4,
    "split": 3, "decide": 4, "apply": 4, "empty": 3, "source": 2, "export": 3,
}  # fmt: skip
names = st.sampled_from([name for name, weight in STEPS.items() for _ in range(weight)])
numbers = st.integers(0, 11)
answers = st.lists(st.tuples(st.integers(0, FILMS - 1), st.integers(0, 3)), max_size=10, unique_by=lambda pair: pair[0])
# A list that never had anything has no life: each begins with an answer of both sources.
lives = st.tuples(
    answers,
    answers,
    st.lists(st.tuples(names, numbers, numbers, answers), min_size=20 if LONG else 1, max_size=20 if LONG else 10),
)


@pytest.mark.covers("SAFE-04", "VER-01", "VER-05", "WISH-04", "SRC-06", "LIST-12", "LIST-13", "CONF-13")
@given(life=lives)
@settings(
    max_examples=200 if LONG else 20,
    # Shrinking a life takes minutes; where a short run fails, the long one says why.
    phases=list(Phase) if LONG else [Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
)
def test_what_a_person_said_stands(ines, tmp_path, life):
    with transaction.atomic():  # all lives are one test, and PostgreSQL remembers each stage of a transaction
        live_through(ines, tmp_path, life)
        transaction.set_rollback(True)


def live_through(user, folder, life) -> None:
    first, second, steps = life
    Block.objects.filter(created_by=user).delete()
    here = Life(user, folder)
    here.upload(here.a, [film(n, variant) for n, variant in first])
    here.sync([film(n, variant) for n, variant in second])
    here.check()
    for name, n, m, answer in steps:
        step: Callable = getattr(here, f"step_{name}")
        note(f"{name} {n} {m}: {[(entry.pk, entry.title) for entry in here.entries()]}")
        with contextlib.suppress(Refused):  # a sentence for the person, and nothing is changed
            step(n, m, [film(k, variant) for k, variant in answer])
        here.check()
