"""What the sources of Plex share: pages of a container, and its films and shows as rows."""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from lists.records import NotTaken, Record, Row
from sync.accounts.plex import PRODUCT, client_id
from sync.adapters import Context
from sync.http import Answer
from sync.sources._asking import goes_on, marks, no_list, whole
from sync.sources._cells import filled, text, web_address
from sync.sources._columns import read_cells
from sync.sources._ids import external_ids, row_key
from sync.sources._json import as_object
from sync.sources._rows import each_item

SIZE = 100  # things on a page; larger ones time out
_KINDS = {"movie": "movie", "show": "show", "season": "season", "episode": "episode"}
_ID = re.compile(r"(imdb|tmdb|tvdb)://([\w/-]{1,40})")
_AGENT = re.compile(r"com\.plexapp\.agents\.(imdb|themoviedb|thetvdb)://([\w-]{1,40})")  # of old libraries
_AGENTS = {"imdb": "imdb", "themoviedb": "tmdb", "thetvdb": "tvdb"}
_RATED_BY = ("imdb://", "themoviedb://")  # others rate in per cent, or mean something else


def rows(
    ctx: Context, path_or_url: str, token: str, *, complete: Callable[[Any], Any] = lambda item: item, **params: Any
) -> Iterator[Row]:  # fmt: skip
    """Everything in a container, page by page. complete: fills up a thing that comes without its ids."""
    came = 0

    def ask(number: int) -> Answer:
        place = {"X-Plex-Container-Start": came, "X-Plex-Container-Size": SIZE}
        return container(ctx, path_or_url, token, params | place)

    for page in ctx.http.pages(ask, lambda page: marks(things(page)[0], known_key)):
        items, total = things(page)
        if total is not None:
            ctx.expect(max(ctx.expected or 0, total))
        yield from each_item(map(complete, items), parse_row, key_of=known_key, before=came)
        came += len(items)
        if not goes_on(len(items), limit=SIZE, came=came, total=total):
            return


def container(
    ctx: Context, path_or_url: str, token: str, params: dict[str, Any] | None = None, *, cached: bool = False
) -> Answer:
    headers = {"X-Plex-Token": token, "X-Plex-Product": PRODUCT, "X-Plex-Client-Identifier": client_id()}
    return ctx.http.get(path_or_url, params=params, headers=headers, cached=cached)


def guids_of(answer: Answer) -> list[Any]:
    """Those of the one thing in a container."""
    items, _ = things(answer)
    guids = as_object(items[0] if items else None).get("Guid")
    return guids if isinstance(guids, list) else []


def things(answer: Answer) -> tuple[list[Any], int | None]:
    """(what a container holds, how much it says that there is). Raises BadAnswer."""
    holder = as_object(answer.json()).get("MediaContainer")
    if not isinstance(holder, dict):
        raise no_list(answer)
    items = holder.get("Metadata", [])  # left out where there is nothing
    if not isinstance(items, list) or not (items or holder.keys() & {"size", "totalSize"}):
        raise no_list(answer)
    return items, whole(holder.get("totalSize"))


def parse_row(item: Any, place: int) -> Record | NotTaken:
    """A film, show, season or episode of any container. Raises BadPayload."""
    item = as_object(item)
    kind = _KINDS.get(text(item.get("type")))
    if kind is None:
        return NotTaken(None, text(item.get("type"))[:40] or "thing without a type")
    ids = external_ids(stated_ids(item), kind)
    values = _values(item, kind)
    return Record(known_key(item) or row_key(kind, ids, values, place), kind, values, ids, position=place)


def known_key(item: Any) -> str | None:
    """Plex's own name for it, the same on every server; old libraries know only the number in theirs."""
    item = as_object(item)
    guid, number = text(item.get("guid")), text(item.get("ratingKey"))
    if guid.startswith("plex://"):
        return guid
    return f"key:{number}" if number else None


def stated_ids(item: dict[str, Any]) -> dict[str, str]:
    stated = item.get("Guid")
    guids = [text(as_object(guid).get("id")) for guid in stated] if isinstance(stated, list) else []
    found = {match[1]: match[2] for guid in guids if (match := _ID.fullmatch(guid))}
    if not found and (match := _AGENT.match(text(item.get("guid")))):
        found = {_AGENTS[match[1]]: match[2]}
    return found


def _values(item: dict[str, Any], kind: str) -> dict[str, Any]:
    told = {
        "title": "title", "original_title": "originalTitle", "year": "year", "release_date": "originallyAvailableAt",
        "overview": "summary", "your_rating": "userRating",
    }  # fmt: skip
    cells = {name: item.get(key) for name, key in told.items()}
    cells["genres"], cells["directors"] = _tags(item.get("Genre")), _tags(item.get("Director"))
    if text(item.get("audienceRatingImage")).startswith(_RATED_BY):
        cells["rating"] = item.get("audienceRating")
    values = read_cells(cells) | filled(
        {"poster": web_address(item.get("thumb")), "backdrop": web_address(item.get("art"))}
    )
    if length := whole(item.get("duration")):
        values["runtime_s"] = length // 1000
    if added := whole(item.get("addedAt")):
        with suppress(OverflowError, ValueError, OSError):
            values["added_on"] = datetime.fromtimestamp(added, UTC).date().isoformat()
    return values | (_place_in_show(item, kind) if kind in ("season", "episode") else {})


def _tags(stated: Any) -> list[str]:
    return [text(as_object(tag).get("tag")) for tag in stated] if isinstance(stated, list) else []


def _place_in_show(item: dict[str, Any], kind: str) -> dict[str, Any]:
    if kind == "season":
        return filled({"show_title": text(item.get("parentTitle")), "season": whole(item.get("index"))})
    return filled({
        "show_title": text(item.get("grandparentTitle")), "season": whole(item.get("parentIndex")),
        "episode": whole(item.get("index")),
    })  # fmt: skip
