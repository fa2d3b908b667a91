"""Questions about values and about who something is: what each source says, and the decision."""

import hashlib
from collections.abc import Iterable, Sequence
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
from lists.errors import TooLate, Unfit
from lists.fields import FIELDS, canonical
from lists.forms.entries import ValueField
from lists.models import Conflict, MediaList, Version
from lists.paging import Sort
from lists.resolve import HAND
from lists.templatetags.listkeeper import counted
from lists.views import answers
from lists.views.access import number, open_list, refusals_told
from lists.views.review import sought, tabs

SHOWN = 20
THINGS_SHOWN = 10  # of each we ask who may say that two things are one
AT_ONCE = 1000
BY_ENTRY = Sort("entry", "By entry", "entry_id")
LATEST = Sort("latest", "The latest first", "decided_at", descending=True)
STATES = {
    "open": [Conflict.State.OPEN],
    "skipped": [Conflict.State.SKIPPED],
    "decided": [Conflict.State.DECIDED, Conflict.State.EXPIRED],
}
Typed = dict[int, tuple[str, str]]  # question -> what was typed, and why it does not do


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to see. about: "field" or "thing"; state: a key of STATES."""

    list_: MediaList | None
    about: str
    state: str
    severity: str = ""

    @classmethod
    def of(cls, request: HttpRequest) -> "Wanted":
        """Raises Http404 for a list that the user may not see."""
        asked, state = request.GET.get("list"), request.GET.get("state", "open")
        list_ = open_list(request, number(asked, high=2**63 - 1) or 0) if asked else None
        about = "thing" if request.GET.get("about") == "thing" else "field"
        severity = request.GET.get("severity", "")
        severity = severity if severity in Conflict.Severity.values else ""
        return cls(list_, about, state if state in STATES else "open", severity)

    def of_user(self, user: Any) -> QuerySet[Conflict]:
        found = waiting.questions_for(user).filter(state__in=STATES[self.state])
        if self.list_ is not None:
            found = found.filter(list=self.list_)
        if self.severity:
            found = found.filter(severity=self.severity)
        if self.state == "decided":
            found = found.filter(decided_at__isnull=False)
        return found.filter(waiting.ABOUT_VALUES if self.about == "field" else waiting.ABOUT_THINGS)

    def decidable(self, user: Any) -> list[Conflict]:
        """Those about fields that the user may decide, as many as are decided at once."""
        found = self.of_user(user).filter(list__in=waiting.decidable_by(user).order_by().values("pk"))
        return list(found.only("options", "recommendation", "list_id").select_related(None).order_by("id")[:AT_ONCE])


@login_required
def conflicts(request: HttpRequest) -> HttpResponse:
    """Questions and their answers; the form of each, and of many at once, comes back here. 400 for a typed value that
    does not do."""
    wanted = Wanted.of(request)
    typed: Typed = {}
    if request.method == "POST":
        with refusals_told(request):
            typed = _answer(request, wanted)
        if not typed:
            return redirect(request.get_full_path())
    after = request.GET.get("after", "")
    sort = LATEST if wanted.state == "decided" else BY_ENTRY
    page = sought(
        wanted.of_user(request.user), sort, after=after, limit=SHOWN if wanted.about == "field" else THINGS_SHOWN
    )
    if after and not page.rows:
        return redirect(f"{request.path}?{_without_place(request)}")
    context = tabs(request) | {"wanted": wanted, "page": page}
    context["page_severities"] = Conflict.Severity.choices if wanted.about == "field" else ()
    may = _may(request.user, page.rows)
    if wanted.state == "decided":
        context["decided"] = answers.decided(page.rows, may)
        return render(request, "lists/review_decided.html", context)
    if wanted.about == "thing":
        context["rows"] = answers.things(page.rows, request.user, may)
        return render(request, "lists/review_things.html", context)
    context["rows"] = answers.values(page.rows, may, typed)
    context |= {"bulk": sum(row["may"] for row in context["rows"]) > 1, **_at_once(request, wanted)}
    return render(request, "lists/review_conflicts.html", context, status=400 if typed else 200)


def _may(user: Any, found: Iterable[Conflict]) -> set[int]:
    """Those of the lists in question about which the user decides."""
    lists = {row.list_id for row in found}
    return set(waiting.decidable_by(user).filter(pk__in=lists).values_list("pk", flat=True))


def _without_place(request: HttpRequest) -> str:
    query = request.GET.copy()
    query.pop("after", None)
    return query.urlencode()


def _at_once(request: HttpRequest, wanted: Wanted) -> dict[str, Any]:
    """all: how many one click decides; better: for how many of them another value is recommended; seen: their mark."""
    found = wanted.decidable(request.user)
    better = sum((row.recommendation or {}).get("choice") == "take" for row in found)
    return {"all": len(found), "better": better, "seen": _mark_of_all(found)}


def _mark_of_all(found: Iterable[Conflict]) -> str:
    said = [[row.pk, row.options, row.recommendation] for row in found]
    return hashlib.blake2b(canonical(said), digest_size=8).hexdigest()


# -- answers -----------------------------------------------------------------------------------------------------------


def _answer(request: HttpRequest, wanted: Wanted) -> Typed:
    """What one form says; the answer is not empty where a typed value does not do. Raises Refused."""
    act = request.POST.get("act", "")
    if act not in ("decide", "keep", "take", "skip"):
        raise Unfit("Choose what shall happen. Nothing was decided.")
    with transaction.atomic():
        if request.POST.get("choice") == "same":
            MediaList.objects.alone()  # before any list is locked: it merges
        found = _of_form(request, wanted)
        if act == "skip":
            _skip(request, found)
        elif act != "decide":
            _decide(request, found, act)
        elif found[0].kind == Conflict.Kind.FIELD:
            return _decide_one(request, found[0])
        else:
            _identify(request, found[0])
    return {}


def _of_form(request: HttpRequest, wanted: Wanted) -> list[Conflict]:
    """The questions that a form names, their lists locked. Raises TooLate if they are others than the page showed."""
    if "all" in request.POST:
        _lock(wanted.decidable(request.user))
        found = wanted.decidable(request.user)
        if _mark_of_all(found) != request.POST["all"]:
            raise TooLate("Other questions wait by now than this page showed. Nothing was decided. Look again.")
        return list(waiting.questions_for(request.user).filter(pk__in=[row.pk for row in found]))
    marks = dict(text.split(".", 1) for text in request.POST.getlist("pick") if "." in text)
    pks = [pk for text in marks if (pk := number(text, low=1, high=2**63 - 1)) is not None]
    if not pks:
        raise Unfit("Select at least one question first. Nothing was decided.")
    _lock(Conflict.objects.filter(pk__in=pks))
    found = list(waiting.questions_for(request.user).filter(pk__in=pks).order_by("id"))
    if len(found) < len(set(pks)):
        raise Http404
    if _may(request.user, found) < {row.list_id for row in found}:
        raise PermissionDenied(
            "Your role on this list is viewer. Nothing was decided. Its owner can make you an editor."
        )
    waits = [row for row in found if row.state in (Conflict.State.OPEN, Conflict.State.SKIPPED)]
    if any(answers.mark(row) != marks[str(row.pk)] for row in waits):
        raise TooLate("What the sources say has changed since you looked. Nothing was decided. Look again.")
    return found


def _lock(found: Iterable[Conflict]) -> None:
    MediaList.objects.filter(pk__in={row.list_id for row in found}).locked_together()


def _skip(request: HttpRequest, found: Sequence[Conflict]) -> None:
    count = services.skip(found, by=request.user)
    many = "They return when a source says" if count > 1 else "It returns when a source says"
    said = counted(count, "question is put aside.", "questions are put aside.")
    messages.success(request, f"{said} {many} something new.")


def _decide(request: HttpRequest, found: Sequence[Conflict], choice: str) -> None:
    versions = services.decide(found, by=request.user, choice=choice)
    how = "the lists keep what they show" if choice == "keep" else "as recommended"
    said = f"{counted(len(found), 'question is', 'questions are')} decided: {how}."
    _tell(request, versions, said, undoable=choice != "keep" or not all(map(_by_hand, found)))


def _decide_one(request: HttpRequest, conflict: Conflict) -> Typed:
    asked, entry = request.POST.get("choice", ""), conflict.entry
    assert entry is not None  # waiting.questions_for leaves the others out
    choice, _, which = asked.partition("-")
    place, how = number(which), dict[str, Any]()
    if choice == "type":
        text = request.POST.get("typed", "")
        try:
            how["value"] = _typed(conflict, text)
        except ValidationError as e:
            return {conflict.pk: (text, " ".join(e.messages))}
    elif choice == "take" and place is not None:
        how["source"] = place
    elif choice == HAND and place is not None and place < len(conflict.options):
        choice, how["value"] = "type", conflict.options[place]["value"]
    elif asked not in ("keep", "merge"):
        raise Unfit("Choose one of the answers. Nothing was decided.")
    versions = services.decide([conflict], by=request.user, choice=choice, **how)
    conflict.refresh_from_db(fields=["after"])
    field = ValueField(FIELDS[conflict.field], kind=entry.kind)
    value, name = field.prepare_value(conflict.after) or "empty", f"{field.label} of “{entry.title}”"
    is_ = f"stays {value}" if choice == "keep" else f"is {value} now"
    said = f"{name} {is_}. If a source says something new about it, we ask again."
    _tell(request, versions, said, undoable=choice != "keep" or not _by_hand(conflict))
    return {}


def _typed(conflict: Conflict, text: str) -> Any:
    """Raises ValidationError."""
    kind = conflict.entry.kind if conflict.entry else ""
    value = ValueField(FIELDS[conflict.field], kind=kind, required=False).clean(text)
    if value is None:
        raise ValidationError("Type a value first. Nothing was decided.")
    return value


def _by_hand(conflict: Conflict) -> bool:
    """Whether a person's word is shown already: then keeping it changes nothing that could be taken back."""
    return conflict.entry is not None and conflict.entry.origin_of(conflict.field) == HAND


def _identify(request: HttpRequest, conflict: Conflict) -> None:
    asked, title = request.POST.get("choice", ""), conflict.entry.title if conflict.entry else ""
    items = {f"item-{option['item']}": option for option in conflict.options}
    if asked not in ("own", "same", *items):
        raise Unfit("Choose what it is. Nothing was decided.")
    item = items[asked]["item"] if asked in items else None
    services.decide_identity(conflict, by=request.user, item=item, same=asked == "same")
    what = f"“{items[asked]['title']}”" if asked in items else "a thing of its own"
    said = "They are the same thing" if asked == "same" else f"“{title}” is {what}"
    messages.success(request, f"{said} from now on, whatever its sources send.")


def _tell(request: HttpRequest, versions: Sequence[Version], said: str, *, undoable: bool) -> None:
    """With the way to undo it, where one list got one version by it."""
    undo = ""
    if undoable and len(versions) == 1 and versions[0].number > 1:
        undo = f"undo {reverse('lists:undo', args=[versions[0].list_id, versions[0].number])}"
    messages.success(request, said, extra_tags=undo)
