"""What sources that are fetched share: addresses of the web as people paste them, and answers that hold lists."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from sync.errors import BadAnswer
from sync.http import Answer
from sync.sources._cells import text
from sync.sources._json import as_object, excerpt

_FAMILIES = {"xml": {"rss", "atom", "feed", "xml", "rdf"}, "json": {"json"}, "csv": {"csv", "tsv"}}
MOST = 10_000  # things of a chart that somebody may want


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a site: the parts of its path, and what stands behind the question mark."""

    path: tuple[str, ...]
    query: dict[str, str]

    @classmethod
    def at(cls, url: str, *hosts: str) -> "Page | None":
        """None for a page of another site."""
        try:
            parts = urlsplit(url)
            host = (parts.hostname or "").removeprefix("www.").removeprefix("m.")
        except ValueError:
            return None
        if parts.scheme not in ("http", "https") or host not in hosts:
            return None
        return cls(tuple(part for part in parts.path.split("/") if part), dict(parse_qsl(parts.query)))

    def part(self, number: int) -> str:
        return self.path[number] if number < len(self.path) else ""

    def number(self, number: int) -> int | None:
        """31 of a part "31-tom-hanks"."""
        return whole(self.part(number).partition("-")[0])


def may_hold(url: str, family: str) -> bool:
    """Whether something of a family ("xml", "json", "csv") may lie at an address: its words tell, or say nothing at all."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    words = set(re.split(r"[\W_]+", f"{parts.path} {parts.query}".lower()))
    told = {name for name, known in _FAMILIES.items() if words & known}
    return parts.scheme in ("http", "https") and bool(parts.hostname) and (family in told or not told)


def whole(stated: Any) -> int | None:
    """A number that a service states of its answer; None for anything else."""
    return int(text(stated)) if text(stated).isascii() and text(stated).isdigit() and len(text(stated)) < 16 else None


def listed(answer: Answer, *keys: str) -> list[Any]:
    """The list that an answer holds under these keys. Raises BadAnswer."""
    value = answer.json()
    for key in keys:
        value = as_object(value).get(key)
    if not isinstance(value, list):
        raise no_list(answer)
    return value


def no_list(answer: Answer) -> BadAnswer:
    """What is well formed and not what was asked for: never to be taken for an empty list."""
    return BadAnswer(f"The answer of {answer.service} holds no list. Nothing of it was read, and nothing was removed.")


def goes_on(items: int, *, limit: int, came: int = 0, total: int | None = None) -> bool:
    """Whether a service that does not say which page is its last may have one more. items: things on this one, of which there
    may be `limit`. came: on all so far; total: how many it says that there are."""
    return items > 0 and (items >= limit if total is None else came < total)


def marks(items: Iterable[Any], key_of: Callable[[Any], str | None]) -> list[str]:
    """By which the things on a page are known again on the next one."""
    return [key_of(item) or excerpt(item) for item in items]
