"""Films that belong together at TMDb, such as all of one saga."""

from collections.abc import Iterator
from typing import Any

from django import forms

from lists.records import About, Row
from sync.adapters import Adapter, Context, register
from sync.sources import _tmdb
from sync.sources._asking import Page, listed
from sync.sources._cells import text
from sync.sources._json import as_object


@register
class TmdbCollection(Adapter):
    key = "tmdb_collection"
    label = "TMDb collection"
    help = (
        f"All films of a collection at TMDb, in its order. {_tmdb.NEEDS} TMDb does not say how many there are, so what leaves it "
        "leaves here after a second look."
    )
    kinds = frozenset({"movie", "show"})
    service = "tmdb"
    attribution = _tmdb.ATTRIBUTION

    class Config(_tmdb.Form):
        id = forms.IntegerField(min_value=1, label="Number of the collection", help_text="in its address")

    @classmethod
    def recognises_address(cls, url: str) -> dict[str, Any] | None:
        page = Page.at(url, _tmdb.HOST)
        number = page.number(1) if page and page.part(0) == "collection" else None
        return {"id": number} if number else None

    def fetch(self, ctx: Context) -> Iterator[Row]:
        answer = _tmdb.ask(ctx, f"/3/collection/{ctx.config['id']}")
        parts = listed(answer, "parts")
        yield About(text(as_object(answer.json()).get("name")))
        yield from _tmdb.rows_of(ctx, parts, kind="movie")
