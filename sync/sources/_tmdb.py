"""What the sources of TMDb share: how it is asked, its pages, and its films and shows as rows."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any

from django import forms

from lists.records import About, NotTaken, Record, Row
from sync.adapters import Context
from sync.errors import BadPayload, NotFound, SourceUnavailable
from sync.http import Answer
from sync.sources._asking import goes_on, listed, marks, whole
from sync.sources._cells import filled, text
from sync.sources._columns import read_cells
from sync.sources._ids import external_ids, numbered_id
from sync.sources._json import as_object
from sync.sources._rows import each_item

HOST = "themoviedb.org"
ATTRIBUTION = "This product uses the TMDB API but is not endorsed or certified by TMDB."
NEEDS = "Needs an account with an API key or a read token of TMDb, which are free."
KINDS = [("movie", "Films"), ("tv", "Shows")]
LAST_PAGE = 500  # it answers no further ones

# Numbers of TMDb's genres; those of shows are often two in one.
_GENRES: dict[int, tuple[str, ...]] = {
    12: ("Adventure",), 14: ("Fantasy",), 16: ("Animation",), 18: ("Drama",), 27: ("Horror",), 28: ("Action",),
    35: ("Comedy",), 36: ("History",), 37: ("Western",), 53: ("Thriller",), 80: ("Crime",), 99: ("Documentary",),
    878: ("Sci-Fi",), 9648: ("Mystery",), 10402: ("Music",), 10749: ("Romance",), 10751: ("Family",), 10752: ("War",),
    10759: ("Action", "Adventure"), 10762: ("Kids",), 10763: ("News",), 10764: ("Reality-TV",),
    10765: ("Sci-Fi", "Fantasy"), 10766: ("Soap",), 10767: ("Talk-Show",), 10768: ("War", "Politics"),
    10770: ("TV Movie",),
}  # fmt: skip
_KINDS = {"movie": "movie", "tv": "show"}
_PICTURES = "https://image.tmdb.org/t/p"


class Form(forms.Form):
    """What every source of TMDb asks."""

    other_ids = forms.BooleanField(
        required=False, label="Look up IMDb and TVDb ids", help_text="asks once more for each title, once a day"
    )
    language = forms.RegexField(
        r"^[a-z]{2}(-[A-Z]{2})?$",
        required=False,
        help_text="of titles and overviews, such as de or pt-BR; empty: English",
    )


def ask(ctx: Context, path: str, *, user: bool = False, **params: Any) -> Answer:
    """user: as the person who signed in, if the account has signed in."""
    token = (user and ctx.secrets.get("user_token")) or ctx.secrets.get("token")
    return _asked(ctx, path, params | {"language": ctx.config.get("language") or None}, token)


def _asked(ctx: Context, path: str, params: dict[str, Any], token: str | None, *, cached: bool = False) -> Answer:
    if token:
        return ctx.http.get(path, params=params, headers={"Authorization": f"Bearer {token}"}, cached=cached)
    return ctx.http.get(path, params=params | {"api_key": ctx.secret("api_key")}, cached=cached)


def rows(
    ctx: Context, path: str, *, key: str = "results", kind: str = "", most: int = 0, user: bool = False, **params: Any
) -> Iterator[Row]:  # fmt: skip
    """Everything on all pages. key: under which a page has its list. kind: of things that do not say theirs. most: how many
    are wanted, 0 for all."""
    came = 0
    pages = ctx.http.pages(
        lambda number: ask(ctx, path, user=user, page=number, **params),
        lambda page: marks(listed(page, key), known_key),
    )
    for number, page in enumerate(pages, 1):
        said, items = as_object(page.json()), listed(page, key)
        if number == 1 and (name := text(said.get("name"))):
            yield About(name)
        total = whole(said.get("total_results", said.get("item_count")))
        if total is not None:
            # It may grow or shrink while it is read: then it is read again rather than taken for whole.
            ctx.expect(max(ctx.expected or 0, min(total, most or total)))
        wanted = list(islice(items, most - came if most else None))
        yield from rows_of(ctx, wanted, kind=kind, before=came)
        came += len(wanted)
        last = whole(said.get("total_pages"))
        # Pages may be short, so one that does not say which is the last has another until one is empty.
        more = goes_on(len(items), limit=1, came=came, total=total) if last is None else number < last
        if not more or (most and came >= most):
            return
        if number == LAST_PAGE:
            raise SourceUnavailable(
                "TMDb shows the first 500 pages of a list, and this one has more.", kind="bad_response"
            )


def rows_of(ctx: Context, items: list[Any], *, kind: str = "", before: int = 0) -> Iterator[Row]:
    found = each_item(items, partial(parse_row, kind=kind), key_of=partial(known_key, kind=kind), before=before)
    return map(partial(_with_other_ids, ctx), found) if ctx.config.get("other_ids") else found


def _with_other_ids(ctx: Context, row: Row) -> Row:
    """A film or show with its numbers elsewhere. One that TMDb has lost meanwhile stays as its list has it."""
    if not isinstance(row, Record):
        return row
    try:
        path = f"/3/{row.key.replace('show/', 'tv/')}/external_ids"
        said = as_object(_asked(ctx, path, {}, ctx.secrets.get("token"), cached=True).json())
    except NotFound:
        return row
    ids = {"imdb": said.get("imdb_id")} | ({"tvdb": said.get("tvdb_id")} if row.kind == "show" else {})
    with suppress(BadPayload):
        row = replace(row, ids=external_ids(ids, row.kind) | row.ids)
    return row


def parse_row(item: Any, place: int, *, kind: str = "") -> Record | NotTaken:
    """A film or show of any answer. Raises BadPayload."""
    item = as_object(item)
    if item.get("media_type") == "person":
        return NotTaken(None, "person")
    kind = _kind(item, kind)
    tmdb = numbered_id("tmdb", item.get("id"), kind)
    if tmdb is None:
        raise BadPayload("There is no id in this item.")
    return Record(key=tmdb, kind=kind, values=_values(item, tmdb), ids={"tmdb": tmdb}, position=place)


def known_key(item: Any, *, kind: str = "") -> str | None:
    item = as_object(item)
    try:
        return numbered_id("tmdb", item.get("id"), _kind(item, kind))
    except BadPayload:
        return None


def _kind(item: dict[str, Any], kind: str) -> str:
    stated = item.get("media_type") or kind or ("tv" if "name" in item and "title" not in item else "movie")
    if stated not in _KINDS:
        raise BadPayload("This item is neither a film nor a show.")
    return _KINDS[stated]


def _values(item: dict[str, Any], tmdb: str) -> dict[str, Any]:
    votes = whole(item.get("vote_count"))
    cells = {
        "title": item.get("title") or item.get("name"),
        "original_title": item.get("original_title") or item.get("original_name"),
        "release_date": item.get("release_date") or item.get("first_air_date"),
        "rating": item.get("vote_average") if votes else None,  # nobody has voted yet: their 0 is no rating
        "votes": votes or None,
        "popularity": item.get("popularity"),
        "language": item.get("original_language"),
        "overview": item.get("overview"),
        "genres": _genres(item.get("genre_ids")),
        "address": f"https://www.{HOST}/{tmdb.replace('show/', 'tv/')}",
    }
    pictures = {
        "poster": _picture(item.get("poster_path"), "w342"),
        "backdrop": _picture(item.get("backdrop_path"), "w780"),
    }
    return read_cells(cells) | filled(pictures)


def _genres(numbers: Any) -> list[str]:
    numbers = numbers if isinstance(numbers, list) else []
    return [name for number in numbers if isinstance(number, int) for name in _GENRES.get(number, ())]


def _picture(path: Any, size: str) -> str | None:
    return f"{_PICTURES}/{size}{path}" if text(path).startswith("/") else None
