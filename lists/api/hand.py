"""What people do to entries by hand: edit, add, remove, restore, give back, move."""

from typing import Any

from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lists import placing, services
from lists.api.entries import Entries, EntrySerializer, OneEntry
from lists.api.parts import (
    AT_ONCE,
    CHANGED,
    ID_MAX,
    StrictSerializer,
    as_seen,
    body_of,
    changed,
    editable_list,
    id_field,
    ids_field,
    item_named,
    made,
    operation,
    seen_of,
)
from lists.api.values import WrittenSerializer
from lists.exports import ids_of
from lists.fields import FIELDS
from lists.models import Entry, Item, MediaList
from lists.resolve import PRESENCE

NAMESPACES = 20  # ids that one entry may be added with


class EditSerializer(StrictSerializer):
    values = WrittenSerializer()


class AddSerializer(StrictSerializer):
    """values needs a title. ids: imdb "tt0113277", tmdb "movie/949" ... item: who it is, if you know it already."""

    values = WrittenSerializer()
    kind = serializers.ChoiceField(Item.Kind.choices, default=Item.Kind.MOVIE)
    ids = serializers.DictField(child=serializers.CharField(max_length=200), required=False)
    item = id_field("id of an item", required=False, allow_null=True)

    def validate_values(self, values: dict[str, Any]) -> dict[str, Any]:
        if not values.get("title"):
            raise serializers.ValidationError("An entry needs a title.")
        return values

    def validate_ids(self, ids: dict[str, str]) -> dict[str, str]:
        if len(ids) > NAMESPACES:
            raise serializers.ValidationError(f"Not more than {NAMESPACES} ids.")
        odd = [name[:40] for name in ids if not 0 < len(name) <= 40 or not name.isascii() or not name.isprintable()]
        if odd:
            raise serializers.ValidationError("The name of an id is a short word such as imdb.")
        return ids


class GiveBackSerializer(StrictSerializer):
    """fields: what the sources shall speak of again; presence: whether it is on the list."""

    def get_fields(self) -> dict[str, Any]:
        """Serializers have an attribute `fields` of their own."""
        names = serializers.ChoiceField([*FIELDS, PRESENCE])
        return {**super().get_fields(), "fields": serializers.ListField(child=names, min_length=1, max_length=100)}


class MoveSerializer(StrictSerializer):
    entries = ids_field("in the order in which they shall stand")
    place = serializers.IntegerField(min_value=1, max_value=2**31 - 1, help_text="of the first of them, from 1")


class OneEditSerializer(EditSerializer):
    entry = id_field()


class OneGivenBackSerializer(GiveBackSerializer):
    entry = id_field()


class BulkSerializer(StrictSerializer):
    """One of these at a time; what is done to all of them makes one version."""

    remove = ids_field("entries", required=False)
    restore = ids_field("entries", required=False)
    edit = serializers.ListField(child=OneEditSerializer(), min_length=1, max_length=AT_ONCE, required=False)
    give_back = serializers.ListField(child=OneGivenBackSerializer(), min_length=1, max_length=AT_ONCE, required=False)

    def validate(self, body: dict[str, Any]) -> dict[str, Any]:
        if len(body) != 1:
            raise serializers.ValidationError("Name one of remove, restore, edit and give_back. Nothing was changed.")
        ((name, rows),) = body.items()
        entries = [row["entry"] if isinstance(row, dict) else row for row in rows]
        if len(set(entries)) < len(entries):
            raise serializers.ValidationError({name: ["An entry is named twice."]})
        return body


class OrderSerializer(StrictSerializer):
    """source: as the first source says; field: by a field; hand: as it stands now."""

    mode = serializers.ChoiceField(MediaList.OrderMode.choices)
    field = serializers.ChoiceField(list(placing.FIELDS), required=False)

    def validate(self, body: dict[str, Any]) -> dict[str, Any]:
        if (body["mode"] == MediaList.OrderMode.FIELD) != ("field" in body):
            raise serializers.ValidationError({"field": ["Name a field with the mode field, and with no other."]})
        return body


def _there(entry_id: int) -> int:
    """The id out of an address, if a database can be asked for it. Raises Http404."""
    if entry_id > ID_MAX:
        raise Http404
    return entry_id


class EntriesByHand(Entries):
    @operation("entry_add", made("EntryAdded", entry=EntrySerializer()), body=AddSerializer, status=201, seen=True)
    def post(self, request: Request, list_id: int) -> Response:
        """Add an entry by hand. It stays whatever the sources say; one that was removed comes back with these values."""
        list_ = editable_list(request.user, list_id)
        body = body_of(request, AddSerializer)
        body["item"] = item_named(request.user, body["item"]) if body.get("item") else None
        with as_seen(request, list_):
            added = services.add_entry(list_, by=request.user, **body)
        list_.refresh_from_db(fields=["current"])
        version = list_.versions.defer("order").get(pk=list_.current_id or 0)
        entry = Entry.objects.select_related("item").get(pk=added.pk)
        return changed(list_, version, 201, entry=EntrySerializer(entry, context={"ids": ids_of([entry])}).data)


class OneEntryByHand(OneEntry):
    @operation("entry_change", CHANGED, body=EditSerializer, seen=True)
    def patch(self, request: Request, list_id: int, entry_id: int) -> Response:
        """Edit fields. An edited field shows the edit until a person gives it back, whatever the sources say.

        With If-Match it is refused (412) if somebody changed one of these fields since that version.
        """
        list_ = editable_list(request.user, list_id)
        values = body_of(request, EditSerializer)["values"]
        version = services.edit_entries(list_, {_there(entry_id): values}, by=request.user, seen=seen_of(request))
        return changed(list_, version)

    @operation("entry_remove", CHANGED, seen=True)
    def delete(self, request: Request, list_id: int, entry_id: int) -> Response:
        """Take the entry off the list. No sync or upload brings it back; restore does."""
        list_ = editable_list(request.user, list_id)
        version = services.remove_entries(list_, [_there(entry_id)], by=request.user, seen=seen_of(request))
        return changed(list_, version)


class RestoreEntry(APIView):
    @operation("entry_restore", CHANGED, seen=True)
    def post(self, request: Request, list_id: int, entry_id: int) -> Response:
        """Put an entry back with the values that it last showed, whatever the sources say."""
        list_ = editable_list(request.user, list_id)
        with as_seen(request, list_):
            version = services.restore_entries(list_, [_there(entry_id)], by=request.user)
        return changed(list_, version)


class GiveBack(APIView):
    @operation("entry_give_back", CHANGED, body=GiveBackSerializer, seen=True)
    def post(self, request: Request, list_id: int, entry_id: int) -> Response:
        """End the edits of some fields: they show what the sources say again."""
        list_ = editable_list(request.user, list_id)
        fields = body_of(request, GiveBackSerializer)["fields"]
        with as_seen(request, list_):
            version = services.give_back(list_, {_there(entry_id): fields}, by=request.user)
        return changed(list_, version)


class Move(APIView):
    @operation("entries_move", CHANGED, body=MoveSerializer, seen=True)
    def post(self, request: Request, list_id: int) -> Response:
        """Let entries stand one behind the other from a place on. The order is then the list's own."""
        list_ = editable_list(request.user, list_id)
        body = body_of(request, MoveSerializer)
        with as_seen(request, list_):
            version = services.move_entries(list_, body["entries"], by=request.user, place=body["place"])
        return changed(list_, version)


class Bulk(APIView):
    @operation("entries_bulk", CHANGED, body=BulkSerializer, seen=True)
    def post(self, request: Request, list_id: int) -> Response:
        """Do one thing to several entries, as one version: all of them or, if one cannot be, none."""
        list_ = editable_list(request.user, list_id)
        body = body_of(request, BulkSerializer)
        by, seen = request.user, seen_of(request)
        if "edit" in body:
            edits = {row["entry"]: row["values"] for row in body["edit"]}
            return changed(list_, services.edit_entries(list_, edits, by=by, seen=seen))
        if "remove" in body:
            return changed(list_, services.remove_entries(list_, body["remove"], by=by, seen=seen))
        with as_seen(request, list_):
            if "restore" in body:
                version = services.restore_entries(list_, body["restore"], by=by)
            else:
                given = {row["entry"]: row["fields"] for row in body["give_back"]}
                version = services.give_back(list_, given, by=by)
        return changed(list_, version)


class Order(APIView):
    @operation(
        "list_order",
        made("Ordered", order_mode=serializers.ChoiceField(MediaList.OrderMode.choices),
             order_field=serializers.CharField()),
        body=OrderSerializer,
        seen=True,
    )  # fmt: skip
    def put(self, request: Request, list_id: int) -> Response:
        """Say whose order the list has: its sources', a field's, or its own as it stands now."""
        list_ = editable_list(request.user, list_id)
        body = body_of(request, OrderSerializer)
        with as_seen(request, list_):
            version = services.set_order(list_, by=request.user, mode=body["mode"], field=body.get("field", ""))
        list_.refresh_from_db(fields=["order_mode", "order_field"])
        return changed(list_, version, order_mode=list_.order_mode, order_field=list_.order_field)
