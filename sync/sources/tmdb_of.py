"""Everything that TMDb has of a company, a network or a keyword."""

from collections.abc import Iterator
from typing import Any

from django import forms

from lists.records import Row
from sync.adapters import Adapter, Context, register
from sync.sources import _tmdb
from sync.sources._asking import Page

_OF = [("company", "Company"), ("network", "Network (shows only)"), ("keyword", "Keyword")]
_FILTERS = {"company": "with_companies", "network": "with_networks", "keyword": "with_keywords"}
_BY = {"movie": "primary_release_date.desc", "tv": "first_air_date.desc"}  # so that no page shifts while they are read


@register
class TmdbOf(Adapter):
    key = "tmdb_of"
    label = "TMDb company, network or keyword"
    help = (
        f"All films or shows of a company, a network or a keyword, the newest first. {_tmdb.NEEDS} TMDb says how many there "
        "are, so what leaves can leave here; of more than 10,000 it shows the first ones only, and then nothing leaves."
    )
    kinds = frozenset({"movie", "show"})
    service = "tmdb"
    interval_min = 1440
    attribution = _tmdb.ATTRIBUTION

    class Config(_tmdb.Form):
        of = forms.ChoiceField(choices=_OF, label="Of a")
        id = forms.IntegerField(min_value=1, label="Its number", help_text="in the address of its page")
        kind = forms.ChoiceField(choices=_tmdb.KINDS, label="What")

        def clean(self) -> dict[str, Any]:
            found = super().clean() or {}
            if found.get("of") == "network" and found.get("kind") == "movie":
                raise forms.ValidationError("Networks have shows, no films.")
            return found

    @classmethod
    def recognises_address(cls, url: str) -> dict[str, Any] | None:
        page = Page.at(url, _tmdb.HOST)
        if page is None or page.part(0) not in _FILTERS or not (number := page.number(1)):
            return None
        is_tv = page.part(0) == "network" or page.part(2) == "tv"
        return {"of": page.part(0), "id": number, "kind": "tv" if is_tv else "movie"}

    def fetch(self, ctx: Context) -> Iterator[Row]:
        kind = ctx.config["kind"]
        return _tmdb.rows(
            ctx, f"/3/discover/{kind}", kind=kind, sort_by=_BY[kind], **{_FILTERS[ctx.config["of"]]: ctx.config["id"]}
        )
