"""Sources that are fetched: how they are defined, when they are read, and how they stand."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lists.api.parts import (
    PageQuery,
    body_of,
    editable_list,
    id_field,
    operation,
    page_of,
    query_of,
    sort_field,
    sought,
)
from lists.api.sources import SourceChangeSerializer, Sources, SourceSerializer, source_of
from lists.models import Source
from lists.paging import Sort
from sync import definitions
from sync.adapters import fetched_adapters
from sync.api_parts import ConfigField, account_named
from sync.standing import Standing, standings, with_runs


class NewSourceSerializer(SourceChangeSerializer):
    """A source that is fetched. What is left out is as the answer shows it."""

    adapter = serializers.CharField(max_length=40, help_text="the key of a kind of /source-types/ that is no file")
    address = serializers.CharField(max_length=2000, help_text="where it is read; kept encrypted, shown without logins")
    account = id_field("one of yours, of the kind that it takes", allow_null=True)
    config = ConfigField(help_text="answers to the questions of its kind, such as the id of a list")

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        for name, field in fields.items():
            field.required = name == "adapter"
        return fields

    def validate_adapter(self, key: str) -> str:
        if key not in fetched_adapters():
            kinds = ", ".join(fetched_adapters()) or "none yet"
            raise serializers.ValidationError(f"There is no such kind of source that is fetched. There are: {kinds}.")
        return key


class SourcesAndNew(Sources):
    @operation("source_create", SourceSerializer, body=NewSourceSerializer, status=201)
    def post(self, request: Request, list_id: int) -> Response:
        """Define a source that is fetched: what it is, where, and how often. It is read as soon as a worker looks."""
        list_ = editable_list(request.user, list_id)
        body = body_of(request, NewSourceSerializer)
        if wanted := body.pop("account", None):
            body["account"] = account_named(request.user, wanted)
        source = definitions.add_fetched(list_, by=request.user, **body)
        return Response(SourceSerializer(source_of(list_, source.pk)).data, 201)


SCHEDULE = ("enabled", "sync_enabled", "interval_min", "gap_min")


class ScheduleSerializer(SourceChangeSerializer):
    def get_fields(self) -> dict[str, Any]:
        """Only what is the same for all sources of a list."""
        fields = super().get_fields()
        return {name: fields[name] for name in SCHEDULE}


class Schedule(APIView):
    @operation("list_schedule", SourceSerializer(many=True), body=ScheduleSerializer(partial=True))
    def patch(self, request: Request, list_id: int) -> Response:
        """How often the list is read: the same for all of its sources that are fetched. What is not named stays."""
        list_ = editable_list(request.user, list_id)
        answers = body_of(request, ScheduleSerializer, partial=True)
        return Response(SourceSerializer(definitions.set_schedule(list_, by=request.user, **answers), many=True).data)


class SyncStateSerializer(serializers.ModelSerializer[Source]):
    """How a source stands: what runs or waits now, what was last, what comes next."""

    source_id = serializers.IntegerField(source="pk")
    list_name = serializers.CharField(source="list.name")
    state = serializers.ChoiceField(Standing.choices, source="standing")
    run = serializers.IntegerField(source="active", allow_null=True, help_text="the run that works or waits now")
    running_since = serializers.DateTimeField(source="now.started_at", default=None, allow_null=True)
    progress = serializers.IntegerField(source="now.progress", default=None, allow_null=True, help_text="per cent")
    attempt = serializers.IntegerField(
        source="now.attempt", default=None, allow_null=True, help_text="1; 2 to 4 are retries"
    )
    retry_at = serializers.DateTimeField(
        source="now.next_attempt_at",
        default=None,
        allow_null=True,
        help_text="when what failed is tried again, or goes on",
    )
    waits_for = serializers.CharField(
        source="now.waits_for", default="", help_text="the service that has put it off; empty: none has"
    )

    class Meta:
        model = Source
        fields = [
            "source_id", "name", "list", "list_name", "adapter", "state", "run", "running_since", "progress", "attempt",
            "retry_at", "waits_for", "paused", "failures", "last_run_at", "last_success_at", "next_sync_at", "interval_min", "enabled",
            "sync_enabled",
        ]  # fmt: skip


SORTS = {
    sort.key: sort
    for sort in [Sort("name", "By name", "name"), Sort("added", "First added first", "id")]
}  # fmt: skip


class SyncQuery(PageQuery):
    state = serializers.ChoiceField(Standing.choices, required=False)
    sort = sort_field(SORTS)

    def get_fields(self) -> dict[str, Any]:
        """A field called `list` would hide the builtin here."""
        return {**super().get_fields(), "list": id_field("id of a list", required=False)}


class Syncs(APIView):
    @operation("syncs", page_of(SyncStateSerializer), query=SyncQuery)
    def get(self, request: Request) -> Response:
        """Every source of your lists that is fetched: what runs, since when, and what comes next."""
        query = query_of(request, SyncQuery)
        wanted = {name: query[key] for name, key in (("list", "list"), ("standing", "state")) if key in query}
        page = sought(standings(request.user).filter(**wanted), SORTS[query["sort"]], query)
        shown = SyncStateSerializer(with_runs(page.rows), many=True)
        return Response({"results": shown.data, "next": page.next or None})
