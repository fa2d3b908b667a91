"""What comes in between: a person writes after a sync was planned, a worker dies between two blocks or two parts.

Beside each such sync stands the one that nothing came between: it is carried out first, looked at and taken back.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import connection, transaction
from django.test import override_settings
from django.utils import timezone
from hypothesis import note

from lists import filling, services, writer
from lists.errors import BeingFilled, Refused
from lists.fence import fenced
from lists.models import Claim, Conflict, Edit, Entry, MediaList, Source
from sync import pipeline, reaper, tasks, uploads
from sync.models import Run
from sync.runs import DEATHS
from tests.lists.lives.feeds import carried_out
from tests.lists.lives.hands import Handled

# Where nothing is held while one waits there, and where a transaction is open.
BETWEEN: tuple[tuple[Any, str], ...] = (
    (pipeline, "_publish"), (pipeline, "_hold"), (writer.Publication, "run"), (filling, "_block"), (filling, "_delete")
)  # fmt: skip
WITHIN: tuple[tuple[Any, str], ...] = ((writer.Publication, "_settle"), (pipeline, "close_with"))


class Killed(BaseException):
    """As if the process had died."""


class Death:
    """From its moment on the process writes nothing: what is not committed by then is lost, whatever it would clean up."""

    def __init__(self, at: int):
        self.at, self.came = at, False

    def look(self, number: int) -> None:
        if number == self.at:
            self.came = True
            raise Killed

    def __call__(self, execute, sql, params, many, context):
        if self.came and not sql.startswith(("ROLLBACK TO", "RELEASE")):
            raise Killed
        return execute(sql, params, many, context)


@contextmanager
def looking(look: Callable[[int], None], *places: tuple[Any, str]) -> Iterator[None]:
    """Call look(0), look(1) ... whenever one of these functions is about to begin, but not for what look() calls itself."""
    count, busy = [0], [False]

    def late(function, *args, **named):
        if not busy[0]:
            busy[0], number = True, count[0]
            count[0] += 1
            try:
                look(number)
            finally:
                busy[0] = False
        return function(*args, **named)

    def method(function):
        return lambda *args, **named: late(function, *args, **named)

    with ExitStack() as stack:
        for where, name in places:
            stack.enter_context(mock.patch.object(where, name, method(getattr(where, name))))
        yield


class Life(Handled):
    # -- beside it ----------------------------------------------------------------------------------------------------

    def foreseen(self, list_: MediaList, do: Callable[[], Any]) -> dict[str, Any]:
        """What the list would be after this, in one version. Nothing of it is left."""
        kept = self.list, dict(self.said), dict(self.photos), self.clock.at
        try:
            # Nothing is too much for it: in a transaction other rules about very many entries would stay owed.
            with transaction.atomic(), override_settings(LARGE_CHANGE=sys.maxsize):
                self.list = MediaList.objects.get(pk=self.list.pk)
                do()
                found = self.picture(list_)
                transaction.set_rollback(True)
            return found
        finally:
            self.list, self.said, self.photos, self.clock.at = kept

    def picture(self, list_: MediaList) -> dict[str, Any]:
        """All that it is and knows, without the numbers of its rows."""
        edits: dict[int, list[tuple[str, str, bool]]] = {}
        for edit in Edit.objects.filter(entry__list=list_):
            edits.setdefault(edit.entry_id, []).append((edit.field, repr(edit.value), edit.firm))
        listed = Entry.objects.filter(list=list_).listed().order_by("rank", "id")
        claims = Claim.objects.filter(source__list=list_, source__role="feed")
        asked = Conflict.objects.filter(list=list_, state__in=["open", "skipped"])
        return {
            "shown": [(entry.values, sorted(edits.get(entry.pk, ()))) for entry in listed],
            "claims": sorted(claims.values_list("source__name", "key", "entry__state", "missing")),
            "places": list(
                claims.exclude(position=None).order_by("source", "position", "id").values_list("source", "key")
            ),
            "asked": sorted(asked.values_list("kind", "field", "entry__title")),
        }

    # -- people -------------------------------------------------------------------------------------------------------

    def act(self, name: str, n: int, m: int, rows: list[dict]) -> None:
        with suppress(Refused), fenced(lambda: None):  # whoever writes is in no run
            getattr(self, f"step_{name}")(n, m, rows)

    def step_meanwhile(self, n: int, m: int, rows: list[dict], act: str) -> None:
        """Somebody writes after a sync was planned and before it is published, or between two parts of it."""
        self.sources_on()
        services.settle_due(self.list)
        source, at, landed = (self.a, self.b)[n % 2], 0 if m % 3 else 1 + n % 3, []

        def before() -> None:
            offered = self.offered(source, rows) if source == self.a else None
            self.act(act, n, m, rows)
            carried_out(self.asked(source, rows) if offered is None else uploads.confirm(offered, by=self.user))

        expected = None if at or act == "source" else self.foreseen(self.list, before)
        run = self.asked(source, rows)

        def look(number: int) -> None:
            if number == at:
                landed.append(number)
                self.midway = number > 0
                self.act(act, n, m, rows)
                self.midway = False

        with looking(look, *BETWEEN):
            run = carried_out(run)
        note(f"run {run.state} {run.error}, landed {landed}")
        if run.state == Run.State.COMPLETED:
            self.said[source.pk] = rows
        else:
            assert act == "source" or "since the preview" in run.error, f"it comes to its end: {run.error}"
        if landed and expected is not None:
            assert self.picture(self.list) == expected, "as if they had written before the sync began"

    def step_undo(self, n: int, m: int, rows: list[dict], act: str) -> None:
        """An act is taken back as the page does it: all of it, if it went in parts."""
        self.sources_on()
        services.settle_due(self.list)
        before, firm, last = self.shown(), self.firm(), self.list.versions.count()
        self.act(act, n, m, rows)
        if not last or self.list.versions.count() == last:
            return
        newest = self.list.versions.latest("number")
        others = self.list.versions.filter(number__lt=newest.number)
        if newest.correlation_id:
            others = others.exclude(correlation_id=newest.correlation_id)
        if others.latest("number").number != last or self.owes():
            return  # it was more than one act
        services.rollback(self.list, others.latest("number"), by=self.user, seen=newest.number)
        assert self.shown() == before, "it shows what it showed"
        assert self.firm() == firm, "and what people said is what they had said"

    # -- deaths -------------------------------------------------------------------------------------------------------

    def step_die(self, n: int, m: int, rows: list[dict], act: str = "") -> None:
        """The worker of a sync is killed; perhaps somebody writes before another takes it up, or that one dies, too."""
        self.sources_on()
        services.settle_due(self.list)
        self.die((self.a, self.b)[m % 2], rows, n, m, act)

    def step_fill(self, n: int, m: int, rows: list[dict]) -> None:
        """The worker of a new list's first sync is killed."""
        new = services.create_list(self.user, name="New")
        path = self.folder / f"answer-{new.pk}.json"
        source = services.add_source(
            new, adapter="scripted_live", name="new", by=self.user, config={"path": str(path)}, gap_min=0
        )
        self.die(source, rows, n, m)

    def die(self, source: Source, rows: list[dict], n: int, m: int, act: str = "") -> None:
        list_ = source.list
        expected = self.foreseen(list_, lambda: carried_out(self.asked(source, rows)))
        run = self.asked(source, rows)
        deaths = 0
        for at in (n, m) if (n + m) % 3 == 0 else (n,):
            if not self.killed(run, at):
                break
            deaths, self.midway = deaths + 1, True
            self.look_at_what_stands(list_)
            if act:
                self.act(act, n, m, rows)
            self.midway = False
            run = self.taken_up(run, by_tick=m % 2 == 1)
        if deaths and run.state == Run.State.QUEUED:
            carried_out(run)
        run.refresh_from_db()
        note(f"died {deaths} times: {run.state} {run.error}")
        if run.state == Run.State.COMPLETED:
            self.said[source.pk] = rows
        else:
            assert act == "source" or "since the preview" in run.error, f"it comes to its end: {run.error}"
        if not (act or list_.filters.get("max_new")):
            assert self.picture(list_) == expected, "as if nobody had died"

    def step_relapse(self, n: int, m: int, rows: list[dict]) -> None:
        """Nobody takes up what died, and then the file before it is uploaded again."""
        self.sources_on()
        services.settle_due(self.list)
        if not (said := self.said[self.a.pk]):
            return
        expected = self.foreseen(self.list, lambda: carried_out(self.asked(self.a, said)))
        run = self.asked(self.a, rows)
        if not self.killed(run, n):
            self.said[self.a.pk] = rows if run_state(run) == Run.State.COMPLETED else said
            return
        Run.objects.filter(pk=run.pk).update(interruptions=DEATHS)
        run = self.taken_up(run, by_tick=m % 2 == 1)
        assert run.state == Run.State.FAILED, "it is not tried for ever"
        again = carried_out(self.asked(self.a, said))
        assert again.state == Run.State.COMPLETED, again.error
        if not self.list.filters.get("max_new"):
            # What left with a part and returns has spoken since now only, so values and places may be others.
            assert self.picture(self.list)["claims"] == expected["claims"], "it is what the file says"

    def step_break(self, n: int, m: int, rows: list[dict], act: str) -> None:
        """The process in which somebody writes is killed. What they asked for is asked for again, or owed."""
        services.settle_due(self.list)
        versions = list(self.list.versions.order_by("number"))
        if act == "rollback" and not versions:
            return
        target = versions[n % len(versions)] if versions else None

        def do() -> None:
            if act == "rollback":
                services.rollback(self.list, target, by=self.user)
            else:
                self.act(act, n, m, rows)

        before, expected = self.picture(self.list), self.foreseen(self.list, do)
        if not self.killed_in(do, m, self.list):
            return
        self.midway = True
        self.check()
        self.midway = False
        if act in ("rollback", "release"):
            do()
        services.settle_rules()
        assert self.picture(self.list) in (before, expected), "all of it, or nothing"

    def killed(self, run: Run, at: int) -> bool:
        """Carry out a run until its worker is killed; False if it came to its end before."""
        return self.killed_in(lambda: tasks.execute_run(run.pk), at, run.list)

    def killed_in(self, do: Callable[[], Any], at: int, list_: MediaList) -> bool:
        death = Death(at)

        def look(number: int) -> None:
            self.look_at_a_fill(list_)
            death.look(number)

        with connection.execute_wrapper(death), suppress(Killed), looking(look, *BETWEEN, *WITHIN):
            do()
        return death.came

    def look_at_a_fill(self, list_: MediaList) -> None:
        """While a list is filled nobody sees any of it."""
        if MediaList.objects.filter(pk=list_.pk, filling__isnull=False, current=None).exists():
            assert not Entry.objects.filter(list=list_).exists(), "no entry of a first fill is seen"
            assert not list_.versions.exists()

    def look_at_what_stands(self, list_: MediaList) -> None:
        list_ = MediaList.objects.get(pk=list_.pk)
        if list_.filling is None:
            self.check()
            return
        self.look_at_a_fill(list_)
        self.check_whole()
        with pytest.raises(BeingFilled):
            services.add_entry(list_, by=self.user, values={"title": "Too early"})

    def taken_up(self, run: Run, *, by_tick: bool) -> Run:
        """What the others do when a worker is silent for too long; the run that follows."""
        past = timezone.now() - timedelta(seconds=1)
        Run.objects.working().update(lease_until=past)
        MediaList.objects.filter(filling__isnull=False).update(filling_until=past)
        if by_tick:
            tasks.tick()
        reaper.reap()
        run.refresh_from_db()
        return Run.objects.filter(previous=run).first() or run


def run_state(run: Run) -> str:
    return Run.objects.values_list("state", flat=True).get(pk=run.pk)


HAND = (
    "edit", "give_back", "remove", "restore", "add", "block", "unblock", "filter", "move", "order", "rules", "rollback",
    "release", "merge", "split", "decide", "apply", "source", "other",
)  # fmt: skip
OWED = ("filter", "rules", "block", "rollback", "release")  # or asked for again
UNDONE = ("edit", "give_back", "remove", "restore", "add", "move", "order", "release", "apply", "sync")
