"""Keeping entries out: blocking what stands on a list, and letting it in again."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.db.models import F, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST

from lists import services
from lists.blocking import matches
from lists.errors import Unfit
from lists.forms.entries import BlockForm
from lists.models import Block, Claim, Entry, ExternalId, MediaList
from lists.templatetags.listkeeper import things
from lists.views.access import frame, number, open_list, refusals_told
from lists.views.posted import back, chosen

SHOWN = 50
WHERE = {
    "list": "Nothing brings it onto this list.",
    "mine": "Nothing brings it onto any list that you own.",
    "all": "Nothing brings it onto any list of anybody.",
}


@login_required
def block(request: HttpRequest, pk: int) -> HttpResponse:
    """Why and where: first the question, then the blocks. The entries leave, and return when the blocks are lifted."""
    list_ = open_list(request, pk, need="editor")
    data = request.POST if request.method == "POST" else request.GET
    scopes = [(key, label) for key, label in services.SCOPES.items() if key != "all" or request.user.is_staff]
    form = BlockForm(request.POST if "scope" in request.POST else None, scopes=scopes)
    with refusals_told(request):
        wanted = Entry.objects.filter(list=list_, pk__in=chosen(data)).select_related("item")
        entries = list(wanted.order_by("rank", "id"))
        if not entries:
            raise Unfit("None of these is on this list. Nothing was blocked.")
        if not form.is_bound or not form.is_valid():
            return render(request, "lists/block_entries.html", _question(request, list_, entries, form, scopes))
        _block(request, list_, entries, **form.cleaned_data)
    return back(request, list_)


def _question(
    request: HttpRequest, list_: MediaList, entries: Sequence[Entry], form: BlockForm, scopes: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    asked = form.data.get("scope") if form.is_bound else "list"
    choices: list[dict[str, Any]] = [
        {"value": key, "label": label, "text": WHERE[key], "checked": key == asked} for key, label in scopes
    ]
    if len(entries) == 1 and entries[0].item is not None:
        for choice in choices:
            at = list_ if choice["value"] == "list" else None
            hits = services.would_hit(by=request.user, scope=choice["value"], list_=at, item=entries[0].item)
            choice["hits"] = hits.count
    unknown = [entry for entry in entries if entry.item is None]
    with_ids = set(Claim.objects.filter(entry__in=unknown).exclude(ids={}).values_list("entry_id", flat=True))
    return frame(request, list_, "items") | {
        "form": form, "choices": choices, "entries": entries, "ids": [entry.pk for entry in entries],
        "shown": entries[:SHOWN], "by_title": [entry for entry in unknown if entry.pk not in with_ids],
        "next": request.POST.get("next") or request.headers.get("Referer", ""),
    }  # fmt: skip


def _block(request: HttpRequest, list_: MediaList, entries: Sequence[Entry], *, scope: str, reason: str) -> None:
    made = services.block_entries(list_, [entry.pk for entry in entries], by=request.user, scope=scope, reason=reason)
    if not made:
        raise Unfit("That is blocked already, or has no name to block it by. Nothing was changed.")
    what, where = str(entries[0]), WHERE[scope]
    if len(entries) > 1:
        what = f"{len(made):,} of {len(entries):,}" if len(made) < len(entries) else things(len(made), list_.content)
        where = where.replace(" it ", " them ")
    query = urlencode({"block": [each.pk for each in made]}, doseq=True)
    # An address has room for so many; more of them are lifted where blocks are shown.
    undo = f"undo {reverse('lists:unblock_entries', args=[list_.pk])}?{query}" if len(made) <= SHOWN else ""
    messages.success(request, f"Blocked: {what}. {where}", extra_tags=undo)


@login_required
@require_POST
def unblock(request: HttpRequest, pk: int) -> HttpResponse:
    """Lift blocks that hold for this list; `block` stands in the form or in the address."""
    list_ = open_list(request, pk, need="editor")
    named = request.POST.getlist("block") + request.GET.getlist("block")
    asked = [found for text in named[:SHOWN] if (found := number(text, low=1)) is not None]
    with refusals_told(request), transaction.atomic():
        # Those for all lists first: see MediaList.objects.alone().
        standing = services.blocks_of(list_).filter(pk__in=asked).order_by(F("list").asc(nulls_first=True), "pk")
        for each in standing:
            services.unblock(each, by=request.user)
        said = "Unblocked. What nothing else keeps out is on the list again, as its sources say."
        messages.success(request, said if standing else "It was unblocked already. Nothing was changed.")
    return back(request, list_)


def keeping_out(request: HttpRequest, list_: MediaList, entries: Sequence[Entry]) -> dict[int, list[dict[str, Any]]]:
    """Entry id -> [{"block", "may"}]: the blocks that hold for it, and whether the reader may lift them.

    A few queries, however many entries.
    """
    excluded = [entry for entry in entries if entry.state == Entry.State.EXCLUDED]
    found: dict[int, list[dict[str, Any]]] = {entry.pk: [] for entry in entries}
    if not excluded:
        return found
    roots = {entry.pk: entry.item.root_id or entry.item_id for entry in excluded if entry.item is not None}
    ids = _ids(excluded, roots)
    items = Q(item__in=list(roots.values())) | Q(item__root__in=list(roots.values()))
    values = Q(value__in=sorted({value for pairs in ids.values() for _, value in pairs})) & ~Q(value="")
    blocks = (
        services.blocks_of(list_).filter(items | values | ~Q(pattern="")).select_related("item", "owner", "created_by")
    )
    may: dict[tuple[int | None, int | None], bool] = {}
    for each in blocks:
        scope = (each.list_id, each.owner_id)
        if scope not in may:
            may[scope] = services.may_unblock(each, request.user)
        for entry in excluded:
            if _holds(each, entry, roots.get(entry.pk), ids[entry.pk]):
                found[entry.pk].append({"block": each, "may": may[scope]})
    return found


def _ids(entries: Sequence[Entry], roots: dict[int, Any]) -> dict[int, set[tuple[str, str]]]:
    """Entry id -> the ids that it is known by: those of its item, and those that its sources state."""
    ids: dict[int, set[tuple[str, str]]] = {entry.pk: set() for entry in entries}
    for entry, stated in Claim.objects.filter(entry__in=entries).values_list("entry_id", "ids"):
        ids[entry] |= set(stated.items())
    known = ExternalId.objects.filter(Q(item__in=list(roots.values())) | Q(item__root__in=list(roots.values())))
    by_root: dict[int, set[tuple[str, str]]] = {}
    for item, root, namespace, value in known.values_list("item_id", "item__root_id", "namespace", "value"):
        by_root.setdefault(root or item, set()).add((namespace, value))
    for pk, root in roots.items():
        ids[pk] |= by_root.get(root, set())
    return ids


def _holds(block: Block, entry: Entry, root: int | None, ids: set[tuple[str, str]]) -> bool:
    if block.item is not None:
        return root is not None and (block.item.root_id or block.item_id) == root
    if block.value:
        return (block.namespace, block.value) in ids
    return matches(block.pattern.casefold(), entry.title.casefold())
