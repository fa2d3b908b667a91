"""What somebody keeps at TMDb with an account of theirs: watchlist, favourites, ratings; and what TMDb recommends them."""

from collections.abc import Iterator
from typing import Any

from django import forms

from lists.records import Row
from sync.adapters import Adapter, Context, Reach, register
from sync.sources import _tmdb
from sync.sources._asking import Page

_LISTS = [("watchlist", "Watchlist"), ("favorites", "Favourites"), ("rated", "Ratings")]


def _rows(ctx: Context, name: str) -> Iterator[Row]:
    kind, account = ctx.config["kind"], ctx.secret("account_id")
    ctx.secret("user_token")  # a key of the site alone knows nothing of a person
    return _tmdb.rows(ctx, f"/4/account/{account}/{kind}/{name}", kind=kind, user=True)


@register
class TmdbAccount(Adapter):
    key = "tmdb_account"
    label = "TMDb watchlist, favourites or ratings"
    help = (
        "What you keep at TMDb. Needs a TMDb account that has signed in. Its order is kept, and what leaves it can leave here: "
        "TMDb says how long it is."
    )
    kinds = frozenset({"movie", "show"})
    service = "tmdb"
    attribution = _tmdb.ATTRIBUTION

    class Config(_tmdb.Form):
        list = forms.ChoiceField(choices=_LISTS, label="Which")
        kind = forms.ChoiceField(choices=_tmdb.KINDS, label="What")

    @classmethod
    def recognises_address(cls, url: str) -> dict[str, Any] | None:
        page = Page.at(url, _tmdb.HOST)
        if page is None or page.part(0) != "u" or page.part(2) not in ("watchlist", "favorites", "ratings"):
            return None
        name = "rated" if page.part(2) == "ratings" else page.part(2)
        return {"list": name, "kind": "tv" if page.part(3) == "tv" else "movie"}

    def fetch(self, ctx: Context) -> Iterator[Row]:
        return _rows(ctx, ctx.config["list"])


@register
class TmdbRecommended(Adapter):
    key = "tmdb_recommended"
    label = "TMDb recommendations"
    help = (
        "What TMDb recommends you. Needs a TMDb account that has signed in. Each reading takes the place of the last, and what "
        "is not recommended any more leaves the list."
    )
    kinds = frozenset({"movie", "show"})
    service = "tmdb"
    origin = "recommendation"
    reach = Reach.WINDOW
    mode = "rolling"
    attribution = _tmdb.ATTRIBUTION

    class Config(_tmdb.Form):
        kind = forms.ChoiceField(choices=_tmdb.KINDS, label="What")

    def fetch(self, ctx: Context) -> Iterator[Row]:
        return _rows(ctx, "recommendations")
