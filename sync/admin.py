"""The admin of runs and of the task queue: to look at, for the run table and the workers write them. And "Sync now", on
the pages of lists and sources."""

from collections.abc import Iterable

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django_q import admin as queue
from django_q.models import Failure, OrmQ, Schedule, Success

from lists.admin import Bounded, HistoryAdmin, MediaListAdmin, ReadOnly, SourceAdmin, chosen
from lists.errors import Refused
from lists.models import MediaList, Source
from sync import runs
from sync.adapters import is_fetched
from sync.errors import SyncError
from sync.models import Run

TOLD = 10  # reasons in one message


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


@admin.action(description="Sync now", permissions=["change"])
def sync_sources(page: admin.ModelAdmin, request: HttpRequest, queryset: QuerySet[Source]) -> None:
    _sync(page, request, chosen(queryset.select_related("list")))


@admin.action(description="Sync now", permissions=["change"])
def sync_lists(page: admin.ModelAdmin, request: HttpRequest, queryset: QuerySet[MediaList]) -> None:
    lists = chosen(queryset.filter(deleted_at=None))
    sources = Source.objects.filter(list__in=[list_.pk for list_ in lists], role=Source.Role.FEED, enabled=True)
    feeds = chosen(sources.filter(removed_at=None).select_related("list"))
    _sync(page, request, [source for source in feeds if is_fetched(source)])


def _sync(page: admin.ModelAdmin, request: HttpRequest, sources: Iterable[Source]) -> None:
    """Have each source read, and say of the others why they are not."""
    asked, others = 0, []
    for source in sources:
        try:
            answer = runs.request_sync(source, by=request.user)
        except (SyncError, Refused) as e:
            others.append(str(e))
            continue
        if answer.run is not None:
            asked += 1
        elif answer.skipped_until is not None:
            until = timezone.localtime(answer.skipped_until)
            others.append(f"{source} was read a moment ago and is left alone until {until:%H:%M}.")
    if asked:
        page.message_user(request, f"{asked} queued. A worker reads them now.", messages.SUCCESS)
    if others:
        more = [f"And {len(others) - TOLD} more."] if len(others) > TOLD else []
        page.message_user(request, " ".join([*others[:TOLD], *more]), messages.WARNING)
    if not asked and not others:
        page.message_user(request, "Nothing was read: what feeds them are files, and people upload those.")


SourceAdmin.actions = (*SourceAdmin.actions, sync_sources)
MediaListAdmin.actions = (*MediaListAdmin.actions, sync_lists)


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
