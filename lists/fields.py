"""The fields that sources speak of and entries show: one vocabulary for adapters, fold, exports, diff and pages."""

import re
from dataclasses import dataclass
from typing import Any

import orjson

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
    ]
}
COLUMNS = tuple(f.name for f in FIELDS.values() if f.column)

# Completeness (predecessors.md 1.3) counts these; a status and an id count by themselves.
COUNTED = (
    "title", "year", "release_date", "overview", "runtime_s", "genres", "rating", "votes", "poster", "backdrop",
    "original_title", "popularity", "language", "release_status",
)  # fmt: skip


def clean(values: dict[str, Any]) -> dict[str, Any]:
    """Values as they are stored: known fields only, of the right type, within their limits, nothing empty.

    Raises ValueError with a sentence for the user if a value is of the wrong type.
    """
    out = {}
    for name, value in values.items():
        spec = FIELDS.get(name)
        if spec is None:
            raise ValueError(f"There is no field called {name}.")
        value = _typed(spec, value)
        if value is not None:
            out[name] = value
    return out


def _typed(spec: Field, value: Any) -> Any:
    if value is None:
        return None
    if spec.type == "int":
        if isinstance(value, bool):
            return int(value)
        if not isinstance(value, int):
            raise ValueError(f"{spec.label} must be a whole number, not {str(value)[:40]!r}.")
        if spec.name == "year":
            return value if 1000 <= value <= 2999 else None
        return value if 0 <= value < 2**31 else None
    if spec.type == "float":
        if not isinstance(value, int | float) or value != value or abs(value) == float("inf"):
            raise ValueError(f"{spec.label} must be a number, not {str(value)[:40]!r}.")
        return float(value) if abs(value) < 1e15 else None
    if spec.type == "date":
        text = _text(value, spec.limit)
        return text if _DATE.fullmatch(text) else None
    if spec.type == "list":
        if not isinstance(value, list | tuple):
            raise ValueError(f"{spec.label} must be a list of words, not {str(value)[:40]!r}.")
        return [word for item in value if (word := _text(item, 100).replace("|", "/"))] or None
    return _text(value, spec.limit) or None


def _text(value: Any, limit: int) -> str:
    return storable(str(value)).strip()[:limit]


def storable(text: str) -> str:
    """Text that every database takes: NUL cannot be stored by PostgreSQL, lone surrogates cannot be encoded at all."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def canonical(parts: Any) -> bytes:
    """The same bytes for the same content, whatever order it arrived in: the basis of every content digest."""
    return orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)


def completeness(values: dict[str, Any], *, has_ids: bool) -> float:
    """Filled share of 15 factors, 0..1."""
    return (sum(1 for name in COUNTED if values.get(name)) + has_ids) / 15


def split(values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(columns, extra) of a set of values."""
    columns = {name: values[name] for name in COLUMNS if name in values}
    extra = {name: value for name, value in values.items() if not FIELDS[name].column}
    return columns, extra
