"""What is on a list: posters, table, tracks; and what was taken off it or is kept out."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from lists import browse
from lists.browse import SORTS, Wish
from lists.models import Claim, Edit, Entry, Item, MediaList
from lists.paging import BadCursor, Page
from lists.views.access import frame, number, open_list
from lists.views.keep_out import keeping_out
from lists.views.posted import AT_ONCE

SHOWN = 50
TRACKS_SHOWN = 200
VIEWS = ("posters", "table")
KINDS: dict[str, list[Item.Kind]] = {
    MediaList.Content.FILMS: [Item.Kind.MOVIE, Item.Kind.SHOW, Item.Kind.SEASON, Item.Kind.EPISODE],
    MediaList.Content.CHANNELS: [Item.Kind.CHANNEL, Item.Kind.RADIO, Item.Kind.MOVIE, Item.Kind.EPISODE],
}
NOT_NAMED = ("", "id")  # what stands where nobody has named a track


@login_required
def items(request: HttpRequest, pk: int) -> HttpResponse:
    """One page of a list as the query string asks: search, filters, order, and the place to go on from."""
    list_ = open_list(request, pk)
    context = frame(request, list_, "items")
    wish = Wish.of(request.GET)
    listed = wish.state == Entry.State.LISTED
    page, went_on = _page(request, list_, wish) if _has_entries(list_) else (Page([], ""), False)
    place = (number(request.GET.get("n")) or 0) if went_on else 0
    context |= {
        "wish": wish, "page": page, "first": place + 1, "last": place + len(page.rows), "sorts": SORTS,
        "numbered": listed and wish.sort == "order" and not wish.narrows,
        **_fitting(list_, wish),
        **_picking(request, page.rows), "edited": _edited(page.rows), "filtered": browse.filtered_of(list_),
    }  # fmt: skip
    if not listed:
        context["keeping_out"] = keeping_out(request, list_, page.rows)
        return render(request, "lists/left.html", context)
    if list_.content == MediaList.Content.TRACKS:
        whole = not (wish.narrows or went_on or page.next) and wish.sort == "order"
        context |= {"tracks": _tracks(page.rows), "strip": _strip(page.rows) if whole else None}
        return render(request, "lists/tracks.html", context)
    context |= {
        "view": _view(request, list_), "genres": browse.genres_of(list_), "kinds": KINDS.get(list_.content, []),
        "groups": browse.groups_of(list_) if list_.content == MediaList.Content.CHANNELS else {},
        "said": _said(context["sources"], page.rows), "new_since": _new_since(list_),
    }  # fmt: skip
    return render(request, "lists/films.html", context)


def _has_entries(list_: MediaList) -> bool:
    """Until the first fill of a list has ended, no read of entries may show a part of it. Where all that came is kept out,
    there is no version."""
    return bool(list_.current_id or list_.excluded_count)


def _fitting(list_: MediaList, wish: Wish) -> dict[str, Any]:
    """matching: how many entries fit; more: whether they are more than that."""
    count = browse.count_of(list_, wish) if _has_entries(list_) else 0
    more = count > browse.COUNTED and (wish.narrows or wish.state != Entry.State.LISTED)
    return {"matching": browse.COUNTED if more else count, "more": more}


def _page(request: HttpRequest, list_: MediaList, wish: Wish) -> tuple[Page[Entry], bool]:
    """The page, and whether it goes on from another."""
    limit = TRACKS_SHOWN if list_.content == MediaList.Content.TRACKS else SHOWN
    after = request.GET.get("after", "")
    try:
        return browse.page_of(list_, wish, after=after, limit=limit), bool(after)
    except BadCursor:
        return browse.page_of(list_, wish, limit=limit), False


def _picking(request: HttpRequest, entries: Sequence[Entry]) -> dict[str, Any]:
    """picking: whether the boxes to choose by show at once, also without a mouse; picked: what is chosen already."""
    asked = {number(text, low=1, high=2**63 - 1) for text in request.GET.getlist("pick")[:AT_ONCE]}
    picked = {entry.pk for entry in entries if entry.pk in asked}
    return {"picking": bool(picked or request.GET.get("picking")), "picked": picked}


def _edited(entries: Sequence[Entry]) -> set[int]:
    """The entries of which a person wants something; what a rollback holds is not meant."""
    pks = [entry.pk for entry in entries]
    return set(Edit.objects.filter(entry__in=pks, firm=True).values_list("entry_id", flat=True))


def _view(request: HttpRequest, list_: MediaList) -> str:
    """Posters or table: what was asked for last on this list."""
    asked = request.GET.get("view")
    kept = request.session.get("views", {})
    if asked in VIEWS and kept.get(str(list_.pk)) != asked:
        request.session["views"] = kept | {str(list_.pk): asked}
        return asked
    return kept.get(str(list_.pk), "table" if list_.content == MediaList.Content.CHANNELS else VIEWS[0])


def _said(sources: Sequence[Any], entries: Sequence[Entry]) -> dict[int, dict[str, Any]]:
    """Entry id -> {"sources": names of those that list it, "missing": whether one of them lacked it last time}."""
    names = {source.pk: source.name for source in sources}
    said: dict[int, dict[str, Any]] = {entry.pk: {"sources": [], "missing": False} for entry in entries}
    claims = Claim.objects.filter(entry__in=list(said), source__in=list(names)).order_by("source__priority", "source")
    for entry, source, missing_since in claims.values_list("entry_id", "source_id", "missing_since"):
        if names[source] not in said[entry]["sources"]:
            said[entry]["sources"].append(names[source])
        said[entry]["missing"] |= missing_since is not None
    return said


def _new_since(list_: MediaList) -> Any:
    """Entries that came later than this are new: they came with the newest version. None if all did."""
    if list_.current is None:
        return None
    before = list_.versions.filter(number=list_.current.number - 1).values_list("created_at", flat=True).first()
    return before


def _tracks(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """[{"entry", "unknown", "chapter", "length_s"}]; a length that nobody states is the time to the next cue."""
    rows: list[dict[str, Any]] = []
    group = ""
    for at, entry in enumerate(entries):
        length_s = entry.runtime_s
        # A part of a mashup, and what plays with a track, ends nothing.
        after = next((row for row in entries[at + 1 :] if not row.extra.get("played_as")), None)
        if length_s is None and after and entry.cue_ms is not None and after.cue_ms is not None:
            length_s = max(after.cue_ms - entry.cue_ms, 0) // 1000 or None
        chapter, group = entry.group if entry.group != group else "", entry.group
        rows.append({"entry": entry, "unknown": _unknown(entry), "chapter": chapter, "length_s": length_s})
    return rows


def _unknown(entry: Entry) -> bool:
    return entry.title.casefold() in NOT_NAMED and entry.artist.casefold() in NOT_NAMED


def _strip(entries: Sequence[Entry]) -> dict[str, Any] | None:
    """The set as one line, 1000 wide; None unless each track has its cue, in order, and the last one its length."""
    cues = [entry.cue_ms for entry in entries if entry.cue_ms is not None]
    if len(cues) < len(entries) or len(cues) < 2 or cues != sorted(cues) or not entries[-1].runtime_s:
        return None
    start, end = cues[0], cues[-1] + 1000 * entries[-1].runtime_s
    edges = [round((cue - start) / (end - start) * 1000, 1) for cue in [*cues, end]]
    bars = [
        {"x": left + 1, "width": round(max(right - left - 2, 0.5), 1), "unknown": _unknown(entry)}
        for entry, (left, right) in zip(entries, pairwise(edges), strict=True)
    ]
    return {
        "bars": bars, "unknown": sum(bar["unknown"] for bar in bars),
        "marks": [start + (end - start) * quarter // 4 for quarter in range(5)],
    }  # fmt: skip
