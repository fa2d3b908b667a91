"""What the way out costs: a request through the door against a bare one, and a large answer read object by object.

    python -m bench.fetch requests [--count 500]    milliseconds and CPU of a request: requests alone, the door
    python -m bench.fetch large [--mib 100]         seconds, and memory above that of before, of one large JSON list
    python -m bench.fetch turns [--seconds 10]      four processes against a service that allows five requests a second
    python -m bench.fetch hostile [--mib 300] [--seconds 120]    what a real worker spends on bombs, drips, circles of redirects
                                                    and a large catalogue that takes its time

On the database of DATABASE_URL with "_bench" behind its name, else a fresh SQLite file. The service is a process of its own.
"""

import argparse
import gzip
import json
import multiprocessing
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.upstream import Upstream

ITEM = {"id": 0, "title": "A film of some length", "ids": {"imdb": "tt0000001", "tmdb": 1}, "overview": "x" * 400}
ROUNDS = 3


def serve(pipe: Any, mib: int, slow_s: float = 0) -> None:
    server = Upstream()
    server.answer("/small", [ITEM] * 20)
    if slow_s:
        serve_hostile(server, mib, slow_s)
    elif mib:
        size = len(json.dumps(ITEM)) + 2
        server.answer("/large", json.dumps([{**ITEM, "id": n} for n in range(mib * (1 << 20) // size)]).encode(),
                      headers={"Content-Type": "application/json"})  # fmt: skip
    pipe.send(server.url)
    pipe.recv()


def serve_hostile(server: Upstream, mib: int, slow_s: float) -> None:
    packed = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    bomb = gzip.compress(b"[" + b" " * ((1 << 28) - 1)) + gzip.compress(b" " * (1 << 28)) * 3  # a gibibyte
    server.answer("/plain", [{"key": "tt1", "title": "Film 1"}])
    server.answer("/bomb", bomb, headers=packed)
    server.answer("/two-layers", gzip.compress(bomb), headers=packed)
    server.answer("/drip", [0] * 10_000, drip=0.2)
    server.answer("/circle", {}, 302, headers={"Location": "/back"})
    server.answer("/back", {}, 302, headers={"Location": "/circle"})
    server.answer("/inward", {}, 302, headers={"Location": "http://127.0.0.1:6379/"})
    rows = [
        {"key": f"tt{n}", "title": f"Film {n}", "overview": "x" * 100_000} for n in range(mib * (1 << 20) // 100_050)
    ]
    body = json.dumps(rows).encode()
    server.answer("/catalogue", body, headers={"Content-Type": "application/json"}, rate=int(len(body) / slow_s))


@contextmanager
def service(mib: int = 0, slow_s: float = 0) -> Iterator[str]:
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs, mib, slow_s), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        process.kill()


def start(folder: str) -> None:
    import django

    os.environ["LISTKEEPER_DATA"] = folder
    os.environ["LISTKEEPER_OUTBOUND_ALLOW"] = "127.0.0.1"
    os.environ["LISTKEEPER_SERVICES"] = '{"*": {"rate": 100000, "burst": 1000, "timeout_s": 60}}'
    if os.environ.get("DATABASE_URL"):
        os.environ["DATABASE_URL"] += "_bench"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def one_by_one(count: int) -> None:
    import requests

    from sync.http import Door

    with service() as url, Door() as door, requests.Session() as session:
        ways: dict[str, Callable[[], Any]] = {
            "requests": lambda: session.get(f"{url}/small", timeout=10).json(),
            "the door": lambda: door.get(f"{url}/small").json(),
        }
        spent: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, ask in ways.items():
                ask()
                begun, cpu = time.perf_counter(), time.process_time()
                for _ in range(count):
                    ask()
                wall = time.perf_counter() - begun
                spent[name].append((wall / count * 1000, (time.process_time() - cpu) / count * 1000))
        for name, rounds in spent.items():
            wall, cpu = (statistics.median(each) for each in zip(*rounds, strict=True))
            print(f"{name:10} {wall:8.2f} ms {cpu:8.2f} ms CPU")


def large(mib: int) -> None:
    from sync.http import CATALOGUE, Door

    def peak() -> float:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    with service(mib) as url, Door(limits=CATALOGUE) as door:
        door.get(f"{url}/small").json()
        before, begun, cpu = peak(), time.perf_counter(), time.process_time()
        count = sum(1 for _ in door.items(f"{url}/large", "item"))
        spent, cpu = time.perf_counter() - begun, time.process_time() - cpu
        print(
            f"{mib} MiB, {count:,} objects: {spent:.1f} s, {cpu:.1f} s CPU, {peak() - before:.0f} MiB more than before"
        )


def turns(seconds: float, folder: str) -> None:
    from tests.sync.http.asking import several

    upstream = Upstream()
    upstream.limit = (5, 1.0)
    upstream.answer("/small", [ITEM])
    several(
        Path(folder), 4, f"{upstream.url}/small", seconds, LISTKEEPER_SERVICES='{"probed": {"rate": 5, "burst": 1}}'
    )
    begun = upstream.seen[0].at
    within = sum(each.at < begun + seconds for each in upstream.seen)
    print(
        f"{within} requests in {seconds:g} s: {within / (5 * seconds):.0%} of what is allowed, {upstream.refused} refused"
    )


MAKE = """
def remote(name, address, adapter):
    list_ = services.create_list(user, name=name)
    services.add_source(list_, adapter=adapter, name=name, by=user, gap_min=0, address=address, sync_enabled=False)
"""


def hostile(mib: int, seconds: float, folder: Path) -> None:
    from tests.sync.hub import Hub

    with service(mib, seconds) as url:
        here = url.removeprefix("http://")
        hub = Hub(
            folder,
            LISTKEEPER_OUTBOUND_ALLOW=here,
            LISTKEEPER_SERVICES='{"*": {"timeout_s": 10, "failures": 1000}}',
            LISTKEEPER_WORKERS="1",
        )
        try:
            hub.do(MAKE)
            hub.start()
            for name in ("plain", "bomb", "two-layers", "drip", "circle", "inward", "catalogue"):
                adapter = "scripted_catalogue" if name in ("plain", "catalogue") else "scripted_remote"
                hub.do("remote(name, address, adapter)", name=name, address=f"{url}/{name}", adapter=adapter)
                run = hub.sync(name)
                hub.do("while Run.objects.get(pk=pk).finished_at is None: time.sleep(0.2)", pk=run)
                spent, peak, state, error = hub.ask(
                    "Run.objects.values_list('duration_ms', 'memory_peak_mib', 'state', 'error').get(pk=pk)", pk=run
                )
                print(f"{name:12} {spent / 1000:7.1f} s {peak:5} MiB {state:10} {error}", flush=True)
        finally:
            hub.end()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["requests", "large", "turns", "hostile"])
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--mib", type=int)
    parser.add_argument("--seconds", type=float)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="listkeeper-bench-") as folder:
        if wanted.what == "turns":
            os.environ["LISTKEEPER_DATA"] = folder
            turns(wanted.seconds or 10, folder)
            return
        if wanted.what == "hostile":
            os.environ["LISTKEEPER_DATA"] = folder
            hostile(wanted.mib or 300, wanted.seconds or 120, Path(folder))
            return
        start(folder)
        if wanted.what == "large":
            large(wanted.mib or 100)
        else:
            one_by_one(wanted.count)


if __name__ == "__main__":
    main()
