"""Runs and uploads."""

from typing import Any

from django.conf import settings
from django.db.models import F, QuerySet
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lists.api.parts import (
    BY_AGE,
    AgeQuery,
    Moment,
    StrictSerializer,
    body_of,
    editable_list,
    id_field,
    operation,
    page_answer,
    page_of,
    query_of,
    sought,
)
from lists.models import Proposal, Source
from sync import runs, uploads
from sync.adapters import ADAPTERS, FileAdapter, checked
from sync.api_accounts import AccountKinds, Accounts, AccountSignIn, OneAccount, SourceAccount, TestAccount
from sync.api_batches import Batches, CancelBatch, OneBatch
from sync.api_batches import Parts as BatchParts
from sync.api_breakers import Breakers, OpenBreaker, ResetBreaker
from sync.api_kinds import Formats, SourceTypes
from sync.api_parts import ConfigField
from sync.api_previews import (
    KeepPreview,
    MoveSource,
    Previews,
    ProposalSerializer,
    Recognise,
    TryAgain,
    decidable_upload,
    visible_upload,
)
from sync.api_sources import Schedule, SourcesAndNew, Syncs
from sync.api_statistics import RunStatistics, RunTrends
from sync.api_syncing import SyncList, SyncSource
from sync.models import Run

ENVELOPE = 65_536  # bytes of a multipart body around its file

# Parameter -> lookup.
FILTERS = {
    "list": "list", "source": "source", "state": "state", "kind": "kind", "from": "created_at__gte", "to": "created_at__lte",
}  # fmt: skip


class RunSerializer(serializers.ModelSerializer[Run]):
    requested_by = serializers.CharField(source="requested_by_name", help_text="empty: the schedule")
    version = serializers.IntegerField(source="version_number", allow_null=True, help_text="null: nothing changed")
    items_per_s = serializers.FloatField(
        allow_null=True, help_text="rows a second, so far or in the end; null: not measured"
    )
    left_s = serializers.IntegerField(allow_null=True, help_text="seconds that it may take still; null: nobody knows")

    class Meta:
        model = Run
        fields = [
            "id", "list", "source", "kind", "state", "priority", "requested_by", "correlation_id", "attempt", "previous",
            "interruptions", "created_at", "started_at", "finished_at", "next_attempt_at", "waits_for", "deferrals", "duration_ms", "step", "progress", "outcome",
            "found", "added", "updated", "unchanged", "removed", "excluded", "conflicted", "held", "duplicates", "skipped",
            "not_taken", "items_per_s", "left_s", "memory_peak_mib", "requests", "cache_hits", "cache_misses", "error_rate",
            "error_code", "error", "version",
        ]  # fmt: skip


class RunDetailSerializer(RunSerializer):
    """details: the rows that could not be read, what was not taken, what filters kept out by what they look at, how many new
    entries wait for a later sync, seconds by step, and milliseconds of each block."""

    class Meta(RunSerializer.Meta):
        fields = [*RunSerializer.Meta.fields, "details"]


class RunQuery(AgeQuery):
    state = serializers.ChoiceField(Run.State.choices, required=False)
    kind = serializers.ChoiceField(Run.Kind.choices, required=False)

    def get_fields(self) -> dict[str, Any]:
        """`from` is a word of Python; `source` is what serializers have of that name."""
        return {
            **super().get_fields(),
            "list": id_field("id of a list", required=False),
            "source": id_field("id of a source", required=False),
            "from": Moment(required=False, help_text="asked for at this time or later"),
            "to": Moment(required=False, until=True, help_text="a time, or a date for its last moment"),
        }


def runs_of(user: Any) -> QuerySet[Run]:
    return Run.objects.for_user(user).annotate(version_number=F("version__number"))


class Runs(APIView):
    @operation("runs", page_of(RunSerializer), query=RunQuery)
    def get(self, request: Request) -> Response:
        """Runs of your lists, newest first."""
        query = query_of(request, RunQuery)
        wanted = {lookup: query[name] for name, lookup in FILTERS.items() if name in query}
        rows = runs_of(request.user).filter(**wanted).defer("details")
        return page_answer(sought(rows, BY_AGE[query["sort"]], query), RunSerializer)


class OneRun(APIView):
    @operation("run", RunDetailSerializer)
    def get(self, request: Request, run_id: int) -> Response:
        """One run: how far it is, or how it ended."""
        return Response(RunDetailSerializer(get_object_or_404(runs_of(request.user), pk=run_id)).data)


class CancelRun(APIView):
    @operation("run_cancel", {200: RunDetailSerializer, 202: RunDetailSerializer})
    def post(self, request: Request, run_id: int) -> Response:
        """Stop a run. One that waits has ended at once (200), a running one within two seconds (202: follow it). It changes
        nothing then. 409 if it has ended, is being cancelled already, or is being written."""
        run = get_object_or_404(Run.objects.for_user(request.user), pk=run_id)
        editable_list(request.user, run.list_id)
        runs.cancel(run, by=request.user)
        found = runs_of(request.user).get(pk=run.pk)
        return Response(RunDetailSerializer(found).data, 202 if found.is_active else 200)


class FormatSerializer(StrictSerializer):
    """adapter: a file format; left out or empty, it is recognised."""

    adapter = serializers.CharField(
        required=False, allow_blank=True, max_length=40, help_text="csv_table, imdb_csv ..."
    )
    config = ConfigField(required=False, help_text="answers to the format's questions, such as encoding")

    def validate_adapter(self, key: str) -> str:
        if key and not (key in ADAPTERS and ADAPTERS[key].is_file):
            formats = ", ".join(sorted(key for key, cls in ADAPTERS.items() if cls.is_file))
            raise serializers.ValidationError(f"There is no such file format. There are: {formats}.")
        return key


class UploadSerializer(FormatSerializer):
    """file: the export or list as it was downloaded. Without a list a new one is made of it."""

    file = serializers.FileField(max_length=255)
    list = serializers.IntegerField(required=False, min_value=1, help_text="id of the list to bring up to date")
    list_name = serializers.CharField(required=False, max_length=200, allow_blank=True, help_text="of the new list")


class ReadAgainSerializer(FormatSerializer):
    source = serializers.IntegerField(  # type: ignore[assignment] # the attribute is the instance's
        required=False,
        allow_null=True,
        min_value=1,
        help_text="source of the list that the file renews; null: a new one",
    )


class ConfirmSerializer(StrictSerializer):
    list_name = serializers.CharField(required=False, max_length=200, help_text="of a list that is made by this")
    source_name = serializers.CharField(required=False, max_length=200, help_text="of a source that is made by this")


class UploadSummarySerializer(ProposalSerializer):
    """Without what its preview shows."""

    class Meta(ProposalSerializer.Meta):
        fields = [name for name in ProposalSerializer.Meta.fields if name != "result"]


def checked_config(adapter: str, config: dict[str, Any]) -> dict[str, Any]:
    """Answers as the format's own form takes them. Raises ValidationError."""
    answers, wrong = checked(ADAPTERS[adapter] if adapter else FileAdapter, config)
    if wrong:
        raise serializers.ValidationError({"config": wrong})
    return answers


class Uploads(APIView):
    parser_classes = [MultiPartParser]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Before anything reads the body: a file that is too large is not even written aside."""
        limit = settings.UPLOAD_LIMIT_MIB * 1024 * 1024 + ENVELOPE
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdecimal() and int(length[:20]) > limit:
            raise uploads.TooLarge(f"The file is larger than {settings.UPLOAD_LIMIT_MIB} MiB. Nothing was read.")
        super().initial(request, *args, **kwargs)

    @operation("upload", ProposalSerializer, body={"multipart/form-data": UploadSerializer}, status=202)
    def post(self, request: Request) -> Response:
        """Hand in a file. It is read by a worker; ask for the upload until its state is open or refused.

        Nothing of it is in any list before it is confirmed.
        """
        body = body_of(request, UploadSerializer)
        adapter = body.get("adapter", "")
        proposal = uploads.start(
            body["file"].read(),
            by=request.user,
            filename=body["file"].name,
            list_=editable_list(request.user, body["list"]) if "list" in body else None,
            list_name=body.get("list_name", ""),
            adapter=adapter,
            config=checked_config(adapter, body.get("config", {})),
        )
        return Response(ProposalSerializer(proposal).data, 202)


class UploadQuery(AgeQuery):
    state = serializers.ChoiceField(Proposal.State.choices, required=False)

    def get_fields(self) -> dict[str, Any]:
        """A field called `list` would hide the builtin here."""
        return {**super().get_fields(), "list": id_field("id of a list", required=False)}


class UploadsListed(Uploads):
    @operation("uploads", page_of(UploadSummarySerializer), query=UploadQuery)
    def get(self, request: Request) -> Response:
        """Files that you handed in, and those of your lists, newest first: what waits for a decision (state open) and
        what became of others."""
        query = query_of(request, UploadQuery)
        wanted = {name: query[name] for name in ("list", "state") if name in query}
        rows = Proposal.objects.for_user(request.user).filter(kind=Proposal.Kind.PREVIEW, **wanted)
        return page_answer(sought(rows.defer("body", "result"), BY_AGE[query["sort"]], query), UploadSummarySerializer)


class OneUpload(APIView):
    @operation("upload_preview", ProposalSerializer)
    def get(self, request: Request, upload_id: int) -> Response:
        """The preview: what the file would do to the list."""
        return Response(ProposalSerializer(visible_upload(request.user, upload_id)).data)


class ReadAgain(APIView):
    @operation("upload_read_again", ProposalSerializer, body=ReadAgainSerializer, status=202)
    def post(self, request: Request, upload_id: int) -> Response:
        """Make the preview anew, as another format or with other settings, or as another source of the list."""
        proposal = decidable_upload(request.user, upload_id, of_address=False)
        body = body_of(request, ReadAgainSerializer)
        wanted: dict[str, Any] = {name: body[name] for name in ("adapter", "config") if name in body}
        if "config" in wanted:
            wanted["config"] = checked_config(body.get("adapter", proposal.adapter), wanted["config"])
        if "source" in body:
            wanted["source"] = _source(proposal, body["source"])
        return Response(ProposalSerializer(uploads.read_again(proposal, **wanted)).data, 202)


def _source(proposal: Proposal, pk: int | None) -> Source | None:
    if pk is None:
        return None
    source = Source.objects.filter(list=proposal.list, removed_at=None, role=Source.Role.FEED, pk=pk).first()
    if proposal.list is None or source is None:
        raise serializers.ValidationError({"source": ["The list has no such source."]})
    return source


class PartsSerializer(StrictSerializer):
    parts = serializers.ListField(
        child=serializers.CharField(max_length=500), min_length=1, max_length=100, help_text="names of result.parts"
    )


class Parts(APIView):
    @operation("upload_parts", ProposalSerializer(many=True), body=PartsSerializer, status=202)
    def post(self, request: Request, upload_id: int) -> Response:
        """Previews of further lists of an archive, each for a list to be made of it."""
        proposal = decidable_upload(request.user, upload_id, of_address=False)
        taken = uploads.take_parts(proposal, body_of(request, PartsSerializer)["parts"], by=request.user)
        return Response(ProposalSerializer(taken, many=True).data, 202)


class Confirm(APIView):
    @operation(
        "upload_confirm",
        inline_serializer(
            "Confirmed", {"run": serializers.IntegerField(help_text="id of the run that carries it out")}
        ),
        body=ConfirmSerializer,
        status=202,
    )
    def post(self, request: Request, upload_id: int) -> Response:
        """Make it so. The answer names the run; follow it until it has ended."""
        proposal = decidable_upload(request.user, upload_id, of_address=False)
        run = uploads.confirm(proposal, by=request.user, **body_of(request, ConfirmSerializer))
        return Response({"run": run.pk}, 202)


class Discard(APIView):
    @operation("upload_discard", ProposalSerializer)
    def post(self, request: Request, upload_id: int) -> Response:
        """Throw the file away; nothing of it was in any list."""
        proposal = uploads.discard(decidable_upload(request.user, upload_id), by=request.user)
        return Response(ProposalSerializer(proposal).data)


urlpatterns: list[URLPattern] = [
    path("lists/<int:list_id>/sources/", SourcesAndNew.as_view()),
    path("lists/<int:list_id>/schedule/", Schedule.as_view()),
    path("lists/<int:list_id>/sync/", SyncList.as_view()),
    path("lists/<int:list_id>/sources/<int:source_id>/sync/", SyncSource.as_view()),
    path("lists/<int:list_id>/sources/<int:source_id>/account/", SourceAccount.as_view()),
    path("account-kinds/", AccountKinds.as_view()),
    path("accounts/", Accounts.as_view()),
    path("accounts/<int:account_id>/", OneAccount.as_view()),
    path("accounts/<int:account_id>/test/", TestAccount.as_view()),
    path("accounts/<int:account_id>/sign-in/", AccountSignIn.as_view()),
    path("batches/", Batches.as_view()),
    path("batches/<int:batch_id>/", OneBatch.as_view()),
    path("batches/<int:batch_id>/parts/", BatchParts.as_view()),
    path("batches/<int:batch_id>/cancel/", CancelBatch.as_view()),
    path("syncs/", Syncs.as_view()),
    path("runs/", Runs.as_view()),
    path("runs/statistics/", RunStatistics.as_view()),
    path("runs/trends/", RunTrends.as_view()),
    path("runs/<int:run_id>/", OneRun.as_view()),
    path("runs/<int:run_id>/cancel/", CancelRun.as_view()),
    path("breakers/", Breakers.as_view()),
    path("breakers/<int:breaker_id>/open/", OpenBreaker.as_view()),
    path("breakers/<int:breaker_id>/reset/", ResetBreaker.as_view()),
    path("formats/", Formats.as_view()),
    path("source-types/", SourceTypes.as_view()),
    path("source-types/recognise/", Recognise.as_view()),
    path("lists/<int:list_id>/sources/<int:source_id>/move/", MoveSource.as_view()),
    path("previews/", Previews.as_view()),
    path("previews/<int:upload_id>/try-again/", TryAgain.as_view()),
    path("previews/<int:upload_id>/keep/", KeepPreview.as_view()),
    path("uploads/", UploadsListed.as_view()),
    path("uploads/<int:upload_id>/", OneUpload.as_view()),
    path("uploads/<int:upload_id>/read-again/", ReadAgain.as_view()),
    path("uploads/<int:upload_id>/parts/", Parts.as_view()),
    path("uploads/<int:upload_id>/confirm/", Confirm.as_view()),
    path("uploads/<int:upload_id>/discard/", Discard.as_view()),
]
