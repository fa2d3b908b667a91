"""The API under /api/v1/: what the rooms bring, its schema, and one form for every refusal."""

from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import Http404
from django.urls import URLPattern, path, re_path
from drf_spectacular.authentication import BasicScheme
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView, exception_handler

from lists import api as lists_api
from lists.paging import BadCursor
from lists.services import InTheBin
from sync import api as sync_api
from sync.errors import BadPayload
from sync.uploads import NotOpen, TooLarge

# Errors of the rooms whose text is written for people, with the status that tells it to programs.
REFUSALS: list[tuple[type[Exception], int, str]] = [
    (InTheBin, 409, "in_the_bin"),
    (NotOpen, 409, "not_open"),
    (TooLarge, 413, "too_large"),
    (BadPayload, 400, "unreadable"),
    (BadCursor, 400, "bad_cursor"),
    (RequestDataTooBig, 413, "too_large"),
]


def answer_error(exc: Exception, context: dict[str, Any]) -> Response | None:
    """{"error": {"code", "message", "fields"?}} for all that a request can be refused for; None for our own faults."""
    for kind, status, code in REFUSALS:
        if isinstance(exc, kind):
            return Response({"error": {"code": code, "message": str(exc)}}, status)
    if isinstance(exc, SuspiciousOperation):
        return Response({"error": {"code": "invalid", "message": "The request makes no sense. Nothing was done."}}, 400)
    response = exception_handler(exc, context)
    if response is not None:
        response.data = {"error": _body(exc)}
    return response


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
    fields = {name: _texts(texts) for name, texts in detail.items()} if isinstance(detail, dict) else {}
    about_all = fields.pop("non_field_errors", [] if isinstance(detail, dict) else _texts(detail))
    message = " ".join(about_all) or "Some of the values are wrong. Nothing was saved."
    return {"code": "invalid", "message": message, **({"fields": fields} if fields else {})}


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
