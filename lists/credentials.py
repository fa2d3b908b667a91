"""Logins inside of addresses: lifted out of them, kept encrypted in an account, and put back only for the owner.

An address such as http://tv.example/live/ada/secret/7.ts becomes http://tv.example/live/{username}/{password}/7.ts. What
stands in lists, history, API and logs is that; the values lie in Account.secrets under the names between the braces.

With each name stands where its value was met ("password@tv.example"), and it is put back there only: a file with the
address http://evil.example/{password} must not be sent what belongs to another.

A line that begins as an address is one as a whole; one that begins with #EXT or #KODIPROP is an option of a player; in any
other text the addresses in it are looked for.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from django.conf import settings

Named = Callable[[str, str, str], str]  # (name, value, host) -> what stands there instead of the value

_URL = re.compile(r"[a-z][a-z0-9+.-]{1,20}://[^\s\"<>]+", re.IGNORECASE)
_PARTS = re.compile(r"([a-z][a-z0-9+.-]{1,20}://)([^/?#|\s]*)(.*)", re.IGNORECASE | re.DOTALL)
_USER = re.compile(r"(\{[a-z0-9_.:-]+\}|[^:]*)(:?)(.*)", re.DOTALL)  # names that stand for logins hold a colon too
# What is sent as a header may hold blanks and more.
_PARAM = re.compile(r"(?<=[?&;|#])(?:(cookie|authorization)=([^&|\t]+)|([\w.-]{1,60})=([^&;#|\s]+))", re.IGNORECASE)
# Of the Xtream kind: /live/<user>/<password>/<number>.ts, for films /movie/, for episodes /series/; old ones without a word.
# Where a player is to fill in a time, {utc} or the like stands for the number.
_KIND_PATH = re.compile(r"/(live|movie|series|timeshift)/([^/?#|\s]+)/([^/?#|\s]+)(?=/(?:\d|\$?\{))", re.IGNORECASE)
_BARE_PATH = re.compile(
    r"/([^/?#|\s]+)/([^/?#|\s]+)(?=/\d+(?:\.(?:ts|m3u8?|mpd|mp4|mkv|avi|flv))?(?:$|[?#|\s]))", re.IGNORECASE
)
# Such an address is a stream's wherever it stands: pages do not end so.
_STREAM_PATH = re.compile(
    r"/(?:live|movie|series|timeshift)/[^/?#|\s]+/[^/?#|\s]+/\d+\.(?:ts|m3u8?|mpd|mp4|mkv|avi|flv)(?:$|[?#|\s])",
    re.IGNORECASE,
)
_OPTION = re.compile(r"(#\w+:\s*)([\w.-]{1,60})=(.+)", re.DOTALL)
_HEADER = re.compile(r"(?<=[=&|])([\w.-]{1,60})=([^&|]+)")
_JSON_PAIR = re.compile(r"\"([\w.-]{1,60})\"(\s*:\s*)\"((?:[^\"\\]|\\.)+)\"")
_PLACEHOLDER = re.compile(r"\{([a-z0-9_.-]+(?::[0-9a-f]{8})?)\}")
_EMPTIED = "{}"
_NOWHERE = "?"  # the host of an address that leads who knows where
_SEEN = 4000  # signs of a text that an excerpt is made of

_SECRET = re.compile(
    r"(?:[\w.-]*[_.-])?(?:pass(?:wd|word|key|phrase)?|pwd|\w*token|secret|cookie|authorization|jwt|sig(?:nature)?|"
    r"session(?:[_-]?id)?|(?:access|api|auth|private|rss|secret|stream|user)[_-]?key)|"
    r"key|auth|mac|hdnts|hdnea|wmsauthsign",
    re.IGNORECASE,
)
_LOGIN = re.compile(r"(?:http-)?user(?:name)?|login|email", re.IGNORECASE)
_SPELLINGS = {"user": "username", "login": "username", "pass": "password", "passwd": "password", "pwd": "password"}
_SHORT = {"u": "username", "p": "password"}  # only where both stand in an address
_WORDS = frozenset({
    "channel", "channels", "content", "hls", "http", "index", "iptv", "live", "media", "movie", "movies", "play",
    "playlist", "radio", "series", "show", "stream", "streaming", "streams", "tv", "video", "videos", "vod", "watch",
})  # fmt: skip


class Lifter:
    """Takes logins out of addresses and remembers them.

    own: name -> value of what the source's account holds already; others: of what the list's other accounts hold. A value
    that is known keeps its name; a name of the others is never taken for another value.
    secrets: name -> value of what was met, and "name@host" -> "" for where, for services.keep_secrets().
    """

    def __init__(self, own: Mapping[str, str] | None = None, others: Mapping[str, str] | None = None):
        self._others = dict(others or {})
        self._names = {
            value: name for known in (self._others, own or {}) for name, value in known.items() if "@" not in name
        }
        self._given: dict[tuple[str, str, str], str] = {}
        self.secrets: dict[str, str] = {}

    def lift(self, text: str, *, streams: bool = False, at: str = "") -> str:
        """streams: whether it is the address of a stream, whose path may be a login. at: the address that a player's
        options are for: they are sent there."""
        return _replaced(text, self._named, streams, _host(at) if at else "")

    def _named(self, name: str, value: str, host: str) -> str:
        """The first value of a name has the plain name, so that a renewed password keeps every address as it was; further
        ones are told apart by a digest, so that a new row does not rename those behind it."""
        if (given := self._given.get((name, value, host))) is not None:
            return given
        if value == _EMPTIED or _PLACEHOLDER.fullmatch(value):
            return value
        known = self._names.get(value)
        if known is None or known.partition(":")[0] != name or self._means(known, value) != value:
            known = name if self._means(name, value) == value else f"{name}:{_digest(value)}"
            self._names[value] = known
        self.secrets |= {known: value, f"{known}@{host}": ""}
        self._given[name, value, host] = f"{{{known}}}"
        return f"{{{known}}}"

    def _means(self, name: str, value: str) -> str:
        """What a name stands for in this list by now; the value itself if it is free."""
        return self.secrets.get(name) or self._others.get(name, value)


def blank(text: str, *, streams: bool = False) -> str:
    """The text without what could be a login in the addresses that stand in it; the same whether a login or the name of
    one stands there."""
    return _replaced(text, lambda name, value, host: _EMPTIED, streams)


def excerpt(text: str, limit: int) -> str:
    """The beginning of a text, for a message about it. Emptied before it is cut: half of a login looks like any word."""
    return blank(text[:_SEEN], streams=True)[:limit]


def blank_name(filename: str) -> str:
    """The name of a file as programs make it of an address: get.php?username={}&password={}"""
    return _of_params(filename, lambda name, value, host: _EMPTIED, "") if "=" in filename else filename


def fill(text: str, secrets: Mapping[str, str], *, at: str = "") -> str:
    """The address as it was. A name that nobody knows stays, and so does one whose value was never met at this host.

    at: the address that a player's options are for, as it was.
    """
    if "{" not in text:
        return text
    options_host = _host(at)

    def filled(piece: str, host: str) -> str:
        def value(found: re.Match[str]) -> str:
            return secrets.get(found[1], found[0]) if f"{found[1]}@{host}" in secrets else found[0]

        return _PLACEHOLDER.sub(value, piece)

    def address_filled(address: str) -> str:
        host = _host(address)
        whole = filled(address, host)
        return whole if _host(whole) == host else address

    def line_filled(line: str) -> str:
        if _PARTS.match(line):
            return address_filled(line)
        pieces, at = [], 0
        for found in _URL.finditer(line):
            pieces += [filled(line[at : found.start()], options_host), address_filled(found[0])]
            at = found.end()
        return "".join([*pieces, filled(line[at:], options_host)])

    return "\n".join(map(line_filled, text.split("\n")))


def placeholders(text: str) -> list[str]:
    """Names that stand for logins in a text; others belong to it ({utc} in the address of what was on)."""
    names = _PLACEHOLDER.findall(text) if "{" in text else []
    return [name for name in names if is_secret(plain := name.partition(":")[0]) or _LOGIN.fullmatch(plain)]


def _host(url: str) -> str:
    """Lower case, with its port and without a login; "" for what is no address."""
    found = _PARTS.match(url)
    return _where(found[2]) if found else ""


def _where(authority: str) -> str:
    """The host of an authority. A backslash ends it for some players and belongs to a name for others."""
    host = authority.rpartition("@")[2].lower()
    return _NOWHERE if "\\" in authority or not host else host


def _replaced(text: str, named: Named, streams: bool, options_host: str = "") -> str:
    if not (streams or "#" in text or "@" in text or "=" in text or _STREAM_PATH.search(text)):
        return text  # most texts and most addresses hold nothing that could be a login
    if "\n" in text:
        return "\n".join(_replaced(line, named, streams, options_host) for line in text.split("\n"))
    if text.startswith(("#EXT", "#KODIPROP")):
        return _of_option(text, named, streams, options_host)
    if "://" not in text:
        return text
    if found := _PARTS.match(text):
        return _of_address(found, named, streams)
    return _in_prose(text, named, streams)


def _in_prose(text: str, named: Named, streams: bool) -> str:
    def address(found: re.Match[str]) -> str:
        parts = _PARTS.match(found[0])
        return _of_address(parts, named, streams) if parts else found[0]

    return _URL.sub(address, text) if "://" in text else text


def _of_address(parts: re.Match[str], named: Named, streams: bool) -> str:
    scheme, authority, rest = parts.groups()
    login, at, host = authority.rpartition("@")
    where = _where(authority)
    if login:
        user, colon, password = _USER.fullmatch(login).groups()  # type: ignore[union-attr] # matches anything
        # Without a password it is a token in the place of a name.
        user = user and named("username" if colon else "token", user, where)
        login = user + colon + (password and named("password", password, where))
    if "=" in rest:
        rest = _of_params(rest, named, where)
    if rest.count("/") > 2 and (streams or _STREAM_PATH.search(rest)):
        rest = _of_path(rest, named, where, may_be_bare=scheme.lower() in ("http://", "https://"))
    return f"{scheme}{login}{at}{host}{rest}"


def _of_params(rest: str, named: Named, host: str) -> str:
    found = list(_PARAM.finditer(rest))
    names = [(each[1] or each[3]).lower() for each in found]
    lifted = {name: _SPELLINGS.get(name, name) for name in names if is_secret(name)}
    if lifted:
        lifted |= {name: _SPELLINGS.get(name, name) for name in names if _LOGIN.fullmatch(name)}
    if _SHORT.keys() <= set(names):
        lifted |= _SHORT
    if not lifted:
        return rest
    pieces, at = [], 0
    for each, name in zip(found, names, strict=True):
        if name in lifted:
            group = 2 if each[1] else 4
            pieces += [rest[at : each.start(group)], named(lifted[name], each[group], host)]
            at = each.end(group)
    return "".join([*pieces, rest[at:]])


def _of_path(rest: str, named: Named, host: str, *, may_be_bare: bool) -> str:
    if found := _KIND_PATH.search(rest):
        user, password = found[2], found[3]
        is_login = not {user.lower(), password.lower()} <= _WORDS
    elif may_be_bare and (found := _BARE_PATH.match(rest)):
        user, password = found[1], found[2]
        is_login = not {user.lower(), password.lower()} & _WORDS
    else:
        return rest
    if not is_login:
        return rest
    start = found.end() - len(user) - len(password) - 1
    replaced = f"{named('username', user, host)}/{named('password', password, host)}"
    return f"{rest[:start]}{replaced}{rest[found.end() :]}"


def _of_option(line: str, named: Named, streams: bool, host: str) -> str:
    """#EXTVLCOPT:http-password=..., #KODIPROP:...stream_headers=Authorization=..., #EXTHTTP:{"cookie": "..."}"""
    if (found := _OPTION.fullmatch(line)) and (is_secret(name := found[2].lower()) or _LOGIN.fullmatch(name)):
        return f"{found[1]}{found[2]}={named(name, found[3], host)}"

    def header(found: re.Match[str]) -> str:
        name = found[1].lower()
        return f"{found[1]}={named(name, found[2], host)}" if is_secret(name) else found[0]

    def pair(found: re.Match[str]) -> str:
        name = found[1].lower()
        return f'"{found[1]}"{found[2]}"{named(name, found[3], host)}"' if is_secret(name) else found[0]

    return _JSON_PAIR.sub(pair, _HEADER.sub(header, _in_prose(line, named, streams)))


@lru_cache(maxsize=4096)
def is_secret(name: str) -> bool:
    return bool(_SECRET.fullmatch(name))


def _digest(value: str) -> str:
    return hashlib.blake2b(value.encode(), digest_size=4, key=settings.SECRET_KEY.encode()[:64]).hexdigest()
