"""Pages of lists, watchlists and charts that somebody saved at imdb.com, and what its GraphQL host answers for a list.

A page carries its list as JSON (__NEXT_DATA__), but only as much of it as it shows.
"""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

from lists.records import About, NotTaken, Record, Row
from sync.adapters import Context, FileAdapter, register
from sync.errors import BadPayload
from sync.sources._cells import filled, kind_of, text, web_address
from sync.sources._columns import date_of_parts, place_of, read_cells
from sync.sources._ids import imdb_id
from sync.sources._json import Document, as_object
from sync.sources._rows import each_item, media_only
from sync.text import HEAD, Sniff, looks_like

# The connections that hold the things of a list or chart, and how deep they lie at most.
_CONNECTIONS = ("titleListItemSearch", "nameListItemSearch", "chartTitles")
_DEPTH = 6
_IMDBS = re.compile(
    r"<title>[^<]{0,200}\bIMDb\b|<(?:meta|link)[^<>]{0,200}(?:og:url|canonical)[^<>]{0,200}//(?:www|m)\.imdb\.com/",
    re.IGNORECASE,
)
_SCRIPT = re.compile(r"""<script\b[^<>]{0,200}\bid=["']?__NEXT_DATA__["']?[^<>]{0,200}>""")
_TITLE = re.compile(r"<title[^<>]{0,200}>([^<]{1,500})</title", re.IGNORECASE)
_LINK = re.compile(r"""<link\b[^<>]{0,200}\brel="canonical"[^<>]{0,200}\bhref="([^"<>]{1,1000})""", re.IGNORECASE)
# What the guard of the site shows in place of a page.
_ROBOT_CHECK = re.compile(r"awswaf|gokuProps", re.IGNORECASE)
_SIGN_IN = re.compile(r"<title>[^<]{0,100}sign[ -]?in|ap_signin_form", re.IGNORECASE)
_CONSENT = re.compile(r"<title>[^<]{0,100}(?:consent|cookie)", re.IGNORECASE)
_WAY_OUT = "Nothing was read. Export the list at imdb.com/exports and upload that file."


@register
class ImdbPage(FileAdapter):
    key = "imdb_page"
    label = "IMDb page (saved)"
    help = "A list, watchlist or chart at imdb.com, saved with the browser. An export from imdb.com/exports knows more."
    kinds = frozenset({"movie", "show", "episode", "other"})

    @classmethod
    def recognises(cls, sniff: Sniff) -> float:
        if sniff.json:
            return 0.9 if _Shown.of(sniff.document) else 0
        if looks_like(sniff.head) != "a web page":
            return 0
        if "__NEXT_DATA__" in sniff.head and any(f'"{name}"' in sniff.head for name in _CONNECTIONS):
            return 0.95
        if _IMDBS.search(sniff.head):
            return 0.9
        return 0.4 if _ROBOT_CHECK.search(sniff.head) else 0

    def fetch(self, ctx: Context) -> Iterator[Row]:
        if looks_like(ctx.text) == "a web page":
            page = _Page(ctx.text)
            shown, about = page.shown, page.about
        else:
            shown, about = _answered(Document(ctx.text).value), About()
        if title := text(as_object(shown.holder.get("name")).get("originalText")):
            about = About(title[:200], about.facts)
        if about.title or about.facts:
            yield about
        if isinstance(total := shown.connection.get("total"), int):
            ctx.expect(int(total))
        yield from media_only(each_item(shown.edges, parse_row, key_of=known_key))


class _Shown:
    """The part of a page's or an answer's data that is the list. holder: the object in which the connection lies."""

    def __init__(self, holder: dict[str, Any], connection: dict[str, Any]):
        self.holder, self.connection = holder, connection
        self.edges: list[Any] = connection["edges"]

    @classmethod
    def of(cls, data: Any, depth: int = _DEPTH) -> "_Shown | None":
        if not isinstance(data, dict) or not depth:
            return None
        for name in _CONNECTIONS:
            if isinstance(as_object(data.get(name)).get("edges"), list):
                return cls(data, data[name])
        return next((found for part in data.values() if (found := cls.of(part, depth - 1))), None)


class _Page:
    """A saved page. Raises BadPayload, with the reason and the way out, if it shows no list.

    No tree is built of it: the parsers that do take a minute for some 100,000 elements in one another, and all that is
    needed are the script with the data and the title.
    """

    def __init__(self, content: str):
        script = _SCRIPT.search(content)
        if script is None:
            raise BadPayload(_why_no_list(content[:HEAD]))
        end = content.find("</script", script.end())
        try:
            data = Document(content[script.end() : end if end > 0 else None]).value
        except BadPayload:
            raise BadPayload(f"The page was cut off or is damaged: its data cannot be read. {_WAY_OUT}") from None
        shown = _Shown.of(data)
        if shown is None:
            raise BadPayload(_what_else(data))
        self.shown = shown
        self.about = _about(content[:HEAD])


def _about(head: str) -> About:
    title, link = _TITLE.search(head), _LINK.search(head)
    named = " ".join(unescape(title[1]).split()).removesuffix("- IMDb").strip() if title else ""
    return About(named[:200], filled({"url": web_address(unescape(link[1])) if link else None}))


def _why_no_list(head: str) -> str:
    if _ROBOT_CHECK.search(head):
        return f"This is a check for robots that the site showed in place of the list. {_WAY_OUT}"
    if _SIGN_IN.search(head):
        return f"This is the page where one signs in at IMDb, not a list. {_WAY_OUT}"
    if _CONSENT.search(head):
        return f"This page asks for consent to cookies and shows no list. {_WAY_OUT}"
    return f"This page holds no list of IMDb. {_WAY_OUT}"


def _what_else(data: Any) -> str:
    """A page of one title is refused: taken for a list, it would say that all other titles have left."""
    props = as_object(as_object(as_object(data).get("props")).get("pageProps"))
    title = as_object(props.get("aboveTheFoldData"))
    name = text(as_object(title.get("titleText")).get("text"))[:100]
    if not name:
        return f"This page of IMDb shows no list. {_WAY_OUT}"
    return (
        f'This is the page of one title ("{name}", {text(title.get("id"))[:20]}), not of a list. Nothing was read. Add the '
        "title to a list by hand, or upload a page or an export of a list."
    )


def _answered(answer: Any) -> _Shown:
    """The list in an answer of the GraphQL host."""
    if shown := _Shown.of(answer):
        return shown
    errors = as_object(answer).get("errors")
    first = as_object(errors[0]) if isinstance(errors, list) and errors else {}
    if message := text(first.get("message"))[:200]:
        raise BadPayload(f'IMDb answered with an error in place of a list: "{message}". {_WAY_OUT}')
    raise BadPayload(f"There is no list in this answer: it may be private, or gone. {_WAY_OUT}")


def parse_row(edge: Any, place: int) -> Record | NotTaken:
    """One edge of a list or chart. Raises BadPayload."""
    thing = _thing(edge)
    if text(thing.get("id")).startswith("nm"):
        return NotTaken(None, "person")
    imdb = imdb_id(thing.get("id"))
    if imdb is None:
        raise BadPayload("There is no title in this row of the page.")
    type_ = as_object(thing.get("titleType"))
    kind = kind_of(type_.get("id")) or kind_of(type_.get("text")) or "movie"
    node = as_object(edge.get("node"))
    values = _values(thing, node) | filled({"title_type": text(type_.get("text")) or text(type_.get("id"))})
    place = place_of(node.get("absolutePosition") or edge.get("currentRank"), place)
    return Record(key=imdb, kind=kind, values=values, ids={"imdb": imdb}, position=place)


def _thing(edge: Any) -> dict[str, Any]:
    """What an edge is about: in a list it stands beside the node, in a chart it is the node."""
    edge = as_object(edge)
    return next((edge[name] for name in ("listItem", "title", "name", "node") if isinstance(edge.get(name), dict)), {})


def _values(thing: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    def inner(*path: str) -> Any:
        value: Any = thing
        for name in path:
            value = as_object(value).get(name)
        return value

    stated = inner("titleGenres", "genres")
    genres = stated if isinstance(stated, list) else []
    cells = {
        "title": inner("titleText", "text"),
        "original_title": inner("originalTitleText", "text"),
        "year": inner("releaseYear", "year"),
        "release_date": date_of_parts(inner("releaseDate")),
        "rating": inner("ratingsSummary", "aggregateRating"),
        "votes": inner("ratingsSummary", "voteCount"),
        "poster": inner("primaryImage", "url"),
        "overview": inner("plot", "plotText", "plainText"),
        "genres": [text(as_object(as_object(genre).get("genre")).get("text")) for genre in genres],
        "added_on": node.get("createdDate"),
    }
    values = read_cells(cells)
    seconds = inner("runtime", "seconds")
    if isinstance(seconds, int) and seconds > 0:
        values["runtime_s"] = int(seconds)
    return values


def known_key(edge: Any) -> str | None:
    try:
        return imdb_id(_thing(edge).get("id"))
    except BadPayload:
        return None
