"""A list's order as a few bytes an entry: ids as differences, zigzag varints, deflated (10,000 entries: about 5 kB)."""

import zlib
from collections.abc import Sequence


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
    ids: list[int] = []
    number = shift = last = 0
    for byte in zlib.decompress(bytes(blob)):
        number |= (byte & 0x7F) << shift
        if byte & 0x80:
            shift += 7
            continue
        last += -(number >> 1) if number & 1 else number >> 1
        ids.append(last)
        number = shift = 0
    return ids
