"""How requests to the API are read: who sends them, and the body that they bring."""

from typing import Any

import orjson
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from rest_framework.authentication import BasicAuthentication
from rest_framework.exceptions import AuthenticationFailed, ParseError
from rest_framework.parsers import JSONParser


class Basic(BasicAuthentication):
    """Name and password with every request. PostgreSQL cannot even be asked for a name that holds NUL."""

    www_authenticate_realm = "Listkeeper"

    def authenticate_credentials(self, userid: str, password: str, request: Any = None) -> Any:
        if "\x00" in userid:
            raise AuthenticationFailed("Invalid username/password.")
        return super().authenticate_credentials(userid, password, request)


class Json(JSONParser):
    """JSON up to Django's limit for bodies that are kept in memory, which Django itself only applies to forms.

    orjson refuses what could not be stored or answered later: lone surrogates, NaN, nesting without end.
    """

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        length = str((parser_context or {})["request"].META.get("CONTENT_LENGTH") or "0")
        if not length.isdecimal() or int(length[:20]) > (settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0):
            raise RequestDataTooBig("The body is too large. Nothing was read.")
        try:
            return orjson.loads(stream.read())
        except ValueError as e:
            raise ParseError(f"The body is not JSON: {e}. Nothing was done.") from None
