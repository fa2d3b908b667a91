"""Questions that wait for a person: decided field by field or many at once, or skipped."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from lists.acts import Act, plan_act
from lists.audit import audit
from lists.confidence import of_record
from lists.errors import NotThere, NotWaiting, NotYours, Unfit
from lists.fields import FIELDS
from lists.models import Claim, Conflict, Edit, Entry, Item, MediaList, Version
from lists.resolve import EMPTY
from lists.services import identity
from lists.services._writing import described, locked, publish, settle_before
from lists.services.hand import _cleaned
from lists.services.logins import lift_logins
from lists.services.taking import OF_ENTRIES, close, decide_changes, settle_proposal
from lists.titles import fold

CHOICES = ("keep", "take", "type", "merge", "newest", "confidence")
IDENTITY = (Conflict.Kind.MATCH, Conflict.Kind.IDS)


def decide(
    conflicts: Iterable[Conflict], *, by: Any, choice: str, value: Any = None, source: int | None = None
) -> list[Version]:
    """Answer questions about fields and about changes that wait, all in the same way; the last version of each list.

    choice: keep (what the list shows), take (the word of `source`; None: what is recommended; of a change what it
    brings), type (`value`), merge (lists of words united), newest, confidence (whatever is newer, or surer).
    Raises NotWaiting if one was decided meanwhile, Unfit for an answer that does not fit.
    """
    if choice not in CHOICES:
        raise Unfit(f"A question is answered by {', '.join(CHOICES[:-1])} or {CHOICES[-1]}. Nothing was changed.")
    by_list: dict[int, list[int]] = {}
    for conflict in conflicts:
        by_list.setdefault(conflict.list_id, []).append(conflict.pk)
    made = []
    for list_ in MediaList.objects.filter(pk__in=by_list):
        settle_before(list_)
    with transaction.atomic():
        for list_id, pks in sorted(by_list.items()):
            list_ = locked(MediaList.objects.get(pk=list_id))
            found = _waiting(pks)
            changes = [conflict for conflict in found if conflict.source_id is not None]
            fields = [conflict for conflict in found if conflict.source_id is None]
            version = decide_changes(list_, changes, by=by, choice=choice, value=value) if changes else None
            if changes:
                list_.refresh_from_db()
            if fields:
                version = _decide(list_, fields, by, choice, value, source) or version
            if version is not None:
                made.append(version)
    return made


def _waiting(pks: Sequence[int]) -> list[Conflict]:
    found = list(
        Conflict.objects.select_for_update(of=("self",))
        .select_related("entry", "source", "list")
        .filter(pk__in=pks)
        .order_by("id")
    )
    if any(conflict.state not in Conflict.WAITING for conflict in found) or len(found) < len(set(pks)):
        raise NotWaiting("This question is decided already. Nothing was changed.")
    return found


def _decide(
    list_: MediaList, conflicts: Sequence[Conflict], by: Any, choice: str, value: Any, source: int | None
) -> Version | None:
    edits: dict[int, dict[str, Any]] = {}
    for conflict in conflicts:
        if conflict.kind != Conflict.Kind.FIELD or conflict.entry is None:
            raise Unfit("Which thing it is is decided one by one. Nothing was changed.")
        shown = conflict.entry.values.get(conflict.field)
        answer = _answer(conflict, shown, choice, value, source)
        edits.setdefault(conflict.entry_id or 0, {})[conflict.field] = None if answer in EMPTY else answer
        conflict.before, conflict.after = shown, answer
        _close(conflict, by, choice)
    entries = list({conflict.entry_id: conflict.entry for conflict in conflicts if conflict.entry}.values())
    plan = plan_act(list_, Act(edits=edits), at=timezone.now(), by=by)
    version = publish(plan, kind=Version.Kind.DECISION, by=by, summary=f"Decided: {described(entries)}")
    for conflict in conflicts:
        audit(
            by, "decided", conflict, list_=list_, before={conflict.field: conflict.before},
            after={conflict.field: conflict.after}, version=version,
        )  # fmt: skip
    return version


def _answer(conflict: Conflict, shown: Any, choice: str, value: Any, source: int | None) -> Any:
    if choice == "keep":
        return shown
    if choice == "type":
        return lift_logins(conflict.list, _cleaned({conflict.field: value}))[conflict.field]
    if choice == "merge":
        return _united(conflict, shown)
    if choice in ("newest", "confidence"):
        return _best(conflict, shown, choice)
    recommended = conflict.recommendation or {}
    if source is None:
        return shown if recommended.get("choice") != "take" else recommended.get("value")
    for option in conflict.options:
        if str(option["source"]) == str(source):
            return option["value"]
    raise NotThere("This source is not one of those that differ. Nothing was changed.")


def _best(conflict: Conflict, shown: Any, choice: str) -> Any:
    """What was said last, or by whom is surest; what is shown stands where nothing beats it. A person is sure."""
    assert conflict.entry is not None  # asked of questions about fields
    edit = Edit.objects.filter(entry=conflict.entry, field=conflict.field).first()
    claims = {claim.source_id: claim for claim in Claim.objects.filter(entry=conflict.entry)}
    origin = conflict.entry.origin_of(conflict.field)

    def weight(source: Any, at: int) -> float:
        if choice == "newest":
            return at
        return of_record(claims[source].values) if source in claims else 0

    best = [(weight(option["source"], option["at"]), option["value"]) for option in conflict.options]
    top = max(best, key=lambda pair: pair[0], default=(0, shown))
    if edit is not None:
        now = edit.made_at.timestamp() if choice == "newest" else 100
    else:
        now = next((weight(o["source"], o["at"]) for o in conflict.options if o["source"] == origin), 0)
    return top[1] if top[0] > now else shown


def _united(conflict: Conflict, shown: Any) -> list[str]:
    if FIELDS[conflict.field].type != "list":
        raise Unfit(f"{FIELDS[conflict.field].label} cannot be merged: it holds one value. Nothing was changed.")
    united: dict[str, str] = {}
    for words in (shown or [], *(option["value"] or [] for option in conflict.options)):
        for word in words:
            united.setdefault(fold(word), word)
    return list(united.values())


def _close(conflict: Conflict, by: Any, choice: str) -> None:
    conflict.state, conflict.decided_by, conflict.decided_at = Conflict.State.DECIDED, by, timezone.now()
    conflict.choice = choice
    conflict.save()


def decide_identity(conflict: Conflict, *, by: Any, item: int | None, same: bool = False) -> Version | None:
    """Answer which thing an entry is: one of the options, or (None) a thing of its own. same: the ids name one thing, so
    the options are merged into `item`, or the first.

    Raises NotWaiting, NotThere for an item that is no option, NotYours if the person may not merge them.
    """
    settle_before(conflict.list)
    with transaction.atomic():
        if same:
            MediaList.objects.alone()
        list_ = locked(conflict.list)
        [conflict] = _waiting([conflict.pk])
        options = [option["item"] for option in conflict.options]
        if conflict.kind not in IDENTITY or conflict.entry is None:
            raise Unfit("This question is not about who something is. Nothing was changed.")
        if item is not None and item not in options:
            raise NotThere("This thing is not one of those in question. Nothing was changed.")
        conflict.before = {"item": conflict.entry.item_id}
        conflict.after = {"item": item, "same": same}
        _close(conflict, by, "same" if same else "pick")
        if same:
            _merge(options, into=item, by=by)
            item = item or options[0]
        claims = Claim.objects.filter(entry=conflict.entry)
        feeds = claims.filter(source__role="feed", source__removed_at=None)
        if not feeds.exists():
            feeds = claims  # its source is gone; what it said last still names the entry
        picked = Item.objects.get(pk=item) if item is not None else None
        return identity.pick(list_, feeds.values_list("id", flat=True), picked, by=by)


def _merge(options: Sequence[int], *, into: int | None, by: Any) -> None:
    items = list(Item.objects.filter(pk__in=options).order_by("id"))
    if len(items) < 2:
        return
    if not identity.may_identify(by, *items):
        raise NotYours("One of them stands on lists of others, so only staff can merge them. Nothing was changed.")
    target = next((item for item in items if item.pk == into), items[0])
    for item in items:
        if item.pk != target.pk and (item.root_id or item.pk) != (target.root_id or target.pk):
            identity.merge_items(item, target, by=by)


@transaction.atomic
def skip(conflicts: Iterable[Conflict], *, by: Any) -> int:
    """Hide questions until a source's word changes; returns how many."""
    pks = [conflict.pk for conflict in conflicts]
    found = _waiting(pks)
    for conflict in found:
        if conflict.state == Conflict.State.OPEN:
            conflict.state = Conflict.State.SKIPPED
            conflict.save()
            audit(by, "skipped", conflict, list_=conflict.list, before={"state": "open"}, after={"state": "skipped"})
    return len(found)


def _lapse(conflict: Conflict) -> None:
    if conflict.source is not None:
        after = conflict.after = conflict.before
    else:
        shown = conflict.entry.values.get(conflict.field) if isinstance(conflict.entry, Entry) else None
        conflict.after, after = shown, {conflict.field: shown}
    close(conflict, by=None, choice="keep", refused=True, state=Conflict.State.EXPIRED)
    if conflict.source is not None:
        settle_proposal(conflict.source, taken=0, kept=conflict.kind in OF_ENTRIES, by=None)
    audit(
        None,
        "closed at its deadline",
        conflict,
        list_=conflict.list,
        before=conflict.before if conflict.source else None,
        after=after,
    )


def close_lapsed(*, at: Any = None) -> int:
    """Close questions whose deadline has passed in favour of what the list shows; returns how many."""
    lapsed = Conflict.objects.filter(state__in=Conflict.WAITING, deadline__lt=at or timezone.now())
    closed = 0
    for pk in list(lapsed.order_by("id").values_list("pk", flat=True)[:1000]):
        with transaction.atomic():
            # Looked at again under its lock: somebody may have decided it meanwhile.
            conflict = (
                lapsed.select_for_update(of=("self",)).select_related("entry", "list", "source").filter(pk=pk).first()
            )
            if conflict is None:
                continue
            _lapse(conflict)
        closed += 1
    return closed
