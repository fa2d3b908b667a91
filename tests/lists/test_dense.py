"""What holds many ids in little room is a set and a dict like any other."""

from hypothesis import given
from hypothesis import strategies as st

from lists.dense import BySlot, IdSet, Marked, TextSet

NUMBERS = st.integers(-(2**40), 2**40) | st.integers(-9000, 9000)
SLOTS = st.integers(-300, 300)


@given(st.sets(NUMBERS), st.sets(NUMBERS))
def test_a_set_of_ids_holds_what_was_put_in(put, others):
    found = IdSet()
    found.update(put)
    assert {number for number in put | others if number in found} == put


@given(st.lists(st.tuples(SLOTS, st.none() | NUMBERS)))
def test_numbers_by_slot_are_a_dict(steps):
    found, same = BySlot(), dict[int, int]()
    for slot, number in steps:
        if number is None:
            assert found.pop(slot, None) == same.pop(slot, None)
        else:
            found[slot] = same[slot] = number
    assert (dict(found), len(found)) == (same, len(same))
    assert all(found.get(slot) == same.get(slot) for slot in range(-301, 301))


@given(st.lists(st.text(max_size=3)))
def test_a_text_is_met_once(texts):
    met = TextSet()
    assert [met.add(text) for text in texts] == [text not in texts[:n] for n, text in enumerate(texts)]


@given(st.dictionaries(NUMBERS, st.binary(min_size=16, max_size=16)))
def test_marks_come_back_as_they_were_noted(marks):
    marked = Marked()
    for number, mark in marks.items():
        marked.note(number, mark)
    assert (dict(marked.items()), len(marked)) == (marks, len(marks))
