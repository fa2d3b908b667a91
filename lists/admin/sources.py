"""What feeds the lists."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from lists import services
from lists.admin.base import Bounded, ByService, HistoryAdmin, ask, chosen, made
from lists.models import Source

CHANGEABLE = ("name", "enabled", "priority", "sync_enabled", "interval_min", "gap_min", "mode", "grace")


class PartingForm(forms.Form):
    """What becomes of the entries that only this source lists."""

    keep = forms.TypedChoiceField(
        choices=[("yes", "They stay on the list, kept by it"), ("no", "They leave the list now")],
        coerce=lambda choice: choice == "yes", widget=forms.RadioSelect, initial="yes", label="What only it lists",
        error_messages={"required": "Choose one of the two. Nothing was removed."},
    )  # fmt: skip


@admin.register(Source)
class SourceAdmin(ByService, Bounded, HistoryAdmin):
    list_display = ("name", "list", "adapter", "role", "enabled", "last_success_at", "failures", "removed_at")
    list_select_related = ("list",)
    list_filter = ("role", "origin", "enabled", ("removed_at", admin.EmptyFieldListFilter))
    search_fields = ("name", "=list__id", "adapter")
    fields = (*CHANGEABLE, "list", "role", "adapter", "origin", "account", "paused", "config", "accepted", "next_sync_at", "last_run_at",
              "last_success_at", "failures", "removed_at", "created_at")  # fmt: skip
    readonly_fields = fields[len(CHANGEABLE) :]
    actions: Any = ("revive",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Source]:
        return super().get_queryset(request).defer("address", "body_digest")

    def get_actions(self, request: HttpRequest) -> Any:
        """Sources are removed one by one: each asks what becomes of its entries."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or _speaks(obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or _speaks(obj))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        details = {name: form.cleaned_data[name] for name in form.changed_data}
        version = services.change_source(obj, by=request.user, **details)
        request.outcome = f"Saved. {made(version)}"  # type: ignore[attr-defined]

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        source = self.found(request, object_id, self.has_delete_permission)

        def act(answers: dict[str, Any]) -> str:
            version = services.remove_source(source, by=request.user, keep=answers["keep"])
            return f"{source} no longer feeds {source.list}. {made(version)} “Bring back” makes it speak again."

        return ask(
            self, request, source, act, title=f"Remove {source} from {source.list}", button=f"Remove {source}",
            lines=["The source stays here, named and switched off, and can be brought back with all it said. "
                   "What other sources list stays in any case."],
            form=PartingForm(request.POST if request.method == "POST" else None), danger=True,
        )  # fmt: skip

    @admin.action(description="Bring back as a source of its list", permissions=["change"])
    def revive(self, request: HttpRequest, queryset: QuerySet[Source]) -> None:
        removed = chosen(queryset.filter(removed_at__isnull=False).select_related("list"))
        versions = [services.revive_source(source, by=request.user) for source in removed]
        self.message_user(request, f"{len(removed)} brought back. {made(*versions)}", messages.SUCCESS)


def _speaks(source: Source) -> bool:
    """Whether it is one that a person put there and nobody took away."""
    return source.role == Source.Role.FEED and source.removed_at is None
