"""`manage.py prune_runs`: what the worker does every night, done now."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sync.clearing import prune_runs


class Command(BaseCommand):
    help = (
        "Deletes runs that ended longer ago than LISTKEEPER_KEEP_RUNS_DAYS; what they brought, versions and audit stay."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, help="another number of days, 1 or more")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["days"] is not None and options["days"] < 1:
            raise CommandError("--days must be 1 or more. Nothing was deleted.")
        self.stdout.write(f"{prune_runs(days=options['days']):,} runs deleted.")
