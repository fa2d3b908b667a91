"""What feeds a list: its sources, their order, and their going and coming back."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lists import credentials, services
from lists.api.parts import (
    CHANGED,
    PageQuery,
    StrictSerializer,
    as_seen,
    body_of,
    changed,
    editable_list,
    ids_field,
    operation,
    page_answer,
    page_of,
    query_of,
    sort_field,
    sought,
    visible_list,
)
from lists.models import MediaList, Source
from lists.paging import Sort

YEAR_MIN = 366 * 24 * 60  # minutes of a year
SMALL = 32_767  # of a small column


class SourceSerializer(serializers.ModelSerializer[Source]):
    """A source without its secrets. account: the id of the one that it is read with; paused: what it waits for."""

    address = serializers.SerializerMethodField(help_text="where it is read, without logins")

    def get_address(self, source: Source) -> str:
        return credentials.blank(source.address)

    class Meta:
        model = Source
        fields = [
            "id", "role", "adapter", "origin", "name", "address", "account", "config", "priority", "enabled", "sync_enabled", "paused", "interval_min", "gap_min",
            "mode", "grace", "accepted", "next_sync_at", "last_run_at", "last_success_at", "failures", "removed_at",
            "created_at",
        ]  # fmt: skip


class SourceChangeSerializer(StrictSerializer):
    name = serializers.CharField(max_length=200)
    priority = serializers.IntegerField(min_value=1, max_value=SMALL, help_text="1 speaks first")
    enabled = serializers.BooleanField()
    sync_enabled = serializers.BooleanField(help_text="whether it is fetched on its schedule")
    interval_min = serializers.IntegerField(min_value=1, max_value=YEAR_MIN, help_text="minutes between fetches")
    gap_min = serializers.IntegerField(
        min_value=0, max_value=YEAR_MIN, help_text="minutes within which a fetch is not repeated"
    )
    mode = serializers.ChoiceField(Source.Mode.choices)
    grace = serializers.IntegerField(
        min_value=0, max_value=100, allow_null=True,
        help_text="complete fetches that must lack an entry before it leaves; null: as its kind",
    )  # fmt: skip


class SourceOrderSerializer(StrictSerializer):
    sources = ids_field("every source that feeds the list; the first one speaks first")


ALONE = inline_serializer(
    "AloneThere",
    {
        "listed": serializers.IntegerField(help_text="entries that it lists"),
        "alone": serializers.IntegerField(help_text="of them those that would leave without it"),
    },
)


class Said(serializers.BooleanField):
    """Yes or no, and it must be said: of a query string, DRF takes silence for the no of a box that was not ticked."""

    default_empty_html = empty


class RemoveQuery(serializers.Serializer[Any]):
    keep = Said(help_text="true: what only it lists stays, kept by the list; false: it leaves the list")


SORTS = {
    sort.key: sort
    for sort in [
        Sort("added", "First added first", "id"),
        Sort("priority", "Who speaks first", "priority"),
        Sort("name", "By name", "name"),
    ]
}


class SourceQuery(PageQuery):
    role = serializers.ChoiceField(Source.Role.choices, required=False)
    adapter = serializers.CharField(max_length=40, required=False, help_text="a key of /source-types/")
    removed = Said(required=False, help_text="true: only those that feed it no more; false: only those that do")
    sort = sort_field(SORTS)


def sources_of(list_: MediaList) -> QuerySet[Source]:
    return Source.objects.filter(list=list_).defer("body_digest")


def source_of(list_: MediaList, pk: int) -> Source:
    """Raises Http404."""
    return get_object_or_404(sources_of(list_).select_related("list"), pk=pk)


class Sources(APIView):
    @operation("sources", page_of(SourceSerializer), query=SourceQuery)
    def get(self, request: Request, list_id: int) -> Response:
        """What feeds the list, and what once did (removed_at); in the order in which they were added."""
        query = query_of(request, SourceQuery)
        wanted: dict[str, Any] = {name: query[name] for name in ("role", "adapter") if name in query}
        if "removed" in query:
            wanted["removed_at__isnull"] = not query["removed"]
        rows = sources_of(visible_list(request.user, list_id)).filter(**wanted)
        return page_answer(sought(rows, SORTS[query["sort"]], query), SourceSerializer)


class OneSource(APIView):
    @operation("source", SourceSerializer)
    def get(self, request: Request, list_id: int, source_id: int) -> Response:
        """One source of the list."""
        return Response(SourceSerializer(source_of(visible_list(request.user, list_id), source_id)).data)

    @operation("source_change", SourceSerializer, body=SourceChangeSerializer(partial=True))
    def patch(self, request: Request, list_id: int, source_id: int) -> Response:
        """Change its name, priority, schedule or mode; what is not named stays."""
        list_ = editable_list(request.user, list_id)
        source = source_of(list_, source_id)
        services.change_source(source, by=request.user, **body_of(request, SourceChangeSerializer, partial=True))
        return Response(SourceSerializer(source_of(list_, source_id)).data)

    @operation("source_remove", CHANGED, query=RemoveQuery, seen=True)
    def delete(self, request: Request, list_id: int, source_id: int) -> Response:
        """Remove a source. Its claims rest, so that revive brings back what it said."""
        list_ = editable_list(request.user, list_id)
        keep = query_of(request, RemoveQuery)["keep"]
        with as_seen(request, list_):
            version = services.remove_source(source_of(list_, source_id), by=request.user, keep=keep)
        return changed(list_, version)


class Alone(APIView):
    @operation("source_alone", ALONE)
    def get(self, request: Request, list_id: int, source_id: int) -> Response:
        """What removing the source would ask about: how many listed entries it stands for, and how many nobody else does."""
        source = source_of(editable_list(request.user, list_id), source_id)
        listed, alone = services.only_from(source)
        return Response({"listed": listed, "alone": alone})


class Revive(APIView):
    @operation("source_revive", CHANGED, seen=True)
    def post(self, request: Request, list_id: int, source_id: int) -> Response:
        """Bring a removed source back: its claims count again as they were."""
        list_ = editable_list(request.user, list_id)
        with as_seen(request, list_):
            version = services.revive_source(source_of(list_, source_id), by=request.user)
        return changed(list_, version)


class SourceOrder(APIView):
    @operation("sources_order", CHANGED, body=SourceOrderSerializer, seen=True)
    def put(self, request: Request, list_id: int) -> Response:
        """Say which source speaks first."""
        list_ = editable_list(request.user, list_id)
        order = body_of(request, SourceOrderSerializer)["sources"]
        with as_seen(request, list_):
            version = services.order_sources(list_, order, by=request.user)
        return changed(list_, version)
