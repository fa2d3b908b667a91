"""Lists that people keep at TMDb, films and shows mixed."""

from collections.abc import Iterator
from typing import Any

from django import forms

from lists.records import Row
from sync.adapters import Adapter, Context, register
from sync.sources import _tmdb
from sync.sources._asking import Page


@register
class TmdbList(Adapter):
    key = "tmdb_list"
    label = "TMDb list"
    help = (
        f"A list at TMDb. {_tmdb.NEEDS} Its order is kept, and what leaves it can leave here: TMDb says how long it is. A "
        "private list needs an account that has signed in."
    )
    kinds = frozenset({"movie", "show"})
    service = "tmdb"
    attribution = _tmdb.ATTRIBUTION

    class Config(_tmdb.Form):
        id = forms.RegexField(
            r"^[0-9a-f]{1,24}$", label="Number of the list", help_text="in its address, behind /list/"
        )

    @classmethod
    def recognises_address(cls, url: str) -> dict[str, Any] | None:
        page = Page.at(url, _tmdb.HOST)
        found = page.part(1).partition("-")[0] if page and page.part(0) == "list" else ""
        return {"id": found} if found else None

    def fetch(self, ctx: Context) -> Iterator[Row]:
        number = ctx.config["id"]
        # The newer interface takes tokens only.
        if ctx.secrets.get("token") or ctx.secrets.get("user_token"):
            return _tmdb.rows(ctx, f"/4/list/{number}", user=True)
        return _tmdb.rows(ctx, f"/3/list/{number}", key="items")
