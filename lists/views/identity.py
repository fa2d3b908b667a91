"""Who an entry is: another item picked for what sources list, two items made one, and parted again."""

from collections.abc import Iterable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from lists import services
from lists.errors import Unfit
from lists.models import Claim, Conflict, Entry, ExternalId, Item
from lists.views.access import frame, number, open_list, refusals_told
from lists.views.entry import entry_of

OWN = "own"  # what a form says for "a thing of its own"
MERGED_SHOWN = 50


@login_required
def match(request: HttpRequest, pk: int, entry_pk: int) -> HttpResponse:
    """What each source means by this entry, and the search for what it is; ?q= searches."""
    list_ = open_list(request, pk, need="editor")
    found = entry_of(list_, entry_pk)
    q = request.GET.get("q", "").replace("\x00", "").strip()[:200]
    results = services.find_items(q, user=request.user) if q else []
    options = _options(found)
    own = _root(found.item)
    merged = list(Item.objects.filter(root=own.pk).order_by("id")[:MERGED_SHOWN]) if own is not None else []
    context = frame(request, list_, "items") | {
        "entry": found, "q": q, "own": own, "merged": merged,
        "claims": _claims(found),
        "results": [item for item in results if own is None or item.pk != own.pk], "options": options,
        "ids": _ids([*results, *options, *merged, *([own] if own else [])]),
        "may_identify": own is not None and services.may_identify(request.user, own),
    }  # fmt: skip
    return render(request, "lists/match.html", context)


def _root(item: Item | None) -> Item | None:
    return item if item is None or item.root is None else item.root


def _claims(found: Entry) -> list[Claim]:
    """What sources list as this very entry; what was merged with it has an entry, and a page, of its own."""
    speaking = found.claims.filter(source__removed_at=None).select_related("source")
    return list(speaking.order_by("source__priority", "source_id", "key"))


def _options(found: Entry) -> list[Item]:
    """What the entry may be, where more than one thing fits, or ids disagree, and nobody has decided."""
    states = [Conflict.State.OPEN, Conflict.State.SKIPPED]
    doubt = found.conflicts.exclude(kind=Conflict.Kind.FIELD).filter(state__in=states).first()
    wanted = [option["item"] for option in doubt.options] if doubt else []
    known = Item.objects.in_bulk(wanted)
    return [known[pk] for pk in wanted if pk in known]


def _ids(items: Iterable[Item]) -> dict[int, list[tuple[str, str]]]:
    """Item id -> [(namespace, value)], those of what was merged into it included; one query."""
    pks = {item.pk for item in items}
    ids: dict[int, list[tuple[str, str]]] = {pk: [] for pk in pks}
    known = ExternalId.objects.filter(Q(item__in=pks) | Q(item__root__in=pks)).order_by("namespace", "value")
    for item, root, namespace, value in known.values_list("item_id", "item__root_id", "namespace", "value"):
        for pk in pks & {item, root}:
            ids[pk].append((namespace, value))
    return ids


@login_required
@require_POST
def pick(request: HttpRequest, pk: int, entry_pk: int) -> HttpResponse:
    """The records that the form names (`claims`) mean the item that it names, or a thing of its own."""
    list_ = open_list(request, pk, need="editor")
    found = entry_of(list_, entry_pk)
    asked = {number(text, low=1, high=2**63 - 1) for text in request.POST.getlist("claims")}
    claims = [claim.pk for claim in _claims(found) if claim.pk in asked]
    with refusals_told(request):
        if not claims:
            raise Unfit("Choose at least one of the records that the sources have of it. Nothing was changed.")
        item = _item(request, found)
        version = services.pick(list_, claims, item, by=request.user)
        what = f"“{item}”" if item is not None else "a thing of its own"
        said = f"It is {what} from now on, whatever its sources send."
        messages.success(request, said if version else f"{said} What the list shows is the same.")
        now = Claim.objects.filter(pk__in=claims).values_list("entry_id", flat=True).first()
        return redirect("lists:entry", pk, now or entry_pk)
    return redirect("lists:match", pk, entry_pk)


@login_required
@require_POST
def merge(request: HttpRequest, pk: int, entry_pk: int) -> HttpResponse:
    """What the entry is and the item that the form names are the same thing."""
    found = entry_of(open_list(request, pk, need="editor"), entry_pk)
    with refusals_told(request):
        into = _item(request, found)
        if found.item is None or into is None:
            raise Unfit("Choose the thing that it is the same as. Nothing was changed.")
        services.merge_items(found.item, into, by=request.user)
        said = f"“{found.item}” and “{into}” are the same from now on. Your lists show it once; those of others follow."
        messages.success(request, said)
    return redirect("lists:match", pk, entry_pk)


@login_required
@require_POST
def split(request: HttpRequest, pk: int, entry_pk: int) -> HttpResponse:
    """Part again what was merged into the entry's item."""
    own = _root(entry_of(open_list(request, pk, need="editor"), entry_pk).item)
    asked = number(request.POST.get("item"), low=1, high=2**63 - 1)
    apart = Item.objects.filter(pk=asked or 0, root=own).first() if own is not None else None
    if apart is None:
        raise Http404
    with refusals_told(request):
        services.split_item(apart, by=request.user)
        said = f"“{apart}” stands for itself again. Your lists show both, as before; those of others follow."
        messages.success(request, said)
    return redirect("lists:match", pk, entry_pk)


def _item(request: HttpRequest, found: Entry) -> Item | None:
    """The item that a form about an entry names; None: a thing of its own. Raises Unfit.

    As in the search, what has no public id is known only to who sees a list that it is on, or was asked about it.
    """
    asked = request.POST.get("item", "")
    if asked == OWN:
        return None
    wanted = number(asked, low=1, high=2**63 - 1) or 0
    offered = wanted in {item.pk for item in _options(found)}
    known = (Item.objects.all() if offered else Item.objects.for_user(request.user)).filter(pk=wanted)
    if (item := known.first()) is None:
        raise Unfit("Choose what it is. Nothing was changed.")
    return item
