"""Feeds saved as files: RSS 2.0 and 1.0, Atom; what Letterboxd, IMDb, Plex and Torznab services put into them.

Read with our own XML reader, not with feedparser: that one takes a damaged feed for a short one, builds the whole in
memory, does not say on which line an item stands and drops attributes that repeat, as those of Torznab do.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from html import unescape
from typing import Any

from selectolax.lexbor import LexborHTMLParser

from lists.records import About, NotTaken, Record, Row, Unreadable
from sync.adapters import Context, FileAdapter, Reach, register
from sync.errors import BadPayload
from sync.sources._cells import day, decimal, filled, kind_of, web_address, whole
from sync.sources._cells import year as year_of
from sync.sources._columns import year_from_title
from sync.sources._html import shallow
from sync.sources._ids import external_ids, ids_in_address, kind_beside
from sync.sources._rows import media_only
from sync.sources._xml import Element, read_xml, root_tag
from sync.text import Sniff

KINDS = frozenset({"movie", "show", "season", "episode", "other"})

# A feed shows the newest entries: nobody's is near to these.
MAX_MIB = 10
MAX_ITEMS = 20_000
_MARKUP = 20_000  # letters of a description that are looked at

# How the extensions of feeds are called here, by the end of their namespaces' addresses.
_EXTENSIONS = {
    "letterboxd.com": "letterboxd",
    "themoviedb.org": "tmdb",
    "purl.org/dc/elements/1.1": "dc",
    "purl.org/rss/1.0/modules/content": "content",
    "torznab.com/schemas/2015/feed": "newznab",
    "newznab.com/DTD/2010/feeds/attributes": "newznab",
}
_ATOM = ("www.w3.org/2005/Atom", "purl.org/atom/ns#")
_RSS_1 = ("purl.org/rss/1.0", "my.netscape.com/rdf/simple/0.9")
_NO_FEEDS = {
    "opml": "This is a list of feeds (OPML), not a feed. Nothing was read. Save one of the feeds that it names.",
    "caps": "This says what a service can do (Newznab “caps”), not what it lists. Nothing was read. Save its feed.",
}

_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]\w{1,30});", re.IGNORECASE)
# Where lines of text part.
_BLOCK = re.compile(
    r"</?(?:p|br|hr|div|section|article|header|footer|main|center|[duo]l|d[dt]|li|tr|t[dh]|table|tbody|blockquote|pre|figure|h[1-6])"
    r"(?![\w-])[^<>]{0,500}>",
    re.IGNORECASE,
)
_EPISODE = re.compile(r"(?<![a-z0-9])S(\d{1,4})[ ._]?E(\d{1,4})(?!\d)", re.IGNORECASE)
# IMDb: "Visitors (2013 Documentary)"; others: "Visitors, 2013".
_YEAR_AND_TYPE = re.compile(r"\s\(((?:18|19|20|21)\d\d)(?:[-–]\d{0,4})?\s([A-Z][A-Za-z -]{1,30})\)$")
_YEAR_BEHIND_COMMA = re.compile(r",\s((?:18|19|20|21)\d\d)$")
_SCHEME_ID = re.compile(r"(imdb|tmdb|tvdb)://([\w/-]{1,40})", re.IGNORECASE)
_IMDB_PAGE = re.compile(r"https?://(?:\w+\.)?imdb\.com/title/tt\d{7,10}", re.IGNORECASE)
_ADDRESS = re.compile(r"\S*://\S*")
_WATCHED_LINE = re.compile(r"^Watched on .{5,40}\.$\n?", re.MULTILINE)


@register
class Feed(FileAdapter):
    key = "feed"
    label = "RSS or Atom feed"
    help = "A feed saved as a file. It shows the newest entries only, so nothing leaves the list by it."
    kinds = KINDS
    reach = Reach.WINDOW
    mode = "collecting"
    origin = "rss"

    @classmethod
    def recognises(cls, sniff: Sniff) -> float:
        root, attributes = root_tag(sniff.head)
        names = {"feed": _ATOM, "RDF": _RSS_1}.get(root)
        if root == "rss" or (names and any(name in attributes for name in names)):
            return 0.95
        return 0.3 if root in _NO_FEEDS or root == "error" else 0

    def fetch(self, ctx: Context) -> Iterator[Row]:
        yield from media_only(read_feed(ctx))


def read_feed(ctx: Context, *, may_be_empty: bool = False) -> Iterator[Row]:
    """The items of a feed. Raises BadPayload for what is none."""
    if len(ctx.payload) > MAX_MIB * 2**20:
        raise BadPayload(f"This feed is larger than {MAX_MIB} MiB. Nothing was read. Save a page of it at a time.")
    elements = read_xml(ctx, "a feed", opened=frozenset({"channel"}))
    root = next(elements)
    _check_root(root)
    home, place, title = root.namespace, 0, ""
    for element in elements:
        if element.name == "channel":
            home = element.namespace
        elif element.name in ("item", "entry"):
            place += 1
            if place > MAX_ITEMS:
                reason = f"The feed holds more than {MAX_ITEMS:,} items. Nothing was read. Save a page of it at a time."
                raise BadPayload(reason, line=element.line)
            yield _row(Item(element), place)
        elif element.name == "title" and element.namespace == home and not title:  # an extension's is not the feed's
            title = plain_title(element)
            yield About(title)
    if not place and not may_be_empty:
        raise BadPayload("The feed holds no items. Nothing was read.")


def _check_root(root: Element) -> None:
    if root.name == "error":
        said = ": ".join(filter(None, (root.attributes.get("code"), root.attributes.get("description"))))
        said = _ADDRESS.sub("…", said[:200])
        raise BadPayload(
            f"The service answered with an error instead of a feed{f' (“{said}”)' if said else ''}. Nothing was read. "
            "Check your login there and save the feed again.",
            line=root.line,
        )
    if root.name not in ("rss", "RDF", "feed"):
        reason = f"This is XML of another kind (“{root.name[:40]}”), not a feed. Nothing was read."
        raise BadPayload(_NO_FEEDS.get(root.name, reason), line=root.line)


class Item:
    """An item or entry: what it tells by name, "title" or "letterboxd:filmTitle"; of extensions that we do not know,
    nothing."""

    def __init__(self, element: Element):
        self.line = element.line
        self._told: dict[str, list[Element]] = {}
        for part in element.elements:
            prefix = "" if part.namespace == element.namespace else _extension(part.namespace)
            if prefix is not None:
                self._told.setdefault(f"{prefix}:{part.name}" if prefix else part.name, []).append(part)

    def all(self, name: str) -> list[Element]:
        return self._told.get(name, [])

    def first(self, *names: str) -> str:
        """The first text that stands under one of the names; "" if none does."""
        return next((text for name in names for part in self.all(name) if (text := part.text)), "")

    @property
    def title(self) -> str:
        return next((title for part in self.all("title") if (title := plain_title(part))), "")

    @property
    def link(self) -> str:
        """Atom has it in an attribute, and links of other purposes beside it."""
        pages = (part for part in self.all("link") if part.attributes.get("rel", "alternate") == "alternate")
        return next((link for part in pages if (link := part.attributes.get("href", "").strip() or part.text)), "")

    @property
    def guid(self) -> str:
        return self.first("guid", "id")

    @property
    def key(self) -> str | None:
        return self.guid or self.link or self.title or None

    @property
    def description(self) -> str:
        """HTML, as it came."""
        return self.first("description", "summary", "content:encoded", "content")[:_MARKUP]

    @property
    def attributes(self) -> dict[str, str]:
        """Those of Torznab and Newznab, the first of each name."""
        said = [
            (part.attributes.get("name", ""), part.attributes.get("value", "")) for part in self.all("newznab:attr")
        ]
        return dict(reversed(said))


@lru_cache(maxsize=256)
def _extension(namespace: str) -> str | None:
    address = re.sub(r"^https?://(?:www\.)?", "", namespace[:200]).rstrip("/")
    return _EXTENSIONS.get(address)


def plain_title(element: Element) -> str:
    """On one line. A title is text, whose entities may be written twice over; only Atom can say that it is HTML."""
    text = element.text
    if element.attributes.get("type") in ("html", "text/html"):
        text = plain_text(text)
    return " ".join(_ENTITY.sub(lambda found: unescape(found[0]), text).split())


def plain_text(markup: str) -> str:
    """HTML without its tags; paragraphs and lines stay apart."""
    if "<" in markup or "&" in markup:
        tree = _tree(_BLOCK.sub("\n", markup[:_MARKUP]))
        tree.strip_tags(["script", "style"])
        markup = tree.body.text() if tree.body else ""
    lines = (" ".join(line.split()) for line in markup.splitlines())
    return "\n".join(line for line in lines if line)


def _tree(markup: str) -> LexborHTMLParser:
    return LexborHTMLParser(shallow(markup[:_MARKUP]))


def _row(item: Item, place: int) -> Row:
    if not item.first("letterboxd:filmTitle") and item.guid.startswith("letterboxd-"):
        return NotTaken(item.line, "list post")
    try:
        return parse_item(item, place=place)
    except BadPayload as e:
        return Unreadable(item.line, str(e), item.title[:200], item.key)


def parse_item(item: Item, *, place: int) -> Record:
    """Raises BadPayload for an item without a title."""
    of_letterboxd = bool(item.first("letterboxd:filmTitle"))
    if not of_letterboxd and not item.title:
        raise BadPayload("The item has no title.")
    kind, values, ids = _of_letterboxd(item) if of_letterboxd else _of_anybody(item)
    values |= {
        "address": web_address(item.link),
        "added_on": _day(item.first("pubDate", "published", "dc:date", "updated")),
    }
    return Record(
        key=item.key or values["title"], kind=kind, values=filled(values), ids=ids, position=place, line=item.line
    )


def _day(written: str) -> str | None:
    """Services write dates in every manner; an item does not hang on one."""
    with suppress(BadPayload):
        return day(written, "The date")
    return None


def _of_letterboxd(item: Item) -> tuple[str, dict[str, Any], dict[str, str]]:
    """One line of a diary: a film, when it was watched and what the member thought of it (of 5 there, of 10 here)."""
    show, film = item.first("tmdb:tvId"), item.first("tmdb:movieId")
    kind = "show" if show and not film else "movie"
    rating = decimal(item.first("letterboxd:memberRating"), "The rating")
    values = {
        "title": item.first("letterboxd:filmTitle"),
        "year": year_of(item.first("letterboxd:filmYear")),
        "your_rating": rating * 2 if rating is not None and rating <= 5 else None,
        "watched_on": _day(item.first("letterboxd:watchedDate")),
        "rewatch": {"yes": 1, "no": 0}.get(item.first("letterboxd:rewatch").lower()),
        "poster": _first_image(item.description),
        "note": _WATCHED_LINE.sub("", plain_text(item.description)).strip(),
    }
    return kind, values, _stated_ids({"tmdb": film or show}, kind)


def _first_image(markup: str) -> str | None:
    image = _tree(markup).css_first("img") if "<img" in markup else None
    return web_address(image.attributes.get("src")) if image else None


def _of_anybody(item: Item) -> tuple[str, dict[str, Any], dict[str, str]]:
    values: dict[str, Any] = {"title": item.title, "overview": plain_text(item.description)}
    if found := _EPISODE.search(item.title):
        # Ids and pages beside the name of an episode are mostly its show's: they would make all episodes one.
        values |= {"season": int(found[1]), "episode": int(found[2])}
        return "episode", values | {"show_title": _show_title(item.title[: found.start()])}, {}
    linked = _linked_ids(item)
    values |= _year_and_type(item.title)
    kind = kind_of(values.get("title_type")) or _stated_kind(item) or kind_beside(linked.get("tmdb")) or "movie"
    if kind in ("movie", "show"):
        values = year_from_title(values)
    attributes = item.attributes
    values["poster"] = web_address(attributes.get("coverurl"))
    cells = {name: attributes.get(name) or attributes.get(f"{name}id") for name in ("imdb", "tmdb", "tvdb")}
    if found := _SCHEME_ID.fullmatch(item.guid):
        cells[found[1].lower()] = found[2]
    return kind, values, linked | _stated_ids(cells, kind)


def _show_title(before: str) -> str:
    """ "Better.Call.Saul." -> "Better Call Saul"."""
    words = before if " " in before.strip() else re.sub(r"[._]", " ", before)
    return words.strip(" -–:|([")


def _year_and_type(title: str) -> dict[str, Any]:
    if (found := _YEAR_AND_TYPE.search(title)) and kind_of(found[2]) in KINDS:
        return {"title": title[: found.start()].strip(), "year": int(found[1]), "title_type": found[2]}
    if found := _YEAR_BEHIND_COMMA.search(title):
        return {"title": title[: found.start()].strip(), "year": int(found[1])}
    return {}


def _stated_kind(item: Item) -> str | None:
    """By a category that is one plain word, or by Newznab's numbers: 2000 and more are films, 5000 and more are TV."""
    words = [part.text or part.attributes.get("term", "") for part in item.all("category")]
    kinds = [kind_of(word) for word in (*words, item.attributes.get("type"))]
    codes = [
        part.attributes.get("value", "")
        for part in item.all("newznab:attr")
        if part.attributes.get("name") == "category"
    ]
    numbered = [
        {"2": "movie", "5": "show"}.get(code[0], "other") for code in codes if re.fullmatch(r"[1-9]\d{3}", code)
    ]
    return next((kind for kind in (*kinds, *numbered) if kind in KINDS), None)


def _linked_ids(item: Item) -> dict[str, str]:
    """By the pages that the item links to; by those in its description only if they are all of one title."""
    for address in (item.link, item.guid, item.first("comments")):
        if ids := ids_in_address(address[:500]):
            return ids
    pages = set(map(str.lower, _IMDB_PAGE.findall(item.description)))
    found = {tuple(ids_in_address(page).items()) for page in pages}
    return dict(found.pop()) if len(found) == 1 else {}


def _stated_ids(cells: dict[str, str | None], kind: str) -> dict[str, str]:
    """Ids that cannot be read are left out: the item has its own key."""
    if (imdb := cells.get("imdb")) and imdb.isdecimal():  # Newznab leaves out the letters
        number = whole(imdb, "IMDb id") if len(imdb) <= 10 else 0
        cells = cells | {"imdb": f"tt{number:07}" if number else None}
    ids: dict[str, str] = {}
    for namespace, cell in cells.items():
        with suppress(BadPayload):
            ids |= external_ids({namespace: cell}, kind) if cell else {}
    return ids
