"""Taking turns: how often a service is asked, and by how many at once, by all processes together."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime

from django.conf import settings
from django.utils import timezone

from sync.errors import NotYet, SourceError
from sync.http.faults import KEPT
from sync.http.services import Service
from sync.models import Pace

LONGEST_S = 30.0  # that a worker waits for its turn; beyond that the run waits without one
MARGIN = 0.85  # of what a service allows: two requests may travel at different speeds
GRACE_S = 5.0  # of a request beyond its deadline, before its place is another one's: whoever sent it has died
LONGEST_PAUSE_S = 86_400.0

Sleep = Callable[[float], None]


class Turns:
    """account: who asks, where the service counts by accounts. slow: whether answers may take as long as a run may."""

    def __init__(self, sleep: Sleep, account: str = "", *, slow: bool = False):
        self._sleep, self._account, self._slow = sleep, account, slow

    @contextmanager
    def taken(self, service: Service, *, posts: bool = False) -> Iterator[None]:
        """Around one request: it begins when it is our turn. Raises NotYet if that would be too late."""
        if self._account and service.account_rate:
            self._wait(service, f"{service.name}#{self._account}", service.account_rate, service.burst)
        if posts and service.post_rate:
            self._wait(service, f"{service.name}!post", service.post_rate, 1)
        # Last: a place is held by nobody who still waits for something else.
        until = self._wait(service, service.name, service.rate, service.burst, places=service.at_once)
        try:
            yield
        finally:
            Pace.objects.end(service.name, until)

    def _wait(self, service: Service, name: str, rate: float, burst: int, places: int = 0) -> float:
        """Returns when the request has ended at the latest."""
        longest = time.monotonic() + LONGEST_S
        lasts_s = GRACE_S + (settings.MAX_RUN_S if self._slow else service.timeout_s)
        while True:
            until = (now := time.time()) + lasts_s
            left = Pace.objects.take(name, rate=rate * MARGIN, burst=burst, now=now, places=places, until=until)
            if not left:
                return until
            if time.monotonic() + left > longest:
                raise _too_late(service, left)
            self._sleep(left)

    def heed(self, service: Service, error: SourceError | None, headers: Mapping[str, str]) -> None:
        """What a service says of the next time holds for all processes."""
        seconds = getattr(error, "retry_after", None) or (_drained_for(headers) if error is None else None)
        if seconds:
            now = time.time()
            Pace.objects.pause(service.name, now=now, until=now + min(seconds, LONGEST_PAUSE_S))


def _too_late(service: Service, left: float) -> NotYet:
    if left > 1:
        text = f"{service} must not be asked again for {_in_words(left)}. Nothing was asked. {KEPT}"
    else:
        text = f"Too many of our syncs ask {service} at the same time, so this one waits. Nothing was asked. {KEPT}"
    return NotYet(text, retry_after=left)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a service asks for: a number, or a time in any of the forms that HTTP knows; None for anything else."""
    told = headers.get("Retry-After", "").strip()
    if told.isdecimal():
        return min(float(told[:9]), LONGEST_PAUSE_S)
    try:
        at = parsedate_to_datetime(told)
    except ValueError:
        return None
    if at.tzinfo is None:  # the form of asctime() names no zone
        at = at.replace(tzinfo=timezone.now().tzinfo)
    return min(max((at - timezone.now()).total_seconds(), 0.0), LONGEST_PAUSE_S)


def _drained_for(headers: Mapping[str, str]) -> float | None:
    """Seconds until a service that has counted us out counts anew."""
    if headers.get("X-RateLimit-Remaining", "").strip() != "0":
        return None
    reset = headers.get("X-RateLimit-Reset", "").strip()
    if not reset.isdecimal():
        return None
    seconds = float(reset[:12])
    return seconds - time.time() if seconds > 1e9 else seconds  # since 1970, or from now on


def _in_words(seconds: float) -> str:
    return f"{seconds:.0f} seconds" if seconds < 120 else f"{seconds / 60:.0f} minutes"
