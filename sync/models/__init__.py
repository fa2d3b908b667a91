"""The rows of this room."""

from sync.models.batches import Batch, BatchPart
from sync.models.runs import Lock, LockQuerySet, Run, lease
from sync.models.services import Breaker, CachedAnswer, Pace

__all__ = ["Batch", "BatchPart", "Breaker", "CachedAnswer", "Lock", "LockQuerySet", "Pace", "Run", "lease"]
