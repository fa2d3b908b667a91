"""Runs `manage.py` commands as real processes, with a data folder and a port of their own."""

import http.client
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def strain() -> float:
    """How many times as long things take now as on a machine that is not busy; 1 at least."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def wait_for(condition: Callable[[], object], *, within: float) -> None:
    """Until the condition holds; the caller asserts it. within: seconds on a machine that is not busy."""
    deadline = time.monotonic() + within * strain()
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.1)


@cache
def migrated() -> Path:
    """A file of SQLite with all tables, to be copied: making them takes as long as most of these tests."""
    folder = Path(os.environ["LISTKEEPER_DATA"]) / f"migrated-{secrets.token_hex(6)}"
    program = Program(folder, "migrate")
    program.manage("migrate", "--verbosity", "0")
    return program.database


class Program:
    """A `manage.py` command on SQLite in a folder; `start` may be called again when the last one has ended."""

    def __init__(self, folder: Path, command: str, script: tuple[str, ...] = ("manage.py",)) -> None:
        self.folder, self.command, self.script = folder, command, script
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.mark = secrets.token_hex(8)  # in the environment of all its processes, so that they can be found
        self.env = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "REDIS_URL")} | {
            "LISTKEEPER_DATA": str(folder / "data"),
            "LISTKEEPER_PORT": str(self.port),
            "LISTKEEPER_DEMO": "no",
            "HOME": str(folder),
            "PROGRAM_MARK": self.mark,
        }
        self.process: subprocess.Popen[str] | None = None

    @property
    def output(self) -> str:
        return (self.folder / "output").read_text()

    @property
    def database(self) -> Path:
        return self.folder / "data" / "listkeeper.sqlite3"

    def with_tables(self) -> "Program":
        """The same, on a database that has its tables already."""
        self.database.parent.mkdir(parents=True)
        shutil.copy(migrated(), self.database)
        return self

    def manage(self, *arguments: str) -> None:
        """Run another command to its end, in the same folder."""
        subprocess.run(
            [sys.executable, *self.script, *arguments], cwd=ROOT, env=self.env, check=True, timeout=180 * strain()
        )

    def start(self, **env: str) -> subprocess.Popen[str]:
        with (self.folder / "output").open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, *self.script, self.command],
                cwd=ROOT, env=self.env | env, stdout=output, stderr=subprocess.STDOUT, text=True, process_group=0,
                # Where the tests run on several cores, Ctrl-C is turned off for them; a person's program has it.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )  # fmt: skip
        return self.process

    def start_and_wait(self, words: str, **env: str) -> subprocess.Popen[str]:
        """Start it and wait until it has printed the words."""
        process = self.start(**env)
        wait_for(lambda: words in self.output or process.poll() is not None, within=90)
        assert words in self.output, self.output
        return process

    def left(self) -> dict[int, str]:
        """Its processes that still run: process id -> command line. Linux only."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if self.mark.encode() in (folder / "environ").read_bytes():
                    found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
        return {pid: line for pid, line in found.items() if line}

    def child(self, name: str = "") -> int:
        """The process id of the direct child whose command line holds the name. Linux only."""
        assert self.process
        for pid, line in self.left().items():
            parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
            if parent == self.process.pid and name in line:
                return pid
        raise AssertionError(f"{name} does not run: {self.left()}")

    def status(self, path: str = "/") -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        finally:
            connection.close()

    def end(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(40 * strain())
