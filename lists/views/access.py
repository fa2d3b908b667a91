"""Who may see and change what, and what every page of one list shows around its content."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, time
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.functional import SimpleLazyObject

from lists import services, waiting
from lists.errors import NotThere, NotYours, Refused
from lists.models import MediaList, Source, Version

ROLES = ("viewer", "editor", "owner")
LACKING = {
    "editor": "Your role on this list is viewer. Nothing was changed. Its owner can make you an editor.",
    "owner": "Only the owner of this list may do that. Nothing was changed.",
}


def open_list(request: HttpRequest, pk: int, *, need: str = "viewer", binned: bool | None = False) -> MediaList:
    """The list with its current version. 404 if the user may not see it, 403 if their role is less than `need`.

    binned: None means in the bin or not.
    """
    found = MediaList.objects.for_user(request.user, binned=binned).filter(pk=pk).select_related("current").first()
    if found is None:
        raise Http404
    role = found.role_of(request.user)
    if role is None or ROLES.index(role) < ROLES.index(need):
        raise PermissionDenied(LACKING[need])
    return found


@contextmanager
def refusals_told(request: HttpRequest) -> Iterator[None]:
    """Around a change: what it is refused for stands on the next page. What is not theirs is a 403, what is not there a 404."""
    try:
        yield
    except NotYours as e:
        raise PermissionDenied(str(e)) from e
    except NotThere as e:
        raise Http404(str(e)) from e
    except Refused as e:
        messages.error(request, str(e))


def newest(list_: MediaList) -> int:
    """The number of the list's newest version; 0 if it has none yet."""
    return Version.objects.filter(list=list_).values_list("number", flat=True).first() or 0


def frame(request: HttpRequest, list_: MediaList, tab: str) -> dict[str, Any]:
    """Context of a list's pages: list, tab, sources (those that feed it), may_edit, may_delete, held_back (of rollbacks) and
    waits (for a decision); the last two cost nothing where no template asks."""
    feeds = Source.objects.filter(list=list_, role=Source.Role.FEED, removed_at=None)
    role = list_.role_of(request.user)
    return {
        "list": list_, "tab": tab, "sources": list(feeds), "may_edit": role in ("editor", "owner"),
        "may_delete": role == "owner", "held_back": SimpleLazyObject(lambda: services.held_by_rollback(list_)),
        "waits": SimpleLazyObject(lambda: waiting.of_list(list_)),
    }  # fmt: skip


def number(text: str | None, *, low: int = 0, high: int = 2**31 - 1) -> int | None:
    """A whole number out of a query string; None for anything else."""
    if text and text.isascii() and text.isdigit() and len(text) <= 10 and low <= int(text) <= high:
        return int(text)
    return None


def midnight(text: str | None) -> datetime | None:
    """The start of a day (2025-03-14) in the reader's zone; None for what is no day."""
    try:
        day = parse_date(text or "")
    except ValueError:  # the 31st of February
        return None
    if day is None or not 1970 <= day.year <= 9998:
        return None
    return timezone.make_aware(datetime.combine(day, time.min))
