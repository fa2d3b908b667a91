"""One entry: what is shown, who says so, since when, and how it changed."""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from lists.fields import FIELDS
from lists.models import Claim, Edit, Entry, ExternalId, Item, MediaList, Provenance, Source
from lists.versions import HistoricalEntry, values_of
from lists.views.access import frame, open_list

CHANGES_SHOWN = 50
LONG = ("overview", "poster", "backdrop")  # shown elsewhere on the page, or too long for a cell


@login_required
def entry(request: HttpRequest, pk: int, entry_pk: int) -> HttpResponse:
    list_ = open_list(request, pk)
    found = Entry.objects.filter(list=list_, pk=entry_pk).select_related("item").first()
    if found is None or list_.current_id is None:
        raise Http404
    claims = list(found.claims.select_related("source").order_by("source__priority", "source_id", "key"))
    speaking = [claim for claim in claims if claim.source.removed_at is None]
    edits = {edit.field: edit for edit in found.edits.all()}
    same = _same_item(found)
    context = frame(request, list_, "items")
    context |= {
        "entry": found,
        "claims": claims,
        "several": len({claim.source_id for claim in speaking}) > 1,
        "fields": _fields(found, speaking, edits),
        "ids": _ids(found, speaking),
        "presence": edits.get("presence"),
        "brought": _brought(request, same),
        "others": _others(request, list_, same),
        "changes": _changes(found),
    }
    return render(request, "lists/entry.html", context)


def _same_item(found: Entry) -> Q | None:
    """What other rows must fulfil to speak of the same thing; None if nobody knows what it is."""
    if found.item is None:
        return None
    root = found.item.root_id or found.item_id
    return Q(item=root) | Q(item__in=Item.objects.filter(root=root))


def _fields(found: Entry, claims: list[Claim], edits: dict[str, Edit]) -> list[dict[str, Any]]:
    """[{"name", "value", "origin", "by", "since", "said"}] of each field that is shown or that somebody speaks of.

    origin: the name of a source, "by hand", or "". by: the edit, if it is shown. said: [(source, value)] where a source says something else.
    """
    sources = {claim.source_id: claim.source for claim in claims}
    shown = found.values
    rows = []
    for name in FIELDS:
        said = [(claim.source, claim.values[name]) for claim in claims if name in claim.values]
        if name not in shown and not said:
            continue
        origin = found.origin_of(name)
        claim = next((c for c in claims if c.source_id == origin and name in c.values), None)
        edit = edits.get(name) if origin == "hand" else None
        rows.append({
            "name": name,
            "value": shown.get(name),
            "origin": "by hand" if origin == "hand" else str(sources[origin]) if origin in sources else "",
            "by": edit,
            "since": edit.made_at if edit else _since(claim, name) if claim else None,
            "said": [(source, value) for source, value in said if value != shown.get(name)],
            "agree": sum(1 for source, value in said if value == shown.get(name) and source.pk != origin),
        })  # fmt: skip
    return rows


def _since(claim: Claim, name: str) -> datetime:
    """When the source last changed its word about a field."""
    times = claim.times.get(name)
    return datetime.fromtimestamp(times[1], UTC) if times else claim.first_at


def _ids(found: Entry, claims: Iterable[Claim]) -> list[tuple[str, str]]:
    """(namespace, value) that name the item; of an entry without one, what its sources state."""
    if found.item is not None:
        root = found.item.root_id or found.item_id
        ids = ExternalId.objects.filter(Q(item=root) | Q(item__root=root))
        return sorted(set(ids.values_list("namespace", "value")))
    return sorted({pair for claim in claims for pair in claim.ids.items()})


def _brought(request: HttpRequest, same: Q | None) -> list[dict[str, Any]]:
    """Which list and source brought the item, the first one first: [{"list", "name", "source", "at", "until"}].

    Only lists that the user may see; names of others' lists are nobody else's business.
    """
    if same is None:
        return []
    visible = MediaList.objects.for_user(request.user, binned=None)
    by_item = Entry.objects.filter(same)
    claims = Claim.objects.filter(entry__in=by_item, entry__list__in=visible, source__role=Source.Role.FEED)
    present = claims.order_by("first_at").values_list(
        "entry__list_id", "entry__list__name", "source__name", "first_at", "entry__list__deleted_at"
    )
    found = [
        {"list": None if binned else pk, "name": name, "source": source, "at": at, "until": None}
        for pk, name, source, at, binned in present[:20]
    ]
    # A row whose list is gone names nobody's list any more; only staff may know whose it was.
    past = Provenance.objects.filter(same)
    if not request.user.is_staff:
        past = past.filter(list__in=visible)
    found += [
        {"list": row.list_id, "name": row.list_name, "source": row.source_name, "at": row.first_at, "until": row.last_at}
        for row in past.order_by("first_at")[:20]
    ]  # fmt: skip
    return sorted(found, key=lambda row: row["at"])


def _others(request: HttpRequest, list_: MediaList, same: Q | None) -> QuerySet[Entry] | list[Entry]:
    """Entries of the same item on other lists that the user may see."""
    if same is None:
        return []
    shown = Entry.objects.for_user(request.user).filter(same, list__current__isnull=False).listed()
    return shown.exclude(list=list_).select_related("list").order_by("list__name", "id")[:50]


def _changes(found: Entry) -> list[dict[str, Any]]:
    """[{"version", "kind", "fields"}], newest first: the versions in which it came, changed or left."""
    rows = HistoricalEntry.objects.filter(id=found.pk).select_related("version").order_by("-version_id", "-history_id")
    rows = list(rows[: CHANGES_SHOWN + 1])
    changed = []
    for row, before in zip_longest(rows, rows[1:]):
        kind = {"+": "came", "-": "left"}.get(row.history_type, "changed")
        fields = _differences(before, row) if kind == "changed" and before is not None else []
        changed.append({"version": row.version, "kind": kind, "fields": fields})
    return changed[:CHANGES_SHOWN]


def _differences(before: Any, after: Any) -> list[tuple[str, Any, Any]]:
    old, new = values_of(before), values_of(after)
    return [(name, old.get(name), new.get(name)) for name in FIELDS if old.get(name) != new.get(name)]
