"""Thresholds so low that ten films are a large list: its first fill is hidden blocks, a change of it several versions."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

from django.db import connection
from django.test import override_settings
from django.utils import timezone

from lists import filling, parts, search, writer
from lists.dialects import Dialect
from lists.services import _writing


@dataclass(frozen=True)
class Small:
    """part: changes of one version; block: rows of one block of a first fill; rows: of one statement."""

    part: int
    block: int
    rows: int

    @contextmanager
    def applied(self) -> Iterator[None]:
        thresholds: list[tuple[Any, str, int]] = [
            (filling, "FROM", self.block), (filling, "BLOCK", self.block), (filling, "SWEPT", self.block),
            (filling, "SETTLED", 2), (type(Dialect.of()), "rows", self.rows), (writer, "MARKED", self.rows),
            (search, "AT_ONCE", self.rows),
        ]  # fmt: skip
        alone = Alone()
        with ExitStack() as stack:
            stack.enter_context(override_settings(LARGE_CHANGE=self.part))
            for where, name, value in thresholds:
                stack.enter_context(mock.patch.object(where, name, value))
            for module in (filling, parts, _writing):  # whoever asks whether a transaction is open
                stack.enter_context(mock.patch.object(module, "connection", alone))
            yield


class Alone:
    """The connection as one sees it that is in no transaction but that of the test, which takes a life back: each
    transaction within is a savepoint, and stands or falls as one would. On PostgreSQL nothing goes in parts."""

    def __init__(self) -> None:
        self.depth = len(connection.savepoint_ids)

    @property
    def vendor(self) -> str:
        return connection.vendor

    @property
    def in_atomic_block(self) -> bool:
        return len(connection.savepoint_ids) > self.depth


class Clock:
    """One second for each step, so that a sync and the one beside it are of the same, and what compares times by seconds
    (strategies, confidence) says the same of both."""

    def __init__(self) -> None:
        self.at = timezone.now().replace(microsecond=0)

    def __call__(self) -> datetime:
        self.at += timedelta(microseconds=1)
        return self.at

    def next_step(self) -> None:
        self.at = self.at.replace(microsecond=0) + timedelta(seconds=10)

    @contextmanager
    def applied(self) -> Iterator[None]:
        with mock.patch.object(timezone, "now", self):
            yield
