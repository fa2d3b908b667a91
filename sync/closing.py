"""What a sync leaves once its changes stand: how its run ended, and what is remembered of its source."""

import hashlib
from typing import Any

from django.db.models import F

from lists import fields
from lists.models import Source, Version
from lists.plan import Plan
from sync import retries
from sync.adapters import Context, adapter_named
from sync.appraisal import Worth
from sync.errors import LeaseLost, SourceUnavailable
from sync.models import Run
from sync.progress import Progress
from sync.runs import close, record_counts
from sync.windows import mode_of


def asked(salt: str, address: str) -> str:
    """What is remembered of a source under other settings, or at another address, says nothing."""
    return hashlib.blake2b(fields.canonical([salt, address]), digest_size=8).hexdigest()


def outcome_of(run: Run, plan: Plan, worth: Worth) -> Run.Outcome:
    if worth.again:
        return Run.Outcome.NOT_MODIFIED
    if not worth.is_all_taken(plan):
        return Run.Outcome.PARTIAL
    if mode_of(run.source, adapter_named(run.source.adapter)) != Source.Mode.COMPLETE:
        return Run.Outcome.WINDOW
    if run.kind == Run.Kind.UPLOAD:  # a person saw that this is all
        return Run.Outcome.COMPLETE
    if worth.ctx.expected is None:
        return Run.Outcome.UNVERIFIED
    return Run.Outcome.COMPLETE if plan.counts.found else Run.Outcome.EMPTY


def close_with(
    run: Run, plan: Plan, version: Version | None, progress: Progress, outcome: Run.Outcome,
    cut_off: SourceUnavailable | None = None,
) -> None:  # fmt: skip
    """In the publishing transaction: the run stands as done if and only if its changes do. cut_off: why it broke off."""
    run.version = version
    run.outcome = outcome
    record_counts(run, plan.counts)
    run.details = {
        "problems": plan.problems, "more_problems": plan.more_problems, "not_taken": plan.not_taken,
        "doubles": plan.doubles, "filtered": plan.filtered, "waiting": plan.counts.waiting,
    }  # fmt: skip
    progress.record()
    if not close(run, Run.State.PARTIAL if outcome == Run.Outcome.PARTIAL else Run.State.COMPLETED):
        raise LeaseLost("This run was given up in the meantime. Nothing was changed by it.")
    if cut_off is not None:
        retries.try_again(run, cut_off)


def settle_source(run: Run, plan: Plan, worth: Worth) -> None:
    """What is remembered of it; by a digest its like need not be read, if all of it was taken."""
    remembered = {} if worth.again else _remembered(run, plan, worth)
    Source.objects.filter(pk=run.source_id).update(**how_it_went(plan, worth.ctx), **remembered)


def _remembered(run: Run, plan: Plan, worth: Worth) -> dict[str, Any]:
    ctx, counts = worth.ctx, plan.counts
    accepted: dict[str, Any] = {"found": counts.found, "skipped": counts.skipped, "duplicates": counts.duplicates}
    if window := ctx.window or run.source.accepted.get("window"):
        accepted["window"] = window
    if ctx.expected is not None or ctx.stated_before:
        accepted["stated"] = asked(ctx.salt, run.source.address)
    if counts.waiting or not worth.is_all_taken(plan):
        return {"accepted": accepted, "body_digest": None, "etag": "", "last_modified": ""}
    # A stamp says nothing of what the list held: it stands for one that came, lacked nothing and waits for nobody.
    is_settled = counts.found and not (plan.missing or plan.held)
    digest = (ctx.stamp if is_settled else b"") or ctx.digest
    etag, modified = ctx.http.validators.new
    return {"accepted": accepted, "body_digest": digest or None, "etag": etag, "last_modified": modified}


def how_it_went(plan: Plan, ctx: Context) -> dict[str, Any]:
    """Columns of the source. What broke off has failed, whatever it brought."""
    if ctx.cut_off is not None:
        return {"last_run_at": plan.at, "failures": F("failures") + 1}
    return {"last_run_at": plan.at, "last_success_at": plan.at, "failures": 0}
