"""A Door: what an adapter asks with."""

import hashlib
import tempfile
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import IO, Any

import ijson
import orjson
from django.conf import settings
from requests import PreparedRequest, Request, Response

from sync import signals
from sync.errors import BadAnswer, BlockedAddress, NotModified, SourceUnavailable
from sync.http import addresses, answers, bodies, faults, kept
from sync.http.answers import Answer
from sync.http.bodies import API, Limits
from sync.http.calls import PLAIN, Call, Headers, Validators, merged
from sync.http.pace import retry_after
from sync.http.patience import Patience, Watched
from sync.http.services import Service, named_for, service_named
from sync.http.wire import Wire, pieces

REDIRECTS = 5
_MOVED = (301, 302, 303, 307, 308)
_ACCEPT = {
    "json": "application/json", "xml": "application/rss+xml, application/atom+xml, application/xml;q=0.9, */*;q=0.5",
    "csv": "text/csv, text/plain;q=0.9, */*;q=0.5", "html": "text/html", "any": "*/*",
}  # fmt: skip
_IN_MEMORY = 8 * bodies.MIB  # of a body that is spooled; the rest lies in a file


@dataclass
class Meter:
    """What a source costs."""

    requests: int = 0
    cache_hits: int = 0
    cache_misses: int = 0


class Door:
    """service: a name of services.py; one that ends in ":", or none, is completed by the host of each address.

    meter: where requests are counted. watched: the run, which may have to stop. validators: for conditional requests.
    account: who asks, where services count by accounts. retries: 0 where somebody waits for the answer. visitor: whether it
    asks without an account, so that nobody is told to look after one.
    """

    def __init__(
        self, service: str = "", *, meter: Meter | None = None, watched: Watched | None = None, limits: Limits = API,
        validators: Validators | None = None, account: str = "", retries: int | None = None, visitor: bool = False,
    ):  # fmt: skip
        self._service, self._limits, self._visitor = service, limits, visitor
        self._patience = Patience(watched, account, retries=retries, slow=limits.gap_s is not None)
        self.meter = meter or Meter()
        self.validators = validators or Validators()

    @cached_property
    def _wire(self) -> Wire:
        return Wire()

    def get(
        self, path_or_url: str, *, params: Mapping[str, Any] | None = None, headers: Headers | None = None,
        ok: tuple[int, ...] = (200,), accept: str = "json", cached: bool = False, conditional: bool = False,
    ) -> Answer:  # fmt: skip
        """Ask for something. conditional: for the one answer that stands for the whole of the source; raises NotModified if
        it is what was accepted last. cached: an answer of a while ago will do, be it one that another user was given.
        Raises SourceError."""
        service, call = self._call("GET", path_or_url, params, headers, ok=ok, accept=accept)
        if conditional:
            call = replace(call, headers=merged(call.headers, self.validators.headers()), ok=(*ok, 304))
        answer = self._kept_or_asked(service, call) if cached else self._ask(service, call)
        if conditional and answer.status == 304:
            raise NotModified
        if conditional:
            self.validators.remember(answer.headers)
        return answer

    def _kept_or_asked(self, service: Service, call: Call) -> Answer:
        if (answer := kept.found(service, call)) is not None:
            self.meter.cache_hits += 1
            signals.tell_after_commit(signals.source_called, service=service.name, kind="", seconds=0.0, cached=True)
            return answer
        self.meter.cache_misses += 1
        answer = self._ask(service, call)
        kept.keep(service, call, answer)
        return answer

    def post(
        self, path_or_url: str, *, json: Any, headers: Headers | None = None, ok: tuple[int, ...] = (200,),
        accept: str = "json", repeatable: bool = False,
    ) -> Answer:  # fmt: skip
        """repeatable: a question in the form of a POST, which may be asked again where no answer came."""
        service, call = self._call("POST", path_or_url, None, headers, ok=ok, accept=accept)
        call = replace(
            call, body=orjson.dumps(json), repeatable=repeatable,
            headers=merged({"Content-Type": "application/json"}, call.headers),
        )  # fmt: skip
        return self._ask(service, call)

    def items(
        self, path_or_url: str, prefix: str, *, params: Mapping[str, Any] | None = None,
        headers: Headers | None = None,
    ) -> Iterator[dict[str, Any]]:  # fmt: skip
        """The objects of a large JSON answer one by one, after all of it has come and was found whole. prefix: where
        they stand: "item" in a list, "data.item" in the list under a key."""
        service, call = self._call("GET", path_or_url, params, headers, ok=(200,), accept="json")
        with tempfile.SpooledTemporaryFile(_IN_MEMORY, prefix="listkeeper-") as file:
            self._ask(service, call, into=file)
            file.seek(0)
            yield from ijson.items(file, prefix, use_float=True)

    def pages(
        self, ask: Callable[[int], Answer], keys: Callable[[Answer], Iterable[Hashable]], *, most: int = 1000
    ) -> Iterator[Answer]:
        """Pages 1, 2, 3 ... as long as the caller wants more; the service says when that is enough, or a page is empty.

        ask: for the page of that number. keys: of the things on a page. A service that sends the same again and again, or
        never ends, raises SourceUnavailable: what came until then is taken, and nothing is removed.
        """
        seen: set[Hashable] = set()
        last = b""
        for number in range(1, most + 1):
            answer = ask(number)
            found, digest = set(keys(answer)), hashlib.blake2b(answer.body, digest_size=16).digest()
            if digest == last or (found and found <= seen):
                raise SourceUnavailable(
                    f"{answer.service} sends the same page again (page {number}).", kind="bad_response"
                )
            seen |= found
            last = digest
            yield answer
        raise SourceUnavailable(f"{answer.service} has more than {most:,} pages.", kind="bad_response")

    def close(self) -> None:
        if "_wire" in self.__dict__:
            self._wire.close()

    def __enter__(self) -> "Door":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _call(
        self, method: str, path_or_url: str, params: Mapping[str, Any] | None, headers: Headers | None, *,
        ok: tuple[int, ...], accept: str,
    ) -> tuple[Service, Call]:  # fmt: skip
        service = service_named(named_for(self._service, path_or_url))
        all_headers = merged({
            "User-Agent": f"Listkeeper/{settings.VERSION}", "Accept": _ACCEPT[accept], "Accept-Encoding": "gzip, deflate",
        }, headers or {})  # fmt: skip
        with faults.told(str(service), service.timeout_s):
            url = addresses.joined(service.url, path_or_url)
            if "Authorization" in all_headers:  # else a login in the address would take its place
                url = addresses.anonymous(url)
            prepared = Request(method, url, params={k: v for k, v in (params or {}).items() if v is not None}).prepare()
        return service, Call(method, prepared.url or url, all_headers, ok=ok, accept=accept)

    def _ask(self, service: Service, call: Call, into: IO[bytes] | None = None) -> Answer:
        def attempt() -> tuple[Answer, Headers]:
            if into is not None:
                into.seek(0)
                into.truncate()
            answer = self._attempt(service, call, into)
            return answer, answer.headers

        return self._patience.ask(service, attempt, repeatable=call.may_be_repeated, posts=call.method == "POST")

    def _attempt(self, service: Service, call: Call, into: IO[bytes] | None) -> Answer:
        with self._answered(service, call) as (response, url):
            answers.refuse_challenge(response.headers, str(service))
            if response.status_code not in call.ok:
                raise faults.of_status(
                    response.status_code, str(service), retry_after(response.headers),
                    edge=call.accept != "html" and answers.is_of_an_edge(response.headers),
                    visitor=self._visitor and addresses.shown(call.url) == call.url,  # else a login stands in it
                )  # fmt: skip
            body = self._read(service, call, response, into)
            return Answer(response.status_code, response.headers, body, addresses.shown(url), str(service))

    @contextmanager
    def _answered(self, service: Service, call: Call) -> Iterator[tuple[Response, str]]:
        """The answer behind all redirects, with its body unread."""
        been = {call.url}
        self._wire.allowance.begin(service, self._limits)
        with faults.told(str(service), service.timeout_s):
            response = self._exchange(call)
            try:
                while response.status_code in _MOVED and response.status_code not in call.ok:
                    call = _following(call, response, service)
                    if call.url in been or len(been) > REDIRECTS:
                        raise BadAnswer(f"{service} sends us round in circles. {faults.KEPT}", kind="redirect")
                    been.add(call.url)
                    response.close()
                    response = self._exchange(call)
                yield response, call.url
            finally:
                response.close()

    def _exchange(self, call: Call) -> Response:
        self.meter.requests += 1
        request = PreparedRequest()
        request.prepare(method=call.method, url=call.url, headers=dict(call.headers), data=call.body)
        return self._wire.exchange(request)

    def _read(self, service: Service, call: Call, response: Response, into: IO[bytes] | None) -> bytes:
        """The body, checked by its first piece; b"" where it goes into a file."""
        encoding = response.headers.get("Content-Encoding", "")
        came = bodies.unpacked(pieces(response), encoding, self._limits, str(service))
        head = b""
        while len(head) < answers.HEAD and (piece := next(came, b"")):
            head += piece
        if response.status_code not in (204, 304):
            answers.check(head, response.headers, call.accept, str(service))
        if into is None:
            body = b"".join([head, *came])
            answers.check_end(body, call.accept, str(service))
            return body
        into.write(head)
        for piece in came:  # one by one: writelines() would have all of them in memory before it turns to the file
            into.write(piece)
        answers.check_file(into, str(service))
        return b""


def _following(call: Call, response: Response, service: Service) -> Call:
    """The call that a redirect asks for. On another origin all that is secret stays behind."""
    url = addresses.redirected(call.url, response.headers.get("Location", ""))
    before, after = addresses.origin(call.url), addresses.origin(url)
    if after[0] not in ("http", "https") or (before[0], after[0]) == ("https", "http"):
        raise BlockedAddress(
            f"{service} sends us to an address that is not secure. Nothing was sent there. {faults.KEPT}"
        )
    method, body = call.method, call.body
    if response.status_code in (301, 302, 303) and method != "GET":
        method, body = "GET", None
    headers = call.headers
    if before != after:
        if body is not None:  # it was meant for the one, and may hold what is secret
            raise BadAnswer(f"{service} sends us elsewhere with what was meant for it. {faults.KEPT}", kind="redirect")
        url = addresses.stripped(url)
        headers = {name: value for name, value in headers.items() if name.lower() in PLAIN}
    return replace(call, method=method, url=url, headers=headers, body=body)
