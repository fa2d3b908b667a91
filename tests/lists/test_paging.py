"""Pages of every order, in both directions: no row twice, none left out, and no walk to where a page begins."""

import random

import pytest
from django.db import connection

from lists import browse
from lists.browse import SORTS, Wish
from lists.models import Entry
from lists.paging import _cursor, _parts

UNKNOWN_LAST = {"year", "year_asc", "rating", "rating_asc"}


@pytest.fixture
def many(films, upload):
    draw = random.Random(7)
    rows = []
    for n in range(120):
        row = {"key": str(n), "title": f"Film {draw.randrange(25)}"}
        if draw.random() < 0.8:
            row["year"] = draw.randrange(1990, 1996)
        if draw.random() < 0.8:
            row["rating"] = float(draw.randrange(1, 5))
        rows.append(row | {"ids": {"imdb": f"tt{n:07}"}})
    upload(films, rows)
    films.refresh_from_db()
    return films


def key(entry, sort):
    value = getattr(entry, sort.column)
    unknown = sort.key in UNKNOWN_LAST and value == 0
    return unknown, value


@pytest.mark.parametrize("limit", [1, 7, 50])
@pytest.mark.parametrize("name", SORTS)
def test_every_row_comes_once_and_in_order(many, name, limit):
    sort, rows, after = SORTS[name], [], ""
    while True:
        page = browse.page_of(many, Wish(sort=name), after=after, limit=limit)
        rows += page.rows
        after = page.next
        if not after:
            break
    entries = Entry.objects.filter(list=many).listed()
    known = [entry for entry in entries if not key(entry, sort)[0]]
    unknown = [entry for entry in entries if key(entry, sort)[0]]
    ordered = [
        *sorted(known, key=lambda e: (key(e, sort)[1], e.pk), reverse=sort.descending),
        *sorted(unknown, key=lambda e: e.pk, reverse=sort.descending),
    ]
    assert [entry.pk for entry in rows] == [entry.pk for entry in ordered]


@pytest.mark.parametrize("analysed", [False, True])
@pytest.mark.parametrize("name", SORTS)
def test_no_part_of_a_page_sorts_or_walks_to_its_beginning(many, name, analysed):
    with connection.cursor() as cursor:
        if analysed:
            cursor.execute("ANALYZE")
        if connection.vendor == "postgresql":
            for way in ("seqscan", "bitmapscan", "hashjoin", "mergejoin", "sort"):  # best for a table as small as this
                cursor.execute(f"SET LOCAL enable_{way} = off")
    sort = SORTS[name]
    middle = Entry.objects.filter(list=many).listed().order_by(*sort.order)[60]
    for part in _parts(sort, _cursor(sort, middle), Entry):
        plan = browse.matching(many, Wish(sort=name)).filter(part).order_by(*sort.order)[:51].explain()
        assert "TEMP B-TREE" not in plan
        assert "Sort" not in plan
        bounds = plan.count(">") + plan.count("<") + plan.count("=?") + plan.count("= ")
        # PostgreSQL knows after ANALYZE how small the table is, and all have been added at the same moment: there any index
        # is as good.
        if connection.vendor == "sqlite" or not (analysed or name in ("added", "added_asc")):
            assert "entry_by_" in plan
            assert bounds >= 2, plan
