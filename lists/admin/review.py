"""What waits for a person, and what must not come."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from lists import services
from lists.admin.base import Bounded, ByService, HistoryAdmin, ReadOnly, ServiceForm, ask, chosen, made
from lists.fields import FIELDS
from lists.models import Block, Conflict, Proposal

# A list's own sources and addresses are not needed to name a row, and addresses are secrets.
UNREAD = ("source__address", "source__body_digest")


@admin.register(Proposal)
class ProposalAdmin(ReadOnly, ByService, Bounded):
    list_display = ("__str__", "kind", "state", "list", "created_by", "created_at", "expires_at")
    list_select_related = ("list", "created_by", "source")
    list_filter = ("kind", "state")
    search_fields = ("filename", "=list__id", "=created_by__username")
    search_help_text = "A part of a file's name, the number of a list, or who handed it in."
    actions = ("apply", "keep")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Proposal]:
        return super().get_queryset(request).defer("body", "result", *UNREAD)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("lists.change_proposal")

    @admin.action(description="Held removals: let them go", permissions=["decide"])
    def apply(self, request: HttpRequest, queryset: QuerySet[Proposal]) -> None:
        held = _held(queryset)
        versions = [services.apply_held(proposal, by=request.user) for proposal in held]
        self.message_user(
            request, f"{len(held)} applied. {made(*versions)} What left can be put back.", messages.SUCCESS
        )

    @admin.action(description="Held removals: keep the entries", permissions=["decide"])
    def keep(self, request: HttpRequest, queryset: QuerySet[Proposal]) -> None:
        held = _held(queryset)
        versions = [services.keep_held(proposal, by=request.user) for proposal in held]
        self.message_user(request, f"{len(held)} kept: nothing was removed. {made(*versions)}", messages.SUCCESS)


def _held(queryset: QuerySet[Proposal]) -> list[Proposal]:
    return chosen(queryset.filter(kind=Proposal.Kind.HELD, state=Proposal.State.OPEN).select_related("list"))


@admin.register(Conflict)
class ConflictAdmin(ReadOnly, ByService, Bounded, HistoryAdmin):
    list_display = (
        "__str__", "list", "kind", "severity", "label", "before", "recommended", "state", "choice", "created_at", "decided_at",
    )  # fmt: skip
    list_select_related = ("entry", "list")
    list_filter = ("state", "kind", "severity")
    search_fields = ("=list__id", "entry__title", "=field")
    search_help_text = "The number of a list, a part of an entry's title, or a field."
    actions = ("keep", "take", "merge", "skip")

    @admin.display(description="field")
    def label(self, obj: Conflict) -> str:
        return FIELDS[obj.field].label if obj.field in FIELDS else obj.field

    @admin.display(description="recommended")
    def recommended(self, obj: Conflict) -> str:
        return (obj.recommendation or {}).get("why", "")

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("lists.change_conflict")

    @admin.action(description="Keep what is shown", permissions=["decide"])
    def keep(self, request: HttpRequest, queryset: QuerySet[Conflict]) -> None:
        waiting, told = _waiting(queryset)
        versions = services.decide(waiting, by=request.user, choice="keep") if waiting else []
        self.message_user(
            request, f"{len(waiting)} decided: what is shown stays. {made(*versions)}{told}", messages.SUCCESS
        )

    @admin.action(description="Take what is recommended", permissions=["decide"])
    def take(self, request: HttpRequest, queryset: QuerySet[Conflict]) -> None:
        waiting, told = _waiting(queryset)
        versions = []
        for choice in ("keep", "take"):
            these = [each for each in waiting if (each.recommendation or {}).get("choice") == choice]
            if these:
                versions += services.decide(these, by=request.user, choice=choice)
        advised = sum((each.recommendation or {}).get("choice") in ("keep", "take") for each in waiting)
        self.message_user(request, f"{advised} decided as recommended. {made(*versions)}{told}", messages.SUCCESS)

    @admin.action(description="Merge what does not clash", permissions=["decide"])
    def merge(self, request: HttpRequest, queryset: QuerySet[Conflict]) -> None:
        waiting, told = _waiting(queryset)
        versions = services.decide(waiting, by=request.user, choice="merge") if waiting else []
        self.message_user(request, f"{len(waiting)} merged. {made(*versions)}{told}", messages.SUCCESS)

    @admin.action(description="Skip until a source says something new", permissions=["decide"])
    def skip(self, request: HttpRequest, queryset: QuerySet[Conflict]) -> None:
        count = services.skip(
            chosen(queryset.filter(state=Conflict.State.OPEN).select_related("list")), by=request.user
        )
        self.message_user(request, f"{count} skipped. Nothing was changed.", messages.SUCCESS)


def _waiting(queryset: QuerySet[Conflict]) -> tuple[list[Conflict], str]:
    """The questions about values and changes that wait, and a sentence about those that ask who is who."""
    rows = chosen(
        queryset.filter(state__in=[Conflict.State.OPEN, Conflict.State.SKIPPED]).select_related("list", "entry")
    )
    fields = [row for row in rows if row.kind not in services.IDENTITY]
    others = len(rows) - len(fields)
    told = f" {others} ask who is who; they are decided one by one on the pages of their lists." if others else ""
    return fields, told


class BlockForm(ServiceForm):
    """Where, and one of three: an item, an id, or a pattern of titles."""

    scope = forms.ChoiceField(choices=services.SCOPES.items(), initial="list")

    class Meta:
        help_texts = {"namespace": "of an id, for example imdb", "value": "for example tt0113277, or movie/949"}

    def clean(self) -> dict[str, Any] | None:
        found = super().clean() or self.cleaned_data
        if found.get("scope") == "list" and not found.get("list"):
            raise forms.ValidationError({"list": "Choose the list that it is for. Nothing was blocked."})
        return found


class ScopeFilter(admin.SimpleListFilter):
    title, parameter_name = "where it holds", "scope"
    scopes = {
        "list": Q(list__isnull=False),
        "mine": Q(owner__isnull=False),
        "all": Q(list__isnull=True, owner__isnull=True),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [("list", "One list"), ("mine", "All lists of one person"), ("all", "Every list")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(self.scopes.get(self.value() or "", Q()))


@admin.register(Block)
class BlockAdmin(ByService, Bounded, HistoryAdmin):
    """A block is made and taken away; to change one is to do both."""

    form = BlockForm
    list_display = ("__str__", "list", "owner", "reason", "created_by", "created_at")
    list_select_related = ("item", "list", "owner", "created_by")
    list_filter = (ScopeFilter,)
    search_fields = ("pattern", "value", "reason", "=item__id", "=list__id")
    search_help_text = "A part of a pattern, an id or a reason; or the number of an item or a list."
    asked = ("scope", "list", "item", "namespace", "value", "pattern", "reason")
    autocomplete_fields = ("list", "item")
    actions = ("delete_selected",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("list", "owner", *self.asked[2:], "created_by", "created_at") if obj else self.asked

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        answers = form.cleaned_data
        named = {name: answers[name] for name in ("item", "namespace", "value", "pattern", "reason")}
        list_ = answers["list"] if answers["scope"] == "list" else None
        obj.pk = services.block(by=request.user, scope=answers["scope"], list_=list_, **named).pk
        obj.refresh_from_db()
        request.outcome = f"{obj} is blocked. What it hits leaves, and comes back if the block is taken away."  # type: ignore[attr-defined]

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        block = self.found(request, object_id, self.has_delete_permission)

        def act(_: Any) -> str:
            services.unblock(block, by=request.user)
            return f"{block} is not blocked any more."

        return ask(
            self, request, block, act, title=f"Take away the block of {block}", button="Unblock",
            lines=["What it kept away comes back at once, without a fetch, where sources still list it."],
            back=reverse("admin:lists_block_changelist"),
        )  # fmt: skip

    @admin.action(description="Take the block away", permissions=["delete"])
    def delete_selected(self, request: HttpRequest, queryset: QuerySet[Block]) -> None:
        # Those for all lists first: see MediaList.objects.alone().
        blocks = sorted(chosen(queryset.select_related("list", "owner", "item")), key=lambda block: block.list_id or 0)
        for block in blocks:
            services.unblock(block, by=request.user)
        self.message_user(
            request, f"{len(blocks)} taken away. What they kept away is back where sources list it.", messages.SUCCESS
        )
