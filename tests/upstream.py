"""A service on loopback that answers what it is told to, and goes wrong in the ways that services do."""

import gzip
import json
import socket
import struct
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Reply:
    """What is sent for one request.

    cut: bytes of the body after which the connection ends. rate: bytes of it a second. drip: seconds between two of them;
    slow: of the headers. hang: seconds before anything is sent. reset: nothing is sent, and the connection is torn off.
    """

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    rate: int = 0
    drip: float = 0
    slow: float = 0
    hang: float = 0
    reset: bool = False
    chunks: list[bytes] | None = None  # sent as they are, under Transfer-Encoding: chunked


@dataclass
class Seen:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes
    at: float


def as_body(value: Any) -> bytes:
    return (
        value if isinstance(value, bytes) else value.encode() if isinstance(value, str) else json.dumps(value).encode()
    )


class Upstream(ThreadingHTTPServer):
    """answer() queues replies for a path; the last one repeats. A path that nobody named answers 404."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.replies: dict[str, list[Reply]] = defaultdict(list)
        self.repeating: set[str] = set()
        self.seen: list[Seen] = []
        self.limit: tuple[int, float] | None = None  # so many requests in so many seconds; else 429
        self.refused = 0  # requests beyond that
        self.under_way = self.most_at_once = 0
        self.lock = threading.Lock()
        self.ended = threading.Event()
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def answer(
        self, path: str, body: Any = b"", status: int = 200, headers: dict[str, str] | None = None, **more: Any
    ) -> None:
        plain = {"Content-Type": "text/html"} if isinstance(body, str) else {"Content-Type": "application/json"}
        if path in self.repeating:  # what was sent already is followed by this
            self.replies[path].clear()
            self.repeating.remove(path)
        self.replies[path].append(Reply(as_body(body), status, {**plain, **(headers or {})}, **more))

    def packed(self, path: str, body: bytes, layers: int = 1) -> None:
        for _ in range(layers):
            body = gzip.compress(body)
        self.answer(path, body, headers={"Content-Encoding": ", ".join(["gzip"] * layers)})

    def asked(self, path: str) -> int:
        return sum(each.path == path for each in self.seen)

    def next_reply(self, seen: Seen) -> Reply:
        with self.lock:
            self.seen.append(seen)
            if self.limit is not None:
                count, per_s = self.limit
                if sum(each.at > seen.at - per_s for each in self.seen) > count:
                    self.refused += 1
                    return Reply(b"{}", 429)
            queue = self.replies.get(seen.path) or [Reply(b"{}", 404)]
            if len(queue) > 1:
                return queue.pop(0)
            self.repeating.add(seen.path)
            return queue[0]

    @contextmanager
    def counted(self) -> Iterator[None]:
        with self.lock:
            self.under_way += 1
            self.most_at_once = max(self.most_at_once, self.under_way)
        yield
        with self.lock:
            self.under_way -= 1

    def end(self) -> None:
        self.ended.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever asked has gone: most tests here are about that."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Upstream

    def do_GET(self) -> None:  # as http.server calls it
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        seen = Seen(self.command, parts.path, parse_qs(parts.query), dict(self.headers), body, time.monotonic())
        with self.server.counted():
            self.reply(self.server.next_reply(seen))

    do_POST = do_GET

    def reply(self, reply: Reply) -> None:
        if self.server.ended.wait(reply.hang):
            return
        if reply.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
            return
        self.send(reply)

    def send(self, reply: Reply) -> None:
        chunked = reply.chunks is not None
        lines = [f"HTTP/1.1 {reply.status} Told", *(f"{name}: {value}" for name, value in reply.headers.items())]
        lines.append("Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(reply.body)}")
        self.trickle("\r\n".join([*lines, "", ""]).encode(), reply.slow)
        if chunked:
            for chunk in reply.chunks or []:
                self.trickle(chunk, reply.drip)
            return
        if reply.rate:
            self.trickle(reply.body, 0.1, reply.rate // 10)
        else:
            self.trickle(reply.body[: reply.cut], reply.drip)
        if reply.cut is not None:
            self.close_connection = True

    def trickle(self, data: bytes, pause: float, step: int = 1) -> None:
        step = step if pause else max(len(data), 1)
        for at in range(0, len(data), step):
            self.wfile.write(data[at : at + step])
            self.wfile.flush()
            if pause and self.server.ended.wait(pause):
                return

    def log_message(self, *args: Any) -> None:
        pass
