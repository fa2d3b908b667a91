"""What a file or an address would bring, before anybody confirms it: made by a worker, kept with the proposal."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from lists import filling
from lists.acts import plan_act
from lists.changes import plan_sync
from lists.encrypted import WrongKey
from lists.errors import ListMoved
from lists.fields import storable
from lists.models import Claim, MediaList, Proposal, Source
from lists.plan import Plan
from lists.records import Record, Rows
from sync import appraisal, pasted, pipeline, readback, reading, trying
from sync.adapters import Adapter, Context, FileAdapter, Offer, fitting, lists_in
from sync.errors import LOCKED, SyncError
from sync.foreseen import foreseen, shown_columns
from sync.uploads import settings_of, unpacked_body

RENEWS = 0.5  # share of keys from which on a file is taken for a newer one of a source


def prepare(proposal_id: int) -> str:
    """Read what a proposal is about and store what it would do; a task."""
    waiting = Proposal.objects.filter(pk=proposal_id, state=Proposal.State.READING)
    # The file is loaded where it is read: one that cannot be decrypted is refused, not tried for ever.
    proposal = waiting.select_related("list").defer("body").first()
    if proposal is None:
        return f"preview {proposal_id} is not waiting any more"
    asked = (proposal.adapter, dict(proposal.config))
    try:
        proposal.result = trying.tried(proposal) if pasted.is_pasted(proposal) else _preview(proposal)
        proposal.state, proposal.error = Proposal.State.OPEN, ""
        stood = _store(proposal, asked)
    except SyncError as e:
        proposal.state, proposal.error, proposal.result = Proposal.State.REFUSED, storable(_sentence(e)), {}
        stood = _store(proposal, asked)
    except WrongKey:
        proposal.state, proposal.error, proposal.result = Proposal.State.REFUSED, LOCKED, {}
        stood = _store(proposal, asked)
    except BaseException:  # told by the edge of the task
        proposal.state, proposal.result = Proposal.State.REFUSED, {}
        proposal.error = "Something went wrong inside Listkeeper while it read this. Nothing was changed."
        _store(proposal, asked)
        raise
    return f"preview {proposal.pk}: {proposal.error or proposal.adapter}" if stood else "somebody decided meanwhile"


def give_up(proposal_id: int) -> str:
    """Refuse what the worker died over again and again."""
    Proposal.objects.filter(pk=proposal_id, state=Proposal.State.READING).update(
        state=Proposal.State.REFUSED,
        error="The worker died each time that it read this. Nothing was changed. Is it very large? Try a part of it.",
    )
    return f"preview {proposal_id}: given up"


@transaction.atomic
def _store(proposal: Proposal, asked: tuple[str, dict[str, Any]]) -> bool:
    """Keep what was read, unless the preview was decided or asked for otherwise while we read."""
    waiting = Proposal.objects.select_for_update().filter(pk=proposal.pk, state=Proposal.State.READING)
    now = waiting.only("adapter", "config").first()
    if now is None or (now.adapter, now.config) != asked:
        return False
    proposal.save(update_fields=["state", "error", "result", "adapter", "config", "source"])
    return True


def _sentence(error: SyncError) -> str:
    line = getattr(error, "line", None)
    return f"Line {line}: {error}" if line else str(error)


def _preview(proposal: Proposal) -> dict[str, Any]:
    if proposal.list is not None and proposal.list.filling is not None:
        raise SyncError(filling.WAIT)
    body = unpacked_body(proposal)
    parts = lists_in(body, str(proposal.config.get("encoding") or ""))
    adapter = _adapter_for(proposal, body, parts)
    ctx, rows = _read(proposal, adapter, body)
    with rows:
        list_ = proposal.list or MediaList(name=proposal.list_name, content=appraisal.content_of(rows, adapter))
        appraisal.refuse_other_content(list_, rows, adapter)
        asked = proposal.config.get("source")
        own = readback.read_back(list_, adapter, ctx, rows) if proposal.list and not asked else None
        if own is not None:
            return _own_export(own, adapter, ctx, list_)
        offers = _offers(list_, adapter, rows) if proposal.list else []
        _choose_source(proposal, offers)
        archive = {"parts": [{"name": part.part, "format": part.adapter.label} for part in parts]}
        if not (ctx.logins.secrets and proposal.source):
            return _planned(proposal, list_, adapter, ctx, rows, offers) | archive
    # Which login is a renewed one, only the source knows.
    ctx = pipeline.context_of(list_, proposal.source, body, ctx.config)
    with reading.read(adapter, ctx) as rows:
        return _planned(proposal, list_, adapter, ctx, rows, offers) | archive


def _planned(
    proposal: Proposal,
    list_: MediaList,
    adapter: FileAdapter,
    ctx: Context,
    rows: Rows,
    offers: list[dict[str, Any]],
) -> dict[str, Any]:
    complete = appraisal.is_whole(rows, ctx)
    how = appraisal.reading_of(list_, proposal.source, adapter, ctx.config, confirmed=True, complete=complete)
    try:
        plan = plan_sync(list_, proposal.source, rows, how, at=timezone.now(), create=False)
    except ListMoved:  # its claims were written between two looks at them
        plan = plan_sync(list_, proposal.source, rows, how, at=timezone.now(), create=False)
    try:
        return _result(plan, list_, adapter, ctx) | {"sources": offers, "partial": not complete}
    finally:
        plan.close()


def _read(proposal: Proposal, adapter: FileAdapter, body: bytes) -> tuple[Context, Rows]:
    """The rows, read by the person's answers. Where there are none yet, by those that the list's source of this format
    was given: the same file must not be another one because it was uploaded a second time."""
    answers = settings_of(proposal.config)
    if not answers and proposal.list is not None and proposal.config.get("source") != "new":
        for source in _sources(proposal.list, adapter):
            if source.config and proposal.config.get("source") in (None, source.pk):
                ctx = pipeline.context_of(proposal.list, source, body, source.config)
                try:
                    rows = reading.read(adapter, ctx)
                except SyncError:
                    continue
                if _share(source, [row.key for row in rows if isinstance(row, Record)]) >= RENEWS:
                    proposal.config = {**source.config, **proposal.config}
                    return ctx, rows
                rows.close()
    ctx = pipeline.context_of(proposal.list or MediaList(), None, body, answers)
    return ctx, reading.read(adapter, ctx)


def _adapter_for(proposal: Proposal, body: bytes, parts: Sequence[Offer]) -> FileAdapter:
    """The format of the file; of an archive, that of the part which is read."""
    if parts and not proposal.config.get("part"):
        known = {source.config.get("part") for source in proposal.list.sources.all()} if proposal.list else set()
        chosen = next((offer for offer in parts if offer.part in known), parts[0])
        proposal.config = {**proposal.config, "part": chosen.part}
    encoding, part = (str(proposal.config.get(name) or "") for name in ("encoding", "part"))
    adapter = fitting(body, proposal.adapter, encoding=encoding, part=part)
    proposal.adapter = adapter.key
    return adapter


def _offers(list_: MediaList, adapter: Adapter, rows: Rows) -> list[dict[str, Any]]:
    """The list's sources of this format with the share of the file's keys that each knows, best first."""
    keys = [row.key for row in rows if isinstance(row, Record)]
    offers = [
        {"source": source.pk, "name": source.name, "share": round(_share(source, keys), 3)}
        for source in _sources(list_, adapter)
    ]
    return sorted(offers, key=lambda offer: (-offer["share"], offer["source"]))


def _sources(list_: MediaList, adapter: Adapter) -> QuerySet[Source]:
    return Source.objects.filter(list=list_, role=Source.Role.FEED, removed_at=None, adapter=adapter.key)


def _share(source: Source, keys: Sequence[str]) -> float:
    """How much of a file a source knows by key, or of the source the file: 0 to 1. Plays have no keys of their own."""
    if source.list.content == MediaList.Content.TRACKS:
        return 1.0
    blocks = (keys[at : at + 500] for at in range(0, len(keys), 500))
    known = sum(Claim.objects.filter(source=source, key__in=block).count() for block in blocks)
    return known / max(min(len(keys), source.claims.count()), 1)


def _choose_source(proposal: Proposal, offers: Sequence[dict[str, Any]]) -> None:
    """What the person chose; else the source that knows half of the keys; else a new one, from which nothing leaves."""
    chosen = proposal.config.get("source")
    if chosen == "new":
        proposal.source = None
    elif chosen:
        mine = {offer["source"] for offer in offers}
        proposal.source = Source.objects.get(pk=chosen) if chosen in mine else None
    else:
        known = (Source.objects.get(pk=offer["source"]) for offer in offers if offer["share"] >= RENEWS)
        proposal.source = next((source for source in known if _same_part(source, proposal)), None)


def _same_part(source: Source, proposal: Proposal) -> bool:
    """Two tables of one account list the same films and are not the same list: what was rated is not what is wanted."""
    before, now = source.config.get("part"), proposal.config.get("part")
    return not (before and now) or before == now


def _result(plan: Plan, list_: MediaList, adapter: FileAdapter, ctx: Context) -> dict[str, Any]:
    columns = shown_columns(adapter.columns(ctx))
    return {**foreseen(plan, list_, adapter, ctx), "encoding": ctx.decoded[1], "columns": columns}


def _own_export(own: readback.ReadBack, adapter: FileAdapter, ctx: Context, list_: MediaList) -> dict[str, Any]:
    """The result for a file that came out of this very list: what a person changed of the version it was made from."""
    plan = plan_act(list_, own.act(list_, create=False), at=timezone.now(), by=None, preview=True)
    try:
        plan.counts.found = own.comparison.rows
        plan.counts.unchanged = own.comparison.rows - own.comparison.changed - own.comparison.added
        for row in own.unread:
            plan.note(row)
        told = {"own_export": asdict(own.comparison), "sentence": readback.sentence(own.comparison)}
        return {**_result(plan, list_, adapter, ctx), **told, "columns": [], "sources": []}
    finally:
        plan.close()
