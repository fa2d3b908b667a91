"""The admin of lists: bounded, mostly to look at, and never past the services."""

from datetime import datetime

import pytest
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.test import Client
from django.utils import timezone

from lists import services
from lists.models import (
    Account,
    AppendOnly,
    Audit,
    Block,
    Conflict,
    Decision,
    Entry,
    Item,
    MediaList,
    Membership,
    Provenance,
    Refold,
    SitePolicy,
    Source,
    Version,
)
from sync.models import Batch, BatchPart, Breaker
from tests.admin_forms import act, form_of, page, submit, told

OURS = [model for model in admin.site._registry if model._meta.app_label in ("lists", "sync")]
LOOKED_AT = ("item", "edit", "version", "provenance", "audit", "proposal", "conflict", "decision")


def film(n, **more):
    return {"key": f"tt{n:07}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990 + n % 30, **more}


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
    services.edit_entries(films, {entry.pk: {"year": 1999}}, by=ines)
    Conflict.objects.create(list=films, entry=entry, kind="field", field="title", options=[])
    other = Item.objects.create(kind="movie", title="Another", name="another")
    Decision.objects.create(item=entry.item, other=other, decided_by=ines, decided_by_name="ines")
    Block.objects.create(list=films, pattern="Film*")
    Breaker.objects.create(service="tmdb")
    Account.objects.create(owner=ines, service="trakt", name="mine", secrets='{"token": "verysecret"}')
    SitePolicy.current()
    batch = Batch.objects.create(limit=1, width=1)
    BatchPart.objects.create(batch=batch, place=1, list=films, list_name="Films")
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
    assert groups["To decide"] == ["Proposals", "Conflicts", "Blocks", "Decisions"]
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


def test_the_history_of_what_is_gone_can_still_be_read(desk, films, staff):
    block = services.block(by=staff, scope="list", list_=films, pattern="Film*", reason="Seen it")
    number = block.pk
    services.unblock(block, by=staff)
    old = Block.history.earliest("history_id")
    assert "Gone" in desk.get(page(Block, "history", number)).content.decode()
    assert "Seen it" in desk.get(page(Block, "simple_history", number, old.history_id)).content.decode()
    assert desk.post(page(Block, "simple_history", number, old.history_id)).status_code == 403


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
    for way in (row.save, row.delete, Audit.objects.all().delete, lambda: Audit.objects.update(action="nothing")):
        with pytest.raises(AppendOnly):
            way()
    assert desk.post(page(Audit, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert Audit.objects.get().action == "created"


@pytest.mark.parametrize(
    "model",
    [model for model in OURS if hasattr(model, "history") and model not in (Entry, MediaList)],
    ids=lambda model: model.__name__,
)
def test_an_old_state_is_not_brought_back_past_the_services(desk, one_of_each, model):
    row = model.objects.order_by("-pk").first()
    old = model.history.filter(**{model._meta.pk.name: row.pk}).order_by("history_id").first()
    before = list(model.objects.values()), model.history.count()
    answer = desk.post(page(model, "simple_history", row.pk, old.history_id), {"name": "x", "title": "x"})
    assert answer.status_code == 403
    assert (list(model.objects.values()), model.history.count()) == before
    assert "revert" not in desk.get(page(model, "history", row.pk)).content.decode()
    assert (
        "Bring this state back" not in desk.get(page(model, "simple_history", row.pk, old.history_id)).content.decode()
    )


@pytest.mark.covers("AUD-01", "LIST-14")
def test_a_list_is_made_and_changed_through_the_services(desk, staff):
    submit(desk, page(MediaList, "add"), name="Sets", content="tracks", tags="a, b")
    made = MediaList.objects.get()
    assert (made.owner, made.content, made.tags) == (staff, "tracks", ["a", "b"])
    assert form_of(desk, page(MediaList, "change", made.pk))["tags"] == "a, b"
    answer = submit(desk, page(MediaList, "change", made.pk), name="Live sets", tags="b")
    assert "What the lists show stays as it was" in told(answer)
    made.refresh_from_db()
    assert (made.name, made.tags, made.content) == ("Live sets", ["b"], "tracks")
    assert list(Audit.objects.order_by("id").values_list("action", "actor_name", "after")) == [
        ("created", "admin", {"name": "Sets", "content": "tracks"}),
        ("changed", "admin", {"name": "Live sets", "tags": ["b"]}),
    ]


def test_a_form_that_changes_nothing_leaves_no_trace(desk, films, upload):
    source = upload(films, [film(1, genres=["Drama"], overview="Two\nlines", rating=7.25, runtime_s=7080)]).source
    before = Audit.objects.count(), Version.objects.count(), MediaList.history.count(), Source.history.count()
    for row in (films, source, Entry.objects.get()):
        assert submit(desk, page(type(row), "change", row.pk)).status_code == 200
    assert (Audit.objects.count(), Version.objects.count(), MediaList.history.count(), Source.history.count()) == before


@pytest.mark.covers("AUD-01")
def test_a_list_goes_into_the_bin_and_comes_back_and_is_never_deleted_here(desk, films, upload):
    upload(films, [film(1)])
    assert "1 in the bin" in told(act(desk, MediaList, "put_into_bin", films))
    films.refresh_from_db()
    assert films.deleted_at
    assert desk.post(page(MediaList, "change", films.pk), {"name": "x"}).status_code == 403
    assert "1 out of the bin" in told(act(desk, MediaList, "take_out_of_bin", films))
    act(desk, MediaList, "delete_selected", films, post="yes")
    assert desk.post(page(MediaList, "delete", films.pk), {"post": "yes"}).status_code == 403
    films.refresh_from_db()
    assert (films.deleted_at, Entry.objects.count()) == (None, 1)
    assert list(Audit.objects.order_by("-id").values_list("action", flat=True)[:2]) == ["restored", "deleted"]


@pytest.mark.covers("AUD-01")
def test_an_earlier_name_of_a_list_comes_back_and_nothing_else(desk, films, upload, titles):
    upload(films, [film(1)])
    services.change_list(films, by=films.owner, name="Renamed", tags=["new"])
    upload(films, [film(1), film(2)])
    old = MediaList.history.order_by("history_id").first()
    state = page(MediaList, "simple_history", films.pk, old.history_id)
    shown = desk.get(state).content.decode()
    assert "Films to watch" in shown
    assert "Renamed" in shown
    assert "what the list shows goes back with one of its versions" in told(desk.post(state, follow=True))
    films.refresh_from_db()
    assert (films.name, films.tags, titles(films)) == ("Films to watch", [], ["Film 1", "Film 2"])
    assert Audit.objects.first().after == {"name": "Films to watch", "tags": []}


def test_the_rules_of_a_list_are_the_sites_until_they_are_changed_here(desk, films, upload):
    upload(films, [film(1, genres=["Drama"])], source=None)
    upload(films, [film(1, genres=["Crime"])], source=None)
    form = page(MediaList, "change", films.pk)
    answer = submit(desk, form, strategy="merge", held_share="10")
    films.refresh_from_db()
    assert films.policy == {"strategy": "merge", "held_share": 10}
    assert Entry.objects.get().genres == ["Drama", "Crime"]
    assert f"version {films.current.number} of Films to watch" in told(answer)
    assert (films.current.kind, films.current.author_name) == ("rules", "admin")
    submit(desk, form, strategy="", held_share="")
    films.refresh_from_db()
    assert (films.policy, Entry.objects.get().genres) == ({}, ["Drama"])
    assert set(Audit.objects.filter(action="changed rules").values_list("actor_name", flat=True)) == {"admin"}


def test_a_rule_that_cannot_be_is_refused_with_what_was_typed(desk, films):
    answer = submit(desk, page(MediaList, "change", films.pk), name="Typed", held_share="101")
    assert "less than or equal to 100" in answer.content.decode()
    answer = submit(desk, page(MediaList, "change", films.pk), name="Typed", order_mode="field", order_field="")
    assert "Choose the field that the list goes by" in answer.content.decode()
    assert 'value="Typed"' in answer.content.decode()
    films.refresh_from_db()
    assert (films.name, films.policy, films.order_mode) == ("Films to watch", {}, "source")


def test_the_order_of_a_list_is_chosen_here(desk, films, upload, titles):
    upload(films, [film(1, title="B"), film(2, title="A")])
    submit(desk, page(MediaList, "change", films.pk), order_mode="field", order_field="title")
    assert titles(films) == ["A", "B"]
    submit(desk, page(MediaList, "change", films.pk), order_mode="source")
    assert titles(films) == ["B", "A"]


@pytest.mark.covers("WISH-06")
def test_members_of_a_list_are_looked_after_here(desk, films, jonas):
    form = page(MediaList, "change", films.pk)
    new = {"memberships-TOTAL_FORMS": 1, "memberships-0-user": jonas.pk, "memberships-0-role": "viewer"}
    new |= {"memberships-0-id": "", "memberships-0-list": films.pk}
    submit(desk, form, **new)
    assert films.role_of(jonas) == "viewer"
    submit(desk, form, **{"memberships-0-role": "editor"})
    assert films.role_of(jonas) == "editor"
    submit(desk, form, **{"memberships-0-DELETE": "on"})
    assert not Membership.objects.exists()
    acts = Audit.objects.exclude(action="created").order_by("id").values_list("action", "before", "after")
    assert list(acts) == [
        ("shared", None, {"user": "jonas", "role": "viewer"}),
        ("shared", {"user": "jonas", "role": "viewer"}, {"user": "jonas", "role": "editor"}),
        ("no longer shared", {"user": "jonas", "role": "editor"}, None),
    ]


def test_the_owner_of_a_list_is_no_member_of_it(desk, films, ines):
    new = {"memberships-TOTAL_FORMS": 1, "memberships-0-user": ines.pk, "memberships-0-role": "viewer"}
    answer = submit(desk, page(MediaList, "change", films.pk), name="Typed", **new)
    assert "The list is theirs already" in answer.content.decode()
    films.refresh_from_db()
    assert (films.name, Membership.objects.count()) == ("Films to watch", 0)


# -- sources ---------------------------------------------------------------------------------------------------------


@pytest.mark.covers("AUD-01")
def test_a_source_is_changed_and_its_address_is_not(desk, films, upload):
    source = upload(films, [film(1)]).source
    submit(desk, page(Source, "change", source.pk), name="Mine", interval_min=60, address="http://x", sync_enabled=None)
    changed = Source.objects.get(pk=source.pk)
    assert (changed.name, changed.interval_min, changed.sync_enabled, changed.address) == ("Mine", 60, False, "")
    row = Audit.objects.first()
    assert (row.action, row.before["interval_min"], row.after["interval_min"]) == ("changed source", 360, 60)


def test_which_source_speaks_first_is_changed_here(desk, films, upload):
    upload(films, [film(1, rating=5.0)], source=None)
    second = upload(films, [film(1, rating=8.0)], source=None).source
    assert Entry.objects.get().rating == 5.0
    submit(desk, page(Source, "change", second.pk), priority=0)
    assert Entry.objects.get().rating == 8.0


@pytest.mark.covers("LIST-13")
@pytest.mark.parametrize(("keep", "left"), [("yes", ["Film 1", "Film 2"]), ("no", ["Film 1"])])
def test_a_source_that_is_removed_asks_what_becomes_of_its_entries(desk, films, upload, titles, keep, left):
    upload(films, [film(1)], source=None)
    second = upload(films, [film(1), film(2)], source=None).source
    question = page(Source, "delete", second.pk)
    assert "They leave the list now" in desk.get(question).content.decode()
    assert "Choose one of the two" in desk.post(question, {}).content.decode()
    assert titles(films) == ["Film 1", "Film 2"]
    assert "no longer feeds" in told(desk.post(question, {"keep": keep}, follow=True))
    assert titles(films) == left
    second.refresh_from_db()
    assert second.removed_at
    assert desk.post(question, {"keep": keep}).status_code == 403
    act(desk, Source, "revive", second)
    second.refresh_from_db()
    assert (second.removed_at, second.enabled, titles(films)) == (None, True, ["Film 1", "Film 2"])


def test_sources_are_not_deleted_in_a_heap(desk, films, upload):
    source = upload(films, [film(1)]).source
    act(desk, Source, "delete_selected", source, post="yes")
    source.refresh_from_db()
    assert source.removed_at is None


# -- the site --------------------------------------------------------------------------------------------------------


@pytest.mark.covers("AUD-01", "CONF-11")
def test_there_is_one_site_policy_and_lists_follow_it(desk, films, upload):
    upload(films, [film(1, genres=["Drama"])], source=None)
    upload(films, [film(1, genres=["Crime"])], source=None)
    assert desk.get(page(SitePolicy)).headers["Location"] == page(SitePolicy, "change", 1)
    answer = submit(desk, page(SitePolicy, "change", 1), strategy="merge")
    assert "1 lists go by it" in told(answer)
    row = Audit.objects.first()
    assert (row.action, row.before, row.after) == ("changed", {"strategy": "priority"}, {"strategy": "merge"})
    services.settle_due(films)  # as the workers do
    assert (Entry.objects.get().genres, Refold.objects.count()) == (["Drama", "Crime"], 0)
    assert desk.get(page(SitePolicy, "add")).status_code == 403
    assert desk.post(page(SitePolicy, "delete", 1), {"post": "yes"}).status_code == 403


def test_a_rule_of_the_next_sync_changes_nothing_now(desk, films, upload):
    upload(films, [film(1)])
    assert "from the next sync on" in told(submit(desk, page(SitePolicy, "change", 1), held_floor=5))
    assert (SitePolicy.current().held_floor, Refold.objects.count()) == (5, 0)


@pytest.mark.covers("AUD-02")
@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"action": "changed"}, ["B"]),
        ({"action": "created"}, ["C", "A"]),
        ({"actor": "jonas"}, ["C"]),
        ({"object_type": "list"}, ["B", "C", "A"]),
        ({"object_type": "source"}, []),
        ({"since": "2026-03-02"}, ["B", "C"]),
        ({"until": "2026-03-02"}, ["C", "A"]),
        ({"since": "2026-03-02", "until": "2026-03-02", "q": "C"}, ["C"]),
        ({"since": "when?"}, ["B", "C", "A"]),
    ],
    ids=str,
)
def test_audit_rows_are_found_by_action_kind_who_and_day(desk, ines, jonas, asked, names):
    for day, who, name in [(1, ines, "A"), (2, jonas, "C")]:
        services.create_list(who, name=name)
        Audit.objects.filter(object_name=name)._raw_delete("default")
        at = timezone.make_aware(datetime(2026, 3, day, 23, 30))
        Audit.objects.create(
            at=at, actor=who, actor_name=who.username, action="created", object_type="list", object_name=name
        )
    changed = timezone.make_aware(datetime(2026, 3, 3))
    Audit.objects.create(
        at=changed, actor=ines, actor_name="ines", action="changed", object_type="list", object_name="B"
    )
    answer = desk.get(page(Audit), asked)
    assert [row.object_name for row in answer.context["cl"].result_list] == names
    for value in asked.values():  # each filter stands in its box, and the others with it
        assert f'value="{value}"' in answer.content.decode() or f"={value}" in answer.content.decode()
