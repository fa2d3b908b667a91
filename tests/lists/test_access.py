"""Who may do what: every route of the API by every role, and no route forgotten."""

import base64
import json
import re
from datetime import timedelta

import pytest
from django.db import transaction
from django.urls import URLPattern
from django.utils import timezone
from rest_framework.test import APIClient

from config import api
from lists import services
from lists.models import Conflict, Entry, Item, Membership, Proposal, SignIn
from lists.plan import Counts
from sync import pasted
from sync.models import Batch, Breaker
from tests.lists.unsure import one_change

ROLES = ("owner", "editor", "viewer", "stranger", "staff", "anonymous")
SEES = (200, 200, 200, 404, 200, 401)
CHANGES = (200, 200, 403, 404, 200, 401)
OWNS = (200, 403, 403, 404, 200, 401)
EVERYBODY = (200, 200, 200, 200, 200, 401)  # each sees what is theirs
QUEUES = (202, 202, 403, 404, 202, 401)
MAKES = (201, 201, 403, 404, 201, 401)
HOLDS = (200, 404, 404, 404, 200, 401)  # what belongs to a person, and to no list
STAFF = (403, 403, 403, 403, 200, 401)
KEYS = {"client_id": "x", "client_secret": "y"}
IDENTIFIES = (200, 403, 403, 403, 200, 401)  # the item stands on one list only

# (method, route below /api/v1/, body, answer by role); "{list}" in a body is the id
TABLE = [
    ("get", "lists/", None, EVERYBODY),
    ("post", "lists/", {"name": "New"}, (201, 201, 201, 201, 201, 401)),
    ("get", "lists/bin/", None, EVERYBODY),
    ("get", "lists/{list}/", None, SEES),
    ("patch", "lists/{list}/", {"name": "New"}, CHANGES),
    ("delete", "lists/{list}/", None, (204, 403, 403, 404, 204, 401)),
    ("post", "lists/{list}/restore/", None, OWNS),
    ("get", "lists/{list}/rules/", None, SEES),
    ("patch", "lists/{list}/rules/", {"strategy": "new"}, OWNS),
    ("get", "lists/{list}/filters/", None, SEES),
    ("patch", "lists/{list}/filters/", {"year_from": 1950}, OWNS),
    ("post", "lists/{list}/filters/preview/", {"year_from": 1950}, OWNS),
    ("put", "lists/{list}/order/", {"mode": "field", "field": "title"}, CHANGES),
    ("get", "lists/{list}/members/", None, SEES),
    ("put", "lists/{list}/members/{username}/", {"role": "viewer"}, OWNS),
    ("delete", "lists/{list}/members/{username}/", None, (204, 403, 403, 404, 204, 401)),
    ("get", "lists/{list}/sources/", None, SEES),
    ("post", "lists/{list}/sources/", {"adapter": "scripted_live"}, MAKES),
    ("patch", "lists/{list}/schedule/", {"interval_min": 60}, CHANGES),
    ("put", "lists/{list}/sources/{fetched}/account/", {"account": None}, CHANGES),
    ("get", "account-kinds/", None, EVERYBODY),
    ("get", "accounts/", None, EVERYBODY),
    ("post", "accounts/", {"service": "trakt", "name": "x", "answers": KEYS}, (201, 201, 201, 201, 201, 401)),
    ("get", "accounts/{account}/", None, HOLDS),
    ("patch", "accounts/{account}/", {"name": "New"}, HOLDS),
    ("delete", "accounts/{account}/", None, (204, 404, 404, 404, 204, 401)),
    ("post", "accounts/{account}/test/", None, (409, 404, 404, 404, 409, 401)),  # it has no key
    ("get", "accounts/{account}/sign-in/", None, HOLDS),
    ("post", "accounts/{account}/sign-in/", None, (409, 404, 404, 404, 409, 401)),  # as above
    ("delete", "accounts/{account}/sign-in/", None, (204, 404, 404, 404, 204, 401)),
    ("get", "syncs/", None, EVERYBODY),
    ("get", "runs/statistics/", None, EVERYBODY),
    ("get", "runs/trends/", None, EVERYBODY),
    ("get", "batches/", None, EVERYBODY),
    ("post", "batches/", {"lists": ["{list}"]}, (202, 202, 403, 400, 202, 401)),
    ("get", "batches/{batch}/", None, (200, 404, 404, 404, 200, 401)),
    ("get", "batches/{batch}/parts/", None, (200, 404, 404, 404, 200, 401)),
    ("post", "batches/{batch}/cancel/", None, (200, 404, 404, 404, 200, 401)),
    ("put", "lists/{list}/sources/order/", {"sources": ["{fetched}", "{source}"]}, CHANGES),
    ("get", "lists/{list}/sources/{source}/", None, SEES),
    ("patch", "lists/{list}/sources/{source}/", {"name": "New"}, CHANGES),
    ("delete", "lists/{list}/sources/{source}/?keep=true", None, CHANGES),
    ("post", "lists/{list}/sources/{gone}/revive/", None, CHANGES),
    ("post", "lists/{list}/sources/{fetched}/sync/", None, QUEUES),
    ("post", "lists/{list}/sync/", None, QUEUES),
    ("get", "lists/{list}/export/csv/", None, SEES),
    ("get", "lists/{list}/export/json/", None, SEES),
    ("get", "lists/{list}/entries/", None, SEES),
    ("post", "lists/{list}/entries/", {"values": {"title": "New"}}, MAKES),
    ("post", "lists/{list}/entries/move/", {"entries": ["{entry}"], "place": 1}, CHANGES),
    ("post", "lists/{list}/entries/bulk/", {"remove": ["{entry}"]}, CHANGES),
    ("get", "lists/{list}/entries/{entry}/", None, SEES),
    ("patch", "lists/{list}/entries/{entry}/", {"values": {"title": "New"}}, CHANGES),
    ("delete", "lists/{list}/entries/{entry}/", None, CHANGES),
    ("post", "lists/{list}/entries/{removed}/restore/", None, CHANGES),
    ("post", "lists/{list}/entries/{entry}/give-back/", {"fields": ["year"]}, CHANGES),
    ("post", "lists/{list}/entries/{entry}/match/", {"item": None}, CHANGES),
    ("get", "lists/{list}/versions/", None, SEES),
    ("get", "lists/{list}/versions/at/?date=2999-01-01", None, SEES),
    ("get", "lists/{list}/versions/1/", None, SEES),
    ("post", "lists/{list}/versions/1/rollback/", None, CHANGES),
    ("get", "lists/{list}/diff/?from=1&to=1", None, SEES),
    ("get", "lists/{list}/held-back/", None, SEES),
    ("post", "lists/{list}/release/", None, CHANGES),
    ("get", "conflicts/", None, EVERYBODY),
    ("get", "conflicts/{conflict}/", None, SEES),
    ("post", "conflicts/decide/", {"ids": ["{conflict}"], "choice": "keep"}, CHANGES),
    ("post", "conflicts/skip/", {"ids": ["{conflict}"]}, CHANGES),
    ("get", "held/", None, EVERYBODY),
    ("get", "held/{held}/", None, SEES),
    ("post", "held/{held}/apply/", None, CHANGES),
    ("post", "held/{held}/keep/", None, CHANGES),
    ("get", "unsure/", None, EVERYBODY),
    ("get", "unsure/{unsure}/", None, SEES),
    ("post", "unsure/{unsure}/take/", None, CHANGES),
    ("post", "unsure/{unsure}/keep/", None, CHANGES),
    ("get", "blocks/", None, EVERYBODY),
    ("post", "blocks/", {"scope": "list", "list": "{list}", "pattern": "Foo*"}, MAKES),
    ("post", "blocks/", {"scope": "mine", "pattern": "Foo*"}, (201, 201, 201, 201, 201, 401)),
    ("post", "blocks/", {"scope": "all", "pattern": "Foo*"}, (403, 403, 403, 403, 201, 401)),
    ("post", "blocks/preview/", {"scope": "list", "list": "{list}", "pattern": "Foo*"}, CHANGES),
    ("post", "blocks/preview/", {"scope": "all", "pattern": "Foo*"}, (403, 403, 403, 403, 200, 401)),
    ("delete", "blocks/{block}/", None, (204, 204, 403, 404, 204, 401)),
    ("delete", "blocks/{sites}/", None, (403, 403, 403, 403, 204, 401)),
    ("get", "lists/{list}/blocks/", None, SEES),
    ("get", "items/?q=Film", None, EVERYBODY),
    ("get", "items/{item}/", None, EVERYBODY),
    ("post", "items/{item}/merge/", {"into": "{other}"}, IDENTIFIES),
    ("post", "items/{merged}/split/", None, IDENTIFIES),
    ("get", "audit/", None, EVERYBODY),
    ("get", "breakers/", None, EVERYBODY),
    ("post", "breakers/{breaker}/open/", {}, STAFF),
    ("post", "breakers/{breaker}/reset/", None, STAFF),
    ("get", "runs/", None, EVERYBODY),
    ("get", "runs/{run}/", None, SEES),
    ("post", "runs/{run}/cancel/", None, (409, 409, 403, 404, 409, 401)),  # it has ended
    ("post", "uploads/", "file", (202, 202, 403, 404, 202, 401)),
    ("get", "uploads/{upload}/", None, SEES),
    ("post", "uploads/{upload}/read-again/", {"adapter": "scripted"}, (202, 202, 403, 404, 202, 401)),
    ("post", "uploads/{upload}/confirm/", None, (202, 202, 403, 404, 202, 401)),
    ("post", "uploads/{upload}/discard/", None, CHANGES),
    ("get", "uploads/", None, EVERYBODY),
    ("post", "uploads/{upload}/parts/", {"parts": ["no.csv"]}, (400, 400, 403, 404, 400, 401)),
    ("get", "formats/", None, EVERYBODY),
    ("get", "source-types/", None, EVERYBODY),
    ("post", "source-types/recognise/", {"address": "https://films.example/a.json"}, EVERYBODY),
    ("post", "previews/", {"address": "https://films.example/a.json", "list": "{list}"}, QUEUES),
    ("post", "previews/{tried}/try-again/", {}, QUEUES),
    ("post", "previews/{tried}/keep/", {}, QUEUES),
    ("post", "lists/{list}/sources/{fetched}/move/", {"config": {"path": "/elsewhere"}}, OWNS),
    ("get", "audit/statistics/", None, EVERYBODY),
    ("get", "blocks/{block}/", None, SEES),
    ("get", "lists/{list}/export/", None, SEES),
    ("get", "lists/{list}/sources/{source}/alone/", None, CHANGES),
    ("get", "lists/{list}/entries/{entry}/history/", None, SEES),
    ("post", "lists/{list}/entries/block/", {"entries": ["{entry}"], "scope": "list"}, MAKES),
    ("get", "schema/", None, EVERYBODY),
]
CASES = [pytest.param(*row, id=f"{row[0]} {row[1]} {n}") for n, row in enumerate(TABLE)]


@pytest.fixture
def clients(ines, jonas, staff, films, django_user_model):
    """A client of each role towards ines' list."""
    users = {"owner": ines, "stranger": jonas, "staff": staff}
    for role in ("editor", "viewer"):
        users[role] = django_user_model.objects.create_user(role)
        Membership.objects.create(list=films, user=users[role], role=role)
    clients = {"anonymous": APIClient()}
    for role, user in users.items():
        clients[role] = APIClient()
        clients[role].force_login(user)
    return clients


def _item(n):
    item = Item.objects.create(kind="movie", title=f"Other {n}", name=f"other {n}", year=1960 + n)
    item.ids.create(namespace="imdb", value=f"tt{900 + n:07}")
    return item


def rows(*numbers, **more):
    return [{"key": f"tt{n:07}", "title": f"Film {n}", "ids": {"imdb": f"tt{n:07}"}, **more} for n in numbers]


@pytest.fixture
def ids(films, upload, live, ines, staff, django_user_model):
    """Something behind each address, all of it Ines'."""
    mia = django_user_model.objects.create_user("mia")
    Membership.objects.create(list=films, user=mia, role="editor")
    run = upload(films, json.dumps(rows(1, 2)).encode())
    entry, removed = Entry.objects.order_by("rank")
    services.edit_entries(films, {entry.pk: {"year": 1977}}, by=ines)
    services.remove_entries(films, [removed.pk], by=ines)
    merged = _item(1)
    services.merge_items(merged, entry.item, by=staff)
    gone = services.add_source(films, adapter="scripted", name="Gone", by=ines)
    services.remove_source(gone, by=ines, keep=False)
    fetched = live(films)
    fetched.sync(rows(*range(11, 16)))
    fetched.sync([])  # is held
    upload(films, json.dumps(rows(1, year=1980)).encode())  # against the edit
    proposal = upload(films, json.dumps(rows(3)).encode(), confirm=False)
    asked = Conflict.objects.get(state="open").pk
    account = services.make_account(ines, service="trakt", name="Mine", by=ines)
    later = timezone.now() + timedelta(hours=1)
    SignIn.objects.create(account=account, url="x", device="x", interval_s=5, next_poll_at=later, expires_at=later)
    tried = pasted.start(by=ines, address="https://films.example/b.json", list_=films)
    counts = dict.fromkeys(Counts.__dataclass_fields__, 0)
    Proposal.objects.filter(pk=tried.pk).update(state="open", result={"content": "films", "counts": counts})
    return {
        "account": account.pk, "tried": tried.pk,
        "unsure": one_change(films, live)[0].pk,
        "batch": Batch.objects.create(requested_by=ines, width=1).pk,
        "breaker": Breaker.objects.create(service="tmdb").pk,
        "list": films.pk, "entry": entry.pk, "removed": removed.pk, "run": run.pk, "upload": proposal.pk,
        "source": run.source_id, "gone": gone.pk, "fetched": fetched.pk,
        "conflict": asked, "held": Proposal.objects.get(kind="held", state="open").pk,
        "username": "mia", "item": entry.item_id, "other": _item(2).pk, "merged": merged.pk,
        "block": services.block(by=ines, scope="list", list_=films, pattern="Blocked*").pk,
        "sites": services.block(by=staff, scope="all", pattern="For all*").pk,
    }  # fmt: skip


# What the rows of the table call by another name than the routes do.
NAMES = {
    "removed": "entry",
    "gone": "source",
    "fetched": "source",
    "sites": "block",
    "merged": "item",
    "tried": "upload",
}


def filled(body, ids):
    """A body with ids in place of their names."""
    if isinstance(body, dict):
        return {name: filled(value, ids) for name, value in body.items()}
    if isinstance(body, list):
        return [filled(value, ids) for value in body]
    return ids[body[1:-1]] if isinstance(body, str) and body.startswith("{") else body


@pytest.mark.covers("WISH-06")
@pytest.mark.parametrize(("method", "route", "body", "answers"), CASES)
def test_each_role_may_do_what_it_may_and_no_more(clients, ids, tmp_path, method, route, body, answers):
    for role, status in zip(ROLES, answers, strict=True):
        more, sent = {}, filled(body, ids)
        if body == "file":
            (tmp_path / "rows.json").write_text("[]")
            sent, more = {"file": (tmp_path / "rows.json").open(), "list": ids["list"]}, {"format": "multipart"}
        with transaction.atomic():  # each role finds everything as it was
            answer = getattr(clients[role], method)("/api/v1/" + route.format(**ids), sent, **more)
            transaction.set_rollback(True)
        assert (role, answer.status_code) == (role, status), answer.content
        if status >= 400:
            assert set(answer.json()["error"]) >= {"code", "message"}
        if status == 401:
            assert answer.headers["WWW-Authenticate"].startswith("Basic ")


def test_the_table_holds_every_route_and_method():
    """What is added to the API without a line above fails here."""
    named = {(method, route.partition("?")[0].replace("/1/", "/{number}/")) for method, route, *_ in TABLE}
    named = {(method, route.replace("/csv/", "/{export}/").replace("/json/", "/{export}/")) for method, route in named}
    for name, parameter in NAMES.items():
        named = {(method, route.replace(f"{{{name}}}", f"{{{parameter}}}")) for method, route in named}
    served = set()
    for pattern in api.urlpatterns:
        assert isinstance(pattern, URLPattern)
        view = pattern.callback.cls
        if view is api.Nowhere:
            continue
        route = re.sub(r"<\w+:(\w+?)(_id)?>", r"{\1}", str(pattern.pattern))
        served |= {(m, route) for m in ("get", "post", "put", "patch", "delete") if hasattr(view, m)}
    assert named == served


def test_lists_of_others_are_not_even_counted(clients, ids, films):
    assert [row["id"] for row in clients["stranger"].get("/api/v1/lists/").json()["results"]] == []
    assert [row["id"] for row in clients["viewer"].get("/api/v1/lists/").json()["results"]] == [films.pk]
    assert [row["role"] for row in clients["viewer"].get("/api/v1/lists/").json()["results"]] == ["viewer"]
    assert clients["stranger"].get("/api/v1/runs/").json()["results"] == []
    assert len(clients["staff"].get("/api/v1/runs/").json()["results"]) == 6
    for address in ("conflicts/?kind=field", "held/", "unsure/"):
        assert clients["stranger"].get(f"/api/v1/{address}").json()["results"] == []
        assert len(clients["viewer"].get(f"/api/v1/{address}").json()["results"]) == 1
    # The site's blocks hold for everybody.
    assert [row["id"] for row in clients["stranger"].get("/api/v1/blocks/").json()["results"]] == [ids["sites"]]
    assert clients["stranger"].get(f"/api/v1/items/{ids['item']}/").json()["lists"] == []


def test_an_entry_of_another_list_is_not_reached_through_ones_own(clients, ids, jonas):
    own = clients["stranger"].post("/api/v1/lists/", {"name": "Mine"}).json()["id"]
    address = f"/api/v1/lists/{own}/entries/{ids['entry']}/"
    assert clients["stranger"].get(address).status_code == 404
    assert clients["stranger"].patch(address, {"values": {"title": "Mine"}}).status_code == 404
    assert clients["stranger"].delete(address).status_code == 404
    for act, body in [("restore", None), ("give-back", {"fields": ["year"]}), ("match", {"item": None})]:
        assert clients["stranger"].post(f"{address}{act}/", body).status_code == 404
    for body in ({"remove": [ids["entry"]]}, {"restore": [ids["removed"]]},
                 {"edit": [{"entry": ids["entry"], "values": {"title": "Mine"}}]}):  # fmt: skip
        assert clients["stranger"].post(f"/api/v1/lists/{own}/entries/bulk/", body).status_code == 404
    body = {"entries": [ids["entry"]], "place": 1}
    assert clients["stranger"].post(f"/api/v1/lists/{own}/entries/move/", body).status_code == 404


def test_a_source_of_another_list_is_not_reached_through_ones_own(clients, ids):
    own = clients["stranger"].post("/api/v1/lists/", {"name": "Mine"}).json()["id"]
    address = f"/api/v1/lists/{own}/sources/{ids['source']}/"
    assert clients["stranger"].get(address).status_code == 404
    assert clients["stranger"].patch(address, {"name": "Mine"}).status_code == 404
    assert clients["stranger"].delete(f"{address}?keep=false").status_code == 404
    assert clients["stranger"].post(f"{address}sync/").status_code == 404
    assert (
        clients["stranger"].put(f"/api/v1/lists/{own}/sources/order/", {"sources": [ids["source"]]}).status_code == 404
    )


def test_a_member_may_leave_a_list(clients, ids, films):
    assert clients["viewer"].delete(f"/api/v1/lists/{films.pk}/members/viewer/").status_code == 204
    assert clients["viewer"].get(f"/api/v1/lists/{films.pk}/").status_code == 404


def test_a_session_needs_its_token_to_write(ines):
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(ines)
    answer = client.post("/api/v1/lists/", {"name": "New"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "permission_denied")


@pytest.mark.parametrize(
    ("name", "password", "status"),
    [("ines", "a-long-password", 200), ("ines", "wrong", 401), ("nobody", "x", 401), ("in\x00es", "x", 401)],
)
def test_name_and_password_open_the_api(ines, name, password, status):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Basic {_encoded(f'{name}:{password}')}")
    assert client.get("/api/v1/lists/").status_code == status


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize("value", ["Basic", "Basic %%%", "Basic " + "A" * 99, "Bearer x", "Basic a b"])
def test_a_broken_authorization_is_refused(db, value):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=value)
    assert client.get("/api/v1/lists/").status_code == 401
