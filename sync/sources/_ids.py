"""Ids of other services: as they are written in files, and as we write them."""

import re
from typing import Any

from lists.titles import name_key
from sync.errors import BadPayload
from sync.sources._cells import is_blank, shown, text

# Namespaces whose numbers mean nothing without a kind.
NUMBERED = ("tmdb", "tvdb", "trakt", "simkl", "anilist", "mal")
STRENGTH = ("imdb", *NUMBERED)

_IMDB = re.compile(r"(?<![a-z0-9])(tt\d{7,10})(?!\d)", re.IGNORECASE)
_NUMBERED = re.compile(
    r"(?:\w+://)?(?:[\w.-]+/)*?(?:(movie|tv|show|series|season|episode|track|channel|radio|other)s?/)?(\d{1,12})(?:\.0|-[^/]*)?/?"
)
_TMDB_PAGE = re.compile(r"https?://(?:www\.)?themoviedb\.org/(movie|tv)/\d+\S*", re.IGNORECASE)
_BOXD = re.compile(r"https?://boxd\.it/([A-Za-z0-9]{1,12})/?")
_WORD_KIND = {"tv": "show", "series": "show"}
_REF = re.compile(r"[0-9a-f-]{36}/\d{1,18}@\d{1,9}")


def imdb_id(value: Any) -> str | None:
    """The title id in "tt0113277" or in the address of its page."""
    if is_blank(value):
        return None
    if found := _IMDB.search(text(value)[:300]):
        return found[1].lower()
    raise BadPayload(f'"{shown(value)}" is no IMDb id of a title. They look like tt0113277.')


def numbered_id(namespace: str, value: Any, kind: str) -> str | None:
    """ "603" of a film -> "movie/603". A kind that stands beside the number ("tv/1396") goes before the row's own."""
    if is_blank(value) or text(value) == "0":
        return None
    if found := _NUMBERED.fullmatch(text(value)[:300]):
        return f"{kind_beside(value) or kind}/{int(found[2])}"
    raise BadPayload(f'"{shown(value)}" is no {namespace} number.')


def kind_beside(value: Any) -> str | None:
    """The kind that an id states itself: "show" of "tv/1396"."""
    found = _NUMBERED.fullmatch(text(value)[:300])
    return _WORD_KIND.get(found[1], found[1]) if found and found[1] else None


def letterboxd_id(value: Any) -> str | None:
    """ "1Z4E" of https://boxd.it/1Z4E. Only the short address says it: a bare word may be part of a page's name. Whether it
    is a film's, a list's or that of an entry in a diary stands in no address; the caller knows."""
    found = _BOXD.fullmatch(text(value)[:100])
    return found[1] if found else None


def external_ids(cells: dict[str, Any], kind: str) -> dict[str, str]:
    """Of {"imdb": ..., "tmdb": ..., "letterboxd": short address} as a file has them; other namespaces are passed over."""
    ids = {"imdb": imdb_id(cells.get("imdb")), "letterboxd": letterboxd_id(cells.get("letterboxd"))}
    ids |= {namespace: numbered_id(namespace, cells.get(namespace), kind) for namespace in NUMBERED}
    return {namespace: value for namespace, value in ids.items() if value}


def ids_in_address(address: str) -> dict[str, str]:
    """A link to a title's page at IMDb or TMDb says who it is."""
    if "imdb.com/" in address and (found := _IMDB.search(address)):
        return {"imdb": found[1].lower()}
    if _TMDB_PAGE.fullmatch(address):
        path = re.sub(r"[?#].*", "", address)
        return {"tmdb": tmdb} if (tmdb := numbered_id("tmdb", path.lower(), "movie")) else {}
    return {}


def strongest(ids: dict[str, str]) -> str | None:
    """ "imdb:tt0113277": the id that a row of a format without keys of its own goes by."""
    return next((f"{namespace}:{ids[namespace]}" for namespace in (*STRENGTH, "letterboxd") if namespace in ids), None)


def row_key(kind: str, ids: dict[str, str], values: dict[str, Any], place: int) -> str:
    """Raises BadPayload if a row has neither an id nor a title: nothing could be shown of it."""
    if kind == "track":
        return f"{place:03d}"  # the same track may be played twice; the pipeline aligns plays
    if key := strongest(ids):
        return key
    if values.get("title"):
        return name_key(values["title"], values.get("year"), values.get("artist", ""))
    raise BadPayload("There is neither a title nor an id.")


def own_ref(value: Any) -> str | None:
    """ "<list uid>/<entry id>@<version>" of our own exports; None for anything else."""
    cell = text(value)
    return cell if _REF.fullmatch(cell) else None
