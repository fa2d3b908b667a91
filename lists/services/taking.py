"""Deciding about changes that wait: each is taken, left, merged into what stands, or taken in a person's own words."""

import zlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.utils import timezone

from lists.acts import Act, plan_act
from lists.audit import audit
from lists.changes import plan_refold, plan_sync
from lists.changeset import changes_of, unpack, without
from lists.confidence import of_record
from lists.errors import NotWaiting, Unfit
from lists.fields import FIELDS
from lists.judging import CONTINUED, of_field
from lists.models import Claim, Conflict, Edit, Entry, MediaList, Proposal, Source, Version
from lists.resolve import EMPTY
from lists.services._writing import publish
from lists.services.hand import _cleaned
from lists.services.held import hold_removals
from lists.services.logins import lift_logins
from lists.services.unsure import MOST, OF_ENTRIES, end, open_proposal, refused_of
from lists.titles import fold

Kind = Conflict.Kind


def decide_changes(
    list_: MediaList, conflicts: Sequence[Conflict], *, by: Any, choice: str, value: Any = None
) -> Version | None:
    """Answer questions about changes of one list, which is locked; the last version made, or None.

    choice: keep (what the list shows), take (what the source says), type (what it says, with the values of `value` by
    field), merge (what it adds without contradicting), newest, confidence (whichever is newer, or surer).
    Raises NotWaiting, Unfit.
    """
    version = None
    for source in dict.fromkeys(conflict.source for conflict in conflicts):
        assert source is not None  # a change that waits names its source
        rows = _all_of(source, [conflict for conflict in conflicts if conflict.source_id == source.pk])
        version = _decide(list_, source, rows, by=by, choice=choice, value=value) or version
    return version


def _all_of(source: Source, rows: list[Conflict]) -> list[Conflict]:
    """The question about all of a source's changes answers each of them."""
    if not any(row.kind == Kind.RESTRUCTURE for row in rows):
        return rows
    others = Conflict.objects.select_for_update(of=("self",)).select_related("entry", "source")
    others = others.filter(source=source, kind__in=OF_ENTRIES, state__in=Conflict.WAITING).exclude(
        pk__in=[row.pk for row in rows]
    )
    return [*rows, *others.order_by("id")]


def _decide(
    list_: MediaList, source: Source, rows: Sequence[Conflict], *, by: Any, choice: str, value: Any
) -> Version | None:
    alone = len(rows) == 1 and rows[0].kind == Kind.RESTRUCTURE
    if alone and choice not in ("take", "keep"):
        raise Unfit("So many changes are taken or left as a whole. Nothing was decided.")
    if choice == "type" and any(row.kind not in (Kind.ADDED, Kind.MODIFIED) for row in rows):
        raise Unfit("Only what is new or told otherwise can be written in your own words. Nothing was decided.")
    taken = [row for row in rows if _is_taken(row, choice, alone=alone)]
    before = {row.pk: _standing(row) for row in taken if choice == "merge" and row.kind == Kind.MODIFIED}
    version = _take(source, list_, taken, by=by) if taken else None
    edits: dict[int, dict[str, Any]] = {}
    for row in taken:
        entry = row.entry_id or _entry_of(row)
        if entry is None:
            continue
        if choice == "type":
            edits[entry] = lift_logins(list_, _cleaned(value))
        elif row.pk in before:
            edits[entry] = _merged(before[row.pk], row.proposed)
    if edits := {entry: wanted for entry, wanted in edits.items() if wanted}:
        plan = plan_act(list_, Act(edits=edits), at=timezone.now(), by=by)
        version = publish(plan, kind=Version.Kind.DECISION, by=by, summary=f"Changes of {source}") or version
    ids = {row.pk for row in taken}
    for row in rows:
        row.after = _after(row, edits) if row.pk in ids else row.before
        close(row, by=by, choice=choice, refused=row.pk not in ids)
        audit(by, "decided", row, list_=list_, before=row.before, after=row.after, version=version)
    entries = [row for row in rows if row.kind in OF_ENTRIES]
    settle_proposal(
        source, taken=sum(row.pk in ids for row in entries), kept=sum(row.pk not in ids for row in entries), by=by
    )
    return version


def _is_taken(row: Conflict, choice: str, *, alone: bool) -> bool:
    if choice in ("keep", "take", "type"):
        return choice != "keep"
    if row.kind == Kind.RESTRUCTURE:
        return alone
    if choice == "merge":
        # Two names of a list cannot be united, and nothing is united with what is gone.
        return row.kind in (Kind.ADDED, Kind.MODIFIED)
    if row.kind == Kind.ADDED:
        return True
    if choice == "newest":
        return row.options[0]["at"] > _said_at(row)
    if row.kind == Kind.REMOVED or row.entry is None:
        return row.kind == Kind.METADATA and (row.confidence or 0) > 0.5
    shown = row.entry.values
    return not _by_hand(row) and of_record({**shown, **row.proposed}) >= of_record(shown)


def _by_hand(row: Conflict) -> bool:
    return Edit.objects.filter(entry=row.entry_id, field__in=list(row.proposed), firm=True).exists()


def _said_at(row: Conflict) -> int:
    """When a person last wrote the fields in question, epoch seconds; the source's own word before is older anyway."""
    last = Edit.objects.filter(entry=row.entry_id, field__in=[*row.proposed, "presence"]).order_by("-made_at").first()
    return int(last.made_at.timestamp()) if last and row.entry_id else 0


def _standing(row: Conflict) -> dict[str, Any]:
    shown = row.entry.values if isinstance(row.entry, Entry) else {}
    return {name: shown.get(name) for name in row.proposed}


def _merged(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What a person's edit has to hold, so that only gaps are filled, names go on, and lists are united."""
    held: dict[str, Any] = {}
    for name, new in after.items():
        old: Any = before.get(name)
        if old in EMPTY:
            continue
        if name in FIELDS and FIELDS[name].type == "list":
            words: dict[str, str] = {}
            for word in (*old, *(new or [])):
                words.setdefault(fold(word), word)
            held[name] = list(words.values())
        elif new in EMPTY or of_field(name, old, new) < CONTINUED or len(str(new)) < len(str(old)):
            held[name] = old
    return held


def _entry_of(row: Conflict) -> int | None:
    """The entry that a new play became."""
    entries = Claim.objects.filter(source=row.source, entry__list=row.list).order_by("-id")
    said = row.proposed
    found = entries.filter(entry__title=said.get("title") or "ID", entry__artist=said.get("artist") or "")
    return found.values_list("entry_id", flat=True).first()


def _after(row: Conflict, edits: Mapping[int, Mapping[str, Any]]) -> Any:
    if row.kind == Kind.REMOVED:
        return None
    held = edits.get(row.entry_id or 0, {})
    return {**row.proposed, **{name: value for name, value in held.items() if name in row.proposed or not row.before}}


def close(row: Conflict, *, by: Any, choice: str, refused: bool, state: str = Conflict.State.DECIDED) -> None:
    """refused: the source goes on saying so, and nobody is asked again."""
    row.state, row.choice, row.decided_by, row.decided_at = state, choice, by, timezone.now()
    if not refused:
        row.subject = ""
    row.save()


def _take(source: Source, list_: MediaList, taken: Collection[Conflict], *, by: Any) -> Version | None:
    """Let changes happen: all of them if the question about all is among them. The fetch is compared anew with what the
    list shows by now. Raises NotWaiting if it is not there any more."""
    facts = {name: said for row in taken if row.kind == Kind.METADATA for name, said in row.proposed.items()}
    subjects = {row.subject for row in taken if row.kind in OF_ENTRIES}
    everything = any(row.kind == Kind.RESTRUCTURE for row in taken)
    summary = f"Changes of {source}"
    if not (subjects or everything):
        plan = plan_refold(list_, at=timezone.now(), entries=[])
        plan.facts = {**list_.facts, **facts}
        return publish(plan, kind=Version.Kind.DECISION, by=by, summary=summary)
    proposal = open_proposal(source)
    if proposal is None or proposal.body is None:
        raise NotWaiting("A newer answer of the source has settled this. Nothing was changed.")
    # The list is not what the source's last accepted answer made of it: nobody may take an answer for known by that.
    Source.objects.filter(pk=source.pk).update(body_digest=None, etag="", last_modified="")
    rows, how = unpack(zlib.decompress(bytes(proposal.body)))
    plan = plan_sync(list_, source, rows, how, at=timezone.now(), create=True)
    plan.missing = []  # what it lacked is counted by the source's next answer, however often this one is planned
    refused = refused_of(source)
    changes = changes_of(plan)
    dropped = [c for c in changes if c.subject in refused or not (everything or c.subject in subjects)]
    without(plan, dropped)
    if facts:
        plan.facts = {**(plan.facts or list_.facts), **facts}
    if not dropped:
        hold_removals(source, plan, complete=plan.may_remove, run=proposal.result.get("run") or 0)
    return publish(plan, kind=Version.Kind.DECISION, by=by, summary=summary)


def settle_proposal(source: Source, *, taken: int, kept: int, by: Any) -> None:
    """Count what was decided; the proposal ends with the last of its questions."""
    proposal = open_proposal(source)
    if proposal is None:
        return
    result = proposal.result
    result |= {"taken": result.get("taken", 0) + taken, "kept": result.get("kept", 0) + kept}
    waiting = Conflict.objects.filter(source=source, state__in=Conflict.WAITING)
    alone = result["added"] + result["changed"] + result["removed"] > MOST
    if waiting.filter(kind__in=[Kind.RESTRUCTURE] if alone else OF_ENTRIES).exists():
        proposal.save(update_fields=["result"])
        return
    for row in waiting.filter(kind=Kind.RESTRUCTURE):
        row.state = Conflict.State.WITHDRAWN
        row.save()
    if alone:
        whole = Conflict.objects.filter(source=source, kind=Kind.RESTRUCTURE, state=Conflict.State.DECIDED)
        last = whole.order_by("-decided_at").first()
        count = result["added"] + result["changed"] + result["removed"]
        result["taken" if last is not None and not last.subject else "kept"] = count
    end(proposal, Proposal.State.CONFIRMED if result["taken"] else Proposal.State.KEPT, by=by)
