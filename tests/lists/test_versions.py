"""Any two versions compared: what is asked of the database, and the packed order."""

import random
import re

import pytest
from django.db import connection

from lists import services
from lists.models import Entry
from lists.packed import pack, unpack
from lists.versions import HistoricalEntry, diff, entries_of, values_of


@pytest.mark.parametrize(
    "ids",
    [
        [], [1], [5, 4, 3], list(range(1, 500)), [2**40, 1, 2**40 + 1, 63, 64, 127, 128, 8191, 8192],
        random.Random(3).sample(range(10**6), 3000),
    ],
    ids=["none", "one", "falling", "rising", "far apart", "shuffled"],
)  # fmt: skip
def test_an_order_is_read_as_it_was_packed(ids):
    assert unpack(pack(ids)) == ids


@pytest.fixture
def moving(films, upload):
    """Eight versions: films change, come, go, return and move."""
    draw = random.Random(5)
    rows = [{"key": str(n), "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990 + n} for n in range(14)]
    for turn in range(8):
        shown = draw.sample(rows, 12) if turn % 3 == 2 else rows[:12] if turn % 2 else rows
        upload(films, [row | {"rating": float(draw.randrange(1, 3))} for row in shown])
    films.refresh_from_db()
    return films


def test_a_comparison_is_what_the_two_versions_show(moving):
    versions = list(moving.versions.order_by("number"))
    for before in versions:
        for after in versions:
            old = {row.id: values_of(row) for row in entries_of(before)}
            new = {row.id: values_of(row) for row in entries_of(after)}
            by_kind = {
                kind: {d.entry for d in diff(before, after).rows if d.kind == kind} for kind in ("added", "removed")
            }
            assert by_kind == {"added": new.keys() - old.keys(), "removed": old.keys() - new.keys()}
            changed = {d.entry: d.fields for d in diff(before, after).rows if d.kind == "changed"}
            assert changed.keys() == {pk for pk in old.keys() & new.keys() if old[pk] != new[pk]}
            moved = [d.entry for d in diff(before, after).rows if d.kind == "moved"]
            stay = [pk for pk in new if pk in old and pk not in moved and pk not in changed]
            assert stay == [pk for pk in old if pk in stay]


def test_a_comparison_takes_two_statements_at_most(moving, django_assert_max_num_queries):
    first, last = moving.versions.get(number=1), moving.versions.order_by("-number").first()
    with django_assert_max_num_queries(2):  # what was written in between; and what has only moved
        assert len(diff(first, last).rows) > 5


@pytest.mark.parametrize("analysed", [False, True])
def test_it_reads_the_history_of_what_was_written_in_between_and_no_other(moving, analysed):
    versions = list(moving.versions.order_by("number"))
    with connection.cursor() as cursor:
        if analysed:
            cursor.execute("ANALYZE")
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")  # a table this small is read as a whole
    between = HistoricalEntry.objects.filter(
        list_id=moving.pk, version__gt=versions[-2].pk, version__lte=versions[-1].pk
    )
    assert "entry_history_of_version" in between.values("id").explain()
    plan = HistoricalEntry.objects.filter(id__in=between.values("id"), version__lte=versions[-1].pk).explain()
    assert "SCAN lists_historicalentry" not in plan.replace("SCAN lists_historicalentry USING", "")
    assert "Seq Scan" not in plan


def test_a_rollback_costs_by_what_has_changed(moving, django_assert_max_num_queries):
    """Of a list that is as it was there is nothing to write, and one block of entries takes a bounded number of statements."""
    before = moving.versions.order_by("-number")[1]
    with django_assert_max_num_queries(75):
        made = services.rollback(moving, before, by=moving.owner)
    assert [row.id for row in entries_of(before)] == list(
        Entry.objects.filter(list=moving).listed().order_by("rank", "id").values_list("id", flat=True)
    )
    assert made.kind == "rollback"


def film(n: int) -> dict:
    return {"key": f"tt{n}", "ids": {"imdb": f"tt{n}"}, "title": f"Film {n}", "year": 1990}


@pytest.mark.covers("VER-01")
def test_what_a_source_says_of_the_list_itself_is_a_version(films, live, ines, page, client):
    source = live(films)
    source.sync([film(1)])
    told = [{"about": {"event": "Harbour <night>", "dj": "Ann"}}, film(1)]
    version = source.sync(told).version
    films.refresh_from_db()
    assert (version.number, version.facts, films.facts) == (2, films.facts, {"event": "Harbour <night>", "dj": "Ann"})
    assert films.versions.get(number=1).facts == {}
    assert source.sync(told).version is None, "what stands already is no change"
    html = page("lists:diff", films.pk)
    assert "About the list" in html
    assert re.search(r"<dt>Event</dt><dd>nothing before <ins>(<\w+>)?Harbour &lt;night&gt;", html)
    client.force_login(ines)
    answer = client.get(f"/api/v1/lists/{films.pk}/diff/", {"from": 1, "to": 2}).json()
    assert answer["facts"] == [
        {"field": "dj", "before": None, "after": "Ann"},
        {"field": "event", "before": None, "after": "Harbour <night>"},
    ]
    assert (answer["results"], set(answer["counts"].values())) == ([], {0})
    back = services.rollback(films, films.versions.get(number=1), by=ines)
    films.refresh_from_db()
    assert (back.facts, films.facts) == ({}, {})
    assert services.rollback(films, films.versions.get(number=1), by=ines) is None
