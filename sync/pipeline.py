"""One sync, end to end: fetch, outcome, plan, publish, finish. Network and parsing happen outside of transactions."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from lists import credentials, fields, filling, services, writer
from lists.changes import plan_sync
from lists.collecting import few_collections
from lists.credentials import Lifter
from lists.dialects import Dialect
from lists.filters import counted
from lists.known import Knowing, Known, Marker
from lists.models import Claim, Entry, MediaList, Source, Version
from lists.parts import goes_in_parts
from lists.plan import Counts, Plan, Reading
from lists.ration import left_waiting, room_of
from lists.records import Read, Record, Rows, Unchanged
from lists.spool import blocks
from sync import access, readback
from sync.adapters import Adapter, Context, FileAdapter, adapter_named
from sync.appraisal import Worth, is_whole, reading_of, salt_of
from sync.closing import asked, close_with, how_it_went, outcome_of, settle_source
from sync.errors import NotModified, SyncError, Untouched
from sync.http import Door, Meter, Validators
from sync.models import Run
from sync.progress import FILLING, IN_PARTS, WRITING, Progress
from sync.reading import Marks, read
from sync.windows import Window, mode_of

ATTEMPTS = 5  # somebody wrote to the list while we planned: plan again
HELD_FROM = 3  # of them the list is held while it is planned, or who edits without a pause keeps it from being synced
HELD_S = 8.0  # but not where planning takes longer: so long whoever edits it waits
READINGS = 3  # somebody took away what the source had said: read again
MOVED = -1
MOVING = "The list kept changing while it was synced. Nothing was changed by this sync. Try it again."


def context_of(
    list_: MediaList, source: Source | None, body: bytes, config: dict[str, Any], meter: Meter | None = None
) -> Context:
    """What an adapter reads a file of this list from. source None: one to be made. Logins keep the names that they have."""
    own, others = services.secrets_of(list_, source)
    address = credentials.fill(source.address, own) if source else ""
    return Context(body, config, Lifter(own, others), meter or Meter(), own, address=address)


def _connect(run: Run, adapter: Adapter, ctx: Context, progress: Progress) -> Door:
    """The way out of a run. What a service says of its last answer hangs on all that was asked."""
    known = Validators(asked(ctx.salt, ctx.address), (run.source.etag, run.source.last_modified))
    return Door(
        adapter.service, meter=progress.meter, watched=progress, limits=adapter.limits, validators=known,
        account=str(run.source.account_id or ""), visitor=run.source.account_id is None,
    )  # fmt: skip


def sync(run: Run, body: bytes, progress: Progress) -> Version | None:
    """Carry out a claimed run; returns the version that it made, None if nothing changed. body: the file, if one was
    uploaded.

    The run is closed in the publishing transaction. Raises SyncError; nothing is changed then.
    """
    filling.sweep(run.list)  # ours is the only run: a fill that stands here has died
    if run.proposal is not None and run.proposal.result.get("own_export"):
        return _edit(run, body, progress)
    adapter = adapter_named(run.source.adapter)
    ctx = context_of(run.list, run.source, body, run.source.config, progress.meter)
    ctx.salt = fields.canonical([salt_of(run.source.config, adapter), run.source.mode]).decode()
    ctx.accepted = bytes(run.source.body_digest or b"")
    if not adapter.is_file:
        ctx.stated_before = run.source.accepted.get("stated") == asked(ctx.salt, run.source.address)
        ctx.has_brought = Claim.objects.filter(source=run.source).exists()
        ctx.secrets = access.secrets_for(run.source, adapter)
    with few_collections(), _connect(run, adapter, ctx, progress) as ctx.http:
        return _read_or_repeat(run, adapter, ctx, progress)


def _read_or_repeat(run: Run, adapter: Adapter, ctx: Context, progress: Progress) -> Version | None:
    try:
        return _read_and_bring(run, adapter, ctx, progress)
    except NotModified as said:
        if not Claim.objects.filter(source=run.source, missing__gt=0).exists():
            _close_unread(run, progress)
            return None
        if not isinstance(said, Untouched):
            return _repeat(run, adapter, ctx, progress)
    ctx.accepted = b""  # what is lacking is looked for in the list itself
    return _read_or_repeat(run, adapter, ctx, progress)


def _read_and_bring(run: Run, adapter: Adapter, ctx: Context, progress: Progress) -> Version | None:
    parts: list[Version] = []
    for _ in range(READINGS):
        fence = _fence(run)
        # A play is known by its neighbours, so all of a tracklist is read.
        knowing = Knowing(run.source, marks=run.list.content != MediaList.Content.TRACKS)
        with progress.step("Reading", 0):
            if adapter.is_file:
                ctx.compare(ctx.body)
            rows = read(adapter, ctx, progress, marks=Marks(Marker(salt_of(run.source.config, adapter)), knowing.marks))
        known = knowing.known
        known.marks = {}
        with rows:
            try:
                return _bring(run, adapter, ctx, rows, known, progress, fence=fence, parts=parts)
            except _ClaimsMoved:
                continue
    raise SyncError(MOVING)


def _bring(
    run: Run, adapter: Adapter, ctx: Context, rows: Rows, known: Known, progress: Progress, *, fence: int,
    parts: list[Version], again: bool = False,
) -> Version | None:  # fmt: skip
    """Plan and publish what was read. parts: takes the versions of this sync that stand, where it is too much for one.
    again: it is what was accepted last."""
    source = run.source
    worth = Worth(ctx, complete=True, again=True) if again else _worth_of(run, adapter, ctx, rows)
    tries, took_s = 0, HELD_S
    while tries < ATTEMPTS:
        alone = _undisturbed(run.list) if tries >= HELD_FROM and took_s < HELD_S else nullcontext()
        try:
            with alone:
                begun = progress.clock()
                fence, known = _up_to_date(run, fence, known)
                how = reading_of(
                    run.list, source, adapter, source.config, confirmed=run.kind == Run.Kind.UPLOAD, complete=worth.complete,
                    stated=ctx.expected is not None,
                )  # fmt: skip
                with progress.step("Comparing", 30):
                    if not again:
                        how = replace(how, waiting=_left_waiting(run, rows, how, known, progress, parts))
                    plan = plan_sync(
                        run.list, source, _followed(rows, progress), how, at=timezone.now(), create=True, known=known
                    )  # fmt: skip
                took_s = min(took_s, progress.clock() - begun)
                if not parts:  # for the next plan what a part of this one has brought is unchanged, too
                    run.unchanged = plan.counts.unchanged
                with plan:
                    kept = partial(_fetched, run, plan, rows, known, how, whole=worth.is_all_taken(plan))
                    return _weigh_and_publish(run, plan, progress, worth, how, kept, parts=parts)
        except writer.ListMoved as moved:
            fence = MOVED
            parts += moved.parts
            tries += not moved.parts  # what got on has not tried in vain
    raise SyncError(MOVING)


def _worth_of(run: Run, adapter: Adapter, ctx: Context, rows: Rows) -> Worth:
    """Of what was read; the run says what is wrong with it."""
    complete = is_whole(rows, ctx)
    run.error_code, run.error = _said_of(ctx)
    if complete and mode_of(run.source, adapter) == Source.Mode.ROLLING:
        window = Window.of(run.source, rows.things, ctx.salt)
        ctx.window = window.kept
        if not window.is_good:
            complete, run.error_code, run.error = False, Run.Cause.PARSE, str(window)
    return Worth(ctx, complete)


@contextmanager
def _undisturbed(list_: MediaList) -> Iterator[None]:
    """Nobody else writes to the list. Others wait for that: on SQLite whoever writes anything, so it must not take long."""
    with Dialect.of().turn(), transaction.atomic():
        MediaList.objects.locked(list_.pk)
        yield


def _up_to_date(run: Run, fence: int, known: Known) -> tuple[int, Known]:
    """The list's fence, and what is known of the source, for a plan that is made now."""
    _still_wanted(run)
    filling.sweep(run.list)  # of an attempt before this one
    services.settle_due(run.list)  # what other changes owe this list comes before any other version
    run.list.refresh_from_db()
    if run.list.fence == fence:
        return fence, known
    now = Known(run.source)
    if not now.is_like(known):
        raise _ClaimsMoved
    return run.list.fence, now


def _fetched(run: Run, plan: Plan, rows: Rows, known: Known, how: Reading, *, whole: bool) -> services.Fetch:
    return services.Fetch(list(known.spelled_out(rows)), how, whole=whole, run=run.pk)


def _weigh_and_publish(
    run: Run, plan: Plan, progress: Progress, worth: Worth, how: Reading, kept: Callable[[], services.Fetch], *,
    parts: Sequence[Version],
) -> Version | None:  # fmt: skip
    """kept: the fetch, as it is kept where a person has to look at it first."""
    _hold_to_preview(run, plan)
    # What a person saw in a preview is not weighed: they have decided.
    weighed = None if how.confirmed else services.weigh_changes(plan, run.source)
    if weighed is not None and weighed.is_unsure:
        with progress.step(WRITING, 80):
            return _hold(run, plan, weighed, kept(), progress, worth)
    with _before_writing(plan, progress):
        return _publish(run, plan, progress, worth, weighed, parts=parts)


def _before_writing(plan: Plan, progress: Progress) -> AbstractContextManager[Any]:
    """The step in which a plan of very much can still be stopped, around that in which it cannot."""
    if filling.goes_by_blocks(plan):
        return progress.step(FILLING, 80)
    return progress.step(IN_PARTS, 80) if goes_in_parts(plan) else nullcontext()


def _left_waiting(
    run: Run, rows: Rows, how: Reading, known: Known, progress: Progress, parts: Sequence[Version]
) -> Sequence[str]:
    """Keys of what is new and too much for one sync."""
    room = room_of(run.list, how, came=sum(part.added for part in parts))
    if room is None or not any(isinstance(row, Record) for row in rows):
        return ()
    return left_waiting(run.list, run.source, _followed(rows, progress), how, known, room=room)


def _said_of(ctx: Context) -> tuple[str, str]:
    """(code, sentence) of an answer that broke off, or may have, for its run; empty if it did not."""
    if ctx.cut_off is not None:
        return ctx.cut_off.code, f"It broke off: {ctx.cut_off} What had come until then was taken. Nothing was removed."
    if ctx.is_silent:
        return (
            Run.Cause.PARSE,
            "It does not say how much there is, as it did before. What came was taken. Nothing was removed.",
        )
    return "", ""


def _repeat(run: Run, adapter: Adapter, ctx: Context, progress: Progress) -> Version | None:
    """The source says nothing new: what its last answer lacked is lacking again, and that is all."""
    fence, known = _fence(run), Known(run.source)
    here = sorted((n for n, missing in enumerate(known.missing) if not missing), key=known.positions.__getitem__)
    with Rows() as rows:
        rows.extend(Unchanged(list(numbers), [None] * len(numbers)) for numbers in blocks(here))
        return _bring(run, adapter, ctx, rows, known, progress, fence=fence, parts=[], again=True)


def _close_unread(run: Run, progress: Progress) -> None:
    """Nothing is new and nothing was lacking: only what other changes owe this list is written."""
    _still_wanted(run)
    services.settle_due(run.list)  # in parts, if it is very much
    found = run.source.accepted.get("found", 0)
    kept_out = Entry.objects.filter(
        list=run.list_id, state=Entry.State.EXCLUDED, claims__source=run.source_id
    ).distinct()
    with progress.step("Comparing", 30), transaction.atomic():
        _still_wanted(run)
        services.settle_due(list_ := MediaList.objects.locked(run.list_id))
        list_.refresh_from_db(fields=["excluded_count"])
        reasons = list(kept_out.values_list("id", "reason")) if list_.excluded_count else []
        counts = Counts(found=found, unchanged=found, excluded=len(reasons))
        filtered = counted(reason for _, reason in reasons)
        with Plan(run.list, run.source, run.list.current_id, timezone.now(), counts, filtered=filtered) as plan:
            settle_source(run, plan, Worth(Context(), complete=True, again=True))
            close_with(run, plan, None, progress, Run.Outcome.NOT_MODIFIED)


def _fence(run: Run) -> int:
    return MediaList.objects.values_list("fence", flat=True).get(pk=run.list_id)


class _ClaimsMoved(Exception):
    """Claims of the source were taken away while it was read: what is known of it holds no more."""


def _still_wanted(run: Run) -> None:
    """Raises SyncError if the source or its list was taken away while the run waited."""
    run.source.refresh_from_db(fields=["removed_at", "enabled", "priority", "mode", "grace", "config", "accepted"])
    run.list.refresh_from_db(fields=["deleted_at"])
    if run.source.removed_at:
        raise SyncError("The source was removed from the list in the meantime. Nothing was changed.")
    if run.list.deleted_at:
        raise SyncError("The list lies in the bin. Nothing was changed. Bring it back first.")


def _edit(run: Run, body: bytes, progress: Progress) -> Version | None:
    """An export of ours that somebody edited: what they changed are edits by hand, as one version."""
    proposal = run.proposal
    assert proposal is not None
    adapter = adapter_named(proposal.adapter)
    assert isinstance(adapter, FileAdapter)
    ctx = context_of(run.list, None, body, proposal.config, progress.meter)
    with progress.step("Reading", 0), read(adapter, ctx, progress) as rows:
        back = readback.read_back(run.list, adapter, ctx, rows)
    if back is None:
        raise SyncError("The version that this file names is not kept any more. Nothing was changed.")
    act = back.act(run.list, create=True)
    seen = run.list.versions.filter(pk=proposal.result.get("base")).values_list("number", flat=True).first()

    def finish(plan: Plan, version: Version | None) -> None:
        _hold_to_preview(run, plan)
        plan.counts.found = back.comparison.rows
        for row in back.unread:
            plan.note(row)
        plan.counts.unchanged = back.comparison.rows - back.comparison.changed - back.comparison.added
        services.keep_secrets(run.source, ctx.logins.secrets)
        close_with(run, plan, version, progress, Run.Outcome.COMPLETE)

    with progress.step(WRITING, 80):
        return services.act_on(
            run.list, act, by=run.requested_by, summary=f"Export of version {back.comparison.version}, edited",
            before_commit=finish, seen=seen,
        )  # fmt: skip


def _followed(spool: Rows, progress: Progress) -> Iterator[Read]:
    return progress.counted(
        spool, lambda count: 30 + round(50 * count / max(progress.run.found, count, 1)),
        weight=lambda row: len(row.numbers) if isinstance(row, Unchanged) else 1,
    )  # fmt: skip


def _hold_to_preview(run: Run, plan: Plan) -> None:
    """What nobody was shown must not leave: the list may have moved between preview and confirmation."""
    if run.proposal is None or not plan.counts.removed:
        return
    promised = set(run.proposal.result.get("leaving", ()))
    now = {draft.slot for draft in plan.drafts if draft.leaves}
    if now - promised:
        raise SyncError(
            f"The list has changed since the preview: now {len(now)} entries would leave, the preview showed "
            f"{len(promised)}. Nothing was changed. Upload the file again and look at what it would do."
        )


@transaction.atomic
def _hold(
    run: Run, plan: Plan, weighed: services.Weighed, fetch: services.Fetch, progress: Progress, worth: Worth
) -> None:  # fmt: skip
    """Nothing of it reaches the list before somebody has looked."""
    services.hold_changes(run.source, plan, weighed, fetch)
    services.keep_secrets(run.source, worth.ctx.logins.secrets)
    Source.objects.filter(pk=run.source_id).update(**how_it_went(plan, worth.ctx))
    close_with(run, plan, None, progress, outcome_of(run, plan, worth), worth.ctx.cut_off)


def _publish(
    run: Run, plan: Plan, progress: Progress, worth: Worth, weighed: services.Weighed | None, *,
    parts: Sequence[Version] = (),
) -> Version | None:  # fmt: skip
    """parts: versions of the same sync that stand already, before somebody else wrote; they are counted with this one."""

    def finish(version: Version | None) -> None:
        if plan.held or not worth.again:
            services.hold_removals(run.source, plan, complete=plan.may_remove, run=run.pk)
        services.settle_changes(run.source, plan, weighed, complete=worth.is_all_taken(plan))
        services.keep_secrets(run.source, worth.ctx.logins.secrets)
        outcome = outcome_of(run, plan, worth)
        settle_source(run, plan, worth)
        plan.counts.join(parts, unchanged=run.unchanged)
        close_with(run, plan, version or (parts[-1] if parts else None), progress, outcome, worth.ctx.cut_off)

    kind = Version.Kind.IMPORT if run.kind == Run.Kind.UPLOAD else Version.Kind.SYNC
    return writer.publish(
        plan, kind=kind, author=run.requested_by, summary=run.source.name, correlation_id=str(run.correlation_id),
        before_commit=finish, showing=partial(progress.step, WRITING, 80),
    )  # fmt: skip
