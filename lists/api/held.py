"""Removals that the guard held: what would leave, and the decision about it."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lists import services
from lists.api.entries import EntrySerializer
from lists.api.parts import (
    BY_AGE,
    AgeQuery,
    PageQuery,
    StrictSerializer,
    as_seen,
    body_of,
    changed,
    id_field,
    ids_field,
    made,
    number_of,
    operation,
    page_answer,
    page_of,
    query_of,
    sought,
    tag,
)
from lists.browse import SORTS
from lists.exports import ids_of
from lists.models import MediaList, Proposal, Version
from lists.waiting import held_for


def _result(name: str, help_text: str) -> serializers.IntegerField:
    return serializers.IntegerField(source=f"result.{name}", default=None, allow_null=True, help_text=help_text)


class HeldSerializer(serializers.ModelSerializer[Proposal]):
    list_name = serializers.CharField(source="list.name")
    source_name = serializers.CharField(source="source.name", default="")
    count = serializers.SerializerMethodField(help_text="entries that would leave")
    supported = _result("supported", "entries that the source had before")
    explanation = serializers.CharField(source="result.explanation", default="", help_text="what it looks like")
    run = _result("run", "that found them missing")
    decided_by = serializers.CharField(source="decided_by.username", default="")
    left = _result("left", "that left by the decision")
    kept = _result("kept", "that the list keeps")
    stayed = _result("stayed", "that were to leave and are still there: something else lists them by now")

    class Meta:
        model = Proposal
        fields = [
            "id", "list", "list_name", "source", "source_name", "state", "count", "supported", "explanation", "run",
            "created_at", "decided_by", "decided_at", "left", "kept", "stayed",
        ]  # fmt: skip

    def get_count(self, proposal: Proposal) -> int:
        return len(proposal.result.get("entries", ()))


class HeldDetailSerializer(HeldSerializer):
    """Context: page, its entries, and ids, what ids_of() says of them."""

    entries = serializers.SerializerMethodField()

    class Meta(HeldSerializer.Meta):
        fields = [*HeldSerializer.Meta.fields, "entries"]

    @extend_schema_field(page_of(EntrySerializer))
    def get_entries(self, proposal: Proposal) -> dict[str, Any]:
        page = self.context["page"]
        shown = EntrySerializer(page.rows, many=True, context={"ids": ids_of(page.rows)})
        return {"results": shown.data, "next": page.next or None}


class HeldQuery(AgeQuery):
    state = serializers.ChoiceField(Proposal.State.choices, required=False)

    def get_fields(self) -> dict[str, Any]:
        """A field called `list` would hide the builtin here."""
        return {**super().get_fields(), "list": id_field("id of a list", required=False)}


class ApplySerializer(StrictSerializer):
    entries = ids_field("only these leave, and the list keeps the others; left out: all leave", required=False)


HELD_DECIDED = made(
    "HeldDecided",
    state=serializers.ChoiceField(Proposal.State.choices),
    **{name: serializers.IntegerField() for name in ("left", "kept", "stayed")},
)


def decidable(user: Any, pk: int) -> tuple[Proposal, MediaList]:
    """Raises Http404, or PermissionDenied for who may only look."""
    proposal = get_object_or_404(held_for(user), pk=pk)
    assert proposal.list is not None  # what was held was held of a list
    if not proposal.list.may_edit(user):
        raise PermissionDenied("You may look at this list but not change it. Nothing was removed.")
    return proposal, proposal.list


def _decided(proposal: Proposal, list_: MediaList, version: Version | None) -> Response:
    proposal.refresh_from_db(fields=["state", "result"])
    counts = {name: proposal.result.get(name, 0) for name in ("left", "kept", "stayed")}
    return changed(list_, version, state=proposal.state, **counts)


class Held(APIView):
    @operation("held", page_of(HeldSerializer), query=HeldQuery)
    def get(self, request: Request) -> Response:
        """Removals that were held back, newest first: those that wait (state open) and what became of others."""
        query = query_of(request, HeldQuery)
        wanted = {name: query[name] for name in ("list", "state") if name in query}
        return page_answer(
            sought(held_for(request.user).filter(**wanted), BY_AGE[query["sort"]], query), HeldSerializer
        )


class OneHeld(APIView):
    @operation("held_change", HeldDetailSerializer, query=PageQuery, tagged=True)
    def get(self, request: Request, held_id: int) -> Response:
        """One held change with every entry that would leave, in list order. Nothing of it has left."""
        proposal = get_object_or_404(held_for(request.user), pk=held_id)
        entries = services.held_entries(proposal).select_related("item").defer("search", "origins")
        page = sought(entries, SORTS["order"], query_of(request, PageQuery))
        answer = Response(HeldDetailSerializer(proposal, context={"page": page}).data)
        return tag(answer, number_of(proposal.list)) if proposal.list else answer


class Apply(APIView):
    @operation("held_apply", HELD_DECIDED, body=ApplySerializer, seen=True)
    def post(self, request: Request, held_id: int) -> Response:
        """Let them leave: all of them, or the chosen ones, and the list keeps the others."""
        proposal, list_ = decidable(request.user, held_id)
        entries = body_of(request, ApplySerializer).get("entries")
        with as_seen(request, list_):
            version = services.apply_held(proposal, by=request.user, entries=entries)
        return _decided(proposal, list_, version)


class Keep(APIView):
    @operation("held_keep", HELD_DECIDED, seen=True)
    def post(self, request: Request, held_id: int) -> Response:
        """Keep them all, as entries of the list itself; nobody is asked again about them."""
        proposal, list_ = decidable(request.user, held_id)
        with as_seen(request, list_):
            version = services.keep_held(proposal, by=request.user)
        return _decided(proposal, list_, version)
