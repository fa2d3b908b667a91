"""What people do to entries: change, give back, remove, restore, add, move."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.utils import timezone

from lists import versions, writer
from lists.acts import Act, ActPlanner, Addition, plan_act
from lists.audit import audit
from lists.errors import AlreadyListed, NotListed, TooLate, Unfit
from lists.fields import FIELDS, clean
from lists.filters import is_filtered
from lists.match import Match, Matcher
from lists.models import Entry, Item, MediaList, Version
from lists.placing import FIELDS as ORDER_FIELDS
from lists.plan import Plan
from lists.reader import EntryReader
from lists.records import Record
from lists.resolve import ABSENT, PRESENCE, PRESENT
from lists.services._writing import changes_list, described, locked, of_list, publish
from lists.services.logins import lift_logins
from lists.titles import name_key


@changes_list
def edit_entries(
    list_: MediaList, changes: Mapping[int, Mapping[str, Any]], *, by: Any, seen: int | None = None
) -> Version | None:
    """Say what fields show, whatever sources say. changes: entry -> field -> value; None or "" shows nothing.

    seen: number of the version that the person looked at. Raises TooLate if one of these fields was changed since,
    Unfit for a value that a field cannot hold, NotThere for an entry of another list.
    """
    list_ = locked(list_)
    entries = of_list(list_, changes)
    _check_seen(list_, {pk: set(values) for pk, values in changes.items()}, seen)
    address = {entry.pk: entry.values.get("address", "") for entry in entries}
    act = Act(edits={pk: lift_logins(list_, _cleaned(values), at=address[pk]) for pk, values in changes.items()})
    names = sorted({name for values in act.edits.values() for name in values})
    what = FIELDS[names[0]].label if len(names) == 1 else f"{len(names)} fields"
    return _do(list_, act, by=by, action="edited", entries=entries, summary=f"{what} of {described(entries)}")


def _cleaned(values: Mapping[str, Any]) -> dict[str, Any]:
    cleaned: dict[str, Any] = {}
    for name, value in values.items():
        if name not in FIELDS:
            raise Unfit(f"There is no field called {name}. Nothing was changed.")
        empty = value is None or value == "" or value == []
        if name == "title" and (empty or not str(value).strip()):
            raise Unfit("An entry needs a title. Nothing was changed.")
        try:
            cleaned[name] = None if empty else clean({name: value}).get(name)
        except ValueError as e:
            raise Unfit(f"{e} Nothing was changed.") from None
        if not empty and cleaned[name] is None:
            raise Unfit(f"{FIELDS[name].label} cannot be {str(value)[:40]!r}. Nothing was changed.")
    return cleaned


@changes_list
def give_back(list_: MediaList, fields: Mapping[int, Collection[str]], *, by: Any) -> Version | None:
    """End edits: the sources speak again. Raises Unfit for a title that nobody else names."""
    list_ = locked(list_)
    entries = of_list(list_, fields)
    act = Act(given_back=dict(fields))
    return _do(list_, act, by=by, action="gave back", entries=entries, summary=f"Given back: {described(entries)}")


@changes_list
def remove_entries(list_: MediaList, entries: Collection[int], *, by: Any, seen: int | None = None) -> Version | None:
    """Take entries off the list; they stay off whatever their sources say.

    Raises NotListed if somebody removed all of them meanwhile.
    """
    list_ = locked(list_)
    found = of_list(list_, entries)
    _check_seen(list_, {pk: {PRESENCE} for pk in entries}, seen)
    standing = [entry for entry in found if entry.state != Entry.State.REMOVED]
    if not standing:
        raise NotListed(f"{described(found).capitalize()}: not on the list any more. Nothing was changed.")
    act = Act(edits={entry.pk: {PRESENCE: ABSENT} for entry in standing})
    return _do(list_, act, by=by, action="removed", entries=standing, summary=f"Removed {described(standing)}")


@changes_list
def restore_entries(list_: MediaList, entries: Collection[int], *, by: Any) -> Version | None:
    """Put entries back; they stay, whatever their sources say, with the values last shown where no source speaks. One that
    a filter keeps out is let in."""
    list_ = locked(list_)
    found = of_list(list_, entries)
    back = [entry for entry in found if entry.state == Entry.State.REMOVED or is_filtered(entry.reason)]
    act = Act(edits={entry.pk: {PRESENCE: PRESENT} for entry in back})
    if not back:
        return None
    return _do(list_, act, by=by, action="put back", entries=back, summary=f"Put back {described(back)}")


def add_entry(
    list_: MediaList, *, by: Any, values: Mapping[str, Any], kind: str = Item.Kind.MOVIE,
    ids: Mapping[str, str] | None = None, item: Item | None = None,
) -> Entry:  # fmt: skip
    """Add an entry by hand; it stays whatever sources say. One that was removed is put back as it was.

    values: field -> value, a title at least. ids: namespace -> value. item: who it is, where that is known. Raises
    AlreadyListed, Unfit.
    """
    cleaned = {name: value for name, value in _cleaned(values).items() if value is not None}
    if "title" not in cleaned and not (list_.content == MediaList.Content.TRACKS and cleaned.get("artist")):
        raise Unfit("An entry needs a title. Nothing was added.")
    if kind not in Item.Kind.values:
        raise Unfit(f"{kind!r} is no kind of thing that a list can hold. Nothing was added.")
    addition = Addition(cleaned, kind, _match_of(cleaned, kind, dict(ids or {}), item), dict(ids or {}))
    return _add(list_, addition, by=by)


def _match_of(values: dict[str, Any], kind: str, ids: dict[str, str], item: Item | None) -> Match:
    if item is not None:
        return Match(item.pk, root=item.root_id)
    key = name_key(values.get("title", ""), values.get("year"), values.get("artist", ""))
    return Matcher(create=True).match([Record(key, kind, values, ids)])[0]


@changes_list
def _add(list_: MediaList, addition: Addition, *, by: Any) -> Entry:
    list_ = locked(list_)
    addition = replace(addition, values=lift_logins(list_, addition.values))
    there = _standing(list_, addition)
    if there is not None:
        if there.state == Entry.State.LISTED:
            raise AlreadyListed(f"{there} is on the list already. Nothing was added.", there)
        act = Act(edits={there.pk: {PRESENCE: PRESENT}})
        _do(list_, act, by=by, action="put back", entries=[there], summary=f"Put back {described([there])}")
        there.refresh_from_db()
        return there
    planner = ActPlanner(list_, at=timezone.now(), by=by)
    plan = planner.act(Act(added=[addition]))
    title = addition.values.get("title") or addition.values["artist"]
    version = publish(plan, kind=Version.Kind.EDIT, by=by, summary=f"Added “{title}”"[:300])
    entry = Entry.objects.filter(list=list_).order_by("-id")[0]
    audit(
        by,
        "added",
        entry,
        after={**addition.values, **({"ids": addition.ids} if addition.ids else {})},
        version=version,
    )
    return entry


def _standing(list_: MediaList, addition: Addition) -> Entry | None:
    """The entry of this list that shows the thing, or did; a set may play a track twice."""
    if not list_.once or addition.match.item is None:
        return None
    root = addition.match.root
    found = Entry.objects.filter(list=list_).annotate(root=EntryReader.root).filter(root=root).order_by("id")
    return found.first()


@changes_list
def move_entries(list_: MediaList, entries: Sequence[int], *, by: Any, place: int) -> Version | None:
    """Entries stand, in this order, from a place on (1-based). The order becomes the list's own."""
    list_ = locked(list_)
    found = of_list(list_, entries)
    placed = Entry.objects.filter(list=list_).exclude(state=Entry.State.REMOVED).order_by("rank", "id")
    rows = list(placed.values_list("id", "state"))
    moving = list(dict.fromkeys(entries))
    if not set(moving) <= {pk for pk, state in rows if state == Entry.State.LISTED}:
        raise NotListed("Only what is on the list can be moved. Nothing was changed.")
    rest = [(pk, state) for pk, state in rows if pk not in set(moving)]
    order = _inserted(rest, moving, place)
    act = Act(order=order, mode=(MediaList.OrderMode.HAND, ""))
    summary = f"Moved {described(found)} to place {place}"
    return _do(list_, act, by=by, action="moved", entries=found, summary=summary, after={"place": place})


def _inserted(rest: Sequence[tuple[int, str]], moving: list[int], place: int) -> list[int]:
    """Listed places are counted; what is kept out has its place between them."""
    order: list[int] = []
    listed = 0
    for pk, state in rest:
        if listed == max(place, 1) - 1 and moving and state == Entry.State.LISTED:
            order, moving = [*order, *moving], []
        order.append(pk)
        listed += state == Entry.State.LISTED
    return [*order, *moving]


@changes_list
def set_order(list_: MediaList, *, by: Any, mode: str, field: str = "") -> Version | None:
    """How the list is ordered: as its sources say, by a field (title, year, rating, added), or by hand."""
    list_ = locked(list_)
    if mode not in MediaList.OrderMode.values or (mode == MediaList.OrderMode.FIELD) != (field in ORDER_FIELDS):
        raise Unfit(
            "A list is ordered as its sources say, by title, year, rating or date, or by hand. Nothing was changed."
        )
    before = {"mode": list_.order_mode, "field": list_.order_field}
    plan = plan_act(list_, Act(mode=(mode, field)), at=timezone.now(), by=by)
    version = publish(plan, kind=Version.Kind.EDIT, by=by, summary="Another order")
    if version is not None:
        audit(by, "ordered", list_, before=before, after={"mode": mode, "field": field}, version=version)
    return version


@changes_list
def act_on(
    list_: MediaList, act: Act, *, by: Any, summary: str, before_commit: Callable[[Plan, Version | None], None],
    seen: int | None = None,
) -> Version | None:  # fmt: skip
    """Publish many acts at once, as one version: an export of ours that was edited and read back.

    before_commit runs in the same transaction, with what was counted. seen: as in edit_entries.
    """
    list_ = locked(list_)
    _check_seen(list_, {pk: set(values) for pk, values in act.edits.items()}, seen)
    plan = plan_act(list_, act, at=timezone.now(), by=by)
    try:
        version = writer.publish(
            plan, kind=Version.Kind.EDIT, author=by, summary=summary,
            before_commit=lambda version: before_commit(plan, version),
        )  # fmt: skip
    finally:
        plan.close()
    if version is not None:
        counts = {name: getattr(plan.counts, name) for name in ("added", "removed", "changed", "moved")}
        audit(by, "edited", list_, after=counts, version=version)
    return version


# -- what they share --------------------------------------------------------------------------------------------------


def _do(
    list_: MediaList, act: Act, *, by: Any, action: str, entries: Sequence[Entry], summary: str,
    after: dict[str, Any] | None = None,
) -> Version | None:  # fmt: skip
    """Publish an act and write down what each entry was and is."""
    plan = plan_act(list_, act, at=timezone.now(), by=by)
    version = publish(plan, kind=Version.Kind.EDIT, by=by, summary=summary)
    if version is None:
        return None
    now = Entry.objects.defer("search").in_bulk([entry.pk for entry in entries[:AUDITED]])
    for entry in entries[:AUDITED]:
        names = set(act.edits.get(entry.pk, ())) | set(act.given_back.get(entry.pk, ()))
        audit(
            by, action, entry, before=_said(entry, names), after=after or _said(now[entry.pk], names), version=version
        )
    if len(entries) > AUDITED:
        audit(by, action, list_, after={"entries": len(entries)}, version=version)
    return version


AUDITED = 100  # entries of one act that get an audit row of their own; the version names the rest


def _said(entry: Entry, names: Iterable[str]) -> dict[str, Any]:
    return {name: entry.state if name == PRESENCE else entry.values.get(name) for name in sorted(names)}


def _check_seen(list_: MediaList, wanted: Mapping[int, Collection[str]], seen: int | None) -> None:
    """Raises TooLate if one of the fields has another value, or another person's edit, than at the version seen."""
    if seen is None or (list_.current is not None and list_.current.number == seen):
        return
    version = list_.versions.filter(number=seen).first()
    if version is None:
        raise TooLate("The list has no such version. Nothing was changed. Look at what stands now.")
    then = versions.last_rows(version, wanted)
    later = versions.HistoricalEdit.objects.filter(entry__in=list(wanted), version__gt=version.pk)
    edited = {(entry, name): who for entry, name, who in later.values_list("entry_id", "field", "author_name")}
    for entry in of_list(list_, wanted):
        row = then.get(entry.pk)
        for name in wanted[entry.pk]:
            who = edited.get((entry.pk, name))
            if who is None and row is not None and _as_then(entry, row, name):
                continue
            by = f" by {who}" if who else ""
            raise TooLate(
                f"“{entry.title}” was changed{by} since you looked at version {seen}. Nothing was saved. "
                "Look at what stands now and change it again if you still want to."
            )


def _as_then(entry: Entry, row: Any, name: str) -> bool:
    if name == PRESENCE:
        return (row.history_type != "-") == (entry.state == Entry.State.LISTED)
    return versions.values_of(row).get(name) == entry.values.get(name)
