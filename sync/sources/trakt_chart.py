"""Charts of Trakt: trending, popular, anticipated, at the box office, most watched; and what it recommends somebody."""

from collections.abc import Iterator
from typing import Any

from django import forms

from lists.records import Row
from sync.adapters import Adapter, Context, Reach, register
from sync.sources import _trakt
from sync.sources._asking import MOST, Page

_OF_A_TIME = {
    "watched": "Most watched", "played": "Most played", "collected": "Most collected", "favorited": "Most favourited"
}  # fmt: skip
_CHARTS = {
    "trending": "Trending", "popular": "Popular", "anticipated": "Most anticipated", "boxoffice": "Box office (films)",
    **_OF_A_TIME,
}  # fmt: skip
_TIMES = [("weekly", "This week"), ("daily", "Today"), ("monthly", "This month"), ("all", "Ever")]


@register
class TraktChart(Adapter):
    key = "trakt_chart"
    label = "Trakt chart"
    help = (
        "What is trending, popular, awaited or most watched at Trakt. Needs no account of yours. A chart in its order: each "
        "reading takes the place of the last, and what has left the chart leaves the list."
    )
    kinds = frozenset({"movie", "show"})
    service = "trakt"
    reach = Reach.WINDOW
    mode = "rolling"
    attribution = _trakt.ATTRIBUTION

    class Config(forms.Form):
        chart = forms.ChoiceField(choices=list(_CHARTS.items()))
        kind = forms.ChoiceField(choices=_trakt.KINDS, label="What")
        time = forms.ChoiceField(choices=_TIMES, required=False, help_text="for what is most watched, played and so on")
        limit = forms.IntegerField(min_value=1, max_value=MOST, required=False, help_text="how many; 100 if empty")

        def clean(self) -> dict[str, Any]:
            found = super().clean() or {}
            if found.get("chart") == "boxoffice" and found.get("kind") == "shows":
                raise forms.ValidationError("The box office is one of films.")
            return found

    @classmethod
    def recognises_address(cls, url: str) -> dict[str, Any] | None:
        page = Page.at(url, *_trakt.HOSTS)
        if page is None or page.part(0) not in ("movies", "shows") or page.part(1) not in _CHARTS:
            return None
        if page.path[:2] == ("shows", "boxoffice"):
            return None
        time = {"time": page.part(2)} if page.part(2) in dict(_TIMES) else {}
        return {"chart": page.part(1), "kind": page.part(0), **time}

    def fetch(self, ctx: Context) -> Iterator[Row]:
        chart, kinds = ctx.config["chart"], ctx.config["kind"]
        time = f"/{ctx.config.get('time') or 'weekly'}" if chart in _OF_A_TIME else ""
        most = ctx.config.get("limit") or 100
        return _trakt.rows(ctx, f"/{kinds}/{chart}{time}", kind=kinds.removesuffix("s"), most=most)


@register
class TraktRecommended(Adapter):
    key = "trakt_recommended"
    label = "Trakt recommendations"
    help = (
        "What Trakt recommends you. Needs your Trakt account. Each reading takes the place of the last, and what is not "
        "recommended any more leaves the list."
    )
    kinds = frozenset({"movie", "show"})
    service = "trakt"
    origin = "recommendation"
    reach = Reach.WINDOW
    mode = "rolling"
    attribution = _trakt.ATTRIBUTION

    class Config(forms.Form):
        kind = forms.ChoiceField(choices=_trakt.KINDS, label="What")
        limit = forms.IntegerField(min_value=1, max_value=100, required=False, help_text="how many; 100 if empty")

    def fetch(self, ctx: Context) -> Iterator[Row]:
        ctx.secret("token")
        kinds = ctx.config["kind"]
        return _trakt.rows(
            ctx, f"/recommendations/{kinds}", kind=kinds.removesuffix("s"), most=ctx.config.get("limit") or 100
        )
