"""The admin of lists: bounded, mostly to look at, and never past the services."""

import pytest
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from lists import services
from lists.admin import BoundedPaginator
from lists.audit import audit
from lists.models import (
    Account,
    AppendOnly,
    Audit,
    Block,
    Conflict,
    Entry,
    MediaList,
    Proposal,
    Provenance,
    SitePolicy,
    Source,
    Version,
)

OURS = [model for model in admin.site._registry if model._meta.app_label in ("lists", "sync")]
LOOKED_AT = ("item", "entry", "version", "provenance", "audit", "proposal", "conflict", "block", "account")


def film(n, **more):
    return {"key": f"tt{n:07}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990 + n % 30, **more}


def page(model, what="changelist", *args) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{what}", args=args)


@pytest.fixture
def desk(staff) -> Client:
    client = Client()
    client.force_login(staff)
    return client


@pytest.fixture
def one_of_each(films, ines, upload):
    """A row in every table that the admin shows."""
    upload(films, [film(1)])
    upload(films, [film(1, rating=5.0)])
    entry, now = Entry.objects.get(), timezone.now()
    Provenance.objects.create(
        item=entry.item, title="Film 1", list=films, list_name="F", source_name="S", first_at=now, last_at=now
    )
    Conflict.objects.create(list=films, entry=entry, kind="field", field="title", options=[])
    Block.objects.create(list=films, pattern="Film*")
    Account.objects.create(owner=ines, service="trakt", name="mine", secrets='{"token": "verysecret"}')
    SitePolicy.current()
    films.sources.update(address="https://u:verysecret@example.org/")
    return films


# -- what is shown ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_every_page_of_the_admin_opens_and_shows_no_secret(desk, one_of_each, model):
    row = model._default_manager.order_by("-pk").first()
    pages = [page(model), page(model, "change", quote(row.pk)), page(model, "history", quote(row.pk))]
    if hasattr(model, "history"):
        old = model.history.filter(**{model._meta.pk.name: row.pk}).first()
        pages.append(page(model, "simple_history", row.pk, old.history_id))
    for address in [*pages, f"{page(model)}?q=film", f"{page(model)}?q=1"]:
        answer = desk.get(address, follow=True)
        assert answer.status_code == 200, address
        assert "verysecret" not in answer.content.decode()


def test_the_front_page_is_grouped_in_our_words(desk):
    answer = desk.get("/admin/")
    groups = {group["name"]: [model["name"] for model in group["models"]] for group in answer.context["app_list"]}
    assert list(groups)[:4] == ["Lists", "To decide", "Runs and tasks", "Site"]
    assert groups["To decide"] == ["Proposals", "Conflicts", "Blocks"]
    shown = sum(len(models) for models in groups.values())
    assert shown == len(admin.site._registry)
    assert "Listkeeper" in answer.content.decode()


def test_the_pages_are_for_staff(one_of_each, ines):
    client = Client()
    client.force_login(ines)
    for model in OURS:
        for who in (client, Client()):
            assert who.get(page(model)).status_code == 302
            assert who.get(page(model)).headers["Location"].startswith("/admin/login/")


def test_history_tells_field_by_field_what_changed(desk, films):
    services.change_list(films, by=films.owner, name="Renamed films")
    answer = desk.get(page(MediaList, "history", films.pk)).content.decode()
    assert "Films to watch" in answer
    assert "Renamed films" in answer


@pytest.mark.parametrize("number", ["abc", "%00", str(10**30), "_41"])
def test_a_history_that_does_not_exist_is_not_found(desk, one_of_each, number):
    for address in (f"/admin/lists/entry/{number}/history/", f"/admin/lists/entry/1/history/{number}/"):
        assert desk.get(address).status_code == 404


# -- what may be changed ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LOOKED_AT)
def test_what_the_machine_writes_is_only_looked_at(desk, one_of_each, name):
    model = next(model for model in OURS if model._meta.model_name == name)
    row = model.objects.order_by("-pk").first()
    before = list(model.objects.values())
    assert desk.get(page(model, "add")).status_code == 403
    assert desk.post(page(model, "add"), {}).status_code == 403
    assert desk.post(page(model, "change", row.pk), {"title": "x", "name": "x"}).status_code == 403
    assert desk.post(page(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    desk.post(page(model), {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
    assert list(model.objects.values()) == before


@pytest.mark.covers("AUD-03")
def test_audit_rows_cannot_be_changed_or_deleted(films, desk):
    row = Audit.objects.get()
    row.action = "nothing"
    for act in (row.save, row.delete, Audit.objects.all().delete, lambda: Audit.objects.update(action="nothing")):
        with pytest.raises(AppendOnly):
            act()
    assert desk.post(page(Audit, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert Audit.objects.get().action == "created"


@pytest.mark.parametrize(
    "model", [model for model in OURS if hasattr(model, "history")], ids=lambda model: model.__name__
)
def test_an_old_state_is_not_brought_back_past_the_services(desk, one_of_each, model):
    row = model.objects.order_by("-pk").first()
    old = model.history.filter(**{model._meta.pk.name: row.pk}).order_by("history_id").first()
    before = list(model.objects.values()), model.history.count()
    answer = desk.post(page(model, "simple_history", row.pk, old.history_id), {"name": "x", "title": "x"})
    assert answer.status_code == 403
    assert (list(model.objects.values()), model.history.count()) == before
    assert "Revert" not in desk.get(page(model, "history", row.pk)).content.decode()


INLINES = {f"memberships-{name}": 0 for name in ("TOTAL_FORMS", "INITIAL_FORMS")}


@pytest.mark.covers("AUD-01")
def test_a_list_is_made_and_changed_through_the_services(desk, staff):
    desk.post(page(MediaList, "add"), {"name": "Sets", "content": "tracks", "tags": "a, b", **INLINES})
    made = MediaList.objects.get()
    assert (made.owner, made.content, made.tags) == (staff, "tracks", ["a", "b"])
    assert (
        'value="a, b"' in (shown := desk.get(page(MediaList, "change", made.pk)).content.decode())
        or ">\na, b<" in shown
    )
    answer = desk.post(page(MediaList, "change", made.pk), {"name": "Live sets", "tags": "b", **INLINES})
    assert answer.status_code == 302
    made.refresh_from_db()
    assert (made.name, made.tags, made.content) == ("Live sets", ["b"], "tracks")
    assert list(Audit.objects.order_by("id").values_list("action", "actor_name", "after")) == [
        ("created", "admin", {"name": "Sets", "content": "tracks"}),
        ("changed", "admin", {"name": "Live sets", "tags": ["b"]}),
    ]


@pytest.mark.covers("AUD-01")
def test_a_list_goes_into_the_bin_and_comes_back_and_is_never_deleted_here(desk, films, upload):
    upload(films, [film(1)])

    def act(action):
        return desk.post(
            page(MediaList), {"action": action, "_selected_action": [films.pk]}, follow=True
        ).content.decode()

    assert "1 in the bin" in act("put_into_bin")
    films.refresh_from_db()
    assert films.deleted_at
    assert desk.post(page(MediaList, "change", films.pk), {"name": "x", **INLINES}).status_code == 403
    assert "1 out of the bin" in act("take_out_of_bin")
    act("delete_selected")
    assert desk.post(page(MediaList, "delete", films.pk), {"post": "yes"}).status_code == 403
    films.refresh_from_db()
    assert (films.deleted_at, Entry.objects.count()) == (None, 1)
    assert list(Audit.objects.order_by("-id").values_list("action", flat=True)[:2]) == ["restored", "deleted"]


@pytest.mark.covers("AUD-01")
def test_how_often_a_source_is_fetched_may_be_changed_and_whose_word_counts_may_not(desk, films, upload):
    source = upload(films, [film(1)]).source
    answer = desk.post(
        page(Source, "change", source.pk),
        {"name": source.name, "interval_min": 60, "gap_min": 15, "priority": 99, "address": "http://x", "enabled": ""},
    )
    assert answer.status_code == 302
    changed = Source.objects.get(pk=source.pk)
    assert (changed.interval_min, changed.priority, changed.address, changed.enabled) == (60, source.priority, "", True)
    row = Audit.objects.first()
    assert (row.action, row.before, row.after) == ("changed", {"interval_min": 360}, {"interval_min": 60})


@pytest.mark.covers("AUD-01")
def test_there_is_one_site_policy_and_its_changes_are_audited(desk):
    assert desk.get(page(SitePolicy)).headers["Location"] == page(SitePolicy, "change", 1)
    policy = {"strategy": "new", "held_share": 20, "held_share_always": 50, "held_floor": 3}
    assert desk.post(page(SitePolicy, "change", 1), policy).status_code == 302
    assert SitePolicy.current().strategy == "new"
    row = Audit.objects.get()
    assert (row.action, row.before, row.after) == ("changed", {"strategy": "priority"}, {"strategy": "new"})
    assert desk.get(page(SitePolicy, "add")).status_code == 403
    assert desk.post(page(SitePolicy, "delete", 1), {"post": "yes"}).status_code == 403


# -- bounds ----------------------------------------------------------------------------------------------------------


def queries_of(client, address: str) -> list[str]:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address).status_code == 200
    return [query["sql"] for query in asked.captured_queries]


def fill(name: str, films, count: int) -> None:
    """More rows like the ones that are there."""
    now = timezone.now()
    if name == "medialist":
        MediaList.objects.bulk_create(MediaList(owner=films.owner, name=f"List {n}") for n in range(count))
    elif name == "version":
        first = Version.objects.count() + 1
        Version.objects.bulk_create(Version(list=films, number=first + n, kind="edit") for n in range(count))
    elif name == "audit":
        for _ in range(count):
            audit(films.owner, "changed", films)
    elif name == "proposal":
        Proposal.objects.bulk_create(
            Proposal(list=films, filename=f"{n}.csv", created_by=films.owner) for n in range(count)
        )
    elif name == "provenance":
        Provenance.objects.bulk_create(
            Provenance(title="x", list_name="x", source_name="x", first_at=now, last_at=now) for _ in range(count)
        )
    else:
        Entry.objects.bulk_create(
            Entry(list=films, kind="movie", title=f"Film {n}", sort_title="x", search="x", first_listed_at=now)
            for n in range(count)
        )


@pytest.mark.covers("OPS-12")
@pytest.mark.parametrize("name", ["entry", "medialist", "version", "audit", "proposal", "provenance"])
def test_a_page_takes_as_many_queries_for_1000_rows_as_for_10(desk, films, name):
    model = next(model for model in OURS if model._meta.model_name == name)
    queries_of(desk, page(model))  # content types are kept from here on
    fill(name, films, 10)
    few = queries_of(desk, page(model))
    fill(name, films, 1000)
    many = queries_of(desk, page(model))
    assert len(many) == len(few) <= 6
    counts = [sql for sql in many if "COUNT(" in sql]
    assert counts
    assert all(f"LIMIT {BoundedPaginator.limit}" in sql for sql in counts)


def test_a_large_table_is_counted_to_its_bound_only(films, monkeypatch):
    fill("entry", films, 30)
    monkeypatch.setattr(BoundedPaginator, "limit", 20)
    paginator = BoundedPaginator(Entry.objects.order_by("-id"), 5)
    assert (paginator.count, paginator.num_pages) == (20, 4)
    assert len(paginator.page(4).object_list) == 5
