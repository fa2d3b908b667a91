"""A list's order as a few bytes an entry: ids as differences, zigzag varints, deflated (10,000 entries: about 5 kB)."""

import re
import zlib
from collections.abc import Iterator, Sequence
from itertools import accumulate

_NUMBERS = re.compile(rb"([\x00-\x7f]+)|[\x80-\xff]+[\x00-\x7f]")
_SHORT = [-(byte >> 1) if byte & 1 else byte >> 1 for byte in range(0x80)]


def pack(ids: Sequence[int]) -> bytes:
    out = bytearray()
    last = 0
    for pk in ids:
        delta, last = pk - last, pk
        number = (delta << 1) if delta >= 0 else ((-delta << 1) | 1)
        while number > 0x7F:
            out.append(number & 0x7F | 0x80)
            number >>= 7
        out.append(number)
    return zlib.compress(bytes(out), 6)


def unpack(blob: bytes | memoryview | None) -> list[int]:
    """The ids; empty if there is no blob (a pruned version)."""
    if not blob:
        return []
    return list(accumulate(_differences(zlib.decompress(bytes(blob)))))


def _differences(raw: bytes) -> Iterator[int]:
    """Runs of numbers of one byte, which most are, go by a table."""
    for found in _NUMBERS.finditer(raw):
        short = found[1]
        if short is not None:
            yield from map(_SHORT.__getitem__, short)
            continue
        number = 0
        for byte in reversed(found[0]):
            number = number << 7 | byte & 0x7F
        yield -(number >> 1) if number & 1 else number >> 1
