"""Lists, their bin and exports."""

from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.http import Http404, StreamingHttpResponse
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lists import labels, services
from lists.api.parts import (
    NEWEST,
    AnyAccept,
    PageQuery,
    PlaceQuery,
    StrictSerializer,
    body_of,
    editable_list,
    operation,
    owned_list,
    page_answer,
    page_of,
    placed_answer,
    places_of,
    query_of,
    sort_field,
    sought,
    tag,
    visible_list,
)
from lists.api.versions import kept_version, number_field
from lists.exports import EXPORTS
from lists.models import MediaList, Membership
from lists.paging import Sort

SORTS = {
    sort.key: sort
    for sort in [
        Sort("name", "By name", "name"),
        NEWEST,
        Sort("updated", "Last changed first", "updated_at", descending=True),
        Sort("size", "Longest first", "item_count", descending=True),
    ]
}


ROLES = ["owner", "editor", "viewer"]


class MediaListSerializer(serializers.ModelSerializer[MediaList]):
    owner = serializers.CharField(source="owner.username", help_text="who owns it, by name")
    role = serializers.SerializerMethodField(help_text="yours: owner, editor or viewer")
    tags = serializers.ListField(child=serializers.CharField())
    version = serializers.IntegerField(source="version_number", allow_null=True, help_text="null: nothing has come yet")

    class Meta:
        model = MediaList
        fields = [
            "id", "uid", "name", "description", "content", "tags", "facts", "owner", "role", "order_mode", "order_field",
            "version", "item_count", "excluded_count", "created_at", "updated_at", "deleted_at",
        ]  # fmt: skip

    @extend_schema_field(serializers.ChoiceField(ROLES))
    def get_role(self, list_: Any) -> str:
        user = self.context["user"]
        return "owner" if user.is_staff or list_.owner_id == user.pk else list_.member_role


class DetailsSerializer(StrictSerializer):
    """What a person says of a list."""

    name = serializers.CharField(max_length=200)
    description = serializers.CharField(max_length=5000, required=False, allow_blank=True)
    tags = serializers.ListField(child=serializers.CharField(max_length=60), max_length=50, required=False)

    def validate_name(self, name: str) -> str:
        return " ".join(name.split())

    def validate_tags(self, tags: list[str]) -> list[str]:
        return list(dict.fromkeys(tag.replace("|", "/") for tag in tags))


class NewListSerializer(DetailsSerializer):
    content = serializers.ChoiceField(MediaList.Content.choices, default=MediaList.Content.FILMS)


class ListQuery(PageQuery):
    q = serializers.CharField(max_length=200, default="", allow_blank=True, help_text="in name or description")
    tag = serializers.CharField(max_length=60, default="", allow_blank=True, help_text="the whole tag")
    content = serializers.ChoiceField(MediaList.Content.choices, required=False)
    role = serializers.ChoiceField(ROLES, required=False, help_text="yours")
    sort = sort_field(SORTS)


LIST_PAGE = page_of(MediaListSerializer)


def lists_of(user: Any, *, binned: bool | None = False) -> QuerySet[MediaList]:
    """Lists with what MediaListSerializer shows: one query."""
    mine = Membership.objects.filter(list=OuterRef("pk"), user=user).values("role")
    found = MediaList.objects.for_user(user, binned=binned).select_related("owner")
    return found.annotate(version_number=F("current__number"), member_role=Subquery(mine[:1]))


def _answer(request: Request, pk: int, status: int = 200) -> Response:
    list_ = lists_of(request.user, binned=None).get(pk=pk)
    return Response(MediaListSerializer(list_, context={"user": request.user}).data, status)


def _page(request: Request, *, binned: bool) -> Response:
    query = query_of(request, ListQuery)
    found = lists_of(request.user, binned=binned)
    if query["q"]:
        found = found.filter(Q(name__icontains=query["q"]) | Q(description__icontains=query["q"]))
    if query["tag"]:
        found = found.filter(tags__contains=labels.one(query["tag"]))
    if "content" in query:
        found = found.filter(content=query["content"])
    if "role" in query:
        found = found.filter(_has_role(request.user, query["role"]))
    return page_answer(sought(found, SORTS[query["sort"]], query), MediaListSerializer, user=request.user)


def _has_role(user: Any, role: str) -> Q:
    """Staff count as owners everywhere, as MediaListSerializer says."""
    if role == "owner":
        return Q() if user.is_staff else Q(owner=user)
    return Q(pk=None) if user.is_staff else Q(member_role=role) & ~Q(owner=user)


class Lists(APIView):
    @operation("lists", LIST_PAGE, query=ListQuery)
    def get(self, request: Request) -> Response:
        """Your lists and those shared with you, by name."""
        return _page(request, binned=False)

    @operation("list_create", MediaListSerializer, body=NewListSerializer, status=201)
    def post(self, request: Request) -> Response:
        """Make an empty list."""
        list_ = services.create_list(request.user, **body_of(request, NewListSerializer))
        return _answer(request, list_.pk, 201)


class Bin(APIView):
    @operation("lists_in_bin", LIST_PAGE, query=ListQuery)
    def get(self, request: Request) -> Response:
        """Lists that lie in the bin."""
        return _page(request, binned=True)


class OneList(APIView):
    @operation("list", MediaListSerializer, tagged=True)
    def get(self, request: Request, list_id: int) -> Response:
        """One list. A list in the bin answers 404 here and stands in /lists/bin/."""
        answer = _answer(request, visible_list(request.user, list_id).pk)
        return tag(answer, answer.data["version"] or 0)

    @operation("list_change", MediaListSerializer, body=DetailsSerializer(partial=True))
    def patch(self, request: Request, list_id: int) -> Response:
        """Change name, description or tags; what is not named stays."""
        list_ = editable_list(request.user, list_id)
        services.change_list(list_, by=request.user, **body_of(request, DetailsSerializer, partial=True))
        return _answer(request, list_.pk)

    @operation("list_delete", None, status=204)
    def delete(self, request: Request, list_id: int) -> Response:
        """Put the list into the bin; restore brings it back until the bin is emptied."""
        services.bin_list(owned_list(request.user, list_id), by=request.user)
        return Response(status=204)


class Restore(APIView):
    @operation("list_restore", MediaListSerializer)
    def post(self, request: Request, list_id: int) -> Response:
        """Take a list out of the bin. One that is not in it stays as it is."""
        list_ = services.restore_list(owned_list(request.user, list_id, binned=None), by=request.user)
        return _answer(request, list_.pk)


class ExportSerializer(serializers.Serializer[Any]):
    """One format that the list can be downloaded in, at /lists/{id}/export/{key}/."""

    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment] # the attribute is the instance's
    content_type = serializers.CharField()
    extension = serializers.CharField()


MEDIA_TYPES = sorted({export.content_type.partition(";")[0] for export in EXPORTS.values()})


class ExportQuery(serializers.Serializer[Any]):
    version = number_field(required=False)


class Exports(APIView):
    @operation("list_exports", places_of(ExportSerializer), query=PlaceQuery)
    def get(self, request: Request, list_id: int) -> Response:
        """The formats that the list can be downloaded in."""
        list_ = visible_list(request.user, list_id)
        fitting = [found for _, found in sorted(EXPORTS.items()) if found.fits(list_)]
        return placed_answer(fitting, query_of(request, PlaceQuery), ExportSerializer)


class ExportFile(APIView):
    content_negotiation_class = AnyAccept

    @operation(
        "list_export",
        {(200, kind): OpenApiTypes.BINARY for kind in MEDIA_TYPES},
        query=ExportQuery,
    )
    def get(self, request: Request, list_id: int, export: str) -> StreamingHttpResponse:
        """The whole list as a file, as it is or as one version showed it. /lists/{id}/export/ names what `export` can be."""
        list_ = visible_list(request.user, list_id)
        number = query_of(request, ExportQuery).get("version")
        found = EXPORTS.get(export)
        if found is None or not found.fits(list_):
            raise Http404("There is no such export of this list.")
        version = None if number is None else kept_version(list_, number)
        return StreamingHttpResponse(
            found.write(list_, user=request.user, version=version),
            content_type=found.content_type,
            headers={"Content-Disposition": content_disposition_header(True, found.filename(list_)) or "attachment"},
        )
