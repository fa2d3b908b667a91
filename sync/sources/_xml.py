"""XML files, read as a stream: no tree of the whole, no entity of the file's own, nothing fetched from elsewhere.

The limits are far above what feeds and guides hold; they are there for files that were made to do harm.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.entities import entitydefs
from itertools import chain

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, ParseError
from django.conf import settings

from sync.adapters import Context
from sync.errors import BadPayload
from sync.text import HEAD, decode, looks_like

MAX_NAMES = 10_000  # different ones of elements and attributes: the parser remembers each for ever
MAX_TAG = 2**20  # bytes of one tag or comment: the parser starts again at its beginning with every piece
MAX_ELEMENT = 8 * 2**20  # letters of one collected element with all that is in it, as _csv.MAX_CELL
_WEIGHT = 200  # what an element counts besides its text, ...
_PART = 50  # ... and each part of a text that comments part
_PIECE = 2**16

_DECLARATION = re.compile(r"\s*<\?xml\s[^>]*?\?>")
_DECLARED = re.compile(rb"^\s*<\?xml\s[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
_PROLOGUE = re.compile(r"\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>", re.DOTALL | re.IGNORECASE)
_ROOT = re.compile(r"<([^\s<>/!?&\"'=]+)([^>]*)>")

_BROKEN_OFF = (3, 5, 6, 20)  # as pyexpat numbers them: no element, an open token, half a letter, an open CDATA section
_REASONS = {
    4: "there is a sign here that XML does not allow",
    7: "a tag is closed here that is not the open one",
    8: "an attribute stands twice in a tag",
    9: "something follows the end",
    11: "an entity is used that nobody defines",
    27: "a prefix is used that nobody declares",
}


@dataclass(slots=True)
class Element:
    """namespace: "" for none. line: where it begins, 1-based. content: its text and elements, in their order."""

    namespace: str
    name: str
    attributes: dict[str, str]
    line: int
    content: "list[str | Element]" = field(default_factory=list)

    @property
    def elements(self) -> "Iterator[Element]":
        return (part for part in self.content if isinstance(part, Element))

    @property
    def text(self) -> str:
        """All text in it; what stands in elements of its own is parted by blanks."""
        return "".join(part if isinstance(part, str) else f" {part.text} " for part in self.content).strip()


def root_tag(head: str) -> tuple[str, str]:
    """(name without prefix, attributes as they are written) of the first tag; ("", "") for what is no XML."""
    at = 0
    while found := _PROLOGUE.match(head, at):
        at = found.end()
    found = _ROOT.match(head, at)
    return (found[1].rpartition(":")[2], found[2]) if found else ("", "")


def read_xml(
    ctx: Context, wanted: str, *, opened: frozenset[str] = frozenset(), passed: frozenset[str] = frozenset()
) -> Iterator[Element]:
    """The root, bare, then each element in it, whole, as soon as it ends.

    opened: elements that are given as the root is, bare at their beginning, what is in them one by one. passed: elements
    of which only name and attributes are wanted. wanted: what the user is told that this should have been ("a feed").

    Raises BadPayload with the line, after the elements before it.
    """
    document = _decoded(ctx)
    root, _ = root_tag(document[:HEAD])
    if not document[:HEAD].lstrip().startswith("<") or root.lower() == "html":
        other = looks_like(document[:HEAD]) or "another kind of text"
        raise BadPayload(f"This is {other}, not {wanted}. Nothing was read.")
    collector = _Collector(opened, passed)
    parser = _Parser(collector)
    for piece in chain(_pieces(document), [None]):
        refusal = _advance(parser, piece)
        yield from collector.taken()
        if refusal:
            raise refusal


def _decoded(ctx: Context) -> str:
    """The text. For bytes that are no UTF-8: what the user says goes before what the file declares."""
    declared = _DECLARED.match(ctx.payload[:500])
    if declared and not ctx.config.get("encoding"):
        ctx.decoded = decode(ctx.payload, declared[1].decode())  # the preview says how the file was read
    return ctx.text


def _pieces(document: str) -> Iterator[bytes]:
    """The declaration has served, and is an error behind the empty line that many servers put before it."""
    start = _DECLARATION.match(document)
    if start:
        yield b"\n" * start[0].count("\n")
    for at in range(start.end() if start else 0, len(document), _PIECE):
        yield document[at : at + _PIECE].encode("utf-8", "replace")


class _Parser(DefusedXMLParser):
    def __init__(self, target: "_Collector"):
        super().__init__(target=target, encoding="utf-8", forbid_dtd=True)
        target.parser = self
        self.fed = 0
        self.entity.update(entitydefs)  # &eacute; and the like, where a type is named that may define them

    @property
    def line(self) -> int:
        return int(self.parser.CurrentLineNumber)

    def defused_start_doctype_decl(self, name, sysid, pubid, has_internal_subset):  # type: ignore[no-untyped-def]
        """That a file names its type is passed over, as many guides do; the type is never fetched."""
        if has_internal_subset:
            super().defused_start_doctype_decl(name, sysid, pubid, has_internal_subset)


def _advance(parser: _Parser, piece: bytes | None) -> BadPayload | None:
    """Read one more piece; None is the end. Returns why nothing more can be read."""
    try:
        if piece is None:
            parser.close()
            return None
        parser.feed(piece)
        parser.fed += len(piece)
        if parser.fed - max(parser.parser.CurrentByteIndex, 0) > MAX_TAG:
            raise _too_large("A tag or comment", f"{MAX_TAG // 2**20} MiB", parser.line)
    except ParseError as e:
        return _not_well_formed(e)
    except DefusedXmlException:
        reason = "The file brings definitions of its own (a DTD), which could do harm. Nothing was read."
        return BadPayload(f"{reason} Take out its DOCTYPE and upload it again.", line=parser.line)
    except BadPayload as e:
        return e
    return None


def _not_well_formed(error: ParseError) -> BadPayload:
    line = max(error.position[0], 1)
    if error.code in _BROKEN_OFF:
        return BadPayload("The file breaks off here. Nothing was read. Download it again.", line=line)
    reason = _REASONS.get(error.code, str(error).partition(":")[0])
    return BadPayload(f"This is not well-formed XML: {reason}. Nothing was read. Download it again.", line=line)


def _too_large(what: str, limit: str, line: int) -> BadPayload:
    return BadPayload(f"{what} of the file is larger than {limit}. Nothing was read.", line=line)


class _Collector:
    """What the parser tells what it meets. open: the element that is being collected, and those open in it."""

    parser: _Parser

    def __init__(self, opened: frozenset[str], passed: frozenset[str]):
        self._opened, self._passed = opened, passed
        self._done: list[Element] = []
        self._open: list[Element] = []
        self._depth = 0
        self._level = 0  # depth of the innermost opened element; below it, elements are collected
        self._shut = 0  # depth of the element that is passed, 0 outside of one
        self._size = 0
        self._names: set[str] = set()

    def taken(self) -> list[Element]:
        done, self._done = self._done, []
        return done

    def start_ns(self, prefix: str, uri: str) -> None:
        self._remember(prefix, uri)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > settings.NESTING:
            reason = f"Elements stand in each other more than {settings.NESTING} deep."
            raise BadPayload(f"{reason} Nothing was read.", line=self.parser.line)
        self._remember(tag, *attributes)
        if self._shut:
            return
        namespace, _, name = tag.rpartition("}")
        element = Element(namespace[1:], name, attributes, self.parser.line)
        if self._open:
            self._open[-1].content.append(element)
            self._collect(element)
        elif self._depth == 1 or name in self._opened:
            self._level = self._depth
            self._done.append(element)
        elif name in self._passed:
            self._shut = self._depth
            self._done.append(element)
        else:
            self._size = 0
            self._collect(element)

    def data(self, text: str) -> None:
        if self._open:
            self._open[-1].content.append(text)
            self._weigh(_PART + len(text))

    def end(self, tag: str) -> None:
        if self._open:
            element = self._open.pop()
            if not self._open:
                self._done.append(element)
        elif self._shut == self._depth:
            self._shut = 0
        elif self._level == self._depth:
            self._level -= 1
        self._depth -= 1

    def _collect(self, element: Element) -> None:
        self._open.append(element)
        self._weigh(_WEIGHT + sum(map(len, element.attributes.values())))

    def _weigh(self, more: int) -> None:
        self._size += more
        if self._size > MAX_ELEMENT:
            raise _too_large("An entry", f"{MAX_ELEMENT // 2**20} MiB", self._open[0].line)

    def _remember(self, *names: str) -> None:
        self._names.update(names)
        if len(self._names) > MAX_NAMES:
            raise _too_large("The number of different names", f"{MAX_NAMES:,}", self.parser.line)
