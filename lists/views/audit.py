"""Who did what, to which thing, and what it was before."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from lists.audit import wanted
from lists.models import Audit, MediaList
from lists.views.access import frame, midnight, number, open_list

ROWS_SHOWN = 50
LOOKED_AT = 1000  # rows whose words the filters offer
LONGEST = 300  # letters of a value
# What a value is called where the page shows it.
SCOPES = {"list": "this list", "mine": "all lists of one person", "all": "every list"}
TYPED = ("object_type", "object_id", "action", "actor")


@login_required
def audit(request: HttpRequest) -> HttpResponse:
    """What the user did and what happened to their lists; staff see everything."""
    return render(request, "lists/audit.html", _page(request, Audit.objects.for_user(request.user)))


@login_required
def list_audit(request: HttpRequest, pk: int) -> HttpResponse:
    """What happened to one list and what is on it."""
    list_ = open_list(request, pk)
    rows = Audit.objects.for_user(request.user).filter(list_ref=list_.pk)
    return render(request, "lists/list_audit.html", frame(request, list_, "settings") | _page(request, rows))


def _page(request: HttpRequest, rows: QuerySet[Audit]) -> dict[str, Any]:
    """Newest first; ?object_type=, ?object_id=, ?action=, ?actor=, ?from= and ?to= choose, ?before= goes on below a row."""
    query = _query(request)
    found = rows.filter(**wanted(query))
    if before := number(request.GET.get("before"), high=2**63 - 1):
        found = found.filter(pk__lt=before)
    shown = list(found.order_by("-id")[: ROWS_SHOWN + 1])
    lists = (
        MediaList.objects.for_user(request.user).only("name").in_bulk({row.list_ref for row in shown if row.list_ref})
    )
    return {
        "rows": [_row(row, lists.get(row.list_ref or 0)) for row in shown[:ROWS_SHOWN]], "more": len(shown) > ROWS_SHOWN,
        "query": query, "offered": _offered(rows, query), "narrowed": bool(query),
    }  # fmt: skip


def _query(request: HttpRequest) -> dict[str, Any]:
    """What is asked for; what makes no sense is left out rather than refused."""
    typed = {name: request.GET.get(name, "").replace("\x00", "").strip()[:150] for name in TYPED}
    query: dict[str, Any] = {name: text for name, text in typed.items() if text}
    if start := midnight(request.GET.get("from")):
        query["from"] = start
    if last := midnight(request.GET.get("to")):
        query["to"] = last + timedelta(days=1, microseconds=-1)
    return query


def _offered(rows: QuerySet[Audit], query: Mapping[str, Any]) -> dict[str, list[str]]:
    """{"object_type", "action", "actor"}: the words of the latest rows, and those that are asked for."""
    names = {"object_type": "object_type", "action": "action", "actor": "actor_name"}
    latest = list(rows.order_by("-id").values(*names.values())[:LOOKED_AT])
    return {
        name: sorted(filter(None, {query.get(name, ""), *(row[column] for row in latest)}))
        for name, column in names.items()
    }


def _row(row: Audit, list_: MediaList | None) -> dict[str, Any]:
    """{"audit", "list" (None: gone, or not the reader's), "changes": [{"name", "kind", "before", "after"}]}.

    kind: "changed", or where only one side names it "gone" or "set".
    """
    before, after = row.before or {}, row.after or {}
    changes = [
        {
            "name": name, "before": _plain(name, before.get(name)), "after": _plain(name, after.get(name)),
            "kind": "set" if name not in before else "changed" if name in after else "gone",
        }
        for name in dict.fromkeys([*before, *after])
        if any(side.get(name) not in (None, "", []) for side in (before, after))
    ]  # fmt: skip
    return {"audit": row, "list": list_, "changes": changes}


def _plain(name: str, value: Any) -> Any:
    """A stored value as the pages can write it: no mappings, nothing endless."""
    if name == "scope":
        return SCOPES.get(value, value)
    if isinstance(value, dict):
        value = ", ".join(f"{name}: {part}" for name, part in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        value = ", ".join(str(part) for part in value)
    if isinstance(value, str) and len(value) > LONGEST:
        return f"{value[:LONGEST]} …"
    return value
