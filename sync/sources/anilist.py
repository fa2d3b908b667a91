"""What somebody keeps at AniList."""

from collections.abc import Iterator
from typing import Any

from django import forms

from lists.records import Row
from sync.adapters import Adapter, Context, register
from sync.errors import AccessRefused, BadAnswer, NotFound, SourceUnavailable
from sync.http import Answer
from sync.sources._asking import Page, goes_on, marks, no_list
from sync.sources._cells import text
from sync.sources._json import as_object
from sync.sources.anilist_json import known_key, read_lists

_STATES = [
    ("", "All"), ("PLANNING", "Planning"), ("CURRENT", "Watching"), ("COMPLETED", "Completed"), ("REPEATING", "Rewatching"),
    ("PAUSED", "Paused"), ("DROPPED", "Dropped"),
]  # fmt: skip
_PART = 500  # entries in an answer
_MOST = 100  # parts
_QUERY = """
query ($user: String, $states: [MediaListStatus], $chunk: Int, $perChunk: Int) {
  MediaListCollection(userName: $user, type: ANIME, status_in: $states, chunk: $chunk, perChunk: $perChunk) {
    hasNextChunk
    user { mediaListOptions { scoreFormat } }
    lists { name isCustomList entries {
      status score progress repeat notes createdAt completedAt { year month day }
      media { id idMal type format status description(asHtml: false) duration genres averageScore seasonYear siteUrl
        bannerImage coverImage { extraLarge large } startDate { year month day } title { romaji english native userPreferred } }
    } }
  }
}
"""


@register
class AnilistList(Adapter):
    key = "anilist_list"
    label = "AniList anime list"
    help = (
        "The anime that somebody keeps at AniList. Public lists need no account, private ones your AniList account. AniList does "
        "not say how long a list is, so what leaves it leaves here after a second look. It has no order of its own; each season "
        "is an entry."
    )
    kinds = frozenset({"movie", "show", "other"})
    service = "anilist"
    attribution = "Data by AniList."

    class Config(forms.Form):
        user = forms.RegexField(r"^[A-Za-z0-9]{1,40}$", help_text="their name at AniList")
        status = forms.ChoiceField(choices=_STATES, required=False, label="Which")

    @classmethod
    def recognises_address(cls, url: str) -> dict[str, Any] | None:
        page = Page.at(url, "anilist.co")
        if page is None or page.part(0) != "user" or page.part(2) not in ("", "animelist"):
            return None
        status = {"watching": "CURRENT"}.get(page.part(3).lower(), page.part(3).upper())
        return {"user": page.part(1)} | ({"status": status} if status and status in dict(_STATES) else {})

    def fetch(self, ctx: Context) -> Iterator[Row]:
        token = ctx.secrets.get("token")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        states = [ctx.config["status"]] if ctx.config.get("status") else None

        def ask(chunk: int) -> Answer:
            variables = {"user": ctx.config["user"], "states": states, "chunk": chunk, "perChunk": _PART}
            question = {"query": _QUERY, "variables": variables}
            return ctx.http.post("", json=question, headers=headers, ok=(200, 404), repeatable=True)

        lists: list[Any] = []
        collection: dict[str, Any] = {}
        broken: SourceUnavailable | None = None
        try:
            for answer in ctx.http.pages(ask, _marks, most=_MOST):
                collection = _collection(answer)
                lists += collection["lists"]
                more = collection.get("hasNextChunk")
                if not (goes_on(len(_marks(answer)), limit=_PART) if more is None else more):
                    break
        except SourceUnavailable as e:
            if not lists:
                raise
            broken = e
        # A list of somebody's own may go on in the next part, so all of it is read as one.
        yield from read_lists({"data": {"MediaListCollection": collection | {"lists": lists}}})
        if broken is not None:
            raise broken


def _marks(answer: Answer) -> list[str]:
    parts = map(as_object, _collection(answer)["lists"])
    entries = [entry for part in parts if isinstance(part.get("entries"), list) for entry in part["entries"]]
    return marks(entries, known_key)


def _collection(answer: Answer) -> dict[str, Any]:
    """Raises SourceError for an answer that tells of an error, or that holds no lists."""
    said = as_object(answer.json())
    errors = said.get("errors")
    message = text(as_object(errors[0]).get("message"))[:200] if isinstance(errors, list) and errors else ""
    if "private" in message.lower():
        raise AccessRefused("This list is private at AniList. Nothing was removed. Connect the account of its owner.")
    if answer.status == 404:
        raise NotFound("AniList knows nobody of this name. Nothing was removed. Look whether it is written right.")
    if errors:
        raise BadAnswer(f"AniList answered with an error: “{message}”. Nothing was removed.")
    collection = as_object(as_object(said.get("data")).get("MediaListCollection"))
    if not isinstance(collection.get("lists"), list):
        raise no_list(answer)
    return collection
