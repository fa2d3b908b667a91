"""The watchlist of a Plex account."""

from collections.abc import Iterator
from typing import Any

from django import forms

from lists.records import Row
from sync.adapters import Adapter, Context, register
from sync.errors import NotFound
from sync.sources import _plex
from sync.sources._asking import Page
from sync.sources._cells import text

_KINDS = [("", "Films and shows"), ("1", "Films"), ("2", "Shows")]


@register
class PlexWatchlist(Adapter):
    key = "plex_watchlist"
    label = "Plex watchlist"
    help = (
        "Your watchlist at Plex, what was added last first. Needs your Plex account. What leaves it can leave here: Plex says how "
        "long it is."
    )
    kinds = frozenset({"movie", "show"})
    service = "plex"

    class Config(forms.Form):
        kind = forms.ChoiceField(choices=_KINDS, required=False, label="What")

    @classmethod
    def recognises_address(cls, url: str) -> dict[str, Any] | None:
        page = Page.at(url, "app.plex.tv", "watch.plex.tv")
        return {} if page and ("watchlist" in page.path or "watchlist" in url.partition("#")[2]) else None

    def fetch(self, ctx: Context) -> Iterator[Row]:
        token = ctx.secret("token")

        def complete(item: Any) -> Any:
            """A thing that came without its ids, with them."""
            if not isinstance(item, dict) or "Guid" in item or not (number := text(item.get("ratingKey"))).isalnum():
                return item
            try:
                answer = _plex.container(ctx, f"/library/metadata/{number}", token, {"includeGuids": 1}, cached=True)
            except NotFound:
                return item
            return item | {"Guid": _plex.guids_of(answer)}

        return _plex.rows(
            ctx, "/library/sections/watchlist/all", token, complete=complete, includeGuids=1,
            type=ctx.config.get("kind") or None, sort="watchlistedAt:desc",
        )  # fmt: skip
