"""IMDb's exports of every year, and our own in the same layout."""

import pytest

from lists.records import NotTaken, Record, Unreadable
from sync.adapters import Context, recognise
from sync.errors import BadPayload
from sync.sources.imdb_csv import ImdbCsv, parse_row

UID = "0f8fad5b-d9cb-469f-a165-70867728950e"


def read(text: str) -> list:
    return list(ImdbCsv().fetch(Context(text.encode())))


def one(**cells: str):
    cells = {"id:imdb": "tt0113277", "title": "Heat"} | {
        name.replace("id_", "id:"): cell for name, cell in cells.items()
    }
    return parse_row(cells, place=1)


def test_every_column_arrives_in_our_terms():
    head = "Position,Const,Created,Modified,Description,Title,Original Title,URL,Title Type,IMDb Rating,Runtime (mins),"
    head += "Year,Genres,Num Votes,Release Date,Directors,Your Rating,Date Rated\n"
    row = '7,tt0113277,2024-01-02,2024-01-05,"seen, twice",Heat,Feuer,https://www.imdb.com/title/tt0113277/,Movie,8.3,170,'
    row += '1995,"Action, Crime",750000,1995-12-15,"Michael Mann, A. Body",9,2024-01-03\n'
    [record] = read(head + row)
    assert record == Record(
        key="tt0113277",
        kind="movie",
        ids={"imdb": "tt0113277"},
        position=7,
        line=2,
        values={
            "title": "Heat", "original_title": "Feuer", "year": 1995, "release_date": "1995-12-15", "runtime_s": 10_200,
            "rating": 8.3, "votes": 750_000, "genres": ["Action", "Crime"], "directors": ["Michael Mann", "A. Body"],
            "title_type": "Movie", "your_rating": 9.0, "rated_on": "2024-01-03", "added_on": "2024-01-02",
            "note": "seen, twice", "address": "https://www.imdb.com/title/tt0113277/",
        },
    )  # fmt: skip


@pytest.mark.parametrize(
    "header",
    [
        '"position","const","created","Title","Title type","You rated","Num. Votes","Release Date (month/day/year)"',
        "POSITION;CONST;CREATED;TITLE;TITLE TYPE;YOUR RATING;NUM VOTES;RELEASE DATE",
        "sep=;\nPosition;Const;Created;Title;Title Type;Your Rating;Num Votes;Release Date",
        "Position\tConst\tCreated\tTitle\tTitle Type\tjdoe rated\tNum Votes\tRelease Date",
    ],
)
def test_a_header_is_known_by_its_names_in_any_spelling(header):
    sign = next(sign for sign in ";\t," if sign in header.splitlines()[-1])
    row = sign.join(["1", "tt0113277", "Sat Apr 23 08:36:35 2011", "Heat", "Feature Film", "9", "750000", "12/15/1995"])
    body = f"{header}\n{row}\n"
    assert recognise(body.encode())[0] is ImdbCsv
    [record] = read(body)
    assert record.values == {
        "added_on": "2011-04-23", "title": "Heat", "title_type": "Feature Film", "your_rating": 9.0, "votes": 750_000,
        "release_date": "1995-12-15", "year": 1995,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "date", "year"),
    [
        ("1995-12-15", "1995-12-15", 1995),
        ("Fri Dec 15 00:00:00 1995", "1995-12-15", 1995),
        ("12/15/1995", "1995-12-15", 1995),
        ("3/4/2010", "2010-03-04", 2010),
        ("1995-12", "1995-12", 1995),
        ("1995", "1995", 1995),
        ("", None, None),
    ],
)
def test_all_dates_of_all_years_of_exports_are_read(cell, date, year):
    values = one(release_date=cell).values
    assert (values.get("release_date"), values.get("year")) == (date, year)


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("Movie", "movie"), ("movie", "movie"), ("Feature Film", "movie"), ("TV Movie", "movie"), ("tvMovie", "movie"),
        ("Video", "movie"), ("Short", "movie"), ("tvShort", "movie"), ("TV Special", "movie"), ("musicVideo", "movie"),
        ("TV Series", "show"), ("tvSeries", "show"), ("TV Mini Series", "show"), ("tvMiniSeries", "show"),
        ("Mini-Series", "show"), ("TV Episode", "episode"), ("tvEpisode", "episode"), ("Video Game", "other"),
        ("podcastEpisode", "other"), ("Podcast Series", "other"), ("", "movie"), ("Something New", "movie"),
    ],
)  # fmt: skip
def test_title_types_old_and_new_become_kinds(word, kind):
    assert one(title_type=word).kind == kind


def test_genres_are_spelled_as_imdb_spells_them_now():
    assert one(genres="action, sci_fi, film_noir, reality_tv, Sci-Fi").values["genres"] == [
        "Action", "Sci-Fi", "Film-Noir", "Reality-TV",
    ]  # fmt: skip


def test_persons_are_not_taken_and_a_list_of_them_is_refused():
    rows = ImdbCsv().fetch(
        Context(b"Position,Const,Name,Known For\n1,nm0000134,A. Body,Heat\n2,nm0000199,B. Body,Heat\n")
    )
    assert [next(rows), next(rows)] == [NotTaken(2, "person"), NotTaken(3, "person")]
    with pytest.raises(BadPayload, match="holds no media: 2 persons"):
        next(rows)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,tt0113277,Heat,abc,8.3", "Year must be a year"),
        ("1,tt0113277,Heat,1995,good", "Rating must be a number"),
        ("one,tt0113277,Heat,1995,8.3", "Position must be a whole number"),
        ("1,tt0113277,Heat, the film,1995,8.3", "6 cells where the header has 5"),
        ("1,tt0113277,Heat", "breaks off after 3 of 5 cells"),
    ],
)
def test_a_bad_row_is_named_with_its_line_and_key_and_the_rest_is_read(row, reason):
    good = "2,tt0211915,Amélie,2001,8.3\n"
    rows = read(f"Position,Const,Title,Year,IMDb Rating\n{good}\n{row}")
    assert [type(r) for r in rows] == [Record, Unreadable]
    assert (rows[1].line, rows[1].key) == (4, "tt0113277")
    assert reason in rows[1].reason
    assert rows[1].text.startswith(row[:10])


def test_an_id_that_is_none_makes_the_row_unreadable():
    [row] = read("Const,Title\ntt12,Heat\n")
    assert (row.line, row.key) == (2, None)
    assert '"tt12" is no IMDb id' in row.reason


def test_a_row_without_a_position_has_its_place():
    assert [row.position for row in read("Const,Title\ntt0113277,Heat\ntt0211915,Amélie\n")] == [1, 2]


def test_the_address_says_who_it_is_where_the_id_is_missing():
    [row] = read("Const,Title,URL\n,Heat,http://www.imdb.com/title/tt0113277/\n")
    assert (row.key, row.ids) == ("tt0113277", {"imdb": "tt0113277"})


def test_our_own_columns_are_read_back():
    row = one(
        ref=f"{UID}/12@7", id_imdb="", id_tmdb="movie/949", id_tvdb="show/334824", kind="show", title="Dark",
        genres="Science Fiction, drama", release_date="2017-12-01",
    )  # fmt: skip
    assert (row.ref, row.kind, row.key) == (f"{UID}/12@7", "show", "tmdb:movie/949")
    assert row.ids == {"tmdb": "movie/949", "tvdb": "show/334824"}
    assert row.values == {"title": "Dark", "genres": ["Science Fiction", "drama"], "release_date": "2017-12-01"}


def test_a_row_of_ours_without_any_id_goes_by_its_name():
    assert one(ref=f"{UID}/12@7", id_imdb="", title="Heat", year="1995").key == "heat|1995|"


def test_a_row_of_ours_says_only_what_its_cells_say():
    row = one(
        ref=f"{UID}/12@7", id_imdb="", title="Heat (1995)", address="https://www.imdb.com/title/tt0113277/",
        release_date="1995-12-15",
    )  # fmt: skip
    assert row.ids == {}
    assert "year" not in row.values
    assert row.values["title"] == "Heat (1995)"


@pytest.mark.parametrize("cell", ["=1+1", "+x", "-x", "@x", "=cmd|' /C calc'!A0"])
def test_the_guard_against_formulas_leaves_with_our_own_rows_only(cell):
    assert one(title=f"'{cell}", ref=f"{UID}/12@7").values["title"] == cell
    assert one(title=f"'{cell}").values["title"] == f"'{cell}"


def test_an_apostrophe_of_the_title_stays():
    assert one(title="'Round Midnight", ref=f"{UID}/12@7").values["title"] == "'Round Midnight"


@pytest.mark.parametrize("ref", ["", "12@7", f"{UID}/x@7", "=HYPERLINK()"])
def test_a_mark_that_is_none_of_ours_is_no_mark(ref):
    assert one(ref=ref).ref is None


def test_columns_say_what_they_became():
    columns = ImdbCsv().columns(
        Context(b"Const,Modified,Title,TMDb\ntt0113277,2024-01-01,,movie/949\ntt0211915,,Heat,\n")
    )
    assert [(c["name"], c["field"], c["example"]) for c in columns] == [
        ("Const", "id:imdb", "tt0113277"),
        ("Modified", None, "2024-01-01"),
        ("Title", "title", "Heat"),
        ("TMDb", "id:tmdb", "movie/949"),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("<!DOCTYPE html><html></html>", "This is a web page, not an IMDb export"),
        ("a,b\n1,2\n", "no header with the columns Const and Title"),
        ('Const,Title\ntt0113277,"Heat\ntt0211915,Amélie\n', "quotation mark is opened and never closed"),
    ],
)
def test_a_file_that_is_none_is_refused_as_a_whole(text, says):
    with pytest.raises(BadPayload, match=says):
        read(text)


def test_a_cell_of_a_megabyte_is_read():
    [row] = read(f'Const,Title,Description\ntt0113277,Heat,"{"x" * 2**20}"\n')
    assert len(row.values["note"]) == 10_000
