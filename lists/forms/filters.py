"""The filters of a list as people set them, and in words."""

from collections.abc import Sequence
from typing import Any

from django import forms

from lists.filters import CHECKS, KEEP_OUT_UNKNOWN, BadFilters, checked
from lists.forms.lists import TagsField
from lists.models import Item, MediaList

UNKNOWN = [
    ("", "Let it in", "A film without a year passes every bound of years."),
    ("out", "Keep it out", "Only what is known to fit comes in. It comes as soon as a source says what was not known."),
]
TYPE_A_NUMBER = {"invalid": "Type a number, or leave it empty."}
TYPE_A_WHOLE_NUMBER = {"invalid": "Type a whole number, or leave it empty."}


def _rating(label: str, help_text: str = "") -> forms.FloatField:
    return forms.FloatField(required=False, label=label, help_text=help_text, error_messages=TYPE_A_NUMBER)


def _count(label: str, help_text: str = "") -> forms.IntegerField:
    return forms.IntegerField(required=False, label=label, help_text=help_text, error_messages=TYPE_A_WHOLE_NUMBER)


class FiltersForm(forms.Form):
    """Empty: not filtered by it. kinds: what may be chosen. What a filter may be says lists.filters.checked."""

    kinds = forms.MultipleChoiceField(required=False, label="Only these kinds")
    year_from, year_to = _count("From year"), _count("To year")
    min_rating = _rating("Rating", "As the list shows it.")
    min_imdb_rating = _rating("IMDb rating", "Where a source from IMDb states one.")
    min_tmdb_rating = _rating("TMDb rating", "Where a source from TMDb states one.")
    min_votes = _count("Votes")
    genres = TagsField(required=False, label="Only with one of these genres")
    no_genres = TagsField(required=False, label="With none of these genres")
    languages = TagsField(
        required=False, label="Only in these languages", help_text="As your sources write them: en, fr."
    )
    min_minutes, max_minutes = _count("From minutes"), _count("To minutes")
    keep_out_unknown = forms.TypedChoiceField(
        required=False,
        choices=[(value, title) for value, title, _ in UNKNOWN],
        coerce=lambda word: word == "out",
        empty_value=None,
    )
    max_new = _count("New entries at one sync, at most")

    def __init__(self, data: Any = None, *, list_: MediaList, kinds: Sequence[str]):
        own = list_.filters
        super().__init__(data, initial={**own, KEEP_OUT_UNKNOWN: "out" if own.get(KEEP_OUT_UNKNOWN) else ""})
        offered = dict.fromkeys([*kinds, *own.get("kinds", ())])
        self.fields["kinds"].choices = [(kind, Item.Kind(kind).label) for kind in offered]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        if not self.errors:
            try:
                checked(self.filters())
            except BadFilters as e:
                for name, fault in e.fields.items():
                    self.add_error(name, fault)
        return self.cleaned_data

    def filters(self) -> dict[str, Any]:
        """What was typed, as `services.change_filters` takes it."""
        return {name: self.cleaned_data[name] for name in CHECKS}

    def unknown_choices(self) -> list[dict[str, Any]]:
        """[{"value", "title", "text", "checked"}]"""
        chosen = self[KEEP_OUT_UNKNOWN].value() or ""
        return [
            {"value": value, "title": title, "text": text, "checked": value == chosen} for value, title, text in UNKNOWN
        ]

    def ratings(self) -> list[Any]:
        return [self[name] for name in ("min_rating", "min_imdb_rating", "min_tmdb_rating", "min_votes")]

    def words(self) -> list[Any]:
        return [self[name] for name in ("genres", "no_genres", "languages")]

    def bounds(self) -> list[dict[str, Any]]:
        """[{"label", "low", "high"}]"""
        return [
            {"label": "Year", "low": self["year_from"], "high": self["year_to"]},
            {"label": "Length in minutes", "low": self["min_minutes"], "high": self["max_minutes"]},
        ]


def filters_in_words(list_: MediaList) -> str:
    """ "Years from 1950, rating from 6.5; at most 100 new at one sync", or "Nothing is filtered"."""
    own = list_.filters
    said = [
        _kinds(own.get("kinds")),
        _range("years", own.get("year_from"), own.get("year_to")),
        *(_range(label, own.get(name)) for name, label in LEAST.items()),
        *(f"{label} {', '.join(own[name])}" for name, label in NAMED.items() if own.get(name)),
        _range("minutes", own.get("min_minutes"), own.get("max_minutes")),
        f"at most {own['max_new']:,} new at one sync" if own.get("max_new") else "",
    ]
    told = ", ".join(filter(None, said))
    return told[:1].upper() + told[1:] if told else "Nothing is filtered"


LEAST = {
    "min_rating": "rating", "min_imdb_rating": "IMDb rating", "min_tmdb_rating": "TMDb rating", "min_votes": "votes"
}  # fmt: skip
NAMED = {"genres": "only", "no_genres": "no", "languages": "languages"}


def _kinds(kinds: Sequence[str] | None) -> str:
    return f"kinds {', '.join(Item.Kind(kind).label.lower() for kind in kinds)}" if kinds else ""


def _range(label: str, low: Any, high: Any = None) -> str:
    parts = [f"from {low}" if low is not None else "", f"to {high}" if high is not None else ""]
    return " ".join([label, *filter(None, parts)]) if any(parts) else ""
