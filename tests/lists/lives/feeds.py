"""What sources send: whole answers, the same again, bad days, and syncs that are broken off in an orderly way."""

import contextlib
import json
import random
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest

from lists import services
from lists.exports import EXPORTS
from lists.models import Claim, Conflict, Entry, Proposal, Source
from sync import pipeline, runs, tasks, uploads
from sync.models import Run
from tests.lists.lives.watched import Watched


class Fed(Watched):
    def offered(self, source: Source, rows: list[dict]) -> Proposal:
        """A file of the source, uploaded and looked at."""
        source = Source.objects.select_related("list").get(pk=source.pk)
        proposal = uploads.start(
            json.dumps(rows).encode(), by=self.user, list_=source.list, adapter="scripted", config={"source": source.pk}
        )
        tasks.prepare_upload(proposal.pk)
        proposal.refresh_from_db()
        assert proposal.state == "open", proposal.error
        return proposal

    def asked(self, source: Source, rows: list[dict] | dict) -> Run:
        """A run that brings this answer, and waits."""
        if source.adapter == "scripted":
            assert isinstance(rows, list)
            return uploads.confirm(self.offered(source, rows), by=self.user)
        Path(source.config["path"]).write_text(json.dumps(rows))
        run = runs.request_sync(source, by=self.user, force=True).run
        assert run is not None
        return run

    def upload(self, source: Source, rows: list[dict]) -> Run:
        proposal = self.offered(source, rows)
        run = carried_out(uploads.confirm(proposal, by=self.user))
        assert run.state == Run.State.COMPLETED, run.error
        promised = proposal.result["counts"]
        if not proposal.result.get("base") or proposal.result["base"] == run.version_id:
            assert (run.added, run.removed) == (promised["added"], promised["removed"])
        self.said[source.pk] = rows
        return run

    def sync(self, rows: list[dict] | dict) -> Run:
        services.settle_due(self.list)  # what was merged elsewhere comes before the sync, and is none of its doing
        before = {entry.pk for entry in self.entries()}
        run = carried_out(self.asked(self.b, rows))
        after = {entry.pk for entry in self.entries()}
        if run.state == Run.State.FAILED:
            assert after == before, "a failed sync removes nothing"
        else:
            assert run.state == Run.State.COMPLETED, run.error
            self.said[self.b.pk] = rows if isinstance(rows, list) else []
            if run.held:
                # What a source says otherwise may be what a filter keeps out.
                left = Entry.objects.filter(pk__in=before - after).exclude(state="excluded")
                assert not left.exists(), "what is held does not leave"
        return run

    def step_upload(self, n: int, m: int, rows: list[dict]) -> None:
        self.sources_on()
        self.upload(self.a, rows)

    def step_sync(self, n: int, m: int, rows: list[dict]) -> None:
        self.sources_on()
        self.sync(rows)

    def step_other(self, n: int, m: int, rows: list[dict]) -> None:
        self.upload(self.c, rows)

    def step_same_again(self, n: int, m: int, rows: list[dict]) -> None:
        self.sources_on()
        source = (self.a, self.b)[n % 2]
        said = self.said[source.pk]
        # It may be lacking what is held, or wait for an answer as a whole.
        waits = set(Claim.objects.filter(source=source).values_list("key", flat=True)) != {row["key"] for row in said}
        waits = waits or Conflict.objects.filter(source=source).exists()
        owed = self.list.refolds.exists()
        versions = self.list.versions.count()
        run = self.upload(source, said) if source == self.a else self.sync(said)
        if not waits and not owed:
            assert run.version is None, "an unchanged sync makes no version"
            assert self.list.versions.count() == versions

    def step_fail(self, n: int, m: int, rows: list[dict]) -> None:
        self.sources_on()
        said = self.said[self.b.pk]
        assert self.sync({"fail": "It did not answer. Nothing was changed."}).state == Run.State.FAILED
        self.said[self.b.pk] = said

    def step_cancel(self, n: int, m: int, rows: list[dict]) -> None:
        """Somebody cancels a sync that has compared everything already."""
        run = self.broken_off(rows, "_hold_to_preview", lambda run, plan: runs.cancel(run, by=self.user))
        assert run.state == Run.State.CANCELLED, run.error

    def step_kill(self, n: int, m: int, rows: list[dict]) -> None:
        """A worker ends in the transaction that publishes, with everything written but the last row."""
        run = self.broken_off(rows, "close_with", SystemExit("ended"))
        assert run.state == Run.State.FAILED
        if self.list.versions.filter(correlation_id=str(run.correlation_id)).exists():
            # The order and the places of what stayed were to come with the last part: the same change completes it.
            self.midway = True
            self.check()
            self.midway = False
            self.sync(rows)

    def broken_off(self, rows: list[dict], where: str, effect: BaseException | Callable) -> Run:
        self.sources_on()
        services.settle_due(self.list)
        before, versions = self.shown(), self.list.versions.count()
        run = self.asked(self.b, rows)
        with mock.patch.object(pipeline, where, side_effect=effect), contextlib.suppress(SystemExit):
            tasks.execute_run(run.pk)
        run.refresh_from_db()
        if not self.list.versions.filter(number__gt=versions, correlation_id=str(run.correlation_id)).exists():
            assert (self.shown(), self.list.versions.count()) == (before, versions), "nothing of it is there"
        else:
            assert self.small is not None, "only a change in parts leaves some"
        return run

    def step_empty(self, n: int, m: int, rows: list[dict]) -> None:
        """A source with a bad day, so that there is something to apply."""
        self.sources_on()
        if Claim.objects.filter(source=self.b).count() > 1:
            self.sync(self.said[self.b.pk][: n % 2])

    def sources_on(self) -> None:
        for source in Source.objects.filter(pk__in=[self.a.pk, self.b.pk], removed_at__isnull=False):
            services.revive_source(source, by=self.user)

    def step_export(self, n: int, m: int, rows: list[dict]) -> None:
        self.list.refresh_from_db()
        versions = list(self.list.versions.order_by("number"))
        if not versions:
            return
        version = versions[n % len(versions)] if m % 2 else self.list.current
        body = json.loads(b"".join(EXPORTS["json"].write(self.list, user=None, version=version)))
        lines = body["entries"]
        if not lines:
            return
        what = m % 5
        if what == 1:
            lines[n % len(lines)]["title"] = f"Typed {n}"
        elif what == 2:
            del lines[n % len(lines)]
        elif what == 3:
            lines.append({"kind": "movie", "title": f"Added {n}", "year": 2001})
        elif what == 4:
            random.Random(n).shuffle(lines)
        before = self.list.versions.count()
        proposal = uploads.start(json.dumps(body).encode(), by=self.user, list_=self.list)
        tasks.prepare_upload(proposal.pk)
        proposal.refresh_from_db()
        if proposal.state == "refused" or "own_export" not in proposal.result:
            return
        if "untouched" in proposal.result["sentence"]:
            with pytest.raises(uploads.NotOpen):
                uploads.confirm(proposal, by=self.user)
            assert self.list.versions.count() == before
            return
        run = uploads.confirm(proposal, by=self.user)
        tasks.execute_run(run.pk)
        run.refresh_from_db()
        assert run.state == Run.State.COMPLETED, run.error


def carried_out(run: Run) -> Run:
    tasks.execute_run(run.pk)
    run.refresh_from_db()
    return run
