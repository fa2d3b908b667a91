"""Bodies as they come in: no more of them than is allowed, on the wire and unpacked."""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sync.errors import BadAnswer, TooLarge

MIB = 1 << 20
PIECE = 65_536  # bytes that are read and unpacked at a time
_FREE = MIB  # bytes that any answer may unpack to, whatever the ratio
# What one of them makes of bytes: gzip and zlib are told apart by their own marks.
_PACKED = {"gzip": 47, "x-gzip": 47, "deflate": 47}


@dataclass(frozen=True, slots=True)
class Limits:
    """body: bytes when unpacked; wire: as they came; ratio: of the two. gap_s: None: the service's deadline is for the
    whole of an answer; else the longest silence between two bytes, and after the first minute at least slowest bytes a
    second."""

    body: int = 64 * MIB
    wire: int = 16 * MIB
    ratio: int = 100
    gap_s: float | None = None
    slowest: int = 50_000


API = Limits()
CATALOGUE = Limits(body=512 * MIB, wire=512 * MIB, gap_s=120)


def unpacked(pieces: Iterable[bytes], encoding: str, limits: Limits, who: str) -> Iterator[bytes]:
    """The body piece by piece. Raises TooLarge, or BadAnswer for a packing that we do not undo."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        yield from _counted(pieces, min(limits.body, limits.wire) if limits.gap_s is None else limits.body, who)
        return
    if encoding not in _PACKED:
        raise BadAnswer(f"{who} packed its answer in a way that we do not unpack. Nothing was read.")
    packer = _Unpacker(_PACKED[encoding], limits, who)
    for piece in _counted(pieces, limits.wire, who):
        yield from packer.feed(piece)
    packer.end()


def _counted(pieces: Iterable[bytes], most: int, who: str) -> Iterator[bytes]:
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > most:
            raise _too_large(who, most)
        yield piece


class _Unpacker:
    def __init__(self, bits: int, limits: Limits, who: str):
        self._bits, self._limits, self._who = bits, limits, who
        self._stream = zlib.decompressobj(bits)
        self._came = self._made = 0

    def feed(self, packed: bytes) -> Iterator[bytes]:
        self._came += len(packed)
        full = False  # the last piece was as large as one may be: more may lie ready although nothing is left to feed
        while packed or full:
            if packed and self._stream.eof:  # a gzip file may be several, one behind the other
                self._stream = zlib.decompressobj(self._bits)
            if piece := self._made_of(packed):
                yield piece
            full = len(piece) == PIECE
            packed = self._stream.unconsumed_tail or self._stream.unused_data

    def _made_of(self, packed: bytes) -> bytes:
        try:
            piece = self._stream.decompress(packed, PIECE)
        except zlib.error:
            if self._made or self._bits < 0:
                raise BadAnswer(f"The answer of {self._who} is damaged. Nothing was read.") from None
            self._bits = -zlib.MAX_WBITS  # some servers say deflate and send it bare
            self._stream = zlib.decompressobj(self._bits)
            return self._made_of(packed)
        self._made += len(piece)
        if self._made > self._limits.body:
            raise _too_large(self._who, self._limits.body)
        if self._made > _FREE and self._made > self._limits.ratio * self._came:
            raise TooLarge(f"The answer of {self._who} becomes far too large when it is unpacked. Nothing was read.")
        return piece

    def end(self) -> None:
        if self._came and not self._stream.eof:
            raise BadAnswer(f"The answer of {self._who} breaks off. Nothing of it was read.")


def _too_large(who: str, most: int) -> TooLarge:
    return TooLarge(f"The answer of {who} is larger than {most // MIB} MiB. Nothing was read.")
