"""Which thing a record means."""

import pytest

from lists import services
from lists.match import Matcher
from lists.models import Conflict, Entry, ExternalId, Item
from lists.records import Record


def record(title="Heat", year=1995, kind="movie", **ids) -> Record:
    return Record(f"{title}{year}{ids}", kind, {"title": title, "year": year} if year else {"title": title}, ids)


def match(*records: Record, create: bool = True):
    return Matcher(create=create).match(records)


@pytest.mark.django_db
class TestMatching:
    def test_an_id_says_more_than_a_name(self):
        [first] = match(record(imdb="tt0113277"))
        [second] = match(record("Heat – Director's Cut", 1996, imdb="tt0113277"))
        assert second.item == first.item

    def test_a_second_id_joins_the_item_when_it_appears(self):
        [first] = match(record(imdb="tt0113277"))
        [second] = match(record(imdb="tt0113277", tmdb="movie/949"))
        [third] = match(record("Another name", 2001, tmdb="movie/949"))
        assert first.item == second.item == third.item

    def test_title_and_year_join_what_has_no_id_in_common(self):
        [first] = match(record(imdb="tt0113277"))
        [second] = match(record(tmdb="movie/949"))
        assert second.item == first.item
        assert set(ExternalId.objects.values_list("namespace", flat=True)) == {"imdb", "tmdb"}

    def test_a_title_alone_joins_nothing(self):
        first, second = match(record("Heat", None, imdb="tt0113277"), record("Heat", None, imdb="tt0000001"))
        assert first.item != second.item
        [third] = match(record("Heat", None))
        assert third.item is None

    def test_two_films_of_one_title_and_year_stay_two(self):
        first, second = match(record("Twins", 1988, imdb="tt1"), record("Twins", 1988, imdb="tt2"))
        assert first.item != second.item
        [unsure] = match(record("Twins", 1988))
        assert (unsure.item, unsure.doubt) == (None, "match")
        assert set(unsure.candidates) == {first.item, second.item}

    def test_a_show_is_not_the_film_of_its_name(self):
        [film] = match(record("Fargo", 1996))
        [show] = match(record("Fargo", 1996, kind="show"))
        assert film.item != show.item

    def test_numbers_of_a_film_and_a_show_are_not_the_same_id(self):
        film, show = match(record("A", 1990, tmdb="movie/603"), record("B", 1991, kind="show", tmdb="show/603"))
        assert film.item != show.item

    def test_ids_that_disagree_are_never_merged(self):
        [first] = match(record(imdb="tt1"))
        [second] = match(record("Other", 2000, tmdb="movie/2"))
        [both] = match(record("Heat", 1995, imdb="tt1", tmdb="movie/2"))
        assert (both.item, both.doubt, set(both.candidates)) == (first.item, "ids", {first.item, second.item})

    def test_things_without_ids_are_not_equal_for_that(self):
        first, second = match(record("One", 1990), record("Two", 1990))
        assert first.item != second.item

    def test_looking_makes_nothing_and_sees_the_same_doubles(self):
        matcher = Matcher(create=False)
        [first] = matcher.match([record(imdb="tt1")])
        [again] = matcher.match([record("Renamed", 2001, imdb="tt1")])
        assert first.item == again.item < 0
        assert not Item.objects.exists()


@pytest.mark.covers("LIST-05", "LIST-06")
def test_a_doubtful_match_waits_for_a_person(films, upload):
    twins = [{"key": f"tt{n}", "ids": {"imdb": f"tt{n}"}, "title": "Twins", "year": 1988} for n in (1, 2)]
    upload(films, twins)
    run = upload(films, [{"key": "letter", "title": "Twins", "year": 1988}], source=None)
    entry = Entry.objects.get(claims__key="letter")
    assert entry.item is None
    assert run.conflicted == 1
    conflict = Conflict.objects.get(entry=entry)
    assert (conflict.kind, len(conflict.options)) == ("match", 2)


@pytest.mark.covers("LIST-05")
def test_two_lists_share_one_item(films, upload, ines):
    other = services.create_list(ines, name="Other")
    row = [{"key": "tt1", "ids": {"imdb": "tt1"}, "title": "Heat", "year": 1995}]
    upload(films, row)
    upload(other, row)
    assert Item.objects.count() == 1
    assert Entry.objects.filter(item=Item.objects.get()).count() == 2


def test_a_record_whose_ids_now_name_another_thing_is_asked_about(films, upload):
    upload(films, [{"key": "k", "ids": {"imdb": "tt1"}, "title": "Heat", "year": 1995}])
    upload(films, [{"key": "k2", "ids": {"imdb": "tt2"}, "title": "Ran", "year": 1985}], source=None)
    first = films.sources.order_by("id")[0]
    upload(films, [{"key": "k", "ids": {"imdb": "tt2"}, "title": "Heat", "year": 1995}], source=first)
    entry = Entry.objects.get(claims__key="k")
    assert str(entry.item) == "Heat (1995)"
    assert Conflict.objects.get(entry=entry).kind == "ids"


@pytest.fixture
def twice(films, live):
    """Heat stands twice: one source says its year and its id, the other one called it Heat and nothing more at first."""
    live(films, "sure").sync([HEAT | {"key": "a1", "ids": {"imdb": "tt1"}}])
    other = live(films, "short")
    other.sync([{"key": "b7", "title": "Heat"}])
    return other


HEAT = {"title": "Heat", "year": 1995}


@pytest.mark.covers("LIST-06")
@pytest.mark.parametrize("ids", [{}, {"imdb": "tt1"}])
def test_an_entry_that_turns_out_to_be_what_another_one_is_is_asked_about(films, twice, titles, ines, ids):
    again = {"key": "b7", **HEAT, "ids": ids}
    assert twice.sync([again]).conflicted == 1
    conflict = Conflict.objects.get()
    heat = Item.objects.get()
    assert (conflict.kind, conflict.entry, conflict.state) == ("match", Entry.objects.get(claims__key="b7"), "open")
    assert conflict.options == [{"item": heat.pk, "title": "Heat (1995)"}]
    twice.sync([again | {"rating": 8.0}])
    assert Conflict.objects.get() == conflict, "it is asked once"
    services.edit_entries(films, {conflict.entry.pk: {"overview": "Mine."}}, by=ines)
    services.decide_identity(conflict, by=ines, item=heat.pk)
    twice.sync([again | {"rating": 9.0}])
    shown = Entry.objects.listed().get(list=films)
    assert (shown.item, shown.rating, shown.overview) == (heat, 9.0, "Mine.")
    assert shown.claims.count() == 2


def test_two_films_of_one_name_stay_two_once_a_person_has_said_so(films, twice, titles, ines):
    twice.sync([{"key": "b7", **HEAT}])
    services.decide_identity(Conflict.objects.get(), by=ines, item=None)
    twice.sync([{"key": "b7", **HEAT, "rating": 9.0}])
    assert titles(films) == ["Heat", "Heat"]
    assert Entry.objects.filter(item=None).count() == Conflict.objects.filter(state="open").count() == 0
