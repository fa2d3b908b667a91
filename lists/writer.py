"""Publishing a plan: one transaction, all or nothing for readers, one version if anything that they see has changed.

Rows go set-based past the ORM, their history with them; so simple-history's signals do not fire for entries, and
nothing may depend on them.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice
from typing import Any

import orjson
from django.db import transaction
from django.db.models import F, Max
from django.db.models.functions import Coalesce

from lists import packed, rows
from lists.blocking import planned_against
from lists.dialects import Dialect, quote
from lists.edit_rows import write_edits
from lists.models import Claim, Entry, MediaList, Provenance, Refold, Source, Version
from lists.plan import ClaimDraft, Draft, Plan
from lists.questions import put_questions
from lists.spool import blocks

ENTRY, CLAIM = Entry._meta.db_table, Claim._meta.db_table
HISTORY = Entry.history.model._meta.db_table
# The columns that history copies: everything of an entry but what simple-history was told to leave out.
KEPT = tuple(
    f.column
    for f in Entry.history.model._meta.concrete_fields
    if f.column not in ("history_id", "history_date", "history_change_reason", "history_type", "history_user_id",
                        "version_id", "closed_by_id")
)  # fmt: skip
CLAIM_COLUMNS = ("key", "entry_id", "kind", "position", "digest", "ids", "values", "first_at", "times", "listing")


SAME = "It turned out to be what another entry of the list is."


class ListMoved(Exception):
    """The list got another version since the plan was made: plan again."""


class Publication:
    """One plan on its way into the database."""

    def __init__(self, plan: Plan, kind: str, author: Any, summary: str, correlation_id: str):
        self.plan, self.kind, self.author = plan, kind, author
        self.summary, self.correlation_id = summary, correlation_id
        self.dialect = Dialect.of()
        self.ids: dict[int, int] = {}  # slot of a new entry -> its id
        self.version: Version | None = None

    def run(self, before_commit: Callable[[Version | None], None] | None = None) -> Version | None:
        """Publish; None if nothing changed that a reader sees. before_commit runs in the same transaction.

        Raises ListMoved if somebody wrote to the list meanwhile; nothing is written then.
        """
        plan = self.plan
        with transaction.atomic():
            list_ = MediaList.objects.locked(plan.list_.pk)
            if list_.current_id != plan.base or planned_against(list_) != plan.written:
                raise ListMoved
            self._take_facts(list_)
            if not plan.is_empty:
                self.version = self._make_version(list_)
            self._write_entries()
            self._write_ranks()
            self._write_claims()
            write_edits(plan, self.version, self.ids, self.author)
            put_questions(plan, list_, self.version, self.ids)
            self._settle(list_)
            if before_commit is not None:
                before_commit(self.version)
        self.plan.list_.current_id = list_.current_id
        return self.version

    def _take_facts(self, list_: MediaList) -> None:
        """What the source says of the whole, where the list says nothing yet."""
        about = self.plan.about
        said = {**({"title": about.title} if about.title else {}), **about.facts}
        if self.plan.facts is not None:
            list_.facts = self.plan.facts
            list_.save(update_fields=["facts"])
        elif new := {name: fact for name, fact in said.items() if name not in list_.facts}:
            list_.facts = {**list_.facts, **new}
            list_.save(update_fields=["facts"])

    def _make_version(self, list_: MediaList) -> Version:
        last = list_.versions.aggregate(last=Max("number"))["last"] or 0
        counts, source = self.plan.counts, self.plan.source
        return Version.objects.create(
            list=list_, number=last + 1, kind=self.kind, author=self.author,
            author_name=self.author.get_username() if self.author else "", summary=self.summary[:300],
            source=source, source_name=source.name if source else "", facts=list_.facts,
            added=counts.added, removed=counts.removed, changed=counts.changed, moved=counts.moved,
            correlation_id=self.correlation_id,
        )  # fmt: skip

    # -- entries ------------------------------------------------------------------------------------------------------

    def _write_entries(self) -> None:
        stage_rows: list[tuple[Any, ...]] = []
        for block in self.plan.drafts.blocks():
            new = [draft for draft in block if draft.slot < 0]
            self._insert(new)
            stage_rows += [
                (draft.slot, *self._row(draft), _history_type(draft))
                for draft in block
                if draft.slot > 0 and draft.op != "same"
            ]
            if len(stage_rows) >= 5000:
                self._update(stage_rows)
                stage_rows = []
        self._update(stage_rows)

    def _row(self, draft: Draft) -> tuple[Any, ...]:
        row = list(draft.row)
        row[rows.FIRST_LISTED] = self.dialect.moment(row[rows.FIRST_LISTED])
        return tuple(row)

    def _insert(self, drafts: Sequence[Draft]) -> None:
        if not drafts:
            return
        pks = self.dialect.new_ids(ENTRY, len(drafts))
        self.ids |= {draft.slot: pk for draft, pk in zip(drafts, pks, strict=True)}
        self.dialect.load(
            ENTRY, ("id", *rows.COLUMNS), ((pk, *self._row(d)) for pk, d in zip(pks, drafts, strict=True))
        )
        # A closed range: PostgreSQL guesses an open one as a third of the table. Another list's ids may lie between.
        self._write_history(
            f"SELECT {quote(KEPT)}, %s, '+', %s, %s FROM \"{ENTRY}\" "  # noqa: S608
            "WHERE id BETWEEN %s AND %s AND list_id = %s AND state = 'listed'",
            (pks[0], pks[-1], self.plan.list_.pk),
        )
        if any(draft.op != "add" for draft in drafts):
            # That a rule kept it out, or another entry shows it, is remembered: a rollback to this version needs it.
            self._write_history(
                f"SELECT {quote(KEPT)}, %s, '-', %s, %s FROM \"{ENTRY}\" "  # noqa: S608
                "WHERE id BETWEEN %s AND %s AND list_id = %s AND state <> 'listed'",
                (pks[0], pks[-1], self.plan.list_.pk),
            )

    def _update(self, staged: Sequence[tuple[Any, ...]]) -> None:
        if not staged:
            return
        with self.dialect.stage(ENTRY, rows.COLUMNS, staged, extra=("written",)) as stage:
            if self.version is not None:
                self.dialect.execute(
                    f'UPDATE "{HISTORY}" SET closed_by_id = %s WHERE closed_by_id IS NULL AND id IN '  # noqa: S608
                    f"(SELECT id FROM \"{stage}\" WHERE written <> '')",
                    [self.version.pk],
                )
            self.dialect.update_from_stage(ENTRY, rows.COLUMNS, stage)
            kept = ", ".join(f'e."{column}"' for column in KEPT)
            self._write_history(
                f'SELECT {kept}, %s, s.written, %s, %s FROM "{stage}" s JOIN "{ENTRY}" e ON e.id = +s.id '  # noqa: S608
                "WHERE s.written <> ''"
            )

    def _write_history(self, select: str, params: Sequence[Any] = ()) -> None:
        if self.version is None:
            return
        author = self.author.pk if self.author else None
        self.dialect.execute(
            f'INSERT INTO "{HISTORY}" ({quote(KEPT)}, history_date, history_type, version_id, history_user_id) {select}',
            [self.plan.at, self.version.pk, author, *params],
        )

    def _write_ranks(self) -> None:
        late = self.plan.list_.order_mode == MediaList.OrderMode.FIELD or self.plan.order_mode is not None
        ranks = [(self.ids.get(slot, slot), rank) for slot, rank in self.plan.ranks.items() if slot > 0 or late]
        ranks = [(pk, rank) for pk, rank in ranks if pk > 0]
        if ranks:
            self.dialect.update_from(ENTRY, ("rank",), ranks)

    # -- claims -------------------------------------------------------------------------------------------------------

    def _write_claims(self) -> None:
        plan, dialect = self.plan, self.dialect
        changed: list[tuple[Any, ...]] = []
        for block in plan.claims.blocks():
            new = [draft for draft in block if draft.pk is None]
            if new:
                # A list, not a generator: it may ask the database, which cannot answer while a COPY is under way.
                claims = [(self._source_of(draft), *self._claim(draft), 0) for draft in new]
                dialect.load(CLAIM, ("source_id", *CLAIM_COLUMNS, "missing"), claims)
            changed += [(draft.pk, *self._claim(draft)) for draft in block if draft.pk is not None]
        if changed:
            dialect.update_from(CLAIM, CLAIM_COLUMNS, changed)
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

    def _claim(self, draft: ClaimDraft) -> tuple[Any, ...]:
        record = draft.record
        entry = draft.slot if draft.slot > 0 else self.ids[draft.slot]
        return (
            f"entry {entry}" if draft.kept else record.key, entry, record.kind, record.position, draft.digest,
            _json(record.ids), _json(record.values), self.dialect.moment(_from_epoch(draft.first_at)),
            _json(draft.times), draft.listing,
        )  # fmt: skip

    def _source_of(self, draft: ClaimDraft) -> int | None:
        if draft.kept:
            return self._kept.pk
        return self.plan.source.pk if self.plan.source else None

    @cached_property
    def _kept(self) -> Source:
        return Source.objects.kept(self.plan.list_)

    # -- what goes with it --------------------------------------------------------------------------------------------

    def _settle(self, list_: MediaList) -> None:
        """Counters, the order blob and the current version."""
        for slot in self.plan.late:
            Refold.objects.create(
                list=list_, entry_id=self.ids.get(slot, slot), kind=Version.Kind.MERGE, reason=SAME
            )  # fmt: skip
        if self.version is None and not len(self.plan.drafts):
            return
        entries = Entry.objects.filter(list=list_)
        list_.excluded_count = entries.filter(state=Entry.State.EXCLUDED).count()
        changed = ["excluded_count", "updated_at"]
        if self.version is not None:
            order = list(entries.listed().order_by("rank", "id").values_list("id", flat=True))
            self.version.order, self.version.item_count = packed.pack(order), len(order)
            self.version.save(update_fields=["order", "item_count"])
            list_.current, list_.item_count = self.version, len(order)
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
) -> Version | None:
    """Write a plan as one version; None if no reader sees a difference (claims may still have moved).

    Raises ListMoved if the list has another version by now; plan again then.
    """
    return Publication(plan, kind, author, summary, correlation_id).run(before_commit)


def remember(claims: Any, *, at: Any) -> None:
    """Write the provenance of claims that go for good (a queryset of Claim), 500 at a time."""
    found = claims.select_related("entry", "source__list").only(
        "first_at", "entry__item_id", "entry__title", "source__name", "source__role", "source__list__name",
        "source__list_id",
    )  # fmt: skip
    rows = (
        Provenance(
            item_id=claim.entry.item_id,
            title=claim.entry.title,
            origin=Provenance.Origin.MANUAL if claim.source.role == Source.Role.KEPT else Provenance.Origin.LIST,
            list_id=claim.source.list_id,
            list_name=claim.source.list.name,
            source_id=claim.source_id,
            source_name=claim.source.name,
            first_at=claim.first_at,
            last_at=at,
        )
        for claim in found.iterator(chunk_size=500)
    )
    while block := list(islice(rows, 500)):
        Provenance.objects.bulk_create(block)


def _mark_missing(pks: Sequence[int], at: Any) -> None:
    Claim.objects.filter(pk__in=pks).update(missing=F("missing") + 1, missing_since=Coalesce("missing_since", at))


def _history_type(draft: Draft) -> str:
    """Of the history row to be written; "" for none: only what a version counts has history."""
    if draft.op in ("remove", "exclude"):
        return "-"
    return {"change": "~", "restore": "+"}.get(draft.op, "")


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _from_epoch(seconds: int) -> Any:
    return datetime.fromtimestamp(seconds, UTC)
