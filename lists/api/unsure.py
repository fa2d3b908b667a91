"""Changes of a source that look unsure: each set as a whole. Its changes one by one are conflicts of their own."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lists import services
from lists.api.conflicts import ConflictSerializer, shown_conflicts
from lists.api.held import HeldQuery
from lists.api.parts import (
    BY_AGE,
    as_seen,
    changed,
    made,
    number_of,
    operation,
    page_answer,
    page_of,
    query_of,
    sought,
    tag,
)
from lists.errors import NotWaiting
from lists.models import MediaList, Proposal
from lists.waiting import unsure_for


def _result(name: str, help_text: str, kind: Any = serializers.IntegerField) -> Any:
    return kind(source=f"result.{name}", default=None, allow_null=True, help_text=help_text)


class UnsureSerializer(serializers.ModelSerializer[Proposal]):
    list_name = serializers.CharField(source="list.name")
    source_name = serializers.CharField(source="source.name", default="")
    confidence = _result("confidence", "of the whole, 0 to 1", serializers.FloatField)
    threshold = _result("threshold", "from which it would have been taken", serializers.FloatField)
    added = _result("added", "that would come")
    changed = _result("changed", "that would be told otherwise")
    removed = _result("removed", "that would leave")
    run = _result("run", "that brought it")
    taken = _result("taken", "changes that were decided for")
    kept = _result("kept", "changes that were decided against")
    decided_by = serializers.CharField(source="decided_by.username", default="")

    class Meta:
        model = Proposal
        fields = [
            "id", "list", "list_name", "source", "source_name", "state", "confidence", "threshold", "added", "changed",
            "removed", "run", "created_at", "taken", "kept", "decided_by", "decided_at",
        ]  # fmt: skip


class UnsureDetailSerializer(UnsureSerializer):
    """Context: conflicts, as the API shows them."""

    conflicts = serializers.SerializerMethodField(help_text="its changes that wait, each to be decided by itself")

    class Meta(UnsureSerializer.Meta):
        fields = [*UnsureSerializer.Meta.fields, "conflicts"]

    @extend_schema_field(ConflictSerializer(many=True))
    def get_conflicts(self, proposal: Proposal) -> list[dict[str, Any]]:
        return self.context["conflicts"]


UNSURE_DECIDED = made("UnsureDecided", state=serializers.ChoiceField(Proposal.State.choices))


class Unsure(APIView):
    @operation("unsure", page_of(UnsureSerializer), query=HeldQuery)
    def get(self, request: Request) -> Response:
        """Changes that look unsure, newest first: those that wait (state open) and what became of others."""
        query = query_of(request, HeldQuery)
        wanted = {name: query[name] for name in ("list", "state") if name in query}
        rows = unsure_for(request.user).filter(**wanted)
        return page_answer(sought(rows, BY_AGE[query["sort"]], query), UnsureSerializer)


class OneUnsure(APIView):
    @operation("unsure_change", UnsureDetailSerializer, tagged=True)
    def get(self, request: Request, unsure_id: int) -> Response:
        """One of them with every change that waits. Nothing of it stands on the list."""
        proposal = get_object_or_404(unsure_for(request.user), pk=unsure_id)
        waits = services.questions_of(proposal) if proposal.state == Proposal.State.OPEN else []
        answer = Response(UnsureDetailSerializer(proposal, context={"conflicts": shown_conflicts(waits)}).data)
        return tag(answer, number_of(proposal.list)) if proposal.list else answer


class DecideUnsure(APIView):
    choice = ""

    def decided(self, request: Request, pk: int) -> Response:
        proposal = get_object_or_404(unsure_for(request.user), pk=pk)
        list_ = proposal.list
        assert list_ is not None  # what waits, waits for a list
        if not list_.may_edit(request.user):
            raise PermissionDenied("You may look at this list but not change it. Nothing was decided.")
        with as_seen(request, list_):
            waits = services.questions_of(proposal) if proposal.state == Proposal.State.OPEN else []
            if not waits:
                raise NotWaiting("This does not wait any more. Nothing was changed.")
            versions = services.decide(waits, by=request.user, choice=self.choice)
        proposal.refresh_from_db(fields=["state"])
        return changed(MediaList.objects.get(pk=list_.pk), versions[-1] if versions else None, state=proposal.state)


class TakeUnsure(DecideUnsure):
    @operation("unsure_take", UNSURE_DECIDED, seen=True)
    def post(self, request: Request, unsure_id: int) -> Response:
        """Take every change that still waits, as one version."""
        self.choice = "take"
        return self.decided(request, unsure_id)


class KeepUnsure(DecideUnsure):
    @operation("unsure_keep", UNSURE_DECIDED, seen=True)
    def post(self, request: Request, unsure_id: int) -> Response:
        """Leave the list as it is; nobody is asked again while the source stands by the same changes."""
        self.choice = "keep"
        return self.decided(request, unsure_id)
