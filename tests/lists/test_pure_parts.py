"""The small pure parts, each as a table: titles, order, ranks, packing, the guard, alignment, fields."""

import random
from array import array
from itertools import count

import pytest

from lists import fields, labels, order, packed
from lists.align import Play, align, plays_of
from lists.guard import Limits, must_ask
from lists.titles import fold, is_unknown_track, name_key, sort_key, split_year


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Amélie", "AMELIE"),
        ("Tom & Jerry", "Tom and Jerry"),
        ("Ocean's Eleven", "Ocean’s Eleven"),
        ("WALL·E", "Wall E"),
        ("Łódź", "lodz"),
        ("Straße", "Strasse"),
    ],
)
def test_spellings_of_one_title_fold_to_the_same(a, b):
    assert fold(a) == fold(b)


@pytest.mark.parametrize(("a", "b"), [("二十四の灯", "겨울의 온도"), ("$", "!!!"), ("Alien", "Aliens"), ("Up", "Us")])
def test_different_titles_stay_different(a, b):
    assert fold(a) != fold(b)
    assert fold(a)


def test_articles_do_not_count_when_sorting():
    assert sort_key("The Matrix") == "matrix"
    assert sort_key("The") == "the"
    assert sort_key("") > sort_key("zzz")


def test_a_year_at_the_end_is_no_part_of_the_title():
    assert split_year("Heat (1995)") == ("Heat", 1995)
    assert split_year("2001: A Space Odyssey") == ("2001: A Space Odyssey", None)
    assert split_year("(1999)") == ("(1999)", 1999)


def test_rows_without_ids_are_known_by_title_year_and_artist():
    assert name_key("Heat", 1995) == name_key("HEAT", 1995) != name_key("Heat", 1986)


@pytest.mark.parametrize("title", ["ID", "id - id", "", None, "Unknown"])
def test_a_play_that_nobody_named(title):
    assert is_unknown_track("ID", title)


@pytest.mark.parametrize(
    ("sequences", "merged"),
    [
        ([[1, 2, 3]], [1, 2, 3]),
        ([[1, 2, 3], [2, 9, 3]], [1, 2, 9, 3]),
        ([[1, 2], [9, 1]], [9, 1, 2]),
        ([[1], [1, 8, 9]], [1, 8, 9]),
        ([[], [5, 6]], [5, 6]),
        ([[1, 2], [3], [3, 4]], [3, 4, 1, 2]),
        ([], []),
    ],
)
def test_what_only_a_later_source_has_follows_its_neighbour(sequences, merged):
    assert list(order.merge(sequences)) == merged


def test_ranks_hold_any_order_and_few_are_rewritten():
    dice = random.Random(3)
    ranks: dict[int, int] = {}
    sequence: list[int] = []
    for entry in range(1, 200):
        sequence.insert(dice.randint(0, len(sequence)), entry)
        if dice.random() < 0.2:
            sequence.append(sequence.pop(dice.randrange(len(sequence))))
        changed = order.rerank(sequence, ranks)
        ranks |= changed
        assert sorted(sequence, key=ranks.__getitem__) == sequence
        assert len(set(ranks.values())) == len(ranks)
        assert len(changed) <= 2
    assert order.rerank(sequence, ranks) == {}


def test_without_room_between_two_neighbours_all_are_numbered_afresh():
    ranks = order.rerank([1, 3, 2], {1: 10, 2: 11})
    assert sorted(ranks, key=ranks.__getitem__) == [1, 3, 2]


def read_in_order(rows, numbers):
    """The numbers of rows, each (name, what it states or None), and which of them were moved. numbers: as they were."""
    read = order.SourceOrder()
    for name, stated in rows:
        read.append(name, stated)
    before = array("q", [numbers.get(name, order.NOWHERE) for name, _ in rows] if numbers else [])
    moved = read.settle(before)
    return {name: read.number(index) for index, (name, _) in enumerate(rows)}, {rows[index][0] for index in moved}


def test_what_a_source_lists_keeps_its_number_whatever_comes_and_goes_around_it():
    dice, numbers, rows = random.Random(3), {}, [(n, None) for n in range(40)]
    for turn in range(60):
        rows = [row for row in rows if dice.random() > 0.1]
        for n in range(dice.randrange(4)):
            rows.insert(0 if turn % 2 else dice.randrange(len(rows) + 1), (1000 * (turn + 1) + n, None))
        known = set(numbers)
        numbers, moved = read_in_order(rows, numbers)
        assert sorted(numbers, key=numbers.get) == [name for name, _ in rows]
        assert not moved & known


def test_stated_places_decide_and_few_are_renumbered():
    rows = [(1, 30), (2, 10), (3, 20), (4, None)]
    numbers, _ = read_in_order(rows, {})
    assert sorted(numbers, key=numbers.get) == [2, 3, 4, 1]
    again, moved = read_in_order([(4, 5), *rows[:3]], numbers)
    assert sorted(again, key=again.get) == [4, 2, 3, 1]
    assert moved == {4}


@pytest.mark.parametrize("ids", [[], [1], [5, 3, 900_000_000_000, 1], list(range(1000, 0, -1))])
def test_an_order_survives_packing(ids):
    assert packed.unpack(packed.pack(ids)) == ids


def test_ten_thousand_shuffled_entries_take_little_room():
    ids = list(range(50_000, 60_000))
    random.Random(2).shuffle(ids)
    assert len(packed.pack(ids)) < 30_000
    assert packed.unpack(None) == []


@pytest.mark.parametrize(
    ("absent", "supported", "asks"),
    [
        (0, 0, False), (0, 500, False), (90, 500, False), (110, 500, True), (500, 500, True), (1, 1, True),
        (3, 10, False), (4, 10, True), (6, 10, True), (2, 3, True),
    ],
)  # fmt: skip
def test_how_much_may_leave_without_asking(absent, supported, asks):
    assert must_ask(absent, supported, Limits()) is asks


def plays(*names: str) -> list[Play]:
    return plays_of(("Ann", name, n * 60_000) if name else ("ID", "ID", n * 60_000) for n, name in enumerate(names))


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (plays("a", "b", "c"), plays("a", "b", "c"), [0, 1, 2]),
        (plays("b", "c"), plays("a", "b", "c"), [None, 0, 1]),
        (plays("a", "b", "c"), plays("a", "c"), [0, 2]),
        (plays("a", "", "c"), plays("a", "named now", "c"), [0, 1, 2]),
        (plays("a", "a"), plays("a", "a", "a"), [0, 1, None]),
        (plays("a", "b"), plays("b", "a"), [1, 0]),
        (plays("strings", "b"), plays("strings (live)", "b"), [0, 1]),
        (plays(), plays("a"), [None]),
    ],
)
def test_plays_are_aligned_by_their_neighbours(old, new, found):
    assert align(old, new) == found


def test_an_insert_at_the_top_shifts_times_and_moves_nobody():
    old = plays_of([("Ann", "a", 0), ("ID", "ID", 60_000), ("Bob", "c", 150_000)])
    new = plays_of([("Eve", "new", 0), ("Ann", "a", 45_000), ("Joe", "named now", 105_000), ("Bob", "c", 195_000)])
    assert align(old, new) == [None, 0, 1, 2]


def test_a_very_long_set_of_unnamed_plays_is_aligned_with_few_comparisons(monkeypatch):
    compared = [0]

    class Place(int):
        def __lt__(self, other):
            compared[0] += 1
            return int(self) < other

        def __ge__(self, other):
            compared[0] += 1
            return int(self) >= other

    def numbered(values):
        return ((Place(n), value) for n, value in zip(count(), values, strict=False))

    monkeypatch.setattr("lists.align.enumerate", numbered, raising=False)
    unnamed = [Play("", None)] * 2000
    assert align(unnamed, [Play("a|b", None), *unnamed]) == [None, *range(2000)]
    assert compared[0] < 20 * len(unnamed)


def test_values_are_cleaned_before_they_are_stored():
    said = {"title": " Heat\x00 ", "year": 95, "rating": 8, "genres": ["A|B", ""], "overview": "", "votes": -1}
    assert fields.clean(said) == {"title": "Heat", "rating": 8.0, "genres": ["A/B"]}
    for wrong in ({"rating": "8"}, {"year": "1995"}, {"rating": float("nan")}, {"nonsense": 1}):
        with pytest.raises(ValueError, match=r"must be|no field"):
            fields.clean(wrong)


def test_words_are_kept_whole():
    assert labels.part(labels.join(["Drama", "Sci-Fi"])) == ["Drama", "Sci-Fi"]
    assert labels.join([]) == ""
