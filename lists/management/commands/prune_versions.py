"""`manage.py prune_versions`: what the worker does every night, done now."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from lists.services.pruning import lists_to_prune, prune_versions


class Command(BaseCommand):
    help = (
        "Empties old versions: the newest LISTKEEPER_VERSIONS and those of the last LISTKEEPER_VERSION_DAYS days are "
        "kept, whichever are more, and what an open question or preview names. Counts and dates of all stay."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what would go")

    def handle(self, *args: Any, **options: Any) -> None:
        emptied = 0
        for list_ in lists_to_prune():
            cleared = prune_versions(list_, dry_run=options["dry_run"])
            emptied += cleared.versions
            if cleared.versions:
                self.stdout.write(
                    f"{list_} (list {list_.pk}): {cleared.versions:,} versions, "
                    f"{cleared.entries + cleared.edits:,} rows of history"
                )
        would = "would be emptied. Nothing was changed." if options["dry_run"] else "emptied."
        self.stdout.write(f"{emptied:,} versions {would}")
