"""manage.py rotate_keys: put everything that is encrypted under the first key of LISTKEEPER_ENCRYPTION_KEYS."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from lists.rotation import rotate_all


class Command(BaseCommand):
    help = (
        "Encrypt every stored secret anew, with the first of LISTKEEPER_ENCRYPTION_KEYS. May run while Listkeeper does, and "
        "again after it was broken off. docs/configuration.md says how a key is changed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--batch", type=int, default=100, help="rows in one transaction (default: 100)")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["batch"] < 1:
            raise CommandError("--batch must be 1 or more. Nothing was changed.")
        unreadable = 0
        for done in rotate_all(batch=options["batch"]):
            unreadable += len(done.unreadable)
            said = f"{done.column}: {done.renewed:,} renewed, {done.passed:,} were under the first key already"
            if done.unreadable:
                rows = ", ".join(str(pk) for pk in done.unreadable[:10])
                said += f", {len(done.unreadable):,} opened by none of our keys and left as they are (rows {rows})"
            self.stdout.write(said)
        if unreadable:
            raise CommandError(
                f"{unreadable:,} could not be opened. Keep the old keys, put the missing one behind them in "
                "LISTKEEPER_ENCRYPTION_KEYS and run this again."
            )
        self.stdout.write("Everything is under the first key now. The others are not needed any more.")
