"""The description of the API: nothing is missing in it, and what it says is so."""

import copy
import re
from functools import cache

import jsonschema
import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.validation import validate_schema
from rest_framework.test import APIClient

from lists import services
from lists.models import Entry
from tests.lists.test_api import api
from tests.sync import test_api_input
from tests.sync.test_api_input import SCHEMA

everything = test_api_input.everything

PREFIX = "/api/v1/"
NOT_DESCRIBED = {"schema/", ""}  # the description itself, and every other address: a 404
METHODS = ("get", "post", "put", "patch", "delete")
# They do one thing to what their address names: there is nothing to say in a body.
WITHOUT_BODY = {
    "account_sign_in_begin", "account_test",
    "batch_cancel", "breaker_reset", "entry_restore", "held_keep", "item_split", "list_restore", "run_cancel", "source_revive",
    "unsure_keep", "unsure_take", "upload_discard",
}  # fmt: skip
REFUSALS = {"400", "401", "403", "404", "405", "409", "429", "500"}


@pytest.fixture
def mine(ines) -> APIClient:
    return api(ines)


def routes():
    """(address as the description writes it, its view) of every address below /api/."""
    resolver = next(each for each in get_resolver().url_patterns if str(each.pattern) == PREFIX[1:])
    assert isinstance(resolver, URLResolver)
    for pattern in resolver.url_patterns:
        assert isinstance(pattern, URLPattern)
        route = str(pattern.pattern)
        if route not in NOT_DESCRIBED:
            yield PREFIX + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route), pattern.callback.cls


def operations():
    for address, methods in SCHEMA()["paths"].items():
        for method, operation in methods.items():
            yield address, method, operation


OPERATIONS = [pytest.param(*row, id=row[2]["operationId"]) for row in operations()]


@pytest.mark.covers("API-01")
def test_every_address_and_method_is_described_and_nothing_else():
    there = {
        (address, method) for address, view in routes() for method in METHODS if callable(getattr(view, method, None))
    }
    assert len(there) > 70
    assert {(address, method) for address, method, _ in operations()} == there


@pytest.mark.covers("API-01")
def test_the_description_is_a_valid_openapi_document():
    validate_schema(SCHEMA())
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(names) == len(set(names))


@pytest.mark.covers("API-01", "API-03")
@pytest.mark.parametrize(("address", "method", "operation"), OPERATIONS)
def test_an_operation_says_what_it_takes_answers_and_refuses(address, method, operation):
    assert operation["description"]
    named = {parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "path"}
    assert named == set(re.findall(r"{(\w+)}", address))
    responses = operation["responses"]
    good = {code for code in responses if code.startswith("2")}
    assert good
    assert all("content" in responses[code] for code in good - {"204"})
    takes_body = "requestBody" in operation
    if method in ("post", "put", "patch"):
        assert takes_body != (operation["operationId"] in WITHOUT_BODY)
    refusals = set(responses) - good
    assert refusals >= REFUSALS | ({"413", "415"} if takes_body else set())
    for code in refusals:
        schema = responses[code]["content"]["application/json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/Error"}


@pytest.mark.covers("API-03")
def test_every_answer_with_rows_is_paged_by_50_and_by_1000_at_most():
    paged = 0
    for _, method, operation in operations():
        content = next(iter(operation["responses"].values())).get("content", {}).get("application/json")
        fields = as_json_schema(content["schema"]).get("properties", {}) if content else {}
        if method != "get" or "results" not in fields:
            continue
        assert "next" in fields, operation["operationId"]
        given = {parameter["name"]: parameter["schema"] for parameter in operation["parameters"]}
        assert (given["limit"]["default"], given["limit"]["maximum"], given["limit"]["minimum"]) == (50, 1000, 1)
        assert {"after", "start"} & given.keys()
        if "after" in given:
            assert given["sort"]["enum"]
        paged += 1
    assert paged >= 20


# -- what it says is so ----------------------------------------------------------------------------------------------


def as_json_schema(schema):
    """An OpenAPI 3.0 schema as a JSON schema in which an object has the fields that are named and no others."""
    if "$ref" in schema:
        return component(schema["$ref"].rpartition("/")[2])
    out = {name: value for name, value in schema.items() if name not in ("nullable", "readOnly", "example")}
    for name in ("allOf", "oneOf", "anyOf"):
        if name in out:
            out[name] = [as_json_schema(part) for part in out[name]]
    if "items" in out:
        out["items"] = as_json_schema(out["items"])
    if isinstance(out.get("additionalProperties"), dict):
        out["additionalProperties"] = as_json_schema(out["additionalProperties"])
    if "properties" in out:
        out["properties"] = {name: as_json_schema(part) for name, part in out["properties"].items()}
        out.setdefault("additionalProperties", False)
    return {"anyOf": [out, {"type": "null"}]} if schema.get("nullable") else out


@cache
def component(name: str):
    return as_json_schema(SCHEMA()["components"]["schemas"][name])


def check(answer, operation) -> None:
    """The answer is one that the description names, and of the form that it names."""
    described = operation["responses"].get(str(answer.status_code))
    assert described is not None, answer.status_code
    if answer.streaming:
        assert answer.headers["Content-Type"].partition(";")[0] in described["content"]
        return
    schema = as_json_schema(described["content"]["application/json"]["schema"])
    jsonschema.validate(answer.json(), schema, format_checker=jsonschema.FormatChecker())


GETS = [row for row in OPERATIONS if row.values[1] == "get"]


@pytest.mark.covers("API-01")
def test_every_get_answers_as_described(mine, everything, films, ines):
    """With rows of every sort: edits, questions, what is held, what is excluded and what is gone."""
    services.block(by=ines, scope="list", list_=films, pattern="Film 15", reason="Seen")
    services.change_rules(films, by=ines, strategy="ask")
    removed = Entry.objects.filter(title="Film 12").get()
    services.remove_entries(films, [removed.pk], by=ines)
    services.rollback(films, films.versions.get(number=2), by=ines)
    needed = {"items": {"q": "film"}, "version_at": {"date": "2100-01-01"}, "diff": {"from": 1, "to": 3}}
    empty = []
    for address, method, operation in operations():
        if method != "get":
            continue
        name = operation["operationId"]
        answer = mine.get(address.format(**everything), needed.get(name, {}))
        assert answer.status_code == 200, (name, answer.content)
        check(answer, operation)
        if not answer.streaming and answer.json().get("results") == []:
            empty.append(name)
    assert set(empty) <= {"lists_in_bin"}  # the others had something to show
    for row in Entry.objects.filter(list=films):
        for name in ("entry", "entry_history"):
            address, operation = next((a, o) for a, _, o in operations() if o["operationId"] == name)
            check(mine.get(address.format(list_id=films.pk, entry_id=row.pk)), operation)


@pytest.mark.covers("API-01", "API-03")
def test_what_is_not_there_is_refused_as_described(mine, everything):
    for address, method, operation in operations():
        if "{" not in address:
            continue
        nowhere = {name: "nothing" if isinstance(value, str) else 10**9 for name, value in everything.items()}
        answer = getattr(mine, method)(address.format(**nowhere))
        assert answer.status_code == 404, operation["operationId"]
        check(answer, operation)


@pytest.mark.covers("API-01", "API-03")
def test_who_is_nobody_is_refused_as_described(everything):
    nobody = APIClient()
    for address, method, operation in operations():
        answer = getattr(nobody, method)(address.format(**everything))
        assert answer.status_code == 401, operation["operationId"]
        check(answer, operation)


def test_a_wrong_answer_would_be_seen():
    schema = copy.deepcopy(component("Source"))
    jsonschema.validate({}, {**schema, "required": []})
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"password": "x"}, {**schema, "required": []})
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"id": None}, {**schema, "required": []})
