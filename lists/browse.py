"""Looking through a list: search, filters and orders, the same for pages and API."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db.models import Count, QuerySet

from lists import search
from lists.filters import FILTERED, counted
from lists.models import Entry, Item, MediaList
from lists.paging import Page, Sort, seek

COUNTED = 10_000  # entries that fit are counted so far: more than that is "more"
GROUPS = 500  # that a form offers

SORTS = {
    sort.key: sort
    for sort in [
        Sort("order", "List order", "rank"),
        Sort("order_desc", "List order, from its end", "rank", descending=True),
        Sort("title", "Title", "sort_title"),
        Sort("title_desc", "Title, Z to A", "sort_title", descending=True),
        Sort("year", "Newest first", "year_key", descending=True),
        Sort("year_asc", "Oldest first", "year_key", unknown=0),
        Sort("rating", "Best rated first", "rating_key", descending=True),
        Sort("rating_asc", "Worst rated first", "rating_key", unknown=0.0),
        Sort("added", "Last added first", "first_listed_at", descending=True),
        Sort("added_asc", "First added first", "first_listed_at"),
    ]
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to see of a list. kind: a member of Item.Kind or ""; years: bounds, both included, or None;
    state: a member of Entry.State, what the list shows if nobody asks for something else; filtered: of what is excluded
    only what a filter keeps out."""

    q: str = ""
    kind: str = ""
    genre: str = ""
    group: str = ""
    year_from: int | None = None
    year_to: int | None = None
    sort: str = "order"
    state: str = Entry.State.LISTED
    filtered: bool = False

    @classmethod
    def of(cls, params: Any) -> "Wish":
        """From a query string; what makes no sense is left out rather than refused."""
        sort = params.get("sort", "order")
        kind = params.get("kind", "")
        state = params.get("state", "")
        return cls(
            q=params.get("q", "").replace("\x00", "").strip()[:200],
            kind=kind if kind in Item.Kind.values else "",
            genre=params.get("genre", "").replace("\x00", "").replace("|", "").strip()[:100],
            group=params.get("group", "").replace("\x00", "").strip()[:200],
            year_from=_year(params.get("year_from") or params.get("year", "")),
            year_to=_year(params.get("year_to") or params.get("year", "")),
            sort=sort if sort in SORTS else "order",
            state=state if state in Entry.State.values else Entry.State.LISTED,
            filtered=state == Entry.State.EXCLUDED and bool(params.get("filtered")),
        )

    @property
    def narrows(self) -> bool:
        return bool(self.q or self.kind or self.genre or self.group or self.year_from or self.year_to)


def _year(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) == 4 else None


def matching(list_: MediaList, wish: Wish) -> QuerySet[Entry]:
    """Entries that fit, without order."""
    rows = Entry.objects.select_related("item").defer("search", "origins")
    found = search.entries(rows, wish.q, genre=wish.genre, list_id=list_.pk, state=wish.state)
    if wish.kind:
        found = found.filter(kind=wish.kind)
    if wish.group:
        found = found.filter(group=wish.group)
    if wish.filtered:
        found = found.filter(reason__startswith=FILTERED)
    if wish.year_from:
        found = found.filter(year_key__gte=wish.year_from)
    if wish.year_to:
        found = found.filter(year_key__lte=wish.year_to, year_key__gt=0)
    return found


def count_of(list_: MediaList, wish: Wish) -> int:
    """How many entries fit; COUNTED + 1 if they are more than COUNTED."""
    if wish.state == Entry.State.LISTED and not wish.narrows:
        return list_.item_count
    return matching(list_, wish).order_by()[: COUNTED + 1].count()


def page_of(list_: MediaList, wish: Wish, *, after: str = "", limit: int = 50) -> Page[Entry]:
    """One page of a list. Raises BadCursor."""
    return seek(matching(list_, wish), SORTS[wish.sort], after=after, limit=limit)


def groups_of(list_: MediaList) -> dict[str, int]:
    """Group -> its number of entries, by name; GROUPS at most, for a form to choose from."""
    return _groups(list_.pk, _state(list_))


def genres_of(list_: MediaList) -> dict[str, int]:
    """Genre -> the number of entries that have it, by name."""
    return _genres(list_.pk, _state(list_))


def filtered_of(list_: MediaList) -> dict[str, int]:
    """What a filter looked at -> the number of entries that it keeps out."""
    return _filtered(list_.pk, _state(list_)) if list_.filters and list_.excluded_count else {}


State = tuple[int | None, datetime]


def _state(list_: MediaList) -> State:
    """What a version shows never changes, so it is counted once. The time too: after a restored backup its number is
    given out anew."""
    return list_.current_id, list_.updated_at


@lru_cache(maxsize=256)
def _groups(list_id: int, state: State) -> dict[str, int]:
    held = Entry.objects.filter(list=list_id).listed().exclude(group="").order_by("group")
    counted = held.values_list("group").annotate(Count("id"))[:GROUPS]
    return dict(sorted(counted, key=lambda pair: pair[0].casefold()))


@lru_cache(maxsize=256)
def _genres(list_id: int, state: State) -> dict[str, int]:
    held = Entry.objects.filter(list=list_id).listed().exclude(genres="").order_by()
    counts: Counter[str] = Counter()
    for genres, count in held.values_list("genres").annotate(Count("id")):
        counts.update(dict.fromkeys(genres, count))
    return dict(sorted(counts.items(), key=lambda pair: pair[0].casefold()))


@lru_cache(maxsize=256)
def _filtered(list_id: int, state: State) -> dict[str, int]:
    kept_out = Entry.objects.filter(list=list_id, state=Entry.State.EXCLUDED, reason__startswith=FILTERED)
    return counted(kept_out.values_list("reason", flat=True).iterator())
