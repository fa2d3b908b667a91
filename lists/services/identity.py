"""Who is who: which item a record means, two items that are one thing, and one that is two after all."""

import re
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from lists import search
from lists.acts import ActPlanner
from lists.audit import audit
from lists.errors import AlreadyListed, NotThere, NotYours, Unfit
from lists.match import Match, insert_items
from lists.models import Claim, Conflict, Decision, Entry, ExternalId, Item, MediaList, Source, Version
from lists.records import Record
from lists.services import _writing
from lists.titles import fold

FOUND = 20


@_writing.changes_list
def pick(list_: MediaList, claims: Iterable[int], item: Item | None, *, by: Any) -> Version | None:
    """What these claims of one entry list is `item` (None: a thing of its own), and stays so whatever comes.

    Raises NotThere for claims of another list, AlreadyListed where the list shows that item already and the claims are the
    list's own. None if no reader sees a difference.
    """
    list_ = _writing.locked(list_)
    found = list(
        Claim.objects.filter(pk__in=list(claims), entry__list=list_).select_related("source", "entry__item")
    )  # fmt: skip
    if not found or len({claim.entry_id for claim in found}) != 1:
        raise NotThere("These are no records of one entry. Nothing was changed.")
    entry = found[0].entry
    before = {"item": str(entry.item) if entry.item else None, "id": entry.item_id}
    once_one = _others_of(entry)
    item = item or _own_item(entry)
    root = item.root_id or item.pk
    there = Entry.objects.filter(list=list_, item=item).exclude(pk=entry.pk).first() if list_.once else None
    if there is not None and any(claim.source.role != Source.Role.FEED for claim in found):
        raise AlreadyListed(f"{there} is on the list already; remove one of the two. Nothing was changed.", there)
    for claim in found:
        Decision.objects.update_or_create(
            source=claim.source, key=claim.key,
            defaults={"item": item, "decided_by": by, "decided_by_name": by.get_username()},
        )  # fmt: skip
    _answered(entry, item, by)
    planner = ActPlanner(list_, at=timezone.now(), by=by)
    plan = planner.pick({claim.pk: claim.entry_id for claim in found}, Match(item.pk, root=root))
    version = _writing.publish(plan, kind=Version.Kind.DECISION, by=by, summary=f"“{entry.title}” is {item}")
    if once_one:
        _writing.owe({list_.pk: once_one}, kind=Version.Kind.MERGE, reason=f"“{entry.title}” is another thing")
    _writing.settle_due(list_, by=by)  # what it is may stand on the list already, as another entry
    after = {"item": str(item), "id": item.pk}
    audit(by, "matched", entry, before=before, after=after, version=version)
    return version


def _others_of(entry: Entry) -> set[int]:
    """Entries of its list that were one thing with it: they may have to show themselves without it."""
    if entry.item is None:
        return set()
    root = entry.item.root_id or entry.item.pk
    same = Entry.objects.filter(Q(item=root) | Q(item__root=root), list=entry.list_id).exclude(pk=entry.pk)
    return set(same.values_list("pk", flat=True))


def _own_item(entry: Entry) -> Item:
    """A new item of what the entry shows."""
    values = {name: value for name, value in entry.values.items() if name in ("title", "year", "artist")}
    return Item.objects.get(pk=insert_items([Record(key=entry.title, kind=entry.kind, values=values)])[0])


def _answered(entry: Entry, item: Item, by: Any) -> None:
    """The question which thing it is, if it was asked, is answered by this."""
    for conflict in entry.conflicts.exclude(kind=Conflict.Kind.FIELD).filter(state__in=Conflict.WAITING):
        conflict.state, conflict.decided_by, conflict.decided_at = Conflict.State.DECIDED, by, timezone.now()
        conflict.before, conflict.after = {"item": entry.item_id}, {"item": item.pk}
        conflict.save()


def merge_items(item: Item, into: Item, *, by: Any) -> None:
    """Two items are one thing. Every list that shows either follows: the person's own now, others' at their next write.

    Nothing is rewritten but the link, so that split_item restores what was. Raises NotYours, Unfit.
    """
    with transaction.atomic():
        MediaList.objects.alone()
        owing = _merge(item, into, by)
    _writing.settle_own(owing, by=by)


def _merge(item: Item, into: Item, by: Any) -> Iterable[int]:
    """Lists that owe something by it."""
    item, into = _locked(item, into)
    if item.root_id is not None:
        item, into = _locked(Item(pk=item.root_id), into)
    if item.pk == (into.root_id or into.pk):
        raise Unfit("They are the same already. Nothing was changed.")
    if not may_identify(by, item, into):
        raise NotYours("One of them stands on lists of others, so only staff can merge them. Nothing was changed.")
    item.merged_into = into
    root = into.root_id or into.pk
    _set_roots(item, root)
    audit(by, "merged", item, before={"id": item.pk}, after={"into": str(into), "id": into.pk})
    return _owe([root], reason=f"{item} and {into} are the same thing")


def split_item(item: Item, *, by: Any) -> None:
    """What was merged is two things after all; everything is as it was before. Raises NotYours, Unfit."""
    with transaction.atomic():
        MediaList.objects.alone()
        owing = _split(item, by)
    _writing.settle_own(owing, by=by)


def _split(item: Item, by: Any) -> Iterable[int]:
    """Lists that owe something by it."""
    [item] = _locked(item)
    if item.merged_into_id is None:
        raise Unfit("It was not merged with anything. Nothing was changed.")
    into = item.merged_into
    assert into is not None
    if not may_identify(by, item, into):
        raise NotYours("One of them stands on lists of others, so only staff can part them. Nothing was changed.")
    root = item.root_id or item.pk
    item.merged_into = None
    _set_roots(item, None)
    Decision.objects.create(item=item, other=into, decided_by=by, decided_by_name=by.get_username())
    audit(by, "split", item, before={"into": str(into), "id": into.pk}, after={"id": item.pk})
    return _owe([root, item.pk], reason=f"{item} and {into} are two things")


def _locked(*items: Item) -> list[Item]:
    """The items with their rows locked, always in the order of their ids: two merges at once do not block each other."""
    rows = Item.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=[item.pk for item in items])
    found = {item.pk: item for item in rows.order_by("pk")}
    return [found[item.pk] for item in items]


def _set_roots(item: Item, root: int | None) -> None:
    """Where merges end, for an item and all that were merged into it."""
    item.root_id = root
    item.save()
    below = [item.pk]
    while below:
        merged = list(Item.objects.filter(merged_into__in=below))
        for each in merged:
            each.root_id = root or item.pk
            each.save()
        below = [each.pk for each in merged]


def _family(root: int) -> list[int]:
    return list(Item.objects.filter(Q(pk=root) | Q(root=root)).values_list("id", flat=True))


def _owe(roots: list[int], *, reason: str) -> Iterable[int]:
    """Every list that shows one of these owes a look at them, all in one."""
    entries: dict[int, Any] = {}
    family = [pk for root in roots for pk in _family(root)]
    rows = Entry.objects.filter(item__in=family, once=True).values_list("list_id", "id")
    for list_id, pk in rows:
        entries.setdefault(list_id, set()).add(pk)
    _writing.owe(entries, kind=Version.Kind.MERGE, reason=reason)
    return entries


def may_identify(user: Any, *items: Item) -> bool:
    """Staff, or who owns every list that these items are on."""
    if user.is_staff:
        return True
    families = [pk for item in items for pk in _family(item.root_id or item.pk)]
    return not Entry.objects.filter(item__in=families).exclude(list__owner=user).exists()


def find_items(text: str, *, user: Any, kind: str = "") -> list[Item]:
    """Things that a person may mean: by an id (tt0113277, movie/949, tmdb:movie/949) or a part of the title.

    What has no public id is found only by who sees a list that it is on: it may come out of somebody's own file.
    """
    text = text.replace("\x00", "").strip()[:200]
    items = Item.objects.for_user(user).filter(root__isnull=True)
    if kind:
        items = items.filter(kind=kind)
    if not text:
        return []
    if re.fullmatch(r"tt\d+|[\w-]+[:/]\S+", text):
        namespace, colon, value = text.partition(":")
        named = ExternalId.objects.filter(value=value or text)
        if colon:
            named = named.filter(namespace=namespace)
        roots = {root or pk for pk, root in named.values_list("item_id", "item__root_id")[:FOUND]}
        return list(items.filter(pk__in=roots).order_by("id"))
    called = search.items(items, text)
    found = list(called.filter(name__startswith=fold(text)).order_by("name", "year", "id")[:FOUND])
    if len(found) < FOUND:
        more = called.exclude(pk__in=[item.pk for item in found])
        found += more.order_by("name", "year", "id")[: FOUND - len(found)]
    return found
