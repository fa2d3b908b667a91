"""`manage.py preview ADDRESS`: what lies there, told as of a file, with nothing kept."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from lists.models import Account, Entry, Item, MediaList, Proposal, Source
from sync.models import Run
from tests.sync.sources.stand_ins import Shown, all_at, csv_films, json_films, tmdb_film
from tests.upstream import Reply, as_body


@pytest.fixture
def preview(upstream, settings, ines):
    settings.SERVICES = all_at(upstream.url)
    settings.RETRY_PAUSES_S = (0.0,)

    def preview(address: str, *options: str) -> str:
        out = io.StringIO()
        call_command("preview", address, *options, stdout=out)
        return out.getvalue()

    yield preview
    kept = [model.__name__ for model in (Source, MediaList, Item, Entry, Proposal, Run) if model.objects.exists()]
    assert kept == []


def films(count: int) -> list[int]:
    return list(range(1, count + 1))


@pytest.mark.covers("SRC-07")
def test_what_lies_at_an_address_is_told_as_of_a_file(preview, upstream):
    upstream.answer("/list.json", json_films(Shown(films(3)))[0])
    told = preview(f"{upstream.url}/list.json")
    assert told.splitlines()[:2] == ["JSON list at an address (json_url)", "3 read (films)"]
    assert "     1  Film 1  movie imdb:tt0000001" in told
    said = json.loads(preview(f"{upstream.url}/list.json", "--json", "--limit", "1"))
    assert (said["format"], said["count"], len(said["records"]), said["stated"]) == ("json_url", 3, 1, None)


def test_what_it_is_is_found_out_or_named(preview, upstream):
    body, headers = csv_films(Shown(films(2)))
    upstream.answer("/export", body, headers=headers)
    assert "(csv_url)" in preview(f"{upstream.url}/export")
    with pytest.raises(CommandError, match="something else than data"):
        preview(f"{upstream.url}/export", "--format", "json_url")
    with pytest.raises(CommandError, match="no such kind of source"):
        preview(f"{upstream.url}/export", "--format", "anything")


@pytest.mark.covers("SRC-10")
def test_it_is_read_with_an_account_and_says_how_much_there_is(preview, upstream, ines, jonas):
    page = {"page": 1, "results": [tmdb_film(n) for n in films(2)], "total_pages": 2, "total_results": 4}
    upstream.replies["/4/list/7"] = [Reply(as_body(page)), Reply(b"{}", 500)]
    Account.objects.create(owner=ines, service="tmdb", name="Mine", state="ok", secrets='{"token": "hush-token"}')
    address = "https://www.themoviedb.org/list/7"
    with pytest.raises(CommandError, match="Say whose account it is"):
        preview(address, "--account", "Mine")
    with pytest.raises(CommandError, match="There is no account “Mine”"):
        preview(address, "--account", "Mine", "--user", "jonas")
    told = preview(address, "--account", "Mine", "--user", "ines")
    assert "2 read (films), 4 stated" in told
    assert "It broke off: TMDb is in trouble (500)." in told
    assert upstream.seen[0].headers["Authorization"] == "Bearer hush-token"
    assert "hush" not in told


@pytest.mark.parametrize(("reply", "words"), [
    (Reply(b"{}", 404), "has nothing at this address any more"), (Reply(b"{}", 403), "does not show this to visitors"),
    (Reply(b"<html>Soon</html>", headers={"Content-Type": "text/html"}), "We know no list at this address"),
])  # fmt: skip
def test_what_cannot_be_read_is_told_in_a_sentence(preview, upstream, reply, words):
    upstream.replies["/export"] = [reply]
    with pytest.raises(CommandError, match=words):
        preview(f"{upstream.url}/export")
    with pytest.raises(CommandError, match="no address of the web"):
        preview("https://")
