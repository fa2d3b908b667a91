"""Who is who: items, what was merged, and a wrong match put right."""

from typing import Any

from django.db.models import Q
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lists import search, services
from lists.api.parts import (
    BY_AGE,
    CHANGED,
    PageQuery,
    StrictSerializer,
    as_seen,
    body_of,
    changed,
    editable_list,
    id_field,
    ids_field,
    item_named,
    operation,
    page_answer,
    page_of,
    query_of,
    sort_field,
    sought,
)
from lists.models import Conflict, Entry, ExternalId, Item, Source
from lists.paging import Sort

SORTS = {sort.key: sort for sort in (Sort("title", "By title", "name"), *BY_AGE.values())}
SHOWN = 100  # ids, lists and merged items of one item


class ItemSerializer(serializers.ModelSerializer[Item]):
    merged_into = serializers.IntegerField(source="merged_into_id", allow_null=True)
    root = serializers.IntegerField(  # type: ignore[assignment] # the attribute is the instance's
        source="root_id", allow_null=True, help_text="the end of the merges; null: itself"
    )

    class Meta:
        model = Item
        fields = ["id", "kind", "title", "artist", "year", "merged_into", "root"]


class ExternalIdSerializer(serializers.ModelSerializer[ExternalId]):
    class Meta:
        model = ExternalId
        fields = ["namespace", "value"]


class StandsOnSerializer(serializers.ModelSerializer[Entry]):
    """A list that you may see and the entry by which it shows the item."""

    list_name = serializers.CharField(source="list.name")
    entry = serializers.IntegerField(source="id")

    class Meta:
        model = Entry
        fields = ["list", "list_name", "entry", "state", "title", "year"]


class ItemDetailSerializer(ItemSerializer):
    """ids, lists and merged are of all that was merged into it, too."""

    ids = serializers.SerializerMethodField()
    lists = serializers.SerializerMethodField()
    merged = serializers.SerializerMethodField()
    may_identify = serializers.SerializerMethodField(help_text="whether you may merge and split it")

    class Meta(ItemSerializer.Meta):
        fields = [*ItemSerializer.Meta.fields, "ids", "lists", "merged", "may_identify"]

    @extend_schema_field(ExternalIdSerializer(many=True))
    def get_ids(self, item: Item) -> Any:
        rows = ExternalId.objects.filter(Q(item=item) | Q(item__root=item)).order_by("id")
        return ExternalIdSerializer(rows[:SHOWN], many=True).data

    @extend_schema_field(StandsOnSerializer(many=True))
    def get_lists(self, item: Item) -> Any:
        mine = Entry.objects.for_user(self.context["user"])
        rows = mine.filter(Q(item=item) | Q(item__root=item)).select_related("list")
        return StandsOnSerializer(rows.order_by("list__name", "id")[:SHOWN], many=True).data

    @extend_schema_field(ItemSerializer(many=True))
    def get_merged(self, item: Item) -> Any:
        return ItemSerializer(Item.objects.filter(root=item).order_by("id")[:SHOWN], many=True).data

    def get_may_identify(self, item: Item) -> bool:
        return services.may_identify(self.context["user"], item)


class ItemQuery(PageQuery):
    q = serializers.CharField(
        max_length=200, help_text="a part of the title, or an id such as tt0113277, movie/949 or tmdb:movie/949"
    )
    kind = serializers.ChoiceField(Item.Kind.choices, default="", allow_blank=True)
    sort = sort_field(SORTS)


class MatchSerializer(StrictSerializer):
    """item: who it is; null: a thing of its own."""

    claims = ids_field("only what these claims say; left out: all of its sources", required=False)
    item = id_field("id of an item", allow_null=True)


class MergeSerializer(StrictSerializer):
    into = id_field("the item that stays")


def _answer(request: Request, pk: int) -> Response:
    item = get_object_or_404(Item.objects.for_user(request.user), pk=pk)
    return Response(ItemDetailSerializer(item, context={"user": request.user}).data)


def _meant(user: Any, entry: Entry, pk: int) -> Item:
    """An item that the user may hear of, or that a question about the entry offers. Raises ValidationError."""
    asked = entry.conflicts.filter(state__in=(Conflict.State.OPEN, Conflict.State.SKIPPED))
    offered = {option.get("item") for conflict in asked for option in conflict.options}
    return Item.objects.get(pk=pk) if pk in offered else item_named(user, pk)


class Items(APIView):
    @operation("items", page_of(ItemSerializer), query=ItemQuery)
    def get(self, request: Request) -> Response:
        """Films, shows and tracks that Listkeeper knows, by title or id. What was merged is found as what it is."""
        query = query_of(request, ItemQuery)
        found = Item.objects.for_user(request.user).filter(root__isnull=True)
        found = search.items_known_as(found, query["q"])
        if query["kind"]:
            found = found.filter(kind=query["kind"])
        return page_answer(sought(found, SORTS[query["sort"]], query), ItemSerializer)


class OneItem(APIView):
    @operation("item", ItemDetailSerializer)
    def get(self, request: Request, item_id: int) -> Response:
        """One item: its ids, the lists of yours that it stands on, and what was merged into it."""
        return _answer(request, item_id)


class MergeItem(APIView):
    @operation("item_merge", ItemDetailSerializer, body=MergeSerializer)
    def post(self, request: Request, item_id: int) -> Response:
        """Say that this item is the same thing as another. Split takes it back; ids, blocks and edits stay where they are.

        Each list that shows one of them gets a version of its own, with its next change at the latest.
        """
        item = get_object_or_404(Item.objects.for_user(request.user), pk=item_id)
        into = item_named(request.user, body_of(request, MergeSerializer)["into"], "into")
        services.merge_items(item, into, by=request.user)
        return _answer(request, item_id)


class SplitItem(APIView):
    @operation("item_split", ItemDetailSerializer)
    def post(self, request: Request, item_id: int) -> Response:
        """Say that this item is not what it was merged into; it is not merged with it again."""
        services.split_item(get_object_or_404(Item.objects.for_user(request.user), pk=item_id), by=request.user)
        return _answer(request, item_id)


class Match(APIView):
    @operation("entry_match", CHANGED, body=MatchSerializer, seen=True)
    def post(self, request: Request, list_id: int, entry_id: int) -> Response:
        """Put a wrong match right: what the sources list here is this item, and stays it in every sync to come."""
        list_ = editable_list(request.user, list_id)
        entry = get_object_or_404(Entry.objects.filter(list=list_), pk=entry_id)
        body = body_of(request, MatchSerializer)
        known = dict(entry.claims.order_by("id").values_list("id", "source__role"))
        feeds = [pk for pk, role in known.items() if role == Source.Role.FEED]
        claims = body.get("claims", feeds or list(known))
        if not set(claims) <= known.keys():
            raise serializers.ValidationError({"claims": ["One of these is no claim of this entry."]})
        item = _meant(request.user, entry, body["item"]) if body["item"] else None
        with as_seen(request, list_):
            version = services.pick(list_, claims, item, by=request.user)
        return changed(list_, version)
