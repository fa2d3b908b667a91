"""What the Simkl API and its backups write: everything that a user has (/sync/all-items, ratings), charts and searches.

Items come wrapped with what their user noted ({"status": ..., "show": {...}}) or bare.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

from django import forms

from lists.records import NotTaken, Record, Row
from sync.adapters import Context, FileAdapter, register
from sync.errors import BadPayload
from sync.sources._cells import text
from sync.sources._columns import place_of, read_cells
from sync.sources._ids import external_ids, numbered_id, row_key
from sync.sources._json import Document, as_object
from sync.sources._rows import each_item
from sync.text import Sniff

# Where an object keeps its lists, and what the first word of an item's address says: the kind of its items.
_LISTS = {"shows": "show", "anime": "anime", "movies": "movie"}
_PATHS = {"tv": "show", "anime": "anime", "movies": "movie"}
_WRAPPED = ("movie", "show", "anime")
_KINDS = [("", "As the items say, else films"), ("movie", "Films"), ("show", "Shows"), ("anime", "Anime")]
_SITE = "https://simkl.com"  # what the addresses of its answers are relative to


@register
class SimklJson(FileAdapter):
    key = "simkl_json"
    label = "Simkl (JSON)"
    help = "An answer of the Simkl API or a Simkl backup: watchlists, ratings, charts."
    kinds = frozenset({"movie", "show"})

    class Config(FileAdapter.Config):
        kind = forms.ChoiceField(choices=_KINDS, required=False, label="What the items are")

    @classmethod
    def recognises(cls, sniff: Sniff) -> float:
        items = [item for _, items in _lists(sniff.document) for item in items[:20]]
        return 0.95 if items and sum(map(_is_simkls, items)) * 2 > len(items) else 0

    def fetch(self, ctx: Context) -> Iterator[Row]:
        document = Document(ctx.text)
        lists = _lists(document.value)
        if not lists:
            raise BadPayload("This is no list of Simkl: there are no shows, anime or movies in it. Nothing was read.")
        before = 0
        for name, items in lists:
            kind = _LISTS.get(name or "") or ctx.config.get("kind") or ""
            parse = partial(parse_row, kind=kind)
            line_of = partial(document.line_of, key=name)
            yield from each_item(items, parse, key_of=partial(known_key, kind=kind), line_of=line_of, before=before)
            before += len(items)


def _lists(value: Any) -> list[tuple[str | None, list[Any]]]:
    """(name, items) of each list in an answer; the name of a lone one is None."""
    if isinstance(value, list):
        return [(None, value)]
    return [(name, value[name]) for name in as_object(value) if name in _LISTS and isinstance(value[name], list)]


def _is_simkls(item: Any) -> bool:
    return bool(_ids(_thing(item)).keys() & {"simkl", "simkl_id"})


def _thing(item: Any) -> dict[str, Any]:
    """The film or show itself; what its user noted of it stands beside it."""
    item = as_object(item)
    return next((item[word] for word in _WRAPPED if isinstance(item.get(word), dict)), item)


def _ids(thing: dict[str, Any]) -> dict[str, Any]:
    return as_object(thing.get("ids"))


def parse_row(item: Any, place: int, *, kind: str = "") -> Record | NotTaken:
    """One item of any list of Simkl. kind: "movie", "show" or "anime" where its list says so. Raises BadPayload."""
    thing = _thing(item)
    if not _ids(thing):
        raise BadPayload("There is no film or show in this item.")
    is_anime, kind = _kind(item, thing, kind)
    ids = external_ids(_stated_ids(thing, is_anime and kind == "show"), kind)
    values = read_cells(_of_thing(thing) | (_of_user(item, kind) if thing is not item else {}))
    key = f"simkl:{ids['simkl']}" if "simkl" in ids else row_key(kind, ids, values, place)
    return Record(key=key, kind=kind, values=values, ids=ids, position=place_of(item.get("rank"), place))


def _kind(item: dict[str, Any], thing: dict[str, Any], kind: str) -> tuple[bool, str]:
    """(whether it is anime, "movie" or "show")."""
    path = text(thing.get("url")).strip("/").partition("/")[0]
    wrapped = next(
        (word for word in ("anime", "movie") if thing is item.get(word)), "show" if thing is not item else ""
    )
    said = _PATHS.get(path) or kind or wrapped or text(thing.get("type")) or "movie"
    anime_type = text(item.get("anime_type") or thing.get("anime_type"))
    is_anime = bool(anime_type) or said == "anime"
    is_film = anime_type == "movie" or said == "movie"
    return is_anime, "movie" if is_film else "show"


def _stated_ids(thing: dict[str, Any], is_part: bool) -> dict[str, Any]:
    """is_part: Simkl has each season of an anime as a show of its own, with the ids of the whole show elsewhere: taken for
    ids of the season they would make one thing of all."""
    ids = _ids(thing)
    ids = ids | {"simkl": ids.get("simkl") or ids.get("simkl_id")}
    return {name: ids.get(name) for name in ("simkl", "mal", "anilist")} if is_part else ids


def _of_thing(thing: dict[str, Any]) -> dict[str, Any]:
    told = {
        "title": "title", "year": "year", "release_date": "release_date", "runtime_s": "runtime", "genres": "genres",
        "release_status": "status", "overview": "overview",
    }  # fmt: skip
    cells = {name: thing.get(key) for name, key in told.items()}
    if (path := text(thing.get("url"))).startswith("/"):
        cells["address"] = _SITE + path
    ratings = as_object(thing.get("ratings"))
    rating: dict[str, Any] = next(
        (ratings[name] for name in ("imdb", "simkl") if isinstance(ratings.get(name), dict)), {}
    )
    # Nobody has voted yet: their 0 is no rating.
    return cells | {"rating": rating.get("rating") or None, "votes": rating.get("votes") or None}


def _of_user(item: dict[str, Any], kind: str) -> dict[str, Any]:
    cells = {
        "your_rating": item.get("user_rating"), "rated_on": item.get("user_rated_at"), "watch_status": item.get("status"),
        "watched_on": item.get("last_watched_at"), "added_on": item.get("added_to_watchlist_at"),
        "note": as_object(item.get("memo")).get("text"),
    }  # fmt: skip
    return cells | ({"episodes_seen": item.get("watched_episodes_count")} if kind == "show" else {})


def known_key(item: Any, *, kind: str) -> str | None:
    thing = _thing(item)
    ids = _ids(thing)
    try:
        number = numbered_id("simkl", ids.get("simkl") or ids.get("simkl_id"), _kind(as_object(item), thing, kind)[1])
    except BadPayload:
        return None
    return f"simkl:{number}" if number else None
