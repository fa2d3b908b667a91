"""Many lists brought up to date by one request."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lists.api.parts import (
    BY_AGE,
    AgeQuery,
    PageQuery,
    StrictSerializer,
    body_of,
    ids_field,
    operation,
    page_answer,
    page_of,
    query_of,
    sort_field,
    sought,
)
from lists.models import MediaList
from lists.paging import Sort
from sync import batches
from sync.models import Batch, BatchPart

MOST_AT_A_TIME = 64


class NewBatchSerializer(StrictSerializer):
    lists = ids_field("the lists; every source of theirs that is fetched is read")
    strategy = serializers.ChoiceField(Batch.Strategy.choices, default=Batch.Strategy.PARALLEL)
    limit = serializers.IntegerField(
        min_value=1, max_value=MOST_AT_A_TIME, default=10, help_text="runs at a time, at most; sequential: 1"
    )
    stop_on_failure = serializers.BooleanField(default=False, help_text="start nothing more once one has failed")
    force = serializers.BooleanField(default=False, help_text="also what was read a moment ago")
    priorities = serializers.DictField(
        child=serializers.IntegerField(min_value=1, max_value=10), required=False,
        help_text="by the id of a list, 1 to 10; a list that is not named gets its own by how often it is read",
    )  # fmt: skip

    def validate_priorities(self, given: dict[str, int]) -> dict[int, int]:
        if not all(key.isascii() and key.isdigit() and len(key) < 20 for key in given):
            raise serializers.ValidationError("Its names are ids of lists.")
        return {int(key): value for key, value in given.items()}


class BatchSerializer(serializers.ModelSerializer[Batch]):
    """A batch: its parts are the sources of its lists. counts: how many parts are in which state."""

    requested_by = serializers.CharField(source="requested_by_name")
    done = serializers.IntegerField(help_text="per cent of its parts that have ended")
    total = serializers.IntegerField()
    waiting = serializers.IntegerField(source="parts_waiting")
    running = serializers.IntegerField(
        source="parts_running", help_text="at work, in line, or waiting to be tried again"
    )
    completed = serializers.IntegerField(source="parts_completed")
    failed = serializers.IntegerField(source="parts_failed")
    skipped = serializers.IntegerField(source="parts_skipped", help_text="left alone; `note` of a part says why")
    cancelled = serializers.IntegerField(source="parts_cancelled")

    class Meta:
        model = Batch
        fields = [
            "id", "state", "strategy", "limit", "width", "hanging", "stop_on_failure", "force", "requested_by", "created_at",
            "cancelled_at", "finished_at", "done", "total", "waiting", "running", "completed", "failed", "skipped",
            "cancelled",
        ]  # fmt: skip


class BatchDetailSerializer(BatchSerializer):
    """conflicts: kind -> how many questions came up while its runs worked."""

    conflicts = serializers.SerializerMethodField()

    class Meta(BatchSerializer.Meta):
        fields = [*BatchSerializer.Meta.fields, "conflicts"]

    def get_conflicts(self, batch: Batch) -> dict[str, int]:
        return batches.conflicts(batch)


class PartSerializer(serializers.ModelSerializer[BatchPart]):
    class Meta:
        model = BatchPart
        fields = ["place", "priority", "state", "note", "list", "list_name", "source", "source_name", "run"]
        extra_kwargs = {"source": {"source": "source_id"}}


def batches_of(user: Any) -> QuerySet[Batch]:
    return Batch.objects.for_user(user).counted()


def answer(user: Any, pk: int, status: int = 200) -> Response:
    return Response(BatchDetailSerializer(get_object_or_404(batches_of(user), pk=pk)).data, status)


def lists_to_sync(user: Any, pks: list[int]) -> list[MediaList]:
    """In the order given, each once. Raises ValidationError for one that is not there, PermissionDenied for one that the
    user may only look at."""
    found = MediaList.objects.for_user(user).in_bulk(pks)
    missing = [pk for pk in pks if pk not in found]
    if missing:
        raise serializers.ValidationError({"lists": [f"There is no list {missing[0]}."]})
    lists = [found[pk] for pk in dict.fromkeys(pks)]
    for list_ in lists:
        if not list_.may_edit(user):
            raise PermissionDenied(f"You may look at {list_} but not sync it. Nothing was started.")
    return lists


class Batches(APIView):
    @operation("batches", page_of(BatchSerializer), query=AgeQuery)
    def get(self, request: Request) -> Response:
        """Batches that you asked for, newest first."""
        query = query_of(request, AgeQuery)
        return page_answer(sought(batches_of(request.user), BY_AGE[query["sort"]], query), BatchSerializer)

    @operation("batch_create", BatchDetailSerializer, body=NewBatchSerializer, status=202)
    def post(self, request: Request) -> Response:
        """Sync many lists. The answer comes at once and names the batch; ask for it until its state is not running."""
        body = body_of(request, NewBatchSerializer)
        lists = lists_to_sync(request.user, body.pop("lists"))
        return answer(request.user, batches.start(lists, by=request.user, **body).pk, 202)


class OneBatch(APIView):
    @operation("batch", BatchDetailSerializer)
    def get(self, request: Request, batch_id: int) -> Response:
        """One batch: how far it is, or how it ended."""
        return answer(request.user, batch_id)


PLACES = {"place": Sort("place", "As they are started", "place")}


class PartQuery(PageQuery):
    state = serializers.ChoiceField(BatchPart.State.choices, required=False)
    sort = sort_field(PLACES)


class Parts(APIView):
    @operation("batch_parts", page_of(PartSerializer), query=PartQuery)
    def get(self, request: Request, batch_id: int) -> Response:
        """The parts of a batch, source by source, each with its run and how it went."""
        query = query_of(request, PartQuery)
        batch = get_object_or_404(Batch.objects.for_user(request.user), pk=batch_id)
        rows = batch.parts.filter(**({"state": query["state"]} if "state" in query else {}))
        return page_answer(sought(rows, PLACES[query["sort"]], query), PartSerializer)


class CancelBatch(APIView):
    @operation("batch_cancel", BatchDetailSerializer)
    def post(self, request: Request, batch_id: int) -> Response:
        """Start nothing more, and stop what runs. What was brought in stays."""
        batch = get_object_or_404(Batch.objects.for_user(request.user), pk=batch_id)
        return answer(request.user, batches.cancel(batch, by=request.user).pk)
