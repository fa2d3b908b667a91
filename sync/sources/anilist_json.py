"""What AniList answers for a user: MediaListCollection (all lists at once) or a page of mediaList. Anime only.

An entry is one season or film. It may stand in several lists: that of its status and those that its user made.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from html import unescape
from typing import Any

from lists.records import NotTaken, Record, Row
from sync.adapters import Context, FileAdapter, register
from sync.errors import BadPayload
from sync.sources._cells import decimal, text
from sync.sources._columns import date_of_parts, read_cells
from sync.sources._ids import external_ids, row_key, strongest
from sync.sources._json import Document, as_object
from sync.sources._rows import each_item, media_only
from sync.text import Sniff

_SCALES = {"POINT_100": 100, "POINT_10_DECIMAL": 10, "POINT_10": 10, "POINT_5": 5, "POINT_3": 3}
_KINDS = {"MOVIE": "movie", "MUSIC": "other"}  # by format; the rest is shown in episodes
_PRINTED = {"MANGA", "NOVEL", "ONE_SHOT"}
_BREAK = re.compile(r"<br\s?/?>\n?", re.IGNORECASE)
_TAG = re.compile(r"</?[a-z][^<>]{0,1000}>", re.IGNORECASE)


@register
class AnilistJson(FileAdapter):
    key = "anilist_json"
    label = "AniList (JSON)"
    help = "An answer of the AniList API for a user: MediaListCollection or mediaList."
    kinds = frozenset({"movie", "show", "other"})

    @classmethod
    def recognises(cls, sniff: Sniff) -> float:
        entries = [entry for part in _parts(sniff.document) for entry in part.entries[:20]]
        return 0.95 if entries and any(map(_is_anilists, entries)) else 0

    def fetch(self, ctx: Context) -> Iterator[Row]:
        top = as_object(Document(ctx.text).value)
        parts = _parts(top)
        if not parts:
            raise BadPayload(f"This is no list of AniList{_reason(top)}. Nothing was read.")
        yield from _rows(parts)


def read_lists(answer: dict[str, Any]) -> Iterator[Row]:
    """The rows of an answer that was asked for, which may hold no list at all."""
    return _rows(_parts(answer))


def _rows(parts: list["_Part"]) -> Iterator[Row]:
    scale = _scale(parts)
    before = 0
    films: dict[str, Record] = {}
    others: list[Row] = []
    for part in parts:
        parse = partial(parse_row, printed=part.printed, scale=scale)
        for row in each_item(part.entries, parse, key_of=known_key, before=before):
            if isinstance(row, Record):
                films[row.key] = _labelled(films.get(row.key) or row, part.label)
            else:
                others.append(row)
        before += len(part.entries)
    yield from media_only([*films.values(), *others])


class _Part:
    """One list of an answer. label: its name if its user made it. scale: what scores are out of, None if nobody says."""

    def __init__(self, entries: list[Any], *, label: str = "", printed: bool = False, scale: int | None = None):
        self.entries, self.label, self.printed, self.scale = entries, label, printed, scale


def _parts(document: Any) -> list[_Part]:
    top = as_object(document)
    parts: list[_Part] = []
    for name, answer in as_object(top.get("data", top)).items():
        answer = as_object(answer)
        options = as_object(as_object(answer.get("user")).get("mediaListOptions"))
        scale, printed = _SCALES.get(text(options.get("scoreFormat"))), name.lower() == "manga"
        if isinstance(answer.get("mediaList"), list):
            parts.append(_Part(answer["mediaList"], scale=scale, printed=printed))
        for list_ in answer["lists"] if isinstance(answer.get("lists"), list) else []:
            if isinstance(entries := as_object(list_).get("entries"), list):
                label = text(list_.get("name"))[:100] if list_.get("isCustomList") is True else ""
                parts.append(_Part(entries, label=label, printed=printed, scale=scale))
    return parts


def _reason(top: dict[str, Any]) -> str:
    """What the service said in place of a list."""
    errors = top.get("errors")
    first = as_object(errors[0]) if isinstance(errors, list) and errors else {}
    return f': it says "{message[:200]}"' if (message := text(first.get("message"))) else ""


def _is_anilists(entry: Any) -> bool:
    media = as_object(as_object(entry).get("media"))
    return "idMal" in media or (
        "id" in media and bool({"romaji", "userPreferred"} & as_object(media.get("title")).keys())
    )


def _scale(parts: list[_Part]) -> int | None:
    """What scores are out of. If nobody says: a score above 10 is of 100, one above 5 of 10; up to 5 nobody can tell."""
    if stated := next((part.scale for part in parts if part.scale), None):
        return stated
    scores = [as_object(entry).get("score") for part in parts for entry in part.entries]
    highest = max((s for s in scores if isinstance(s, int | float) and not isinstance(s, bool)), default=0)
    return 100 if highest > 10 else 10 if highest > 5 else None


def parse_row(entry: Any, place: int, *, printed: bool = False, scale: int | None = 10) -> Record | NotTaken:
    """printed: the list holds manga. scale: what scores are out of. Raises BadPayload."""
    media = as_object(as_object(entry).get("media"))
    if not media:
        raise BadPayload("There is no anime in this entry.")
    if printed or media.get("type") == "MANGA" or text(media.get("format")) in _PRINTED:
        return NotTaken(None, "manga")
    kind, ids = _identity(media)
    values = read_cells(_of_media(media) | _of_user(entry, scale))
    return Record(key=row_key(kind, ids, values, place), kind=kind, values=values, ids=ids, position=place)


def _identity(media: dict[str, Any]) -> tuple[str, dict[str, str]]:
    kind = _KINDS.get(text(media.get("format")), "show")
    return kind, external_ids({"anilist": media.get("id"), "mal": media.get("idMal")}, kind)


def known_key(entry: Any) -> str | None:
    try:
        return strongest(_identity(as_object(as_object(entry).get("media")))[1])
    except BadPayload:
        return None


def _labelled(record: Record, label: str) -> Record:
    labels = record.values.get("labels", [])
    if not label or label in labels:
        return record
    return replace(record, values=record.values | {"labels": [*labels, label]})


def _of_media(media: dict[str, Any]) -> dict[str, Any]:
    title, cover = as_object(media.get("title")), as_object(media.get("coverImage"))
    told = {
        "runtime_s": "duration", "genres": "genres", "backdrop": "bannerImage", "address": "siteUrl", "year": "seasonYear",
    }  # fmt: skip
    cells = {name: media.get(key) for name, key in told.items()}
    cells["title"] = next((title[name] for name in ("english", "romaji", "userPreferred") if title.get(name)), None)
    cells["original_title"] = title.get("native")
    cells["release_date"] = date_of_parts(media.get("startDate"))
    cells["release_status"] = _word(media.get("status"))
    cells["overview"] = _plain(media.get("description"))
    cells["poster"] = cover.get("extraLarge") or cover.get("large")
    cells["rating"] = _of_ten(media.get("averageScore"), 100)
    return cells


def _of_user(entry: dict[str, Any], scale: int | None) -> dict[str, Any]:
    return {
        "your_rating": _of_ten(entry.get("score"), scale),
        "watch_status": _word(entry.get("status")),
        "watched_on": date_of_parts(entry.get("completedAt")),
        "rewatch": entry.get("repeat") or None,
        "episodes_seen": entry.get("progress"),
        "note": entry.get("notes"),
        "added_on": _moment(entry.get("createdAt")),
    }


def _of_ten(score: Any, scale: int | None) -> float | None:
    """0 means that nobody gave one. Of a score beyond its scale nobody can say what it means."""
    number = decimal(score, "Score")
    return round(number * 10 / scale, 1) if number and scale and number <= scale else None


def _moment(stated: Any) -> str | None:
    """Of seconds since 1970; 0 means that nobody knows."""
    if not isinstance(stated, int) or not 0 < stated < 2**32:
        return None
    return datetime.fromtimestamp(stated, UTC).date().isoformat()


def _word(constant: Any) -> str:
    return text(constant).replace("_", " ").lower()


def _plain(description: Any) -> str:
    """Descriptions come as HTML."""
    stated = text(description)[:20_000]
    return unescape(_TAG.sub("", _BREAK.sub("\n", stated))).strip() if "<" in stated or "&" in stated else stated
