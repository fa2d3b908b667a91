"""Random lives of a list: whatever sources send and people do, what a person said stands, and the past stays readable.

Each life is a row of steps drawn by hypothesis (which shrinks a failing one); after each step the invariants of
lives/watched.py are held against the database. Two lists share their films, so that merges are felt in both.
"""

import contextlib
import os
from collections.abc import Callable

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, example, given, note, settings
from hypothesis import strategies as st

from lists.errors import Refused
from lists.models import Block
from tests.lists.lives.breaks import HAND, OWED, UNDONE, Life
from tests.lists.lives.films import FILMS, film
from tests.lists.lives.small import Small

LONG = bool(os.environ.get("LISTKEEPER_LONG_TESTS"))

STEPS: dict[str, int] = {
    "upload": 4, "sync": 4, "other": 2, "same_again": 2, "fail": 1, "edit": 4, "give_back": 2, "remove": 2, "restore": 2,
    "cancel": 2, "kill": 2, "add": 2, "block": 2, "unblock": 2, "filter": 2, "move": 2, "order": 1, "rules": 2, "rollback": 5, "release": 2, "merge": 4,
    "split": 3, "decide": 4, "apply": 4, "empty": 3, "source": 2, "export": 3, "die": 6, "fill": 2, "relapse": 3,
    **{f"meanwhile {act}": 1 for act in HAND}, **{f"undo {act}": 1 for act in UNDONE},
    **{f"break {act}": 1 for act in OWED},
    **{f"die {act}": 1 for act in ("edit", "remove", "block", "merge", "rollback", "source")},
}  # fmt: skip
names = st.sampled_from([name for name, weight in STEPS.items() for _ in range(weight)])
numbers = st.integers(0, 11)
answers = st.lists(st.tuples(st.integers(0, FILMS - 1), st.integers(0, 3)), max_size=10, unique_by=lambda pair: pair[0])
# Thresholds so low that ten films are many, in every second life.
sizes = st.none() | st.builds(Small, part=st.integers(1, 5), block=st.integers(1, 4), rows=st.integers(2, 5))
# A list that never had anything has no life: each begins with an answer of both sources.
lives = st.tuples(
    sizes,
    st.none() | numbers,  # whether the worker of the first one dies
    answers,
    answers,
    st.lists(st.tuples(names, numbers, numbers, answers), min_size=20 if LONG else 1, max_size=20 if LONG else 10),
)


FIRST, SECOND = [(1, 3), (4, 2)], [(9, 3), (7, 3), (5, 2)]
WRONG = (
    # What went wrong once, in the lives or in what they look at. Steps left the filters of a large list owed here, as all tests are in a transaction, ...
    (Small(part=4, block=1, rows=2), None, FIRST, SECOND, [("filter", 6, 9, []), ("rollback", 2, 9, [])]),
    # ... and in the life beside it, ...
    (Small(part=4, block=1, rows=2), None, FIRST, SECOND, [("meanwhile filter", 1, 1, SECOND)]),
    # ... and looked for an order that was to come with a part which did not.
    (Small(part=2, block=2, rows=4), None, [], [(4, 2), (9, 0), (5, 2), (0, 2)],
     [("kill", 3, 6, [(5, 1), (0, 3), (4, 0)])]),
    # A filter that changes more than goes into one version stands before the next act, or a merge does a part of its work.
    (Small(part=5, block=4, rows=5), None, [(5, 0)], [(2, 0), (1, 1), (7, 2), (3, 1), (9, 2)],
     [("filter", 10, 10, []), ("merge", 0, 1, [])]),
    # Between two parts a new entry may have the rank of one that moves with the last: going back to this moves nothing.
    (Small(part=2, block=1, rows=5), None, [], [(3, 0), (1, 2), (6, 2), (9, 3), (2, 0), (0, 2), (5, 0), (7, 2)],
     [("meanwhile rollback", 7, 6,
       [(7, 3), (2, 3), (0, 0), (5, 3), (4, 3), (1, 0), (6, 2), (8, 0), (3, 1), (9, 1)])]),
)  # fmt: skip


@pytest.mark.covers("SAFE-04", "VER-01", "VER-05", "WISH-04", "SRC-06", "LIST-12", "LIST-13", "CONF-13")
@example(life=WRONG[0])
@example(life=WRONG[1])
@example(life=WRONG[2])
@example(life=WRONG[3])
@example(life=WRONG[4])
@given(life=lives)
@settings(
    max_examples=200 if LONG else 20,
    # Shrinking a life takes minutes; where a short run fails, the long one says why.
    phases=list(Phase) if LONG else [Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
)
def test_what_a_person_said_stands(ines, tmp_path, life):
    with transaction.atomic():  # all lives are one test, and PostgreSQL remembers each stage of a transaction
        live_through(ines, tmp_path, *life)
        transaction.set_rollback(True)


def live_through(user, folder, small, dies_at, first, second, steps) -> None:
    Block.objects.filter(created_by=user).delete()
    here = Life(user, folder, small)
    with here.clock.applied(), here.watching(), small.applied() if small else contextlib.nullcontext():
        if dies_at is None:
            here.upload(here.a, [film(n, variant) for n, variant in first])
        else:
            here.die(here.a, [film(n, variant) for n, variant in first], dies_at, 0)
        here.sync([film(n, variant) for n, variant in second])
        here.check()
        for name, n, m, answer in steps:
            note(f"{name} {n} {m}: {[(entry.pk, entry.title) for entry in here.entries()]}")
            here.clock.next_step()
            name, _, act = name.partition(" ")
            step: Callable = getattr(here, f"step_{name}")
            with contextlib.suppress(Refused):  # a sentence for the person, and nothing is changed
                step(n, m, [film(k, variant) for k, variant in answer], *filter(None, [act]))
            here.check()
