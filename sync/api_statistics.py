"""Figures and trends of runs."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lists.api.parts import id_field, operation, query_of
from sync import statistics
from sync.models import Run


class CommonErrorSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()
    count = serializers.IntegerField()
    last_at = serializers.DateTimeField()


class RunFiguresSerializer(serializers.Serializer[Any]):
    """Runs that ended in the last days. Averages are of those that brought something; null: nothing was measured."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    total = serializers.IntegerField()
    completed = serializers.IntegerField()
    partial = serializers.IntegerField()  # type: ignore[assignment] # the attribute is the instance's
    failed = serializers.IntegerField()
    cancelled = serializers.IntegerField()
    interrupted = serializers.IntegerField()
    items = serializers.IntegerField(help_text="rows read")
    average_items = serializers.FloatField(allow_null=True)
    average_ms = serializers.FloatField(allow_null=True)
    peak_items_per_s = serializers.FloatField(allow_null=True)
    error_rate = serializers.FloatField(
        allow_null=True, help_text="share of failed ones among completed, partial and failed, 0 to 1"
    )
    errors = CommonErrorSerializer(many=True)  # type: ignore[assignment] # as above


class HourSerializer(serializers.Serializer[Any]):
    hour = serializers.DateTimeField(help_text="its beginning, in UTC")
    runs = serializers.IntegerField()
    average_ms = serializers.FloatField(allow_null=True)
    items_per_s = serializers.FloatField(allow_null=True, help_text="average over its runs")


class RunTrendsSerializer(serializers.Serializer[Any]):
    """hours: those in which runs brought something, the first one first."""

    hours = HourSerializer(many=True)


class PeriodQuery(serializers.Serializer[Any]):
    """A class for each: the schema names the default."""

    days = serializers.IntegerField(min_value=1, max_value=statistics.DAYS_MOST, default=statistics.DAYS)

    def get_fields(self) -> dict[str, Any]:
        """A field called `list` would hide the builtin here."""
        return {**super().get_fields(), "list": id_field("id of a list; left out: all of yours", required=False)}


class HourlyQuery(PeriodQuery):
    days = serializers.IntegerField(min_value=1, max_value=statistics.HOURLY_DAYS_MOST, default=statistics.HOURLY_DAYS)


def _runs(request: Request, query: dict[str, Any]) -> QuerySet[Run]:
    found = Run.objects.for_user(request.user)
    return found.filter(list=query["list"]) if "list" in query else found


class RunStatistics(APIView):
    @operation("run_statistics", RunFiguresSerializer, query=PeriodQuery)
    def get(self, request: Request) -> Response:
        """Figures of the last days: how many runs, how they ended, how long they took, and the commonest errors."""
        query = query_of(request, PeriodQuery)
        found = statistics.figures(_runs(request, query), days=query["days"], now=timezone.now())
        return Response(RunFiguresSerializer(found).data)


class RunTrends(APIView):
    @operation("run_trends", RunTrendsSerializer, query=HourlyQuery)
    def get(self, request: Request) -> Response:
        """Duration and speed, hour by hour."""
        query = query_of(request, HourlyQuery)
        hours = statistics.hourly(_runs(request, query), days=query["days"], now=timezone.now())
        return Response(RunTrendsSerializer({"hours": hours}).data)
