"""Asking for what the sources of a list have now."""

from collections.abc import Iterable
from typing import Any

from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lists.api.parts import StrictSerializer, body_of, editable_list, operation
from lists.models import Source
from sync import runs
from sync.adapters import is_fetched
from sync.definitions import NothingToFetch
from sync.errors import Busy


class SyncSerializer(StrictSerializer):
    force = serializers.BooleanField(default=False, help_text="also if it was fetched a moment ago")
    priority = serializers.IntegerField(
        min_value=1, max_value=10, default=6, help_text="of its runs; a higher one is started first"
    )


class TooSoonSerializer(serializers.Serializer[Any]):
    """A source that was fetched a moment ago."""

    source = serializers.IntegerField()  # type: ignore[assignment] # the attribute is the instance's
    until = serializers.DateTimeField(help_text="from then on it is fetched without force")


class NotReadSerializer(serializers.Serializer[Any]):
    """A source that cannot be read now."""

    source = serializers.IntegerField()  # type: ignore[assignment] # the attribute is the instance's
    message = serializers.CharField(help_text="why, and what to do")


class SyncAskedSerializer(serializers.Serializer[Any]):
    """What became of the request, source by source."""

    runs = serializers.ListField(child=serializers.IntegerField(), help_text="ids of the runs that wait now")
    busy = serializers.ListField(
        child=serializers.IntegerField(), help_text="ids of runs that waited or worked already"
    )
    skipped = TooSoonSerializer(many=True)
    refused = NotReadSerializer(many=True)


SYNC_ASKED = {200: SyncAskedSerializer, 202: SyncAskedSerializer}


def _sync(request: Request, sources: Iterable[Source]) -> Response:
    """Ask for a run of each source: 202 if one was queued, 200 if some are left alone because they were read a moment ago.
    Raises what spoke against the first if nothing else came of it."""
    runs_, busy, skipped, refused = [], [], [], []
    failures: list[Exception] = []
    for source, asked in runs.request_each(sources, by=request.user, **body_of(request, SyncSerializer)):
        if isinstance(asked, Exception):
            failures.append(asked)
            if isinstance(asked, Busy):
                busy.append(asked.run.pk)
            else:
                refused.append({"source": source.pk, "message": str(asked)})
        elif asked.run is None:
            skipped.append({"source": source.pk, "until": asked.skipped_until})
        else:
            runs_.append(asked.run.pk)
    if failures and not runs_ and not skipped:
        raise failures[0]
    answer = {"runs": runs_, "busy": busy, "skipped": skipped, "refused": refused}
    return Response(SyncAskedSerializer(answer).data, 202 if runs_ else 200)


class SyncList(APIView):
    @operation("list_sync", SYNC_ASKED, body=SyncSerializer)
    def post(self, request: Request, list_id: int) -> Response:
        """Bring every enabled source of the list up to date that is fetched; one run for each."""
        list_ = editable_list(request.user, list_id)
        enabled = Source.objects.filter(list=list_, removed_at=None, enabled=True)
        sources = [source for source in enabled if is_fetched(source)]
        if not sources:
            raise NothingToFetch("None of its sources is fetched. Nothing was read. Upload a newer file to renew it.")
        return _sync(request, sources)


class SyncSource(APIView):
    @operation("source_sync", SYNC_ASKED, body=SyncSerializer)
    def post(self, request: Request, list_id: int, source_id: int) -> Response:
        """Bring one source up to date. Within its minimum gap it is left alone (200, skipped), unless forced."""
        list_ = editable_list(request.user, list_id)
        return _sync(request, [get_object_or_404(Source.objects.filter(list=list_, removed_at=None), pk=source_id)])
