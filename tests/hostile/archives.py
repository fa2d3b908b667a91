"""Archives that are bombs, mazes or lies."""

import bz2
import gzip
import random
import struct
import zipfile
import zlib

from tests.hostile.making import MIB, SCRIPT, film_rows, hostile, packed


@hostile("refused")
def zip_bomb_flat() -> bytes:
    return packed(("films.csv", b"x" * (99 * MIB)))


@hostile("refused")
def zip_bomb_too_large() -> bytes:
    return packed(*((f"{n}.csv", b"0" * (30 * MIB)) for n in range(4)))


@hostile("refused")
def zip_bomb_nested() -> bytes:
    inner = packed(("films.csv", film_rows(3).encode()))
    for depth in range(5):
        inner = packed((f"{depth}.zip", inner))
    return inner


@hostile("refused")
def zip_bomb_overlapping() -> bytes:
    """Many rows of the directory name the same packed bytes."""
    one = packed(("films.csv", b"0" * MIB))
    directory = one.rindex(b"PK\x01\x02")
    end = one.rindex(b"PK\x05\x06")
    rows = one[directory:end] * 900
    return one[:directory] + rows + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 900, 900, len(rows), directory, 0)


@hostile("refused")
def zip_that_holds_itself() -> bytes:
    """Not a true quine: an archive in an archive that promises the outer one again."""
    inner = packed(("again.zip", b"PK\x03\x04" + b"\x00" * 26))
    return packed(("again.zip", inner), how=zipfile.ZIP_STORED)


@hostile("refused")
def zip_of_many_members() -> bytes:
    return packed(*((f"{n}.csv", b"x") for n in range(20_000)), how=zipfile.ZIP_STORED)


@hostile("refused", large=True)
def zip_of_a_million_directory_rows() -> bytes:
    """A directory of 46 MB over one file: whoever reads it all to count it has lost."""
    one = packed(("a", b"Title\nx\n"), how=zipfile.ZIP_STORED)
    directory, end = one.rindex(b"PK\x01\x02"), one.rindex(b"PK\x05\x06")
    rows = one[directory:end] * 1_000_000
    return one[:directory] + rows + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(rows), directory, 0)


@hostile("read")
def zip_of_a_thousand_lists() -> bytes:
    return packed(*((f"lists/{n}.csv", film_rows(2).encode()) for n in range(1000)))


@hostile("refused")
def zip_of_more_lists_than_an_account_has() -> bytes:
    return packed(*((f"lists/{n}.csv", film_rows(1).encode()) for n in range(1001)))


@hostile("refused")
def zip_that_lies_about_its_sizes() -> bytes:
    body = bytearray(packed(("films.csv", b"Title\n" + b"x" * (50 * MIB))))
    row = body.rindex(b"PK\x01\x02")
    body[row + 24 : row + 28] = struct.pack("<L", 100)  # promises a hundred bytes
    return bytes(body)


@hostile("refused")
def zip_with_a_path_upwards() -> bytes:
    return packed(("../../etc/cron.d/films.csv", film_rows(2).encode()))


@hostile("refused")
def zip_with_an_absolute_path() -> bytes:
    return packed(("/etc/films.csv", film_rows(2).encode()))


@hostile("refused")
def zip_with_a_drive() -> bytes:
    return packed(("C:\\Windows\\films.csv", film_rows(2).encode()))


@hostile("refused")
def zip_with_a_link() -> bytes:
    link = zipfile.ZipInfo("films.csv")
    link.external_attr = 0o120777 << 16
    return packed((link, b"/etc/passwd"))


@hostile("refused")
def zip_with_a_password() -> bytes:
    body = bytearray(packed(("films.csv", film_rows(2).encode())))
    body[6] |= 1
    body[body.rindex(b"PK\x01\x02") + 8] |= 1
    return bytes(body)


@hostile("refused")
def zip_packed_with_lzma() -> bytes:
    return packed(("films.csv", film_rows(2).encode()), how=zipfile.ZIP_LZMA)


@hostile("refused")
def zip_cut_off() -> bytes:
    return packed(("films.csv", random.Random(1).randbytes(5000)))[:4000]


@hostile("refused")
def zip_with_a_broken_checksum() -> bytes:
    body = bytearray(packed(("films.csv", film_rows(50).encode()), how=zipfile.ZIP_STORED))
    body[100] ^= 0xFF
    return bytes(body)


@hostile("read")
def zip_with_a_name_of_markup() -> bytes:
    return packed((f"{SCRIPT}.csv".replace("/", "∕"), film_rows(2).encode()))


@hostile("refused")
def zip_without_anything() -> bytes:
    return packed()


@hostile("refused")
def gzip_bomb_of_a_gibibyte() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = b"0" * MIB
    return b"".join(packer.compress(zeros) for _ in range(1024)) + packer.flush()


@hostile("refused")
def gzip_in_gzip() -> bytes:
    return gzip.compress(gzip.compress(film_rows(3).encode()))


@hostile("refused")
def gzip_cut_off() -> bytes:
    return gzip.compress(random.Random(2).randbytes(3000))[:2000]


@hostile("refused")
def bzip2_bomb() -> bytes:
    return bz2.compress(b"0" * (20 * MIB))
