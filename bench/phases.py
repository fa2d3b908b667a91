"""The phases of bench/engine.py for one size, in this process: what each took, as JSON on standard output."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

import orjson  # noqa: E402
from django.contrib.auth import get_user_model  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402

from bench import payload  # noqa: E402
from bench.listing import Listing  # noqa: E402
from lists import dialects, rows, services  # noqa: E402
from lists.models import Entry, MediaList, Source, Version  # noqa: E402
from sync import pipeline, runs, tasks  # noqa: E402
from sync.models import Run  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")


def cpu() -> float:
    """Seconds of this process and of the database's process that serves it."""
    spent = time.process_time()
    if connection.vendor == "postgresql" and connection.connection is not None:
        stat = Path(f"/proc/{connection.connection.info.backend_pid}/stat").read_text().rpartition(")")[2].split()
        spent += (int(stat[11]) + int(stat[12])) / TICKS
    return spent


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def peak_mib() -> float:
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) / 1024


class Bench:
    def __init__(self, count: int, folder: Path, wanted: tuple[str, ...], *, analysed: bool):
        """wanted: how the names of the phases begin that are measured; the first one always is."""
        self.count, self.path, self.analysed = count, folder / "films.jsonl", analysed
        self.wanted = ("first", *wanted) if wanted else ("",)
        self.phases: dict[str, dict[str, Any]] = {}
        self.decoding: list[float] = []
        self.loading: list[float] = []
        self.statements = 0
        self.counted = False

    # -- baselines ----------------------------------------------------------------------------------------------------

    def decode(self) -> None:
        begun = time.process_time()
        with self.path.open("rb") as file:
            for line in file:
                orjson.loads(line)
        self.decoding.append(time.process_time() - begun)

    def load(self) -> None:
        """Ready tuples into a table like that of the entries: columns, indexes, no history."""
        table = Entry._meta.db_table
        dialect = dialects.Dialect.of()
        columns = ("id", *rows.COLUMNS)
        spent = 0.0
        self._make_copy(table)
        with transaction.atomic():
            last = 0
            while block := self._rows(table, columns, last):
                last = block[-1][0]
                begun = cpu()
                dialect.load("bench_raw", columns, block)
                spent += cpu() - begun
            begun = cpu()
        self.loading.append(spent + cpu() - begun)
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE bench_raw")

    def _make_copy(self, table: str) -> None:
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute(f'CREATE TABLE bench_raw (LIKE "{table}" INCLUDING ALL EXCLUDING IDENTITY)')
                return
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE tbl_name = %s AND sql IS NOT NULL", [table])
            for name, sql in sorted(cursor.fetchall(), key=lambda row: not row[1].startswith("CREATE TABLE")):
                plain = (
                    sql.replace(f'"{table}"', '"bench_raw"', 1)
                    if name == table
                    else sql.replace(f'"{name}" ON "{table}"', f'"raw_{name}" ON "bench_raw"')
                )
                if not sql.startswith("CREATE TRIGGER"):  # words for the search are no part of the baseline
                    cursor.execute(plain)

    def _rows(self, table: str, columns: tuple[str, ...], last: int) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(
                f'SELECT {dialects.quote(columns)} FROM "{table}" WHERE id > %s ORDER BY id LIMIT 5000', [last]
            )
            found = cursor.fetchall()
        if connection.vendor == "postgresql":
            at = [columns.index(name) for name in ("extra", "origins")]
            found = [
                tuple(json.dumps(v) if n in at and not isinstance(v, str) else v for n, v in enumerate(row))
                for row in found
            ]
        return found

    # -- phases -------------------------------------------------------------------------------------------------------

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        self.decode()
        forget_peak()
        stood = peak_mib()
        history, self.statements = Entry.history.count(), 0
        begun, spent = time.perf_counter(), cpu()
        yield
        spent, took = cpu() - spent, time.perf_counter() - begun
        self.phases[name] = {
            "cpu": spent, "wall": took, "statements": self.statements, "stood": stood,
            "peak": peak_mib(), "history": Entry.history.count() - history,
        }  # fmt: skip
        print(f"# {name}: {spent:.2f} s", file=sys.stderr, flush=True)
        self.decode()

    def counting(self, execute, sql, params, many, context):  # type: ignore[no-untyped-def]
        self.statements += self.counted
        return execute(sql, params, many, context)

    def count_statements(self) -> None:
        """From match to publish; a bulk load counts as one."""

        def counted(do: Callable[..., Any]) -> Callable[..., Any]:
            def doing(*args: Any, **named: Any) -> Any:
                before, self.counted = self.counted, True
                if finish := named.get("before_commit"):  # closing the run is no part of it
                    named["before_commit"] = uncounted(finish)
                try:
                    return do(*args, **named)
                finally:
                    self.counted = before

            return doing

        def uncounted(do: Callable[..., Any]) -> Callable[..., Any]:
            def doing(*args: Any) -> Any:
                before, self.counted = self.counted, False
                try:
                    return do(*args)
                finally:
                    self.counted = before

            return doing

        def load(do: Callable[..., Any]) -> Callable[..., Any]:
            def loading(*args: Any, **named: Any) -> Any:
                self.statements += self.counted
                return do(*args, **named)

            return loading

        # So is what is done once the version stands: its hooks run before the transaction is left.
        connection.run_and_clear_commit_hooks = uncounted(connection.run_and_clear_commit_hooks)  # type: ignore[method-assign]
        pipeline.plan_sync = counted(pipeline.plan_sync)
        pipeline.writer.publish = counted(pipeline.writer.publish)
        for cls in (dialects.SQLite, dialects.PostgreSQL):
            cls.load = load(cls.load)  # type: ignore[method-assign]

    def sync(self, source: Source) -> Run:
        run = runs.request_run(source, kind=Run.Kind.MANUAL)
        tasks.execute_run(run.pk)
        run.refresh_from_db()
        assert run.state == Run.State.COMPLETED, run.error
        return run

    def run(self) -> dict[str, Any]:
        call_command("migrate", verbosity=0)
        connection.settings_dict["CONN_MAX_AGE"] = None  # a new process of the database would begin to count anew
        user = get_user_model().objects.create_user("bench")
        list_ = services.create_list(user, name="Films")
        config = {"path": str(self.path)}
        source = services.add_source(list_, adapter="bench_listing", name="bench", by=user, config=config, grace=0)
        self.count_statements()
        with connection.execute_wrapper(self.counting):
            self.measure(list_, source, user)
        return {
            "vendor": connection.vendor, "count": self.count, "state": "analysed" if self.analysed else "fresh",
            "decode_cpu": sorted(self.decoding)[len(self.decoding) // 2], "load_cpu": sum(self.loading) / len(self.loading),
            "phases": self.phases, "started": self.started,
        }  # fmt: skip

    def measure(self, list_: MediaList, source: Source, user: Any) -> None:
        count = self.count
        self.bring("first", source, "added", count)
        self.started = self.phases["first"]["stood"]
        self.load()
        if self.analysed:
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")
        for name, way in (("unchanged, raw", "raw"), ("unchanged", "parsed"), ("same body", "body")):
            if name.startswith(self.wanted):
                Listing.way = way
                self.sync(source)  # it has not come this way before
                self.bring(name, source, "unchanged", count)
        Listing.way = "raw"
        self.sync(source)
        tenth, twentieth = count // 10, count // 20
        self.bring("10 % changed", source, "updated", tenth, changed=tenth)
        self.bring("5 % removed", source, "removed", twentieth, changed=tenth, dropped=twentieth)
        self.bring("returned", source, "added", twentieth, changed=tenth)
        if "rollback".startswith(self.wanted):
            with self.phase("rollback"):
                services.rollback(list_, Version.objects.get(list=list_, number=1), by=user)
        self.load()

    def bring(self, name: str, source: Source, figure: str, expected: int, **how: int) -> None:
        """A sync of the films changed in this way. figure: of its run, which has to be as expected."""
        if not name.startswith(self.wanted):
            return
        if how or not self.path.exists():
            Listing.total = payload.write(self.path, self.count, **how)
        with self.phase(name):
            assert getattr(self.sync(source), figure) == expected


if __name__ == "__main__":
    count, folder, wanted, *more = sys.argv[1:]
    phases = tuple(wanted.split(",")) if wanted else ()
    print(json.dumps(Bench(int(count), Path(folder), phases, analysed="analysed" in more).run()))
