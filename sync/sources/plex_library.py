"""A library of a Plex server, or a collection in it."""

from collections.abc import Iterator
from typing import Any

from django import forms

from lists.records import About, Row
from sync.adapters import Adapter, Context, register
from sync.errors import BadAnswer, SourceRefused
from sync.sources import _plex
from sync.sources._cells import text
from sync.sources._json import as_object

_TYPES = {"movie": 1, "show": 2}
_HELP = "Needs an account with your server's address and token. What leaves it can leave here: the server says how much it has."


@register
class PlexLibrary(Adapter):
    key = "plex_library"
    label = "Plex library"
    help = f"All films or shows in a library of your Plex server, in the server's order. {_HELP}"
    kinds = frozenset({"movie", "show"})
    service = "plex_server:"

    class Config(forms.Form):
        library = forms.CharField(max_length=200, help_text="its name or number")

    def fetch(self, ctx: Context) -> Iterator[Row]:
        url, token = ctx.secret("url").rstrip("/"), ctx.secret("token")
        library = _library(_plex.container(ctx, f"{url}/library/sections", token), ctx.config["library"])
        yield About(text(library.get("title")))
        path = f"{url}/library/sections/{text(library.get('key'))}/all"
        yield from _plex.rows(ctx, path, token, type=_TYPES[library["type"]], includeGuids=1)


def _library(answer: Any, wanted: str) -> dict[str, Any]:
    """Raises SourceRefused if there is none of that name or number with films or shows in it."""
    stated = as_object(as_object(answer.json()).get("MediaContainer")).get("Directory")
    if not isinstance(stated, list):
        raise BadAnswer(
            f"{answer.service} did not say which libraries it has. Nothing was read, and nothing was removed."
        )
    libraries = [library for library in map(as_object, stated) if library.get("type") in _TYPES]
    for library in libraries:
        if wanted in (text(library.get("key")), text(library.get("title"))):
            return library
    there = ", ".join(text(library.get("title"))[:40] for library in libraries[:20]) or "none with films or shows"
    raise SourceRefused(f"The server has no library “{wanted[:40]}”. Nothing was read or removed. It has: {there}.")


@register
class PlexCollection(Adapter):
    key = "plex_collection"
    label = "Plex collection"
    help = f"A collection of your Plex server, in its order. {_HELP}"
    kinds = frozenset({"movie", "show", "season", "episode"})
    service = "plex_server:"

    class Config(forms.Form):
        id = forms.IntegerField(
            min_value=1, label="Number of the collection", help_text="in its address, behind metadata/"
        )

    def fetch(self, ctx: Context) -> Iterator[Row]:
        url, token = ctx.secret("url").rstrip("/"), ctx.secret("token")
        return _plex.rows(ctx, f"{url}/library/collections/{ctx.config['id']}/children", token, includeGuids=1)
