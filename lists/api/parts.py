"""What every part of the API is made of: pages, queries, access, and how an operation is documented."""

from collections.abc import Mapping
from datetime import datetime, time
from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.shortcuts import get_object_or_404
from django.utils.dateparse import parse_date
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from lists.models import MediaList
from lists.paging import Page, Sort, seek

M = TypeVar("M", bound=Model)

NEWEST = Sort("newest", "Newest first", "id", descending=True)


class ErrorSerializer(serializers.Serializer[Any]):
    """Every refusal: what happened, what did not, and, for wrong fields, which."""

    error = inline_serializer(
        "ErrorBody",
        {
            "code": serializers.CharField(help_text="for programs: not_found, invalid, not_open ..."),
            "message": serializers.CharField(help_text="for people"),
            "fields": serializers.DictField(child=serializers.ListField(child=serializers.CharField()), required=False),
        },
    )


class StrictSerializer(serializers.Serializer[Any]):
    """A body in which a name that means nothing is refused: what is passed over in silence looks saved."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = [str(name)[:100] for name in data if name not in self.fields or self.fields[name].read_only]
            if unknown:
                raise serializers.ValidationError({name: ["This cannot be set here."] for name in unknown})
        return super().to_internal_value(data)


class Moment(serializers.DateTimeField):
    """A time; a date alone means its last moment if `until`, else its first."""

    def __init__(self, *, until: bool = False, **kwargs: Any):
        self.until = until
        super().__init__(**kwargs)

    def to_internal_value(self, value: Any) -> datetime:
        if isinstance(value, str) and len(value) == 10 and self.until:
            try:
                day = parse_date(value)
            except ValueError:  # the 31st of February
                day = None
            if day is not None:
                return self.enforce_timezone(datetime.combine(day, time.max))
        return super().to_internal_value(value)


class PageQuery(serializers.Serializer[Any]):
    limit = serializers.IntegerField(min_value=1, max_value=1000, default=50, help_text="rows a page")
    after = serializers.CharField(
        max_length=2000, default="", allow_blank=True, help_text="the `next` of the page before; empty: the first page"
    )


class PlaceQuery(serializers.Serializer[Any]):
    start = serializers.IntegerField(min_value=0, max_value=2**31 - 1, default=0, help_text="rows before the page")
    limit = serializers.IntegerField(min_value=1, max_value=1000, default=50, help_text="rows a page")


def query_of(request: Request, serializer: type[serializers.Serializer[Any]]) -> dict[str, Any]:
    """The query string, read and checked. Raises ValidationError."""
    read = serializer(data=request.query_params)
    read.is_valid(raise_exception=True)
    return read.validated_data


def body_of(
    request: Request, serializer: type[serializers.Serializer[Any]], *, partial: bool = False
) -> dict[str, Any]:
    """The body, read and checked. Raises ValidationError."""
    read = serializer(data=request.data, partial=partial)
    read.is_valid(raise_exception=True)
    return read.validated_data


def sought(rows: QuerySet[M], sort: Sort, query: Mapping[str, Any]) -> Page[M]:
    """The page that a PageQuery asks for. Raises BadCursor."""
    return seek(rows, sort, after=query["after"], limit=query["limit"])


def page_answer(page: Page[Any], serializer: type[serializers.BaseSerializer[Any]], **context: Any) -> Response:
    shown = serializer(page.rows, many=True, context=context)
    return Response({"results": shown.data, "next": page.next or None})


def page_of(serializer: type[serializers.BaseSerializer[Any]]) -> Any:
    """The schema of a page_answer()."""
    return inline_serializer(
        serializer.__name__.removesuffix("Serializer") + "Page",
        {
            "results": serializer(many=True),
            "next": serializers.CharField(allow_null=True, help_text="cursor of the next page; null: this is the last"),
        },
    )


def operation(
    name: str,
    answer: Any,
    *,
    query: type[serializers.Serializer[Any]] | None = None,
    body: Any = None,
    status: int = 200,
) -> Any:
    """How one operation stands in the schema; the docstring of the method is its description.

    answer: a serializer, or {(status, media type): type} for a file.
    """
    refusals = dict.fromkeys((400, 401, 403, 404, 409), ErrorSerializer)
    answers = answer if isinstance(answer, dict) else {status: answer}
    return extend_schema(
        operation_id=name, parameters=[query] if query else [], request=body, responses={**answers, **refusals}
    )


def visible_list(user: Any, pk: int, *, binned: bool | None = False) -> MediaList:
    """A list that the user may see. Raises Http404."""
    return get_object_or_404(MediaList.objects.for_user(user, binned=binned), pk=pk)


def editable_list(user: Any, pk: int) -> MediaList:
    """A list that the user may change. Raises Http404, or PermissionDenied for who may only look."""
    list_ = visible_list(user, pk)
    if not list_.may_edit(user):
        raise PermissionDenied("You may look at this list but not change it. Nothing was changed.")
    return list_


def owned_list(user: Any, pk: int, *, binned: bool | None = False) -> MediaList:
    """A list that is the user's own. Raises Http404, or PermissionDenied for its other members."""
    list_ = visible_list(user, pk, binned=binned)
    if list_.role_of(user) != "owner":
        raise PermissionDenied("Only the owner of a list may do this. Nothing was changed.")
    return list_


class AnyAccept(DefaultContentNegotiation):
    """For answers that are no JSON: whatever the client says that it accepts, it gets what the address names."""

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type
