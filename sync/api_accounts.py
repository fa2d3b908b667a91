"""Accounts at services: what is stored of one is never told again."""

from typing import Any

from django.db.models import Count, Q, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lists import services
from lists.api.parts import (
    PageQuery,
    PlaceQuery,
    StrictSerializer,
    body_of,
    editable_list,
    id_field,
    operation,
    page_answer,
    page_of,
    placed_answer,
    places_of,
    query_of,
    sort_field,
    sought,
)
from lists.api.sources import Said, SourceSerializer, source_of
from lists.models import Account, SignIn
from lists.paging import Sort
from sync import access, signing_in
from sync.account_kinds import KINDS, AccountKind, Asked, kinds
from sync.api_parts import account_named


class AskedSerializer(serializers.Serializer[Asked]):
    """What may stand in `answers`."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment] # the attribute is the instance's
    help = serializers.CharField()
    secret = serializers.BooleanField(help_text="whether it is never told again")
    required = serializers.BooleanField()  # type: ignore[assignment] # as above


class AccountKindSerializer(serializers.Serializer[AccountKind]):
    """A service that people have accounts at."""

    key = serializers.CharField(help_text="the `service` of an account")
    label = serializers.CharField()  # type: ignore[assignment] # as above
    purpose = serializers.CharField(help_text="what an account is for")
    where = serializers.CharField(help_text="page on which its key is got; empty: none")
    how = serializers.CharField(help_text="what to do there")
    signs_in = serializers.BooleanField(help_text="whether a person confirms it at the service: /sign-in/")
    asks = AskedSerializer(many=True)


class AccountSerializer(serializers.ModelSerializer[Account]):
    """An account without its secrets."""

    owner = serializers.CharField(source="owner.username")
    kept = serializers.SerializerMethodField(help_text="names of the secrets that are stored")
    has_token = serializers.SerializerMethodField(help_text="whether there is all that is needed to ask its service")
    details = serializers.DictField(read_only=True, help_text="what may be shown: address, user, limits")
    sources = serializers.IntegerField(source="source_count", help_text="how many are read with it")

    class Meta:
        model = Account
        fields = [
            "id", "owner", "service", "name", "state", "reason", "state_at", "kept", "has_token", "details", "tested_at",
            "expires_at", "renew_at", "from_addresses", "sources", "created_at",
        ]  # fmt: skip

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_kept(self, account: Account) -> list[str]:
        return sorted(name for name in account.opened if "@" not in name)  # of files, where a login was met

    @extend_schema_field(serializers.BooleanField())
    def get_has_token(self, account: Account) -> bool:
        kind = KINDS.get(account.service)
        known = access.known_of(account)
        return kind().is_complete(known) and not kind().lacks(known) if kind else bool(account.opened)


class AnswersField(serializers.DictField):
    child = serializers.CharField(max_length=4000, allow_blank=True)


class AccountChangeSerializer(StrictSerializer):
    name = serializers.CharField(max_length=200)
    answers = AnswersField(
        write_only=True, help_text='what its kind asks for (/account-kinds/): {"api_key": "..."}; never told again'
    )


class NewAccountSerializer(AccountChangeSerializer):
    service = serializers.CharField(max_length=40, help_text="a key of /account-kinds/")

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        fields["answers"].required = False
        return fields

    def validate_service(self, key: str) -> str:
        if key not in KINDS:
            raise serializers.ValidationError(f"There is no such service. There are: {', '.join(sorted(KINDS))}.")
        return key


SORTS = {
    sort.key: sort for sort in [Sort("added", "First added first", "id"), Sort("name", "By name", "name")]
}  # fmt: skip


class AccountQuery(PageQuery):
    service = serializers.CharField(max_length=40, required=False)
    state = serializers.ChoiceField(Account.State.choices, required=False)
    sort = sort_field(SORTS)


class DeleteQuery(serializers.Serializer[Any]):
    pause = Said(
        required=False, help_text="true: sources that are read with it are paused; else it is refused if there are any"
    )


class SignInSerializer(serializers.ModelSerializer[SignIn]):
    """A sign-in that waits for a person, or how it ended. url: where they go; code: what they type there, if anything."""

    url = serializers.CharField(help_text="empty when it has ended")

    class Meta:
        model = SignIn
        fields = ["account", "state", "code", "url", "interval_s", "expires_at", "reason", "created_at"]


class SourceAccountSerializer(StrictSerializer):
    account = id_field("one of yours, of the kind that the source takes; null: none", allow_null=True)


def _accounts(user: Any) -> QuerySet[Account]:
    read = Count("sources", filter=Q(sources__removed_at=None))
    return Account.objects.for_user(user).select_related("owner").annotate(source_count=read)


def _account(request: Request, pk: int) -> Account:
    """Raises Http404."""
    return get_object_or_404(_accounts(request.user), pk=pk)


def _told(request: Request, pk: int, status: int = 200) -> Response:
    return Response(AccountSerializer(_account(request, pk)).data, status)


def _sorted_out(kind: type[AccountKind], answers: dict[str, str], *, kept: frozenset[str]) -> dict[str, Any]:
    """secrets and details, checked as a page checks them. Raises ValidationError."""
    unknown = sorted(answers.keys() - {asked.name for asked in kind.asks})
    if unknown:
        raise serializers.ValidationError({"answers": [f"{kind.label} does not ask for {', '.join(unknown)[:200]}."]})
    form = kind.form(answers, kept=kept)
    if not form.is_valid():
        wrong = [f"{name}: {text}" for name, texts in form.errors.items() for text in texts]
        raise serializers.ValidationError({"answers": wrong})
    given = {name: form.cleaned_data[name] for name in answers}
    secrets, details = kind().sorted_out(given)
    return {"secrets": secrets, "details": details}


class AccountKinds(APIView):
    @operation("account_kinds", places_of(AccountKindSerializer), query=PlaceQuery)
    def get(self, request: Request) -> Response:
        """The services that accounts can be at, by name: what each asks for, where that is got and what it is for."""
        return placed_answer(kinds(), query_of(request, PlaceQuery), AccountKindSerializer)


class Accounts(APIView):
    @operation("accounts", page_of(AccountSerializer), query=AccountQuery)
    def get(self, request: Request) -> Response:
        """Your accounts, and how they stand; staff see those of others too."""
        query = query_of(request, AccountQuery)
        rows = _accounts(request.user).filter(**{name: query[name] for name in ("service", "state") if name in query})
        return page_answer(sought(rows, SORTS[query["sort"]], query), AccountSerializer)

    @operation("account_create", AccountSerializer, body=NewAccountSerializer, status=201)
    def post(self, request: Request) -> Response:
        """Store an account. Nobody is asked yet: test it, or sign in where the service wants that."""
        body = body_of(request, NewAccountSerializer)
        kind = KINDS[body["service"]]
        answers = _sorted_out(kind, body.get("answers", {}), kept=frozenset())
        made = services.make_account(
            request.user, service=kind.key, name=body["name"], by=request.user, **answers
        )  # fmt: skip
        return _told(request, made.pk, 201)


class OneAccount(APIView):
    @operation("account", AccountSerializer)
    def get(self, request: Request, account_id: int) -> Response:
        """One account, without its secrets."""
        return _told(request, account_id)

    @operation("account_change", AccountSerializer, body=AccountChangeSerializer(partial=True))
    def patch(self, request: Request, account_id: int) -> Response:
        """Another name, another key. What is not named stays. Where a key is new, its sources wait until it is tested."""
        account = _account(request, account_id)
        body = body_of(request, AccountChangeSerializer, partial=True)
        answers: dict[str, Any] = {}
        if body.get("answers"):
            if account.service not in KINDS:
                raise serializers.ValidationError({"answers": ["This account takes no answers."]})
            kind = KINDS[account.service]
            answers = _sorted_out(kind, body["answers"], kept=frozenset(asked.name for asked in kind.asks))
        services.change_account(account, by=request.user, name=body.get("name"), **answers)
        return _told(request, account_id)

    @operation("account_delete", None, query=DeleteQuery, status=204)
    def delete(self, request: Request, account_id: int) -> Response:
        """Delete an account with its secrets. 409 in_use if sources are read with it, unless `pause` is true: then they keep
        what they brought and wait for another account."""
        pause = query_of(request, DeleteQuery).get("pause", False)
        services.delete_account(_account(request, account_id), by=request.user, pause=pause)
        return Response(status=204)


class TestAccount(APIView):
    @operation("account_test", AccountSerializer, asks=True)
    def post(self, request: Request, account_id: int) -> Response:
        """Ask its service whether it takes the account; `state` and `reason` say what came of it. What waited for it goes on
        if it works. 503 if the service does not answer: then nothing is changed."""
        access.try_account(_account(request, account_id), by=request.user)
        return _told(request, account_id)


class AccountSignIn(APIView):
    @operation("account_sign_in", SignInSerializer, asks=True)
    def get(self, request: Request, account_id: int) -> Response:
        """How far the sign-in is. The service is asked, but no more often than it wants: call this as often as you like."""
        return Response(SignInSerializer(signing_in.ask(self._found(request, account_id))).data)

    @operation("account_sign_in_begin", SignInSerializer, asks=True, status=201)
    def post(self, request: Request, account_id: int) -> Response:
        """Begin to sign in: the answer says where a person goes and what they type there. One that waited is given up."""
        return Response(SignInSerializer(signing_in.begin(_account(request, account_id))).data, 201)

    @operation("account_sign_in_cancel", None, status=204)
    def delete(self, request: Request, account_id: int) -> Response:
        """Stop waiting. What is connected stays connected."""
        signing_in.cancel(self._found(request, account_id))
        return Response(status=204)

    def _found(self, request: Request, pk: int) -> SignIn:
        found = SignIn.objects.filter(account=_account(request, pk)).first()
        if found is None:
            raise Http404("Nobody has begun to sign in to this account.")
        return found


class SourceAccount(APIView):
    @operation("source_account", SourceSerializer, body=SourceAccountSerializer)
    def put(self, request: Request, list_id: int, source_id: int) -> Response:
        """Say with which account a source is read."""
        list_ = editable_list(request.user, list_id)
        source = source_of(list_, source_id)
        wanted = body_of(request, SourceAccountSerializer)["account"]
        account = account_named(request.user, wanted) if wanted else None
        access.choose(source, account, by=request.user)
        return Response(SourceSerializer(source_of(list_, source_id)).data)
