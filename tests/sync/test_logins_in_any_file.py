"""Logins that come in files which are no playlists, in names of files and in what is told about a file."""

import json

import pytest
from django.db import connection

from lists.models import Entry, Proposal
from sync import uploads

PASSWORD = "h0rse-s3cret"
STREAM = f"http://tv.example:8080/live/ada/{PASSWORD}"
FILM = f"http://tv.example:8080/movie/ada/{PASSWORD}"
CHANNELS = "Title,URL,Kind\n" + "".join(f"Harbour {n},{STREAM}/{n}.ts,channel\n" for n in range(1, 4))
FILMS = json.dumps([{"title": f"Salt {n}", "year": 1987, "url": f"{FILM}/{n}.mkv"} for n in range(1, 4)])
WORDS = json.dumps({
    "listkeeper": 1,
    "list": {"name": f"http://ada:{PASSWORD}@tv.example/", "content": "films"},
    "entries": [{
        "kind": "movie", "title": "Salt Rooms", "labels": [f"http://ada:{PASSWORD}@tv.example/"],
        "ids": {"home": f"http://ada:{PASSWORD}@tv.example/"},
    }],
})  # fmt: skip
REFUSED = json.dumps({"error": f"Could not fetch http://tv.example/get.php?username=ada&password={PASSWORD}"})


def cut_at(place: int) -> str:
    """A row that cannot be read, whose excerpt ends in the middle of a password."""
    start = f"Salt,no year,,http://ada:{PASSWORD[:4]}"
    return f"Title,Year,Note,URL\nGood,1990,,\nBad,no year,{'x' * (place - len(start))},http://ada:{PASSWORD}@tv.example/\n"


@pytest.fixture
def handed_in(ines, work, db):
    def handed_in(text: str, filename: str = "list") -> Proposal:
        proposal = uploads.start(text.encode(), by=ines, filename=filename)
        work()
        proposal.refresh_from_db()
        if proposal.state == Proposal.State.OPEN:
            uploads.confirm(proposal, by=ines)
            work()
            proposal.refresh_from_db()
        return proposal

    return handed_in


def stored() -> str:
    with connection.cursor() as cursor:
        texts = []
        for table in connection.introspection.table_names():
            if table.endswith("_words"):
                continue  # an index of three signs at a time; SQLite reads it only by what is searched
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            texts.append(repr(cursor.fetchall()))
    return "\n".join(texts)


@pytest.mark.covers("SAFE-10", "SRC-23")
@pytest.mark.parametrize("text", [CHANNELS, FILMS, WORDS, REFUSED, cut_at(190), cut_at(200)], ids=range(6))
def test_a_login_in_any_file_is_kept_nowhere_in_the_open(handed_in, text):
    proposal = handed_in(text)
    assert proposal.error or Entry.objects.exists()
    assert PASSWORD[:4] not in stored()


def test_a_channel_of_a_table_keeps_its_address_with_names_in_place_of_the_login(handed_in):
    handed_in(CHANNELS)
    assert (
        Entry.objects.get(title="Harbour 2").extra["address"]
        == "http://tv.example:8080/live/{username}/{password}/2.ts"
    )


def test_the_name_of_a_file_is_kept_without_the_login_that_it_was_fetched_with(handed_in):
    proposal = handed_in("Title,Year\nHeat,1995\n", f"get.php?username=ada&password={PASSWORD}&type=m3u_plus")
    assert proposal.filename == "get.php?username={}&password={}&type=m3u_plus"
    assert PASSWORD not in stored()
