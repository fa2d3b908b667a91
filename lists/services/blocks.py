"""What must not come: by item, by id, by title; for one list, for all of a person's, or for every list."""

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import JSONField, Q, QuerySet

from lists.audit import audit
from lists.blocking import blocks_of, matches
from lists.errors import NotYours, Unfit
from lists.models import Block, Claim, Entry, ExternalId, Item, MediaList, Version
from lists.services import _writing

SCOPES = {"list": "This list", "mine": "All my lists", "all": "Every list"}
SHOWN = 20
LOOKUPS = frozenset(JSONField().get_lookups())  # words of the ORM: no service is called so

__all__ = [
    "SCOPES",
    "Hits",
    "block",
    "block_entries",
    "blocks_of",
    "may_unblock",
    "unblock",
    "would_hit",
]


@dataclass(frozen=True, slots=True)
class Hits:
    """What a block would keep out of what is listed now. entries: the first 20."""

    count: int
    entries: list[Entry]


def block(
    *, by: Any, scope: str, list_: MediaList | None = None, item: Item | None = None, namespace: str = "",
    value: str = "", pattern: str = "", reason: str = "",
) -> Block:  # fmt: skip
    """Keep something out; what it hits leaves at once, and nothing of it is lost.

    Raises NotYours for a scope that is not the person's, Unfit for what names nothing or stands already.
    """
    made = _checked(by, scope, list_, item=item, namespace=namespace, value=value, pattern=pattern, reason=reason)
    with transaction.atomic():
        owing = _put_up(made, by)
    _follow(made.list, owing, by)
    return made


def _put_up(made: Block, by: Any) -> Iterable[int]:
    """Lists that owe something by it."""
    if made.list is not None:
        made.list = _writing.locked(made.list)
    else:
        MediaList.objects.alone()
    same = Block.objects.filter(
        list=made.list, owner=made.owner, item=made.item, namespace=made.namespace, value=made.value,
        pattern=made.pattern,
    )  # fmt: skip
    if same.exists():
        raise Unfit("That is blocked already. Nothing was changed.")
    made.save()
    affected = _affected(made)
    version = _refold(made, affected, by=by, summary=f"Blocked {made}")
    audit(by, "blocked", made, list_=made.list, after=_said(made), version=version)
    return affected


def block_entries(list_: MediaList, entries: Iterable[int], *, by: Any, scope: str, reason: str = "") -> list[Block]:
    """Keep several entries out at once: each its thing, else the first id that is stated of it, else its title. What is
    blocked already is passed over."""
    only = list_ if scope == "list" else None
    made: list[Block] = []
    owing: set[int] = set()
    with transaction.atomic():
        for entry in Entry.objects.filter(list=list_, pk__in=list(entries)).select_related("item").order_by("id"):
            with suppress(Unfit), transaction.atomic():
                one = _checked(by, scope, only, reason=reason, **_name_of(entry))
                owing.update(_put_up(one, by))
                made.append(one)
    _follow(only, owing, by)
    return made


def _name_of(entry: Entry) -> dict[str, Any]:
    if entry.item is not None:
        return {"item": entry.item}
    stated = sorted({pair for ids in entry.claims.values_list("ids", flat=True) for pair in ids.items()})
    if stated:
        return {"namespace": stated[0][0], "value": stated[0][1]}
    return {"pattern": entry.title[:200]}


def unblock(block: Block, *, by: Any) -> None:
    """Let it come again: what it kept out is back at once, for its sources' words were kept. Raises NotYours."""
    if not may_unblock(block, by):
        raise NotYours("This block is not yours to lift. Nothing was changed.")
    with transaction.atomic():
        owing = _take_down(block, by)
    _follow(block.list, owing, by)


def _take_down(block: Block, by: Any) -> Iterable[int]:
    """Lists that owe something by it."""
    if block.list is not None:
        block.list = _writing.locked(block.list)
    else:
        MediaList.objects.alone()
    before, pk = _said(block), block.pk
    affected = _affected(block)
    block.delete()
    block.pk = pk
    version = _refold(block, affected, by=by, summary=f"No longer blocked: {block}")
    audit(by, "unblocked", block, list_=block.list, before=before, version=version)
    return affected


def may_unblock(block: Block, user: Any) -> bool:
    if user.is_staff:
        return True
    if block.list is not None:
        return block.list.may_edit(user)
    return block.owner_id is not None and block.owner_id == user.pk


def would_hit(
    *, by: Any, scope: str, list_: MediaList | None = None, item: Item | None = None, namespace: str = "",
    value: str = "", pattern: str = "",
) -> Hits:  # fmt: skip
    """What a block would take off lists now; nothing is written. Raises as block does."""
    wanted = _checked(by, scope, list_, item=item, namespace=namespace, value=value, pattern=pattern)
    ids = sorted({pk for entries in _affected(wanted).values() for pk in entries})
    listed: list[int] = []
    for at in range(0, len(ids), 500):
        listed += Entry.objects.filter(pk__in=ids[at : at + 500]).listed().values_list("id", flat=True)
    shown = Entry.objects.select_related("list").filter(pk__in=sorted(listed)[:SHOWN]).order_by("id")
    return Hits(len(listed), list(shown))


def _checked(
    by: Any, scope: str, list_: MediaList | None, *, item: Item | None = None, namespace: str = "", value: str = "",
    pattern: str = "", reason: str = "",
) -> Block:  # fmt: skip
    """The block, not saved."""
    if scope not in SCOPES or (scope == "list") != (list_ is not None and scope == "list"):
        raise Unfit("A block is for one list, for all of yours, or for every list. Nothing was changed.")
    if scope == "list" and list_ is not None and not list_.may_edit(by):
        raise NotYours("You may look at this list but not change it. Nothing was changed.")
    if scope == "all" and not by.is_staff:
        raise NotYours("Only staff can keep something out of every list. Nothing was changed.")
    namespace, value, pattern = namespace.strip()[:40], value.strip()[:200], " ".join(pattern.split())
    if sum((item is not None, bool(namespace and value), bool(pattern))) != 1:
        raise Unfit("A block names one thing, one id with its kind, or one title pattern. Nothing was changed.")
    if namespace and (
        not re.fullmatch(r"[a-z0-9][a-z0-9_:.-]*", namespace) or "__" in namespace or namespace in LOOKUPS
    ):
        raise Unfit("The kind of an id is a short name such as imdb or tmdb. Nothing was changed.")
    if pattern and (len(pattern) > 200 or not any(sign.isalnum() for sign in pattern)):
        raise Unfit("A pattern needs a letter or a digit, or it would keep out everything. Nothing was changed.")
    return Block(
        list=list_ if scope == "list" else None, owner=by if scope == "mine" else None, item=item, created_by=by,
        namespace=namespace if value else "", value=value if namespace else "", pattern=pattern, reason=reason.strip()[:500],
    )  # fmt: skip


def _said(block: Block) -> dict[str, Any]:
    scope = "list" if block.list_id else "mine" if block.owner_id else "all"
    return {"what": str(block), "scope": scope, "reason": block.reason}


def _lists(block: Block) -> QuerySet[MediaList]:
    if block.list_id:
        return MediaList.objects.filter(pk=block.list_id)
    return MediaList.objects.filter(owner=block.owner_id) if block.owner_id else MediaList.objects.all()


def _affected(block: Block) -> dict[int, set[int]]:
    """List -> entries that the block speaks of; what was removed is not looked at."""
    present = Entry.objects.filter(list__in=_lists(block)).exclude(state=Entry.State.REMOVED)
    found: dict[int, set[int]] = {}
    for list_id, pk in _hit(block, present):
        found.setdefault(list_id, set()).add(pk)
    return found


def _hit(block: Block, present: QuerySet[Entry]) -> Iterable[tuple[int, int]]:
    if block.pattern:
        pattern = block.pattern.casefold()
        rows = present.values_list("list_id", "id", "title").iterator(chunk_size=5000)
        return [(list_id, pk) for list_id, pk, title in rows if matches(pattern, title.casefold())]
    if block.item is not None:
        return present.filter(_same(block.item)).values_list("list_id", "id")
    named = ExternalId.objects.select_related("item").filter(namespace=block.namespace, value=block.value).first()
    by_item = present.filter(_same(named.item)).values_list("list_id", "id") if named else []
    # By look-up: through a transform of its own, SQLite takes the value for JSON and fails.
    stating = Claim.objects.filter(**{f"ids__{block.namespace}": block.value}, entry__in=present)
    return [*by_item, *stating.values_list("entry__list_id", "entry_id")]


def _same(item: Item) -> Q:
    root = item.root_id or item.pk
    return Q(item=root) | Q(item__root=root)


def _refold(block: Block, affected: dict[int, set[int]], *, by: Any, summary: str) -> Version | None:
    if block.list is not None:
        return _writing.folded_again(block.list, by=by, summary=summary, entries=affected.get(block.list.pk, set()))
    _writing.owe(dict(affected), kind=Version.Kind.RULES, reason=summary)
    return None


def _follow(list_: MediaList | None, owing: Iterable[int], by: Any) -> None:
    """Once a block of this list, or of many, stands: in parts where it is very much, and nobody else's list waits for it."""
    if list_ is not None:
        _writing.settle_due(list_, by=by)
    else:
        _writing.settle_own(owing, by=by)
