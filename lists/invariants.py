"""What must hold of lists, asked of the database: invariants A, B, C, F, H and J of docs/integrity.md.

A list without a current version is left out: its first fill is under way, or is swept before the next one.
"""

# ruff: noqa: S608 - the parts of these statements are all written here

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from django.db import connection

from lists.encrypted import WrongKey
from lists.fields import COLUMNS
from lists.integrity import Check, Found, counted, query, rows, scoped
from lists.models import Account, Edit, Entry, MediaList, Refold, Source, Version
from lists.packed import unpack
from lists.resolve import ABSENT, PRESENCE, PRESENT
from lists.states import MERGED

WRITE_AGAIN = "Any change of the list, such as an edit, writes this anew."
GO_BACK = "Roll the list back to a version that reads well, or restore a backup."
REFOLD = "Change the list's rules and back, or sync its sources by force: every entry is folded again."
BACKUP = "This is not made by Listkeeper's own writes. Restore a backup, and look what else writes to the database."

_CURRENT = "JOIN lists_medialist l ON l.id = e.list_id AND l.current_id IS NOT NULL"
_OPEN = "h.closed_by_id IS NULL AND h.history_type <> '-'"
_DIFFERING = " OR ".join(f'e."{name}" DIFFERS h."{name}"' for name in ("kind", *COLUMNS, "extra"))

# Entries that are folded alone, of lists that owe nothing: of others a single row does not say what is right.
_ALONE = f"""
    {_CURRENT} AND NOT EXISTS (SELECT 1 FROM lists_refold r WHERE r.list_id = l.id)
    WHERE {{mine e.list_id}} AND (e.item_id IS NULL OR e.item_id NOT IN (
        SELECT id FROM lists_item WHERE root_id IS NOT NULL UNION SELECT root_id FROM lists_item WHERE root_id IS NOT NULL))
"""
_LISTED_BY_A_SOURCE = """EXISTS (
    SELECT 1 FROM lists_claim c JOIN lists_source s ON s.id = c.source_id
    WHERE c.entry_id = e.id AND c.listing AND s.removed_at IS NULL)
"""


def _wanted(presence: str) -> str:
    value = json.dumps(presence)
    return f"EXISTS (SELECT 1 FROM lists_edit d WHERE d.entry_id = e.id AND d.field = '{PRESENCE}' AND d.value = '{value}')"


def _chain(history: str, mine: str) -> str:
    """Rows of history that do not end where the next one begins. What was thinned out may leave a gap."""
    return f"""
        SELECT list_id, id FROM (
            SELECT {mine} AS list_id, h.id, h.version_id AS made, h.closed_by_id AS ended, h.history_type AS what,
                   LEAD(h.version_id) OVER (PARTITION BY h.id ORDER BY h.version_id, h.history_id) AS following
            FROM {history}
        ) AS chain
        WHERE {{mine list_id}} AND (
            (ended IS NULL AND following IS NOT NULL) OR ended < made OR (ended = made AND what <> '-')
            OR following < ended
            OR (ended > made AND (following IS NULL OR following > ended) AND NOT EXISTS (
                SELECT 1 FROM lists_version v WHERE v.id = ended AND v.pruned_at IS NOT NULL)))
    """


# -- what takes more than one statement ------------------------------------------------------------------------------


def _order(only: int | None) -> Iterator[Found]:
    """Lists whose current version has another order than the entries."""
    lists = MediaList.objects.filter(current__isnull=False, **({"pk": only} if only else {}))
    for pk, blob in lists.order_by("pk").values_list("pk", "current__order").iterator():
        listed = Entry.objects.filter(list=pk).listed().order_by("rank", "id").values_list("id", flat=True)
        now = iter(listed.iterator(chunk_size=10_000))
        then = unpack(blob)
        if any(each != next(now, None) for each in then) or next(now, None) is not None:
            yield Found(pk, 1, (pk,))


def _content(only: int | None) -> Iterator[Found]:
    """Versions whose history rows are not the entries that their order names: another count, or another sum of ids."""
    changes = query(scoped(
        """SELECT list_id, version_id, SUM(n), SUM(s) FROM (
               SELECT list_id, version_id, COUNT(*) AS n, SUM(id) AS s FROM lists_historicalentry
               WHERE history_type <> '-' AND {mine list_id} GROUP BY list_id, version_id
               UNION ALL
               SELECT list_id, closed_by_id, -COUNT(*), -SUM(id) FROM lists_historicalentry
               WHERE history_type <> '-' AND closed_by_id IS NOT NULL AND {mine list_id} GROUP BY list_id, closed_by_id
           ) AS changes GROUP BY list_id, version_id""",
        only,
    ))  # fmt: skip
    delta = {(list_id, version): (int(n), int(s)) for list_id, version, n, s in changes}
    versions = Version.objects.filter(list__current__isnull=False, **({"list": only} if only else {}))
    versions = versions.order_by("list", "number")
    broken: list[tuple[int | None, int]] = []
    list_, count, total = 0, 0, 0
    for pk, owner, current, pruned, item_count, blob in versions.values_list(
        "pk", "list", "list__current", "pruned_at", "item_count", "order"
    ).iterator(chunk_size=20):
        if owner != list_:
            list_, count, total = owner, 0, 0
        more, ids = delta.get((owner, pk), (0, 0))
        count, total = count + more, total + ids
        if pruned is not None or pk > current:
            continue
        order = unpack(blob)
        if (count, total) != (len(order), sum(order)) or len(order) != item_count:
            broken.append((owner, pk))
    yield from counted(broken)


def _unshown_edits(only: int | None) -> list[Found]:
    """Firm edits of listed entries whose value is not what is shown."""
    edits = Edit.objects.filter(firm=True, entry__state=Entry.State.LISTED, entry__list__current__isnull=False)
    edits = edits.exclude(field=PRESENCE).exclude(entry__list__in=Refold.objects.values("list"))
    # Of entries that were merged the later edit is shown: one row alone does not say which.
    edits = edits.filter(entry__item__root__isnull=True).exclude(entry__item__merged__isnull=False)
    if only:
        edits = edits.filter(entry__list=only)
    return counted(
        (edit.entry.list_id, edit.entry_id)
        for edit in edits.select_related("entry").order_by("id").iterator(chunk_size=500)
        if edit.entry.values.get(edit.field) != (edit.value if edit.value not in ("", []) else None)
    )


def _foreign_keys(only: int | None) -> list[Found]:
    """Rows that name a row that is not there. PostgreSQL checks its constraints itself, always."""
    if connection.vendor != "sqlite" or only:
        return []
    return counted((None, rowid or 0) for _, rowid, *_ in query("PRAGMA foreign_key_check"))


# -- secrets ---------------------------------------------------------------------------------------------------------

_LEAST = 6  # signs of a secret that is looked for: a shorter one is a part of many words
# (table aliased t, what leads from it to its list, the columns that hold words of sources and people)
_PLACES = (
    ("lists_entry t", "t.list_id", ("title", "poster", "backdrop", "overview", "extra")),
    ("lists_historicalentry t", "t.list_id", ("title", "poster", "backdrop", "overview", "extra")),
    ("lists_claim t JOIN lists_source s ON s.id = t.source_id", "s.list_id", ("key", "values")),
    ("lists_edit t JOIN lists_entry e ON e.id = t.entry_id", "e.list_id", ("value", "words", "base")),
    ("lists_source t", "t.list_id", ("name", "config")),
    ("lists_version t", "t.list_id", ("summary", "facts")),
    ("lists_proposal t", "t.list_id", ("filename", "result", "error")),
    ("lists_audit t", "t.list_ref", ("object_name", "before", "after")),
)  # fmt: skip
_NAMES_A_PERSON = re.compile(r"user(name)?|login|email", re.IGNORECASE)


def _unreadable(only: int | None) -> Iterator[Found]:
    accounts = Account.objects.filter(**({"sources__list": only} if only else {}))
    for pk in accounts.order_by("pk").values_list("pk", flat=True).distinct():
        if not _opens(Account.objects.filter(pk=pk).values_list("secrets")):
            yield Found(None, 1, (pk,))
    sources = Source.objects.filter(**({"list": only} if only else {}))
    for pk, list_id in sources.order_by("pk").values_list("pk", "list"):
        if not _opens(Source.objects.filter(pk=pk).values_list("address")):
            yield Found(list_id, 1, (pk,))


def _opens(column: Iterable[Any]) -> bool:
    try:
        list(column)
    except WrongKey:
        return False
    return True


def _in_the_clear(only: int | None) -> list[Found]:
    """Rows of a list in which a secret of one of its accounts stands as a part of an address or a setting."""
    found: dict[int, set[int]] = {}
    for list_id, secret in _secrets(only):
        part = re.compile(rf"(?<=[/:=@\"]){re.escape(secret)}(?![\w])")
        for table, mine, columns in _PLACES:
            for pk, text in _holding(table, mine, columns, list_id, secret):
                if part.search(text):
                    found.setdefault(list_id, set()).add(pk)
    return [Found(list_id, len(pks), tuple(sorted(pks)[:2])) for list_id, pks in found.items()]


def _secrets(only: int | None) -> Iterator[tuple[int, str]]:
    sources = Source.objects.filter(account__isnull=False, **({"list": only} if only else {}))
    pairs: dict[tuple[int, str], None] = {}
    for pk, list_id in sources.order_by("pk").values_list("account", "list"):
        try:
            stored = Account.objects.filter(pk=pk).values_list("secrets", flat=True).first()
        except WrongKey:
            continue  # told by the check of its own
        for name, value in json.loads(stored or "{}").items():
            if (
                isinstance(value, str)
                and len(value) >= _LEAST
                and not _NAMES_A_PERSON.fullmatch(name.partition(":")[0])
            ):
                pairs[list_id, value] = None
    yield from pairs


def _holding(table: str, mine: str, columns: tuple[str, ...], list_id: int, secret: str) -> list[tuple[Any, ...]]:
    text = " || ' ' || ".join(f"COALESCE(CAST(t.\"{name}\" AS text), '')" for name in columns)
    at = "INSTR" if connection.vendor == "sqlite" else "STRPOS"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT t.id, {text} FROM {table} WHERE {mine} = %s AND {at}({text}, %s) > 0 LIMIT 1000",
            [list_id, secret],
        )
        return cursor.fetchall()


# -- all of them -----------------------------------------------------------------------------------------------------

CHECKS = [
    Check("A", "entries that are shown without standing in the newest version", GO_BACK, rows(f"""
        SELECT e.list_id, e.id FROM lists_entry e {_CURRENT}
        WHERE e.state = 'listed' AND {{mine e.list_id}}
          AND NOT EXISTS (SELECT 1 FROM lists_historicalentry h WHERE h.id = e.id AND {_OPEN})
    """)),
    Check("A", "entries that stand in the newest version without being shown", GO_BACK, rows(f"""
        SELECT h.list_id, h.id FROM lists_historicalentry h
        JOIN lists_medialist l ON l.id = h.list_id AND l.current_id IS NOT NULL
        LEFT JOIN lists_entry e ON e.id = h.id AND e.list_id = h.list_id AND e.state = 'listed'
        WHERE {_OPEN} AND {{mine h.list_id}} AND e.id IS NULL
    """)),
    Check("A", "entries that show other values than the newest version", REFOLD, rows(f"""
        SELECT e.list_id, e.id FROM lists_entry e {_CURRENT}
        JOIN lists_historicalentry h ON h.id = e.id AND {_OPEN}
        WHERE e.state = 'listed' AND {{mine e.list_id}} AND ({_DIFFERING})
    """)),
    Check("A", "lists whose counters are not what stands in them", WRITE_AGAIN, rows("""
        SELECT l.id, l.id FROM lists_medialist l LEFT JOIN (
            SELECT e.list_id, SUM(CASE WHEN e.state = 'listed' THEN 1 ELSE 0 END) AS listed,
                   SUM(CASE WHEN e.state = 'excluded' THEN 1 ELSE 0 END) AS excluded
            FROM lists_entry e WHERE {mine e.list_id} GROUP BY e.list_id
        ) AS n ON n.list_id = l.id
        WHERE {mine l.id} AND (
            (l.current_id IS NULL AND l.item_count <> 0)
            OR (l.current_id IS NOT NULL
                AND (l.item_count <> COALESCE(n.listed, 0) OR l.excluded_count <> COALESCE(n.excluded, 0))))
    """)),
    Check("A", "lists whose newest version is not the current one, or another list's", WRITE_AGAIN, rows("""
        SELECT l.id, l.id FROM lists_medialist l JOIN lists_version v ON v.id = l.current_id
        WHERE {mine l.id} AND (v.list_id <> l.id OR v.item_count <> l.item_count OR EXISTS (
            SELECT 1 FROM lists_version w WHERE w.list_id = l.id AND w.number > v.number))
    """)),
    Check("A", "lists that show another order than their newest version", WRITE_AGAIN, _order),
    Check("A", "items whose merges lead elsewhere than they say", "Split the item and merge it again.", rows("""
        SELECT NULL, i.id FROM lists_item i JOIN lists_item p ON p.id = i.merged_into_id
        WHERE i.root_id <> COALESCE(p.root_id, p.id)
    """)),
    Check("A", "rows that name a row that is not there", BACKUP, _foreign_keys),
    Check("B", "edits by hand that their history does not know", GO_BACK, rows("""
        SELECT e.list_id, d.id FROM lists_edit d JOIN lists_entry e ON e.id = d.entry_id
        WHERE {mine e.list_id} AND NOT EXISTS (
            SELECT 1 FROM lists_historicaledit h WHERE h.id = d.id AND h.closed_by_id IS NULL
            AND h.entry_id = d.entry_id AND h.field = d.field AND NOT (h.value DIFFERS d.value) AND h.firm = d.firm)
    """)),
    Check("B", "edits by hand that are lost: their history says that they stand", GO_BACK, rows("""
        SELECT e.list_id, h.id FROM lists_historicaledit h JOIN lists_entry e ON e.id = h.entry_id
        WHERE {mine e.list_id} AND h.closed_by_id IS NULL AND NOT EXISTS (
            SELECT 1 FROM lists_edit d WHERE d.id = h.id)
    """)),
    Check("B", "entries that do not show what a person said", REFOLD, _unshown_edits),
    Check("B", "entries on the list that a person took off", REFOLD, rows(f"""
        SELECT e.list_id, e.id FROM lists_entry e {_ALONE} AND e.state = 'listed' AND {_wanted(ABSENT)}
    """)),
    Check("C", "entries that are gone although a source lists them and nobody took them off", REFOLD, rows(f"""
        SELECT e.list_id, e.id FROM lists_entry e {_ALONE} AND e.state = 'removed' AND e.reason <> '{MERGED}'
          AND ({_LISTED_BY_A_SOURCE} OR {_wanted(PRESENT)}) AND NOT {_wanted(ABSENT)}
    """)),
    Check("C", "entries on the list that no source and nobody wants there", REFOLD, rows(f"""
        SELECT e.list_id, e.id FROM lists_entry e {_ALONE} AND e.state = 'listed'
          AND NOT {_LISTED_BY_A_SOURCE} AND NOT {_wanted(PRESENT)}
    """)),
    Check("C", "versions in which a sync emptied a list that had more than three entries", GO_BACK, rows("""
        SELECT v.list_id, v.id FROM lists_version v JOIN lists_medialist l ON l.id = v.list_id AND v.id <= l.current_id
        WHERE v.kind = 'sync' AND v.removed > 3 AND v.item_count = 0 AND {mine v.list_id} AND NOT EXISTS (
            SELECT 1 FROM lists_historicalentry h WHERE h.list_id = v.list_id AND h.version_id = v.id
            AND h.state = 'excluded')
    """)),
    Check("F", "lists with gaps between the numbers of their versions", BACKUP, rows("""
        SELECT v.list_id, v.list_id FROM lists_version v WHERE {mine v.list_id}
        GROUP BY v.list_id HAVING COUNT(*) <> MAX(v.number) OR MIN(v.number) <> 1
    """)),
    Check("F", "versions that do not follow from the one before", GO_BACK, rows("""
        SELECT list_id, id FROM (
            SELECT v.list_id, v.id, v.item_count, v.added, v.removed,
                   LAG(v.id) OVER (PARTITION BY v.list_id ORDER BY v.number) AS before_id,
                   LAG(v.item_count) OVER (PARTITION BY v.list_id ORDER BY v.number) AS before_count
            FROM lists_version v JOIN lists_medialist l ON l.id = v.list_id AND v.id <= l.current_id
            WHERE {mine v.list_id}
        ) AS chain
        WHERE before_id > id OR item_count <> COALESCE(before_count, 0) + added - removed
    """)),
    Check("F", "entries whose history has a break", GO_BACK, rows(_chain("lists_historicalentry h", "h.list_id"))),
    Check("F", "edits whose history has a break", GO_BACK, rows(
        _chain("lists_historicaledit h JOIN lists_entry e ON e.id = h.entry_id", "e.list_id"))),
    Check("F", "history of entries that belongs to no version of their list", BACKUP, rows("""
        SELECT h.list_id, h.id FROM lists_historicalentry h
        LEFT JOIN lists_version v ON v.id = h.version_id AND v.list_id = h.list_id
        LEFT JOIN lists_medialist l ON l.id = h.list_id AND ABS(l.filling) = h.version_id
        WHERE {mine h.list_id} AND v.id IS NULL AND l.id IS NULL
    """)),
    Check("F", "versions that no longer read as they were made", GO_BACK, _content),
    Check("H", "logins and addresses that none of our keys opens",
          "Put the old key back behind the new one in LISTKEEPER_ENCRYPTION_KEYS.", _unreadable),
    Check("H", "rows in which a login stands in the clear", "Change that login at its service, then renew the source.",
          _in_the_clear),
    Check("J", "claims of a source of another list", BACKUP, rows("""
        SELECT e.list_id, c.id FROM lists_claim c JOIN lists_entry e ON e.id = c.entry_id
        JOIN lists_source s ON s.id = c.source_id WHERE s.list_id <> e.list_id AND {mine e.list_id}
    """)),
    Check("J", "questions about an entry or a version of another list", BACKUP, rows("""
        SELECT c.list_id, c.id FROM lists_conflict c
        LEFT JOIN lists_entry e ON e.id = c.entry_id LEFT JOIN lists_version v ON v.id = c.version_id
        WHERE {mine c.list_id} AND (e.list_id <> c.list_id OR v.list_id <> c.list_id)
    """)),
    Check("J", "previews and held changes of a source of another list", BACKUP, rows("""
        SELECT p.list_id, p.id FROM lists_proposal p JOIN lists_source s ON s.id = p.source_id
        WHERE {mine p.list_id} AND p.list_id <> s.list_id
    """)),
    Check("J", "sources that use the account of somebody who has no part in the list",
          "Give the source an account of the list's owner.", rows("""
        SELECT s.list_id, s.id FROM lists_source s JOIN lists_account a ON a.id = s.account_id
        JOIN lists_medialist l ON l.id = s.list_id
        WHERE {mine s.list_id} AND a.owner_id <> l.owner_id AND NOT EXISTS (
            SELECT 1 FROM lists_membership m WHERE m.list_id = l.id AND m.user_id = a.owner_id AND m.role = 'editor')
    """)),
]  # fmt: skip
