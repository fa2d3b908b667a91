"""What the tests of syncs share."""

import json

import pytest
from django.urls import reverse

from lists.models import Account, Source
from sync import definitions, runs
from sync.models import Run
from tests.sync.sources.stand_ins import all_at


@pytest.fixture
def page(client, ines):
    """The text of a page as Ines sees it."""
    client.force_login(ines)

    def page(name: str, *args, **params) -> str:
        response = client.get(reverse(f"sync:{name}", args=args), params)
        assert response.status_code == 200, f"{name}: {response.status_code}"
        return response.content.decode()

    return page


@pytest.fixture
def fetched(films, ines, upstream, work, settings):
    """fetched(kind, answers, secrets) makes a source of the list; its .sync() reads it now."""
    settings.SERVICES = all_at(upstream.url)
    settings.RETRY_PAUSES_S = (0.0,)
    settings.IMDB_GRAPHQL = True

    def fetched(
        adapter: str, config: dict | None = None, secrets: dict | None = None, path: str = "", list_=None
    ) -> Source:
        source = definitions.add_fetched(
            list_ or films, adapter=adapter, by=ines, config=config or {}, address=f"{upstream.url}{path}" if path else "",
            gap_min=0,
        )  # fmt: skip
        if secrets:
            source.account = Account.objects.create(
                owner=ines, service=adapter, name=f"Mine {source.pk}", secrets=json.dumps(secrets)
            )
            source.save()

        def sync() -> Run:
            run = runs.request_sync(source, by=ines, force=True).run
            work()
            run.refresh_from_db()
            return run

        source.sync = sync
        return source

    return fetched
