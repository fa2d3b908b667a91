"""What waits for a person: everything at a glance, and each held removal in full."""

import hashlib
from collections.abc import Collection, Iterable, Iterator
from typing import Any, TypeVar

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Exists, Model, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from lists import services, waiting
from lists.errors import TooLate, Unfit
from lists.fields import canonical
from lists.guard import Limits, must_ask
from lists.models import Claim, Edit, Entry, MediaList, Proposal, Removals, SitePolicy, Source, Version
from lists.paging import BadCursor, Page, Sort, seek
from lists.resolve import PRESENCE, PRESENT
from lists.templatetags.listkeeper import things
from lists.views.access import number, open_list, refusals_told

HELD_SHOWN = LISTS_SHOWN = 20
ENTRIES_SHOWN = 100
NEWEST = Sort("newest", "Newest first", "id", descending=True)
BY_NAME = Sort("name", "Name", "name")
IN_ORDER = Sort("order", "List order", "rank")

M = TypeVar("M", bound=Model)


@login_required
def review(request: HttpRequest) -> HttpResponse:
    """All that waits on the lists that the user may see: held removals, then questions by list; ?removals= and
    ?questions= go on."""
    held = waiting.held_for(request.user).filter(waiting.OPEN_HELD)
    asked = waiting.lists_with_questions(request.user)
    context = tabs(request) | {
        "held": sought(held, NEWEST, after=request.GET.get("removals", ""), limit=HELD_SHOWN),
        "asked": sought(asked, BY_NAME, after=request.GET.get("questions", ""), limit=LISTS_SHOWN),
    }
    return render(request, "lists/review.html", context)


def tabs(request: HttpRequest) -> dict[str, Any]:
    """What every page of the review shows around its content: questions, by whether they are about fields or things."""
    return {"tabs": waiting.by_kind(waiting.questions_for(request.user).filter(waiting.OPEN_QUESTION))}


def sought(rows: QuerySet[M], sort: Sort, *, after: str, limit: int) -> Page[M]:
    """A page; a place to go on from that is none leads to the first."""
    try:
        return seek(rows, sort, after=after, limit=limit)
    except BadCursor:
        return seek(rows, sort, limit=limit)


# -- one held change ---------------------------------------------------------------------------------------------------


def _ticked(data: QueryDict, entries: Collection[int]) -> set[int]:
    """Which of the entries may go: those ticked on the page that was sent (`go`), and on other pages, which its form
    carries along (`ticked`, less those that stand on the page: `here`)."""
    elsewhere = set(_numbers(data.get("ticked", "").split(","))) - set(_numbers(data.get("here", "").split(",")))
    return (elsewhere | set(_numbers(data.getlist("go")))) & set(entries)


def _numbers(texts: Iterable[str]) -> Iterator[int]:
    return (pk for text in texts if (pk := number(text, low=1, high=2**63 - 1)) is not None)


@login_required
def held(request: HttpRequest, pk: int) -> HttpResponse:
    """What would leave and why we ask, with the decision. A form may also ask for another page (`page`): what was
    ticked goes along."""
    found = get_object_or_404(waiting.held_for(request.user), pk=pk)
    assert found.list_id is not None  # what was held was held of a list
    if request.method == "POST" and "decision" in request.POST:
        list_ = open_list(request, found.list_id, need="editor")
        with refusals_told(request):
            _decide(request, list_, found)
        return redirect("lists:review_held", pk)
    list_ = open_list(request, found.list_id)
    after = request.POST.get("page", "") if request.method == "POST" else request.GET.get("after", "")
    ids = found.result.get("entries", [])
    ticked = _ticked(request.POST, ids)
    entries = services.held_entries(found).select_related("item").defer("search", "origins")
    page = sought(entries, IN_ORDER, after=after, limit=ENTRIES_SHOWN)
    here = {entry.pk for entry in page.rows}
    context = tabs(request) | {
        "proposal": found, "list": list_, "page": page, "after": after, "may_edit": list_.may_edit(request.user),
        "count": len(ids), "seen": _mark(found), "ticked": ticked, "elsewhere": len(ticked - here),
        "carried": ",".join(map(str, sorted(ticked))), "here": ",".join(map(str, sorted(here))),
        "kept": _kept(found, here), "newer": _newer(found), **_figures(found, list_, len(ids)),
    }  # fmt: skip
    if found.state == Proposal.State.OPEN:
        context |= _since(found, entries)
    return render(request, "lists/review_held.html", context)


def _decide(request: HttpRequest, list_: MediaList, found: Proposal) -> None:
    decision = request.POST["decision"]
    ticked = _ticked(request.POST, found.result.get("entries", []))
    if decision not in ("keep", "all", "chosen"):
        raise Unfit("Choose what shall happen. Nothing was removed.")
    if decision == "chosen" and not ticked:
        raise Unfit("Tick at least one that may go, or keep all of them. Nothing was removed.")
    if found.state == Proposal.State.OPEN and _mark(found) != request.POST.get("seen", ""):
        raise TooLate("A newer sync lacks other entries than this page showed. Nothing was removed. Look again.")
    if decision == "keep":
        services.keep_held(found, by=request.user)
        version = None
    else:
        entries = sorted(ticked) if decision == "chosen" else None
        version = services.apply_held(found, by=request.user, entries=entries)
    found.refresh_from_db(fields=["result"])
    _tell(request, list_, found, version)


def _mark(found: Proposal) -> str:
    return hashlib.blake2b(canonical(found.result.get("entries", [])), digest_size=8).hexdigest()


def _tell(request: HttpRequest, list_: MediaList, found: Proposal, version: Version | None) -> None:
    left, kept, stayed = (found.result.get(name, 0) for name in ("left", "kept", "stayed"))
    said = [f"{things(left, list_.content)} left {list_}." if left else ""]
    if kept:
        said.append(f"{things(kept, list_.content)} {'stays' if kept == 1 else 'stay'}, kept by the list.")
    if stayed:
        said.append(f"{stayed:,} did not leave: something else keeps {'it' if stayed == 1 else 'them'} by now.")
    undo = f"undo {reverse('lists:undo', args=[list_.pk, version.number])}" if version and version.number > 1 else ""
    messages.success(request, " ".join(filter(None, said)) or "Nothing had to leave.", extra_tags=undo)


def _figures(found: Proposal, list_: MediaList, count: int) -> dict[str, Any]:
    """supported: what the source stood for; stays: what is left of it; why: the rule by which we ask; parts of 1,000
    for the bar."""
    supported = found.result.get("supported") or 0
    whole = max(list_.item_count, count, 1)
    leaving = max(round(1000 * count / whole), 3)
    return {
        "supported": supported, "stays": max(supported - count, 0), "why": _why(list_, count, supported),
        "on_list": whole, "left_over": whole - count,
        "bar": {"stays": max(1000 - leaving - 3, 0), "at": 1000 - leaving, "leaves": leaving},
    }  # fmt: skip


def _why(list_: MediaList, count: int, supported: int) -> str:
    """The rule of today that makes us ask; "" if the list's rules were changed since and would not."""
    site = SitePolicy.current()
    limits = Limits.of(list_, site)
    if list_.removals(site) == Removals.ASK:
        return "On this list every removal waits for you."
    if not supported or not must_ask(count, supported, limits):
        return ""
    if count >= supported:
        return "That is everything that it listed, and then we always ask."
    if count > limits.floor and 100 * count > limits.share * supported:
        return f"We ask before more than {limits.share} % leave at once."
    return f"We ask before more than {limits.share_always} % leave at once, however few they are."


def _since(found: Proposal, entries: QuerySet[Entry]) -> dict[str, int]:
    """What has changed since it was held: entries that are off the list already, and those that something else keeps."""
    still = entries.order_by().listed()  # type: ignore[attr-defined] # held_entries gives an EntryQuerySet
    listing = Claim.objects.filter(entry=OuterRef("pk"), listing=True, source__removed_at=None).exclude(
        source=found.source
    )
    by_hand = Edit.objects.filter(entry=OuterRef("pk"), field=PRESENCE, value=PRESENT)
    return {
        "gone": len(found.result.get("entries", ())) - still.count(),
        "safe": still.filter(Exists(listing) | Exists(by_hand)).count(),
    }


def _kept(found: Proposal, entries: set[int]) -> dict[int, str]:
    """Entry -> why it is on the list all the same; two queries for the page."""
    by_hand = Edit.objects.filter(entry__in=entries, field=PRESENCE, value=PRESENT).values_list("entry_id", flat=True)
    kept = dict.fromkeys(by_hand, "stays by hand")
    claims = Claim.objects.filter(entry__in=entries, listing=True, source__removed_at=None).exclude(source=found.source)
    for entry, role, name in claims.order_by("-source__priority").values_list(
        "entry_id", "source__role", "source__name"
    ):
        kept[entry] = f"{name} lists it, so it stays" if role == Source.Role.FEED else "kept by the list"
    return kept


def _newer(found: Proposal) -> Proposal | None:
    """The held change of the same source that waits now, if this one does not."""
    if found.state == Proposal.State.OPEN or found.source_id is None:
        return None
    return Proposal.objects.without_body().filter(waiting.OPEN_HELD, source=found.source_id).first()
