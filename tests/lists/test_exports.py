"""Lists as files: whole, in order, and readable by programs that we did not write."""

import csv
import io
import json
import tracemalloc

import pytest

from lists.exports import EXPORTS, Export, _base, register
from lists.exports.imdb_csv import IMDB, OURS, PLAYS, guarded
from lists.models import Entry, ExternalId, Item

NASTY = [
    'He said "No", twice',
    "Comma, semicolon; tab\there",
    "Two\nlines",
    "=HYPERLINK(1)",
    "+1 (555)",
    "-30-",
    "@midnight",
    "'=quoted already",
    "Amélie 東京 😀 עברית",
    "Ends with a backslash\\",
]


def film(n, **more):
    return {"key": f"tt{n:07}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990 + n % 30, **more}


OF_FILMS = sorted(key for key, format_ in EXPORTS.items() if "films" in format_.contents)


def export(list_, key: str) -> str:
    return b"".join(EXPORTS[key].write(list_, user=list_.owner)).decode()


def table(list_) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(export(list_, "csv"), newline=""), strict=True))


def unguarded(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and guarded(cell[1:]) == cell else cell


@pytest.mark.covers("SRC-06")
def test_every_value_comes_back_out_of_the_csv(films, upload):
    upload(films, [film(n, title=title, note=title, genres=["Drama", "Sci-Fi"]) for n, title in enumerate(NASTY, 1)])
    rows = table(films)
    assert [unguarded(row["Title"]) for row in rows] == NASTY
    assert [unguarded(row["Description"]) for row in rows] == NASTY
    assert {row["Genres"] for row in rows} == {"Drama, Sci-Fi"}
    assert [row["Position"] for row in rows] == [str(n) for n in range(1, len(NASTY) + 1)]


@pytest.mark.covers("SRC-06")
def test_no_cell_of_a_csv_is_a_formula(films, upload):
    upload(films, [film(n, title=title, note=title) for n, title in enumerate(NASTY, 1)])
    cells = [cell for row in table(films) for cell in row.values()]
    assert not [cell for cell in cells if cell[:1] in ("=", "+", "-", "@", "\t", "\r")]
    assert {"'=HYPERLINK(1)", "'-30-", "'@midnight", "''=quoted already"} <= set(cells)


@pytest.mark.covers("SRC-06")
def test_the_csv_has_the_columns_of_imdb_and_ours_behind_them(films, upload):
    upload(films, [
        film(1, rating=8.0, your_rating=7.5, runtime_s=5400, votes=12, release_date="1991-05", directors=["Ann", "Bo"],
             original_title="Eins", address="https://www.imdb.com/title/tt0000001/", title_type="Movie",
             added_on="2020-01-02", rated_on="2021-02-03"),
    ])  # fmt: skip
    text = export(films, "csv")
    assert text.splitlines()[0] == ",".join((*IMDB, *OURS))
    assert text.endswith("\r\n")
    entry = Entry.objects.get()
    assert table(films) == [
        {
            "Position": "1", "Const": "tt0000001", "Created": "2020-01-02", "Modified": "", "Description": "",
            "Title": "Film 1", "Original Title": "Eins", "URL": "https://www.imdb.com/title/tt0000001/",
            "Title Type": "Movie", "IMDb Rating": "8", "Runtime (mins)": "90", "Year": "1991", "Genres": "",
            "Num Votes": "12", "Release Date": "1991-05", "Directors": "Ann, Bo", "Your Rating": "7.5",
            "Date Rated": "2021-02-03", "Listkeeper": f"{films.uid}/{entry.pk}@1", "TMDb": "", "TVDb": "",
            "Kind": "movie",
        }
    ]  # fmt: skip


def test_ids_are_those_of_the_item_and_of_what_was_merged_with_it(films, upload):
    upload(films, [film(1, ids={"imdb": "tt0000001", "tmdb": "movie/603"}), film(2)])
    root = Item.objects.get(title="Film 1")
    other = Item.objects.create(kind="show", title="Film 1", name="film 1", merged_into=root, root=root)
    ExternalId.objects.create(item=other, namespace="tvdb", value="show/81189")
    ExternalId.objects.create(item=other, namespace="imdb", value="tt7777777")
    first, second = table(films)
    assert (first["Const"], first["TMDb"], first["TVDb"]) == ("tt0000001", "movie/603", "show/81189")
    assert (second["Const"], second["TMDb"], second["TVDb"]) == ("tt0000002", "", "")
    Entry.objects.filter(item=root).update(item=other)
    assert table(films)[0]["Const"] == "tt0000001"


def test_a_length_that_is_no_whole_minute_keeps_its_seconds(films, upload):
    upload(films, [film(1, runtime_s=205), film(2, runtime_s=7200), film(3)])
    assert [row["Runtime (mins)"] for row in table(films)] == ["0:03:25", "120", ""]


def test_a_tracklist_has_artists_and_times_in_its_csv(upload):
    play = {"kind": "track", "artist": "-Ann"}
    run = upload(
        None, [{**play, "key": "1", "title": "A", "cue_ms": 0}, {**play, "key": "2", "title": "B", "cue_ms": 3_725_040}]
    )
    rows = table(run.list)
    assert list(rows[0]) == [*IMDB, *OURS, *PLAYS]
    assert [(row["Artist"], row["Title"], row["Start"]) for row in rows] == [
        ("'-Ann", "A", "0:00:00"),
        ("'-Ann", "B", "1:02:05.040"),
    ]


@pytest.mark.parametrize("kind", ["movie", "track"])
def test_the_json_holds_everything_that_the_list_shows(upload, kind):
    upload_rows = [
        {**film(n, title=title, overview=title * 3, rating=7.25, genres=["Drama"], cue_ms=1000 * n), "kind": kind}
        for n, title in enumerate(NASTY, 1)
    ]
    list_ = upload(None, upload_rows).list
    list_.refresh_from_db()
    document = json.loads(export(list_, "json"))
    assert document["listkeeper"] == 1
    head = document["list"]
    assert head.pop("exported_at")
    assert head == {
        "uid": str(list_.uid), "name": list_.name, "description": "", "content": list_.content, "tags": [],
        "facts": list_.facts, "version": 1,
    }  # fmt: skip
    assert len(document["entries"]) == len(NASTY)
    for place, (shown, entry) in enumerate(
        zip(document["entries"], Entry.objects.order_by("rank", "id"), strict=True), 1
    ):
        assert (shown.pop("entry"), shown.pop("position"), shown.pop("kind")) == (entry.pk, place, kind)
        assert shown.pop("ids") == {"imdb": f"tt{place:07}"}
        assert shown.pop("first_listed_at")
        assert shown == entry.values


@pytest.mark.parametrize("key", ["csv", "json"])
def test_an_empty_list_is_a_whole_file(films, key):
    text = export(films, key)
    assert json.loads(text)["entries"] == [] if key == "json" else text.splitlines() == [",".join((*IMDB, *OURS))]


@pytest.mark.parametrize("key", OF_FILMS)
def test_what_has_left_the_list_is_not_in_its_export(films, upload, key):
    upload(films, [film(n) for n in range(1, 6)])
    upload(films, [film(n) for n in range(2, 6)])
    text = export(films, key)
    assert "Film 1" not in text
    assert text.count("Film ") == 4
    assert f"@{2}" in text or '"version":2' in text


def peak_of(list_, key: str) -> int:
    """Bytes that writing takes at its highest, the parts thrown away as a client takes them."""
    tracemalloc.start()
    for _ in EXPORTS[key].write(list_, user=list_.owner):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.covers("SRC-06", "OPS-12")
def test_a_long_list_takes_few_queries_and_no_more_memory_than_a_short_one(
    films, upload, django_assert_max_num_queries
):
    rows = [film(n, overview="x" * 500) for n in range(1, 3001)]
    upload(films, rows[:1000])
    short = {key: peak_of(films, key) for key in OF_FILMS}
    upload(films, rows)
    for key in OF_FILMS:
        with django_assert_max_num_queries(4 + 2 * 6):
            assert b"".join(EXPORTS[key].write(films, user=films.owner)).count(b"Film ") == 3000
        assert peak_of(films, key) < 1.4 * short[key]


def test_an_export_is_of_the_version_that_it_names(films, upload, monkeypatch):
    """Another version is published between the question for the current one and the first row."""
    upload(films, [film(1), film(2)])
    asked = []
    ask = _base._current

    def publish_behind_it(list_):
        current = ask(list_)
        asked.append(current)
        if len(asked) == 1:
            upload(films, [film(1), film(2), film(3)])
        return current

    monkeypatch.setattr(_base, "_current", publish_behind_it)
    assert [row["Listkeeper"].rpartition("@")[2] for row in table(films)] == ["2", "2", "2"]


@pytest.mark.parametrize(
    ("name", "filename"),
    [
        ("Films", "Films.csv"),
        ("a/b\\c: \"d\"\r\nX-Evil: 1", "a b c d X-Evil 1.csv"),
        ("…", "….csv"),
        ("..", "list.csv"),
        ("Köln", "Köln.csv"),
    ],
)  # fmt: skip
def test_a_filename_can_be_stored_anywhere(films, name, filename):
    films.name = name
    assert EXPORTS["csv"].filename(films) == filename


def test_two_exports_cannot_share_a_key():
    class Twin(Export):
        key = "csv"

    with pytest.raises(ValueError, match="two exports"):
        register(Twin)
