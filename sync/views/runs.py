"""What came in and how it went: one run, all of them, and those of one list."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from lists.models import MediaList
from lists.views.access import frame, midnight, number, open_list
from sync.models import Run
from sync.views.uploads import waiting

RUNS_SHOWN = 30
LISTS_OFFERED = 500
EARLIER_SHOWN = 5
STEPS = ("Reading", "Comparing", "Writing")  # as pipeline.sync names them


@login_required
def runs(request: HttpRequest) -> HttpResponse:
    """Newest first; ?list=, ?state=, ?from= and ?to= choose, ?before= goes on below a run."""
    found = _chosen(Run.objects.for_user(request.user), request)
    offered = MediaList.objects.for_user(request.user, binned=None).values_list("pk", "name").order_by("name", "pk")
    context = _page(found, request)
    context |= {"lists": offered[:LISTS_OFFERED], "states": Run.State.choices, "waiting": waiting(request)}
    return render(request, "sync/runs.html", context)


@login_required
def list_runs(request: HttpRequest, pk: int) -> HttpResponse:
    """The import log of one list."""
    list_ = open_list(request, pk)
    context = frame(request, list_, "runs") | _page(Run.objects.filter(list=list_), request)
    return render(request, "sync/list_runs.html", context)


@login_required
def run(request: HttpRequest, pk: int) -> HttpResponse:
    """One run: its progress while it works, what it brought when it is done."""
    found = _run(request, pk)
    earlier = Run.objects.filter(list_id=found.list_id, pk__lt=found.pk).defer("details")
    context = {
        "run": found, "steps": _steps(found), "details": found.details,
        "earlier": earlier[:EARLIER_SHOWN], "binned": found.list.deleted_at is not None,
    }  # fmt: skip
    return render(request, "sync/run.html", context)


@login_required
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """For the script that waits: the meter, or 204 as soon as the run has ended."""
    found = _run(request, pk)
    if not found.is_active:
        return HttpResponse(status=204)
    return render(request, "sync/_meter.html", {"run": found, "steps": _steps(found)})


def _run(request: HttpRequest, pk: int) -> Run:
    found = Run.objects.for_user(request.user).filter(pk=pk).select_related("list", "source", "version").first()
    if found is None:
        raise Http404
    return found


def _page(found: QuerySet[Run], request: HttpRequest) -> dict[str, Any]:
    if before := number(request.GET.get("before")):
        found = found.filter(pk__lt=before)
    rows = list(found.select_related("list", "source", "version").defer("details", "version__order")[: RUNS_SHOWN + 1])
    return {"runs": rows[:RUNS_SHOWN], "more": len(rows) > RUNS_SHOWN}


def _chosen(found: QuerySet[Run], request: HttpRequest) -> QuerySet[Run]:
    """What makes no sense is left out rather than refused."""
    if list_pk := number(request.GET.get("list")):
        found = found.filter(list_id=list_pk)
    if (state := request.GET.get("state", "")) in Run.State.values:
        found = found.filter(state=state)
    if start := midnight(request.GET.get("from")):
        found = found.filter(created_at__gte=start)
    if last := midnight(request.GET.get("to")):
        found = found.filter(created_at__lt=last + timedelta(days=1))
    return found


def _steps(found: Run) -> list[dict[str, Any]]:
    """[{"name", "state", "seconds"}]: state is ok, now, later or stopped; seconds None where it is not measured."""
    timings = found.details.get("timings_s", {})
    if found.state in (Run.State.COMPLETED, Run.State.PARTIAL):
        return [{"name": name, "state": "ok", "seconds": timings.get(name)} for name in STEPS]
    at = STEPS.index(found.step) if found.step in STEPS else -1
    here = "now" if found.is_active else "stopped"
    return [
        {"name": name, "state": "ok" if n < at else here if n == at else "later", "seconds": timings.get(name)}
        for n, name in enumerate(STEPS)
    ]
