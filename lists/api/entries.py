"""Entries of a list: what it shows, where each field comes from, and what every source says."""

from typing import Any

from django.db.models import Q
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lists.api.conflicts import ConflictSerializer, conflicts_of, shown_conflicts
from lists.api.parts import (
    PageQuery,
    number_of,
    operation,
    page_answer,
    page_of,
    query_of,
    sought,
    tag,
    visible_list,
)
from lists.api.values import ValuesSerializer
from lists.browse import SORTS, Wish, matching
from lists.exports import ids_of
from lists.fields import FIELDS
from lists.models import Claim, Conflict, Edit, Entry, Item, MediaList, Provenance, Source
from lists.resolve import HAND, PRESENCE, PRESENT
from lists.waiting import decided

SHOWN = 100  # claims, edits and provenance rows of one entry


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
    """Where a shown field comes from: a person, one source, or several whose words were united (sources)."""

    field = serializers.CharField()
    by_hand = serializers.BooleanField()
    source = serializers.IntegerField(allow_null=True)  # type: ignore[assignment] # the attribute is the instance's
    sources = serializers.ListField(child=serializers.IntegerField())
    source_name = serializers.CharField()


class ClaimSerializer(serializers.ModelSerializer[Claim]):
    """What one source says of the entry now."""

    source_name = serializers.CharField(source="source.name")
    origin = serializers.ChoiceField(Provenance.Origin.choices, source="source.origin", help_text="as what it counts")
    position = serializers.IntegerField(
        source="place", allow_null=True, help_text="its row of what the source lists; null: not listed, or in no order"
    )
    since = serializers.DateTimeField(source="first_at")
    read_at = serializers.DateTimeField(
        source="source.last_success_at",
        allow_null=True,
        help_text="when the source was last read to its end; missing_since is set if that was whole and lacked it",
    )

    class Meta:
        model = Claim
        fields = [
            "id", "source", "source_name", "origin", "key", "position", "listing", "since", "read_at", "missing_since", "ids",
            "values",
        ]  # fmt: skip


class WordSerializer(serializers.Serializer[Any]):
    source = serializers.IntegerField(  # type: ignore[assignment] # the attribute is the instance's
        allow_null=True, help_text="null: another edit by hand"
    )
    source_name = serializers.CharField()
    value = serializers.JSONField(allow_null=True)


class EditSerializer(serializers.ModelSerializer[Edit]):
    """What a person wants of one field. firm: only a person ends it; else it is held by a rollback (rollback_to).

    Context: claims of the entry's feeds, and sources, names by id.
    """

    words = serializers.SerializerMethodField(help_text="what the sources said when it was made")
    now = serializers.SerializerMethodField(help_text="what they say now")
    sources_agree = serializers.SerializerMethodField(help_text="with the edit, now; null: none of them says anything")

    class Meta:
        model = Edit
        fields = [
            "field", "value", "firm", "rollback_to", "author_name", "made_at", "words", "now", "sources_agree",
        ]  # fmt: skip

    @extend_schema_field(WordSerializer(many=True))
    def get_words(self, edit: Edit) -> list[dict[str, Any]]:
        names = self.context["sources"]
        return [
            {"source": int(source), "source_name": names.get(int(source), ""), "value": value}
            if source.isdecimal()
            else {"source": None, "source_name": "by hand", "value": value}
            for source, value in edit.words.items()
        ]

    @extend_schema_field(WordSerializer(many=True))
    def get_now(self, edit: Edit) -> list[dict[str, Any]]:
        return [
            {"source": claim.source_id, "source_name": claim.source.name, "value": value}
            for claim, value in _said(edit.field, self.context["claims"])
        ]

    @extend_schema_field(serializers.BooleanField(allow_null=True))
    def get_sources_agree(self, edit: Edit) -> bool | None:
        said = [value for _, value in _said(edit.field, self.context["claims"])]
        if edit.field == PRESENCE:  # what no source lists, they want absent
            return (PRESENT in said) == (edit.value == PRESENT)
        return all(value == edit.value for value in said) if said else None


def _said(field: str, claims: list[Claim]) -> list[tuple[Claim, Any]]:
    """The words of feeds about a field: what the list keeps by itself is nobody's word."""
    feeds = [claim for claim in claims if claim.source.role == Source.Role.FEED]
    if field == PRESENCE:
        return [(claim, PRESENT) for claim in feeds if claim.listing]
    return [(claim, claim.values[field]) for claim in feeds if field in claim.values]


class ProvenanceSerializer(serializers.ModelSerializer[Provenance]):
    """Which list and source once brought the item, with the names of then."""

    class Meta:
        model = Provenance
        fields = ["origin", "list", "list_name", "source", "source_name", "first_at", "last_at"]


class EntryDetailSerializer(EntrySerializer):
    completeness = serializers.FloatField(
        help_text="how many of the fifteen facts that could be known of it are, from 0 to 1"
    )
    origins = serializers.SerializerMethodField()
    claims = serializers.SerializerMethodField()
    edits = serializers.SerializerMethodField()
    conflicts = serializers.SerializerMethodField(help_text="questions about it that wait")
    decisions = serializers.SerializerMethodField(help_text="questions about it that were decided, the latest first")
    provenance = serializers.SerializerMethodField()

    @extend_schema_field(OriginSerializer(many=True))
    def get_origins(self, entry: Entry) -> Any:
        found = [(name, entry.origin_of(name)) for name in FIELDS]
        return [self._origin(name, origin) for name, origin in found if origin is not None]

    def _origin(self, name: str, origin: Any) -> dict[str, Any]:
        names = self.context["sources"]
        sources = origin if isinstance(origin, list) else [origin] if isinstance(origin, int) else []
        return {
            "field": name,
            "by_hand": origin == HAND,
            "source": origin if isinstance(origin, int) else None,
            "sources": sources,
            "source_name": ", ".join(names.get(source, "") for source in sources),
        }

    @extend_schema_field(ClaimSerializer(many=True))
    def get_claims(self, entry: Entry) -> Any:
        return ClaimSerializer(self.context["claims"], many=True).data

    @extend_schema_field(EditSerializer(many=True))
    def get_edits(self, entry: Entry) -> Any:
        return EditSerializer(entry.edits.order_by("field")[:SHOWN], many=True, context=self.context).data

    @extend_schema_field(ConflictSerializer(many=True))
    def get_conflicts(self, entry: Entry) -> Any:
        waiting = conflicts_of(self.context["user"]).filter(entry=entry, state=Conflict.State.OPEN).order_by("id")
        return shown_conflicts(waiting[:SHOWN])

    @extend_schema_field(ConflictSerializer(many=True))
    def get_decisions(self, entry: Entry) -> Any:
        return shown_conflicts(decided(conflicts_of(self.context["user"]).filter(entry=entry))[:SHOWN])

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
    group = serializers.CharField(
        max_length=200, default="", allow_blank=True, help_text="of a channel; the whole group"
    )
    year = serializers.IntegerField(min_value=1000, max_value=2999, required=False)
    year_from = serializers.IntegerField(min_value=1000, max_value=2999, required=False)
    year_to = serializers.IntegerField(min_value=1000, max_value=2999, required=False)
    state = serializers.ChoiceField(
        Entry.State.choices, default=Entry.State.LISTED, help_text="removed and excluded ones keep their rows"
    )
    filtered = serializers.BooleanField(default=False, help_text="of what is excluded only what a filter keeps out")
    sort = serializers.ChoiceField([(sort.key, sort.label) for sort in SORTS.values()], default="order")


def _wish(query: dict[str, Any]) -> Wish:
    return Wish(
        q=query["q"],
        kind=query["kind"],
        genre=query["genre"].replace("|", "/"),
        group=query["group"],
        year_from=query.get("year_from", query.get("year")),
        year_to=query.get("year_to", query.get("year")),
        sort=query["sort"],
        state=Entry.State.EXCLUDED if query["filtered"] else query["state"],
        filtered=query["filtered"],
    )


class Entries(APIView):
    @operation("entries", page_of(EntrySerializer), query=EntryQuery, tagged=True)
    def get(self, request: Request, list_id: int) -> Response:
        """What the list shows, in its own order or another."""
        list_ = visible_list(request.user, list_id)
        query = query_of(request, EntryQuery)
        wish = _wish(query)
        page = sought(matching(list_, wish), SORTS[wish.sort], query)
        return tag(page_answer(page, EntrySerializer, ids=ids_of(page.rows)), number_of(list_))


class OneEntry(APIView):
    @operation("entry", EntryDetailSerializer, tagged=True)
    def get(self, request: Request, list_id: int, entry_id: int) -> Response:
        """One entry, also one that is removed or excluded, with what each source says and where each field is from."""
        list_ = visible_list(request.user, list_id)
        entry = get_object_or_404(Entry.objects.filter(list=list_).select_related("item"), pk=entry_id)
        claims = (
            entry.claims.filter(source__removed_at=None).select_related("source").defer("digest", "source__address")
        )
        context = {
            "user": request.user,
            "ids": ids_of([entry]),
            "sources": dict(list_.sources.values_list("id", "name")),
            "claims": list(claims.placed().order_by("source__priority", "id")[:SHOWN]),
        }
        return tag(Response(EntryDetailSerializer(entry, context=context).data), number_of(list_))
