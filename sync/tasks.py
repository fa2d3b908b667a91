"""What the workers run: an id in, a sentence out. Tasks may be delivered twice; each claims its work first."""

import logging
from collections.abc import Callable

from lists import filling, search, services
from lists.encrypted import WrongKey
from lists.errors import Refused
from lists.services.pruning import lists_to_prune, prune_settled, prune_versions
from sync import access, pipeline, previews, processes, signing_in, uploads
from sync.clearing import forget_failures, forget_services, prune_runs
from sync.edges import alone, task
from sync.errors import AccessRefused, Cancelled, LeaseLost, SyncError, WorkerStops
from sync.http import kept
from sync.lease import lock
from sync.models import Lock, Run
from sync.retries import fail
from sync.runs import DEATHS, break_off, claim, preview_lock, start_over, told_of
from sync.watch import watched

log = logging.getLogger(__name__)


@task
def execute_run(run_id: int) -> str:
    """Carry out the run that is first in line, whichever that is; run_id says for which the workers were told, and serves for
    words only. Returns the line that the task table shows."""
    if processes.is_stopping():
        return f"run {run_id} waits for the next worker"
    run = claim()
    if run is None:
        return f"run {run_id} is not waiting any more, or not yet"
    try:
        with watched(run) as progress:
            version = pipeline.sync(run, uploads.body_of(run) if run.kind == Run.Kind.UPLOAD else b"", progress)
    except WorkerStops as e:
        start_over(run, e, interruptions=run.interruptions)
        return f"{run}: {e}"
    except Cancelled as e:
        break_off(run, e)
        return f"{run}: {e}"
    except LeaseLost as e:
        log.warning("run %s: %s", run.pk, e)
        return f"{run}: {e}"
    except (SyncError, Refused, WrongKey) as e:
        log.warning("run %s %s: %s", run.pk, "was put off" if fail(run, e) == run else "failed", e)
        if isinstance(e, AccessRefused):
            access.doubt(run.source)
        return f"{run}: {e}"
    except BaseException as e:  # the edge of a run; django-q2 ends a task that takes too long with a SystemExit
        e.add_note(f"while it carried out run {run.pk}")
        fail(run, e)
        raise
    if run.proposal is not None:
        uploads.forget_body(run.proposal)
    return f"{run}: version {version.number}" if version else f"{run}: no change"


@task
def tick() -> str:
    """What has to be done now and then; queued every minute (sync/schedule.py)."""
    return _one_by_one(
        "tick",
        (uploads.sweep, "previews lapsed"),
        (services.close_lapsed, "questions closed"),
        (services.settle_rules, "lists followed other rules"),
        (services.empty_bin, "lists deleted for good"),
        (filling.sweep_dead, "first fills swept away"),
        (signing_in.ask_all, "sign-ins came true"),
        (access.keep_fresh, "tokens renewed"),
        (search.settle_owed, "rows made ready for the search"),
    )


@task
def nightly() -> str:
    """What can wait for the night: old versions are emptied; old runs, what rules settled and what nobody asks for go; accounts
    are tried."""
    return _one_by_one(
        "nightly",
        (_empty_versions, "old versions emptied"),
        (prune_runs, "old runs deleted"),
        (forget_failures, "failed tasks forgotten"),
        (prune_settled, "settled differences deleted"),
        (kept.forget_old, "old answers forgotten"),
        (forget_services, "services forgotten"),
        (access.try_all, "accounts work"),
    )


def _one_by_one(name: str, *links: tuple[Callable[[], int], str]) -> str:
    """How much each did: one that fails keeps nobody behind it waiting. What takes long is not queued up behind itself."""
    told = []
    with lock(name) as held:
        if held is None:
            return f"another worker is at the {name} still"
        for act, done in links:
            count: int | None = None
            with alone("%s: %s failed", name, act.__name__, but=()):
                count = act()
            told.append(f"{done}: that failed" if count is None else f"{count} {done}")
    return ", ".join(told)


def _empty_versions() -> int:
    emptied = 0
    for list_ in lists_to_prune():
        with alone("old versions of list %s cannot be emptied", list_.pk):
            emptied += prune_versions(list_).versions
    return emptied


@task
def prepare_upload(proposal_id: int) -> str:
    """Make the preview of an uploaded file."""
    Lock.objects.filter(name=told_of(proposal_id)).delete()  # it has been taken up
    with lock(preview_lock(proposal_id), once=True) as held:
        if held is None:
            return f"preview {proposal_id} is being made already"
        if held.token > DEATHS:
            return previews.give_up(proposal_id)
        return previews.prepare(proposal_id)
