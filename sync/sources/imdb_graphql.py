"""Lists, watchlists and charts of IMDb by the interface that its own pages use. Off unless whoever runs the site wants it.

It answers anybody and promises nothing. It says with every answer what its data may be used for, and so do we.
"""

import re
from collections.abc import Iterator
from typing import Any

from django import forms
from django.conf import settings

from lists.records import About, Row
from sync.adapters import Adapter, Context, Reach, register
from sync.errors import AccessRefused, BadAnswer, NotFound, SourceRefused
from sync.http import Answer
from sync.sources._asking import Page, goes_on, marks, no_list, whole
from sync.sources._cells import text
from sync.sources._json import as_object
from sync.sources._rows import each_item, media_only
from sync.sources.imdb_page import known_key, parse_row

DISCLAIMER = (
    "IMDb says with every answer that this data is for private, non-commercial use only and must not be shown in public. It "
    "promises nothing about this interface, which may end or refuse at any time."
)
_OFF = (
    "Listkeeper does not ask IMDb here. Export the list at imdb.com/exports and upload that file, or save the page and upload "
    "it; lists at Trakt and MDBList can be read, too. Whoever runs this Listkeeper may allow it by LISTKEEPER_IMDB_GRAPHQL."
)
_SIZE = 250  # things on a page; it gives no more, and its charts have no more
_LIST = re.compile(r"ls\d{1,12}")
_USER = re.compile(r"ur\d{1,12}|p\.[a-z0-9]{1,60}")

_TITLE = """id titleText { text } originalTitleText { text } releaseYear { year } titleType { id text }
  ratingsSummary { aggregateRating voteCount } runtime { seconds } primaryImage { url }
  titleGenres { genres { genre { text } } }"""
_ITEMS = (
    "{ id name { originalText } titleListItemSearch(first: 250, after: $after, sort: { by: LIST_ORDER, order: ASC }) { total"
    " pageInfo { hasNextPage endCursor } edges { node { absolutePosition createdDate } title { " + _TITLE + " } } } }"
)
_QUERIES = {
    "list": "query ($id: ID!, $after: String) { list(id: $id) " + _ITEMS + " }",
    "predefinedList": (
        "query ($id: ID!, $after: String) { predefinedList(classType: WATCH_LIST, userId: $id) " + _ITEMS + " }"
    ),
    "userProfile": "query ($id: ID!) { userProfile(input: { profileId: $id }) { userId } }",
    "chartTitles": (
        "query ($chart: ChartTitleType!) { chartTitles(chart: { chartType: $chart }, first: 250) { total edges { node { "
        + _TITLE + " } } } }"
    ),
    "boxOfficeWeekendChart": "query { boxOfficeWeekendChart(limit: 10) { entries { title { " + _TITLE + " } } } }",
}  # fmt: skip
_CHARTS = {
    "TOP_RATED_MOVIES": "Top 250 films", "TOP_RATED_TV_SHOWS": "Top 250 shows", "MOST_POPULAR_MOVIES": "Most popular films",
    "MOST_POPULAR_TV_SHOWS": "Most popular shows", "LOWEST_RATED_MOVIES": "Lowest rated films",
    "TOP_RATED_ENGLISH_MOVIES": "Top rated English films", "TOP_RATED_INDIAN_MOVIES": "Top rated Indian films",
    "BOX_OFFICE": "Box office of the weekend",
}  # fmt: skip
_PAGES = {
    "top": "TOP_RATED_MOVIES", "toptv": "TOP_RATED_TV_SHOWS", "moviemeter": "MOST_POPULAR_MOVIES",
    "tvmeter": "MOST_POPULAR_TV_SHOWS", "bottom": "LOWEST_RATED_MOVIES", "top-english-movies": "TOP_RATED_ENGLISH_MOVIES",
    "boxoffice": "BOX_OFFICE",
}  # fmt: skip


def _refuse_if_off() -> None:
    if not settings.IMDB_GRAPHQL:
        raise SourceRefused(_OFF)


def _ask(ctx: Context, name: str, **variables: Any) -> Answer:
    _refuse_if_off()
    headers = {"x-imdb-client-name": "imdb-web-next"}
    question = {"query": _QUERIES[name], "variables": variables}
    # Its guard answers 202 with a page, or with nothing.
    answer = ctx.http.post("", json=question, headers=headers, ok=(200, 202), repeatable=True)
    _check(answer)
    return answer


def _check(answer: Answer) -> None:
    """Its errors come with a good status."""
    errors = as_object(answer.json()).get("errors")
    if not isinstance(errors, list) or not errors:
        return
    first = as_object(errors[0])
    code = text(as_object(first.get("extensions")).get("code"))
    if code == "FORBIDDEN":
        raise AccessRefused(
            "This list is private at IMDb. Nothing was removed. Its owner can make it public there, or export and upload it."
        )
    if code == "RESOURCE_NOT_FOUND":
        raise NotFound("IMDb has no such list. Nothing was removed. Look whether its address is right.")
    raise BadAnswer(f"IMDb answered with an error: “{text(first.get('message'))[:200]}”. Nothing was removed.")


def _holder(answer: Answer, name: str) -> dict[str, Any]:
    """What an answer holds under a name. Raises NotFound where that is stated to be nothing."""
    data = as_object(as_object(answer.json()).get("data"))
    if name in data and data[name] is None:
        raise NotFound(
            "IMDb has no such list, or it is private. Nothing was removed. Its owner can make it public there."
        )
    return as_object(data.get(name))


def _edges(answer: Answer, holder: dict[str, Any], key: str = "edges") -> list[Any]:
    if not isinstance(holder.get(key), list):
        raise no_list(answer)
    return list(holder[key])


class _Imdb(Adapter):
    kinds = frozenset({"movie", "show", "episode", "other"})
    service = "imdb"
    attribution = "Information courtesy of IMDb (imdb.com)."

    class Config(forms.Form):
        private = forms.BooleanField(label="I use this list for myself, in private", help_text=DISCLAIMER)

        def clean(self) -> dict[str, Any] | None:
            if not settings.IMDB_GRAPHQL:
                raise forms.ValidationError(_OFF)
            return super().clean()


@register
class ImdbList(_Imdb):
    key = "imdb_list"
    label = "IMDb list or watchlist"
    help = (
        f"A public list or watchlist of IMDb. Needs no account. {DISCLAIMER} Its order is kept, and what leaves it can leave "
        "here: IMDb says how long it is. The safe way is to upload an export."
    )

    class Config(_Imdb.Config):
        list = forms.RegexField(
            rf"^({_LIST.pattern}|{_USER.pattern})$", label="Number", help_text="of a list (ls…), or of a user (ur… or p.…) for "
            "their watchlist",
        )  # fmt: skip

    @classmethod
    def recognises_address(cls, url: str) -> dict[str, Any] | None:
        page = Page.at(url, "imdb.com")
        if page is None:
            return None
        number = page.part(1) if page.part(0) in ("list", "user") else ""
        is_list = page.part(0) == "list" and _LIST.fullmatch(number)
        is_watchlist = page.part(0) == "user" and page.part(2) == "watchlist" and _USER.fullmatch(number)
        if not (is_list or is_watchlist):
            return None
        _refuse_if_off()
        return {"list": number}

    def fetch(self, ctx: Context) -> Iterator[Row]:
        number = ctx.config["list"]
        if number.startswith("p."):
            profile = _holder(_ask(ctx, "userProfile", id=number), "userProfile")
            number = text(profile.get("userId"))
            if not _USER.fullmatch(number):
                raise NotFound(
                    "IMDb did not say whose profile this is. Nothing was removed. Upload an export of the list."
                )
        return _items(ctx, "list" if number.startswith("ls") else "predefinedList", number)


def _items(ctx: Context, name: str, number: str) -> Iterator[Row]:
    """Everything on all pages of a list."""
    cursor, came = None, 0

    def ask(_: int) -> Answer:
        return _ask(ctx, name, id=number, after=cursor)

    def found(answer: Answer) -> dict[str, Any]:
        return as_object(_holder(answer, name).get("titleListItemSearch"))

    for answer in ctx.http.pages(ask, lambda answer: marks(_edges(answer, found(answer)), known_key)):
        if not came and (title := text(as_object(_holder(answer, name).get("name")).get("originalText"))):
            yield About(title)
        connection = found(answer)
        total = whole(connection.get("total"))
        if total is not None:
            ctx.expect(max(ctx.expected or 0, total))
        edges = _edges(answer, connection)
        yield from each_item(edges, parse_row, key_of=known_key, before=came)
        came += len(edges)
        info = as_object(connection.get("pageInfo"))
        cursor, more = info.get("endCursor"), info.get("hasNextPage")
        if not (goes_on(len(edges), limit=_SIZE, came=came, total=total) if more is None else more):
            return
        if not cursor:
            raise BadAnswer("IMDb does not say where its list goes on.")


@register
class ImdbChart(_Imdb):
    key = "imdb_chart"
    label = "IMDb chart"
    help = (
        f"A chart of IMDb, such as its top 250. Needs no account. {DISCLAIMER} Each reading takes the place of the last, and what "
        "has left the chart leaves the list."
    )
    reach = Reach.WINDOW
    mode = "rolling"

    class Config(_Imdb.Config):
        chart = forms.ChoiceField(choices=list(_CHARTS.items()))

    @classmethod
    def recognises_address(cls, url: str) -> dict[str, Any] | None:
        page = Page.at(url, "imdb.com")
        chart = _PAGES.get(page.part(1)) if page and page.part(0) == "chart" else None
        if chart is None:
            return None
        _refuse_if_off()
        return {"chart": chart}

    def fetch(self, ctx: Context) -> Iterator[Row]:
        chart = ctx.config["chart"]
        if chart == "BOX_OFFICE":
            answer = _ask(ctx, "boxOfficeWeekendChart")
            edges = _edges(answer, _holder(answer, "boxOfficeWeekendChart"), "entries")
        else:
            answer = _ask(ctx, "chartTitles", chart=chart)
            found = _holder(answer, "chartTitles")
            edges = _edges(answer, found)
            if (total := whole(found.get("total"))) is not None:
                ctx.expect(min(total, _SIZE))
        return media_only(each_item(edges, parse_row, key_of=known_key))
