"""Fixtures of all tests. Data folders are temporary; tests of real processes bring their own."""

import json

import pytest
from django.contrib.auth import get_user_model

from lists import services
from lists.models import Entry, MediaList, Proposal
from sync import runs, tasks, uploads
from sync.models import Run
from tests import (
    scripted,  # noqa: F401 - registers its adapter
    way_out,
)
from tests.upstream import Upstream

way_out.watch()


@pytest.fixture(autouse=True)
def _one_way_out():
    yield
    assert not way_out.strays


@pytest.fixture(autouse=True)
def _plain_settings(settings):
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.RETRY_PAUSES_S = (0.01, 0.01, 0.01)


@pytest.fixture
def ines(db):
    return get_user_model().objects.create_user("ines", password="a-long-password")


@pytest.fixture
def jonas(db):
    return get_user_model().objects.create_user("jonas", password="a-long-password")


@pytest.fixture
def staff(db):
    return get_user_model().objects.create_superuser("admin", password="a-long-password")


@pytest.fixture
def films(ines) -> MediaList:
    return services.create_list(ines, name="Films to watch")


@pytest.fixture
def work():
    """Do what the workers would do with everything that waits, until nothing does."""

    def work() -> None:
        while True:
            reading = Proposal.objects.filter(state=Proposal.State.READING).values_list("id", flat=True)
            queued = Run.objects.filter(state=Run.State.QUEUED).order_by("-priority", "id").values_list("id", flat=True)
            jobs = [(tasks.prepare_upload, pk) for pk in reading] + [(tasks.execute_run, pk) for pk in queued]
            if not jobs:
                return
            for task, pk in jobs:
                task(pk)

    return work


@pytest.fixture
def upload(work, ines):
    """Upload rows (or bytes) into a list and confirm; returns the run. source: renew this one; None: a new one."""

    def upload(list_, rows, *, source="same", by=None, adapter="scripted", name="", confirm=True):
        body = rows if isinstance(rows, bytes) else json.dumps(rows).encode()
        proposal = uploads.start(body, by=by or ines, list_=list_, adapter=adapter, filename=name or "rows.json")
        work()
        if source != "same":
            uploads.read_again(proposal, source=source)
            work()
        proposal.refresh_from_db()
        if not confirm:
            return proposal
        assert proposal.state == Proposal.State.OPEN, proposal.error
        run = uploads.confirm(proposal, by=by or ines)
        work()
        run.refresh_from_db()
        return run

    return upload


@pytest.fixture
def live(ines, work, tmp_path):
    """A source of a list that is fetched: live(list_) makes one, its .sync(rows) brings an answer through the pipeline."""

    def live(list_, name="live", adapter="scripted_live", **details):
        path = tmp_path / f"{name}-{list_.pk}.json"
        source = services.add_source(
            list_, adapter=adapter, name=name, by=ines, config={"path": str(path)}, gap_min=0, **details
        )

        def sync(rows) -> Run:
            path.write_text(json.dumps(rows))
            run = runs.request_sync(source, by=ines, force=True).run
            work()
            run.refresh_from_db()
            return run

        source.sync = sync
        return source

    return live


@pytest.fixture
def titles():
    def titles(list_) -> list[str]:
        return list(Entry.objects.filter(list=list_).listed().order_by("rank", "id").values_list("title", flat=True))

    return titles


@pytest.fixture
def upstream(settings, db):
    """A service on loopback: upstream.answer(path, body, ...) says what it answers, upstream.seen what it was asked."""
    settings.SERVICES = {"*": {"rate": 1000, "burst": 100}}
    settings.OUTBOUND_ALLOW = ["127.0.0.1"]
    server = Upstream()
    yield server
    server.end()


@pytest.fixture
def other(upstream):
    """Somebody else's service."""
    server = Upstream()
    yield server
    server.end()
