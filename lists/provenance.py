"""Which list and source once brought an item: remembered when the claims that said so go for good."""

from typing import Any

from django.db.models import DateTimeField, Value

from lists.dialects import Dialect, quote
from lists.models import Provenance

# Column of a Provenance -> where a claim has it.
KEPT = {
    "item_id": "entry__item_id", "title": "entry__title", "origin": "source__origin", "list_id": "source__list_id",
    "list_name": "source__list__name", "source_id": "source_id", "source_name": "source__name", "first_at": "first_at",
    "last_at": "gone_at",
}  # fmt: skip


def remember(claims: Any, *, at: Any) -> None:
    """Write the provenance of claims that go for good (a queryset of Claim that can find some)."""
    rows = claims.annotate(gone_at=Value(at, DateTimeField())).order_by("pk").values_list(*KEPT.values())
    sql, params = rows.query.sql_with_params()
    Dialect.of().execute(f'INSERT INTO "{Provenance._meta.db_table}" ({quote(KEPT)}) {sql}', params)
