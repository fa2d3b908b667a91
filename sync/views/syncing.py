"""Sync now: one source of a list, or all that are fetched."""

from collections.abc import Iterable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from lists.models import Source
from lists.templatetags.listkeeper import in_words
from lists.views.access import open_list, refusals_told
from sync.adapters import is_fetched
from sync.errors import Busy, SyncError
from sync.models import Run
from sync.runs import request_sync


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
    """A run of one source; leads to it."""
    list_ = open_list(request, pk, need="editor")
    sources = Source.objects.filter(list=list_, removed_at=None, pk=source_pk).select_related("list")
    if not sources:
        raise Http404
    return _ask(request, pk, sources)


def _ask(request: HttpRequest, pk: int, sources: Iterable[Source]) -> HttpResponse:
    """Says of each source what became of it. A single one leads to its run, be it new or at work already."""
    fetched = [source for source in sources if is_fetched(source)]
    if not fetched:
        messages.error(request, "There is nothing to fetch: a file is brought in by hand. Nothing was started.")
        return redirect("lists:settings", pk)
    found = [_run_of(request, source) for source in fetched]
    working = [run for run in found if run is not None]
    if len(fetched) == 1 and working:
        return redirect("sync:run", working[0].pk)
    return redirect("sync:list_runs", pk) if working else redirect("lists:settings", pk)


def _run_of(request: HttpRequest, source: Source) -> Run | None:
    """The run that brings a source up to date; None if there is none, and the next page says why."""
    with refusals_told(request):
        try:
            asked = request_sync(source, by=request.user)
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
