"""The admin of lists: for looking after the site, not for changing what lists show.

Rows that a sync or a service writes are read-only here; what may be changed goes through the services or leaves an audit
row. Tables that grow are never counted whole and never sorted by a column that no index serves.
"""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import BinaryField, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import cached_property
from simple_history.admin import SimpleHistoryAdmin

from lists import services
from lists.audit import audit
from lists.encrypted import EncryptedTextField
from lists.forms import TagsField
from lists.labels import LabelsField
from lists.models import (
    Account,
    Audit,
    Block,
    Conflict,
    Entry,
    ExternalId,
    Item,
    MediaList,
    Membership,
    Proposal,
    Provenance,
    SitePolicy,
    Source,
    Version,
)


class BoundedPaginator(Paginator):
    """Counts no further than this many rows: over a large table count(*) takes longer than the page itself."""

    limit = 10_000

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return rows.order_by().values("pk")[: self.limit].count()


class Bounded(admin.ModelAdmin):
    """A page of a table that may hold millions of rows: newest first; search and filters narrow it."""

    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    ordering = ("-id",)
    sortable_by = ()


class ReadOnly(admin.ModelAdmin):
    """Rows to look at. Columns of bytes and secrets are left out altogether."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """All of them: without it the form of an old state would offer a choice of every row of a related table."""
        return self.fields or [
            f.name for f in self.opts.concrete_fields if not isinstance(f, BinaryField | EncryptedTextField)
        ]


class HistoryAdmin(SimpleHistoryAdmin):
    """History to look at, field by field. Nothing is written from there, whatever a request posts."""

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        return super().history_view(request, self._known(object_id), extra_context)

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: Any = None
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):  # with the button hidden the package would still save a POST
            raise PermissionDenied("An old state cannot be brought back here. Nothing was changed.")
        return super().history_form_view(request, self._known(object_id), self._known(version_id), extra_context)

    def _known(self, number: str) -> str:
        try:
            self.opts.pk.to_python(number)
        except ValidationError:
            raise Http404 from None
        return number


class Audited(admin.ModelAdmin):
    """A change by hand leaves an audit row with what it was before."""

    @transaction.atomic
    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if form.changed_data:
            before = {name: form.initial.get(name) for name in form.changed_data}
            audit(request.user, "changed", obj, before=before, after={name: getattr(obj, name) for name in before})


class MembershipInline(admin.TabularInline):
    model = Membership
    fields = readonly_fields = ("user", "role")
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(MediaList)
class MediaListAdmin(Bounded, HistoryAdmin):
    list_display = ("name", "owner", "content", "item_count", "updated_at", "deleted_at")
    list_select_related = ("owner",)
    list_filter = ("content", ("deleted_at", admin.EmptyFieldListFilter))
    search_fields = ("name", "=id")
    fields = ("name", "description", "tags", "content", "owner", "uid", "item_count", "excluded_count", "facts", "policy",
              "filters", "order_mode", "created_at", "updated_at", "deleted_at")  # fmt: skip
    formfield_overrides = {LabelsField: {"form_class": TagsField}}
    inlines = (MembershipInline,)
    actions = ("put_into_bin", "take_out_of_bin")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj else ("name", "description", "tags", "content")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields[len(services.DETAILS) :] if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A list in the bin rests: it is brought back before it is changed."""
        return super().has_change_permission(request, obj) and not (obj and obj.deleted_at)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # the bin is the only way out, and a way back

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            services.change_list(obj, by=request.user, **{name: form.cleaned_data[name] for name in services.DETAILS})
        else:
            made = services.create_list(request.user, **form.cleaned_data)
            obj.pk, obj._state.adding = made.pk, False

    @admin.action(description="Put into the bin", permissions=["change"])
    def put_into_bin(self, request: HttpRequest, queryset: QuerySet[MediaList]) -> None:
        lists = [services.bin_list(list_, by=request.user) for list_ in queryset]
        self.message_user(
            request, f"{len(lists)} in the bin. “Take out of the bin” brings them back.", messages.SUCCESS
        )

    @admin.action(description="Take out of the bin", permissions=["change"])
    def take_out_of_bin(self, request: HttpRequest, queryset: QuerySet[MediaList]) -> None:
        lists = [services.restore_list(list_, by=request.user) for list_ in queryset]
        self.message_user(request, f"{len(lists)} out of the bin.", messages.SUCCESS)


@admin.register(Source)
class SourceAdmin(Audited, Bounded, HistoryAdmin):
    """What decides whose word counts (priority, enabled, mode) is changed on the list's page, which folds it again."""

    list_display = ("name", "list", "adapter", "role", "enabled", "last_success_at", "failures", "removed_at")
    list_select_related = ("list",)
    list_filter = ("role", "enabled", ("removed_at", admin.EmptyFieldListFilter))
    search_fields = ("name", "=list__id", "adapter")
    fields = ("name", "sync_enabled", "interval_min", "gap_min", "list", "role", "adapter", "account", "config",
              "priority", "enabled", "mode", "grace", "accepted", "next_sync_at", "last_run_at", "last_success_at",
              "failures", "removed_at", "created_at")  # fmt: skip
    readonly_fields = fields[4:]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Source]:
        return super().get_queryset(request).defer("address", "body_digest")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ExternalIdInline(admin.TabularInline):
    model = ExternalId
    fields = readonly_fields = ("namespace", "value")
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Item)
class ItemAdmin(ReadOnly, Bounded, HistoryAdmin):
    list_display = ("title", "artist", "year", "kind", "merged_into", "created_at")
    list_select_related = ("merged_into",)
    list_filter = ("kind",)
    search_fields = ("title", "=ids__value")
    search_help_text = "A part of the title, or an id such as tt0113277 or movie/949."
    inlines = (ExternalIdInline,)


@admin.register(Entry)
class EntryAdmin(ReadOnly, Bounded, HistoryAdmin):
    list_display = ("title", "artist", "year", "kind", "list", "state", "reason", "first_listed_at")
    list_select_related = ("list",)
    list_filter = ("state", "kind")
    search_fields = ("title", "=list__id", "=item__id")
    search_help_text = "A part of the title, or the number of a list or an item."
    exclude = ("search",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Entry]:
        return super().get_queryset(request).defer("search", "overview", "extra", "origins")


@admin.register(Version)
class VersionAdmin(ReadOnly, Bounded):
    list_display = ("list", "number", "kind", "author_name", "source_name", "added", "removed", "changed", "moved",
                    "item_count", "created_at")  # fmt: skip
    list_select_related = ("list",)
    list_filter = ("kind",)
    search_fields = ("=list__id", "author_name", "source_name")
    search_help_text = "The number of a list, or the name of an author or a source."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Version]:
        return super().get_queryset(request).defer("order", "facts")


@admin.register(Provenance)
class ProvenanceAdmin(ReadOnly, Bounded):
    list_display = ("title", "origin", "list_name", "source_name", "first_at", "last_at")
    list_filter = ("origin",)
    search_fields = ("title", "list_name", "=item__id")


@admin.register(Audit)
class AuditAdmin(ReadOnly, Bounded):
    list_display = ("at", "actor_name", "action", "object_type", "object_name", "list_ref", "version_number")
    list_filter = ("at",)
    search_fields = ("actor_name", "action", "object_name", "=list_ref")
    search_help_text = "A part of who, what was done or to what; or the number of a list."


@admin.register(Proposal)
class ProposalAdmin(ReadOnly, Bounded):
    list_display = ("__str__", "kind", "state", "list", "created_by", "created_at", "expires_at")
    list_select_related = ("list", "created_by", "source")
    list_filter = ("kind", "state")
    search_fields = ("filename", "=list__id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Proposal]:
        return super().get_queryset(request).defer("body", "result", "source__address")


@admin.register(Conflict)
class ConflictAdmin(ReadOnly, Bounded, HistoryAdmin):
    list_display = ("entry", "list", "kind", "field", "state", "created_at", "decided_at")
    list_select_related = ("entry", "list")
    list_filter = ("kind", "state")
    search_fields = ("=list__id", "entry__title")


@admin.register(Block)
class BlockAdmin(ReadOnly, Bounded, HistoryAdmin):
    list_display = ("__str__", "list", "owner", "reason", "created_by", "created_at")
    list_select_related = ("item", "list", "owner", "created_by")
    search_fields = ("pattern", "value", "=item__id", "=list__id")


@admin.register(SitePolicy)
class SitePolicyAdmin(Audited, HistoryAdmin):
    """One row. A list follows the new rule for each entry that is looked at again, by a sync or a change."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        return HttpResponseRedirect(reverse("admin:lists_sitepolicy_change", args=[SitePolicy.current().pk]))


@admin.register(Account)
class AccountAdmin(ReadOnly, Bounded):
    list_display = ("name", "service", "owner", "state", "created_at")
    list_select_related = ("owner",)
    list_filter = ("state",)
    search_fields = ("name", "service", "owner__username")
    exclude = ("secrets",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        return super().get_queryset(request).defer("secrets")
