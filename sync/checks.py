"""Settings of the task queue without which syncs would be done twice or not at all, and those of the way out: errors, for
nobody reads warnings."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured

from sync.http.guard import entries
from sync.http.services import service_named


def check_queue(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    return [Error(said, id=f"sync.E00{number}") for number, said in _wrong(settings.Q_CLUSTER)]


def _wrong(queue: dict[str, Any]) -> Iterator[tuple[int, str]]:
    timeout, retry = queue.get("timeout"), queue.get("retry")
    if not timeout:
        yield 1, "Q_CLUSTER has no timeout: a task that hangs would keep its worker for ever."
    elif not retry or retry < 3 * timeout:
        yield 2, "Q_CLUSTER's retry must be three times its timeout at least: it delivers a task that is at work again."
    if queue.get("max_attempts") != 1:
        yield 3, "Q_CLUSTER's max_attempts must be 1: our own rules say when a sync is tried again."
    if not queue.get("ack_failures"):
        yield 4, "Q_CLUSTER's ack_failures must be on, or what has failed is delivered for ever."
    if queue.get("catch_up", True):
        yield 5, "Q_CLUSTER's catch_up must be off, or every run that was missed is made up for."
    if queue.get("sync"):
        yield 6, "Q_CLUSTER's sync must be off: tasks are for the workers."


def check_way_out(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    try:
        entries(tuple(settings.OUTBOUND_ALLOW))
        for name in settings.SERVICES:
            service_named(name)
    except ImproperlyConfigured as e:
        return [Error(str(e), id="sync.E007")]
    return []
