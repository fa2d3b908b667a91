"""Sync now, and when else: one source of a list, or all that are fetched. How every source stands."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from lists import services
from lists.api.sources import YEAR_MIN
from lists.models import Source
from lists.paging import BadCursor, Sort, seek
from lists.templatetags.listkeeper import in_words
from lists.views.access import open_list, refusals_told
from sync import definitions
from sync.adapters import is_fetched
from sync.errors import Busy, SyncError
from sync.forms import ScheduleForm
from sync.models import Run
from sync.runs import request_sync
from sync.standing import Standing, counted, standings, with_runs

SOURCES_SHOWN = 50
BY_NAME = Sort("name", "By name", "name")


@login_required
@require_POST
def sync_list(request: HttpRequest, pk: int) -> HttpResponse:
    """One run for each source that is switched on and fetched."""
    list_ = open_list(request, pk, need="editor")
    sources = Source.objects.filter(list=list_, removed_at=None, enabled=True).select_related("list")
    return _ask(request, pk, sources)


@login_required
@require_POST
def sync_source(request: HttpRequest, pk: int, source_pk: int) -> HttpResponse:
    """A run of one source; leads to it. force=yes: also if it was read a moment ago."""
    list_ = open_list(request, pk, need="editor")
    sources = Source.objects.filter(list=list_, removed_at=None, pk=source_pk).select_related("list")
    if not sources:
        raise Http404
    return _ask(request, pk, sources)


@login_required
@require_POST
def schedule_list(request: HttpRequest, pk: int) -> HttpResponse:
    """How often the list is read: the same for all of its sources that are fetched."""
    list_ = open_list(request, pk, need="editor")
    if (answers := _schedule(request)) is not None:
        with refusals_told(request):
            count = len(definitions.set_schedule(list_, by=request.user, **answers))
            messages.success(request, f"Saved for {count} source{'' if count == 1 else 's'}.")
    return redirect("lists:settings", pk)


@login_required
@require_POST
def schedule_source(request: HttpRequest, pk: int, source_pk: int) -> HttpResponse:
    """How often one source is read."""
    list_ = open_list(request, pk, need="editor")
    source = next((each for each in definitions.fetched_sources(list_) if each.pk == source_pk), None)
    if source is None:
        raise Http404
    if (answers := _schedule(request)) is not None:
        with refusals_told(request):
            services.change_source(source, by=request.user, **answers)
            messages.success(request, "Saved.")
    return redirect("lists:source", pk, source_pk)


def _schedule(request: HttpRequest) -> dict[str, Any] | None:
    """What was typed; None if it makes no sense, and the next page says so."""
    form = ScheduleForm(request.POST)
    if form.is_valid():
        return form.cleaned_data
    messages.error(request, f"Type whole minutes, from 1 to {YEAR_MIN:,}. Nothing was saved.")
    return None


@login_required
def standing(request: HttpRequest) -> HttpResponse:
    """Every source that is fetched: what runs, since when, what comes next. ?state= chooses, ?after= goes on."""
    wanted = request.GET.get("state", "")
    wanted = wanted if wanted in Standing.values else ""
    found = standings(request.user).filter(**({"standing": wanted} if wanted else {}))
    try:
        page = seek(found, BY_NAME, after=request.GET.get("after", ""), limit=SOURCES_SHOWN)
    except BadCursor:
        page = seek(found, BY_NAME, limit=SOURCES_SHOWN)
    counts = counted(request.user)
    states = [(state.value, state.label, counts[state]) for state in Standing if state in counts]
    context = {"rows": with_runs(page.rows), "next": page.next, "states": states, "wanted": wanted,
               "total": sum(counts.values())}  # fmt: skip
    return render(request, "sync/standing.html", context)


def _ask(request: HttpRequest, pk: int, sources: Iterable[Source]) -> HttpResponse:
    """Says of each source what became of it. A single one leads to its run, be it new or at work already."""
    fetched = [source for source in sources if is_fetched(source)]
    if not fetched:
        messages.error(request, "There is nothing to fetch: a file is brought in by hand. Nothing was started.")
        return redirect("lists:settings", pk)
    force = request.POST.get("force") == "yes"
    found = [_run_of(request, source, force=force) for source in fetched]
    working = [run for run in found if run is not None]
    if len(fetched) == 1 and working:
        return redirect("sync:run", working[0].pk)
    return redirect("sync:list_runs", pk) if working else redirect("lists:settings", pk)


def _run_of(request: HttpRequest, source: Source, *, force: bool) -> Run | None:
    """The run that brings a source up to date; None if there is none, and the next page says why."""
    with refusals_told(request):
        try:
            asked = request_sync(source, by=request.user, force=force)
        except Busy as e:
            messages.success(request, f"{e} Nothing else was started.")
            return e.run
        except SyncError as e:
            messages.error(request, str(e))
            return None
        if asked.skipped_until is not None:
            at = in_words(timezone.localtime(asked.skipped_until), timezone.localtime())
            said = f"{source} was read a moment ago, so nothing was fetched. It can be read again from {at} on."
            messages.success(request, said)
        return asked.run
    return None
