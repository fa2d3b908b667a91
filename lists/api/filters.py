"""The filters of a list: what may come onto it, whichever source brings it."""

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lists import browse, services
from lists.api.parts import (
    StrictSerializer,
    as_seen,
    body_of,
    changed,
    made,
    number_of,
    operation,
    owned_list,
    tag,
    visible_list,
)
from lists.filters import CHECKS, BadFilters
from lists.models import Item, MediaList


def _rating(help_text: str) -> serializers.FloatField:
    return serializers.FloatField(allow_null=True, help_text=f"{help_text}; 0 to 10")


def _count(help_text: str) -> serializers.IntegerField:
    return serializers.IntegerField(allow_null=True, help_text=help_text)


def _words(help_text: str) -> serializers.ListField:
    return serializers.ListField(child=serializers.CharField(max_length=100), allow_null=True, help_text=help_text)


class FiltersSerializer(StrictSerializer):
    """null: not filtered by it. What a person put on the list by hand passes every filter."""

    kinds = serializers.ListField(
        child=serializers.ChoiceField(Item.Kind.choices), allow_null=True, help_text="only these"
    )
    year_from = _count("this year or later")
    year_to = _count("this year or earlier")
    min_rating = _rating("the rating that the list shows, at least")
    min_imdb_rating = _rating("the rating that a source from IMDb states, at least")
    min_tmdb_rating = _rating("the rating that a source from TMDb states, at least")
    min_votes = _count("votes, at least")
    genres = _words("one of these at least")
    no_genres = _words("none of these")
    languages = _words("one of these, as sources write them; pt lets pt-BR in")
    min_minutes = _count("length, at least")
    max_minutes = _count("length, at most")
    keep_out_unknown = serializers.BooleanField(
        allow_null=True, help_text="whether that is kept out of which nobody knows what a filter asks for"
    )
    max_new = _count(
        "new entries at one sync, at most; the others come with later ones. Not of files, charts and tracklists"
    )


FILTERED = serializers.DictField(
    child=serializers.IntegerField(), help_text="what a filter looks at (year, rating ...) -> entries that it keeps out"
)
FATE = inline_serializer(
    "Fate",
    {
        "entry": serializers.IntegerField(help_text="id of the entry"),
        "title": serializers.CharField(),
        "year": serializers.IntegerField(allow_null=True),
        "reason": serializers.CharField(help_text="why it would be kept out; empty if it would come back"),
    },
    many=True,
)
PREVIEW = inline_serializer(
    "FiltersPreview",
    {
        "leave": serializers.IntegerField(help_text="entries that would leave"),
        "back": serializers.IntegerField(help_text="entries that would come back"),
        "filtered": FILTERED,
        "leaving": FATE,
        "coming": FATE,
    },
)


def _shown(list_: MediaList) -> dict[str, Any]:
    return {
        "filters": {name: list_.filters.get(name) for name in CHECKS},
        "filtered": browse.filtered_of(list_),
    }


def _asked(request: Request) -> dict[str, Any]:
    return body_of(request, FiltersSerializer, partial=True)


class Filters(APIView):
    @operation(
        "filters",
        inline_serializer("FiltersShown", {"filters": FiltersSerializer(), "filtered": FILTERED}),
        tagged=True,
    )
    def get(self, request: Request, list_id: int) -> Response:
        """What may come onto the list, and how much is kept out by it now."""
        list_ = visible_list(request.user, list_id)
        return tag(Response(_shown(list_)), number_of(list_))

    @operation(
        "filters_change",
        made("FiltersChanged", filters=FiltersSerializer(), filtered=FILTERED),
        body=FiltersSerializer(partial=True),
        seen=True,
    )
    def patch(self, request: Request, list_id: int) -> Response:
        """Change filters; what is not named stays, null takes one away. What they keep out leaves at once, what they let in
        again is back without a fetch."""
        list_ = owned_list(request.user, list_id)
        body = _asked(request)
        try:
            with as_seen(request, list_):
                version = services.change_filters(list_, by=request.user, **body)
        except BadFilters as e:
            raise _refusal(e) from e
        list_ = MediaList.objects.get(pk=list_.pk)
        return changed(list_, version, **_shown(list_))


class FiltersPreview(APIView):
    @operation("filters_preview", PREVIEW, body=FiltersSerializer(partial=True))
    def post(self, request: Request, list_id: int) -> Response:
        """What a change of filters would do now, with the first entries that would leave or come back. Nothing is changed
        by this."""
        list_ = owned_list(request.user, list_id)
        try:
            preview = services.preview_filters(list_, _asked(request))
        except BadFilters as e:
            raise _refusal(e) from e
        return Response(asdict(preview))


def _refusal(e: BadFilters) -> serializers.ValidationError:
    return serializers.ValidationError({name: [f"{fault} Nothing was changed."] for name, fault in e.fields.items()})
