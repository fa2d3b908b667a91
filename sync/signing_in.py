"""Signing in to a service with a code, or on its page: begun, asked about, ended.

Whoever looks asks the service: the page while it is open, the command line, and else the worker, every minute. All of it is in
the database, so it does not matter which of them it is, and together they ask no more often than the service wants.
"""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from lists import services
from lists.models import Account, SignIn
from sync.access import known_of
from sync.account_kinds import Begun, Granted, NotGranted, Wait, kind_named
from sync.edges import alone
from sync.errors import BadAnswer, SourceRefused, SourceUnavailable, SyncError

log = logging.getLogger(__name__)

ASKING = timedelta(seconds=30)  # that one question may take; nobody else asks meanwhile
SLOWER_S = 5
LONGEST_S = 3600  # a code that holds longer is asked about no longer
State = SignIn.State


def begin(account: Account) -> SignIn:
    """Have a service wait for a person; what waited for this account before is forgotten. Raises SyncError."""
    kind, known = kind_named(account.service), known_of(account)
    if not kind.signs_in:
        raise SourceRefused(f"{kind.label} has no sign-in: its key is typed. Nothing was started.")
    if lacking := kind.lacks(known):
        raise SourceRefused(f"{' and '.join(lacking)} must be typed first. Nothing was started.")
    begun = _sound(kind.begin(known), kind.label)
    now = timezone.now()
    with transaction.atomic():
        SignIn.objects.filter(account=account).delete()
        return SignIn.objects.create(
            account=account, code=begun.code, url=begun.url, device=begun.device, interval_s=begun.interval_s,
            next_poll_at=now + timedelta(seconds=begun.interval_s), expires_at=now + timedelta(seconds=begun.expires_in_s),
        )  # fmt: skip


def _sound(begun: Begun, label: str) -> Begun:
    """As it may be shown and stored."""
    told = isinstance(begun.url, str) and isinstance(begun.code, str)  # whatever the answer held
    told = told and begun.url.startswith(("https://", "http://")) and len(begun.code) <= 40 and begun.code.isprintable()
    if not told or not 1 <= begun.interval_s <= 300 or not begun.expires_in_s >= 1:
        raise BadAnswer(f"What {label} sent is no sign-in. Nothing was connected. Try again.")
    if begun.expires_in_s > LONGEST_S:
        return Begun(begun.url, begun.device, begun.code, begun.interval_s, LONGEST_S)
    return begun


def ask(sign_in: SignIn, *, now: datetime | None = None) -> SignIn:
    """Look how far it is, asking the service if that is not too soon; the row as it stands then."""
    now = now or timezone.now()
    waiting = SignIn.objects.filter(pk=sign_in.pk, state=State.WAITING)
    if waiting.filter(expires_at__lte=now).exists():
        _end(sign_in, State.EXPIRED, "The code has run out. Start again to get a new one.")
    elif waiting.filter(next_poll_at__lte=now).update(next_poll_at=now + ASKING):
        _ask(sign_in, now)
    sign_in.refresh_from_db()
    return sign_in


def _ask(sign_in: SignIn, now: datetime) -> None:
    """By whoever was first."""
    account = Account.objects.select_related("owner").get(pk=sign_in.account_id)
    interval_s, reason = sign_in.interval_s, ""
    try:
        answer = kind_named(account.service).ask(known_of(account), sign_in.device)
    except NotGranted as e:
        _end(sign_in, e.state, str(e))
        return
    except SourceUnavailable as e:
        answer, reason = Wait.AS_BEFORE, f"{e} It is asked again."
        interval_s = max(interval_s, round(min(e.retry_after or 0, LONGEST_S)))
    except SyncError as e:
        _end(sign_in, State.FAILED, str(e))
        return
    if isinstance(answer, Granted):
        _take(sign_in, account, answer)
        return
    if answer is Wait.LONGER:
        interval_s += SLOWER_S
        SignIn.objects.filter(pk=sign_in.pk).update(interval_s=interval_s)
    SignIn.objects.filter(pk=sign_in.pk, state=State.WAITING).update(
        next_poll_at=now + timedelta(seconds=interval_s), reason=reason
    )


@transaction.atomic
def _taken(sign_in: SignIn, account: Account, granted: Granted) -> bool:
    """The tokens stand if and only if the sign-in is done."""
    if not SignIn.objects.filter(pk=sign_in.pk, state=State.WAITING).update(**_ended(State.DONE)):
        return False
    if services.accept_account(
        account, by=account.owner, secrets=granted.secrets, details=granted.details, **granted.times()
    ):
        return True
    SignIn.objects.filter(pk=sign_in.pk).update(
        **_ended(State.FAILED, "The account was changed in the meantime. Nothing was connected. Start again.")
    )
    return False


def _take(sign_in: SignIn, account: Account, granted: Granted) -> None:
    if not _taken(sign_in, account, granted):
        return
    try:  # for the name that is shown; the sign-in stands without it
        checked = kind_named(account.service).check(known_of(account))
    except SyncError as e:
        log.warning("account %s was connected, but not tried: %s", account.pk, e)
    else:
        services.accept_account(account, by=account.owner, details=checked.details)


def cancel(sign_in: SignIn) -> bool:
    """False if it has ended already."""
    return _end(sign_in, State.CANCELLED, "You stopped it. Nothing was connected.")


def _end(sign_in: SignIn, state: str, reason: str) -> bool:
    waiting = SignIn.objects.filter(pk=sign_in.pk, state=State.WAITING)
    return bool(waiting.update(**_ended(state, reason)))


def _ended(state: str, reason: str = "") -> dict[str, Any]:
    """What could still be exchanged for a token is not kept."""
    return {"state": state, "reason": reason[:500], "url": "", "device": ""}


def ask_all(now: datetime | None = None) -> int:
    """Look after those whose page is closed; returns how many came true."""
    now = now or timezone.now()
    waiting = SignIn.objects.filter(state=State.WAITING, next_poll_at__lte=now).order_by("next_poll_at")
    came_true = 0
    for sign_in in waiting.defer("url", "device"):
        with alone("sign-in %s cannot be asked about", sign_in.pk):  # it lapses within the hour
            came_true += ask(sign_in, now=now).state == State.DONE
    return came_true
