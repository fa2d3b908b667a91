"""Publishing a plan: one transaction, all or nothing for readers, one version if anything that they see has changed.

Rows go set-based past the ORM, their history with them; so simple-history's signals do not fire for entries, and
nothing may depend on them.
"""

from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from itertools import islice
from typing import Any
from uuid import uuid4

import orjson
from django.db.models import F
from django.db.models.functions import Coalesce

from lists import packed, rows, search
from lists.blocking import planned_against
from lists.dense import BySlot
from lists.dialects import Dialect, Stage, quote, walked
from lists.edit_rows import write_edits
from lists.errors import ListMoved
from lists.fence import still_ours
from lists.filling import fill, goes_by_blocks
from lists.models import Claim, Entry, MediaList, Refold, Source, Version
from lists.parts import goes_in_parts, publish_parts
from lists.plan import ClaimDraft, Draft, Plan
from lists.provenance import remember
from lists.questions import put_questions
from lists.spool import blocks
from lists.states import changed_row
from lists.versions import UNSEEN

ENTRY, CLAIM = Entry._meta.db_table, Claim._meta.db_table
HISTORY = Entry.history.model._meta.db_table
# The columns that history copies: everything of an entry but what simple-history was told to leave out.
KEPT = tuple(
    f.column
    for f in Entry.history.model._meta.concrete_fields
    if f.column not in ("history_id", "history_date", "history_change_reason", "history_type", "history_user_id",
                        "version_id", "closed_by_id")
)  # fmt: skip
CLAIM_COLUMNS = (
    "key", "entry_id", "kind", "position", "digest", "mark", "ids", "values", "first_at", "times", "listing",
)  # fmt: skip

MARKED = 5000  # marks that are renewed in one transaction
IN_PLACE = ("change", "aside", "quiet", "same")  # what is done to an entry that neither comes nor goes
SAME = "It turned out to be what another entry of the list is."


class Publication:
    """One plan on its way into the database."""

    def __init__(self, plan: Plan, kind: str, author: Any, summary: str, correlation_id: str):
        self.plan, self.kind, self.author = plan, kind, author
        self.summary, self.correlation_id = summary, correlation_id
        self.dialect = Dialect.of()
        self.ids = BySlot()  # slot of a new entry -> its id
        self.version: Version | None = None
        self.version_id: int | None = None
        self.given: Iterator[int] = iter(())  # ids that were kept for the new entries
        self.is_filled = False  # entries and claims stand already, hidden (lists/filling.py)
        self._order: Sequence[int] | None = None
        self._makes_entries, self._makes_claims = False, plan.has_new  # or only changes what stands
        self._keeps_order, self._excludes = not plan.ranks, False  # as far as the drafts tell
        self._puts_aside = False

    def run(self, before_commit: Callable[[Version | None], None] | None = None) -> Version | None:
        """Publish; None if nothing changed that a reader sees. before_commit runs in the same transaction.

        Raises ListMoved if somebody wrote to the list meanwhile; nothing is written then.
        """
        plan = self.plan
        self._renew_marks()
        with self.dialect.writing(self._staged()) as (entries, claims):
            list_ = MediaList.objects.locked(plan.list_.pk)
            still_ours()
            if list_.current_id != plan.base or planned_against(list_) != plan.written:
                raise ListMoved
            if list_.filling != (self.version_id if self.is_filled else None):
                raise ListMoved
            if plan.facts is not None:
                list_.facts = plan.facts
                list_.save(update_fields=["facts"])
            if not plan.is_empty:
                self.version = self._make_version(list_)
                self.version_id = self.version.pk
            if self.is_filled:
                MediaList.objects.filter(pk=list_.pk).update(filling=None, filling_until=None)
            else:
                self._write_entries(entries)
                self._write_ranks()
                self._write_claims(claims)
            write_edits(plan, self.version, self.ids, self.author)
            put_questions(plan, list_, self.version, self.ids)
            self._settle(list_)
            if before_commit is not None:
                before_commit(self.version)
        self.plan.list_.current_id, self.plan.list_.fence = list_.current_id, list_.fence
        self.plan.list_.facts = list_.facts
        if len(plan.drafts):
            search.index_owed()
        return self.version

    @property
    def _speaks_anew(self) -> bool:
        plan = self.plan
        moved = plan.gone or plan.missing or plan.back or plan.positions or plan.moved_claims
        return bool(len(plan.drafts) or plan.has_new or len(plan.folded) or moved)

    def _renew_marks(self) -> None:
        """Some at a time: of what a source says in other bytes these are known again, whether this is published or not."""
        marks = iter(self.plan.marks.items())
        while some := list(islice(marks, MARKED)):
            with self.dialect.writing(self.dialect.stage(CLAIM, ("mark",), some)) as stage:
                still_ours()
                if stage is not None:
                    self.dialect.update_from_stage(stage)

    def _make_version(self, list_: MediaList) -> Version:
        last, order, count = self._last_of(list_)
        counts, source = self.plan.counts, self.plan.source
        return Version.objects.create(
            pk=self.version_id, list=list_, number=last + 1, order=order, item_count=count, kind=self.kind, author=self.author,
            author_name=self.author.get_username() if self.author else "", summary=self.summary[:300],
            source=source, source_name=source.name if source else "", facts=list_.facts,
            added=counts.added, removed=counts.removed, changed=counts.changed, moved=counts.moved,
            correlation_id=self.correlation_id,
        )  # fmt: skip

    def _last_of(self, list_: MediaList) -> tuple[int, bytes, int]:
        """Number, order and count of entries of the version that stands, which is the last one."""
        if list_.current_id is None:
            return 0, packed.pack(()), 0
        number, order, count = Version.objects.values_list("number", "order", "item_count").get(pk=list_.current_id)
        return number, bytes(order or packed.pack(())), count

    # -- entries ------------------------------------------------------------------------------------------------------

    @contextmanager
    def _staged(self) -> Iterator[tuple[Stage | None, Stage | None]]:
        """What is to become of entries and claims that stand already."""
        if self.is_filled:
            yield None, None
            return
        entries = self.dialect.stage(ENTRY, rows.COLUMNS, self._changed_entries(), extra=("written",))
        claims = self.dialect.stage(CLAIM, CLAIM_COLUMNS, self._changed_claims())
        with entries as changed, claims as said:
            yield changed and self.dialect.narrowed(changed), said and self.dialect.narrowed(said)

    def _changed_entries(self) -> Iterator[tuple[Any, ...]]:
        for draft in self.plan.drafts:
            self._keeps_order &= draft.op in IN_PLACE
            self._excludes |= draft.excluded
            self._puts_aside |= draft.op == "aside"
            if draft.slot < 0:
                self._makes_entries = True
            elif draft.op != "same":
                yield draft.slot, *draft.row, _history_type(draft)

    def _changed_claims(self) -> Iterator[tuple[Any, ...]]:
        for draft in self.plan.folded:
            if draft.pk is None or draft.slot < 0:
                self._makes_claims = True
            else:
                yield draft.pk, *self._claim(draft)

    def _write_entries(self, changed: Stage | None) -> None:
        if self._makes_entries:
            for block in self.plan.drafts.blocks():
                self.insert([draft for draft in block if draft.slot < 0])
        if changed is not None:
            self._update(changed)

    def insert(self, drafts: Sequence[Draft]) -> None:
        if not drafts:
            return
        pks = list(islice(self.given, len(drafts))) or self.dialect.new_ids(ENTRY, len(drafts))
        self.ids.update((draft.slot, pk) for draft, pk in zip(drafts, pks, strict=True))
        self.dialect.load(
            ENTRY, ("id", *rows.COLUMNS), [(pk, *self._placed(d)) for pk, d in zip(pks, drafts, strict=True)]
        )
        # A closed range: PostgreSQL guesses an open one as a third of the table. Another list's ids may lie between.
        self._write_history(
            f"SELECT {quote(KEPT)}, %s, '+', %s, %s, NULL FROM \"{ENTRY}\" "  # noqa: S608
            "WHERE id BETWEEN %s AND %s AND list_id = %s AND state = 'listed'",
            (pks[0], pks[-1], self.plan.list_.pk),
        )
        if any(draft.op != "add" for draft in drafts):
            # That a rule kept it out, or another entry shows it, is remembered: a rollback to this version needs it.
            self._write_history(
                f"SELECT {quote(KEPT)}, %s, '-', %s, %s, NULL FROM \"{ENTRY}\" "  # noqa: S608
                "WHERE id BETWEEN %s AND %s AND list_id = %s AND state <> 'listed'",
                (pks[0], pks[-1], self.plan.list_.pk),
            )

    def _placed(self, draft: Draft) -> tuple[Any, ...]:
        """The row with its rank: in an order by a field that is known only when everything is folded."""
        rank = self.plan.ranks.get(draft.slot, draft.row[rows.AT["rank"]])
        return draft.row if rank == draft.row[rows.AT["rank"]] else changed_row(draft.row, rank=rank)

    def _update(self, changed: Stage) -> None:
        # What only a rollback asks for belongs to the version that stands, if this makes none.
        version = self.version_id or (self.plan.base if self._puts_aside else None)
        if version is not None:
            self.dialect.execute(
                f'UPDATE "{HISTORY}" SET closed_by_id = %s WHERE closed_by_id IS NULL AND id IN '  # noqa: S608
                f"(SELECT id FROM \"{changed.name}\" WHERE written <> '')",
                [version],
            )
        self.dialect.update_from_stage(changed)
        kept = ", ".join(f'e."{column}"' for column in KEPT)
        self._write_history(
            f"SELECT {kept}, %s, substr(s.written, 1, 1), %s, %s, NULLIF(substr(s.written, 2), '') "  # noqa: S608
            f'FROM "{changed.name}" s JOIN "{ENTRY}" e ON e.id = +s.id WHERE s.written <> \'\'',
            version=version,
        )

    def _write_history(self, select: str, params: Sequence[Any] = (), *, version: int | None = None) -> None:
        version = version or self.version_id
        if version is None:
            return
        author = self.author.pk if self.author else None
        self.dialect.execute(
            f'INSERT INTO "{HISTORY}" ({quote(KEPT)}, history_date, history_type, version_id, history_user_id, '
            f"history_change_reason) {select}",
            [self.plan.at, version, author, *params],
        )

    def _write_ranks(self) -> None:
        ranks = [(slot, rank) for slot, rank in self.plan.ranks.items() if slot > 0]
        if ranks:
            self.dialect.update_from(ENTRY, ("rank",), ranks)

    # -- claims -------------------------------------------------------------------------------------------------------

    def _write_claims(self, changed: Stage | None) -> None:
        plan, dialect = self.plan, self.dialect
        if self._makes_claims:
            self._make_claims()
        if changed is not None:
            dialect.update_from_stage(changed)
        if plan.moved_claims:
            moved = ((pk, self.ids.get(slot, slot)) for pk, slot in plan.moved_claims.items())
            dialect.update_from(CLAIM, ("entry_id",), moved)
        if plan.positions:
            dialect.update_from(CLAIM, ("position",), plan.positions.items())
        for pks in blocks(plan.back):
            Claim.objects.filter(pk__in=pks).update(missing=0, missing_since=None)
        for pks in blocks(plan.missing):
            _mark_missing(pks, plan.at)
        for pks in blocks(plan.gone):
            remember(Claim.objects.filter(pk__in=pks), at=plan.at)
            Claim.objects.filter(pk__in=pks)._raw_delete("default")

    def _make_claims(self) -> None:
        """New ones, and those that speak of a new entry from now on."""
        moved: list[tuple[Any, ...]] = []
        new = (draft for draft in self.plan.claims if draft.pk is None or draft.slot < 0)
        while block := list(islice(new, self.dialect.rows)):
            self.insert_claims([draft for draft in block if draft.pk is None])
            moved += [(draft.pk, *self._claim(draft)) for draft in block if draft.pk is not None]
        self.dialect.update_from(CLAIM, CLAIM_COLUMNS, moved)

    def insert_claims(self, drafts: Sequence[ClaimDraft]) -> None:
        if drafts:
            # A list, not a generator: it may ask the database, which cannot answer while a COPY is under way.
            claims = [(self._source_of(draft), *self._claim(draft), 0) for draft in drafts]
            self.dialect.load(CLAIM, ("source_id", *CLAIM_COLUMNS, "missing"), claims)

    def _claim(self, draft: ClaimDraft) -> tuple[Any, ...]:
        record = draft.record
        entry = draft.slot if draft.slot > 0 else self.ids[draft.slot]
        return (
            f"entry {entry}" if draft.kept else record.key, entry, str(record.kind), draft.position, draft.digest, record.mark,
            _json(record.ids), _json(record.values), _moment(draft.first_at), _json(draft.times) if draft.times else "{}",
            draft.listing,
        )  # fmt: skip

    def _source_of(self, draft: ClaimDraft) -> int | None:
        if draft.kept:
            return self._kept.pk
        return self.plan.source.pk if self.plan.source else None

    @cached_property
    def _kept(self) -> Source:
        return Source.objects.kept(self.plan.list_)

    def _order_now(self) -> tuple[bytes, int]:
        """The order as it is stored, and how many entries it has."""
        listed = self._listed() if self._order is None else self._order
        return packed.pack(listed), len(listed)

    def _listed(self) -> Sequence[int]:
        listed = Entry._base_manager.filter(list=self.plan.list_, state=Entry.State.LISTED)
        return array("q", (pk for (pk,) in walked(listed.order_by("rank", "id").values_list("id"))))

    def order_now(self) -> None:
        """Read the order before the last transaction: nobody else writes to a list that is being filled."""
        self._order = self._listed()

    # -- what goes with it --------------------------------------------------------------------------------------------

    def _settle(self, list_: MediaList) -> None:
        """Counters, the order blob and the current version."""
        for slot in self.plan.late:
            Refold.objects.create(
                list=list_, entry_id=self.ids.get(slot, slot), kind=Version.Kind.MERGE, reason=SAME
            )  # fmt: skip
        if self.version is None and self._speaks_anew:
            list_.fence += 1  # who has planned against what was said before has to plan again
            self.plan.written = (list_.fence, *self.plan.written[1:])
            MediaList.objects.filter(pk=list_.pk).update(fence=list_.fence)
        if self.version is None and not len(self.plan.drafts):
            return
        if list_.excluded_count or self._excludes or self.is_filled:
            entries = Entry._base_manager.filter(list=list_)
            list_.excluded_count = entries.exclude(state=Entry.State.LISTED).filter(state=Entry.State.EXCLUDED).count()
        changed = ["excluded_count", "updated_at"]
        if self.version is not None:
            if not (self._keeps_order and list_.current_id):
                self.version.order, self.version.item_count = self._order_now()
                self.version.save(update_fields=["order", "item_count"])
            list_.current, list_.item_count = self.version, self.version.item_count
            changed += ["current", "item_count"]
        if self.plan.order_mode is not None:
            list_.order_mode, list_.order_field = self.plan.order_mode
            changed += ["order_mode", "order_field"]
        list_.updated_at = self.plan.at
        # By UPDATE: the list's own history is about its name and its rules, not its counters.
        MediaList.objects.filter(pk=list_.pk).update(**{name: getattr(list_, name) for name in changed})


def publish(
    plan: Plan,
    *,
    kind: str,
    author: Any = None,
    summary: str = "",
    correlation_id: str = "",
    before_commit: Callable[[Version | None], None] | None = None,
    showing: Callable[[], AbstractContextManager[Any]] = nullcontext,
) -> Version | None:
    """Write a plan as one version, on SQLite a very large one as several; returns the last, None if no reader sees a
    difference (claims may still have moved). before_commit runs in the transaction of the last; `showing` is entered around
    that, when it is too late to stop.

    Raises ListMoved if the list has another version by now; plan again then.
    """
    publication = Publication(plan, kind, author, summary, correlation_id)
    if goes_by_blocks(plan):
        return fill(publication, before_commit, showing)
    if goes_in_parts(plan):
        of_all = correlation_id or str(uuid4())
        return publish_parts(
            lambda part: Publication(part, kind, author, summary, of_all), plan, before_commit, showing
        )
    with showing():
        return publication.run(before_commit)


def _mark_missing(pks: Sequence[int], at: Any) -> None:
    Claim.objects.filter(pk__in=pks).update(missing=F("missing") + 1, missing_since=Coalesce("missing_since", at))


def _history_type(draft: Draft) -> str:
    """Of the history row to be written, with its reason; "" for none: only what a version counts has history, and what a
    rollback to one has to know."""
    if draft.op in ("remove", "exclude"):
        return "-"
    if draft.op == "aside":
        return f"-{UNSEEN}"
    return {"change": "~", "restore": "+"}.get(draft.op, "")


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


@lru_cache(maxsize=1024)
def _moment(seconds: int) -> str | None:
    """Seconds of the epoch as the database takes a time."""
    return Dialect.of().moment(datetime.fromtimestamp(seconds, UTC))
