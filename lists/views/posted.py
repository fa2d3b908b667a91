"""What the forms about entries share: which entries they name, what the next page says, and which page that is."""

from urllib.parse import parse_qsl, urlencode, urlsplit

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from lists.errors import Unfit
from lists.models import Entry, MediaList, Version
from lists.templatetags.listkeeper import things
from lists.views.access import number

AT_ONCE = 1000  # entries that one form may name


def chosen(data: QueryDict) -> list[int]:
    """The entries that a form names, each once. Raises Unfit if it names none, or more than we change at once."""
    found = [number(text, low=1, high=2**63 - 1) for text in data.getlist("entries")]
    entries = list(dict.fromkeys(pk for pk in found if pk is not None))
    if not entries:
        raise Unfit("Choose at least one first. Nothing was changed.")
    if len(entries) > AT_ONCE:
        raise Unfit(f"Choose at most {AT_ONCE:,} at once. Nothing was changed.")
    return entries


def named(list_: MediaList, entries: list[int]) -> tuple[str, bool]:
    """("Salt Harbour (2021)", True), or ("3 films", False)."""
    if len(entries) > 1:
        return things(len(entries), list_.content), False
    found = Entry.objects.filter(list=list_, pk=entries[0]).first()
    return str(found) if found and str(found) else "It", True


def tell(
    request: HttpRequest, list_: MediaList, version: Version | None, said: str, *, otherwise: str, undo: str = ""
) -> None:
    """What was done, with the way to undo it; `otherwise` where nothing had to be done.

    undo: the address that does it; "": back to the version before, while this one is the newest.
    """
    if version is None:
        messages.success(request, otherwise)
        return
    if not undo and version.number > 1:
        undo = reverse("lists:undo", args=[list_.pk, version.number])
    messages.success(request, said, extra_tags=undo and f"undo {undo}")


def back(request: HttpRequest, list_: MediaList, *, default: str = "", pick: list[int] | None = None) -> HttpResponse:
    """To the page that the form stood on. pick: entries that stay chosen there; None leaves it as it was."""
    asked = request.POST.get("next") or request.headers.get("Referer", "")
    ours = url_has_allowed_host_and_scheme(asked, {request.get_host()}, require_https=request.is_secure())
    address = asked if ours else default or reverse("lists:items", args=[list_.pk])
    if pick is not None:
        parts = urlsplit(address)
        query = [(name, value) for name, value in parse_qsl(parts.query) if name != "pick"]
        address = parts._replace(query=urlencode(query + [("pick", str(entry)) for entry in pick])).geturl()
    return redirect(address)
