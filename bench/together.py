"""What happens when many write at once, in processes of their own on a database of its own.

    python -m bench.together small    SQLite: small writes beside four syncs of 4,000 rows, flat out
    python -m bench.together items    PostgreSQL: four lists over the same films; two lists with the same new films

On the database of DATABASE_URL with "_bench" behind its name, else a fresh SQLite file.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROWS, LISTS, SECONDS, NEW, REVISIONS = 4000, 4, 8.0, 10_000, 3


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


def revise(path: Path, start: int) -> None:
    """Every tenth film with other values, in files beside: what makes them up is no part of what is measured."""
    from bench import payload

    for revision in range(REVISIONS):
        payload.write(revised(path, revision), ROWS, changed=ROWS // 10, revision=revision + 1, start=start)


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


def writing(seconds: float) -> dict[str, Any]:
    """A small write every 20 ms, as a queue, a page or a heartbeat makes them."""
    from django.db import DatabaseError, connection

    took, errors = [], []
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS bench_small (id integer primary key, n integer)")
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            begun = time.perf_counter()
            try:
                cursor.execute("INSERT INTO bench_small (n) VALUES (1)")
            except DatabaseError as e:
                errors.append(repr(e)[:300])
            took.append((time.perf_counter() - begun) * 1000)
            time.sleep(0.02)
    took.sort()
    return {"writes": len(took), "p50": took[len(took) // 2], "p99": took[int(len(took) * 0.99)], "max": took[-1],
            "errors": errors}  # fmt: skip


def children(*asked: tuple[str, ...]) -> list[dict[str, Any]]:
    """Run these functions at once, each in a process of its own."""
    started = [
        subprocess.Popen([sys.executable, "-m", "bench.together", "--child", *words], stdout=subprocess.PIPE)
        for words in asked
    ]
    return [json.loads(child.communicate()[0].splitlines()[-1]) for child in started]


def small(folder: Path) -> None:
    from bench import payload

    sources = [make_source(number, folder) for number in range(LISTS)]
    for number in range(LISTS):
        path, first = folder / f"films{number}.jsonl", 1 + number * ROWS
        payload.write(path, ROWS, start=first)
        revise(path, first)
    children(*(("sync", str(pk), "0") for pk in sources))
    alone = children(("write", "3"))[0]
    *synced, wrote = children(*(("sync", str(pk), str(SECONDS)) for pk in sources), ("write", str(SECONDS)))
    errors = [error for each in (*synced, wrote) for error in each["errors"]]
    print(f"alone: p50 {alone['p50']:.1f}, p99 {alone['p99']:.1f} ms")
    print(f"beside {LISTS} syncs of {ROWS:,} rows, a tenth changed ({sum(s['syncs'] for s in synced)} syncs in {SECONDS:.0f} s): "
          f"p50 {wrote['p50']:.1f}, p99 {wrote['p99']:.1f}, max {wrote['max']:.1f} ms, {len(errors)} errors {errors[:2]}")  # fmt: skip


def items(folder: Path) -> None:
    from bench import payload
    from lists.models import Claim, Entry, ExternalId, Item

    sources = [make_source(number, folder) for number in range(LISTS)]
    for number in range(2):
        rows = list(payload.lines(NEW))
        (folder / f"films{number}.jsonl").write_bytes(b"".join(rows if number else reversed(rows)))
    told = children(*(("sync", str(pk), "0") for pk in sources[:2]))
    errors = [error for each in told for error in each["errors"]]
    print(f"2 lists, the same {NEW:,} new films in opposite order: {Item.objects.count():,} items, "
          f"{ExternalId.objects.count():,} ids, {Entry.objects.count():,} entries, {len(errors)} errors {errors[:2]}")  # fmt: skip
    for number in range(LISTS):
        revise(folder / f"films{number}.jsonl", 1)
    told = children(*(("sync", str(pk), str(SECONDS)) for pk in sources))
    errors = [error for each in told for error in each["errors"]]
    last = {pk: Path(folder / f"films{n}.jsonl").read_bytes() for n, pk in enumerate(sources)}
    lost = 0
    for pk, body in last.items():
        said = {row["title"]: row["rating"] for row in map(json.loads, body.splitlines())}
        for values in Claim.objects.filter(source=pk).values_list("values", flat=True):
            lost += said.get(values["title"], values["rating"]) != values["rating"]
    print(f"{LISTS} lists over the same {ROWS:,} films: {sum(t['syncs'] for t in told)} syncs in {SECONDS:.0f} s, "
          f"{len(errors)} errors {errors[:2]}, {lost} words lost, {Item.objects.count():,} items")  # fmt: skip


def main() -> None:
    if sys.argv[1] == "--child":
        start()
        do, *words = sys.argv[2:]
        print(json.dumps(syncing(int(words[0]), float(words[1])) if do == "sync" else writing(float(words[0]))))
        return
    with tempfile.TemporaryDirectory(prefix="listkeeper-bench-") as folder:
        os.environ |= {
            "LISTKEEPER_DATA": folder,
            "LISTKEEPER_LOG_LEVEL": "ERROR",
            "LISTKEEPER_PARALLEL_RUNS": str(LISTS),
        }
        if url := os.environ.get("DATABASE_URL"):
            from bench.import_file import fresh_database

            os.environ["DATABASE_URL"] = f"{url}_bench"
            fresh_database(os.environ["DATABASE_URL"])
        start()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        {"small": small, "items": items}[sys.argv[1]](Path(folder))


if __name__ == "__main__":
    main()
