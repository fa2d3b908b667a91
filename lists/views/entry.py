"""One entry: what is shown, who says so, since when, and how it changed."""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from lists import versions, waiting
from lists.fields import FIELDS
from lists.models import Claim, Conflict, Edit, Entry, ExternalId, MediaList, Provenance, Source
from lists.resolve import PRESENCE, PRESENT
from lists.versions import changes_of, values_of
from lists.views import answers
from lists.views.access import frame, open_list
from lists.views.keep_out import keeping_out

CHANGES_SHOWN = 50
LONG = ("overview", "poster", "backdrop")  # shown elsewhere on the page, or too long for a cell


@login_required
def entry(request: HttpRequest, pk: int, entry_pk: int) -> HttpResponse:
    list_ = open_list(request, pk)
    found = entry_of(list_, entry_pk)
    claims = claims_of(found)
    speaking = [claim for claim in claims if claim.source.removed_at is None]
    edits = edits_of(found)
    same = _same_item(found)
    context = frame(request, list_, "items")
    context |= {
        "entry": found,
        "claims": claims,
        "fields": _fields(found, speaking, edits),
        "ids": _ids(found, speaking),
        "presence": edits.get("presence"),
        "brought": _brought(request, same),
        "others": _others(request, list_, same),
        "changes": _changes(found),
        "decided": answers.decided(_decisions(found), may=()),
    }
    context["several"] = len({claim.source_id for claim in speaking}) > 1 or any(edits.keys() - {"presence"})
    if found.state == Entry.State.LISTED:
        context["place"] = _place(list_, found)
    else:
        context |= {"instead": _instead(found, same), "keeping_out": keeping_out(request, list_, [found])[found.pk]}
    return render(request, "lists/entry.html", context)


def entry_of(list_: MediaList, pk: int) -> Entry:
    """An entry of the list, listed or not. 404 as well while the first fill of the list has not ended."""
    found = Entry.objects.filter(list=list_, pk=pk).select_related("item").first()
    if found is None or list_.current_id is None:
        raise Http404
    return found


def _members(found: Entry) -> Q:
    """What the `entry` of other rows must fulfil to be folded with this one: what was merged is one entry."""
    same = _same_item(found, "entry__item") if found.once else None
    return Q(entry=found.pk) if same is None else Q(entry__list=found.list_id) & same


def claims_of(found: Entry) -> list[Claim]:
    """What every source says of it, those that count first; also of sources that were removed."""
    claims = Claim.objects.filter(_members(found)).select_related("source").placed()
    return list(claims.order_by("source__removed_at", "source__role", "source__priority", "source_id", "key"))


def edits_of(found: Entry) -> dict[str, Edit]:
    """Field -> what a person wants of it; of two that came together with a merge, the later firm one."""
    edits = Edit.objects.filter(_members(found)).order_by("firm", "made_at", "id")
    return {edit.field: edit for edit in edits}


def _same_item(found: Entry, item: str = "item") -> Q | None:
    """What other rows must fulfil to speak of the same thing; None if nobody knows what it is."""
    if found.item is None:
        return None
    root = found.item.root_id or found.item_id
    return Q(**{item: root}) | Q(**{f"{item}__root": root})


def _place(list_: MediaList, found: Entry) -> int | None:
    order = versions.order_of(list_.current) if list_.current else []
    return order.index(found.pk) + 1 if found.pk in order else None


def _instead(found: Entry, same: Q | None) -> Entry | None:
    """The entry that shows the same thing on this list."""
    if same is None or not found.once:
        return None
    return Entry.objects.filter(same, list=found.list_id).listed().first()


def _fields(found: Entry, claims: list[Claim], edits: dict[str, Edit]) -> list[dict[str, Any]]:
    """[{"name", "value", "origin", "edit", "waits", "since", "said", "agree", "returnable"}] of each field that is
    shown, edited, or spoken of.

    origin: the names of the sources that it comes from. edit: what a person wants of it; waits: it does so once the
    entry is back. said: [(source, value)] where a source says something else. agree: how many say the same.
    """
    sources = {claim.source_id: claim.source for claim in claims}
    shown = found.values
    listed = found.state == Entry.State.LISTED
    rows = []
    for name in FIELDS:
        speaking = [claim for claim in claims if name in claim.values]
        edit = edits.get(name)
        if name not in shown and not speaking and edit is None:
            continue
        origin = found.origin_of(name)
        origins = origin if isinstance(origin, list) else [origin]
        feeds = [claim for claim in speaking if claim.source.role != Source.Role.KEPT]
        if 0 in origins:  # by hand, from before the list had a source for that
            origins = [*origins, *(c.source_id for c in speaking if c.source.role == Source.Role.KEPT)]
        claim = next((c for c in speaking if c.source_id in origins), None)
        rows.append({
            "name": name,
            "value": shown.get(name),
            "origin": ", ".join(sources[pk].name for pk in origins if pk in sources),
            "edit": edit,
            "waits": edit is not None and not listed and edit.value != shown.get(name),
            "since": edit.made_at if edit else _since(claim, name) if claim else None,
            "said": [(claim.source, claim.values[name]) for claim in feeds if claim.values[name] != shown.get(name)],
            "agree": sum(1 for c in feeds if c.values[name] == shown.get(name) and c.source_id not in origins),
            "returnable": edit is not None and (name != "title" or bool(speaking)),
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
    """Which list and source brought the item, the first one first: [{"list", "name", "source", "origin", "at", "until"}].

    Only lists that the user may see; names of others' lists are nobody else's business.
    """
    if same is None:
        return []
    visible = MediaList.objects.for_user(request.user, binned=None)
    by_item = Entry.objects.filter(same)
    # What the list merely keeps was brought by others; what a person put there has their word for it.
    put = Edit.objects.filter(entry=OuterRef("entry"), field=PRESENCE, value=PRESENT, firm=True)
    by_hand = Q(source__role=Source.Role.KEPT) & Exists(put)
    claims = Claim.objects.filter(
        by_hand | Q(source__role=Source.Role.FEED), entry__in=by_item, entry__list__in=visible
    )
    present = claims.order_by("first_at", "pk").values_list(
        "entry__list_id", "entry__list__name", "source__name", "source__origin", "first_at", "entry__list__deleted_at"
    )
    found = [
        {"list": None if binned else pk, "name": name, "source": source, "origin": origin, "at": at, "until": None}
        for pk, name, source, origin, at, binned in present[:20]
    ]
    # A row whose list is gone names nobody's list any more; only staff may know whose it was.
    past = Provenance.objects.filter(same)
    if not request.user.is_staff:
        past = past.filter(list__in=visible)
    found += [
        {
            "list": row.list_id, "name": row.list_name, "source": row.source_name, "origin": row.origin, "at": row.first_at,
            "until": row.last_at,
        }
        for row in past.order_by("first_at", "pk")[:20]
    ]  # fmt: skip
    return sorted(found, key=lambda row: row["at"])


def _others(request: HttpRequest, list_: MediaList, same: Q | None) -> QuerySet[Entry] | list[Entry]:
    """Entries of the same item on other lists that the user may see."""
    if same is None:
        return []
    shown = Entry.objects.for_user(request.user).filter(same, list__current__isnull=False).listed()
    return shown.exclude(list=list_).select_related("list").order_by("list__name", "id")[:50]


def _changes(found: Entry) -> list[dict[str, Any]]:
    """[{"version", "kind", "fields", "was"}], newest first: the versions in which it came, changed or left.

    was: whether it was then something else than now, and can be so again.
    """
    rows = changes_of(found.pk).select_related("version").defer("version__order").order_by("-version_id", "-history_id")
    rows = list(rows[: CHANGES_SHOWN + 1])
    changed = []
    for row, before in zip_longest(rows, rows[1:]):
        kind = {"+": "came", "-": "left"}.get(row.history_type, "changed")
        fields = _differences(before, row) if kind == "changed" and before is not None else []
        was = row is not rows[0] and kind != "left" and row.version.pruned_at is None
        changed.append({"version": row.version, "kind": kind, "fields": fields, "was": was})
    return changed[:CHANGES_SHOWN]


def _decisions(found: Entry) -> list[Conflict]:
    """Questions about it that somebody, or a rule of the list, has decided; the latest first."""
    asked = Conflict.objects.filter(_members(found), waiting.ABOUT_VALUES | waiting.ABOUT_THINGS)
    return list(waiting.decided(asked).select_related("entry", "decided_by")[:CHANGES_SHOWN])


def _differences(before: Any, after: Any) -> list[tuple[str, Any, Any]]:
    old, new = values_of(before), values_of(after)
    return [(name, old.get(name), new.get(name)) for name in FIELDS if old.get(name) != new.get(name)]
