"""What entries show and what people write into them, field by field: the vocabulary of lists/fields.py as a schema."""

from typing import Any

from rest_framework import serializers

from lists.api.parts import StrictSerializer
from lists.fields import FIELDS, Field

WORDS = 200  # of a field that holds several

_SHOWN: dict[str, type[serializers.Field[Any, Any, Any, Any]]] = {
    "int": serializers.IntegerField,
    "float": serializers.FloatField,
}


def _shown(spec: Field) -> serializers.Field[Any, Any, Any, Any]:
    if spec.type == "list":
        return serializers.ListField(child=serializers.CharField(), required=False, help_text=spec.label)
    return _SHOWN.get(spec.type, serializers.CharField)(required=False, help_text=spec.label)


def written(spec: Field) -> serializers.Field[Any, Any, Any, Any]:
    """How a value is taken from a person; null: the field shows nothing."""
    common: dict[str, Any] = {"required": False, "allow_null": True, "help_text": spec.label}
    if spec.name == "year":
        return serializers.IntegerField(min_value=1000, max_value=2999, **common)
    if spec.type == "int":
        return serializers.IntegerField(min_value=0, max_value=2**31 - 1, **common)
    if spec.type == "float":
        return serializers.FloatField(min_value=-1e14, max_value=1e14, **common)
    if spec.type == "list":
        return serializers.ListField(child=serializers.CharField(max_length=100), max_length=WORDS, **common)
    return serializers.CharField(max_length=spec.limit, allow_blank=True, **common)


class ValuesBase(serializers.Serializer[Any]):
    """What is shown, by field; a field that shows nothing is left out."""


class WrittenBase(StrictSerializer):
    """What a person wants the fields to show; null: nothing. Fields that are not named stay as they are."""


# A new field of the vocabulary is in the API without another word.
ValuesSerializer = type("ValuesSerializer", (ValuesBase,), {name: _shown(spec) for name, spec in FIELDS.items()})
WrittenSerializer = type("WrittenSerializer", (WrittenBase,), {name: written(spec) for name, spec in FIELDS.items()})
