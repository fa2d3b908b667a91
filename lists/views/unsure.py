"""Changes of sources that look unsure: what each would do, and the decision, one by one or many at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from lists import services, waiting
from lists.errors import Unfit
from lists.fields import FIELDS
from lists.forms.entries import ValueField
from lists.models import Conflict, MediaList, Version
from lists.paging import Sort
from lists.templatetags.listkeeper import counted
from lists.views.access import number, open_list, refusals_told
from lists.views.conflicts import STATES
from lists.views.review import sought, tabs

SHOWN = 100
AT_ONCE = 1000
BY_SOURCE = Sort("source", "By source", "source_id")
LATEST = Sort("latest", "The latest first", "decided_at", descending=True)
# What is said of a decision: what was decided, and what follows.
DONE = {
    "take": "taken", "keep": "left as they were", "merge": "merged: what clashed stayed", "newest": "decided by what is newest",
    "confidence": "decided by who is surest", "recommended": "decided as recommended", "type": "taken in your words",
}  # fmt: skip
ALL = {"all-take": "take", "all-keep": "keep", "all-merge": "merge"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to see; state: a key of STATES."""

    list_: MediaList | None
    state: str
    kind: str
    severity: str

    @classmethod
    def of(cls, request: HttpRequest) -> "Wanted":
        """Raises Http404 for a list that the user may not see; a filter that makes no sense filters nothing."""
        asked, state = request.GET.get("list"), request.GET.get("state", "open")
        list_ = open_list(request, number(asked, high=2**63 - 1) or 0) if asked else None
        kind, severity = request.GET.get("kind", ""), request.GET.get("severity", "")
        return cls(
            list_, state if state in STATES else "open", kind if kind in Conflict.Kind.values else "",
            severity if severity in Conflict.Severity.values else "",
        )  # fmt: skip

    def of_user(self, user: Any) -> QuerySet[Conflict]:
        found = waiting.questions_for(user).filter(waiting.ABOUT_CHANGES, state__in=STATES[self.state])
        named = {"list": self.list_, "kind": self.kind, "severity": self.severity}
        return found.filter(**{name: value for name, value in named.items() if value})


@login_required
def changes(request: HttpRequest) -> HttpResponse:
    """?list=, ?kind=, ?severity= and ?state= choose. 400 for typed words that do not do."""
    wanted = Wanted.of(request)
    typed: dict[int, dict[str, Any]] = {}
    if request.method == "POST":
        with refusals_told(request), transaction.atomic():
            typed = _answer(request, wanted)
        if not typed:
            return redirect(request.get_full_path())
    sort = LATEST if wanted.state == "decided" else BY_SOURCE
    rows = wanted.of_user(request.user).select_related("list", "entry", "decided_by", "source")
    if wanted.state == "decided":
        rows = rows.filter(decided_at__isnull=False)
    page = sought(
        rows.defer("source__address", "source__body_digest", "entry__search"),
        sort,
        after=request.GET.get("after", ""),
        limit=SHOWN,
    )
    lists = {row.list_id for row in page.rows}
    may = set(waiting.decidable_by(request.user).filter(pk__in=lists).values_list("pk", flat=True))
    sources = {row.source_id for row in page.rows}
    whole = {
        found.source_id: found
        for found in waiting.unsure_for(request.user).filter(waiting.OPEN_UNSURE, source__in=sources)
    }
    shown = [_shown(row, row.list_id in may, typed.get(row.pk)) for row in page.rows]
    context = tabs(request) | {
        "wanted": wanted, "page": page, "rows": shown, "whole": whole, "may_any": bool(may),
        "kinds": [choice for choice in Conflict.Kind.choices if choice[0] not in ("field", "match", "ids")],
        "severities": Conflict.Severity.choices,
    }  # fmt: skip
    return render(request, "lists/review_changes.html", context, status=400 if typed else 200)


def _shown(row: Conflict, may: bool, typed: dict[str, Any] | None) -> dict[str, Any]:
    """{"conflict", "title", "fields": [(name, before, after)], "may", "inputs", "choice"} of one change."""
    before, after = row.before or {}, row.proposed
    if row.kind == Conflict.Kind.RESTRUCTURE:
        names: list[str] = []
    elif row.kind in (Conflict.Kind.MODIFIED, Conflict.Kind.METADATA):
        names = list({**before, **after})
    else:
        names = [name for name in ("cue_ms", "year", "label") if (before or after).get(name) is not None]
    titled = row.entry.values if row.entry is not None else (before or after)
    writable = row.kind in (Conflict.Kind.ADDED, Conflict.Kind.MODIFIED)
    inputs = (
        [name for name in ({**before, **after} if row.before else ("artist", "title")) if name in FIELDS]
        if writable
        else []
    )
    return {
        "conflict": row, "may": may, "artist": titled.get("artist", ""), "title": titled.get("title", ""),
        "fields": [(name, before.get(name), after.get(name)) for name in names], "counts": after,
        "inputs": [_input(row, name, after.get(name), typed) for name in inputs[:4]],
        "open": typed is not None,
    }  # fmt: skip


def _input(row: Conflict, name: str, value: Any, typed: dict[str, Any] | None) -> dict[str, Any]:
    field = ValueField(FIELDS[name], kind="track" if row.list.content == MediaList.Content.TRACKS else "")
    text, error = (typed or {}).get(name, (field.prepare_value(value), ""))
    return {"name": f"typed_{name}", "label": FIELDS[name].label, "value": text, "errors": [error] if error else []}


def _answer(request: HttpRequest, wanted: Wanted) -> dict[int, dict[str, Any]]:
    """What one form says; not empty where typed words do not do: change -> field -> (text, error). Raises Refused."""
    act = request.POST.get("act", "")
    choice = ALL.get(act, act)
    found = _of_form(request, wanted, everything=act in ALL)
    if choice == "skip":
        count = services.skip(found, by=request.user)
        messages.success(request, f"{counted(count, 'change is', 'changes are')} put aside.")
        return {}
    if choice not in DONE:
        raise Unfit("Choose what shall happen. Nothing was decided.")
    value = None
    if choice == "type":
        value, wrong = _typed(request, found[0])
        if wrong:
            return {found[0].pk: wrong}
    decided, versions = _decide(request, found, choice, value)
    said = f"{counted(decided, 'change is', 'changes are')} {DONE[choice]}."
    if left := len(found) - decided:
        said += f" {counted(left, 'needs', 'need')} a look of yours and {'waits' if left == 1 else 'wait'} on."
    undo = ""
    if len(versions) == 1 and versions[0].number > 1:
        undo = f"undo {reverse('lists:undo', args=[versions[0].list_id, versions[0].number])}"
    messages.success(request, said, extra_tags=undo)
    return {}


def _decide(request: HttpRequest, found: Sequence[Conflict], choice: str, value: Any) -> tuple[int, list[Version]]:
    if choice != "recommended":
        return len(found), services.decide(found, by=request.user, choice=choice, value=value)
    versions, decided = [], 0
    for each in ("keep", "take"):
        these = [row for row in found if (row.recommendation or {}).get("choice") == each]
        versions += services.decide(these, by=request.user, choice=each)
        decided += len(these)
    return decided, versions


def _of_form(request: HttpRequest, wanted: Wanted, *, everything: bool) -> list[Conflict]:
    """The changes that it names: those picked, or all of a source that wait. Raises Unfit, PermissionDenied, Http404."""
    rows = waiting.questions_for(request.user).filter(waiting.ABOUT_CHANGES).select_related("list", "entry", "source")
    if everything:
        source = number(request.POST.get("source"), high=2**63 - 1) or 0
        found = list(rows.filter(source=source, state=Conflict.State.OPEN).order_by("id")[:AT_ONCE])
    else:
        picked = [pk for text in request.POST.getlist("pick") if (pk := number(text, low=1, high=2**63 - 1))]
        found = list(rows.filter(pk__in=picked[:AT_ONCE]).order_by("id"))
        if len(found) < len(set(picked)):
            raise Http404("One of these changes is not there, or you may not see it. Nothing was decided.")
    if not found:
        raise Unfit("Choose at least one first. Nothing was decided.")
    lists = {row.list_id for row in found}
    if waiting.decidable_by(request.user).filter(pk__in=lists).count() < len(lists):
        raise PermissionDenied(
            "Your role on this list is viewer. Nothing was decided. Its owner can make you an editor."
        )
    return found


def _typed(request: HttpRequest, row: Conflict) -> tuple[dict[str, Any], dict[str, Any]]:
    """(values by field, {field: (text, error)} if one does not do)."""
    values: dict[str, Any] = {}
    wrong: dict[str, Any] = {}
    for name in FIELDS:
        if f"typed_{name}" in request.POST:
            text = request.POST[f"typed_{name}"]
            try:
                field = ValueField(FIELDS[name], kind="track" if row.list.content == "tracks" else "", required=False)
                values[name] = field.clean(text)
            except ValidationError as e:
                wrong[name] = (text, " ".join(e.messages))
    if not values and not wrong:
        raise Unfit("Type something first. Nothing was decided.")
    return values, wrong
