"""Lists of films in the layout that Letterboxd's importer takes."""

import csv
import io

import pytest

from lists import services
from lists.exports import EXPORTS
from lists.models import Entry

HEADER = (
    "LetterboxdURI", "tmdbID", "imdbID", "Title", "Year", "Directors", "Rating10", "WatchedDate", "Tags", "Review",
    "Listkeeper",
)  # fmt: skip
WHOLE = {
    "key": "1", "ids": {"letterboxd": "aB1", "tmdb": "movie/99", "imdb": "tt0000903"}, "title": "Salt, Harbour", "year": 2021,
    "directors": ["Ann Vale", "Bo Renn"], "your_rating": 8.0, "watched_on": "2024-01-01", "labels": ["sea", "night"],
    "note": 'Said "good"\ntwice',
}  # fmt: skip


def table(list_, version=None) -> list[dict[str, str]]:
    body = b"".join(EXPORTS["letterboxd"].write(list_, user=None, version=version)).decode()
    return list(csv.DictReader(io.StringIO(body, newline=""), strict=True))


def test_a_film_fills_the_columns_of_the_importer(films, upload):
    upload(films, [WHOLE])
    [row] = table(films)
    assert tuple(row) == HEADER
    assert row == {
        "LetterboxdURI": "https://boxd.it/aB1", "tmdbID": "99", "imdbID": "tt0000903", "Title": "Salt, Harbour",
        "Year": "2021", "Directors": "Ann Vale, Bo Renn", "Rating10": "8", "WatchedDate": "2024-01-01",
        "Tags": "sea, night", "Review": 'Said "good"\ntwice', "Listkeeper": f"{films.uid}/{Entry.objects.get().pk}@1",
    }  # fmt: skip


def test_what_the_list_does_not_know_is_an_empty_cell(films, upload):
    upload(films, [{"key": "1", "title": "Lantern Year"}])
    [row] = table(films)
    assert {name for name, cell in row.items() if cell} == {"Title", "Listkeeper"}


@pytest.mark.parametrize("kind", ["show", "season", "episode"])
def test_what_is_no_film_is_left_out_because_the_importer_would_take_it_for_one(films, upload, kind):
    upload(
        films,
        [{"key": "1", "kind": kind, "title": "Quiet Rooms", "ids": {"tmdb": f"{kind}/1396"}}, WHOLE | {"key": "2"}],
    )
    assert [row["Title"] for row in table(films)] == ["Salt, Harbour"]


@pytest.mark.covers("SRC-20")
def test_no_cell_is_a_formula(films, upload):
    words = ["=1+1", "+1", "-30-", "@midnight", "'=quoted already", "＝1"]
    upload(films, [{"key": f"{n}", "title": word, "note": word, "labels": [word]} for n, word in enumerate(words)])
    for row in table(films):
        assert row["Title"] == row["Review"] == row["Tags"]
        assert row["Title"].startswith("'")


def test_the_number_of_a_show_is_not_written_as_a_films(films, upload):
    upload(films, [WHOLE | {"ids": {"tmdb": "show/1396"}}])
    assert [row["tmdbID"] for row in table(films)] == [""]


def test_it_shows_the_list_as_it_was_then(films, upload):
    upload(films, [WHOLE])
    upload(films, [WHOLE | {"title": "Another"}])
    first, second = films.versions.order_by("number")
    assert [row["Title"] for row in table(films, first)] == ["Salt, Harbour"]
    assert [(row["Title"], row["Listkeeper"][-2:]) for row in table(films, second)] == [("Another", "@2")]


def test_only_lists_of_films_are_offered_it(ines, films):
    assert EXPORTS["letterboxd"].fits(films)
    assert not EXPORTS["letterboxd"].fits(services.create_list(ines, name="Mix", content="tracks"))
