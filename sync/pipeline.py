"""One sync, end to end: fetch, outcome, plan, publish, finish. Network and parsing happen outside of transactions."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from django.utils import timezone

from lists import fields, services, writer
from lists.changes import plan_sync
from lists.fields import storable
from lists.models import Item, MediaList, Removals, Source, Version
from lists.plan import Plan, Reading
from lists.records import About, NotTaken, Record, Row, Unreadable
from lists.spool import Spool
from sync import readback
from sync.adapters import ADAPTERS, Adapter, Context, FileAdapter, Reach, adapter_named
from sync.errors import BadPayload, SyncError
from sync.models import Run
from sync.runs import Progress, close, record_counts

KINDS = frozenset(Item.Kind.values)
ATTEMPTS = 5  # somebody wrote to the list while we planned: plan again


def read(adapter: Adapter, ctx: Context, each: Callable[[int], None] | None = None) -> Spool[Row]:
    """Every row of a source, cleaned, in a spool that the caller closes. `each` hears how many were read so far.

    Raises BadPayload if the whole cannot be read or brings nothing that a list could hold.
    """
    spool: Spool[Row] = Spool()
    try:
        taken = 0
        refused: dict[str, int] = {}
        for row in _cleaned(adapter.fetch(ctx)):
            spool.append(row)
            taken += isinstance(row, Record)
            if not isinstance(row, Record) and (what := getattr(row, "what", "")):
                refused[what] = refused.get(what, 0) + 1
            if each is not None and len(spool) % 1000 == 0:
                each(len(spool))
        if not taken and refused:
            found = ", ".join(f"{count} × {what}" for what, count in sorted(refused.items()))
            raise BadPayload(f"There is nothing in it that a list could hold: {found}. Nothing was taken.")
        return spool
    except BaseException:
        spool.close()
        raise


def _cleaned(rows: Iterable[Row]) -> Iterator[Row]:
    """Records with values as they are stored; one whose values are of the wrong type becomes Unreadable."""
    for row in rows:
        if not isinstance(row, Record):
            yield _storable(row)
            continue
        if row.kind not in KINDS:
            yield Unreadable(row.line, f"“{row.kind}” is no kind of thing that a list can hold.", key=row.key)
            continue
        try:
            yield replace(row, values=fields.clean(row.values), key=_bounded(row.key), ids=_clean_ids(row.ids))
        except ValueError as e:
            yield Unreadable(row.line, str(e), key=row.key)


def _storable(row: Unreadable | NotTaken | About) -> Row:
    """Without what no database takes: the words of a broken row are kept with the run."""
    if isinstance(row, About):
        facts = {storable(name): storable(str(fact)) for name, fact in row.facts.items()}
        return About(storable(row.title), facts)
    if isinstance(row, NotTaken):
        return replace(row, what=storable(row.what))
    key = None if row.key is None else _bounded(row.key)
    return replace(row, reason=storable(row.reason), text=storable(row.text), key=key)


def _bounded(key: str) -> str:
    """A key that fits its column; two long ones that begin alike stay two."""
    key = storable(key)
    return key if len(key) <= 400 else f"{key[:367]}~{hashlib.blake2b(key.encode(), digest_size=16).hexdigest()}"


def _clean_ids(ids: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in ids.items() if value and len(value) <= 200 and "\x00" not in value}


def salt_of(source_config: dict[str, Any], adapter: Adapter) -> str:
    """What a record's meaning hangs on besides its content: digests made under another salt are no longer equal."""
    return fields.canonical([adapter.key, adapter.version, source_config]).decode()


def sync(run: Run, body: bytes = b"") -> Version | None:
    """Carry out a claimed run; returns the version that it made, None if nothing changed. body: the file, if one was
    uploaded.

    The run is closed in the publishing transaction. Raises SyncError; nothing is changed then.
    """
    progress = Progress(run)
    source = run.source
    if run.proposal is not None and run.proposal.result.get("own_export"):
        return _edit(run, body, progress)
    adapter = adapter_named(source.adapter)
    ctx = Context(body, source.config)
    with progress.step("Reading", 0):
        spool = read(adapter, ctx, each=lambda count: progress.to(min(5 + count // 500, 25), found=count))
    with spool:
        how = reading_of(run.list, source, adapter, source.config, confirmed=run.kind == Run.Kind.UPLOAD)
        for _ in range(ATTEMPTS):
            _still_wanted(run)
            services.settle_due(run.list)  # what other changes owe this list comes before any other version
            run.list.refresh_from_db()
            with progress.step("Comparing", 30):
                plan = plan_sync(run.list, source, _followed(spool, progress), how, at=timezone.now(), create=True)
            try:
                _hold_to_preview(run, plan)
                with progress.step("Writing", 80):
                    return _publish(run, plan, progress)
            except writer.ListMoved:
                continue
            finally:
                plan.close()
    raise SyncError("The list kept changing while it was synced. Nothing was changed by this sync. Try it again.")


def _still_wanted(run: Run) -> None:
    """Raises SyncError if the source or its list was taken away while the run waited."""
    run.source.refresh_from_db(fields=["removed_at", "enabled", "priority", "mode", "grace", "config"])
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
    ctx = Context(body, proposal.config)
    with progress.step("Reading", 0), read(adapter, ctx) as rows:
        back = readback.read_back(run.list, adapter, ctx, rows)
    if back is None:
        raise SyncError("The version that this file names is not kept any more. Nothing was changed.")
    act = back.act(run.list, create=True)
    seen = run.list.versions.filter(pk=proposal.result.get("base")).values_list("number", flat=True).first()

    def finish(plan: Plan, version: Version | None) -> None:
        _hold_to_preview(run, plan)
        plan.counts.found, plan.counts.skipped = back.comparison.rows, len(back.unread)
        plan.problems = [{"line": row.line, "reason": row.reason, "text": row.text[:200]} for row in back.unread[:200]]
        plan.counts.unchanged = back.comparison.rows - back.comparison.changed - back.comparison.added
        _close(run, plan, version, progress)

    with progress.step("Writing", 80):
        return services.act_on(
            run.list, act, by=run.requested_by, summary=f"Export of version {back.comparison.version}, edited",
            before_commit=finish, seen=seen,
        )  # fmt: skip


def _followed(spool: Spool[Row], progress: Progress) -> Iterator[Row]:
    for count, row in enumerate(spool):
        if count % 500 == 0:
            progress.to(30 + round(30 * count / max(len(spool), 1)))
        yield row


def reading_of(
    list_: MediaList, source: Source | None, adapter: Adapter, config: dict[str, Any], *, confirmed: bool
) -> Reading:
    """How an answer of a source is taken, by its preview and by its run alike. source None: one to be made.

    confirmed: a person saw what leaves, so it leaves at once; else a network source's entry is missing once before.
    """
    mode = source.mode if source else Source.Mode.COMPLETE
    grace = source.grace if source else None
    removals = list_.removals()
    return Reading(
        may_remove=adapter.reach is Reach.COMPLETE and mode == Source.Mode.COMPLETE,
        confirmed=confirmed,
        grace=0 if confirmed else 1 if grace is None else grace,
        salt=salt_of(config, adapter),
        keep=removals == Removals.KEEP,
        ask=removals == Removals.ASK,
    )


def _hold_to_preview(run: Run, plan: Plan) -> None:
    """What nobody was shown must not leave: the list may have moved between preview and confirmation."""
    if run.proposal is None or not plan.counts.removed:
        return
    promised = set(run.proposal.result.get("leaving", ()))
    now = {draft.slot for draft in plan.drafts if draft.before is not None and draft.after is None}
    if now - promised:
        raise SyncError(
            f"The list has changed since the preview: now {len(now)} entries would leave, the preview showed "
            f"{len(promised)}. Nothing was changed. Upload the file again and look at what it would do."
        )


def _publish(run: Run, plan: Plan, progress: Progress) -> Version | None:
    def finish(version: Version | None) -> None:
        services.hold_removals(run.source, plan, complete=plan.may_remove, run=run.pk)
        _settle_source(run, plan)
        _close(run, plan, version, progress)

    kind = Version.Kind.IMPORT if run.kind == Run.Kind.UPLOAD else Version.Kind.SYNC
    return writer.publish(
        plan, kind=kind, author=run.requested_by, summary=run.source.name, correlation_id=str(run.correlation_id),
        before_commit=finish,
    )  # fmt: skip


def _close(run: Run, plan: Plan, version: Version | None, progress: Progress) -> None:
    """In the publishing transaction: the run stands as done if and only if its changes do."""
    run.version = version
    run.outcome = Run.Outcome.PARTIAL if plan.counts.skipped else Run.Outcome.COMPLETE
    record_counts(run, plan.counts)
    run.details = {
        "problems": plan.problems, "more_problems": plan.more_problems, "not_taken": plan.not_taken,
        "doubles": plan.doubles, "timings_s": progress.elapsed(),
    }  # fmt: skip
    if not close(run, Run.State.PARTIAL if plan.counts.skipped else Run.State.COMPLETED):
        raise SyncError("This run was given up in the meantime. Nothing was changed by it.")


def _settle_source(run: Run, plan: Plan) -> None:
    counts = plan.counts
    Source.objects.filter(pk=run.source_id).update(
        last_run_at=plan.at, last_success_at=plan.at, failures=0,
        accepted={"found": counts.found, "skipped": counts.skipped, "duplicates": counts.duplicates},
    )  # fmt: skip


def file_formats() -> list[tuple[str, str]]:
    """(key, label) of every format that can be uploaded."""
    return sorted(((key, cls.label) for key, cls in ADAPTERS.items() if cls.is_file), key=lambda pair: pair[1])
