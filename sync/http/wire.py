"""The connections themselves: made to checked addresses only, and no byte of them is waited for beyond what is allowed."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import lru_cache, partial
from typing import Any

import certifi
from django.conf import settings
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.poolmanager import PoolManager

from sync.errors import BadAnswer
from sync.http import guard
from sync.http.bodies import PIECE, Limits
from sync.http.services import Service

CONNECT_S = 5.0
HEAD = 65_536  # bytes of status line and headers
_BUFFERED = 8192  # bytes of the body that may have come with them
_START_S = 60.0  # of a slow answer, in which its speed says nothing yet


class Allowance:
    """What one exchange may take, from looking up the name to the last byte."""

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._begun, self._until, self._limits = clock(), 0.0, Limits()
        self._came, self._in_head = 0, True

    def begin(self, service: Service, limits: Limits) -> None:
        self.service, self._limits = service, limits
        self._begun = self._clock()

    def head_begins(self) -> None:
        self._came, self._in_head = 0, True
        self._until = self._begun + self.service.timeout_s

    def head_is_read(self) -> None:
        self._in_head = False
        if self._limits.gap_s is not None:
            self._until = float("inf")

    def left(self) -> float:
        """Seconds for which the next byte may be waited for. Raises TimeoutError."""
        left = min(self._until - self._clock(), self._limits.gap_s or float("inf"))
        if left <= 0:
            raise TimeoutError
        return left

    def took(self, count: int) -> None:
        self._came += count
        if self._in_head and self._came > HEAD + _BUFFERED:
            raise BadAnswer(f"{self.service} sends headers without an end. Nothing was read.")
        spent = self._clock() - self._begun
        if self._limits.gap_s is not None and spent > _START_S and self._came < spent * self._limits.slowest:
            raise TimeoutError


class _Timed:
    """A socket that asks before each byte how long it may wait. The timeouts of the libraries are for each byte anew."""

    allowance: Allowance | None = None

    def recv_into(self, *args: Any) -> int:
        if self.allowance is None:
            return super().recv_into(*args)  # type: ignore[misc] # of the socket that this is mixed into
        self.settimeout(self.allowance.left())  # type: ignore[attr-defined] # likewise
        count: int = super().recv_into(*args)  # type: ignore[misc] # likewise
        self.allowance.took(count)
        return count

    def sendall(self, *args: Any) -> None:
        if self.allowance is not None:
            self.settimeout(self.allowance.left())  # type: ignore[attr-defined] # likewise
        super().sendall(*args)  # type: ignore[misc] # likewise


class _Plain(_Timed, socket.socket):
    pass


class _Tls(_Timed, ssl.SSLSocket):
    pass


@lru_cache(maxsize=4)
def _trust(ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=certifi.where())
    if ca_file:
        context.load_verify_locations(ca_file)
    context.sslsocket_class = _Tls
    return context


class _Guarded(HTTPConnection):
    """host stays the name for Host and certificate, whatever address was found for it."""

    def __init__(self, *args: Any, allowance: Allowance, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.allowance = allowance

    def _new_conn(self) -> socket.socket:
        try:
            found = guard.checked(self._dns_host, self.port, self.allowance.service.name, self.allowance.left())
        except socket.gaierror as e:
            raise NameResolutionError(self.host, self, e) from e
        for number, (family, where) in enumerate(found, 1):
            try:
                return self._connected(family, where)
            except OSError as e:
                if number == len(found):
                    timed_out = isinstance(e, TimeoutError)
                    raise (ConnectTimeoutError if timed_out else NewConnectionError)(self, "no connection") from e
        raise NewConnectionError(self, "no address")

    def _connected(self, family: int, where: Any) -> socket.socket:
        with ExitStack() as undo:
            sock = undo.enter_context(_Plain(family, socket.SOCK_STREAM))
            sock.allowance = self.allowance
            sock.settimeout(min(CONNECT_S, self.allowance.left()))
            sock.connect(where)
            sock.settimeout(self.allowance.left())  # also that of the TLS handshake
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            undo.pop_all()  # it stays open
            return sock


class _GuardedTls(_Guarded, HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        if isinstance(self.sock, _Tls):
            self.sock.allowance = self.allowance


class Wire(HTTPAdapter):
    """One exchange at a time: no retries, redirects, cookies or proxies of its own, and nothing read from ~/.netrc."""

    def __init__(self) -> None:
        self.allowance = Allowance()
        super().__init__(pool_connections=4, pool_maxsize=1)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: Any) -> None:
        manager = PoolManager(connections, maxsize=maxsize, block=block, ssl_context=_trust(settings.CA_FILE))
        manager.pool_classes_by_scheme = {  # they are called, no more
            "http": partial(_pool, HTTPConnectionPool, partial(_Guarded, allowance=self.allowance)),  # type: ignore[dict-item]
            "https": partial(_pool, HTTPSConnectionPool, partial(_GuardedTls, allowance=self.allowance)),  # type: ignore[dict-item]
        }
        self.poolmanager = manager

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Our context knows whom to trust; loading that again would cost more than the request."""
        conn.cert_reqs = "CERT_REQUIRED"

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
        host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {"cert_reqs": pool["cert_reqs"]} if host["scheme"] == "https" else {}

    def exchange(self, request: PreparedRequest) -> Response:
        self.allowance.head_begins()
        response = self.send(request, stream=True, verify=True)
        self.allowance.head_is_read()
        return response


def _pool(kind: Any, connection: Any, *args: Any, **kwargs: Any) -> HTTPConnectionPool:
    pool: HTTPConnectionPool = kind(*args, **kwargs)
    pool.ConnectionCls = connection
    return pool


def pieces(response: Response) -> Iterator[bytes]:
    """The body as it comes over the wire, still packed."""
    return response.raw.stream(PIECE, decode_content=False)
