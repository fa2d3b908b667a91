"""What an import costs: first, unchanged and 1 % changed, through the real upload path, on a database of its own.

    python -m bench.import_file [--kind imdb] [--items 10000,100000] [--database postgres://postgres@127.0.0.1/listkeeper_bench]

Kinds: imdb, letterboxd (a table each), m3u (a playlist whose addresses carry a login). Without --database that of
DATABASE_URL with "_bench" behind its name, else a fresh SQLite file. Prints one row a phase: seconds of preview and import,
items a second (import), CPU seconds of this process (both together), SQL statements, rows written to items, entries, claims and history, and the peak memory of the process that did it.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time

from bench.files import KINDS


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(kind: str, count: int) -> None:
    """One size in this process: the peak it prints is its own."""
    import django

    django.setup()
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.db import connection

    from lists import services
    from lists.models import Claim, Entry, Item
    from sync import tasks, uploads

    call_command("migrate", verbosity=0)
    user = get_user_model().objects.create_user(f"bench{count}")
    made = KINDS[kind]
    list_ = services.create_list(user, name=f"{count} of {kind}", content=made.content)
    statements = 0

    def counting(execute, sql, params, many, context):  # type: ignore[no-untyped-def]
        nonlocal statements
        statements += 1
        return execute(sql, params, many, context)

    def written() -> tuple[int, ...]:
        return (Item.history.count(), Claim.objects.count(), Entry.history.count(), Entry.objects.count())

    last = written()
    started = peak_mib()
    for phase, changed in [("first", 0), ("unchanged", 0), ("1 % changed", count // 100)]:
        proposal = uploads.start(made.make(count, changed), by=user, list_=list_, filename=made.filename)
        begun, cpu = time.perf_counter(), time.process_time()
        tasks.prepare_upload(proposal.pk)
        previewed = time.perf_counter() - begun
        run = uploads.confirm(uploads.Proposal.objects.get(pk=proposal.pk), by=user)
        statements = 0
        begun = time.perf_counter()
        with connection.execute_wrapper(counting):
            print(f"# {tasks.execute_run(run.pk)}", file=sys.stderr)
        took = time.perf_counter() - begun
        run.refresh_from_db()
        assert (run.state, run.found, run.updated) == ("completed", count, changed), run.error
        now = written()
        items, claims, history, entries = (b - a for a, b in zip(last, now, strict=True))
        last = now
        print(
            f"{connection.vendor:<11}{count:>8}  {phase:<12}{previewed:>9.2f}{took:>9.2f}{count / took:>11,.0f}"
            f"{time.process_time() - cpu:>8.1f}{statements:>11}{items:>8}{entries:>8}{claims:>8}{history:>8}{peak_mib():>9.0f}",
            flush=True,
        )
    print(f"# the process stood at {started:.0f} MiB before the first import", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=KINDS, default="imdb")
    parser.add_argument("--items", default="10000,100000")
    parser.add_argument("--database", default=beside())
    parser.add_argument("--child", type=int, default=0, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        measure(args.kind, args.child)
        return
    print(
        f"{'database':<11}{'items':>8}  {'phase':<12}{'preview s':>9}{'import s':>9}{'items/s':>11}{'CPU s':>8}{'statements':>11}"
        f"{'items+':>8}{'entry+':>8}{'claim+':>8}{'hist+':>8}{'MiB':>9}",
        flush=True,
    )
    for count in map(int, args.items.split(",")):
        with tempfile.TemporaryDirectory(prefix="listkeeper-bench-") as folder:
            env = {**os.environ, "LISTKEEPER_DATA": folder, "DJANGO_SETTINGS_MODULE": "config.settings"}
            env["LISTKEEPER_LOG_LEVEL"] = "WARNING"
            if args.database:
                fresh_database(args.database)
                env["DATABASE_URL"] = args.database
            else:
                env.pop("DATABASE_URL", None)
            child = ["-m", "bench.import_file", "--kind", args.kind, "--child", str(count)]
            subprocess.run([sys.executable, *child], env=env, check=True)


def beside() -> str:
    """The address of a database of our own beside that of DATABASE_URL; "" if it names none."""
    url = os.environ.get("DATABASE_URL")
    return f"{url}_bench" if url else ""


def fresh_database(url: str, *, keep: bool = False) -> None:
    """keep: leave one that is there."""
    import psycopg
    from psycopg import sql

    server, _, name = url.rpartition("/")
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        if keep and connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            return
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


if __name__ == "__main__":
    main()
