"""What reading costs where a list has a million entries: pages at any depth, searches, filters, and the check of it all;
and on a list of 10,000 with 50 versions: a diff of neighbours and a rollback.

    python -m bench.reads [--rows 1000000] [--database postgres://postgres@127.0.0.1/listkeeper_reads] [--fresh]

The million is written set-based and kept in the folder for temporary files (or the database: without --database that of
DATABASE_URL with "_bench" behind its name) for the next time. Prints
medians of five, warm, in milliseconds (of the wall; of CPU for versions); beside each its bar and whether it holds.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.bars import Row
from bench.import_file import beside, fresh_database

FIRST = ("Salt", "River", "Night", "Garden", "Glass", "Winter", "Paper", "Silent", "Golden", "Broken", "Hidden", "Last")
SECOND = ("Song", "Road", "House", "Letter", "Mirror", "Train", "Harbour", "Summer", "Machine", "Empire", "Dancer")
GENRES = ("Action", "Adventure", "Comedy", "Crime", "Drama", "Horror", "Mystery", "Romance", "Thriller", "War")
SHORT = ("Up", "It", "M", "Pi", "Ran", "千と千尋の神隠し", "君の名は。", "Amélie", "Léon", "$")


def title_of(n: int) -> str:
    if n % 50_000 == 77:
        return SHORT[n // 50_000 % len(SHORT)]
    return f"{FIRST[n * 7919 % len(FIRST)]} {SECOND[n // 16 % len(SECOND)]} {n:x}"


def entry_rows(count: int, list_id: int, at: Any) -> Iterator[tuple[Any, ...]]:
    from lists import labels, rows
    from lists.titles import fold, sort_key

    for n in range(1, count + 1):
        title = title_of(n)
        own = {
            "list_id": list_id, "once": True, "kind": "movie", "state": "listed", "rank": n << 20, "first_listed_at": at,
            "title": title, "sort_title": sort_key(title), "search": fold(title), "year": 1930 + n % 95 if n % 20 else None,
            "rating": n * 37 % 91 / 10 + 1 if n % 10 else None, "runtime_s": 60 * (70 + n % 80), "votes": n % 9999,
            "genres": labels.join([GENRES[n % 10], GENRES[n // 10 % 10]]), "language": "en", "completeness": 0.5,
            "overview": f"{title} is a film that nobody made. " * 3, "extra": "{}", "origins": "{}",
            "item_id": None, "cue_ms": None, "popularity": None, "group": f"Group {n % 40}",
        }  # fmt: skip
        yield tuple(own.get(name, "") for name in rows.COLUMNS)


def fill(count: int) -> Any:
    """The large list, set-based: entries, their history, a claim each, one version."""
    from django.contrib.auth import get_user_model
    from django.db import connection, transaction
    from django.utils import timezone

    from lists import packed, rows, services
    from lists.dialects import Dialect, quote
    from lists.models import Entry, MediaList, Version
    from lists.writer import CLAIM, ENTRY, HISTORY, KEPT

    user, _ = get_user_model().objects.get_or_create(username="bench")
    if list_ := MediaList.objects.filter(name=f"{count} films").first():
        return list_
    at = timezone.now()
    began = time.perf_counter()
    list_ = services.create_list(user, name=f"{count} films")
    source = services.add_source(list_, adapter="json_list", name="bench", by=user)
    dialect = Dialect.of()
    with transaction.atomic():
        version = Version.objects.create(
            list=list_, number=1, kind="import", author_name="bench", added=count, item_count=count
        )
        first = (Entry.objects.order_by("-id").values_list("id", flat=True).first() or 0) + 1
        with_ids = ((first + n, *row) for n, row in enumerate(entry_rows(count, list_.pk, dialect.moment(at))))
        dialect.load(ENTRY, ("id", *rows.COLUMNS), with_ids)
        if connection.vendor == "postgresql":
            dialect.execute(
                "SELECT setval(pg_get_serial_sequence('lists_entry', 'id'), (SELECT MAX(id) FROM lists_entry))"
            )
        dialect.execute(
            f'INSERT INTO "{HISTORY}" ({quote(KEPT)}, history_date, history_type, version_id) '
            f'SELECT {quote(KEPT)}, %s, %s, %s FROM "{ENTRY}" WHERE list_id = %s',
            [at, "+", version.pk, list_.pk],
        )
        key = "'row ' || id" if connection.vendor == "sqlite" else "concat('row ', id)"
        dialect.execute(
            f'INSERT INTO "{CLAIM}" (source_id, key, entry_id, kind, position, digest, mark, ids, "values", first_at, times, '
            f'listing, missing) SELECT %s, {key}, id, kind, id, %s, %s, %s, %s, %s, %s, %s, 0 FROM "{ENTRY}" WHERE list_id = %s',
            [source.pk, b"0" * 16, b"", "{}", "{}", at, "{}", True, list_.pk],
        )
        version.order = packed.pack(range(first, first + count))
        version.save()
        MediaList.objects.filter(pk=list_.pk).update(current=version, item_count=count)
    print(f"# filled in {time.perf_counter() - began:.0f} s", file=sys.stderr)
    return MediaList.objects.get(pk=list_.pk)


def milliseconds(do: Callable[[], Any], times: int = 5) -> float:
    do()
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        do()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


missed: list[str] = []


def report(what: str, took: float, must: float | None = None, *, reached: float | None = None) -> None:
    """reached: what is held against the bar, if that is not what it took."""
    from django.db import connection

    told = ""
    if must is not None:
        row = Row(what, must, took if reached is None else reached)
        told = f"{'' if reached is None else f'{reached:.2f} times '}{row.bar}  {row.verdict}"
        if not row.holds:
            missed.append(what.strip())
    print(f"{connection.vendor:<11}{what:<58}{took:>10.2f}   {told}".rstrip(), flush=True)


def measure_pages(list_: Any) -> None:
    from lists.browse import SORTS, Wish, page_of
    from lists.models import Entry
    from lists.paging import _cursor

    for sort in SORTS.values():
        first = milliseconds(lambda sort=sort: page_of(list_, Wish(sort=sort.key)))
        report(f"page 1 by {sort.key}", first)
        ordered = Entry.objects.filter(list=list_).listed().order_by(*sort.order)
        for depth in (0.5, 0.9):
            at = ordered[int(list_.item_count * depth)]
            after = _cursor(sort, at)
            took = milliseconds(lambda sort=sort, after=after: page_of(list_, Wish(sort=sort.key), after=after))
            report(f"  behind row {int(list_.item_count * depth):,}, by {sort.key}", took, 3, reached=took / first)
    for q in (
        "salt road",
        "orchard 3d0",
        "up",
        "it",
        "m",
        "千と",
        "千",
        "amelie",
        "nothing like it",
        "night",
        "$",
        "ng ga",
    ):
        took = milliseconds(lambda q=q: page_of(list_, Wish(q=q)))
        report(f"search for {q!r}: a page", took, 100)
        took = milliseconds(lambda q=q: page_of(list_, Wish(q=q, sort="rating")))
        report(f"search for {q!r}: a page by rating", took, 100)
    for wish in (
        Wish(genre="War"),
        Wish(genre="War", sort="title"),
        Wish(genre="Noir"),
        Wish(group="Group 7"),
        Wish(q="glass", genre="War"),
    ):
        took = milliseconds(lambda wish=wish: page_of(list_, wish))
        report(f"filter {wish.genre or wish.group} {wish.q} by {wish.sort}", took, 100)


def churned(count: int, turns: int) -> Iterator[list[dict[str, Any]]]:
    """A list that changes by 1 % a turn: of 10,000, 60 films are changed, 20 come and 20 go."""
    draw = random.Random(7)
    films = {
        n: {"title": title_of(n), "year": 1930 + n % 95, "rating": 5.0, "imdb_id": f"tt{n:07}",
            "overview": f"{title_of(n)} is a film that nobody made. " * 8}
        for n in range(1, count + 1)
    }  # fmt: skip
    yield list(films.values())
    for turn in range(1, turns):
        for n in draw.sample(sorted(films), count * 6 // 1000):
            films[n] = films[n] | {"rating": 1.0 + draw.randrange(90) / 10}
        for n in draw.sample(sorted(films), count * 2 // 1000):
            del films[n]
        for n in range(count // 500):
            new = count + turn * count // 500 + n
            films[new] = {"title": title_of(new), "year": 2000, "imdb_id": f"tt{new:07}"}
        yield list(films.values())


def with_versions(count: int, turns: int) -> Any:
    from django.contrib.auth import get_user_model

    from lists import services
    from lists.models import MediaList, Proposal
    from sync import tasks, uploads

    user, _ = get_user_model().objects.get_or_create(username="bench")
    name = f"{count} films in {turns} versions"
    list_ = MediaList.objects.filter(name=name).first() or services.create_list(user, name=name)
    standing = list_.versions.count()
    for number, rows in enumerate(churned(count, turns), 1):
        if number <= standing:  # what was built before
            continue
        config = {"source": list_.sources.get().pk} if list_.sources.exists() else {}
        proposal = uploads.start(json.dumps(rows).encode(), by=user, list_=list_, filename="films.json", config=config)
        tasks.prepare_upload(proposal.pk)
        tasks.execute_run(uploads.confirm(Proposal.objects.get(pk=proposal.pk), by=user).pk)
    list_.refresh_from_db()
    print(f"# {list_.versions.count()} versions", file=sys.stderr)
    return list_


def spent() -> float:
    """Seconds of CPU of this process and, on PostgreSQL, of its server process."""
    from django.db import connection

    own = time.process_time()
    if connection.vendor != "postgresql":
        return own
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        stat = Path(f"/proc/{cursor.fetchone()[0]}/stat").read_text().rpartition(")")[2].split()
    return own + (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")


def measure_versions(count: int, turns: int) -> None:
    from lists import services
    from lists.models import Version
    from lists.versions import HistoricalEntry, diff

    list_ = with_versions(count, turns)
    by = list_.owner
    numbers = [turns // 2, turns - 1]

    def version(number: int) -> Version:
        return list_.versions.get(number=number)

    for name, before, after, must in (
        ("diff of neighbours", turns - 1, turns, 20), ("diff of first and last", 1, turns, None),
    ):  # fmt: skip
        taken = []
        for _ in range(5):
            pair, began = (version(before), version(after)), spent()
            rows = diff(*pair).rows
            taken.append((spent() - began) * 1000)
        report(f"{name}: {len(rows)} rows", statistics.median(taken), must)
    for number in (*reversed(numbers), 1, turns):
        began, wall = spent(), time.perf_counter()
        made = services.rollback(list_, version(number), by=by)
        cpu, wall = (spent() - began) * 1000, (time.perf_counter() - wall) * 1000
        what = made and f"+{made.added} -{made.removed} ~{made.changed}"
        report(f"rollback to {number}: {what} ({wall:.0f} ms of the wall)", cpu, 500)
        list_.refresh_from_db()
    first = HistoricalEntry.objects.filter(list_id=list_.pk, version=version(1).pk).count()
    later = HistoricalEntry.objects.filter(list_id=list_.pk, version__gt=version(1).pk, version__lte=version(turns).pk)
    orders = sum(len(blob) for blob in list_.versions.filter(number__lte=turns).values_list("order", flat=True))
    report(f"rows of history above the first {first:,}", later.count(), 1, reached=later.count() / first)
    report("bytes of their orders", orders)


def measure_integrity() -> None:
    from django.core.management import call_command

    began = time.perf_counter()
    call_command("verify_integrity")
    report("verify_integrity", (time.perf_counter() - began) * 1000, 60_000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--database", default=beside())
    parser.add_argument("--fresh", action="store_true", help="build the large list anew")
    parser.add_argument("--only", default="pages,integrity,versions")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if not args.child:
        folder = Path(tempfile.gettempdir()) / "listkeeper-bench-reads"
        folder.mkdir(exist_ok=True)
        env = {**os.environ, "LISTKEEPER_DATA": str(folder), "DJANGO_SETTINGS_MODULE": "config.settings"}
        env |= {"LISTKEEPER_LOG_LEVEL": "WARNING", "DATABASE_URL": args.database}
        if args.database:
            fresh_database(args.database, keep=not args.fresh)
        elif args.fresh:
            for file in folder.glob("listkeeper.sqlite3*"):
                file.unlink()
        subprocess.run([sys.executable, "-m", "bench.reads", "--child", *sys.argv[1:]], env=env, check=True)
        return
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    random.seed(1)
    print(f"{'database':<11}{'what':<58}{'ms':>10}   bar", flush=True)
    if "pages" in args.only or "integrity" in args.only:
        list_ = fill(args.rows)
        if "pages" in args.only:
            measure_pages(list_)
        if "integrity" in args.only:
            measure_integrity()
    if "versions" in args.only:
        measure_versions(10_000, 50)
    print(f"\n{len(missed)} missed{': ' if missed else ''}{'; '.join(missed)}")


if __name__ == "__main__":
    main()
