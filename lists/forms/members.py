"""Who else may see a list."""

from typing import Any

from django import forms
from django.contrib.auth import get_user_model

from lists.models import Membership


class MemberForm(forms.Form):
    """user: by name; cleaned, the user."""

    user = forms.CharField(max_length=150, error_messages={"required": "Type a name. Nothing was shared."})
    role = forms.ChoiceField(choices=Membership.Role.choices)

    def clean_user(self) -> Any:
        name = self.cleaned_data["user"]
        found = get_user_model().objects.filter(username=name, is_active=True).first()
        if found is None:
            raise forms.ValidationError(f"Nobody here is called {name}. Nothing was shared.")
        return found
