"""What a list is called, where its sources, rules, people and blocks are looked after, and how to take it along."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header

from lists import exports, services
from lists.forms import ListForm
from lists.forms.filters import filters_in_words
from lists.forms.rules import in_words
from lists.models import Source
from lists.views.access import frame, open_list

REMOVED_SHOWN = 50


@login_required
def settings(request: HttpRequest, pk: int) -> HttpResponse:
    """Name, description and tags to change; sources; and the ways to rules, blocks, people and audit."""
    list_ = open_list(request, pk)
    initial = {"name": list_.name, "description": list_.description, "tags": list_.tags}
    form = ListForm(request.POST if request.method == "POST" else None, initial=initial)
    context = frame(request, list_, "settings")
    if request.method == "POST":
        if not context["may_edit"]:
            raise PermissionDenied
        if form.is_valid():
            return _save(request, pk, form)
    removed = Source.objects.filter(list=list_, role=Source.Role.FEED, removed_at__isnull=False).order_by("-removed_at")
    context |= {
        "form": form,
        "removed_sources": removed[:REMOVED_SHOWN],
        "rules": in_words(list_),
        "filters": filters_in_words(list_),
    }
    context["member_count"] = list_.memberships.count()
    return render(request, "lists/settings.html", context)


def _save(request: HttpRequest, pk: int, form: ListForm) -> HttpResponse:
    list_ = open_list(request, pk, need="editor")
    try:
        services.change_list(list_, by=request.user, **form.cleaned_data)
    except services.InTheBin as e:
        messages.error(request, str(e))
        return redirect("lists:bin")
    messages.success(request, "Saved." if form.has_changed() else "Nothing was changed: it said so already.")
    return redirect("lists:settings", pk)


@login_required
def export_page(request: HttpRequest, pk: int) -> HttpResponse:
    """The formats that the list can be taken along in."""
    list_ = open_list(request, pk)
    fitting = [export for export in exports.EXPORTS.values() if export.fits(list_)]
    return render(request, "lists/export.html", frame(request, list_, "export") | {"exports": fitting})


@login_required
def export(request: HttpRequest, pk: int, key: str) -> HttpResponseBase:
    """The list as a file, written while it is sent."""
    list_ = open_list(request, pk)
    chosen = exports.EXPORTS.get(key)
    if chosen is None or not chosen.fits(list_):
        raise Http404
    response = StreamingHttpResponse(chosen.write(list_, user=request.user), content_type=chosen.content_type)
    response.headers["Content-Disposition"] = content_disposition_header(True, chosen.filename(list_)) or "attachment"
    return response
