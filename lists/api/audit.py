"""Who did what."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lists.api.parts import NEWEST, Moment, PageQuery, operation, page_answer, page_of, query_of, sought
from lists.audit import wanted
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


class AuditQuery(PageQuery):
    action = serializers.CharField(max_length=40, required=False)
    object_type = serializers.CharField(max_length=40, required=False)
    object_id = serializers.CharField(max_length=40, required=False)
    actor = serializers.CharField(max_length=150, required=False, help_text="a user's name")

    def get_fields(self) -> dict[str, Any]:
        """`from` is a word of Python and cannot be the name of an attribute."""
        return {
            **super().get_fields(),
            "list": serializers.IntegerField(
                min_value=1, max_value=2**63 - 1, required=False, help_text="id of a list"
            ),
            "from": Moment(required=False),
            "to": Moment(required=False, until=True, help_text="a time, or a date for its last moment"),
        }


class AuditLog(APIView):
    @operation("audit", page_of(AuditSerializer), query=AuditQuery)
    def get(self, request: Request) -> Response:
        """What you did and what happened to your lists, newest first; staff see everything."""
        query = query_of(request, AuditQuery)
        rows = Audit.objects.for_user(request.user).filter(**wanted(query))
        return page_answer(sought(rows, NEWEST, query), AuditSerializer)
