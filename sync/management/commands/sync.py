"""`manage.py sync LIST`: has a list, or one source of it, read now."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from lists.models import MediaList, Source
from sync import definitions, runs
from sync.errors import Busy
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
        sources = _sources(options["list"], options["source"])
        started, refused = [], []
        for source, asked in runs.request_each(sources, by=None, force=options["force"]):
            if isinstance(asked, Exception):
                refused += [] if isinstance(asked, Busy) else [str(asked)]
                self.stdout.write(str(asked))
                started += [asked.run] if isinstance(asked, Busy) else []
            else:
                self.stdout.write(_said(source, asked))
                started += [asked.run] if asked.run else []
        if options["wait"]:
            self._wait(started)
        if refused:
            raise CommandError(f"{len(refused)} of {len(sources)} cannot be read now. {refused[0]}")

    def _wait(self, started: list[Run]) -> None:
        failed = 0
        for run in started:
            while (now := _last_of(run)).is_active and not now.waits_for:
                time.sleep(LOOK_S)
            self.stdout.write(f"Run {now.pk}: {now.get_state_display()}. {now.error or _counts(now)}")
            failed += now.state not in (Run.State.COMPLETED, Run.State.PARTIAL)
        if failed:
            raise CommandError(f"{failed} of {len(started)} did not end well.")


def _said(source: Source, asked: runs.Asked) -> str:
    if asked.run is not None:
        return f"{source}: run {asked.run.pk} is queued."
    assert asked.skipped_until is not None
    at = timezone.localtime(asked.skipped_until)
    return f"{source} was read a moment ago, so nothing was fetched. It can be read again from {at:%H:%M} on, or with --force."


def _last_of(run: Run) -> Run:
    """The run as it is now, or the one that goes on in its place because its worker died."""
    now = Run.objects.get(pk=run.pk)
    if now.state == Run.State.INTERRUPTED and (following := Run.objects.filter(previous=now).first()):
        return _last_of(following)
    return now


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
    held = f" {run.held} held until somebody decides." if run.held else ""
    return f"{run.found} read: {run.added} came, {run.updated} changed, {run.removed} left.{held}"
