"""Versions of a list: which there were, what each showed, and what lies between two."""

from collections.abc import Iterable
from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema_field, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lists import versions
from lists.api.parts import (
    NEXT_START,
    Moment,
    PageQuery,
    PlaceQuery,
    id_field,
    operation,
    page_answer,
    page_of,
    query_of,
    sort_field,
    sought,
    visible_list,
)
from lists.api.values import ValuesSerializer
from lists.errors import Pruned
from lists.models import Item, MediaList, Version
from lists.paging import Sort

SORTS = {
    sort.key: sort
    for sort in [Sort("number", "Newest first", "number", descending=True), Sort("oldest", "Oldest first", "number")]
}
FILTERS = {"kind": "kind", "source": "source", "from": "created_at__gte", "to": "created_at__lte"}


class VersionSerializer(serializers.ModelSerializer[Version]):
    is_current = serializers.SerializerMethodField(help_text="whether it is what the list shows now")

    class Meta:
        model = Version
        fields = [
            "number", "kind", "author_name", "summary", "source", "source_name", "added", "removed", "changed", "moved",
            "item_count", "facts", "is_current", "correlation_id", "created_at", "pruned_at",
        ]  # fmt: skip

    def get_is_current(self, version: Version) -> bool:
        return version.pk == self.context["current"]


class VersionEntrySerializer(serializers.Serializer[Any]):
    """What a version showed at one place."""

    entry = serializers.IntegerField()
    place = serializers.IntegerField(help_text="from 1")
    item = serializers.IntegerField(allow_null=True)
    kind = serializers.ChoiceField(Item.Kind.choices)
    values = ValuesSerializer()


class VersionDetailSerializer(VersionSerializer):
    entries = serializers.SerializerMethodField()

    class Meta(VersionSerializer.Meta):
        fields = [*VersionSerializer.Meta.fields, "entries"]

    @extend_schema_field(
        inline_serializer("VersionEntries", {"results": VersionEntrySerializer(many=True), "next": NEXT_START})
    )
    def get_entries(self, version: Version) -> dict[str, Any]:
        start, limit = self.context["start"], self.context["limit"]
        rows = versions.entries_of(version, start=start, limit=limit)
        shown = [
            {"entry": row.id, "place": place, "item": row.item_id, "kind": row.kind, "values": versions.values_of(row)}
            for place, row in enumerate(rows, start + 1)
        ]
        more = start + limit < version.item_count and version.pruned_at is None
        return {"results": VersionEntrySerializer(shown, many=True).data, "next": start + limit if more else None}


class MomentQuery(serializers.Serializer[Any]):
    date = Moment(until=True, help_text="a time, or a date for its last moment")


class VersionQuery(PageQuery):
    kind = serializers.ChoiceField(Version.Kind.choices, required=False)
    sort = sort_field(SORTS)

    def get_fields(self) -> dict[str, Any]:
        """`from` is a word of Python; a field called `source` would hide what serializers have of that name."""
        return {
            **super().get_fields(),
            "source": id_field("id of the source that it came from", required=False),
            "from": Moment(required=False, help_text="made at this time or later"),
            "to": Moment(required=False, until=True, help_text="a time, or a date for its last moment"),
        }


def number_field(**kwargs: Any) -> serializers.IntegerField:
    return serializers.IntegerField(min_value=1, max_value=2**31 - 1, help_text="number of a version", **kwargs)


class DiffQuery(PlaceQuery):
    def get_fields(self) -> dict[str, Any]:
        """`from` is a word of Python and cannot be the name of an attribute."""
        return {**super().get_fields(), "from": number_field(), "to": number_field()}


class FieldChangeSerializer(serializers.Serializer[Any]):
    field = serializers.CharField()
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)


class DifferenceSerializer(serializers.Serializer[Any]):
    """One entry that differs. Places count from 1; null where it is not listed."""

    entry = serializers.IntegerField()
    kind = serializers.ChoiceField(["added", "removed", "changed", "moved"])
    title = serializers.CharField()
    year = serializers.IntegerField(allow_null=True)
    artist = serializers.CharField()
    before_place = serializers.IntegerField(allow_null=True)
    after_place = serializers.IntegerField(allow_null=True)

    def get_fields(self) -> dict[str, Any]:
        """Serializers have an attribute `fields` of their own."""
        return {**super().get_fields(), "fields": serializers.SerializerMethodField(method_name="get_changes")}

    @extend_schema_field(FieldChangeSerializer(many=True))
    def get_changes(self, difference: versions.Difference) -> list[dict[str, Any]]:
        return _changes(difference.fields)


def _changes(fields: Iterable[tuple[str, Any, Any]]) -> list[dict[str, Any]]:
    return [{"field": name, "before": before, "after": after} for name, before, after in fields]


COUNTS = ("added", "removed", "changed", "moved")
DIFF = inline_serializer(
    "Diff",
    {
        "from": serializers.IntegerField(),
        "to": serializers.IntegerField(),
        "counts": inline_serializer("DiffCounts", {name: serializers.IntegerField() for name in COUNTS}),
        "facts": FieldChangeSerializer(many=True, help_text="what is said of the list itself and differs"),
        "results": DifferenceSerializer(many=True),
        "next": NEXT_START,
    },
)


def version_of(list_: MediaList, number: int) -> Version:
    return get_object_or_404(Version.objects.filter(list=list_), number=number)


def kept_version(list_: MediaList, number: int) -> Version:
    """A version whose content is still there. Raises Http404, or Pruned."""
    version = version_of(list_, number)
    if version.pruned_at:
        raise Pruned(f"Version {version.number} is too old: its content is not kept any more, only its counts.")
    return version


class Versions(APIView):
    @operation("versions", page_of(VersionSerializer), query=VersionQuery)
    def get(self, request: Request, list_id: int) -> Response:
        """The versions of the list, newest first."""
        list_ = visible_list(request.user, list_id)
        query = query_of(request, VersionQuery)
        wanted = {lookup: query[name] for name, lookup in FILTERS.items() if name in query}
        page = sought(list_.versions.filter(**wanted).defer("order"), SORTS[query["sort"]], query)
        return page_answer(page, VersionSerializer, current=list_.current_id)


class OneVersion(APIView):
    @operation("version", VersionDetailSerializer, query=PlaceQuery)
    def get(self, request: Request, list_id: int, number: int) -> Response:
        """One version with what it showed, by place. A pruned one (pruned_at) keeps its counts and shows nothing."""
        list_ = visible_list(request.user, list_id)
        context = {**query_of(request, PlaceQuery), "current": list_.current_id}
        return Response(VersionDetailSerializer(version_of(list_, number), context=context).data)


class VersionAt(APIView):
    @operation("version_at", VersionSerializer, query=MomentQuery)
    def get(self, request: Request, list_id: int) -> Response:
        """The version that was current at a moment."""
        list_ = visible_list(request.user, list_id)
        version = versions.version_at(list_, query_of(request, MomentQuery)["date"])
        if version is None:
            raise Http404("The list had no version yet at that time.")
        return Response(VersionSerializer(version, context={"current": list_.current_id}).data)


class DiffOfVersions(APIView):
    @operation("diff", DIFF, query=DiffQuery)
    def get(self, request: Request, list_id: int) -> Response:
        """What lies between two versions, aligned by entry: an insert at the top is one insert."""
        list_ = visible_list(request.user, list_id)
        query = query_of(request, DiffQuery)
        before, after = kept_version(list_, query["from"]), kept_version(list_, query["to"])
        found = versions.diff(before, after)
        end = query["start"] + query["limit"]
        return Response(
            {
                "from": before.number,
                "to": after.number,
                "counts": found.counts,
                "facts": FieldChangeSerializer(_changes(found.facts), many=True).data,
                "results": DifferenceSerializer(found.rows[query["start"] : end], many=True).data,
                "next": end if end < len(found.rows) else None,
            }
        )
