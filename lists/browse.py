"""Looking through a list: search, filters and orders, the same for pages and API."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from lists import labels
from lists.models import Entry, Item, MediaList
from lists.paging import Page, Sort, seek
from lists.titles import fold

SORTS = {
    sort.key: sort
    for sort in [
        Sort("order", "List order", "rank"),
        Sort("title", "Title", "sort_title"),
        Sort("year", "Newest first", "year_key", descending=True),
        Sort("rating", "Best rated first", "rating_key", descending=True),
        Sort("added", "Last added first", "first_listed_at", descending=True),
    ]
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to see of a list. kind: a member of Item.Kind or ""; years: bounds, both included, or None;
    state: a member of Entry.State, what the list shows if nobody asks for something else."""

    q: str = ""
    kind: str = ""
    genre: str = ""
    year_from: int | None = None
    year_to: int | None = None
    sort: str = "order"
    state: str = Entry.State.LISTED

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
            year_from=_year(params.get("year_from") or params.get("year", "")),
            year_to=_year(params.get("year_to") or params.get("year", "")),
            sort=sort if sort in SORTS else "order",
            state=state if state in Entry.State.values else Entry.State.LISTED,
        )

    @property
    def narrows(self) -> bool:
        return bool(self.q or self.kind or self.genre or self.year_from or self.year_to)


def _year(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) == 4 else None


def matching(list_: MediaList, wish: Wish) -> QuerySet[Entry]:
    """Entries that fit, without order."""
    found = Entry.objects.filter(list=list_, state=wish.state).select_related("item").defer("search", "origins")
    if wish.q:
        found = found.filter(search__contains=fold(wish.q))
    if wish.kind:
        found = found.filter(kind=wish.kind)
    if wish.genre:
        found = found.filter(genres__contains=labels.one(wish.genre))
    if wish.year_from:
        found = found.filter(year_key__gte=wish.year_from)
    if wish.year_to:
        found = found.filter(year_key__lte=wish.year_to, year_key__gt=0)
    return found


def page_of(list_: MediaList, wish: Wish, *, after: str = "", limit: int = 50) -> Page[Entry]:
    """One page of a list. Raises BadCursor."""
    return seek(matching(list_, wish), SORTS[wish.sort], after=after, limit=limit)


def genres_of(list_: MediaList) -> list[str]:
    """Every genre that the list's entries have, by name."""
    held = Entry.objects.filter(list=list_).listed().exclude(genres="").values_list("genres", flat=True).distinct()
    return sorted({genre for genres in held for genre in genres}, key=str.casefold)
