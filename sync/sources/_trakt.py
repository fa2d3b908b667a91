"""What the sources of Trakt share: how it is asked, and its pages."""

from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Any

from lists.records import NotTaken, Record, Row
from sync.adapters import Context
from sync.http import Answer
from sync.sources._asking import goes_on, listed, marks, whole
from sync.sources._json import as_object
from sync.sources._rows import each_item
from sync.sources.trakt_json import known_key, parse_row

HOSTS = ("trakt.tv", "app.trakt.tv")
ATTRIBUTION = "Powered by Trakt."
LARGEST = 250  # things on a page; of more Trakt sends as many without a word
KINDS = [("movies", "Films"), ("shows", "Shows")]


def ask(ctx: Context, path: str, **params: Any) -> Answer:
    headers = {"trakt-api-version": "2", "trakt-api-key": ctx.secret("client_id"), "Content-Type": "application/json"}
    if token := ctx.secrets.get("token"):
        headers["Authorization"] = f"Bearer {token}"
    return ctx.http.get(path, params=params, headers=headers)


def rows(ctx: Context, path: str, *, kind: str = "", most: int = 0, before: int = 0) -> Iterator[Row]:
    """Everything on all pages. kind: "movie" or "show", of things that come bare. most: how many are wanted, 0 for all.
    before: how many rows stand before these, as other parts of the same source."""
    limit = min(most or LARGEST, LARGEST)
    wrap = partial(_wrapped, kind=kind)
    pages = ctx.http.pages(
        lambda number: ask(ctx, path, page=number, limit=limit, extended="full"),
        lambda page: marks(map(wrap, listed(page)), known_key),
    )
    expected, came, total, last = ctx.expected or 0, 0, None, None
    for number, page in enumerate(pages, 1):
        if (stated := whole(page.headers.get("X-Pagination-Item-Count"))) is not None:
            total = stated
            ctx.expect(max(ctx.expected or 0, expected + min(total, most or total)))
        if (stated := whole(page.headers.get("X-Pagination-Page-Count"))) is not None:
            last = stated
        items = list(map(wrap, islice(listed(page), most - came if most else None)))
        yield from each_item(items, _parse, key_of=known_key, before=before + came)
        came += len(items)
        more = goes_on(len(items), limit=limit, came=came, total=total) if last is None else number < last
        if not more or (most and came >= most):
            break
    if total is None:
        ctx.expect(None)


def _wrapped(item: Any, *, kind: str) -> Any:
    return {kind: item} if kind and "ids" in as_object(item) else item


def _parse(item: Any, place: int) -> Record | NotTaken:
    return parse_row(item, place=place)
