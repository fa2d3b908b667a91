"""What somebody keeps at Simkl, and what is trending there."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import orjson
from django import forms
from django.conf import settings

from lists.records import Row
from sync.adapters import Adapter, Context, Reach, register
from sync.sources._asking import Page, listed
from sync.sources._json import as_object
from sync.sources._rows import each_item
from sync.sources.simkl_json import known_key, parse_row

_KINDS = {"movies": "movie", "shows": "show", "anime": "anime"}
_CHOICES = [("movies", "Films"), ("shows", "Shows"), ("anime", "Anime")]
_STATES = [
    ("plantowatch", "Plan to watch"), ("watching", "Watching (no films)"), ("completed", "Completed"), ("hold", "On hold (no films)"),
    ("dropped", "Dropped"),
]  # fmt: skip
# Where the activities tell of a kind, by Simkl's own words.
_ACTIVITIES = {"movies": "movies", "shows": "tv_shows", "anime": "anime"}
_TIMES = [("today", "Today"), ("week", "This week"), ("month", "This month")]
_PAGES = {"movies": "movies", "tv": "shows", "anime": "anime"}


def _app() -> dict[str, str]:
    return {"app-name": "listkeeper", "app-version": settings.VERSION}


def _rows(items: list[Any], kind: str) -> Iterator[Row]:
    return each_item(items, partial(parse_row, kind=kind), key_of=partial(known_key, kind=kind))


@register
class SimklList(Adapter):
    key = "simkl_list"
    label = "Simkl list"
    help = (
        "What you plan to watch, watch or have watched at Simkl. Needs your Simkl account. It is read again only if Simkl says that "
        "something happened, and then whole, so what leaves it leaves here after a second look. It has no order of its own."
    )
    kinds = frozenset({"movie", "show"})
    service = "simkl"
    interval_min = 720
    attribution = "Data by Simkl."

    class Config(forms.Form):
        kind = forms.ChoiceField(choices=_CHOICES, label="What")
        status = forms.ChoiceField(choices=_STATES, label="Which")

        def clean(self) -> dict[str, Any]:
            found = super().clean() or {}
            if found.get("kind") == "movies" and found.get("status") in ("watching", "hold"):
                raise forms.ValidationError("Films at Simkl are planned, completed or dropped.")
            return found

    @classmethod
    def recognises_address(cls, url: str) -> dict[str, Any] | None:
        page = Page.at(url, "simkl.com")
        if page is None or not page.part(0).isdigit() or page.part(1) not in _PAGES:
            return None
        status = next((word for word in page.path[2:] if word in dict(_STATES)), "plantowatch")
        return {"kind": _PAGES[page.part(1)], "status": status}

    def fetch(self, ctx: Context) -> Iterator[Row]:
        kind = ctx.config["kind"]
        said = as_object(self._ask(ctx, "/sync/activities").json()).get(_ACTIVITIES[kind])
        if said:
            ctx.compare_stamp(orjson.dumps(said, option=orjson.OPT_SORT_KEYS))
        return _rows(self._items(ctx, kind, ctx.config["status"]), _KINDS[kind])

    def _items(self, ctx: Context, kind: str, status: str) -> list[Any]:
        """Of an empty list it answers {}, and so it may on a bad day: then all that it has of the kind must come."""
        answer = self._ask(ctx, f"/sync/all-items/{kind}/{status}", extended="full")
        if answer.json():
            return listed(answer, kind)
        if not ctx.has_brought:
            return []
        everything = listed(self._ask(ctx, f"/sync/all-items/{kind}", extended="full"), kind)
        return [item for item in everything if as_object(item).get("status", status) == status]

    def _ask(self, ctx: Context, path: str, **params: Any) -> Any:
        params |= _app() | {"client_id": ctx.secret("client_id")}
        return ctx.http.get(path, params=params, headers={"Authorization": f"Bearer {ctx.secret('token')}"})


@register
class SimklTrending(Adapter):
    key = "simkl_trending"
    label = "Simkl trending"
    help = (
        "The hundred that are trending at Simkl. Needs no account. A chart in its order: each reading takes the place of the last, "
        "and what has left the chart leaves the list."
    )
    kinds = frozenset({"movie", "show"})
    service = "simkl_data"
    reach = Reach.WINDOW
    mode = "rolling"
    attribution = "Data by Simkl."

    class Config(forms.Form):
        kind = forms.ChoiceField(choices=_CHOICES, label="What")
        time = forms.ChoiceField(choices=_TIMES, required=False, help_text="today if empty")

    def fetch(self, ctx: Context) -> Iterator[Row]:
        kind, time = ctx.config["kind"], ctx.config.get("time") or "today"
        path = f"/discover/trending/{'tv' if kind == 'shows' else kind}/{time}_100.json"
        answer = ctx.http.get(path, params=_app(), conditional=True)
        ctx.compare(answer.body)
        return _rows(listed(answer), _KINDS[kind])
