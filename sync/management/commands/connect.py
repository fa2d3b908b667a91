"""manage.py connect SERVICE: an account at a service from the command line, for machines without a browser."""

import getpass
import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from lists import services
from lists.errors import Refused
from lists.models import Account, SignIn
from sync import access, signing_in
from sync.account_kinds import KINDS, AccountKind, Asked
from sync.errors import SyncError

LOOK_S = 1.0


class Command(BaseCommand):
    help = (
        "Connect an account at a service, or connect it again: asks for what the service needs, shows its code, and waits "
        "until you have typed that there. What is asked for can come by standard input, one answer a line."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("service", choices=sorted(KINDS))
        parser.add_argument("--user", help="whose account it is (default: the only user there is)")
        parser.add_argument("--sign-in", action="store_true", help="also where a key alone would do, as at TMDb")
        parser.add_argument("--name", help="what it is called (default: as the service)")

    def handle(self, *args: Any, **options: Any) -> None:
        kind = KINDS[options["service"]]
        try:
            account = self._account(kind, user_named(options["user"]), options["name"] or kind.label)
            if kind.must_sign_in or options["sign_in"]:
                self._sign_in(kind, account)
            else:
                self._test(account)
        except (SyncError, Refused) as e:
            raise CommandError(str(e)) from None

    def _account(self, kind: type[AccountKind], user: Any, name: str) -> Account:
        """The one of that name, with what was typed; what it has need not be typed again."""
        account = Account.objects.filter(owner=user, service=kind.key, name=name, from_addresses=False).first()
        kept = access.kept_of(account) if account else frozenset()
        self.stdout.write(f"{kind.label}: {kind.how}{f' {kind.where}' if kind.where else ''}")
        wanted = [asked for asked in kind.asks if asked.name not in kept | kind.site_keys().keys()]
        typed = {asked.name: _typed(asked) for asked in wanted}
        form = kind.form(typed, kept=kept)
        if not form.is_valid():
            raise CommandError(" ".join(str(text) for texts in form.errors.values() for text in texts))
        secrets, details = kind().sorted_out({name: form.cleaned_data[name] for name in typed})
        if account is None:
            return services.make_account(user, service=kind.key, name=name, secrets=secrets, details=details, by=user)
        return services.change_account(account, by=user, secrets=secrets, details=details)

    def _sign_in(self, kind: type[AccountKind], account: Account) -> None:
        sign_in = signing_in.begin(account)
        code = f" and type this code: {sign_in.code}" if sign_in.code else " and agree there."
        self.stdout.write(f"Open {sign_in.url}{code}")
        minutes = round((sign_in.expires_at - timezone.now()).total_seconds() / 60)
        self.stdout.write(f"Waiting for {kind.label}, {minutes} minutes at most. Ctrl-C stops it.")
        self.stdout.flush()
        try:
            while signing_in.ask(sign_in).state == SignIn.State.WAITING:
                time.sleep(LOOK_S)
        except KeyboardInterrupt:
            signing_in.cancel(sign_in)
            raise CommandError("You stopped it. Nothing was connected.") from None
        if sign_in.state != SignIn.State.DONE:
            raise CommandError(sign_in.reason)
        account.refresh_from_db()
        user = account.details.get("user")
        self.stdout.write(f"{account.name} is connected{f' as {user}' if user else ''}.")

    def _test(self, account: Account) -> None:
        tried = access.try_account(account, by=account.owner)
        if not tried.works:
            raise CommandError(f"{tried.name} does not work. {tried.reason}")
        self.stdout.write(f"{tried.name} works.")


def user_named(name: str | None) -> Any:
    users = get_user_model().objects.filter(is_active=True).order_by("pk")
    if name is not None:
        users = users.filter(username=name)
    found = list(users[:2])
    if len(found) != 1:
        raise CommandError(
            f"There is no user called {name}. Nothing was done."
            if name is not None
            else "Say whose account it is: --user NAME. Nothing was done."
        )
    return found[0]


def _typed(asked: Asked) -> str:
    """From the terminal without showing it, or the next line of standard input."""
    if sys.stdin.isatty():
        return getpass.getpass(f"{asked.label}: ") if asked.secret else input(f"{asked.label}: ")
    return sys.stdin.readline().strip()
