"""What the tests of unsure changes share: a tracklist with a source that is fetched."""

import pytest

from lists import services
from lists.models import Conflict, Entry, MediaList, Proposal


def play(n: int, **more) -> dict:
    return {
        "key": str(n), "kind": "track", "artist": f"Artist {n}", "title": f"Track {n}", "cue_ms": n * 180_000, **more,
    }  # fmt: skip


def plays(*numbers: int) -> list[dict]:
    return [play(n) for n in numbers]


@pytest.fixture
def night(ines) -> MediaList:
    return services.create_list(ines, name="Harbour night", content="tracks")


@pytest.fixture
def radio(live, night):
    """A source of the night, which said twelve plays."""
    source = live(night, name="radio")
    source.sync(plays(*range(1, 13)))
    return source


def waiting(**which) -> list[Conflict]:
    return list(Conflict.objects.filter(state__in=["open", "skipped"], **which).order_by("id"))


def unsure() -> Proposal:
    return Proposal.objects.get(kind="unsure", state="open")


def shown(list_: MediaList) -> list[str]:
    return list(Entry.objects.filter(list=list_).listed().order_by("rank", "id").values_list("title", flat=True))


def one_change(list_: MediaList, live) -> tuple[Proposal, Conflict]:
    """A film that a further source of a list of films would add, and that waits."""
    source = live(list_, name="unsure")
    rows = [{"key": f"u{n}", "title": f"Unsure {n}", "year": 1970, "ids": {"imdb": f"tt09{n:05}"}} for n in (1, 2)]
    source.sync(rows[:1])
    services.change_rules(list_, by=list_.owner, review_unsure=True, accept_confidence=0.95)
    source.sync(rows)
    services.change_rules(list_, by=list_.owner, review_unsure=None, accept_confidence=None)
    return unsure(), Conflict.objects.get(source=source)
