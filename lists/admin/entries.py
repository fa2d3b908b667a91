"""What the lists show, what people want of it, and which list and source once brought it."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from lists import search, services
from lists.admin.base import Bounded, ByService, HistoryAdmin, ReadOnly, ServiceForm, ask, by_list, chosen, made, year
from lists.fields import COLUMNS, FIELDS, Field
from lists.forms import TagsField
from lists.forms.entries import ValueField
from lists.models import Edit, Entry, Item, Provenance
from lists.resolve import EMPTY, PRESENCE, PRESENT

MORE = tuple(name for name in FIELDS if name not in COLUMNS)


def _asked(kind: str = "") -> dict[str, forms.Field]:
    """A form field for each field. It carries what it showed, so that only what a person changed becomes an edit."""
    return {name: ValueField(spec, kind=kind, required=False, show_hidden_initial=True, widget=_widget(spec))
            for name, spec in FIELDS.items()}  # fmt: skip


def _widget(spec: Field) -> forms.Widget:
    if spec.limit > 1000:
        return forms.Textarea(attrs={"class": "vLargeTextField", "rows": 4})
    return forms.TextInput(attrs={"class": "vTextField"})


class EntryForm(ServiceForm):
    """What an entry shows. A field that is changed is from then on as it is typed here; an emptied one shows nothing.

    seen: the version that the person looked at. ids: of an entry that is added.
    """

    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)
    ids = TagsField(required=False, help_text="for example imdb:tt0113277, tmdb:movie/949; parted by commas")

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        known = self.instance.pk is not None
        fields = _asked(self.instance.kind if known else "")
        self.fields |= {name: field for name, field in fields.items() if name in self.fields}
        if known:
            current = self.instance.list.current
            self.initial |= self.instance.values | {"seen": current.number if current else None}

    def clean_ids(self) -> dict[str, str]:
        """Numbers carry their kind: tmdb:949 of a film is movie/949."""
        kind = self.cleaned_data.get("kind") or Item.Kind.MOVIE
        ids = {}
        for word in self.cleaned_data["ids"]:
            namespace, _, value = (part.strip() for part in word.partition(":"))
            if not (namespace and value):
                raise forms.ValidationError("Write an id as service:id, for example imdb:tt0113277.")
            ids[namespace.lower()] = f"{kind}/{value}" if value.isdigit() else value
        return ids

    @property
    def typed(self) -> dict[str, Any]:
        """What the person changed: {field: value}."""
        return {name: self.cleaned_data[name] for name in self.changed_data if name in FIELDS}


EntryForm.declared_fields.update(_asked())  # as if each stood in the class: its form has to know their names


@admin.register(Entry)
class EntryAdmin(ByService, Bounded, HistoryAdmin):
    form = EntryForm
    list_display = ("title", "artist", year, "kind", "list", "state", "reason", "first_listed_at")
    list_select_related = ("list",)
    list_filter = ("state", "kind")
    search_fields = ("title", "=list__id", "=item__id")
    search_help_text = "A part of the title, or the number of a list or an item."
    autocomplete_fields = ("list",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Entry], search_term: str
    ) -> tuple[QuerySet[Entry], bool]:
        text = search_term.strip()
        if not text:
            return queryset, False
        titled = search.entries(queryset, text)
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            return titled, False
        return queryset.filter(Q(list=text) | Q(item=text) | Q(pk__in=titled.values("pk"))), False

    facts = ("list", "item", "kind", "state", "reason", "first_listed_at", "by_hand")
    actions = ("delete_selected", "put_back", "give_back")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Entry]:
        return super().get_queryset(request).defer("search", "overview", "extra", "origins")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        head = (*self.facts, "seen") if obj else ("list", "kind", "ids")
        if obj and not self.has_change_permission(request, obj):
            return [(None, {"fields": self.facts}), ("What it shows", {"fields": (*COLUMNS, "extra")})]
        return [
            (None, {"fields": head}),
            ("What it shows", {"fields": COLUMNS}),
            ("More, for people to read", {"fields": MORE, "classes": ["collapse"]}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.facts if obj else ()

    def view_on_site(self, obj: Entry) -> str:
        return reverse("lists:entry", args=[obj.list_id, obj.pk])

    @admin.display(description="By hand")
    def by_hand(self, obj: Entry) -> str:
        """Each edit of it, whose it is, and whether the sources' next word ends it."""
        return "; ".join(map(_said, obj.edits.order_by("field"))) or "nothing"

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        by = request.user
        if change:
            version = services.edit_entries(obj.list, {obj.pk: form.typed}, by=by, seen=form.cleaned_data["seen"])
            request.outcome = f"Saved: no sync undoes it. {made(version)}"  # type: ignore[attr-defined]
            return
        answers = form.cleaned_data
        entry = services.add_entry(answers["list"], by=by, values=form.typed, kind=answers["kind"], ids=answers["ids"])
        obj.pk = entry.pk
        obj.refresh_from_db()
        request.outcome = f"{entry} is on {entry.list}. No sync removes it."  # type: ignore[attr-defined]

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        entry = self.found(request, object_id, self.has_delete_permission)

        def act(_: Any) -> str:
            return (
                f"{entry} left {entry.list}. {made(services.remove_entries(entry.list, [entry.pk], by=request.user))}"
            )

        return ask(
            self, request, entry, act, title=f"Remove {entry} from {entry.list}", button="Remove it", danger=True,
            lines=["It leaves the list and does not come back with a sync. Its row and its history stay here, and "
                   "“Put back” brings it back."],
        )  # fmt: skip

    @admin.action(description="Remove from the list (the row stays)", permissions=["delete"])
    def delete_selected(self, request: HttpRequest, queryset: QuerySet[Entry]) -> None:
        entries = chosen(queryset.exclude(state=Entry.State.REMOVED).select_related("list"))
        versions = [
            services.remove_entries(list_, [entry.pk for entry in group], by=request.user)
            for list_, group in by_list(entries)
        ]
        self.message_user(
            request,
            f"{len(entries)} left. {made(*versions)} Their rows and history stay; “Put back” brings them back.",
            messages.SUCCESS,
        )

    @admin.action(description="Put back on the list", permissions=["change"])
    def put_back(self, request: HttpRequest, queryset: QuerySet[Entry]) -> None:
        entries = chosen(queryset.filter(state=Entry.State.REMOVED).select_related("list"))
        versions = [
            services.restore_entries(list_, [entry.pk for entry in group], by=request.user)
            for list_, group in by_list(entries)
        ]
        self.message_user(request, f"{len(entries)} put back. {made(*versions)}", messages.SUCCESS)

    @admin.action(description="Give edited fields back to the sources", permissions=["change"])
    def give_back(self, request: HttpRequest, queryset: QuerySet[Entry]) -> None:
        """Whether it is on the list is not given back: removing and putting back are acts of their own."""
        edited, versions = 0, []
        for list_, group in by_list(chosen(queryset.select_related("list"))):
            fields: dict[int, list[str]] = {}
            for entry, name in (
                Edit.objects.filter(entry__in=group).exclude(field=PRESENCE).values_list("entry", "field")
            ):
                fields.setdefault(entry, []).append(name)
            if fields:
                edited += len(fields)
                versions.append(services.give_back(list_, fields, by=request.user))
        self.message_user(request, f"{edited} given back to their sources. {made(*versions)}", messages.SUCCESS)

    def may_bring_back(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)

    def bring_back(self, request: HttpRequest, obj: Any, past: Any) -> str:
        number = past.version.number
        version = services.rollback(obj.list, past.version, by=request.user, entries=[obj.pk])
        if version is None:
            return f"It is as it was in version {number}. Nothing was changed."
        return f"It is as it was in version {number}, and nothing else was changed. {made(version)}"


def _said(edit: Edit) -> str:
    if edit.field == PRESENCE:
        shown = "on the list" if edit.value == PRESENT else "off the list"
    else:
        value = ", ".join(map(str, edit.value)) if isinstance(edit.value, list) else edit.value
        shown = f"{FIELDS[edit.field].label}: {'nothing' if value in EMPTY else value}"
    held = "" if edit.firm else f", held by the rollback to {edit.rollback_to}"
    return f"{shown}, by {edit.author_name or 'the system'}{held}"


@admin.register(Edit)
class EditAdmin(ReadOnly, Bounded, HistoryAdmin):
    list_display = ("entry", "field", "value", "firm", "rollback_to", "author_name", "made_at")
    list_select_related = ("entry",)
    list_filter = ("firm",)
    search_fields = ("=entry__id", "=entry__list__id", "=field", "=author_name")
    search_help_text = "The number of an entry or a list, a field, or who made it."


@admin.register(Provenance)
class ProvenanceAdmin(ReadOnly, Bounded):
    list_display = ("title", "origin", "list_name", "source_name", "first_at", "last_at")
    list_filter = ("origin",)
    search_fields = ("title", "list_name", "=item__id")
