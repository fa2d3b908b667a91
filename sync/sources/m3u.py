"""M3U playlists: channels and films of television by internet, radio, and the music lists of players.

There is no specification that anybody keeps to. Read line by line: an #EXTINF line says what comes, lines of options may
follow, and the next line that is no comment is the address. An #EXTINF line holds a duration, attributes (tvg-id="one"),
then a comma and the title; attributes and title may hold commas and quotes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from lists.fields import FIELDS
from lists.records import About, Record, Row, Unreadable
from sync.adapters import Context, FileAdapter, register
from sync.errors import BadPayload
from sync.sources._cells import filled, web_address
from sync.sources._columns import year_from_title
from sync.sources._ids import own_ref
from sync.sources._tracks import named, split_name
from sync.text import Sniff

_OPTIONS = ("#EXTVLCOPT", "#KODIPROP", "#EXTHTTP")  # what a player is told for the entry that follows
_OF_ONE_STREAM = ("#EXT-X-TARGETDURATION", "#EXT-X-STREAM-INF", "#EXT-X-MEDIA-SEQUENCE")

_LINE = re.compile(r"([^\r\n]*)(?:\r\n|\r|\n|\Z)")  # str.splitlines() also parts at signs that stand in titles
_INFO = re.compile(r"#EXTINF\s*:?\s*(-?[0-9]{1,9}(?:\.[0-9]{0,9})?)?", re.IGNORECASE)
_HEADLESS = re.compile(r"^[ \t]*#EXTINF[ \t]*:", re.MULTILINE | re.IGNORECASE)
# A comma may stand between attributes; then the next one needs quotes, or a title with "=" in it would be an attribute.
_NAME = re.compile(r"\s*(?:,\s*(?=[A-Za-z][\w.-]{0,40}=\"))?([A-Za-z][\w.-]{0,40})=(\"?)")
# The quote that ends a value stands before a comma, another attribute or the end; others belong to the value. Where it
# was forgotten, the next attribute ends the value.
_CLOSING = re.compile(
    r"\"(?=\s*,|\s*[A-Za-z][\w.-]{0,40}=\"|\s+[A-Za-z][\w.-]{0,40}=|\s*$)|\s(?=[A-Za-z][\w.-]{0,40}=\")"
)
_BARE = re.compile(r"([^\",]*?)(?:\"|(?=\s[A-Za-z][\w.-]{0,40}=|,|$))")
_ESCAPE = re.compile(r"&(quot|amp|#10|#13);")
_ESCAPED = {"quot": '"', "amp": "&", "#10": "\n", "#13": "\r"}

_SCHEME = re.compile(r"(?!file:)[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_SUFFIX = re.compile(r"\.(\w{2,5})(?=$|[?#|])")
_FILM = frozenset(("avi", "divx", "flv", "m4v", "mkv", "mov", "mp4", "mpeg", "mpg", "ogv", "vob", "webm", "wmv"))
_SOUND = frozenset((
    "aac", "aif", "aiff", "alac", "ape", "flac", "m4a", "mka", "mp3", "oga", "ogg", "opus", "wav", "wma", "wv",
))  # fmt: skip
_STREAM = frozenset(("m3u", "m3u8", "mpd", "ts"))
_MEDIA = _FILM | _SOUND | _STREAM
_EPISODE = re.compile(r"(?<![^\W_])S(\d{1,3})[\s._-]{0,3}E(\d{1,4})(?!\d)", re.IGNORECASE)

_FIELD_OF = {
    "group-title": "group", "tvg-id": "guide_id", "tvg-name": "guide_name", "tvg-country": "country",
    "tvg-language": "language",
}  # fmt: skip


@register
class M3u(FileAdapter):
    key = "m3u"
    label = "M3U playlist"
    help = "The channels, films and stations of a provider, or the music list of a player."
    kinds = frozenset({"channel", "radio", "movie", "episode", "track"})
    content = "channels"
    streams = True

    @classmethod
    def recognises(cls, sniff: Sniff) -> float:
        if sniff.json:
            return 0
        if sniff.head.lstrip()[:7].upper() == "#EXTM3U":
            return 0.97
        if _HEADLESS.search(sniff.head):
            return 0.9
        lines = [line for line in map(str.strip, sniff.head.split("\n", 50)[:50]) if line and line[0] != "#"]
        return 0.2 if lines and all(map(_is_playable, lines)) else 0

    def fetch(self, ctx: Context) -> Iterator[Row]:
        playlist = Playlist(ctx.text)
        place = 0
        for place, entry in enumerate(playlist, 1):
            if place == 1 and playlist.head:
                facts = dict(playlist.head)
                yield About(facts.pop("title", ""), facts)
            yield parse_entry(entry, place=place)
        if not place:
            raise BadPayload("The playlist holds no entry: it has no line with an address. Nothing was read.")


@dataclass(slots=True)
class Entry:
    """One address and what the lines before it say.

    line: where it begins. duration: in seconds; below 1 there is no end, None: nothing is said. attributes: by name in
    small letters. told: whether an #EXTINF line speaks of it.
    """

    line: int = 0
    address: str = ""
    title: str = ""
    duration: float | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    group: str = ""
    options: str = ""
    told: bool = False


class Playlist:
    """The entries of a playlist in their order. head: what it says of itself, as far as it is read ("title", "guide")."""

    def __init__(self, text: str):
        self._text = text
        self.head: dict[str, str] = {}

    def __iter__(self) -> Iterator[Entry]:
        entry, before_first = Entry(), True
        for number, found in enumerate(_LINE.finditer(self._text), 1):
            line = found[1].strip()
            if not line:
                continue
            is_told_again = line[:7].upper() == "#EXTINF" and entry.told  # and so the last one has no address
            # A line that is neither comment nor address is a heading that somebody typed.
            is_address = line[0] != "#" and (entry.told or _is_location(line))
            if is_address:
                entry.address, entry.line = line, entry.line or number
            if is_address or is_told_again:
                yield entry
                entry, before_first = Entry(), False
            if line[0] == "#":
                if before_first:
                    _refuse_one_stream(line, number)
                self._read(line, number, entry)
        if entry.told:
            yield entry

    def _read(self, line: str, number: int, entry: Entry) -> None:
        word, _, rest = line.partition(":")
        word, rest = word[:24].upper(), rest.strip()
        if word.startswith("#EXTINF"):
            _read_info(entry, line, number)
        elif word == "#EXTGRP":
            entry.group = rest
        elif word in _OPTIONS:
            told = f"{entry.options}\n{line}".strip()
            entry.options = told if len(told) <= FIELDS["player_options"].limit else entry.options
        elif word == "#PLAYLIST":
            self.head |= filled({"title": rest[:200]})
        elif word.startswith("#EXTM3U"):
            said, _ = _attributes(line, len("#EXTM3U"))
            self.head |= filled({"guide": (said.get("x-tvg-url") or said.get("url-tvg", ""))[:1000]})


def _refuse_one_stream(line: str, number: int) -> None:
    if line[:24].upper().startswith(_OF_ONE_STREAM):
        raise BadPayload(
            "This is the inside of one stream (an HLS playlist), not a list of channels. Nothing was read. "
            "Upload the playlist that names the stream.",
            line=number,
        )


def _read_info(entry: Entry, line: str, number: int) -> None:
    entry.line, entry.told = number, True
    at = len("#EXTINF")
    if found := _INFO.match(line):
        at, entry.duration = found.end(), float(found[1]) if found[1] else None
    entry.attributes, at = _attributes(line, at)
    before, comma, title = line[at:].partition(",")
    entry.title = (title if comma else before).strip()


def _attributes(line: str, at: int) -> tuple[dict[str, str], int]:
    """(name -> value, where the rest of the line begins). Every sign is looked at a few times at most, whatever the line
    holds: a value goes on where the last one ended, and a quote that is missing is missed once."""
    attributes: dict[str, str] = {}
    closes = True
    while found := _NAME.match(line, at):
        start = found.end()
        if found[2] and closes and (end := _CLOSING.search(line, start)):
            value, at = line[start : end.start()], end.end()
        else:
            closes = closes and not found[2]
            bare = _BARE.match(line, start)
            value, at = (bare[1], bare.end()) if bare else ("", start)
        name = found[1].lower()
        attributes.setdefault(name, value.strip())
        if name == "listkeeper":
            break  # the last one that we write: whatever follows is the title
    return attributes, at


def parse_entry(entry: Entry, *, place: int) -> Record | Unreadable:
    """place: its number in the playlist, 1-based."""
    ref = own_ref(entry.attributes.get("listkeeper"))
    if ref:
        entry.title = _unescaped(entry.title)
        entry.attributes = {name: _unescaped(value) for name, value in entry.attributes.items()}
    title = (entry.title or entry.attributes.get("tvg-name", ""))[:2000]  # of a track: artist and title
    if not entry.address:
        return Unreadable(entry.line, "There is no address behind this line.", title[:200])
    key = f"{entry.address[:4000]}\t{title}".strip()
    where = "address" if _SCHEME.match(entry.address) else "file"
    if len(entry.address) > (limit := FIELDS[where].limit):
        # Cut short it would lead nowhere.
        return Unreadable(entry.line, f"The address is longer than {limit:,} characters.", title[:200], key)
    kind = _kind(entry, title, entry.attributes.get("kind", "") if ref else "")
    values = _values(entry) | _title_values(entry, title, kind) | {where: entry.address}
    if entry.duration and entry.duration >= 1 and (kind == "track" or ref):
        values["runtime_s"] = round(entry.duration)
    return Record(
        key=f"{place:03d}" if kind == "track" else key, kind=kind, values=filled(values), position=place,
        line=entry.line, ref=ref,
    )  # fmt: skip


def _kind(entry: Entry, title: str, own: str) -> str:
    """What attributes, address and duration say; a channel if they say nothing. own: what our own export says."""
    if own in M3u.kinds:
        return own
    if entry.attributes.get("radio", "").lower() in ("true", "1", "yes"):
        return "radio"
    address, suffix = entry.address.lower(), _suffix(entry.address)
    is_local, ends = not _SCHEME.match(address), (entry.duration or 0) >= 1
    if suffix in _SOUND:
        # A sound without an end that comes from elsewhere is a station.
        return "track" if is_local or ends or entry.duration is None else "radio"
    if "/series/" in address or _EPISODE.search(title):
        return "episode"
    if "/movie/" in address or suffix in _FILM:
        return "movie"
    return "track" if is_local and ends and not entry.attributes and suffix not in _STREAM else "channel"


def _values(entry: Entry) -> dict[str, Any]:
    """The fields that every kind may have, empty ones among them."""
    said = entry.attributes
    values: dict[str, Any] = {field: said.get(attribute) for attribute, field in _FIELD_OF.items()}
    values["group"] = values["group"] or entry.group
    values["player_options"] = entry.options
    if logo := said.get("tvg-logo"):
        values["poster"] = web_address(logo.replace(" ", "%20"))
    if (number := said.get("tvg-chno", "")).isdecimal() and len(number) < 10:
        values["channel_number"] = int(number)
    if any(name.startswith("catchup") for name in said):
        values["catchup"] = _catchup(said)
    return values


def _title_values(entry: Entry, title: str, kind: str) -> dict[str, Any]:
    """Title, and what a title of this kind says besides."""
    if not title:
        return {"title": _file_name(entry.address)}
    if kind == "track":
        return named(*split_name(title))
    if kind == "movie":
        return year_from_title({"title": title})
    if kind == "episode" and (found := _EPISODE.search(title)):
        show = title[: found.start()].strip(" ._-([")
        return {"title": title, "show_title": show, "season": int(found[1]), "episode": int(found[2])}
    return {"title": title}


def _catchup(said: dict[str, str]) -> str:
    """How what was on can be watched later: "shift; days=3; source=https://..."; parts that do not fit are left out."""
    parts = [said.get("catchup") or said.get("catchup-type", "")]
    parts += [
        f"{name.removeprefix('catchup-')}={value}"
        for name, value in said.items()
        if name.startswith("catchup-") and name != "catchup-type" and value
    ]
    told = ""
    for part in filter(None, parts):
        longer = f"{told}; {part}" if told else part
        told = longer if len(longer) <= FIELDS["catchup"].limit else told
    return told


def _is_location(line: str) -> bool:
    return bool(_SCHEME.match(line)) or _suffix(line) in _MEDIA


def _is_playable(line: str) -> bool:
    """Whether a line is the address of something to play, where no word of the format says so: pages have addresses too."""
    return _suffix(line) in _MEDIA or bool(_SCHEME.match(line) and not line.lower().startswith("http"))


def _suffix(address: str) -> str:
    return found[1].lower() if (found := _SUFFIX.search(address)) else ""


def _file_name(address: str) -> str:
    """What players show of an entry without a title. Of other addresses nothing: their last part may be a password."""
    if _suffix(address) not in _MEDIA:
        return ""
    path = re.sub(r"[?#|].*", "", address) if _SCHEME.match(address) else address
    return PurePosixPath(path.replace("\\", "/")).stem


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda found: _ESCAPED[found[1]], text)
