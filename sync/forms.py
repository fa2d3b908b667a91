"""What people answer about a file: the file itself, how it is read, and what becomes of it."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from lists.models import Proposal, Source
from sync import pipeline
from sync.adapters import ADAPTERS

# Asked for by the page itself: the encoding beside the format, the mapping column by column.
OWN_PLACE = ("encoding", "mapping")
NEW = "new"


class UploadForm(forms.Form):
    """A file, and what the list made of it is called if it goes to none that is there."""

    file = forms.FileField(
        allow_empty_file=True,  # uploads.start says in better words that it is empty
        error_messages={"required": "Choose a file first. Nothing was read."},
    )
    list_name = forms.CharField(max_length=200, required=False)

    def clean_file(self) -> UploadedFile:
        """By its size, before anything of it is read into memory."""
        file = self.cleaned_data["file"]
        limit = settings.UPLOAD_LIMIT_MIB
        if file.size > limit * 1024 * 1024:
            raise forms.ValidationError(
                f"The file is larger than {limit} MiB. Nothing was read. Split it, or ask whoever runs this Listkeeper "
                "to raise LISTKEEPER_UPLOAD_LIMIT_MIB."
            )
        return file


class ReadingForm(forms.Form):
    """How a file is to be read: its format, the text's encoding, the format's own questions, what each column holds, and
    which source of the list it renews."""

    adapter = forms.ChoiceField(required=False, label="Format")
    encoding = forms.CharField(required=False, max_length=40, label="Encoding")

    def __init__(self, proposal: Proposal, columns: list[dict[str, Any]], *args: Any, **kwargs: Any):
        self.proposal, self.columns = proposal, columns
        super().__init__(*args, **kwargs)
        formats = pipeline.file_formats()
        self.fields["adapter"].choices = formats if proposal.adapter else [("", "Find out"), *formats]  # type: ignore[attr-defined]
        self.fields["adapter"].initial = proposal.adapter
        self.fields["encoding"].initial = proposal.config.get("encoding", "")
        adapter = ADAPTERS.get(proposal.adapter)
        for name, field in (adapter.Config().fields if adapter else {}).items():
            if name not in OWN_PLACE:
                self.fields[name] = field
                self.initial[name] = proposal.config.get(name, field.initial)
        for at, column in enumerate(columns if self.targets else []):
            self.fields[f"column-{at}"] = forms.ChoiceField(
                choices=self.targets, required=False, initial=column["field"] or "", label=column["name"]
            )
        offers = proposal.result.get("sources") or []
        own = bool(proposal.result.get("own_export"))
        if offers or own:
            choices = [("", "Edits by hand")] if own else []
            choices += [(str(offer["source"]), offer["name"]) for offer in offers]
            self.fields["source"] = forms.ChoiceField(
                choices=[*choices, (NEW, "A new source")], required=False,
                initial="" if own else str(proposal.source_id or NEW),
            )  # fmt: skip

    @property
    def targets(self) -> list[tuple[str, str]]:
        """What a column may become; empty where the format fixes that itself."""
        return list(getattr(ADAPTERS.get(self.proposal.adapter), "targets", []))

    @property
    def questions(self) -> list[forms.BoundField]:
        """The format's own."""
        own = {"adapter", "encoding", "source"}
        return [self[name] for name in self.fields if name not in own and not name.startswith("column-")]

    @property
    def rows(self) -> list[tuple[dict[str, Any], forms.BoundField | None]]:
        """Each column of the file, with the field that asks what it holds."""
        return [(column, self[f"column-{at}"] if self.targets else None) for at, column in enumerate(self.columns)]

    def answers(self) -> dict[str, Any]:
        """Keyword arguments of uploads.read_again. Answers about another format than the one asked for are left out."""
        found = self.cleaned_data
        config: dict[str, Any] = {"encoding": found["encoding"]}
        if found["adapter"] != self.proposal.adapter:
            return {"adapter": found["adapter"], "config": config}
        config |= {bound.name: found[bound.name] for bound in self.questions}
        if self.targets:
            config["mapping"] = (self.proposal.config.get("mapping") or {}) | self._mapped()
        answers: dict[str, Any] = {"adapter": found["adapter"], "config": config}
        if found.get("source"):
            known = Source.objects.filter(list=self.proposal.list_id, removed_at=None)
            answers["source"] = None if found["source"] == NEW else known.filter(pk=found["source"]).first()
        return answers

    def _mapped(self) -> dict[str, str]:
        """Columns that hold something else than the preview shows: what nobody changed stays a guess."""
        return {
            str(at): self.cleaned_data[f"column-{at}"]
            for at, column in enumerate(self.columns)
            if self.cleaned_data[f"column-{at}"] != (column["field"] or "")
        }


class ConfirmForm(forms.Form):
    """What the new list and the new source are called; both may be left to us."""

    list_name = forms.CharField(max_length=200, required=False)
    source_name = forms.CharField(max_length=200, required=False)
