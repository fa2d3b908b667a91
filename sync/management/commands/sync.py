"""`manage.py sync LIST`: has a list, or one source of it, read now."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from lists.errors import Refused
from lists.models import MediaList, Source
from sync import definitions, runs
from sync.errors import Busy, SyncError
from sync.models import Run

LOOK_S = 0.5


class Command(BaseCommand):
    help = "Has every source of a list that is fetched, or one of them, read by the workers now."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("list", type=int, nargs="?", help="the number of a list")
        what.add_argument("--source", type=int, metavar="ID", help="the number of a source")
        parser.add_argument("--force", action="store_true", help="also if it was read a moment ago")
        parser.add_argument(
            "--wait", action="store_true", help="until the runs have ended; fails if one did, or was put off"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        started: list[Run] = []
        for source in _sources(options["list"], options["source"]):
            run = self._ask(source, force=options["force"])
            started += [run] if run else []
        if options["wait"]:
            self._wait(started)

    def _ask(self, source: Source, *, force: bool) -> Run | None:
        """The run that brings it up to date, be it new or at work already."""
        try:
            asked = runs.request_sync(source, by=None, force=force)
        except Busy as e:
            self.stdout.write(str(e))
            return e.run
        except (SyncError, Refused) as e:
            raise CommandError(str(e)) from None
        if asked.skipped_until is not None:
            at = timezone.localtime(asked.skipped_until)
            self.stdout.write(
                f"{source} was read a moment ago, so nothing was fetched. It can be read again from {at:%H:%M} on, or with --force."
            )
        elif asked.run is not None:
            self.stdout.write(f"{source}: run {asked.run.pk} is queued.")
        return asked.run

    def _wait(self, started: list[Run]) -> None:
        failed = 0
        for run in started:
            while (now := Run.objects.get(pk=run.pk)).is_active and not now.waits_for:
                time.sleep(LOOK_S)
            self.stdout.write(f"Run {now.pk}: {now.get_state_display()}. {now.error or _counts(now)}")
            failed += now.state not in (Run.State.COMPLETED, Run.State.PARTIAL)
        if failed:
            raise CommandError(f"{failed} of {len(started)} did not end well.")


def _sources(list_pk: int | None, source_pk: int | None) -> list[Source]:
    if source_pk is not None:
        one = Source.objects.filter(pk=source_pk).select_related("list").first()
        if one is None:
            raise CommandError(f"There is no source {source_pk}. Nothing was read.")
        return [one]
    list_ = MediaList.objects.filter(pk=list_pk).first() if list_pk is not None else None
    if list_ is None:
        raise CommandError(f"There is no list {list_pk}. Nothing was read.")
    found = [source for source in definitions.fetched_sources(list_) if source.enabled]
    if not found:
        raise CommandError(f"None of the sources of {list_} is fetched. Nothing was read.")
    return found


def _counts(run: Run) -> str:
    return f"{run.found} read: {run.added} came, {run.updated} changed, {run.removed} left."
