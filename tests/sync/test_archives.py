"""Archives are chosen from, not unpacked: within limits, and nothing of them on any disk."""

import gzip
import io
import struct
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from lists.models import MediaList
from sync import archives
from sync.adapters import lists_in
from sync.errors import BadPayload
from tests.hostile import HOSTILE, film_rows, packed

FILMS = film_rows(3).encode()


def test_the_lists_of_an_archive_are_named_with_their_sizes():
    body = packed(
        ("watchlist.csv", FILMS),
        ("lists/", b""),
        ("lists/old.csv", FILMS * 2),
        ("poster.jpg", b"x"),
        ("empty.csv", b""),
    )
    assert archives.parts(body) == [
        archives.Part("watchlist.csv", len(FILMS)), archives.Part("lists/old.csv", 2 * len(FILMS)),
    ]  # fmt: skip
    assert dict(archives.contents(body)) == {
        archives.Part("watchlist.csv", len(FILMS)): FILMS, archives.Part("lists/old.csv", 2 * len(FILMS)): FILMS * 2,
    }  # fmt: skip
    assert [offer.part for offer in lists_in(body)] == ["watchlist.csv", "lists/old.csv"]


def test_what_an_owner_threw_away_and_what_a_system_left_is_passed_over():
    names = [
        "deleted/diary.csv",
        "orphaned/list.csv",
        "__MACOSX/a.csv",
        ".hidden.csv",
        "a/.b.csv",
        "Thumbs.db",
        "lists/kept.csv",
    ]
    assert [part.name for part in archives.parts(packed(*((name, FILMS) for name in names)))] == ["lists/kept.csv"]


def test_a_part_is_named_or_is_the_only_one():
    one, two = packed(("a.csv", FILMS)), packed(("a.csv", FILMS), ("b.csv", b"Title\nx\n"))
    assert archives.unpack(one) == archives.unpack(two, "a.csv") == FILMS
    assert archives.unpack(two, "b.csv") == b"Title\nx\n"
    with pytest.raises(BadPayload, match=r"holds 2 lists: a\.csv, b\.csv\. Say which one"):
        archives.unpack(two)
    with pytest.raises(BadPayload, match=r"holds no 'c\.csv'"):
        archives.unpack(two, "c.csv")


def test_of_two_parts_of_one_name_the_last_is_read_as_programs_do():
    with pytest.warns(UserWarning, match="Duplicate name"):
        body = packed(("a.csv", b"Title\nold\n"), ("a.csv", b"Title\nnew\n"))
    assert archives.unpack(body, "a.csv") == b"Title\nnew\n"


def test_what_is_no_archive_is_left_as_it_is():
    assert archives.unpack(FILMS) == FILMS
    assert archives.parts(FILMS) == []
    assert list(archives.contents(FILMS)) == []
    assert archives.unpack(gzip.compress(FILMS)) == FILMS


@pytest.mark.covers("SAFE-10")
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("zip_bomb_flat", "too large when unpacked"),
        ("zip_bomb_too_large", "too large when unpacked"),
        ("zip_bomb_overlapping", "too large when unpacked"),
        ("zip_bomb_nested", "an archive inside of the archive"),
        ("zip_that_holds_itself", "an archive inside of the archive"),
        ("zip_of_many_members", "more than 1,000 files"),
        ("zip_of_a_million_directory_rows", "more than 1,000 files"),
        ("zip_of_more_lists_than_an_account_has", "more than 1,000 files"),
        ("zip_that_lies_about_its_sizes", "is damaged"),
        ("zip_with_a_broken_checksum", "is damaged"),
        ("zip_cut_off", "damaged or was cut off"),
        ("zip_with_a_path_upwards", "outside of itself"),
        ("zip_with_an_absolute_path", "outside of itself"),
        ("zip_with_a_drive", "outside of itself"),
        ("zip_with_a_link", "a link to another file"),
        ("zip_with_a_password", "locked with a password"),
        ("zip_packed_with_lzma", "in an unusual way"),
        ("gzip_bomb_of_a_gibibyte", "too large when unpacked"),
        ("gzip_in_gzip", "an archive inside of the archive"),
        ("gzip_cut_off", "damaged or was cut off"),
    ],
)
def test_a_hostile_archive_is_refused_with_its_reason(name, words):
    with pytest.raises(BadPayload, match=words):
        archives.unpack(HOSTILE[name].make())


def test_a_part_that_is_damaged_does_not_hide_the_others():
    body = bytearray(packed(("a.csv", FILMS), ("b.csv", FILMS), how=zipfile.ZIP_STORED))
    body[40] ^= 0xFF
    assert [part.name for part, _ in archives.contents(bytes(body))] == ["b.csv"]


def test_an_end_in_the_manner_of_large_archives_hides_nothing():
    """zip64: what the plain end says does not count there."""
    plain = packed(("a.csv", FILMS))
    end = plain.rindex(b"PK\x05\x06")
    large = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, 2**40, 0)
    body = plain[:end] + large + struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1) + plain[end:]
    with pytest.raises(BadPayload, match="more than 1,000 files"):
        archives.parts(body)


def test_a_comment_behind_an_archive_is_no_part_of_it():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.csv", FILMS)
        archive.comment = b"Made by PK\x05\x06 " + b"x" * 1000
    with pytest.raises(BadPayload):  # whose directory is it? Nobody needs to know
        archives.parts(out.getvalue())


@pytest.mark.covers("SAFE-10")
@pytest.mark.parametrize(
    ("setting", "value", "body"),
    [
        ("ARCHIVE_MEMBERS", 2, packed(*((f"{n}.csv", FILMS) for n in range(3)))),
        ("ARCHIVE_UNPACKED_MIB", 1, packed(("a.csv", FILMS * 20_000), how=zipfile.ZIP_STORED)),
        ("ARCHIVE_RATIO", 2, packed(("a.csv", FILMS * 20_000))),
    ],
)
def test_the_limits_of_archives_are_settings(client, ines, work, settings, setting, value, body):
    setattr(settings, setting, value)
    client.force_login(ines)
    started = client.post("/api/v1/uploads/", {"file": SimpleUploadedFile("a.zip", body)}).json()
    work()
    answer = client.get(f"/api/v1/uploads/{started['id']}/").json()
    assert answer["state"] == "refused"
    assert "Nothing was read." in answer["error"]
    assert not MediaList.objects.exists()


def test_names_in_messages_are_short():
    body = packed(*((f"{n}{'x' * 60_000}.csv", FILMS) for n in range(3)))
    with pytest.raises(BadPayload) as refusal:
        archives.unpack(body)
    assert len(str(refusal.value)) < 1000
