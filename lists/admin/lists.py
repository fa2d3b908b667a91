"""Lists, who else sees them, and their versions."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminTextInputWidget
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from lists import services
from lists.admin.base import Bounded, ByService, HistoryAdmin, ReadOnly, ServiceForm, ask, chosen, made
from lists.errors import Refused
from lists.filters import CHECKS, BadFilters, checked
from lists.forms import TagsField
from lists.labels import LabelsField
from lists.models import MediaList, Membership, Removals, SitePolicy, Strategy, Version

MADE_OF = (*services.DETAILS, "content")
RULES = tuple(services.RULES)
ORDER = ("order_mode", "order_field")
EMPTY: dict[str, Any] = {"preferred": {}, "review_unsure": None}
STAYS = (
    "Blocks, filters and rules stay as they are today. It makes a new version; the versions after this one stay, and any "
    "of them can be brought back the same way."
)
ORDER_FIELDS = [("", "-"), ("title", "Title"), ("year", "Year"), ("rating", "Rating"), ("added", "Date first listed")]


class MediaListForm(ServiceForm):
    """What a list is called, and where it differs from the site's rules: an empty rule is the site's."""

    strategy = forms.ChoiceField(required=False, label="Where sources disagree")
    preferred = forms.JSONField(required=False, label="Preferred sources by field")
    removals = forms.ChoiceField(required=False, label="What no source lists any more")
    review_unsure = forms.NullBooleanField(required=False, label="Unsure changes wait for a person")
    accept_confidence = forms.FloatField(
        required=False, min_value=0, max_value=1, label="Taken unasked from this confidence on"
    )
    held_share = forms.IntegerField(required=False, min_value=0, max_value=100, label="Ask above (per cent)")
    held_share_always = forms.IntegerField(
        required=False, min_value=0, max_value=100, label="Always ask above (per cent)"
    )
    held_floor = forms.IntegerField(required=False, min_value=0, max_value=10_000, label="Never ask up to (entries)")
    filters = forms.JSONField(
        required=False, help_text=f"what may come in: an object of {', '.join(CHECKS)}; empty: nothing is filtered"
    )
    order_field = forms.ChoiceField(
        required=False, choices=ORDER_FIELDS, help_text="only where the order is by a field"
    )

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        site = SitePolicy.current()
        for name in RULES:
            self.initial[name] = self.instance.policy.get(name, EMPTY.get(name, ""))
            if name in self.fields:
                self.fields[name].help_text = f"as the site says: {_site_says(site, name)}"
        for name, choices in [("strategy", Strategy.choices), ("removals", Removals.choices)]:
            if name in self.fields:
                self.fields[name].choices = [("", "As the site says"), *choices]  # type: ignore[attr-defined]

    def clean_filters(self) -> dict[str, Any]:
        filters = self.cleaned_data["filters"] or {}
        if not isinstance(filters, dict):
            raise forms.ValidationError("Filters are an object: each with what it is set to.")
        try:
            return checked(filters)
        except BadFilters as e:
            raise forms.ValidationError(" ".join(f"{name}: {fault}" for name, fault in e.fields.items())) from None

    def clean(self) -> dict[str, Any] | None:
        found = super().clean() or self.cleaned_data
        if found.get("order_mode") == MediaList.OrderMode.FIELD and not found.get("order_field"):
            raise forms.ValidationError({"order_field": "Choose the field that the list goes by."})
        return found


def _site_says(site: SitePolicy, name: str) -> str:
    if name == "review_unsure":
        return "they wait on tracklists"
    shown = getattr(site, f"get_{name}_display", None)
    return shown().lower() if shown else str(getattr(site, name))


class MembershipForm(forms.ModelForm):
    """One leaves and another comes; nobody becomes somebody else. A known name is no search, which would ask once a row."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        if self.instance.pk and "user" in self.fields:
            user = self.instance.user
            self.fields["user"].widget = forms.Select(choices=[(user.pk, str(user))])
            self.fields["user"].disabled = True


class MembershipInline(admin.TabularInline):
    model = Membership
    form = MembershipForm
    fields = ("user", "role")
    autocomplete_fields = ("user",)
    extra = 0
    verbose_name = "member"
    verbose_name_plural = "who else may see or change it"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("user", "list__owner")


@admin.register(MediaList)
class MediaListAdmin(ByService, Bounded, HistoryAdmin):
    form = MediaListForm
    list_display = ("name", "owner", "content", "item_count", "updated_at", "deleted_at")
    list_select_related = ("owner",)
    list_filter = ("content", ("deleted_at", admin.EmptyFieldListFilter))
    search_fields = ("name", "=id")
    seen = ("content", "owner", "uid", "item_count", "excluded_count", "facts", "created_at", "updated_at",
            "deleted_at")  # fmt: skip
    fieldsets = (
        (None, {"fields": services.DETAILS}),
        ("Rules", {"fields": RULES, "description": "A changed rule is applied to what the sources said before, too."}),
        ("Filters", {"fields": ("filters",)}),
        ("Order", {"fields": ORDER}),
        ("What it holds", {"fields": seen}),
    )
    formfield_overrides = {LabelsField: {"form_class": TagsField, "widget": AdminTextInputWidget}}
    inlines = (MembershipInline,)
    actions: Any = ("put_into_bin", "take_out_of_bin")  # and what sync/admin.py adds

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fieldsets if obj else [(None, {"fields": MADE_OF})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.seen if obj else ()

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return self.inlines if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A list in the bin rests: it is brought back before it is changed."""
        return super().has_change_permission(request, obj) and not (obj and obj.deleted_at)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # the bin is the only way out, and a way back

    def view_on_site(self, obj: MediaList) -> str:
        return reverse("lists:items", args=[obj.pk])

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        answers, by = form.cleaned_data, request.user
        if not change:
            obj.pk = services.create_list(by, **{name: answers[name] for name in MADE_OF}).pk
            obj.refresh_from_db()
            return
        changed = set(form.changed_data)
        if changed.intersection(services.DETAILS):
            services.change_list(obj, by=by, **{name: answers[name] for name in services.DETAILS})
        if rules := {name: answers[name] for name in RULES if name in changed}:
            services.change_rules(obj, by=by, **rules)
        if "filters" in changed:
            services.change_filters(obj, by=by, **dict.fromkeys(CHECKS) | answers["filters"])
        if changed.intersection(ORDER):
            by_field = answers["order_mode"] == MediaList.OrderMode.FIELD
            services.set_order(obj, by=by, mode=answers["order_mode"], field=answers["order_field"] if by_field else "")
        before = obj.current_id
        obj.refresh_from_db()
        request.outcome = f"Saved. {made(obj.current if obj.current_id != before else None)}"  # type: ignore[attr-defined]

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        list_, by = form.instance, request.user
        formset.save(commit=False)
        for member in formset.deleted_objects:
            services.unshare_list(list_, user=member.user, by=by)
        for member in (*formset.new_objects, *(member for member, _ in formset.changed_objects)):
            services.share_list(list_, user=member.user, role=member.role, by=by)

    def may_bring_back(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)

    def bring_back(self, request: HttpRequest, obj: Any, past: Any) -> str:
        services.change_list(obj, by=request.user, **{name: getattr(past.instance, name) for name in services.DETAILS})
        return (
            "Name, description and tags are as they were. Nothing else was changed: what the list shows goes back with "
            "one of its versions."
        )

    @admin.action(description="Put into the bin", permissions=["change"])
    def put_into_bin(self, request: HttpRequest, queryset: QuerySet[MediaList]) -> None:
        lists = [services.bin_list(list_, by=request.user) for list_ in chosen(queryset)]
        self.message_user(
            request, f"{len(lists)} in the bin. “Take out of the bin” brings them back.", messages.SUCCESS
        )

    @admin.action(description="Take out of the bin", permissions=["change"])
    def take_out_of_bin(self, request: HttpRequest, queryset: QuerySet[MediaList]) -> None:
        lists = [services.restore_list(list_, by=request.user) for list_ in chosen(queryset)]
        self.message_user(request, f"{len(lists)} out of the bin.", messages.SUCCESS)


@admin.register(Version)
class VersionAdmin(ReadOnly, ByService, Bounded):
    list_display = ("list", "number", "kind", "author_name", "source_name", "added", "removed", "changed", "moved",
                    "item_count", "created_at")  # fmt: skip
    list_select_related = ("list",)
    list_filter = ("kind", ("pruned_at", admin.EmptyFieldListFilter))
    search_fields = ("=list__id", "author_name", "source_name")
    search_help_text = "The number of a list, or the name of an author or a source."
    actions = ("roll_back",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Version]:
        return super().get_queryset(request).defer("order", "facts")

    def get_urls(self) -> list[URLPattern]:
        return [
            path("<path:object_id>/rollback/", self.admin_site.admin_view(self.rollback_view), name="lists_version_rollback"),
            *super().get_urls(),
        ]  # fmt: skip

    def has_rollback_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may change lists may bring a state of theirs back."""
        return request.user.has_perm("lists.change_medialist")

    @admin.action(description="Roll the list back to this version", permissions=["rollback"])
    def roll_back(self, request: HttpRequest, queryset: QuerySet[Version]) -> HttpResponse | None:
        versions = list(queryset[:2])
        if len(versions) != 1:
            self.message_user(request, "Choose one version. Nothing was changed.", messages.ERROR)
            return None
        return HttpResponseRedirect(reverse("admin:lists_version_rollback", args=[versions[0].pk]))

    def rollback_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What the rollback would change and what will be missing; posted, it happens."""
        version = self.found(request, object_id, self.has_rollback_permission)
        list_, number = version.list, version.number

        def act(_: Any) -> str:
            new = services.rollback(list_, version, by=request.user)
            if new is None:
                return f"{list_} shows version {number} already. Nothing was changed."
            return f"{list_} is back at version {number}. {made(new)}"

        try:
            preview = services.preview_rollback(list_, version) if request.method == "GET" else None
        except Refused as e:
            self.message_user(request, str(e), messages.ERROR)
            return HttpResponseRedirect(reverse("admin:lists_version_change", args=[version.pk]))
        return ask(
            self, request, version, act, title=f"Roll {list_} back to version {number}",
            button=f"Restore version {number}", lines=[_effect(preview.counts), *_kinds(preview.other_kind), STAYS] if preview else (),
            heads=("Will be missing", "Year", "Because"),
            rows=[(each.title, each.year or "", each.reason) for each in preview.missing] if preview else (),
        )  # fmt: skip


def _kinds(count: int) -> list[str]:
    return [f"Entries that keep the kind which their sources state today: {count:,}."] if count else []


def _effect(counts: dict[str, int]) -> str:
    words = {"added": "come", "removed": "leave", "changed": "change", "moved": "move"}
    parts = [f"{counts[name]:,} {word}" for name, word in words.items() if counts.get(name)]
    return f"Entries: {', '.join(parts)}." if parts else "The list shows this version already; nothing would change."
