"""How a list weighs its sources and what may leave it unasked."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from lists import services
from lists.forms.filters import filters_in_words
from lists.forms.rules import RulesForm
from lists.views.access import frame, open_list, refusals_told


@login_required
def rules(request: HttpRequest, pk: int) -> HttpResponse:
    """The list's own rules; saved, the list is looked at again at once."""
    list_ = open_list(request, pk, need="owner")
    form = RulesForm(request.POST if request.method == "POST" else None, list_=list_)
    if request.method == "POST" and form.is_valid():
        with refusals_told(request):
            made = services.change_rules(list_, by=request.user, **form.rules())
            messages.success(request, _said(form, made.number if made else None))
        return redirect("lists:rules", pk)
    context = frame(request, list_, "settings") | {"form": form, "filters": filters_in_words(list_)}
    return render(request, "lists/rules.html", context)


def _said(form: RulesForm, made: int | None) -> str:
    if not form.has_changed():
        return "Nothing was changed: it said so already."
    if made is None:
        return "Saved. Nothing on the list changes by it."
    return f"Saved. The list was looked at again: this is version {made}."
