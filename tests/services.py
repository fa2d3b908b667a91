"""What a machine may lack and some tests need: PostgreSQL, Redis, a browser, the sample answers of real services.

`python -m tests.services DATABASE_URL REDIS_URL` says in one line who does not answer, and then ends with 1.
"""

import os
import shutil
import sys
from pathlib import Path

import psycopg
import redis


def postgresql_answers(url: str) -> bool:
    """Whether the server of this address lets us in; the database that the address names need not exist."""
    server, _, _ = url.rpartition("/")
    try:
        psycopg.connect(f"{server}/postgres", connect_timeout=3).close()
    except psycopg.Error:
        return False
    return True


def redis_answers(url: str) -> bool:
    try:
        return bool(redis.Redis.from_url(url, socket_connect_timeout=3, socket_timeout=3).ping())
    except (redis.RedisError, ValueError):
        return False


def browser() -> str | None:
    """The path of a Chromium, or None."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def samples() -> Path | None:
    """The folder of saved answers of real services, which is no part of the project, or None."""
    folder = os.environ.get("LISTKEEPER_SAMPLES", "")
    return Path(folder) if folder and Path(folder).is_dir() else None


def main(database_url: str, redis_url: str) -> int:
    silent = [
        name
        for name, answers in [
            ("PostgreSQL", postgresql_answers(database_url)),
            ("Redis", redis_answers(redis_url)),
        ]
        if not answers
    ]
    if silent:
        print(f"The tests ran on SQLite only: {' and '.join(silent)} did not answer (see CONTRIBUTING.md).")
    return len(silent) and 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
