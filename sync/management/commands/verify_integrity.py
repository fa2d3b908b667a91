"""`manage.py verify_integrity`: is everything that is stored consistent?"""

import dataclasses
import json
import sys
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from lists import integrity, invariants
from lists.integrity import Breach
from lists.models import MediaList
from sync.integrity import CHECKS

ALL = [*invariants.CHECKS, *CHECKS]


class Command(BaseCommand):
    help = (
        "Checks that everything stored is consistent: versions, history, edits, counters, runs, secrets. Reads only, "
        "and may run beside everything else. Ends with 1 if something is wrong and says what; docs/integrity.md explains."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--list", type=int, metavar="ID", help="only this list")
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        only = options["list"]
        if only is not None and not MediaList.objects.filter(pk=only).exists():
            raise CommandError(f"There is no list {only}. Nothing was checked.", returncode=2)
        began = time.monotonic()
        breaches = list(integrity.run(ALL, only=only))
        seconds = round(time.monotonic() - began, 1)
        if options["json"]:
            told = [dataclasses.asdict(breach) for breach in breaches]
            self.stdout.write(json.dumps({"clean": not told, "seconds": seconds, "breaches": told}))
        else:
            for breach in breaches:
                self.stdout.write(_told(breach))
            self.stdout.write(_summary(breaches, only, seconds))
        if breaches:
            sys.exit(1)


def _told(breach: Breach) -> str:
    where = f"List {breach.list} “{breach.list_name}”" if breach.list else "Not of one list"
    examples = " and ".join(map(str, breach.examples))
    return f"{breach.invariant}  {where}: {breach.what}: {breach.count:,} (such as {examples})\n   {breach.advice}"


def _summary(breaches: list[Breach], only: int | None, seconds: float) -> str:
    checked = f"list {only}" if only else f"{MediaList.objects.count():,} lists"
    if breaches:
        kinds = len({(breach.invariant, breach.what) for breach in breaches})
        return f"{kinds} of {len(ALL)} checks of {checked} found something wrong. Nothing was changed. ({seconds} s)"
    return f"Everything is consistent: {len(ALL)} checks of {checked}. ({seconds} s)"
