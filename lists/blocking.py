"""Blocks made into rules that the fold asks: must this item, these ids or this title not come?"""

from collections.abc import Iterable
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from lists.models import Block, ExternalId, Item, MediaList
from lists.resolve import Block as Rule
from lists.resolve import Ids
from lists.words import Values


def blocks_of(list_: MediaList) -> QuerySet[Block]:
    """The blocks that hold for a list: its own, those of its owner, and the site's."""
    mine = Q(list__isnull=True, owner=list_.owner_id)
    site = Q(list__isnull=True, owner__isnull=True)
    return Block.objects.filter((Q(list=list_.pk) if list_.pk else Q(pk=None)) | mine | site).order_by("id")


def rules_of(blocks: Iterable[Block]) -> list[Rule]:
    """At most three rules, however many blocks: by item, by id, by title. The oldest block gives the reason."""
    items: dict[int, str] = {}
    ids: dict[tuple[str, str], str] = {}
    patterns: list[tuple[str, str]] = []
    for block in blocks:
        if block.item is not None:
            items.setdefault(block.item.root_id or block.item.pk, reason_of(block))
        elif block.value:
            ids.setdefault((block.namespace, block.value), reason_of(block))
        else:
            patterns.append((block.pattern.casefold(), reason_of(block)))
    for pair, root in _roots(ids).items():
        items.setdefault(root, ids[pair])
    rules: list[Rule] = []
    if items:
        rules.append(lambda values, item, stated: items.get(item or 0, ""))
    if ids:
        rules.append(lambda values, item, stated: _first(ids, stated))
    if patterns:
        rules.append(lambda values, item, stated: _by_title(patterns, values))
    return rules


def planned_against(list_: MediaList) -> tuple[int, ...]:
    """What a plan hangs on besides the version: acts that make none, the blocks that hold, and which things are one. If it
    differs when the plan is published, the plan is made again."""
    if not list_.pk:
        return ()
    blocks, params = blocks_of(list_).order_by().values("id").query.sql_with_params()
    # In one statement: every publication asks. These sums differ after any merge or split.
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT * FROM (SELECT COUNT(id), COALESCE(MAX(id), 0) FROM ({blocks}) AS found) AS held, "  # noqa: S608
            f'(SELECT COUNT(id), COALESCE(SUM(id), 0), COALESCE(SUM(root_id), 0) FROM "{Item._meta.db_table}" '
            "WHERE root_id IS NOT NULL) AS merged",
            params,
        )
        return list_.fence, *map(int, cursor.fetchone())


def rules_for(list_: MediaList) -> list[Rule]:
    return rules_of(blocks_of(list_).select_related("item"))


def _roots(ids: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Which items blocked ids name: an entry may be known by another id than the one that is blocked."""
    pairs = set(ids)
    found = ExternalId.objects.filter(value__in=sorted({value for _, value in pairs})).annotate(
        root=Coalesce("item__root_id", "item_id")
    )
    rows = found.values_list("namespace", "value", "root")
    return {(namespace, value): root for namespace, value, root in rows if (namespace, value) in pairs}


def _first(ids: dict[tuple[str, str], str], stated: Ids) -> str:
    return next((ids[pair] for pair in sorted(stated) if pair in ids), "")


def _by_title(patterns: list[tuple[str, str]], values: Values) -> str:
    title = str(values.get("title") or "").casefold()
    return next((reason for pattern, reason in patterns if title and matches(pattern, title)), "")


def reason_of(block: Block) -> str:
    """What an entry says that a block keeps out."""
    what = f"Blocked by the pattern “{block.pattern}”" if block.pattern else "Blocked"
    return f"{what}: {block.reason}"[:200] if block.reason else f"{what}."[:200]


def matches(pattern: str, text: str) -> bool:
    """Whether the whole text fits a pattern of * (any run) and ? (one character); no sign else means anything.

    Goes back to the last star only, so that no pattern takes longer than len(pattern) * len(text).
    """
    at = place = 0
    star, kept = -1, 0
    while place < len(text):
        if at < len(pattern) and pattern[at] == "*":
            star, kept = at, place
            at += 1
        elif at < len(pattern) and pattern[at] in ("?", text[place]):
            at, place = at + 1, place + 1
        elif star >= 0:
            kept += 1
            at, place = star + 1, kept
        else:
            return False
    return all(sign == "*" for sign in pattern[at:])


def rule_of(block: Block | Any) -> list[Rule]:
    """The rule of one block, saved or not."""
    return rules_of([block])
