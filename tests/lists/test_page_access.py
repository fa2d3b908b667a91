"""Who may do what on the pages: every route by every role, and no route forgotten."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.urls import reverse

from lists import services
from lists import urls as lists_urls
from lists.models import Audit, Conflict, Entry, ExternalId, Item, Proposal, Source, Version
from lists.plan import Counts
from lists.views import answers
from monitoring import urls as monitoring_urls
from sync import pasted
from sync import urls as sync_urls
from sync.models import Batch
from tests.lists.unsure import one_change

ROLES = ("owner", "editor", "viewer", "stranger", "staff", "anonymous")
IN = "login"  # led to the sign-in

MINE = (200, 200, 200, 200, 200, IN)  # each sees what is theirs
SEES = (200, 200, 200, 404, 200, IN)
EDITS = (200, 200, 403, 404, 200, IN)
OWNS = (200, 403, 403, 404, 200, IN)
LED = (302, 302, 302, 404, 302, IN)
DONE = (204, 204, 204, 404, 204, IN)  # nothing is being worked on
ONLY_POSTED = (405, 405, 405, 405, 405, IN)
# What posting leads to: on to the next page.
ALL_DO = (302, 302, 302, 302, 302, IN)
EDITORS_DO = (302, 302, 403, 404, 302, IN)
OWN = (200, 404, 404, 404, 200, IN)  # what the owner asked for is theirs alone
THEIRS = (200, 404, 404, 404, 404, IN)  # what belongs to a person is on the pages of nobody else, staff or not
THEY_DO = (302, 404, 404, 404, 404, IN)
OWNERS_DO = (302, 403, 403, 404, 302, IN)

FILE = "a file"

# (route, query or None, answers by role, what is posted or None, answers by role); posted None: it only shows.
TABLE: list[tuple[str, str, tuple[Any, ...], dict[str, Any] | None, tuple[Any, ...]]] = [
    ("lists:index", "", MINE, None, ()),
    ("lists:bin", "", MINE, None, ()),
    ("lists:create", "", MINE, {"name": "New", "content": "films"}, ALL_DO),
    ("lists:items", "", SEES, None, ()),
    ("lists:add_entry", "", EDITS, {"title": "New", "kind": "movie"}, EDITORS_DO),
    ("lists:remove_entries", "", ONLY_POSTED, {"entries": "{entry}"}, EDITORS_DO),
    ("lists:restore_entries", "", ONLY_POSTED, {"entries": "{entry}"}, EDITORS_DO),
    ("lists:move_entries", "", ONLY_POSTED, {"entries": "{entry}", "place": "2"}, EDITORS_DO),
    ("lists:edit_entries", "", ONLY_POSTED, {"entries": "{entry}", "field": "year", "value": "1999"}, EDITORS_DO),
    ("lists:block_entries", "entries={entry}", EDITS, {"entries": "{entry}", "scope": "list"}, EDITORS_DO),
    ("lists:unblock_entries", "", ONLY_POSTED, {"block": "{block}"}, EDITORS_DO),
    ("lists:entry", "", SEES, None, ()),
    ("lists:edit_entry", "", EDITS, {"title": "New"}, EDITORS_DO),
    ("lists:give_back", "", ONLY_POSTED, {"field": "rating"}, EDITORS_DO),
    ("lists:entry_as_it_was", "", ONLY_POSTED, {"version": "1"}, EDITORS_DO),
    ("lists:match", "", EDITS, None, ()),
    ("lists:pick", "", ONLY_POSTED, {"item": "own"}, EDITORS_DO),
    ("lists:merge", "", ONLY_POSTED, {"item": "{other}"}, OWNERS_DO),
    ("lists:split", "", ONLY_POSTED, {"item": "{merged}"}, OWNERS_DO),
    ("lists:order", "", EDITS, {"order": "title"}, EDITORS_DO),
    ("lists:undo", "", ONLY_POSTED, {}, EDITORS_DO),
    ("lists:changes", "", SEES, None, ()),
    ("lists:version", "", SEES, None, ()),
    ("lists:restore_version", "", EDITS, {"seen": "{newest}"}, EDITORS_DO),
    ("lists:release", "", ONLY_POSTED, {}, EDITORS_DO),
    ("lists:on_day", "day=2999-01-01", LED, None, ()),
    ("lists:diff", "from=1&to=2", SEES, None, ()),
    ("lists:settings", "", SEES, {"name": "New"}, EDITORS_DO),
    ("lists:rules", "", OWNS, {"removals": "keep"}, OWNERS_DO),
    ("lists:filters", "", OWNS, {"year_from": "2000"}, OWNERS_DO),
    ("lists:source", "", EDITS, {"name": "New"}, EDITORS_DO),
    ("lists:move_source", "", ONLY_POSTED, {"way": "down"}, EDITORS_DO),
    ("lists:remove_source", "", EDITS, {"keep": "no"}, EDITORS_DO),
    ("lists:revive_source", "", ONLY_POSTED, {}, EDITORS_DO),
    ("lists:members", "", SEES, {"user": "third", "role": "viewer"}, OWNERS_DO),
    ("lists:member", "", ONLY_POSTED, {"role": "none"}, OWNERS_DO),
    ("lists:leave", "", ONLY_POSTED, {}, (403, 302, 302, 404, 403, IN)),
    ("lists:blocks", "pattern=film*&scope=list", SEES, {"pattern": "film 1*", "scope": "list"}, EDITORS_DO),
    ("lists:all_blocks", "pattern=film*&scope=mine", MINE, {"pattern": "film 1*", "scope": "mine"}, ALL_DO),
    ("lists:unblock", "", ONLY_POSTED, {}, EDITORS_DO),
    ("lists:list_audit", "", SEES, None, ()),
    ("lists:audit", "", MINE, None, ()),
    ("lists:review", "", MINE, None, ()),
    ("lists:review_conflicts", "list={list}", SEES, {"act": "skip", "pick": "{question}"}, EDITORS_DO),
    ("lists:review_changes", "list={list}", SEES, {"act": "take", "pick": "{change}"}, EDITORS_DO),
    ("lists:review_held", "", SEES, {"decision": "keep"}, EDITORS_DO),
    ("lists:exports", "", SEES, None, ()),
    ("lists:export", "", SEES, None, ()),
    ("lists:delete", "", ONLY_POSTED, {}, OWNERS_DO),
    ("lists:restore", "", ONLY_POSTED, {}, OWNERS_DO),
    ("sync:add", "", MINE, {"file": FILE}, ALL_DO),
    ("sync:upload", "", EDITS, {"file": FILE}, EDITORS_DO),
    ("sync:paste", "", MINE, {"address": "https://films.example/a.json"}, ALL_DO),
    ("sync:paste_into", "", EDITS, {"address": "https://films.example/a.json"}, EDITORS_DO),
    ("sync:kind", "", MINE, {}, ALL_DO),
    ("sync:kind_into", "", EDITS, {}, EDITORS_DO),
    ("sync:source_address", "", OWNS, {"q-path": "/elsewhere"}, OWNERS_DO),
    ("sync:found", "", SEES, None, ()),
    ("sync:try_again", "", ONLY_POSTED, {}, EDITORS_DO),
    ("sync:keep", "", EDITS, {"interval_min": "360"}, EDITORS_DO),
    ("sync:sync_list", "", ONLY_POSTED, {}, EDITORS_DO),
    ("sync:sync_source", "", ONLY_POSTED, {}, EDITORS_DO),
    ("sync:schedule_list", "", ONLY_POSTED, {"interval_min": "60", "gap_min": "5"}, EDITORS_DO),
    ("sync:schedule_source", "", ONLY_POSTED, {"interval_min": "60", "gap_min": "5"}, EDITORS_DO),
    ("sync:source_account", "", ONLY_POSTED, {"account": ""}, EDITORS_DO),
    ("sync:accounts", "", MINE, None, ()),
    ("sync:accounts_add", "", MINE, None, ()),
    ("sync:account_add", "", MINE, {"name": "", "client_id": "x"}, MINE),  # what is whole would ask the service
    ("sync:account", "", THEIRS, {"name": "New", "client_id": "x"}, THEIRS),  # as above
    ("sync:account_test", "", ONLY_POSTED, {}, THEY_DO),
    ("sync:account_delete", "", THEIRS, {}, THEY_DO),
    ("sync:account_sign_in", "", ONLY_POSTED, {}, THEY_DO),
    ("sync:account_sign_in_progress", "", (204, 404, 404, 404, 404, IN), None, ()),
    ("sync:account_sign_in_look", "", ONLY_POSTED, {}, THEY_DO),
    ("sync:account_sign_in_cancel", "", ONLY_POSTED, {}, THEY_DO),
    ("sync:runs_standing", "", MINE, None, ()),
    ("sync:runs_figures", "list={list}&days=7", MINE, None, ()),
    ("sync:runs_batches", "", MINE, {"lists": "{list}", "strategy": "parallel"}, ALL_DO),
    ("sync:runs_batch", "", OWN, None, ()),
    ("sync:runs_batch_progress", "", OWN, None, ()),
    ("sync:runs_batch_cancel", "", ONLY_POSTED, {}, (302, 404, 404, 404, 302, IN)),
    ("sync:list_runs", "", SEES, None, ()),
    ("sync:preview", "", SEES, None, ()),
    ("sync:preview_progress", "", DONE, None, ()),
    ("sync:read_again", "", ONLY_POSTED, {"adapter": "scripted"}, EDITORS_DO),
    ("sync:take_parts", "", ONLY_POSTED, {"part": "no.csv"}, EDITORS_DO),
    ("sync:confirm", "", ONLY_POSTED, {}, EDITORS_DO),
    ("sync:discard", "", ONLY_POSTED, {}, EDITORS_DO),
    ("sync:runs", "", MINE, None, ()),
    ("sync:run", "", SEES, None, ()),
    ("sync:run_progress", "", DONE, None, ()),
    ("sync:run_cancel", "", ONLY_POSTED, {}, EDITORS_DO),
]  # fmt: skip

# What a parameter of an address is; and of some routes another thing.
PARAMETERS = {
    "pk": "list", "entry_pk": "entry", "source_pk": "source", "n": "first", "key": "format", "user_pk": "viewer", "service": "service",
}  # fmt: skip
OTHERWISE = {
    "lists:undo": {"n": "newest"},
    "lists:revive_source": {"source_pk": "removed_source"},
    "sync:schedule_source": {"source_pk": "fetched"},
    "sync:source_address": {"source_pk": "fetched"},
    "sync:kind": {"key": "kind"},
    "sync:kind_into": {"key": "kind"},
    **{f"sync:{name}": {"pk": "tried"} for name in ("found", "try_again", "keep")},
    "lists:review_held": {"pk": "held"},
    "lists:unblock": {"pk": "block"},
    **{
        f"sync:account{name}": {"pk": "account"}
        for name in ("", "_test", "_delete", "_sign_in", "_sign_in_progress", "_sign_in_look", "_sign_in_cancel")
    },
    **{f"sync:{name}": {"pk": "run"} for name in ("run", "run_cancel", "run_progress")},
    **{f"sync:{name}": {"pk": "batch"} for name in ("runs_batch", "runs_batch_progress", "runs_batch_cancel")},
    **{
        f"sync:{name}": {"pk": "upload"}
        for name in ("preview", "preview_progress", "read_again", "take_parts", "confirm", "discard")
    },
}


def film(n: int, **more):
    return {"key": f"tt{n:07}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990 + n % 30, **more}


def routes() -> dict[str, list[str]]:
    """name of each route of the pages -> the parameters of its address."""
    return {
        f"{room.app_name}:{pattern.name}": list(pattern.pattern.converters)
        for room in (lists_urls, sync_urls)
        for pattern in room.urlpatterns
    }


@pytest.fixture
def clients(ines, jonas, staff, films, django_user_model):
    """A client of each role towards ines' list."""
    django_user_model.objects.create_user("third")
    users = {"owner": ines, "stranger": jonas, "staff": staff}
    for role in ("editor", "viewer"):
        users[role] = django_user_model.objects.create_user(role)
        services.share_list(films, user=users[role], role=role, by=ines)
    clients = {"anonymous": Client()}
    for role, user in users.items():
        clients[role] = Client()
        clients[role].force_login(user)
    return clients


@pytest.fixture
def things(films, ines, upload, live, work, clients, django_user_model) -> dict[str, Any]:
    """One of everything that a page may be about, all on ines' list."""
    run = upload(films, [film(n, rating=5.0) for n in range(1, 4)])
    entry = Entry.objects.get(title="Film 1")
    services.edit_entries(films, {entry.pk: {"rating": 6.0}}, by=ines)
    upload(films, [film(n, rating=7.0) for n in range(1, 4)])
    source = Source.objects.get(role="feed")
    gone = services.add_source(films, adapter="scripted", name="gone", by=ines)
    services.remove_source(gone, by=ines, keep=False)
    other, merged = (Item.objects.create(kind="movie", title=name, name=name.lower()) for name in ("Other", "Merged"))
    ExternalId.objects.create(item=other, namespace="imdb", value="tt0009999")
    services.merge_items(merged, entry.item, by=ines)
    block = services.block(by=ines, scope="list", list_=films, pattern="zebra")
    asked = Conflict.objects.get()
    held = Proposal.objects.create(
        kind="held", state="open", list=films, source=source, result={"entries": [entry.pk], "supported": 3}
    )
    tried = pasted.start(by=ines, address="https://films.example/b.json", list_=films)
    counts = dict.fromkeys(Counts.__dataclass_fields__, 0)
    Proposal.objects.filter(pk=tried.pk).update(state="open", result={"content": "films", "counts": counts})
    return {
        "tried": tried.pk, "kind": "stevenlu",
        "account": services.make_account(ines, service="trakt", name="Mine", by=ines).pk, "service": "trakt",
        "batch": Batch.objects.create(requested_by=ines, width=1).pk,
        "list": films.pk, "entry": entry.pk, "run": run.pk, "source": source.pk, "removed_source": gone.pk,
        "fetched": live(films).pk, "other": other.pk,
        "merged": merged.pk, "block": block.pk, "held": held.pk, "first": 1, "format": "csv",
        "upload": upload(films, [film(9)], confirm=False).pk, "viewer": django_user_model.objects.get(username="viewer").pk,
        "question": f"{asked.pk}.{answers.mark(asked)}",
        "change": one_change(films, live)[1].pk,
        "newest": Version.objects.filter(list=films).latest("number").number,
    }  # fmt: skip


def address_of(name: str, things: dict[str, Any]) -> str:
    names = PARAMETERS | OTHERWISE.get(name, {})
    return reverse(name, args=[things[names[parameter]] for parameter in routes()[name]])


def answer_of(response) -> Any:
    if response.streaming:
        assert b"Film" in b"".join(response.streaming_content)
    led_in = response.status_code == 302 and response.url.startswith(reverse("login"))
    return IN if led_in else response.status_code


def ask(clients, act) -> dict[str, Any]:
    """What each role is answered; each finds everything as it was."""
    found = {}
    for role in ROLES:
        with transaction.atomic():
            before = Audit.objects.count()
            found[role] = answer_of(act(clients[role]))
            if found[role] != 302:
                assert Audit.objects.count() == before, f"{role} did something"
            transaction.set_rollback(True)
    return found


@pytest.mark.covers("WISH-06")
@pytest.mark.parametrize(
    ("name", "query", "shown", "body", "done"), [pytest.param(*row, id=row[0].replace(":", ".")) for row in TABLE]
)
def test_each_role_sees_and_does_what_it_may_and_no_more(clients, things, name, query, shown, body, done):
    address = address_of(name, things)
    asked = f"{address}?{query.format(**things)}"
    assert ask(clients, lambda client: client.get(asked)) == dict(zip(ROLES, shown, strict=True))
    if body is None:
        assert ask(clients, lambda client: client.post(asked)) == dict(zip(ROLES, shown, strict=True))
        return

    def post(client):
        file = SimpleUploadedFile("rows.json", b"[]")
        typed = {name: file if value == FILE else value.format(**things) for name, value in body.items()}
        return client.post(address, typed)

    assert ask(clients, post) == dict(zip(ROLES, done, strict=True))


def test_the_table_holds_every_route():
    """What is added to the pages without a line above fails here."""
    assert sorted(name for name, *_ in TABLE) == sorted(routes())


def test_what_is_no_page_of_a_list_is_known():
    """Health and metrics are for programs; they have tests of their own."""
    assert {pattern.name for pattern in monitoring_urls.urlpatterns} == {"live", "ready", "metrics"}


OF_A_LIST = [
    name for name, parameters in routes().items() if "pk" in parameters and "pk" not in OTHERWISE.get(name, ())
]


@pytest.mark.parametrize("name", OF_A_LIST)
def test_a_list_in_the_bin_has_no_pages_but_its_way_back(client, films, ines, upload, name):
    upload(films, [film(1)])
    things = {
        "entry": Entry.objects.get().pk,
        "source": Source.objects.get().pk,
        "format": "csv",
        "viewer": ines.pk,
        "kind": "stevenlu",
    }
    address = address_of(
        name,
        {
            **things,
            "list": films.pk,
            "first": 1,
            "newest": 1,
            "removed_source": things["source"],
            "fetched": things["source"],
        },
    )
    services.bin_list(films, by=ines)
    client.force_login(ines)
    before = Audit.objects.count()
    found = {client.get(address).status_code, client.post(address).status_code}
    if name == "lists:restore":
        assert found == {405, 302}
    else:
        assert found <= {404, 405}
        assert Audit.objects.count() == before
