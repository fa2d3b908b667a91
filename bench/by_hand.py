"""What a person's acts cost on a large list: an edit, a rollback, a change of rules that folds every entry again.

    python -m bench.by_hand [--items 10000] [--database postgres://postgres@127.0.0.1/listkeeper_bench]

The list has two sources that differ on every entry's rating. Without --database as bench/import_file.py. Prints one row an act:
seconds, SQL statements, and what its version counts.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from bench.files import imdb
from bench.import_file import beside, fresh_database


def measure(count: int) -> None:
    import django

    django.setup()
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.db import connection

    from lists import services
    from lists.models import Entry, Proposal, Source, Version
    from lists.versions import diff
    from sync import tasks, uploads

    call_command("migrate", verbosity=0)
    user = get_user_model().objects.create_user("bench")
    list_ = services.create_list(user, name=f"{count} films")
    statements = 0

    def counting(execute, sql, params, many, context):  # type: ignore[no-untyped-def]
        nonlocal statements
        statements += 1
        return execute(sql, params, many, context)

    def bring(body: bytes, source: Source | None) -> None:
        config = {"source": source.pk if source else "new"}
        proposal = uploads.start(body, by=user, list_=list_, filename="films.csv", config=config)
        tasks.prepare_upload(proposal.pk)
        run = uploads.confirm(Proposal.objects.get(pk=proposal.pk), by=user)
        print(f"# {tasks.execute_run(run.pk)}", file=sys.stderr)

    def act(name: str, do: Callable[[], Any]) -> None:
        nonlocal statements
        statements = 0
        begun = time.perf_counter()
        with connection.execute_wrapper(counting):
            done = do()
        took = time.perf_counter() - begun
        told = f"+{done.added} -{done.removed} ~{done.changed} moved {done.moved}" if isinstance(done, Version) else ""
        print(f"{connection.vendor:<11}{count:>8}  {name:<32}{took:>9.2f}{statements:>11}  {told}", flush=True)

    bring(imdb(count, 0), None)
    first = Source.objects.get()
    bring(imdb(count, count), None)
    bring(imdb(count, count // 100), first)
    versions = {version.number: version for version in list_.versions.all()}
    last = max(versions)
    entry = Entry.objects.filter(list=list_).order_by("rank")[count // 2]
    act("edit of one field", lambda: services.edit_entries(list_, {entry.pk: {"title": "By hand"}}, by=user))
    act("move of one entry", lambda: services.move_entries(list_, [entry.pk], by=user, place=1))
    act("rollback over 1 % changed", lambda: services.rollback(list_, versions[1], by=user))
    act("forward again", lambda: services.rollback(list_, versions[last], by=user))
    act("strategy: what changed last wins", lambda: services.change_rules(list_, by=user, strategy="new"))
    act("rollback over all changed", lambda: services.rollback(list_, versions[1], by=user))
    act("release", lambda: services.release(list_, by=user))
    act("block by a title pattern", lambda: services.block(by=user, scope="list", list_=list_, pattern="salt*"))
    newest = list_.versions.order_by("-number")
    act("diff of the last two versions", lambda: len(diff(newest[1], newest[0]).rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", default="10000")
    parser.add_argument("--database", default=beside())
    parser.add_argument("--child", type=int, default=0, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        measure(args.child)
        return
    print(f"{'database':<11}{'items':>8}  {'act':<32}{'s':>9}{'statements':>11}  version", flush=True)
    for count in map(int, args.items.split(",")):
        with tempfile.TemporaryDirectory(prefix="listkeeper-bench-") as folder:
            env = {**os.environ, "LISTKEEPER_DATA": folder, "DJANGO_SETTINGS_MODULE": "config.settings"}
            env["LISTKEEPER_LOG_LEVEL"] = "WARNING"
            if args.database:
                fresh_database(args.database)
                env["DATABASE_URL"] = args.database
            else:
                env.pop("DATABASE_URL", None)
            subprocess.run([sys.executable, "-m", "bench.by_hand", "--child", str(count)], env=env, check=True)


if __name__ == "__main__":
    main()
