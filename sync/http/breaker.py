"""Services that fail are left alone for a while, by all processes at once; then one request tries whether they are back.

What is known of each is a row, and every change of it an UPDATE of exactly the state that was seen. A request remembers
under which generation it was allowed: what comes back after the state has changed changes nothing more.
"""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from lists.audit import audit
from sync import processes, signals
from sync.errors import BreakerOpen, RateLimited, SourceError
from sync.http.faults import KEPT
from sync.http.services import Service, service_named
from sync.models import Breaker

State = Breaker.State
SEEN_S = 1.0  # for so long a service that is asked may be taken for one that still is
MOST_LIMITED = 5  # answers in a row that we ask too often, without a time until when
LONGEST_PAUSE_S = 600.0  # however often a try has failed
GRACE = timedelta(seconds=5)  # of a probe beyond its deadline, before another one may try
COUNTED = frozenset({"timeout", "connect", "dns", "tls", "reset", "http_5xx", "bad_response", "too_large", "redirect"})
# The service answered: whatever is wrong, it is not that it is down.
_ANSWERED = frozenset({"", "http_4xx", "auth", "gone"})


@dataclass(frozen=True, slots=True)
class Permit:
    """To ask once. seen: the row under which it was given; probe: whether it tries if the service is back."""

    seen: Breaker
    probe: bool = False


class Gate:
    """What a Door goes through before each request."""

    def __init__(self) -> None:
        self._asked: dict[str, tuple[float, Breaker]] = {}

    def look(self, service: Service, now: datetime | None = None) -> Breaker:
        """The service's row. Raises BreakerOpen if it must not be asked now."""
        at, breaker = self._asked.get(service.name, (-SEEN_S, None))
        if breaker is None or time.monotonic() - at >= SEEN_S:
            breaker = Breaker.objects.of(service.name)
            self._asked.pop(service.name, None)
        if breaker.state == State.CLOSED:
            self._asked.setdefault(service.name, (time.monotonic(), breaker))
            return breaker
        now = now or timezone.now()
        until = _until(breaker, service, now)
        if breaker.state == State.FORCED or (until is not None and until > now):
            raise _refusal(breaker, service, until, now)
        return breaker

    def permit(self, service: Service) -> Permit:
        """Raises BreakerOpen."""
        now = timezone.now()
        breaker = self.look(service, now)
        if breaker.state == State.CLOSED:
            return Permit(breaker)
        # Its time is over, or whoever tried was not heard of again: whoever moves the row first tries now.
        until = now + timedelta(seconds=service.timeout_s) + GRACE
        before = breaker.state
        if not Breaker.objects.move(breaker, State.HALF_OPEN, probe_owner=processes.name(), probe_until=until):
            raise _refusal(breaker, service, until, now)
        breaker.state, breaker.generation = State.HALF_OPEN, breaker.generation + 1
        if before != State.HALF_OPEN:
            _tell(breaker, before)
        return Permit(breaker, probe=True)

    def settle(self, permit: Permit, service: Service, error: SourceError | None) -> None:
        """What came of it."""
        kind = error.kind if error else ""
        if kind in COUNTED or (isinstance(error, RateLimited) and error.retry_after is None):
            self._asked.pop(service.name, None)
            _failed(permit, service, error)
        elif kind in _ANSWERED:
            _succeeded(permit)
        else:
            self.release(permit)

    def release(self, permit: Permit) -> None:
        """Nothing came of it: another one may try."""
        if permit.probe:
            _still(permit).update(probe_until=timezone.now())


def _still(permit: Permit) -> Any:
    return Breaker.objects.filter(pk=permit.seen.pk, state=permit.seen.state, generation=permit.seen.generation)


def _until(breaker: Breaker, service: Service, now: datetime) -> datetime | None:
    """When it may be asked again. No later than twice its pause: else a clock was set back meanwhile."""
    until = breaker.probe_until if breaker.state == State.HALF_OPEN else breaker.open_until
    longest = now + 2 * (_pause(service, breaker.reopened) + timedelta(seconds=service.timeout_s)) + GRACE
    if until is not None and until > longest:
        until = now + _pause(service, breaker.reopened)
        column = "probe_until" if breaker.state == State.HALF_OPEN else "open_until"
        Breaker.objects.filter(pk=breaker.pk, generation=breaker.generation).update(**{column: until})
    return until


def _pause(service: Service, reopened: int) -> timedelta:
    """Who is not back after a pause gets a longer one."""
    longest = max(LONGEST_PAUSE_S, service.pause_s)
    return timedelta(seconds=min(service.pause_s * 2 ** min(reopened, 30), longest))


def _refusal(breaker: Breaker, service: Service, until: datetime | None, now: datetime) -> BreakerOpen:
    if breaker.state == State.FORCED or until is None:
        why = f" ({breaker.reason})" if breaker.reason else ""
        return BreakerOpen(f"{service} was switched off by hand{why}. Nothing was asked. {KEPT}")
    failed = (
        f" ({breaker.failures} failures: {breaker.last_failure_kind.replace('_', ' ')})" if breaker.failures else ""
    )
    text = f"{service} is left alone until {timezone.localtime(until):%H:%M:%S}{failed}. Nothing was asked. {KEPT}"
    return BreakerOpen(text, retry_after=max((until - now).total_seconds(), 0))


def _failed(permit: Permit, service: Service, error: SourceError | None) -> None:
    now = timezone.now()
    limited = isinstance(error, RateLimited)
    last = {
        "last_failure_at": now, "last_failure_kind": error.kind if error else "", "last_failure": str(error)[:300],
        "limited": F("limited") + 1 if limited else 0,
    }  # fmt: skip
    if not limited:
        last["failures"] = F("failures") + 1
    if not _still(permit).update(**last):
        return
    breaker = Breaker.objects.get(pk=permit.seen.pk)
    too_many = breaker.failures >= service.failures or breaker.limited >= MOST_LIMITED
    if breaker.generation == permit.seen.generation and (permit.probe or too_many):
        _open(breaker, service, breaker.reopened + 1 if permit.probe else 0, now)


def _open(breaker: Breaker, service: Service, reopened: int, now: datetime) -> None:
    before = breaker.state
    if Breaker.objects.move(
        breaker, State.OPEN, opened_at=now, open_until=now + _pause(service, reopened), opened_count=F("opened_count") + 1,
        reopened=reopened, probe_owner="", probe_until=None,
    ):  # fmt: skip
        breaker.state = State.OPEN
        _tell(breaker, before)


def _succeeded(permit: Permit) -> None:
    healthy = {"failures": 0, "limited": 0, "reopened": 0}
    if permit.probe:
        before = permit.seen.state
        if Breaker.objects.move(
            permit.seen, State.CLOSED, open_until=None, probe_owner="", probe_until=None, **healthy
        ):
            permit.seen.state = State.CLOSED
            _tell(permit.seen, before)
        return
    # Looked at first: most often there is nothing to write, and reading waits for nobody.
    failed = _still(permit).exclude(**healthy)
    if failed.exists():
        failed.update(**healthy)


def _tell(breaker: Breaker, before: str) -> None:
    signals.tell_after_commit(
        signals.breaker_changed, service=breaker.service, before=before, state=breaker.state,
        kind=breaker.last_failure_kind,
    )  # fmt: skip


# -- by hand ---------------------------------------------------------------------------------------------------------


@transaction.atomic
def force_open(name: str, *, by: Any, reason: str = "") -> Breaker:
    """Have nobody ask a service any more until somebody resets it."""
    return _by_hand(name, State.FORCED, "opened", by, reason=reason[:200])


@transaction.atomic
def reset(name: str, *, by: Any) -> Breaker:
    """Have a service asked again, as if nothing had been."""
    return _by_hand(name, State.CLOSED, "reset", by, reason="", failures=0, limited=0, reopened=0, open_until=None)


def _by_hand(name: str, to: str, verb: str, by: Any, **values: Any) -> Breaker:
    Breaker.objects.of(name)
    breaker = Breaker.objects.select_for_update().get(service=name)
    before = breaker.state
    Breaker.objects.move(breaker, to, probe_owner="", probe_until=None, **values)
    breaker.refresh_from_db()
    audit(by, verb, breaker, before={"state": before}, after={"state": to, "reason": breaker.reason})
    _tell(breaker, before)
    return breaker


def known(name: str) -> bool:
    """Whether we know of such a service."""
    return Breaker.objects.filter(service=name).exists() or bool(service_named(name).url)
