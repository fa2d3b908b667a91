"""Who may do what in the admin: every page and every action by every kind of user, and none forgotten."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from lists import services
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
from sync.models import Batch, BatchPart, Breaker, Run
from tests.admin_forms import page

ROLES = ("superuser", "staff", "viewing staff", "owner", "anonymous")
LOGIN = 302
OPEN = (200, 403, 403, LOGIN, LOGIN)
LOOKED_AT = (200, 403, 200, LOGIN, LOGIN)
NEVER = (403, 403, 403, LOGIN, LOGIN)

# What is in neither is only looked at.
ADDED = {MediaList, Entry, Block, Source, Account}
DELETED = {Entry, Block, Source, Account}
OURS = [model for model in admin.site._registry if model._meta.app_label in ("lists", "sync")]
OWN = [  # pages of our own
    (Version, "rollback", OPEN),
    (Item, "merge", OPEN),
    (Item, "split", OPEN),
    (Account, "test", OPEN),
]


@pytest.fixture
def rows(films, ines, upload):
    """A row of each model, by model."""
    upload(
        films, [{"key": f"{n}", "ids": {"imdb": f"tt000000{n}"}, "title": f"Film {n}", "year": 1990} for n in (1, 2)]
    )
    run = upload(films, [{"key": f"{n}", "title": f"Film {n}", "rating": 5.0} for n in (1, 2)])
    entry, now = Entry.objects.order_by("id")[0], timezone.now()
    services.edit_entries(films, {entry.pk: {"year": 1999}}, by=ines)
    other = Item.objects.create(kind="movie", title="Another", name="another")
    batch = Batch.objects.create(limit=1, width=1)
    made = [
        films, entry, run, run.source, entry.item, Edit.objects.get(), SitePolicy.current(), Version.objects.earliest("id"),
        Audit.objects.latest("id"),
        Conflict.objects.create(list=films, entry=entry, kind="field", field="title", options=[], before="x"),
        Block.objects.create(list=films, pattern="Nothing*"),
        Account.objects.create(owner=ines, service="trakt", name="mine"),
        Decision.objects.create(item=entry.item, other=other, decided_by=ines, decided_by_name="ines"),
        Proposal.objects.create(kind="held", state="open", list=films, source=run.source, result={"entries": [entry.pk]}),
        Provenance.objects.create(title="x", list_name="x", source_name="x", first_at=now, last_at=now),
        batch, BatchPart.objects.create(batch=batch, place=1, list=films, list_name="F"),
        Breaker.objects.create(service="tmdb"),
    ]  # fmt: skip
    return {type(row): row for row in made}


@pytest.fixture
def clients(staff, ines, django_user_model) -> dict[str, Client]:
    """A client of each role. Staff have no permission on anything, viewing staff may look at all of it."""
    nothing = django_user_model.objects.create_user("desk", is_staff=True)
    looking = django_user_model.objects.create_user("look", is_staff=True)
    looking.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    clients = {role: Client() for role in ROLES}
    for role, user in [("superuser", staff), ("staff", nothing), ("viewing staff", looking), ("owner", ines)]:
        clients[role].force_login(user)
    return clients


def pages_of(model, row) -> list[tuple[str, tuple[int, ...]]]:
    """(address, answer by role) of each page of a model."""
    pages = [
        (page(model), LOOKED_AT),
        (page(model, "change", row.pk), LOOKED_AT),
        (page(model, "history", row.pk), LOOKED_AT),
        (page(model, "add"), OPEN if model in ADDED else NEVER),
        (page(model, "delete", row.pk), OPEN if model in DELETED else NEVER),
    ]
    if hasattr(model, "history"):
        old = model.history.filter(**{model._meta.pk.name: row.pk}).first()
        pages.append((page(model, "simple_history", row.pk, old.history_id), LOOKED_AT))
    pages += [(page(model, name, row.pk), answers) for of, name, answers in OWN if of is model]
    return pages


@pytest.mark.covers("LIST-14")
@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_each_page_opens_for_whom_it_is_and_for_nobody_else(clients, rows, model):
    for address, answers in pages_of(model, rows[model]):
        for role, answer in zip(ROLES, answers, strict=True):
            found = clients[role].get(address)
            if model is SitePolicy and address == page(model) and answer == 200:
                answer = 302  # to its one row
            assert found.status_code == answer, f"{address} by {role}"
            if answer == LOGIN and model is not SitePolicy:
                assert found.headers["Location"].startswith("/admin/login/")


def test_no_page_is_forgotten(rows):
    ours = {"changelist", "change", "history", "add", "delete", "simple_history"} | {name for _, name, _ in OWN}
    for model in OURS:
        prefix = f"{model._meta.app_label}_{model._meta.model_name}_"
        names = {url.name.removeprefix(prefix) for url in admin.site._registry[model].get_urls() if url.name}
        assert names <= ours, model


def state() -> list[object]:
    """Everything that an act could change."""
    return [
        list(model.objects.order_by("pk").values(*fields(model)))
        for model in (
            MediaList,
            Source,
            Entry,
            Edit,
            Item,
            Version,
            Block,
            Conflict,
            Proposal,
            SitePolicy,
            Run,
            Audit,
            Account,
            Breaker,
        )
    ]


def fields(model) -> list[str]:
    return [f.name for f in model._meta.concrete_fields]


def posts(rows) -> list[tuple[str, dict[str, object]]]:
    """Each post that would change something: every action, every delete, every page that asks, every old state."""
    found: list[tuple[str, dict[str, object]]] = []
    for model in OURS:
        row = rows[model]
        found.append((page(model, "delete", row.pk), {"post": "yes", "keep": "no"}))
        found.append((page(model, "change", row.pk), {"name": "Mine", "title": "Mine", "strategy": "new"}))
        found += [(page(model), {"action": name, "_selected_action": [row.pk]}) for name in actions_of(model)]
        if hasattr(model, "history"):
            old = model.history.filter(**{model._meta.pk.name: row.pk}).last()
            found.append((page(model, "simple_history", row.pk, old.history_id), {}))
        found += [(page(model, name, row.pk), {"into": 1}) for of, name, _ in OWN if of is model]
    found += [(page(model, "add"), {"name": "x", "title": "x", "scope": "all", "pattern": "x*"}) for model in ADDED]
    return found


def actions_of(model) -> set[str]:
    """All of them, whoever may."""
    its_admin = admin.site._registry[model]
    return {name for _, name, _ in map(its_admin.get_action, its_admin.actions or ())} | {"delete_selected"}


@pytest.mark.covers("LIST-14")
@pytest.mark.parametrize("role", ROLES[1:])
def test_nothing_that_is_posted_by_others_changes_anything(clients, rows, role):
    before = state()
    for address, body in posts(rows):
        answer = clients[role].post(address, body)
        refused = answer.status_code == 403 or answer.headers.get("Location", "").startswith("/admin/login/")
        ignored = "action" in body and answer.status_code in (200, 302)  # not offered, so not carried out
        assert refused or ignored, f"{address} {body}"
        assert state() == before, f"{address} {body}"


def test_actions_are_offered_only_to_those_who_may(clients, rows, staff, django_user_model):
    users = {
        "staff": django_user_model.objects.get(username="desk"),
        "viewing": django_user_model.objects.get(username="look"),
    }
    for user in users.values():
        request = RequestFactory().get("/admin/")
        request.user = user
        for model in OURS:
            assert not admin.site._registry[model].get_actions(request), model


@pytest.mark.parametrize(
    ("codename", "action", "model"),
    [
        ("change_proposal", "apply", Proposal),
        ("change_conflict", "keep", Conflict),
        ("delete_entry", "delete_selected", Entry),
        ("change_entry", "put_back", Entry),
        ("delete_block", "delete_selected", Block),
        ("change_source", "revive", Source),
        ("change_medialist", "put_into_bin", MediaList),
        ("change_medialist", "roll_back", Version),
    ],
)
def test_one_permission_is_enough_for_what_it_names(rows, django_user_model, codename, action, model):
    user = django_user_model.objects.create_user("one", is_staff=True)
    names = {codename, f"view_{model._meta.model_name}"}
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    request = RequestFactory().get("/admin/")
    request.user = user
    assert action in admin.site._registry[model].get_actions(request)


def test_who_may_only_look_at_items_does_not_merge_them(clients, rows):
    answer = clients["viewing staff"].get(page(Item, "change", rows[Item].pk)).content.decode()
    assert "Merge into another" not in answer
    assert clients["viewing staff"].post(reverse("admin:lists_item_merge", args=[rows[Item].pk]), {}).status_code == 403
