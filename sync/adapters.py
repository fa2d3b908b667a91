"""What a source is made of, and the registry that finds each one by its place in sync/sources/.

A source knows one address scheme and one answer format. It gets a Context and yields rows (lists/records.py); it never
touches a model, a session or a file path.
"""

import enum
import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

from django import forms

from lists.records import Row
from sync import text
from sync.errors import SyncError
from sync.text import Sniff


class Reach(enum.StrEnum):
    """What an adapter can know about completeness (design: the outcome of a fetch is derived from it)."""

    COMPLETE = "complete"  # the whole list is in the answer
    WINDOW = "window"  # only a part of the list is ever shown


@dataclass
class Context:
    """What an adapter reads from. body: the bytes of an uploaded file; config: the cleaned answers of its Config form."""

    body: bytes = b""
    config: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def decoded(self) -> tuple[str, str]:
        """(text, name of the encoding): a byte order mark, else strict UTF-8, else what the user named, else a guess."""
        return text.decode(self.body, named=self.config.get("encoding") or "")

    @property
    def text(self) -> str:
        return self.decoded[0]


class Adapter:
    """One kind of source.

    version: raised when the mapping changes, so that stored digests do not hide the change.
    content: what the list holds, a member of MediaList.Content ("films", "tracks").
    """

    key: ClassVar[str]
    label: ClassVar[str]
    help: ClassVar[str] = ""
    kinds: ClassVar[frozenset[str]]
    content: ClassVar[str] = "films"
    version: ClassVar[int] = 1
    reach: ClassVar[Reach] = Reach.COMPLETE
    is_file: ClassVar[bool] = False

    class Config(forms.Form):
        """What the source asks for; empty by default."""

    def fetch(self, ctx: Context) -> Iterator[Row]:
        """Every row of the source in its own order.

        Raises BadPayload if the whole cannot be read or holds no media (the message says why); a single bad row is
        yielded as Unreadable instead.
        """
        raise NotImplementedError  # an abstract method: every adapter writes its own


class FileAdapter(Adapter):
    """A format that people upload."""

    is_file = True

    class Config(forms.Form):
        encoding = forms.CharField(required=False, help_text="only if the text looks wrong; for example cp1251")

    @classmethod
    def recognises(cls, sniff: Sniff) -> float:
        """How sure we are that the file is of this format: 0 (not at all) to 1 (its own mark is there)."""
        raise NotImplementedError  # as above

    def columns(self, ctx: Context) -> list[dict[str, Any]]:
        """What each column became, for the preview: [{"name", "field": str | None, "example"}]. Empty if it has none.

        Raises BadPayload, as fetch does, if the whole cannot be read.
        """
        return []


ADAPTERS: dict[str, type[Adapter]] = {}


def register(cls: type[Adapter]) -> type[Adapter]:
    if cls.key in ADAPTERS:
        raise ValueError(f"two adapters call themselves {cls.key!r}")
    ADAPTERS[cls.key] = cls
    return cls


def load_adapters() -> None:
    """Import every module of sync/sources/, which registers itself. Called once, when Django is ready."""
    package = importlib.import_module("sync.sources")
    for module in sorted(m.name for m in pkgutil.iter_modules(package.__path__)):
        importlib.import_module(f"{package.__name__}.{module}")


def adapter_named(key: str) -> Adapter:
    try:
        return ADAPTERS[key]()
    except KeyError:
        raise SyncError(f"This version of Listkeeper has no source type {key!r}.") from None


def is_fetched(source: Any) -> bool:
    """Whether we read a source (lists.models.Source) ourselves; no: somebody uploads a file, or it is the list's own."""
    adapter = ADAPTERS.get(source.adapter)
    return adapter is not None and not adapter.is_file


def recognise(body: bytes, encoding: str = "") -> list[type[FileAdapter]]:
    """The file formats that fit this content, best first; empty if none does. Raises BadPayload for what is no text."""
    sniff = text.sniff(body, encoding)
    scored = [
        (cls.recognises(sniff), cls.key, cls)
        for cls in ADAPTERS.values()
        if cls.is_file and issubclass(cls, FileAdapter)
    ]
    return [cls for score, _, cls in sorted(scored, key=lambda row: (-row[0], row[1])) if score > 0]
