"""Who did what, to which thing, and what it was before."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone

from lists.audit import PERIOD, figures, wanted
from lists.models import Audit, MediaList, Membership, Removals, Source, Strategy
from lists.resolve import PRESENCE
from lists.templatetags.listkeeper import field_label
from lists.views.access import frame, midnight, number, open_list

ROWS_SHOWN = 50
LOOKED_AT = 1000  # rows whose words the filters offer
LONGEST = 300  # letters of a value
# What things are called where people read of them, if not by the name of their table.
THINGS = {"conflict": "question", "proposal": "held change", "item": "film, show or track"}
# What a value is called, where it is a code.
CODES = {
    "scope": {"list": "this list", "mine": "all lists of one person", "all": "every list"},
    PRESENCE: {"listed": "yes", "removed": "no", "excluded": "no, it is kept out"},
    "mode": {**dict(MediaList.OrderMode.choices), **dict(Source.Mode.choices)},
    "role": dict(Membership.Role.choices), "content": dict(MediaList.Content.choices),
    "strategy": dict(Strategy.choices), "removals": dict(Removals.choices),
}  # fmt: skip
LABELS = {
    PRESENCE: "On the list", "user": "Person", "for": "For", "id": "Id", "ids": "Ids", "into": "Merged into", "kept": "Kept",
    "left": "Left", "held": "Values held", "adapter": "Kind of source", "run": "Run", "config": "Settings", "missing": "Not shown today",
    "held_share": "Missing before a person is asked, per cent",
    "held_share_always": "Missing above which a person is always asked, per cent",
    "held_floor": "So many may always be missing", "sync_enabled": "Fetched on its schedule", "interval_min": "Minutes between fetches",
    "gap_min": "Minutes within which no fetch is repeated", "grace": "Fetches that must lack an entry",
    "strategy": "Where sources differ", "removals": "What no source lists any more", "conflict_days": "Days until a question closes",
    "preferred": "Believed first", "review_unsure": "Unsure changes wait", "accept_confidence": "Confidence that needs no look",
    "min_rating": "Rating from", "min_imdb_rating": "IMDb rating from", "min_tmdb_rating": "TMDb rating from",
    "min_votes": "Votes from", "year_from": "From year", "year_to": "To year", "min_minutes": "Minutes from", "max_minutes": "Minutes to",
    "genres": "Genres", "no_genres": "Without genres", "languages": "Languages", "kinds": "Kinds",
    "keep_out_unknown": "What is not known stays out", "max_new": "New ones at one sync, at most",
}  # fmt: skip
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
    """Newest first; ?object_type=, ?object_id=, ?action=, ?actor=, ?from= and ?to= choose, ?before= goes on below a row.
    ?figures= counts them instead."""
    query = _query(request)
    chosen = {"query": query, "offered": _offered(rows, query), "narrowed": bool(query)}
    if request.GET.get("figures"):
        return chosen | {"figures": _figures(request, rows, query)}
    found = rows.filter(**wanted(query))
    if before := number(request.GET.get("before"), high=2**63 - 1):
        found = found.filter(pk__lt=before)
    shown = list(found.order_by("-id")[: ROWS_SHOWN + 1])
    lists = (
        MediaList.objects.for_user(request.user).only("name").in_bulk({row.list_ref for row in shown if row.list_ref})
    )
    told = [_row(row, lists.get(row.list_ref or 0)) for row in shown[:ROWS_SHOWN]]
    return chosen | {"rows": told, "more": len(shown) > ROWS_SHOWN}


def _figures(request: HttpRequest, rows: QuerySet[Audit], query: Mapping[str, Any]) -> dict[str, Any]:
    """{"start", "end", "total", "groups": [(title, parameter, [{"name", "word", "query", "count", "last_at"}])]}.

    query: leads to the acts that were counted.
    """
    first = timezone.localtime(query.get("to")).replace(hour=0, minute=0, second=0, microsecond=0) - PERIOD
    found = figures(rows, {"from": first, **query})
    groups = [
        ("What was done", "action", found.by_action),
        ("To what", "object_type", found.by_object_type),
        ("By whom", "actor", found.by_actor),
    ]
    params = request.GET.copy()
    for name in ("figures", "before"):
        params.pop(name, None)
    params["from"] = f"{timezone.localtime(found.start):%Y-%m-%d}"
    told = [(title, name, [_figure(params.copy(), name, row) for row in counted]) for title, name, counted in groups]
    return {"start": found.start, "end": found.end, "total": found.total, "groups": told}


def _figure(params: QueryDict, parameter: str, row: Mapping[str, Any]) -> dict[str, Any]:
    params[parameter] = row["name"]
    return {**row, "word": _word(parameter, row["name"]), "query": params.urlencode()}


def _word(parameter: str, name: str) -> str:
    if parameter == "actor":
        return name or "The system"
    word = THINGS.get(name, name) if parameter == "object_type" else name
    return f"{word[:1].upper()}{word[1:]}"


def _query(request: HttpRequest) -> dict[str, Any]:
    """What is asked for; what makes no sense is left out rather than refused."""
    typed = {name: request.GET.get(name, "").replace("\x00", "").strip()[:150] for name in TYPED}
    query: dict[str, Any] = {name: text for name, text in typed.items() if text}
    if start := midnight(request.GET.get("from")):
        query["from"] = start
    if last := midnight(request.GET.get("to")):
        query["to"] = last + timedelta(days=1, microseconds=-1)
    return query


def _offered(rows: QuerySet[Audit], query: Mapping[str, Any]) -> dict[str, list[tuple[str, str]]]:
    """{"object_type", "action", "actor"}: (value, word) of the latest rows, and of what is asked for."""
    names = {"object_type": "object_type", "action": "action", "actor": "actor_name"}
    latest = list(rows.order_by("-id").values(*names.values())[:LOOKED_AT])
    found = {
        name: sorted(filter(None, {query.get(name, ""), *(row[column] for row in latest)}))
        for name, column in names.items()
    }
    return {name: [(value, _word(name, value)) for value in values] for name, values in found.items()}


def _row(row: Audit, list_: MediaList | None) -> dict[str, Any]:
    """{"audit", "thing", "list" (None: gone, or not the reader's), "changes": [{"name", "label", "kind", "before", "after"}]}.

    kind: "changed", or where only one side names it "gone" or "set".
    """
    before, after = row.before or {}, row.after or {}
    changes = [
        {
            "name": name, "label": LABELS.get(name) or field_label(name).replace("_", " "), "before": _plain(name, before.get(name)), "after": _plain(name, after.get(name)),
            "kind": "set" if name not in before else "changed" if name in after else "gone",
        }
        for name in dict.fromkeys([*before, *after])
        if any(side.get(name) not in (None, "", []) for side in (before, after))
    ]  # fmt: skip
    return {"audit": row, "thing": THINGS.get(row.object_type, row.object_type), "list": list_, "changes": changes}


def _plain(name: str, value: Any) -> Any:
    """A stored value as the pages can write it: no mappings, nothing endless."""
    if name in CODES and isinstance(value, str):
        return CODES[name].get(value, value)
    if isinstance(value, dict):
        value = ", ".join(f"{name}: {part}" for name, part in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        value = ", ".join(str(part) for part in value)
    if isinstance(value, str) and len(value) > LONGEST:
        return f"{value[:LONGEST]} …"
    return value
