"""How a list changed: its versions, any of them as it was, and the difference of any two."""

from datetime import datetime, time, timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date

from lists import versions
from lists.models import Entry, MediaList, Version
from lists.versions import Difference
from lists.views.access import frame, number, open_list

VERSIONS_SHOWN = 20
ENTRIES_SHOWN = 50
KINDS = {"added": "came", "removed": "left", "changed": "changed", "moved": "moved"}


@login_required
def changes(request: HttpRequest, pk: int) -> HttpResponse:
    """Versions, newest first; ?before= goes on below a number."""
    list_ = open_list(request, pk)
    found = list_.versions.defer("order", "facts")
    if before := number(request.GET.get("before")):
        found = found.filter(number__lt=before)
    shown = list(found[: VERSIONS_SHOWN + 1])
    context = frame(request, list_, "changes")
    context |= {"versions": shown[:VERSIONS_SHOWN], "more": len(shown) > VERSIONS_SHOWN, "today": timezone.localdate()}
    return render(request, "lists/changes.html", context)


@login_required
def version(request: HttpRequest, pk: int, n: int) -> HttpResponse:
    """The list as it was; ?start= counts places."""
    list_ = open_list(request, pk)
    at = version_of(list_, n)
    places = versions.order_of(at)
    start = min(number(request.GET.get("start")) or 0, len(places))
    rows = versions.entries_of(at, start=start, limit=ENTRIES_SHOWN)
    end = start + ENTRIES_SHOWN
    context = frame(request, list_, "changes")
    context |= {
        "version": at, "rows": list(enumerate(rows, start + 1)), "next": end if end < len(places) else None,
        "is_current": list_.current_id == at.pk,
        "since": list_.versions.filter(number__gt=n).order_by("number").values_list("created_at", flat=True).first(),
    }  # fmt: skip
    return render(request, "lists/version.html", context)


@login_required
def on_day(request: HttpRequest, pk: int) -> HttpResponse:
    """Leads to the version that was current when a day ended."""
    list_ = open_list(request, pk)
    try:
        day = parse_date(request.GET.get("day", ""))
    except ValueError:
        day = None
    if day is None or not 1970 <= day.year <= 9998:
        messages.error(request, "Choose a day, for example 2025-03-14.")
        return redirect("lists:changes", pk)
    end = timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))
    found = versions.version_at(list_, end)
    if found is None:
        messages.error(request, f"On {day.day} {day:%B %Y} this list had nothing on it yet.")
        return redirect("lists:changes", pk)
    return redirect("lists:version", pk, found.number)


@login_required
def diff(request: HttpRequest, pk: int) -> HttpResponse:
    """What lies between ?from= and ?to=; without them, between the last two. ?kind= and ?start= go through long ones."""
    list_ = open_list(request, pk)
    if list_.current is None:
        raise Http404
    after = version_of(list_, number(request.GET.get("to")) or list_.current.number)
    before = version_of(list_, number(request.GET.get("from")) or max(after.number - 1, 1))
    pruned = bool(before.pruned_at or after.pruned_at)
    found = versions.diff(after, after) if pruned else versions.diff(before, after)
    start = number(request.GET.get("start")) or 0
    groups = _groups(found.rows, only=request.GET.get("kind", ""), start=start)
    shown = [row.entry for group in groups for row in group["rows"]]
    context = frame(request, list_, "changes")
    context |= {
        "before": before, "after": after, "groups": groups, "counts": found.counts, "facts": found.facts,
        "same": after.item_count - found.counts["added"] - found.counts["changed"] - found.counts["moved"],
        "entries": Entry.objects.only("title", "poster", "item_id", "kind").in_bulk(shown),
        "neighbours": before.number + 1 == after.number, "pruned": pruned,
    }  # fmt: skip
    return render(request, "lists/diff.html", context)


def version_of(list_: MediaList, n: int) -> Version:
    """Raises Http404."""
    found = list_.versions.filter(number=n).first()
    if found is None:
        raise Http404
    return found


def _groups(rows: list[Difference], *, only: str, start: int) -> list[dict[str, Any]]:
    """[{"kind", "word", "count", "rows", "next"}]: each kind of change with its first rows, or one kind from `start`."""
    groups = []
    for kind, word in KINDS.items():
        of_kind = [row for row in rows if row.kind == kind]
        if not of_kind or (only in KINDS and only != kind):
            continue
        first = start if only == kind else 0
        end = first + ENTRIES_SHOWN
        groups.append({
            "kind": kind, "word": word, "count": len(of_kind), "rows": of_kind[first:end],
            "next": end if end < len(of_kind) else None,
        })  # fmt: skip
    return groups
