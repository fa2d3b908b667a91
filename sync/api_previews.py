"""What lies at an address, or what a kind of source brings: recognised, tried, kept. For programs."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lists.api.parts import StrictSerializer, body_of, editable_list, id_field, operation, owned_list
from lists.api.sources import YEAR_MIN, SourceSerializer, source_of
from lists.models import Account, Proposal, Removals, Strategy
from sync import access, pasted
from sync.adapters import fetched_adapters
from sync.api_parts import ConfigField
from sync.uploads import NotOpen

_OTHERWISE = {
    True: "Confirm or read it again at /uploads/.",
    False: "Keep it or try it again at /previews/.",
}


class ProposalSerializer(serializers.ModelSerializer[Proposal]):
    """result: what the file or address would bring: counts, the first rows of each kind, columns, rows that cannot be read. Of
    an address `config` names the account, too, and whether somebody chose the kind."""

    class Meta:
        model = Proposal
        fields = [
            "id", "state", "list", "source", "list_name", "filename", "adapter", "config", "result", "error", "created_at",
            "expires_at", "decided_at",
        ]  # fmt: skip


def visible_upload(user: Any, pk: int) -> Proposal:
    """A preview that the user may see. Raises Http404."""
    previews = Proposal.objects.for_user(user).without_body().filter(kind=Proposal.Kind.PREVIEW)
    return get_object_or_404(previews.select_related("list"), pk=pk)


def decidable_upload(user: Any, pk: int, *, of_address: bool | None = None) -> Proposal:
    """A preview that the user may decide. of_address: whether it must be of an address or a kind, or of a file. Raises Http404,
    NotOpen, or PermissionDenied for who may only look."""
    proposal = visible_upload(user, pk)
    mine = proposal.created_by_id == user.pk or user.is_staff
    if not (proposal.list.may_edit(user) if proposal.list else mine):
        raise PermissionDenied("You may look at this preview but not decide it. Nothing was changed.")
    if of_address is not None and pasted.is_pasted(proposal) != of_address:
        raise NotOpen(
            f"This is the preview of {'a file' if of_address else 'an address'}. Nothing was changed. {_OTHERWISE[of_address]}"
        )
    return proposal


ADDRESS = "where it is read; a key or password in it is kept encrypted and shown nowhere"


class AddressSerializer(StrictSerializer):
    address = serializers.CharField(max_length=pasted.LONGEST, help_text="as a browser shows it")


class RecognisedSerializer(serializers.Serializer[Any]):
    """A kind of source that reads an address. wrong: what has to be answered in `config` first."""

    adapter = serializers.CharField(source="adapter.key")
    label = serializers.CharField(source="adapter.label")  # type: ignore[assignment] # the attribute is the instance's
    help = serializers.CharField(source="adapter.help")
    attribution = serializers.CharField(source="adapter.attribution")
    config = serializers.JSONField(source="answers", help_text="what the address says")
    wrong = serializers.ListField(child=serializers.CharField())
    account = serializers.SerializerMethodField(help_text="the kind of account that it is read with; empty: none")

    def get_account(self, found: pasted.Recognised) -> str:
        return access.kind_of(found.adapter)


class Recognise(APIView):
    @operation("source_types_recognise", RecognisedSerializer(many=True), body=AddressSerializer)
    def post(self, request: Request) -> Response:
        """Which kinds of sources read an address, the likeliest first. Nobody is asked. 409 for what no kind reads."""
        found = pasted.recognise(body_of(request, AddressSerializer)["address"])
        return Response(RecognisedSerializer(found, many=True).data)


class TryAgainSerializer(StrictSerializer):
    """account: left out, one of yours that works is taken, or the one from before; null: none."""

    adapter = serializers.CharField(max_length=40, required=False, help_text="a key of /source-types/ that is no file")
    config = ConfigField(required=False, help_text="answers to the questions of its kind")
    account = id_field("one of yours", required=False, allow_null=True)

    def validate_adapter(self, key: str) -> str:
        if key not in fetched_adapters():
            raise serializers.ValidationError("There is no such kind of source that is fetched.")
        return key


class PreviewSerializer(TryAgainSerializer):
    """An address, or a kind of source with its answers."""

    address = serializers.CharField(max_length=pasted.LONGEST, required=False, help_text=ADDRESS)
    list_name = serializers.CharField(required=False, max_length=200, allow_blank=True, help_text="of a new list")

    def get_fields(self) -> dict[str, Any]:
        """A field called `list` would hide the builtin here."""
        return {**super().get_fields(), "list": id_field("id of the list that it is for", required=False)}

    def validate(self, body: dict[str, Any]) -> dict[str, Any]:
        if not (body.get("address") or body.get("adapter")):
            raise serializers.ValidationError("Say an address, or the adapter. Nothing was read.")
        return body


def _with_account(user: Any, body: dict[str, Any]) -> dict[str, Any]:
    """The body with the account in the place of its id. Raises ValidationError."""
    if body.get("account"):
        account = Account.objects.filter(pk=body["account"], owner=user, from_addresses=False).first()
        if account is None:
            raise serializers.ValidationError({"account": ["You have no such account."]})
        return {**body, "account": account}
    return body


class Previews(APIView):
    @operation("preview", ProposalSerializer, body=PreviewSerializer, status=202)
    def post(self, request: Request) -> Response:
        """Have a worker try what lies at an address, or what a kind of source brings. Ask for it at /uploads/{id}/ until its
        state is open or refused. Nothing else is saved before it is kept."""
        body = _with_account(request.user, body_of(request, PreviewSerializer))
        list_ = editable_list(request.user, body.pop("list")) if "list" in body else None
        proposal = pasted.start(by=request.user, list_=list_, **body)
        return Response(ProposalSerializer(proposal).data, 202)


class TryAgain(APIView):
    @operation("preview_try_again", ProposalSerializer, body=TryAgainSerializer, status=202)
    def post(self, request: Request, upload_id: int) -> Response:
        """Make the preview anew: as another kind, with other answers, with another account."""
        body = _with_account(request.user, body_of(request, TryAgainSerializer))
        proposal = decidable_upload(request.user, upload_id, of_address=True)
        return Response(ProposalSerializer(pasted.try_again(proposal, **body)).data, 202)


class KeepSerializer(StrictSerializer):
    """On a list that is there it is one more source; else it makes one, for which removals and strategy are set."""

    list_name = serializers.CharField(required=False, max_length=200)
    source_name = serializers.CharField(required=False, max_length=200)
    interval_min = serializers.IntegerField(
        required=False, min_value=1, max_value=YEAR_MIN, help_text="minutes between fetches; as its kind if left out"
    )
    first = serializers.BooleanField(default=False, help_text="whether it is believed before the list's other sources")
    removals = serializers.ChoiceField(Removals.choices, required=False, help_text="of what it does not list any more")
    strategy = serializers.ChoiceField(Strategy.choices, required=False, help_text="where sources differ")

    def get_fields(self) -> dict[str, Any]:
        """As above."""
        return {**super().get_fields(), "list": id_field("id of a list", required=False)}


class KeepPreview(APIView):
    @operation(
        "preview_keep",
        inline_serializer("Kept", {"run": serializers.IntegerField(), "list": serializers.IntegerField(), "source": serializers.IntegerField()}),
        body=KeepSerializer,
        status=202,
    )  # fmt: skip
    def post(self, request: Request, upload_id: int) -> Response:
        """Make it a source and have it read. The answer names the run; follow it until it has ended."""
        body = body_of(request, KeepSerializer)
        proposal = decidable_upload(request.user, upload_id, of_address=True)
        list_ = editable_list(request.user, body.pop("list")) if "list" in body else None
        rules: dict[str, Any] = {name: body.pop(name) for name in ("removals", "strategy") if name in body}
        run = pasted.save(proposal, by=request.user, list_=list_, rules=rules, **body)
        return Response({"run": run.pk, "list": run.list_id, "source": run.source_id}, 202)


class MoveSourceSerializer(StrictSerializer):
    address = serializers.CharField(max_length=pasted.LONGEST, required=False, help_text=ADDRESS)
    config = ConfigField(required=False, help_text="answers to the questions of its kind, all of them")

    def validate(self, body: dict[str, Any]) -> dict[str, Any]:
        if not body:
            raise serializers.ValidationError("Say the new address, or other answers. Nothing was changed.")
        return body


class MoveSource(APIView):
    @operation("source_move", SourceSerializer, body=MoveSourceSerializer)
    def post(self, request: Request, list_id: int, source_id: int) -> Response:
        """Have a source read elsewhere, or with other answers; for the list's owner. What it brought stays until then."""
        list_ = owned_list(request.user, list_id)
        body = body_of(request, MoveSourceSerializer)
        pasted.move(source_of(list_, source_id), by=request.user, **body)
        return Response(SourceSerializer(source_of(list_, source_id)).data)
