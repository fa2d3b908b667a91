"""What formats write in a cell, in our terms and units.

Every function takes the cell as it came (text, or any JSON value) and gives None, "" or [] for an empty one. What cannot
be read raises BadPayload with a sentence for the user.
"""

import re
from datetime import date
from typing import Any

from lists.credentials import excerpt
from sync.errors import BadPayload

_BLANK = {"", "-", "–", "—", "?", "n/a", "\\n", "null", "none", "nan"}
_THOUSANDS = re.compile(r"\d{1,3}(?:[.,' \u00a0\u202f]\d{3})+")
_WHOLE = re.compile(r"(\d{1,15})(?:\.0+)?")
_DECIMAL = re.compile(r"(\d{1,12}(?:[.,]\d{1,20})?)(?:\s?/\s?\d+)?")
_YEAR = re.compile(r"(?<!\d)\d{4}(?!\d)")
_ISO = re.compile(r"(\d{4})(?:[-/](\d\d?)(?:[-/](\d\d?)(?:[T ].*)?)?)?")
_NUMBERS = re.compile(r"(\d\d?)([./])(\d\d?)\2(\d{4})")
_MONTH_DAY = re.compile(r"(?:[A-Za-z]{3,9},? +)?([A-Za-z]{3,9})\.? +(\d\d?),?(?: +[\d:]+)?(?: +[A-Z]{3,4})? +(\d{4})")
_DAY_MONTH = re.compile(r"(?:[A-Za-z]{3},? +)?(\d\d?)\.? +([A-Za-z]{3,9})\.? +(\d{4})(?: .*)?")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_HOURS_MINUTES = re.compile(
    r"(?:pt)?(?:(\d{1,3})\s*(?:h|hrs?|hours?))?\s*(?:(\d{1,4})\s*(?:m|mins?|minutes?))?\s*(?:\d{1,2}\s*s)?"
)
_CLOCK = re.compile(r"(?:(\d{1,3}):(?=\d\d:))?(\d{1,4}):(\d\d)(?:[.,](\d{1,3}))?")
_ADDRESS = re.compile(r"https?://[^\s<>\"]{1,990}", re.IGNORECASE)

_MOST_WORDS = 500  # of a cell: more are no genres, tags or names, and fields keep a hundred

_GENRES = {
    "sci fi": "Sci-Fi",
    "scifi": "Sci-Fi",
    "science fiction": "Sci-Fi",
    "film noir": "Film-Noir",
    "game show": "Game-Show",
    "reality tv": "Reality-TV",
    "talk show": "Talk-Show",
}
_KINDS = {
    "movie": "movie movies film films feature featurefilm tvmovie short tvshort shortfilm video documentary tvspecial "
    "musicvideo concert",
    "show": "show shows tv tvshow tvshows series tvseries miniseries tvminiseries anime",
    "season": "season tvseason",
    "episode": "episode tvepisode",
    "track": "track tracks song",
    "channel": "channel",
    "radio": "radio",
    "other": "other game videogame podcast podcastseries podcastepisode book",
    "person": "person people actor",
}
_KIND_OF = {word: kind for kind, words in _KINDS.items() for word in words.split()}


def text(value: Any) -> str:
    """Stripped, without zero bytes; numbers as they are written, "" for what is neither."""
    if isinstance(value, str):
        return value.replace("\x00", "").strip()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def filled(values: dict[str, Any]) -> dict[str, Any]:
    """Without the fields that say nothing."""
    return {name: value for name, value in values.items() if value is not None and value != "" and value != []}


def shown(value: Any, limit: int = 60) -> str:
    """A cell, or a row, as a message quotes it."""
    return excerpt(str(value), limit).replace("\n", " ")


def is_blank(value: Any) -> bool:
    return not _stated(value)


def _stated(value: Any) -> str:
    """The cell, or "" for one that says nothing. Cut short: a megabyte in a date must not keep a pattern busy."""
    cell = text(value)[:80]
    return "" if cell.lower() in _BLANK else cell


def whole(value: Any, label: str) -> int | None:
    if not (cell := _stated(value)):
        return None
    if _THOUSANDS.fullmatch(cell):
        cell = re.sub(r"\D", "", cell)
    if found := _WHOLE.fullmatch(cell):
        return int(found[1])
    raise BadPayload(f'{label} must be a whole number, not "{shown(value)}".')


def decimal(value: Any, label: str) -> float | None:
    """ "8.8", "8,8" and "8.8/10" are the same number."""
    if not (cell := _stated(value)):
        return None
    if found := _DECIMAL.fullmatch(cell):
        return float(found[1].replace(",", "."))
    raise BadPayload(f'{label} must be a number, not "{shown(value)}".')


def year(value: Any, label: str = "Year") -> int | None:
    """ "1995", "1995-1998" (the first), "(1995)", "1995-12-15"; 0 means that the source does not know it."""
    cell = _stated(value)
    if cell in ("", "0"):
        return None
    found = _YEAR.search(cell)
    if found and 1800 <= int(found[0]) < 2200:
        return int(found[0])
    raise BadPayload(f'{label} must be a year such as 1995, not "{shown(value)}".')


def rating(value: Any, label: str) -> float | None:
    """Of 10. Other scales are refused: 8.5 of 10 and 8.5 of 100 would stand side by side."""
    number = decimal(value, label)
    if number is not None and number > 10:
        raise BadPayload(f'{label} must be a number from 0 to 10, not "{shown(value)}".')
    return number


def day(value: Any, label: str, *, month_first: bool = False) -> str | None:
    """ISO text, as much as is sure: "1995-12-15", "1995-12" or "1995".

    month_first: what 3/4/2010 means. Without it only the year of such a date is sure, unless one number is above 12.
    """
    if not (cell := _stated(value)):
        return None
    try:
        found = _day(cell, month_first)
    except ValueError:  # the 31st of February
        found = None
    if found is None:
        raise BadPayload(f'{label} must be a date such as 1995-12-15, not "{shown(value)}".')
    # Some programs write the first day of the calendar for "never".
    return found if "1800" <= found[:4] < "2200" else None


def _day(cell: str, month_first: bool) -> str | None:
    if found := _ISO.fullmatch(cell):
        y, month, number = found.groups()
        if number is None:
            return _date(y, month, 1)[:7] if month else y
        return _date(y, month, number)
    if found := _NUMBERS.fullmatch(cell):
        first, sign, second, y = found.groups()
        if sign == "." or int(first) > 12:
            return _date(y, second, first)
        return _date(y, first, second) if month_first or int(second) > 12 else y
    if found := _MONTH_DAY.fullmatch(cell):
        return _date(found[3], _month(found[1]), found[2])
    if found := _DAY_MONTH.fullmatch(cell):
        return _date(found[3], _month(found[2]), found[1])
    return None


def _month(word: str) -> int:
    return _MONTHS.index(word[:3].lower()) + 1


def _date(y: str, month: str | int, number: str | int) -> str:
    return date(int(y), int(month), int(number)).isoformat()


def runtime(value: Any, label: str = "Length") -> int | None:
    """Seconds, of minutes ("136", "136 min", 136) or hours and minutes ("2h 16m", "2:16:00", "PT2H16M")."""
    if not (cell := _stated(value).lower()):
        return None
    if found := re.fullmatch(r"(\d{1,3}):(\d\d)(?::(\d\d))?", cell):
        return int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3] or 0)
    if (found := _HOURS_MINUTES.fullmatch(cell)) and (found[1] or found[2]):
        return int(found[1] or 0) * 3600 + int(found[2] or 0) * 60
    minutes = decimal(value, label)
    return round(minutes * 60) if minutes and minutes > 0 else None


def play_length(value: Any, label: str = "Length") -> int | None:
    """Seconds of a track: "6:20" is six minutes there and six hours for a film; the rest reads as runtime does."""
    if found := re.fullmatch(r"(\d{1,3}):([0-5]\d)", _stated(value)):
        return int(found[1]) * 60 + int(found[2])
    return runtime(value, label)


def clock(value: Any, label: str) -> int | None:
    """Milliseconds, of "5:23", "123:23", "1:05:23" or a number of seconds."""
    if not (cell := _stated(value)):
        return None
    if found := _CLOCK.fullmatch(cell):
        hours, minutes, seconds, part = found.groups()
        if int(seconds) < 60:
            whole_s = int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)
            return whole_s * 1000 + int((part or "0").ljust(3, "0"))
    try:
        return round((decimal(value, label) or 0) * 1000)
    except BadPayload:
        raise BadPayload(f'{label} must be a time such as 1:05:23, not "{shown(value)}".') from None


def words(value: Any, *, parted_by: str = ",;|") -> list[str]:
    """Of "a, b", ["a", "b"] or [{"name": "a"}], each once."""
    if isinstance(value, list):
        parts = [text(part.get("name") if isinstance(part, dict) else part) for part in value[:_MOST_WORDS]]
    else:
        parts = [part.strip() for part in re.split(f"[{re.escape(parted_by)}]", text(value)[: _MOST_WORDS * 20])]
    return list(dict.fromkeys(part for part in parts if part))


def genres(value: Any) -> list[str]:
    """As IMDb spells them, so that "sci_fi", "science-fiction" and "Science Fiction" are one."""
    return list(dict.fromkeys(map(_genre, words(value))))


def _genre(word: str) -> str:
    plain = re.sub(r"[_\s-]+", " ", word).strip().lower()
    return _GENRES.get(plain) or (plain.title() if word.islower() else word)


def kind_of(value: Any) -> str | None:
    """A member of Item.Kind, "person" for what is no medium, None for a word that we do not know."""
    return _KIND_OF.get(re.sub(r"[\W_]+", "", text(value)[:80].lower()))


def web_address(value: Any) -> str | None:
    """Absolute addresses only: a path on somebody's server means nothing here."""
    cell = text(value)
    return cell if _ADDRESS.fullmatch(cell) else None
