"""`manage.py breaker list|open|reset [SERVICE]`: services that are left alone."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from sync.http import breaker
from sync.models import Breaker


class Command(BaseCommand):
    help = "Shows which services are left alone, has nobody ask one until it is reset, or has it asked again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("act", choices=["list", "open", "reset"])
        parser.add_argument("service", nargs="?", help="as `list` names it")
        parser.add_argument("--reason", default="", help="why it is opened; shown to whoever waits")

    def handle(self, *args: Any, **options: Any) -> None:
        act, service = options["act"], options["service"]
        if act == "list":
            for row in Breaker.objects.filter(**({"service": service} if service else {})):
                self.stdout.write(_line(row))
            return
        if not service:
            raise CommandError("Name a service.")
        if not breaker.known(service):
            raise CommandError(
                f"There is no service {service!r}. Nothing was changed. `breaker list` names those that were asked."
            )
        if act == "open":
            row = breaker.force_open(service, by=None, reason=options["reason"])
        else:
            row = breaker.reset(service, by=None)
        self.stdout.write(_line(row))


def _line(row: Breaker) -> str:
    until = f" until {timezone.localtime(row.open_until):%Y-%m-%d %H:%M:%S}" if row.open_until else ""
    failed = f"; {row.failures} failures, the last: {row.last_failure}" if row.failures else ""
    reason = f"; {row.reason}" if row.reason else ""
    return f"{row.service}: {row.get_state_display().lower()}{until}{reason}{failed}"
