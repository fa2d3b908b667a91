"""Processes that ask one service at the same time, each through a door of its own: python -m tests.sync.http.asking
URL SECONDS"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import django

from tests.processes import ROOT, migrated


def several(folder: Path, count: int, url: str, seconds: float, **env: str) -> list[str]:
    """What each of them came across, in a line: how many answers, and the kinds of what went wrong."""
    from tests.sync.hub import POSTGRES, server, template

    if POSTGRES:
        name = f"{template()}_asked"
        server(f"CREATE DATABASE {name} TEMPLATE {template()}")
        env["DATABASE_URL"] = f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{name}"
    else:
        shutil.copy(migrated(), folder / "listkeeper.sqlite3")
    env = {**os.environ, "LISTKEEPER_DATA": str(folder), "LISTKEEPER_OUTBOUND_ALLOW": "127.0.0.1", **env}
    words = [sys.executable, "-m", "tests.sync.http.asking", url, str(seconds)]
    asking = [
        subprocess.Popen(words, cwd=ROOT, env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(count)
    ]
    try:
        for each in asking:
            assert each.stdout.readline() == "ready\n"
        for each in asking:
            each.stdin.write("go\n")
            each.stdin.flush()
        return [each.stdout.readline().strip() for each in asking]
    finally:
        for each in asking:
            each.kill()
            each.communicate()
        if POSTGRES:
            server(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def main(url: str, seconds: float) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from sync.errors import SourceError
    from sync.http import Door

    print("ready", flush=True)
    sys.stdin.readline()
    until, came, wrong = time.monotonic() + seconds, 0, []
    with Door("probed") as door:
        while time.monotonic() < until:
            try:
                door.get(url)
                came += 1
            except SourceError as e:
                wrong.append(e.kind)
                time.sleep(0.02)
    print(came, *sorted(set(wrong)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
