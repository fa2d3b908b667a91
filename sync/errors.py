"""What can go wrong with a source, named by what the pipeline should do about it.

SyncError                      str(e) is shown to the user: it says what to do and holds no secret and no full address
├── SourceError                .kind: what happened to a request
│   ├── SourceUnavailable      try again later; .retry_after in seconds or None
│   │   ├── RateLimited        it says that we ask too often
│   │   │   └── NotYet         our turn is too far away, so we did not even ask
│   │   ├── BreakerOpen        it failed so often that we did not even ask
│   │   └── BadAnswer          (and BadPayload) what it answered cannot be its data: half of it, or something else
│   │       └── Blocked        a page that keeps programs out
│   └── SourceRefused          a person must act: wrong settings
│       ├── NotFound           there is nothing at its address any more
│       ├── AccessRefused      it does not take our credentials
│       ├── BlockedAddress     it lies where we may not go
│       └── TooLarge           its answer is larger than we take
├── BadPayload                 an answer or a file that we cannot read
├── Busy                       a run of the source waits or is at work
└── Stopped                    the run must not go on
    ├── Cancelled              somebody pressed stop
    ├── TimedOut               it took longer than a run may; tried again as what is unavailable is
    ├── OutOfMemory            it took more memory than a run may
    ├── WorkerStops            the worker is asked to end; the run is queued again
    └── LeaseLost              the run was given to somebody else meanwhile, so it writes nothing, not even its end

Refused (lists/errors.py)
└── Ended                      a run that has ended, or is being written, cannot be cancelled

NotModified is none: the source says that nothing has changed since it was last read.
"""

import re
from typing import Any

from django.db import Error as DatabaseError

from lists import credentials
from lists.encrypted import WrongKey
from lists.errors import Refused


class SyncError(Exception):
    """Shown to the user as it is. What a file says of itself may stand in it, so logins are taken out.

    code: the category under which a run keeps it, a member of Run.Cause, or what an answer of the API is called.
    """

    code = "internal"

    def __init__(self, message: str):
        super().__init__(credentials.blank(message, streams=True))

    def add(self, sentence: str) -> None:
        self.args = (f"{self} {sentence}",)


class SourceError(SyncError):
    """kind: timeout, connect, dns, tls, reset, http_4xx, auth, gone, rate_limited, http_5xx, bad_response, too_large,
    redirect, blocked_address, circuit_open. service: what it is called; empty where none was asked."""

    kind = "internal"
    service = ""

    def __init__(self, message: str, *, kind: str = ""):
        super().__init__(message)
        self.kind = kind or self.kind


class SourceUnavailable(SourceError):
    code = "network"
    kind = "connect"

    def __init__(self, message: str, *, retry_after: float | None = None, kind: str = ""):
        super().__init__(message, kind=kind)
        self.retry_after = retry_after


class RateLimited(SourceUnavailable):
    code = "rate_limited"
    kind = "rate_limited"


class NotYet(RateLimited):
    pass


class BreakerOpen(SourceUnavailable):
    kind = "circuit_open"


class SourceRefused(SourceError):
    code = "refused"
    kind = "http_4xx"


class NotFound(SourceRefused):
    code = "not_found"
    kind = "gone"


class AccessRefused(SourceRefused):
    code = "auth"
    kind = "auth"


class BlockedAddress(SourceRefused):
    kind = "blocked_address"


class TooLarge(SourceRefused):
    kind = "too_large"


class BadPayload(SyncError):
    """line: where in the file, 1-based, or None."""

    code = "parse"

    def __init__(self, message: str, *, line: int | None = None):
        super().__init__(message)
        self.line = line


class BadAnswer(SourceUnavailable, BadPayload):
    code = "parse"
    kind = "bad_response"

    def __init__(self, message: str, *, retry_after: float | None = None, kind: str = "", line: int | None = None):
        super().__init__(message, retry_after=retry_after, kind=kind)
        self.line = line


class Blocked(BadAnswer):
    pass


class Busy(SyncError):
    """run: the one that waits or is at work."""

    code = "busy"

    def __init__(self, message: str, run: Any):
        super().__init__(message)
        self.run = run


class Ended(Refused):
    code = "ended"


class Stopped(SyncError):
    pass


class Cancelled(Stopped):
    code = "cancelled"


class TimedOut(Stopped):
    code = "timeout"


class OutOfMemory(Stopped):
    code = "memory"


class WorkerStops(Stopped):
    code = "interrupted"


class LeaseLost(Stopped):
    code = "interrupted"


class NotModified(Exception):
    """What the source would answer is what was accepted last. An adapter raises it before it yields anything."""


class Untouched(NotModified):
    """The source says so beside its list: the list itself was not looked at."""


UNTOLD = "Nothing was changed. The log of the worker says more."
LOCKED = (
    "What this needs is stored encrypted and cannot be decrypted with the keys that Listkeeper has now. Nothing was changed. "
    "Put the old key back (docs/configuration.md, Keys), or type it in anew."
)
NOTHING = re.compile(r"Nothing was changed( by it| by this sync)?")


def told(error: BaseException, *, parts: int = 0) -> tuple[str, str]:
    """(code, sentence) of what a run ended with; what was not written for people is told as little as they need. parts:
    versions of the run that stand all the same."""
    code, sentence = _told(error)
    if parts:
        stands = f"The first {parts} versions of it stand" if parts > 1 else "The first version of it stands"
        sentence = NOTHING.sub(f"{stands}; the next sync brings the rest", sentence)
    return code, sentence


def _told(error: BaseException) -> tuple[str, str]:
    if isinstance(error, SyncError):
        return error.code, str(error)
    if isinstance(error, Refused):
        return "refused", str(error)
    if isinstance(error, WrongKey):
        return "internal", LOCKED
    if isinstance(error, DatabaseError):
        return "database", f"The database did not take what was written. {UNTOLD}"
    if isinstance(error, MemoryError):
        return "memory", f"There was not enough memory for this sync. {UNTOLD}"
    return "internal", f"Something went wrong inside Listkeeper. {UNTOLD}"
