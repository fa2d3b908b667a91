"""What must not come: blocks of an item, an id or a title pattern."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet, prefetch_related_objects
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema_field, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lists import services
from lists.api.entries import EntrySerializer
from lists.api.parts import (
    BY_AGE,
    AgeQuery,
    StrictSerializer,
    body_of,
    editable_list,
    id_field,
    ids_field,
    item_named,
    operation,
    page_answer,
    page_of,
    query_of,
    sought,
    visible_list,
)
from lists.exports import ids_of
from lists.models import Block, Entry

SCOPES = [*services.SCOPES]


class BlockSerializer(serializers.ModelSerializer[Block]):
    scope = serializers.SerializerMethodField(help_text="list: one list; mine: all lists of its owner; all: every list")
    owner = serializers.CharField(
        source="owner.username", default=None, allow_null=True, help_text="of mine: whose lists"
    )
    item_title = serializers.CharField(source="item.title", default="", help_text="empty: no item is blocked")
    created_by = serializers.CharField(source="created_by.username", default="", help_text="empty: they are gone")

    class Meta:
        model = Block
        fields = [
            "id", "scope", "list", "owner", "item", "item_title", "namespace", "value", "pattern", "reason", "created_by",
            "created_at",
        ]  # fmt: skip

    @extend_schema_field(serializers.ChoiceField(SCOPES))
    def get_scope(self, block: Block) -> str:
        return "list" if block.list_id else "mine" if block.owner_id else "all"


class BlockedSerializer(StrictSerializer):
    """One of item, namespace with value, and pattern. pattern: of the title; * stands for anything, ? for one letter."""

    scope = serializers.ChoiceField(SCOPES)
    list = id_field("of scope list: its id", required=False)
    item = id_field("id of an item", required=False)
    namespace = serializers.CharField(max_length=40, required=False, help_text="imdb, tmdb ...")
    value = serializers.CharField(max_length=200, required=False, help_text="tt0113277, movie/949 ...")
    pattern = serializers.CharField(max_length=200, required=False)

    def validate(self, body: dict[str, Any]) -> dict[str, Any]:
        if (body["scope"] == "list") != ("list" in body):
            raise serializers.ValidationError({"list": ["Name a list with the scope list, and with no other."]})
        if ("namespace" in body) != ("value" in body):
            raise serializers.ValidationError({"value": ["An id is a namespace with a value."]})
        if sum(name in body for name in ("item", "value", "pattern")) != 1:
            raise serializers.ValidationError(
                "Name one of item, namespace with value, and pattern. Nothing was blocked."
            )
        return body


class NewBlockSerializer(BlockedSerializer):
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True)


class BlockEntriesSerializer(StrictSerializer):
    entries = ids_field("of the list")
    scope = serializers.ChoiceField(SCOPES, default="list", help_text="where they must not come")
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True)


class BlockQuery(AgeQuery):
    scope = serializers.ChoiceField(SCOPES, required=False)
    q = serializers.CharField(
        max_length=200, default="", allow_blank=True, help_text="in the title, id, pattern or reason"
    )


BY_SCOPE = {
    "list": Q(list__isnull=False),
    "mine": Q(owner__isnull=False),
    "all": Q(list__isnull=True, owner__isnull=True),
}
BLOCK_PAGE = page_of(BlockSerializer)
HITS = inline_serializer(
    "BlockHits",
    {
        "count": serializers.IntegerField(help_text="entries that are listed now and would be excluded"),
        "entries": EntrySerializer(many=True, help_text="the first of them"),
    },
)


def _shown(rows: QuerySet[Block]) -> QuerySet[Block]:
    return rows.select_related("item", "owner", "created_by")


def _page(request: Request, rows: QuerySet[Block]) -> Response:
    query = query_of(request, BlockQuery)
    if "scope" in query:
        rows = rows.filter(BY_SCOPE[query["scope"]])
    if text := query["q"]:
        said = Q(item__title__icontains=text) | Q(value=text) | Q(pattern__icontains=text) | Q(reason__icontains=text)
        rows = rows.filter(said)
    return page_answer(sought(_shown(rows), BY_AGE[query["sort"]], query), BlockSerializer)


def _wanted(request: Request, serializer: type[BlockedSerializer]) -> dict[str, Any]:
    """What the body names, for the services. Raises Http404 or PermissionDenied for a list or site of others."""
    body = body_of(request, serializer)
    pk = body.pop("list", None)
    if body["scope"] == "all" and not request.user.is_staff:
        raise PermissionDenied("Only staff may block for every list. Nothing was blocked.")
    if "item" in body:
        body["item"] = item_named(request.user, body["item"])
    return {**body, "by": request.user, "list_": editable_list(request.user, pk) if pk else None}


class Blocks(APIView):
    @operation("blocks", BLOCK_PAGE, query=BlockQuery)
    def get(self, request: Request) -> Response:
        """Your blocks, those of lists that you see, and the site's, newest first."""
        return _page(request, Block.objects.for_user(request.user))

    @operation("block_create", BlockSerializer, body=NewBlockSerializer, status=201)
    def post(self, request: Request) -> Response:
        """Block something. What it hits leaves the lists and is counted as excluded; its sources are not forgotten."""
        block = services.block(**_wanted(request, NewBlockSerializer))
        return Response(BlockSerializer(_shown(Block.objects.all()).get(pk=block.pk)).data, 201)


class BlockPreview(APIView):
    @operation("block_preview", HITS, body=BlockedSerializer)
    def post(self, request: Request) -> Response:
        """What a block would hit now. Nothing is blocked by this."""
        hits = services.would_hit(**_wanted(request, BlockedSerializer))
        rows: Any = hits.entries
        prefetch_related_objects(rows, "item")
        shown = EntrySerializer(rows, many=True, context={"ids": ids_of(rows)})
        return Response({"count": hits.count, "entries": shown.data})


class OneBlock(APIView):
    @operation("block", BlockSerializer)
    def get(self, request: Request, block_id: int) -> Response:
        """One block."""
        return Response(
            BlockSerializer(get_object_or_404(_shown(Block.objects.for_user(request.user)), pk=block_id)).data
        )

    @operation("block_delete", None, status=204)
    def delete(self, request: Request, block_id: int) -> Response:
        """Lift a block. What it kept away comes back without a fetch, if its sources still list it."""
        services.unblock(get_object_or_404(Block.objects.for_user(request.user), pk=block_id), by=request.user)
        return Response(status=204)


class BlocksOfList(APIView):
    @operation("list_blocks", BLOCK_PAGE, query=BlockQuery)
    def get(self, request: Request, list_id: int) -> Response:
        """Every block that holds for the list: its own, its owner's and the site's, newest first."""
        return _page(request, services.blocks_of(visible_list(request.user, list_id)))


class BlockEntries(APIView):
    @operation(
        "entries_block", inline_serializer("BlockedEntries", {"blocks": BlockSerializer(many=True)}),
        body=BlockEntriesSerializer, status=201,
    )  # fmt: skip
    def post(self, request: Request, list_id: int) -> Response:
        """Block several entries at once: each its item, else the first id that is stated of it, else its title. What is
        blocked already is passed over. They leave, and return when the blocks are lifted."""
        list_ = editable_list(request.user, list_id)
        body = body_of(request, BlockEntriesSerializer)
        if body["scope"] == "all" and not request.user.is_staff:
            raise PermissionDenied("Only staff may block for every list. Nothing was blocked.")
        entries = body.pop("entries")
        if Entry.objects.filter(list=list_, pk__in=entries).count() < len(set(entries)):
            raise serializers.ValidationError({"entries": ["One of these is no entry of the list."]})
        made = services.block_entries(list_, entries, by=request.user, **body)
        rows = _shown(Block.objects.filter(pk__in=[block.pk for block in made])).order_by("id")
        return Response({"blocks": BlockSerializer(rows, many=True).data}, 201)
