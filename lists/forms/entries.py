"""What people type about entries: as text, in the units that the pages show."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from lists.fields import FIELDS, Field, storable
from lists.models import Item, MediaList
from lists.templatetags.listkeeper import cue, film_length, track_length

Content = MediaList.Content

# What a person may want to say of what a list holds, in the order of the page; the rest are the sources' own figures.
FITTING: dict[str, tuple[str, ...]] = {
    Content.FILMS: (
        "title", "original_title", "year", "release_date", "runtime_s", "genres", "directors", "language",
        "release_status", "rating", "votes", "your_rating", "rated_on", "overview", "note", "poster", "backdrop",
        "address",
    ),
    Content.TRACKS: (
        "artist", "title", "cue_ms", "runtime_s", "group", "year", "release_date", "genres", "isrc", "note", "poster",
        "address",
    ),
    Content.CHANNELS: ("title", "group", "language", "genres", "overview", "note", "poster", "address"),
}  # fmt: skip
KINDS: dict[str, str] = {Content.TRACKS: Item.Kind.TRACK, Content.CHANNELS: Item.Kind.CHANNEL}
OF_EPISODES = ("show_title", "season", "episode")
EXAMPLES = {
    "release_date": "For example 2021-05-30; the day or the month may be missing.",
    "genres": "Words parted by commas.",
    "directors": "Names parted by commas.",
    "cue_ms": "From the start of the set, for example 1:02:33.",
    "rating": "0 to 10.",
    "your_rating": "0 to 10.",
    "poster": "The address of a picture.",
    "backdrop": "The address of a picture.",
}
SCALES = ("rating", "your_rating")
LENGTHS = ("runtime_s", "cue_ms")


class ValueField(forms.Field):
    """One field of an entry as text. It cleans to a value as lists/fields.py wants it; None: it shows nothing."""

    def __init__(self, spec: Field, *, kind: str = "", **kwargs: Any):
        self.spec, self.kind = spec, kind
        self.is_long = spec.limit > 1000
        super().__init__(label=spec.label, help_text=self._example(), **kwargs)

    def _example(self) -> str:
        if self.spec.name == "runtime_s":
            return "For example 6:20." if self.kind == Item.Kind.TRACK else "Hours and minutes, for example 1:58."
        return EXAMPLES.get(self.spec.name, "")

    def prepare_value(self, value: Any) -> str:
        """A value, or what was typed, as the text of the input."""
        if value is None or isinstance(value, str):
            return value or ""
        if isinstance(value, list):
            return ", ".join(value)
        if self.spec.name == "runtime_s":
            return track_length(value) if self.kind == Item.Kind.TRACK else film_length(value)
        if self.spec.name == "cue_ms":
            return cue(value)
        return f"{value:.10g}" if isinstance(value, float) else str(value)

    def to_python(self, value: Any) -> Any:
        text = storable(str(value or "")).strip()
        if not text:
            return None
        if self.spec.name in LENGTHS:
            return self._length(text)
        return {"int": self._whole, "float": self._number, "date": self._date, "list": self._words}.get(
            self.spec.type, self._text
        )(text)

    def _text(self, text: str) -> str:
        if len(text) > self.spec.limit:
            raise ValidationError(f"{self.label} takes {self.spec.limit:,} characters; this is {len(text):,}.")
        return text

    def _whole(self, text: str) -> int:
        digits = text.replace(",", "")
        if not (digits.isascii() and digits.isdigit()) or int(digits[:12]) >= 2**31:
            raise ValidationError(f"{self.label} must be a whole number, not “{text[:40]}”.")
        if self.spec.name == "year" and not 1000 <= int(digits) <= 2999:
            raise ValidationError("The year has four digits, for example 2021.")
        return int(digits)

    def _number(self, text: str) -> float:
        if not re.fullmatch(r"[0-9]{1,9}([.,][0-9]{1,6})?", text):
            raise ValidationError(f"{self.label} must be a number, not “{text[:40]}”.")
        number = float(text.replace(",", "."))
        if self.spec.name in SCALES and number > 10:
            raise ValidationError(f"{self.label} goes from 0 to 10.")
        return number

    def _date(self, text: str) -> str:
        found = re.fullmatch(r"([12][0-9]{3})(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?", text)
        if not found:
            raise ValidationError(f"Write it as 2021-05-30, not “{text[:40]}”; the day or the month may be missing.")
        return text

    def _words(self, text: str) -> list[str]:
        words = (" ".join(word.replace("|", "/").split())[:100] for word in text.split(","))
        return list(dict.fromkeys(filter(None, words)))

    def _length(self, text: str) -> int:
        film = self.spec.name == "runtime_s" and self.kind != Item.Kind.TRACK
        found = re.fullmatch(r"(?:([0-9]{1,3}):)?([0-9]{1,4}):([0-5]?[0-9])|([0-9]{1,6})", text)
        if not found:
            raise ValidationError(f"{self.label} is written {'1:58' if film else '6:20'}, not “{text[:40]}”.")
        first, second, third, alone = (int(part) if part else None for part in found.groups())
        if film and first is None:  # hours and minutes, or minutes alone
            seconds = alone * 60 if alone is not None else (second or 0) * 3600 + (third or 0) * 60
        else:
            seconds = alone if alone is not None else (first or 0) * 3600 + (second or 0) * 60 + (third or 0)
        value = seconds * 1000 if self.spec.name == "cue_ms" else seconds
        if value >= 2**31:
            raise ValidationError(f"{self.label} is too long: “{text[:40]}”.")
        return value


def fitting(content: str, kind: str = "") -> tuple[str, ...]:
    """The fields that a page offers for an entry of this kind on a list of this content."""
    more = OF_EPISODES if kind in (Item.Kind.SEASON, Item.Kind.EPISODE) else ()
    return FITTING[content] + more


def kind_of(content: str) -> str:
    """What an entry of such a list is where nobody says more."""
    return KINDS.get(content, Item.Kind.MOVIE)


class EntryForm(forms.Form):
    """All fields of an entry. The page sends along what stood in each, so that what was not touched is no edit,
    whatever has changed since."""

    def __init__(self, data: Any = None, *, values: dict[str, Any], content: str, kind: str):
        super().__init__(data)
        self._late = False
        for name in fitting(content, kind):
            field = ValueField(FIELDS[name], kind=kind, initial=values.get(name), required=False)
            field.show_hidden_initial = True
            # A track that nobody has named yet has no title.
            if name == "title" and content != Content.TRACKS:
                field.required = True
                field.error_messages["required"] = "An entry needs a title. Nothing was saved."
            self.fields[name] = field

    @property
    def values(self) -> dict[str, Any]:
        """What was changed, by field; None: it shall show nothing."""
        return {name: self.cleaned_data[name] for name in self.changed_data}

    def too_late(self, values: dict[str, Any]) -> None:
        """Somebody was faster: keep what was typed, beside what the entry shows now."""
        self._late = True
        for name, field in self.fields.items():
            field.initial = values.get(name)

    def rows(self) -> list[dict[str, Any]]:
        """[{"input", "seen", "now"}]: a bound field, the text that the page showed in it, and the text of now if the
        two differ and the field was typed in."""
        rows = []
        for bound in self:
            now = bound.field.prepare_value(bound.initial)
            sent = self.data.get(bound.html_initial_name, "") if self.is_bound else now
            touched = self._late and bound.name in self.changed_data and sent != now
            rows.append(
                {"input": bound, "seen": now if self._late else sent, "now": (now or "nothing") if touched else ""}
            )
        return rows


class AddForm(forms.Form):
    """A new entry: what it is called, and ids if they are known."""

    def __init__(self, data: Any = None, *, content: str):
        super().__init__(data)
        self._kind = kind_of(content)
        names = {Content.TRACKS: ("artist", "title", "cue_ms"), Content.CHANNELS: ("title", "group")}
        for name in names.get(content, ("title", "year")):  # type: ignore[call-overload]
            self.fields[name] = ValueField(FIELDS[name], kind=self._kind, required=name == "title")
        self.fields["title"].error_messages["required"] = "An entry needs a title. Nothing was added."
        if content == Content.FILMS:
            kinds = [(Item.Kind.MOVIE, "Film"), (Item.Kind.SHOW, "Show")]
            self.fields["kind"] = forms.ChoiceField(choices=kinds, initial=Item.Kind.MOVIE)
            self.fields["imdb"] = forms.CharField(label="IMDb", max_length=300, required=False)
            self.fields["tmdb"] = forms.CharField(label="TMDb", max_length=300, required=False)

    def clean_imdb(self) -> str:
        typed = self.cleaned_data["imdb"].strip()
        found = re.search(r"(?<![a-z])tt[0-9]{7,10}(?![0-9])", typed)
        if typed and not found:
            raise ValidationError("An id of IMDb looks like tt0113277; the address of its page does as well.")
        return found[0] if found else ""

    def clean_tmdb(self) -> str:
        typed = self.cleaned_data["tmdb"].strip()
        found = re.search(r"(?:^|(movie|tv|show)/)([0-9]{1,9})(?![0-9])", typed)
        if typed and not found:
            raise ValidationError("An id of TMDb is a number, for example 949; the address of its page does as well.")
        kind = self.cleaned_data.get("kind", self._kind)
        if found and found[1] and (found[1] == "movie") != (kind == Item.Kind.MOVIE):
            raise ValidationError("This is the address of the other kind: choose Film or Show to fit it.")
        return f"{kind}/{found[2]}" if found else ""

    @property
    def kind(self) -> str:
        return self.cleaned_data.get("kind", self._kind)

    @property
    def values(self) -> dict[str, Any]:
        said = {name: self.cleaned_data[name] for name in self.fields if name in FIELDS}
        return {name: value for name, value in said.items() if value is not None}

    @property
    def ids(self) -> dict[str, str]:
        return {name: value for name in ("imdb", "tmdb") if (value := self.cleaned_data.get(name))}


class OneFieldForm(forms.Form):
    """One field of several entries, and the value that all of them get."""

    field = forms.ChoiceField()
    value = forms.CharField(required=False, max_length=10_000, strip=False)
    empty = forms.BooleanField(required=False)

    def __init__(self, data: Any = None, *, content: str):
        super().__init__(data)
        self._content = content
        choices = [(name, FIELDS[name].label) for name in fitting(content)]
        self.fields["field"].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        name = cleaned.get("field")
        if name is None or "value" not in cleaned:
            return cleaned
        field = ValueField(FIELDS[name], kind=kind_of(self._content), required=False)
        if cleaned.get("empty"):
            cleaned["value"] = None
            if name == "title" and self._content != Content.TRACKS:
                self.add_error("value", "An entry needs a title. Nothing was changed.")
            return cleaned
        try:
            cleaned["value"] = field.clean(cleaned["value"])
        except ValidationError as e:
            self.add_error("value", e)
        else:
            if cleaned["value"] is None:
                self.add_error("value", "Type a value, or say that it shall show nothing. Nothing was changed.")
        return cleaned


class BlockForm(forms.Form):
    """Why something must not come, and where."""

    scope = forms.ChoiceField()
    reason = forms.CharField(required=False, max_length=500)

    def __init__(self, data: Any = None, *, scopes: list[tuple[str, str]]):
        super().__init__(data)
        self.fields["scope"].choices = scopes  # type: ignore[attr-defined]
