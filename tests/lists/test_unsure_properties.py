"""Of a change set that waits some is taken and some is left, whichever: the list then shows exactly that, and goes on so."""

import json
import os

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lists import services
from lists.models import Conflict, Entry, Proposal
from sync import runs, tasks
from tests.lists.unsure import waiting

LONG = bool(os.environ.get("LISTKEEPER_LONG_TESTS"))
FILMS = range(1, 9)
answers = st.dictionaries(st.sampled_from(FILMS), st.integers(1, 3), max_size=8)


def rows_of(answer: dict[int, int]) -> list[dict]:
    """Film 0 is always there, so that an answer is never empty."""
    return [
        {"key": f"tt{n}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990, "rating": float(rating)}
        for n, rating in {0: 1, **answer}.items()
    ]


@pytest.mark.covers("TL-14", "TL-16")
@given(old=answers, new=answers, taken=st.sets(st.sampled_from(FILMS)), at_once=st.booleans())
@settings(
    max_examples=300 if LONG else 12, phases=list(Phase) if LONG else [Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
def test_the_list_shows_what_was_taken_and_nothing_else(ines, tmp_path, old, new, taken, at_once):
    list_ = services.create_list(ines, name="Waits")
    path = tmp_path / f"{list_.pk}.json"
    source = services.add_source(
        list_, adapter="scripted_counted", name="s", by=ines, config={"path": str(path)}, gap_min=0, grace=0
    )

    def sync(answer: dict[int, int]):
        path.write_text(json.dumps(rows_of(answer)))
        run = runs.request_sync(source, by=ines, force=True).run
        assert run is not None
        tasks.execute_run(run.pk)
        run.refresh_from_db()
        assert run.state == "completed", run.error
        return run

    def shown() -> dict[int, int]:
        found = Entry.objects.filter(list=list_).listed().values_list("title", "rating")
        return {int(title[5:]): int(rating) for title, rating in found if title != "Film 0"}

    def number(row: Conflict) -> int:
        named = row.entry.title if row.entry else row.proposed["title"]
        return int(named[5:])

    sync(old)
    services.change_rules(
        list_, by=ines, review_unsure=True, accept_confidence=1, held_share=100, held_share_always=100, held_floor=100
    )
    run = sync(new)
    differing = {n for n in FILMS if old.get(n) != new.get(n)}
    assert (run.held, shown()) == (len(differing), old), "nothing of it is there before somebody has looked"
    rows = [row for row in waiting(list=list_) if row.kind != "restructure"]
    assert {number(row) for row in rows} == differing
    yes = [row for row in rows if number(row) in taken]
    no = [row for row in rows if number(row) not in taken]
    for choice, these in (("take", yes), ("keep", no)):
        for some in [these] if at_once else [[row] for row in these]:
            if some:
                services.decide(some, by=ines, choice=choice)
    expected = {n: (new if n in taken else old).get(n) for n in FILMS}
    expected = {n: rating for n, rating in expected.items() if rating is not None}
    assert shown() == expected
    assert not waiting(list=list_)
    assert not Proposal.objects.filter(list=list_, state="open").exists()
    again = sync(new)
    assert (again.version, again.held, shown()) == (None, 0, expected), "nobody is asked again"
    assert services.refold(list_, kind="rules") is None
    services.change_rules(list_, by=ines, accept_confidence=0.5)
    sync(old)
    assert shown() == old, "the source went back, and what was taken goes with it"
