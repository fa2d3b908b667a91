"""Lists at MDBList: with a key by its interface, page by page; public ones without a key, whole."""

import time
from collections.abc import Iterator
from typing import Any

from django import forms

from lists.records import Row
from sync.adapters import Adapter, Context, register
from sync.errors import AccessRefused, RateLimited
from sync.http import Answer
from sync.sources._asking import Page, goes_on, listed, marks, whole
from sync.sources._cells import text
from sync.sources._json import as_object
from sync.sources._rows import each_item
from sync.sources.json_list import known_key_of, parse_item

_SITE = "mdblist.com"
_NAME = r"^[\w.-]{1,200}$"
_LARGEST = 1000  # things on a page


def _ask(ctx: Context, path: str, **params: Any) -> Answer:
    answer = ctx.http.get(path, params=params | {"apikey": ctx.secret("api_key")})
    _check(answer)
    return answer


def _check(answer: Answer) -> None:
    """It tells of errors with a good status, too."""
    said = as_object(answer.json())
    if "error" not in said:
        return
    error = text(said["error"])[:200]
    if "limit" in error.lower():
        until = whole(answer.headers.get("X-RateLimit-Reset")) or 0  # seconds since 1970
        raise RateLimited(
            "The daily limit of MDBList is used up. Nothing was removed. It is tried again when MDBList allows it.",
            retry_after=max(until - time.time(), 0) or None,
        )
    raise AccessRefused(f"MDBList refused: “{error}”. Nothing was removed. Look at the key of its account.")


def _rows(ctx: Context, path: str) -> Iterator[Row]:
    """Everything on all pages of a list, films and shows in one."""
    came = 0

    def ask(number: int) -> Answer:
        return _ask(ctx, path, limit=_LARGEST, offset=came, unified="true")

    for page in ctx.http.pages(ask, lambda page: marks(_items(page), known_key_of)):
        items = _items(page)
        yield from _of(items, before=came)
        came += len(items)
        more = page.headers.get("X-Has-More", "").lower()
        if not (more == "true" if more else goes_on(len(items), limit=_LARGEST)):
            return


def _items(answer: Answer) -> list[Any]:
    """Asked for in one they come as a list; older answers have them by kind."""
    said = answer.json()
    if isinstance(said, dict) and said.keys() & {"movies", "shows"}:
        return [item for kind in ("movies", "shows") if kind in said for item in listed(answer, kind)]
    return listed(answer)


def _of(items: list[Any], before: int = 0) -> Iterator[Row]:
    return each_item(items, parse_item, key_of=known_key_of, before=before)


class _List(Adapter):
    kinds = frozenset({"movie", "show"})
    interval_min = 720

    class Config(forms.Form):
        user = forms.RegexField(_NAME, help_text="its owner, as in the address")
        list = forms.RegexField(_NAME, label="List", help_text="the last part of its address")

    @classmethod
    def recognises_address(cls, url: str) -> dict[str, Any] | None:
        page = Page.at(url, _SITE)
        if page is None or page.part(0) != "lists" or not page.part(2):
            return None
        return {"user": page.part(1), "list": page.part(2)}


@register
class MdblistPublic(_List):
    key = "mdblist_public"
    label = "MDBList list"
    help = (
        "A public list at MDBList. Needs no account. Its order is kept. MDBList does not say how long it is, so what leaves it "
        "leaves here after a second look."
    )
    service = "mdblist_site"

    def fetch(self, ctx: Context) -> Iterator[Row]:
        answer = ctx.http.get(f"/lists/{ctx.config['user']}/{ctx.config['list']}/json", conditional=True)
        ctx.compare(answer.body)
        _check(answer)
        return _of(listed(answer))


@register
class MdblistList(_List):
    key = "mdblist_list"
    label = "MDBList list, with your key"
    help = (
        "A list at MDBList, a private one of yours too. Needs an MDBList account with a key; a free one may ask 1,000 times a day. "
        "Its order is kept, and what leaves it can leave here: MDBList says how long it is."
    )
    service = "mdblist"

    def fetch(self, ctx: Context) -> Iterator[Row]:
        path = f"/lists/{ctx.config['user']}/{ctx.config['list']}"
        heads = listed(_ask(ctx, path))
        total = whole(as_object(heads[0] if heads else None).get("items"))
        if total is not None:
            ctx.expect(total)
        yield from _rows(ctx, f"{path}/items")


@register
class MdblistWatchlist(Adapter):
    key = "mdblist_watchlist"
    label = "MDBList watchlist"
    help = (
        "Your watchlist at MDBList. Needs an MDBList account with a key. MDBList does not say how long it is, so what leaves it "
        "leaves here after a second look."
    )
    kinds = frozenset({"movie", "show"})
    service = "mdblist"
    interval_min = 720

    @classmethod
    def recognises_address(cls, url: str) -> dict[str, Any] | None:
        page = Page.at(url, _SITE)
        return {} if page and page.path[:1] == ("watchlist",) else None

    def fetch(self, ctx: Context) -> Iterator[Row]:
        return _rows(ctx, "/watchlist/items")
