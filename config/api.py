"""The API under /api/v1/: what the rooms bring, its schema, and one form for every refusal."""

import logging
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.http import Http404
from django.urls import URLPattern, path, re_path
from drf_spectacular.authentication import BasicScheme
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView, exception_handler, set_rollback

from lists import api as lists_api
from lists.encrypted import WrongKey
from lists.errors import AlreadyListed, Refused, TooLate
from lists.paging import BadCursor
from sync import api as sync_api
from sync.errors import BadPayload, Busy, SourceRefused, SourceUnavailable
from sync.uploads import NotOpen, TooLarge

log = logging.getLogger(__name__)

# Errors of the rooms whose text is written for people, with the status that tells it to programs.
REFUSALS: list[tuple[type[Exception], int, str]] = [
    (NotOpen, 409, "not_open"),
    (TooLarge, 413, "too_large"),
    (SourceUnavailable, 503, "unavailable"),
    (BadPayload, 400, "unreadable"),
    (Busy, 409, Busy.code),
    (SourceRefused, 409, SourceRefused.code),
    (BadCursor, 400, "bad_cursor"),
    (RequestDataTooBig, 413, "too_large"),
    (WrongKey, 503, "wrong_key"),
]


def answer_error(exc: Exception, context: dict[str, Any]) -> Response | None:
    """{"error": {"code", "message", "fields"?, "entry"?, "run"?}} for all that a request can end in but an answer."""
    if isinstance(exc, Refused):
        return _refused(exc, context["request"])
    for kind, status, code in REFUSALS:
        if isinstance(exc, kind):
            about = {"run": exc.run.pk} if isinstance(exc, Busy) else {}
            return Response({"error": {"code": code, "message": str(exc), **about}}, status)
    if isinstance(exc, SuspiciousOperation):
        return Response({"error": {"code": "invalid", "message": "The request makes no sense. Nothing was done."}}, 400)
    response = exception_handler(exc, context)
    if response is None:
        return _our_fault(exc, context["request"])
    response.data = {"error": _body(exc)}
    return response


def _our_fault(exc: Exception, request: Request) -> Response:
    """What nobody foresaw: logged with its traceback, and told as little as a page would tell."""
    set_rollback()
    log.error("%s %s broke", request.method, request.path, exc_info=exc)
    got_request_exception.send(sender=None, request=request._request)  # as Django does: metrics and tests listen
    message = "Something went wrong inside Listkeeper. The log of the web server says more."
    return Response({"error": {"code": "internal", "message": message}}, 500)


def _refused(exc: Refused, request: Request) -> Response:
    """409 and its like; 412 where the sender said which version they looked at."""
    status = 412 if isinstance(exc, TooLate) and "If-Match" in request.headers else exc.status
    about = {"entry": exc.entry.pk} if isinstance(exc, AlreadyListed) and exc.entry is not None else {}
    return Response({"error": {"code": exc.code, "message": str(exc), **about}}, status)


def _body(exc: Exception) -> dict[str, Any]:
    if isinstance(exc, ValidationError):
        return _invalid(exc.detail)
    if isinstance(exc, APIException):
        codes = exc.get_codes()
        return {"code": codes if isinstance(codes, str) else exc.default_code, "message": " ".join(_texts(exc.detail))}
    if isinstance(exc, Http404):
        message = str(exc)
        if not message or message.endswith("matches the given query."):  # of Django, and about models
            message = "There is nothing here, or you may not see it."
        return {"code": "not_found", "message": message}
    return {"code": "permission_denied", "message": str(exc) or "You may not do this. Nothing was changed."}


def _invalid(detail: Any) -> dict[str, Any]:
    fields = dict(_by_field(detail)) if isinstance(detail, dict) else {}
    about_all = fields.pop("non_field_errors", [] if isinstance(detail, dict) else _texts(detail))
    message = " ".join(about_all) or "Some of the values are wrong. Nothing was saved."
    return {"code": "invalid", "message": message, **({"fields": fields} if fields else {})}


def _by_field(detail: dict[str, Any], within: str = "") -> Iterator[tuple[str, list[str]]]:
    """(field, what is wrong with it); one within another is named "values.year"."""
    for name, found in detail.items():
        where = f"{within}.{name}" if within and name != "non_field_errors" else within or name
        if isinstance(found, dict) and all(isinstance(key, str) for key in found):
            yield from _by_field(found, where)
        else:
            yield where, _texts(found)


def _texts(detail: Any) -> list[str]:
    """Every sentence in a tree of errors."""
    if isinstance(detail, dict):
        detail = list(detail.values())
    return [text for part in detail for text in _texts(part)] if isinstance(detail, list | tuple) else [str(detail)]


class Nowhere(APIView):
    """Every other address below /api/v1/: without it a program would get a page for people."""

    permission_classes = [AllowAny]
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        slash = "" if request.path.endswith("/") else " Addresses of the API end in a slash."
        raise Http404(f"There is no such address.{slash}")

    def get(self, request: Request) -> Response:
        raise Http404


class BasicInSchema(BasicScheme):
    """Our own class of it says the same to a client; the schema generator finds this by its mere existence."""

    target_class = "config.incoming.Basic"


@extend_schema(exclude=True)
class Schema(SpectacularJSONAPIView):
    permission_classes = [IsAuthenticated]


urlpatterns: list[URLPattern] = [
    *lists_api.urlpatterns,
    *sync_api.urlpatterns,
    path("schema/", Schema.as_view()),
    re_path(r"", Nowhere.as_view()),
]
