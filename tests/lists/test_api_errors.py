"""Every refusal of the API has one form, and bad input is told field by field."""

import json

import pytest
from django.db import transaction
from rest_framework.test import APIClient
from rest_framework.throttling import BaseThrottle

from lists import services
from lists.api.audit import AuditLog
from lists.models import Audit, MediaList
from tests.lists.test_api import api
from tests.sync import test_api_input
from tests.sync.test_api_input import SCHEMA, bodies, resolved

everything = test_api_input.everything


@pytest.fixture
def mine(ines) -> APIClient:
    return api(ines)


@pytest.fixture
def desk(staff) -> APIClient:
    """May do all that there is."""
    return api(staff)


def error(answer, status: int, code: str) -> dict:
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == "application/json"
    assert set(answer.json()) == {"error"}
    found = answer.json()["error"]
    assert found["code"] == code
    assert found["message"][0].isupper()
    assert found["message"].endswith((".", "?"))
    return found


class Full(BaseThrottle):
    def allow_request(self, request, view):
        return False

    def wait(self):
        return 17


@pytest.mark.covers("API-03")
def test_every_kind_of_refusal_has_one_form(mine, films, jonas, settings, monkeypatch):
    lists, one = "/api/v1/lists/", f"/api/v1/lists/{films.pk}/"
    error(mine.post(lists, {}, format="json"), 400, "invalid")
    error(mine.post(lists, "{", content_type="application/json"), 400, "parse_error")
    error(mine.get(lists, {"after": "x"}), 400, "bad_cursor")
    error(APIClient().get(lists), 401, "not_authenticated")
    wrong = APIClient()
    wrong.credentials(HTTP_AUTHORIZATION="Basic bm9ib2R5Om5vdGhpbmc=")
    error(wrong.get(lists), 401, "authentication_failed")
    services.share_list(films, user=jonas, role="viewer", by=films.owner)
    error(api(jonas).patch(one, {"name": "x"}, format="json"), 403, "permission_denied")
    error(mine.get("/api/v1/lists/999/"), 404, "not_found")
    error(mine.get("/api/v1/nothing/"), 404, "not_found")
    refused = mine.put(lists, {}, format="json")
    error(refused, 405, "method_not_allowed")
    assert set(refused.headers["Allow"].split(", ")) >= {"GET", "POST"}
    error(mine.post(f"{one}sync/", {}, format="json"), 409, "nothing_to_fetch")
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    error(mine.post(lists, {"name": "x" * 20}, format="json"), 413, "too_large")
    error(mine.post(lists, "name=x", content_type="text/plain"), 415, "unsupported_media_type")
    monkeypatch.setattr(AuditLog, "throttle_classes", [Full])
    limited = mine.get("/api/v1/audit/")
    error(limited, 429, "throttled")
    assert limited.headers["Retry-After"] == "17"


@pytest.mark.covers("API-03")
def test_a_fault_of_ours_has_the_form_too_and_tells_nothing(ines, films, monkeypatch, caplog):
    def broken(self, request):
        services.change_list(films, by=ines, name="Half done")
        raise RuntimeError("secret of the inside")

    monkeypatch.setattr(AuditLog, "get", broken)
    client = APIClient(raise_request_exception=False)
    client.force_login(ines)
    found = error(client.get("/api/v1/audit/"), 500, "internal")
    assert "secret" not in json.dumps(found)
    assert "secret of the inside" in caplog.text
    assert "GET /api/v1/audit/ broke" in caplog.text
    told = APIClient()
    told.force_login(ines)
    with pytest.raises(RuntimeError):  # who listens for such faults, as metrics and tests do, hears of it
        told.get("/api/v1/audit/")


# -- what comes in ---------------------------------------------------------------------------------------------------

NO_JSON = {
    "nothing": b"",
    "half of it": b'{"name": "x"',
    "not a number": b'{"name": NaN}',
    "infinity": b'{"name": 1e999}',
    "100,000 digits": b'{"name": ' + b"9" * 100_000 + b"}",
    "a lone surrogate": b'{"name": "\\ud800"}',
    "no UTF-8": b'{"name": "\xff\xfe"}',
    "endless nesting": b'{"name": ' + b"[" * 200_000,
    "two values": b"{} {}",
    "a script": b"<script>",
}
NO_OBJECT = {"null": b"null", "a number": b"5", "a word": b'"x"', "a list": b"[]", "rows": b'[{"name": "x"}]'}


def written():
    """(address, method, operation, schema of its body) of every operation that takes JSON."""
    for address, methods in SCHEMA()["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if content is not None:
                yield address, method, operation, resolved(content["schema"])


def sent(client, method, address, body):
    with transaction.atomic():  # each finds everything as it was
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = client.generic(method.upper(), address, raw, content_type="application/json")
        transaction.set_rollback(True)
    return answer


@pytest.mark.covers("API-04")
def test_what_is_no_json_is_refused_by_every_write(desk, everything):
    acts = Audit.objects.count()
    for address, method, operation, _ in written():
        for what, body in {**NO_JSON, **NO_OBJECT}.items():
            if what == "nothing" and not operation["requestBody"].get("required"):
                continue  # it may be left out
            answer = sent(desk, method, address.format(**everything), body)
            assert answer.status_code == 400, (operation["operationId"], what, answer.content)
            error(answer, 400, "invalid" if what in NO_OBJECT or what == "nothing" else "parse_error")
    assert Audit.objects.count() == acts


WRONG = {
    "integer": [None, "x", "", 1.5, True, -1, 2**63, 10**30, [], {}, [1], "1" * 5000, "\x001"],
    "number": ["x", [], {}, 10**30, "\x00", "1" * 5000],
    "boolean": ["x", [], {}, 5, "\x00", 10**30],
    "string": [[], {}, True, ["x"], {"a": 1}, "\x00", "a\x00b", "x" * 20_000],
    "array": ["x", 5, True, {}, {"0": 1}, [[]], [{}], [None], ["\x00"], [10**30], list(range(1, 2000))],
    "object": ["x", 5, True, [], ["x"], {"nothing": 1}, {"a\x00": 1}, {"title": ["x"]}, {"a": {"b": {"c": 1}}}],
    "enum": ["nothing", "", 5, [], {}, True, "\x00", "x" * 5000],
}
# What it may be hangs on the field that the question is about, or on the kind of source.
FREE = {
    ("account_create", "answers"),
    ("conflicts_decide", "value"),
    ("preview", "config"),
    ("preview_try_again", "config"),
    ("source_create", "config"),
    ("source_move", "config"),
}


def kind_of(schema) -> str:
    found = resolved(schema)
    return "enum" if "enum" in found else found.get("type", "")


def is_fine(schema, value) -> bool:
    """Whether a wrong value for most fields is a right one for this."""
    found = resolved(schema)
    if value is None:
        return bool(schema.get("nullable") or found.get("nullable")) or any(
            resolved(part).get("enum") == [None] for part in schema.get("oneOf", [])
        )
    if value == "":
        return any(resolved(part).get("enum") == [""] for part in schema.get("oneOf", []))
    if isinstance(value, list) and value and isinstance(value[0], int) and "items" in found:
        return len(value) == 1 and kind_of(found["items"]) == "string"  # a number is taken as the word that it is
    if isinstance(value, bool):  # as text and as a number DRF takes them for neither
        return False
    if value == {"nothing": 1}:
        return bool(found.get("additionalProperties"))
    return value == {} and found.get("type") == "object" and not found.get("required")


@pytest.mark.covers("API-04")
def test_a_wrong_value_is_told_with_its_field_by_every_write(desk, everything):
    told = 0
    bases = {(address, method): body for address, method, body in reversed(list(bodies()))}
    for address, method, operation, schema in written():
        for name, field in schema.get("properties", {}).items():
            if (operation["operationId"], name) in FREE:
                continue
            assert kind_of(field)
            for value in WRONG.get(kind_of(field), ()):
                if is_fine(field, value):
                    continue
                body = {**bases[address, method], name: value}
                answer = sent(desk, method, address.format(**everything), body)
                about = (operation["operationId"], name, repr(value)[:60], answer.content)
                assert answer.status_code == 400, about
                found = error(answer, 400, "invalid")
                assert any(key.split(".")[0] == name and texts for key, texts in found["fields"].items()), about
                told += 1
    assert told > 400


@pytest.mark.covers("API-04")
def test_a_name_that_means_nothing_is_told_by_every_write(desk, everything):
    for address, method, operation, _ in written():
        for name in ("nothing", "id", "owner_id", "__class__", "a" * 5000, ""):
            answer = sent(desk, method, address.format(**everything), {name: 1})
            found = error(answer, 400, "invalid")
            assert any(key.startswith(name[:100]) for key in found["fields"]), (operation["operationId"], name)


@pytest.mark.covers("API-04")
def test_markup_and_odd_signs_come_back_as_they_were_sent(mine):
    for name in ("<script>alert(1)</script>", "=1+1", "‮gnp.exe", "a​b", "😀" * 40, "Ünïcödé"):
        made = mine.post("/api/v1/lists/", {"name": name}, format="json")
        assert made.json()["name"] == name
    assert MediaList.objects.count() == 6
