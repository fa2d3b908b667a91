"""M3U playlists: channels, films and tracks with the addresses that a player plays them from."""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from django.db.models import Q

from lists import services
from lists.credentials import fill, placeholders
from lists.exports._base import BLOCK, Export, register, snapshot
from lists.models import Entry, Item, MediaList, Version

_ATTRIBUTES = {
    "tvg-id": "guide_id", "tvg-name": "guide_name", "tvg-logo": "poster", "tvg-chno": "channel_number",
    "tvg-country": "country", "tvg-language": "language", "group-title": "group",
}  # fmt: skip
_OF_PLAYERS = ("#EXTVLCOPT:", "#KODIPROP:", "#EXTHTTP:")
# The address of a track is often a page about it, which nothing can play.
_SOUND = re.compile(r"\.(?:aac|aif|aiff|alac|ape|flac|m4a|mka|mp3|oga|ogg|opus|wav|wma|wv)(?=$|[?#|])", re.IGNORECASE)

# The format has no escapes. Ours are those of HTML, as few as can be, and only for our own rows are they undone.
_ESCAPES = {'"': "&quot;", "\n": "&#10;", "\r": "&#13;", "&": "&amp;"}
_IN_TITLE = re.compile(r"&(?=(?:quot|amp|#10|#13);)|[\n\r]")
_IN_VALUE = re.compile(rf"{_IN_TITLE.pattern}|\"")


@register
class M3u(Export):
    """Only what has an address can be played: other entries are left out, and counted in the last line.

    The list's owner gets the addresses with their logins. Everybody else gets names in their place; the last line says so.
    """

    key, label, content_type, extension = "m3u", "M3U playlist", "audio/x-mpegurl; charset=utf-8", "m3u"
    contents = frozenset({MediaList.Content.CHANNELS, MediaList.Content.TRACKS})

    def fits(self, list_: MediaList) -> bool:
        """A tracklist, only where it says in which files its tracks are."""
        if list_.content != MediaList.Content.TRACKS:
            return super().fits(list_)
        named = Entry.objects.filter(Q(extra__has_key="file") | Q(extra__has_key="address"), list=list_).listed()
        return any(_address(entry, entry.values) for entry in named.iterator(chunk_size=BLOCK))

    def write(self, list_: MediaList, *, user: Any, version: Version | None = None) -> Iterator[bytes]:
        shown = snapshot(list_, version)
        is_owner = user is not None and user.pk == list_.owner_id
        secrets = _secrets_of(list_) if is_owner else {}
        yield _lines(_head(list_, list_.facts if version is None else version.facts, secrets))
        without_address = without_login = 0
        while block := list(islice(shown.lines, BLOCK)):
            lines: list[str] = []
            for entry in (line.entry for line in block):
                values = entry.values
                address = _address(entry, values)
                without_address += not address
                if address:
                    filled = fill(address, secrets)
                    told = [*(fill(each, secrets, at=filled) for each in _options(values)), filled]
                    without_login += any(map(placeholders, told))
                    lines += [_info(entry, values, f"{list_.uid}/{entry.pk}@{shown.version}", secrets), *told]
            yield _lines(lines)
        yield _lines(_notes(without_address, without_login))


def _secrets_of(list_: MediaList) -> Mapping[str, str]:
    own, others = services.secrets_of(list_)
    return own | others


def _lines(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _head(list_: MediaList, facts: Mapping[str, Any], secrets: Mapping[str, str]) -> list[str]:
    guide = fill(str(facts.get("guide") or ""), secrets)
    # A guide whose login was not kept leads nowhere.
    said = f' x-tvg-url="{_IN_VALUE.sub(_escape, guide)}"' if guide and "{}" not in guide else ""
    return [f"#EXTM3U{said}", f"#PLAYLIST:{' '.join(list_.name.split())}"]


def _notes(without_address: int, without_login: int) -> list[str]:
    notes = []
    if without_address:
        notes.append(f"# Entries that are left out, because they have no address: {without_address:,}")
    if without_login:
        notes.append(
            "# Addresses without their login, which only the list's owner gets, and only for the host that it is of: "
            f"{without_login:,}"
        )
    return notes


def _address(entry: Entry, values: Mapping[str, Any]) -> str:
    if entry.kind == Item.Kind.TRACK:
        address = values.get("address", "")
        found = values.get("file") or (address if _SOUND.search(address) else "")
    else:
        found = values.get("address") or values.get("file") or ""
    found = found.replace("\r", "%0D").replace("\n", "%0A")
    return f"./{found}" if found.startswith("#") else found


def _info(entry: Entry, values: Mapping[str, Any], ref: str, secrets: Mapping[str, str]) -> str:
    """The #EXTINF line."""
    said = {attribute: values.get(name) for attribute, name in _ATTRIBUTES.items()}
    said |= _catchup(values.get("catchup", ""))
    said["radio"] = "true" if entry.kind == Item.Kind.RADIO else None
    said["kind"] = None if entry.kind in (Item.Kind.CHANNEL, Item.Kind.RADIO) else entry.kind
    said["listkeeper"] = ref  # the last one: behind it stands the title, whatever is in it
    filled = ((name, fill(str(value), secrets)) for name, value in said.items() if value)
    attributes = "".join(f' {name}="{_IN_VALUE.sub(_escape, value)}"' for name, value in filled)
    return f"#EXTINF:{values.get('runtime_s') or -1}{attributes},{_IN_TITLE.sub(_escape, _title(entry))}"


def _options(values: Mapping[str, Any]) -> list[str]:
    """What a player is told. A line that is no option would be taken for an address."""
    told = re.split(r"[\r\n]+", values.get("player_options", ""))
    return [row for row in told if row.upper().startswith(_OF_PLAYERS)]


def _title(entry: Entry) -> str:
    """As players show it: with the artist of a track and the year of a film."""
    if entry.kind == Item.Kind.TRACK and entry.artist:
        return f"{entry.artist} - {entry.title}"
    return f"{entry.title} ({entry.year})" if entry.kind == Item.Kind.MOVIE and entry.year else entry.title


def _catchup(told: str) -> dict[str, str]:
    """ "shift; days=3" -> {"catchup": "shift", "catchup-days": "3"}"""
    attributes: dict[str, str] = {}
    for part in filter(None, re.split(r"; (?=[\w-]+=)", told)):
        found = re.fullmatch(r"([\w-]+)=(.*)", part, re.DOTALL)
        attributes |= {f"catchup-{found[1]}": found[2]} if found else {"catchup": part}
    return attributes


def _escape(found: re.Match[str]) -> str:
    return _ESCAPES[found[0]]
