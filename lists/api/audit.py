"""Who did what, and how often."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lists.api.parts import (
    BY_AGE,
    AgeQuery,
    Moment,
    id_field,
    operation,
    page_answer,
    page_of,
    query_of,
    sought,
)
from lists.audit import figures, wanted
from lists.models import Audit


class AuditSerializer(serializers.ModelSerializer[Audit]):
    actor = serializers.CharField(source="actor_name", help_text="as it was then; empty: the system")
    list = serializers.IntegerField(source="list_ref", allow_null=True, help_text="the list may be gone")

    class Meta:
        model = Audit
        fields = [
            "id", "at", "actor", "action", "object_type", "object_id", "object_name", "list", "version_number", "before",
            "after", "correlation_id",
        ]  # fmt: skip


class Filters(serializers.Serializer[Any]):
    action = serializers.CharField(max_length=40, required=False)
    object_type = serializers.CharField(max_length=40, required=False)
    object_id = serializers.CharField(max_length=40, required=False)
    actor = serializers.CharField(max_length=150, required=False, help_text="a user's name")

    def get_fields(self) -> dict[str, Any]:
        """`from` is a word of Python and cannot be the name of an attribute."""
        return {
            **super().get_fields(),
            "list": id_field("id of a list", required=False),
            "from": Moment(required=False),
            "to": Moment(required=False, until=True, help_text="a time, or a date for its last moment"),
        }


class AuditQuery(Filters, AgeQuery):
    pass


class FigureSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="of an actor: as it was then; empty: the system")
    count = serializers.IntegerField()
    first_at = serializers.DateTimeField()
    last_at = serializers.DateTimeField()


class DaySerializer(serializers.Serializer[Any]):
    day = serializers.DateField(help_text="in the site's time zone")
    count = serializers.IntegerField()


class FiguresSerializer(serializers.Serializer[Any]):
    """Groups: the largest first, 100 at most. Days: the first one first, the last 366 on which something was done."""

    total = serializers.IntegerField()
    by_action = FigureSerializer(many=True)
    by_object_type = FigureSerializer(many=True)
    by_actor = FigureSerializer(many=True)
    days = DaySerializer(many=True)

    def get_fields(self) -> dict[str, Any]:
        """`from` is a word of Python and cannot be the name of an attribute."""
        period = {"from": serializers.DateTimeField(source="start"), "to": serializers.DateTimeField(source="end")}
        return {**period, **super().get_fields()}


def _visible(request: Request) -> QuerySet[Audit]:
    return Audit.objects.for_user(request.user)


class AuditLog(APIView):
    @operation("audit", page_of(AuditSerializer), query=AuditQuery)
    def get(self, request: Request) -> Response:
        """What you did and what happened to your lists, newest first; staff see everything."""
        query = query_of(request, AuditQuery)
        rows = _visible(request).filter(**wanted(query))
        return page_answer(sought(rows, BY_AGE[query["sort"]], query), AuditSerializer)


class AuditStatistics(APIView):
    @operation("audit_statistics", FiguresSerializer, query=Filters)
    def get(self, request: Request) -> Response:
        """How often what was done, to what, by whom and on which day, of all that /audit/ shows you. With `actor`: what
        one person does. Without `from`: of the last 30 days."""
        return Response(FiguresSerializer(figures(_visible(request), query_of(request, Filters))).data)
