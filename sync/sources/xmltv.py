"""TV guides in XMLTV: their channels. What is on air is counted, not taken: a guide is renewed every day."""

from collections.abc import Iterable, Iterator

from lists.records import About, Record, Row, Unreadable
from sync.adapters import Context, FileAdapter, register
from sync.errors import BadPayload
from sync.sources._cells import filled, web_address
from sync.sources._xml import Element, read_xml, root_tag
from sync.text import Sniff


@register
class Xmltv(FileAdapter):
    key = "xmltv"
    label = "TV guide (XMLTV)"
    help = "The channels of a programme guide, with the ids by which players find what is on."
    kinds = frozenset({"channel"})
    content = "channels"

    @classmethod
    def recognises(cls, sniff: Sniff) -> float:
        root, _ = root_tag(sniff.head)
        if root != "tv":
            return 0
        return 0.95 if "<channel" in sniff.head or "<programme" in sniff.head else 0.5

    def fetch(self, ctx: Context) -> Iterator[Row]:
        elements = read_xml(ctx, "an XMLTV guide", passed=frozenset({"programme"}))
        root = next(elements)
        if root.name != "tv":
            reason = f"This is XML of another kind (“{root.name[:40]}”), not an XMLTV guide. Nothing was read."
            raise BadPayload(reason, line=root.line)
        channels = programmes = 0
        for element in elements:
            programmes += element.name == "programme"
            if element.name == "channel":
                channels += 1
                yield _row(element, channels)
        if not channels:
            counted = f"{programmes:,} programme{'s' if programmes > 1 else ''}"
            reason = f"The guide names no channel, only {counted}" if programmes else "The guide is empty"
            raise BadPayload(f"{reason}. Nothing was read.")
        yield About(facts={"programmes": str(programmes)})


def _row(channel: Element, place: int) -> Row:
    key = channel.attributes.get("id", "").strip()
    names = list(dict.fromkeys(name for part in _all(channel, "display-name") if (name := part.text)))
    if not key:
        return Unreadable(channel.line, "The channel has no id.", (names or [""])[0][:200])
    title = (names or [key])[0]
    values = {
        "title": title,
        "guide_id": key,
        "guide_name": ", ".join(names[1:]),
        "poster": _first_address(part.attributes.get("src") for part in _all(channel, "icon")),
        "address": _first_address(part.text for part in _all(channel, "url")),
    }
    return Record(key=key, kind="channel", values=filled(values), position=place, line=channel.line)


def _all(channel: Element, name: str) -> list[Element]:
    return [part for part in channel.elements if part.name == name]


def _first_address(words: Iterable[str | None]) -> str | None:
    return next((address for word in words if (address := web_address(word))), None)
