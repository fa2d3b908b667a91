"""What went wrong, in our words. No text of an exception of the libraries goes further: they hold whole addresses."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException

import requests
from urllib3 import exceptions as urllib3

from sync.errors import AccessRefused, BadAnswer, NotFound, RateLimited, SourceError, SourceRefused, SourceUnavailable

KEPT = "Nothing was removed."


def of_status(
    status: int, who: str, retry_after: float | None, *, edge: bool = False, visitor: bool = False
) -> SourceError:  # fmt: skip
    """An answer that is none of those that were asked for. edge: it comes from who stands before the service, and knows
    nothing of credentials: its 403 says that we ask too often. visitor: we showed no account."""
    if status == 403 and edge:
        status = 429
    if status in (401, 403) and visitor:
        return AccessRefused(
            f"{who} does not show this to visitors ({status}). {KEPT} Make it public there, or let the source ask with an account."
        )
    if status in (401, 403):
        return AccessRefused(f"{who} does not take these credentials ({status}). {KEPT} Connect the account again.")
    if status in (404, 410):
        return NotFound(
            f"{who} has nothing at this address any more ({status}). {KEPT} Look whether it was moved or deleted."
        )
    if status == 429:
        return RateLimited(f"{who} says that we ask too often. {KEPT}", retry_after=retry_after)
    if status == 423:
        return AccessRefused(f"{who} has locked this account ({status}). {KEPT} Its pages say more.")
    if (status >= 500 and status != 501) or status in (408, 425):
        text = f"{who} is in trouble ({status}). {KEPT} It is tried again."
        return SourceUnavailable(text, retry_after=retry_after, kind="http_5xx")
    if status < 400:
        kind = "redirect" if status >= 300 else "bad_response"
        return BadAnswer(f"{who} answered {status} where a list was expected. {KEPT}", kind=kind)
    return SourceRefused(f"{who} refused what we asked for ({status}). {KEPT} Look at the settings of the source.")


@contextmanager
def told(who: str, timeout_s: float) -> Iterator[None]:
    """Around an exchange: whatever the libraries raise comes out as a SourceError."""
    try:
        yield
    except (requests.RequestException, urllib3.HTTPError, HTTPException, OSError) as e:
        error = _of_exception(e, who, timeout_s)
    else:
        return
    raise error


def _of_exception(error: BaseException, who: str, timeout_s: float) -> SourceError:
    causes = list(_causes(error))

    def is_any(*classes: type[BaseException]) -> bool:
        return any(isinstance(cause, classes) for cause in causes)

    # What we raised ourselves while a connection was made comes out as it went in.
    if ours := next((cause for cause in causes if isinstance(cause, SourceError)), None):
        return ours
    if is_any(socket.gaierror, urllib3.NameResolutionError):
        return SourceUnavailable(
            f"The name of {who} was not found. {KEPT} Look whether its address is right.", kind="dns"
        )
    if is_any(ssl.SSLCertVerificationError):
        text = f"The certificate of {who} is not valid, so nothing was sent to it. {KEPT}"
        return SourceUnavailable(text, kind="tls")
    if is_any(urllib3.NewConnectionError):  # to the library a kind of timeout
        return SourceUnavailable(f"No connection to {who} could be made. {KEPT}", kind="connect")
    if is_any(TimeoutError, urllib3.TimeoutError, requests.Timeout):
        return SourceUnavailable(f"{who} did not answer within {timeout_s:g} seconds. {KEPT}", kind="timeout")
    if is_any(ssl.SSLError, requests.exceptions.SSLError):
        return SourceUnavailable(f"No secure connection to {who} could be made. {KEPT}", kind="tls")
    if is_any(urllib3.IncompleteRead, urllib3.InvalidChunkLength, requests.exceptions.ChunkedEncodingError):
        return BadAnswer(f"The answer of {who} breaks off. {KEPT}")
    if is_any(ConnectionResetError, BrokenPipeError, urllib3.ProtocolError):
        return SourceUnavailable(f"{who} broke off the connection. {KEPT}", kind="reset")
    if is_any(requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, requests.exceptions.MissingSchema,
              urllib3.LocationValueError):  # fmt: skip
        return SourceRefused(f"The address of {who} is not one that we can ask. {KEPT}", kind="http_4xx")
    return SourceUnavailable(f"No connection to {who} could be made. {KEPT}", kind="connect")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """It and all that stands behind it: the libraries wrap one in another, as a cause, a reason or an argument."""
    seen: set[int] = set()
    left = [error]
    while left:
        each = left.pop(0)
        if not isinstance(each, BaseException) or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        left += [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]
