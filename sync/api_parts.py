"""What several parts of this room's API take."""

from typing import Any

import orjson
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from lists.models import Account

CONFIG_LIMIT = 20_000  # bytes as JSON


def account_named(user: Any, pk: int) -> Account:
    """An account that a body names. Raises ValidationError."""
    found = Account.objects.for_user(user).filter(pk=pk).first()
    if found is None:
        raise serializers.ValidationError({"account": ["There is no such account."]})
    return found


@extend_schema_field(OpenApiTypes.OBJECT)
class ConfigField(serializers.JSONField):
    """Answers to a format's questions. It is checked against its form by checked_config()."""

    default_error_messages = {"invalid": "This must be a JSON object of plain values, not more than 20 kB."}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        try:
            value = super().to_internal_value(data)
            text = orjson.dumps(value)  # refuses lone surrogates and what is nested too deep to store
        except (RecursionError, TypeError):
            self.fail("invalid")
        if not isinstance(value, dict) or len(text) > CONFIG_LIMIT or b"\\u0000" in text:
            self.fail("invalid")
        return value
