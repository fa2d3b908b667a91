"""`manage.py worker`: runs the syncs."""

from argparse import SUPPRESS
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from sync import cluster
from sync.supervisor import Supervisor


class Command(BaseCommand):
    help = (
        "Runs the syncs that are due or asked for, until SIGTERM or Ctrl-C. A sync that is being written is finished first, "
        "another one is queued again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        # What it starts itself: the task queue, with a pipe to its supervisor and the supervisor's process id.
        parser.add_argument("--queue", nargs=2, type=int, help=SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["queue"]:
            cluster.serve(*options["queue"])
        else:
            Supervisor().run()
