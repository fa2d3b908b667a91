"""Secrets are sent to their service, and stand nowhere else whatever goes wrong."""

import io
import json
import logging
import logging.config

import pytest
from django.conf import settings as live_settings
from rest_framework.test import APIClient

from lists import services
from lists.models import Account, Source
from sync import runs
from sync.models import Breaker, Run
from tests.stored import everything_stored, exported, shown_in_admin

TOKEN, IN_QUERY, IN_PATH = "hush-token-1", "hush-query-2", "hush-path-3"
FAULTS = [
    {"status": 500}, {"status": 401}, {"status": 404}, {"status": 429}, {"body": "<html></html>"}, {"cut": 5},
    {"reset": True}, {"status": 302, "headers": {"Location": "ftp://x/?token=hush-token-1"}}, {"body": b"[{]"},
    {"chunks": [b"zz\r\n"]},
]  # fmt: skip


@pytest.fixture
def log():
    """All that is logged, down to the least of it, as the console would show it."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    configured = logging.config.DictConfigurator(live_settings.LOGGING)
    handler.setFormatter(configured.configure_formatter(dict(live_settings.LOGGING["formatters"]["line"])))
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield out
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.mark.covers("SAFE-09")
def test_secrets_stand_nowhere_after_ten_kinds_of_failure(films, ines, staff, client, upstream, work, log):
    account = Account.objects.create(owner=ines, service="scripted", name="Mine", secrets=json.dumps({"token": TOKEN}))
    address = f"{upstream.url.replace('://', f'://ada:{IN_PATH}@')}/list?api_key={IN_QUERY}"
    source = services.add_source(films, adapter="scripted_remote", name="Remote", by=ines, address=address, gap_min=0)
    Source.objects.filter(pk=source.pk).update(account=account)
    for fault in FAULTS:
        upstream.answer("/list", **{"body": [1, 2, 3], **fault})
        runs.request_sync(source, by=ines, force=True)
        work()
        Run.objects.filter(state=Run.State.WAITING).delete()
        Breaker.objects.update(state="closed", open_until=None, failures=0)
    sent = str(upstream.seen)
    assert TOKEN in sent
    assert IN_QUERY in sent
    assert Run.objects.filter(state=Run.State.FAILED).count() == len(FAULTS)
    mine = APIClient()
    mine.force_authenticate(staff)
    client.force_login(staff)
    told = {
        "log": log.getvalue(), "database": everything_stored(), **shown_in_admin(client), **exported(films),
        **{at: mine.get(f"/api/v1/{at}/").content.decode() for at in ("runs", "breakers", "audit", f"lists/{films.pk}/sources")},
    }  # fmt: skip
    assert "Remote" in told["database"]
    for secret in (TOKEN, IN_QUERY, IN_PATH):
        assert {at: text[max(0, text.find(secret) - 100) :][:200] for at, text in told.items() if secret in text} == {}


def test_the_log_shows_no_login_of_an_exception(log):
    try:
        raise OSError(f"no answer of http://ada:{IN_PATH}@x.example/get.php?username=ada&password={IN_QUERY}")
    except OSError:
        logging.getLogger("anything").exception("it broke")
    assert "OSError" in log.getvalue()
    assert "hush" not in log.getvalue()
