"""Who is who: items, the ids that name them, and what people decided about matches."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from lists import search, services
from lists.admin.base import Bounded, ByService, HistoryAdmin, ReadOnly, ask, year
from lists.models import Decision, ExternalId, Item

NEXT_WRITE = "Every list that shows it says so with its next version, at its next sync or change."


class ExternalIdInline(admin.TabularInline):
    model = ExternalId
    fields = readonly_fields = ("namespace", "value")
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class MergeForm(forms.Form):
    into = forms.ModelChoiceField(
        Item.objects.all(), label="The item that it is",
        error_messages={"required": "Choose the item that it is. Nothing was merged."},
    )  # fmt: skip

    def __init__(self, site: admin.AdminSite, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["into"].widget = AutocompleteSelect(
            Item._meta.get_field("merged_into"), site, choices=self.fields["into"].choices  # type: ignore[attr-defined]
        )  # fmt: skip


@admin.register(Item)
class ItemAdmin(ReadOnly, ByService, Bounded, HistoryAdmin):
    list_display = ("title", "artist", year, "kind", "merged_into", "created_at")
    list_select_related = ("merged_into",)
    list_filter = ("kind",)
    search_fields = ("name", "=ids__value")
    search_help_text = "A part of the title, or an id such as tt0113277 or movie/949."
    inlines = (ExternalIdInline,)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Item], search_term: str
    ) -> tuple[QuerySet[Item], bool]:
        return (search.items_known_as(queryset, search_term) if search_term.strip() else queryset), False

    def get_urls(self) -> list[URLPattern]:
        views = [("merge", self.merge_view), ("split", self.split_view)]
        own = [path(f"<path:object_id>/{name}/", self.admin_site.admin_view(view), name=f"lists_item_{name}")
               for name, view in views]  # fmt: skip
        return [*own, *super().get_urls()]

    def has_identify_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("lists.change_item")

    def merge_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        item = self.found(request, object_id, self.has_identify_permission)

        def act(answers: dict[str, Any]) -> str:
            services.merge_items(item, answers["into"], by=request.user)
            return f"{item} and {answers['into']} are one. {NEXT_WRITE} “Split” takes it back."

        return ask(
            self, request, item, act, title=f"Merge {item} into another item", button="They are the same",
            lines=["Ids, blocks and decisions of both count for both. " + NEXT_WRITE],
            form=MergeForm(self.admin_site, request.POST if request.method == "POST" else None),
        )  # fmt: skip

    def split_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        item = self.found(request, object_id, self.has_identify_permission)

        def act(_: Any) -> str:
            other = item.merged_into
            services.split_item(item, by=request.user)
            return f"{item} and {other} are two again, and no look-up merges them. {NEXT_WRITE}"

        return ask(
            self, request, item, act, title=f"Split {item} from {item.merged_into or 'nothing'}",
            button="They are not the same",
            lines=["What each list showed before the merge is shown again. " + NEXT_WRITE],
        )  # fmt: skip


class DecidedFilter(admin.SimpleListFilter):
    title, parameter_name = "what was decided", "decided"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [("match", "What a source lists is this item"), ("refusal", "Two items are not the same")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Decision]) -> QuerySet[Decision]:
        return queryset.filter(source__isnull=self.value() == "refusal") if self.value() else queryset


@admin.register(Decision)
class DecisionAdmin(ReadOnly, Bounded):
    list_display = ("__str__", "source", "item", "other", "decided_by_name", "decided_at")
    list_select_related = ("source", "item", "other")
    list_filter = (DecidedFilter,)
    search_fields = ("=key", "=item__id", "=other__id", "=decided_by_name")
    search_help_text = "A source's key, the number of an item, or who decided."

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("source__address", "source__body_digest")
