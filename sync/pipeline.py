"""One sync, end to end: fetch, outcome, plan, publish, finish. Network and parsing happen outside of transactions."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from django.utils import timezone

from lists import fields, writer
from lists.changes import plan_sync
from lists.models import Item, MediaList, Source, Version
from lists.plan import Plan, Reading
from lists.records import Record, Row, Unreadable
from lists.spool import Spool
from sync.adapters import ADAPTERS, Adapter, Context, Reach, adapter_named
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
            yield row
            continue
        if row.kind not in KINDS:
            yield Unreadable(row.line, f"“{row.kind}” is no kind of thing that a list can hold.", key=row.key)
            continue
        try:
            yield replace(row, values=fields.clean(row.values), key=row.key[:400], ids=_clean_ids(row.ids))
        except ValueError as e:
            yield Unreadable(row.line, str(e), key=row.key)


def _clean_ids(ids: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in ids.items() if value and len(value) <= 200 and "\x00" not in value}


def salt_of(source_config: dict[str, Any], adapter: Adapter) -> str:
    """What a record's meaning hangs on besides its content: digests made under another salt are no longer equal."""
    return fields.canonical([adapter.key, adapter.version, source_config]).decode()


def sync(run: Run, body: bytes) -> Version | None:
    """Carry out a claimed run of an uploaded file; returns the version that it made, None if nothing changed.

    The run is closed in the publishing transaction. Raises SyncError; nothing is changed then.
    """
    progress = Progress(run)
    source = run.source
    adapter = adapter_named(source.adapter)
    ctx = Context(body, source.config)
    with progress.step("Reading", 0):
        spool = read(adapter, ctx, each=lambda count: progress.to(min(5 + count // 500, 25), found=count))
    with spool:
        how = Reading(
            may_remove=adapter.reach is Reach.COMPLETE and source.mode == Source.Mode.COMPLETE,
            confirmed=run.kind == Run.Kind.UPLOAD,
            grace=_grace(run, source),
            salt=salt_of(source.config, adapter),
        )
        for _ in range(ATTEMPTS):
            run.list.refresh_from_db(fields=["current", "policy", "order_mode", "content"])
            with progress.step("Comparing", 30):
                plan = plan_sync(run.list, source, _followed(spool, progress), how, at=timezone.now(), create=True)
            try:
                with progress.step("Writing", 80):
                    return _publish(run, plan, progress)
            except writer.ListMoved:
                continue
            finally:
                plan.close()
    raise SyncError("The list kept changing while it was synced. Nothing was changed by this sync. Try it again.")


def _followed(spool: Spool[Row], progress: Progress) -> Iterator[Row]:
    for count, row in enumerate(spool):
        if count % 500 == 0:
            progress.to(30 + round(30 * count / max(len(spool), 1)))
        yield row


def _grace(run: Run, source: Source) -> int:
    if source.grace is not None:
        return source.grace
    return 0 if run.kind == Run.Kind.UPLOAD else 1


def _publish(run: Run, plan: Plan, progress: Progress) -> Version | None:
    def finish(version: Version | None) -> None:
        if not Run.objects.filter(pk=run.pk, state=Run.State.RUNNING).exists():
            raise SyncError("This import was given up in the meantime. Nothing was changed by it.")
        run.version = version
        run.outcome = Run.Outcome.PARTIAL if plan.counts.skipped else Run.Outcome.COMPLETE
        record_counts(run, plan.counts)
        run.details = {
            "problems": plan.problems, "more_problems": plan.more_problems, "not_taken": plan.not_taken,
            "doubles": plan.doubles, "timings_s": progress.elapsed(),
        }  # fmt: skip
        _settle_source(run, plan)
        _take_facts(run.list, plan)
        close(run, Run.State.PARTIAL if plan.counts.skipped else Run.State.COMPLETED)

    kind = Version.Kind.IMPORT if run.kind == Run.Kind.UPLOAD else Version.Kind.SYNC
    return writer.publish(
        plan, kind=kind, author=run.requested_by, summary=run.source.name, correlation_id=str(run.correlation_id),
        before_commit=finish,
    )  # fmt: skip


def _settle_source(run: Run, plan: Plan) -> None:
    counts = plan.counts
    Source.objects.filter(pk=run.source_id).update(
        last_run_at=plan.at, last_success_at=plan.at, failures=0,
        accepted={"found": counts.found, "skipped": counts.skipped, "duplicates": counts.duplicates},
    )  # fmt: skip


def _take_facts(list_: MediaList, plan: Plan) -> None:
    """What the source says of the whole, where the list says nothing yet."""
    facts = {**({"title": plan.about.title} if plan.about.title else {}), **plan.about.facts}
    merged = {**facts, **list_.facts}
    if merged != list_.facts:
        list_.facts = merged
        list_.save(update_fields=["facts"])


def file_formats() -> list[tuple[str, str]]:
    """(key, label) of every format that can be uploaded."""
    return sorted(((key, cls.label) for key, cls in ADAPTERS.items() if cls.is_file), key=lambda pair: pair[1])
