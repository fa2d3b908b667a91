"""Health and metrics: what supervisors and Prometheus ask."""

import base64

import pytest
from django.db import OperationalError, connection
from django.test import Client

from monitoring import health


def test_live_answers_without_a_database():
    """No database mark: a query would fail the test."""
    answer = Client().get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert "no-store" in answer.headers["Cache-Control"]


def test_ready_says_so_when_the_database_is_up_to_date(db):
    answer = Client().get("/health/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "problems": []})


def test_ready_names_the_migrations_that_are_missing(db):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'sync'")
    answer = Client().get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["status"] == "unavailable"
    (problem,) = answer.json()["problems"]
    assert "sync.0001_initial" in problem
    assert "manage.py migrate" in problem


def test_ready_says_without_secrets_that_the_database_is_down(db, monkeypatch):
    def refuse(*args, **kwargs):
        raise OperationalError("connection to postgres://user:secret@host failed")

    with monkeypatch.context() as broken:
        broken.setattr(health.connection, "cursor", refuse)
        answer = Client().get("/health/ready")
    assert (answer.status_code, answer.json()["problems"]) == (503, ["The database does not answer."])


@pytest.mark.parametrize("address", ["/health/live", "/health/ready"])
def test_health_is_only_asked(db, address):
    assert Client().post(address).status_code == 405


def metrics(user=None, **meta):
    client = Client()
    if user:
        client.force_login(user)
    return client.get("/metrics", **meta)


FAR = {"REMOTE_ADDR": "192.0.2.7"}


def test_metrics_are_for_this_machine_and_for_staff(db, staff, ines):
    near = metrics(REMOTE_ADDR="127.0.0.1", HTTP_ACCEPT="application/openmetrics-text")
    assert near.status_code == 200
    assert near.headers["Content-Type"].startswith("text/plain")
    assert "django_http_requests_total_by_method_total" in near.content.decode()
    assert metrics(REMOTE_ADDR="::1").status_code == 200
    assert metrics(staff, **FAR).status_code == 200
    assert metrics(ines, **FAR).status_code == 403
    assert metrics(**FAR).status_code == 403


@pytest.mark.parametrize("header", ["HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP", "HTTP_FORWARDED"])
def test_who_comes_through_a_proxy_on_this_machine_is_not_this_machine(db, header):
    assert metrics(REMOTE_ADDR="127.0.0.1", **{header: "192.0.2.7"}).status_code == 403


def test_prometheus_may_bring_name_and_password(staff):
    def basic(password):
        return {"HTTP_AUTHORIZATION": "Basic " + base64.b64encode(f"admin:{password}".encode()).decode(), **FAR}

    assert metrics(**basic("a-long-password")).status_code == 200
    assert metrics(**basic("wrong")).status_code == 401
