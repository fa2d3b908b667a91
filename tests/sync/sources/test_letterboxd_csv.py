"""Letterboxd's files: what each column means there, lists in two parts, diaries, and the layout of its importer."""

import pytest

from lists.records import About, Record, Unreadable
from sync.adapters import Context, recognise
from sync.errors import BadPayload
from sync.sources.csv_table import CsvTable
from sync.sources.letterboxd_csv import LetterboxdCsv

WATCHLIST = "Date,Name,Year,Letterboxd URI\n2024-01-02,Salt Harbour,2021,https://boxd.it/aB1\n"
RATINGS = "Date,Name,Year,Letterboxd URI,Rating\n2024-01-02,Salt Harbour,2021,https://boxd.it/aB1,3.5\n"
DIARY = "Date,Name,Year,Letterboxd URI,Rating,Rewatch,Tags,Watched Date\n"
REVIEWS = "Date,Name,Year,Letterboxd URI,Rating,Rewatch,Review,Tags,Watched Date\n"
LIST = """Letterboxd list export v7
Date,Name,Tags,URL,Description
2025-02-03,Lighthouses,"sea, night",https://boxd.it/LsT1,"Films; with a lighthouse.

Position,Name,Year,URL,Description
In no order, really."

Position,Name,Year,URL,Description
1,"Salt, Harbour",2021,https://boxd.it/aB1,"Seen
at home"
2,Lantern Year,1962,https://boxd.it/aB2,
"""
IMPORT = "LetterboxdURI,tmdbID,imdbID,Title,Year,Directors,Rating,Rating10,WatchedDate,Rewatch,Tags,Review\n"
UID = "0f8fad5b-d9cb-469f-a165-70867728950e"


def read(text: str) -> list:
    return list(LetterboxdCsv().fetch(Context(text.encode())))


def test_a_watchlist_has_the_films_address_and_the_day_it_was_put_there():
    assert read(WATCHLIST) == [
        Record(
            key="letterboxd:aB1", kind="movie", ids={"letterboxd": "aB1"}, position=1, line=2,
            values={"title": "Salt Harbour", "year": 2021, "added_on": "2024-01-02", "address": "https://boxd.it/aB1"},
        )
    ]  # fmt: skip


@pytest.mark.parametrize(("stars", "rating"), [("5", 10.0), ("3.5", 7.0), ("0.5", 1.0), ("4,5", 9.0)])
def test_ratings_are_of_five_there_and_of_ten_here(stars, rating):
    [row] = read(RATINGS.replace("3.5", f'"{stars}"'))
    assert (row.values["your_rating"], row.values["rated_on"]) == (rating, "2024-01-02")
    assert "added_on" not in row.values
    assert "rating" not in row.values


@pytest.mark.parametrize(("stars", "reason"), [("7", "from 0 to 5"), ("good", "must be a number")])
def test_a_rating_beyond_five_is_named_and_the_film_counts_as_present(stars, reason):
    [row] = read(RATINGS.replace("3.5", stars))
    assert isinstance(row, Unreadable)
    assert (row.line, row.key) == (2, "letterboxd:aB1")
    assert reason in row.reason


def test_a_list_says_first_what_it_is():
    about, first, second = read(LIST)
    assert about == About(
        "Lighthouses",
        {
            "url": "https://boxd.it/LsT1",
            "tags": "sea, night",
            "description": "Films; with a lighthouse.\n\nPosition,Name,Year,URL,Description\nIn no order, really.",
        },
    )
    assert (first.key, first.position, first.line) == ("letterboxd:aB1", 1, 9)
    assert first.values == {
        "title": "Salt, Harbour", "year": 2021, "address": "https://boxd.it/aB1", "note": "Seen\nat home",
    }  # fmt: skip
    assert (second.ids, second.line) == ({"letterboxd": "aB2"}, 11)


def test_a_list_without_films_is_an_empty_list():
    [about] = read(LIST[: LIST.rindex('1,"Salt')])
    assert about.title == "Lighthouses"


def test_the_address_in_a_diary_is_not_the_films():
    [row] = read(DIARY + '2024-01-03,Salt Harbour,2021,https://boxd.it/4wyHj9,4.5,Yes,"sea, night",2024-01-01\n')
    assert (row.key, row.ids) == ("salt harbour|2021|", {})
    assert row.values == {
        "title": "Salt Harbour", "year": 2021, "address": "https://boxd.it/4wyHj9", "your_rating": 9.0, "rewatch": 1,
        "labels": ["sea", "night"], "watched_on": "2024-01-01", "added_on": "2024-01-03",
    }  # fmt: skip


def test_a_film_logged_several_times_is_one_with_what_was_said_last():
    rows = read(
        REVIEWS
        + "2024-03-03,Salt Harbour,2021,https://boxd.it/log3,,Yes,,,2024-03-02\n"
        + "2024-01-03,Salt Harbour,2021,https://boxd.it/log1,4.5,,Good,sea,2024-01-01\n"
        + "2024-02-03,Lantern Year,1962,https://boxd.it/log2,2,,,,\n"
        + "2024-01-09,Salt Harbour,1950,https://boxd.it/log4,,,,,\n"
    )
    assert [(row.key, row.position, row.line) for row in rows] == [
        ("salt harbour|2021|", 1, 2), ("lantern year|1962|", 2, 4), ("salt harbour|1950|", 3, 5),
    ]  # fmt: skip
    assert rows[0].values == {
        "title": "Salt Harbour", "year": 2021, "address": "https://boxd.it/log3", "rewatch": 1, "note": "Good",
        "your_rating": 9.0, "labels": ["sea"], "watched_on": "2024-03-02", "added_on": "2024-03-03",
    }  # fmt: skip
    assert "rewatch" not in rows[1].values


def test_the_layout_of_the_importer_is_read_with_the_ids_it_has():
    rows = read(
        IMPORT
        + 'https://boxd.it/aB1,99,tt0000903,Salt Harbour,2021,"Ann Vale, Bo Renn",4,7,2024-01-01,true,sea,Good\n'
        + ",,,Lantern Year,1962,,,,,false,,\n"
    )
    assert rows[0].key == "imdb:tt0000903"
    assert rows[0].ids == {"imdb": "tt0000903", "tmdb": "movie/99", "letterboxd": "aB1"}
    assert rows[0].values == {
        "address": "https://boxd.it/aB1", "title": "Salt Harbour", "year": 2021, "directors": ["Ann Vale", "Bo Renn"],
        "your_rating": 7.0, "watched_on": "2024-01-01", "rewatch": 1, "labels": ["sea"], "note": "Good",
    }  # fmt: skip
    assert (rows[1].key, rows[1].values) == ("lantern year|1962|", {"title": "Lantern Year", "year": 1962})


def test_an_address_alone_says_which_film_it_is():
    [row] = read("LetterboxdURI,Rating\nhttps://boxd.it/aB1,4\n")
    assert (row.key, row.values["your_rating"]) == ("letterboxd:aB1", 8.0)


def test_a_row_of_our_own_export_names_its_entry_and_loses_the_guard():
    head = "LetterboxdURI,tmdbID,imdbID,Title,Year,Directors,Rating10,WatchedDate,Tags,Review,Listkeeper\n"
    [row] = read(f"{head}https://boxd.it/aB1,,,'=Salt,2021,,7.5,,,'-30-,{UID}/12@7\n")
    assert row.ref == f"{UID}/12@7"
    # The address was made of the id: it is no word of the list's own.
    assert row.values == {"title": "=Salt", "year": 2021, "your_rating": 7.5, "note": "-30-"}
    assert row.ids == {"letterboxd": "aB1"}


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (RATINGS, ["rated_on", "title", "year", "address", "your_rating"]),
        (LIST, ["position", "title", "year", "address", "note"]),
        (DIARY, ["added_on", "title", "year", "address", "your_rating", "rewatch", "labels", "watched_on"]),
        ("Title,Colour,WatchedDate,Rating,Rating10\n", ["title", None, "watched_on", None, "your_rating"]),
    ],
)
def test_the_preview_shows_what_each_column_became(text, fields):
    assert [column["field"] for column in LetterboxdCsv().columns(Context(text.encode()))] == fields


@pytest.mark.parametrize(
    "text",
    [WATCHLIST, RATINGS, DIARY, REVIEWS, LIST, IMPORT, "Title,Year,Directors,Rating,WatchedDate\nHeat,1995,,4,\n"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_each_file_is_recognised_by_its_content(text, encoding):
    assert recognise(text.replace("\n", "\r\n").encode(encoding))[0] is LetterboxdCsv


@pytest.mark.parametrize(
    "text",
    [
        "Title,Year,Rating\nHeat,1995,8\n",
        "Position,Name,Year,URL\n1,Heat,1995,https://films.example/1\n",
        "Const,Title,WatchedOn\ntt0113277,Heat,\n",
    ],
)
def test_other_tables_are_not_taken_for_letterboxds(text):
    assert recognise(text.encode())[0] is not LetterboxdCsv


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("Date Joined,Username,Given Name,Bio\n2018-03-01,ines,Ines,Films\n", "the profile"),
        ("Date,Content,Comment\n2025-02-10,https://boxd.it/63bVcl,Good\n", "the comments"),
        ("Date,Content\n2025-02-10,https://boxd.it/63bVcl\n", "likes of other people's lists and reviews"),
    ],
)
def test_files_of_an_account_that_hold_no_films_are_refused_and_offered_by_nobody(text, what):
    assert recognise(text.encode()) == []
    assert CsvTable not in recognise(text.encode())
    with pytest.raises(BadPayload, match=rf"{what}.* holds no films\. Nothing was read\. Take watchlist\.csv"):
        read(text)


def test_a_table_without_the_columns_is_refused():
    with pytest.raises(BadPayload, match=r"no header with the columns Name, Year and Letterboxd URI.*Nothing was read"):
        read("a,b\n1,2\n")


def test_a_page_in_place_of_the_file_is_refused():
    with pytest.raises(BadPayload, match="This is a web page, not an export of Letterboxd"):
        read("<!DOCTYPE html><html></html>")


def test_a_row_that_breaks_off_is_named_and_the_rest_is_read():
    rows = read(WATCHLIST + "2024-01-03,Lantern Ye")
    assert [type(row) for row in rows] == [Record, Unreadable]
    assert (rows[1].line, rows[1].reason) == (3, "The row breaks off after 2 of 4 cells.")
