"""The rules of a list: how its sources are weighed, and what may leave without a question."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lists import services
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
from lists.models import MediaList, Removals, SitePolicy, Strategy
from lists.preferences import fault_of


def _per_cent(help_text: str) -> serializers.IntegerField:
    return serializers.IntegerField(min_value=0, max_value=100, allow_null=True, help_text=help_text)


class RulesSerializer(StrictSerializer):
    """null: as the site says."""

    strategy = serializers.ChoiceField(Strategy.choices, allow_null=True, help_text="where sources differ")
    preferred = serializers.DictField(
        child=serializers.JSONField(),
        allow_null=True,
        help_text="for the strategy rules: field -> whom to believe first, the id of a source of the list or where "
        "sources come from (imdb, imdb_csv)",
    )
    removals = serializers.ChoiceField(Removals.choices, allow_null=True, help_text="of what no source lists any more")
    review_unsure = serializers.BooleanField(
        allow_null=True, help_text="whether a change of its sources that looks unsure waits for a person"
    )
    accept_confidence = serializers.FloatField(
        min_value=0, max_value=1, allow_null=True, help_text="from which confidence on a change is taken unasked"
    )
    held_share = _per_cent("per cent of a source's entries that may be missing before a person is asked")
    held_share_always = _per_cent("per cent above which a person is asked however few they are")
    held_floor = serializers.IntegerField(
        min_value=0, max_value=10_000, allow_null=True, help_text="so many may always be missing"
    )


RULES = tuple(services.RULES)


class RulesShownSerializer(serializers.Serializer[Any]):
    """own: what the list says itself. site: what holds where it says nothing."""

    own = RulesSerializer()
    site = RulesSerializer()


def _shown(list_: MediaList) -> dict[str, Any]:
    site = SitePolicy.current()
    return {
        "own": {name: list_.policy.get(name) for name in RULES},
        "site": {
            **{name: getattr(site, name) for name in RULES if name != "review_unsure"},
            "review_unsure": list_.content == MediaList.Content.TRACKS,
        },
    }


class Rules(APIView):
    @operation("rules", RulesShownSerializer, tagged=True)
    def get(self, request: Request, list_id: int) -> Response:
        """What the list says itself, and what the site says where the list says nothing."""
        list_ = visible_list(request.user, list_id)
        return tag(Response(_shown(list_)), number_of(list_))

    @operation(
        "rules_change",
        made("RulesChanged", own=RulesSerializer(), site=RulesSerializer()),
        body=RulesSerializer(partial=True),
        seen=True,
    )
    def patch(self, request: Request, list_id: int) -> Response:
        """Change rules; what is not named stays, null goes back to what the site says. The list is weighed anew at once."""
        list_ = owned_list(request.user, list_id)
        body = body_of(request, RulesSerializer, partial=True)
        if fault := fault_of(body.get("preferred") or {}, list_):
            raise serializers.ValidationError({"preferred": [f"{fault} Nothing was changed."]})
        with as_seen(request, list_):
            version = services.change_rules(list_, by=request.user, **body)
        list_.refresh_from_db(fields=["policy"])
        return changed(list_, version, **_shown(list_))
