"""RSS and Atom feeds at an address, the watchlist feed of Plex and the diary at Letterboxd among them."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar

from django import forms

from lists.records import Record, Row
from sync.adapters import Adapter, Context, Reach, register
from sync.errors import SourceRefused
from sync.sources._asking import Page, may_hold
from sync.sources._rows import media_only
from sync.sources.feed import KINDS, read_feed

_STAYS = "A feed shows the newest only: what came with it stays, and nothing leaves the list by it."


class _Feed(Adapter):
    kinds = KINDS
    origin = "rss"
    reach = Reach.WINDOW
    mode = "collecting"

    def read(self, ctx: Context, path_or_url: str) -> Iterator[Row]:
        answer = ctx.http.get(path_or_url, accept="xml", conditional=True)
        ctx.compare(answer.body)
        return media_only(read_feed(replace(ctx, body=answer.body), may_be_empty=True))


@register
class FeedUrl(_Feed):
    key = "feed_url"
    formats: ClassVar = {"feed": "RSS or Atom feed"}
    label = "RSS or Atom feed"
    help = (
        f"Any feed at an address. {_STAYS} If yours always shows the whole list, set the source to that. Order is kept; items "
        "without a title are named and left out."
    )
    service = "rss:"
    reach = Reach.COMPLETE
    asks_address = True

    class Config(forms.Form):
        numbers = forms.ChoiceField(
            choices=[("", "Names of the feed's own"), ("tmdb", "Numbers of TMDb"), ("tvdb", "Numbers of TVDb")], required=False,
            label="What bare numbers are", help_text="where the feed names its items by nothing but a number",
        )  # fmt: skip

    @classmethod
    def recognises_address(cls, url: str) -> dict[str, Any] | None:
        return {} if may_hold(url, "xml") else None

    def fetch(self, ctx: Context) -> Iterator[Row]:
        namespace = ctx.config.get("numbers")
        for row in self.read(ctx, ctx.address):
            if namespace and isinstance(row, Record) and row.key.isdecimal():
                row = replace(row, ids={namespace: f"{row.kind}/{int(row.key)}"} | row.ids)
            yield row


@register
class PlexFeed(_Feed):
    key = "plex_feed"
    label = "Plex watchlist feed"
    help = (
        f"The feed of a Plex watchlist, yours or a friend's, the newest 50. Needs its address, and no account. {_STAYS}"
    )
    service = "plex_rss"
    asks_address = True

    @classmethod
    def recognises_address(cls, url: str) -> dict[str, Any] | None:
        return {} if Page.at(url, "rss.plex.tv") else None

    def fetch(self, ctx: Context) -> Iterator[Row]:
        return self.read(ctx, ctx.address)


@register
class LetterboxdDiary(_Feed):
    key = "letterboxd_diary"
    label = "Letterboxd diary"
    help = (
        f"What a member of Letterboxd has watched, the newest 50. Needs no account. {_STAYS} Watchlists and lists cannot be read "
        "from there: upload an export of them."
    )
    service = "letterboxd"
    attribution = "From the Letterboxd feed of its member."

    class Config(forms.Form):
        user = forms.RegexField(r"^[A-Za-z0-9_]{1,60}$", label="Member", help_text="as in the address of their page")

    @classmethod
    def recognises_address(cls, url: str) -> dict[str, Any] | None:
        page = Page.at(url, "letterboxd.com")
        if page is None:
            return None
        if len(page.path) == 1 or page.path[1:] in (("rss",), ("diary",), ("films", "diary")):
            return {"user": page.part(0)}
        raise SourceRefused(
            "Letterboxd does not let programs read lists and watchlists. Nothing was read. Export your account at "
            "letterboxd.com/settings/data and upload that file; the diary of a member can be read from their feed."
        )

    def fetch(self, ctx: Context) -> Iterator[Row]:
        return self.read(ctx, f"/{ctx.config['user']}/rss/")
