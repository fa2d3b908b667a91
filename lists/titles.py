"""Titles made comparable: what two spellings of one name have in common."""

import re
import unicodedata
from functools import lru_cache

_ARTICLES = re.compile(
    r"^(the|a|an|der|die|das|ein|eine|le|la|les|un|une|el|los|las|il|lo|gli|i|de|het|een|den|det|en|et)\s+"
)
_NOT_WORD = re.compile(r"[^\w]+")
_YEAR_AT_END = re.compile(r"\s*[\(\[]((?:18|19|20|21)\d\d)[\)\]]\s*$")


@lru_cache(maxsize=65_536)
def fold(text: str) -> str:
    """Lower case, no accents, words parted by one blank: "Amélie & Co." -> "amelie and co".

    Letters of every script are kept; a title of signs only ("$", "!!!") stays itself.
    """
    if text.isascii():
        plain = text.lower()
    else:
        decomposed = unicodedata.normalize("NFKD", text.casefold())
        plain = "".join(c for c in decomposed if not unicodedata.combining(c)).replace("ß", "ss")
        plain = plain.replace("ø", "o").replace("æ", "ae").replace("œ", "oe").replace("ł", "l").replace("đ", "d")
    words = _NOT_WORD.sub(" ", plain.replace("&", " and ").replace("'", "").replace("’", "").replace("_", " ")).strip()
    return words or plain.strip()


def sort_key(title: str) -> str:
    """What a list sorted by title goes by: folded, without a leading article; never empty, so that it can be sought."""
    folded = fold(title)
    return (_ARTICLES.sub("", folded, count=1) or folded or "\uffff")[:500]


def split_year(title: str) -> tuple[str, int | None]:
    """ "Heat (1995)" -> ("Heat", 1995); a year in the middle of a title is part of it."""
    if found := _YEAR_AT_END.search(title):
        return title[: found.start()].strip() or title, int(found[1])
    return title, None


def name_key(title: str, year: int | None = None, artist: str = "") -> str:
    """The key of a row without an id. Two rows with the same one are doubles to their file, never to the database."""
    return "|".join((fold(title)[:200], str(year or ""), fold(artist)[:80]))


def is_unknown_track(artist: str | None, title: str | None) -> bool:
    """ "ID - ID", "ID", "Unknown", nothing at all: a play that nobody has named yet."""
    return fold(title or "") in {"", "id", "id id", "unknown", "unknown track", "untitled"}
