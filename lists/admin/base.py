"""What the admin's pages have in common: bounds, services in place of saves, history that is looked at."""

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import display_for_field, unquote
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import BinaryField, Field, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from simple_history.admin import SimpleHistoryAdmin

from lists.encrypted import EncryptedTextField
from lists.errors import Refused, Unfit
from lists.models import MediaList, Version
from lists.models.entries import VersionedRow

AT_ONCE = 1_000  # rows that one action takes


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
        """All of them: without it the form of a row would offer a choice of every row of a related table."""
        return self.fields or [f.name for f in self.opts.concrete_fields if is_shown(f)]


@admin.display(description="year")
def year(row: Any) -> str:
    """A column of a list: without thousand separators."""
    return "-" if row.year is None else str(row.year)


def is_shown(field: Any) -> bool:
    return not isinstance(field, BinaryField | EncryptedTextField)


# -- services in place of saves --------------------------------------------------------------------------------------


class ServiceForm(forms.ModelForm):
    """Its instance stays as the database has it: a service writes, and compares with what stands there.

    refused: what the service said of the values, shown above the form with what was typed.
    """

    refused = ""

    def clean(self) -> dict[str, Any] | None:
        if self.refused:
            raise forms.ValidationError(self.refused)
        return super().clean()

    def _post_clean(self) -> None:
        pass


class ByService(admin.ModelAdmin):
    """Saves, deletes and actions call services. What a service refuses is said on the page that asked for it, and then
    nothing of the request stands."""

    form = ServiceForm

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except Refused as e:
            request.refused = str(e)  # type: ignore[attr-defined]
            return super().changeform_view(request, object_id, form_url, extra_context)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.refused = getattr(request, "refused", "")
        return form

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if request.method != "POST":
            return super().changelist_view(request, extra_context)
        try:
            with transaction.atomic():
                return super().changelist_view(request, extra_context)
        except Refused as e:
            self.message_user(request, str(e), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def message_user(
        self, request: HttpRequest, message: Any, level: Any = messages.INFO, *args: Any, **kwargs: Any
    ) -> None:
        """What save_model left in request.outcome stands in place of Django's own line about the save."""
        outcome = getattr(request, "outcome", "") if level == messages.SUCCESS else ""
        super().message_user(request, outcome or message, level, *args, **kwargs)

    def found(self, request: HttpRequest, object_id: str, may: Callable[..., bool]) -> Any:
        """The row that an address names. 404 if there is none, 403 if the user may not act on it."""
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        if not may(request, row):
            raise PermissionDenied
        return row


def chosen(queryset: QuerySet[Any]) -> list[Any]:
    """The rows that an action was asked for, oldest first; Unfit if they are too many for one request."""
    rows = list(queryset.order_by("pk")[: AT_ONCE + 1])
    if len(rows) > AT_ONCE:
        raise Unfit(f"Those are more than {AT_ONCE:,} at once. Nothing was changed. Choose fewer.")
    return rows


def by_list(rows: Iterable[Any]) -> list[tuple[MediaList, list[Any]]]:
    """Rows by their list, lists in one order: two actions that lock the same lists must not wait for each other."""
    found: dict[MediaList, list[Any]] = {}
    for row in sorted(rows, key=lambda row: (row.list_id, row.pk)):
        found.setdefault(row.list, []).append(row)
    return list(found.items())


def made(*versions: Version | None) -> str:
    """A sentence about the versions that an act made."""
    numbers = [f"version {v.number} of {v.list}" for v in versions if v is not None]
    return f"That made {', '.join(numbers)}." if numbers else "What the lists show stays as it was."


# -- pages that ask --------------------------------------------------------------------------------------------------


def ask(
    page: admin.ModelAdmin, request: HttpRequest, row: Any, act: Callable[[dict[str, Any]], str] | None, *, title: str,
    button: str, back: str = "", form: forms.Form | None = None, **more: Any,
) -> HttpResponse:  # fmt: skip
    """A page that says what an act would do, and does it when it is posted.

    act: gets the cleaned answers of the form and returns what to say; None: there is only something to look at.
    back: where to go afterwards; the page of the row if empty. more: lines of text; heads and rows of a table; danger.
    """
    back = back or reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_change", args=[row.pk])
    if request.method == "POST":
        if act is None:
            raise PermissionDenied("This state cannot be brought back here. Nothing was changed.")
        if form is None or form.is_valid():
            try:
                with transaction.atomic():
                    said, level = act(form.cleaned_data if form else {}), messages.SUCCESS
            except Refused as e:
                said, level = str(e), messages.ERROR
            page.message_user(request, said, level)
            return HttpResponseRedirect(back)
    context = {
        **page.admin_site.each_context(request), "title": title, "opts": page.opts, "object": row, "form": form,
        "button": button if act else "", "back": back, "media": page.media + (form.media if form else forms.Media()),
        **more,
    }  # fmt: skip
    return TemplateResponse(request, "admin/lists/ask.html", context)


# -- history ---------------------------------------------------------------------------------------------------------


class HistoryAdmin(SimpleHistoryAdmin):
    """History to look at, field by field. The package's form of an old state would save it past the services, so that
    form is never built: an old state has a page of our own, and what it brings back a service does."""

    object_history_template: Any = "admin/lists/history.html"

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        return super().history_view(request, self._known(object_id), extra_context)

    def get_history_queryset(self, request: HttpRequest, history_manager: Any, pk_name: str, object_id: Any) -> Any:
        found = super().get_history_queryset(request, history_manager, pk_name, object_id)
        return found.select_related("version") if issubclass(history_manager.model, VersionedRow) else found

    def revert_disabled(self, request: HttpRequest, obj: Any = None) -> bool:
        return not self.may_bring_back(request, obj)

    def may_bring_back(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may bring an old state of this row back; False where no service does."""
        return False

    def bring_back(self, request: HttpRequest, obj: Any, past: Any) -> str:
        """Let a service bring back what a history row says; returns what to tell the user."""
        raise NotImplementedError  # an abstract method: where may_bring_back says so, there is one

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """What the row was, beside what it is; a row that is gone has only been."""
        history = self.model.history
        key = {self.opts.pk.attname: self._known(object_id), "history_id": self._known(version_id)}
        past = history.filter(**key).first()
        if past is None:
            raise Http404
        now = self.get_queryset(request).filter(pk=object_id).first()
        row = now or past.instance
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        may = now is not None and self.may_bring_back(request, now)
        return ask(
            self, request, row, (lambda _: self.bring_back(request, now, past)) if may else None,
            title=f"{row}, as it was", button="Bring this state back", lines=[_written(past)],
            heads=("Field", "Then", "Now"), rows=list(_compared(past, now)),
            back=reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_history", args=[row.pk]),
        )  # fmt: skip

    def _known(self, number: str) -> str:
        try:
            self.opts.pk.to_python(number)
        except ValidationError:
            raise Http404 from None
        return number


def _written(past: Any) -> str:
    at = timezone.localtime(past.history_date)
    return f"Written on {at.day} {at:%B %Y} at {at:%H:%M:%S} by {past.history_user or 'the system'}."


def _compared(past: Any, now: Any) -> Iterable[tuple[str, str, str]]:
    """(field, then, now) of all that history keeps and people may see."""
    for field in past.tracked_fields:
        if is_shown(field):
            yield str(field.verbose_name).capitalize(), _shown(past, field), _shown(now, field) if now else "-"


def _shown(row: Any, field: Field) -> str:
    try:
        value = getattr(row, field.name)
    except ObjectDoesNotExist:
        return f"{getattr(row, field.attname)}, which is gone"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    if isinstance(value, int) and not field.choices and not isinstance(value, bool):
        return str(value)  # a year is no sum
    return str(display_for_field(value, field, "-"))
