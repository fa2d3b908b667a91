"""What people do to entries: edit, add, take off, put back, move, set in order, and take all that back."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from lists import services, versions
from lists.errors import AlreadyListed, Refused, TooLate, Unfit
from lists.fields import FIELDS
from lists.forms.entries import AddForm, EntryForm, OneFieldForm
from lists.models import Entry, MediaList, Version
from lists.views.access import frame, number, open_list, refusals_told
from lists.views.entry import edits_of, entry_of
from lists.views.posted import back, chosen, named, tell

ORDERS = {
    "source": "As its sources say",
    "title": "By title",
    "year": "The newest first, by year",
    "rating": "The best rated first",
    "added": "Last added first",
    "hand": "By hand",
}


# -- several entries, or one -------------------------------------------------------------------------------------------


@login_required
@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    list_ = open_list(request, pk, need="editor")
    with refusals_told(request):
        entries = chosen(request.POST)
        version = services.remove_entries(list_, entries, by=request.user)
        name, one = named(list_, entries)
        said = f"Taken off: {name}. No import brings {'it' if one else 'them'} back."
        tell(request, list_, version, said, otherwise="It was off the list already. Nothing was changed.")
    return back(request, list_)


@login_required
@require_POST
def restore(request: HttpRequest, pk: int) -> HttpResponse:
    """Put entries back that were removed, whatever their sources say."""
    list_ = open_list(request, pk, need="editor")
    with refusals_told(request):
        entries = chosen(request.POST)
        version = services.restore_entries(list_, entries, by=request.user)
        name, _ = named(list_, entries)
        said = f"Put back, to stay, whatever the sources say: {name}."
        tell(request, list_, version, said, otherwise="It is on the list already. Nothing was changed.")
    return back(request, list_)


@login_required
@require_POST
def move(request: HttpRequest, pk: int) -> HttpResponse:
    """To a place (1 is the first), or with `step` by one place up (-1) or down (1)."""
    list_ = open_list(request, pk, need="editor")
    entries: list[int] = []
    with refusals_told(request):
        order = versions.order_of(list_.current) if list_.current else []
        at = {entry: n for n, entry in enumerate(order, 1)}
        entries = sorted(chosen(request.POST), key=lambda entry: at.get(entry, 0))
        place = _place(request, at.get(entries[0], 1), last=max(len(order) - len(entries) + 1, 1))
        version = services.move_entries(list_, entries, by=request.user, place=place)
        said = f"Moved to place {place:,}: {named(list_, entries)[0]}."
        if list_.order_mode != MediaList.OrderMode.HAND:
            said += " The order is the list’s own from here on."
        tell(
            request, list_, version, said, otherwise="It stood there already. Nothing was moved.",
            undo=_order_before(list_),
        )  # fmt: skip
    # Who moves by single places goes on with the same ones.
    return back(request, list_, pick=entries if "step" in request.POST and "next" in request.POST else [])


def _place(request: HttpRequest, first: int, *, last: int) -> int:
    """Where to; raises Unfit."""
    step = {"-1": -1, "1": 1}.get(request.POST.get("step", ""))
    place = first + step if step else number(request.POST.get("place"), low=1)
    if place is None:
        raise Unfit("Type the number of the place, for example 7. Nothing was moved.")
    return min(max(place, 1), last)


@login_required
@require_POST
def edit_several(request: HttpRequest, pk: int) -> HttpResponse:
    """One field of all that were chosen: first the question which and what, then the edit."""
    list_ = open_list(request, pk, need="editor")
    form = OneFieldForm(request.POST if "field" in request.POST else None, content=list_.content)
    try:
        entries = chosen(request.POST)
        if form.is_bound and form.is_valid():
            name, value = form.cleaned_data["field"], form.cleaned_data["value"]
            version = services.edit_entries(list_, {entry: {name: value} for entry in entries}, by=request.user)
            label, (what, one) = FIELDS[name].label, named(list_, entries)
            said = (
                f"{label} of {what} is as you typed it, and stays so, whatever {'its' if one else 'their'} sources say."
            )
            tell(request, list_, version, said, otherwise="Nothing was changed: it said so already.")
            return back(request, list_)
    except Refused as e:
        messages.error(request, str(e))
        return back(request, list_)
    shown = Entry.objects.filter(list=list_, pk__in=entries[:50]).only("title", "artist", "year")
    context = frame(request, list_, "items") | {
        "form": form, "ids": entries, "shown": shown, "next": request.POST.get("next", ""),
    }  # fmt: skip
    return render(request, "lists/edit_several.html", context)


# -- one entry ---------------------------------------------------------------------------------------------------------


@login_required
def edit(request: HttpRequest, pk: int, entry_pk: int) -> HttpResponse:
    """All fields of an entry. 409 if somebody changed one of them since the page was opened."""
    list_ = open_list(request, pk, need="editor")
    found = entry_of(list_, entry_pk)
    form = _form(request.POST if request.method == "POST" else None, list_, found)
    seen = number(request.POST.get("seen")) if request.method == "POST" else None
    status, refused = 200, ""
    if request.method == "POST" and form.is_valid():
        try:
            version = services.edit_entries(list_, {found.pk: form.values}, by=request.user, seen=seen)
        except TooLate as e:
            list_ = open_list(request, pk, need="editor")
            form.too_late(_wanted(entry_of(list_, entry_pk)))
            seen, status, refused = None, e.status, str(e)
        except Refused as e:
            status, refused = e.status, str(e)
        else:
            names = [FIELDS[name].label for name in form.values]
            said = f"Saved: {', '.join(names)}. What you typed stays, whatever its sources say."
            tell(request, list_, version, said, otherwise="Nothing was changed: it said so already.")
            return redirect("lists:entry", pk, entry_pk)
    current = list_.current.number if list_.current else 0
    context = frame(request, list_, "items") | {
        "entry": found, "form": form, "refused": refused, "seen": current if seen is None else seen,
        "by_hand": set(edits_of(found)),
    }  # fmt: skip
    return render(request, "lists/entry_edit.html", context, status=status)


def _form(data: Any, list_: MediaList, found: Entry) -> EntryForm:
    return EntryForm(data, values=_wanted(found), content=list_.content, kind=found.kind)


def _wanted(found: Entry) -> dict[str, Any]:
    """What the entry shows, or will show once it is back: edits wait while it is off the list."""
    if found.state == Entry.State.LISTED:
        return found.values
    return found.values | {name: edit.value for name, edit in edits_of(found).items() if name in FIELDS}


@login_required
@require_POST
def give_back(request: HttpRequest, pk: int, entry_pk: int) -> HttpResponse:
    """Let the sources speak again of the fields named; "presence" is one."""
    list_ = open_list(request, pk, need="editor")
    found = entry_of(list_, entry_pk)
    names = [name for name in request.POST.getlist("field") if name in FIELDS or name == "presence"]
    standing: dict[int, list[str]] = {}
    for name, made in edits_of(found).items():
        if name in names:
            standing.setdefault(made.entry_id, []).append(name)
    with refusals_told(request):
        version = services.give_back(list_, standing, by=request.user) if standing else None
        labels = ", ".join(
            FIELDS[name].label if name in FIELDS else "Whether it is here" for name in dict.fromkeys(names)
        )
        tell(
            request, list_, version, f"Given back to the sources: {labels}.",
            otherwise="Nothing was changed: its sources speak already.",
        )  # fmt: skip
    return back(request, list_, default=reverse("lists:entry", args=[pk, entry_pk]))


@login_required
@require_POST
def as_it_was(request: HttpRequest, pk: int, entry_pk: int) -> HttpResponse:
    """Roll one entry back to a version."""
    list_ = open_list(request, pk, need="editor")
    found = entry_of(list_, entry_pk)
    to = list_.versions.filter(number=number(request.POST.get("version")) or 0).first()
    if to is None:
        raise Http404
    with refusals_told(request):
        preview = services.preview_rollback(list_, to, entries=[found.pk])
        version = services.rollback(list_, to, by=request.user, entries=[found.pk])
        said = f"This entry is as it was in version {to.number:,}."
        otherwise = f"It is as it was in version {to.number:,} already. Nothing was changed."
        if preview.missing:
            said = otherwise = f"In version {to.number:,} it was shown; today it is not. {preview.missing[0].reason}"
        elif preview.other_kind:
            said, otherwise = (f"{text} It keeps the kind that its sources state today." for text in (said, otherwise))
        tell(request, list_, version, said, otherwise=otherwise)
    return redirect("lists:entry", pk, entry_pk)


@login_required
def add(request: HttpRequest, pk: int) -> HttpResponse:
    """An entry by hand. What is listed already is not added twice; the page leads to it."""
    list_ = open_list(request, pk, need="editor")
    form = AddForm(request.POST if request.method == "POST" else None, content=list_.content)
    refused, there, status = "", None, 200
    if request.method == "POST" and form.is_valid():
        try:
            made = services.add_entry(list_, by=request.user, values=form.values, kind=form.kind, ids=form.ids)
        except AlreadyListed as e:
            refused, there, status = str(e), e.entry, e.status
        except Refused as e:
            refused, status = str(e), e.status
        else:
            said = f"{made} is on the list, and stays, whatever its sources say."
            if made.state != Entry.State.LISTED:
                said = f"{made} was added, but does not show. {made.reason}"
            tell(request, list_, list_.versions.first(), said, otherwise="")
            return redirect("lists:entry", pk, made.pk)
    context = frame(request, list_, "items") | {"form": form, "refused": refused, "there": there}
    return render(request, "lists/add.html", context, status=status)


# -- the whole list ----------------------------------------------------------------------------------------------------


@login_required
def order(request: HttpRequest, pk: int) -> HttpResponse:
    """How the list is ordered, for everybody who looks at it."""
    list_ = open_list(request, pk, need="editor")
    if request.method != "POST":
        now = list_.order_field or list_.order_mode
        return render(request, "lists/order.html", frame(request, list_, "items") | {"orders": ORDERS, "now": now})
    with refusals_told(request):
        asked = request.POST.get("order") or request.GET.get("order", "")
        if asked not in ORDERS:
            raise Unfit("Choose one of the orders. Nothing was changed.")
        by_field = asked not in MediaList.OrderMode.values
        version = services.set_order(
            list_,
            by=request.user,
            mode=MediaList.OrderMode.FIELD if by_field else asked,
            field=asked if by_field else "",
        )
        said = f"The order of the list: {ORDERS[asked][0].lower()}{ORDERS[asked][1:]}."
        tell(
            request, list_, version, said, otherwise="It was in that order already. Nothing was changed.",
            undo=_order_before(list_),
        )  # fmt: skip
    return redirect("lists:items", pk)


def _order_before(list_: MediaList) -> str:
    """The address that gives the list back an order that follows from something; "" where a person made it."""
    if list_.order_mode == MediaList.OrderMode.HAND:
        return ""
    return f"{reverse('lists:order', args=[list_.pk])}?order={list_.order_field or list_.order_mode}"


@login_required
@require_POST
def undo(request: HttpRequest, pk: int, n: int) -> HttpResponse:
    """Take back what version n did, while it is the newest; all of it where it is the last of a change in parts."""
    list_ = open_list(request, pk, need="editor")
    last = get_object_or_404(list_.versions, number=n)
    others = list_.versions.exclude(correlation_id=last.correlation_id) if last.correlation_id else list_.versions
    to = others.filter(number__lt=n).order_by("-number").first()
    if to is None:
        raise Http404
    with refusals_told(request):
        decided = list_.versions.filter(number=n, kind=Version.Kind.DECISION).exists()
        services.rollback(list_, to, by=request.user, seen=n)
        stays = " A question that was decided stays decided." if decided else ""
        parts = (
            list_.versions.filter(correlation_id=last.correlation_id) if last.correlation_id else list_.versions.none()
        )
        shown = "what it showed before"
        if parts.filter(number__lt=to.number).exists():
            shown = f"version {to.number}, which somebody made in the middle of it"
        messages.success(request, f"Undone. The list shows {shown}.{stays}")
    return back(request, list_)
