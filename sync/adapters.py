"""What a source is made of, and the registry that finds each one by its place in sync/sources/.

A source knows one address scheme and one answer format. It gets a Context and yields rows (lists/records.py); it never
touches a model, a session or a file path.
"""

import enum
import hashlib
import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from importlib import metadata
from typing import Any, BinaryIO, ClassVar

from django import forms

from lists.credentials import Lifter
from lists.records import Raw, Row
from sync import archives, text
from sync.edges import alone
from sync.errors import AccessRefused, BadPayload, NotModified, SourceRefused, SourceUnavailable, SyncError, Untouched
from sync.http import API, Door, Limits, Meter
from sync.text import Sniff

ENTRY_POINTS = "listkeeper.sources"  # docs/write-a-source.md


class Reach(enum.StrEnum):
    """What an adapter can know about completeness (design: the outcome of a fetch is derived from it)."""

    COMPLETE = "complete"  # the whole list is in the answer
    WINDOW = "window"  # only a part of it is ever shown: how that is taken, its mode says


@dataclass
class Context:
    """What an adapter reads from.

    body: the bytes of an uploaded file; config: the cleaned answers of its Config form. logins: takes the logins out of
    addresses; the pipeline does that with every record, an adapter need not think of it. meter: what the source costs.
    address: where a source that is fetched is read; it may hold a login. http: what asks its service (sync/http/door.py).
    secrets: name -> value, of the source's account.
    """

    body: bytes = b""
    config: dict[str, Any] = field(default_factory=dict)
    logins: Lifter = field(default_factory=Lifter)
    meter: Meter = field(default_factory=Meter)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    http: Door = field(default_factory=Door)
    expected: int | None = None
    stated_before: bool = False  # whether the source has said how much there is, asked for the same
    salt: str = ""  # what an answer means hangs on this, too
    accepted: bytes = b""  # digest of the answer that was accepted last, or of its stamp
    digest: bytes = b""  # of the answer at hand
    stamp: bytes = b""  # digest of what its service says beside it
    has_brought: bool = False  # whether something stands on the list by this source
    address: str = ""
    cut_off: SourceUnavailable | None = None  # why the answer broke off after some of it had come
    window: dict[str, Any] = field(default_factory=dict)  # what is remembered of a chart (sync/windows.py)
    _is_unstated: bool = False

    def secret(self, name: str) -> str:
        """Of the source's account. Raises AccessRefused if there is none."""
        if not self.secrets.get(name):
            raise AccessRefused(
                "This source needs an account. Nothing was read. Choose or connect one in its settings."
            )
        return self.secrets[name]

    def expect(self, total: int | None) -> None:
        """The source states how many things it lists. Where fewer come, the answer is partial and nothing leaves for it.
        None: of a part of them it does not say so, so nobody knows of the whole."""
        self._is_unstated |= total is None
        self.expected = None if self._is_unstated else total

    @property
    def is_silent(self) -> bool:
        """Whether the source has said how much there is, and does not this time: what came may be a part."""
        return self.stated_before and self.expected is None

    def compare(self, answer: bytes | BinaryIO) -> None:
        """An adapter that has the whole answer in hand, or in a file, shows it here before it reads it. Raises NotModified
        if it is the one that was accepted last."""
        digest = hashlib.sha256(self.salt.encode())
        for part in [answer] if isinstance(answer, bytes) else iter(partial(answer.read, 2**20), b""):
            digest.update(part)
        self.digest = digest.digest()
        if self.digest == self.accepted:
            raise NotModified

    def compare_stamp(self, stamp: bytes) -> None:
        """An adapter whose service says beside the list when that last changed shows it here before it asks for the list.
        Raises Untouched if it has not since. It speaks for an answer that left nothing open, and is no second look."""
        self.stamp = hashlib.sha256(f"stamp {self.salt}".encode() + stamp).digest()
        if self.stamp == self.accepted:
            raise Untouched

    @cached_property
    def payload(self) -> bytes:
        """The list's own bytes: of an archive the part that config names, of a gzip file what it holds. Raises BadPayload."""
        return archives.unpack(self.body, self.config.get("part") or "")

    @cached_property
    def decoded(self) -> tuple[str, str]:
        """(text, name of the encoding): a byte order mark, else strict UTF-8, else what the user named, else a guess."""
        return text.decode(self.payload, named=self.config.get("encoding") or "")

    @property
    def text(self) -> str:
        return self.decoded[0]


class Adapter:
    """One kind of source.

    version: raised when the mapping changes, so that stored digests do not hide the change.
    content: what the list holds, a member of MediaList.Content ("films", "tracks", "channels").
    origin: how such a source counts where we say what brought an item, a member of Provenance.Origin ("list", "rss").
    streams: whether its addresses are those of streams, whose path may be a login.
    service: what it asks, by its name in sync/http/services.py; empty or with ":" at its end ("rss:"): by the host.
    account: the kind of account that it is read with (sync/accounts/); empty: the one that is called like its service.
    limits: how large an answer may be, and how slow.
    mode: how its answers are taken, a member of Source.Mode; people may choose another one for their source.
    interval_min: minutes between two fetches, likewise.
    asks_address: whether people say where it is read; else it knows that, or its account does.
    formats: of one that reads any address: the file formats that may lie there, with what people call them.
    attribution: what its service wants to be said beside what comes from it.
    """

    key: ClassVar[str]
    label: ClassVar[str]
    help: ClassVar[str] = ""
    kinds: ClassVar[frozenset[str]]
    content: ClassVar[str] = "films"
    version: ClassVar[int] = 1
    reach: ClassVar[Reach] = Reach.COMPLETE
    origin: ClassVar[str] = "list"
    streams: ClassVar[bool] = False
    is_file: ClassVar[bool] = False
    service: ClassVar[str] = ""
    account: ClassVar[str] = ""
    limits: ClassVar[Limits] = API
    mode: ClassVar[str] = "complete"
    interval_min: ClassVar[int] = 360
    asks_address: ClassVar[bool] = False
    formats: ClassVar[Mapping[str, str]] = {}
    attribution: ClassVar[str] = ""

    class Config(forms.Form):
        """What the source asks for; empty by default."""

    @classmethod
    def recognises_address(cls, url: str) -> dict[str, Any] | None:
        """The answers to its Config that an address of the web gives; None if it is none of its own.

        Raises SourceRefused, with a way out, for one that is known and that nobody can read.
        """
        return None

    def fetch(self, ctx: Context) -> Iterator[Row | Raw]:
        """Every row of the source in its own order; Raw where its bytes are cheaper to come by than what they say.

        Raises BadPayload if the whole cannot be read or holds no media (the message says why); a single bad row is
        yielded as Unreadable instead. Raises NotModified if the source says that nothing is new.
        """
        raise NotImplementedError  # an abstract method: every adapter writes its own


class FileAdapter(Adapter):
    """A format that people upload."""

    is_file = True

    class Config(forms.Form):
        part = forms.CharField(required=False, help_text="of an archive: the file in it that is read")
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
    """Import every module of sync/sources/, which registers itself, and what other packages offer by entry point.
    Called once, when Django is ready."""
    package = importlib.import_module("sync.sources")
    for module in sorted(m.name for m in pkgutil.iter_modules(package.__path__)):
        importlib.import_module(f"{package.__name__}.{module}")
    for found in metadata.entry_points(group=ENTRY_POINTS):
        load_offered(found)


def load_offered(found: metadata.EntryPoint) -> None:
    """A source of another package: a module that registers itself, or an Adapter class. One that breaks is left out and
    said so in the log: it must not keep Listkeeper from starting."""
    with alone("the source %s of another package cannot be loaded; it is left out", found.name, but=()):
        offered = found.load()
        if isinstance(offered, type) and issubclass(offered, Adapter) and ADAPTERS.get(offered.key) is not offered:
            register(offered)


def adapter_named(key: str) -> Adapter:
    try:
        return ADAPTERS[key]()
    except KeyError:
        raise SyncError(f"This version of Listkeeper has no source type {key!r}.") from None


def checked(adapter: type[Adapter], config: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """(answers as its form takes them, what is wrong with them): those that were given, and no others."""
    form = adapter.Config(config)
    unknown = sorted(name[:40] for name in config.keys() - form.fields.keys())
    if unknown:
        return {}, [f"This kind of source does not ask for {', '.join(unknown)}."]
    wrong = [f"{name}: {text}" for name, texts in form.errors.items() for text in texts]
    return {} if wrong else {name: form.cleaned_data[name] for name in config}, wrong


def fetched_adapters() -> list[str]:
    """Keys of the kinds of sources that we read ourselves."""
    return sorted(key for key, adapter in ADAPTERS.items() if not adapter.is_file)


def recognise_address(url: str) -> list[tuple[type[Adapter], dict[str, Any]]]:
    """The kinds of sources that read what lies at an address, with their answers. Those that read any address are offered
    only where none knows it as its service's. Raises SourceRefused, with a way out, for a page that cannot be read."""
    url = url.strip()
    url = url if "://" in url else f"https://{url}"
    own: list[tuple[type[Adapter], dict[str, Any]]] = []
    others: list[tuple[type[Adapter], dict[str, Any]]] = []
    refusal = None
    for adapter in map(ADAPTERS.__getitem__, fetched_adapters()):
        try:
            answers = adapter.recognises_address(url)
        except SourceRefused as e:
            refusal = e
            continue
        if answers is not None:
            (others if adapter.service.endswith(":") else own).append((adapter, answers))
    if refusal is not None and not own:
        raise refusal
    return own or others


def is_fetched(source: Any) -> bool:
    """Whether we read a source (lists.models.Source) ourselves; no: somebody uploads a file, or it is the list's own."""
    return source.adapter in fetched_adapters()


def fitting(body: bytes, key: str = "", *, encoding: str = "", part: str = "") -> FileAdapter:
    """The format of a file: the one that the user names, else the one that fits best. Raises BadPayload if none does."""
    if not key:
        found = recognise(body, encoding, part)
        if not found:
            kind = text.looks_like(text.sniff(archives.unpack(body, part), encoding).head)
            raise BadPayload(
                f"{f'This looks like {kind}, which we cannot read' if kind else 'We do not recognise this file'}. Nothing "
                "was read. It can be a table (CSV), a JSON list, a feed, a playlist, a tracklist, a CUE sheet or a saved page."
            )
        return found[0]()
    adapter = adapter_named(key)
    if not isinstance(adapter, FileAdapter):
        raise BadPayload(f"{adapter.label} is not a file format. Nothing was read.")
    return adapter


def recognise(body: bytes, encoding: str = "", part: str = "") -> list[type[FileAdapter]]:
    """The file formats that fit this content, best first; empty if none does. Raises BadPayload for what is no text."""
    return [cls for _, cls in _scored(archives.unpack(body, part), encoding)]


def _scored(content: bytes, encoding: str) -> list[tuple[float, type[FileAdapter]]]:
    sniff = text.sniff(content, encoding)
    scored = [
        (_score(cls, sniff), cls.key, cls) for cls in ADAPTERS.values() if cls.is_file and issubclass(cls, FileAdapter)
    ]
    return [(score, cls) for score, _, cls in sorted(scored, key=lambda row: (-row[0], row[1])) if score > 0]


def _score(cls: type[FileAdapter], sniff: Sniff) -> float:
    """One that breaks knows nothing of the file: it must not keep the others from knowing it."""
    with alone("the format %s broke when it looked at a file", cls.key, but=()):
        return cls.recognises(sniff)
    return 0


@dataclass(frozen=True, slots=True)
class Offer:
    """A part of an archive that is a list. score: as recognises() gives it."""

    part: str
    adapter: type[FileAdapter]
    score: float


def lists_in(body: bytes, encoding: str = "") -> list[Offer]:
    """The parts of an archive that are lists, the surest first; empty for what is no archive. Raises BadPayload for an
    archive that cannot be read at all; a part that cannot be is passed over."""
    offers = []
    for part, content in archives.contents(body):
        try:
            scored = _scored(content, encoding)
        except BadPayload:
            continue
        if scored:
            offers.append(Offer(part.name, scored[0][1], scored[0][0]))
    # A watchlist is what people mean when they hand in the whole of an account.
    return sorted(offers, key=lambda offer: (-offer.score, "watchlist" not in offer.part, offer.part))


def file_formats() -> list[tuple[str, str]]:
    """(key, label) of every format that can be uploaded."""
    return sorted(((key, cls.label) for key, cls in ADAPTERS.items() if cls.is_file), key=lambda pair: pair[1])
