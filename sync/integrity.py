"""What must hold of runs, asked of the database: invariants C, D, E, J and K of docs/integrity.md."""

# ruff: noqa: S608 - the parts of these statements are all written here

from typing import Any

from django.db.models import F, Q
from django.utils import timezone

from lists.integrity import Check, Found, counted, rows
from sync.models import Run, lease

_LEFT = "', '".join((Run.State.FAILED, Run.State.CANCELLED, Run.State.INTERRUPTED))
_ENDED = f"'{_LEFT}', '{Run.State.COMPLETED}', '{Run.State.PARTIAL}'"


def _broken(only: int | None, *which: Any, **more: Any) -> list[Found]:
    found = Run.objects.filter(*which, **more, **({"list": only} if only else {}))
    return counted(found.order_by("id").values_list("list", "id"))


def _zombies(only: int | None) -> list[Found]:
    at_work = (Run.State.RUNNING, Run.State.CANCELLING)
    # After a lease has run out, a worker has as long again to settle its run.
    return _broken(only, state__in=at_work, lease_until__lt=timezone.now() - lease())


def _elsewhere(only: int | None) -> list[Found]:
    return _broken(only, ~Q(source__list=F("list")) | Q(version__isnull=False) & ~Q(version__list=F("list")))


CHECKS = [
    Check("C", "runs that failed or were stopped and changed their list all the same",
          "Roll the list back to the version before.", rows(f"""
        SELECT r.list_id, r.id FROM sync_run r
        WHERE {{mine r.list_id}} AND r.state IN ('{_LEFT}') AND r.version_id IS NOT NULL
    """)),
    Check("D", "runs that began before the one before them on the same list had ended",
          "Were two databases merged, or the clock set back? Else restore a backup.", rows("""
        SELECT list_id, id FROM (
            SELECT r.list_id, r.id, r.started_at, MAX(r.finished_at) OVER (
                PARTITION BY r.list_id ORDER BY r.started_at, r.id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS before_ended
            FROM sync_run r WHERE r.started_at IS NOT NULL AND {mine r.list_id}
        ) AS beside WHERE started_at < before_ended
    """)),
    Check("E", "runs whose worker is silent and that nobody settled", "Start a worker: it settles them.", _zombies),
    Check("J", "runs of a source or with a version of another list", "Restore a backup.", _elsewhere),
    Check("K", "runs that ended more than once or were not counted when they ended", "Restore a backup.", rows(f"""
        SELECT r.list_id, r.id FROM sync_run r LEFT JOIN (
            SELECT h.id, COUNT(*) AS ends FROM sync_historicalrun h WHERE h.state IN ({_ENDED}) GROUP BY h.id
        ) AS told ON told.id = r.id
        WHERE {{mine r.list_id}} AND r.state IN ({_ENDED}) AND COALESCE(told.ends, 0) <> 1
    """)),
]  # fmt: skip
