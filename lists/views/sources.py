"""What feeds a list: which source is believed first, what each is called, letting one go and taking it back."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from lists import services
from lists.forms.sources import SourceForm
from lists.models import MediaList, Source, Version
from lists.views.access import frame, open_list, refusals_told


@login_required
def source(request: HttpRequest, pk: int, source_pk: int) -> HttpResponse:
    """A source of its list: its name, and whether it is brought up to date."""
    list_ = open_list(request, pk, need="editor")
    found = _source(list_, source_pk)
    form = SourceForm(request.POST or None, initial={"name": found.name, "enabled": found.enabled})
    if request.method == "POST" and form.is_valid():
        with refusals_told(request):
            services.change_source(found, by=request.user, **form.cleaned_data)
            messages.success(request, "Saved." if form.has_changed() else "Nothing was changed: it said so already.")
        return redirect("lists:settings", pk)
    context = frame(request, list_, "settings") | {"source": found, "form": form}
    return render(request, "lists/source.html", context)


@login_required
@require_POST
def move_source(request: HttpRequest, pk: int, source_pk: int) -> HttpResponse:
    """One place up, or down (way=down in the body or the address)."""
    list_ = open_list(request, pk, need="editor")
    moved = _source(list_, source_pk)
    order = list(_feeds(list_).values_list("pk", flat=True))
    at = order.index(moved.pk)
    down = (request.POST.get("way") or request.GET.get("way")) == "down"
    to = at + 1 if down else at - 1
    if not 0 <= to < len(order):
        messages.error(request, f"{moved.name} stands {'last' if down else 'first'} already. Nothing was changed.")
        return redirect("lists:settings", pk)
    order[at], order[to] = order[to], order[at]
    with refusals_told(request):
        made = services.order_sources(list_, order, by=request.user)
        back = f"{reverse('lists:move_source', args=[pk, source_pk])}?way={'up' if down else 'down'}"
        said = f"{moved.name} stands at place {to + 1} of {len(order)} now. {_what_became(made)}"
        messages.success(request, said, extra_tags=f"undo {back}")
    return redirect("lists:settings", pk)


@login_required
def remove_source(request: HttpRequest, pk: int, source_pk: int) -> HttpResponse:
    """Asks what becomes of that which only this source lists; keep=yes or keep=no, posted, does it."""
    list_ = open_list(request, pk, need="editor")
    found = _source(list_, source_pk)
    keep = request.POST.get("keep")
    if keep not in ("yes", "no"):
        listed, alone = services.only_from(found)
        context = frame(request, list_, "settings") | {"source": found, "listed": listed, "alone": alone}
        return render(request, "lists/remove_source.html", context)
    with refusals_told(request):
        made = services.remove_source(found, by=request.user, keep=keep == "yes")
        said = f"{found.name} feeds this list no more. {_what_became(made)}"
        messages.success(request, said, extra_tags=f"undo {reverse('lists:revive_source', args=[pk, source_pk])}")
    return redirect("lists:settings", pk)


@login_required
@require_POST
def revive_source(request: HttpRequest, pk: int, source_pk: int) -> HttpResponse:
    """What a removed source said counts again; nothing has to be fetched."""
    list_ = open_list(request, pk, need="editor")
    found = _source(list_, source_pk, removed=True)
    with refusals_told(request):
        made = services.revive_source(found, by=request.user)
        messages.success(request, f"{found.name} feeds this list again. {_what_became(made)}")
    return redirect("lists:settings", pk)


def _feeds(list_: MediaList) -> QuerySet[Source]:
    return Source.objects.filter(list=list_, role=Source.Role.FEED, removed_at=None)


def _source(list_: MediaList, pk: int, *, removed: bool = False) -> Source:
    feeds = Source.objects.filter(list=list_, role=Source.Role.FEED, removed_at__isnull=not removed)
    found = feeds.filter(pk=pk).select_related("list").first()
    if found is None:
        raise Http404
    return found


def _what_became(made: Version | None) -> str:
    if made is None:
        return "Nothing on the list changes by it."
    counts = [(made.added, "came"), (made.removed, "left"), (made.changed, "changed"), (made.moved, "moved")]
    said = ", ".join(f"{count:,} {word}" for count, word in counts if count)
    return f"This is version {made.number}: {said}." if said else f"This is version {made.number}."
