"""Charts and trends: each good window takes the place of the last one, with nobody asked.

What is good is known by length alone: a window is neither empty nor shorter than half of what it usually is.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from lists.models import Source
from sync.adapters import Adapter, Reach


def mode_of(source: Source | None, adapter: Adapter) -> str:
    """How its answers are taken. What only ever shows a part of itself is never the whole list."""
    mode = source.mode if source else adapter.mode
    return adapter.mode if mode == Source.Mode.COMPLETE and adapter.reach is Reach.WINDOW else mode


@dataclass(frozen=True, slots=True)
class Window:
    """came: how many rows it has. usual: how many they usually are, 0 while nobody knows. asked: by what it was asked for;
    under other settings another length is usual."""

    came: int
    usual: int
    asked: str

    @classmethod
    def of(cls, source: Source, came: int, salt: str) -> "Window":
        asked = hashlib.blake2b(salt.encode(), digest_size=8).hexdigest()
        kept = source.accepted.get("window") or {}
        return cls(came, kept.get("usual", 0) if kept.get("asked") == asked else 0, asked)

    @property
    def is_good(self) -> bool:
        return self.came > 0 and 2 * self.came >= self.usual

    @property
    def kept(self) -> dict[str, Any]:
        """What is remembered of it. A length that stays becomes the usual one in some windows; an empty one says nothing."""
        pulled = self.usual - (self.usual - self.came + 3) // 4 if self.came else self.usual
        return {"usual": max(self.came, pulled), "asked": self.asked}

    def __str__(self) -> str:
        """What is wrong with it."""
        if not self.came:
            return "It came empty, so it was not taken for a new state. Nothing was removed."
        return (
            f"It came with {self.came:,} rows where it usually has {self.usual:,}, so it did not take the place of the last "
            "one. What was new in it was taken. Nothing was removed."
        )
