"""The sources of a list: which there are, whose word comes first, what stays when one goes."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from lists.audit import audit
from lists.changes import Planner
from lists.errors import ListMoved, NotThere, Unfit
from lists.leaving import StoredClaim, supported_by, would_leave
from lists.match import Matcher
from lists.models import Claim, MediaList, Proposal, Source, Version
from lists.services._writing import bump, folded_again, locked, publish, settle_due, standing
from lists.services.unsure import withdraw_changes
from lists.signals import stopped

SCHEDULE = ("enabled", "sync_enabled", "interval_min")
DETAILS = ("name", "priority", "enabled", "sync_enabled", "interval_min", "gap_min", "mode", "grace")


@transaction.atomic
def add_source(list_: MediaList, *, adapter: str, name: str, by: Any, **details: Any) -> Source:
    """A new feed of a list, behind those that it has. details: origin (of its adapter), and what change_source changes."""
    last = list_.sources.filter(role=Source.Role.FEED).order_by("-priority").first()
    details.setdefault("priority", last.priority + 1 if last else 1)
    source = Source.objects.create(list=list_, adapter=adapter, name=name, **details)
    audit(by, "added source", source, list_=list_, after={"adapter": adapter, "name": name})
    return source


def change_source(source: Source, *, by: Any, **details: Any) -> Version | None:
    """Change how a source is called, when it is read and how its answers are taken (DETAILS).

    Another priority folds the list again; returns the version that this made, if any.
    """
    with transaction.atomic():
        version = _change(source, by, details)
    return version or settle_due(source.list, by=by)


def _change(source: Source, by: Any, details: dict[str, Any]) -> Version | None:
    list_ = locked(source.list)
    source = _feed(list_, source.pk)
    unknown = details.keys() - set(DETAILS)
    if unknown:
        raise Unfit(f"A source has no {', '.join(sorted(unknown))}. Nothing was changed.")
    before = {name: getattr(source, name) for name in details if getattr(source, name) != details[name]}
    if not before:
        return None
    if "interval_min" in before and details["interval_min"] < 1:
        raise Unfit("A source is read once a minute at most. Nothing was changed.")
    for name in before:
        setattr(source, name, details[name])
    if not before.keys().isdisjoint(SCHEDULE):
        source.next_sync_at = None  # planned anew by what reads the schedule
    if before.get("enabled"):
        stopped.send(Source, sources=[source.pk], by=by)
    source.save()
    summary = f"Order of the sources: {source}"
    version = folded_again(list_, by=by, summary=summary) if "priority" in before else None
    audit(by, "changed source", source, before=before, after={name: details[name] for name in before}, version=version)
    return version


@transaction.atomic
def move_source(source: Source, *, by: Any, address: str, config: dict[str, Any]) -> bool:
    """Have a source read elsewhere, or with other settings. address: without logins. What it brought stays; what the old place
    answered last says nothing about the new one, and whatever leaves by it is weighed like any removal. False if it is so."""
    list_ = locked(source.list)
    source = _feed(list_, source.pk)
    if (source.address, source.config) == (address, config):
        return False
    before = {"config": source.config}
    source.address, source.config = address, config
    source.etag, source.last_modified, source.body_digest, source.failures = "", "", None, 0
    source.next_sync_at = None  # planned anew by what reads the schedule
    stopped.send(Source, sources=[source.pk], by=by)
    source.save()
    audit(by, "moved source", source, before=before, after={"config": config})
    return True


def order_sources(list_: MediaList, sources: Sequence[int], *, by: Any) -> Version | None:
    """The sources speak in this order; those not named follow in theirs."""
    with transaction.atomic():
        version = _order(locked(list_), sources, by)
    return version or settle_due(list_, by=by)


def _order(list_: MediaList, sources: Sequence[int], by: Any) -> Version | None:
    feeds = list(list_.sources.filter(role=Source.Role.FEED, removed_at=None).order_by("priority", "id"))
    by_id = {source.pk: source for source in feeds}
    if not set(sources) <= by_id.keys():
        raise NotThere("This is no source of the list. Nothing was changed.")
    wanted = [by_id[pk] for pk in dict.fromkeys(sources)]
    wanted += [source for source in feeds if source not in wanted]
    before = {"order": [str(source) for source in feeds]}
    for number, source in enumerate(wanted, 1):
        if source.priority != number:
            source.priority = number
            source.save()
    if wanted == feeds:
        return None
    version = folded_again(list_, by=by, summary="Order of the sources")
    audit(by, "ordered sources", list_, before=before, after={"order": [str(s) for s in wanted]}, version=version)
    return version


def _feed(list_: MediaList, pk: int) -> Source:
    source = Source.objects.filter(list=list_, pk=pk, role=Source.Role.FEED).first()
    if source is None:
        raise NotThere("This is no source of the list. Nothing was changed.")
    return source


def only_from(source: Source) -> tuple[int, int]:
    """(listed entries that the source stands for, those of them that would leave without it)."""
    planner = Planner(source.list, source, at=timezone.now(), matcher=Matcher(create=False))
    claims = [StoredClaim(*row) for row in Claim.objects.filter(source=source).values_list(*HELD)]
    entries = {claim.entry for claim in claims}
    return supported_by(entries, planner.folder), len(would_leave(claims, planner.folder, ()))


HELD = ("id", "entry_id", "position", "missing")


def remove_source(source: Source, *, by: Any, keep: bool) -> Version | None:
    """Take a source away. keep: what only it lists stays, kept by the list; else it leaves. Its row and claims rest.

    The question was put, so the guard does not ask again; a held change of the source is withdrawn.
    """
    if keep:
        return _remove_keeping(source, by)
    with transaction.atomic():
        version = _remove(source, by)
    return version or settle_due(source.list, by=by)


def _remove(source: Source, by: Any) -> Version | None:
    list_ = locked(source.list)
    source = _feed(list_, source.pk)
    if source.removed_at is not None:
        return None
    claimed = list(Claim.objects.filter(source=source).values_list("entry_id", flat=True))
    _take_away(source, by)
    version = folded_again(list_, by=by, summary=f"Without {source}", entries=claimed)
    _removed(source, by, version, keep=False)
    return version


def _remove_keeping(source: Source, by: Any) -> Version | None:
    """In parts, if it is very much: until the last one stands the source speaks, and a next fold ends what was kept."""
    while True:
        list_ = standing(source.list)
        source = _feed(list_, source.pk)
        if source.removed_at is not None:
            return None
        claimed = list(Claim.objects.filter(source=source).values_list("entry_id", flat=True))
        planner = Planner(list_, None, at=timezone.now(), matcher=Matcher(create=False))
        planner.folder.removed_source = source.pk
        try:
            return publish(
                planner.refold(claimed), kind=Version.Kind.RULES, by=by, summary=f"Without {source}",
                before_commit=partial(_kept, list_, source, by),
            )  # fmt: skip
        except ListMoved:
            continue


def _kept(list_: MediaList, source: Source, by: Any, version: Version | None) -> None:
    bump(list_)
    source = _feed(list_, source.pk)  # as it is called by now
    _take_away(source, by)
    _removed(source, by, version, keep=True)


def _take_away(source: Source, by: Any) -> None:
    source.removed_at, source.enabled, source.next_sync_at = timezone.now(), False, None
    stopped.send(Source, sources=[source.pk], by=by)
    source.save()
    waiting = Proposal.objects.filter(source=source, kind=Proposal.Kind.HELD, state=Proposal.State.OPEN)
    waiting.update(state=Proposal.State.WITHDRAWN, decided_by=by, decided_at=timezone.now())
    withdraw_changes(source)


def _removed(source: Source, by: Any, version: Version | None, *, keep: bool) -> None:
    audit(by, "removed source", source, before={"name": source.name}, after={"kept": keep}, version=version)


def revive_source(source: Source, *, by: Any) -> Version | None:
    """A source that was removed counts again, with what it said last."""
    with transaction.atomic():
        version = _revive(source, by)
    return version or settle_due(source.list, by=by)


def _revive(source: Source, by: Any) -> Version | None:
    list_ = locked(source.list)
    source = _feed(list_, source.pk)
    if source.removed_at is None:
        return None
    source.removed_at, source.enabled = None, True
    source.save()
    claimed = list(Claim.objects.filter(source=source).values_list("entry_id", flat=True))
    version = folded_again(list_, by=by, summary=f"With {source} again", entries=claimed)
    audit(by, "brought back source", source, after={"name": source.name}, version=version)
    return version
