"""Many lists brought up to date at once: chosen on the page of lists, followed on a page of their own."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from lists.models import Conflict, MediaList
from lists.views.access import number, refusals_told
from sync import batches
from sync.forms import BatchForm
from sync.models import Batch

BATCHES_SHOWN = 30
LISTS_AT_ONCE = 1000
PARTS_SHOWN = 200


@login_required
def index(request: HttpRequest) -> HttpResponse:
    """The batches that the user asked for, newest first; ?before= goes on below one. POST: sync the chosen lists."""
    if request.method == "POST":
        return _start(request)
    found = Batch.objects.for_user(request.user).counted()
    if before := number(request.GET.get("before")):
        found = found.filter(pk__lt=before)
    rows = list(found[: BATCHES_SHOWN + 1])
    context = {"batches": rows[:BATCHES_SHOWN], "more": len(rows) > BATCHES_SHOWN}
    return render(request, "sync/batches.html", context)


def _start(request: HttpRequest) -> HttpResponse:
    pks = [pk for pk in map(number, request.POST.getlist("lists")) if pk is not None][:LISTS_AT_ONCE]
    found = MediaList.objects.for_user(request.user).in_bulk(pks)
    lists = [found[pk] for pk in dict.fromkeys(pks) if pk in found and found[pk].may_edit(request.user)]
    form = BatchForm(request.POST)
    if not lists or not form.is_valid():
        messages.error(request, "Choose lists that you may change, and how they are read. Nothing was started.")
        return redirect("lists:index")
    with refusals_told(request):
        return redirect("sync:runs_batch", batches.start(lists, by=request.user, **form.cleaned_data).pk)
    return redirect("lists:index")


@login_required
def one(request: HttpRequest, pk: int) -> HttpResponse:
    """One batch: how far it is, part by part."""
    return render(request, "sync/batch.html", _context(request, pk))


@login_required
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """For the script that waits: the meter, or 204 as soon as the batch has ended."""
    context = _context(request, pk)
    if context["batch"].state != Batch.State.RUNNING:
        return HttpResponse(status=204)
    return render(request, "sync/_batch.html", context)


@login_required
@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Start nothing more, and stop what runs."""
    batch = _context(request, pk)["batch"]
    with refusals_told(request):
        batches.cancel(batch, by=request.user)
        messages.success(request, "Nothing more is started. What was brought in stays.")
    return redirect("sync:runs_batch", pk)


def _context(request: HttpRequest, pk: int) -> dict[str, Any]:
    batch = Batch.objects.for_user(request.user).counted().filter(pk=pk).first()
    if batch is None:
        raise Http404
    kinds = dict(Conflict.Kind.choices)
    return {
        "batch": batch, "parts": batch.parts.select_related("run", "list").defer("run__details")[:PARTS_SHOWN],
        "hidden": max(batch.parts.count() - PARTS_SHOWN, 0),
        "conflicts": [(kinds.get(kind, kind), count) for kind, count in batches.conflicts(batch).items()],
    }  # fmt: skip
