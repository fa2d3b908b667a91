"""Pages of 1001Tracklists as a browser saves them: the plays of a set with their times, mashup parts and "w/" rows.

A page is cut at its rows and each is parsed by itself. The structure around them says nothing that we need, and a whole
page with deep nesting costs the HTML parser quadratic time.
"""

import re
from collections.abc import Iterator
from itertools import islice, pairwise

from selectolax.lexbor import LexborHTMLParser, LexborNode

from lists.records import About, Record, Row, Unreadable
from lists.titles import fold
from sync.adapters import Context, FileAdapter, register
from sync.errors import BadPayload
from sync.sources._cells import filled
from sync.sources._html import shallow
from sync.sources._tracks import LONGEST_CUE_MS, named, split_name
from sync.text import Sniff

SITE = "https://www.1001tracklists.com"
MAX_SIGNS = 16 * 2**20  # of a page; the longest real ones have a tenth
MAX_ROWS = 1500
ROW_TAGS, HEAD_TAGS = 500, 5000  # of a part that are parsed; a real row has about a hundred

SURE, UNSURE = 0.9, 0.5  # of a play that is named, of one that is not quite

# A quotation of the site's name proves nothing: the page itself must say that it is one of the site's.
_OF_SITE = re.compile(
    r'<meta\b[^<>]{0,200}\bcontent="1001Tracklists"'
    r'|<link\b[^<>]{0,200}\bhref="https?://(?:www\.)?1001tracklists\.com[/"]'
    r"|saved from url=\(\d{1,9}\)https?://(?:www\.)?1001tracklists\.com/",
    re.IGNORECASE,
)
_TAG = re.compile(r"</?[a-z]", re.IGNORECASE)
_DIV = re.compile(r"<div\b[^<>]{0,1000}")
_ROW_ID = re.compile(r'\sid="tlp_')
_ROW_CLASS = re.compile(r'\sclass="[^"]{0,300}\btlpItem\b')
_DATE = re.compile(r"\s+(\d{4}-\d\d-\d\d)$")
_CLOCK = re.compile(r"(?:(\d{1,2}):)?(\d{1,3}):(\d\d)")
_LENGTH = re.compile(r"PT(?:(\d{1,3})H)?(?:(\d{1,4})M)?(?:(\d{1,4})S)?")
_AGAIN = "Open the tracklist itself, wait until its tracks show, and save the page again."


@register
class Tracklists1001(FileAdapter):
    key = "tracklists_1001"
    label = "1001Tracklists page"
    help = "The page of a tracklist, saved in the browser after its tracks have appeared."
    kinds = frozenset({"track"})
    content = "tracks"

    @classmethod
    def recognises(cls, sniff: Sniff) -> float:
        return 0.95 if _is_of_site(sniff.head) else 0

    def fetch(self, ctx: Context) -> Iterator[Row]:
        page = ctx.text
        if not _is_of_site(page[:MAX_SIGNS]):
            raise BadPayload("This is no page of 1001Tracklists. Nothing was read.")
        if len(page) > MAX_SIGNS:
            raise BadPayload("No tracklist page is as large as this one. Nothing was read.")
        parts = _parts(page)
        head = LexborHTMLParser(shallow(_cut(parts[0], HEAD_TAGS)))
        stated = _number(_attribute(head, "#tlTab", "data-count") or _meta(head, "numTracks"))
        if len(parts) == 1:
            raise BadPayload(_why_empty(head, stated))
        rows = list(_rows(parts[1:]))
        if stated:
            ctx.expect(stated)
        yield _about(head, [row for row in rows if isinstance(row, Record)])
        yield from rows


def _is_of_site(head: str) -> bool:
    return head.lstrip()[:1] == "<" and _OF_SITE.search(head) is not None


def _parts(page: str) -> list[str]:
    """What stands before the first row, then row by row."""
    starts = [at.start() for at in _DIV.finditer(page) if _ROW_ID.search(at[0]) and _ROW_CLASS.search(at[0])]
    if len(starts) > MAX_ROWS:
        raise BadPayload(f"The page has {len(starts):,} rows; no tracklist is that long. Nothing was read.")
    return [page[start:end] for start, end in pairwise([0, *starts, len(page)])]


def _cut(part: str, tags: int) -> str:
    """A part without what is too much of it: behind the last row stands the rest of the page."""
    too_much = next(islice(_TAG.finditer(part), tags, None), None)
    return part[: too_much.start()] if too_much else part


def _why_empty(head: LexborHTMLParser, stated: int) -> str:
    if head.css_first('input[name="captcha"]') or "please wait" in _text(head.body, 2000).lower():
        return (
            f"This is the page on which 1001Tracklists lets people wait, not the tracklist. Nothing was read. {_AGAIN}"
        )
    if stated:
        return f"The page says that it has {stated} tracks and shows none of them. Nothing was read. {_AGAIN}"
    return (
        f"This page of 1001Tracklists is no tracklist: the front page, perhaps, or a search. Nothing was read. {_AGAIN}"
    )


def _rows(parts: list[str]) -> Iterator[Record | Unreadable]:
    cue_ms: int | None = None  # of the row that stands by itself; its parts begin with it
    for place, part in enumerate(parts, 1):
        row = LexborHTMLParser(shallow(_cut(part, ROW_TAGS)))
        record = parse_row(row, place=place, within=cue_ms)
        if isinstance(record, Record) and "played_as" not in record.values:
            cue_ms = record.values.get("cue_ms")
        yield record


def parse_row(row: LexborHTMLParser, *, place: int, within: int | None = None) -> Record | Unreadable:
    """within: the time of the last play that is no part of another, in milliseconds."""
    name = _spaced(_meta(row, "name")) or _text(row.css_first(".trackValue"))
    if not name:
        return Unreadable(None, f"Row {place} of the page names no track.", key=f"{place:03d}")
    artist, title = split_name(name, _spaced(_meta(row, "byArtist")))
    remark = _text(row.css_first(".trackStatus"))  # "(ID Remix)": shown, and not in the page's own data
    if remark and remark not in title:
        title = f"{title} {remark}"
    names = named(artist, title)
    played_as = _played_as(row)
    values = names | {
        "cue_ms": _cue(row, within if played_as else None),
        "played_as": played_as,
        "label": _spaced(_meta(row, "publisher")) or _text(row.css_first(".trackLabel")),
        "bpm": _bpm(row),
        "musical_key": _titled(row, "key")[:20],
        "genres": [_spaced(genre) for genre in _metas(row, "genre")],
        "address": _address(_meta(row, "url")),
        "confidence": SURE if len(names) == 2 and "id" not in fold(remark).split() else UNSURE,
    }
    return Record(key=f"{place:03d}", kind="track", values=filled(values), position=place)


def _played_as(row: LexborHTMLParser) -> str:
    top = row.css_first(".tlpItem")
    if top is not None and top.attributes.get("data-mashpos") == "true":
        return "part"
    return "with" if _text(row.css_first('[id$="_tracknumber_value"]')).startswith("w/") else ""


def _cue(row: LexborHTMLParser, within: int | None) -> int | None:
    """Milliseconds. 0 seconds stand in the form for a time that nobody has entered, unless the row shows a time."""
    seconds = _number(_attribute(row, 'input[id$="_cue_seconds"]', "value"))
    if not seconds:
        shown = _CLOCK.fullmatch(_text(row.css_first(".cue")))
        if shown is None:
            return within if within == 0 else None
        hours, minutes, rest = (int(part or 0) for part in shown.groups())
        seconds = hours * 3600 + minutes * 60 + rest
    return seconds * 1000 if seconds * 1000 <= LONGEST_CUE_MS else None


def _bpm(row: LexborHTMLParser) -> float | None:
    stated = re.match(r"\d{2,3}(?:\.\d{1,3})?(?!\d)", _titled(row, "bpm"))
    return float(stated[0]) if stated else None


def _titled(row: LexborHTMLParser, title: str) -> str:
    """What stands in the element that the page calls so ("BPM", "Key")."""
    return _text(row.css_first(f'[title="{title}" i]'))


def _address(path: str) -> str:
    return f"{SITE}{path}" if re.fullmatch(r"/track/[^\s<>\"]{1,400}", path) else ""


# -- the whole ---------------------------------------------------------------------------------------------------------


def _about(head: LexborHTMLParser, plays: list[Record]) -> About:
    title = _text(head.css_first("#pageTitle")) or _spaced(_meta(head, "name")) or _text(head.css_first("title"))
    who, _, rest = _DATE.sub("", title).partition(" @ ")
    event, _, venue = rest.partition(", ")
    dated = _DATE.search(title)
    facts = {
        "dj": who if rest else _spaced(_meta(head, "author", within="#tlTab")),
        "event": event,
        "venue": venue,
        "date": dated[1] if dated else _meta(head, "datePublished", within="#tlTab")[:10],
        "duration": _duration(_meta(head, "duration")),
        "genre": ", ".join(_spaced(genre) for genre in _metas(head, "genre", within="#tlTab")),
        "url": _page(head),
        "source": "1001Tracklists",
    }
    facts["confidence"] = f"{_confidence(facts, plays):.2f}"
    return About(title, {name: fact[:500] for name, fact in filled(facts).items()})


def _confidence(facts: dict[str, str], plays: list[Record]) -> float:
    """How far the page can be trusted: plays with a time and plays with a name weigh 0.4 each, what it tells of the set
    0.2."""
    told = sum(bool(facts[name]) for name in ("dj", "event", "date", "duration")) / 4
    if not plays:
        return 0.2 * told
    timed = sum("cue_ms" in play.values for play in plays) / len(plays)
    sure = sum(play.values["confidence"] == SURE for play in plays) / len(plays)
    return 0.4 * timed + 0.4 * sure + 0.2 * told


def _duration(stated: str) -> str:
    """ "PT45M53S" -> "0:45:53"."""
    found = _LENGTH.fullmatch(stated)
    if not found or not any(found.groups()):
        return ""
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    whole = hours * 3600 + minutes * 60 + seconds
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def _page(head: LexborHTMLParser) -> str:
    address = _attribute(head, 'link[rel="canonical"]', "href") or _attribute(
        head, 'meta[property="og:url"]', "content"
    )
    return address if re.fullmatch(r"https?://(?:www\.)?1001tracklists\.com/[^\s<>\"]{1,400}", address) else ""


# -- elements ----------------------------------------------------------------------------------------------------------


def _meta(part: LexborHTMLParser, name: str, within: str = "") -> str:
    return next(iter(_metas(part, name, within)), "")


def _metas(part: LexborHTMLParser, name: str, within: str = "") -> list[str]:
    """What the page's data says of a name: <meta itemprop="name" content="...">."""
    return [meta.attributes.get("content") or "" for meta in part.css(f'{within} meta[itemprop="{name}"]'.strip())[:10]]


def _attribute(part: LexborHTMLParser, selector: str, name: str) -> str:
    found = part.css_first(selector)
    return (found.attributes.get(name) or "") if found is not None else ""


def _text(node: LexborNode | None, limit: int = 500) -> str:
    """The words of an element on one line, as the page shows them."""
    if node is None:
        return ""
    return _spaced(node.text()[: limit * 10])[:limit]


def _spaced(text: str) -> str:
    """ "( Ann Vale &nbsp;Remix )" -> "(Ann Vale Remix)"."""
    return re.sub(r"(?<=[(\[]) | (?=[)\]])", "", " ".join(text[:5000].split()))


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"\d{1,7}", text.strip()) else 0
