"""The admin of accounts: secrets go in and never come out."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from lists import services
from lists.admin import Bounded, ByService, ServiceForm, ask
from lists.errors import Refused
from lists.models import Account
from sync import access
from sync.account_kinds import KINDS, AccountKind, kinds
from sync.errors import SyncError


class NewAccountForm(ServiceForm):
    """Whose it is, and at which service; what that asks for is typed on the next page."""

    service = forms.ChoiceField()

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["service"].choices = [(kind.key, kind.label) for kind in kinds()]  # type: ignore[attr-defined]


@admin.register(Account)
class AccountAdmin(ByService, Bounded):
    list_display = ("name", "service", "owner", "state", "tested_at", "expires_at", "created_at")
    list_select_related = ("owner",)
    list_filter = ("state",)
    search_fields = ("name", "service", "owner__username")
    autocomplete_fields = ("owner",)
    actions = None
    new = ("owner", "service", "name")
    looked_at = ("owner", "service", "state", "reason", "state_at", "details", "tested_at", "expires_at", "renew_at",
                 "from_addresses", "created_at")  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        return super().get_queryset(request).defer("secrets")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or _kind(obj) is not None)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or not obj.from_addresses)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return self.new
        kind = _kind(obj) if self.has_change_permission(request, obj) else None
        return (
            ("name", *(asked.name for asked in kind.asks if kind), *self.looked_at)
            if kind
            else ("name", *self.looked_at)
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.looked_at if obj else ()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = NewAccountForm
        if obj is not None:
            kind = _kind(obj)
            form = type("AccountForm", (ServiceForm,), _questions(obj, kind) if kind else {})
        return super().get_form(request, obj, change, **kwargs, form=form)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        said = form.cleaned_data
        if not change:
            account = services.make_account(said["owner"], service=said["service"], name=said["name"], by=request.user)
            obj.pk = account.pk
            obj.refresh_from_db()
            request.outcome = f"{account.name} is there. Type what its service asks for, then test it."  # type: ignore[attr-defined]
            return
        kind = KINDS[obj.service]
        typed = {asked.name: said[asked.name] for asked in kind.asks if said.get(asked.name)}
        secrets, details = kind().sorted_out(typed)
        before = obj.serial
        account = services.change_account(obj, by=request.user, name=said["name"], secrets=secrets, details=details)
        waits = " What is read with it waits until it is tested." if account.serial != before else ""
        request.outcome = f"Saved.{waits}"  # type: ignore[attr-defined]

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        account = self.found(request, object_id, self.has_delete_permission)
        using = [
            f"{source} of {source.list} is paused until it gets another account."
            for source in services.used_by(account)
        ]

        def act(answers: dict[str, Any]) -> str:
            name = account.name
            services.delete_account(account, by=request.user, pause=True)
            return f"{name} is deleted, with its secrets. What it brought stays."

        return ask(
            self, request, account, act, title=f"Delete {account.name}", button="Delete it", danger=True,
            lines=[*using, "Its secrets are deleted at once. What it brought stays."],
            back=reverse("admin:lists_account_changelist"),
        )  # fmt: skip

    def get_urls(self) -> list[URLPattern]:
        own = path("<path:object_id>/test/", self.admin_site.admin_view(self.test_view), name="lists_account_test")
        return [own, *super().get_urls()]

    def test_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """By itself, and not as an action: those are one transaction, and nobody is asked within one."""
        account = self.found(request, object_id, self.has_change_permission)
        if request.method != "POST":
            return ask(
                self, request, account, lambda answers: "", title=f"Test {account.name}", button="Test it",
                lines=["Its service is asked whether it takes this account. What waits for it goes on if it does."],
            )  # fmt: skip
        try:
            tried = access.try_account(account, by=request.user)
        except (SyncError, Refused) as e:
            self.message_user(request, str(e), messages.ERROR)
        else:
            said = f"{tried.name} works." if tried.works else f"{tried.name} does not work. {tried.reason}"
            self.message_user(request, said, messages.SUCCESS if tried.works else messages.ERROR)
        return HttpResponseRedirect(reverse("admin:lists_account_change", args=[account.pk]))


def _kind(account: Account) -> type[AccountKind] | None:
    """None for logins out of files, which nobody changes by hand."""
    return None if account.from_addresses else KINDS.get(account.service)


def _questions(account: Account, kind: type[AccountKind]) -> dict[str, forms.Field]:
    found = kind.form(kept=access.kept_of(account)).fields
    for name, field in found.items():
        if name in account.details:
            field.initial = account.details[name]
        elif not field.required:
            field.help_text = f"{field.help_text} Kept; type only to replace it.".strip()
    return found
