"""What happens when many write at once, in processes of their own on a database of its own, held against its bars.

    python -m bench.together small [--writers 20]    SQLite: small writes beside four syncs of 4,000 rows, flat out
    python -m bench.together items                   PostgreSQL: four lists over the same films; two with the same new films

On the database of DATABASE_URL with "_bench" behind its name, else a fresh SQLite file. --rows, --new and --seconds make it
smaller or longer.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import Any

from bench.bars import Row, table
from bench.import_file import beside, fresh_database

LISTS, REVISIONS = 4, 3
PROCESSES = 2  # of those who write: the web server has as many


def start() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()


def bring(source: Any) -> None:
    from sync import runs, tasks
    from sync.models import Run

    run = runs.request_run(source, kind=Run.Kind.MANUAL)
    tasks.execute_run(run.pk)
    while True:  # another process may have taken it up
        run.refresh_from_db()
        if not run.is_active:
            break
        time.sleep(0.01)
    assert run.state == Run.State.COMPLETED, f"{run.state}: {run.error}"


def make_source(number: int, folder: Path) -> int:
    from django.contrib.auth import get_user_model

    from lists import services

    user, _ = get_user_model().objects.get_or_create(username="bench")
    list_ = services.create_list(user, name=f"List {number}")
    path = str(folder / f"films{number}.jsonl")
    source = services.add_source(
        list_, adapter="bench_listing", name=f"bench {number}", by=user, config={"path": path}, grace=0, gap_min=0
    )
    return source.pk


def revise(path: Path, rows: int, start: int) -> None:
    """Every tenth film with other values, in files beside: what makes them up is no part of what is measured."""
    from bench import payload

    for revision in range(REVISIONS):
        payload.write(revised(path, revision), rows, changed=rows // 10, revision=revision + 1, start=start)


def revised(path: Path, revision: int) -> Path:
    return path.with_suffix(f".{revision}")


def syncing(pk: int, seconds: float) -> dict[str, Any]:
    """Syncs of one source, each with other values of every tenth film, for so many seconds; once if 0."""
    from django.db import DatabaseError

    from bench import listing  # noqa: F401 - registers the adapter
    from lists.models import Source

    source, count, errors = Source.objects.get(pk=pk), 0, []
    path = Path(source.config["path"])
    until = time.monotonic() + seconds
    while True:
        if seconds:
            shutil.copyfile(revised(path, count % REVISIONS), path.with_suffix(".next"))
            path.with_suffix(".next").replace(path)  # whole, whoever is reading it
        try:
            bring(source)
        except (DatabaseError, AssertionError) as e:
            errors.append(repr(e)[:300])
        count += 1
        if time.monotonic() > until:
            return {"syncs": count, "errors": errors}


def writing(seconds: float, writers: int) -> dict[str, Any]:
    """What each small write took, of so many who write at once."""
    with ThreadPoolExecutor(writers) as pool:
        told = list(pool.map(lambda _: write_on(seconds), range(writers)))
    return {
        "took": [ms for took, _ in told for ms in took],
        "errors": [error for _, errors in told for error in errors],
    }


def write_on(seconds: float) -> tuple[list[float], list[str]]:
    """A small write every 20 ms, as a queue, a page or a heartbeat makes them."""
    from django.db import DatabaseError, connection

    took, errors = [], []
    with connection.cursor() as cursor:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            begun = time.perf_counter()
            try:
                cursor.execute("INSERT INTO bench_small (n) VALUES (1)")
            except DatabaseError as e:
                errors.append(repr(e)[:300])
            took.append((time.perf_counter() - begun) * 1000)
            time.sleep(0.02)
    connection.close()
    return took, errors


def children(*asked: tuple[str, ...]) -> list[dict[str, Any]]:
    """Run these functions at once, each in a process of its own."""
    started = [
        subprocess.Popen([sys.executable, "-m", "bench.together", "--child", *words], stdout=subprocess.PIPE)
        for words in asked
    ]
    return [json.loads(child.communicate()[0].splitlines()[-1]) for child in started]


def those_who_write(writers: int, seconds: float) -> list[tuple[str, ...]]:
    """The children that so many writers are."""
    count = min(PROCESSES, writers)
    return [("write", str(seconds), str(writers // count + (number < writers % count))) for number in range(count)]


def errors_of(told: list[dict[str, Any]]) -> list[str]:
    return list(chain.from_iterable(each["errors"] for each in told))


def error_rows(errors: list[str]) -> list[Row]:
    locked = sum("locked" in error for error in errors)
    print(*errors[:3], sep="\n", end="\n" if errors else "")
    return [
        Row("refused: database is locked", 0, locked, exact=True),
        Row("other errors", 0, len(errors) - locked, exact=True),
    ]


def share(took: list[float], part: float) -> float:
    return sorted(took)[int(len(took) * part)]


def small(folder: Path, args: argparse.Namespace) -> None:
    from django.db import connection

    from bench import payload

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_small (n integer)")
    sources = [make_source(number, folder) for number in range(LISTS)]
    for number in range(LISTS):
        path, first = folder / f"films{number}.jsonl", 1 + number * args.rows
        payload.write(path, args.rows, start=first)
        revise(path, args.rows, first)
    children(*(("sync", str(pk), "0") for pk in sources))
    alone = children(*those_who_write(args.writers, 3))
    told = children(
        *(("sync", str(pk), str(args.seconds)) for pk in sources), *those_who_write(args.writers, args.seconds)
    )
    synced, wrote = told[:LISTS], told[LISTS:]
    print(f"{args.writers} who write every 20 ms; {LISTS} lists of {args.rows:,} films, a tenth changed each time, "
          f"{sum(s['syncs'] for s in synced)} syncs in {args.seconds:.0f} s")  # fmt: skip
    for where, each in (("alone", alone), ("beside the syncs", wrote)):
        took = [ms for one in each for ms in one["took"]]
        print(f"{where:<18}{len(took):>7,} writes: median {share(took, 0.5):.1f}, 99 of 100 {share(took, 0.99):.1f}, "
              f"longest {max(took):.1f} ms")  # fmt: skip
    print(table([Row("p99 of a small write, ms", 50, share(took, 0.99)), *error_rows(errors_of([*alone, *told]))]))


def items(folder: Path, args: argparse.Namespace) -> None:
    from bench import payload
    from lists.models import Entry, ExternalId, Item

    sources = [make_source(number, folder) for number in range(LISTS)]
    films = list(payload.lines(args.new))
    ids = sum(len(json.loads(film)["ids"]) for film in films)
    for number in range(2):
        (folder / f"films{number}.jsonl").write_bytes(b"".join(films if number else reversed(films)))
    told = children(*(("sync", str(pk), "0") for pk in sources[:2]))
    print(f"2 lists, the same {args.new:,} new films in opposite order")
    print(table([
        Row("items", args.new, Item.objects.count(), exact=True), Row("ids", ids, ExternalId.objects.count(), exact=True),
        Row("entries", 2 * args.new, Entry.objects.count(), exact=True), *error_rows(errors_of(told)), *deadlocks(),
    ]))  # fmt: skip
    for number in range(LISTS):
        revise(folder / f"films{number}.jsonl", args.rows, 1)
    told = children(*(("sync", str(pk), str(args.seconds)) for pk in sources))
    print(
        f"\n{LISTS} lists over the same {args.rows:,} films, {sum(t['syncs'] for t in told)} syncs in {args.seconds:.0f} s"
    )
    doubles = Item.objects.count() - max(args.new, args.rows)
    print(table([
        Row("words lost", 0, sum(lost(pk, folder / f"films{n}.jsonl") for n, pk in enumerate(sources)), exact=True),
        Row("items that are doubles", 0, doubles, exact=True), *error_rows(errors_of(told)), *deadlocks(),
    ]))  # fmt: skip


def lost(pk: int, path: Path) -> int:
    """How many films a list shows otherwise than its source said at last, or not at all."""
    from lists.models import Entry

    said = {row["title"]: row["rating"] for row in map(json.loads, path.read_bytes().splitlines())}
    shown = dict(Entry.objects.filter(list__sources=pk).listed().values_list("title", "rating"))
    return sum(shown.get(title) != rating for title, rating in said.items())


def deadlocks() -> list[Row]:
    """As the server has counted them, those included that somebody tried again after. Who ends tells it."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return [Row("deadlocks", 0, cursor.fetchone()[0], exact=True)]


def main() -> None:
    if sys.argv[1:2] == ["--child"]:
        start()
        do, first, second = sys.argv[2:]
        print(json.dumps(syncing(int(first), float(second)) if do == "sync" else writing(float(first), int(second))))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("small", "items"))
    parser.add_argument("--writers", type=int, default=1, help="of small: so many at once")
    parser.add_argument("--rows", type=int, default=4000, help="of each list")
    parser.add_argument("--new", type=int, default=10_000, help="of items: films that two lists bring at once")
    parser.add_argument("--seconds", type=float, default=8.0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="listkeeper-bench-") as folder:
        os.environ |= {
            "LISTKEEPER_DATA": folder,
            "LISTKEEPER_LOG_LEVEL": "ERROR",
            "LISTKEEPER_PARALLEL_RUNS": str(LISTS),
        }
        if url := beside():
            os.environ["DATABASE_URL"] = url
            fresh_database(url)
        start()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        {"small": small, "items": items}[args.what](Path(folder), args)


if __name__ == "__main__":
    main()
