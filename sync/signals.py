"""What sync tells the rest of the house, after commit. A receiver that fails does not fail the sync."""

import logging
from typing import Any

from django.db import transaction
from django.dispatch import Signal

log = logging.getLogger(__name__)

run_finished = Signal()  # run_id
run_put_off = Signal()  # run_id: its service asks it to wait; it has not ended
retries_exhausted = Signal()  # source_id, run_id: the last try failed too; its normal schedule goes on
account_refused = Signal()  # account_id: its service does not take it any more; told once until it works again
memory_high = Signal()  # run_id, level ("warning" or "critical"), mib
worker_stalled = Signal()  # worker: its name; silent_s: how long its queue took no task
source_called = Signal()  # service, kind ("" if it answered, else as SourceError.kind), seconds, cached
breaker_changed = Signal()  # service, before, state (of sync.models.Breaker.State), kind (of the last failure)


def tell(signal: Signal, **about: Any) -> None:
    for receiver, answer in signal.send_robust(sender=None, **about):
        if isinstance(answer, Exception):
            log.error("a receiver failed: %s", receiver, exc_info=answer)


def tell_after_commit(signal: Signal, **about: Any) -> None:
    transaction.on_commit(lambda: tell(signal, **about), robust=True)
