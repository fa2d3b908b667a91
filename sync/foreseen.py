"""What a plan would do, as previews keep and show it."""

from typing import Any

from lists import credentials
from lists.fields import FIELDS, storable
from lists.models import MediaList
from lists.plan import Draft, Plan
from lists.records import About
from lists.rows import AT, shown_values
from sync.adapters import Adapter, Context

SHOWN = 50  # rows of each kind that a preview keeps


def foreseen(plan: Plan, list_: MediaList, adapter: Adapter, ctx: Context) -> dict[str, Any]:
    """leaving: the entries that would leave, all of them; added, changed, removed, kept_out: the first rows of each kind."""
    kinds: dict[str, list[dict[str, Any]]] = {"added": [], "changed": [], "removed": [], "kept_out": []}
    leaving: list[int] = []
    for draft in plan.drafts:
        if draft.leaves:
            leaving.append(draft.slot)
        name = _fate_of(draft)
        if name and len(kinds[name]) < SHOWN:
            kinds[name].append(_shown(draft))
    counts = {name: getattr(plan.counts, name) for name in plan.counts.__dataclass_fields__}
    about = plan.about if isinstance(plan.about, About) else About()
    return {
        "base": plan.base,
        "leaving": leaving,
        "counts": counts,
        "content": list_.content,
        "logins": len(ctx.logins.secrets),
        "stated": ctx.expected,
        "format": adapter.label,
        "problems": plan.problems,
        "more_problems": plan.more_problems,
        "not_taken": plan.not_taken,
        "doubles": plan.doubles,
        "filtered": plan.filtered,
        "title": about.title,
        "facts": about.facts,
        **kinds,
    }


def shown_columns(columns: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What each column became, as it may be stored."""
    return [{name: _plain(cell) for name, cell in column.items()} for column in columns]


def _plain(cell: Any) -> Any:
    return credentials.blank(storable(cell), streams=True) if isinstance(cell, str) else cell


def _fate_of(draft: Draft) -> str:
    """What the preview shows it under; "" for what nobody sees."""
    if draft.excluded:
        return "removed" if draft.leaves else "kept_out"
    return {"add": "added", "restore": "added", "change": "changed", "remove": "removed"}.get(draft.op, "")


def _shown(draft: Draft) -> dict[str, Any]:
    before, after = draft.before, draft.after
    shown = after or before or shown_values(draft.row)
    row: dict[str, Any] = {
        name: shown[name]
        for name in ("title", "year", "artist", "rating", "genres", "cue_ms", "group")
        if name in shown
    }
    row.setdefault("title", "ID")
    if draft.excluded:
        row["reason"] = draft.row[AT["reason"]]
    if draft.op == "change" and before is not None and after is not None:
        row["fields"] = [
            [name, before.get(name), after.get(name)] for name in FIELDS if before.get(name) != after.get(name)
        ]
    return row
