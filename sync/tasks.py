"""What the workers run: an id in, a sentence out. Tasks may be delivered twice; each claims its work first."""

import logging

from lists import services
from sync import pipeline, uploads
from sync.errors import SyncError
from sync.models import Run
from sync.runs import claim, close, recover

log = logging.getLogger(__name__)


def execute_run(run_id: int) -> str:
    """Carry out one queued run; returns the line that the task table shows."""
    run = claim(run_id)
    if run is None:
        return f"run {run_id} is not waiting any more"
    try:
        version = pipeline.sync(run, uploads.body_of(run))
    except SyncError as e:
        log.warning("run %s failed: %s", run.pk, e)
        close(run, Run.State.FAILED, error=e)
        return f"{run}: {e}"
    except BaseException as e:  # the edge of a run; django-q2 ends a task that takes too long with a SystemExit
        log.exception("run %s broke", run.pk)
        close(run, Run.State.FAILED, error=e)
        raise
    if run.proposal is not None:
        uploads.forget_body(run.proposal)
    return f"{run}: version {version.number}" if version else f"{run}: no change"


def tick() -> str:
    """What has to be done now and then; queued every minute (sync/schedule.py)."""
    return f"{recover()} runs closed, {uploads.sweep()} previews lapsed, {services.empty_bin()} lists deleted for good"


def prepare_upload(proposal_id: int) -> str:
    """Make the preview of an uploaded file."""
    return uploads.prepare(proposal_id)
