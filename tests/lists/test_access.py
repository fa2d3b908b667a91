"""Who may do what: every route of the API by every role, and no route forgotten."""

import base64

import pytest
from django.urls import URLPattern
from rest_framework.test import APIClient

from config import api
from lists.models import Entry, Membership

ROLES = ("owner", "editor", "viewer", "stranger", "staff", "anonymous")
SEES = (200, 200, 200, 404, 200, 401)
CHANGES = (200, 200, 403, 404, 200, 401)
OWNS = (200, 403, 403, 404, 200, 401)
EVERYBODY = (200, 200, 200, 200, 200, 401)  # each sees what is theirs

# (method, route below /api/v1/, body, answer by role)
TABLE = [
    ("get", "lists/", None, EVERYBODY),
    ("post", "lists/", {"name": "New"}, (201, 201, 201, 201, 201, 401)),
    ("get", "lists/bin/", None, EVERYBODY),
    ("get", "lists/{list}/", None, SEES),
    ("patch", "lists/{list}/", {"name": "New"}, CHANGES),
    ("delete", "lists/{list}/", None, (204, 403, 403, 404, 204, 401)),
    ("post", "lists/{list}/restore/", None, OWNS),
    ("get", "lists/{list}/sources/", None, SEES),
    ("get", "lists/{list}/export/csv/", None, SEES),
    ("get", "lists/{list}/export/json/", None, SEES),
    ("get", "lists/{list}/entries/", None, SEES),
    ("get", "lists/{list}/entries/{entry}/", None, SEES),
    ("get", "lists/{list}/versions/", None, SEES),
    ("get", "lists/{list}/versions/at/?date=2999-01-01", None, SEES),
    ("get", "lists/{list}/versions/1/", None, SEES),
    ("get", "lists/{list}/diff/?from=1&to=1", None, SEES),
    ("get", "audit/", None, EVERYBODY),
    ("get", "runs/", None, EVERYBODY),
    ("get", "runs/{run}/", None, SEES),
    ("post", "uploads/", "file", (202, 202, 403, 404, 202, 401)),
    ("get", "uploads/{upload}/", None, SEES),
    ("post", "uploads/{upload}/read-again/", {"adapter": "scripted"}, (202, 202, 403, 404, 202, 401)),
    ("post", "uploads/{upload}/confirm/", None, (202, 202, 403, 404, 202, 401)),
    ("post", "uploads/{upload}/discard/", None, CHANGES),
    ("get", "schema/", None, EVERYBODY),
]
CASES = [
    pytest.param(method, route, body, role, status, id=f"{method} {route} {role}")
    for method, route, body, answers in TABLE
    for role, status in zip(ROLES, answers, strict=True)
]


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


@pytest.fixture
def ids(films, upload, work):
    run = upload(films, b'[{"key": "tt0000001", "title": "Film 1", "ids": {"imdb": "tt0000001"}}]')
    proposal = upload(films, b'[{"key": "tt0000002", "title": "Film 2"}]', confirm=False)
    return {"list": films.pk, "entry": Entry.objects.get().pk, "run": run.pk, "upload": proposal.pk}


@pytest.mark.parametrize(("method", "route", "body", "role", "status"), CASES)
def test_each_role_may_do_what_it_may_and_no_more(clients, ids, tmp_path, method, route, body, role, status):
    more = {}
    if body == "file":
        (tmp_path / "rows.json").write_text("[]")
        body, more = {"file": (tmp_path / "rows.json").open(), "list": ids["list"]}, {"format": "multipart"}
    answer = getattr(clients[role], method)("/api/v1/" + route.format(**ids), body, **more)
    assert answer.status_code == status
    if status >= 400:
        assert set(answer.json()["error"]) >= {"code", "message"}
    if status == 401:
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")


def test_the_table_holds_every_route_and_method():
    """What is added to the API without a line above fails here."""
    named = {(method, route.partition("?")[0].replace("/1/", "/{number}/")) for method, route, *_ in TABLE}
    named = {(method, route.replace("/csv/", "/{export}/").replace("/json/", "/{export}/")) for method, route in named}
    served = set()
    for pattern in api.urlpatterns:
        assert isinstance(pattern, URLPattern)
        view = pattern.callback.cls
        if view is api.Nowhere:
            continue
        route = str(pattern.pattern)
        for parameter in ("list", "entry", "run", "upload"):
            route = route.replace(f"<int:{parameter}_id>", f"{{{parameter}}}")
        route = route.replace("<int:number>", "{number}").replace("<slug:export>", "{export}")
        served |= {(m, route) for m in ("get", "post", "put", "patch", "delete") if hasattr(view, m)}
    assert named == served


def test_lists_of_others_are_not_even_counted(clients, ids, films):
    assert [row["id"] for row in clients["stranger"].get("/api/v1/lists/").json()["results"]] == []
    assert [row["id"] for row in clients["viewer"].get("/api/v1/lists/").json()["results"]] == [films.pk]
    assert [row["role"] for row in clients["viewer"].get("/api/v1/lists/").json()["results"]] == ["viewer"]
    assert clients["stranger"].get("/api/v1/runs/").json()["results"] == []
    assert len(clients["staff"].get("/api/v1/runs/").json()["results"]) == 1


def test_an_entry_of_another_list_is_not_reached_through_ones_own(clients, ids, jonas):
    own = clients["stranger"].post("/api/v1/lists/", {"name": "Mine"}).json()["id"]
    assert clients["stranger"].get(f"/api/v1/lists/{own}/entries/{ids['entry']}/").status_code == 404


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
