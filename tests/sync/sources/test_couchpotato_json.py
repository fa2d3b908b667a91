"""CouchPotato's movie.list."""

import json

import pytest

from lists.records import Record, Unreadable
from sync.adapters import Context, recognise
from sync.errors import BadPayload
from sync.sources.couchpotato_json import CouchpotatoJson

INFO = {"original_title": "Hafen", "imdb": "tt0000903", "tmdb_id": 99, "year": 2021}
FILM = {"_t": "media", "status": "active", "title": "Salt Harbour", "identifiers": {"imdb": "tt0000903"}, "info": INFO}


def read(*films, **more) -> list:
    return list(CouchpotatoJson().fetch(Context(json.dumps({"movies": films, **more}).encode())))


def test_a_film_brings_its_fields_in_our_terms():
    info = INFO | {
        "runtime": 118, "plot": "A harbour.", "genres": ["Drama", "Science Fiction", "Sci-Fi"], "directors": ["Ann Vale"],
        "rating": {"imdb": [7.9, 18204]}, "released": "04 Mar 2021", "release_date": {"theater": 1614816000},
        "images": {"poster": ["https://img.example/p.jpg"], "backdrop": ["C:\\pictures\\b.jpg"]},
    }  # fmt: skip
    assert read(FILM | {"info": info, "tags": ["sea"]}) == [
        Record(
            key="imdb:tt0000903", kind="movie", position=1, ids={"imdb": "tt0000903", "tmdb": "movie/99"},
            values={
                "title": "Salt Harbour", "original_title": "Hafen", "year": 2021, "runtime_s": 7080,
                "overview": "A harbour.", "genres": ["Drama", "Sci-Fi"], "directors": ["Ann Vale"], "rating": 7.9,
                "votes": 18204, "release_date": "2021-03-04", "watch_status": "active", "labels": ["sea"],
                "poster": "https://img.example/p.jpg",
            },
        )
    ]  # fmt: skip


def test_a_film_without_an_imdb_id_goes_by_another():
    [row] = read({"title": "Salt Harbour", "info": {"tmdb_id": 99}})
    assert row.key == "tmdb:movie/99"


def test_an_answer_that_was_asked_for_a_part_says_how_many_there_are():
    ctx = Context(json.dumps({"movies": [FILM], "total": 40}).encode())
    assert len(list(CouchpotatoJson().fetch(ctx))) == 1
    assert ctx.expected == 40


def test_a_bad_film_is_named_with_its_line_and_the_rest_is_read():
    text = json.dumps({"success": True, "movies": [FILM | {"info": INFO | {"year": "soon"}}, FILM, 7]}, indent=1)
    rows = list(CouchpotatoJson().fetch(Context(text.encode())))
    assert [type(row) for row in rows] == [Unreadable, Record, Unreadable]
    assert (rows[0].line, rows[0].key) == (4, "imdb:tt0000903")
    assert rows[2].reason == "This is no film."


def test_its_answer_is_recognised_before_a_plain_list():
    body = json.dumps({"movies": [FILM], "success": True}).encode()
    assert recognise(b"\xef\xbb\xbf" + body)[0] is CouchpotatoJson
    assert CouchpotatoJson not in recognise(b'{"movies": [{"title": "Heat", "info": "x"}]}')


def test_an_answer_without_films_is_refused():
    with pytest.raises(BadPayload, match=r"no movie.list of CouchPotato.*Nothing was read"):
        list(CouchpotatoJson().fetch(Context(b'{"success": false}')))
