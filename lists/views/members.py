"""Who may see and change a list."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from lists import services
from lists.forms.members import MemberForm
from lists.models import MediaList, Membership
from lists.views.access import frame, open_list, refusals_told

MEMBERS_SHOWN = 200


@login_required
def members(request: HttpRequest, pk: int) -> HttpResponse:
    """Everybody who may see the list. Its owner lets others in: user and role in the body or, for an undo, in the address."""
    list_ = open_list(request, pk, need="owner" if request.method == "POST" else "viewer")
    typed = request.POST if "user" in request.POST else request.GET
    form = MemberForm(typed if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        with refusals_told(request):
            _share(request, list_, form.cleaned_data["user"], form.cleaned_data["role"])
        return redirect("lists:members", pk)
    found = list_.memberships.select_related("user").order_by("user__username")
    context = frame(request, list_, "settings")
    context |= {"form": form, "members": found[:MEMBERS_SHOWN], "roles": Membership.Role.choices}
    return render(request, "lists/members.html", context)


@login_required
@require_POST
def member(request: HttpRequest, pk: int, user_pk: int) -> HttpResponse:
    """Another role for a member, or none."""
    list_ = open_list(request, pk, need="owner")
    found = list_.memberships.filter(user=user_pk).select_related("user").first()
    if found is None:
        raise Http404
    role = request.POST.get("role", "")
    if role == "none":
        services.unshare_list(list_, user=found.user, by=request.user)
        name = found.user.get_username()
        again = f"{reverse('lists:members', args=[pk])}?{urlencode({'user': name, 'role': found.role})}"
        messages.success(request, f"{name} does not see this list any more.", extra_tags=f"undo {again}")
    else:
        with refusals_told(request):
            _share(request, list_, found.user, role)
    return redirect("lists:members", pk)


@login_required
@require_POST
def leave(request: HttpRequest, pk: int) -> HttpResponse:
    """For a member who does not want the list any more."""
    list_ = open_list(request, pk)
    if not list_.memberships.filter(user=request.user.pk).exists():
        raise PermissionDenied("The list was not shared with you. Nothing was changed.")
    services.unshare_list(list_, user=request.user, by=request.user)
    messages.success(request, f"You left {list_.name}. Its owner can share it with you again.")
    return redirect("lists:index")


def _share(request: HttpRequest, list_: MediaList, user: Any, role: str) -> None:
    membership = services.share_list(list_, user=user, role=role, by=request.user)
    may = "see and change" if membership.role == Membership.Role.EDITOR else "see"
    messages.success(request, f"{user.get_username()} may {may} this list.")
