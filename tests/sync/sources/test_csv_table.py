"""Any table with a header, its columns guessed or mapped by a person."""

import pytest

from lists.records import NotTaken, Record, Unreadable
from sync.adapters import Context, recognise
from sync.errors import BadPayload
from sync.sources.csv_table import CsvTable


def read(text: str, **config) -> list:
    return list(CsvTable().fetch(Context(text.encode(), config)))


def targets(text: str, **config) -> list:
    return [column["field"] for column in CsvTable().columns(Context(text.encode(), config))]


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("Title,Year\nHeat,1995\n", ["title", "year"]),
        ("Film;Jahr;Regie\nHeat;1995;Michael Mann\n", ["title", "year", "directors"]),
        ("name\treleaseYear\timdbId\nHeat\t1995\ttt0113277\n", ["title", "year", "id:imdb"]),
        ("TMDb ID,Type,Name,Vote Average\n949,movie,Heat,8.1\n", ["id:tmdb", "kind", "title", "rating"]),
        ("what,name\ntt0113277,Heat\n", ["id:imdb", "title"]),
        ("tt0113277,Heat\ntt0211915,Amélie\n", ["id:imdb", "title"]),
        ("tt0113277,1995,Heat\n", ["id:imdb", None, "title"]),
        ("Artist,Track,Time\nAnn,Light,1:02:03\n", ["artist", "title", "cue_ms"]),
        ("Title,Date\nHeat,yesterday\nDark,today\n", ["title", None]),
        ("Name,Title\nx,Heat\n", [None, "title"]),
        ("title\nHeat\n", ["title"]),
    ],
)
def test_columns_are_guessed_by_name_and_content(text, fields):
    assert targets(text) == fields
    assert all(isinstance(row, Record) for row in read(text))


def test_a_person_overrules_the_guess():
    text = "Title,Score,Words,Other\nHeat,tt0113277,again,x\n"
    mapping = {"1": "id:imdb", 2: "note", "3": ""}
    assert targets(text, mapping=mapping) == ["title", "id:imdb", "note", None]
    [row] = read(text, mapping=mapping)
    assert (row.key, row.values) == ("imdb:tt0113277", {"title": "Heat", "note": "again"})


def test_a_field_that_a_person_gives_to_another_column_leaves_its_own():
    assert targets("Title,Name\nHeat,Feuer\n", mapping={"1": "title"}) == [None, "title"]


@pytest.mark.parametrize(
    ("mapping", "says"),
    [
        ({"0": "colour"}, "There is no field called colour"),
        ({"9": "title"}, "There is no column 9"),
        ({"first": "title"}, "There is no column first"),
        ({"²": "title"}, "There is no column ²"),
        ([1], "must name a field for each column"),
    ],
)
def test_a_mapping_that_fits_nothing_is_refused(mapping, says):
    with pytest.raises(BadPayload, match=says):
        read("Title\nHeat\n", mapping=mapping)


def test_every_choice_of_the_mapping_form_is_a_target():
    for target, label in CsvTable.targets:
        assert label
        assert targets("Title,x\nHeat,\n", mapping={"1": target})[1] == (target or None)


def test_columns_show_their_first_example_even_if_nothing_can_be_used():
    columns = CsvTable().columns(Context(b"a,b\n,2\n1,3\n"))
    assert columns == [{"name": "a", "field": None, "example": "1"}, {"name": "b", "field": None, "example": "2"}]


@pytest.mark.parametrize(
    ("cells", "kind", "ids"),
    [
        ("movie,603", "movie", {"tmdb": "movie/603"}),
        ("tv,1396", "show", {"tmdb": "show/1396"}),
        (",tv/1396", "show", {"tmdb": "show/1396"}),
        (",https://www.themoviedb.org/movie/603-the-matrix", "movie", {"tmdb": "movie/603"}),
        (",tmdb://603", "movie", {"tmdb": "movie/603"}),
        (",603.0", "movie", {"tmdb": "movie/603"}),
        ("Video Game,", "other", {}),
    ],
)
def test_numbers_carry_their_kind(cells, kind, ids):
    [row] = read(f"Name,Type,TMDb\nSome,{cells}\n")
    assert (row.kind, row.ids) == (kind, ids)


@pytest.mark.parametrize(("config", "kind"), [({}, "movie"), ({"kind": "show"}, "show"), ({"kind": "track"}, "track")])
def test_the_kind_of_a_row_that_does_not_say_is_the_uploaders(config, kind):
    assert read("Title\nDark\n", **config)[0].kind == kind


def test_a_table_of_tracks_is_known_by_its_columns_and_keeps_every_play():
    rows = read("Artist,Title,Start\nAnn,Light (2019),00:00\nAnn,Light (2019),5:23\n")
    assert [(r.kind, r.key, r.values) for r in rows] == [
        ("track", "001", {"artist": "Ann", "title": "Light (2019)", "cue_ms": 0}),
        ("track", "002", {"artist": "Ann", "title": "Light (2019)", "cue_ms": 323_000}),
    ]


def test_persons_are_not_taken():
    assert read("Name,Type\nA. Body,person\nHeat,movie\n")[0] == NotTaken(2, "person")


@pytest.mark.parametrize(
    ("row", "values"),
    [
        ("Heat (1995),,,", {"title": "Heat", "year": 1995}),
        ("Heat (1995),1996,,", {"title": "Heat (1995)", "year": 1996}),
        ("Heat,1995–1998,,", {"title": "Heat", "year": 1995}),
        ("Heat,,2h 50m,", {"title": "Heat", "runtime_s": 10_200}),
        ("Heat,,2:50:00,", {"title": "Heat", "runtime_s": 10_200}),
        ('Heat,,170,"750,000"', {"title": "Heat", "runtime_s": 10_200, "votes": 750_000}),
        ("Heat,n/a,-,\\N", {"title": "Heat"}),
        ("None,,,", {"title": "None"}),
    ],
)
def test_cells_are_read_as_people_write_them(row, values):
    assert read(f"Title,Year,Runtime,Votes\n{row}\n")[0].values == values


@pytest.mark.parametrize(
    ("cell", "date"),
    [
        ("2010-04-13T01:02:03Z", "2010-04-13"),
        ("13/04/2010", "2010-04-13"),
        ("04/13/2010", "2010-04-13"),
        ("03/04/2010", "2010"),
        ("13.4.2010", "2010-04-13"),
        ("Apr 13, 2010", "2010-04-13"),
        ("13 April 2010", "2010-04-13"),
    ],
)
def test_a_date_says_as_much_as_is_sure(cell, date):
    assert read(f'Title,Released\nHeat,"{cell}"\n')[0].values["release_date"] == date


def test_one_row_that_says_nothing_is_named_and_the_rest_is_read():
    rows = read("Title,Year\nHeat,1995\n,2001\nDark,1\nAmélie,2001\n\n")
    assert [type(row) for row in rows] == [Record, Unreadable, Unreadable, Record]
    assert (rows[1].line, rows[1].reason) == (3, "There is neither a title nor an id.")
    assert rows[2].reason == 'Year must be a year such as 1995, not "1".'
    assert rows[3].position == 4


def test_a_bad_row_whose_id_is_known_counts_as_present():
    [row] = read("Title,Year,imdb\nHeat,x,tt0113277\n")
    assert row.key == "imdb:tt0113277"


def test_rows_keep_the_places_that_they_state():
    assert [row.position for row in read("#,Rank,Title\n1,3,Heat\n2,1,Dark\n")] == [3, 1]


def test_short_rows_and_empty_cells_behind_the_last_column_do_no_harm():
    rows = read("Title,Year,Note\nHeat\nDark,2017,,,,\n")
    assert [row.values for row in rows] == [{"title": "Heat"}, {"title": "Dark", "year": 2017}]


def test_a_line_break_in_a_cell_is_part_of_it():
    rows = read('Title,Note\nHeat,"one\ntwo"\nDark,\n')
    assert [(row.line, row.values.get("note")) for row in rows] == [(2, "one\ntwo"), (4, None)]


def test_the_header_may_stand_below_a_preamble():
    text = "My export v7\nDate,Name,URL\n2024-01-01,My list,https://boxd.it/x\n\n"
    text += "Position,Name,Year,URL,Description\n1,Heat,1995,https://boxd.it/y,good\n"
    [row] = read(text)
    assert (row.line, row.position) == (6, 1)
    assert row.values == {"title": "Heat", "year": 1995, "address": "https://boxd.it/y", "note": "good"}


def test_our_own_rows_are_known_by_their_mark_and_lose_the_guard():
    uid = "0f8fad5b-d9cb-469f-a165-70867728950e"
    rows = read(f"Name,Year,Listkeeper\n'=Heat,1995,{uid}/12@7\n'=Dark,2017,\n")
    assert [(row.ref, row.values["title"]) for row in rows] == [(f"{uid}/12@7", "=Heat"), (None, "'=Dark")]


def test_a_link_says_who_it_is():
    [row] = read("Title,URL\nHeat,https://www.imdb.com/title/tt0113277/?ref_=x\n")
    assert row.ids == {"imdb": "tt0113277"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("colour,size\nred,4\n", "No column holds a title or an id. The columns are: colour, size."),
        (",,,\n,,\n", "no rows"),
        ("<html><body>Title,Year</body></html>", "This is a web page, not a table"),
    ],
)
def test_a_file_without_anything_usable_is_refused(text, says):
    with pytest.raises(BadPayload, match=says.replace(".", r"\.")):
        read(text)


@pytest.mark.parametrize(
    "text", ["Title,Year\nHeat,1995\n", "x,y\n1,2\n", "tt0113277\ntt0211915\n", "imdb_id\ntt0113277\n"]
)
def test_tables_are_recognised(text):
    assert CsvTable in recognise(text.encode())


@pytest.mark.parametrize(
    "text", ["Just a sentence.\nAnd one more, with a comma.\n", "#EXTM3U\n", "<rss></rss>", "[1, 2]"]
)
def test_other_texts_are_not_taken_for_tables(text):
    assert CsvTable not in recognise(text.encode())
