"""What somebody keeps at Trakt besides lists: watchlist, favourites, collection, what they watched and rated."""

from collections.abc import Iterator
from typing import Any

from django import forms

from lists.records import About, Row
from sync.adapters import Adapter, Context, register
from sync.sources import _trakt
from sync.sources._asking import Page
from sync.sources._cells import text
from sync.sources._json import as_object

_KEPT = [
    ("watchlist", "Watchlist"), ("favorites", "Favourites"), ("collection", "Collection"), ("watched", "Watched"),
    ("ratings", "Ratings"),
]  # fmt: skip
_WORDS = {
    "watchlist": "watchlist", "favorites": "favorites", "collection": "collection", "progress": "watched", "ratings": "ratings",
    "history": "watched",
}  # fmt: skip
# When Trakt last saw a change of it: (part, name) in its answer to /sync/last_activities.
_CHANGED = {
    "watchlist": [("watchlist", "updated_at")], "favorites": [("favorites", "updated_at")],
    "collection": [("movies", "collected_at"), ("episodes", "collected_at")],
    "watched": [("movies", "watched_at"), ("episodes", "watched_at")],
    "ratings": [("movies", "rated_at"), ("shows", "rated_at")],
}  # fmt: skip


@register
class TraktUser(Adapter):
    key = "trakt_user"
    label = "Trakt watchlist, collection and more"
    help = (
        "What somebody keeps at Trakt: watchlist, favourites, collection, watched, ratings. Your own need your Trakt account, those "
        "of others must be public. What leaves can leave here: Trakt says how much there is. What one has watched leaves the "
        "watchlist by itself."
    )
    kinds = frozenset({"movie", "show"})
    service = "trakt"
    attribution = _trakt.ATTRIBUTION

    class Config(forms.Form):
        user = forms.RegexField(r"^[\w.-]{1,100}$", required=False, help_text="whose; empty: your own")
        list = forms.ChoiceField(choices=_KEPT, label="What")
        kind = forms.ChoiceField(choices=[("", "Films and shows"), *_trakt.KINDS], required=False, label="Of it")

    @classmethod
    def recognises_address(cls, url: str) -> dict[str, Any] | None:
        page = Page.at(url, *_trakt.HOSTS)
        if page is None or page.part(0) != "users" or page.part(2) not in _WORDS:
            return None
        kind = next((word for word in page.path[3:] if word in ("movies", "shows")), "")
        return {"user": page.part(1), "list": _WORDS[page.part(2)]} | ({"kind": kind} if kind else {})

    def fetch(self, ctx: Context) -> Iterator[Row]:
        user, name = ctx.config.get("user") or "me", ctx.config["list"]
        if user == "me":
            ctx.secret("token")
            _stop_if_nothing_changed(ctx, name)
        before = 0
        for kind in [ctx.config["kind"]] if ctx.config.get("kind") else ["movies", "shows"]:
            for row in _trakt.rows(ctx, f"/users/{user}/{name}/{kind}", before=before):
                before += not isinstance(row, About)
                yield row


def _stop_if_nothing_changed(ctx: Context, name: str) -> None:
    """Raises Untouched if Trakt says that nothing has happened since."""
    said = as_object(_trakt.ask(ctx, "/sync/last_activities").json())
    moments = [text(as_object(said.get(part)).get(moment)) for part, moment in _CHANGED[name]]
    if all(moments):
        ctx.compare_stamp("|".join(moments).encode())
