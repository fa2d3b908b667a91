"""What may come onto a list: its filters, and what another set of them would do."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from lists import browse, services
from lists.errors import Refused
from lists.forms.filters import FiltersForm
from lists.views.access import frame, open_list, refusals_told
from lists.views.items import KINDS


@login_required
def filters(request: HttpRequest, pk: int) -> HttpResponse:
    """The list's filters. Posted with `look`, the page shows what they would do; else they are saved."""
    list_ = open_list(request, pk, need="owner")
    form = FiltersForm(
        request.POST if request.method == "POST" else None, list_=list_, kinds=KINDS.get(list_.content, [])
    )
    context = frame(request, list_, "settings") | {"form": form}
    if request.method == "POST" and form.is_valid():
        if "look" not in request.POST:
            with refusals_told(request):
                version = services.change_filters(list_, by=request.user, **form.filters())
                messages.success(request, _said(form, version.number if version else None))
            return redirect("lists:filters", pk)
        try:
            context["preview"] = services.preview_filters(list_, form.filters())
        except Refused as e:
            form.add_error(None, str(e))
    context["filtered"] = browse.filtered_of(list_)
    return render(request, "lists/filters.html", context)


def _said(form: FiltersForm, made: int | None) -> str:
    if not form.has_changed():
        return "Nothing was changed: it said so already."
    if made is None:
        return "Saved. Nothing on the list changes by it."
    return f"Saved. The list was looked at again: this is version {made}."
