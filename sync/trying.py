"""What lies at a pasted address, tried by a worker: the kind that reads it, with what it would bring. Nothing else is kept."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from django.utils import timezone

from lists import filling
from lists.changes import plan_sync
from lists.models import Account, MediaList, Proposal, Source
from lists.records import Rows
from sync import access, appraisal, pasted, pipeline, reading, text
from sync.adapters import ADAPTERS, Adapter, Context, FileAdapter, recognise
from sync.errors import AccessRefused, BadPayload, Cancelled, NotFound, SyncError
from sync.foreseen import foreseen, shown_columns
from sync.http import CATALOGUE, Door

T = TypeVar("T")
Candidate = tuple[type[Adapter], dict[str, Any]]


def tried(proposal: Proposal) -> dict[str, Any]:
    """The result of a preview; its kind and answers are set to those with which it could be read. Raises SyncError."""
    if proposal.list is not None and proposal.list.filling is not None:
        raise SyncError(filling.WAIT)
    address, account, watch = pasted.address_of(proposal), _ready(pasted.account_of(proposal)), _Watch(proposal)
    body = b""

    def read(kind: type[Adapter], answers: dict[str, Any]) -> dict[str, Any]:
        adapter, ctx = kind(), pipeline.context_of(proposal.list or MediaList(), None, b"", answers)
        with rows_at(address, adapter, ctx, account, watch) as rows:
            return _planned(proposal, adapter, ctx, rows) | {"requests": ctx.meter.requests}

    if proposal.config["chosen"] or not address:
        candidates = [(ADAPTERS[proposal.adapter], pasted.answers_of(proposal))]
    else:
        candidates = pasted.candidates(address)
    if candidates[0][0].formats:
        body = _answer_at(address, candidates[0][0], watch)
        if not proposal.config["chosen"]:
            candidates = [_fitting(body)]
    notes = {name: value for name, value in proposal.config.items() if name in pasted.NOTES}
    (kind, answers), result = _first(candidates, read)
    proposal.adapter, proposal.config = kind.key, {**answers, **notes}
    return result | {"columns": _columns(kind, body, answers)}


def read_at(address: str, key: str, account: Account | None, take: Callable[[Adapter, Context, Rows], T]) -> T:
    """What take() makes of the rows that lie at an address, for nobody's list. key: the kind that reads it; else it is found
    out. Raises SyncError, Refused."""

    def read(kind: type[Adapter], answers: dict[str, Any]) -> T:
        adapter, ctx = kind(), Context(config=answers)
        with rows_at(address, adapter, ctx, account) as rows:
            return take(adapter, ctx, rows)

    candidates = pasted.candidates(address := pasted.whole(address), key)
    if not key and candidates[0][0].formats:
        candidates = [_fitting(_answer_at(address, candidates[0][0]))]
    return _first(candidates, read)[1]


def _first(
    candidates: Sequence[Candidate], read: Callable[[type[Adapter], dict[str, Any]], T]
) -> tuple[Candidate, T]:  # fmt: skip
    """The first kind that is not refused: another one of the same address may need no account."""
    refusal: SyncError | None = None
    for kind, answers in candidates:
        try:
            return (kind, answers), read(kind, answers)
        except (AccessRefused, NotFound) as e:
            refusal = refusal or e
    assert refusal is not None
    raise refusal


class _Watch:
    """Whoever asked may have threw it away meanwhile: then nobody else is asked."""

    def __init__(self, proposal: Proposal):
        self._waiting = Proposal.objects.filter(pk=proposal.pk, state=Proposal.State.READING)

    def check(self) -> None:
        if not self._waiting.exists():
            raise Cancelled("The preview was thrown away. Nothing was saved.")


def _ready(account: Account | None) -> Account | None:
    """Tried first if nobody has since it was changed: what is saved with it must not wait for that."""
    if account is not None and account.state == Account.State.UNTESTED:
        return access.try_account(account)
    return account


def _answer_at(address: str, kind: type[Adapter], watch: _Watch | None = None) -> bytes:
    with Door(kind.service, limits=CATALOGUE, watched=watch, visitor=True) as door:
        return door.get(address, accept="any").body


def _fitting(body: bytes) -> Candidate:
    """The kind that reads what an address answered, whatever its name looks like. Raises BadPayload, with what there is to do."""
    if not body.strip():
        raise BadPayload("This address answers with nothing. Nothing was read, and nothing was saved.")
    formats = recognise(body)
    for found in formats:
        for kind in pasted.of_any_address():
            if found.key in kind.formats:
                return kind, {}
    if formats:
        raise BadPayload(
            f"This is read as a file: {formats[0].label}. Nothing was saved. Download it there and upload it here."
        )
    what = text.looks_like(text.sniff(body, "").head) or "something that is no list"
    raise BadPayload(
        f"We know no list at this address: it answers with {what}. Nothing was saved. {pasted.what_we_read()}"
    )


def _columns(kind: type[Adapter], body: bytes, answers: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What each column of a table at an address became."""
    for found in recognise(body) if body else []:
        if found.key in kind.formats and issubclass(found, FileAdapter):
            return shown_columns(found().columns(Context(body, dict(answers))))
    return []


@contextmanager
def rows_at(
    address: str, adapter: Adapter, ctx: Context, account: Account | None, watch: _Watch | None = None
) -> Iterator[Rows]:  # fmt: skip
    """The rows that lie at an address; ctx is filled with what else is said there. Raises SyncError."""
    ctx.address = address
    fits = account is not None and account.service == access.kind_of(adapter)
    stand_in = Source(adapter=adapter.key, account=account if fits else None)
    keys = {} if fits else pasted.keys_in(address, type(adapter))
    ctx.secrets = {**access.secrets_for(stand_in, adapter), **keys}
    visitor = not fits and not keys
    door = Door(adapter.service, meter=ctx.meter, limits=adapter.limits, watched=watch, visitor=visitor)
    with door as ctx.http:
        try:
            rows = reading.read(adapter, ctx)
        except AccessRefused:
            if fits:
                access.doubt(stand_in)
            raise
    with rows:
        yield rows


def _planned(proposal: Proposal, adapter: Adapter, ctx: Context, rows: Rows) -> dict[str, Any]:
    """As its first sync would find it: a new source adds to a list and takes nothing from it."""
    list_ = proposal.list or MediaList(name=proposal.list_name, content=appraisal.content_of(rows, adapter))
    appraisal.refuse_other_content(list_, rows, adapter)
    complete = appraisal.is_whole(rows, ctx)
    how = appraisal.reading_of(list_, None, adapter, ctx.config, confirmed=False, complete=complete)
    plan = plan_sync(list_, None, rows, how, at=timezone.now(), create=False)
    try:
        said = {"partial": not complete, "cut_off": str(ctx.cut_off or "")}
        return foreseen(plan, list_, adapter, ctx) | said
    finally:
        plan.close()
