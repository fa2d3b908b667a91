"""How soon a cancelled run has ended, phase by phase, with a real worker: the worst of some tries, against two seconds.

    python -m bench.cancel [--items 20000] [--times 3] [--phases plan,parse]

On the server of DATABASE_URL, in a database of its own that is dropped afterwards, else a fresh SQLite file. A run is stopped at
the beginning of a phase, let go, and cancelled at once. Of what is refused the seconds are those until it says so.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from bench import payload
from bench.bars import Row
from tests.sync.hub import POSTGRES, Hub
from tests.upstream import Upstream

WITHIN_S, BODY_S = 2, 5  # the latter while an answer comes in
MEASURE = """
def remote(name, address, adapter):
    list_ = services.create_list(user, name=name)
    services.add_source(list_, adapter=adapter, name=name, by=user, gap_min=0, address=address)
def cancelled(pk):
    begun = time.monotonic()
    try:
        runs.cancel(Run.objects.get(pk=pk), by=user)
    except Refused:
        return time.monotonic() - begun, "refused"
    while Run.objects.filter(pk=pk, finished_at=None).exists():
        time.sleep(0.02)
    return time.monotonic() - begun, Run.objects.get(pk=pk).state
"""
# phase -> where tests/held.py stops it; which part of its films stands with other values; how it ends
HELD = {
    "match": ("matching", 0, "cancelled"),
    "plan, all new": ("folding", 0, "cancelled"),
    "plan, all changed": ("folding", 1, "cancelled"),
    "first fill, between blocks": ("between blocks", 0, "cancelled"),
    "between parts of a large change": ("published", 1, "cancelled"),
    "publishing changed rows": ("publishing", 0.3, "refused"),
    "after the version stands": ("done", 0.3, "refused"),
}


class Phases:
    def __init__(self, hub: Hub, server: Upstream, count: int):
        self.hub, self.server, self.count, self.lists = hub, server, count, 0
        server.answer("/silent", [], hang=600)
        server.answer("/drip", [0] * 10_000, drip=0.2)
        server.answer("/broken", {}, 503)
        server.answer("/films", self._films(0, 0))

    def all(self) -> Iterator[tuple[str, str, float, Callable[[], tuple[float, str]]]]:
        yield "waiting for another try", "cancelled", WITHIN_S, self._waiting
        yield "fetch, no answer", "cancelled", WITHIN_S, partial(self._fetching, "silent")
        yield "fetch, a body that drips", "cancelled", BODY_S, partial(self._fetching, "drip")
        yield "fetch, pause between two tries", "cancelled", WITHIN_S, partial(self._fetching, "broken")
        rows = "films", "scripted_catalogue"
        yield "parse, row by row", "cancelled", WITHIN_S, lambda: self._let_go(self._remote(*rows))
        for name, (place, stands, ending) in HELD.items():
            if not (POSTGRES and "between" in name):
                yield name, ending, WITHIN_S, partial(self._held, place, stands)

    def _name(self) -> str:
        self.lists += 1
        return f"list {self.lists}"

    def _films(self, number: int, revised: float) -> list[dict[str, Any]]:
        """Of a list. revised: which part of them has other values than at first."""
        films = (payload.film(number * self.count + n, int(n < revised * self.count)) for n in range(self.count))
        return [
            {"key": film["ids"]["imdb"], "ids": {"imdb": film["ids"]["imdb"], "tmdb": f"movie/{film['ids']['tmdb']}"},
             **{field: film[field] for field in ("title", "year", "genres", "rating", "votes", "overview")}} for film in films
        ]  # fmt: skip

    def _cancelled(self, run: int) -> tuple[float, str]:
        seconds, ending = self.hub.ask("cancelled(pk)", pk=run)
        assert self.hub.settled(within=300)
        return seconds, ending

    def _waiting(self) -> tuple[float, str]:
        self.hub.source(name := self._name(), {"fail": "It did not answer."})
        failed = self.hub.sync(name)
        retry = "Run.objects.filter(previous=pk, state='waiting').values_list('pk', flat=True).first()"
        while (run := self.hub.ask(retry, pk=failed)) is None:
            time.sleep(0.1)
        return self._cancelled(run)

    def _remote(self, path: str, adapter: str) -> str:
        self.hub.do("remote(*about)", about=(name := self._name(), f"{self.server.url}/{path}", adapter))
        return name

    def _fetching(self, path: str) -> tuple[float, str]:
        name, asked = self._remote(path, "scripted_remote"), len(self.server.seen)
        run = self.hub.sync(name)
        while len(self.server.seen) == asked:
            time.sleep(0.2)
        return self._cancelled(run)

    def _held(self, place: str, stands: float) -> tuple[float, str]:
        self.hub.source(name := self._name(), self._films(number := self.lists, 0))
        if stands:
            self.hub.sync(name)
            assert self.hub.settled(within=300)
            self.hub.source(name, self._films(number, stands))
        return self._let_go(name, place)

    def _let_go(self, name: str, place: str = "claimed") -> tuple[float, str]:
        self.hub.hold(place)
        run = self.hub.sync(name)
        self.hub.held(within=300)
        self.hub.let_go()
        return self._cancelled(run)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--phases", default="")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="listkeeper-bench-") as folder:
        os.environ["LISTKEEPER_DATA"] = folder
        server = Upstream()
        hub = Hub(
            Path(folder), LISTKEEPER_OUTBOUND_ALLOW="127.0.0.1", LISTKEEPER_LARGE_CHANGE=str(args.items // 3),
            LISTKEEPER_SERVICES='{"*": {"timeout_s": 30, "failures": 1000}}', LISTKEEPER_LEASE_SECONDS="60",
            LISTKEEPER_SILENCE_SECONDS="40", LISTKEEPER_DISPATCH_SECONDS="300",
        )  # fmt: skip
        hub.do(MEASURE)
        hub.start()
        print(f"{'PostgreSQL' if POSTGRES else 'SQLite'}, {args.items:,} films, worst of {args.times}: seconds")
        try:
            for name, ending, bar, measure in Phases(hub, server, args.items).all():
                if name.startswith(tuple(args.phases.split(","))):
                    seen = [measure() for _ in range(args.times)]
                    odd = {how for _, how in seen} - {ending}
                    print(Row(f"{name}: {ending}", bar, max(seen)[0]), *odd, flush=True)
        finally:
            hub.end()
            server.end()


if __name__ == "__main__":
    main()
