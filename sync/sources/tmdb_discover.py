"""A question to TMDb: films or shows by genre, year, rating, language, provider and more, the first so many."""

import re
from collections.abc import Iterator
from typing import Any

from django import forms

from lists.records import Row
from sync.adapters import Adapter, Context, Reach, register
from sync.sources import _tmdb
from sync.sources._asking import MOST, Page

# Parameters of TMDb by its own names; a dot would not do in a form.
_FILTERS = {
    "sort_by": "such as popularity.desc, vote_average.desc or primary_release_date.desc",
    "with_genres": "numbers of genres; a comma means and, a | means or",
    "without_genres": "",
    "with_original_language": "such as ja",
    "with_companies": "", "without_companies": "", "with_keywords": "", "without_keywords": "", "with_networks": "shows only",
    "with_people": "films only", "with_cast": "films only", "with_crew": "films only",
    "vote_average.gte": "", "vote_average.lte": "", "vote_count.gte": "", "with_runtime.gte": "minutes", "with_runtime.lte": "",
    "primary_release_date.gte": "films; such as 1990-01-01", "primary_release_date.lte": "", "primary_release_year": "films",
    "first_air_date.gte": "shows", "first_air_date.lte": "", "first_air_date_year": "shows",
    "certification_country": "", "certification": "", "certification.lte": "", "region": "", "watch_region": "such as DE",
    "with_watch_providers": "numbers of providers; needs watch_region", "with_watch_monetization_types": "", "with_status": "",
    "with_type": "", "with_release_type": "", "with_origin_country": "",
}  # fmt: skip
_NAMES = {name.replace(".", "_"): name for name in _FILTERS}
_VALUE = re.compile(r"[\w.,|+-]{1,200}")


@register
class TmdbDiscover(Adapter):
    key = "tmdb_discover"
    label = "TMDb discover"
    help = (
        f"The first films or shows that fit filters of yours. {_tmdb.NEEDS} A window in TMDb's order: each reading takes the "
        "place of the last, and what does not fit any more leaves the list."
    )
    kinds = frozenset({"movie", "show"})
    service = "tmdb"
    reach = Reach.WINDOW
    mode = "rolling"
    attribution = _tmdb.ATTRIBUTION

    class Config(_tmdb.Form):
        kind = forms.ChoiceField(choices=_tmdb.KINDS, label="What")
        limit = forms.IntegerField(min_value=1, max_value=MOST, required=False, help_text="how many; 100 if empty")

        def __init__(self, *args: Any, **kwargs: Any):
            super().__init__(*args, **kwargs)
            for name, filter_ in _NAMES.items():
                self.fields[name] = forms.RegexField(
                    f"^{_VALUE.pattern}$", required=False, label=filter_, help_text=_FILTERS[filter_]
                )

    @classmethod
    def recognises_address(cls, url: str) -> dict[str, Any] | None:
        page = Page.at(url, _tmdb.HOST)
        if page is None or page.part(0) != "discover" or page.part(1) not in ("movie", "tv"):
            return None
        known = {name: page.query.get(filter_, "") for name, filter_ in _NAMES.items()}
        return {"kind": page.part(1)} | {name: value for name, value in known.items() if _VALUE.fullmatch(value)}

    def fetch(self, ctx: Context) -> Iterator[Row]:
        kind = ctx.config["kind"]
        asked = {filter_: ctx.config[name] for name, filter_ in _NAMES.items() if ctx.config.get(name)}
        return _tmdb.rows(ctx, f"/3/discover/{kind}", kind=kind, most=ctx.config.get("limit") or 100, **asked)
