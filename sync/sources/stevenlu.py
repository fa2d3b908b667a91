"""Popular films as StevenLu publishes them."""

from collections.abc import Iterator
from typing import Any

from lists.records import Row
from sync.adapters import Adapter, Context, Reach, register
from sync.sources._asking import Page, listed
from sync.sources._rows import each_item
from sync.sources.json_list import known_key_of, parse_item


@register
class StevenLu(Adapter):
    key = "stevenlu"
    label = "StevenLu's popular films"
    help = (
        "Popular films, published every day at stevenlu.com. Needs no account. Each reading takes the place of the last, and what "
        "is not popular any more leaves the list."
    )
    kinds = frozenset({"movie"})
    service = "stevenlu"
    reach = Reach.WINDOW
    mode = "rolling"
    interval_min = 1440
    attribution = "Popular films by StevenLu (popular-movies-data.stevenlu.com)."

    @classmethod
    def recognises_address(cls, url: str) -> dict[str, Any] | None:
        page = Page.at(url, "popular-movies-data.stevenlu.com", "s3.amazonaws.com")
        return {} if page and page.path in (("movies.json",), ("popular-movies", "movies.json")) else None

    def fetch(self, ctx: Context) -> Iterator[Row]:
        answer = ctx.http.get("/movies.json", conditional=True)
        ctx.compare(answer.body)
        return each_item(listed(answer), parse_item, key_of=known_key_of)
