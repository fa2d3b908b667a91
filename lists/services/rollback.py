"""Any earlier version made the newest, and what holds it released again."""

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from lists.acts import ActPlanner
from lists.audit import audit
from lists.collecting import few_collections
from lists.dialects import Among
from lists.errors import ListMoved, NotThere, Pruned
from lists.models import Edit, MediaList, Version
from lists.rollback import Missing, plan_rollback, yielding
from lists.services._writing import bump, of_list, publish, settle_due, standing


@dataclass(frozen=True, slots=True)
class RollbackPreview:
    """counts: added, removed, changed, moved. missing: what the version shows and the list cannot show today. other_kind:
    how many entries were a film then and are a show today, or the like: what kind of thing it is only its sources say."""

    counts: dict[str, int]
    missing: list[Missing]
    other_kind: int


@transaction.atomic
def preview_rollback(list_: MediaList, to: Version, *, entries: Collection[int] | None = None) -> RollbackPreview:
    """What a rollback would do; nothing is written. Raises Pruned."""
    list_ = MediaList.objects.locked(list_.pk)
    _check(list_, to, entries)
    settle_due(list_)
    plan, missing, other_kind = plan_rollback(list_, to, at=timezone.now(), by=None, entries=entries)
    try:
        counts = {name: getattr(plan.counts, name) for name in ("added", "removed", "changed", "moved")}
        return RollbackPreview(counts, missing, other_kind)
    finally:
        plan.close()
        transaction.set_rollback(True)


def _check(list_: MediaList, to: Version, entries: Collection[int] | None) -> None:
    if entries is not None:
        of_list(list_, entries)
    if to.list_id != list_.pk:
        raise NotThere("This is no version of the list. Nothing was changed.")
    if to.pruned_at is not None:
        raise Pruned(f"Version {to.number} is too old: its content is not kept any more. Nothing was changed.")


def rollback(
    list_: MediaList, to: Version, *, by: Any, entries: Collection[int] | None = None, seen: int | None = None
) -> Version | None:
    """Make a version the newest, or only some entries as they were in it; None if the list shows it already.

    Blocks, filters, rules and who is who stay as they are today. What others write between two parts of a very large one
    stands, too. seen: the number of the version that the list has to be at. Raises Pruned, TooLate.
    """
    return _Rollback(to, by, entries, seen).run(list_)


@dataclass
class _Rollback:
    to: Version
    by: Any
    entries: Collection[int] | None
    seen: int | None
    correlation_id: str = field(default_factory=lambda: str(uuid4()))
    parts: list[Version] = field(default_factory=list)  # those of it that stand

    @few_collections()
    def run(self, list_: MediaList) -> Version | None:
        while True:
            list_ = standing(list_, seen=None if self.parts else self.seen)
            _check(list_, self.to, self.entries)
            plan, missing, _ = plan_rollback(
                list_, self.to, at=timezone.now(), by=self.by, entries=self.entries, parts=self.parts
            )
            try:
                self.to.refresh_from_db(fields=["pruned_at"])
                _check(list_, self.to, None)  # it may have been emptied while it was read
                return publish(
                    plan, kind=Version.Kind.ROLLBACK, by=self.by, summary=f"{self._what} {self.to.number}",
                    correlation_id=self.correlation_id, before_commit=partial(self._finish, list_, missing),
                )  # fmt: skip
            except ListMoved as moved:
                self.parts += moved.parts
            finally:
                plan.close()

    @property
    def _what(self) -> str:
        if self.entries is None:
            return "Rollback to version"
        return "One entry as in version" if len(self.entries) == 1 else f"{len(self.entries):,} entries as in version"

    def _finish(self, list_: MediaList, missing: Collection[Missing], version: Version | None) -> None:
        bump(list_)
        if version is None:
            return
        after: dict[str, Any] = {"version": self.to.number}
        if self.entries is not None:
            after["entries"] = sorted(self.entries)[:100]
        if missing:
            after["missing"] = len(missing)
        first = version.list.versions.filter(correlation_id=self.correlation_id).order_by("number")[0]
        audit(self.by, "rolled back", list_, before={"version": first.number - 1}, after=after, version=version)


def held_by_rollback(list_: MediaList) -> dict[int, int]:
    """Version number that the list was rolled back to -> number of fields that are still held as they were in it."""
    counted = yielding(list_).order_by().values_list("rollback_to").annotate(Count("id"))
    return dict(counted.order_by("rollback_to"))


@few_collections()
def release(list_: MediaList, *, by: Any, entries: Collection[int] | None = None) -> Version | None:
    """Let the sources speak again where a rollback holds them; what people said stays. What others roll back between two
    parts of a very large release is held."""
    began, correlation_id, ended = timezone.now(), str(uuid4()), 0
    while True:
        list_ = standing(list_)
        held = yielding(list_).filter(made_at__lte=began)
        if entries is not None:
            held = held.filter(Among("entry_id", entries))
        pks = sorted(set(held.values_list("entry_id", flat=True)))
        if not pks:
            return list_.versions.filter(correlation_id=correlation_id).order_by("number").last()
        plan = ActPlanner(list_, at=timezone.now(), by=by).release(pks, until=began)
        count = ended + len(plan.ended)
        try:
            return publish(
                plan, kind=Version.Kind.EDIT, by=by, summary="Released from the rollback", correlation_id=correlation_id,
                before_commit=partial(_released, list_, by, count),
            )  # fmt: skip
        except ListMoved as moved:
            ended += sum(Edit.history.filter(version=version, history_type="-").count() for version in moved.parts)


def _released(list_: MediaList, by: Any, count: int, version: Version | None) -> None:
    bump(list_)
    audit(by, "released", list_, before={"held": count}, version=version)
