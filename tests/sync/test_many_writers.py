"""Twenty people write by hand while four lists are synced without a pause: nobody is turned away, nothing is lost."""

import os
import sys
import threading
import time
import urllib.error
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.processes import strain, wait_for
from tests.sync.hub import Hub, films

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only on Linux: reads /proc")
SECONDS = 60 if os.environ.get("LISTKEEPER_LONG_TESTS") else 2
LISTS, WRITERS, FILMS, LEAST = 4, 20, 100, 2
NAMES = [f"list {n}" for n in range(LISTS)]
# Of five entries of each list: (list, entry).
CHOSEN = f"""
answer = [
    pair for name in names
    for pair in Entry.objects.filter(list__name=name).order_by("rank").values_list("list", "id")[:{WRITERS // LISTS}]
]
"""
LOST = """
answer = []
for pk, told in said:
    entry = Entry.objects.get(pk=pk)
    versions = set(Entry.history.filter(id=pk).values_list("overview", flat=True))
    answer += [text for text in told if text not in versions]
    answer += [text for text in told[-1:] if (entry.overview, entry.edits.get(field="overview").value) != (text, text)]
"""
BAD_ENDS = 'list(Run.objects.exclude(state="completed", error="").values_list("id", "state", "error"))'
BAD_TASKS = "[str(task.result) for task in __import__('django_q.models').models.Failure.objects.all()]"


@dataclass
class Writer:
    """Somebody who says something else of one entry, again and again; said: what was acknowledged, in order."""

    hub: Hub
    list_: int
    entry: int
    said: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def write(self, until: threading.Event) -> None:
        while not until.is_set() and not self.refused:
            text = f"{self.entry} by hand, number {len(self.said)}"
            try:
                self.hub.api(
                    f"lists/{self.list_}/entries/{self.entry}/", {"values": {"overview": text}}, method="PATCH"
                )
                self.said.append(text)
            except urllib.error.HTTPError as e:
                self.refused.append(f"{e.code}: {e.read().decode()[:300]}")
            except OSError as e:
                self.refused.append(repr(e))


def told(place: int, turn: int) -> list[dict]:
    return films(FILMS, first=place * 1000, overview=f"As told in turn {turn}", rating=turn % 10)


@pytest.fixture
def hub(tmp_path) -> Iterator[Hub]:
    # What is looked for are locks, so nobody loses a lease because the machine is busy.
    hub = Hub(tmp_path, LISTKEEPER_WORKERS=str(LISTS), LISTKEEPER_LEASE_SECONDS="60", LISTKEEPER_SILENCE_SECONDS="60")
    hub.start()
    for place, name in enumerate(NAMES):
        hub.source(name, told(place, 0))
        hub.sync(name)
    assert hub.settled()
    yield hub
    hub.end()


def sync_on(hub: Hub, turns: list[int]) -> None:
    """Have each list that is idle say something new."""
    busy = hub.ask("list(Run.objects.active().values_list('list__name', flat=True))")
    for place, name in enumerate(NAMES):
        if name not in busy:
            turns[place] += 1
            hub.source(name, told(place, turns[place]))
            assert hub.sync(name)


@pytest.mark.covers("OPS-01", "SAFE-04")
def test_twenty_writers_beside_four_syncs_are_never_refused_and_lose_nothing(hub):
    turns, ended = [0] * LISTS, threading.Event()
    with hub.web(threads=WRITERS // 2):  # so that all of them are at the database at once
        writers = [Writer(hub, *pair) for pair in hub.do(CHOSEN, names=NAMES)]
        threads = [threading.Thread(target=writer.write, args=[ended]) for writer in writers]
        for thread in threads:
            thread.start()
        begun = time.monotonic()

        def enough() -> bool:
            sync_on(hub, turns)
            least = min(min(turns), *(len(writer.said) for writer in writers))
            refused = any(writer.refused for writer in writers)
            return refused or (least >= LEAST and time.monotonic() - begun > SECONDS)

        try:
            wait_for(enough, within=SECONDS + 120)
        finally:
            ended.set()
            for thread in threads:
                thread.join()
    assert hub.settled(within=120)
    assert [writer.refused for writer in writers if writer.refused] == []
    assert min(len(writer.said) for writer in writers) >= LEAST
    assert min(turns) >= LEAST
    assert hub.do(LOST, said=[(writer.entry, writer.said) for writer in writers]) == []
    assert hub.ask(BAD_ENDS) == []
    assert hub.ask(BAD_TASKS) == []
    by_hand = {writer.entry for writer in writers}
    for name, turn in zip(NAMES, turns, strict=True):
        rest = "set(Entry.objects.filter(list__name=name).exclude(pk__in=pks).values_list('overview', flat=True))"
        assert hub.ask(rest, name=name, pks=sorted(by_hand)) == f"{{'As told in turn {turn}'}}"
    output = hub.worker.output + (hub.folder / "web-output").read_text()
    assert "locked" not in output, output
    assert "Traceback" not in output, output
    hub.worker.manage("verify_integrity")
    edits = sum(len(writer.said) for writer in writers)
    print(
        f"{edits} edits by {WRITERS} beside {sum(turns)} syncs in {time.monotonic() - begun:.1f} s, load {strain():.1f}"
    )
