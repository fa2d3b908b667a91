"""What a source said last is loaded in pieces, and is the same whatever the pieces are."""

import pytest

from lists.dialects import postgresql
from lists.errors import ListMoved
from lists.known import NOWHERE, Known
from lists.models import Claim
from lists.records import Unchanged


@pytest.fixture
def source(films, live):
    raw = live(films, adapter="scripted_raw", grace=0)
    raw.sync([{"key": f"tt{n}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990} for n in range(5)])
    return raw


@pytest.mark.parametrize("at_once", [1, 2, 5, 50])
def test_every_claim_is_loaded_with_its_mark(source, monkeypatch, at_once):
    monkeypatch.setattr(postgresql, "AT_ONCE", at_once)
    first, second, third = Claim.objects.order_by("id")[:3]
    Claim.objects.filter(pk=first.pk).update(position=None, missing=2)
    Claim.objects.filter(pk=second.pk).update(mark=b"")
    claims = list(Claim.objects.order_by("id"))

    known = Known(source, marks=True)
    assert list(known.pks) == [claim.pk for claim in claims]
    assert list(known.entries) == [claim.entry_id for claim in claims]
    assert list(known.positions) == [NOWHERE, *(claim.position for claim in claims[1:])]
    assert list(known.missing) == [2, 0, 0, 0, 0]
    marks = {bytes(claim.mark): number for number, claim in enumerate(claims) if claim.mark}
    assert {mark: known.marks.get(mark) for mark in marks} == marks
    assert known.marks.get(b"") is None, "no row is known by a mark that it does not have"
    assert known.marks[bytes(third.mark)] == 2


def test_a_claim_that_came_or_went_since_is_no_other_one(source):
    known, rows = Known(source), [Unchanged([0, 1, 2], [None] * 3)]
    assert [row.key for row in known.spelled_out(rows)] == ["tt0", "tt1", "tt2"]
    first, second = Claim.objects.order_by("id")[:2]
    Claim.objects.filter(pk=second.pk).delete()
    with pytest.raises(ListMoved):
        list(known.spelled_out(rows))
    for pk in (second.pk, second.pk + 100):
        Claim.objects.create(
            pk=pk, source=source, key=f"new {pk}", entry=first.entry, kind="movie", digest=b"", first_at=first.first_at
        )
    late = Known(source)
    known.pks = known.pks[:1] + known.pks[2:]
    assert late.find(["tt0", f"new {pk}"])["tt0"][0] == 0
    for key in (f"new {second.pk}", f"new {pk}"):
        with pytest.raises(ListMoved):
            known.find(["tt0", key])


def test_nothing_is_known_of_a_source_that_said_nothing(source):
    Claim.objects.filter(source=source).delete()
    assert (len(Known(source, marks=True)), Known(source, marks=True).marks, Known(None).marks) == (0, {}, {})


def test_what_comes_and_goes_at_the_top_moves_no_other_claim(source, films, titles):
    rows = [{"key": f"tt{n}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990} for n in range(9)]
    places = dict(Claim.objects.values_list("key", "position"))
    for some in ([5, 0, 1, 2, 3, 4], [7, 6, 5, 0, 1, 8, 2, 3, 4], [6, 5, 0, 1, 8, 2, 4]):
        source.sync([rows[n] for n in some])
        assert titles(films) == [f"Film {n}" for n in some]
        now = dict(Claim.objects.values_list("key", "position"))
        assert sorted(now, key=now.get) == [f"tt{n}" for n in some]
        assert {key: place for key, place in now.items() if key in places} == {
            key: place for key, place in places.items() if key in now
        }
        places |= now


def test_a_row_that_comes_unreadable_and_readable_has_one_place(source, films, titles):
    rows = [{"key": f"tt{n}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990} for n in range(5)]
    stood = []
    for turn in range(4):
        source.sync(
            [*rows[:2], {"broken": "tt2"}, {"broken": "tt2"}, rows[3], {**rows[2], "rating": turn // 2}, rows[4]]
        )
        stood.append(dict(Claim.objects.values_list("key", "position")))
        assert titles(films) == [f"Film {n}" for n in range(5)]
    assert stood == stood[:1] * 4


def test_a_row_that_comes_unreadable_first_stands_where_it_is_stated(films, live, titles):
    source = live(films, grace=0)
    rows = [{"key": f"tt{n}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990} for n in range(3)]
    source.sync(rows)
    source.sync([{**rows[0], "position": 3}, {"broken": "tt1"}, {**rows[2], "position": 1}, {**rows[1], "position": 2}])
    assert titles(films) == ["Film 2", "Film 1", "Film 0"]
