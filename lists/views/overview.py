"""All lists, the bin, and making a list without a file."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, OuterRef, Prefetch, Q, QuerySet, Subquery, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from lists import labels, services, waiting
from lists.forms import ListForm
from lists.models import Entry, MediaList, Source
from lists.paging import BadCursor, Page, Sort, seek
from lists.views.access import open_list

LISTS_SHOWN = 60
BY_NAME = Sort("name", "Name", "name")
NEEDS = 3  # rows of each kind of decision
FAN = 3  # pictures on a card


@login_required
def index(request: HttpRequest) -> HttpResponse:
    """Every list that the user may see, or a welcome where there is none yet."""
    mine = MediaList.objects.for_user(request.user)
    totals = _totals(mine)
    if not totals:
        return render(request, "lists/welcome.html", {"binned": _binned(request)})
    q = request.GET.get("q", "").replace("\x00", "").strip()[:200]
    tag = request.GET.get("tag", "").replace("\x00", "").replace("|", "").strip()[:100]
    content = request.GET.get("content", "")
    found = mine.select_related("current").prefetch_related(
        Prefetch("sources", Source.objects.filter(role=Source.Role.FEED, removed_at=None), to_attr="feeds")
    )
    if q:
        found = found.filter(Q(name__icontains=q) | Q(tags__icontains=q))
    if tag:
        found = found.filter(tags__contains=labels.one(tag))
    if content in MediaList.Content.values:
        found = found.filter(content=content)
    page = _page_of(found, request.GET.get("after", ""))
    context = {
        "page": page, "fans": _fans(page.rows), "totals": totals, "q": q, "tag": tag, "content": content,
        "list_count": sum(row["lists"] for row in totals), "entry_count": sum(row["entry_count"] for row in totals),
        "binned": _binned(request), **_needs(request),
    }  # fmt: skip
    return render(request, "lists/index.html", context)


def _needs(request: HttpRequest) -> dict[str, Any]:
    """The first of what waits for the user, above the lists; nothing of it beside a search."""
    if request.GET:
        return {}
    held = waiting.held_for(request.user).filter(waiting.OPEN_HELD)[:NEEDS]
    return {
        "held": list(held),
        "asked": list(waiting.lists_with_questions(request.user).order_by("name", "id")[:NEEDS]),
    }


def _page_of(found: QuerySet[MediaList], after: str) -> Page[MediaList]:
    try:
        return seek(found, BY_NAME, after=after, limit=LISTS_SHOWN)
    except BadCursor:
        return seek(found, BY_NAME, limit=LISTS_SHOWN)


def _totals(mine: QuerySet[MediaList]) -> list[dict[str, Any]]:
    """[{"content", "label", "lists", "entry_count"}] of each content that there is."""
    # By id: the join over members would count a list once per member.
    counted = MediaList.objects.filter(pk__in=mine.order_by().values("pk")).order_by().values("content")
    rows = counted.annotate(lists=Count("pk"), entry_count=Sum("item_count")).order_by("content")
    return [{**row, "label": MediaList.Content(row["content"]).label} for row in rows]


def _fans(shown: Iterable[MediaList]) -> dict[int, list[Entry]]:
    """The first entries of each list, in two queries however many lists there are."""
    first = Entry.objects.filter(list=OuterRef("pk")).listed().order_by("rank", "id").values("pk")
    places = {f"place_{n}": Subquery(first[n : n + 1]) for n in range(FAN)}
    shown_ids = [list_.pk for list_ in shown if list_.current_id]
    rows = MediaList.objects.filter(pk__in=shown_ids).annotate(**places).values_list("pk", *places)
    by_list = {pk: [entry for entry in entries if entry] for pk, *entries in rows}
    entries = Entry.objects.only("title", "poster", "item_id").in_bulk([pk for pks in by_list.values() for pk in pks])
    return {pk: [entries[entry] for entry in pks if entry in entries] for pk, pks in by_list.items()}


def _binned(request: HttpRequest) -> int:
    return MediaList.objects.for_user(request.user, binned=True).count()


@login_required
def create(request: HttpRequest) -> HttpResponse:
    """An empty list."""
    form = ListForm(request.POST if request.method == "POST" else None, creating=True)
    if request.method == "POST" and form.is_valid():
        list_ = services.create_list(request.user, **form.cleaned_data)
        messages.success(request, f"{list_.name} is there. It is empty; bring in a file to fill it.")
        return redirect("lists:items", list_.pk)
    return render(request, "lists/create.html", {"form": form})


@login_required
def bin_(request: HttpRequest) -> HttpResponse:
    """Lists that were deleted and can still be brought back, the latest first."""
    lying = MediaList.objects.for_user(request.user, binned=True).order_by("-deleted_at", "-id")[:LISTS_SHOWN]
    mine = request.user.is_staff
    rows = [(list_, mine or list_.owner_id == request.user.pk) for list_ in lying]
    return render(request, "lists/bin.html", {"rows": rows, "days": settings.BIN_LIFETIME.days})


@login_required
@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    list_ = services.bin_list(open_list(request, pk, need="owner"), by=request.user)
    messages.success(request, f"{list_.name} is in the bin.", extra_tags=reverse("lists:restore", args=[pk]))
    return redirect("lists:index")


@login_required
@require_POST
def restore(request: HttpRequest, pk: int) -> HttpResponse:
    list_ = services.restore_list(open_list(request, pk, need="owner", binned=None), by=request.user)
    messages.success(request, f"{list_.name} is back, as it was.")
    return redirect("lists:items", list_.pk)
