"""A file comes in: chosen, previewed, then confirmed or thrown away."""

import zlib
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from lists.errors import InTheBin
from lists.models import MediaList, Proposal
from lists.views.access import open_list
from sync import pasted, uploads
from sync.adapters import Context, FileAdapter, adapter_named
from sync.errors import SyncError
from sync.forms import ConfirmForm, ReadingForm, UploadForm

WAITING_SHOWN = 10
SAMPLE = 256 * 1024  # bytes of a refused file in which its columns are looked for


@login_required
def add(request: HttpRequest) -> HttpResponse:
    """A new list, made of a file or an address."""
    return _take(request, None)


@login_required
def upload(request: HttpRequest, pk: int) -> HttpResponse:
    """A file for a list that is there."""
    return _take(request, open_list(request, pk, need="editor"))


def _take(request: HttpRequest, list_: MediaList | None) -> HttpResponse:
    posted = (request.POST, request.FILES) if request.method == "POST" else ()
    form = UploadForm(*posted)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            proposal = uploads.start(
                file.read(), by=request.user, filename=file.name, list_=list_, list_name=form.cleaned_data["list_name"]
            )
            return redirect("sync:preview", proposal.pk)
        except SyncError as e:
            form.add_error("file", str(e))
    return choosing(request, list_, form=form)


def choosing(request: HttpRequest, list_: MediaList | None, **context: Any) -> HttpResponse:
    """The page on which people say where a list comes from: an address, a file, or a kind of source."""
    context |= {"list": list_, "waiting": waiting(request, list_)}
    return render(request, "sync/upload.html" if list_ else "sync/add.html", context)


def waiting(request: HttpRequest, list_: MediaList | None = None) -> QuerySet[Proposal]:
    """The user's files that wait for their decision, of one list or of all."""
    found = Proposal.objects.filter(
        created_by=request.user.pk, kind=Proposal.Kind.PREVIEW, expires_at__gt=timezone.now(),
        state__in=[Proposal.State.READING, Proposal.State.OPEN, Proposal.State.REFUSED],
    )  # fmt: skip
    found = found.filter(list=list_) if list_ else found
    return found.select_related("list").defer("body", "result").order_by("-id")[:WAITING_SHOWN]


@login_required
def preview(request: HttpRequest, pk: int) -> HttpResponse:
    """What a file or an address would bring. Nothing of it is in any list."""
    proposal = proposal_of(request, pk)
    run = proposal.runs.first() if proposal.state == Proposal.State.CONFIRMED else None
    context: dict[str, Any] = {
        "proposal": proposal, "list": proposal.list, "run": run, "pasted": pasted.is_pasted(proposal),
    }  # fmt: skip
    if proposal.state == Proposal.State.READING and not lapsed(proposal):
        return render(request, "sync/reading.html", context)
    if proposal.state not in (Proposal.State.OPEN, Proposal.State.REFUSED) or lapsed(proposal):
        return render(request, "sync/decided.html", context | {"lapsed": lapsed(proposal)})
    if pasted.is_pasted(proposal):
        return redirect("sync:found", pk)
    context |= {"form": ReadingForm(proposal, _columns(proposal)), "may_edit": may_decide(request, proposal)}
    if proposal.state == Proposal.State.OPEN:
        context |= {"result": proposal.result, "name": uploads.name_of(proposal), "file": uploads.file_of(proposal)}
    return render(request, "sync/preview.html", context)


@login_required
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """For the script that waits: 204 as soon as the page has something new to show."""
    proposal = proposal_of(request, pk)
    if proposal.state != Proposal.State.READING or lapsed(proposal):
        return HttpResponse(status=204)
    return render(request, "sync/_reading.html", {"proposal": proposal})


@login_required
@require_POST
def read_again(request: HttpRequest, pk: int) -> HttpResponse:
    """As another format, with other columns, or as the renewal of another source."""
    proposal = proposal_of(request, pk, decide=True)
    form = ReadingForm(proposal, _columns(proposal), request.POST)
    if not form.is_valid():
        messages.error(request, "One of the choices does not exist. Nothing was read again.")
        return redirect("sync:preview", pk)
    try:
        uploads.read_again(proposal, **form.answers())
    except SyncError as e:
        return not_open(request, proposal, e)
    return redirect("sync:preview", pk)


@login_required
@require_POST
def take_parts(request: HttpRequest, pk: int) -> HttpResponse:
    """Previews of further lists of the same archive; they wait where files are added."""
    proposal = proposal_of(request, pk, decide=True)
    try:
        taken = uploads.take_parts(proposal, request.POST.getlist("part"), by=request.user)
    except SyncError as e:
        messages.error(request, str(e))
        return redirect("sync:preview", pk)
    if not taken:
        messages.error(request, "Choose at least one list of the archive. Nothing was read.")
        return redirect("sync:preview", pk)
    what = "list is" if len(taken) == 1 else "lists are"
    messages.success(request, f"{len(taken)} more {what} being read. Nothing is saved before you confirm each.")
    return redirect("sync:add")


@login_required
@require_POST
def confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """Make it so; leads to the run that does it."""
    proposal = proposal_of(request, pk, decide=True)
    form = ConfirmForm(request.POST)
    if not form.is_valid():
        messages.error(request, "A name may have 200 letters at most. Nothing was brought in yet.")
        return redirect("sync:preview", pk)
    try:
        run = uploads.confirm(proposal, by=request.user, **form.cleaned_data)
    except (SyncError, InTheBin) as e:
        return not_open(request, proposal, e)
    return redirect("sync:run", run.pk)


@login_required
@require_POST
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Throw the preview away."""
    proposal = proposal_of(request, pk, decide=True)
    try:
        uploads.discard(proposal, by=request.user)
    except SyncError as e:
        return not_open(request, proposal, e)
    messages.success(request, f"{proposal.filename or 'The file'} was thrown away. Nothing of it was in any list.")
    return redirect("lists:items", proposal.list_id) if proposal.list_id else redirect("lists:index")


def proposal_of(request: HttpRequest, pk: int, *, decide: bool = False) -> Proposal:
    """404 if the user may not see it or its list; 403 if they may not change that and `decide` asks for it."""
    found = Proposal.objects.for_user(request.user).without_body().filter(pk=pk, kind=Proposal.Kind.PREVIEW)
    proposal = found.select_related("list", "source").first()
    if proposal is None or (proposal.list and proposal.list.role_of(request.user) is None):
        raise Http404
    if decide and not may_decide(request, proposal):
        raise PermissionDenied
    return proposal


def may_decide(request: HttpRequest, proposal: Proposal) -> bool:
    if proposal.list is not None:
        return proposal.list.may_edit(request.user)
    return request.user.is_staff or proposal.created_by_id == request.user.pk


def lapsed(proposal: Proposal) -> bool:
    return proposal.expires_at is not None and proposal.expires_at < timezone.now()


def not_open(request: HttpRequest, proposal: Proposal, error: Exception) -> HttpResponse:
    """Somebody decided it meanwhile, it has lapsed, or its list lies in the bin."""
    context = {"proposal": proposal, "list": proposal.list, "error": str(error), "pasted": pasted.is_pasted(proposal)}
    return render(request, "sync/not_open.html", context, status=409)


def _columns(proposal: Proposal) -> list[dict[str, Any]]:
    """What each column became. Of a refused file the preview knows nothing, so its first part is looked at again: a
    person may then say which column holds the title."""
    if proposal.state == Proposal.State.OPEN:
        return proposal.result.get("columns", [])
    if not proposal.adapter or proposal.state != Proposal.State.REFUSED:
        return []
    body = Proposal.objects.filter(pk=proposal.pk).values_list("body", flat=True).first()
    first = zlib.decompressobj().decompress(bytes(body), SAMPLE) if body else b""
    try:
        adapter = adapter_named(proposal.adapter)
        return adapter.columns(Context(first, proposal.config)) if isinstance(adapter, FileAdapter) else []
    except SyncError:
        return []
