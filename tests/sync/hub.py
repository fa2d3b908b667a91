"""A worker of real processes on a database of its own, and somebody to talk to beside it.

On SQLite with its queue in the database; where the tests run on PostgreSQL and Redis, on those.
"""

import atexit
import base64
import contextlib
import http.client
import json
import os
import secrets
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import redis

from tests.processes import ROOT, Program, wait_for

URL = os.environ.get("DATABASE_URL", "")
POSTGRES = URL.startswith("postgres")
BOOT = ("-m", "tests.sync.boot")
LOGIN = base64.b64encode(b"ines:a-long-password").decode()
QUICK = {"LISTKEEPER_LEASE_SECONDS": "4", "LISTKEEPER_SILENCE_SECONDS": "8"}
SET_UP = """
import json, time
from concurrent.futures import ThreadPoolExecutor
from django.db import connections
from datetime import timedelta
from django.contrib.auth import get_user_model
from django.utils import timezone
from lists import services
from lists.models import Claim, Entry, MediaList, Proposal, Source
from sync import reaper, runs
from sync.errors import Busy
from sync.models import Run
from lists.errors import Refused
user = get_user_model().objects.create_superuser("ines", password="a-long-password")

def make(name, path):
    list_ = services.create_list(user, name=name)
    services.add_source(list_, adapter="scripted_live", name=name, by=user, gap_min=0, config={"path": path})

def ask(name, priority=5):
    source = Source.objects.get(name=name)
    try:
        return runs.request_sync(source, by=user, force=True, priority=priority).run.pk
    except Busy as e:
        return None

def ask_alone(name):
    try:
        return ask(name)
    finally:
        connections.close_all()

def refused(act):
    try:
        act()
    except Refused as e:
        return str(e)

def told(pk):
    run = Run.objects.get(pk=pk)
    return {f: getattr(run, f) for f in ("state", "progress", "step", "error", "error_code", "attempt", "worker", "found")}

def titles(name):
    return list(Entry.objects.filter(list__name=name).listed().order_by("rank", "id").values_list("title", flat=True))
"""


def server(sql: str) -> None:
    with psycopg.connect(f"{URL.rpartition('/')[0]}/postgres", autocommit=True) as connection:
        connection.execute(sql)


@cache
def template() -> str:
    """The name of a database of PostgreSQL with its tables, to be copied."""
    name = f"hub_{secrets.token_hex(6)}"
    server(f"CREATE DATABASE {name}")
    atexit.register(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    env = {**os.environ, "DATABASE_URL": f"{URL.rpartition('/')[0]}/{name}"}
    subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], cwd=ROOT, env=env, check=True, timeout=300)
    return name


class Talker:
    """A process of its own. do(code) runs Python in it and gives what that left in `answer`."""

    def __init__(self, env: dict[str, str]):
        self.process = subprocess.Popen(
            [sys.executable, *BOOT, "talk"], cwd=ROOT, env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def do(self, code: str, **known: Any) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        told = "".join(f"{name} = {value!r}\n" for name, value in known.items())
        self.process.stdin.write(json.dumps(told + code) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert "broke" not in answer, answer["broke"]
        return answer["answer"]

    def ask(self, expression: str, **known: Any) -> Any:
        return self.do(f"answer = {expression}", **known)

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()  # closes its pipes, too


class Hub:
    """A worker, and a process beside it to talk to."""

    def __init__(self, folder: Path, **env: str):
        self.folder = folder
        self.worker = Program(folder, "worker", script=BOOT)
        self.database = f"hub_{secrets.token_hex(8)}"
        if POSTGRES:
            server(f"CREATE DATABASE {self.database} TEMPLATE {template()}")
            self.worker.env["DATABASE_URL"] = f"{URL.rpartition('/')[0]}/{self.database}"
            # Another hub beside this one would take its tasks.
            self.worker.env |= {"REDIS_URL": os.environ.get("REDIS_URL", ""), "LISTKEEPER_QUEUE": self.database}
        else:
            self.worker.with_tables()
        self.worker.env |= {**QUICK, "HELD_IN": str(folder), **env}
        self.env = {**self.worker.env, "PROGRAM_MARK": ""}  # of others than the worker
        self.talker = Talker(self.env)
        self.do, self.ask = self.talker.do, self.talker.ask
        self.do(SET_UP)

    def start(self) -> None:
        self.worker.start()
        wait_for(lambda: self.queue(), within=60)

    @contextlib.contextmanager
    def web(self, *, threads: int = 4) -> Iterator[subprocess.Popen[bytes]]:
        """The web server, two processes; it listens at the worker's port and writes to the file web-output."""
        with (self.folder / "web-output").open("w") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "tests.sync.boot:application", "--bind", f"127.0.0.1:{self.worker.port}",
                 "--workers", "2", "--threads", str(threads), "--log-level", "critical", "--no-control-socket"],
                cwd=ROOT, env=self.env, process_group=0, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
        try:
            wait_for(self._answers, within=60)
            yield process
        finally:
            with_death(-process.pid, signal.SIGKILL)
            process.wait()

    def _answers(self) -> bool:
        try:
            return self.worker.status() > 0
        except (OSError, http.client.HTTPException):
            return False

    def api(self, path: str, body: Any = None, *, method: str | None = None) -> Any:
        """What the API answers: to a POST where there is a body, else to a GET, unless a method is named."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.worker.port}/api/v1/{path}", data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"Content-Type": "application/json", "Authorization": f"Basic {LOGIN}"},
        )  # fmt: skip
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def source(self, name: str, rows: Any = ()) -> None:
        """A list of that name with one source; later the same call gives the source other rows."""
        path = self.folder / f"{name}.json"
        new = not path.exists()
        self.source_rows(path, rows)
        if new:
            self.do("make(name, path)", name=name, path=str(path))

    def source_rows(self, path: Path, rows: Any) -> None:
        """Whole, whoever is reading it."""
        spare = path.with_suffix(".new")
        spare.write_text(json.dumps(rows))
        spare.replace(path)

    def sync(self, name: str) -> int:
        """The id of the run that was asked for; 0 if one is at work already."""
        return self.ask("ask(name)", name=name) or 0

    def told(self, run: int) -> dict[str, Any]:
        return self.ask("told(pk)", pk=run)

    def titles(self, name: str) -> list[str]:
        return self.ask("titles(name)", name=name)

    def settled(self, *, within: float = 60) -> bool:
        """Whether nothing waits or works any more, at the end of that time at the latest."""
        wait_for(lambda: not self.ask("Run.objects.active().count()"), within=within)
        return not self.ask("Run.objects.active().count()")

    def hold(self, place: str) -> None:
        """Stop the next sync that comes there. What ended a moment ago is let out first: it might come there yet."""
        if not (self.folder / "held").exists():
            wait_for(lambda: not self.at_work(), within=20)
        (self.folder / "hold").write_text(place)

    def at_work(self) -> list[int]:
        pids = [int(mark.name.rpartition("-")[2]) for mark in self.folder.glob("at-work-*")]
        return [pid for pid in pids if pid in self.worker.left()]

    def held(self, *, within: float = 40) -> int:
        """The process that stopped there."""
        at = self.folder / "held"
        wait_for(lambda: at.exists() and at.read_text(), within=within)
        assert at.exists(), self.worker.output
        return int(at.read_text())

    def let_go(self) -> None:
        (self.folder / "held").unlink(missing_ok=True)

    def put_to_sleep(self, pid: int) -> None:
        """Stop a process, but not while it writes: on SQLite it would keep all others from writing."""
        os.kill(pid, signal.SIGSTOP)
        while not self.can_write():
            os.kill(pid, signal.SIGCONT)
            time.sleep(0.1)
            os.kill(pid, signal.SIGSTOP)

    def can_write(self) -> bool:
        if POSTGRES:
            return True
        with contextlib.closing(sqlite3.connect(self.worker.database, timeout=5, isolation_level=None)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return False
            return True

    def queue(self) -> list[int]:
        """The processes of the task queue."""
        return [pid for pid, line in self.worker.left().items() if "--queue" in line]

    def end(self) -> None:
        for pid in self.queue():
            with_death(pid, signal.SIGCONT)
        self.worker.end()
        self.talker.end()
        if POSTGRES:
            server(f"DROP DATABASE IF EXISTS {self.database} WITH (FORCE)")
            forget_queue(self.database)


def forget_queue(name: str) -> None:
    if url := os.environ.get("REDIS_URL"):
        with redis.Redis.from_url(url) as store:
            for key in store.scan_iter(f"django_q:{name}:*"):
                store.delete(key)


def with_death(pid: int, number: int) -> None:
    """Send a signal to a process that may be gone by now."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def films(count: int, *, first: int = 0, **more: Any) -> list[dict[str, Any]]:
    return [
        {"key": f"tt{n}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990, **more}
        for n in range(first, first + count)
    ]
