"""Logins that came inside of addresses: kept encrypted in an account of the list's owner."""

from collections.abc import Mapping
from typing import Any

from lists.audit import audit
from lists.credentials import Lifter
from lists.models import Account, MediaList, Source

Secrets = dict[str, str]


def secrets_of(list_: MediaList, source: Source | None = None) -> tuple[Secrets, Secrets]:
    """(what was lifted out of the source's own addresses, what the list's other accounts hold): name -> value.

    source None: all of them are others'; so is an account that a person made, whose names stand for what they typed.
    A name means one value in a list (credentials.Lifter sees to it)."""
    own: Secrets = {}
    others: Secrets = {}
    if list_.pk:
        for each in list_.sources.filter(account__isnull=False).select_related("account"):
            account = each.account
            if account is not None:
                is_own = source is not None and each.pk == source.pk and account.from_addresses
                (own if is_own else others).update(account.opened)
    return own, others


def keep_secrets(source: Source, secrets: Mapping[str, str]) -> None:
    """Put logins that a source's addresses came with into its account; one is made if it has none. What the account knew
    under other names stays: older versions of the list may name it. Call it within the transaction that publishes."""
    if not secrets:
        return
    # As it is by now: a token of it may have been renewed since the source was read.
    account = Account.objects.select_for_update(of=("self",)).filter(sources=source.pk).first() or Account(
        owner=source.list.owner, service=source.adapter or "by hand", name=_name(source), from_addresses=True
    )
    known = account.opened
    if not account.from_addresses:
        # What a person typed is never replaced by what stood in a file, and never sent to where that stood.
        taken = {name for name, value in secrets.items() if "@" not in name and known.get(name, value) != value}
        secrets = {name: value for name, value in secrets.items() if name.partition("@")[0] not in taken}
    renewed = {**known, **secrets}
    if renewed == known:
        return
    is_new = account.pk is None
    account.keep(renewed)
    account.save()
    if is_new:
        source.account = account
        Source.objects.filter(pk=source.pk).update(account=account)
        audit(None, "made account", account, list_=source.list, after={"name": account.name, "for": source.name})
    else:
        audit(None, "renewed login", account, list_=source.list)


def lift_logins(list_: MediaList, values: dict[str, Any], *, at: str = "") -> dict[str, Any]:
    """What a person typed, with the logins in its addresses put into the account of the list's own source. Call it within
    the transaction that writes the values.

    at: the address of the entry, if the values have none."""
    if not any(isinstance(value, str) and ("://" in value or value.startswith("#")) for value in values.values()):
        return values
    at = values.get("address") or at
    kept = list_.sources.filter(role=Source.Role.KEPT).first()
    lifter = Lifter(*secrets_of(list_, kept))
    streams = list_.content == MediaList.Content.CHANNELS
    lifted = {
        name: lifter.lift(value, streams=streams, at=at) if isinstance(value, str) else value
        for name, value in values.items()
    }
    if lifter.secrets:
        keep_secrets(kept or Source.objects.kept(list_), lifter.secrets)
    return lifted


def _name(source: Source) -> str:
    """Unique per owner and service: a source has one account of its own."""
    return f"{source.list.name[:90]}: {source.name[:90]} ({source.pk})"
