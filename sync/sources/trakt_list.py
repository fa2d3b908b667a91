"""Lists that people keep at Trakt, and the official ones, by their number."""

from collections.abc import Iterator
from typing import Any

from django import forms

from lists.records import About, Row
from sync.adapters import Adapter, Context, register
from sync.sources import _trakt
from sync.sources._asking import Page
from sync.sources._cells import text
from sync.sources._json import as_object

_WORD = r"^[\w.-]{1,200}$"


@register
class TraktList(Adapter):
    key = "trakt_list"
    label = "Trakt list"
    help = (
        "A list at Trakt, by its owner and name or by its number. Public ones need no account, private ones that of their owner. "
        "Its order is kept, and what leaves it can leave here: Trakt says how long it is."
    )
    kinds = frozenset({"movie", "show", "season", "episode"})
    service = "trakt"
    attribution = _trakt.ATTRIBUTION

    class Config(forms.Form):
        user = forms.RegexField(
            _WORD, required=False, help_text="its owner, as in the address; empty for a list by number"
        )
        list = forms.RegexField(_WORD, label="List", help_text="the last part of its address, or its number")

        def clean(self) -> dict[str, Any]:
            found = super().clean() or {}
            if found.get("list") and not found.get("user") and not found["list"].isdigit():
                raise forms.ValidationError("A list is known by its owner and its name, or by its number alone.")
            return found

    @classmethod
    def recognises_address(cls, url: str) -> dict[str, Any] | None:
        page = Page.at(url, *_trakt.HOSTS)
        if page is None:
            return None
        if page.part(0) == "users" and page.part(2) == "lists" and page.part(3):
            return {"user": page.part(1), "list": page.part(3)}
        if page.part(0) == "lists":
            number = page.part(2) if page.part(1) == "official" else page.part(1)
            return {"list": number} if number.isdigit() else None
        return None

    def fetch(self, ctx: Context) -> Iterator[Row]:
        user, name = ctx.config.get("user"), ctx.config["list"]
        path = f"/users/{user}/lists/{name}" if user else f"/lists/{name}"
        head = as_object(_trakt.ask(ctx, path).json())
        yield About(text(head.get("name")))
        yield from _trakt.rows(ctx, f"{path}/items/movie,show,season,episode")
