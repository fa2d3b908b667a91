"""`manage.py prune_audit`: the one way in which audit rows ever go."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from lists.models import Audit

LEAST_DAYS = 365


class Command(BaseCommand):
    help = "Deletes audit rows that are older than a number of days, a year at least."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, default=LEAST_DAYS, help=f"{LEAST_DAYS} or more")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["days"] < LEAST_DAYS:
            raise CommandError(f"Audit rows are kept for a year at least: --days must be {LEAST_DAYS} or more.")
        gone = Audit.objects.prune(before=timezone.now() - timedelta(days=options["days"]))
        self.stdout.write(f"{gone} audit rows deleted.")
