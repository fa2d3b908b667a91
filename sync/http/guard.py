"""Where we go and where not: a user's address must not lead into the network that Listkeeper stands in.

A name is looked up once, all that it stands for must be allowed, and the connection is made to exactly that: a second
look-up could be told something else. Places at home (a Plex server, a receiver) are opened by the administrator in
LISTKEEPER_OUTBOUND_ALLOW, for all services or for one: "192.168.1.0/24", "plex=nas.lan:32400".
"""

import socket
import threading
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from sync.errors import BlockedAddress

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Found = tuple[int, Any]  # family, what connect() takes

PORTS = (80, 443)  # and those from here on, which any user of a machine may open:
FREE_PORTS = 1024
_NAT64 = ip_network("64:ff9b::/96")
_COMPATIBLE = ip_network("::/96")
# What Python calls global and is not: addresses of protocols, of relays, and of a network's own translators.
_NOT_GLOBAL = tuple(map(ip_network, ("192.0.0.0/24", "192.88.99.0/24", "64:ff9b:1::/48", "2001::/23")))
# Where clouds tell machines their secrets: only an entry for that very address opens it.
_METADATA = tuple(map(ip_network, ("169.254.0.0/16", "fd00:ec2::254/128")))


def checked(host: str, port: int, service: str, timeout_s: float) -> list[Found]:
    """What to connect to. Raises BlockedAddress, OSError where the name is not known, TimeoutError."""
    found = _looked_up(host, port, timeout_s)
    names = ("", service, service.partition(":")[0])  # an entry for "rss" is one for all feeds
    allowed = [entry for entry in entries(tuple(settings.OUTBOUND_ALLOW)) if entry.service in names]
    port_is_fine = port in PORTS or port >= FREE_PORTS
    for _, where in found:
        address = ip_address(where[0].partition("%")[0])
        if not (is_public(address) and port_is_fine) and not any(e.opens(host, port, address) for e in allowed):
            # The same words whatever lies there: nobody learns from us what answers in our network.
            raise BlockedAddress(
                "This address is not allowed: it is not a public one. Nothing was sent. Whoever runs this Listkeeper can "
                "allow it in LISTKEEPER_OUTBOUND_ALLOW."
            )
    return found


def is_public(address: Address) -> bool:
    address = _unwrapped(address)
    return (
        address.is_global
        and not address.is_multicast
        and not any(address in network for network in _NOT_GLOBAL if network.version == address.version)
    )


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 one leads to."""
    if isinstance(address, IPv4Address):
        return address
    if inner := address.ipv4_mapped or address.sixtofour:
        return inner
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


@dataclass(frozen=True, slots=True)
class Entry:
    """One place that the administrator opens: a network or address, or a host by its name; port None: any."""

    service: str
    network: Network | None
    host: str
    port: int | None

    def opens(self, host: str, port: int, address: Address) -> bool:
        if self.port not in (None, port):
            return False
        inner = _unwrapped(address)
        if self.network is None:
            return self.host == host.rstrip(".").lower() and not _is_metadata(inner)
        if inner.version != self.network.version or inner not in self.network:
            return False
        return self.network.num_addresses == 1 or not _is_metadata(inner)


def _is_metadata(address: Address) -> bool:
    return any(address in network for network in _METADATA if network.version == address.version)


@lru_cache(maxsize=8)
def entries(words: tuple[str, ...]) -> list[Entry]:
    """Raises ImproperlyConfigured for what is no place."""
    return [_entry(word) for word in words]


def _entry(word: str) -> Entry:
    service, _, place = word.rpartition("=")
    try:
        return Entry(service, ip_network(place.strip("[]")), "", None)
    except ValueError:
        pass
    host, _, port = place.rpartition(":") if ":" in place else (place, "", "")
    if not host or (port and not port.isdecimal()) or "/" in place:
        raise ImproperlyConfigured(
            f"LISTKEEPER_OUTBOUND_ALLOW: {word!r} is no host, host:port, address or network such as 192.168.1.0/24."
        )
    number = int(port) if port else None
    try:
        return Entry(service, ip_network(host.strip("[]")), "", number)
    except ValueError:
        return Entry(service, None, host.lower(), number)


def _looked_up(host: str, port: int, timeout_s: float) -> list[Found]:
    try:
        ip_address(host)
    except ValueError:
        return _Lookup(host, port).within(timeout_s)
    return _resolve(host, port)


def _resolve(host: str, port: int) -> list[Found]:
    return [(family, where) for family, _, _, _, where in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class _Lookup(threading.Thread):
    """The system's own look-up knows no deadline and hears no signal, so it gets a thread of its own."""

    def __init__(self, host: str, port: int):
        super().__init__(name=f"look-up of {host}", daemon=True)
        self._host, self._port = host, port
        self._found: list[Found] = []
        self._error: Exception | None = None

    def run(self) -> None:
        try:
            self._found = _resolve(self._host, self._port)
        except (OSError, UnicodeError) as e:
            self._error = e

    def within(self, timeout_s: float) -> list[Found]:
        self.start()
        self.join(timeout_s)
        if self.is_alive():
            raise TimeoutError
        if isinstance(self._error, UnicodeError):  # a label that is too long or empty
            raise socket.gaierror(socket.EAI_NONAME, "not a name")
        if self._error is not None:
            raise self._error
        return self._found
