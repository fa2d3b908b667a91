"""Accounts at services: made, changed and deleted by their owner; accepted or refused by the service.

While a service does not accept an account, or nobody has tried what was changed, the sources that use it are paused: they
keep what they brought and are not asked for. Nothing here calls out (sync/access.py does).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from lists.audit import audit
from lists.errors import InUse, Unfit
from lists.models import Account, MediaList, Source
from lists.signals import stopped

Secrets = Mapping[str, str]
NOTICE = timedelta(days=14)  # before a token ends that only a person can renew


@transaction.atomic
def make_account(
    owner: Any, *, service: str, name: str, by: Any, secrets: Secrets | None = None, details: Mapping[str, Any] | None = None
) -> Account:  # fmt: skip
    """A new account, not tested yet. Raises Unfit if there is one of that name."""
    account = Account(owner=owner, service=service, name=_named(name), details=dict(details or {}))
    account.keep(secrets or {})
    _save(account)
    audit(by, "made account", account, after={"name": account.name, "service": service})
    return account


@transaction.atomic
def change_account(
    account: Account, *, by: Any, name: str | None = None, secrets: Secrets | None = None,
    details: Mapping[str, Any] | None = None,
) -> Account:  # fmt: skip
    """secrets, details: those that are named replace what is kept under that name, "" takes it away; the others stay.

    Where one of them is new, the sources of the account are paused until it is tested.
    """
    account = _locked(account)
    before = {"name": account.name}
    if name is not None:
        account.name = _named(name)
    known = account.opened, dict(account.details)
    account.keep({**known[0], **(secrets or {})})
    account.details = {key: value for key, value in {**known[1], **(details or {})}.items() if value != ""}
    if renewed := (account.opened, account.details) != known:
        account.stands(Account.State.UNTESTED)
        account.serial += 1
        if account.renew_at is None:  # the end was that of what was typed before
            account.expires_at = None
    if not renewed and account.name == before["name"]:
        return account
    _save(account)
    if renewed:
        _pause(account)
    audit(by, "changed account", account, before=before, after={"name": account.name, "sign_in_changed": renewed})
    return account


@transaction.atomic
def delete_account(account: Account, *, by: Any, pause: bool = False) -> list[Source]:
    """pause: those of its sources that are still read are paused until they get another account; they are returned. Without
    it, raises InUse if there are such sources."""
    account = _locked(account)
    using = list(used_by(account))
    if using and not pause:
        names = ", ".join(f"{source} ({source.list})" for source in using[:5])
        raise InUse(f"{account.name} is used by {names}. Nothing was deleted.")
    said = f"Its account “{account.name[:100]}” was deleted. What it brought stays. Give it another account."
    stopped.send(Source, sources=[source.pk for source in using], by=by)
    account.sources.update(paused=said, next_sync_at=None)
    audit(by, "deleted account", account, before={"name": account.name, "sources": [str(source) for source in using]})
    account.delete()
    return using


@transaction.atomic
def use_account(source: Source, account: Account | None, *, by: Any) -> Source:
    """Read a source with an account, or with none. Raises Unfit where its owner has no part in the list."""
    source = Source.objects.select_for_update(of=("self",)).select_related("list").get(pk=source.pk)
    if account is not None and not may_use(account, source.list):
        raise Unfit("The account belongs to somebody who may not change this list. Nothing was changed.")
    before = source.account.name if source.account else ""
    source.account = account
    source.paused = _waiting_for(account) if account and not _ready(account) else ""
    source.etag, source.last_modified, source.body_digest, source.failures = "", "", None, 0
    source.next_sync_at = None  # planned anew by what reads the schedule
    source.save()
    audit(by, "changed source", source, before={"account": before}, after={"account": account.name if account else ""})
    return source


def may_use(account: Account, list_: MediaList) -> bool:
    """Who may not change a list must not feed it either."""
    return list_.owner_id == account.owner_id or list_.memberships.filter(user=account.owner_id, role="editor").exists()


def used_by(account: Account) -> QuerySet[Source]:
    """The sources that are read with it, of lists that are not in the bin."""
    found = Source.objects.filter(account=account, removed_at=None, list__deleted_at=None)
    return found.select_related("list").order_by("list__name", "name", "id")


# -- what the service says -------------------------------------------------------------------------------------------


@transaction.atomic
def accept_account(
    account: Account, *, by: Any = None, details: Mapping[str, Any] | None = None, secrets: Secrets | None = None,
    expires_at: datetime | None = None, renew_at: datetime | None = None,
) -> bool:  # fmt: skip
    """The service accepts it: what waited for it goes on. by: who signed in or tested it.

    secrets: new ones that the service gave. expires_at: until when they hold, if the service says so. False if the
    account has got other secrets since it was read; then nothing is written."""
    held = Account.objects.select_for_update().filter(pk=account.pk, serial=account.serial).first()
    if held is None:
        return False
    waited, before = not _ready(held), held.state
    if secrets is not None:
        held.keep({**held.opened, **secrets})
        held.expires_at, held.renew_at = expires_at, renew_at
        held.serial += 1
    elif expires_at is not None:
        held.expires_at = expires_at
    held.details |= details or {}
    if secrets is not None or before != Account.State.EXPIRING:
        held.stands(Account.State.OK)
    held.tested_at = timezone.now()
    held.save()
    if waited or (by is not None and secrets is not None):
        _resume(held)
    if before != held.state or secrets is not None:
        audit(by, "connected account" if before != held.state else "renewed login", held)
    account.refresh_from_db()
    return True


@transaction.atomic
def refuse_account(account: Account, reason: str) -> bool:
    """The service does not accept it any more: its sources are paused. False if that was known, or if the account has got
    other secrets since it was read; so whoever is told is told once."""
    now = timezone.now()
    doubted = Account.objects.filter(pk=account.pk, serial=account.serial)
    doubted.update(tested_at=now)
    fell = doubted.exclude(state=Account.State.ATTENTION).update(
        state=Account.State.ATTENTION, reason=reason[:500], state_at=now
    )
    account.refresh_from_db()
    if fell:
        _pause(account)
        audit(None, "account refused", account, after={"reason": reason})
    return bool(fell)


def note_ends(now: datetime) -> int:
    """Say of tokens that nobody can renew that they end soon; returns of how many that is new."""
    ending = Account.objects.filter(state=Account.State.OK, renew_at=None, expires_at__lte=now + NOTICE)
    return ending.update(state=Account.State.EXPIRING, state_at=now)


def _ready(account: Account) -> bool:
    """Whether a source need not wait for it. What nobody has tried since it was changed may be wrong."""
    return account.works and (account.state != Account.State.UNTESTED or not account.serial)


def _waiting_for(account: Account) -> str:
    wanted = "is tested" if account.works else "is connected again"
    return f"Waits until the account “{account.name[:100]}” {wanted}. What it brought stays."


def _pause(account: Account) -> None:
    account.sources.update(paused=_waiting_for(account))


def _resume(account: Account) -> None:
    """As if they had never been read: what an old sign-in saw says nothing about what the new one will."""
    account.sources.update(paused="", failures=0, etag="", last_modified="", body_digest=None)
    account.sources.filter(enabled=True, sync_enabled=True).update(next_sync_at=timezone.now())


def _locked(account: Account) -> Account:
    found = Account.objects.select_for_update().get(pk=account.pk)
    if found.from_addresses:
        raise Unfit(
            "This account holds logins that stood in a file. It goes with its list and cannot be changed by hand."
        )
    return found


def _named(name: str) -> str:
    if not (name := name.strip()):
        raise Unfit("An account needs a name. Nothing was saved.")
    return name[:200]


def _save(account: Account) -> None:
    try:
        with transaction.atomic():
            account.save()
    except IntegrityError:
        raise Unfit(f"There is an account called {account.name} at this service already. Nothing was saved.") from None
