"""What Radarr and Sonarr answer: their films and series, one or all. Their other lists hold no media."""

from collections.abc import Iterator
from typing import Any

from lists.records import NotTaken, Record, Row, Unreadable
from sync.adapters import Context, FileAdapter, register
from sync.errors import BadPayload
from sync.sources._cells import filled, text, web_address
from sync.sources._columns import read_cells
from sync.sources._ids import external_ids, row_key
from sync.sources._json import Document, as_object, excerpt
from sync.sources._rows import media_only
from sync.text import Sniff

# Keys by which an item of theirs is known, beside the id of the service that it lists by.
_MARKS = {"titleSlug", "cleanTitle", "qualityProfileId", "rootFolderPath", "seriesType", "isAvailable"}
_OF_SERIES = {"tvdbId", "tvRageId", "tvMazeId", "seriesType", "seasonFolder"}
_IMAGES = {"poster": "poster", "fanart": "backdrop"}


@register
class ArrJson(FileAdapter):
    key = "arr_json"
    label = "Radarr or Sonarr (JSON)"
    help = "An answer of their API: /api/v3/movie or /api/v3/series."
    kinds = frozenset({"movie", "show"})

    @classmethod
    def recognises(cls, sniff: Sniff) -> float:
        items = [sniff.document] if isinstance(sniff.document, dict) else sniff.document
        if not isinstance(items, list) or not items:
            return 0
        return 0.95 if sum(_is_medium(item) or _other(item) is not None for item in items) * 2 > len(items) else 0

    def fetch(self, ctx: Context) -> Iterator[Row]:
        document = Document(ctx.text)
        items = document.value if isinstance(document.value, list) else [document.value]
        yield from media_only(_row(item, place, document) for place, item in enumerate(items, 1))


def _is_medium(item: Any) -> bool:
    return isinstance(item, dict) and bool(item.keys() & {"tmdbId", "tvdbId"}) and bool(item.keys() & _MARKS)


def _other(item: Any) -> str | None:
    """What an item is that is no medium."""
    if not isinstance(item, dict):
        return None
    if item.keys() >= {"cutoff", "items"}:
        return "quality profile"
    return "root folder" if item.keys() >= {"path", "freeSpace"} and "title" not in item else None


def _row(item: Any, place: int, document: Document) -> Row:
    try:
        row = parse_row(item, place=place)
    except BadPayload as e:
        return Unreadable(document.line_of(place), str(e), excerpt(item), known_key(item))
    return NotTaken(document.line_of(place), row.what) if isinstance(row, NotTaken) else row


def parse_row(item: Any, *, place: int) -> Record | NotTaken:
    """A film of /movie or a series of /series. Raises BadPayload."""
    if what := _other(item):
        return NotTaken(None, what)
    if not isinstance(item, dict):
        raise BadPayload("This is no film and no series.")
    kind = _kind(item)
    ids = _ids(item, kind)
    values = _values(item)
    return Record(
        key=_own_key(kind, ids) or row_key(kind, ids, values, place), kind=kind, values=values, ids=ids, position=place
    )


def _kind(item: dict[str, Any]) -> str:
    return "show" if item.keys() & _OF_SERIES else "movie"


def _ids(item: dict[str, Any], kind: str) -> dict[str, str]:
    return external_ids({name: item.get(f"{name}Id") for name in ("imdb", "tmdb", "tvdb")}, kind)


def _own_key(kind: str, ids: dict[str, str]) -> str | None:
    """Radarr lists by the TMDb number, Sonarr by the TVDb one: the others may come and go."""
    namespace = "tvdb" if kind == "show" else "tmdb"
    return f"{namespace}:{ids[namespace]}" if namespace in ids else None


def known_key(item: Any) -> str | None:
    item = as_object(item)
    try:
        return _own_key(_kind(item), _ids(item, _kind(item)))
    except BadPayload:
        return None


def _values(item: dict[str, Any]) -> dict[str, Any]:
    told = {
        "title": "title", "original_title": "originalTitle", "year": "year", "runtime_s": "runtime",
        "release_status": "status", "overview": "overview", "genres": "genres", "added_on": "added",
    }  # fmt: skip
    cells = {name: item.get(key) for name, key in told.items()} | _rating(item.get("ratings"))
    dates = ("releaseDate", "inCinemas", "digitalRelease", "physicalRelease", "firstAired")
    cells["release_date"] = next((item[key] for key in dates if item.get(key)), None)
    cells["poster"] = item.get("remotePoster")
    values = read_cells(cells) | _images(item.get("images"))
    if isinstance(item.get("monitored"), bool):
        values["monitored"] = int(item["monitored"])
    return values


def _rating(ratings: Any) -> dict[str, Any]:
    """Older versions state one rating, newer ones those of several services: IMDb's first, as other sources give it."""
    if not isinstance(ratings, dict):
        return {}
    stated = next((ratings[name] for name in ("imdb", "tmdb") if isinstance(ratings.get(name), dict)), ratings)
    # Nobody has voted yet: their 0.0 is no rating.
    return {"rating": stated.get("value") or None, "votes": stated.get("votes") or None}


def _images(images: Any) -> dict[str, str]:
    found: dict[str, Any] = {}
    for image in images if isinstance(images, list) else []:
        name = _IMAGES.get(text(image.get("coverType"))) if isinstance(image, dict) else None
        if name and name not in found:
            # "url" is a path on their own server, "remoteUrl" the public picture.
            found[name] = web_address(image.get("remoteUrl")) or web_address(image.get("url"))
    return filled(found)
