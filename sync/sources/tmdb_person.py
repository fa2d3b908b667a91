"""What a person has made, by TMDb: as an actor or behind the camera, each title once."""

from collections.abc import Iterator
from typing import Any

from django import forms

from lists.records import Row
from sync.adapters import Adapter, Context, register
from sync.sources import _tmdb
from sync.sources._asking import Page, listed
from sync.sources._json import as_object

_WHAT = [("", "Films and shows"), ("movie", "Films"), ("tv", "Shows")]
_AS = [
    ("", "Everything"), ("cast", "Acting"), ("Directing", "Directing"), ("Writing", "Writing"), ("Production", "Production"),
    ("Sound", "Sound and music"),
]  # fmt: skip


@register
class TmdbPerson(Adapter):
    key = "tmdb_person"
    label = "TMDb person"
    help = (
        f"The filmography of a person, cast and crew, each title once. {_tmdb.NEEDS} TMDb does not say how many there are, so "
        "what leaves it leaves here after a second look; its order is TMDb's."
    )
    kinds = frozenset({"movie", "show"})
    service = "tmdb"
    attribution = _tmdb.ATTRIBUTION

    class Config(_tmdb.Form):
        id = forms.IntegerField(min_value=1, label="Number of the person", help_text="in the address of their page")
        kind = forms.ChoiceField(choices=_WHAT, required=False, label="What")
        work = forms.ChoiceField(choices=_AS, required=False, label="As")

    @classmethod
    def recognises_address(cls, url: str) -> dict[str, Any] | None:
        page = Page.at(url, _tmdb.HOST)
        number = page.number(1) if page and page.part(0) == "person" else None
        return {"id": number} if number else None

    def fetch(self, ctx: Context) -> Iterator[Row]:
        kind = ctx.config.get("kind") or ""
        answer = _tmdb.ask(ctx, f"/3/person/{ctx.config['id']}/{kind or 'combined'}_credits")
        credits = _credits(listed(answer, "cast"), listed(answer, "crew"), ctx.config.get("work") or "", kind)
        yield from _tmdb.rows_of(ctx, credits, kind=kind)


def _credits(cast: list[Any], crew: list[Any], work: str, kind: str) -> list[Any]:
    """Each title once; one without an id stays to be told of."""
    if work:
        cast, crew = (cast, []) if work == "cast" else ([], [c for c in crew if as_object(c).get("department") == work])
    once: dict[Any, Any] = {}
    for number, credit in enumerate((*cast, *crew)):
        once.setdefault(_tmdb.known_key(credit, kind=kind) or number, credit)
    return list(once.values())
