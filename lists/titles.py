"""Titles made comparable: what two spellings of one name have in common."""

import re
import unicodedata
from functools import lru_cache

_ARTICLES = frozenset(
    [
        "the",
        "a",
        "an",
        "der",
        "die",
        "das",
        "ein",
        "eine",
        "le",
        "la",
        "les",
        "un",
        "une",
        "el",
        "los",
        "las",
        "il",
        "lo",
        "gli",
        "i",
        "de",
        "het",
        "een",
        "den",
        "det",
        "en",
        "et",
    ]
)
_NOT_WORD = re.compile(r"[^\w]+")
_NO_BLANKS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+")  # kana and Han signs: words are not parted
_YEAR_AT_END = re.compile(r"\s*[\(\[]((?:18|19|20|21)\d\d)[\)\]]\s*$")


@lru_cache(maxsize=65_536)
def fold(text: str) -> str:
    """Lower case, no accents, words parted by one blank: "Amélie & Co." -> "amelie and co".

    Letters of every script are kept; a title of signs only ("$", "!!!") stays itself.
    """
    if text.isascii():
        plain = text.lower()
        if plain.replace(" ", "").isalnum():
            return " ".join(plain.split())
    else:
        decomposed = unicodedata.normalize("NFKD", text.casefold())
        plain = "".join(c for c in decomposed if not unicodedata.combining(c)).replace("ß", "ss")
        plain = plain.replace("ø", "o").replace("æ", "ae").replace("œ", "oe").replace("ł", "l").replace("đ", "d")
    words = _NOT_WORD.sub(" ", plain.replace("&", " and ").replace("'", "").replace("’", "").replace("_", " ")).strip()
    return words or plain.strip()


def search_text(*names: str | None) -> str:
    """What a search looks through: names folded, and every sign and pair of signs of what is written without blanks as
    words of their own."""
    text = " ".join(filter(None, [fold(name) for name in names if name]))
    return text if text.isascii() else with_grams(text)


def with_grams(folded: str) -> str:
    runs = _NO_BLANKS.findall(folded)
    grams = [run[at : at + size] for run in runs for size in (1, 2) for at in range(len(run) - size + 1)]
    return " ".join(dict.fromkeys([folded, *grams]))


def sort_key(title: str) -> str:
    """What a list sorted by title goes by: folded, without a leading article; never empty, so that it can be sought."""
    folded = fold(title)
    first, _, others = folded.partition(" ")
    return ((others if first in _ARTICLES else "") or folded or "\uffff")[:500]


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
