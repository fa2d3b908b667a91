"""`manage.py up` as a person meets it: processes, a port and a data folder."""

import os
import re
import signal
import socket
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher

from tests.processes import Program, strain, wait_for

URL = os.environ.get("DATABASE_URL", "")
READY = "Listkeeper runs at"
SHOWN = re.compile(r"password  (\S+)")


@pytest.fixture
def up(tmp_path) -> Iterator[Program]:
    up = Program(tmp_path, "up")
    yield up
    up.end()


@pytest.fixture
def database(up) -> Iterator[str]:
    """The address of an empty database of its own, on the server that the tests use."""
    server, name = URL.rpartition("/")[0], f"up_{up.mark}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield f"{server}/{name}"
        up.end()
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


linux = pytest.mark.skipif(sys.platform != "linux", reason="only on Linux: reads /proc")
sqlite = pytest.mark.skipif(URL.startswith("postgres"), reason="only on SQLite")
postgresql = pytest.mark.skipif(not URL.startswith("postgres"), reason="only on PostgreSQL")


@postgresql
@linux
@pytest.mark.covers("OPS-01", "DX-04")
def test_it_runs_on_postgresql_and_redis_by_environment_variables_alone(up, database):
    process = up.start_and_wait(READY, DATABASE_URL=database, REDIS_URL=os.environ.get("REDIS_URL", ""))
    assert SHOWN.search(up.output)
    assert up.status() in (200, 302)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60 * strain()) == 0
    assert up.left() == {}
    assert "Traceback" not in up.output
    assert not list((up.folder / "data").glob("*.sqlite3*"))


@sqlite
@linux
@pytest.mark.covers("DX-01")
def test_the_first_start_shows_a_password_once_and_serves_until_it_is_stopped(up, tmp_path):
    process = up.start_and_wait(READY)
    password = SHOWN.search(up.output)
    assert password
    assert f"http://localhost:{up.port}/" in up.output
    assert up.status() in (200, 302)
    assert len(up.left()) > 3
    process.send_signal(signal.SIGINT)
    assert process.wait(60 * strain()) == 0
    assert up.left() == {}
    assert "Traceback" not in up.output
    assert up.output.endswith("Listkeeper has stopped.\n")

    stored = [path for path in tmp_path.rglob("*") if path.is_file() and password[1].encode() in path.read_bytes()]
    assert stored == [tmp_path / "output"]
    assert PBKDF2PasswordHasher().verify(password[1], password_of_admin(up.database))
    assert {path.name for path in tmp_path.iterdir()} == {"data", "output"}  # HOME is this folder, and stays clean

    up.start_and_wait(READY)
    assert SHOWN.search(up.output) is None


def password_of_admin(database: Path) -> str:
    with sqlite3.connect(database) as connection:
        return connection.execute("SELECT password FROM auth_user WHERE username = 'admin'").fetchone()[0]


@sqlite
@linux
@pytest.mark.parametrize(("name", "says"), [("gunicorn", "The web server ended"), ("manage.py", "The worker ended")])
def test_if_one_of_its_processes_dies_it_stops_the_other_and_says_so(up, name, says):
    process = up.with_tables().start_and_wait(READY)
    os.kill(up.child(name), signal.SIGKILL)
    assert process.wait(60 * strain()) == 1
    assert up.left() == {}
    assert says in up.output.splitlines()[-1]
    assert "signal 9" in up.output.splitlines()[-1]


@sqlite
@linux
def test_nothing_outlives_it_when_it_is_killed(up):
    process = up.with_tables().start_and_wait(READY)
    process.kill()
    process.wait()
    wait_for(lambda: not up.left(), within=60)
    assert up.left() == {}


@sqlite
def test_a_stop_during_the_set_up_is_quiet(up):
    process = up.start()
    wait_for(lambda: "Preparing" in up.output, within=60)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60 * strain()) == 0
    assert "Traceback" not in up.output


@sqlite
@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({"LISTKEEPER_ADDRESS": "192.0.2.1"}, "cannot listen at 192.0.2.1"),
        ({"LISTKEEPER_ADDRESS": "no such name"}, "cannot listen at no such name"),
        ({"LISTKEEPER_PORT": "http"}, "LISTKEEPER_PORT must be a whole number, not 'http'."),
        ({"DATABASE_URL": "postgres://me:s3cret@127.0.0.1:1/lists"}, "The database does not answer"),
        ({"LISTKEEPER_DATA": "/dev/null/data"}, "Set LISTKEEPER_DATA to a folder"),
    ],
)
def test_what_cannot_work_ends_in_one_line(up, env, says):
    assert up.start(**env).wait(60 * strain()) == 1
    assert says in up.output.splitlines()[-1]
    assert "Traceback" not in up.output
    assert "s3cret" not in up.output


@sqlite
def test_a_taken_port_is_named_with_a_way_out(up):
    with socket.create_server(("127.0.0.1", up.port)):
        assert up.start().wait(60 * strain()) == 1
    assert up.output == (
        f"Port {up.port} is taken. Set LISTKEEPER_PORT to another one, for example "
        f"LISTKEEPER_PORT={up.port + 80 if up.port + 80 < 65536 else 8080} make run.\n"
    )
    assert not up.database.exists()
