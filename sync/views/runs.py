"""What came in and how it went: one run, all of them, and those of one list."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from lists.models import MediaList
from lists.views.access import frame, midnight, number, open_list, refusals_told
from sync import runs, statistics
from sync.models import Run
from sync.progress import FILLING, IN_PARTS, WRITING
from sync.views.uploads import waiting

RUNS_SHOWN = 30
LISTS_OFFERED = 500
EARLIER_SHOWN = 5
PERIODS = (1, 7, 30, 90, 366)
STEPS = ("Reading", "Comparing", WRITING)  # as pipeline.sync names them


@login_required
def all_runs(request: HttpRequest) -> HttpResponse:
    """Newest first; ?list=, ?state=, ?from= and ?to= choose, ?before= goes on below a run."""
    found = _chosen(Run.objects.for_user(request.user), request)
    context = _page(found, request)
    context |= {"lists": _offered(request), "states": Run.State.choices, "waiting": waiting(request)}
    return render(request, "sync/runs.html", context)


@login_required
def figures(request: HttpRequest) -> HttpResponse:
    """How the runs of the last days went, and hour by hour; ?list= and ?days= choose."""
    found = Run.objects.for_user(request.user)
    days = number(request.GET.get("days"), low=1, high=statistics.DAYS_MOST) or statistics.DAYS
    if list_pk := number(request.GET.get("list")):
        found = found.filter(list_id=list_pk)
    now = timezone.now()
    hours = statistics.hourly(found, days=min(days, statistics.HOURLY_DAYS), now=now)
    context = {"figures": statistics.figures(found, days=days, now=now), "hours": hours[::-1], "days": days,
               "periods": PERIODS, "lists": _offered(request), "hourly_days": min(days, statistics.HOURLY_DAYS)}  # fmt: skip
    return render(request, "sync/figures.html", context)


def _offered(request: HttpRequest) -> list[tuple[int, str]]:
    """(id, name) of the lists that can be chosen."""
    found = MediaList.objects.for_user(request.user, binned=None).values_list("pk", "name")
    return list(found.order_by("name", "pk")[:LISTS_OFFERED])


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
        "run": found, "retry": Run.objects.filter(previous=found.pk, state=Run.State.WAITING).first(),
        "steps": _steps(found), "details": found.details,
        "earlier": earlier[:EARLIER_SHOWN], "binned": found.list.deleted_at is not None,
        "may_edit": found.list.may_edit(request.user),
    }  # fmt: skip
    return render(request, "sync/run.html", context)


@login_required
@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop a run; its page says when it has stopped."""
    found = _run(request, pk)
    open_list(request, found.list_id, need="editor")
    with refusals_told(request):
        runs.cancel(found, by=request.user)
    return redirect("sync:run", pk)


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
    for around in (FILLING, IN_PARTS):
        timings |= {WRITING: timings.get(around, timings.get(WRITING))}
    if found.state in (Run.State.COMPLETED, Run.State.PARTIAL):
        return [{"name": name, "state": "ok", "seconds": timings.get(name)} for name in STEPS]
    step = WRITING if found.step in (FILLING, IN_PARTS) else found.step
    at = STEPS.index(step) if step in STEPS else -1
    here = "now" if found.is_active else "stopped"
    return [
        {"name": name, "state": "ok" if n < at else here if n == at else "later", "seconds": timings.get(name)}
        for n, name in enumerate(STEPS)
    ]
