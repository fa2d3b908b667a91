"""Everything that stands anywhere, for tests that look for what must stand nowhere."""

from typing import Any

from django.contrib import admin
from django.db import connection
from django.test import Client

from lists.exports import EXPORTS
from lists.models import MediaList
from tests.admin_forms import page


def everything_stored() -> str:
    """Every row of every table, ours or not; on SQLite every byte of the database, what was deleted from it included."""
    if connection.vendor == "sqlite":
        return connection.connection.serialize().decode("latin-1")
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            for row in cursor.fetchall():
                found += [bytes(v).decode("latin-1") if isinstance(v, bytes | memoryview) else str(v) for v in row]
    return "\n".join(found)


def shown(client: Client, *addresses: str) -> dict[str, str]:
    """address -> what its page says."""
    said = {}
    for address in addresses:
        answer = client.get(address, follow=True)
        assert answer.status_code == 200, address
        said[address] = answer.content.decode()
    return said


def shown_in_admin(client: Client) -> dict[str, str]:
    """The pages of every model that has a row: its list, the newest row, its history and the oldest row of that."""
    pages = []
    for model in admin.site._registry:
        row: Any = model._default_manager.order_by("-pk").first()
        if row is None:
            continue
        pages += [page(model), page(model, "change", row.pk), page(model, "history", row.pk)]
        if model._meta.app_label in ("lists", "sync") and hasattr(model, "history"):
            old = model.history.filter(**{model._meta.pk.name: row.pk}).first()
            pages.append(page(model, "simple_history", row.pk, old.history_id))
    return shown(client, *pages)


def exported(list_: MediaList) -> dict[str, str]:
    """The list in every format that it can be written in."""
    fitting = {key: format_ for key, format_ in EXPORTS.items() if list_.content in format_.contents}
    return {
        key: b"".join(each.write(list_, user=list_.owner)).decode("utf-8", "replace") for key, each in fitting.items()
    }
