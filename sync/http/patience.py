"""Trying again: what may pass is asked again after a pause, and what would only happen again is not."""

import random
import time
from collections.abc import Callable, Mapping
from itertools import count
from typing import Protocol, TypeVar

from django.conf import settings

from sync import signals
from sync.errors import BreakerOpen, SourceError, SourceUnavailable
from sync.http.breaker import Gate
from sync.http.pace import Turns
from sync.http.services import Service
from sync.models import Pace

T = TypeVar("T")
# Tries, by what happened. What is not named would only happen again.
TRIES = {"timeout": 4, "connect": 4, "reset": 4, "http_5xx": 4, "rate_limited": 4, "dns": 2, "bad_response": 2}
LONGEST_S = 60.0  # that a worker sleeps because a service asks for it; beyond that the run waits without one
RETRIES = 20  # of one fetch
SLEEP_S = 120.0  # likewise
_LEAST_S = 0.1
_STEP_S = 0.25  # whoever cancels waits no longer than that


class Watched(Protocol):
    """Whoever may stop a fetch in the middle."""

    def check(self) -> None: ...


class Patience:
    """What one fetch may spend on trying again. watched: the run, which may have to stop. retries: 0 where a person waits.
    slow: whether answers may take as long as a run may."""

    def __init__(
        self, watched: Watched | None = None, account: str = "", *, retries: int | None = None, slow: bool = False
    ):  # fmt: skip
        self._watched = watched
        self._gate, self._turns = Gate(), Turns(self.sleep, account, slow=slow)
        self._retries, self._sleep_s = RETRIES if retries is None else retries, SLEEP_S

    def ask(
        self, service: Service, attempt: Callable[[], tuple[T, Mapping[str, str]]], *, repeatable: bool,
        posts: bool = False,
    ) -> T:  # fmt: skip
        """attempt: one exchange; what it gives, and the headers that came. posts: some services count these by themselves.
        Raises SourceError."""
        try:
            return self._ask(service, attempt, repeatable=repeatable, posts=posts)
        except SourceError as e:
            e.service = str(service)
            raise

    def _ask(
        self, service: Service, attempt: Callable[[], tuple[T, Mapping[str, str]]], *, repeatable: bool, posts: bool
    ) -> T:
        failed: SourceUnavailable | None = None
        for number in count(1):
            self.check()
            try:
                self._gate.look(service)  # who is left alone costs no turn
            except BreakerOpen as e:
                raise _first(failed, e) from None
            with self._turns.taken(service, posts=posts):
                try:
                    return self._attempted(service, attempt)
                except BreakerOpen as e:
                    raise _first(failed, e) from None
                except SourceUnavailable as e:
                    failed = e
            pause = self._pause(service, number, failed) if repeatable else None
            if pause is None:
                if number > 1:
                    failed.add(f"It was asked {number} times.")
                raise failed
            self._retries, self._sleep_s = self._retries - 1, self._sleep_s - pause
            self.sleep(pause)
        raise AssertionError("it is asked again, or raised")

    def _attempted(self, service: Service, attempt: Callable[[], tuple[T, Mapping[str, str]]]) -> T:
        permit, begun, kind = self._gate.permit(service), time.monotonic(), "cancelled"
        try:
            found, headers = attempt()
        except SourceError as e:
            kind = e.kind
            self._gate.settle(permit, service, e)
            self._turns.heed(service, e, {})
            raise
        else:
            kind = ""
            self._gate.settle(permit, service, None)
            self._turns.heed(service, None, headers)
            return found
        finally:
            if kind == "cancelled":  # or broken: neither an answer nor a fault of the service
                self._gate.release(permit)
            spent = time.monotonic() - begun
            signals.tell_after_commit(
                signals.source_called, service=service.name, kind=kind, seconds=spent, cached=False
            )

    def _pause(self, service: Service, number: int, error: SourceUnavailable) -> float | None:
        """Seconds before the next try; None if there is none."""
        if number >= TRIES.get(error.kind, 1) or not self._retries:
            return None
        base = settings.RETRY_PAUSES_S[min(number, len(settings.RETRY_PAUSES_S)) - 1]
        pause = base if settings.RETRY_JITTER == "none" else max(random.uniform(0, base), min(_LEAST_S, base))  # noqa: S311 - no secret
        pause = max(pause, error.retry_after or 0)
        if pause > min(LONGEST_S, self._sleep_s):
            return None
        return pause if Pace.objects.may_repeat(service.name, now=time.time()) else None

    def check(self) -> None:
        if self._watched is not None:
            self._watched.check()

    def sleep(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _STEP_S))
            self.check()


def _first(failed: SourceUnavailable | None, refused: BreakerOpen) -> SourceUnavailable:
    """What we met ourselves says more than that nobody is to ask any more."""
    if failed is None:
        return refused
    failed.retry_after = refused.retry_after
    return failed
