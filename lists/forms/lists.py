"""What people type about a list."""

from typing import Any

from django import forms

from lists.models import MediaList


class TagsField(forms.CharField):
    """Words parted by commas, as a list; each once, in the order given."""

    def prepare_value(self, value: Any) -> str:
        return ", ".join(value) if isinstance(value, list) else value or ""

    def clean(self, value: Any) -> list[str]:
        words = [" ".join(word.replace("|", "/").split())[:50] for word in super().clean(value).split(",")]
        return list(dict.fromkeys(filter(None, words)))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.prepare_value(initial) != (data or "")


class ListForm(forms.Form):
    """Name, description and tags of a list; with `creating` also what it holds, which cannot be changed later."""

    name = forms.CharField(max_length=200, error_messages={"required": "A list needs a name. Nothing was saved."})
    content = forms.ChoiceField(
        choices=[(MediaList.Content.FILMS, "Films and shows"), (MediaList.Content.TRACKS, "Tracks of a set or album")]
    )
    description = forms.CharField(max_length=5000, required=False)
    tags = TagsField(max_length=500, required=False)

    def __init__(self, *args: Any, creating: bool = False, **kwargs: Any):
        super().__init__(*args, **kwargs)
        if not creating:
            del self.fields["content"]
