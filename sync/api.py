"""Runs and uploads."""

from collections.abc import Iterable
from typing import Any

import orjson
from django.conf import settings
from django.core.exceptions import PermissionDenied
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
    NEWEST,
    Moment,
    PageQuery,
    StrictSerializer,
    body_of,
    editable_list,
    operation,
    page_answer,
    page_of,
    query_of,
    sought,
)
from lists.errors import Refused
from lists.models import Proposal, Source
from sync import runs, uploads
from sync.adapters import ADAPTERS, FileAdapter, is_fetched
from sync.errors import Busy
from sync.models import Run

CONFIG_LIMIT = 20_000  # bytes as JSON
ENVELOPE = 65_536  # bytes of a multipart body around its file

FILTERS = {"list": "list", "state": "state", "from": "created_at__gte", "to": "created_at__lte"}  # parameter -> lookup


class RunSerializer(serializers.ModelSerializer[Run]):
    requested_by = serializers.CharField(source="requested_by_name", help_text="empty: the schedule")
    version = serializers.IntegerField(source="version_number", allow_null=True, help_text="null: nothing changed")

    class Meta:
        model = Run
        fields = [
            "id", "list", "source", "kind", "state", "priority", "requested_by", "correlation_id", "attempt", "previous",
            "created_at", "started_at", "finished_at", "next_attempt_at", "duration_ms", "step", "progress", "outcome",
            "found", "added", "updated", "unchanged", "removed", "excluded", "conflicted", "held", "duplicates", "skipped",
            "not_taken", "error_code", "error", "version",
        ]  # fmt: skip


class RunDetailSerializer(RunSerializer):
    """details: the rows that could not be read, what was not taken, and seconds by step."""

    class Meta(RunSerializer.Meta):
        fields = [*RunSerializer.Meta.fields, "details"]


class RunQuery(PageQuery):
    state = serializers.ChoiceField(Run.State.choices, required=False)

    def get_fields(self) -> dict[str, Any]:
        """`from` is a word of Python and cannot be the name of an attribute."""
        return {
            **super().get_fields(),
            "list": serializers.IntegerField(
                min_value=1, max_value=2**63 - 1, required=False, help_text="id of a list"
            ),
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
        return page_answer(
            sought(runs_of(request.user).filter(**wanted).defer("details"), NEWEST, query), RunSerializer
        )


class OneRun(APIView):
    @operation("run", RunDetailSerializer)
    def get(self, request: Request, run_id: int) -> Response:
        """One run: how far it is, or how it ended."""
        return Response(RunDetailSerializer(get_object_or_404(runs_of(request.user), pk=run_id)).data)


class ConfigField(serializers.JSONField):
    """Answers to a format's questions. It is checked against its form by checked_config()."""

    default_error_messages = {"invalid": "This must be a JSON object of plain values, not more than 20 kB."}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        try:
            value = super().to_internal_value(data)
            text = orjson.dumps(value)  # refuses lone surrogates and what is nested too deep to store
        except (RecursionError, TypeError):
            self.fail("invalid")
        if not isinstance(value, dict) or len(text) > CONFIG_LIMIT or b"\\u0000" in text:
            self.fail("invalid")
        return value


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


class SyncSerializer(StrictSerializer):
    force = serializers.BooleanField(default=False, help_text="also if it was fetched a moment ago")


class TooSoonSerializer(serializers.Serializer[Any]):
    """A source that was fetched a moment ago."""

    source = serializers.IntegerField()  # type: ignore[assignment] # the attribute is the instance's
    until = serializers.DateTimeField(help_text="from then on it is fetched without force")


class SyncAskedSerializer(serializers.Serializer[Any]):
    """What became of the request, source by source."""

    runs = serializers.ListField(child=serializers.IntegerField(), help_text="ids of the runs that wait now")
    busy = serializers.ListField(
        child=serializers.IntegerField(), help_text="ids of runs that waited or worked already"
    )
    skipped = TooSoonSerializer(many=True)


class ConfirmSerializer(StrictSerializer):
    list_name = serializers.CharField(required=False, max_length=200, help_text="of a list that is made by this")
    source_name = serializers.CharField(required=False, max_length=200, help_text="of a source that is made by this")


class ProposalSerializer(serializers.ModelSerializer[Proposal]):
    """result: what the file would do: counts, the first rows of each kind, columns, rows that cannot be read."""

    class Meta:
        model = Proposal
        fields = [
            "id", "state", "list", "source", "list_name", "filename", "adapter", "config", "result", "error", "created_at",
            "expires_at", "decided_at",
        ]  # fmt: skip


def checked_config(adapter: str, config: dict[str, Any]) -> dict[str, Any]:
    """Answers as the format's own form takes them. Raises ValidationError for questions that it does not ask."""
    form = (ADAPTERS[adapter] if adapter else FileAdapter).Config(config)
    unknown = sorted(name[:40] for name in config.keys() - form.fields.keys())
    if unknown:
        raise serializers.ValidationError({"config": [f"This format does not ask for {', '.join(unknown)}."]})
    if not form.is_valid():
        raise serializers.ValidationError(
            {"config": [f"{name}: {text}" for name, texts in form.errors.items() for text in texts]}
        )
    return {name: form.cleaned_data[name] for name in config}


def visible_upload(user: Any, pk: int) -> Proposal:
    """A preview that the user may see. Raises Http404."""
    previews = Proposal.objects.for_user(user).without_body().filter(kind=Proposal.Kind.PREVIEW)
    return get_object_or_404(previews.select_related("list"), pk=pk)


def decidable_upload(user: Any, pk: int) -> Proposal:
    """A preview that the user may decide. Raises Http404, or PermissionDenied for who may only look."""
    proposal = visible_upload(user, pk)
    mine = proposal.created_by_id == user.pk or user.is_staff
    if not (proposal.list.may_edit(user) if proposal.list else mine):
        raise PermissionDenied("You may look at this preview but not decide it. Nothing was changed.")
    return proposal


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


class OneUpload(APIView):
    @operation("upload_preview", ProposalSerializer)
    def get(self, request: Request, upload_id: int) -> Response:
        """The preview: what the file would do to the list."""
        return Response(ProposalSerializer(visible_upload(request.user, upload_id)).data)


class ReadAgain(APIView):
    @operation("upload_read_again", ProposalSerializer, body=ReadAgainSerializer, status=202)
    def post(self, request: Request, upload_id: int) -> Response:
        """Make the preview anew, as another format or with other settings, or as another source of the list."""
        proposal = decidable_upload(request.user, upload_id)
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
        proposal = decidable_upload(request.user, upload_id)
        run = uploads.confirm(proposal, by=request.user, **body_of(request, ConfirmSerializer))
        return Response({"run": run.pk}, 202)


class Discard(APIView):
    @operation("upload_discard", ProposalSerializer)
    def post(self, request: Request, upload_id: int) -> Response:
        """Throw the file away; nothing of it was in any list."""
        proposal = uploads.discard(decidable_upload(request.user, upload_id), by=request.user)
        return Response(ProposalSerializer(proposal).data)


class NothingToFetch(Refused):
    code = "nothing_to_fetch"


SYNC_ASKED = {200: SyncAskedSerializer, 202: SyncAskedSerializer}


def _sync(request: Request, sources: Iterable[Source]) -> Response:
    """Ask for a run of each source: 202 if one was queued, 200 if all were left alone. Raises Busy if none could be."""
    force = body_of(request, SyncSerializer)["force"]
    queued, busy, skipped = [], [], []
    for source in sources:
        try:
            asked = runs.request_sync(source, by=request.user, force=force)
        except Busy as e:
            busy.append(e)
            continue
        if asked.run is None:
            skipped.append({"source": source.pk, "until": asked.skipped_until})
        else:
            queued.append(asked.run.pk)
    if busy and not queued:
        raise busy[0]
    answer = {"runs": queued, "busy": [e.run.pk for e in busy], "skipped": skipped}
    return Response(SyncAskedSerializer(answer).data, 202 if queued else 200)


class SyncList(APIView):
    @operation("list_sync", SYNC_ASKED, body=SyncSerializer)
    def post(self, request: Request, list_id: int) -> Response:
        """Bring every enabled source of the list up to date that is fetched; one run for each."""
        list_ = editable_list(request.user, list_id)
        enabled = Source.objects.filter(list=list_, removed_at=None, enabled=True)
        sources = [source for source in enabled if is_fetched(source)]
        if not sources:
            raise NothingToFetch("None of its sources is fetched. Nothing was read. Upload a newer file to renew it.")
        return _sync(request, sources)


class SyncSource(APIView):
    @operation("source_sync", SYNC_ASKED, body=SyncSerializer)
    def post(self, request: Request, list_id: int, source_id: int) -> Response:
        """Bring one source up to date. Within its minimum gap it is left alone (200, skipped), unless forced."""
        list_ = editable_list(request.user, list_id)
        return _sync(request, [get_object_or_404(Source.objects.filter(list=list_, removed_at=None), pk=source_id)])


urlpatterns: list[URLPattern] = [
    path("lists/<int:list_id>/sync/", SyncList.as_view()),
    path("lists/<int:list_id>/sources/<int:source_id>/sync/", SyncSource.as_view()),
    path("runs/", Runs.as_view()),
    path("runs/<int:run_id>/", OneRun.as_view()),
    path("uploads/", Uploads.as_view()),
    path("uploads/<int:upload_id>/", OneUpload.as_view()),
    path("uploads/<int:upload_id>/read-again/", ReadAgain.as_view()),
    path("uploads/<int:upload_id>/confirm/", Confirm.as_view()),
    path("uploads/<int:upload_id>/discard/", Discard.as_view()),
]
