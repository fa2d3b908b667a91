"""The rules of a list, in plain words with what follows from them."""

from typing import Any

from django import forms

from lists.fields import FIELDS
from lists.models import MediaList, Removals, SitePolicy, Source, Strategy

# What each choice is called, and what follows from it.
STRATEGIES = {
    Strategy.PRIORITY: (
        "Believe one source first",
        "The source that stands highest is shown; the others only fill gaps.",
    ),
    Strategy.KEEP: (
        "Keep what was said first",
        "A value stays until the source that said it changes it, whatever other sources say.",
    ),
    Strategy.NEW: (
        "Take the newest word",
        "Whoever changed a value last is shown. Repeating an old value is not news.",
    ),
    Strategy.NEWEST: (
        "Take the newest record",
        "The source in which anything changed last speaks for everything that it names.",
    ),
    Strategy.CONFIDENCE: (
        "Take the surest record",
        "The source that is surest of what it says speaks for everything that it names.",
    ),
    Strategy.INTELLIGENT: (
        "Take the better record",
        "The fuller record speaks; of two that are equally good, the one that is a day newer. Otherwise the best of both.",
    ),
    Strategy.RULES: (
        "Go by rules",
        "The source you prefer for a field, then the record with more pictures, then the one that knows clearly more.",
    ),
    Strategy.MERGE: (
        "Put the best of all together",
        "Genres and the like come from all sources, a text that goes on where another ends and a rating with more votes go "
        "first; for everything else the source that stands highest is shown.",
    ),
    Strategy.ASK: ("Ask me", "What was said first stays until you decide. Nothing is overwritten meanwhile."),
}
REMOVALS = {
    Removals.REMOVE: (
        "Take it off here, carefully",
        "It leaves when its last source no longer lists it. If too many would go at once, nothing is removed and you are"
        " asked first.",
    ),
    Removals.KEEP: ("Never take anything off", "It stays, kept by the list. You can still remove it by hand."),
    Removals.ASK: ("Ask me about every removal", "Nothing leaves before you have looked at it."),
}
GUARD = {
    "held_share": "Per cent of a source that may be missing at once",
    "held_share_always": "Per cent above which you are asked however few there are",
    "held_floor": "So many may always be missing",
}
# Fields for which a source may be preferred.
PREFERABLE = (
    "title", "original_title", "artist", "year", "release_date", "runtime_s", "rating", "votes", "genres", "language",
    "overview", "poster", "backdrop", "cue_ms", "label",
)  # fmt: skip
FIGURE = {
    "min_value": "Use 0 or more.",
    "max_value": "Use %(limit_value)s or less. Nothing was saved.",
    "invalid": "Type a whole number, or leave it empty. Nothing was saved.",
}


class RulesForm(forms.Form):
    """Empty means: as the site says. `choices(name)` gives what the page draws."""

    strategy = forms.ChoiceField(choices=[("", ""), *Strategy.choices], required=False)
    removals = forms.ChoiceField(choices=[("", ""), *Removals.choices], required=False)
    review_unsure = forms.TypedChoiceField(
        choices=[("", ""), ("yes", "yes"), ("no", "no")],
        coerce=lambda word: word == "yes",
        empty_value=None,
        required=False,
    )
    accept_confidence = forms.IntegerField(min_value=0, max_value=100, required=False, error_messages=FIGURE)
    held_share = forms.IntegerField(min_value=0, max_value=100, required=False, error_messages=FIGURE)
    held_share_always = forms.IntegerField(min_value=0, max_value=100, required=False, error_messages=FIGURE)
    held_floor = forms.IntegerField(min_value=0, max_value=10_000, required=False, error_messages=FIGURE)

    def __init__(self, data: Any = None, *, list_: MediaList):
        self.site = SitePolicy.current()
        self.list_ = list_
        own = list_.policy
        initial = {name: own.get(name, "") for name in self.base_fields}
        if "review_unsure" in own:
            initial["review_unsure"] = "yes" if own["review_unsure"] else "no"
        if "accept_confidence" in own:
            initial["accept_confidence"] = round(100 * own["accept_confidence"])
        preferred = own.get("preferred", {})
        super().__init__(
            data, initial=initial | {f"prefer_{name}": str(preferred.get(name, "")) for name in PREFERABLE}
        )
        sources = [("", "By the rules below"), *self._sources()]
        for name in PREFERABLE:
            # One that names a service stays what it is.
            whom = str(preferred.get(name, ""))
            known = {value for value, _ in sources}
            choices = sources if whom in known else [*sources, (whom, whom)]
            self.fields[f"prefer_{name}"] = forms.ChoiceField(choices=choices, required=False, label=FIELDS[name].label)

    def _sources(self) -> list[tuple[str, str]]:
        feeds = Source.objects.filter(list=self.list_, role=Source.Role.FEED).speaking()
        return [(str(pk), name) for pk, name in feeds.values_list("id", "name")]

    def rules(self) -> dict[str, Any]:
        """What was typed, as `services.change_rules` takes it."""
        rules = {name: self.cleaned_data[name] for name in self.base_fields}
        if rules["accept_confidence"] is not None:
            rules["accept_confidence"] /= 100
        typed = {name: self.cleaned_data[f"prefer_{name}"] for name in PREFERABLE}
        others = {name: whom for name, whom in self.list_.policy.get("preferred", {}).items() if name not in PREFERABLE}
        preferred = {name: int(whom) if whom.isdecimal() else whom for name, whom in typed.items() if whom}
        return rules | {"preferred": others | preferred}

    def preferences(self) -> list[Any]:
        return [self[f"prefer_{name}"] for name in PREFERABLE]

    def prefers(self) -> bool:
        return any(field.value() for field in self.preferences())

    def review_choices(self) -> list[dict[str, Any]]:
        """[{"value", "title", "text", "checked"}]"""
        chosen = self["review_unsure"].value() or ""
        usual = "they wait for you" if self.list_.content == MediaList.Content.TRACKS else "they are taken"
        rows = [("", f"As usual for what this list holds: {usual}"), ("yes", "They wait for me"), ("no", "Take them")]
        return [{"value": value, "title": title, "checked": value == chosen} for value, title in rows]

    def site_confidence(self) -> int:
        return round(100 * self.site.accept_confidence)

    def strategies(self) -> list[dict[str, Any]]:
        return self._choices("strategy", STRATEGIES)

    def removal_choices(self) -> list[dict[str, Any]]:
        return self._choices("removals", REMOVALS)

    def figures(self) -> list[dict[str, Any]]:
        """[{"field", "label", "site"}] of the guard."""
        return [
            {"field": self[name], "label": label, "site": getattr(self.site, name)} for name, label in GUARD.items()
        ]

    def _choices(self, name: str, said: dict[Any, tuple[str, str]]) -> list[dict[str, Any]]:
        """[{"value", "title", "text", "checked"}]: first the site's own, which follows the site when that changes."""
        chosen = self[name].value() or ""
        title, text = said[getattr(self.site, name)]
        rows = [{"value": "", "title": f"As the site says: {title[0].lower()}{title[1:]}", "text": text}]
        rows += [{"value": value.value, "title": title, "text": text} for value, (title, text) in said.items()]
        return [row | {"checked": row["value"] == chosen} for row in rows]


def in_words(list_: MediaList) -> dict[str, str]:
    """{"strategy", "removals"} of a list, as their choices are called."""
    site = SitePolicy.current()
    return {
        "strategy": STRATEGIES[Strategy(list_.strategy(site))][0],
        "removals": REMOVALS[Removals(list_.removals(site))][0],
    }
