"""A list comes from an address or a kind of source: named, looked at, then kept in some way, or thrown away."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from lists import credentials
from lists.errors import Refused
from lists.models import Account, MediaList, Proposal, Source
from lists.views.access import frame, open_list, refusals_told
from sync import pasted
from sync.adapters import ADAPTERS, Adapter, fetched_adapters
from sync.errors import SyncError
from sync.forms import KeepForm, KindForm
from sync.views.uploads import choosing, lapsed, may_decide, not_open, proposal_of


@login_required
def address(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """What lies at an address, for a new list or for one that is there. What must be answered first is asked first."""
    list_ = open_list(request, pk, need="editor") if pk else None
    if request.method != "POST":
        return choosing(request, list_)
    typed = request.POST.get("address", "")
    try:
        found = pasted.recognise(typed)
        if all(each.wrong for each in found):
            first = found[0]
            form = KindForm(first.adapter, request.user, answers=first.answers, address=pasted.whole(typed))
            return _asked(request, list_, first.adapter, form)
        proposal = pasted.start(by=request.user, address=typed, list_=list_)
    except (SyncError, Refused) as e:
        return choosing(request, list_, address=typed, address_error=str(e))
    return redirect("sync:preview", proposal.pk)


@login_required
def kind(request: HttpRequest, key: str, pk: int | None = None) -> HttpResponse:
    """A kind of source with its own questions, an address among them if it reads one."""
    list_ = open_list(request, pk, need="editor") if pk else None
    if key not in fetched_adapters():
        raise Http404
    chosen = ADAPTERS[key]
    asks = chosen.asks_address or "address" in request.POST
    form = KindForm(chosen, request.user, _posted(request), address="" if asks else None)
    if request.method == "POST" and form.is_valid():
        try:
            proposal = pasted.start(
                by=request.user, adapter=key, config=form.answers(), address=form.cleaned_data.get("address", ""),
                account=_account(request, form), list_=list_,
            )  # fmt: skip
            return redirect("sync:preview", proposal.pk)
        except (SyncError, Refused) as e:
            form.add_error(None, str(e))
    return _asked(request, list_, chosen, form)


def _posted(request: HttpRequest) -> Any:
    """What was posted, be it nothing: a kind may ask nothing."""
    return request.POST if request.method == "POST" else None


def _asked(request: HttpRequest, list_: MediaList | None, kind: type[Adapter], form: KindForm) -> HttpResponse:
    return render(request, "sync/kind.html", {"list": list_, "kind": kind, "form": form})


def _account(request: HttpRequest, form: KindForm) -> Account | None:
    pk = form.cleaned_data.get("account")
    return Account.objects.get(pk=pk, owner=request.user.pk) if pk else None


@login_required
def found(request: HttpRequest, pk: int) -> HttpResponse:
    """What lies there and what it would bring, or why it cannot be read. Nothing of it is in any list."""
    proposal = proposal_of(request, pk)
    if not _is_open(proposal):
        return redirect("sync:preview", pk)
    form, whole = _tried_with(request, proposal), _address_of(proposal)
    chosen = ADAPTERS[proposal.adapter]
    unknown = proposal.state == Proposal.State.REFUSED and chosen.formats and not proposal.config.get("chosen")
    context = {
        "proposal": proposal, "list": proposal.list, "kind": chosen, "form": form, "unknown": unknown,
        "kinds": pasted.readers_of(whole, chosen), "result": proposal.result, "may_edit": may_decide(request, proposal), "name": pasted.name_of(proposal),
        "address": credentials.blank(whole), "account": _account_of(proposal) if may_decide(request, proposal) else None,
    }  # fmt: skip
    return render(request, "sync/found.html", context)


def _is_open(proposal: Proposal) -> bool:
    states = (Proposal.State.OPEN, Proposal.State.REFUSED)
    return pasted.is_pasted(proposal) and proposal.state in states and not lapsed(proposal)


def _address_of(proposal: Proposal) -> str:
    return pasted.address_of(Proposal.objects.only("body").get(pk=proposal.pk))


def _account_of(proposal: Proposal) -> Account | None:
    return Account.objects.filter(pk=proposal.config.get("account")).defer("secrets").first()


def _tried_with(request: HttpRequest, proposal: Proposal, data: Any = None) -> KindForm:
    return KindForm(
        ADAPTERS[proposal.adapter], proposal.created_by, data, answers=pasted.answers_of(proposal),
        account=proposal.config.get("account"), columns=proposal.result.get("columns") or [],
    )  # fmt: skip


@login_required
@require_POST
def try_again(request: HttpRequest, pk: int) -> HttpResponse:
    """As another kind, with other answers, or with another account."""
    proposal = proposal_of(request, pk, decide=True)
    if not pasted.is_pasted(proposal):
        raise Http404
    key = request.POST.get("adapter", proposal.adapter)
    form = _tried_with(request, proposal, request.POST)
    try:
        if key != proposal.adapter:
            pasted.try_again(proposal, adapter=key, find_out=not key)
        elif form.is_valid():
            account = form.cleaned_data.get("account")
            mine = get_object_or_404(Account, pk=account, owner=proposal.created_by_id) if account else None
            pasted.try_again(proposal, config=form.answers(), account=mine)
        else:
            wrong = [
                str(text) for errors in (form.errors, form.config.errors) for texts in errors.values() for text in texts
            ]
            messages.error(request, f"{' '.join(wrong)} Nothing was read again.")
            return redirect("sync:found", pk)
    except (SyncError, Refused) as e:
        return not_open(request, proposal, e)
    return redirect("sync:preview", pk)


@login_required
def keep(request: HttpRequest, pk: int) -> HttpResponse:
    """On which list, how often it is read, and what becomes of what leaves it; posted, it is saved and read."""
    proposal = proposal_of(request, pk, decide=True)
    if not _is_open(proposal) or proposal.state != Proposal.State.OPEN:
        return redirect("sync:preview", pk)
    form = KeepForm(proposal, request.user, _posted(request))
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        list_ = open_list(request, said["list"], need="editor") if said["list"] else None
        try:
            run = pasted.save(
                proposal, by=request.user, list_=list_, list_name=said["list_name"], source_name=said["source_name"],
                rules={} if list_ or proposal.list else form.rules(), interval_min=said["interval_min"], first=said["first"],
            )  # fmt: skip
            return redirect("sync:run", run.pk)
        except SyncError as e:
            return not_open(request, proposal, e)
        except Refused as e:
            form.add_error(None, str(e))
    context = {
        "proposal": proposal, "list": proposal.list, "form": form, "kind": ADAPTERS[proposal.adapter],
        "result": proposal.result, "name": pasted.name_of(proposal),
    }  # fmt: skip
    return render(request, "sync/keep.html", context)


@login_required
def move(request: HttpRequest, pk: int, source_pk: int) -> HttpResponse:
    """Where a source is read from now on, and with which answers: what it brought stays until that has been read."""
    list_ = open_list(request, pk, need="owner")
    feeds = Source.objects.filter(list=list_, role=Source.Role.FEED, removed_at=None, adapter__in=fetched_adapters())
    source = get_object_or_404(feeds.select_related("list", "account"), pk=source_pk)
    chosen = ADAPTERS[source.adapter]
    address = "" if chosen.asks_address else None
    form = KindForm(chosen, request.user, _posted(request), answers=source.config, address=address)
    form.fields.pop("account", None)
    if chosen.asks_address:
        form.fields["address"].required = False
    if request.method == "POST" and form.is_valid():
        with refusals_told(request):
            try:
                moved = pasted.move(
                    source, by=request.user, config=form.answers(), address=form.cleaned_data.get("address", "")
                )
                said = (
                    f"Saved. {source} is read there from now on. Nothing was removed."
                    if moved
                    else "It said so already."
                )
                messages.success(request, said)
            except SyncError as e:
                messages.error(request, str(e))
        return redirect("lists:source", pk, source_pk)
    context = frame(request, list_, "settings") | {"source": source, "form": form, "kind": chosen}
    return render(request, "sync/move.html", context)
