"""Who may see and change what, and what every page of one list shows around its content."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest

from lists.models import MediaList, Source

ROLES = ("viewer", "editor", "owner")


def open_list(request: HttpRequest, pk: int, *, need: str = "viewer", binned: bool | None = False) -> MediaList:
    """The list with its current version. 404 if the user may not see it, 403 if their role is less than `need`.

    binned: None means in the bin or not.
    """
    found = MediaList.objects.for_user(request.user, binned=binned).filter(pk=pk).select_related("current").first()
    if found is None:
        raise Http404
    role = found.role_of(request.user)
    if role is None or ROLES.index(role) < ROLES.index(need):
        raise PermissionDenied
    return found


def frame(request: HttpRequest, list_: MediaList, tab: str) -> dict[str, Any]:
    """Context of a list's pages: list, tab, sources (those that feed it), may_edit and may_delete."""
    feeds = Source.objects.filter(list=list_, role=Source.Role.FEED, removed_at=None)
    role = list_.role_of(request.user)
    return {
        "list": list_, "tab": tab, "sources": list(feeds), "may_edit": role in ("editor", "owner"),
        "may_delete": role == "owner",
    }  # fmt: skip


def number(text: str | None, *, low: int = 0, high: int = 2**31 - 1) -> int | None:
    """A whole number out of a query string; None for anything else."""
    if text and text.isascii() and text.isdigit() and len(text) <= 10 and low <= int(text) <= high:
        return int(text)
    return None
