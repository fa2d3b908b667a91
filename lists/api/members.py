"""Who else may see a list, and who may change it."""

from typing import Any

from django.contrib.auth import get_user_model
from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lists import services
from lists.api.parts import (
    PageQuery,
    StrictSerializer,
    body_of,
    operation,
    owned_list,
    page_answer,
    page_of,
    query_of,
    sort_field,
    sought,
    visible_list,
)
from lists.models import Membership
from lists.paging import Sort


class MemberSerializer(serializers.ModelSerializer[Membership]):
    username = serializers.CharField(source="user.username")

    class Meta:
        model = Membership
        fields = ["username", "role"]


SORTS = {
    sort.key: sort
    for sort in [Sort("added", "First added first", "id"), Sort("latest", "Last added first", "id", descending=True)]
}


class MemberQuery(PageQuery):
    role = serializers.ChoiceField(Membership.Role.choices, required=False)
    q = serializers.CharField(max_length=150, default="", allow_blank=True, help_text="in the name")
    sort = sort_field(SORTS)


class RoleSerializer(StrictSerializer):
    role = serializers.ChoiceField(Membership.Role.choices, help_text="viewer: may look; editor: may change")


def _person(username: str) -> Any:
    """Raises Http404."""
    # PostgreSQL cannot even be asked for a name that holds NUL.
    user = None if "\x00" in username else get_user_model().objects.filter(username=username, is_active=True).first()
    if user is None:
        raise Http404("There is nobody of that name. Nothing was changed.")
    return user


class Members(APIView):
    @operation("members", page_of(MemberSerializer), query=MemberQuery)
    def get(self, request: Request, list_id: int) -> Response:
        """With whom the list is shared, the first one first. Its owner stands with the list itself."""
        query = query_of(request, MemberQuery)
        rows = visible_list(request.user, list_id).memberships.select_related("user")
        if "role" in query:
            rows = rows.filter(role=query["role"])
        if query["q"]:
            rows = rows.filter(user__username__icontains=query["q"])
        return page_answer(sought(rows, SORTS[query["sort"]], query), MemberSerializer)


class OneMember(APIView):
    @operation("member_set", MemberSerializer, body=RoleSerializer)
    def put(self, request: Request, list_id: int, username: str) -> Response:
        """Share the list with somebody, or change what they may do."""
        list_ = owned_list(request.user, list_id)
        role = body_of(request, RoleSerializer)["role"]
        membership = services.share_list(list_, user=_person(username), role=role, by=request.user)
        return Response(MemberSerializer(membership).data)

    @operation("member_remove", None, status=204)
    def delete(self, request: Request, list_id: int, username: str) -> Response:
        """Stop sharing the list with somebody. Members may so leave themselves."""
        leaving = username == request.user.get_username()
        list_ = visible_list(request.user, list_id) if leaving else owned_list(request.user, list_id)
        member = list_.memberships.filter(user__username=username.replace("\x00", "")).select_related("user").first()
        if member is None:
            raise Http404("The list is not shared with anybody of that name.")
        services.unshare_list(list_, user=member.user, by=request.user)
        return Response(status=204)
