"""Questions as pages show them: what can be answered, who says so, since when, and what is recommended."""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Q

from lists import services
from lists.fields import FIELDS, canonical
from lists.forms.entries import ValueField
from lists.models import Claim, Conflict, Edit, Entry, ExternalId, Item, Source
from lists.resolve import HAND
from lists.titles import fold


@dataclass(slots=True)
class Answer:
    """One way to answer a question about a field. who: who says so; since: since when; now: the list shows it."""

    key: str
    value: Any
    who: list[str]
    since: datetime | None = None
    now: bool = False
    best: bool = False


def mark(conflict: Conflict) -> str:
    """Of what a question asks: another mark, another question."""
    shown = conflict.entry.values.get(conflict.field) if conflict.entry else None
    said = [conflict.options, conflict.recommendation, shown]
    return hashlib.blake2b(canonical(said), digest_size=8).hexdigest()


# -- about values ------------------------------------------------------------------------------------------------------


def values(
    conflicts: Sequence[Conflict], may: Collection[int], typed: Mapping[int, tuple[str, str]]
) -> list[dict[str, Any]]:
    """[{"conflict", "entry", "may", "mark", "answers", "chosen", "input", "typed", "errors"}] of questions about fields.

    may: lists about which the person decides. typed: question -> what was typed, and why it does not do.
    """
    names = _names(conflicts)
    edits = _edits(conflicts)
    rows = []
    for conflict in conflicts:
        entry = conflict.entry
        if entry is None:
            continue
        spec = FIELDS[conflict.field]
        found = _answers(conflict, entry, names, edits.get((entry.pk, conflict.field)))
        text, error = typed.get(conflict.pk, ("", ""))
        best = next((answer.key for answer in found if answer.best), "keep")
        rows.append({
            "conflict": conflict, "entry": entry, "may": conflict.list_id in may, "mark": mark(conflict), "answers": found,
            "chosen": "type" if error else best, "input": ValueField(spec, kind=entry.kind), "typed": text, "errors": [error] if error else [],
        })  # fmt: skip
    return rows


def _names(conflicts: Iterable[Conflict]) -> dict[Any, str]:
    """Names of all sources that the questions name or that what is shown came from, in one query."""
    pks: set[Any] = set()
    for conflict in conflicts:
        pks |= {option.get("source") for option in conflict.options}
        pks |= set(_origins(conflict))
    return dict(Source.objects.filter(pk__in={pk for pk in pks if isinstance(pk, int)}).values_list("id", "name"))


def _origins(conflict: Conflict) -> list[Any]:
    origin = conflict.entry.origin_of(conflict.field) if conflict.entry else None
    return origin if isinstance(origin, list) else [origin]


def _edits(conflicts: Iterable[Conflict]) -> dict[tuple[int, str], Edit]:
    entries = {conflict.entry_id for conflict in conflicts}
    fields = {conflict.field for conflict in conflicts}
    return {(edit.entry_id, edit.field): edit for edit in Edit.objects.filter(entry__in=entries, field__in=fields)}


def _answers(conflict: Conflict, entry: Entry, names: Mapping[Any, str], edit: Edit | None) -> list[Answer]:
    """What is shown first, then each other value with all who say it, then all of them united."""
    shown = entry.values.get(conflict.field)
    recommended = conflict.recommendation or {}
    keep = Answer("keep", shown, [], now=True, best=recommended.get("choice") == "keep")
    if edit is not None:
        keep.who, keep.since = [f"by hand, by {edit.author_name}" if edit.author_name else "by hand"], edit.made_at
    else:
        keep.who = [names[pk] for pk in _origins(conflict) if pk in names]
    found = [keep]
    for place, option in enumerate(conflict.options):
        by_hand = option["source"] == HAND
        name = "another edit by hand" if by_hand else names.get(option["source"], "a source that is gone")
        same = next((answer for answer in found if answer.value == option["value"]), None)
        if same is None:
            key = f"{HAND}-{place}" if by_hand else f"take-{option['source']}"
            best = recommended.get("choice") == "take" and recommended.get("value") == option["value"]
            found.append(Answer(key, option["value"], [name], datetime.fromtimestamp(option["at"], UTC), best=best))
        elif name not in same.who:
            same.who.append(name)
    if FIELDS[conflict.field].type == "list" and len(found) > 1:
        found.append(Answer("merge", _united([answer.value for answer in found]), []))
    return found


def _united(lists: Iterable[Sequence[str] | None]) -> list[str]:
    words: dict[str, str] = {}
    for said in lists:
        for word in said or []:
            words.setdefault(fold(word), word)
    return list(words.values())


# -- about who something is --------------------------------------------------------------------------------------------


def things(conflicts: Sequence[Conflict], user: Any, may: Collection[int]) -> list[dict[str, Any]]:
    """[{"conflict", "entry", "may", "mark", "items": [(item, its ids)], "said": [Claim], "may_merge"}] of questions about
    who an entry is. may: lists about which the user decides."""
    wanted = {option["item"] for conflict in conflicts for option in conflict.options}
    items = Item.objects.select_related("root").in_bulk(wanted)
    ids = _ids(wanted)
    said = _said(conflicts)
    rows = []
    for conflict in conflicts:
        known = [items[option["item"]] for option in conflict.options if option["item"] in items]
        mine = conflict.list_id in may
        one = mine and conflict.kind == Conflict.Kind.IDS and len(known) > 1
        rows.append({
            "conflict": conflict, "entry": conflict.entry, "may": mine, "mark": mark(conflict),
            "items": [(item, ids.get(item.pk, [])) for item in known], "said": said.get(conflict.entry_id, []),
            "may_merge": one and services.may_identify(user, *known),
        })  # fmt: skip
    return rows


def _ids(items: Collection[int]) -> dict[int, list[tuple[str, str]]]:
    """Item -> [(namespace, value)], in one query."""
    found: dict[int, list[tuple[str, str]]] = {}
    known = ExternalId.objects.filter(item__in=items).order_by("namespace", "value")
    for item, namespace, value in known.values_list("item_id", "namespace", "value"):
        found.setdefault(item, []).append((namespace, value))
    return found


def _said(conflicts: Iterable[Conflict]) -> dict[int | None, list[Claim]]:
    """Entry -> what its sources list, in one query."""
    found: dict[int | None, list[Claim]] = {}
    feeds = Q(source__role=Source.Role.FEED, source__removed_at=None)
    claims = Claim.objects.filter(feeds, entry__in={conflict.entry_id for conflict in conflicts})
    for claim in claims.select_related("source").defer("source__address").order_by("source__priority", "key"):
        found.setdefault(claim.entry_id, []).append(claim)
    return found


# -- decided -----------------------------------------------------------------------------------------------------------


def decided(conflicts: Sequence[Conflict], may: Collection[int]) -> list[dict[str, Any]]:
    """[{"conflict", "entry", "before", "after", "returnable"}]; before and after of questions about who something is are
    words. returnable: an edit by hand still says so, and the person may give it back. may: as for values()."""
    wanted = {
        pk for row in conflicts for said in (row.before, row.after) if row.kind != "field" and (pk := _item(said))
    }
    names = {item.pk: str(item) for item in Item.objects.filter(pk__in=wanted)}
    edits = _edits(conflicts)
    rows = []
    for row in conflicts:
        about_field = row.kind == Conflict.Kind.FIELD
        before = row.before if about_field else _named(row.before, names, "nobody knew")
        after = row.after if about_field else _named(row.after, names, "a thing of its own")
        edit = edits.get((row.entry_id or 0, row.field))
        rows.append({
            "conflict": row, "entry": row.entry, "before": before, "after": after,
            "returnable": row.list_id in may and row.state == Conflict.State.DECIDED and edit is not None and edit.value == row.after,
        })  # fmt: skip
    return rows


def _item(said: Any) -> int | None:
    return said.get("item") if isinstance(said, dict) else None


def _named(said: Any, names: Mapping[int, str], otherwise: str) -> str:
    if isinstance(said, dict) and said.get("same"):
        return "the same thing"
    return names.get(_item(said) or 0, otherwise)
