"""What holds for the whole API: its schema, one form of refusal, and that no input breaks it."""

import base64
import json
import os
from datetime import timedelta
from functools import cache
from io import StringIO
from itertools import count

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from lists import services
from lists.models import Conflict, Entry, MediaList, Proposal, SignIn
from sync.models import Batch, Breaker
from tests.lists.unsure import one_change
from tests.sync.test_api import api, film


@pytest.fixture
def mine(ines) -> APIClient:
    return api(ines)


def test_the_schema_is_whole_and_valid():
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=StringIO())


def test_the_schema_is_served_and_every_operation_says_what_it_does(mine):
    schema = mine.get("/api/v1/schema/").json()
    operations = [operation for path in schema["paths"].values() for operation in path.values()]
    assert len(operations) > 60
    assert [operation["operationId"] for operation in operations if not operation.get("description")] == []


LONG = bool(os.environ.get("LISTKEEPER_LONG_TESTS"))


def some():
    """A function that chooses of values: at length all; else every fifth, and another one first each time, so that each
    value meets many fields."""
    turns = count()
    return lambda values: values if LONG else values[next(turns) % 5 :: 5]


def cursor(parts) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


BIG = 10**30
TEXTS = ["", "\x00", "a\x00b", "😀" * 50, "x" * 5000, "'; DROP TABLE x; --", "%", "_", "|", "\\", "null", "[]", "NaN"]
NUMBERS = ["-1", "0", "1e9", str(2**31), str(2**63), str(BIG), "9" * 5000, "0x10", "٣", "1.5", "true"]
MOMENTS = ["0001-01-01", "9999-12-31", "9999-12-31T23:59:59-14:00", "2024-02-30", "24:00", "2024-13-01T00:00Z"]
CURSORS = [
    "%", "é", "5", "AAAA", cursor(5), cursor([]), cursor(None), cursor({}), *(
        cursor([key, value, pk])
        for key in ("order", "title", "year", "rating", "added", "name", "newest", "number", "nothing")
        for value, pk in [
            (1, 1), ("a", 1), (BIG, 1), (2**63, 2**63), (1.5, True), ("\x00", 1), ("2024-01-01T00:00Z", 0), (None, 1), ([], 1),
            (-1, -1), ("", "x"),
        ]
    ),
]  # fmt: skip
SORTS = ["order", "title", "year", "rating", "added"]
NO_BODIES = [
    b"", b"{", b"null", b"5", b'"x"', b"[]", b"[" * 100_000, b'{"a": NaN}', b'{"\\ud800": 1}', b"\xff\xfe", b'{"a": ' + b"9" * 5000 + b"}",
]  # fmt: skip
VALUES = [
    None, 5, BIG, 2**63, -1, 1.5, True, "", "\x00", "\ud800", "x" * 6000, [], [[]], ["\x00"], [1], [BIG], [None], list(range(1, 1002)),
    {}, {"a": "\x00"}, {"a": {"b": BIG}}, {"encoding": 5}, {"mapping": {"0": []}}, {"title": "\ud800"}, {"year": BIG},
    {"genres": {"0": 1}}, {"a\x00": "b"}, [{"entry": 1, "values": {"title": ["\x00"]}}], [{"entry": 1, "fields": ["presence"]}],
]  # fmt: skip


@pytest.fixture
def everything(films, upload, live, ines, jonas):
    """Something behind each route, and the addresses that lead there."""
    upload(films, [film(n) for n in range(1, 4)])
    entry = Entry.objects.order_by("id").first()
    services.edit_entries(films, {entry.pk: {"title": "By hand"}}, by=ines)
    run = upload(films, [film(n, title=f"Other {n}") for n in range(1, 5)])
    fetched = live(films)
    fetched.sync([film(n) for n in range(11, 21)])
    fetched.sync([])
    proposal = upload(films, [film(1)], confirm=False)
    services.share_list(films, user=jonas, role="viewer", by=ines)
    asked = Conflict.objects.get().pk
    batch = Batch.objects.create(requested_by=ines, width=1)
    batch.parts.create(place=1, list=films, list_name="Films", note="Nothing was read.")
    account = services.make_account(ines, service="mdblist", name="Mine", secrets={"api_key": "x"}, by=ines)
    later = timezone.now() + timedelta(hours=1)
    SignIn.objects.create(
        account=account, url="https://x", device="x", interval_s=5, next_poll_at=later, expires_at=later
    )
    return {
        "account_id": account.pk,
        "unsure_id": one_change(films, live)[0].pk, "list_id": films.pk, "entry_id": entry.pk, "number": 1, "run_id": run.pk, "upload_id": proposal.pk, "export": "csv",
        "source_id": run.source_id, "conflict_id": asked, "item_id": entry.item_id, "username": "jonas",
        "batch_id": batch.pk, "breaker_id": Breaker.objects.create(service="tmdb").pk,
        "held_id": Proposal.objects.get(kind="held").pk,
        "block_id": services.block(by=ines, scope="mine", pattern="Foo*").pk,
    }  # fmt: skip


SCHEMA = cache(lambda: SchemaGenerator().get_schema(request=None, public=True))


def operations():
    for address, methods in SCHEMA()["paths"].items():
        for method, operation in methods.items():
            parameters = operation.get("parameters", [])
            # What a browser sends by itself needs no test of ours, and If-Match has its own.
            yield address, method, [parameter for parameter in parameters if parameter["in"] != "header"]


def resolved(schema):
    """A schema with its reference followed, and of several the first."""
    while "$ref" in schema or "allOf" in schema or "oneOf" in schema:
        if "$ref" in schema:
            schema = SCHEMA()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        else:
            schema = (schema.get("allOf") or schema["oneOf"])[0]
    return schema


def sample(schema):
    """Something that fits a schema."""
    schema = resolved(schema)
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "string")
    if kind == "object":
        return {name: sample(part) for name, part in schema.get("properties", {}).items() if name in ("title", "entry")}
    return {"integer": 1, "number": 1.0, "boolean": True, "array": [1]}.get(kind, "Film*")


def bodies():
    """(address, method, body): every field of every body with every odd value, among others that fit."""
    chosen = some()
    for address, methods in SCHEMA()["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if content is None:
                continue
            schema = resolved(content["schema"])
            fields = schema.get("properties", {})
            fitting = {name: sample(fields[name]) for name in schema.get("required", [])}
            yield address, method, fitting
            for name in fields:
                for value in chosen(VALUES):
                    yield address, method, {**fitting, name: value}


def refused_or_answered(answer) -> None:
    """No 500 (the client raises those), and every refusal in the one form. 503: a service that a test may not ask."""
    assert answer.status_code < 500 or answer.status_code == 503
    if answer.status_code >= 400:
        assert set(answer.json()) == {"error"}
        assert set(answer.json()["error"]) - {"fields", "entry", "run"} == {"code", "message"}
        assert answer.json()["error"]["message"]
    elif answer.streaming:
        b"".join(answer.streaming_content)


def test_no_query_breaks_a_route(mine, everything):
    asked, chosen = 0, some()
    for address, method, parameters in operations():
        for parameter in parameters:
            if method != "get" or parameter["in"] != "query":
                continue
            needed = {p["name"]: "1" for p in parameters if p["in"] == "query" and p.get("required")}
            sorts = SORTS if parameter["name"] == "after" and address.endswith("/entries/") else [None]
            values = CURSORS if parameter["name"] == "after" else [*TEXTS, *NUMBERS, *MOMENTS]
            for sort in sorts:
                for value in chosen(values):
                    query = {**needed, parameter["name"]: value, **({"sort": sort} if sort else {})}
                    refused_or_answered(mine.get(address.format(**everything), query))
                    asked += 1
    assert asked > (1000 if LONG else 200)


def test_no_address_breaks_a_route(mine, everything):
    chosen = some()
    for address, method, parameters in operations():
        for parameter in parameters:
            if parameter["in"] != "path":
                continue
            for value in chosen([*NUMBERS, "abc", "%00", "..", "é", "-", " "]):
                place = address.format(**{**everything, parameter["name"]: value})
                answer = getattr(mine, method)(place)
                refused_or_answered(answer)
                assert answer.status_code in (301, 400, 404, 405, 415), (method, place)


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_what_is_no_body_breaks_no_route(mine, everything, method):
    addresses = [address for address, found, _ in operations() if found == method]
    assert addresses
    chosen = some()
    for address in addresses:
        for body in chosen(NO_BODIES):
            send(mine, method, address.format(**everything), body)


def test_no_body_breaks_a_route(mine, everything):
    sent = 0
    for address, method, body in bodies():
        send(mine, method, address.format(**everything), json.dumps(body).encode())
        sent += 1
    assert sent > (1000 if LONG else 200)


def send(client, method, address, body) -> None:
    with transaction.atomic():  # each finds everything as it was
        refused_or_answered(client.generic(method.upper(), address, body, content_type="application/json"))
        transaction.set_rollback(True)


@pytest.mark.parametrize(
    "tag", ["", "x", '"', '""', '"1", "2"', "1" * 5000, '"' + "9" * 10 + '"', '"٣"', '"-1"', 'W/"1"x', "\x7f"]
)
def test_no_if_match_breaks_a_route(mine, everything, tag):
    for address, methods in SCHEMA()["paths"].items():
        for method, operation in methods.items():
            if any(parameter["name"] == "If-Match" for parameter in operation.get("parameters", [])):
                answer = getattr(mine, method)(address.format(**everything), headers={"If-Match": tag})
                refused_or_answered(answer)
                assert answer.status_code >= 400, (method, address)


@pytest.mark.parametrize(
    "content_type", ["text/plain", "multipart/form-data", "application/json; charset=x", "", "a/b; c"]
)
def test_no_content_type_breaks_a_route(mine, everything, content_type):
    for address, method, _ in operations():
        if method in ("post", "put", "patch"):
            refused_or_answered(
                mine.generic(method.upper(), address.format(**everything), b"\x00--x", content_type=content_type)
            )


@pytest.mark.parametrize(
    ("method", "address", "status", "code"),
    [
        ("get", "/api/v1/", 404, "not_found"),
        ("get", "/api/v1/lists", 404, "not_found"),
        ("post", "/api/v1/nothing/", 404, "not_found"),
        ("get", "/api/v1/lists/999999/", 404, "not_found"),
        ("put", "/api/v1/lists/", 405, "method_not_allowed"),
        ("delete", "/api/v1/runs/1/", 405, "method_not_allowed"),
        ("get", "/api/v1/lists/?limit=0", 400, "invalid"),
        ("get", "/api/v1/lists/?after=x", 400, "bad_cursor"),
        ("get", f"/api/v1/lists/?after={cursor(['newest', 1, 1])}", 400, "bad_cursor"),
    ],
)
def test_refusals_have_one_form(mine, method, address, status, code):
    answer = getattr(mine, method)(address)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    refused_or_answered(answer)


def test_a_form_is_no_body_for_json_and_a_large_body_is_not_read(mine, settings):
    answer = mine.post("/api/v1/lists/", "name=x", content_type="application/x-www-form-urlencoded")
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unsupported_media_type")
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    answer = mine.post("/api/v1/lists/", {"name": "x", "description": "x" * 1000}, format="json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    assert not MediaList.objects.exists()


def test_wrong_fields_are_named_one_by_one(mine):
    answer = mine.post("/api/v1/lists/", {"content": "boats", "tags": ["ok", "x" * 61, 5]}, format="json")
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["code"], error["message"]) == ("invalid", "Some of the values are wrong. Nothing was saved.")
    assert set(error["fields"]) == {"name", "content", "tags"}
    assert not MediaList.objects.exists()
