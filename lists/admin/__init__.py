"""The admin of lists: for looking after the site.

What a list shows is changed through the services, so that it makes versions and audit rows like any other change; rows
that a sync or a service writes are read-only. Tables that grow are never counted whole and never sorted by a column that
no index serves.
"""

from lists.admin import entries, items, review, site  # noqa: F401 - they register themselves
from lists.admin.base import Bounded, BoundedPaginator, ByService, HistoryAdmin, ReadOnly, ServiceForm, ask, chosen
from lists.admin.lists import MediaListAdmin
from lists.admin.sources import SourceAdmin

__all__ = [
    "Bounded",
    "BoundedPaginator",
    "ByService",
    "HistoryAdmin",
    "MediaListAdmin",
    "ReadOnly",
    "ServiceForm",
    "SourceAdmin",
    "ask",
    "chosen",
]
