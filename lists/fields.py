"""The fields that sources speak of and entries show: one vocabulary for adapters, fold, exports, diff and pages."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

MOST_WORDS = 100  # of a field that holds a list

_DATE = re.compile(r"\d{4}(-\d\d(-\d\d)?)?")


@dataclass(frozen=True, slots=True)
class Field:
    """type: text, int, float, date (ISO text), list (of text). A field that is no column lives in `extra`.

    asked: whether a person is asked when sources differ on it (strategy *ask*); no: each source has its own by nature.
    """

    name: str
    label: str
    type: str = "text"
    column: bool = True
    limit: int = 500
    asked: bool = True


FIELDS: dict[str, Field] = {
    f.name: f
    for f in [
        Field("title", "Title"),
        Field("original_title", "Original title"),
        Field("artist", "Artist"),
        Field("year", "Year", "int"),
        Field("release_date", "Release date", "date"),
        Field("runtime_s", "Length", "int"),
        Field("rating", "Rating", "float"),
        Field("votes", "Votes", "int", asked=False),
        Field("popularity", "Popularity", "float", asked=False),
        Field("language", "Language", limit=35),
        Field("release_status", "Release status", limit=40),
        Field("poster", "Poster", limit=1000),
        Field("backdrop", "Backdrop", limit=1000),
        Field("overview", "Overview", limit=10_000),
        Field("genres", "Genres", "list"),
        Field("cue_ms", "Starts at", "int"),
        Field("group", "Group", limit=200),
        # Kept in `extra`, for people to read: nothing sorts, filters or matches by them.
        Field("directors", "Directors", "list", column=False),
        Field("title_type", "Type at the source", column=False, limit=60),
        Field("your_rating", "Your rating", "float", column=False),
        Field("rated_on", "Rated on", "date", column=False),
        Field("added_on", "Added at the source", "date", column=False, asked=False),
        Field("note", "Note", column=False, limit=10_000),
        Field("address", "Page at the source", column=False, limit=1000, asked=False),
        Field("monitored", "Monitored", "int", column=False, asked=False),
        Field("rank_at_source", "Rank", "int", column=False, asked=False),
        Field("isrc", "ISRC", column=False, limit=40),
        Field("file", "File", column=False),
        Field("end_ms", "Ends at", "int", column=False),
        Field("season", "Season", "int", column=False),
        Field("episode", "Episode", "int", column=False),
        Field("show_title", "Show", column=False),
        # Of plays: how sure the source is (0 to 1), and how one stands to the play before it: "with" it ("w/"), or "part"
        # of it (a song of a mashup).
        Field("confidence", "Confidence", "float", column=False, asked=False),
        Field("played_as", "Played", column=False, limit=10),
        Field("label", "Label", column=False, limit=200),
        Field("bpm", "BPM", "float", column=False),
        Field("musical_key", "Key", column=False, limit=20),
        # Of channels: how a player and its programme guide know them.
        Field("guide_id", "Guide id", column=False, limit=200),
        Field("guide_name", "Name in the guide", column=False, limit=200),
        Field("channel_number", "Channel number", "int", column=False, asked=False),
        Field("country", "Country", column=False, limit=100),
        Field("catchup", "Catch-up", column=False, limit=1000),
        Field("player_options", "Player options", column=False, limit=4000, asked=False),
        # What a person noted at a service.
        Field("watched_on", "Watched on", "date", column=False),
        Field("rewatch", "Watched again", "int", column=False),
        Field("watch_status", "Status at the source", column=False, limit=40, asked=False),
        Field("episodes_seen", "Episodes seen", "int", column=False, asked=False),
        Field("labels", "Tags at the source", "list", column=False),
    ]
}
_WORD = Field("", "", limit=100)  # one of a list
COLUMNS = tuple(f.name for f in FIELDS.values() if f.column)
_IS_COLUMN = frozenset(COLUMNS)

# Fields that hold addresses: logins in them are lifted out, and put back for the list's owner.
ADDRESSES = ("address", "poster", "backdrop", "player_options", "catchup")


def clean(values: dict[str, Any]) -> dict[str, Any]:
    """Values as they are stored: known fields only, of the right type, within their limits, nothing empty.

    Raises ValueError with a sentence for the user if a value is of the wrong type.
    """
    out = {}
    for name, value in values.items():
        if (known := _CLEANED.get(name)) is None:
            raise ValueError(f"There is no field called {name}.")
        if value is not None:
            spec, cleaner = known
            if (cleaned := cleaner(spec, value)) is not None:
                out[name] = cleaned
    return out


def _int(spec: Field, value: Any) -> int | None:
    if not isinstance(value, int):
        raise ValueError(f"{spec.label} must be a whole number, not {str(value)[:40]!r}.")
    value = int(value)  # a flag such as "monitored" too
    if spec.name == "year":
        return value if 1000 <= value <= 2999 else None
    return value if 0 <= value < 2**31 else None


def _float(spec: Field, value: Any) -> float | None:
    if not isinstance(value, (float, int)) or value != value or abs(value) == float("inf"):
        raise ValueError(f"{spec.label} must be a number, not {str(value)[:40]!r}.")
    return float(value) if abs(value) < 1e15 else None


def _date(spec: Field, value: Any) -> str | None:
    text = _words(spec, value)
    return text if text is not None and _DATE.fullmatch(text) else None


def _list(spec: Field, value: Any) -> list[str] | None:
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"{spec.label} must be a list of words, not {str(value)[:40]!r}.")
    return [word.replace("|", "/") for item in value[:MOST_WORDS] if (word := _words(_WORD, item))] or None


def _words(spec: Field, value: Any) -> str | None:
    if type(value) is not str or not value.isascii() or "\x00" in value:
        value = storable(str(value))
    return value.strip()[: spec.limit] or None


_CLEAN: dict[str, Callable[[Field, Any], Any]] = {
    "int": _int, "float": _float, "date": _date, "list": _list, "text": _words
}  # fmt: skip
_CLEANED = {name: (spec, _CLEAN[spec.type]) for name, spec in FIELDS.items()}


def storable(text: str) -> str:
    """Text that every database takes: NUL cannot be stored by PostgreSQL, lone surrogates cannot be encoded at all."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def canonical(parts: Any) -> bytes:
    """The same bytes for the same content, whatever order it arrived in: the basis of every content digest."""
    return orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)


def split(values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(columns, extra) of a set of values."""
    if _IS_COLUMN.issuperset(values):
        return values, {}
    columns = {name: value for name, value in values.items() if name in _IS_COLUMN}
    return columns, {name: value for name, value in values.items() if name not in _IS_COLUMN}
