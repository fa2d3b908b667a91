"""Accounts at services: which there are, how they stand, signing in, testing, letting go."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Max
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from lists import services
from lists.errors import Refused
from lists.models import Account, SignIn, Source
from lists.views.access import number, open_list, refusals_told
from sync import access, signing_in
from sync.account_kinds import KINDS, AccountKind, kinds
from sync.errors import SyncError


@login_required
def index(request: HttpRequest) -> HttpResponse:
    found = Account.objects.filter(owner=request.user.pk).select_related("sign_in").defer("secrets")
    found = found.annotate(used_at=Max("sources__last_run_at")).order_by("from_addresses", "service", "name", "pk")
    accounts = sorted(found, key=lambda account: account.works)  # what needs somebody comes first
    lists = _lists_of(accounts)
    rows = [(account, _sign_in(account), lists.get(account.pk, [])) for account in accounts]
    waiting = [
        (sign_in, _left_s(sign_in)) for _, sign_in, _ in rows if sign_in and sign_in.state == SignIn.State.WAITING
    ]
    return render(request, "sync/accounts.html", {"rows": rows, "waiting": waiting})


def _lists_of(accounts: Sequence[Account]) -> dict[int, list[str]]:
    """account -> names of the lists that it feeds; one query."""
    found: dict[int, dict[str, None]] = {}
    using = Source.objects.filter(account__in=accounts, removed_at=None, list__deleted_at=None)
    for account, name in using.order_by("list__name").values_list("account", "list__name"):
        found.setdefault(account, {})[name] = None
    return {account: list(names) for account, names in found.items()}


def _sign_in(account: Account) -> SignIn | None:
    return getattr(account, "sign_in", None)


def _left_s(sign_in: SignIn) -> float:
    return (sign_in.expires_at - timezone.now()).total_seconds()


@login_required
def choose(request: HttpRequest) -> HttpResponse:
    """Which service it is at."""
    return render(request, "sync/account_choose.html", {"kinds": kinds()})


@login_required
def add(request: HttpRequest, service: str) -> HttpResponse:
    kind = _kind(service)
    form = _form(kind, request.POST if request.method == "POST" else None, name=kind.label)
    if request.method == "POST" and form.is_valid():
        secrets, details = kind().sorted_out(_typed(form))
        try:
            account = services.make_account(
                request.user,
                service=kind.key,
                name=form.cleaned_data["name"],
                secrets=secrets,
                details=details,
                by=request.user,
            )
        except Refused as e:
            form.add_error("name", str(e))
        else:
            _connect(request, account)
            return redirect("sync:accounts")
    return render(request, "sync/account_add.html", {"kind": kind, "form": form})


@login_required
def account(request: HttpRequest, pk: int) -> HttpResponse:
    """One account: another name, another key."""
    found = _own(request, pk)
    kind = KINDS.get(found.service)
    if kind is None or found.from_addresses:
        raise Http404
    form = _form(kind, request.POST if request.method == "POST" else None, name=found.name, account=found)
    if request.method == "POST" and form.is_valid():
        secrets, details = kind().sorted_out({name: value for name, value in _typed(form).items() if value})
        before = found.serial
        try:
            found = services.change_account(
                found, by=request.user, name=form.cleaned_data["name"], secrets=secrets, details=details
            )
        except Refused as e:
            form.add_error("name", str(e))
        else:
            if found.serial == before:
                messages.success(request, "Saved.")
            else:
                _connect(request, found)
            return redirect("sync:account", pk)
    context = {
        "account": found, "kind": kind, "form": form, "sources": services.used_by(found), "sign_in": _sign_in(found),
        "may_sign_in": kind.signs_in and not kind().lacks(access.known_of(found)),
        "may_test": kind().is_complete(access.known_of(found)),
    }  # fmt: skip
    return render(request, "sync/account.html", context)


def _connect(request: HttpRequest, account: Account) -> None:
    """What follows when something was typed: it is tried, or a person has to sign in first."""
    if KINDS[account.service]().is_complete(access.known_of(account)):
        _try(request, account)
    else:
        with _faults_told(request):
            signing_in.begin(account)


@login_required
@require_POST
def test(request: HttpRequest, pk: int) -> HttpResponse:
    _try(request, _own(request, pk))
    return redirect("sync:accounts")


def _try(request: HttpRequest, account: Account) -> None:
    with _faults_told(request):
        tried = access.try_account(account, by=request.user)
        if tried.works:
            waited = "" if not tried.sources.exists() else " What waited for it is read now."
            messages.success(request, f"{tried.name} works.{waited}")
        else:
            messages.error(request, f"{tried.name} does not work. {tried.reason}")


@login_required
@require_POST
def sign_in(request: HttpRequest, pk: int) -> HttpResponse:
    """Begin, or begin again."""
    with _faults_told(request):
        signing_in.begin(_own(request, pk))
    return redirect("sync:accounts")


@login_required
def sign_in_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The part of the page that says how far it is; 204 when it has ended. It is how the service is asked."""
    found = SignIn.objects.filter(account=_own(request, pk)).select_related("account").first()
    if found is None or signing_in.ask(found).state != SignIn.State.WAITING:
        return HttpResponse(status=204)
    return render(request, "sync/_sign_in.html", {"sign_in": found, "left_s": _left_s(found)})


@login_required
@require_POST
def sign_in_look(request: HttpRequest, pk: int) -> HttpResponse:
    """The same without a script."""
    found = SignIn.objects.filter(account=_own(request, pk)).first()
    if found is not None:
        signing_in.ask(found)
    return redirect("sync:accounts")


@login_required
@require_POST
def sign_in_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    found = SignIn.objects.filter(account=_own(request, pk)).first()
    if found is not None:
        signing_in.cancel(found)
    return redirect("sync:accounts")


@login_required
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks, and says which sources are paused; posted, does it."""
    found = _own(request, pk)
    if request.method != "POST":
        return render(request, "sync/account_delete.html", {"account": found, "sources": services.used_by(found)})
    with refusals_told(request):
        paused = services.delete_account(found, by=request.user, pause=True)
        lists = ", ".join(sorted({source.list.name for source in paused}))
        messages.success(request, f"{found.name} is deleted. " + (f"Paused: {lists}." if lists else "Nothing used it."))
    return redirect("sync:accounts")


@login_required
@require_POST
def choose_for_source(request: HttpRequest, pk: int, source_pk: int) -> HttpResponse:
    """account: the id of the one that a source is read with from now on; empty: none."""
    list_ = open_list(request, pk, need="editor")
    source = Source.objects.filter(list=list_, removed_at=None, pk=source_pk).select_related("list").first()
    if source is None:
        raise Http404
    wanted = number(request.POST.get("account"))
    chosen = None if wanted is None else _own(request, wanted)
    with refusals_told(request):
        access.choose(source, chosen, by=request.user)
        messages.success(request, "Saved.")
    return redirect("lists:source", pk, source_pk)


# -- what they share -------------------------------------------------------------------------------------------------


@contextmanager
def _faults_told(request: HttpRequest) -> Iterator[None]:
    """Around a call to a service: what it comes to nothing for stands on the next page."""
    try:
        yield
    except (SyncError, Refused) as e:
        messages.error(request, str(e))


def _own(request: HttpRequest, pk: int) -> Account:
    found = Account.objects.filter(owner=request.user.pk, pk=pk).select_related("owner").first()
    if found is None:
        raise Http404
    return found


def _kind(key: str) -> type[AccountKind]:
    if key not in KINDS:
        raise Http404
    return KINDS[key]


def _form(
    kind: type[AccountKind], data: Any, *, name: str, account: Account | None = None
) -> forms.Form:  # fmt: skip
    """Its questions, with a name before them."""
    form = kind.form(data, kept=access.kept_of(account) if account else frozenset())
    named = forms.CharField(
        max_length=200, initial=name, error_messages={"required": "An account needs a name. Nothing was saved."}
    )
    form.fields = {"name": named, **form.fields}
    for asked in kind.asks:
        if account is not None and not asked.secret:
            form.fields[asked.name].initial = account.details.get(asked.name, "")
    return form


def _typed(form: forms.Form) -> dict[str, str]:
    return {name: value for name, value in form.cleaned_data.items() if name != "name"}
