"""What is asked, and what of the last answer is shown to the service again."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from requests.structures import CaseInsensitiveDict

# Headers that say what we want and who we are; any other was added for this service and goes to no other.
PLAIN = frozenset({"accept", "accept-encoding", "accept-language", "content-type", "user-agent"})
Headers = Mapping[str, str]
_READING = frozenset({"GET", "HEAD"})


def merged(*headers: Headers) -> Headers:
    """Of the same name, whatever its case, the last."""
    found: CaseInsensitiveDict[str] = CaseInsensitiveDict()
    for each in headers:
        found.update(each)
    return found


@dataclass(frozen=True, slots=True)
class Call:
    """ok: statuses that are answers. accept: the family that the body must belong to. repeatable: asked twice it does
    what it does once."""

    method: str
    url: str
    headers: Headers = field(default_factory=dict)
    body: bytes | None = None
    ok: tuple[int, ...] = (200,)
    accept: str = "json"
    repeatable: bool = False

    @property
    def may_be_repeated(self) -> bool:
        return self.repeatable or self.method in _READING


_LONGEST = 200  # signs of a validator that are kept; what is longer is not


@dataclass(slots=True)
class Validators:
    """By which a service sees whether something is new. salt: what the answer means hangs on this, too: under another one
    the stored validators say nothing.

    stored: of what was accepted last, as the columns of a source hold them; new: of what came now, in the same form.
    """

    salt: str = ""
    stored: tuple[str, str] = ("", "")
    new: tuple[str, str] = ("", "")

    def headers(self) -> dict[str, str]:
        etag, modified = map(self._unsalted, self.stored)
        found = {"If-None-Match": etag, "If-Modified-Since": modified}
        return {name: value for name, value in found.items() if value}

    def remember(self, headers: Headers) -> None:
        self.new = (self._salted(headers.get("ETag", "")), self._salted(headers.get("Last-Modified", ""), 60))

    def _salted(self, value: str, most: int = _LONGEST) -> str:
        value = value.strip()
        return f"{self.salt}:{value}" if value and len(value) <= most and re.fullmatch(r"[\x20-\x7e]+", value) else ""

    def _unsalted(self, stored: str) -> str:
        return stored.removeprefix(f"{self.salt}:") if stored.startswith(f"{self.salt}:") else ""
