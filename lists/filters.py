"""What may come onto a list: one set of filters, held against what would be shown, whatever kind of source brings it.

A filter is a rule about many, a block names the very thing. So what a person put on the list by hand passes every filter,
and no block. What is filtered keeps its claims: another filter needs no fetch.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lists.errors import Unfit
from lists.models import Item, MediaList, Source
from lists.preferences import comes_from
from lists.resolve import EMPTY
from lists.words import Values, Word

FILTERED = "Filtered: "
KEEP_OUT_UNKNOWN, MAX_NEW = "keep_out_unknown", "max_new"
WORDS = 50  # that one filter may name


class BadFilters(Unfit):
    """fields: filter -> what is wrong with it."""

    def __init__(self, fields: Mapping[str, str]):
        super().__init__(" ".join([*fields.values(), "Nothing was changed."]))
        self.fields = dict(fields)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a list would show of an entry, and what is said of it. adapters: source -> its kind, where a filter asks."""

    values: Values
    kind: str
    words: Sequence[Word]
    adapters: Mapping[int, str]

    def rated_by(self, service: str) -> float | None:
        """The rating that a source of this service states; of several the first one's."""
        said = (word for word in self.words if word.feed and comes_from(service, self.adapters.get(word.source, "")))
        return next((word.values["rating"] for word in said if "rating" in word.values), None)


# -- what a filter may be set to ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Number:
    """low, high: what may be typed."""

    low: int
    high: int
    whole: bool = True

    def __call__(self, value: Any) -> Any:
        kinds = int if self.whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds) or not self.low <= value <= self.high:
            what = "a whole number" if self.whole else "a number"
            raise ValueError(f"Use {what} from {self.low} to {self.high}.")
        return value


def _words(value: Any) -> list[str]:
    if not isinstance(value, list | tuple) or not all(isinstance(word, str) for word in value):
        raise ValueError("Use a list of words.")
    words = list(dict.fromkeys(filter(None, (" ".join(word.replace("\x00", "").split()) for word in value))))
    if len(words) > WORDS or any(len(word) > 100 for word in words):
        raise ValueError(f"Use {WORDS} words at most, of 100 letters each.")
    return words


def _kinds(value: Any) -> list[str]:
    kinds = _words(value)
    if unknown := [kind for kind in kinds if kind not in Item.Kind.values]:
        raise ValueError(f"{unknown[0]!r} is no kind of thing that a list can hold.")
    return kinds


def _switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("Use yes or no.")
    return value


# -- what a filter says of one entry: "" or why it must not come ---------------------------------------------------------


def _least(value: Any, limit: Any) -> str:
    return f"{_said(value)} is below {_said(limit)}" if value < limit else ""


def _not_before(value: int, limit: int) -> str:
    return f"{value} is before {limit}" if value < limit else ""


def _not_after(value: int, limit: int) -> str:
    return f"{value} is after {limit}" if value > limit else ""


def _at_least_long(value: int, limit: int) -> str:
    return f"{value // 60} min is below {limit} min" if value < 60 * limit else ""


def _at_most_long(value: int, limit: int) -> str:
    return f"{value // 60} min is above {limit} min" if value >= 60 * (limit + 1) else ""


def _any_of(value: Sequence[str], wanted: Sequence[str]) -> str:
    found = {word.casefold() for word in value} & {word.casefold() for word in wanted}
    return "" if found else f"{', '.join(value)} is none of those let in"


def _none_of(value: Sequence[str], unwanted: Sequence[str]) -> str:
    kept_out = {word.casefold() for word in unwanted}
    return next((f"{word} is kept out" for word in value if word.casefold() in kept_out), "")


def _language(value: str, wanted: Sequence[str]) -> str:
    """A language with its country (pt-BR) is that language too."""
    said = value.casefold()
    languages = {word.casefold() for word in wanted}
    return "" if {said, said.partition("-")[0]} & languages else f"{value} is none of those let in"


def _one_kind(value: str, wanted: Sequence[str]) -> str:
    return "" if value in wanted else f"{value} is none of those let in"


def _said(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True, slots=True)
class Filter:
    """label: what it looks at; a reason begins with it. read: that, of what would be shown. test: (what was read, what the
    filter is set to) -> why not, or ""."""

    label: str
    read: Callable[[Shown], Any]
    test: Callable[[Any, Any], str]
    check: Callable[[Any], Any] = _words


def _value(name: str) -> Callable[[Shown], Any]:
    return lambda shown: shown.values.get(name)


def _rating_at(service: str) -> Callable[[Shown], Any]:
    return lambda shown: shown.rated_by(service)


RATING, YEAR, MINUTES = Number(0, 10, whole=False), Number(1000, 2999), Number(1, 10_000)
# In the order in which they are asked: the first that says no gives the reason.
FILTERS: dict[str, Filter] = {
    "kinds": Filter("kind", lambda shown: shown.kind, _one_kind, _kinds),
    "year_from": Filter("year", _value("year"), _not_before, YEAR),
    "year_to": Filter("year", _value("year"), _not_after, YEAR),
    "min_rating": Filter("rating", _value("rating"), _least, RATING),
    "min_imdb_rating": Filter("IMDb rating", _rating_at("imdb"), _least, RATING),
    "min_tmdb_rating": Filter("TMDb rating", _rating_at("tmdb"), _least, RATING),
    "min_votes": Filter("vote count", _value("votes"), _least, Number(0, 2**31 - 1)),
    "genres": Filter("genre", _value("genres"), _any_of),
    "no_genres": Filter("genre", _value("genres"), _none_of),
    "languages": Filter("language", _value("language"), _language),
    "min_minutes": Filter("length", _value("runtime_s"), _at_least_long, MINUTES),
    "max_minutes": Filter("length", _value("runtime_s"), _at_most_long, MINUTES),
}
BOUNDS = [("year_from", "year_to"), ("min_minutes", "max_minutes")]
LABELS = tuple(dict.fromkeys(each.label for each in FILTERS.values()))
CHECKS: dict[str, Callable[[Any], Any]] = {
    **{name: each.check for name, each in FILTERS.items()}, KEEP_OUT_UNKNOWN: _switch, MAX_NEW: Number(1, 100_000)
}  # fmt: skip


def checked(filters: Mapping[str, Any]) -> dict[str, Any]:
    """Filters as they are stored: only those that are set. The one check that page, API, admin and services share. Raises
    BadFilters."""
    found: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for name, value in filters.items():
        if name not in CHECKS:
            wrong[name] = f"There is no filter called {str(name)[:40]!r}."
        elif not _is_unset(value):
            try:
                found[name] = CHECKS[name](value)
            except ValueError as e:
                wrong[name] = str(e)
    found = {name: found[name] for name in CHECKS if name in found and not _is_unset(found[name])}
    if wrong := wrong or _contradictions(found):
        raise BadFilters(wrong)
    return found


def _is_unset(value: Any) -> bool:
    return value is None or value is False or value in ("", [], ())


def _contradictions(filters: Mapping[str, Any]) -> dict[str, str]:
    """Filter -> why nothing could pass it beside the others."""
    wrong = {
        high: "Nothing could come: the upper bound is below the lower one."
        for low, high in BOUNDS
        if low in filters and high in filters and filters[low] > filters[high]
    }
    let_in, kept_out = ({word.casefold() for word in filters.get(name, ())} for name in ("genres", "no_genres"))
    if both := let_in & kept_out:
        wrong["no_genres"] = f"{min(both).capitalize()} cannot be let in and kept out."
    return wrong


# -- asking ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sieve:
    """The filters of one list, as the fold asks them. wanted: filter -> what it is set to. unknown: what keeps out that of
    which nobody knows what a filter asks; "" lets it in."""

    wanted: Mapping[str, Any]
    unknown: str
    adapters: Mapping[int, str]

    def __call__(self, values: Values, kind: str, words: Sequence[Word]) -> str:
        """Why it must not come, or ""."""
        shown = Shown(values, kind, words, self.adapters)
        for name, wanted in self.wanted.items():
            filter_ = FILTERS[name]
            value = filter_.read(shown)
            if why := self.unknown if value in EMPTY else filter_.test(value, wanted):
                return f"{FILTERED}{filter_.label} {why}"[:199] + "."
        return ""


def sieve_of(list_: MediaList, *, adapter: str = "") -> Sieve | None:
    """None where nothing is filtered. adapter: the kind of the source that is read, where it is still to be made."""
    wanted = {name: list_.filters[name] for name in FILTERS if name in list_.filters}
    if not wanted:
        return None
    adapters = {0: adapter}
    if list_.pk and {"min_imdb_rating", "min_tmdb_rating"} & wanted.keys():
        adapters |= Source.objects.filter(list=list_).values_list("id", "adapter")
    return Sieve(wanted, "is not known" if list_.filters.get(KEEP_OUT_UNKNOWN) else "", adapters)


def is_filtered(reason: str) -> bool:
    return reason.startswith(FILTERED)


def counted(reasons: Iterable[str]) -> dict[str, int]:
    """What was looked at ("year", "genre") -> how many of these reasons say that it was filtered for that."""
    found = Counter(label for reason in reasons if (label := _label_of(reason)))
    return {label: found[label] for label in LABELS if label in found}


def _label_of(reason: str) -> str:
    said = reason.removeprefix(FILTERED)
    return "" if not is_filtered(reason) else next((label for label in LABELS if said.startswith(f"{label} ")), "")
