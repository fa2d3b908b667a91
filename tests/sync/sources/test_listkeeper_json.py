"""Our own JSON export, read back."""

import json

import pytest

from lists.records import About, Record, Unreadable
from sync.adapters import Context, recognise
from sync.errors import BadPayload
from sync.sources.listkeeper_json import ListkeeperJson

UID = "0f8fad5b-d9cb-469f-a165-70867728950e"


def export(*entries, **list_) -> bytes:
    head = {"uid": UID, "name": "Crime", "content": "films", "version": 7, "facts": {"event": "winter"}} | list_
    return json.dumps({"listkeeper": 1, "list": head, "entries": list(entries)}).encode()


def read(*entries, **list_) -> list:
    return list(ListkeeperJson().fetch(Context(export(*entries, **list_))))[1:]


def test_every_entry_says_which_entry_and_version_it_was():
    entry = {
        "entry": 12, "kind": "show", "ids": {"tvdb": "show/334824", "xtream:7": "55"}, "title": "Dark", "year": 2017,
        "genres": ["Science Fiction"], "rating": 8.7, "release_date": "2017-12", "season": None, "note": "",
    }  # fmt: skip
    assert list(ListkeeperJson().fetch(Context(export(entry)))) == [
        About("Crime", {"event": "winter"}),
        Record(
            key="tvdb:show/334824", kind="show", ids={"tvdb": "show/334824", "xtream:7": "55"}, position=1,
            ref=f"{UID}/12@7",
            values={"title": "Dark", "year": 2017, "genres": ["Science Fiction"], "rating": 8.7,
                    "release_date": "2017-12"},
        ),
    ]  # fmt: skip


def test_an_entry_that_a_person_added_has_no_mark():
    [row] = read({"title": "Heat", "year": 1995})
    assert (row.ref, row.key, row.kind) == (None, "heat|1995|", "movie")


@pytest.mark.parametrize(("content", "kind"), [("films", "movie"), ("tracks", "track"), ("channels", "channel")])
def test_the_kind_of_an_entry_that_does_not_say_is_the_lists(content, kind):
    assert read({"title": "x"}, content=content)[0].kind == kind


def test_two_plays_of_one_track_are_two_rows():
    play = {"kind": "track", "title": "Light", "artist": "Ann"}
    assert [row.key for row in read(play | {"entry": 1}, play | {"entry": 2})] == ["001", "002"]


@pytest.mark.parametrize(
    ("entry", "reason", "key"),
    [
        ("Heat", "This is no entry", None),
        ({"title": "Heat", "colour": "red"}, "There is no field called colour", None),
        ({"title": "Heat", "year": "1995"}, "Year must be a whole number", None),
        ({"title": "Heat", "year": 99999}, "Year must be a year", None),
        ({"title": "Heat", "cue_ms": -5}, "Starts at must not be negative", None),
        ({"title": "Heat", "rating": 85}, "from 0 to 10", None),
        ({"title": "Heat", "release_date": "soon"}, "Release date must be a date", None),
        ({"title": "Heat", "release_date": "12/15/1995"}, "Release date must be a date", None),
        ({"title": "Heat", "genres": "Crime"}, "Genres must be a list", None),
        ({"title": {"a": 1}}, "Title must be text", None),
        ({"title": "Heat", "ids": {"imdb": "nm1"}}, "no IMDb id", None),
        ({"title": "Heat", "kind": "person"}, "cannot be of the kind person", None),
        ({"ids": {"imdb": "tt0113277"}, "year": "soon"}, "Year must be", "imdb:tt0113277"),
        ({}, "neither a title nor an id", None),
    ],
)
def test_an_entry_that_cannot_be_read_is_named_and_the_rest_is_read(entry, reason, key):
    rows = read(entry, {"title": "Dark"})
    assert [type(row) for row in rows] == [Unreadable, Record]
    assert reason in rows[0].reason
    assert (rows[0].line, rows[0].key) == (1, key)


@pytest.mark.parametrize(
    ("top", "says"),
    [
        ({"listkeeper": 2, "list": {}, "entries": []}, "another version of Listkeeper"),
        ({"listkeeper": 1}, "it has no entries"),
        ({"listkeeper": 1, "entries": {}}, "it has no entries"),
        ([1], "it has no entries"),
    ],
)
def test_an_export_that_cannot_be_read_is_refused(top, says):
    with pytest.raises(BadPayload, match=says):
        list(ListkeeperJson().fetch(Context(json.dumps(top).encode())))


def test_an_export_without_its_list_has_no_marks():
    body = json.dumps({"listkeeper": 1, "entries": [{"entry": 1, "title": "Heat"}]}).encode()
    rows = list(ListkeeperJson().fetch(Context(body)))
    assert rows[0] == About("")
    assert rows[1].ref is None


def test_an_export_is_recognised_before_any_other_list():
    assert recognise(export({"title": "Heat"}))[0] is ListkeeperJson
