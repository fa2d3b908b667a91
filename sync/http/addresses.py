"""Addresses: joined, compared, and as they may be shown."""

import re
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit, urlunsplit

from lists import credentials

_SAFE = re.compile(r"https?://[^\s]+", re.IGNORECASE)


def joined(base: str, path_or_url: str) -> str:
    """Relative to the base with all of its path: a mirror may stand in a folder."""
    if _SAFE.match(path_or_url):
        return path_or_url
    if not base:
        raise ValueError("a relative address needs a service with a base address")
    return f"{base.rstrip('/')}/{path_or_url.lstrip('/')}"


def redirected(url: str, location: str) -> str:
    """Where a redirect leads; the part behind # is nobody's business."""
    # A header is bytes of latin-1 to http.client, and most servers that send others send UTF-8.
    location = location.encode("latin-1", "replace").decode("utf-8", "replace")
    return urljoin(url, quote(location, safe="%/:=&?~#+!$,;'@()*[]")).partition("#")[0]


def origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def anonymous(url: str) -> str:
    """Without a login."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def stripped(url: str) -> str:
    """Without a login and without parameters that are secrets."""
    parts = urlsplit(url)
    kept = [
        pair for pair in parse_qsl(parts.query, keep_blank_values=True) if not credentials.is_secret(pair[0].lower())
    ]
    return urlunsplit(parts._replace(query=urlencode(kept), fragment=""))


def shown(url: str) -> str:
    return credentials.blank(url, streams=True)
