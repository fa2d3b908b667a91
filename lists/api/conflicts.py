"""Questions that wait for a person: what sources differ about, and who something is."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema_field, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lists import services
from lists.api.parts import (
    BY_AGE,
    AgeQuery,
    StrictSerializer,
    body_of,
    id_field,
    ids_field,
    operation,
    page_of,
    query_of,
    sought,
)
from lists.api.values import written
from lists.fields import FIELDS
from lists.models import Conflict, Source
from lists.resolve import PRESENCE
from lists.waiting import decidable_by, questions_for

CHOICES = {
    "keep": "what the list shows",
    "take": "what a source says",
    "type": "another value",
    "merge": "the words of all, united; of a change what it adds without contradicting",
    "newest": "what was said last",
    "confidence": "what the surest says",
}


class OptionSerializer(serializers.Serializer[Any]):
    """Of a field: what one source says, and since when. Of match and ids: an item that it may be. Of a change: what the
    source says instead, by field."""

    source = serializers.IntegerField(  # type: ignore[assignment] # the attribute is the instance's
        allow_null=True, required=False, help_text="id of a source; null: an edit by hand"
    )
    source_name = serializers.CharField(required=False)
    value = serializers.JSONField(allow_null=True, required=False)
    at = serializers.IntegerField(required=False, help_text="epoch seconds: since when it is said")
    item = serializers.IntegerField(required=False)
    title = serializers.CharField(required=False)


class RecommendationSerializer(serializers.Serializer[Any]):
    """choice: keep, take, or (of a change) look: a person should."""

    choice = serializers.CharField()
    source = serializers.IntegerField(allow_null=True)  # type: ignore[assignment] # as above
    value = serializers.JSONField(allow_null=True)
    why = serializers.CharField()


class ConflictSerializer(serializers.ModelSerializer[Conflict]):
    """before: what the list showed when it was asked. after: what it shows by the decision. Of a change (added, removed,
    modified, metadata, restructure) both are values by field, null where there is nothing; confidence says how sure it
    looks, from 0 to 1. strategy: by which the list weighed its sources; choice: how it was decided.

    Context: sources, names of the sources in the options by id.
    """

    list_name = serializers.CharField(source="list.name")
    title = serializers.SerializerMethodField(help_text="of the entry")
    source_name = serializers.CharField(source="source.name", default="", help_text="whose change waits")
    options = serializers.SerializerMethodField()
    recommendation = RecommendationSerializer(allow_null=True)
    version = serializers.IntegerField(source="version_number", allow_null=True, help_text="that decided it")
    decided_by = serializers.CharField(source="decided_by.username", default="")

    class Meta:
        model = Conflict
        fields = [
            "id", "list", "list_name", "entry", "title", "source", "source_name", "kind", "severity", "confidence", "state",
            "field", "options", "recommendation", "strategy", "before", "after", "choice", "deadline", "version",
            "decided_by", "decided_at", "created_at",
        ]  # fmt: skip

    def get_title(self, conflict: Conflict) -> str:
        if conflict.entry is not None:
            return conflict.entry.title
        sides = (conflict.before, *(option.get("value") for option in conflict.options))
        return next((str(side["title"]) for side in sides if isinstance(side, dict) and side.get("title")), "")

    @extend_schema_field(OptionSerializer(many=True))
    def get_options(self, conflict: Conflict) -> list[dict[str, Any]]:
        names = self.context["sources"]
        shown = []
        for option in conflict.options:
            source = option.get("source")
            if isinstance(source, int):
                option = {**option, "source_name": names.get(source, "")}
            elif source is not None:
                option = {**option, "source": None, "source_name": "by hand"}
            shown.append(option)
        return shown


class ConflictQuery(AgeQuery):
    state = serializers.ChoiceField(Conflict.State.choices, required=False)
    kind = serializers.ChoiceField(Conflict.Kind.choices, required=False)
    severity = serializers.ChoiceField(Conflict.Severity.choices, required=False)
    source = id_field("id of a source: the changes of it that wait", required=False)  # type: ignore[assignment] # as above
    entry = id_field("id of an entry", required=False)
    field = serializers.ChoiceField([*FIELDS, PRESENCE], required=False, help_text="what it is about")

    def get_fields(self) -> dict[str, Any]:
        """A field called `list` would hide the builtin here."""
        return {**super().get_fields(), "list": id_field("id of a list", required=False)}


class DecideSerializer(StrictSerializer):
    """choice for what sources differ about, many at once; item and same for one question of who something is."""

    ids = ids_field("of the questions")
    choice = serializers.ChoiceField(list(CHOICES.items()), required=False)
    value = serializers.JSONField(
        required=False,
        allow_null=True,
        help_text="of the choice type; null: show nothing. Of a change: values by field",
    )
    source = id_field(  # type: ignore[assignment] # the attribute is the instance's
        "of the choice take; left out: the recommended one", required=False, allow_null=True
    )
    item = id_field("which one it is; null: a thing of its own", required=False, allow_null=True)
    same = serializers.BooleanField(required=False, help_text="of the kind ids: the items are one and the same")

    def validate(self, body: dict[str, Any]) -> dict[str, Any]:
        if ("choice" in body) == ("item" in body or "same" in body):
            raise serializers.ValidationError("Name a choice, or which item it is. Nothing was decided.")
        if ("value" in body) != (body.get("choice") == "type"):
            raise serializers.ValidationError({"value": ["Name a value with the choice type, and with no other."]})
        if "source" in body and body.get("choice") != "take":
            raise serializers.ValidationError({"source": ["A source belongs to the choice take."]})
        if "choice" not in body and len(body["ids"]) > 1:
            raise serializers.ValidationError({"ids": ["Who something is is decided one by one."]})
        return body


class SkipSerializer(StrictSerializer):
    ids = ids_field("of the questions")


DECIDED = inline_serializer(
    "Decided",
    {
        "versions": inline_serializer(
            "DecidedVersion", {"list": serializers.IntegerField(), "version": serializers.IntegerField()}, many=True
        )
    },
)


def conflicts_of(user: Any) -> QuerySet[Conflict]:
    """Questions about lists that the user may see, with what ConflictSerializer shows."""
    found = questions_for(user).annotate(version_number=F("version__number"))
    return found.select_related("list", "entry", "decided_by", "source").defer("source__address", "source__body_digest")


def shown_conflicts(rows: Iterable[Conflict]) -> Any:
    """As the API shows them; one query for the names of all sources."""
    rows = list(rows)
    ids = {option.get("source") for row in rows for option in row.options}
    names = Source.objects.filter(pk__in={pk for pk in ids if isinstance(pk, int)}).values_list("id", "name")
    return ConflictSerializer(rows, many=True, context={"sources": dict(names)}).data


def decidable(user: Any, pks: list[int]) -> list[Conflict]:
    """The questions, in this order. Raises Http404 if the user may not see one, PermissionDenied if not decide it."""
    found = {row.pk: row for row in conflicts_of(user).filter(pk__in=pks)}
    if set(pks) - found.keys():
        raise Http404("One of these questions is not there, or you may not see it. Nothing was decided.")
    lists = {row.list_id for row in found.values()}
    if decidable_by(user).filter(pk__in=lists).count() < len(lists):
        raise PermissionDenied("You may look at this list but not change it. Nothing was decided.")
    return [found[pk] for pk in dict.fromkeys(pks)]


class Conflicts(APIView):
    @operation("conflicts", page_of(ConflictSerializer), query=ConflictQuery)
    def get(self, request: Request) -> Response:
        """Questions about your lists, newest first: those that wait (state open) and what became of others."""
        query = query_of(request, ConflictQuery)
        names = ("list", "state", "kind", "severity", "source", "entry", "field")
        wanted = {name: query[name] for name in names if name in query}
        page = sought(conflicts_of(request.user).filter(**wanted), BY_AGE[query["sort"]], query)
        return Response({"results": shown_conflicts(page.rows), "next": page.next or None})


class OneConflict(APIView):
    @operation("conflict", ConflictSerializer)
    def get(self, request: Request, conflict_id: int) -> Response:
        """One question, with what each source says."""
        return Response(shown_conflicts([get_object_or_404(conflicts_of(request.user), pk=conflict_id)])[0])


class Decide(APIView):
    @operation("conflicts_decide", DECIDED, body=DecideSerializer)
    def post(self, request: Request) -> Response:
        """Decide one question, or many in one way. The answer names the version that each list got by it."""
        body = body_of(request, DecideSerializer)
        conflicts = decidable(request.user, body["ids"])
        take_a_choice = {conflict.kind not in services.IDENTITY for conflict in conflicts}
        if take_a_choice != {"choice" in body}:
            raise serializers.ValidationError(
                {"ids": ["What sources say takes a choice, who something is takes an item."]}
            )
        if "choice" not in body:
            version = services.decide_identity(
                conflicts[0], by=request.user, item=body.get("item"), same=body.get("same", False)
            )
            versions = [version] if version else []
        else:
            value = _typed(conflicts, body["value"]) if "value" in body else None
            versions = services.decide(
                conflicts, by=request.user, choice=body["choice"], value=value, source=body.get("source")
            )
        made = [{"list": version.list_id, "version": version.number} for version in versions]
        return Response({"versions": made})


def _typed(conflicts: Iterable[Conflict], value: Any) -> Any:
    """A value as all these fields take it; of changes values by field. Raises ValidationError."""
    conflicts = list(conflicts)
    if any(conflict.source_id is not None for conflict in conflicts):
        return _typed_values(conflicts, value)
    for name in {conflict.field for conflict in conflicts}:
        try:
            value = written(FIELDS[name]).run_validation(value)
        except serializers.ValidationError as e:
            raise serializers.ValidationError({"value": e.detail}) from None
    return value


def _typed_values(conflicts: Iterable[Conflict], values: Any) -> dict[str, Any]:
    if any(conflict.source_id is None for conflict in conflicts):
        raise serializers.ValidationError({"ids": ["Fields and changes are typed apart."]})
    if not isinstance(values, dict) or not values or not set(values) <= FIELDS.keys():
        raise serializers.ValidationError({"value": ["Name the values of a change by field."]})
    try:
        return {name: written(FIELDS[name]).run_validation(value) for name, value in values.items()}
    except serializers.ValidationError as e:
        raise serializers.ValidationError({"value": e.detail}) from None


class Skip(APIView):
    @operation(
        "conflicts_skip",
        inline_serializer("Skipped", {"skipped": serializers.IntegerField()}),
        body=SkipSerializer,
    )
    def post(self, request: Request) -> Response:
        """Put questions aside: the list shows what it shows, and they return when a source's word changes."""
        conflicts = decidable(request.user, body_of(request, SkipSerializer)["ids"])
        return Response({"skipped": services.skip(conflicts, by=request.user)})
