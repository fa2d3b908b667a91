"""Places at which a test holds a sync of another process: it stops there until the test lets it go, or kills it.

In the folder HELD_IN: `hold` names the place; `held` appears when it is reached, with the process id; `at-work-PID` is there
while that process syncs, also after its run has ended: it still has to tidy up.
"""

import functools
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lists import changes, filling, match, writer
from sync import pipeline, runs


def hold(place: str) -> None:
    folder = os.environ.get("HELD_IN", "")
    wanted = Path(folder) / "hold"
    try:
        if not folder or wanted.read_text() != place:
            return
        wanted.unlink()  # once
    except FileNotFoundError:
        return
    at = Path(folder) / "held"
    at.write_text(str(os.getpid()))
    while at.exists():
        time.sleep(0.02)


def holding(owner: Any, name: str, place: str, *, after: bool = False) -> None:
    plain: Callable[..., Any] = getattr(owner, name)

    def held(*args: Any, **kwargs: Any) -> Any:
        if not after:
            hold(place)
        answer = plain(*args, **kwargs)
        if after:
            hold(place)
        return answer

    setattr(owner, name, held)


def marking(plain: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(plain)
    def marked(*args: Any, **kwargs: Any) -> Any:
        mark = Path(os.environ["HELD_IN"]) / f"at-work-{os.getpid()}"
        mark.touch()
        try:
            return plain(*args, **kwargs)
        finally:
            mark.unlink()

    return marked if os.environ.get("HELD_IN") else plain


def install() -> None:
    pipeline.sync = marking(pipeline.sync)
    holding(pipeline, "sync", "claimed")
    holding(pipeline, "read", "read", after=True)
    holding(match, "insert_items", "matching", after=True)  # inside of a transaction
    holding(changes.Planner, "_fold", "folding")
    holding(writer.Publication, "run", "written")  # as a step of the run, before the transaction
    holding(filling.search, "index_owed", "between blocks")  # of a first fill; else once the version stands
    holding(writer.Publication, "_write_claims", "publishing")  # inside of the publishing transaction
    holding(writer.Publication, "run", "published", after=True)
    holding(runs, "_after", "done")  # committed, and nobody was told yet
