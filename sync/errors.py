"""What can go wrong with a source, named by what the pipeline should do about it.

SyncError                      str(e) is shown to the user: it says what to do and holds no secret and no full address
├── SourceError
│   ├── SourceUnavailable      try again later; .retry_after in seconds or None
│   └── SourceRefused          a person must act: wrong settings, no access
├── BadPayload                 an answer or a file that we cannot read
├── Busy                       a run of the source waits or is at work
└── Cancelled                  somebody pressed stop
"""

from typing import Any


class SyncError(Exception):
    """Shown to the user as it is."""

    code = "internal"


class SourceError(SyncError):
    pass


class SourceUnavailable(SourceError):
    code = "unavailable"

    def __init__(self, message: str, *, retry_after: float | None = None):
        super().__init__(message)
        self.retry_after = retry_after


class SourceRefused(SourceError):
    code = "refused"


class BadPayload(SyncError):
    """line: where in the file, 1-based, or None."""

    code = "parse"

    def __init__(self, message: str, *, line: int | None = None):
        super().__init__(message)
        self.line = line


class Busy(SyncError):
    """run: the one that waits or is at work."""

    code = "busy"

    def __init__(self, message: str, run: Any):
        super().__init__(message)
        self.run = run


class Cancelled(SyncError):
    code = "cancelled"
