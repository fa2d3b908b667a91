"""Entries of a list: what it shows, where each field comes from, and what every source says."""

from typing import Any

from django.db.models import Q
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lists.api.parts import PageQuery, operation, page_answer, page_of, query_of, sought, visible_list
from lists.browse import SORTS, Wish, matching
from lists.exports import ids_of
from lists.fields import FIELDS, Field
from lists.models import Claim, Edit, Entry, Item, MediaList, Provenance

SHOWN = 100  # claims, edits and provenance rows of one entry


_FIELD_OF: dict[str, type[serializers.Field[Any, Any, Any, Any]]] = {
    "int": serializers.IntegerField,
    "float": serializers.FloatField,
}


def _field(spec: Field) -> serializers.Field[Any, Any, Any, Any]:
    if spec.type == "list":
        return serializers.ListField(child=serializers.CharField(), required=False, help_text=spec.label)
    return _FIELD_OF.get(spec.type, serializers.CharField)(required=False, help_text=spec.label)


class ValuesBase(serializers.Serializer[Any]):
    """What is shown, by field; a field that shows nothing is left out."""


# The vocabulary of lists/fields.py is the schema: a new field is in the API without another word.
ValuesSerializer = type("ValuesSerializer", (ValuesBase,), {name: _field(spec) for name, spec in FIELDS.items()})


class EntrySerializer(serializers.Serializer[Entry]):
    id = serializers.IntegerField()
    item = serializers.IntegerField(source="item_id", allow_null=True, help_text="who it is; null: nobody knows yet")
    kind = serializers.ChoiceField(Item.Kind.choices)
    state = serializers.ChoiceField(Entry.State.choices)
    reason = serializers.CharField(help_text="why it is removed or excluded")
    ids = serializers.SerializerMethodField()
    first_listed_at = serializers.DateTimeField()
    values = ValuesSerializer()

    @extend_schema_field(serializers.DictField(child=serializers.CharField()))
    def get_ids(self, entry: Entry) -> dict[str, str]:
        return self.context["ids"].get(entry.pk, {})


class OriginSerializer(serializers.Serializer[Any]):
    field = serializers.CharField()
    by_hand = serializers.BooleanField()
    source = serializers.IntegerField(allow_null=True)  # type: ignore[assignment] # the attribute is the instance's
    source_name = serializers.CharField()


class ClaimSerializer(serializers.ModelSerializer[Claim]):
    """What one source says of the entry now."""

    source_name = serializers.CharField(source="source.name")
    since = serializers.DateTimeField(source="first_at")

    class Meta:
        model = Claim
        fields = ["source", "source_name", "key", "position", "since", "missing_since", "ids", "values"]


class EditSerializer(serializers.ModelSerializer[Edit]):
    """What a person wants of one field."""

    class Meta:
        model = Edit
        fields = ["field", "value", "firm", "author_name", "made_at"]


class ProvenanceSerializer(serializers.ModelSerializer[Provenance]):
    """Which list and source once brought the item, with the names of then."""

    class Meta:
        model = Provenance
        fields = ["origin", "list", "list_name", "source", "source_name", "first_at", "last_at"]


class EntryDetailSerializer(EntrySerializer):
    origins = serializers.SerializerMethodField()
    claims = serializers.SerializerMethodField()
    edits = serializers.SerializerMethodField()
    provenance = serializers.SerializerMethodField()

    @extend_schema_field(OriginSerializer(many=True))
    def get_origins(self, entry: Entry) -> Any:
        names = self.context["sources"]
        found = [(name, entry.origin_of(name)) for name in FIELDS]
        return [
            {
                "field": name,
                "by_hand": origin == "hand",
                "source": origin if isinstance(origin, int) else None,
                "source_name": names.get(origin, ""),
            }
            for name, origin in found
            if origin is not None
        ]

    @extend_schema_field(ClaimSerializer(many=True))
    def get_claims(self, entry: Entry) -> Any:
        claims = (
            entry.claims.filter(source__removed_at=None).select_related("source").order_by("source__priority", "id")
        )
        return ClaimSerializer(claims.defer("digest", "source__address")[:SHOWN], many=True).data

    @extend_schema_field(EditSerializer(many=True))
    def get_edits(self, entry: Entry) -> Any:
        return EditSerializer(entry.edits.order_by("field")[:SHOWN], many=True).data

    @extend_schema_field(ProvenanceSerializer(many=True))
    def get_provenance(self, entry: Entry) -> Any:
        if entry.item_id is None:
            return []
        return ProvenanceSerializer(_provenance(entry, self.context["user"])[:SHOWN], many=True).data


def _provenance(entry: Entry, user: Any) -> Any:
    """Rows of lists that the user may see: the names of others' lists are no one else's business."""
    rows = Provenance.objects.filter(item=entry.item_id).order_by("first_at", "id")
    if user.is_staff:
        return rows
    return rows.filter(Q(list=entry.list_id) | Q(list__in=MediaList.objects.for_user(user).values("pk")))


class EntryQuery(PageQuery):
    q = serializers.CharField(
        max_length=200, default="", allow_blank=True, help_text="in title, original title, artist"
    )
    kind = serializers.ChoiceField(Item.Kind.choices, default="", allow_blank=True)
    genre = serializers.CharField(max_length=100, default="", allow_blank=True, help_text="the whole genre")
    year = serializers.IntegerField(min_value=1000, max_value=2999, required=False)
    year_from = serializers.IntegerField(min_value=1000, max_value=2999, required=False)
    year_to = serializers.IntegerField(min_value=1000, max_value=2999, required=False)
    sort = serializers.ChoiceField([(sort.key, sort.label) for sort in SORTS.values()], default="order")


def _wish(query: dict[str, Any]) -> Wish:
    return Wish(
        q=query["q"],
        kind=query["kind"],
        genre=query["genre"].replace("|", "/"),
        year_from=query.get("year_from", query.get("year")),
        year_to=query.get("year_to", query.get("year")),
        sort=query["sort"],
    )


class Entries(APIView):
    @operation("entries", page_of(EntrySerializer), query=EntryQuery)
    def get(self, request: Request, list_id: int) -> Response:
        """What the list shows, in its own order or another."""
        list_ = visible_list(request.user, list_id)
        query = query_of(request, EntryQuery)
        wish = _wish(query)
        page = sought(matching(list_, wish), SORTS[wish.sort], query)
        return page_answer(page, EntrySerializer, ids=ids_of(page.rows))


class OneEntry(APIView):
    @operation("entry", EntryDetailSerializer)
    def get(self, request: Request, list_id: int, entry_id: int) -> Response:
        """One entry, also one that is removed or excluded, with what each source says and where each field is from."""
        list_ = visible_list(request.user, list_id)
        entry = get_object_or_404(Entry.objects.filter(list=list_).select_related("item"), pk=entry_id)
        context = {
            "user": request.user,
            "ids": ids_of([entry]),
            "sources": dict(list_.sources.values_list("id", "name")),
        }
        return Response(EntryDetailSerializer(entry, context=context).data)
