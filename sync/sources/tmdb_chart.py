"""Charts of TMDb: popular, best rated, in cinemas, coming, on air, and what is trending today or this week."""

from collections.abc import Iterator
from typing import Any

from django import forms

from lists.records import Row
from sync.adapters import Adapter, Context, Reach, register
from sync.sources import _tmdb
from sync.sources._asking import MOST, Page

_CHARTS = {
    "popular": "Popular", "top_rated": "Best rated", "now_playing": "In cinemas (films)", "upcoming": "Coming to cinemas (films)",
    "airing_today": "On air today (shows)", "on_the_air": "On air (shows)", "trending_day": "Trending today",
    "trending_week": "Trending this week",
}  # fmt: skip
_ONLY = {"now_playing": "movie", "upcoming": "movie", "airing_today": "tv", "on_the_air": "tv"}
_PAGES = {name.replace("_", "-"): name for name in _CHARTS}


@register
class TmdbChart(Adapter):
    key = "tmdb_chart"
    label = "TMDb chart"
    help = (
        f"What is popular, well rated, in cinemas, on air or trending. {_tmdb.NEEDS} A chart in its order: each reading takes "
        "the place of the last, and what has left the chart leaves the list."
    )
    kinds = frozenset({"movie", "show"})
    service = "tmdb"
    reach = Reach.WINDOW
    mode = "rolling"
    attribution = _tmdb.ATTRIBUTION

    class Config(_tmdb.Form):
        chart = forms.ChoiceField(choices=list(_CHARTS.items()))
        kind = forms.ChoiceField(choices=[*_tmdb.KINDS, ("all", "Both (trending only)")], label="What")
        limit = forms.IntegerField(min_value=1, max_value=MOST, required=False, help_text="how many; 100 if empty")
        region = forms.RegexField(
            r"^[A-Z]{2}$", required=False, help_text="a country such as DE, for what is in cinemas"
        )

        def clean(self) -> dict[str, Any]:
            found = super().clean() or {}
            chart, kind = found.get("chart", ""), found.get("kind")
            if kind == "all" and not chart.startswith("trending"):
                raise forms.ValidationError("Only what is trending comes with films and shows in one.")
            if chart in _ONLY and kind != _ONLY[chart]:
                raise forms.ValidationError(f"“{_CHARTS[chart]}” is a chart of the other kind.")
            return found

    @classmethod
    def recognises_address(cls, url: str) -> dict[str, Any] | None:
        page = Page.at(url, _tmdb.HOST)
        if page is None or page.part(0) not in ("movie", "tv") or len(page.path) > 2:
            return None
        chart = _PAGES.get(page.part(1)) if page.part(1) else "popular"
        fits = chart and _ONLY.get(chart, page.part(0)) == page.part(0)
        return {"chart": chart, "kind": page.part(0)} if fits else None

    def fetch(self, ctx: Context) -> Iterator[Row]:
        chart, kind = ctx.config["chart"], ctx.config["kind"]
        most = ctx.config.get("limit") or 100
        name, _, span = chart.partition("_")
        if name == "trending":
            return _tmdb.rows(ctx, f"/3/trending/{kind}/{span}", kind="" if kind == "all" else kind, most=most)
        return _tmdb.rows(ctx, f"/3/{kind}/{chart}", kind=kind, most=most, region=ctx.config.get("region") or None)
