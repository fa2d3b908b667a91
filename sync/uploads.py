"""Files that people upload: taken in, and nothing of them in any list before they are confirmed."""

import zlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.db.models.functions import Length
from django.utils import timezone

from lists import credentials, services
from lists.errors import InTheBin
from lists.models import MediaList, Proposal, Source
from sync import archives, readback
from sync.adapters import adapter_named
from sync.errors import BadPayload, SyncError
from sync.models import Run
from sync.runs import PREPARE, enqueue, request_run


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
    _check_quota(by)
    proposal = Proposal.objects.create(
        list=list_, list_name=list_name[:200], filename=credentials.blank_name(filename)[:255], adapter=adapter, config=config or {},
        body=zlib.compress(body, 3), created_by=by, expires_at=expiry(),
    )  # fmt: skip
    enqueue(PREPARE, proposal.pk)
    return proposal


def expiry() -> datetime:
    """Of a preview that is made now."""
    return timezone.now() + settings.PREVIEW_LIFETIME


def _check_quota(user: Any) -> None:
    """Files that nobody decides must not fill the disk. Raises TooLarge."""
    waiting = Proposal.objects.filter(created_by=user, kind=Proposal.Kind.PREVIEW, body__isnull=False)
    room = waiting.aggregate(bytes=Sum(Length("body")))["bytes"] or 0
    if room > settings.UPLOAD_QUOTA_MIB * 1024 * 1024:
        raise TooLarge(
            f"The files that wait for your decision take more than {settings.UPLOAD_QUOTA_MIB} MiB. Nothing was read. "
            "Confirm or throw away some of them first."
        )


@transaction.atomic
def take_parts(proposal: Proposal, parts: Sequence[str], *, by: Any) -> list[Proposal]:
    """Previews of their own for further lists of an archive, each for a list to be made. Raises BadPayload for a part
    that it does not hold, and as start() does."""
    body = unpacked_body(proposal)
    known = {part.name for part in archives.parts(body)}
    if unknown := [part for part in parts if part not in known]:
        raise BadPayload(f"The archive holds no {unknown[0][:80]!r}. Nothing was read.")
    return [
        start(archives.unpack(body, part), by=by, filename=part, list_name=PurePosixPath(part).stem.replace("-", " "))
        for part in dict.fromkeys(parts)
    ]


def unpacked_body(proposal: Proposal) -> bytes:
    """The file as it was uploaded. Raises NotOpen if it is not kept any more."""
    if not proposal.body:
        raise NotOpen("The uploaded file is not there any more. Nothing was changed. Upload it again.")
    return zlib.decompress(proposal.body)


@transaction.atomic
def read_again(
    proposal: Proposal, *, adapter: str | None = None, config: dict[str, Any] | None = None,
    source: Source | None | str = "same",
) -> Proposal:  # fmt: skip
    """Make the preview anew: as another format, with other columns or encoding, or as another source of the list
    (None: as a new one)."""
    proposal = still_open(proposal, Proposal.State.OPEN, Proposal.State.REFUSED)
    if adapter is not None and adapter != proposal.adapter:
        part = {"part": proposal.config["part"]} if proposal.config.get("part") else {}
        proposal.adapter, proposal.config = adapter, part
    if config is not None:
        proposal.config = {**proposal.config, **config}
    if source != "same":
        proposal.source = source if isinstance(source, Source) else None
        proposal.config = {**proposal.config, "source": proposal.source.pk if proposal.source else "new"}
    proposal.state, proposal.error = Proposal.State.READING, ""
    proposal.save()
    enqueue(PREPARE, proposal.pk)
    return proposal


def file_of(proposal: Proposal) -> str:
    """The name of the file that is read: of an archive, that of its part."""
    return PurePosixPath(str(proposal.config.get("part") or proposal.filename)).name


def name_of(proposal: Proposal) -> str:
    """What a list made of the file would be called."""
    return (
        proposal.list_name or proposal.result.get("title") or PurePosixPath(file_of(proposal)).stem[:200] or "New list"
    )


def settings_of(config: dict[str, Any]) -> dict[str, Any]:
    """What the adapter is told: our own note of the chosen source is not its business."""
    return {name: value for name, value in config.items() if name != "source" and value not in (None, "", {})}


@transaction.atomic
def confirm(proposal: Proposal, *, by: Any, list_name: str = "", source_name: str = "") -> Run:
    """Make it so: the list and the source if they are new, and a run that folds the file afresh.

    Raises NotOpen if somebody has decided it meanwhile or it has lapsed.
    """
    proposal = still_open(proposal, Proposal.State.OPEN)
    adapter = adapter_named(proposal.adapter)
    list_ = proposal.list
    own = proposal.result.get("own_export")
    if own and readback.Comparison(**own).is_untouched:
        raise NotOpen(proposal.result["sentence"])
    if list_ is None:
        name = list_name or name_of(proposal)
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
            list_, adapter=adapter.key, by=by, config=settings_of(proposal.config), sync_enabled=False,
            name=(source_name or file_of(proposal) or adapter.label)[:200], origin=adapter.origin,
        )  # fmt: skip
    elif not own and (config := settings_of(proposal.config)) != source.config:
        source.config = config
        source.save(update_fields=["config"])
    proposal.list, proposal.source = list_, source
    proposal.state, proposal.decided_by, proposal.decided_at = Proposal.State.CONFIRMED, by, timezone.now()
    proposal.save(update_fields=["list", "source", "state", "decided_by", "decided_at"])
    return request_run(source, kind=Run.Kind.UPLOAD, by=by, proposal=proposal, priority=8)


@transaction.atomic
def discard(proposal: Proposal, *, by: Any) -> Proposal:
    """Throw a preview away; nothing of it was in any list."""
    proposal = still_open(proposal, Proposal.State.OPEN, Proposal.State.READING, Proposal.State.REFUSED)
    proposal.state, proposal.body = Proposal.State.WITHDRAWN, None
    proposal.decided_by, proposal.decided_at = by, timezone.now()
    proposal.save(update_fields=["state", "body", "decided_by", "decided_at"])
    return proposal


def still_open(proposal: Proposal, *states: str) -> Proposal:
    """The preview, locked and as it stands. Raises NotOpen if it is in none of these states or has lapsed."""
    proposal = Proposal.objects.select_for_update(of=("self",)).select_related("list", "source").get(pk=proposal.pk)
    if proposal.expires_at and proposal.expires_at < timezone.now():
        raise NotOpen("This preview has lapsed. Nothing was changed. Upload the file again.")
    if proposal.state not in states:
        raise NotOpen(f"This preview is not open any more ({proposal.get_state_display().lower()}).")
    return proposal


def body_of(run: Run) -> bytes:
    """The uploaded file of a run."""
    if run.proposal is None:
        raise SyncError("The uploaded file is not there any more. Nothing was changed. Upload it again.")
    return unpacked_body(run.proposal)


def forget_body(proposal: Proposal) -> None:
    Proposal.objects.filter(pk=proposal.pk).update(body=None)


def sweep() -> int:
    """Empty the previews that nobody decided in time; returns how many."""
    lapsed = Proposal.objects.filter(kind=Proposal.Kind.PREVIEW, expires_at__lt=timezone.now(), body__isnull=False)
    # A confirmed one whose run has failed keeps its state; its file is of no more use.
    lapsed.filter(state=Proposal.State.CONFIRMED).exclude(runs__state__in=Run.ACTIVE).update(body=None)
    return lapsed.exclude(state=Proposal.State.CONFIRMED).update(state=Proposal.State.WITHDRAWN, body=None)
