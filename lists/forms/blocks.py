"""What people type to keep something out."""

import re
from typing import Any

from django import forms

from lists.models import MediaList

# An id with the mark of its service: the namespace that it belongs to.
OWN_MARK = {r"tt\d{5,}": "imdb", r"(movie|show)/\d+": "tmdb"}
ADDRESSES = {
    r"imdb\.com/(?:\w\w/)?title/(tt\d+)": ("imdb", "{0}"),
    r"themoviedb\.org/movie/(\d+)": ("tmdb", "movie/{0}"),
    r"themoviedb\.org/tv/(\d+)": ("tmdb", "show/{0}"),
}


def read_id(text: str) -> tuple[str, str] | None:
    """(namespace, value) of tt0113277, movie/949, tvdb:series/121361 or the address of a page; None for anything else."""
    text = text.strip()
    for pattern, (namespace, value) in ADDRESSES.items():
        if found := re.search(pattern, text):
            return namespace, value.format(found[1])
    for pattern, namespace in OWN_MARK.items():
        if re.fullmatch(pattern, text):
            return namespace, text
    named = re.fullmatch(r"([a-z][a-z0-9]{0,39}):([\w.-][\w./:-]{0,199})", text)
    return (named[1], named[2]) if named else None


class BlockForm(forms.Form):
    """An id or a title pattern, for a scope that the user may block for. `wanted` gives what the services take."""

    scope = forms.ChoiceField(
        error_messages={"required": "Choose what it holds for.", "invalid_choice": "You may not block for that."}
    )
    id = forms.CharField(max_length=250, required=False)
    pattern = forms.CharField(max_length=200, required=False)
    reason = forms.CharField(max_length=500, required=False)

    def __init__(self, *args: Any, user: Any, list_: MediaList | None, **kwargs: Any):
        super().__init__(*args, **kwargs)
        mine = list_ is None or list_.owner_id == user.pk
        self.scopes = [
            *([("list", "This list", "Only here.")] if list_ else []),
            *([("mine", "All my lists", "Those of today and those to come.")] if mine else []),
            *([("all", "Every list", "Of everybody on this site.")] if user.is_staff else []),
        ]
        self.fields["scope"].choices = [(key, label) for key, label, _ in self.scopes]  # type: ignore[attr-defined]
        self.initial.setdefault("scope", self.scopes[0][0])

    def clean_id(self) -> str:
        text = self.cleaned_data["id"]
        if text and read_id(text) is None:
            raise forms.ValidationError(
                "We do not know this id. Use one such as tt0113277 (IMDb), movie/949 or show/1396 (TMDb)."
            )
        return text

    def clean(self) -> dict[str, Any]:
        typed = self.cleaned_data
        if not self.errors and bool(typed.get("id")) == bool(typed.get("pattern")):
            raise forms.ValidationError("Type an id or a title pattern, one of the two. Nothing was blocked.")
        return typed

    def wanted(self) -> dict[str, Any]:
        """{"scope", "namespace", "value", "pattern"} of a valid form."""
        named = read_id(self.cleaned_data["id"])
        namespace, value = named or ("", "")
        return {
            "scope": self.cleaned_data["scope"], "namespace": namespace, "value": value,
            "pattern": self.cleaned_data["pattern"],
        }  # fmt: skip
