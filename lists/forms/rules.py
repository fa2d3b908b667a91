"""The rules of a list, in plain words with what follows from them."""

from typing import Any

from django import forms

from lists.models import MediaList, Removals, SitePolicy, Strategy

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
    Strategy.MERGE: (
        "Put lists of words together",
        "Genres and the like come from all sources; for everything else the source that stands highest is shown.",
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
FIGURE = {
    "min_value": "Use 0 or more.",
    "max_value": "Use %(limit_value)s or less. Nothing was saved.",
    "invalid": "Type a whole number, or leave it empty. Nothing was saved.",
}


class RulesForm(forms.Form):
    """Empty means: as the site says. `choices(name)` gives what the page draws."""

    strategy = forms.ChoiceField(choices=[("", ""), *Strategy.choices], required=False)
    removals = forms.ChoiceField(choices=[("", ""), *Removals.choices], required=False)
    held_share = forms.IntegerField(min_value=0, max_value=100, required=False, error_messages=FIGURE)
    held_share_always = forms.IntegerField(min_value=0, max_value=100, required=False, error_messages=FIGURE)
    held_floor = forms.IntegerField(min_value=0, max_value=10_000, required=False, error_messages=FIGURE)

    def __init__(self, data: Any = None, *, list_: MediaList):
        self.site = SitePolicy.current()
        super().__init__(data, initial={name: list_.policy.get(name, "") for name in self.base_fields})

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
