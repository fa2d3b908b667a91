"""ZIP and gzip files that people upload: the lists inside, within limits, and never a file on our disk.

Names in an archive are words to choose by, not paths: nothing is ever written under them. What is refused, is refused
from the archive's own directory, before anything of it is unpacked.
"""

import gzip
import io
import re
import stat
import struct
import sys
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from django.conf import settings

from sync.errors import BadPayload

_MIB = 1024 * 1024
_ZIP, _GZIP = b"PK\x03\x04", b"\x1f\x8b"
_END, _END_64 = b"PK\x05\x06", b"PK\x06\x07"  # where the directory of an archive ends
_END_SIZE, _COMMENT = 22, 65_535
_DIRECTORY_ROW = 1024  # bytes for one file, its name included: programs write some hundred
_PACKINGS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ESCAPES = re.compile(r"^[/\\]|^[A-Za-z]:|(^|[/\\])\.\.([/\\]|$)|\x00")
# What no list is, and what the owner of an account has thrown away.
_NO_LIST = re.compile(
    r"(^|/)(\.|__MACOSX/|deleted/|orphaned/|Thumbs\.db$)|\.(jpe?g|png|gif|webp|html?|md|pdf)$", re.IGNORECASE
)
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    RuntimeError,
    NotImplementedError,
    ValueError,
    struct.error,
)


@dataclass(frozen=True, slots=True)
class Part:
    """One file of an archive. size: unpacked, in bytes."""

    name: str
    size: int


def is_archive(body: bytes) -> bool:
    return body.startswith((_ZIP, _GZIP))


def parts(body: bytes) -> list[Part]:
    """The files of a ZIP archive that could be lists, in its order; empty for anything that is no ZIP archive.

    Raises BadPayload for an archive that is damaged or beyond the limits.
    """
    if not body.startswith(_ZIP):
        return []
    with _opened(body) as archive:
        return [Part(info.filename, info.file_size) for info in _checked(archive, len(body))]


def contents(body: bytes) -> Iterator[tuple[Part, bytes]]:
    """What parts() gives, each with what is in it; one that is damaged is passed over. Raises BadPayload as parts() does."""
    if not body.startswith(_ZIP):
        return
    with _opened(body) as archive:
        for info in _checked(archive, len(body)):
            with suppress(BadPayload):
                yield Part(info.filename, info.file_size), _not_nested(_inflated(archive, info))


def unpack(body: bytes, part: str = "") -> bytes:
    """The list itself: of an archive the named part (the only one, if it has one), of a gzip file what it holds, and
    anything else as it is. Raises BadPayload."""
    if body.startswith(_GZIP):
        return _not_nested(_gunzip(body))
    if not body.startswith(_ZIP):
        return body
    with _opened(body) as archive:
        infos = _checked(archive, len(body))
        chosen = [info for info in infos if info.filename == part][-1:] if part else infos
        if not chosen:
            raise BadPayload(f"The archive holds no {part[:80]!r}. Nothing was read." if part else _EMPTY)
        if len(chosen) > 1:
            names = ", ".join(info.filename[:80] for info in chosen[:10])
            raise BadPayload(f"The archive holds {len(chosen)} lists: {names}. Say which one. Nothing was read.")
        return _not_nested(_inflated(archive, chosen[0]))


_EMPTY = "The archive holds no list. Nothing was read."
_TOO_MANY = "The archive holds more than {:,} files. Nothing was read. Unpack it and upload the lists inside."


def _opened(body: bytes) -> zipfile.ZipFile:
    if _directory_size(body) > settings.ARCHIVE_MEMBERS * _DIRECTORY_ROW:
        raise BadPayload(_TOO_MANY.format(settings.ARCHIVE_MEMBERS))
    try:
        return zipfile.ZipFile(io.BytesIO(body))
    except _BROKEN:
        raise BadPayload("The archive is damaged or was cut off. Nothing was read. Download it again.") from None


def _directory_size(body: bytes) -> int:
    """In bytes, as the archive's end states it: the directory is read as a whole before anything of it can be counted.
    Of an archive in the manner for more than 65,535 files (zip64) it is more than any limit."""
    end = body.rfind(_END, max(0, len(body) - _END_SIZE - _COMMENT), max(0, len(body) - _END_SIZE + len(_END)))
    if end >= 20 and body[end - 20 : end - 16] == _END_64:
        return sys.maxsize
    return int.from_bytes(body[end + 12 : end + 16], "little") if end >= 0 else 0


def _checked(archive: zipfile.ZipFile, packed: int) -> list[zipfile.ZipInfo]:
    infos = [info for info in archive.infolist() if not info.is_dir()]
    if any(info.filename.startswith("xl/") for info in infos):
        raise BadPayload("This is an Excel workbook. Save the sheet as CSV and upload that.")
    if len(infos) > settings.ARCHIVE_MEMBERS:
        raise BadPayload(_TOO_MANY.format(settings.ARCHIVE_MEMBERS))
    for info in infos:
        if _ESCAPES.search(info.filename):
            raise BadPayload("The archive names a file outside of itself. Nothing was read.")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise BadPayload("The archive holds a link to another file. Nothing was read.")
        if info.flag_bits & 1:
            raise BadPayload("The archive is locked with a password. Unpack it and upload the list inside.")
        if info.compress_type not in _PACKINGS:  # of the others some ask for gigabytes before they give anything
            raise BadPayload("The archive is packed in an unusual way. Unpack it and upload the list inside.")
    _check_size(sum(info.file_size for info in infos), packed)
    return [info for info in infos if not _NO_LIST.search(info.filename) and info.file_size]


def _check_size(unpacked: int, packed: int) -> None:
    limit = settings.ARCHIVE_UNPACKED_MIB
    # The ratio says nothing about small files: a table of a hundred equal rows packs to almost nothing.
    if unpacked > limit * _MIB or (unpacked > _MIB and unpacked > packed * settings.ARCHIVE_RATIO):
        raise BadPayload(
            f"The file is too large when unpacked: more than {limit} MiB, or {settings.ARCHIVE_RATIO} times what was "
            "uploaded. Nothing was read. Unpack it and upload the list inside."
        )


def _inflated(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    try:
        with archive.open(info) as stream:
            content = stream.read(info.file_size)  # never more than the directory promised, which was checked
            if len(content) < info.file_size:
                raise EOFError
            return content
    except _BROKEN:
        raise BadPayload(
            f"{info.filename[:80]} is damaged in the archive. Nothing was read. Download it again."
        ) from None


def _gunzip(body: bytes) -> bytes:
    most = min(settings.ARCHIVE_UNPACKED_MIB * _MIB, max(_MIB, len(body) * settings.ARCHIVE_RATIO))
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as stream:
            content = stream.read(most + 1)
    except _BROKEN:
        raise BadPayload("The compressed file is damaged or was cut off. Nothing was read.") from None
    _check_size(len(content), len(body))
    return content


def _not_nested(content: bytes) -> bytes:
    if is_archive(content):
        raise BadPayload("There is an archive inside of the archive. Unpack it and upload the list inside.")
    return content
