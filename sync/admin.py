"""The admin of runs and of the task queue: to look at, for the run table and the workers write them. And "Sync now", on
the pages of lists and sources."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django_q import admin as queue
from django_q.models import Failure, OrmQ, Schedule, Success

from lists.admin import Bounded, HistoryAdmin, MediaListAdmin, ReadOnly, ServiceForm, SourceAdmin, chosen
from lists.errors import Refused
from lists.models import MediaList, Source
from sync import admin_accounts, definitions, runs  # noqa: F401 - accounts register themselves
from sync.adapters import ADAPTERS, fetched_adapters, is_fetched
from sync.http import breaker
from sync.models import Batch, BatchPart, Breaker, Run

TOLD = 10  # reasons in one message


@admin.register(Run)
class RunAdmin(ReadOnly, Bounded, HistoryAdmin):
    list_display = ("id", "list", "source", "kind", "state", "found", "added", "updated", "removed", "created_at",
                    "duration_ms", "waits_for", "next_attempt_at", "error_code")  # fmt: skip
    list_select_related = ("list", "source")
    list_filter = ("state", "kind", "error_code", "created_at")
    actions = ("cancel",)
    search_fields = ("=id", "=list__id", "=correlation_id", "error_code")
    search_help_text = "The number of a run or a list, a correlation id or an error code."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        return super().get_queryset(request).defer("details", "source__address", "source__body_digest")

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("sync.change_run")

    @admin.action(description="Cancel", permissions=["cancel"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        stopped, others = 0, []
        for run in chosen(queryset.select_related("list")):
            try:
                runs.cancel(run, by=request.user)
                stopped += 1
            except Refused as e:
                others.append(str(e))
        if stopped:
            self.message_user(
                request, f"{stopped} cancelled. What is at work stops within two seconds.", messages.SUCCESS
            )
        if others:
            self.message_user(request, _shown(others), messages.WARNING)


def _shown(reasons: list[str]) -> str:
    more = [f"And {len(reasons) - TOLD} more."] if len(reasons) > TOLD else []
    return " ".join([*reasons[:TOLD], *more])


@admin.register(Breaker)
class BreakerAdmin(ReadOnly, Bounded):
    """Services, and whether they are left alone."""

    list_display = ("service", "state", "failures", "open_until", "opened_count", "last_failure_at", "last_failure_kind",
                    "reason")  # fmt: skip
    list_filter = ("state", "last_failure_kind")
    search_fields = ("service",)
    actions = ("leave_alone", "reset")

    def has_act_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("sync.change_breaker")

    @admin.action(description="Leave alone until it is reset", permissions=["act"])
    def leave_alone(self, request: HttpRequest, queryset: QuerySet[Breaker]) -> None:
        for row in chosen(queryset):
            breaker.force_open(row.service, by=request.user, reason=f"by {request.user.get_username()}")
        self.message_user(request, "Nobody asks them any more until they are reset.", messages.SUCCESS)

    @admin.action(description="Ask again", permissions=["act"])
    def reset(self, request: HttpRequest, queryset: QuerySet[Breaker]) -> None:
        for row in chosen(queryset):
            breaker.reset(row.service, by=request.user)
        self.message_user(request, "They are asked again.", messages.SUCCESS)


@admin.register(Batch)
class BatchAdmin(ReadOnly, Bounded):
    list_display = ("id", "strategy", "state", "requested_by_name", "limit", "width", "created_at", "finished_at")
    list_filter = ("state", "strategy")
    search_fields = ("=id", "requested_by_name")


@admin.register(BatchPart)
class BatchPartAdmin(ReadOnly, Bounded):
    list_display = ("batch", "place", "list_name", "source_name", "state", "run", "note")
    list_select_related = ("batch", "run__list")
    list_filter = ("state",)
    search_fields = ("=batch__id", "=run__id", "list_name", "source_name")


@admin.action(description="Sync now", permissions=["change"])
def sync_sources(page: admin.ModelAdmin, request: HttpRequest, queryset: QuerySet[Source]) -> None:
    _sync(page, request, chosen(queryset.select_related("list")))


@admin.action(description="Sync now, even if read a moment ago", permissions=["change"])
def force_sources(page: admin.ModelAdmin, request: HttpRequest, queryset: QuerySet[Source]) -> None:
    _sync(page, request, chosen(queryset.select_related("list")), force=True)


@admin.action(description="Sync now", permissions=["change"])
def sync_lists(page: admin.ModelAdmin, request: HttpRequest, queryset: QuerySet[MediaList]) -> None:
    lists = chosen(queryset.filter(deleted_at=None))
    sources = Source.objects.filter(list__in=[list_.pk for list_ in lists], role=Source.Role.FEED, enabled=True)
    feeds = chosen(sources.filter(removed_at=None).select_related("list"))
    _sync(page, request, [source for source in feeds if is_fetched(source)])


def _sync(page: admin.ModelAdmin, request: HttpRequest, sources: Iterable[Source], *, force: bool = False) -> None:
    """Have each source read, and say of the others why they are not."""
    asked, others = 0, []
    for source, answer in runs.request_each(sources, by=request.user, force=force):
        if isinstance(answer, Exception):
            others.append(str(answer))
        elif answer.run is not None:
            asked += 1
        elif answer.skipped_until is not None:
            until = timezone.localtime(answer.skipped_until)
            others.append(f"{source} was read a moment ago and is left alone until {until:%H:%M}.")
    if asked:
        page.message_user(request, f"{asked} queued. A worker reads them now.", messages.SUCCESS)
    if others:
        page.message_user(request, _shown(others), messages.WARNING)
    if not asked and not others:
        page.message_user(request, "Nothing was read: what feeds them are files, and people upload those.")


class NewSourceForm(ServiceForm):
    """A source that is fetched: its kind, and what that asks for."""

    adapter = forms.ChoiceField(label="Kind")
    address = forms.CharField(
        required=False, max_length=2000, help_text="where it is read; kept encrypted, and shown to nobody here"
    )

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["adapter"].choices = [(key, ADAPTERS[key].label) for key in fetched_adapters()]  # type: ignore[attr-defined]


class FetchedSourceAdmin(SourceAdmin):
    """Sources, and defining one that is fetched; one that people upload comes into being with its file."""

    actions = (*SourceAdmin.actions, sync_sources, force_sources)
    new = ("list", "adapter", "name", "address", "config", "enabled", "sync_enabled", "interval_min", "gap_min")
    autocomplete_fields = ("list",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return admin.ModelAdmin.has_add_permission(self, request)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj else self.new

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return super().get_readonly_fields(request, obj) if obj else ()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **({} if obj else {"form": NewSourceForm}), **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        answers = {name: form.cleaned_data[name] for name in self.new if name != "list"}
        source = definitions.add_fetched(form.cleaned_data["list"], by=request.user, **answers)
        obj.pk = source.pk
        obj.refresh_from_db()
        request.outcome = f"{source} feeds {source.list} now. A worker reads it soon."  # type: ignore[attr-defined]


admin.site.unregister(Source)
admin.site.register(Source, FetchedSourceAdmin)
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
