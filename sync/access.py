"""Whether a service takes an account, and a token that holds: what runs, pages, API and the worker call.

A refresh token works once. Who renews holds a lock, and what comes back is stored only if the account still has the
secrets that were sent; so two processes never send the same one, and what one of them got is never lost to the other.
"""

import logging
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from lists import services
from lists.encrypted import WrongKey
from lists.errors import Unfit
from lists.models import Account, Source
from sync import signals
from sync.account_kinds import KINDS, kind_named
from sync.adapters import Adapter, adapter_named, is_fetched
from sync.edges import alone
from sync.errors import AccessRefused, SourceRefused, SourceUnavailable, SyncError
from sync.lease import lock
from sync.models import Lock

log = logging.getLogger(__name__)

PATIENCE_S = 45  # for whoever else renews a token: longer than any service may take to answer
SOON = timedelta(minutes=1)  # a token that ends within it is not worth sending


def known_of(account: Account) -> dict[str, str]:
    """What its kind and the adapters work with: keys of the site, what is shown, what is secret."""
    shown = {name: value for name, value in account.details.items() if isinstance(value, str)}
    return {**_of_site(account.service), **shown, **account.opened}


def _of_site(kind: str) -> dict[str, str]:
    """Keys that everybody may use."""
    return {name: value for name, value in settings.SERVICE_KEYS.get(kind, {}).items() if value}


def kept_of(account: Account) -> frozenset[str]:
    """Of what its kind asks for, the names that need not be typed again."""
    kind, known = kind_named(account.service), known_of(account)
    return frozenset(known) | (frozenset() if kind.lacks(known) else frozenset(asked.name for asked in kind.asks))


def kind_of(adapter: type[Adapter] | Adapter) -> str:
    """The kind of account that such a source is read with; "" where it needs none that we know."""
    key = adapter.account or adapter.service.rstrip(":")
    return key if key in KINDS else ""


def choose(source: Source, account: Account | None, *, by: Any) -> Source:
    """Have a source read with an account from now on, or with none. Raises Unfit."""
    if not is_fetched(source):
        raise Unfit(f"{source} is not fetched, so it needs no account. Nothing was changed.")
    if account is None and source.account is not None and source.account.from_addresses:
        raise Unfit(f"The account of {source} holds the logins of its addresses. Nothing was changed.")
    if account is not None and account.service != kind_of(adapter_named(source.adapter)):
        raise Unfit(f"{source} cannot be read with an account of this kind. Nothing was changed.")
    if source.account is not None and source.account.from_addresses and account != source.account:
        raise Unfit(f"The login of {source} stood in its address and lies in its account. Nothing was changed.")
    return services.use_account(source, account, by=by)


def fitting(source: Source, user: Any) -> list[Account]:
    """Accounts of a person with which a source can be read; beside them the one that it is read with, whosever that is."""
    kind = kind_of(adapter_named(source.adapter))
    mine = Q(owner=user.pk, from_addresses=False, service=kind) if kind else Q(pk=None)
    return list(Account.objects.filter(mine | Q(pk=source.account_id)).defer("secrets").order_by("name", "pk"))


def secrets_for(source: Source, adapter: Adapter) -> Mapping[str, str]:
    """What a source may be asked with. Calls out if a token has to be renewed first; raises AccessRefused if its account is
    not accepted any more."""
    if source.account is None:
        return _of_site(kind_of(adapter))
    if source.account.from_addresses:
        return source.account.opened
    return known_of(fresh(source.account))


def fresh(account: Account) -> Account:
    """The account with a token that holds. Raises AccessRefused, SourceUnavailable."""
    _require(account)
    if account.renew_at is not None and account.renew_at <= timezone.now():
        return renew(account)
    return account


def _require(account: Account) -> None:
    if not account.works:
        raise AccessRefused(f"The account “{account.name}” is not accepted: {account.reason}")


def renew(account: Account) -> Account:
    """Have its token renewed, by this process or, if another one is at it, by that. Raises AccessRefused if the service does
    not take the old one, SourceUnavailable if it does not answer and the old one has ended."""
    name, until = f"token of account {account.pk}", time.monotonic() + PATIENCE_S
    while True:
        with lock(name) as held:
            now = Account.objects.get(pk=account.pk)
            if now.serial != account.serial:  # somebody did it while we waited
                return now
            if account.works:  # or tried to: what was refused is not sent again
                _require(now)
            if held is not None:
                return _renewed(now)
        while Lock.objects.held(name) and time.monotonic() < until:
            time.sleep(0.1)
        if time.monotonic() >= until:
            raise SourceUnavailable(
                f"The sign-in “{account.name}” is being renewed. Nothing was read. It is tried again."
            )


def _renewed(account: Account) -> Account:
    """By whoever holds the lock."""
    try:
        granted = kind_named(account.service).renew(known_of(account))
    except AccessRefused as e:
        _refuse(account, str(e))
        raise
    except SourceUnavailable as e:
        if account.expires_at is None or account.expires_at <= timezone.now() + SOON:
            raise
        log.warning("the token of account %s was not renewed: %s", account.pk, e)
        return account  # the old one holds for a while
    services.accept_account(account, secrets=granted.secrets, details=granted.details, **granted.times())
    return Account.objects.get(pk=account.pk)


def try_account(account: Account, *, by: Any = None) -> Account:
    """Ask its service whether it takes the account, and keep the answer: what waited for it goes on, or waits from now on.

    Raises SyncError where that cannot be known: it is not complete, or the service does not answer. Nothing is changed then.
    """
    kind, known = kind_named(account.service), known_of(account)
    if lacking := kind.lacks(known):
        raise SourceRefused(f"{' and '.join(lacking)} must be typed first. Nothing was tested.")
    if not kind.is_complete(known):
        raise SourceRefused(f"Sign in to {kind.label} first. Nothing was tested.")
    try:
        if account.renew_at is not None and account.renew_at <= timezone.now():
            account = renew(account)
        try:
            checked = kind.check(known_of(account))
        except AccessRefused:
            if account.renew_at is None:
                raise
            # A token may be taken back before its end. Once: what is refused after that is refused.
            account = renew(account)
            checked = kind.check(known_of(account))
    except AccessRefused as e:
        _refuse(account, str(e))
        return account
    services.accept_account(account, by=by, details=checked.details, expires_at=checked.expires_at)
    return account


def doubt(source: Source) -> None:
    """A source was refused: by reason of its account, which is tried, or of its own. A private list of somebody else says
    nothing against the account."""
    account = Account.objects.filter(sources=source.pk).first()  # as it stands by now
    if account is None or account.from_addresses or not account.works:
        return
    try:
        try_account(account)
    except SyncError as e:
        log.warning("account %s could not be tried: %s", account.pk, e)


def keep_fresh(now: datetime | None = None) -> int:
    """Renew the tokens that end soon, and say so of those that nobody can renew; returns how many were renewed."""
    now = now or timezone.now()
    services.note_ends(now)
    due = Account.objects.filter(renew_at__lte=now).exclude(state=Account.State.ATTENTION)
    renewed = 0
    for account in due.defer("secrets").order_by("renew_at"):
        with alone("the token of account %s was not renewed", account.pk):
            try:
                renewed += renew(account).serial != account.serial
            except (SyncError, WrongKey) as e:
                log.warning("the token of account %s was not renewed: %s", account.pk, e)
    return renewed


def try_all() -> int:
    """Once a day: a token that died is told before its lists miss it, and Plex keeps alive what is used. Returns how many
    work."""
    known = Account.objects.filter(service__in=KINDS, from_addresses=False)
    working = 0
    for account in known.filter(state__in=(Account.State.OK, Account.State.EXPIRING)).defer("secrets").order_by("pk"):
        with alone("account %s could not be tried", account.pk):
            try:
                working += try_account(account).works
            except (SyncError, WrongKey) as e:
                log.info("account %s could not be tried: %s", account.pk, e)
    return working


def _refuse(account: Account, reason: str) -> None:
    if services.refuse_account(account, reason):
        signals.tell_after_commit(signals.account_refused, account_id=account.pk)
