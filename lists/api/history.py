"""How one entry changed: the versions in which it came, was changed or left."""

from typing import Any

from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lists.api.parts import PageQuery, operation, page_of, query_of, sort_field, sought, visible_list
from lists.api.versions import FieldChangeSerializer
from lists.fields import FIELDS
from lists.models import Entry
from lists.paging import Sort
from lists.versions import changes_of, values_of

SORTS = {
    sort.key: sort
    for sort in [
        Sort("newest", "Newest first", "history_id", descending=True),
        Sort("oldest", "Oldest first", "history_id"),
    ]
}
CHANGES = {"+": "came", "~": "changed", "-": "left"}


class EntryChangeSerializer(serializers.Serializer[Any]):
    """change: came (for the first time, or back), changed or left. fields: of changed; empty where the state before is
    not kept any more."""

    version = serializers.IntegerField(help_text="number of the version that made it so")
    at = serializers.DateTimeField()
    change = serializers.ChoiceField(list(CHANGES.values()))
    reason = serializers.CharField(help_text="why it left")

    def get_fields(self) -> dict[str, Any]:
        """Serializers have an attribute `fields` of their own."""
        return {**super().get_fields(), "fields": FieldChangeSerializer(many=True)}


class EntryHistoryQuery(PageQuery):
    sort = sort_field(SORTS)


class EntryHistory(APIView):
    @operation("entry_history", page_of(EntryChangeSerializer), query=EntryHistoryQuery)
    def get(self, request: Request, list_id: int, entry_id: int) -> Response:
        """How the entry changed, the latest first. Of pruned versions only the last word is known."""
        list_ = visible_list(request.user, list_id)
        entry = get_object_or_404(Entry.objects.filter(list=list_), pk=entry_id)
        query = query_of(request, EntryHistoryQuery)
        rows = changes_of(entry.pk)
        page = sought(rows.select_related("version").defer("version__order"), SORTS[query["sort"]], query)
        before = _before(rows, page.rows)
        shown = [_change(row, before.get(row.history_id)) for row in page.rows]
        return Response({"results": EntryChangeSerializer(shown, many=True).data, "next": page.next or None})


def _before(rows: Any, shown: list[Any]) -> dict[int, Any]:
    """Each row's history id -> the row before it."""
    rising = sorted(shown, key=lambda row: row.history_id)
    first = rows.filter(history_id__lt=rising[0].history_id).order_by("-history_id").first() if rising else None
    return {row.history_id: before for row, before in zip(rising, [first, *rising], strict=False)}


def _change(row: Any, before: Any) -> dict[str, Any]:
    change = CHANGES[row.history_type]
    fields = []
    if change == "changed" and before is not None:
        old, new = values_of(before), values_of(row)
        fields = [
            {"field": name, "before": old.get(name), "after": new.get(name)}
            for name in FIELDS
            if old.get(name) != new.get(name)
        ]
    return {
        "version": row.version.number, "at": row.version.created_at, "change": change,
        "reason": row.reason if change == "left" else "", "fields": fields,
    }  # fmt: skip
