"""Services that are left alone, and having them asked again: for whoever runs this Listkeeper."""

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
    StrictSerializer,
    body_of,
    operation,
    page_answer,
    page_of,
    query_of,
    sought,
)
from sync.http import breaker
from sync.http.services import KNOWN
from sync.models import Breaker


class BreakerSerializer(serializers.ModelSerializer[Breaker]):
    class Meta:
        model = Breaker
        fields = [
            "id", "service", "state", "failures", "opened_at", "open_until", "opened_count", "reason", "last_failure_at",
            "last_failure_kind", "last_failure",
        ]  # fmt: skip


class BreakerQuery(AgeQuery):
    state = serializers.ChoiceField(Breaker.State.choices, required=False)


class ReasonSerializer(StrictSerializer):
    reason = serializers.CharField(max_length=200, required=False, allow_blank=True, help_text="shown to whoever waits")


class Breakers(APIView):
    @operation("breakers", page_of(BreakerSerializer), query=BreakerQuery)
    def get(self, request: Request) -> Response:
        """Services that were asked so far, and whether they are left alone. Hosts of single feeds are for staff."""
        query = query_of(request, BreakerQuery)
        rows = visible(request.user).filter(**({"state": query["state"]} if "state" in query else {}))
        return page_answer(sought(rows, BY_AGE[query["sort"]], query), BreakerSerializer)


class OpenBreaker(APIView):
    @operation("breaker_open", BreakerSerializer, body=ReasonSerializer)
    def post(self, request: Request, breaker_id: int) -> Response:
        """Have nobody ask a service until it is reset. For staff."""
        found = changeable(request.user, breaker_id)
        reason = body_of(request, ReasonSerializer).get("reason", "")
        return Response(BreakerSerializer(breaker.force_open(found.service, by=request.user, reason=reason)).data)


class ResetBreaker(APIView):
    @operation("breaker_reset", BreakerSerializer)
    def post(self, request: Request, breaker_id: int) -> Response:
        """Have a service asked again, as if it had never failed. For staff."""
        found = changeable(request.user, breaker_id)
        return Response(BreakerSerializer(breaker.reset(found.service, by=request.user)).data)


def visible(user: Any) -> QuerySet[Breaker]:
    return Breaker.objects.all() if user.is_staff else Breaker.objects.filter(service__in=KNOWN)


def changeable(user: Any, pk: int) -> Breaker:
    """Raises Http404, or PermissionDenied for who may only look."""
    found = get_object_or_404(visible(user), pk=pk)
    if not user.is_staff:
        raise PermissionDenied("Only staff may change this. Nothing was changed.")
    return found
