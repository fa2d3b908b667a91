"""Addresses that people paste, and kinds of sources that they pick: recognised at once, tried by a worker (sync/trying.py),
then saved with a policy. Until then a preview is all that is stored; the address lies in it encrypted.

The config of such a preview holds the answers to the kind's questions and two notes of ours: `account` is the id of the one
that it is read with, `chosen` whether a person named the kind.
"""

import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from lists import credentials, services
from lists.credentials import Lifter
from lists.errors import InTheBin, Refused, Unfit
from lists.models import Account, MediaList, Proposal, Source
from sync import access, definitions
from sync.account_kinds import KINDS
from sync.adapters import ADAPTERS, Adapter, checked, fetched_adapters, is_fetched, recognise_address
from sync.errors import SourceRefused
from sync.http.services import service_named
from sync.models import Run
from sync.runs import PREPARE, enqueue, request_run
from sync.uploads import NotOpen, expiry, still_open

_FILE = re.compile(r"/[\w .-]{1,60}\.(?:csv|tsv|txt|json|xml|rss|atom)$", re.IGNORECASE)
NOTES = frozenset({"account", "chosen"})
LONGEST = 2000  # signs of an address
AT_ONCE = 20  # previews that one person may have tried at a time: each asks somebody else's service


class AlreadyRead(Refused):
    code = "already_read"


@dataclass(frozen=True, slots=True)
class Recognised:
    """wrong: what has to be answered before it can be read."""

    adapter: type[Adapter]
    answers: dict[str, Any]
    wrong: list[str]


def recognise(address: str) -> list[Recognised]:
    """The kinds that read an address, the likeliest first; several that read any address if nobody knows it as its own.

    Raises SourceRefused for what no kind reads, with a way out.
    """
    found = recognise_address(whole(address))
    if not found:
        raise SourceRefused(f"We know no list at this address. Nothing was read. {what_we_read()}")
    return [Recognised(adapter, answers, checked(adapter, answers)[1]) for adapter, answers in found]


def whole(address: str) -> str:
    """As it is asked. Raises SourceRefused for what is no address of the web."""
    address = address.strip()
    address = address if "://" in address else f"https://{address}"
    try:
        parts = urlsplit(address)
        is_one = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
    except ValueError:
        is_one = False
    if not is_one or len(address) > LONGEST or any(sign.isspace() or not sign.isprintable() for sign in address):
        raise SourceRefused(
            "This is no address of the web. Nothing was read. Copy it from the browser, such as https://example.org/films.csv."
        )
    return address


def what_we_read() -> str:
    """A sentence for whoever pasted something that nobody knows."""
    kinds = [ADAPTERS[key] for key in fetched_adapters()]
    services_ = sorted({str(service_named(kind.service)) for kind in kinds if is_of_service(kind)}, key=str.casefold)
    formats = sorted(kind.label.removesuffix(" at an address") for kind in kinds if kind.formats)
    known = f"We read lists of {_listed(services_)}" if services_ else "We read"
    anywhere = f"; at any other address: {_listed(formats)}" if formats else ""
    return f"{known}{anywhere}. A file of it can be uploaded, too."


def is_of_service(kind: type[Adapter]) -> bool:
    return bool(kind.service) and not kind.service.endswith(":")


def _listed(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def of_any_address() -> list[type[Adapter]]:
    return [ADAPTERS[key] for key in fetched_adapters() if ADAPTERS[key].formats]


def readers_of(address: str, kind: type[Adapter]) -> list[type[Adapter]]:
    """The kinds that may read what this one was tried for, itself among them."""
    if kind.formats:
        return of_any_address()
    try:
        found = [adapter for adapter, _ in recognise_address(address)] if address else []
    except SourceRefused:  # it was allowed when it was pasted
        found = []
    return found if kind in found else [kind]


def is_pasted(proposal: Proposal) -> bool:
    """Whether a preview is of something that is fetched; else it is of a file."""
    return proposal.adapter in fetched_adapters()


def address_of(proposal: Proposal) -> str:
    """With its logins. Raises NotOpen if it is not kept any more."""
    if not proposal.body:
        raise NotOpen("The address is not kept any more. Nothing was changed. Paste it again.")
    return zlib.decompress(proposal.body).decode()


def answers_of(proposal: Proposal) -> dict[str, Any]:
    return {name: value for name, value in proposal.config.items() if name not in NOTES}


def accounts_for(user: Any, kind: type[Adapter]) -> QuerySet[Account]:
    """A person's accounts with which such a source can be read, those that work first."""
    mine = Account.objects.filter(owner=user, from_addresses=False, service=access.kind_of(kind) or None)
    return mine.defer("secrets").order_by("state", "name", "pk")


def account_of(proposal: Proposal) -> Account | None:
    """Raises NotOpen if it was deleted meanwhile."""
    pk = proposal.config.get("account")
    if not pk:
        return None
    account = Account.objects.filter(pk=pk, owner=proposal.created_by_id).first()
    if account is None:
        raise NotOpen(
            "The account that it was to be read with is not there any more. Nothing was read. Choose another one."
        )
    return account


def keys_in(address: str, kind: type[Adapter]) -> dict[str, str]:
    """Secrets in a pasted address that an account of its kind would hold, by the names that this asks for: people copy
    addresses with their key in it."""
    account_kind = KINDS.get(access.kind_of(kind))
    if account_kind is None or not address:
        return {}
    lifter = Lifter()
    lifter.lift(address)
    met = {_letters(name): value for name, value in lifter.secrets.items() if "@" not in name}
    typed = {
        asked.name: value
        for asked in account_kind.asks
        if asked.secret
        for name, value in met.items()
        if name.endswith(_letters(asked.name))
    }
    secrets, _ = account_kind().sorted_out(typed)
    return {name: value for name, value in secrets.items() if value}


def _letters(name: str) -> str:
    """api_key, apikey and API-Key are one name."""
    return "".join(sign for sign in name.lower() if sign.isalnum())


@transaction.atomic
def start(
    *, by: Any, address: str = "", adapter: str = "", config: Mapping[str, Any] | None = None,
    account: Account | None | str = "first", list_: MediaList | None = None, list_name: str = "",
) -> Proposal:  # fmt: skip
    """Have a worker try what lies at an address, or what a kind and its answers name. list_ None: for a list to be made.

    adapter: the kind, if a person named it. account: the one to read it with, None for none, "first" for the person's own.
    Raises SourceRefused, and Unfit for answers that the kind cannot take.
    """
    address = whole(address) if address else ""
    kind, answers = _kind_of(address, adapter, {**_answers_at(address, adapter), **(config or {})})
    if kind.asks_address and not address:
        raise Unfit(f"{kind.label}: its address is missing. Nothing was read.")
    trying = Proposal.objects.filter(created_by=by, kind=Proposal.Kind.PREVIEW, state=Proposal.State.READING)
    if trying.count() >= AT_ONCE:
        raise SourceRefused("Too many of your previews are being read at once. Nothing was read. Wait for one to end.")
    if account == "first":
        works = accounts_for(by, kind).exclude(state=Account.State.ATTENTION)
        account = None if keys_in(address, kind) else works.first()
    proposal = Proposal.objects.create(
        list=list_, list_name=list_name[:200], filename=_shown(kind, address)[:255], adapter=kind.key,
        config={**answers, "account": account.pk if isinstance(account, Account) else None, "chosen": bool(adapter)},
        body=zlib.compress(address.encode()), created_by=by, expires_at=expiry(),
    )  # fmt: skip
    enqueue(PREPARE, proposal.pk)
    return proposal


def candidates(address: str, key: str = "") -> list[tuple[type[Adapter], dict[str, Any]]]:
    """The kinds that may read an address, with their answers; the one that is named, if one is. Raises SourceRefused, Unfit."""
    if key:
        return [_kind_of(address, key, _answers_at(address, key))]
    found = [(each.adapter, each.answers) for each in recognise(address) if not each.wrong]
    return found or [_kind_of(address, "", {})]


def _kind_of(address: str, key: str, config: Mapping[str, Any]) -> tuple[type[Adapter], dict[str, Any]]:
    if not key:
        found = recognise(address)
        ready = next((each for each in found if not each.wrong), None)
        if ready is None:
            raise Unfit(f"{found[0].adapter.label}: {' '.join(found[0].wrong)} Nothing was read.")
        return ready.adapter, checked(ready.adapter, ready.answers)[0]
    if key not in fetched_adapters():
        raise Unfit("There is no such kind of source that is fetched. Nothing was read.")
    kind = ADAPTERS[key]
    given = {name: value for name, value in config.items() if value not in (None, "")}
    answers, wrong = checked(kind, given)
    if wrong:
        raise Unfit(f"{' '.join(wrong)} Nothing was read.")
    return kind, answers


def _shown(kind: type[Adapter], address: str) -> str:
    """What a preview is called. Where any address is read, its path may be a secret: but for the name of a file, its host has
    to do."""
    if not address:
        return kind.label
    parts = urlsplit(credentials.blank(address))
    path = parts.path.rstrip("/")
    if kind.asks_address:
        path = f"/{path.rpartition('/')[2]}" if _FILE.search(path) else ""
    return f"{parts.hostname}{path}"


@transaction.atomic
def try_again(
    proposal: Proposal, *, adapter: str = "", config: Mapping[str, Any] | None = None,
    account: Account | None | str = "same", find_out: bool = False,
) -> Proposal:  # fmt: skip
    """Make the preview anew: as another kind, with other answers, with another account. find_out: as whatever it is."""
    proposal = still_open(proposal, Proposal.State.OPEN, Proposal.State.REFUSED)
    key, before = adapter or proposal.adapter, answers_of(proposal)
    address = address_of(proposal)
    if config is None:
        config = before if key == proposal.adapter else _answers_at(address, key)
    kind, taken = _kind_of(address, "" if find_out else key, config)
    if account == "same":
        account = proposal.config.get("account") if access.kind_of(kind) == access.kind_of(_kind(proposal)) else None
    proposal.adapter = kind.key
    proposal.config = {**taken, "account": getattr(account, "pk", account), "chosen": not find_out}
    proposal.state, proposal.error = Proposal.State.READING, ""
    proposal.save()
    enqueue(PREPARE, proposal.pk)
    return proposal


def _answers_at(address: str, key: str) -> dict[str, Any]:
    """What an address says of itself to a kind."""
    known = ADAPTERS[key].recognises_address(address) if address and key in fetched_adapters() else None
    return known or {}


def _kind(proposal: Proposal) -> type[Adapter]:
    return ADAPTERS[proposal.adapter]


def name_of(proposal: Proposal) -> str:
    """What a list or a source made of it would be called."""
    _, has_path, last = proposal.filename.rpartition("/")
    stem = PurePosixPath(last).stem if _FILE.search(f"/{last}") else last
    stem = re.sub(r"[-_ ]+", " ", unquote(stem)).strip()
    said = proposal.list_name or proposal.result.get("title") or (stem if has_path else "")
    return (said or proposal.filename or "New list")[:200]


@transaction.atomic
def save(
    proposal: Proposal, *, by: Any, list_: MediaList | None = None, list_name: str = "", source_name: str = "",
    rules: Mapping[str, Any] | None = None, interval_min: int | None = None, first: bool = False,
) -> Run:  # fmt: skip
    """Make it a source of a list that is there, else of a new one, and have it read: what a service says now counts, not
    what it said when it was looked at.

    rules: of a new list. interval_min: as its kind if left out. first: whether it is believed before the others. Raises
    NotOpen, Unfit, AlreadyRead.
    """
    proposal = still_open(proposal, Proposal.State.OPEN)
    address, account, kind = address_of(proposal), account_of(proposal), _kind(proposal)
    list_ = list_ or proposal.list
    if list_ is None:
        list_ = services.create_list(
            by, name=(list_name or name_of(proposal))[:200], content=proposal.result["content"]
        )
        services.change_rules(list_, by=by, **(rules or {}))
    elif rules:
        raise Unfit("The list is there and has rules of its own. Nothing was saved. Change them on its own page.")
    _check(list_, proposal)
    if keys := keys_in(address, kind) if account is None else {}:
        account = _account_of_keys(kind, keys, by=by)
    kept = address if kind.asks_address else ""
    schedule: dict[str, Any] = {"interval_min": interval_min} if interval_min is not None else {}
    source = _revived(list_, kind, answers_of(proposal), kept, by=by)
    if source is None:
        source = definitions.add_fetched(
            list_, adapter=kind.key, by=by, name=(source_name or name_of(proposal))[:200], address=kept,
            config=answers_of(proposal), **schedule,
        )  # fmt: skip
    else:
        services.change_source(source, by=by, **schedule)
    if account is not None:
        source = access.choose(source, account, by=by)
    if first:
        services.order_sources(list_, [source.pk], by=by)
    proposal.list, proposal.source, proposal.body = list_, source, None
    proposal.state, proposal.decided_by, proposal.decided_at = Proposal.State.CONFIRMED, by, timezone.now()
    proposal.save(update_fields=["list", "source", "body", "state", "decided_by", "decided_at"])
    return request_run(source, kind=Run.Kind.MANUAL, by=by, priority=8)


def _check(list_: MediaList, proposal: Proposal) -> None:
    if list_.deleted_at:
        raise InTheBin("The list lies in the bin. Bring it back first.")
    content = proposal.result["content"]
    if content != list_.content and proposal.result["counts"]["found"]:
        raise Unfit(
            f"It holds {MediaList.Content(content).label.lower()}, and the list holds "
            f"{list_.get_content_display().lower()}. Nothing was saved. Make a list of its own of it."
        )


def _account_of_keys(kind: type[Adapter], keys: Mapping[str, str], *, by: Any) -> Account:
    """The account that holds these keys already, else a new one."""
    service = access.kind_of(kind)
    mine = list(Account.objects.filter(owner=by, service=service, from_addresses=False))
    for account in mine:
        if keys.items() <= account.opened.items():
            return account
    names = {account.name for account in mine}
    name = next(name for n in range(1, len(mine) + 2) if (name := f"Pasted key {n}") not in names)
    return services.make_account(by, service=service, name=name, by=by, secrets=keys)


def _revived(list_: MediaList, kind: type[Adapter], answers: dict[str, Any], address: str, *, by: Any) -> Source | None:
    """The source of a list that once read the very same, which counts again with what it said. Raises AlreadyRead if it
    still does."""
    known = Source.objects.filter(list=list_, role=Source.Role.FEED, adapter=kind.key).select_related("list", "account")
    for source in known:
        if source.config == answers and credentials.blank(source.address) == credentials.blank(address):
            if source.removed_at is None:
                raise AlreadyRead(f"“{list_}” reads this already, as “{source}”. Nothing was saved.")
            services.revive_source(source, by=by)
            source.refresh_from_db()
            return source
    return None


@transaction.atomic
def move(source: Source, *, by: Any, address: str = "", config: Mapping[str, Any] | None = None) -> bool:
    """Have a source read elsewhere from now on: at another address, or with other answers; what is left out stays. A login in
    the address goes into its account. False if nothing is new. Raises SourceRefused, Unfit."""
    if not is_fetched(source):
        raise Unfit(f"{source} is not fetched. Nothing was changed. A newer file renews it.")
    kind = ADAPTERS[source.adapter]
    if address and not kind.asks_address:
        raise Unfit(f"{kind.label} is told by its answers where it is. Nothing was changed.")
    answers, wrong = checked(kind, dict(source.config if config is None else config))
    if wrong:
        raise Unfit(f"{' '.join(wrong)} Nothing was changed.")
    lifter = Lifter(*services.secrets_of(source.list, source))
    lifted = lifter.lift(whole(address)) if address else source.address
    moved = services.move_source(source, by=by, address=lifted, config=answers)
    services.keep_secrets(source, lifter.secrets)
    return moved or bool(lifter.secrets)
