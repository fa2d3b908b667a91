"""Back to an earlier version, and what such a rollback still holds."""

from typing import Any

from django.db.models import Sum
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lists import services
from lists.api.parts import (
    AT_ONCE,
    CHANGED,
    PlaceQuery,
    StrictSerializer,
    as_seen,
    body_of,
    changed,
    editable_list,
    ids_field,
    made,
    operation,
    placed_answer,
    places_of,
    query_of,
    seen_of,
    visible_list,
)
from lists.api.versions import COUNTS, version_of


class RollbackSerializer(StrictSerializer):
    entries = ids_field("only these; left out: the whole list", required=False)
    dry_run = serializers.BooleanField(default=False, help_text="only say what it would do")


class ReleaseSerializer(StrictSerializer):
    entries = ids_field("only these; left out: the whole list", required=False)


class MissingSerializer(serializers.Serializer[Any]):
    """What the version showed and the list will not, and why."""

    entry = serializers.IntegerField()
    title = serializers.CharField()
    year = serializers.IntegerField(allow_null=True)
    reason = serializers.CharField()


class HeldBackSerializer(serializers.Serializer[Any]):
    rollback_to = serializers.IntegerField(help_text="number of the version that was rolled back to")
    edits = serializers.IntegerField(help_text="values that it holds against the sources")


ROLLED_BACK = made(
    "RolledBack",
    counts=inline_serializer("RollbackCounts", {name: serializers.IntegerField() for name in COUNTS}),
    missing=MissingSerializer(many=True, help_text=f"the first {AT_ONCE} of them"),
    missing_count=serializers.IntegerField(),
    other_kind_count=serializers.IntegerField(
        help_text="entries that keep the kind (film, show) which their sources state today, not that of the version"
    ),
)


class Rollback(APIView):
    @operation("rollback", ROLLED_BACK, body=RollbackSerializer, seen=True)
    def post(self, request: Request, list_id: int, number: int) -> Response:
        """Make the list show what an earlier version showed, as a new version; forward again goes the same way.

        Hand edits come back as they were then. What came from sources is held until they say something new. `missing`
        is what the version showed and the blocks and merges of today keep away.
        """
        list_ = editable_list(request.user, list_id)
        to = version_of(list_, number)
        body = body_of(request, RollbackSerializer)
        entries = body.get("entries")
        with as_seen(request, list_):
            preview = services.preview_rollback(list_, to, entries=entries)
        version = None
        if not body["dry_run"]:
            version = services.rollback(list_, to, by=request.user, entries=entries, seen=seen_of(request))
        counts = preview.counts
        if version is not None:  # what was done, should somebody have written in between; of all its parts
            done = list_.versions.filter(correlation_id=version.correlation_id)
            counts = done.aggregate(**{name: Sum(name) for name in COUNTS})
        missing = MissingSerializer(preview.missing[:AT_ONCE], many=True).data
        return changed(
            list_, version, counts=counts, missing=missing, missing_count=len(preview.missing),
            other_kind_count=preview.other_kind,
        )  # fmt: skip


class HeldBack(APIView):
    @operation("held_back", places_of(HeldBackSerializer), query=PlaceQuery)
    def get(self, request: Request, list_id: int) -> Response:
        """What rollbacks hold against the sources' word, by the version that was rolled back to."""
        held = services.held_by_rollback(visible_list(request.user, list_id))
        rows = [{"rollback_to": number, "edits": held[number]} for number in sorted(held)]
        return placed_answer(rows, query_of(request, PlaceQuery), HeldBackSerializer)


class Release(APIView):
    @operation("release", CHANGED, body=ReleaseSerializer, seen=True)
    def post(self, request: Request, list_id: int) -> Response:
        """Let the sources speak again where a rollback holds what they said before. Hand edits stay."""
        list_ = editable_list(request.user, list_id)
        entries = body_of(request, ReleaseSerializer).get("entries")
        with as_seen(request, list_):
            version = services.release(list_, by=request.user, entries=entries)
        return changed(list_, version)
