"""Writing edits and their history with the version that they belong to, set-based: a rollback may write thousands."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from lists.dialects import Dialect, quote
from lists.models import Edit, Version
from lists.plan import EditDraft, Plan
from lists.spool import blocks

EDIT, HISTORY = Edit._meta.db_table, Edit.history.model._meta.db_table
COLUMNS = (
    "entry_id", "field", "value", "words", "firm", "base", "rollback_to", "author_id", "author_name", "made_at",
)  # fmt: skip
KEPT = ("id", *COLUMNS)


def write_edits(plan: Plan, version: Version | None, ids: Mapping[int, int], author: Any) -> None:
    """ids: slot of a new entry -> its id. Without a version only the bases of yielding edits may change."""
    for pk, base in plan.rebased.items():
        Edit.objects.filter(pk=pk).update(base=base)
    if version is None:
        return
    _Writing(plan, version, ids, author).run()


class _Writing:
    def __init__(self, plan: Plan, version: Version, ids: Mapping[int, int], author: Any):
        self.plan, self.version, self.ids = plan, version, ids
        self.author = author.pk if author else None
        self.dialect = Dialect.of()

    def run(self) -> None:
        drafts = list(self.plan.edits.values())
        changed = [draft for draft in drafts if draft.pk is not None]
        self._end(self.plan.ended)
        self._close([draft.pk or 0 for draft in changed])
        if changed:
            self.dialect.update_from(EDIT, COLUMNS, [(draft.pk, *self._row(draft)) for draft in changed])
            self._remember([draft.pk or 0 for draft in changed], "~")
        if new := [draft for draft in drafts if draft.pk is None]:
            pks = self.dialect.new_ids(EDIT, len(new))
            self.dialect.load(EDIT, KEPT, ((pk, *self._row(d)) for pk, d in zip(pks, new, strict=True)))
            self._remember(pks, "+")

    def _end(self, pks: Sequence[int]) -> None:
        self._close(pks)
        self._remember(pks, "-")
        for block in blocks(pks):
            Edit.objects.filter(pk__in=block)._raw_delete("default")

    def _close(self, pks: Sequence[int]) -> None:
        for block in blocks(pks):
            rows = Edit.history.filter(id__in=block, closed_by__isnull=True)
            rows.update(closed_by=self.version.pk)

    def _remember(self, pks: Sequence[int], what: str) -> None:
        for block in blocks(pks):
            marks = ", ".join(["%s"] * len(block))
            self.dialect.execute(
                f'INSERT INTO "{HISTORY}" ({quote(KEPT)}, history_date, history_type, version_id, history_user_id, '  # noqa: S608
                f'closed_by_id) SELECT {quote(KEPT)}, %s, %s, %s, %s, %s FROM "{EDIT}" WHERE id IN ({marks})',
                [self.plan.at, what, self.version.pk, self.author, self.version.pk if what == "-" else None, *block],
            )

    def _row(self, draft: EditDraft) -> tuple[Any, ...]:
        entry = draft.slot if draft.slot > 0 else self.ids[draft.slot]
        return (
            entry, draft.field, _json(draft.value), _json(draft.words) or "{}", draft.firm, _json(draft.base),
            draft.rollback_to, draft.author, draft.author_name, self.dialect.moment(draft.made_at),
        )  # fmt: skip


def _json(value: Any) -> str | None:
    return None if value is None else orjson.dumps(value).decode()
