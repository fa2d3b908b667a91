"""What must not come: to one list, to all lists of a person, to every list."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, QuerySet
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from lists import browse, services
from lists.blocking import reason_of
from lists.errors import Refused
from lists.forms.blocks import BlockForm
from lists.models import Block, Entry, ExternalId, MediaList
from lists.views.access import frame, number, open_list, refusals_told

BLOCKS_SHOWN = 50


@login_required
def all_blocks(request: HttpRequest) -> HttpResponse:
    """What is blocked for all lists of the user and, for staff, for everybody's."""
    holding = Block.objects.filter(list=None, owner=request.user.pk)
    if request.user.is_staff:
        holding |= Block.objects.filter(list=None, owner=None)
    return _page(request, None, holding, {}, "lists/all_blocks.html")


@login_required
def blocks(request: HttpRequest, pk: int) -> HttpResponse:
    """What is blocked for a list, by whoever."""
    list_ = open_list(request, pk, need="editor" if request.method == "POST" else "viewer")
    blocked = list_.excluded_count - sum(browse.filtered_of(list_).values())
    context = frame(request, list_, "settings") | {"blocked": blocked}
    return _page(request, list_, services.blocks_of(list_), context, "lists/blocks.html")


def _page(
    request: HttpRequest, list_: MediaList | None, holding: QuerySet[Block], context: dict[str, Any], template: str
) -> HttpResponse:
    """?id= or ?pattern= shows what a block would hit; posted, it is saved. ?before= goes on below a block."""
    asked = request.POST if request.method == "POST" else request.GET
    typed = "id" in asked or "pattern" in asked or request.method == "POST"
    form = BlockForm(asked if typed else None, user=request.user, list_=list_)
    if typed and form.is_valid():
        try:
            if request.method == "POST":
                return _save(request, list_, form)
            context["hits"] = services.would_hit(by=request.user, list_=_list_of(form, list_), **form.wanted())
        except Refused as e:
            form.add_error(None, str(e))
    rows = holding.select_related("item", "owner", "list", "created_by").order_by("-id")
    if before := number(request.GET.get("before")):
        rows = rows.filter(pk__lt=before)
    found = list(rows[: BLOCKS_SHOWN + 1])
    shown = found[:BLOCKS_SHOWN]
    out, may = _kept_out(shown, [list_.pk] if list_ else None), _may_lift(shown, request.user)
    context |= {
        "form": form, "more": len(found) > BLOCKS_SHOWN, "here": request.path,
        "rows": [(block, out[block.pk], may[block.pk]) for block in shown],
    }  # fmt: skip
    return render(request, template, context)


def _list_of(form: BlockForm, list_: MediaList | None) -> MediaList | None:
    return list_ if form.cleaned_data["scope"] == "list" else None


def _save(request: HttpRequest, list_: MediaList | None, form: BlockForm) -> HttpResponse:
    block = services.block(
        by=request.user, list_=_list_of(form, list_), reason=form.cleaned_data["reason"], **form.wanted()
    )
    back = f"{reverse('lists:unblock', args=[block.pk])}?next={request.path}"
    messages.success(request, f"{block} is blocked. What its sources say is kept.", extra_tags=f"undo {back}")
    return redirect(request.path)


@login_required
@require_POST
def unblock(request: HttpRequest, pk: int) -> HttpResponse:
    """Lift a block. `next`, in the body or the address: the page of ours to go on to."""
    block = Block.objects.for_user(request.user).filter(pk=pk).select_related("item", "owner", "list").first()
    if block is None:
        raise Http404
    named = str(block)
    with refusals_told(request):
        services.unblock(block, by=request.user)
        messages.success(request, f"{named} is not blocked any more. What its sources list is back.")
    to = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(to, {request.get_host()}, request.is_secure())
    return redirect(to if ours else reverse("lists:all_blocks"))


def _may_lift(shown: Sequence[Block], user: Any) -> dict[int, bool]:
    """{block: whether the user may lift it}; asked once for each list and owner."""
    by_scope = {(block.list_id, block.owner_id): block for block in shown}
    may = {scope: services.may_unblock(block, user) for scope, block in by_scope.items()}
    return {block.pk: may[block.list_id, block.owner_id] for block in shown}


def _kept_out(shown: Sequence[Block], lists: Sequence[int] | None) -> dict[int, int]:
    """{block: entries that it keeps out now} of some lists, or of all that it holds for; a few queries, however many blocks."""
    roots = {block.pk: block.item.root_id or block.item_id for block in shown if block.item}
    named = {(block.namespace, block.value): block.pk for block in shown if block.value}
    ids = ExternalId.objects.filter(value__in=[value for _, value in named])
    for namespace, value, root in ids.values_list("namespace", "value", Coalesce("item__root_id", "item_id")):
        if (namespace, value) in named:
            roots[named[namespace, value]] = root
    out = Entry.objects.filter(state=Entry.State.EXCLUDED)
    out = out.filter(list__in=lists) if lists is not None else out.filter(list__deleted_at=None)
    by_root = out.annotate(root=Coalesce("item__root_id", "item_id")).filter(root__in=set(roots.values()))
    by_reason = out.filter(reason__in={reason_of(block) for block in shown if block.pattern})
    of_root = _counted(by_root.values_list("root", "list__owner"))
    of_reason = _counted(by_reason.values_list("reason", "list__owner"))
    return {
        block.pk: _sum(of_reason, reason_of(block), block)
        if block.pattern
        else _sum(of_root, roots.get(block.pk), block)
        for block in shown
    }


def _counted(rows: Any) -> dict[Any, dict[int, int]]:
    """{what: {owner of the list: entries}}."""
    found: dict[Any, dict[int, int]] = {}
    for what, owner, count in rows.annotate(count=Count("pk")).order_by():
        found.setdefault(what, {})[owner] = count
    return found


def _sum(found: dict[Any, dict[int, int]], what: Any, block: Block) -> int:
    return sum(n for owner, n in found.get(what, {}).items() if block.owner_id in (None, owner))
