"""What people type about a source."""

from django import forms


class SourceForm(forms.Form):
    """enabled: whether it is brought up to date; what it said stays either way."""

    name = forms.CharField(max_length=200, error_messages={"required": "A source needs a name. Nothing was saved."})
    enabled = forms.BooleanField(required=False)
