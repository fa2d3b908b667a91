"""What every part of the API is made of: pages, queries, access, changes, and how an operation is documented."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, time
from functools import cache
from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, QuerySet
from django.shortcuts import get_object_or_404
from django.utils.dateparse import parse_date
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from lists.errors import TooLate
from lists.models import Item, MediaList, Version
from lists.paging import Page, Sort, seek

M = TypeVar("M", bound=Model)

NEWEST = Sort("newest", "Newest first", "id", descending=True)
OLDEST = Sort("oldest", "Oldest first", "id")
BY_AGE = {sort.key: sort for sort in (NEWEST, OLDEST)}
AT_ONCE = 1000  # things that one request may name
ID_MAX = 2**63 - 1


class ErrorSerializer(serializers.Serializer[Any]):
    """Every refusal: what happened, what did not, and, for wrong fields, which."""

    error = inline_serializer(
        "ErrorBody",
        {
            "code": serializers.CharField(help_text="for programs: not_found, invalid, not_open ..."),
            "message": serializers.CharField(help_text="for people"),
            "fields": serializers.DictField(child=serializers.ListField(child=serializers.CharField()), required=False),
            "entry": serializers.IntegerField(required=False, help_text="of already_listed: the entry that is there"),
            "run": serializers.IntegerField(required=False, help_text="of busy: the run that waits or works"),
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


def id_field(help_text: str = "", **kwargs: Any) -> serializers.IntegerField:
    return serializers.IntegerField(min_value=1, max_value=ID_MAX, help_text=help_text, **kwargs)


def ids_field(help_text: str = "", **kwargs: Any) -> serializers.ListField:
    return serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=ID_MAX), min_length=1, max_length=AT_ONCE,
        help_text=help_text, **kwargs,
    )  # fmt: skip


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


def sort_field(sorts: Mapping[str, Sort]) -> serializers.ChoiceField:
    """The orders of an answer; the first if nobody asks for another."""
    return serializers.ChoiceField([(key, sort.label) for key, sort in sorts.items()], default=next(iter(sorts)))


class AgeQuery(PageQuery):
    sort = sort_field(BY_AGE)


NEXT_START = serializers.IntegerField(allow_null=True, help_text="`start` of the next page; null: this is the last")


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
    if request.data is None:
        raise serializers.ValidationError("The body must be a JSON object, not null. Nothing was done.")
    read = serializer(data=request.data, partial=partial)
    read.is_valid(raise_exception=True)
    return read.validated_data


def sought(rows: QuerySet[M], sort: Sort, query: Mapping[str, Any]) -> Page[M]:
    """The page that a PageQuery asks for. Raises BadCursor."""
    return seek(rows, sort, after=query["after"], limit=query["limit"])


def placed_answer(
    rows: Sequence[Any], query: Mapping[str, Any], serializer: type[serializers.BaseSerializer[Any]]
) -> Response:
    """The page that a PlaceQuery asks for, of rows that are all at hand."""
    end = query["start"] + query["limit"]
    shown = serializer(rows[query["start"] : end], many=True)
    return Response({"results": shown.data, "next": end if end < len(rows) else None})


def page_answer(page: Page[Any], serializer: type[serializers.BaseSerializer[Any]], **context: Any) -> Response:
    shown = serializer(page.rows, many=True, context=context)
    return Response({"results": shown.data, "next": page.next or None})


@cache
def page_of(serializer: type[serializers.BaseSerializer[Any]]) -> Any:
    """The schema of a page_answer()."""
    return inline_serializer(
        serializer.__name__.removesuffix("Serializer") + "Page",
        {
            "results": serializer(many=True),
            "next": serializers.CharField(allow_null=True, help_text="cursor of the next page; null: this is the last"),
        },
    )


@cache
def places_of(serializer: type[serializers.BaseSerializer[Any]]) -> Any:
    """The schema of a placed_answer()."""
    return inline_serializer(
        serializer.__name__.removesuffix("Serializer") + "Places",
        {"results": serializer(many=True), "next": NEXT_START},
    )


REFUSALS = (400, 401, 403, 404, 405, 409, 429, 500)  # that any operation may answer with
IF_MATCH = OpenApiParameter(
    "If-Match", str, "header", description='the version that you looked at, as the ETag names it: "12"'
)
ETAG = OpenApiParameter("ETag", str, "header", response=[200, 201], description="number of the current version")


def operation(
    name: str,
    answer: Any,
    *,
    query: type[serializers.Serializer[Any]] | None = None,
    body: Any = None,
    status: int = 200,
    tagged: bool = False,
    seen: bool = False,
    asks: bool = False,
) -> Any:
    """How one operation stands in the schema; the docstring of the method is its description.

    answer: a serializer, or {(status, media type): type} for a file. tagged: the answer carries an ETag. seen: it heeds
    If-Match, and the answer carries an ETag. asks: it waits for the answer of another service.
    """
    codes = [*REFUSALS, *([503] if asks else []), *([412] if seen else []), *([413, 415] if body is not None else [])]
    refusals = dict.fromkeys(sorted(codes), ErrorSerializer)
    answers = answer if isinstance(answer, dict) else {status: answer}
    parameters: list[Any] = [
        *([query] if query else []),
        *([IF_MATCH] if seen else []),
        *([ETAG] if seen or tagged else []),
    ]
    return extend_schema(operation_id=name, parameters=parameters, request=body, responses={**answers, **refusals})


# -- changes ---------------------------------------------------------------------------------------------------------


def made(name: str, **more: Any) -> Any:
    """The schema of a changed()."""
    version = serializers.IntegerField(allow_null=True, help_text="the version that this made; null: nothing changed")
    return inline_serializer(name, {"version": version, **more})


CHANGED = made("Changed")


def number_of(list_: MediaList) -> int:
    """Number of the version that was current when the list was read; 0 if it had none yet."""
    if list_.current_id is None:
        return 0
    return Version.objects.filter(pk=list_.current_id).values_list("number", flat=True).first() or 0


def tag(response: Response, number: int) -> Response:
    response["ETag"] = f'"{number}"'
    return response


def changed(list_: MediaList, version: Version | None, status: int = 200, **more: Any) -> Response:
    """What every change of a list answers: the version that it made, and in the ETag the one that is current now."""
    if version is None:
        list_.refresh_from_db(fields=["current"])
    body = {"version": version.number if version else None, **more}
    return tag(Response(body, status), version.number if version else number_of(list_))


def seen_of(request: Request) -> int | None:
    """The version that the sender looked at (If-Match); None if that is no matter. Raises ParseError."""
    text = request.headers.get("If-Match", "*").strip()
    if text == "*":
        return None
    found = re.fullmatch(r'(?:W/)?"(\d{1,10})"', text, re.ASCII)
    if found is None:
        raise ParseError('If-Match must name a version as the ETag does, for example "12". Nothing was changed.')
    return int(found[1])


@contextmanager
def as_seen(request: Request, list_: MediaList) -> Iterator[None]:
    """Around a change that the sender wants only if the list is as they saw it. Raises TooLate if a version came since."""
    seen = seen_of(request)
    if seen is None:
        yield
        return
    with transaction.atomic():
        number = number_of(MediaList.objects.locked(list_.pk))
        if number != seen:
            raise TooLate(f"The list is at version {number} now, not {seen}. Nothing was changed. Look at it again.")
        yield


# -- access ----------------------------------------------------------------------------------------------------------


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


def item_named(user: Any, pk: int, field: str = "item") -> Item:
    """An item that a body names in a field. Raises ValidationError."""
    found = Item.objects.for_user(user).filter(pk=pk).first()
    if found is None:
        raise serializers.ValidationError({field: ["There is no such item."]})
    return found


class AnyAccept(DefaultContentNegotiation):
    """For answers that are no JSON: whatever the client says that it accepts, it gets what the address names."""

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type
