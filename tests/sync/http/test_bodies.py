"""Bodies are unpacked as they were packed, piece by piece, and no further than is allowed."""

import gzip
import random
import zlib

import pytest

from sync.errors import BadAnswer, TooLarge
from sync.http.bodies import PIECE, Limits, unpacked

TEXT = random.Random(7).randbytes(300_000)
BODIES = [b"", b"x", TEXT, b"ab" * 400_000, b"\0" * PIECE, b"\0" * (3 * PIECE + 1)]


def bare(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


def split(body: bytes, size: int) -> list[bytes]:
    return [body[at : at + size] for at in range(0, len(body), size)]


def read(pieces, encoding="gzip", **limits) -> bytes:
    return b"".join(unpacked(pieces, encoding, Limits(**{"ratio": 2000, **limits}), "TMDb"))


@pytest.mark.parametrize("size", [1000, 70_000])
@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("deflate", bare)])
@pytest.mark.parametrize("body", BODIES, ids=len)
def test_what_was_packed_comes_out(body, encoding, pack, size):
    assert read(split(pack(body), size), encoding) == body


def test_two_gzip_files_in_a_row_are_one_body():
    assert read(split(gzip.compress(b"one") + gzip.compress(b"two"), 7)) == b"onetwo"


@pytest.mark.parametrize(
    "packed", [gzip.compress(TEXT)[:-9], gzip.compress(TEXT)[:100], b"no gzip at all", TEXT],
    ids=["without its end", "cut early", "no gzip", "not packed"],
)  # fmt: skip
def test_half_a_body_is_none(packed):
    with pytest.raises(BadAnswer):
        read(split(packed, 1000))


def test_limits_hold_on_the_wire_and_unpacked():
    for packed, encoding, limits in (
        (TEXT, "", {"wire": 1000}),
        (TEXT, "", {"body": 1000}),
        (gzip.compress(TEXT), "gzip", {"wire": 1000}),
        (gzip.compress(TEXT), "gzip", {"body": 1000}),
        (gzip.compress(b"\0" * 5_000_000), "gzip", {"ratio": 100}),
    ):
        with pytest.raises(TooLarge):
            read(split(packed, 1000), encoding, **limits)
