"""Answers, looked at before anybody reads them: a service that is in trouble answers 200 and sends a page."""

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import IO, Any

import ijson
import orjson

from sync.errors import BadAnswer, BadPayload, Blocked
from sync.text import parse_json, within_limits

_BLANKS = b" \t\r\n"
HEAD = 1024  # bytes by which a body is known
_PAGE = re.compile(
    rb"(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL
)
_FAMILIES = {"json": "data", "xml": "a feed", "csv": "a table", "html": "a page"}


@dataclass(frozen=True, slots=True)
class Answer:
    """url: where it came from in the end, without what is secret."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    service: str = ""
    _parsed: list[Any] = field(default_factory=list, repr=False, compare=False)

    def json(self) -> Any:
        """Raises BadAnswer for what is no JSON, NaN included, or nests too deep. Parsed once."""
        if not self._parsed:
            try:
                value = parse_json(self.body.decode("utf-8-sig"))
                within_limits(value)
            except (orjson.JSONDecodeError, UnicodeDecodeError):
                raise broken(self.service) from None
            except BadPayload as e:
                raise BadAnswer(f"The answer of {self.service} cannot be read: {e}") from None
            self._parsed.append(value)
        return self._parsed[0]

    @property
    def text(self) -> str:
        """As the declared character set says, else UTF-8. Raises BadAnswer where it is not in it."""
        try:
            return self.body.decode(charset_of(self.headers))
        except (UnicodeDecodeError, LookupError):
            raise BadAnswer(
                f"The answer of {self.service} is not in the encoding that it claims. Nothing was read."
            ) from None


def charset_of(headers: Mapping[str, str]) -> str:
    charset = _content_type(headers).get_content_charset("utf-8")
    return "utf-8-sig" if charset in ("utf-8", "utf8") else charset


def _content_type(headers: Mapping[str, str]) -> Message:
    message = Message()
    message["Content-Type"] = headers.get("Content-Type", "")
    return message


def refuse_challenge(headers: Mapping[str, str], who: str) -> None:
    """Whatever the status. Raises Blocked."""
    if "x-amzn-waf-action" in headers:
        raise Blocked(f"{who} wants to see a person before it answers, so nothing was read. Try again later.")


def is_of_an_edge(headers: Mapping[str, str]) -> bool:
    """Whether a page of who stands before a service, not the service itself, answers."""
    return (
        headers.get("Server", "").lower() == "cloudflare" and _content_type(headers).get_content_type() == "text/html"
    )


def check(head: bytes, headers: Mapping[str, str], accept: str, who: str) -> None:
    """What begins like this is of the family that was asked for. A wrong content type alone is no fault: many servers send
    their lists as text/plain. Raises Blocked or BadAnswer."""
    if accept == "any":
        return
    start = head[:HEAD].removeprefix(b"\xef\xbb\xbf").lstrip(_BLANKS)
    what = _FAMILIES[accept]
    if not start:
        raise BadAnswer(f"{who} answered with nothing in place of {what}. Nothing was read, and nothing was removed.")
    if accept == "html":
        return
    if _PAGE.match(start) or (_content_type(headers).get_content_type() == "text/html" and start[:1] == b"<"):
        raise Blocked(f"{who} answered with a web page in place of {what}. Nothing was read, and nothing was removed.")
    if (accept == "json" and start[:1] not in (b"{", b"[")) or (accept == "xml" and not _may_be_xml(start)):
        raise BadAnswer(f"{who} answered with something else than {what}. Nothing was read, and nothing was removed.")


def check_end(body: bytes, accept: str, who: str) -> None:
    """A service that counts what it sends, and sends the half of it, is seen only here, where it can still be asked again.
    Raises BadAnswer."""
    if accept != "json" or not body:
        return
    try:
        parse_json(body.decode("utf-8-sig"))
    except orjson.JSONDecodeError:
        raise broken(who) from None
    except (UnicodeDecodeError, BadPayload):  # whole as it is: whoever reads it says what is wrong with it
        return


def check_file(file: IO[bytes], who: str) -> None:
    """Likewise, of what is too large to hold. Raises BadAnswer."""
    file.seek(0)
    try:
        deque(ijson.basic_parse(file, use_float=True), maxlen=0)
    except (ijson.JSONError, UnicodeDecodeError):
        raise broken(who) from None


def broken(who: str) -> BadAnswer:
    return BadAnswer(f"The answer of {who} is not JSON, or breaks off. Nothing was read, and nothing was removed.")


def _may_be_xml(start: bytes) -> bool:
    return start[:1] == b"<" or start[:2] in (b"\xff\xfe", b"\xfe\xff")
