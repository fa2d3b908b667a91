"""The admin at any size: pages take as many queries for a thousand rows as for ten, and no table is counted whole."""

from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from lists import services
from lists.admin import Bounded, BoundedPaginator, HistoryAdmin
from lists.audit import audit
from lists.models import (
    Account,
    Audit,
    Block,
    Conflict,
    Decision,
    Edit,
    Entry,
    Item,
    MediaList,
    Proposal,
    Provenance,
    SitePolicy,
    Source,
    Version,
)
from tests.admin_forms import page

MODELS = (
    Account,
    Audit,
    Block,
    Conflict,
    Decision,
    Edit,
    Entry,
    Item,
    MediaList,
    Proposal,
    Provenance,
    Source,
    Version,
)
OURS = {model: its for model, its in admin.site._registry.items() if model._meta.app_label in ("lists", "sync")}
ONE_ROW = {SitePolicy}


@pytest.fixture
def desk(staff) -> Client:
    client = Client()
    client.force_login(staff)
    return client


def queries_of(client, address: str) -> list[str]:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address).status_code == 200
    return [query["sql"] for query in asked.captured_queries]


def fill(model, films, count: int) -> None:
    """More rows like the ones that are there."""
    now = timezone.now()
    if model is MediaList:
        MediaList.objects.bulk_create(MediaList(owner=films.owner, name=f"List {n}") for n in range(count))
    elif model is Account:
        Account.objects.bulk_create(
            Account(owner=films.owner, service="x", name=f"Account {n} of {count}") for n in range(count)
        )
    elif model is Item:
        Item.objects.bulk_create(Item(kind="movie", title=f"Film {n}", name="film") for n in range(count))
    elif model is Source:
        Source.objects.bulk_create(Source(list=films, adapter="scripted", name=f"Source {n}") for n in range(count))
    elif model is Version:
        first = Version.objects.count() + 1
        Version.objects.bulk_create(Version(list=films, number=first + n, kind="edit") for n in range(count))
    elif model is Audit:
        for _ in range(count):
            audit(films.owner, "changed", films)
    elif model is Proposal:
        Proposal.objects.bulk_create(
            Proposal(list=films, filename=f"{n}.csv", created_by=films.owner) for n in range(count)
        )
    elif model is Provenance:
        Provenance.objects.bulk_create(
            Provenance(title="x", list_name="x", source_name="x", first_at=now, last_at=now) for _ in range(count)
        )
    elif model is Block:
        Block.objects.bulk_create(Block(list=films, pattern=f"Film {n}") for n in range(count))
    elif model is Decision:
        one, other = (Item.objects.create(kind="movie", title=title, name=title) for title in "ab")
        Decision.objects.bulk_create(Decision(item=one, other=other) for _ in range(count))
    elif model in (Conflict, Edit):
        fill(Entry, films, count)
        entries = Entry.objects.order_by("-id")[:count]
        if model is Edit:
            Edit.objects.bulk_create(Edit(entry=entry, field="year", value=1999) for entry in entries)
        else:
            Conflict.objects.bulk_create(
                Conflict(list=films, entry=entry, kind="field", field="year") for entry in entries
            )
    else:
        Entry.objects.bulk_create(
            Entry(list=films, kind="movie", title=f"Film {n}", sort_title="x", search="x", first_listed_at=now)
            for n in range(count)
        )


@pytest.mark.covers("OPS-12")
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_page_takes_as_many_queries_for_1000_rows_as_for_10(desk, films, model):
    queries_of(desk, page(model))  # content types are kept from here on
    fill(model, films, 10)
    few = queries_of(desk, page(model))
    fill(model, films, 1000)
    many = queries_of(desk, page(model))
    assert len(many) == len(few) <= 6
    counts = [sql for sql in many if "COUNT(" in sql]
    assert counts
    assert all(f"LIMIT {BoundedPaginator.limit}" in sql for sql in counts)


@pytest.mark.covers("WEB-07")
@pytest.mark.parametrize("model", sorted(set(OURS) - ONE_ROW, key=str), ids=lambda model: model.__name__)
def test_a_page_is_searched_and_filtered_within_bounds(desk, films, model):
    """Whatever is typed or chosen: the page takes hardly more queries than without, and counts to its bound only."""
    its = OURS[model]
    assert isinstance(its, Bounded)
    assert its.search_fields
    assert its.list_filter
    if model in MODELS:
        fill(model, films, 60)
    plain = len(queries_of(desk, page(model)))
    for typed in ("film", "7", "tt0113277", "'; --", "%", "x" * 500):
        asked = queries_of(desk, f"{page(model)}?{urlencode({'q': typed})}")
        # The index of words is asked how much it proposes; and ids, which things they name.
        assert len(asked) <= plain + 2
        assert all(f"LIMIT {BoundedPaginator.limit}" in sql for sql in asked if "COUNT(" in sql)
    seen = desk.get(page(model)).context["cl"]
    choices = [choice for spec in seen.filter_specs for choice in spec.choices(seen) if "query_string" in choice]
    assert choices or any(spec.template == "admin/lists/typed_filter.html" for spec in seen.filter_specs)
    for choice in choices:
        assert len(queries_of(desk, page(model) + choice["query_string"])) <= plain


@pytest.mark.covers("WEB-07")
def test_what_keeps_a_history_shows_it(desk, films):
    assert {model for model, its in OURS.items() if isinstance(its, HistoryAdmin)} == {
        model for model in OURS if hasattr(model, "history")
    }


@pytest.mark.covers("WEB-07")
def test_versions_are_filtered_by_whether_they_are_kept(desk, films):
    fill(Version, films, 3)
    Version.objects.filter(number__lt=3).update(pruned_at=timezone.now())

    def shown(empty):
        return desk.get(page(Version), {"pruned_at__isempty": empty}).context["cl"].result_count

    assert (shown("1"), shown("0")) == (1, 2)


@pytest.mark.covers("WEB-07")
def test_blocks_and_decisions_are_filtered_by_what_they_say(desk, films, ines, upload):
    services.block(by=ines, scope="list", list_=films, pattern="One*")
    services.block(by=ines, scope="mine", pattern="Two*")
    services.block(by=User.objects.get(username="admin"), scope="all", pattern="Three*")

    def shown(model, **query):
        return [str(row) for row in desk.get(page(model), query).context["cl"].result_list]

    assert [shown(Block, scope=scope) for scope in ("list", "mine", "all")] == [["One*"], ["Two*"], ["Three*"]]
    assert len(shown(Block)) == len(shown(Block, scope="nothing")) == 3
    upload(films, [{"key": "1", "title": "Film 1", "year": 1990}])
    claim = Entry.objects.get().claims.get()
    services.pick(films, [claim.pk], None, by=ines)
    one, other = (Item.objects.create(kind="movie", title=title, name=title) for title in "ab")
    Decision.objects.create(item=one, other=other)
    assert [len(shown(Decision, decided=what)) for what in ("match", "refusal")] == [1, 1]


def test_a_large_table_is_counted_to_its_bound_only(films, monkeypatch):
    fill(Entry, films, 30)
    monkeypatch.setattr(BoundedPaginator, "limit", 20)
    paginator = BoundedPaginator(Entry.objects.order_by("-id"), 5)
    assert (paginator.count, paginator.num_pages) == (20, 4)
    assert len(paginator.page(4).object_list) == 5


def test_the_pages_of_one_entry_take_as_many_queries_for_many_versions_as_for_few(desk, films, upload):
    upload(films, [{"key": "1", "title": "Film 1", "year": 1990}])
    entry = Entry.objects.get()
    pages = (page(Entry, "change", entry.pk), page(Entry, "history", entry.pk), page(MediaList, "change", films.pk))

    def counts(versions):
        for year in range(versions):
            services.edit_entries(films, {entry.pk: {"year": 1800 + year, "votes": year}}, by=films.owner)
        return [len(queries_of(desk, address)) for address in pages]

    counts(1)  # content types are kept from here on
    few = counts(3)
    assert counts(20) == few
    assert max(few) <= 16


def test_a_list_of_many_members_takes_no_query_for_each(desk, films):
    def count(members):
        for n in range(members):
            user = get_user_model().objects.create_user(f"user {n} of {members}")
            services.share_list(films, user=user, role="viewer", by=films.owner)
        return len(queries_of(desk, page(MediaList, "change", films.pk)))

    count(1)
    assert count(20) == count(2)
