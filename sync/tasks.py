"""What the workers run: an id in, a sentence out. Tasks may be delivered twice; each claims its work first."""

import logging

from lists import services
from lists.errors import Refused
from sync import pipeline, uploads
from sync.errors import SyncError
from sync.models import Run
from sync.runs import claim, close, note_failure, recover

log = logging.getLogger(__name__)


def execute_run(run_id: int) -> str:
    """Carry out one queued run; returns the line that the task table shows."""
    run = claim(run_id)
    if run is None:
        return f"run {run_id} is not waiting any more"
    try:
        version = pipeline.sync(run, uploads.body_of(run) if run.kind == Run.Kind.UPLOAD else b"")
    except (SyncError, Refused) as e:
        log.warning("run %s failed: %s", run.pk, e)
        close(run, Run.State.FAILED, error=e)
        note_failure(run)
        return f"{run}: {e}"
    except BaseException as e:  # the edge of a run; django-q2 ends a task that takes too long with a SystemExit
        log.exception("run %s broke", run.pk)
        close(run, Run.State.FAILED, error=e)
        note_failure(run)
        raise
    if run.proposal is not None:
        uploads.forget_body(run.proposal)
    return f"{run}: version {version.number}" if version else f"{run}: no change"


def tick() -> str:
    """What has to be done now and then; queued every minute (sync/schedule.py)."""
    return (
        f"{recover()} runs closed, {uploads.sweep()} previews lapsed, {services.close_lapsed()} questions closed, "
        f"{services.settle_rules()} lists followed other rules, {services.empty_bin()} lists deleted for good"
    )


def prepare_upload(proposal_id: int) -> str:
    """Make the preview of an uploaded file."""
    return uploads.prepare(proposal_id)
