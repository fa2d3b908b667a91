"""What waits for a person: removals that were held back, and questions about values and about who something is."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, IntegerField, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from lists.models import Conflict, MediaList, Membership, Proposal

OPEN_HELD = Q(kind=Proposal.Kind.HELD, state=Proposal.State.OPEN)
OPEN_QUESTION = Q(state=Conflict.State.OPEN)
OPEN_UNSURE = Q(kind=Proposal.Kind.UNSURE, state=Proposal.State.OPEN)
ABOUT_VALUES = Q(kind=Conflict.Kind.FIELD)
ABOUT_CHANGES = Q(source__isnull=False)
ABOUT_THINGS = Q(kind__in=[Conflict.Kind.MATCH, Conflict.Kind.IDS])


@dataclass(frozen=True, slots=True)
class OfList:
    """held: open Proposals, the latest first. fields: open questions about values; things: about who something is;
    changes: about what a source changes."""

    held: list[Proposal]
    fields: int
    things: int
    changes: int


def seen_by(user: Any) -> QuerySet[Any, Any]:
    """Ids of the lists that the user may see, to be asked for by another query."""
    return MediaList.objects.for_user(user).order_by().values("pk")


def decidable_by(user: Any) -> QuerySet[MediaList]:
    """Lists about which the user may decide."""
    lists = MediaList.objects.filter(deleted_at=None)
    if user.is_staff:
        return lists
    edited = Membership.objects.filter(user=user, role=Membership.Role.EDITOR).values("list")
    return lists.filter(Q(owner=user) | Q(pk__in=edited))


def held_for(user: Any) -> QuerySet[Proposal]:
    """Held removals, decided or not, from lists that the user may see."""
    held = Proposal.objects.without_body().filter(kind=Proposal.Kind.HELD, list__in=seen_by(user))
    return held.select_related("list", "source", "decided_by").defer("source__address", "source__body_digest")


def questions_for(user: Any) -> QuerySet[Conflict]:
    """Questions, decided or not, about what the user may see."""
    found = Conflict.objects.filter(_ASKED, list__in=seen_by(user))
    return found.select_related("list", "entry", "decided_by").defer("entry__search")


def decided(asked: QuerySet[Conflict]) -> QuerySet[Conflict]:
    """Those that a person, a rule or their deadline has decided, the latest first."""
    ended = [Conflict.State.DECIDED, Conflict.State.EXPIRED]
    return asked.filter(state__in=ended, decided_at__isnull=False).order_by("-decided_at", "-id")


_ASKED = Q(entry__isnull=False) | ABOUT_CHANGES


def unsure_for(user: Any) -> QuerySet[Proposal]:
    """Changes that look unsure, as wholes, decided or not, from lists that the user may see."""
    found = Proposal.objects.without_body().filter(kind=Proposal.Kind.UNSURE, list__in=seen_by(user))
    return found.select_related("list", "source", "decided_by").defer("source__address", "source__body_digest")


def lists_with_questions(user: Any) -> QuerySet[MediaList]:
    """Lists that the user may see and that have open questions: fields (how many about values), things (about who
    something is), changes (about what a source changes), since (when the latest was put)."""
    asked = Conflict.objects.filter(OPEN_QUESTION, list=OuterRef("pk")).order_by()

    def count(only: Q) -> Coalesce:
        counted = asked.filter(only).values("list").annotate(n=Count("id")).values("n")
        return Coalesce(Subquery(counted, output_field=IntegerField()), 0)

    since = asked.values("list").annotate(at=Max("created_at")).values("at")
    with_some = Conflict.objects.filter(OPEN_QUESTION, list__in=seen_by(user)).order_by().values("list")
    return MediaList.objects.filter(pk__in=with_some).annotate(
        fields=count(ABOUT_VALUES), things=count(ABOUT_THINGS), changes=count(ABOUT_CHANGES), since=Subquery(since)
    )


def count_for(user: Any) -> int:
    """How many decisions wait for this user, in one query: a held change is one, however many entries it holds."""
    lists = decidable_by(user).order_by().values("pk")
    held = Proposal.objects.filter(OPEN_HELD | OPEN_UNSURE, list__in=lists).order_by().values("pk")
    alone = Q(entry__isnull=False, source__isnull=True) | Q(kind=Conflict.Kind.METADATA)
    questions = Conflict.objects.filter(OPEN_QUESTION, alone, list__in=lists).order_by().values("pk")
    return held.union(questions, all=True).count()


def of_list(list_: MediaList) -> OfList:
    held = list(Proposal.objects.without_body().filter(OPEN_HELD, list=list_))
    return OfList(held, **by_kind(Conflict.objects.filter(OPEN_QUESTION, _ASKED, list=list_)))


def by_kind(questions: QuerySet[Conflict]) -> dict[str, int]:
    """{"fields", "things", "changes"}: how many are about values, who something is, what a source changes; one query."""
    return questions.order_by().select_related(None).aggregate(
        fields=Count("id", filter=ABOUT_VALUES), things=Count("id", filter=ABOUT_THINGS),
        changes=Count("id", filter=ABOUT_CHANGES),
    )  # fmt: skip
