"""What we know of the services that we ask: where they are, how often they may be asked, how long they may take.

LISTKEEPER_SERVICES overrides any of it, service by service: a mirror, a proxy, a server at home, or a stand-in for a test.
"""

from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


@dataclass(frozen=True, slots=True)
class Service:
    """url: what relative addresses are joined to. rate: requests a second that it allows; account_rate: and each
    account there, 0 if it does not count by accounts; post_rate: and POSTs among them, 0 if it counts them like
    others. burst: how many may follow each other at once; at_once: how many may be under way. timeout_s: from
    connecting to the last byte. failures: in a row, after which it is left alone for pause_s, and for twice as long
    each time that a try fails. keep_s: how long an answer may be used again, where an adapter says that it may be.

    A limit that is named for services at large, 10 requests a second and 20 at once, is more than most of these allow, so
    each has its own: half of what it states or was seen to bear, and 2 a second where nobody knows."""

    name: str
    label: str = ""
    url: str = ""
    rate: float = 2
    account_rate: float = 0
    post_rate: float = 0
    burst: int = 1
    at_once: int = 4
    timeout_s: float = 10
    failures: int = 5
    pause_s: float = 30
    keep_s: int = 3600

    def __str__(self) -> str:
        return self.label or self.name.partition(":")[2] or self.name


DAY = 86_400
KNOWN = {
    service.name: service
    for service in (
        Service("anilist", "AniList", "https://graphql.anilist.co/", rate=0.5, burst=3),
        Service("imdb", "IMDb", "https://api.graphql.imdb.com/", rate=2, timeout_s=30, pause_s=60),
        Service("letterboxd", "Letterboxd", "https://letterboxd.com/", rate=1),
        Service("mdblist", "MDBList", "https://api.mdblist.com/", rate=2),
        Service("mdblist_site", "MDBList", "https://mdblist.com/", rate=1),
        Service("plex", "Plex", "https://discover.provider.plex.tv/", rate=1, burst=3, timeout_s=20, failures=2),
        Service("plex_rss", "Plex", "https://rss.plex.tv/", rate=1, timeout_s=20),
        Service("plextv", "Plex", "https://plex.tv/", rate=2, timeout_s=20, failures=2),
        Service("simkl", "Simkl", "https://api.simkl.com/", rate=2, post_rate=1),
        Service("simkl_data", "Simkl", "https://data.simkl.in/", rate=2),
        Service("stevenlu", "StevenLu", "https://popular-movies-data.stevenlu.com/", rate=1),
        Service("tmdb", "TMDb", "https://api.themoviedb.org/", rate=10, burst=5, failures=3, keep_s=DAY),
        Service(
            "trakt",
            "Trakt",
            "https://api.trakt.tv/",
            rate=10,
            account_rate=3.3,
            post_rate=1,
            burst=10,
            timeout_s=15,
            failures=3,
            pause_s=45,
        ),
        Service("traktauth", "Trakt", "https://auth.trakt.tv/", rate=1, burst=5, timeout_s=15, failures=3, pause_s=45),
    )
}
_NAMES = {each.name for each in fields(Service)} - {"name"}


def service_named(name: str) -> Service:
    """A service as the settings have it: of "rss:example.org" by what they say of all ("*"), of "rss:", and of it."""
    prefix, colon, _ = name.partition(":")
    known = KNOWN.get(name) or Service(name)
    for key in ("*", prefix + colon, name) if colon else ("*", name):
        known = replace(known, **_checked(key, settings.SERVICES.get(key, {})))
    return known


def named_for(service: str, url: str) -> str:
    """What an address counts as: the adapter's own service, or its host, behind a prefix such as "rss:" if it has one."""
    if service and not service.endswith(":"):
        return service
    return (service + (urlsplit(url).hostname or ""))[:200]


def _checked(key: str, overriding: dict[str, Any]) -> dict[str, Any]:
    for name, value in overriding.items():
        if name not in _NAMES:
            raise ImproperlyConfigured(f"LISTKEEPER_SERVICES: {key} has no {name}.")
        if name in ("label", "url"):
            fits = isinstance(value, str) and (name == "label" or value.startswith(("http://", "https://")))
        else:
            fits = type(value) in (int, float) and (
                value > 0 or (value == 0 and name in ("account_rate", "post_rate", "keep_s"))
            )
        if not fits:
            raise ImproperlyConfigured(f"LISTKEEPER_SERVICES: {name} of {key} cannot be {value!r}.")
    return overriding
