"""Files of other services as they come, held against what somebody else counted in them.

LISTKEEPER_SAMPLES names a folder with such files and an expected.json: {"path in the folder": {"kind", "count", "first",
"last", "ids", ...}}. The files belong to others and are not part of this project.
"""

import codecs
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lists.fields import clean
from lists.records import About, NotTaken, Record, Row, Unreadable
from sync.adapters import Context, recognise
from sync.errors import BadPayload
from sync.sources._cells import kind_of
from sync.sources.letterboxd_csv import LetterboxdCsv

FOLDER = os.environ.get("LISTKEEPER_SAMPLES", "")
ADAPTER_OF = {
    "imdb_csv": "imdb_csv",
    "stevenlu_json": "json_list",
    "trakt_list": "trakt_json",
    "arr": "arr_json",
    "cue": "cue",
    "letterboxd_csv": "letterboxd_csv",
    "simkl": "simkl_json",
    "anilist": "anilist_json",
    "couchpotato": "couchpotato_json",
    "imdb_html_next_data": "imdb_page",
    "imdb_graphql": "imdb_page",
    "imdb_title_page": "imdb_page",
    "tmdb_csv": "csv_table",
}
# A page of one title is no list: taken for one, it would say that everything else has left.
REFUSED = {"imdb_title_page": "the page of one title"}


def cases() -> list[Any]:
    if not FOLDER:
        reason = "LISTKEEPER_SAMPLES names no folder of saved files with an expected.json"
        return [pytest.param("", {}, marks=pytest.mark.skip(reason=reason))]
    expected = json.loads((Path(FOLDER) / "expected.json").read_text("utf-8"))
    return [pytest.param(path, facts, id=path) for path, facts in expected.items() if facts.get("kind") in ADAPTER_OF]


@dataclass
class Outcome:
    """What came of a file: listed are its records and rows that are no media, in order; expected is what the file says that
    its list has."""

    listed: list[Record | NotTaken] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    about: About = field(default_factory=About)
    refusal: str = ""
    read_from: Context = field(default_factory=Context)

    @property
    def expected(self) -> int | None:
        return self.read_from.expected

    @property
    def records(self) -> list[Record]:
        return [row for row in self.listed if isinstance(row, Record)]


def read(body: bytes, adapter_key: str) -> Outcome:
    formats = recognise(body)
    assert formats, "nothing recognises it"
    assert formats[0].key == adapter_key
    outcome = Outcome(read_from=Context(body))
    try:
        for row in formats[0]().fetch(outcome.read_from):
            sort_in(row, outcome)
    except BadPayload as e:
        outcome.refusal = str(e)
    return outcome


def sort_in(row: Row, outcome: Outcome) -> None:
    if isinstance(row, About):
        outcome.about = row
    elif isinstance(row, Unreadable):
        outcome.unreadable.append(row)
    else:
        outcome.listed.append(row)


def is_broken_on_purpose(path: str) -> bool:
    """Files that a strict reader refuses; what a lenient one makes of them is its own decision."""
    return "/flac/bad." in f"/{path}"


@pytest.mark.parametrize(("path", "expected"), cases())
def test_a_sample_is_recognised_and_read_as_somebody_else_counted_it(path: str, expected: dict[str, Any]) -> None:
    body = (Path(FOLDER) / path).read_bytes()
    outcome = read(body, ADAPTER_OF[expected["kind"]])
    if is_broken_on_purpose(path):
        assert outcome.records or outcome.refusal.endswith("Nothing was read.")
        return
    if says := REFUSED.get(expected["kind"]):
        assert says in outcome.refusal
        assert (outcome.listed, outcome.unreadable) == ([], [])
        return
    assert outcome.unreadable == []
    assert len(outcome.listed) == expected["count"]
    assert bool(outcome.refusal) == (expected["count"] > 0 and not outcome.records)
    for record in outcome.records:
        assert clean(record.values)
    if "encoding" in expected:
        held = codecs.lookup(expected["encoding"]).name
        assert codecs.lookup(Context(body).decoded[1]).name == held
    if outcome.records:
        CHECKS[expected["kind"]](outcome, expected)


def agrees(expected: dict[str, Any], **ours: Any) -> None:
    """Facts that the folder does not state are not compared."""
    stated = {name: expected[name] for name in ours if name in expected}
    assert {name: ours[name] for name in stated} == stated


def ends(rows: list[Any]) -> dict[str, Any]:
    return {"first": rows[0], "last": rows[-1]}


def check_imdb(outcome: Outcome, expected: dict[str, Any]) -> None:
    records = outcome.records
    types = [record.values["title_type"] for record in records]
    agrees(
        expected,
        **ends([[record.key, record.values["title"]] for record in records]),
        ids=[record.ids["imdb"] for record in records],
        title_types={word: types.count(word) for word in types},
        first_release_date=records[0].values["release_date"],
    )
    assert records[0].values["added_on"][:4] in expected["first_created"]


def check_stevenlu(outcome: Outcome, expected: dict[str, Any]) -> None:
    rows = [[record.ids.get("imdb"), record.values["title"]] for record in outcome.records]
    agrees(expected, **ends(rows), ids=[imdb for imdb, _ in rows])


def check_trakt(outcome: Outcome, expected: dict[str, Any]) -> None:
    """People are listed there too; they count, and are not taken."""
    for place, row in enumerate(outcome.listed):
        if isinstance(row, NotTaken):
            continue
        number, tmdb, title = (expected[name][place] for name in ("ids", "tmdb_ids", "titles"))
        if number is not None:
            assert row.key == row.ids["trakt"] == f"{row.kind}/{number}"
        assert row.ids.get("imdb") == expected["imdb_ids"][place]
        assert row.ids.get("tmdb") == (f"{row.kind}/{tmdb}" if tmdb else None)
        assert title == (f"S{row.values['season']}" if row.kind == "season" else row.values["title"])
    kinds = [getattr(row, "kind", "person") for row in outcome.listed]
    agrees(expected, types={kind: kinds.count(kind) for kind in kinds})


def check_arr(outcome: Outcome, expected: dict[str, Any]) -> None:
    """Radarr counts by TMDb's number, Sonarr by TVDb's."""
    rows = [
        [int(r.ids["tvdb" if r.kind == "show" else "tmdb"].split("/")[1]), r.values["title"], r.values["year"]]
        for r in outcome.records
    ]
    agrees(
        expected,
        **ends(rows),
        ids=[number for number, _, _ in rows],
        titles=[title for _, title, _ in rows],
        imdb=[record.ids.get("imdb") for record in outcome.records],
        monitored=[bool(record.values["monitored"]) for record in outcome.records],
    )


def check_cue(outcome: Outcome, expected: dict[str, Any]) -> None:
    times = [None if s is None else round(s * 1000) for s in expected["index01_seconds"]]
    assert [record.values.get("cue_ms") for record in outcome.records] == times
    facts = outcome.about.facts
    # Of a track that nobody knows a sheet says "ID", and we say nothing.
    told = [[n, *(None if word == "ID" else word for word in words)] for n, *words in expected.get("items", ())]
    agrees(
        expected | ({"items": told} if told else {}),
        items=[[r.position, r.values.get("title"), r.values.get("artist")] for r in outcome.records],
        album_title=outcome.about.title or None,
        album_performer=facts.get("performer"),
    )
    assert ("file" in facts) == (expected["files"] == 1)


def check_letterboxd(outcome: Outcome, expected: dict[str, Any]) -> None:
    rows = [[r.values["address"], r.values["title"], str(r.values["year"])] for r in outcome.records]
    agrees(
        expected,
        **ends(rows),
        ids=[address for address, _, _ in rows],
        list_name=outcome.about.title,
        columns=[column["name"] for column in LetterboxdCsv().columns(outcome.read_from)],
    )
    assert [f"https://boxd.it/{record.ids['letterboxd']}" for record in outcome.records] == expected["ids"]


def numbers(outcome: Outcome, namespace: str) -> list[list[Any]]:
    return [[int(r.ids[namespace].partition("/")[2]), r.values["title"]] for r in outcome.records]


def check_simkl(outcome: Outcome, expected: dict[str, Any]) -> None:
    rows, kinds = numbers(outcome, "simkl"), [record.kind for record in outcome.records]
    agrees(expected, **ends(rows), ids=[number for number, _ in rows])
    agrees(expected, shows=kinds.count("show"), movies=kinds.count("movie"))


def check_anilist(outcome: Outcome, expected: dict[str, Any]) -> None:
    """The sample has the numbers of MyAnimeList only, and manga behind the anime."""
    rows = numbers(outcome, "mal")
    assert [number for number, _ in rows] == expected["ids"][: len(rows)]
    assert rows[0] == expected["first"]
    assert {row.what for row in outcome.listed[len(rows) :] if isinstance(row, NotTaken)} == {"manga"}


def check_couchpotato(outcome: Outcome, expected: dict[str, Any]) -> None:
    rows = [[record.ids["imdb"], record.values["title"]] for record in outcome.records]
    agrees(expected, **ends(rows), ids=[imdb for imdb, _ in rows])
    assert outcome.expected == expected["count"]


def check_imdb_page(outcome: Outcome, expected: dict[str, Any]) -> None:
    records = outcome.records
    agrees(
        expected,
        **ends([[record.key, record.values["title"]] for record in records]),
        ids=[record.ids["imdb"] for record in records],
        years=[record.values["year"] for record in records],
    )
    assert [record.kind for record in records] == [kind_of(word) for word in expected["types"]]
    assert outcome.expected == expected["stated_total"]


def check_tmdb_csv(outcome: Outcome, expected: dict[str, Any]) -> None:
    rows = [
        [r.ids["tmdb"].removeprefix(f"{r.kind}/"), r.values["title"], {"show": "tv"}.get(r.kind, r.kind)]
        for r in outcome.records
    ]
    agrees(expected, **ends(rows), ids=[number for number, _, _ in rows])


CHECKS: dict[str, Callable[[Outcome, dict[str, Any]], None]] = {
    "imdb_csv": check_imdb,
    "stevenlu_json": check_stevenlu,
    "trakt_list": check_trakt,
    "arr": check_arr,
    "cue": check_cue,
    "letterboxd_csv": check_letterboxd,
    "simkl": check_simkl,
    "anilist": check_anilist,
    "couchpotato": check_couchpotato,
    "imdb_html_next_data": check_imdb_page,
    "imdb_graphql": check_imdb_page,
    "tmdb_csv": check_tmdb_csv,
}
