"""Which kinds of sources there are: the register of adapters, for programs."""

from collections.abc import Sequence
from typing import Any

from django import forms
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lists.api.parts import PlaceQuery, operation, placed_answer, places_of, query_of
from lists.models import Item, MediaList, Provenance, Source
from sync.adapters import ADAPTERS, Adapter, Reach

# What an answer must look like, by the form's field that checks it; of several that fit, the first.
ANSWERS: list[tuple[type[forms.Field], str]] = [
    (forms.BooleanField, "boolean"),
    (forms.JSONField, "json"),
    (forms.FloatField, "number"),
    (forms.IntegerField, "integer"),
    (forms.ChoiceField, "choice"),
    (forms.URLField, "address"),
]


class ChoiceSerializer(serializers.Serializer[Any]):
    value = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment] # the attribute is the instance's


class QuestionSerializer(serializers.Serializer[Any]):
    """What may be answered in `config`."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment] # as above
    help = serializers.CharField()
    type = serializers.ChoiceField([*dict.fromkeys(kind for _, kind in ANSWERS), "text"])
    required = serializers.BooleanField()  # type: ignore[assignment] # as above
    choices = ChoiceSerializer(many=True, help_text="of the type choice")


class FileFormatSerializer(serializers.Serializer[Any]):
    """A file format. questions: what may be answered about a file, all of them optional where it is recognised."""

    key = serializers.CharField(help_text="the `adapter` of an upload")
    label = serializers.CharField()  # type: ignore[assignment] # as above
    help = serializers.CharField()
    kinds = serializers.ListField(child=serializers.ChoiceField(Item.Kind.choices), help_text="that it can hold")
    content = serializers.ChoiceField(MediaList.Content.choices, help_text="of a list that is made of it")
    reach = serializers.ChoiceField(
        [each.value for each in Reach],
        help_text="window: only a part of it is ever shown; how that is taken, its mode says",
    )
    mode = serializers.ChoiceField(
        Source.Mode.choices,
        help_text="how its answers are taken unless the source says otherwise; collecting: what came stays",
    )
    questions = serializers.SerializerMethodField()

    @extend_schema_field(QuestionSerializer(many=True))
    def get_questions(self, adapter: type[Adapter]) -> Any:
        asked = [_question(name, field) for name, field in adapter.Config().fields.items()]
        return QuestionSerializer(asked, many=True).data


class SourceTypeSerializer(FileFormatSerializer):
    """A kind of source: a service that is fetched, or a file that people upload."""

    is_file = serializers.BooleanField(help_text="whether people upload it; no: it is fetched")
    origin = serializers.ChoiceField(Provenance.Origin.choices, help_text="as what it counts where provenance is shown")
    service = serializers.CharField(help_text="whose account it may need; behind a colon stands the host of an address")
    asks_address = serializers.BooleanField(help_text="whether the source needs an `address`")
    interval_min = serializers.IntegerField(help_text="minutes between two fetches unless the source says otherwise")
    attribution = serializers.CharField(help_text="what its service wants to be said beside what comes from it")


def _question(name: str, field: forms.Field) -> dict[str, Any]:
    kind = next((kind for cls, kind in ANSWERS if isinstance(field, cls)), "text")
    choices: Sequence[tuple[Any, Any]] = list(getattr(field, "choices", []))
    return {
        "name": name, "label": field.label or name.replace("_", " ").capitalize(), "help": field.help_text, "type": kind,
        "required": field.required, "choices": [{"value": value, "label": label} for value, label in choices],
    }  # fmt: skip


def _registered(*, files: bool) -> list[type[Adapter]]:
    """By what people call them."""
    found = [adapter for adapter in ADAPTERS.values() if adapter.is_file or not files]
    return sorted(found, key=lambda adapter: (adapter.label.casefold(), adapter.key))


class Formats(APIView):
    @operation("formats", places_of(FileFormatSerializer), query=PlaceQuery)
    def get(self, request: Request) -> Response:
        """The file formats that can be uploaded, by name."""
        return placed_answer(_registered(files=True), query_of(request, PlaceQuery), FileFormatSerializer)


class SourceTypes(APIView):
    @operation("source_types", places_of(SourceTypeSerializer), query=PlaceQuery)
    def get(self, request: Request) -> Response:
        """Every kind of source that a list can have, by name."""
        return placed_answer(_registered(files=False), query_of(request, PlaceQuery), SourceTypeSerializer)
