"""What CouchPotato answers to movie.list: the films that it looks for and those that it has."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from lists.records import NotTaken, Record, Row
from sync.adapters import Context, FileAdapter, register
from sync.errors import BadPayload
from sync.sources._cells import filled, text, web_address
from sync.sources._columns import read_cells
from sync.sources._ids import external_ids, imdb_id, row_key
from sync.sources._json import Document, as_object
from sync.sources._rows import each_item
from sync.text import Sniff

# Keys of an item beside its "info".
_MARKS = {"_t", "_rev", "identifiers", "profile_id"}


@register
class CouchpotatoJson(FileAdapter):
    key = "couchpotato_json"
    label = "CouchPotato (JSON)"
    help = "An answer of its API: /api/…/movie.list"
    kinds = frozenset({"movie"})

    @classmethod
    def recognises(cls, sniff: Sniff) -> float:
        items = as_object(sniff.document).get("movies")
        return 0.95 if isinstance(items, list) and any(map(_is_film, items)) else 0

    def fetch(self, ctx: Context) -> Iterator[Row]:
        document = Document(ctx.text)
        top = as_object(document.value)
        if not isinstance(top.get("movies"), list):
            raise BadPayload("This is no movie.list of CouchPotato: there are no movies in it. Nothing was read.")
        if isinstance(total := top.get("total"), int):  # it may have been asked for a part only
            ctx.expect(int(total))
        yield from each_item(
            top["movies"], parse_row, key_of=_known_key, line_of=partial(document.line_of, key="movies")
        )


def _is_film(item: Any) -> bool:
    return isinstance(item, dict) and isinstance(item.get("info"), dict) and bool(item.keys() & _MARKS)


def parse_row(item: Any, place: int) -> Record | NotTaken:
    """A film of movie.list. Raises BadPayload."""
    if not isinstance(item, dict):
        raise BadPayload("This is no film.")
    ids = external_ids(_ids(item), "movie")
    values = _values(item, as_object(item.get("info")))
    return Record(key=row_key("movie", ids, values, place), kind="movie", values=values, ids=ids, position=place)


def _ids(item: dict[str, Any]) -> dict[str, Any]:
    info, identifiers = as_object(item.get("info")), as_object(item.get("identifiers"))
    return {"imdb": identifiers.get("imdb") or info.get("imdb"), "tmdb": info.get("tmdb_id")}


def _values(item: dict[str, Any], info: dict[str, Any]) -> dict[str, Any]:
    told = {
        "original_title": "original_title", "year": "year", "runtime_s": "runtime", "overview": "plot", "genres": "genres",
        "directors": "directors", "release_date": "released",
    }  # fmt: skip
    cells = {name: info.get(key) for name, key in told.items()}
    cells["title"] = item.get("title") or info.get("original_title")
    cells["watch_status"] = item.get("status")  # "active": looked for, "done": there
    cells["labels"] = item.get("tags")
    voted = as_object(info.get("rating")).get("imdb")
    if isinstance(voted, list) and len(voted) == 2:
        cells["rating"], cells["votes"] = voted
    return read_cells(cells) | _images(as_object(info.get("images")))


def _images(images: dict[str, Any]) -> dict[str, str]:
    def first(name: str) -> str | None:
        stated = images.get(name)
        return web_address(text(stated[0])) if isinstance(stated, list) and stated else None

    return filled({"poster": first("poster"), "backdrop": first("backdrop")})


def _known_key(item: Any) -> str | None:
    try:
        imdb = imdb_id(_ids(as_object(item))["imdb"])
    except BadPayload:
        return None
    return f"imdb:{imdb}" if imdb else None
