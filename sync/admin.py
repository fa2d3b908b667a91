"""The admin of runs and of the task queue: to look at, for the run table and the workers write them."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django_q import admin as queue
from django_q.models import Failure, OrmQ, Schedule, Success

from lists.admin import Bounded, HistoryAdmin, ReadOnly
from sync.models import Run


@admin.register(Run)
class RunAdmin(ReadOnly, Bounded, HistoryAdmin):
    list_display = ("id", "list", "source", "kind", "state", "found", "added", "updated", "removed", "created_at",
                    "duration_ms", "error_code")  # fmt: skip
    list_select_related = ("list", "source")
    list_filter = ("state", "kind", "created_at")
    search_fields = ("=id", "=list__id", "=correlation_id", "error_code")
    search_help_text = "The number of a run or a list, a correlation id or an error code."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        return super().get_queryset(request).defer("details", "source__address", "source__body_digest")


class QueueReadOnly(ReadOnly):
    """A task carries a run's id and nothing else: to change or repeat one by hand would do nothing good."""

    actions = None


# django-q2 registers its own pages when it is imported, with forms and a button that repeats tasks.
for model, its_admin in [
    (Schedule, queue.ScheduleAdmin),
    (Success, queue.TaskAdmin),
    (Failure, queue.FailAdmin),
    (OrmQ, queue.QueueAdmin),
]:
    if admin.site.is_registered(model):  # the queue's table has no page if the queue is kept in Redis
        admin.site.unregister(model)
        admin.site.register(model, type(its_admin.__name__, (QueueReadOnly, its_admin), {}))
