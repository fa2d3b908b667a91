"""What holds for the whole site, and who did what."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date

from lists import services
from lists.admin.base import Bounded, HistoryAdmin, ReadOnly
from lists.audit import audit
from lists.fields import FIELDS
from lists.forms.rules import PREFERABLE
from lists.models import Audit, Block, Conflict, Entry, Item, MediaList, Proposal, SitePolicy, Source
from lists.preferences import fault_of
from lists.services.rules import FOLDED


class Preferences(forms.Form):
    """A line for each field for which a kind of source may be believed first."""

    locals().update(
        {
            f"prefer_{name}": forms.CharField(label=FIELDS[name].label, required=False, max_length=50)
            for name in PREFERABLE
        }
    )


class SitePolicyForm(Preferences, forms.ModelForm):
    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        for name in PREFERABLE:
            self.initial[f"prefer_{name}"] = self.instance.preferred.get(name, "")

    def clean(self) -> dict[str, Any]:
        typed = super().clean() or self.cleaned_data
        said = {name: typed.get(f"prefer_{name}", "").strip() for name in PREFERABLE}
        others = {name: whom for name, whom in self.instance.preferred.items() if name not in PREFERABLE}
        preferred = others | {name: whom for name, whom in said.items() if whom}
        if fault := fault_of(preferred):
            raise forms.ValidationError(fault)
        self.instance.preferred = preferred
        return typed


@admin.register(SitePolicy)
class SitePolicyAdmin(HistoryAdmin):
    """One row. Lists that do not say otherwise are looked at again when it changes."""

    form = SitePolicyForm
    fieldsets = (
        (None, {"fields": ("strategy", "removals", "conflict_days", "accept_confidence")}),
        ("What may be missing at once", {"fields": ("held_share", "held_share_always", "held_floor")}),
        (
            "Whom to believe first",
            {
                "fields": [f"prefer_{name}" for name in PREFERABLE],
                "description": "For lists that go by rules. Name a service, such as imdb or tmdb, or a kind of source, such as "
                "imdb_csv. Empty: by pictures and by how complete a record is.",
            },
        ),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        return HttpResponseRedirect(reverse("admin:lists_sitepolicy_change", args=[SitePolicy.current().pk]))

    @transaction.atomic
    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        stood = SitePolicy.current()
        super().save_model(request, obj, form, change)
        if form.changed_data:
            changed = {"preferred" if name.startswith("prefer_") else name for name in form.changed_data}
            before = {name: getattr(stood, name) for name in sorted(changed)}
            audit(request.user, "changed", obj, before=before, after={name: getattr(obj, name) for name in before})
            self._apply(request, changed)

    def _apply(self, request: HttpRequest, changed: set[str]) -> None:
        if not FOLDED & changed:
            self.message_user(request, "It holds from the next sync on. Nothing that lists show was changed.")
            return
        lists = services.site_rules_changed(by=request.user)
        self.message_user(
            request, f"{lists:,} lists go by it. The workers look at each of them again; one that shows something else "
            "then gets a version that says so.",
        )  # fmt: skip


class TypedFilter(admin.SimpleListFilter):
    """A filter that is typed in: a list of all values would read a table that only grows from end to end."""

    template = "admin/lists/typed_filter.html"
    input_type = "text"
    lookup = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [("", "")]  # one, or Django leaves the filter out

    def choices(self, changelist: Any) -> Any:
        others = changelist.get_filters_params().items()
        kept = [(name, value) for name, values in others if name != self.parameter_name for value in values]
        yield {"kept": [*kept, *([("q", changelist.query)] if changelist.query else [])], "typed": self.value() or ""}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.meant(self.value())
        return queryset if value is None else queryset.filter(**{self.lookup: value})

    def meant(self, typed: str | None) -> Any:
        return typed or None


class ActionFilter(TypedFilter):
    title, parameter_name, lookup = "action", "action", "action"


class ActorFilter(TypedFilter):
    title, parameter_name, lookup = "person", "actor", "actor_name"


WRITTEN_OF = (MediaList, Source, Entry, Item, Block, Conflict, Proposal, SitePolicy)


class ObjectFilter(admin.SimpleListFilter):
    title, parameter_name = "kind of thing", "object_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [(name, name) for name in sorted(str(model._meta.verbose_name) for model in WRITTEN_OF)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(object_type=self.value()) if self.value() else queryset


class DayFilter(TypedFilter):
    """One end of a span of days, in the site's time zone; what is no date filters nothing."""

    input_type = "date"
    days = 0

    def meant(self, typed: str | None) -> datetime | None:
        try:
            found = parse_date(typed or "")
            if found is None:
                return None
            return timezone.make_aware(datetime(found.year, found.month, found.day) + timedelta(self.days))
        except (ValueError, OverflowError):
            return None


class SinceFilter(DayFilter):
    title, parameter_name, lookup = "first day", "since", "at__gte"


class UntilFilter(DayFilter):
    title, parameter_name, lookup, days = "last day", "until", "at__lt", 1


@admin.register(Audit)
class AuditAdmin(ReadOnly, Bounded):
    list_display = ("at", "actor_name", "action", "object_type", "object_name", "list_ref", "version_number")
    list_filter = (ActionFilter, ObjectFilter, ActorFilter, SinceFilter, UntilFilter)
    search_fields = ("actor_name", "action", "object_name", "=object_id", "=list_ref")
    search_help_text = "A part of who, what was done or to what; or the number of a thing or of a list."
