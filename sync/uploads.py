"""Files that people upload: read, previewed, and nothing of it in any list before they confirm."""

import logging
import zlib
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from lists import services
from lists.acts import plan_act
from lists.changes import plan_sync
from lists.errors import InTheBin
from lists.fields import FIELDS, storable
from lists.models import Claim, Item, MediaList, Proposal, Source
from lists.plan import Draft, Plan
from lists.records import About, Record, Row
from lists.spool import Spool
from sync import pipeline, readback, text
from sync.adapters import Adapter, Context, FileAdapter, adapter_named, recognise
from sync.errors import BadPayload, SyncError
from sync.models import Run
from sync.runs import PREPARE, enqueue, request_run
from sync.text import looks_like

log = logging.getLogger(__name__)

SHOWN = 50  # rows of each kind that a preview keeps
RENEWS = 0.5  # share of keys from which on a file is taken for a newer one of a source


class TooLarge(SyncError):
    code = "too_large"


class NotOpen(SyncError):
    """The preview has been decided, has lapsed or could not be read."""

    code = "not_open"


@transaction.atomic
def start(
    body: bytes,
    *,
    by: Any,
    filename: str = "",
    list_: MediaList | None = None,
    list_name: str = "",
    adapter: str = "",
    config: dict[str, Any] | None = None,
) -> Proposal:
    """Take a file in; a worker makes its preview. list_ None: a list is to be made of it, called list_name.

    Raises TooLarge, or BadPayload for an empty file.
    """
    if len(body) > settings.UPLOAD_LIMIT_MIB * 1024 * 1024:
        raise TooLarge(
            f"The file is larger than {settings.UPLOAD_LIMIT_MIB} MiB. Nothing was read. "
            "Split it, or ask whoever runs this Listkeeper to raise LISTKEEPER_UPLOAD_LIMIT_MIB."
        )
    if not body:
        raise BadPayload("The file is empty. Nothing was read.")
    proposal = Proposal.objects.create(
        list=list_, list_name=list_name[:200], filename=filename[:255], adapter=adapter, config=config or {},
        body=zlib.compress(body, 3), created_by=by, expires_at=timezone.now() + settings.PREVIEW_LIFETIME,
    )  # fmt: skip
    enqueue(PREPARE, proposal.pk)
    return proposal


@transaction.atomic
def read_again(
    proposal: Proposal, *, adapter: str | None = None, config: dict[str, Any] | None = None,
    source: Source | None | str = "same",
) -> Proposal:  # fmt: skip
    """Make the preview anew: as another format, with other columns or encoding, or as another source of the list
    (None: as a new one)."""
    proposal = _open(proposal, Proposal.State.OPEN, Proposal.State.REFUSED)
    if adapter is not None and adapter != proposal.adapter:
        proposal.adapter, proposal.config = adapter, {}
    if config is not None:
        proposal.config = {**proposal.config, **config}
    if source != "same":
        proposal.source = source if isinstance(source, Source) else None
        proposal.config = {**proposal.config, "source": proposal.source.pk if proposal.source else "new"}
    proposal.state, proposal.error = Proposal.State.READING, ""
    proposal.save()
    enqueue(PREPARE, proposal.pk)
    return proposal


def prepare(proposal_id: int) -> str:
    """Read a proposal's file and store what it would do; a task."""
    proposal = Proposal.objects.filter(pk=proposal_id, state=Proposal.State.READING).select_related("list").first()
    if proposal is None:
        return f"preview {proposal_id} is not waiting any more"
    asked = (proposal.adapter, dict(proposal.config))
    try:
        proposal.result = _preview(proposal)
        proposal.state, proposal.error = Proposal.State.OPEN, ""
        stood = _store(proposal, asked)
    except SyncError as e:
        proposal.state, proposal.error, proposal.result = Proposal.State.REFUSED, storable(_sentence(e)), {}
        stood = _store(proposal, asked)
    except BaseException:
        log.exception("preview %s broke", proposal.pk)
        proposal.state, proposal.result = Proposal.State.REFUSED, {}
        proposal.error = "Something went wrong inside Listkeeper while it read the file. Nothing was changed."
        _store(proposal, asked)
        raise
    return f"preview {proposal.pk}: {proposal.error or proposal.adapter}" if stood else "somebody decided meanwhile"


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
    body = zlib.decompress(bytes(proposal.body or b""))
    adapter = _adapter_for(proposal, body)
    ctx, rows = _read(proposal, adapter, body)
    with rows:
        list_ = proposal.list or MediaList(name=proposal.list_name, content=_content(rows, adapter))
        _check_content(list_, rows, adapter)
        asked = proposal.config.get("source")
        own = readback.read_back(list_, adapter, ctx, rows) if proposal.list and not asked else None
        if own is not None:
            return _own_export(own, adapter, ctx, list_)
        offers = _offers(list_, adapter, rows) if proposal.list else []
        _choose_source(proposal, offers)
        how = pipeline.reading_of(list_, proposal.source, adapter, ctx.config, confirmed=True)
        plan = plan_sync(list_, proposal.source, rows, how, at=timezone.now(), create=False)
    try:
        return _result(plan, list_, adapter, ctx, offers)
    finally:
        plan.close()


def _read(proposal: Proposal, adapter: FileAdapter, body: bytes) -> tuple[Context, Spool[Row]]:
    """The rows, read by the person's answers. Where there are none yet, by those that the list's source of this format
    was given: the same file must not be another one because it was uploaded a second time."""
    answers = _settings(proposal.config)
    if not answers and proposal.list is not None and proposal.config.get("source") != "new":
        for source in _sources(proposal.list, adapter):
            if source.config and proposal.config.get("source") in (None, source.pk):
                ctx = Context(body, source.config)
                try:
                    rows = pipeline.read(adapter, ctx)
                except SyncError:
                    continue
                if _share(source, [row.key for row in rows if isinstance(row, Record)]) >= RENEWS:
                    proposal.config = {**source.config, **proposal.config}
                    return ctx, rows
                rows.close()
    ctx = Context(body, answers)
    return ctx, pipeline.read(adapter, ctx)


def _check_content(list_: MediaList, rows: Spool[Row], adapter: Adapter) -> None:
    found = _content(rows, adapter)
    if list_.pk and found != list_.content and any(isinstance(row, Record) for row in rows):
        raise BadPayload(
            f"This file holds {MediaList.Content(found).label.lower()}, and the list holds "
            f"{list_.get_content_display().lower()}. Nothing was changed. Make a list of its own of it."
        )


def _adapter_for(proposal: Proposal, body: bytes) -> FileAdapter:
    if not proposal.adapter:
        fitting = recognise(body, str(proposal.config.get("encoding") or ""))
        if not fitting:
            kind = looks_like(text.sniff(body).head)
            raise BadPayload(
                f"{f'This looks like {kind}, which we cannot read' if kind else 'We do not recognise this file'}. "
                "Nothing was read. It can be a CSV file with a header, a JSON list, or a CUE sheet."
            )
        proposal.adapter = fitting[0].key
    adapter = adapter_named(proposal.adapter)
    if not isinstance(adapter, FileAdapter):
        raise BadPayload(f"{adapter.label} is not a file format. Nothing was read.")
    return adapter


def _settings(config: dict[str, Any]) -> dict[str, Any]:
    """What the adapter is told: our own note of the chosen source is not its business."""
    return {name: value for name, value in config.items() if name != "source" and value not in (None, "", {})}


def _content(rows: Spool[Row], adapter: Adapter) -> str:
    """What a list made of these rows would hold: what most of them are."""
    first = [row.kind for block in _first(rows.blocks()) for row in block if isinstance(row, Record)]
    if not first:
        return adapter.content
    commonest = max(set(first), key=first.count)
    return {Item.Kind.TRACK: "tracks", Item.Kind.CHANNEL: "channels", Item.Kind.RADIO: "channels"}.get(
        commonest, "films"
    )  # type: ignore[call-overload]


def _first(blocks: Any) -> list[Any]:
    block = next(iter(blocks), None)
    return [block] if block else []


def _offers(list_: MediaList, adapter: Adapter, rows: Spool[Row]) -> list[dict[str, Any]]:
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
    elif offers and offers[0]["share"] >= RENEWS:
        proposal.source = Source.objects.get(pk=offers[0]["source"])
    else:
        proposal.source = None


def _result(
    plan: Plan, list_: MediaList, adapter: FileAdapter, ctx: Context, offers: list[dict[str, Any]]
) -> dict[str, Any]:
    kinds: dict[str, list[dict[str, Any]]] = {"added": [], "changed": [], "removed": []}
    leaving: list[int] = []
    for draft in plan.drafts:
        if draft.before is not None and draft.after is None:
            leaving.append(draft.slot)
        name = {"add": "added", "restore": "added", "change": "changed", "remove": "removed"}.get(draft.op)
        if name and len(kinds[name]) < SHOWN:
            kinds[name].append(_shown(draft))
    counts = {name: getattr(plan.counts, name) for name in plan.counts.__dataclass_fields__}
    about = plan.about if isinstance(plan.about, About) else About()
    return {
        "base": plan.base,
        "leaving": leaving,
        "counts": counts,
        "content": list_.content,
        "encoding": ctx.decoded[1],
        "format": adapter.label,
        "columns": [{k: storable(v) if isinstance(v, str) else v for k, v in c.items()} for c in adapter.columns(ctx)],
        "problems": plan.problems,
        "more_problems": plan.more_problems,
        "not_taken": plan.not_taken,
        "doubles": plan.doubles,
        "title": about.title,
        "facts": about.facts,
        "sources": offers,
        **kinds,
    }


def _own_export(own: readback.ReadBack, adapter: FileAdapter, ctx: Context, list_: MediaList) -> dict[str, Any]:
    """The result for a file that came out of this very list: what a person changed of the version it was made from."""
    plan = plan_act(list_, own.act(list_, create=False), at=timezone.now(), by=None, preview=True)
    try:
        plan.counts.found = own.comparison.rows
        plan.counts.unchanged = own.comparison.rows - own.comparison.changed - own.comparison.added
        plan.counts.skipped = len(own.unread)
        plan.problems = [{"line": row.line, "reason": row.reason, "text": row.text[:200]} for row in own.unread[:200]]
        told = {"own_export": asdict(own.comparison), "sentence": readback.sentence(own.comparison)}
        return {**_result(plan, list_, adapter, ctx, []), **told, "columns": []}
    finally:
        plan.close()


def _shown(draft: Draft) -> dict[str, Any]:
    shown = draft.after or draft.before or {}
    row: dict[str, Any] = {
        name: shown[name] for name in ("title", "year", "artist", "rating", "genres", "cue_ms") if name in shown
    }
    row.setdefault("title", "ID")
    if draft.op == "change" and draft.before is not None and draft.after is not None:
        row["fields"] = [
            [name, draft.before.get(name), draft.after.get(name)]
            for name in FIELDS
            if draft.before.get(name) != draft.after.get(name)
        ]
    return row


@transaction.atomic
def confirm(proposal: Proposal, *, by: Any, list_name: str = "", source_name: str = "") -> Run:
    """Make it so: the list and the source if they are new, and a run that folds the file afresh.

    Raises NotOpen if somebody has decided it meanwhile or it has lapsed.
    """
    proposal = _open(proposal, Proposal.State.OPEN)
    adapter = adapter_named(proposal.adapter)
    list_ = proposal.list
    own = proposal.result.get("own_export")
    if own and readback.Comparison(**own).is_untouched:
        raise NotOpen(proposal.result["sentence"])
    if list_ is None:
        name = list_name or proposal.list_name or proposal.result.get("title") or proposal.filename or "New list"
        list_ = services.create_list(by, name=name[:200], content=proposal.result["content"])
    if list_.deleted_at:
        raise InTheBin("The list lies in the bin. Bring it back first.")
    source = Source.objects.kept(list_) if own else proposal.source
    if source is not None and not own and (source.removed_at or source.adapter != adapter.key):
        raise NotOpen(
            "The source that this file would renew is not there any more. Nothing was changed. Upload it again."
        )
    if source is None:
        source = services.add_source(
            list_, adapter=adapter.key, by=by, config=_settings(proposal.config), sync_enabled=False,
            name=(source_name or proposal.filename or adapter.label)[:200],
        )  # fmt: skip
    elif not own and (config := _settings(proposal.config)) != source.config:
        source.config = config
        source.save(update_fields=["config"])
    proposal.list, proposal.source = list_, source
    proposal.state, proposal.decided_by, proposal.decided_at = Proposal.State.CONFIRMED, by, timezone.now()
    proposal.save(update_fields=["list", "source", "state", "decided_by", "decided_at"])
    return request_run(source, kind=Run.Kind.UPLOAD, by=by, proposal=proposal, priority=8)


@transaction.atomic
def discard(proposal: Proposal, *, by: Any) -> Proposal:
    """Throw a preview away; nothing of it was in any list."""
    proposal = _open(proposal, Proposal.State.OPEN, Proposal.State.READING, Proposal.State.REFUSED)
    proposal.state, proposal.body = Proposal.State.WITHDRAWN, None
    proposal.decided_by, proposal.decided_at = by, timezone.now()
    proposal.save(update_fields=["state", "body", "decided_by", "decided_at"])
    return proposal


def _open(proposal: Proposal, *states: str) -> Proposal:
    proposal = Proposal.objects.select_for_update(of=("self",)).select_related("list", "source").get(pk=proposal.pk)
    if proposal.expires_at and proposal.expires_at < timezone.now():
        raise NotOpen("This preview has lapsed. Nothing was changed. Upload the file again.")
    if proposal.state not in states:
        raise NotOpen(f"This preview is not open any more ({proposal.get_state_display().lower()}).")
    return proposal


def body_of(run: Run) -> bytes:
    """The uploaded file of a run."""
    if run.proposal is None or not run.proposal.body:
        raise SyncError("The uploaded file is not there any more. Nothing was changed. Upload it again.")
    return zlib.decompress(bytes(run.proposal.body))


def forget_body(proposal: Proposal) -> None:
    Proposal.objects.filter(pk=proposal.pk).update(body=None)


def sweep() -> int:
    """Empty the previews that nobody decided in time; returns how many."""
    lapsed = Proposal.objects.filter(kind=Proposal.Kind.PREVIEW, expires_at__lt=timezone.now(), body__isnull=False)
    # A confirmed one whose run has failed keeps its state; its file is of no more use.
    lapsed.filter(state=Proposal.State.CONFIRMED).exclude(runs__state__in=Run.ACTIVE).update(body=None)
    return lapsed.exclude(state=Proposal.State.CONFIRMED).update(state=Proposal.State.WITHDRAWN, body=None)
